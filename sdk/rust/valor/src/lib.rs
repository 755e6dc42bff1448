//! Plug-ins for Valor in Rust. This is a whole one; the same source is built as a native library and as WASM:
//!
//! ```
//! use valor::*;
//!
//! #[vlugin]
//! async fn my_handler(req: Request) -> Response {
//!     "OK response from a plugin".into()
//! }
//! ```
//!
//! docs/plugins-rust.md of Valor tells all of it. A handler is an async function or a function. It takes a Request and, if
//! it likes, a Context, and gives a Response or what becomes one. `#[vlugin(on_create = create)]` names a function of the
//! Context that runs first in every instance.
//!
//! Everything of an instance runs on one thread. While a handler waits (sleep, fetch, bodies), the instance answers other
//! requests. When the client of a request leaves, its future is dropped where it waits.
#![warn(rust_2018_idioms)]

#[doc(hidden)]
pub mod abi;
mod body;
mod combine;
mod config;
mod context;
mod creation;
mod error;
mod fetch;
mod guest;
mod head;
mod headers;
mod instance;
mod log;
mod operation;
mod panic;
mod query;
mod request;
mod response;
mod system;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;
mod thread;
mod wake;
mod writer;

pub use crate::body::Body;
pub use crate::combine::{boxed, join, join_all, pause, race, race_all, timeout};
pub use crate::config::FromConfig;
pub use crate::context::Context;
pub use crate::creation::OnCreate;
pub use crate::error::Error;
pub use crate::fetch::{fetch, Fetch, FetchResponse};
pub use crate::headers::{Headers, HeadersIter};
pub use crate::log::{Level, Logger};
pub use crate::request::Request;
pub use crate::response::{Content, Response};
pub use crate::system::{abort, monotonic, now, random, sleep, Sleep};
pub use crate::thread::{in_thread, oneshot, Receiver, Sender};
pub use crate::writer::Writer;
pub use std::time::Duration;
pub use valor_macros::vlugin;

/// What the macros need.
#[doc(hidden)]
pub mod __private {
    pub use super::abi;
    pub use crate::creation::begin;
    pub use crate::guest::*;
    pub use crate::instance::Creation;
    pub use crate::log::write;
}
