//! Clocks as Python objects: their periods, and single edges.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::asked;
use crate::model::Model;
use crate::number;
use crate::run::Run;

/// A clock of a model: an input that registers act on, or a signal that the design computes (`derived`).
#[pyclass(frozen, module = "rtlwasm")]
pub struct Clock {
    model: Py<Model>,
    pub clock: rtlwasm_host::Clock,
    /// Its name.
    #[pyo3(get)]
    name: String,
    /// Which edges registers act on: "rise", "fall" or "both".
    #[pyo3(get)]
    edge: String,
}

impl Clock {
    pub fn new(model: &Bound<'_, Model>, name: &str) -> PyResult<Clock> {
        let host = &model.get().host;
        let clock = asked(model.py(), || host.clock(name))?;
        let entry = host
            .manifest()
            .clocks
            .iter()
            .find(|entry| entry.name == name);
        Ok(Clock {
            model: model.clone().unbind(),
            clock,
            name: name.to_string(),
            edge: entry.map(|entry| entry.edge.clone()).unwrap_or_default(),
        })
    }
}

#[pymethods]
impl Clock {
    /// True when the design computes it: then it cannot be stepped or started.
    #[getter]
    fn derived(&self) -> bool {
        self.clock.is_derived()
    }

    /// Rises since reset.
    #[getter]
    fn cycles(&self, py: Python<'_>) -> PyResult<u64> {
        self.model
            .get()
            .look(py, |model| model.clock_cycles(self.clock))
    }

    /// Present level, 0 or 1.
    #[getter]
    fn level(&self, py: Python<'_>) -> PyResult<u8> {
        self.model
            .get()
            .look(py, |model| model.clock_level(self.clock))
    }

    /// How long it stays high and then low, in time units: a pair. Kept by `Model.reset`.
    #[getter]
    fn period(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        self.model
            .get()
            .look(py, |model| model.clock_period(self.clock))
    }

    #[setter]
    fn set_period(
        &self,
        py: Python<'_>,
        period: (Bound<'_, PyAny>, Bound<'_, PyAny>),
    ) -> PyResult<()> {
        let (high, low) = (number::time(&period.0)?, number::time(&period.1)?);
        self.model
            .get()
            .look(py, |model| model.set_clock_period(self.clock, high, low))
    }

    /// Lets `Model.advance` run it: the first flip comes `delay` time units from now.
    #[pyo3(signature = (delay = 0))]
    fn start(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::time)] delay: u64,
    ) -> PyResult<()> {
        self.model.get().look(py, |model| {
            let next = model.time().saturating_add(delay);
            model.start_clock(self.clock, next)
        })
    }

    /// Makes `Model.advance` leave it alone.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.model
            .get()
            .look(py, |model| model.stop_clock(self.clock))
    }

    /// The rising edge alone; time stands still. Nothing happens when it is high already.
    fn rise(&self, py: Python<'_>) -> PyResult<Py<Run>> {
        let clock = self.clock;
        self.model.get().once(py, move |model| model.rise(clock))
    }

    /// The falling edge alone; time stands still. Nothing happens when it is low already.
    fn fall(&self, py: Python<'_>) -> PyResult<Py<Run>> {
        let clock = self.clock;
        self.model.get().once(py, move |model| model.fall(clock))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.model)
    }

    fn __repr__(&self) -> String {
        let derived = if self.clock.is_derived() {
            ", derived"
        } else {
            ""
        };
        format!("Clock({:?}, edge={:?}{derived})", self.name, self.edge)
    }
}

impl Model {
    /// The clock that a call names: None is the only one there is.
    pub fn chosen_clock(
        &self,
        py: Python<'_>,
        clock: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<rtlwasm_host::Clock> {
        let Some(clock) = clock else {
            if let Some(only) = self.clock {
                return Ok(only);
            }
            return asked(py, || self.host.only_clock());
        };
        if let Ok(clock) = clock.cast::<Clock>() {
            return Ok(clock.get().clock);
        }
        let Ok(name) = clock.cast::<PyString>() else {
            return Err(PyTypeError::new_err(format!(
                "a clock is named by a str or a Clock, and not by {}",
                clock.get_type().name()?
            )));
        };
        let name = name.to_str()?;
        asked(py, || self.host.clock(name))
    }
}
