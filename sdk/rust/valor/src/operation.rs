//! What the host completes later, as futures. Operations are numbered by their place in a list of the instance.
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as Waiting, Poll, Waker};

use crate::abi;
use crate::instance::Instance;

/// How an operation ended. `data` is a copy.
pub struct Outcome {
    pub status: i32,
    pub data: Box<[u8]>,
}

enum Slot {
    /// The next free slot; usize::MAX: none.
    Free(usize),
    Waiting(Option<Waker>),
    Done(Outcome),
}

/// The operations of an instance.
pub struct Operations {
    slots: Vec<Slot>,
    free: usize,
}

impl Operations {
    pub const fn new() -> Operations {
        Operations { slots: Vec::new(), free: usize::MAX }
    }

    fn add(&mut self) -> usize {
        let slot = self.free;
        if let Some(place) = self.slots.get_mut(slot) {
            if let Slot::Free(next) = mem::replace(place, Slot::Waiting(None)) {
                self.free = next;
            }
            return slot;
        }
        self.slots.push(Slot::Waiting(None));
        self.slots.len() - 1
    }

    fn remove(&mut self, slot: usize) -> Slot {
        let next = mem::replace(&mut self.free, slot);
        mem::replace(&mut self.slots[slot], Slot::Free(next))
    }

    /// Returns who waits for it.
    pub fn complete(&mut self, number: u64, outcome: Outcome) -> Option<Waker> {
        match self.slots.get_mut(number as usize) {
            Some(slot @ Slot::Waiting(_)) => match mem::replace(slot, Slot::Done(outcome)) {
                Slot::Waiting(waker) => waker,
                _ => None,
            },
            _ => None,
        }
    }
}

/// One operation: made before the host's function is called, with started() where that has said VALOR_WAIT. Dropping it
/// cancels it.
pub struct Operation {
    instance: Rc<Instance>,
    slot: usize,
    waits: bool,
}

impl Operation {
    pub fn new() -> Operation {
        let instance = Instance::current();
        let slot = instance.operations.borrow_mut().add();
        Operation { instance, slot, waits: false }
    }

    pub fn number(&self) -> u64 {
        self.slot as u64
    }

    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    pub fn started(&mut self) {
        self.waits = true;
    }

    pub fn poll_outcome(&mut self, waiting: &mut Waiting<'_>) -> Poll<Outcome> {
        let mut operations = self.instance.operations.borrow_mut();
        match &mut operations.slots[self.slot] {
            Slot::Waiting(Some(waker)) if waker.will_wake(waiting.waker()) => Poll::Pending,
            Slot::Waiting(waker) => {
                let previous = waker.replace(waiting.waker().clone());
                drop(operations);
                drop(previous);
                Poll::Pending
            }
            done => {
                self.waits = false;
                match mem::replace(done, Slot::Waiting(None)) {
                    Slot::Done(outcome) => Poll::Ready(outcome),
                    _ => unreachable!("a slot in use is not free"),
                }
            }
        }
    }
}

impl Future for Operation {
    type Output = Outcome;
    fn poll(mut self: Pin<&mut Self>, waiting: &mut Waiting<'_>) -> Poll<Outcome> {
        self.poll_outcome(waiting)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // In a statement of its own: a waker that is dropped may run code that needs the list.
        let slot = self.instance.operations.borrow_mut().remove(self.slot);
        if self.waits && matches!(slot, Slot::Waiting(_)) {
            // SAFETY: plain numbers.
            unsafe { abi::cancel(self.instance.number, self.number()) };
        }
    }
}

/// std::future::poll_fn, which Rust 1.63 does not have.
pub fn poll_fn<T, F: FnMut(&mut Waiting<'_>) -> Poll<T> + Unpin>(function: F) -> PollFn<F> {
    PollFn(function)
}

pub struct PollFn<F>(F);

impl<T, F: FnMut(&mut Waiting<'_>) -> Poll<T> + Unpin> Future for PollFn<F> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, waiting: &mut Waiting<'_>) -> Poll<T> {
        (self.0)(waiting)
    }
}
