//! The functions of the fake host.
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use super::host::{Event, Exchange, Fake, State};
use super::message::Fetched;
use crate::abi;
use crate::headers::Headers;
use crate::instance::Instance;
use crate::log::Level;

pub static TABLE: abi::Host = abi::Host {
    abi: abi::ABI_VERSION,
    size: std::mem::size_of::<abi::Host>() as u32,
    create_done,
    create_fail,
    abort,
    config,
    name,
    location,
    log,
    state_get,
    state_set,
    state_delete,
    respond,
    send_head,
    send_body,
    send_end,
    fail,
    body_read,
    fetch,
    fetch_cancel,
    sleep,
    cancel,
    now,
    random,
};

fn with(instance: u64, function: impl FnOnce(&mut State, &Arc<Fake>) -> i32) -> i32 {
    match Fake::find(instance) {
        Some(fake) => function(&mut fake.state(), &fake),
        None => abi::NO_INSTANCE,
    }
}

fn with_exchange(instance: u64, number: u64, function: impl FnOnce(&mut Exchange) -> i32) -> i32 {
    with(instance, |state, _| match state.exchanges.get_mut(&number) {
        Some(exchange) if !exchange.ended || exchange.fetch.is_some() => function(exchange),
        _ => abi::GONE,
    })
}

unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    match size {
        0 => &[],
        _ => slice::from_raw_parts(data, size),
    }
}

unsafe fn text(data: *const u8, size: usize) -> String {
    String::from_utf8_lossy(bytes(data, size)).into_owned()
}

unsafe fn copy_out(whole: &[u8], buffer: *mut u8, capacity: usize) -> i32 {
    std::ptr::copy_nonoverlapping(whole.as_ptr(), buffer, whole.len().min(capacity));
    whole.len() as i32
}

unsafe extern "C" fn create_done(instance: u64) -> i32 {
    with(instance, |state, _| {
        if state.created.is_some() {
            return abi::INVALID;
        }
        state.created = Some(Ok(()));
        abi::OK
    })
}

unsafe extern "C" fn create_fail(instance: u64, message: *const u8, size: usize) -> i32 {
    with(instance, |state, _| {
        if state.created.is_some() {
            return abi::INVALID;
        }
        state.created = Some(Err(text(message, size)));
        abi::OK
    })
}

unsafe extern "C" fn abort(instance: u64, message: *const u8, size: usize) -> i32 {
    with(instance, |state, _| {
        let message = text(message, size);
        if state.created.is_none() {
            state.created = Some(Err(message.clone()));
        }
        state.aborted = Some(message);
        abi::OK
    })
}

unsafe extern "C" fn config(instance: u64, buffer: *mut u8, capacity: usize) -> i32 {
    with(instance, |state, _| copy_out(state.config.as_bytes(), buffer, capacity))
}

unsafe extern "C" fn name(instance: u64, buffer: *mut u8, capacity: usize) -> i32 {
    with(instance, |state, _| copy_out(state.name.as_bytes(), buffer, capacity))
}

unsafe extern "C" fn location(instance: u64, buffer: *mut u8, capacity: usize) -> i32 {
    with(instance, |state, _| copy_out(state.location.as_bytes(), buffer, capacity))
}

unsafe extern "C" fn log(instance: u64, level: u32, message: *const u8, size: usize) -> i32 {
    let level = match level {
        abi::LOG_DEBUG => Level::Debug,
        abi::LOG_INFO => Level::Info,
        abi::LOG_WARN => Level::Warn,
        abi::LOG_ERROR => Level::Error,
        _ => return abi::INVALID,
    };
    with(instance, |state, _| {
        state.log.push((level, text(message, size)));
        abi::OK
    })
}

unsafe extern "C" fn state_get(
    instance: u64,
    key: *const u8,
    key_size: usize,
    buffer: *mut u8,
    capacity: usize,
) -> i32 {
    with(instance, |state, _| match state.kept.get(bytes(key, key_size)) {
        Some(value) => copy_out(value, buffer, capacity),
        None => abi::ABSENT,
    })
}

unsafe extern "C" fn state_set(
    instance: u64,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
) -> i32 {
    with(instance, |state, _| {
        let (key, value) = (bytes(key, key_size), bytes(value, value_size));
        let others = state.kept.iter().filter(|(other, _)| *other != key);
        let total = others.map(|(key, value)| key.len() + value.len()).sum::<usize>() + key.len() + value.len();
        if key.is_empty() || key.len() > abi::STATE_KEY_BYTES as usize || total > abi::STATE_BYTES as usize {
            return abi::INVALID;
        }
        state.kept.insert(key.to_vec(), value.to_vec());
        abi::OK
    })
}

unsafe extern "C" fn state_delete(instance: u64, key: *const u8, key_size: usize) -> i32 {
    with(instance, |state, _| match state.kept.remove(bytes(key, key_size)) {
        Some(_) => abi::OK,
        None => abi::ABSENT,
    })
}

/// Takes the head of an answer; what the host would refuse becomes a 500.
fn take_head(exchange: &mut Exchange, status: u32, headers: &[u8]) -> i32 {
    if exchange.head.is_some() {
        return abi::INVALID;
    }
    let headers = Headers::unpack(headers);
    let token = |name: &str| {
        !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&c))
    };
    let bad = |value: &[u8]| value.iter().any(|c| b"\0\r\n".contains(c));
    if !(200..600).contains(&status) || headers.iter().any(|(name, value)| !token(name) || bad(value)) {
        exchange.head = Some((500, Headers::new()));
        exchange.ended = true;
        return abi::INVALID;
    }
    exchange.head = Some((status as u16, headers));
    abi::OK
}

unsafe extern "C" fn respond(
    instance: u64,
    request: u64,
    status: u32,
    headers: *const u8,
    headers_size: usize,
    body: *const u8,
    body_size: usize,
) -> i32 {
    with_exchange(instance, request, |exchange| {
        let result = take_head(exchange, status, bytes(headers, headers_size));
        if result == abi::OK {
            if body_size > 0 {
                exchange.sent.push(bytes(body, body_size).to_vec());
            }
            exchange.ended = true;
        }
        result
    })
}

unsafe extern "C" fn send_head(
    instance: u64,
    request: u64,
    status: u32,
    headers: *const u8,
    headers_size: usize,
    _length: u64,
) -> i32 {
    with_exchange(instance, request, |exchange| take_head(exchange, status, bytes(headers, headers_size)))
}

unsafe extern "C" fn send_body(instance: u64, exchange: u64, data: *const u8, size: usize, operation: u64) -> i32 {
    let mut wait = false;
    let result = with_exchange(instance, exchange, |exchange| {
        if exchange.head.is_none() && exchange.fetched.is_none() {
            return abi::INVALID;
        }
        let data = bytes(data, size).to_vec();
        match &mut exchange.fetched {
            Some(fetched) => fetched.body.extend(data),
            None => exchange.sent.push(data),
        }
        wait = exchange.slow;
        abi::OK
    });
    if !wait || result != abi::OK {
        return result;
    }
    with(instance, |state, _| {
        state.events.push_back(Event::Complete { operation, status: abi::OK, data: Vec::new() });
        abi::WAIT
    })
}

unsafe extern "C" fn send_end(instance: u64, exchange: u64) -> i32 {
    with(instance, |state, _| match state.exchanges.get_mut(&exchange) {
        None => abi::GONE,
        Some(ended) if ended.ended => abi::GONE,
        Some(fetch) if fetch.fetch.is_some() => match fetch.fetched.take() {
            Some(fetched) => {
                state.events.push_back(Event::Fetch(exchange, fetched));
                abi::OK
            }
            None => abi::INVALID,
        },
        Some(answer) if answer.head.is_some() => {
            answer.ended = true;
            abi::OK
        }
        Some(_) => abi::INVALID,
    })
}

unsafe extern "C" fn fail(instance: u64, request: u64, message: *const u8, size: usize) -> i32 {
    with_exchange(instance, request, |exchange| {
        exchange.failure = Some(text(message, size));
        exchange.ended = true;
        abi::OK
    })
}

unsafe extern "C" fn body_read(instance: u64, exchange: u64, buffer: *mut u8, capacity: usize, operation: u64) -> i32 {
    with(instance, |state, _| {
        let exchange = match state.exchanges.get_mut(&exchange) {
            Some(exchange) if !exchange.ended => exchange,
            _ => return abi::GONE,
        };
        // Every other piece is late, so that both ways are taken.
        let late = exchange.taken % 2 == 0 && !exchange.incoming.is_empty();
        if late && !std::mem::replace(&mut exchange.announced, true) {
            state.events.push_back(Event::Complete { operation, status: abi::OK, data: Vec::new() });
            return abi::WAIT;
        }
        let piece = match exchange.incoming.pop_front() {
            Some(piece) => piece,
            None if exchange.breaks_off => return abi::GONE,
            None => return 0,
        };
        exchange.taken += 1;
        exchange.announced = false;
        let size = (copy_out(&piece, buffer, capacity) as usize).min(capacity);
        if size < piece.len() {
            exchange.incoming.push_front(piece[size..].to_vec());
        }
        size as i32
    })
}

unsafe extern "C" fn fetch(
    instance: u64,
    request: u64,
    method: *const u8,
    method_size: usize,
    url: *const u8,
    url_size: usize,
    headers: *const u8,
    headers_size: usize,
    _length: u64,
    flags: u32,
    operation: u64,
) -> i64 {
    let mut number = 0;
    let result = with(instance, |state, _| {
        if request != 0 && state.exchanges.get(&request).map_or(true, |exchange| exchange.ended) {
            return abi::GONE;
        }
        let fetched = Fetched {
            method: text(method, method_size),
            url: text(url, url_size),
            headers: Headers::unpack(bytes(headers, headers_size)),
            body: Vec::new(),
            manual_redirect: flags & abi::FETCH_MANUAL != 0,
        };
        state.last += 1;
        number = state.last;
        let mut exchange = Exchange { fetch: Some(operation), ..Exchange::default() };
        if flags & abi::FETCH_BODY == 0 {
            state.events.push_back(Event::Fetch(number, fetched));
        } else {
            exchange.fetched = Some(fetched);
        }
        state.exchanges.insert(number, exchange);
        abi::OK
    });
    if result == abi::OK {
        number as i64
    } else {
        i64::from(result)
    }
}

unsafe extern "C" fn fetch_cancel(instance: u64, fetch: u64) -> i32 {
    with(instance, |state, _| match state.exchanges.remove(&fetch) {
        Some(_) => abi::OK,
        None => abi::GONE,
    })
}

unsafe extern "C" fn sleep(instance: u64, milliseconds: u64, operation: u64) -> i32 {
    with(instance, |state, fake| {
        if milliseconds == 0 {
            state.events.push_back(Event::Complete { operation, status: abi::OK, data: Vec::new() });
            fake.arrived();
        } else {
            let due = state.time.saturating_add(Duration::from_millis(milliseconds));
            state.last += 1;
            state.timers.insert((due, state.last), operation);
        }
        abi::OK
    })
}

unsafe extern "C" fn cancel(instance: u64, operation: u64) -> i32 {
    with(instance, |state, _| {
        let before = state.timers.len() + state.events.len();
        state.timers.retain(|_, other| *other != operation);
        state.events.retain(|event| !matches!(event, Event::Complete { operation: other, .. } if *other == operation));
        let fetch = state.exchanges.iter().find(|(_, exchange)| exchange.fetch == Some(operation)).map(|(key, _)| *key);
        if let Some(number) = fetch {
            state.exchanges.remove(&number);
        }
        let found = before != state.timers.len() + state.events.len() || fetch.is_some();
        if found {
            abi::OK
        } else {
            abi::INVALID
        }
    })
}

unsafe extern "C" fn now(_clock: u32) -> u64 {
    let fake = Instance::current_number().and_then(Fake::find);
    fake.map_or(0, |fake| fake.time().as_micros() as u64)
}

unsafe extern "C" fn random(buffer: *mut u8, size: usize) -> i32 {
    // Not fit for secrets, but different each time.
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    for index in 0..size {
        *buffer.add(index) = RandomState::new().build_hasher().finish() as u8;
    }
    abi::OK
}
