//! Panics. A native plug-in catches them: the request fails, the instance lives on. Code built with panic=abort, as WASM
//! always is, cannot: the host is told what happened, and in WASM replaces the instance.
use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::instance::Instance;

thread_local! {
    /// What the hook has heard of the panic that is under way on this thread.
    static HEARD: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Has panics in the plug-in's code reported to Valor; those elsewhere go where they went.
pub fn install_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if !INSTALLED.swap(true, Ordering::AcqRel) {
        // A WASM module runs nothing but what the host calls.
        let previous = if cfg!(target_arch = "wasm32") { None } else { Some(panic::take_hook()) };
        panic::set_hook(Box::new(move |info| {
            let instance = Instance::current_number();
            if let (None, Some(previous)) = (instance, &previous) {
                return previous(info);
            }
            let instance = instance.unwrap_or(0);
            let mut message = told(info.payload());
            if let Some(place) = info.location() {
                message.push_str(" (");
                message.push_str(place.file());
                for number in [place.line(), place.column()] {
                    message.push(':');
                    push_decimal(&mut message, number);
                }
                message.push(')');
            }
            if cfg!(target_arch = "wasm32") {
                // SAFETY: the host copies the message. It does not return.
                unsafe { crate::abi::abort(instance, message.as_ptr(), message.len()) };
            }
            if let (true, Some(previous)) = (cfg!(panic = "abort"), &previous) {
                crate::instance::log(instance, crate::abi::LOG_ERROR, &message);
                previous(info);
            }
            HEARD.with(|heard| heard.replace(message));
        }));
    }
}

/// Calls `work`; a panic in it becomes its message and place.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    if cfg!(panic = "abort") {
        return Ok(work());
    }
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let heard = HEARD.with(|heard| heard.take());
        let message = if heard.is_empty() { told(&*payload) } else { heard };
        // What was thrown may have a destructor that panics.
        if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        message
    })
}

fn told(payload: &(dyn Any + Send)) -> String {
    let words = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "with a value that is no text",
    };
    let mut message = String::from("panicked: ");
    message.push_str(words);
    message
}

/// As format!() would write it, which is 3 KB of WASM that a small plug-in has no other use for.
fn push_decimal(text: &mut String, number: u32) {
    if number > 9 {
        push_decimal(text, number / 10);
    }
    text.push((b'0' + (number % 10) as u8) as char);
}
