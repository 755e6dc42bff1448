//! A host of our own in the test's process: the table of functions, and what stands behind it.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::message::{Answer, Ask, Fetched};
use super::table::TABLE;
use crate::abi;
use crate::headers::Headers;
use crate::log::Level;
use crate::response::Response;

/// How long other threads are waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The fake time starts here, in microseconds since 1970.
const BEGINNING: Duration = Duration::from_secs(1_700_000_000);

static FAKES: Mutex<Vec<Arc<Fake>>> = Mutex::new(Vec::new());

fn fakes() -> MutexGuard<'static, Vec<Arc<Fake>>> {
    FAKES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The host of one instance.
pub struct Fake {
    pub number: u64,
    state: Mutex<State>,
    arrived: Condvar,
}

pub struct State {
    pub name: String,
    pub config: String,
    pub location: String,
    pub created: Option<Result<(), String>>,
    pub aborted: Option<String>,
    pub log: Vec<(Level, String)>,
    pub kept: HashMap<Vec<u8>, Vec<u8>>,
    pub exchanges: HashMap<u64, Exchange>,
    pub time: Duration,
    /// By the time when they are due, then by their order.
    pub timers: BTreeMap<(Duration, u64), u64>,
    pub events: VecDeque<Event>,
    pub last: u64,
}

pub enum Event {
    Complete { operation: u64, status: i32, data: Vec<u8> },
    Fetch(u64, Fetched),
}

/// A request and its answer, or a fetch and its response.
#[derive(Default)]
pub struct Exchange {
    /// What is to be read.
    pub incoming: VecDeque<Vec<u8>>,
    pub breaks_off: bool,
    /// How many pieces were read, and whether the next one was announced.
    pub taken: usize,
    pub announced: bool,
    /// What was written.
    pub head: Option<(u16, Headers)>,
    pub sent: Vec<Vec<u8>>,
    pub slow: bool,
    pub ended: bool,
    pub failure: Option<String>,
    /// Of a fetch: its operation, and what was asked until the body has ended.
    pub fetch: Option<u64>,
    pub fetched: Option<Fetched>,
}

impl Fake {
    pub fn register(name: String, config: String, location: String) -> Arc<Fake> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // SAFETY: a static table.
        unsafe { abi::set_host(&TABLE) };
        let state = State {
            name,
            config,
            location,
            created: None,
            aborted: None,
            log: Vec::new(),
            kept: HashMap::new(),
            exchanges: HashMap::new(),
            time: BEGINNING,
            timers: BTreeMap::new(),
            events: VecDeque::new(),
            last: 0,
        };
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let fake = Arc::new(Fake { number, state: Mutex::new(state), arrived: Condvar::new() });
        fakes().push(fake.clone());
        fake
    }

    pub fn find(number: u64) -> Option<Arc<Fake>> {
        fakes().iter().find(|fake| fake.number == number).cloned()
    }

    pub fn unregister(&self) {
        fakes().retain(|fake| fake.number != self.number);
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was put among the events.
    pub fn arrived(&self) {
        self.arrived.notify_all();
    }

    /// Returns the number of the request and its head as start() wants it.
    pub fn begin_request(&self, ask: Ask) -> (u64, Vec<u8>) {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        let length = ask.headers.get("content-length").and_then(|text| text.parse().ok());
        let mut flags = 0;
        if ask.pieces.is_some() {
            flags |= abi::REQUEST_HAS_BODY;
        }
        if length.is_some() {
            flags |= abi::REQUEST_HAS_LENGTH;
        }
        let id = match ask.headers.get("x-request-id") {
            Some(id) => id.to_string(),
            None => format!("test-{number}"),
        };
        let mut head = Block::new(48);
        head.u32_at(4, flags);
        head.bytes_at(8, &u64::to_ne_bytes(length.unwrap_or(0)));
        head.span_at(16, ask.method.as_bytes());
        head.span_at(24, ask.url.as_bytes());
        head.span_at(32, id.as_bytes());
        head.headers_at(40, &ask.headers);
        let incoming = ask.pieces.unwrap_or_default().into();
        let exchange = Exchange { incoming, breaks_off: ask.breaks_off, slow: ask.slow, ..Exchange::default() };
        state.exchanges.insert(number, exchange);
        (number, head.0)
    }

    /// The answer, when it is complete.
    pub fn answer(&self, number: u64) -> Option<Answer> {
        let mut state = self.state();
        let aborted = state.aborted.clone();
        if aborted.is_none() && !state.exchanges.get(&number)?.ended {
            return None;
        }
        let exchange = state.exchanges.remove(&number)?;
        let failure = if exchange.ended { exchange.failure } else { aborted.clone() };
        let status = if exchange.ended { 500 } else { 502 };
        let (status, headers) = exchange.head.unwrap_or((status, Headers::new()));
        Some(Answer { status, headers, pieces: exchange.sent, failure })
    }

    pub fn received(&self, number: u64) -> Vec<u8> {
        self.state().exchanges.get(&number).map(|exchange| exchange.sent.concat()).unwrap_or_default()
    }

    /// The client has left.
    pub fn break_off(&self, number: u64) {
        self.state().exchanges.remove(&number);
    }

    pub fn end_fetch(&self, number: u64, fetched: &Fetched, response: Result<Response, String>) {
        let mut state = self.state();
        let exchange = match state.exchanges.get_mut(&number) {
            Some(exchange) => exchange,
            None => return,
        };
        let operation = match exchange.fetch.take() {
            Some(operation) => operation,
            None => return,
        };
        let (status, data) = match response {
            Err(why) => {
                state.exchanges.remove(&number);
                (abi::FAILED, why.into_bytes())
            }
            Ok(response) => {
                let (status, headers, body) = response.into_whole();
                let mut head = Block::new(40);
                head.u32_at(4, abi::RESPONSE_HAS_LENGTH);
                head.bytes_at(8, &(body.len() as u64).to_ne_bytes());
                head.u32_at(16, u32::from(status));
                head.span_at(20, fetched.url.as_bytes());
                head.headers_at(28, &headers);
                if !body.is_empty() {
                    exchange.incoming.push_back(body);
                }
                (abi::OK, head.0)
            }
        };
        state.events.push_back(Event::Complete { operation, status, data });
    }

    pub fn next_event(&self) -> Option<Event> {
        let mut state = self.state();
        if state.aborted.is_some() {
            return None;
        }
        state.events.pop_front()
    }

    pub fn time(&self) -> Duration {
        self.state().time
    }

    pub fn set_time(&self, time: Duration) {
        self.state().time = time;
    }

    /// Goes to the next timer that is due until `end`. False: there is none.
    pub fn advance_to_timer(&self, end: Duration) -> bool {
        let mut state = self.state();
        let (key, operation) = match state.timers.iter().next() {
            Some((key, operation)) if key.0 <= end => (*key, *operation),
            _ => return false,
        };
        state.timers.remove(&key);
        state.time = state.time.max(key.0);
        state.events.push_back(Event::Complete { operation, status: abi::OK, data: Vec::new() });
        true
    }

    /// False: nothing came in all that time.
    pub fn wait_for_threads(&self) -> bool {
        let (state, _) = self
            .arrived
            .wait_timeout_while(self.state(), PATIENCE, |state| state.events.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        !state.events.is_empty()
    }
}

/// A head as abi/valor.h describes it.
struct Block(Vec<u8>);

impl Block {
    fn new(size: usize) -> Block {
        let mut block = Block(vec![0; size]);
        block.u32_at(0, size as u32);
        block
    }

    fn bytes_at(&mut self, offset: usize, bytes: &[u8]) {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn u32_at(&mut self, offset: usize, number: u32) {
        self.bytes_at(offset, &number.to_ne_bytes());
    }

    fn span_at(&mut self, offset: usize, text: &[u8]) {
        self.u32_at(offset, self.0.len() as u32);
        self.u32_at(offset + 4, text.len() as u32);
        self.0.extend_from_slice(text);
    }

    fn headers_at(&mut self, offset: usize, headers: &Headers) {
        self.0.resize((self.0.len() + 3) / 4 * 4, 0);
        let list = self.0.len();
        self.u32_at(offset, list as u32);
        self.u32_at(offset + 4, headers.len() as u32);
        self.0.resize(list + headers.len() * 16, 0);
        for (index, (name, value)) in headers.iter().enumerate() {
            self.span_at(list + index * 16, name.as_bytes());
            self.span_at(list + index * 16 + 8, value);
        }
    }
}
