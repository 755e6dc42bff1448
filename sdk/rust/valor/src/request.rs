use std::fmt;

use crate::abi;
use crate::body::{Body, Flow};
use crate::head::{request as layout, Head};
use crate::headers::Headers;
use crate::query;

/// A request as a handler gets it.
pub struct Request {
    /// Those that were received: they hold the whole head.
    headers: Headers,
    body: Body,
}

impl Request {
    pub(crate) fn new(instance: u64, number: u64, head: &[u8]) -> Request {
        let head = Head::new(head, &layout::LAYOUT);
        let flags = head.u32_at(layout::FLAGS);
        let flow = if flags & abi::REQUEST_HAS_BODY != 0 { Flow::Request } else { Flow::Empty };
        let length = (flags & abi::REQUEST_HAS_LENGTH != 0).then(|| head.u64_at(layout::BODY_LENGTH));
        let body = Body::new(instance, number, flow, length);
        Request { headers: Headers::received(head), body }
    }

    fn head(&self) -> &Head {
        self.headers.head().expect("nobody can change a request's headers")
    }

    /// As sent, for example "GET".
    pub fn method(&self) -> &str {
        self.head().text_at(layout::METHOD)
    }

    /// Relative to the mount: no leading slash, with the query; empty for the mount itself. Context::location() and this
    /// are the URL that the client asked for.
    pub fn url(&self) -> &str {
        self.head().text_at(layout::URL)
    }

    /// The url without its query, as sent: not decoded.
    pub fn path(&self) -> &str {
        self.url().split('?').next().unwrap_or_default()
    }

    /// The first value of `name` in the query, decoded; None when the name does not occur.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// All names and values of the query in order, decoded.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        query::pairs(self.url().split_once('?').map_or("", |(_, query)| query))
    }

    /// The x-request-id.
    pub fn id(&self) -> &str {
        self.head().text_at(layout::ID)
    }

    /// The first value of the header `name` (in any case) as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body, to be read in an async function.
    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body alone, for example to move it into a stream.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Its number at the host.
    pub(crate) fn number(&self) -> u64 {
        self.body.exchange()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("url", &self.url())
            .field("headers", &self.headers)
            .finish()
    }
}
