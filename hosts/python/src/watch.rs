//! Watches, staged writes and the change trace of a model; `rtlwasm.model` wraps these.

use pyo3::prelude::*;
use rtlwasm_host::{Probe, WatchId};

use crate::errors::exception;
use crate::model::Model;
use crate::number::{self, from_python, to_python};

/// Something at which a run stops; it lasts until it is removed.
#[pyclass(frozen, module = "rtlwasm")]
pub struct Watch {
    model: Py<Model>,
    id: WatchId,
    name: String,
}

#[pymethods]
impl Watch {
    /// Whether it has stopped the last run.
    #[getter]
    fn hit(&self, py: Python<'_>) -> PyResult<bool> {
        let id = self.id;
        let model = self.model.get();
        model.look(py, |model| Ok(model.watches_hit().any(|hit| hit == id)))
    }

    /// Stops a run at the hit of that number from now on; 0: at none.
    #[pyo3(signature = (hits = 1))]
    fn rearm(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::hits)] hits: u32,
    ) -> PyResult<()> {
        self.model
            .get()
            .look(py, |model| model.rearm(self.id, hits))
    }

    /// Takes it away. It must not be used any more.
    fn remove(&self, py: Python<'_>) -> PyResult<()> {
        self.model.get().look(py, |model| model.unwatch(self.id))
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyAny>) -> PyResult<()> {
        self.remove(py)
    }

    fn __repr__(&self) -> String {
        format!("Watch({:?})", self.name)
    }
}

/// What a watch is to wait for: a kind of change, or a value.
struct Wanted<'a> {
    when: &'a str,
    value: u64,
    bits: u64,
    hits: u32,
    stop: &'a str,
    again: bool,
}

impl Wanted<'_> {
    fn watch(&self, py: Python<'_>, probe: Probe) -> PyResult<rtlwasm_host::Watch> {
        use rtlwasm_host::Watch;
        let signal = probe.signal();
        let watch = match self.when {
            "rose" => Watch::rose(signal),
            "fell" => Watch::fell(signal),
            "changed" => Watch::changed(signal),
            "equals" => Watch::equals(signal, self.value),
            _ => {
                let text = "when is \"rose\", \"fell\", \"changed\", or a value";
                return Err(exception(py, "OptionError", text));
            }
        };
        let row = probe.row().map_or(0, |row| row - signal.first_row());
        let limbs = i64::from(signal.width().div_ceil(64).max(1));
        let word = u32::try_from(row * limbs).unwrap_or(u32::MAX);
        let watch = watch.word(word).bits(self.bits).hits(self.hits);
        let watch = match self.stop {
            "at" => watch,
            "after" => watch.after_instant(),
            "keep" => watch.keep_before(),
            _ => {
                let text = "stop is \"at\", \"after\" or \"keep\"";
                return Err(exception(py, "OptionError", text));
            }
        };
        Ok(if self.again { watch.again() } else { watch })
    }
}

/// Adds a watch on the low 64 bits of a signal or memory row.
#[pyfunction]
#[pyo3(signature = (model, signal, when, value, bits, hits, stop, again))]
#[allow(clippy::too_many_arguments)]
pub fn add_watch(
    model: &Bound<'_, Model>,
    signal: &Bound<'_, PyAny>,
    when: &str,
    value: u64,
    bits: u64,
    #[pyo3(from_py_with = number::hits)] hits: u32,
    stop: &str,
    again: bool,
) -> PyResult<Watch> {
    let py = model.py();
    let probe = model.get().probe(signal)?;
    let wanted = Wanted {
        when,
        value,
        bits,
        hits,
        stop,
        again,
    };
    let engine = model.get().engine();
    if engine != "wasm" && stop != "after" {
        let text = format!(
            "engine=\"{engine}\" stops once everything is complete: give stop=\"after\", or use break_on"
        );
        return Err(exception(py, "OptionError", text));
    }
    let watch = wanted.watch(py, probe)?;
    let id = model.get().look(py, |model| model.watch(watch))?;
    Ok(Watch {
        model: model.clone().unbind(),
        id,
        name: model.get().host.path(probe.signal()),
    })
}

/// Writes a signal or memory row together with the edge that is pending, in the next run.
#[pyfunction]
pub fn stage(
    model: &Bound<'_, Model>,
    signal: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let probe = model.get().probe(signal)?;
    let name = model.get().host.path(probe.signal());
    let value = from_python(value, probe.signal().width(), &name)?;
    model.get().look(model.py(), |model| match probe.row() {
        Some(row) => model.stage_row(probe.signal(), row, &value),
        None => model.stage(probe.signal(), &value),
    })
}

/// What a signal was at the last hit of a watch that keeps that.
#[pyfunction]
pub fn peek_before<'py>(
    model: &Bound<'py, Model>,
    signal: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let probe = model.get().probe(signal)?;
    let look = |model: &mut rtlwasm_host::Model| model.peek_before(probe.signal());
    to_python(model.py(), &model.get().look(model.py(), look)?)
}

/// Whether the last run has stopped before an edge.
#[pyfunction]
pub fn edge_pending(model: &Bound<'_, Model>) -> PyResult<bool> {
    let look = |model: &mut rtlwasm_host::Model| Ok(model.edge_pending());
    model.get().look(model.py(), look)
}

/// Notes changes from the next run on, or no more.
#[pyfunction]
pub fn set_trace(model: &Bound<'_, Model>, on: bool) -> PyResult<()> {
    model.get().look(model.py(), |model| match on {
        true => model.start_trace(),
        false => {
            model.stop_trace();
            Ok(())
        }
    })
}

/// Time, number of the signal, row, limb and value.
type Change = (u64, u32, u32, u32, u64);

/// Takes what was noted.
#[pyfunction]
pub fn take_changes(model: &Bound<'_, Model>) -> PyResult<Vec<Change>> {
    let signals = model.get().host.signals();
    let look = |model: &mut rtlwasm_host::Model| {
        let rows = model.changes().map(|change| {
            let limbs = signals[change.signal as usize].width.div_ceil(64).max(1);
            let (row, limb) = (change.word / limbs, change.word % limbs);
            (change.time, change.signal, row, limb, change.value)
        });
        Ok(rows.collect())
    };
    model.get().look(model.py(), look)
}
