//! Runs a plug-in in a unit test, without a server and without waiting: time is the test's, and jumps to the next sleep
//! when nothing else can happen.
//!
//! ```
//! use valor::*;
//!
//! #[vlugin]
//! async fn greet(request: Request) -> Result<String, Error> {
//!     let who = request.query("who").ok_or_else(|| Error::new(400, "who is missing"))?;
//!     sleep(Duration::from_secs(60)).await;
//!     Ok(format!("Hello {who}"))
//! }
//!
//! # fn main() {
//! let mut plugin = test::start::<greet>();
//! assert_eq!(plugin.get("?who=Bob").text(), "Hello Bob");
//! assert_eq!(plugin.get("").status(), 400);
//! # }
//! ```
//!
//! The type parameter has the name of the handler; #[vlugin] makes it. Work on other threads is waited for in real time.
//! Responses to fetch() come from Setup::on_fetch().
mod host;
mod message;
mod table;

use std::os::raw::c_void;
use std::sync::Arc;
use std::time::Duration;

pub use self::message::{Answer, Ask, Fetched};
use crate::abi;
use crate::guest::{self, Plugin};
use crate::log::Level;
use crate::response::Response;

use self::host::{Event, Fake};

type OnFetch = Box<dyn FnMut(&Fetched) -> Result<Response, String>>;

/// Starts an instance without configuration. Panics when it cannot be created.
pub fn start<P: Plugin>() -> Instance {
    match Setup::new().start::<P>() {
        Ok(instance) => instance,
        Err(message) => panic!("the instance cannot be created: {message}"),
    }
}

/// What an instance is started with.
pub struct Setup {
    name: String,
    config: String,
    location: String,
    on_fetch: Option<OnFetch>,
}

impl Setup {
    pub fn new() -> Setup {
        let location = String::from("http://localhost:8080/test/");
        Setup { name: String::from("test"), config: String::from("null"), location, on_fetch: None }
    }

    pub fn name(mut self, name: &str) -> Setup {
        self.name = name.into();
        self
    }

    /// The config as JSON text.
    pub fn config(mut self, json: &str) -> Setup {
        self.config = json.into();
        self
    }

    pub fn location(mut self, url: &str) -> Setup {
        self.location = url.into();
        self
    }

    /// Answers the plug-in's fetches; an Err is the reason why there is no response. The response must have a whole body.
    pub fn on_fetch(mut self, answer: impl FnMut(&Fetched) -> Result<Response, String> + 'static) -> Setup {
        self.on_fetch = Some(Box::new(answer));
        self
    }

    /// Creates an instance and waits until on_create is done. An error: what on_create said.
    pub fn start<P: Plugin>(self) -> Result<Instance, String> {
        let fake = Fake::register(self.name, self.config, self.location);
        // SAFETY: the table of the fake host is there, and each function is called as abi/valor.h wants it.
        let own = unsafe { guest::create::<P>(fake.number) };
        let mut instance = Instance { fake, own, start: guest::start::<P>, on_fetch: self.on_fetch };
        instance.run(|fake| fake.state().created.clone(), "on_create to be done")?;
        Ok(instance)
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup::new()
    }
}

/// A running instance. It ends when it is dropped.
pub struct Instance {
    fake: Arc<Fake>,
    own: *mut c_void,
    start: unsafe extern "C" fn(*mut c_void, u64, *const c_void, usize),
    on_fetch: Option<OnFetch>,
}

/// A request that was sent and whose answer was not taken yet.
#[derive(Debug)]
pub struct Sent(u64);

impl Instance {
    /// Asks GET `url` and waits for the answer.
    pub fn get(&mut self, url: &str) -> Answer {
        self.ask(Ask::get(url))
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, ask: Ask) -> Answer {
        let sent = self.send(ask);
        self.finish(sent)
    }

    /// Asks and does not wait, so that several can be asked at once.
    pub fn send(&mut self, ask: Ask) -> Sent {
        let (number, head) = self.fake.begin_request(ask);
        if self.fake.state().aborted.is_none() {
            // SAFETY: as abi/valor.h wants it.
            unsafe { (self.start)(self.own, number, head.as_ptr().cast(), head.len()) };
        }
        Sent(number)
    }

    /// Waits for the answer.
    pub fn finish(&mut self, sent: Sent) -> Answer {
        let number = sent.0;
        self.run(|fake| fake.answer(number), "the answer")
    }

    /// What of the answer's body has come up to now.
    pub fn received(&self, sent: &Sent) -> Vec<u8> {
        self.fake.received(sent.0)
    }

    /// The client of a request leaves.
    pub fn leave(&mut self, sent: Sent) {
        self.fake.break_off(sent.0);
        while self.turn() {}
        if self.fake.state().aborted.is_none() {
            // SAFETY: as abi/valor.h wants it.
            unsafe { guest::drop(self.own, sent.0, abi::DROP_CLIENT_GONE) };
        }
    }

    /// Lets that much time pass.
    pub fn advance(&mut self, duration: Duration) {
        let end = self.fake.time() + duration;
        while self.turn() || self.fake.advance_to_timer(end) {}
        self.fake.set_time(end);
    }

    /// The lines of the log up to now.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.fake.state().log.clone()
    }

    /// Does the next thing that is to be done now. False: there is none.
    fn turn(&mut self) -> bool {
        match self.fake.next_event() {
            None => return false,
            Some(Event::Complete { operation, status, data }) => {
                // SAFETY: as abi/valor.h wants it.
                unsafe { guest::complete(self.own, operation, status, data.as_ptr().cast(), data.len()) };
            }
            Some(Event::Fetch(number, fetched)) => {
                let response = match &mut self.on_fetch {
                    Some(answer) => answer(&fetched),
                    None => Err(format!("{} {}: the test has no Setup::on_fetch()", fetched.method, fetched.url)),
                };
                self.fake.end_fetch(number, &fetched, response);
            }
        }
        true
    }

    fn run<T>(&mut self, done: impl Fn(&Fake) -> Option<T>, what: &str) -> T {
        loop {
            if let Some(result) = done(&self.fake) {
                return result;
            }
            // Another thread may be at work, for which there is no time but the real one.
            let went_on = self.turn() || self.fake.advance_to_timer(Duration::MAX) || self.fake.wait_for_threads();
            assert!(went_on, "the plug-in waits for something that does not come; the test waits for {what}");
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.fake.state().aborted.is_none() {
            // SAFETY: as abi/valor.h wants it.
            unsafe { guest::destroy(self.own) };
        }
        self.fake.unregister();
    }
}
