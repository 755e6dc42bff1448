//! What the host knows: time, chance; and giving up.
use std::convert::TryFrom;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};
use std::time::Duration;

use crate::abi;
use crate::instance::Instance;
use crate::operation::Operation;

/// Waits at least that long. The instance answers other requests meanwhile.
///
/// The time begins when the future is first polled, which is where it is awaited.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { duration, operation: None }
}

/// What sleep() gives.
pub struct Sleep {
    duration: Duration,
    operation: Option<Operation>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, waiting: &mut Waiting<'_>) -> Poll<()> {
        let duration = self.duration;
        let operation = self.operation.get_or_insert_with(|| {
            let mut operation = Operation::new();
            let whole = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            let rest = u64::from(duration.subsec_nanos() % 1_000_000 != 0);
            // SAFETY: plain numbers.
            unsafe { abi::sleep(operation.instance().number, whole.saturating_add(rest), operation.number()) };
            operation.started();
            operation
        });
        operation.poll_outcome(waiting).map(|_| ())
    }
}

/// The time since 1970-01-01T00:00:00Z. std::time::SystemTime::now() does not work in WASM.
pub fn now() -> Duration {
    // SAFETY: a plain number.
    Duration::from_micros(unsafe { abi::now(abi::CLOCK_UNIX) })
}

/// The time since some moment; it never goes back. std::time::Instant::now() does not work in WASM.
pub fn monotonic() -> Duration {
    // SAFETY: a plain number.
    Duration::from_micros(unsafe { abi::now(abi::CLOCK_MONOTONIC) })
}

/// Fills `bytes` with random bytes fit for secrets. Panics when the system has none.
pub fn random(bytes: &mut [u8]) {
    // SAFETY: the host writes exactly these bytes.
    let result = unsafe { abi::random(bytes.as_mut_ptr(), bytes.len()) };
    assert!(result == abi::OK, "the system has no random bytes");
}

/// The instance cannot go on: its open requests get 502 with this message, and a new instance replaces it. Only inside a
/// handler or on_create. It ends the handler as a panic does; destructors run in a native plug-in.
pub fn abort(message: &str) -> ! {
    let instance = Instance::current();
    // SAFETY: the host copies the message.
    unsafe { abi::abort(instance.number, message.as_ptr(), message.len()) };
    instance.set_aborted();
    drop(instance);
    std::panic::resume_unwind(Box::new("aborted"))
}
