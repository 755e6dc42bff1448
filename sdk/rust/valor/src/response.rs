use std::fmt;
use std::future::Future;

use crate::abi;
use crate::error::Error;
use crate::headers::Headers;
use crate::instance::{fail, BoxFuture};
use crate::request::Request;
use crate::writer::Writer;

/// A response: status, headers and a body that is whole or written piece by piece.
///
/// Handlers return it, or what becomes one: text, bytes, a status with either, or a Result of these.
///
/// ```
/// use valor::{Error, Request, Response};
/// fn page(request: Request) -> Response {
///     match request.path() {
///         "" => "Hello".into(),
///         "data" => Response::json(r#"{"ok":true}"#).header("cache-control", "no-store"),
///         _ => (404, "no such page").into(),
///     }
/// }
/// ```
pub struct Response {
    status: u16,
    headers: Headers,
    body: Payload,
}

enum Payload {
    Whole(Content),
    Stream {
        write: Stream,
        length: u64,
    },
    /// The handler failed; the text is for the log.
    Failed(String),
    /// A Writer has sent it.
    Sent,
}

type Stream = Box<dyn FnOnce(Writer) -> BoxFuture<Result<(), Error>>>;

/// A body that is whole: made of text, which brings its content-type along, or of bytes, which do not.
pub struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_text: bool,
}

impl Content {
    pub(crate) const EMPTY: Content = Content { bytes: Vec::new(), is_text: false };
}

pub(crate) const TEXT: &str = "text/plain;charset=UTF-8";

/// A block of headers with this one alone, which most short answers have.
static TEXT_HEADER: [u8; 44] = text_header();

const fn text_header() -> [u8; 44] {
    let name = b"content-type";
    let mut block = [0; 44];
    let sizes = [(name.len() as u32).to_ne_bytes(), (TEXT.len() as u32).to_ne_bytes()];
    let mut at = 0;
    while at < block.len() {
        block[at] = match at {
            0..=7 => sizes[at / 4][at % 4],
            8..=19 => name[at - 8],
            _ => TEXT.as_bytes()[at - 20],
        };
        at += 1;
    }
    block
}

impl Response {
    /// An answer without a body. `status` is 200 to 599; another one makes it a 502.
    pub fn new(status: u16) -> Response {
        Response { status, headers: Headers::new(), body: Payload::Whole(Content::EMPTY) }
    }

    /// 200 with JSON text.
    pub fn json(text: impl Into<Vec<u8>>) -> Response {
        Response::new(200).header("content-type", "application/json").body(text.into())
    }

    /// A redirect to `location`, with status 301, 302, 303, 307 or 308.
    pub fn redirect(status: u16, location: impl AsRef<[u8]>) -> Response {
        Response::new(status).header("location", location)
    }

    /// 200 with a body in pieces: `write` gets a Writer once the head is sent. Where it ends with an error the client sees
    /// its connection break. Where the client leaves, its future is dropped.
    ///
    /// ```
    /// # use valor::{sleep, Duration, Response};
    /// Response::stream(|mut writer| async move {
    ///     for number in 0..3 {
    ///         writer.write(format!("tick {number}\n")).await?;
    ///         sleep(Duration::from_secs(1)).await;
    ///     }
    ///     Ok(())
    /// });
    /// ```
    pub fn stream<W, F>(write: W) -> Response
    where
        W: FnOnce(Writer) -> F + 'static,
        F: Future<Output = Result<(), Error>> + 'static,
    {
        let write: Stream = Box::new(move |writer| Box::pin(write(writer)));
        let body = Payload::Stream { write, length: abi::LENGTH_UNKNOWN };
        Response { status: 200, headers: Headers::new(), body }
    }

    /// Of a stream: announces its length in bytes. Sending more or less breaks the connection.
    pub fn length(mut self, bytes: u64) -> Response {
        if let Payload::Stream { length, .. } = &mut self.body {
            *length = bytes;
        }
        self
    }

    pub(crate) fn failed(message: String) -> Response {
        Response { status: 500, headers: Headers::new(), body: Payload::Failed(message) }
    }

    pub(crate) fn sent(status: u16) -> Response {
        Response { status, headers: Headers::new(), body: Payload::Sent }
    }

    /// Sets the status.
    pub fn status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }

    /// Adds a header; a name may repeat. A name that is no token, or a value with a line break, makes the answer a 502.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Response {
        self.headers.append(name, value);
        self
    }

    /// Sets the body: text, which is sent as text/plain unless a content-type is set, or bytes.
    pub fn body(mut self, content: impl Into<Content>) -> Response {
        self.body = Payload::Whole(content.into());
        self
    }

    /// What the status is.
    pub fn status_code(&self) -> u16 {
        self.status
    }

    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// Sends the head now, before the handler returns, and gives a Writer for the body. The handler returns what
    /// Writer::end() gives. The body that this response had is not sent.
    pub fn start(mut self, request: &Request) -> Result<Writer, Error> {
        let writer = Writer::answer(request, self.status);
        let length = match self.body {
            Payload::Stream { length, .. } => length,
            _ => abi::LENGTH_UNKNOWN,
        };
        match send_head(writer.instance(), request.number(), self.status, self.headers.packed(), length) {
            abi::OK => Ok(writer),
            abi::GONE => Err(Error::gone("the client has left")),
            _ => Err(Error::fail("the answer could not begin; the log says why")),
        }
    }

    /// What valor::test answers a fetch with.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn into_whole(mut self) -> (u16, Headers, Vec<u8>) {
        match self.body {
            Payload::Whole(content) => {
                if content.is_text && !self.headers.contains("content-type") {
                    self.headers.append("content-type", TEXT);
                }
                (self.status, self.headers, content.bytes)
            }
            _ => panic!("valor::test answers a fetch with a whole body only"),
        }
    }

    /// Hands it to the host. Returns what is still to be done: the writing of a stream.
    pub(crate) fn send(mut self, instance: u64, request: u64) -> Option<BoxFuture<Result<(), Error>>> {
        match self.body {
            Payload::Whole(content) => {
                let body = &content.bytes;
                let headers = if !content.is_text {
                    self.headers.packed()
                } else if self.headers.is_empty() {
                    &TEXT_HEADER
                } else {
                    if !self.headers.contains("content-type") {
                        self.headers.append("content-type", TEXT);
                    }
                    self.headers.packed()
                };
                // SAFETY: the host copies what it needs.
                let result = unsafe {
                    abi::respond(
                        instance,
                        request,
                        u32::from(self.status),
                        headers.as_ptr(),
                        headers.len(),
                        body.as_ptr(),
                        body.len(),
                    )
                };
                if result == abi::INVALID {
                    // Where the answer had begun already it would stay without an end.
                    fail(instance, request, "the handler gave a second answer, or one that is not allowed");
                }
                None
            }
            Payload::Stream { write, length } => {
                match send_head(instance, request, self.status, self.headers.packed(), length) {
                    abi::OK => Some(write(Writer::to(instance, request))),
                    abi::INVALID => {
                        fail(instance, request, "the handler gave a second answer, or one that is not allowed");
                        None
                    }
                    _ => None,
                }
            }
            Payload::Failed(message) => {
                fail(instance, request, &message);
                None
            }
            Payload::Sent => None,
        }
    }
}

fn send_head(instance: u64, request: u64, status: u16, headers: &[u8], length: u64) -> i32 {
    // SAFETY: the host copies what it needs.
    unsafe { abi::send_head(instance, request, u32::from(status), headers.as_ptr(), headers.len(), length) }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("headers", &self.headers).finish()
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content { bytes: text.into(), is_text: true }
    }
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content { bytes: text.into_bytes(), is_text: true }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Content {
        Content { bytes, is_text: false }
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Content {
        bytes.to_vec().into()
    }
}

impl<const SIZE: usize> From<&[u8; SIZE]> for Content {
    fn from(bytes: &[u8; SIZE]) -> Content {
        bytes.to_vec().into()
    }
}

/// 200 with text/plain.
impl From<&str> for Response {
    fn from(text: &str) -> Response {
        Response::new(200).body(text)
    }
}

/// 200 with text/plain.
impl From<String> for Response {
    fn from(text: String) -> Response {
        Response::new(200).body(text)
    }
}

/// 200 with bytes and no content-type.
impl From<Vec<u8>> for Response {
    fn from(bytes: Vec<u8>) -> Response {
        Response::new(200).body(bytes)
    }
}

/// 200 with bytes and no content-type.
impl From<&[u8]> for Response {
    fn from(bytes: &[u8]) -> Response {
        Response::new(200).body(bytes)
    }
}

/// A status alone.
impl From<u16> for Response {
    fn from(status: u16) -> Response {
        Response::new(status)
    }
}

/// A status, and what makes a response.
impl<R: Into<Response>> From<(u16, R)> for Response {
    fn from((status, response): (u16, R)) -> Response {
        response.into().status(status)
    }
}

/// Of what makes a response; an error becomes the answer that Error describes.
impl<R: Into<Response>, E: Into<Error>> From<Result<R, E>> for Response {
    fn from(result: Result<R, E>) -> Response {
        match result {
            Ok(response) => response.into(),
            Err(error) => error.into().into(),
        }
    }
}
