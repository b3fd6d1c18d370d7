//! A process or a testbench of Amaranth: its coroutine, and what that waits for.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use pyo3::types::iterator::PySendResult;

use super::held::{Held, lock};
use super::trigger::Trigger;

/// A process or a testbench.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Process {
    constructor: Py<PyAny>,
    pub testbench: bool,
    background: bool,
    // Whoever looks at these holds the interpreter lock.
    runnable: AtomicBool,
    critical: AtomicBool,
    /// Something has come that would have let it run, had the trigger not counted it: it is to be its turn first.
    passed: AtomicBool,
    run: Held<Running>,
}

/// What it runs, and what it waits for.
#[derive(Default)]
struct Running {
    context: Option<Py<PyAny>>,
    /// None: it has returned.
    coroutine: Option<Py<PyIterator>>,
    waits_on: Option<Py<Trigger>>,
    /// It has not waited yet.
    fresh: bool,
}

#[pymethods]
impl Process {
    /// Starts it anew; `context` is what its function is called with from now on, None: what it was before.
    #[pyo3(signature = (context = None))]
    pub fn start(&self, py: Python<'_>, context: Option<Py<PyAny>>) -> PyResult<()> {
        let context = context.or_else(|| {
            let run = lock(&self.run);
            run.context.as_ref().map(|context| context.clone_ref(py))
        });
        let made = self.constructor.bind(py).call1((&context,))?;
        let coroutine = made.call_method0("__await__")?.cast_into::<PyIterator>()?;
        let running = Running {
            context,
            coroutine: Some(coroutine.unbind()),
            waits_on: None,
            fresh: true,
        };
        self.runnable.store(true, Relaxed);
        self.critical.store(!self.background, Relaxed);
        self.passed.store(false, Relaxed);
        let before = std::mem::replace(&mut *lock(&self.run), running);
        drop(before);
        Ok(())
    }

    /// Whether it keeps the simulation going.
    #[getter]
    pub fn critical(&self) -> bool {
        self.critical.load(Relaxed)
    }

    #[setter]
    fn set_critical(&self, critical: bool) {
        self.critical.store(critical, Relaxed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.constructor)?;
        if let Ok(run) = self.run.try_lock() {
            visit.call(&run.context)?;
            visit.call(&run.coroutine)?;
            visit.call(&run.waits_on)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = std::mem::take(&mut *lock(&self.run));
        drop(before);
    }
}

impl Process {
    pub fn new(constructor: Py<PyAny>, testbench: bool, background: bool) -> Process {
        Process {
            constructor,
            testbench,
            background,
            runnable: AtomicBool::new(false),
            critical: AtomicBool::new(false),
            passed: AtomicBool::new(false),
            run: Held::default(),
        }
    }

    /// What it waits for has come.
    pub fn wake(&self) {
        self.runnable.store(true, Relaxed);
        let before = lock(&self.run).waits_on.take();
        drop(before);
    }

    /// Whether it is to run; it is not any more.
    pub fn take_turn(&self) -> bool {
        let due = self.is_due();
        self.passed.store(false, Relaxed);
        self.runnable.store(false, Relaxed);
        due
    }

    /// Whether it is to run.
    pub fn is_due(&self) -> bool {
        self.runnable.load(Relaxed)
    }

    /// A trigger has counted what came. A testbench has its turn when everything has settled, and what comes before is
    /// missed.
    pub fn pass(&self) {
        self.passed.store(self.testbench, Relaxed);
    }

    /// Whether its turn is still to come.
    pub fn has_passed(&self) -> bool {
        self.passed.load(Relaxed)
    }

    pub fn waits_on(&self, trigger: &Bound<'_, Trigger>) -> bool {
        let run = lock(&self.run);
        run.waits_on.as_ref().is_some_and(|other| other.is(trigger))
    }

    /// Runs it until it waits or returns. One that loops over changes sees the initial values, too.
    pub fn resume(&self, py: Python<'_>) -> PyResult<()> {
        let coroutine = lock(&self.run).coroutine.as_ref().map(|c| c.clone_ref(py));
        let Some(coroutine) = coroutine else {
            return Ok(());
        };
        let coroutine = coroutine.bind(py);
        let mut trigger = send(coroutine)?;
        let fresh = std::mem::take(&mut lock(&self.run).fresh);
        if let Some(first) = trigger.as_ref().filter(|_| fresh)
            && first.get().initial_eligible()
        {
            first.get().sample_all(py)?;
            trigger = send(coroutine)?;
        }
        let mut run = lock(&self.run);
        let ended = match trigger {
            Some(_) => None,
            None => {
                self.critical.store(false, Relaxed);
                run.coroutine.take()
            }
        };
        let before = std::mem::replace(&mut run.waits_on, trigger.map(Bound::unbind));
        drop(run);
        drop((ended, before));
        Ok(())
    }
}

/// Goes on to the next wait; None: it has returned.
fn send<'py>(coroutine: &Bound<'py, PyIterator>) -> PyResult<Option<Bound<'py, Trigger>>> {
    let py = coroutine.py();
    match coroutine.send(py.None().bind(py))? {
        PySendResult::Return(_) => Ok(None),
        PySendResult::Next(trigger) => match trigger.cast_into::<Trigger>() {
            Ok(trigger) => Ok(Some(trigger)),
            Err(_) => Err(PyTypeError::new_err(
                "Async processes may only await simulation triggers",
            )),
        },
    }
}
