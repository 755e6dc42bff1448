use std::fmt;

use crate::abi;
use crate::instance::{log, Instance};

/// How much a line in the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Level {
    Debug = abi::LOG_DEBUG,
    Info = abi::LOG_INFO,
    Warn = abi::LOG_WARN,
    Error = abi::LOG_ERROR,
}

/// Writes lines to Valor's log in the plug-in's name, from any thread. On the instance's own thread the macros debug!,
/// info!, warn! and error! do the same.
#[derive(Clone, Copy, Debug)]
pub struct Logger(u64);

impl Logger {
    /// That of the instance whose handler runs on this thread.
    pub fn current() -> Logger {
        Logger(Instance::current().number)
    }

    pub fn log(self, level: Level, message: &str) {
        log(self.0, level as u32, message);
    }
}

#[doc(hidden)]
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    let text = message.to_string();
    match Instance::current_number() {
        Some(instance) => log(instance, level as u32, &text),
        // A thread of the plug-in's own.
        None => eprintln!("{level:?}: {text}"),
    }
}

/// debug!("...", ...): a line in Valor's log.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Debug, ::std::format_args!($($message)+)) };
}

/// info!("...", ...): a line in Valor's log.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Info, ::std::format_args!($($message)+)) };
}

/// warn!("...", ...): a line in Valor's log.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Warn, ::std::format_args!($($message)+)) };
}

/// error!("...", ...): a line in Valor's log.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::__private::write($crate::Level::Error, ::std::format_args!($($message)+)) };
}
