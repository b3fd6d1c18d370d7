//! What processes and testbenches of Amaranth call in every cycle, without a detour through Python: waits for ticks, reads
//! and writes of signals. Everything else is done by methods of the classes in Python that derive from these.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use super::amaranth::AmaranthKernel;
use super::held::{Held, lock};
use super::signals::Signals;
use super::trigger::{Trigger, Waiting};

/// A tick of a domain. What has waited for it once is used again.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Awaited {
    trigger: Held<Option<Py<Trigger>>>,
}

#[pymethods]
impl Awaited {
    #[new]
    #[pyo3(signature = (*_given, **_named))]
    fn new(_given: &Bound<'_, PyTuple>, _named: Option<&Bound<'_, PyDict>>) -> Awaited {
        Awaited {
            trigger: Held::default(),
        }
    }

    /// Waits for one tick; `_once()` makes what waits.
    fn __await__(slf: &Bound<'_, Self>) -> PyResult<Waiting> {
        let py = slf.py();
        let known = lock(&slf.get().trigger).as_ref().map(|t| t.clone_ref(py));
        if let Some(trigger) = known {
            return Trigger::__await__(trigger.bind(py));
        }
        let made = slf.call_method0(intern!(py, "_once"))?;
        let made = made.cast_into::<Trigger>()?;
        let before = lock(&slf.get().trigger).replace(made.clone().unbind());
        drop(before);
        Trigger::__await__(&made)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.trigger.try_lock() {
            Ok(trigger) => visit.call(&*trigger),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        let before = lock(&self.trigger).take();
        drop(before);
    }
}

/// What a process is called with.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Context {
    /// Ticks by domain.
    ticks: Py<PyDict>,
}

#[pymethods]
impl Context {
    #[new]
    #[pyo3(signature = (*_given, **_named))]
    fn new(
        py: Python<'_>,
        _given: &Bound<'_, PyTuple>,
        _named: Option<&Bound<'_, PyDict>>,
    ) -> Context {
        Context {
            ticks: PyDict::new(py).unbind(),
        }
    }

    /// Waits for an active edge of a domain's clock, or its asynchronous reset; `_tick` makes what is asked for first.
    #[pyo3(signature = (*given, **named))]
    fn tick<'py>(
        slf: &Bound<'py, Self>,
        given: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let domain = match (given.len(), named) {
            (0, None) => intern!(py, "sync").clone().into_any(),
            (1, None) => given.get_item(0)?,
            _ => return slf.call_method(intern!(py, "_tick"), given, named),
        };
        let ticks = slf.get().ticks.bind(py);
        if let Some(found) = ticks.get_item(&domain)? {
            return Ok(found);
        }
        let made = slf.call_method(intern!(py, "_tick"), given, named)?;
        ticks.set_item(domain, &made)?;
        Ok(made)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.ticks)
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        slf.get().ticks.bind(slf.py()).clear();
    }
}

/// What a testbench is called with.
#[pyclass(frozen, subclass, extends = Context, module = "rtlwasm._native")]
pub struct BenchContext {
    signals: Py<Signals>,
    kernel: Py<AmaranthKernel>,
}

#[pymethods]
impl BenchContext {
    #[new]
    fn new(
        py: Python<'_>,
        _design: &Bound<'_, PyAny>,
        engine: &Bound<'_, PyAny>,
        _process: &Bound<'_, PyAny>,
    ) -> PyResult<PyClassInitializer<BenchContext>> {
        let base = Context {
            ticks: PyDict::new(py).unbind(),
        };
        let own = BenchContext {
            signals: engine.getattr(intern!(py, "_signals"))?.extract()?,
            kernel: engine.getattr(intern!(py, "_kernel"))?.extract()?,
        };
        Ok(PyClassInitializer::from(base).add_subclass(own))
    }

    /// The present value of an expression; `_get` tells that of what is no signal that has been used before.
    fn get<'py>(slf: &Bound<'py, Self>, expr: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let signals = slf.get().signals.get();
        match signals.known(expr) {
            Some(slot) => signals.read(slf.py(), slot),
            None => slf.call_method1(intern!(slf.py(), "_get"), (expr,)),
        }
    }

    /// Assigns to an expression, and lets everything act on it; `_set` does so with what is no number for such a signal.
    fn set(
        slf: &Bound<'_, Self>,
        expr: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let bench = slf.get();
        if let Some(slot) = bench.signals.get().known(expr)
            && value.is_exact_instance_of::<PyInt>()
            && bench.kernel.get().set_slot(py, slot, value)?
        {
            return Ok(());
        }
        slf.call_method1(intern!(py, "_set"), (expr, value))
            .map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.signals)?;
        visit.call(&self.kernel)
    }
}
