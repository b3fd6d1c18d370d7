//! Errors of host and compiler in, exceptions of `rtlwasm.errors` out; a panic becomes an exception too.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use rtlwasm_host::{Divergence, Error, LoadError};

/// An exception of `rtlwasm.errors`.
pub fn exception(py: Python<'_>, class: &str, message: impl Into<String>) -> PyErr {
    let made = py
        .import("rtlwasm.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1((message.into(),)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// A request that the model could not carry out.
fn refused(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::UnknownSignal { .. }
        | Error::AmbiguousSignal { .. }
        | Error::UnknownClock { .. }
        | Error::WhichClock { .. }
        | Error::DerivedClock { .. } => "UnknownNameError",
        Error::Row { .. } => "RowError",
        Error::TooWide { .. } | Error::Value(_) => "ValueRangeError",
        Error::NotWritable { .. } => "NotWritableError",
        Error::NotWatchable { .. }
        | Error::TooManyWatches { .. }
        | Error::StageFull
        | Error::NotTraced => "RtlwasmError",
        Error::IsMemory { .. } | Error::NotMemory { .. } | Error::WideRead { .. } => "ShapeError",
        Error::ForeignHandle | Error::ForeignSnapshot => "ForeignError",
        Error::Image { .. } => "ImageError",
        Error::Io { source, .. } => return with_errno(py, source, &error.to_string()),
        Error::Diverged(found) => return diverged(py, found),
        Error::NotAlike { .. } => "ForeignError",
        Error::NotInEngine { .. } => "OptionError",
        Error::Trap { .. } => "InternalError",
        Error::Wave { .. } => "WaveError",
        Error::Refused { .. } | Error::RingStuck | Error::BrokenRing { .. } => "RtlwasmError",
    };
    exception(py, class, error.to_string())
}

/// Two engines that have come apart.
fn diverged(py: Python<'_>, found: &Divergence) -> PyErr {
    let error = exception(py, "DivergenceError", found.to_string());
    let fields = (
        &found.what,
        &found.reference,
        &found.compiled,
        &found.source,
        found.cycle,
        found.time,
        found.signals.clone(),
    );
    match error.value(py).call_method1("_take", fields) {
        Ok(_) => error,
        Err(other) => other,
    }
}

/// An artifact that could not be loaded.
pub fn not_loaded(py: Python<'_>, error: &LoadError) -> PyErr {
    match error {
        LoadError::Io { source, .. } => with_errno(py, source, &error.to_string()),
        LoadError::Reset(inner) => refused(py, inner),
        _ => exception(py, "LoadError", error.to_string()),
    }
}

/// The exception that Python itself raises for this error of the system, with our text.
fn with_errno(py: Python<'_>, source: &std::io::Error, text: &str) -> PyErr {
    let class = PyErr::from(std::io::Error::from(source.kind())).get_type(py);
    match class.call1((source.raw_os_error(), text)) {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}

/// What code answered, or the panic that it ended with.
pub type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// Runs Rust code that must not panic; it needs no interpreter lock.
pub fn caught<T>(code: impl FnOnce() -> T) -> Caught<T> {
    catch_unwind(AssertUnwindSafe(code))
}

/// The same; a panic is a bug of ours and an ordinary exception.
pub fn guarded<T>(py: Python<'_>, code: impl FnOnce() -> T) -> PyResult<T> {
    caught(code).map_err(|panic| internal(py, panic))
}

/// What the host answered: a refusal and a panic are exceptions.
pub fn answered<T>(py: Python<'_>, answer: Caught<Result<T, Error>>) -> PyResult<T> {
    let answer = answer.map_err(|panic| internal(py, panic))?;
    answer.map_err(|error| refused(py, &error))
}

/// Asks the host for something.
pub fn asked<T>(py: Python<'_>, code: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    answered(py, caught(code))
}

/// What a caught panic becomes.
fn internal(py: Python<'_>, panic: Box<dyn Any + Send>) -> PyErr {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_string(),
    };
    exception(
        py,
        "InternalError",
        format!("rtlwasm has a bug: {text}; please report it with the design that shows it"),
    )
}
