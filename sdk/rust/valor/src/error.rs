use std::any::Any;
use std::fmt;

use crate::Response;

/// Why a handler has no ordinary answer: a status and a message for the client, or a failure whose message is for the
/// log only.
///
/// Every error of the standard library and of other crates becomes a failure by `?`, so its words never reach a client:
///
/// ```
/// use valor::{Error, Request, Response};
/// fn handler(request: Request) -> Result<Response, Error> {
///     let name = request.query("name").ok_or_else(|| Error::new(400, "name is missing"))?;
///     let number: u32 = name.parse()?; // 500; the reason is in the log
///     Ok(format!("number {number}").into())
/// }
/// ```
pub struct Error {
    status: u16,
    message: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The message is the answer's text.
    Answer,
    /// The message is for the log.
    Failure,
    /// The other side of a body has left.
    Gone,
}

impl Error {
    /// The client gets `status` and `message` as text.
    pub fn new(status: u16, message: impl Into<String>) -> Error {
        Error { status, message: message.into(), kind: Kind::Answer }
    }

    /// The client gets 500 and nothing more, or sees its connection break where the answer has begun; `message` goes to
    /// the log.
    pub fn fail(message: impl fmt::Display) -> Error {
        Error { status: 500, message: message.to_string(), kind: Kind::Failure }
    }

    pub(crate) fn gone(message: &str) -> Error {
        Error { status: 500, message: message.to_string(), kind: Kind::Gone }
    }

    /// What the client gets; 500 for a failure.
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a body broke off, or could not be sent further, because the other side has left.
    pub fn is_gone(&self) -> bool {
        self.kind == Kind::Gone
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.status)
    }
}

// This is why Error itself is no std::error::Error: the two rules would overlap.
impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Error {
        match (&error as &dyn Any).downcast_ref::<Boxed>() {
            Some(Boxed(inner)) => Error { message: inner.message.clone(), ..*inner },
            None => Error::fail(error),
        }
    }
}

/// An Error on its way through code that wants a std::error::Error.
#[derive(Debug)]
struct Boxed(Error);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Boxed {}

impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

impl From<Error> for Box<dyn std::error::Error> {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Response {
        match error.kind {
            Kind::Answer => Response::from((error.status, error.message)),
            Kind::Failure | Kind::Gone => Response::failed(error.message),
        }
    }
}
