//! Values of a model by name: what a key stands for, read and written.

use std::sync::{MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rtlwasm_host::{Probe, Signal as HostSignal};
use rustc_hash::FxHashMap;

use crate::errors::asked;
use crate::model::Model;
use crate::number::{from_python, to_python};
use crate::signal::Signal;

impl Model {
    /// What a key names: a path with or without a row, an array of names, or a signal.
    pub fn probe(&self, key: &Bound<'_, PyAny>) -> PyResult<Probe> {
        let py = key.py();
        if let Ok(text) = key.cast::<PyString>() {
            return self.probe_by_name(py, text.to_str()?);
        }
        let signal = match key.cast::<Signal>() {
            Ok(signal) => signal.get().signal,
            Err(_) => self.signal_by_path(key)?,
        };
        asked(py, || self.host.probe_of(signal, None))
    }

    /// The signal of an array of names.
    pub fn signal_by_path(&self, key: &Bound<'_, PyAny>) -> PyResult<HostSignal> {
        let Ok(path) = key.extract::<Vec<String>>() else {
            return Err(PyTypeError::new_err(format!(
                "a signal is named by a str, a list of str or a Signal, and not by {}",
                key.get_type().name()?
            )));
        };
        asked(key.py(), || self.host.signal(path))
    }

    fn probe_by_name(&self, py: Python<'_>, name: &str) -> PyResult<Probe> {
        if let Some(probe) = self.names().get(name) {
            return Ok(*probe);
        }
        let probe = asked(py, || self.host.probe(name))?;
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
        let signal = probe.signal();
        if probe.row().is_none() && signal.width() <= 64 {
            let value = self.look(py, |model| model.peek(signal))?;
            return Ok(value.into_pyobject(py)?.into_any());
        }
        to_python(py, &self.look(py, |model| model.peek_probe(probe))?)
    }

    /// Writes a signal or row.
    pub fn write(&self, probe: Probe, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let signal = probe.signal();
        let small = value.extract::<u64>().ok();
        let small = small.filter(|value| fits(*value, signal) && probe.row().is_none());
        if let Some(value) = small {
            return self.change(py, |model| model.poke(signal, value));
        }
        let value = from_python(value, signal.width(), &self.host.path(signal))?;
        self.change(py, |model| model.poke_probe(probe, &value))
    }
}

fn fits(value: u64, signal: HostSignal) -> bool {
    signal.width() >= 64 || value >> signal.width() == 0
}
