//! The plug-in ABI: abi/valor.h and abi/valor-host.inc in Rust, where all is described. tests/abi.rs compares them.
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

#[cfg(not(target_arch = "wasm32"))]
use std::os::raw::c_void;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::atomic::{AtomicPtr, Ordering};

pub const ABI_VERSION: u32 = 1;

pub const OK: i32 = 0;
pub const WAIT: i32 = -1;
pub const GONE: i32 = -2;
pub const INVALID: i32 = -3;
pub const NO_INSTANCE: i32 = -4;
pub const FAILED: i32 = -5;
pub const ABSENT: i32 = -6;

pub const LOG_DEBUG: u32 = 0;
pub const LOG_INFO: u32 = 1;
pub const LOG_WARN: u32 = 2;
pub const LOG_ERROR: u32 = 3;

pub const DROP_CLIENT_GONE: u32 = 0;
pub const DROP_TIMEOUT: u32 = 1;

pub const CLOCK_UNIX: u32 = 0;
pub const CLOCK_MONOTONIC: u32 = 1;

pub const LENGTH_UNKNOWN: u64 = u64::MAX;

pub const FETCH_BODY: u32 = 1;
pub const FETCH_MANUAL: u32 = 2;

pub const STATE_KEY_BYTES: u32 = 256;
pub const STATE_BYTES: u32 = 16_777_216;

pub const REQUEST_HAS_BODY: u32 = 1;
pub const REQUEST_HAS_LENGTH: u32 = 2;

pub const RESPONSE_HAS_LENGTH: u32 = 1;
pub const RESPONSE_REDIRECTED: u32 = 2;

/// What the guest offers. One static of it lives in each native library.
#[cfg(not(target_arch = "wasm32"))]
#[repr(C)]
pub struct Guest {
    pub abi: u32,
    pub size: u32,
    pub create: unsafe extern "C" fn(u64) -> *mut c_void,
    pub start: unsafe extern "C" fn(*mut c_void, u64, *const c_void, usize),
    pub complete: unsafe extern "C" fn(*mut c_void, u64, i32, *const c_void, usize),
    pub drop: unsafe extern "C" fn(*mut c_void, u64, u32),
    pub destroy: unsafe extern "C" fn(*mut c_void),
}

#[cfg(not(target_arch = "wasm32"))]
static HOST: AtomicPtr<Host> = AtomicPtr::new(std::ptr::null_mut());

/// Keeps the host's table; it lives as long as the process. False: it is too old, some functions are missing.
///
/// # Safety
/// `host` points to a table of the host.
#[cfg(not(target_arch = "wasm32"))]
pub unsafe fn set_host(host: *const Host) -> bool {
    if ((*host).size as usize) < std::mem::size_of::<Host>() {
        return false;
    }
    HOST.store(host as *mut Host, Ordering::Release);
    true
}

/// Whether there is a host: not in a unit test that makes no plug-in.
pub fn has_host() -> bool {
    #[cfg(target_arch = "wasm32")]
    return true;
    #[cfg(not(target_arch = "wasm32"))]
    return !HOST.load(Ordering::Acquire).is_null();
}

#[cfg(not(target_arch = "wasm32"))]
fn table() -> &'static Host {
    // SAFETY: set_host() was given a table that lives as long as the process.
    unsafe { HOST.load(Ordering::Acquire).as_ref() }.expect("this runs in no Valor; in unit tests use valor::test")
}

/// From one list: the host's table and functions that call through it, or the imports of a WASM module.
macro_rules! host_functions {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        /// What the host offers.
        #[cfg(not(target_arch = "wasm32"))]
        #[repr(C)]
        pub struct Host {
            pub abi: u32,
            pub size: u32,
            $(pub $name: unsafe extern "C" fn($($kind),*) -> $result,)*
        }

        #[cfg(target_arch = "wasm32")]
        mod imports {
            #[link(wasm_import_module = "valor")]
            extern "C" {
                $(pub fn $name($($argument: $kind),*) -> $result;)*
            }
        }

        $(
            #[inline]
            pub unsafe fn $name($($argument: $kind),*) -> $result {
                #[cfg(target_arch = "wasm32")]
                return imports::$name($($argument),*);
                #[cfg(not(target_arch = "wasm32"))]
                return (table().$name)($($argument),*);
            }
        )*

        /// The list as text, for the test that compares it: name, result, parameters.
        #[cfg(test)]
        pub const FUNCTIONS: &[(&str, &str, &[(&str, &str)])] = &[
            $((stringify!($name), stringify!($result), &[$((stringify!($kind), stringify!($argument))),*]),)*
        ];
    };
}

host_functions! {
    fn create_done(instance: u64) -> i32;
    fn create_fail(instance: u64, message: *const u8, message_size: usize) -> i32;
    fn abort(instance: u64, message: *const u8, message_size: usize) -> i32;
    fn config(instance: u64, buffer: *mut u8, capacity: usize) -> i32;
    fn name(instance: u64, buffer: *mut u8, capacity: usize) -> i32;
    fn location(instance: u64, buffer: *mut u8, capacity: usize) -> i32;
    fn log(instance: u64, level: u32, message: *const u8, message_size: usize) -> i32;
    fn state_get(instance: u64, key: *const u8, key_size: usize, buffer: *mut u8, capacity: usize) -> i32;
    fn state_set(instance: u64, key: *const u8, key_size: usize, value: *const u8, value_size: usize) -> i32;
    fn state_delete(instance: u64, key: *const u8, key_size: usize) -> i32;
    fn respond(instance: u64, request: u64, status: u32, headers: *const u8, headers_size: usize, body: *const u8, body_size: usize) -> i32;
    fn send_head(instance: u64, request: u64, status: u32, headers: *const u8, headers_size: usize, length: u64) -> i32;
    fn send_body(instance: u64, exchange: u64, data: *const u8, data_size: usize, operation: u64) -> i32;
    fn send_end(instance: u64, exchange: u64) -> i32;
    fn fail(instance: u64, request: u64, message: *const u8, message_size: usize) -> i32;
    fn body_read(instance: u64, exchange: u64, buffer: *mut u8, capacity: usize, operation: u64) -> i32;
    fn fetch(instance: u64, request: u64, method: *const u8, method_size: usize, url: *const u8, url_size: usize, headers: *const u8, headers_size: usize, length: u64, flags: u32, operation: u64) -> i64;
    fn fetch_cancel(instance: u64, fetch: u64) -> i32;
    fn sleep(instance: u64, milliseconds: u64, operation: u64) -> i32;
    fn cancel(instance: u64, operation: u64) -> i32;
    fn now(clock: u32) -> u64;
    fn random(buffer: *mut u8, size: usize) -> i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(file: &str) -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../abi/");
        std::fs::read_to_string(format!("{path}{file}")).expect("abi/ of the repository")
    }

    fn in_rust(c: &str) -> &'static str {
        match c {
            "int32_t" => "i32",
            "int64_t" => "i64",
            "uint32_t" => "u32",
            "uint64_t" => "u64",
            "size_t" => "usize",
            "const char*" | "const void*" => "*const u8",
            "char*" | "void*" => "*mut u8",
            other => panic!("valor-host.inc has a type that this test does not know: {other}"),
        }
    }

    #[test]
    fn the_functions_are_those_of_valor_host_inc() {
        let text = repository("valor-host.inc").replace('\n', " ");
        let mut expected = Vec::new();
        for entry in text.split("VALOR_FUNCTION(").skip(2) {
            let (result, rest) = entry.split_once(',').unwrap();
            let (name, rest) = rest.split_once(',').unwrap();
            let parameters = rest.trim_start().trim_start_matches('(').split(')').next().unwrap();
            let parameters: Vec<_> = parameters
                .split(',')
                .map(|parameter| {
                    let (kind, argument) = parameter.trim().rsplit_once(' ').unwrap();
                    (in_rust(kind.trim()), argument.to_string())
                })
                .collect();
            expected.push((name.trim().to_string(), in_rust(result), parameters));
        }
        let here: Vec<_> = FUNCTIONS
            .iter()
            .map(|(name, result, parameters)| {
                let parameters =
                    parameters.iter().map(|(kind, argument)| (*kind, argument.to_string())).collect::<Vec<_>>();
                (name.to_string(), *result, parameters)
            })
            .collect();
        assert_eq!(here, expected);
        assert_eq!(std::mem::size_of::<Host>(), 8 + expected.len() * std::mem::size_of::<usize>());
    }

    #[test]
    fn the_constants_are_those_of_valor_h() {
        let here = [
            ("ABI_VERSION", ABI_VERSION as i64),
            ("OK", OK as i64),
            ("WAIT", WAIT as i64),
            ("GONE", GONE as i64),
            ("INVALID", INVALID as i64),
            ("NO_INSTANCE", NO_INSTANCE as i64),
            ("FAILED", FAILED as i64),
            ("ABSENT", ABSENT as i64),
            ("LOG_DEBUG", LOG_DEBUG as i64),
            ("LOG_INFO", LOG_INFO as i64),
            ("LOG_WARN", LOG_WARN as i64),
            ("LOG_ERROR", LOG_ERROR as i64),
            ("DROP_CLIENT_GONE", DROP_CLIENT_GONE as i64),
            ("DROP_TIMEOUT", DROP_TIMEOUT as i64),
            ("CLOCK_UNIX", CLOCK_UNIX as i64),
            ("CLOCK_MONOTONIC", CLOCK_MONOTONIC as i64),
            ("FETCH_BODY", FETCH_BODY as i64),
            ("FETCH_MANUAL", FETCH_MANUAL as i64),
            ("STATE_KEY_BYTES", STATE_KEY_BYTES as i64),
            ("STATE_BYTES", STATE_BYTES as i64),
            ("REQUEST_HAS_BODY", REQUEST_HAS_BODY as i64),
            ("REQUEST_HAS_LENGTH", REQUEST_HAS_LENGTH as i64),
            ("RESPONSE_HAS_LENGTH", RESPONSE_HAS_LENGTH as i64),
            ("RESPONSE_REDIRECTED", RESPONSE_REDIRECTED as i64),
        ];
        let mut expected = Vec::new();
        for line in repository("valor.h").lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            if words.len() < 3 || words[0] != "#define" {
                continue;
            }
            let value = words[2].trim_matches(|c| "()u".contains(c));
            if let (Some(name), Ok(value)) = (words[1].strip_prefix("VALOR_"), value.parse::<i64>()) {
                expected.push((name.to_string(), value));
            }
        }
        assert_eq!(here.map(|(name, value)| (name.to_string(), value)).to_vec(), expected);
        assert!(repository("valor.h").contains("#define VALOR_LENGTH_UNKNOWN UINT64_MAX"));
        assert_eq!(LENGTH_UNKNOWN, u64::MAX);
    }
}
