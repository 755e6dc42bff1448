use crate::headers::Headers;
use crate::response::Content;

/// A request for a plug-in under test.
pub struct Ask {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Headers,
    pub(super) pieces: Option<Vec<Vec<u8>>>,
    pub(super) breaks_off: bool,
    pub(super) slow: bool,
}

impl Ask {
    /// `url` is what Request::url() gives: relative to the mount, without a leading slash.
    pub fn new(method: &str, url: &str) -> Ask {
        let (method, url) = (method.into(), url.into());
        Ask { method, url, headers: Headers::new(), pieces: None, breaks_off: false, slow: false }
    }

    pub fn get(url: &str) -> Ask {
        Ask::new("GET", url)
    }

    pub fn post(url: &str) -> Ask {
        Ask::new("POST", url)
    }

    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Ask {
        self.headers.append(name, value);
        self
    }

    /// A body of known length.
    pub fn body(mut self, content: impl Into<Content>) -> Ask {
        let bytes = content.into().bytes;
        self.headers.set("content-length", bytes.len().to_string());
        self.pieces = Some(if bytes.is_empty() { Vec::new() } else { vec![bytes] });
        self
    }

    /// A body of unknown length that arrives in these pieces.
    pub fn pieces<P: Into<Vec<u8>>>(mut self, pieces: impl IntoIterator<Item = P>) -> Ask {
        self.pieces = Some(pieces.into_iter().map(Into::into).filter(|piece| !piece.is_empty()).collect());
        self
    }

    /// Behind its pieces the body breaks off.
    pub fn breaks_off(mut self) -> Ask {
        self.breaks_off = true;
        self
    }

    /// The client takes the answer so slowly that the plug-in has to wait at each piece.
    pub fn slow(mut self) -> Ask {
        self.slow = true;
        self
    }
}

/// The answer of a plug-in under test, as the client gets it.
#[derive(Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) failure: Option<String>,
}

impl Answer {
    /// 500 after a failure or a panic and where the answer was not allowed, 502 after abort().
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// The body as text; panics when it is not UTF-8.
    pub fn text(&self) -> String {
        match String::from_utf8(self.bytes()) {
            Ok(text) => text,
            Err(error) => panic!("the body of the answer is not UTF-8: {error}"),
        }
    }

    /// The body as it was written, piece by piece.
    pub fn pieces(&self) -> &[Vec<u8>] {
        &self.pieces
    }

    /// What the log says where the plug-in failed. A body that had begun then broke off.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

/// A fetch of a plug-in under test.
#[derive(Debug)]
pub struct Fetched {
    pub method: String,
    pub url: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// A redirect is to be given as it is.
    pub manual_redirect: bool,
}
