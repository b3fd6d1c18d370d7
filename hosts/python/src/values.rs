//! Values of a model by name: what a key stands for, read and written.

use std::sync::{MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rtlwasm_host::{Probe, Signal as HostSignal};
use rustc_hash::FxHashMap;

use crate::errors::refused;
use crate::model::Model;
use crate::number::{from_python, to_python};
use crate::signal::Signal;

impl Model {
    /// What a key names: a path with or without a row, an array of names, or a signal.
    pub fn probe(&self, key: &Bound<'_, PyAny>) -> PyResult<Probe> {
        let py = key.py();
        let found = if let Ok(text) = key.cast::<PyString>() {
            return self.probe_by_name(py, text.to_str()?);
        } else if let Ok(signal) = key.cast::<Signal>() {
            Ok(signal.get().signal)
        } else if let Ok(path) = key.extract::<Vec<String>>() {
            self.host.signal(path)
        } else {
            let class = key.get_type().name()?.to_string();
            let text = format!(
                "a signal is named by a str, a list of str or a Signal, and not by {class}"
            );
            return Err(PyTypeError::new_err(text));
        };
        let probe = found.and_then(|signal| self.host.probe_of(signal, None));
        probe.map_err(|error| refused(py, &error))
    }

    fn probe_by_name(&self, py: Python<'_>, name: &str) -> PyResult<Probe> {
        if let Some(probe) = self.names().get(name) {
            return Ok(*probe);
        }
        let probe = self.host.probe(name).map_err(|error| refused(py, &error))?;
        // Rows are many; names are as many as the design has.
        if probe.row().is_none() {
            self.names().insert(name.to_string(), probe);
        }
        Ok(probe)
    }

    /// Names found before. The guard must not live while Python code can run: it could come here again.
    fn names(&self) -> MutexGuard<'_, FxHashMap<String, Probe>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a signal or row.
    pub fn read<'py>(&self, py: Python<'py>, probe: Probe) -> PyResult<Bound<'py, PyAny>> {
        let mut state = self.lock(py)?;
        self.views.before(&mut state.model);
        let signal = probe.signal();
        if probe.row().is_none() && signal.width() <= 64 {
            let value = state
                .model
                .peek(signal)
                .map_err(|error| refused(py, &error))?;
            return Ok(value.into_pyobject(py)?.into_any());
        }
        let value = state
            .model
            .peek_probe(probe)
            .map_err(|error| refused(py, &error))?;
        to_python(py, &value)
    }

    /// Writes a signal or row.
    pub fn write(&self, probe: Probe, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let signal = probe.signal();
        let small = value.extract::<u64>().ok();
        let small = small.filter(|value| fits(*value, signal) && probe.row().is_none());
        let wide = match small {
            Some(_) => None,
            None => Some(from_python(value, signal.width(), &self.host.path(signal))?),
        };
        let mut state = self.lock(py)?;
        let model = &mut state.model;
        self.views.before(model);
        let written = match (small, &wide) {
            (Some(value), _) => model.poke(signal, value),
            (None, Some(value)) => model.poke_probe(probe, value),
            (None, None) => Ok(()),
        };
        let shown = written.and_then(|()| self.views.after(model));
        shown.map_err(|error| refused(py, &error))
    }
}

fn fits(value: u64, signal: HostSignal) -> bool {
    signal.width() >= 64 || value >> signal.width() == 0
}
