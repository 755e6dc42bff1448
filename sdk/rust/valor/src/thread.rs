//! Work on other threads, and its way back.
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Waiting, Poll, Waker};

use crate::error::Error;

/// A channel for one value: any thread sends it, an async function awaits it.
///
/// ```
/// # async fn example() -> Option<u32> {
/// let (sender, receiver) = valor::oneshot();
/// std::thread::spawn(move || sender.send(42));
/// receiver.await // None when the sender was dropped
/// # }
/// ```
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(Shared { value: None, waker: None, closed: false }));
    (Sender(shared.clone()), Receiver(shared))
}

struct Shared<T> {
    value: Option<T>,
    waker: Option<Waker>,
    closed: bool,
}

/// The end of oneshot() that sends.
pub struct Sender<T>(Arc<Mutex<Shared<T>>>);

/// The end of oneshot() that is awaited.
pub struct Receiver<T>(Arc<Mutex<Shared<T>>>);

fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Sender<T> {
    pub fn send(self, value: T) {
        lock(&self.0).value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut shared = lock(&self.0);
            shared.closed = true;
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, waiting: &mut Waiting<'_>) -> Poll<Option<T>> {
        let mut shared = lock(&self.0);
        if shared.closed {
            return Poll::Ready(shared.value.take());
        }
        let previous = shared.waker.replace(waiting.waker().clone());
        drop(shared);
        drop(previous);
        Poll::Pending
    }
}

/// Runs `work` on a thread of its own and waits for it, while the instance answers other requests. A panic in it is an
/// error. When the future is dropped the thread goes on, and its result is dropped. WASM has no threads: there the
/// work is done at once, on the instance's thread.
pub async fn in_thread<T, W>(work: W) -> Result<T, Error>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    if cfg!(target_arch = "wasm32") {
        return Ok(work());
    }
    let (sender, receiver) = oneshot();
    let name = String::from("valor-in-thread");
    let started = std::thread::Builder::new().name(name).spawn(move || sender.send(crate::panic::caught(work)));
    match started {
        Err(error) => Err(Error::fail(format!("a thread cannot be started: {error}"))),
        Ok(_) => match receiver.await {
            Some(result) => result.map_err(Error::fail),
            None => Err(Error::fail("the thread ended without a result")),
        },
    }
}
