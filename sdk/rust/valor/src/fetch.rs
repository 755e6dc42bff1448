use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};

use crate::abi;
use crate::body::{Body, Flow, Upload};
use crate::error::Error;
use crate::head::{response as layout, Head};
use crate::headers::Headers;
use crate::operation::Operation;
use crate::response::{Content, TEXT};
use crate::writer::Writer;

/// Gets a URL: `fetch("https://example.org/").await?`. More in Fetch.
pub fn fetch(url: impl Into<String>) -> Fetch {
    Fetch::new("GET", url)
}

/// A request of the plug-in's own. It is sent when it is awaited; dropping it cancels it. It ends with the request on whose
/// behalf it happens.
///
/// An error means that no response came; a status of 404 or 500 is a response.
///
/// ```
/// # use valor::{Error, Fetch};
/// # async fn example() -> Result<(), Error> {
/// let response = Fetch::post("https://example.org/orders").header("accept", "text/plain").body("one more").await?;
/// # Ok(()) }
/// ```
pub struct Fetch {
    method: String,
    url: String,
    headers: Headers,
    content: Option<Content>,
    stream: Option<Box<dyn FnOnce(Writer) -> Upload>>,
    length: u64,
    flags: u32,
    sent: Option<Sent>,
}

/// Under way.
struct Sent {
    operation: Operation,
    number: u64,
    upload: Option<Upload>,
}

impl Fetch {
    /// `url` is an http: or https: URL, absolute or relative to Context::location().
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Fetch {
        Fetch {
            method: method.into(),
            url: url.into(),
            headers: Headers::new(),
            content: None,
            stream: None,
            length: abi::LENGTH_UNKNOWN,
            flags: 0,
            sent: None,
        }
    }

    pub fn get(url: impl Into<String>) -> Fetch {
        Fetch::new("GET", url)
    }

    pub fn post(url: impl Into<String>) -> Fetch {
        Fetch::new("POST", url)
    }

    pub fn put(url: impl Into<String>) -> Fetch {
        Fetch::new("PUT", url)
    }

    pub fn delete(url: impl Into<String>) -> Fetch {
        Fetch::new("DELETE", url)
    }

    /// Adds a header; a name may repeat.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Fetch {
        self.headers.append(name, value);
        self
    }

    /// A body of text, which is sent as text/plain unless a content-type is set, or of bytes.
    pub fn body(mut self, content: impl Into<Content>) -> Fetch {
        self.content = Some(content.into());
        self.stream = None;
        self
    }

    /// A body in pieces; the response may come while it is still being written. When `write` ends with an error, the
    /// fetch does too.
    pub fn stream<W, F>(mut self, write: W) -> Fetch
    where
        W: FnOnce(Writer) -> F + 'static,
        F: Future<Output = Result<(), Error>> + 'static,
    {
        self.stream = Some(Box::new(move |writer| Box::pin(write(writer))));
        self.content = None;
        self
    }

    /// The length of a body in pieces, where it is known.
    pub fn length(mut self, bytes: u64) -> Fetch {
        self.length = bytes;
        self
    }

    /// A redirect is a response like any other. Otherwise up to 20 are followed.
    pub fn manual_redirect(mut self) -> Fetch {
        self.flags |= abi::FETCH_MANUAL;
        self
    }

    fn send(&mut self) -> Result<Sent, Error> {
        let mut operation = Operation::new();
        let (instance, request) = (operation.instance().number, operation.instance().request());
        let content = self.content.take();
        if let Some(content) = &content {
            self.length = content.bytes.len() as u64;
            if content.is_text && !self.headers.contains("content-type") {
                self.headers.append("content-type", TEXT);
            }
        }
        if content.is_some() || self.stream.is_some() {
            self.flags |= abi::FETCH_BODY;
        }
        let headers = self.headers.packed();
        // SAFETY: the host copies what it needs.
        let number = unsafe {
            abi::fetch(
                instance,
                request,
                self.method.as_ptr(),
                self.method.len(),
                self.url.as_ptr(),
                self.url.len(),
                headers.as_ptr(),
                headers.len(),
                self.length,
                self.flags,
                operation.number(),
            )
        };
        if number == i64::from(abi::GONE) {
            return Err(Error::gone("the request has ended, and its fetches with it"));
        }
        if number <= 0 {
            return Err(Error::fail(format!(
                "fetch of {}: not a request that can be sent; the log says why",
                self.url
            )));
        }
        operation.started();
        let number = number as u64;
        if let Some(content) = content {
            let bytes = content.bytes;
            let mut taken = Operation::new();
            // The host keeps all of it, so there is nothing to wait for: the operation is dropped.
            // SAFETY: the host copies the data.
            unsafe {
                if abi::send_body(instance, number, bytes.as_ptr(), bytes.len(), taken.number()) == abi::WAIT {
                    taken.started();
                }
                abi::send_end(instance, number);
            }
        }
        let upload = self.stream.take().map(|write| {
            let writing = write(Writer::to(instance, number));
            let all: Upload = Box::pin(async move {
                writing.await?;
                // SAFETY: plain numbers.
                unsafe { abi::send_end(instance, number) };
                Ok(())
            });
            all
        });
        Ok(Sent { operation, number, upload })
    }
}

impl Future for Fetch {
    type Output = Result<FetchResponse, Error>;

    fn poll(mut self: Pin<&mut Self>, waiting: &mut Waiting<'_>) -> Poll<Self::Output> {
        let mut sent = match self.sent.take() {
            Some(sent) => sent,
            None => self.send()?,
        };
        if let Some(upload) = &mut sent.upload {
            if let Poll::Ready(result) = upload.as_mut().poll(waiting) {
                sent.upload = None;
                // Where the other side wants no more of the body, its response says why.
                match result {
                    Err(error) if !error.is_gone() => return Poll::Ready(Err(error)),
                    _ => {}
                }
            }
        }
        let outcome = match sent.operation.poll_outcome(waiting) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => {
                self.sent = Some(sent);
                return Poll::Pending;
            }
        };
        let instance = sent.operation.instance().number;
        Poll::Ready(match outcome.status {
            abi::OK => Ok(FetchResponse::new(instance, sent.number, sent.upload.take(), &outcome.data)),
            abi::FAILED => {
                let why = String::from_utf8_lossy(&outcome.data);
                Err(Error::fail(format!("fetch of {} got no response: {why}", self.url)))
            }
            _ => Err(Error::gone("the request has ended, and its fetches with it")),
        })
    }
}

/// The response to a fetch.
pub struct FetchResponse {
    /// Those that were received: they hold the whole head.
    headers: Headers,
    body: Body,
}

impl FetchResponse {
    fn new(instance: u64, number: u64, upload: Option<Upload>, head: &[u8]) -> FetchResponse {
        let head = Head::new(head, &layout::LAYOUT);
        let declared = head.u32_at(layout::FLAGS) & abi::RESPONSE_HAS_LENGTH != 0;
        let length = declared.then(|| head.u64_at(layout::BODY_LENGTH));
        let body = Body::new(instance, number, Flow::Fetch, length).with_upload(upload);
        FetchResponse { headers: Headers::received(head), body }
    }

    fn head(&self) -> &Head {
        self.headers.head().expect("nobody can change a response's headers")
    }

    /// 200 to 599.
    pub fn status(&self) -> u16 {
        self.head().u32_at(layout::STATUS) as u16
    }

    /// Whether the status is 200 to 299.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// Where it came from, after redirects.
    pub fn url(&self) -> &str {
        self.head().text_at(layout::URL)
    }

    /// Whether it comes from another URL than was asked.
    pub fn is_redirected(&self) -> bool {
        self.head().u32_at(layout::FLAGS) & abi::RESPONSE_REDIRECTED != 0
    }

    /// The first value of the header `name` (in any case) as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body alone, for example to move it into a stream.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body as text, up to 16 MiB.
    pub async fn text(mut self) -> Result<String, Error> {
        self.body.text().await
    }

    /// The whole body, up to 16 MiB.
    pub async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        self.body.bytes().await
    }
}

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchResponse")
            .field("status", &self.status())
            .field("url", &self.url())
            .field("headers", &self.headers)
            .finish()
    }
}
