use crate::abi;
use crate::error::Error;
use crate::instance::Instance;
use crate::operation::Operation;
use crate::request::Request;
use crate::response::Response;

/// Writes a body in pieces: that of an answer, or of a fetch.
pub struct Writer {
    instance: u64,
    exchange: u64,
    status: u16,
}

impl Writer {
    pub(crate) fn to(instance: u64, exchange: u64) -> Writer {
        Writer { instance, exchange, status: 200 }
    }

    pub(crate) fn answer(request: &Request, status: u16) -> Writer {
        Writer { instance: Instance::current().number, exchange: request.number(), status }
    }

    pub(crate) fn instance(&self) -> u64 {
        self.instance
    }

    /// Sends the next bytes and waits until the other side is ready for more. An error: the other side has left.
    pub async fn write(&mut self, data: impl AsRef<[u8]>) -> Result<(), Error> {
        let result = {
            let data = data.as_ref();
            if data.is_empty() {
                return Ok(());
            }
            let mut operation = Operation::new();
            // SAFETY: the host copies the data.
            let result =
                unsafe { abi::send_body(self.instance, self.exchange, data.as_ptr(), data.len(), operation.number()) };
            if result == abi::WAIT {
                operation.started();
                Err(operation)
            } else {
                Ok(result)
            }
        };
        drop(data);
        let status = match result {
            Ok(status) => status,
            Err(operation) => operation.await.status,
        };
        match status {
            abi::OK => Ok(()),
            abi::GONE => Err(Error::gone("the body cannot be sent: the other side has left")),
            _ => Err(Error::fail("nothing can be written to this body any more")),
        }
    }

    /// Ends an answer that Response::start() has begun; the handler returns what this gives. A stream needs none: it ends
    /// with its function.
    pub fn end(self) -> Response {
        // SAFETY: plain numbers.
        unsafe { abi::send_end(self.instance, self.exchange) };
        Response::sent(self.status)
    }
}
