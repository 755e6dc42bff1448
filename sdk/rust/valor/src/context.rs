use std::any::type_name;
use std::rc::Rc;

use crate::abi;
use crate::config::{self, FromConfig};
use crate::error::Error;
use crate::instance::Instance;

/// The instance of the plug-in that runs: its name, configuration and state. A handle that is cheap to clone; it stays on
/// the thread of its instance.
#[derive(Clone)]
pub struct Context(Rc<Instance>);

impl Context {
    pub(crate) fn new(instance: &Rc<Instance>) -> Context {
        Context(instance.clone())
    }

    /// The plug-in's name.
    pub fn name(&self) -> String {
        self.text(abi::name)
    }

    /// The public URL of the mount, ending in a slash.
    pub fn location(&self) -> String {
        self.text(abi::location)
    }

    /// The plug-in's "config" as JSON text; "null" where the operator gave none.
    pub fn config(&self) -> String {
        self.text(abi::config)
    }

    /// The config where it is a JSON string: "Alice" with the quotes off.
    pub fn config_str(&self) -> Option<String> {
        config::parse_string(&self.config())
    }

    /// The config as a T. The error is a sentence for the operator.
    pub fn config_as<T: FromConfig>(&self) -> Result<T, Error> {
        T::from_config(&self.config())
    }

    /// Keeps a T for as long as the instance lives, instead of what was kept before. What is to change later goes into a
    /// Cell or a RefCell. Each instance has its own, so nothing needs a lock.
    pub fn set_state<T: 'static>(&self, state: T) {
        let previous = self.0.state.borrow_mut().replace(Rc::new(state));
        drop(previous);
    }

    /// What set_state::<T>() keeps. Panics when there is none or it is of another type.
    pub fn state<T: 'static>(&self) -> Rc<T> {
        match self.try_state() {
            Some(state) => state,
            None => panic!("the context has no state of type {}: call set_state() in on_create", type_name::<T>()),
        }
    }

    /// What set_state::<T>() keeps; None when there is none or it is of another type.
    pub fn try_state<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.state.borrow().clone()?.downcast().ok()
    }

    /// What state_set() keeps under `key`.
    pub fn state_get(&self, key: &str) -> Option<Vec<u8>> {
        // SAFETY: the host writes at most `capacity` bytes.
        read(|buffer, capacity| unsafe { abi::state_get(self.0.number, key.as_ptr(), key.len(), buffer, capacity) })
    }

    /// Keeps bytes under a key of 1 to 256 bytes until the instance ends. An error when all together would be over 16 MiB.
    pub fn state_set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), Error> {
        let value = value.as_ref();
        // SAFETY: the host copies both.
        match unsafe { abi::state_set(self.0.number, key.as_ptr(), key.len(), value.as_ptr(), value.len()) } {
            abi::OK => Ok(()),
            _ => Err(Error::fail("the host does not keep this value: the key or the whole is too large")),
        }
    }

    /// Forgets a key. False when there was none.
    pub fn state_delete(&self, key: &str) -> bool {
        // SAFETY: the host reads the key.
        unsafe { abi::state_delete(self.0.number, key.as_ptr(), key.len()) == abi::OK }
    }

    fn text(&self, function: unsafe fn(u64, *mut u8, usize) -> i32) -> String {
        // SAFETY: the host writes at most `capacity` bytes.
        let bytes = read(|buffer, capacity| unsafe { function(self.0.number, buffer, capacity) });
        String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

/// Calls a function that copies what fits and returns the size of the whole, until it fits.
fn read(function: impl Fn(*mut u8, usize) -> i32) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 64];
    loop {
        let size = function(bytes.as_mut_ptr(), bytes.len());
        if size < 0 {
            return None;
        }
        let fits = size as usize <= bytes.len();
        bytes.resize(size as usize, 0);
        if fits {
            return Some(bytes);
        }
    }
}
