//! One running instance of the plug-in: its number at the host, the tasks that run in it, what they wait for. Everything
//! here is used on the thread of the instance only; wake.rs is the way to it from other threads.
//!
//! A task is polled inside a call from the host, until it waits. When its request is gone, or the instance ends, its
//! future is dropped.
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Waiting, Poll, Waker};

use crate::abi;
use crate::error::Error;
use crate::operation::{Operations, Outcome};
use crate::panic::caught;
use crate::response::Response;
use crate::wake::{Remote, WAKE_OPERATION};

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;
/// What on_create does.
pub type Creation = BoxFuture<Result<(), Error>>;

/// The task of on_create; the others have their request's number, which is never 0.
pub const CREATION: u64 = 0;

pub struct Instance {
    pub number: u64,
    pub operations: RefCell<Operations>,
    pub state: RefCell<Option<Rc<dyn Any>>>,
    remote: Arc<Remote>,
    /// Those that wait, by their keys in rising order: requests come with rising numbers, so most are put at the end.
    tasks: RefCell<Vec<(u64, Box<Task>)>>,
    running: Cell<u64>,
    aborted: Cell<bool>,
}

struct Task {
    work: Work,
    waker: Waker,
}

pub enum Work {
    Creating(Creation),
    /// The handler runs.
    Answering(BoxFuture<Response>),
    /// The body of its response is written.
    Sending(BoxFuture<Result<(), Error>>),
}

thread_local! {
    /// The instance that runs on this thread, while a call from the host lasts.
    static CURRENT: Cell<Option<Rc<Instance>>> = const { Cell::new(None) };
}

/// Calls `function` with what runs on this thread.
fn look<T>(function: impl FnOnce(&Option<Rc<Instance>>) -> Option<T>) -> Option<T> {
    // An error: the thread is ending, so nothing runs on it.
    CURRENT
        .try_with(|cell| {
            let current = cell.take();
            let result = function(&current);
            cell.set(current);
            result
        })
        .ok()?
}

impl Instance {
    pub fn new(number: u64) -> Rc<Instance> {
        Rc::new(Instance {
            number,
            operations: RefCell::new(Operations::new()),
            state: RefCell::new(None),
            remote: Remote::new(number),
            tasks: RefCell::default(),
            running: Cell::new(CREATION),
            aborted: Cell::new(false),
        })
    }

    pub fn current() -> Rc<Instance> {
        match look(Option::clone) {
            Some(instance) => instance,
            None => panic!("this belongs to a handler or on_create; from other threads use oneshot()"),
        }
    }

    pub fn current_number() -> Option<u64> {
        look(|current| current.as_ref().map(|instance| instance.number))
    }

    /// The request whose handler runs; 0 in on_create.
    pub fn request(&self) -> u64 {
        self.running.get()
    }

    /// A call from the host: does `work`, then polls what it has woken.
    pub fn enter(self: &Rc<Self>, work: impl FnOnce()) {
        let previous = CURRENT.with(|current| current.replace(Some(self.clone())));
        work();
        if !self.aborted.get() {
            for task in self.remote.take() {
                if let Some(taken) = self.take_task(task) {
                    self.run(task, *taken);
                }
            }
        }
        // What was woken meanwhile comes in a call of its own, so that a task that wakes itself holds nobody up.
        self.remote.settle();
        if self.aborted.get() {
            self.close();
        }
        let this = CURRENT.with(|current| current.replace(previous));
        drop(this);
    }

    /// Starts a task.
    pub fn spawn(&self, key: u64, work: Work) {
        let waker = self.remote.waker(key);
        self.run(key, Task { work, waker });
    }

    fn take_task(&self, key: u64) -> Option<Box<Task>> {
        let mut tasks = self.tasks.borrow_mut();
        let at = tasks.binary_search_by_key(&key, |task| task.0).ok()?;
        Some(tasks.remove(at).1)
    }

    fn keep_task(&self, key: u64, task: Task) {
        let mut tasks = self.tasks.borrow_mut();
        let at = tasks.partition_point(|task| task.0 < key);
        tasks.insert(at, (key, Box::new(task)));
    }

    fn run(&self, key: u64, mut task: Task) {
        self.running.set(key);
        let outcome = caught(|| match task.poll(self.number, key) {
            Poll::Pending => Some(task),
            Poll::Ready(()) => {
                // Here, because destructors are the plug-in's code too.
                drop(task);
                None
            }
        });
        match outcome {
            Ok(Some(task)) => self.keep_task(key, task),
            Ok(None) => {}
            Err(message) => self.failed(key, &message),
        }
    }

    /// Does `work` for a request, or for on_create; a panic makes it fail.
    pub fn guard(&self, key: u64, work: impl FnOnce()) {
        self.running.set(key);
        if let Err(message) = caught(work) {
            self.failed(key, &message);
        }
    }

    fn failed(&self, key: u64, message: &str) {
        if self.aborted.get() {
            return;
        }
        match key {
            CREATION => create_fail(self.number, message),
            request => fail(self.number, request, message),
        }
    }

    pub fn complete(&self, operation: u64, status: i32, data: &[u8]) {
        if operation == WAKE_OPERATION {
            return self.remote.came_back();
        }
        let outcome = Outcome { status, data: data.into() };
        let waker = self.operations.borrow_mut().complete(operation, outcome);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn drop_request(&self, request: u64) {
        self.running.set(request);
        self.discard(self.take_task(request));
    }

    /// The instance ends: drops what runs in it, then its state.
    pub fn close(&self) {
        self.remote.close();
        for (_, task) in self.tasks.take() {
            self.discard(task);
        }
        self.discard(self.state.take());
    }

    /// Drops what is the plug-in's.
    fn discard<T>(&self, own: T) {
        if let Err(message) = caught(|| drop(own)) {
            log(self.number, abi::LOG_ERROR, &message);
        }
    }

    /// The host calls nothing of this instance any more.
    pub fn set_aborted(&self) {
        self.aborted.set(true);
    }

    pub fn is_aborted(&self) -> bool {
        self.aborted.get()
    }
}

impl Task {
    fn poll(&mut self, instance: u64, request: u64) -> Poll<()> {
        let waiting = &mut Waiting::from_waker(&self.waker);
        loop {
            match &mut self.work {
                Work::Creating(future) => match future.as_mut().poll(waiting) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => {
                        created(instance, result);
                        return Poll::Ready(());
                    }
                },
                Work::Answering(future) => match future.as_mut().poll(waiting) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(response) => match response.send(instance, request) {
                        Some(stream) => self.work = Work::Sending(stream),
                        None => return Poll::Ready(()),
                    },
                },
                Work::Sending(future) => match future.as_mut().poll(waiting) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => {
                        match result {
                            // SAFETY: plain numbers.
                            Ok(()) => drop(unsafe { abi::send_end(instance, request) }),
                            Err(error) => fail(instance, request, error.message()),
                        }
                        return Poll::Ready(());
                    }
                },
            }
        }
    }
}

pub fn created(instance: u64, result: Result<(), Error>) {
    match result {
        // SAFETY: a plain number.
        Ok(()) => drop(unsafe { abi::create_done(instance) }),
        Err(error) => create_fail(instance, error.message()),
    }
}

pub fn create_fail(instance: u64, message: &str) {
    // SAFETY: the host copies the message.
    unsafe { abi::create_fail(instance, message.as_ptr(), message.len()) };
}

pub fn fail(instance: u64, request: u64, message: &str) {
    // SAFETY: the host copies the message.
    unsafe { abi::fail(instance, request, message.as_ptr(), message.len()) };
}

pub fn log(instance: u64, level: u32, message: &str) {
    // SAFETY: the host copies the message.
    unsafe { abi::log(instance, level, message.as_ptr(), message.len()) };
}
