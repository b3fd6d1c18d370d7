//! What a process of Amaranth waits for: changes, edges and delays, any of which wakes it, and values sampled then.

use std::sync::Mutex;

use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};

use super::amaranth::AmaranthKernel;
use super::core::{SlotId, Target, When};
use super::signals::lock;

/// One element of a combination and of its answer.
pub enum Part {
    /// The value of a signal of plain shape.
    Signal(SlotId),
    /// The value of an expression, which `sample(part)` of the kernel's engine computes.
    Sample(Py<PyAny>),
    /// Always the same.
    Constant(Py<PyAny>),
    /// Whether an edge or a delay was what woke.
    Hit,
}

/// What wakes, by its place among the parts.
#[derive(Clone, Copy)]
pub enum Wake {
    Slot(SlotId, When),
    After(i128),
}

/// A combination of triggers that a process waits for, once or again and again.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Trigger {
    pub kernel: Py<AmaranthKernel>,
    pub process: Py<PyAny>,
    /// The number of the process, for the kernel.
    pub runner: usize,
    pub parts: Vec<Part>,
    pub wakes: Vec<(u32, Wake)>,
    pub oneshot: bool,
    pub run: Mutex<Waits>,
}

/// What changes about a trigger.
#[derive(Default)]
pub struct Waits {
    /// The number by which it is woken.
    pub target: Target,
    /// It was activated when nobody waited.
    pub broken: bool,
    /// It is to run in the next round.
    pub active: bool,
    hit: Vec<bool>,
    result: Option<Py<PyAny>>,
}

#[pymethods]
impl Trigger {
    /// True for a process that loops over changes: it sees the initial values, too.
    fn initial_eligible(&self) -> bool {
        let changes = |wake: &(u32, Wake)| matches!(wake.1, Wake::Slot(_, When::Changed));
        !self.oneshot && self.wakes.iter().any(changes)
    }

    /// Samples everything now.
    fn compute_result(&self, py: Python<'_>) -> PyResult<()> {
        let mut row: Vec<Bound<'_, PyAny>> = Vec::with_capacity(self.parts.len());
        for (i, part) in self.parts.iter().enumerate() {
            row.push(match part {
                Part::Signal(slot) => self.kernel.get().signals.get().read(py, *slot)?,
                Part::Sample(part) => self.kernel.get().sample(py, part)?,
                Part::Constant(value) => value.bind(py).clone(),
                Part::Hit => {
                    let hit = lock(&self.run).hit.get(i).copied().unwrap_or(false);
                    PyBool::new(py, hit).to_owned().into_any()
                }
            });
        }
        let result = PyTuple::new(py, row)?.into_any().unbind();
        let before = lock(&self.run).result.replace(result);
        drop(before);
        Ok(())
    }

    fn __await__(slf: Py<Self>, py: Python<'_>) -> Waiting {
        let before = lock(&slf.get().run).result.take();
        drop(before);
        Waiting {
            trigger: slf.clone_ref(py),
            yielded: Mutex::new(false),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.kernel)?;
        visit.call(&self.process)?;
        for part in &self.parts {
            if let Part::Sample(part) = part {
                visit.call(part)?;
            }
        }
        if let Ok(run) = self.run.try_lock() {
            visit.call(&run.result)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = lock(&self.run).result.take();
        drop(before);
    }
}

impl Trigger {
    /// Something that it waits for has come. True: it is to run in the next round.
    pub fn activate(slf: &Bound<'_, Self>, reason: u32) -> PyResult<bool> {
        let (py, trigger) = (slf.py(), slf.get());
        if lock(&trigger.run).broken {
            return Ok(false);
        }
        let waits_on = trigger.process.bind(py).getattr(intern!(py, "waits_on"))?;
        let mut run = lock(&trigger.run);
        if !waits_on.is(slf) {
            run.broken = true;
            return Ok(false);
        }
        if run.hit.is_empty() {
            run.hit = vec![false; trigger.parts.len()];
        }
        if let Some(hit) = run.hit.get_mut(reason as usize) {
            *hit = true;
        }
        Ok(!std::mem::replace(&mut run.active, true))
    }

    /// Samples, and lets the process run.
    pub fn fire(&self, py: Python<'_>) -> PyResult<()> {
        self.compute_result(py)?;
        let process = self.process.bind(py);
        process.setattr(intern!(py, "waits_on"), py.None())?;
        let mut run = lock(&self.run);
        run.active = false;
        run.hit.clear();
        Ok(())
    }
}

/// One wait for a trigger: first it yields the trigger, then it returns what was sampled.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Waiting {
    trigger: Py<Trigger>,
    yielded: Mutex<bool>,
}

#[pymethods]
impl Waiting {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<Trigger>> {
        let trigger = self.trigger.get();
        if lock(&trigger.run).broken {
            return Err(trigger.kernel.get().broken(py));
        }
        if !std::mem::replace(&mut *lock(&self.yielded), true) {
            return Ok(self.trigger.clone_ref(py));
        }
        let result = lock(&trigger.run)
            .result
            .as_ref()
            .map(|result| result.clone_ref(py));
        Err(PyStopIteration::new_err((result,)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.trigger)
    }
}
