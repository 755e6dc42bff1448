//! The way back to an instance: wakers, which any thread may use.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use crate::abi;
use crate::instance::Instance;

/// The operation by which the host is asked to come back. The others count from 0.
pub const WAKE_OPERATION: u64 = u64::MAX;

/// What an instance shares with its wakers.
pub struct Remote {
    instance: u64,
    /// There is something in the inbox: most calls from the host need not lock it.
    any: AtomicBool,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    /// Tasks to be polled, in the order of their wakes.
    woken: Vec<Arc<TaskWaker>>,
    /// The host will complete WAKE_OPERATION.
    coming: bool,
    closed: bool,
}

impl Remote {
    pub fn new(instance: u64) -> Arc<Remote> {
        Arc::new(Remote { instance, any: AtomicBool::new(false), inbox: Mutex::default() })
    }

    pub fn waker(self: &Arc<Remote>, task: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker { remote: self.clone(), task, woken: AtomicBool::new(false) }))
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, waker: Arc<TaskWaker>) {
        let mut inbox = self.inbox();
        if inbox.closed {
            return;
        }
        inbox.woken.push(waker);
        self.any.store(true, Ordering::Release);
        // While the instance runs it looks into its inbox before it returns to the host.
        if Instance::current_number() != Some(self.instance) {
            self.come_back(inbox);
        }
    }

    fn come_back(&self, mut inbox: MutexGuard<'_, Inbox>) {
        if !std::mem::replace(&mut inbox.coming, true) {
            // Not under the lock: the host has locks of its own.
            drop(inbox);
            // SAFETY: plain numbers.
            unsafe { abi::sleep(self.instance, 0, WAKE_OPERATION) };
        }
    }

    /// The host has come back.
    pub fn came_back(&self) {
        self.inbox().coming = false;
    }

    /// The tasks that are to be polled.
    pub fn take(&self) -> impl Iterator<Item = u64> {
        let woken = match self.any.swap(false, Ordering::AcqRel) {
            true => std::mem::take(&mut self.inbox().woken),
            false => Vec::new(),
        };
        woken.into_iter().map(|waker| {
            // Before the poll: a wake from here on asks for another one.
            waker.woken.store(false, Ordering::Release);
            waker.task
        })
    }

    /// At the end of a call from the host: asks it to come back where more is to be done.
    pub fn settle(&self) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let inbox = self.inbox();
        if !inbox.woken.is_empty() && !inbox.closed {
            self.come_back(inbox);
        }
    }

    /// The instance has ended: wakes mean nothing any more.
    pub fn close(&self) {
        let mut inbox = self.inbox();
        inbox.closed = true;
        let woken = std::mem::take(&mut inbox.woken);
        drop(inbox);
        drop(woken);
    }
}

struct TaskWaker {
    remote: Arc<Remote>,
    task: u64,
    /// It is in the inbox.
    woken: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            let remote = self.remote.clone();
            remote.wake(self);
        }
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.clone().wake();
    }
}
