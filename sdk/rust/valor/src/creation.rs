//! What on_create may look like.
use std::future::Future;

use crate::context::Context;
use crate::error::Error;
use crate::instance::Creation;

/// The functions that `#[vlugin(on_create = NAME)]` takes: they take a Context, or nothing, are async or not, and return
/// nothing or a Result<(), E>. An error, as a panic, makes the creation fail with its text.
pub trait OnCreate<Form> {
    #[doc(hidden)]
    fn begin(self, context: Context) -> Creation;
}

#[doc(hidden)]
pub struct TakesContext<F>(F);
#[doc(hidden)]
pub struct TakesNothing<F>(F);

impl<C, R, F> OnCreate<TakesContext<F>> for C
where
    C: FnOnce(Context) -> R,
    R: Outcome<F> + 'static,
{
    fn begin(self, context: Context) -> Creation {
        self(context).future()
    }
}

impl<C, R, F> OnCreate<TakesNothing<F>> for C
where
    C: FnOnce() -> R,
    R: Outcome<F> + 'static,
{
    fn begin(self, _: Context) -> Creation {
        self().future()
    }
}

/// What such a function returns.
#[doc(hidden)]
pub trait Outcome<Form> {
    fn future(self) -> Creation;
}

#[doc(hidden)]
pub struct IsResult;
#[doc(hidden)]
pub struct IsFuture<F>(F);

impl Outcome<IsResult> for () {
    fn future(self) -> Creation {
        Box::pin(async { Ok(()) })
    }
}

impl<E: Into<Error>> Outcome<IsResult> for Result<(), E> {
    fn future(self) -> Creation {
        let result = self.map_err(Into::into);
        Box::pin(async { result })
    }
}

impl<F, O> Outcome<IsFuture<O>> for F
where
    F: Future + 'static,
    F::Output: Outcome<O>,
{
    fn future(self) -> Creation {
        Box::pin(async { self.await.future().await })
    }
}

/// Calls on_create.
pub fn begin<Form>(on_create: impl OnCreate<Form>, context: Context) -> Creation {
    on_create.begin(context)
}
