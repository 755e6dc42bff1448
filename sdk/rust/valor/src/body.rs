use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};

use crate::abi;
use crate::error::Error;
use crate::operation::{poll_fn, Operation};

/// How many bytes bytes() and text() take.
const DEFAULT_LIMIT: usize = 16 << 20;
/// The most that one chunk() gives.
const PIECE: usize = 64 << 10;

/// Where a body comes from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Flow {
    Request,
    /// The response to a fetch, which ends with the Body.
    Fetch,
    /// Nothing more comes.
    Empty,
}

/// The rest of a fetch's own body, which is still being sent while the response already comes.
pub(crate) type Upload = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// A body that arrives piece by piece: that of a request, or of the response to a fetch. Reading slowly slows the sender
/// down; not reading it at all is fine.
pub struct Body {
    instance: u64,
    exchange: u64,
    flow: Flow,
    length: Option<u64>,
    piece: Vec<u8>,
    upload: Option<Upload>,
}

impl Body {
    pub(crate) fn new(instance: u64, exchange: u64, flow: Flow, length: Option<u64>) -> Body {
        Body { instance, exchange, flow, length, piece: Vec::new(), upload: None }
    }

    pub(crate) fn with_upload(mut self, upload: Option<Upload>) -> Body {
        self.upload = upload;
        self
    }

    pub(crate) fn exchange(&self) -> u64 {
        self.exchange
    }

    /// Its size in bytes as the other side declared it: for a compressed response to a fetch that of the compressed.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece, at most 64 KiB, valid until the next call; None at the end. A body that breaks off is an error,
    /// so it cannot be taken for a whole one.
    pub async fn chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.flow == Flow::Empty {
            return Ok(None);
        }
        self.piece.clear();
        self.piece.reserve(PIECE);
        let size = loop {
            let operation = Operation::new();
            // SAFETY: the buffer has room for PIECE bytes, and the host does not use it after the call.
            let result = unsafe {
                let buffer = self.piece.as_mut_ptr();
                abi::body_read(self.instance, self.exchange, buffer, PIECE, operation.number())
            };
            if result >= 0 {
                break result as usize;
            }
            let result = match result {
                abi::WAIT => self.wait(operation).await?,
                other => other,
            };
            match result {
                abi::OK => {}
                abi::GONE => return Err(Error::gone("the body broke off: the other side has left")),
                _ => return Err(Error::fail("this body cannot be read here")),
            }
        };
        // SAFETY: the host has written `size` bytes, at most PIECE.
        unsafe { self.piece.set_len(size) };
        if size == 0 {
            self.finish();
            return Ok(None);
        }
        Ok(Some(&self.piece))
    }

    /// All of it, up to 16 MiB; see bytes_up_to().
    pub async fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        self.bytes_up_to(DEFAULT_LIMIT).await
    }

    /// All of it; more than `limit` bytes are an error that the client sees as 413.
    pub async fn bytes_up_to(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let too_large = || Error::new(413, format!("the body is over {limit} bytes"));
        let declared = self.length.unwrap_or(0);
        if declared > limit as u64 {
            return Err(too_large());
        }
        let mut all = Vec::with_capacity(declared as usize);
        while let Some(piece) = self.chunk().await? {
            if piece.len() > limit - all.len() {
                return Err(too_large());
            }
            all.extend_from_slice(piece);
        }
        Ok(all)
    }

    /// All of it as text, up to 16 MiB; see text_up_to().
    pub async fn text(&mut self) -> Result<String, Error> {
        self.text_up_to(DEFAULT_LIMIT).await
    }

    /// All of it as text. Over `limit` bytes: 413; not UTF-8: 400.
    pub async fn text_up_to(&mut self, limit: usize) -> Result<String, Error> {
        let bytes = self.bytes_up_to(limit).await?;
        String::from_utf8(bytes).map_err(|_| Error::new(400, "the body is not UTF-8"))
    }

    /// Waits for `operation` and goes on sending what is left to send meanwhile.
    async fn wait(&mut self, mut operation: Operation) -> Result<i32, Error> {
        operation.started();
        poll_fn(|waiting| {
            self.send_more(waiting)?;
            operation.poll_outcome(waiting).map(|outcome| Ok(outcome.status))
        })
        .await
    }

    fn send_more(&mut self, waiting: &mut Waiting<'_>) -> Result<(), Error> {
        if let Some(upload) = &mut self.upload {
            if let Poll::Ready(result) = upload.as_mut().poll(waiting) {
                self.upload = None;
                result?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.flow = Flow::Empty;
        self.piece = Vec::new();
        self.upload = None;
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.upload = None;
        if self.flow == Flow::Fetch {
            // SAFETY: plain numbers.
            unsafe { abi::fetch_cancel(self.instance, self.exchange) };
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish()
    }
}
