//! Signals and memories as Python objects: found once by name, then used without a search.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyIterator, PyMemoryView, PySlice, PyString};
use rtlwasm_host::{Access, Kind, Probe, manifest};

use crate::errors::{asked, exception};
use crate::model::Model;
use crate::view::View;

/// A signal or a memory of a model.
#[pyclass(frozen, module = "rtlwasm")]
pub struct Signal {
    model: Py<Model>,
    pub signal: rtlwasm_host::Signal,
}

impl Signal {
    pub fn new(model: &Bound<'_, Model>, signal: rtlwasm_host::Signal) -> Signal {
        Signal {
            model: model.clone().unbind(),
            signal,
        }
    }

    fn entry(&self) -> &manifest::Signal {
        &self.model.get().host.signals()[self.signal.id() as usize]
    }

    fn name(&self) -> String {
        self.entry().path.join(".")
    }

    fn is_memory(&self) -> bool {
        self.signal.depth() > 0
    }

    /// Itself, or one row of a memory.
    fn probe(&self, py: Python<'_>, row: Option<i64>) -> PyResult<Probe> {
        asked(py, || self.model.get().host.probe_of(self.signal, row))
    }

    /// The declared indices that a subscript stands for.
    fn rows(&self, index: &Bound<'_, PyAny>) -> PyResult<Rows> {
        if !self.is_memory() {
            return Err(PyTypeError::new_err(format!(
                "`{}` is no memory: its bits are those of its value, (signal.value >> bit) & 1",
                self.name()
            )));
        }
        let first = self.signal.first_row();
        let Ok(slice) = index.cast::<PySlice>() else {
            return Ok(Rows::One(index.extract()?));
        };
        if first != 0 {
            let text = format!(
                "rows of `{}` begin at {first}: take them one by one",
                self.name()
            );
            return Err(exception(index.py(), "RowError", text));
        }
        let found = slice.indices(self.signal.depth() as isize)?;
        let rows =
            (0..found.slicelength as i64).map(|i| found.start as i64 + i * found.step as i64);
        Ok(Rows::Many(rows.collect()))
    }
}

enum Rows {
    One(i64),
    Many(Vec<i64>),
}

#[pymethods]
impl Signal {
    /// The value as an unsigned int. Set it to poke: an int, or text such as "0x2a"; negative numbers are two's
    /// complement. Raises ShapeError for a memory, ValueRangeError, NotWritableError.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.model.get().read(py, self.probe(py, None)?)
    }

    #[setter]
    fn set_value(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.model.get().write(self.probe(value.py(), None)?, value)
    }

    /// The value as two's complement.
    #[getter]
    fn signed_value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let value = self.value(py)?;
        if self.signal.width() == 0 || value.rshift(self.signal.width() - 1)?.eq(0)? {
            return Ok(value);
        }
        let range = 1u32
            .into_pyobject(py)?
            .into_any()
            .lshift(self.signal.width())?;
        value.sub(range)
    }

    /// The path, joined with dots.
    #[getter(name)]
    fn get_name(&self) -> String {
        self.name()
    }

    /// The names from below the top module.
    #[getter]
    fn path(&self) -> Vec<String> {
        self.entry().path.clone()
    }

    /// Width in bits; a memory's is that of a row.
    #[getter]
    fn width(&self) -> u32 {
        self.signal.width()
    }

    /// Rows of a memory; 0 for everything else.
    #[getter]
    fn depth(&self) -> u32 {
        self.signal.depth()
    }

    /// Declared index of a memory's first row; 0 for everything else.
    #[getter]
    fn first_row(&self) -> i64 {
        self.signal.first_row()
    }

    /// The declared indices of the highest and the lowest bit, as (7, 0) or, for `[0:7]`, (0, 7).
    #[getter]
    fn bounds(&self) -> (i64, i64) {
        let (entry, above) = (self.entry(), i64::from(self.signal.width()) - 1);
        match entry.upto {
            false => (entry.lsb + above, entry.lsb),
            true => (entry.lsb, entry.lsb + above),
        }
    }

    /// True when the source declares it signed.
    #[getter]
    fn signed(&self) -> bool {
        self.entry().signed
    }

    /// "input", "output", "inout", "register", "latch", "wire", "memory" or "constant".
    #[getter]
    fn kind(&self) -> &str {
        &self.entry().kind
    }

    /// True when it can be poked.
    #[getter]
    fn writable(&self) -> bool {
        self.signal.access() == Access::ReadWrite || self.signal.kind() == Kind::Inout
    }

    /// Where it is declared, as "file:line.column"; None when unknown.
    #[getter]
    fn source(&self) -> Option<&str> {
        self.entry().source.as_deref()
    }

    /// The model that it belongs to.
    #[getter]
    fn model(&self, py: Python<'_>) -> Py<Model> {
        self.model.clone_ref(py)
    }

    /// A memoryview of its place in the model's memory; it holds as long as it is kept. Memories, inputs and widths of
    /// 8, 16, 32 or whole multiples of 64 bits are not copied; for others each call keeps a copy up to date.
    ///
    /// Shapes: (1,) up to 64 bits, of format B, H, I or Q; (limbs,) of Q for wider signals, the least significant
    /// first; (rows,) or (rows, limbs) for memories. It shows what the last call left.
    ///
    /// writable: writes are cut to the width and taken in by the next call. Drop the view, or use it in a `with`
    /// statement, when it is not needed any more: as long as it lives, each call looks at what it may have changed.
    ///
    /// Raises NotWritableError, and ShapeError for a signal of no width.
    #[pyo3(signature = (*, writable = false))]
    fn view<'py>(&self, py: Python<'py>, writable: bool) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(self.exporter(py, writable)?.as_any())
    }

    /// A numpy array over the same memory as `view`: of uint8, uint16, uint32 or uint64, with the same shapes.
    #[pyo3(signature = (*, writable = false))]
    fn array<'py>(&self, py: Python<'py>, writable: bool) -> PyResult<Bound<'py, PyAny>> {
        let exporter = self.exporter(py, writable)?;
        py.import("numpy")?.call_method1("asarray", (exporter,))
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        let read = |row| self.model.get().read(py, self.probe(py, Some(row))?);
        match self.rows(index)? {
            Rows::One(row) => read(row),
            Rows::Many(rows) => {
                let values = rows.into_iter().map(read).collect::<PyResult<Vec<_>>>()?;
                Ok(values.into_pyobject(py)?.into_any())
            }
        }
    }

    fn __setitem__(&self, index: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = index.py();
        let write = |row, value: &Bound<'_, PyAny>| {
            self.model.get().write(self.probe(py, Some(row))?, value)
        };
        let rows = match self.rows(index)? {
            Rows::One(row) => return write(row, value),
            Rows::Many(rows) => rows,
        };
        let values = value.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        if values.len() != rows.len() {
            let text = format!("{} values do not fill {} rows", values.len(), rows.len());
            return Err(exception(py, "ShapeError", text));
        }
        rows.into_iter()
            .zip(&values)
            .try_for_each(|(row, value)| write(row, value))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let first = self.signal.first_row();
        let rows = first..first + self.__len__()? as i64;
        let values = rows.map(|row| self.model.get().read(py, self.probe(py, Some(row))?));
        let values = values.collect::<PyResult<Vec<_>>>()?;
        values.into_pyobject(py)?.try_iter()
    }

    fn __len__(&self) -> PyResult<usize> {
        match self.is_memory() {
            true => Ok(self.signal.depth() as usize),
            false => Err(PyTypeError::new_err(format!(
                "`{}` is no memory",
                self.name()
            ))),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.model)
    }

    /// Signals are equal when they are the same one of the same model. A comparison with a number is a mistake that
    /// would go unnoticed.
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(other) = other.cast::<Signal>() {
            let other = other.get();
            return Ok(self.model.as_ptr() == other.model.as_ptr() && self.signal == other.signal);
        }
        if other.is_instance_of::<PyInt>() || other.is_instance_of::<PyString>() {
            let text = format!("`{}` is a signal: compare its value", self.name());
            return Err(PyTypeError::new_err(text));
        }
        Ok(false)
    }

    fn __hash__(&self) -> usize {
        self.model.as_ptr() as usize ^ self.signal.id() as usize
    }

    fn __bool__(&self) -> PyResult<bool> {
        let text = format!(
            "`{}` is a signal, neither true nor false: look at its value",
            self.name()
        );
        Err(PyTypeError::new_err(text))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let entry = self.entry();
        if self.is_memory() {
            let last = entry.first + i64::from(entry.depth) - 1;
            return Ok(format!(
                "Signal({:?}, memory, width {}, rows {} to {last})",
                self.name(),
                entry.width,
                entry.first
            ));
        }
        let value = match self.value(py) {
            Ok(value) => value.call_method1("__format__", ("#x",))?.to_string(),
            Err(_) => "?".to_string(),
        };
        Ok(format!(
            "Signal({:?}, {}, width {}, value {value})",
            self.name(),
            entry.kind,
            entry.width
        ))
    }
}

impl Signal {
    fn exporter<'py>(&self, py: Python<'py>, writable: bool) -> PyResult<Bound<'py, View>> {
        let model = self.model.bind(py);
        if writable && !self.writable() {
            let text = format!(
                "`{}` cannot be written, so there is no writable view of it",
                self.name()
            );
            return Err(exception(py, "NotWritableError", text));
        }
        match View::new(py, model, self.signal, writable)? {
            Some(view) => Bound::new(py, view),
            None => {
                let text = format!(
                    "`{}` has no view: it has no width, or is a memory in several pieces; use its values",
                    self.name()
                );
                Err(exception(py, "ShapeError", text))
            }
        }
    }
}
