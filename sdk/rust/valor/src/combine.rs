//! Several futures at once, in one task. All of them are polled whenever one of them can go on.
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Waiting, Poll};
use std::time::Duration;

use crate::error::Error;
use crate::operation::poll_fn;
use crate::system::sleep;

/// A future and, later, what it gave.
enum Part<F: Future> {
    Running(Pin<Box<F>>),
    Done(F::Output),
    Taken,
}

// Nothing in it is pinned but what the box holds.
impl<F: Future> Unpin for Part<F> {}

impl<F: Future> Part<F> {
    fn new(future: F) -> Part<F> {
        Part::Running(Box::pin(future))
    }

    /// Returns whether it is done.
    fn poll(&mut self, waiting: &mut Waiting<'_>) -> bool {
        if let Part::Running(future) = self {
            match future.as_mut().poll(waiting) {
                Poll::Ready(output) => *self = Part::Done(output),
                Poll::Pending => return false,
            }
        }
        true
    }

    fn take(&mut self) -> F::Output {
        match std::mem::replace(self, Part::Taken) {
            Part::Done(output) => output,
            _ => unreachable!("taken once, when done"),
        }
    }
}

/// Both, side by side.
pub async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (Part::new(a), Part::new(b));
    poll_fn(move |waiting| {
        // Not `&&`: both are to be polled.
        let done = a.poll(waiting) & b.poll(waiting);
        if done {
            Poll::Ready((a.take(), b.take()))
        } else {
            Poll::Pending
        }
    })
    .await
}

/// All of them side by side; the results are in the order of the futures.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut parts: Vec<_> = futures.into_iter().map(Part::new).collect();
    poll_fn(move |waiting| {
        let done = parts.iter_mut().fold(true, |done, part| part.poll(waiting) & done);
        if done {
            Poll::Ready(parts.iter_mut().map(Part::take).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

/// What the first of the two gives that is done; the other is dropped.
pub async fn race<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    poll_fn(move |waiting| match a.as_mut().poll(waiting) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => b.as_mut().poll(waiting),
    })
    .await
}

/// What the first of them gives that is done; the others are dropped. With none it waits for ever.
pub async fn race_all<F: Future>(futures: impl IntoIterator<Item = F>) -> F::Output {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    poll_fn(move |waiting| {
        for future in &mut futures {
            if let Poll::Ready(output) = future.as_mut().poll(waiting) {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

/// What the future gives, or after that time an error, which as a handler's result is a 504; the future is dropped then.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output, Error> {
    let late = async move {
        sleep(duration).await;
        Err(Error::new(504, format!("not done within {duration:?}")))
    };
    race(async move { Ok(future.await) }, late).await
}

/// Boxes a future, so that futures of different types fit into one list.
pub fn boxed<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(future)
}

/// Lets the instance answer others, then goes on: for long computations.
pub async fn pause() {
    sleep(Duration::from_millis(0)).await;
}
