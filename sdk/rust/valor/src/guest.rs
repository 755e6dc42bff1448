//! The guest's functions of the ABI, and what #[vlugin] makes of a handler: one type that implements Plugin.
//!
//! The unsafe functions are for the host, by the rules of abi/valor.h.
#![allow(clippy::missing_safety_doc)]

use std::os::raw::c_void;
use std::rc::Rc;
use std::slice;

#[cfg(not(target_arch = "wasm32"))]
use crate::abi;
use crate::context::Context;
use crate::instance::{created, BoxFuture, Creation, Instance, Work, CREATION};
use crate::panic::install_hook;
use crate::request::Request;
use crate::response::Response;

/// A plug-in, as #[vlugin] makes it.
pub trait Plugin: 'static {
    /// None: there is no on_create.
    fn create(context: Context) -> Option<Creation>;
    fn handle(request: Request, context: Context) -> Answer;
}

/// What a handler gives: a response, or a future of one.
pub enum Answer {
    Now(Response),
    Later(BoxFuture<Response>),
}

pub unsafe extern "C" fn create<P: Plugin>(number: u64) -> *mut c_void {
    begin(number, P::create)
}

pub unsafe extern "C" fn start<P: Plugin>(own: *mut c_void, request: u64, head: *const c_void, size: usize) {
    let head = bytes(head, size);
    enter(own, |instance| answer(instance, request, head, P::handle));
}

pub unsafe extern "C" fn complete(own: *mut c_void, operation: u64, status: i32, data: *const c_void, size: usize) {
    let data = bytes(data, size);
    enter(own, |instance| instance.complete(operation, status, data));
}

pub unsafe extern "C" fn drop(own: *mut c_void, request: u64, _reason: u32) {
    enter(own, |instance| instance.drop_request(request));
}

pub unsafe extern "C" fn destroy(own: *mut c_void) {
    if own.is_null() {
        return;
    }
    let instance = Rc::from_raw(own as *const Instance);
    instance.enter(|| instance.close());
}

fn begin(number: u64, create: fn(Context) -> Option<Creation>) -> *mut c_void {
    install_hook();
    let instance = Instance::new(number);
    instance.enter(|| {
        instance.guard(CREATION, || match create(Context::new(&instance)) {
            Some(future) => instance.spawn(CREATION, Work::Creating(future)),
            None => created(number, Ok(())),
        });
    });
    if instance.is_aborted() {
        return std::ptr::null_mut();
    }
    Rc::into_raw(instance) as *mut c_void
}

fn answer(instance: &Rc<Instance>, number: u64, head: &[u8], handle: fn(Request, Context) -> Answer) {
    instance.guard(number, || {
        let request = Request::new(instance.number, number, head);
        match handle(request, Context::new(instance)) {
            Answer::Now(response) => {
                if let Some(stream) = response.send(instance.number, number) {
                    instance.spawn(number, Work::Sending(stream));
                }
            }
            Answer::Later(future) => instance.spawn(number, Work::Answering(future)),
        }
    });
}

/// A call from the host for the instance that `own` points to.
unsafe fn enter(own: *mut c_void, work: impl FnOnce(&Rc<Instance>)) {
    let own = own as *const Instance;
    Rc::increment_strong_count(own);
    let instance = Rc::from_raw(own);
    instance.enter(|| work(&instance));
    if instance.is_aborted() {
        // destroy() will not be called.
        Rc::decrement_strong_count(own);
    }
}

unsafe fn bytes<'a>(data: *const c_void, size: usize) -> &'a [u8] {
    match size {
        0 => &[],
        _ => slice::from_raw_parts(data as *const u8, size),
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub const fn table<P: Plugin>() -> abi::Guest {
    abi::Guest {
        abi: abi::ABI_VERSION,
        size: std::mem::size_of::<abi::Guest>() as u32,
        create: create::<P>,
        start: start::<P>,
        complete,
        drop,
        destroy,
    }
}

/// Memory for what the host passes to a WASM module.
#[cfg(target_arch = "wasm32")]
pub mod memory {
    use std::alloc::{alloc, dealloc, Layout};

    fn layout(size: usize) -> Layout {
        // An allocation of nothing is not allowed.
        Layout::from_size_align(size.max(1), 8).unwrap_or(Layout::new::<u64>())
    }

    pub fn reserve(size: usize) -> *mut u8 {
        // SAFETY: the size is not 0.
        unsafe { alloc(layout(size)) }
    }

    /// # Safety
    /// `pointer` comes from reserve() with the same size.
    pub unsafe fn release(pointer: *mut u8, size: usize) {
        dealloc(pointer, layout(size));
    }
}

/// Makes the symbols of a plug-in out of a type that implements Plugin.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ty) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            static GUEST: $crate::__private::abi::Guest = $crate::__private::table::<$plugin>();

            #[no_mangle]
            pub unsafe extern "C" fn valor_plugin_v1(
                host: *const $crate::__private::abi::Host,
            ) -> *const $crate::__private::abi::Guest {
                if $crate::__private::abi::set_host(host) {
                    &GUEST
                } else {
                    ::std::ptr::null()
                }
            }
        };

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use ::std::os::raw::c_void;
            use $crate::__private as guest;

            #[no_mangle]
            pub extern "C" fn valor_abi() -> u32 {
                guest::abi::ABI_VERSION
            }
            #[no_mangle]
            pub extern "C" fn valor_alloc(size: usize) -> *mut u8 {
                guest::memory::reserve(size)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_free(pointer: *mut u8, size: usize) {
                guest::memory::release(pointer, size)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_create(instance: u64) -> *mut c_void {
                guest::create::<$plugin>(instance)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_start(own: *mut c_void, request: u64, head: *const c_void, size: usize) {
                guest::start::<$plugin>(own, request, head, size)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_complete(
                own: *mut c_void,
                operation: u64,
                status: i32,
                data: *const c_void,
                size: usize,
            ) {
                guest::complete(own, operation, status, data, size)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_drop(own: *mut c_void, request: u64, reason: u32) {
                guest::drop(own, request, reason)
            }
            #[no_mangle]
            pub unsafe extern "C" fn valor_destroy(own: *mut c_void) {
                guest::destroy(own)
            }
        };
    };
}
