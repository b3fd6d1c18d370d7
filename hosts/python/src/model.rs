//! A running model as a Python object: names, values, calls, events, snapshots.
//!
//! One thread uses a model at a time. A second one that calls it meanwhile gets an exception rather than waiting, since
//! it would wait with the interpreter lock in its hands.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rtlwasm_host::{Clock as HostClock, ModelOptions, Probe, Snapshot, Status};
use rustc_hash::FxHashMap;

use crate::artifact::Artifact;
use crate::clock::Clock;
use crate::errors::{exception, guarded, not_loaded, refused};
use crate::event::Event;
use crate::number::from_python;
use crate::run::{Pace, Piece, Run, Unit};
use crate::signal::Signal;
use crate::view::Views;

/// One running model of an artifact.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Model {
    artifact: Py<Artifact>,
    pub host: rtlwasm_host::Artifact,
    pub views: Views,
    /// The clock of a design that has one.
    pub clock: Option<HostClock>,
    state: Mutex<State>,
    pub names: Mutex<FxHashMap<String, Probe>>,
    callback: Mutex<Option<Py<PyAny>>>,
}

/// What calls change.
pub struct State {
    pub model: rtlwasm_host::Model,
    /// How fast it is.
    pub pace: Pace,
    /// The event that ended the last run with a failure.
    pub failed: Option<rtlwasm_host::Event>,
    events: VecDeque<rtlwasm_host::Event>,
}

impl State {
    fn new(model: rtlwasm_host::Model) -> State {
        State {
            model,
            pace: Pace::default(),
            failed: None,
            events: VecDeque::new(),
        }
    }

    fn keep_events(&mut self) {
        self.events.extend(self.model.events());
    }

    /// Remembers the newest event of an assertion or a `$fatal`.
    pub fn note_failure(&mut self) {
        self.keep_events();
        let sites = &self.model.artifact().manifest().events;
        let fails = |event: &&rtlwasm_host::Event| {
            sites
                .get(event.site as usize)
                .is_some_and(|site| site.action == "fail")
        };
        self.failed = self.events.iter().rev().find(fails).cloned();
    }
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (artifact, *, seed = 0, plusargs = Vec::new(), fork_of = None))]
    fn new(
        py: Python<'_>,
        artifact: &Bound<'_, Artifact>,
        seed: u64,
        plusargs: Vec<String>,
        fork_of: Option<&Bound<'_, Model>>,
    ) -> PyResult<Model> {
        let host = artifact.get().host.clone();
        let made = match fork_of {
            Some(other) => {
                let mut state = other.get().lock(py)?;
                other.get().views.before(&mut state.model);
                guarded(py, || state.model.fork())?
            }
            None => {
                let options = ModelOptions {
                    cache_dir: None,
                    seed,
                    plusargs,
                };
                guarded(py, || host.model(&options))?
            }
        };
        let model = made.map_err(|error| not_loaded(py, &error))?;
        Ok(Model {
            artifact: artifact.clone().unbind(),
            views: Views::default(),
            clock: host.only_clock().ok(),
            host,
            state: Mutex::new(State::new(model)),
            names: Mutex::default(),
            callback: Mutex::new(None),
        })
    }

    /// What this is a model of.
    #[getter]
    fn artifact(&self, py: Python<'_>) -> Py<Artifact> {
        self.artifact.clone_ref(py)
    }

    /// The value of a signal or of a memory row, of any width, as an unsigned int.
    ///
    /// signal: a path such as "cpu.pc" or "ram[16]", a list of names, or a Signal.
    ///
    /// Raises UnknownNameError, RowError, and ShapeError for a memory without a row.
    fn peek<'py>(
        &self,
        py: Python<'py>,
        signal: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let probe = self.probe(signal)?;
        self.read(py, probe)
    }

    /// Writes an input, a register, a latch or a memory row; the next call that runs takes it in.
    ///
    /// signal: as for `peek`.
    /// value: an int, or text such as "0x2a" and "8'h2a"; negative numbers are two's complement.
    ///
    /// Raises UnknownNameError, ValueRangeError when the value needs more bits, NotWritableError.
    fn poke(&self, signal: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let probe = self.probe(signal)?;
        self.write(probe, value)
    }

    /// Takes in what was poked, edges on poked clocks and resets included, and settles all logic. Time stands still.
    fn eval(&self, py: Python<'_>) -> PyResult<Py<Run>> {
        self.once(py, |model| model.eval())
    }

    /// Runs whole cycles of a clock: rise, high time, fall, low time. Other clocks stand still.
    ///
    /// clock: its name or a Clock; not needed when there is one only.
    /// progress: show a progress bar.
    ///
    /// Returns a Run, which is not true when `$finish` or `$stop` came first. Raises AssertionFailed, NotSettledError,
    /// and UnknownNameError when the clock is not clear.
    #[pyo3(signature = (cycles = 1, *, clock = None, progress = false))]
    fn step(
        &self,
        py: Python<'_>,
        cycles: u64,
        clock: Option<&Bound<'_, PyAny>>,
        progress: bool,
    ) -> PyResult<Py<Run>> {
        let clock = self.chosen_clock(py, clock)?;
        let ended = self.drive(py, (cycles, Unit::Cycles), progress, |model, most| {
            model.step(clock, most).map(Piece::from)
        })?;
        self.answer(py, ended)
    }

    /// Steps a clock until a signal of up to 64 bits has a value; see `run_until`.
    #[pyo3(signature = (signal, value, max_cycles, *, clock = None, progress = false))]
    fn step_until(
        &self,
        py: Python<'_>,
        signal: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        max_cycles: u64,
        clock: Option<&Bound<'_, PyAny>>,
        progress: bool,
    ) -> PyResult<Py<Run>> {
        let clock = self.chosen_clock(py, clock)?;
        let probe = self.probe(signal)?;
        let (signal, name) = (probe.signal(), self.host.path(probe.signal()));
        if probe.row().is_some() || signal.width() > 64 {
            let text = format!(
                "`{name}` is no signal of up to 64 bits: give a function that tells when to stop"
            );
            return Err(exception(py, "ShapeError", text));
        }
        let wanted = from_python(value, signal.width(), &name)?.limbs()[0];
        let ended = self.drive(py, (max_cycles, Unit::Cycles), progress, |model, most| {
            model
                .run_until(clock, most, signal, wanted)
                .map(|run| match run.status {
                    // The condition came true: nothing is left to do.
                    Status::Ok => Piece {
                        done: u64::MAX,
                        ..run.into()
                    },
                    _ => run.into(),
                })
        })?;
        if ended.0 == Status::ConditionNotMet {
            let text = format!(
                "`{name}` is {} and not {value} after {} cycles: allow more with max_cycles, or look at why it waits",
                self.read(py, probe)?,
                ended.1
            );
            return Err(exception(py, "ConditionNotMetError", text));
        }
        self.answer(py, ended)
    }

    /// Runs the started clocks for a duration, in time units; see `Clock.start`. Without any, time passes.
    ///
    /// Returns a Run with the falls of all clocks as its cycles. Raises as `step`.
    #[pyo3(signature = (duration, *, progress = false))]
    fn advance(&self, py: Python<'_>, duration: u64, progress: bool) -> PyResult<Py<Run>> {
        let ended = self.drive(py, (duration, Unit::Time), progress, |model, most| {
            let start = model.time();
            let run = model.advance(start.saturating_add(most))?;
            Ok(Piece {
                done: model.time() - start,
                ..run.into()
            })
        })?;
        self.answer(py, ended)
    }

    /// Runs the started clocks until a time, in time units since reset. Raises ValueRangeError when that is past.
    #[pyo3(signature = (time, *, progress = false))]
    fn advance_to(&self, py: Python<'_>, time: u64, progress: bool) -> PyResult<Py<Run>> {
        let now = self.lock(py)?.model.time();
        let Some(duration) = time.checked_sub(now) else {
            return Err(backwards(py, now, time));
        };
        self.advance(py, duration, progress)
    }

    /// Power-on: state to its initial image, time to 0, `initial` blocks run, logic settled. Clock periods stay.
    ///
    /// seed: of everything random in the design, 64 bits.
    #[pyo3(signature = (seed = 0))]
    fn reset(&self, py: Python<'_>, seed: u64) -> PyResult<Py<Run>> {
        self.once(py, move |model| model.reset(seed))
    }

    /// Present time in time units; set it to move forward.
    #[getter]
    fn time(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.lock(py)?.model.time())
    }

    #[setter]
    fn set_time(&self, py: Python<'_>, time: u64) -> PyResult<()> {
        let mut state = self.lock(py)?;
        let now = state.model.time();
        if time < now {
            return Err(backwards(py, now, time));
        }
        state.model.set_time(time);
        Ok(())
    }

    /// All that decides the future, as bytes: registers, memories, inputs, time, clocks, random state.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut state = self.lock(py)?;
        self.views.before(&mut state.model);
        Ok(PyBytes::new(py, state.model.snapshot().as_bytes()))
    }

    /// Goes back (or forth) to a snapshot; nothing needs to be settled afterwards. Events are not taken back.
    ///
    /// Raises ForeignError when it is of another design or build.
    fn restore(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        let mut state = self.lock(py)?;
        self.views.before(&mut state.model);
        let snapshot = Snapshot::from_bytes(snapshot.to_vec());
        let restored = state.model.restore(&snapshot);
        let restored = restored.and_then(|()| self.views.after(&mut state.model));
        restored.map_err(|error| refused(py, &error))
    }

    /// The events since the last call of this method, oldest first.
    fn events(&self, py: Python<'_>) -> PyResult<Vec<Event>> {
        let mut state = self.lock(py)?;
        state.keep_events();
        Ok(state
            .events
            .drain(..)
            .filter_map(|event| self.event(event))
            .collect())
    }

    /// From now on every event goes to `callback` when the call that made it returns; None: events are kept again.
    #[pyo3(signature = (callback))]
    fn on_event(&self, py: Python<'_>, callback: Option<Py<PyAny>>) -> PyResult<()> {
        if callback
            .as_ref()
            .is_some_and(|callback| !callback.bind(py).is_callable())
        {
            return Err(PyTypeError::new_err(
                "on_event takes a function of one event, or None",
            ));
        }
        // What was there is dropped without the guard: that may run Python code.
        let before = std::mem::replace(&mut *self.callback(), callback);
        drop(before);
        self.deliver_events(py)
    }

    /// The signal or memory of a path: names joined with dots, or a list of names. Raises UnknownNameError.
    fn signal(slf: &Bound<'_, Self>, path: &Bound<'_, PyAny>) -> PyResult<Signal> {
        let host = &slf.get().host;
        let found = match path.cast::<PyString>() {
            Ok(text) => host.signal(text.to_str()?),
            Err(_) => host.signal(path.extract::<Vec<String>>()?),
        };
        let signal = found.map_err(|error| refused(slf.py(), &error))?;
        Ok(Signal::new(slf, signal))
    }

    /// The clock of that name. Raises UnknownNameError, which lists the clocks.
    fn clock(slf: &Bound<'_, Self>, name: &str) -> PyResult<Clock> {
        Clock::new(slf, name)
    }

    /// All clocks: those that can be stepped first.
    #[getter]
    fn clocks(slf: &Bound<'_, Self>) -> PyResult<Vec<Clock>> {
        let clocks = &slf.get().host.manifest().clocks;
        clocks
            .iter()
            .map(|clock| Clock::new(slf, &clock.name))
            .collect()
    }

    /// Fills a memory from a file and returns the number of rows written.
    fn load_memory(
        &self,
        py: Python<'_>,
        memory: &Bound<'_, Signal>,
        path: PathBuf,
    ) -> PyResult<usize> {
        let mut state = self.lock(py)?;
        self.views.before(&mut state.model);
        let loaded = state.model.load_memory(memory.get().signal, path);
        loaded.map_err(|error| refused(py, &error))
    }

    /// Gives a plusarg without its plus; False when the design does not ask for it.
    fn set_plusarg(&self, py: Python<'_>, text: &str) -> PyResult<bool> {
        let mut state = self.lock(py)?;
        self.views.before(&mut state.model);
        state
            .model
            .set_plusarg(text)
            .map_err(|error| refused(py, &error))
    }

    /// How often each cover was hit since reset: pairs of name and count.
    fn covers(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        let state = self.lock(py)?;
        let sites = self.host.manifest().events.iter().enumerate();
        Ok(sites
            .filter_map(|(i, site)| Some((site.name.clone(), state.model.cover_count(i)?)))
            .collect())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.artifact)?;
        if let Ok(callback) = self.callback.try_lock() {
            visit.call(&*callback)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = self.callback().take();
        drop(before);
    }
}

impl Model {
    /// The model itself, unless another thread is in it.
    pub fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                let text = "another thread is running this model: one thread uses a model at a time; wait for it, \
                            or give each thread a model of its own with fork()";
                Err(exception(py, "ModelBusyError", text))
            }
        }
    }

    /// One call that is not divided.
    pub fn once(
        &self,
        py: Python<'_>,
        mut call: impl FnMut(&mut rtlwasm_host::Model) -> Result<rtlwasm_host::Run, rtlwasm_host::Error>
        + Send,
    ) -> PyResult<Py<Run>> {
        let ended = self.drive(py, (0, Unit::Call), false, |model, _| {
            call(model).map(Piece::from)
        })?;
        self.answer(py, ended)
    }

    /// The event as Python sees it.
    pub fn event(&self, event: rtlwasm_host::Event) -> Option<Event> {
        let site = self.host.manifest().events.get(event.site as usize)?;
        Some(Event::new(event, site))
    }

    /// Gives events to the callback, if there is one.
    pub fn deliver_events(&self, py: Python<'_>) -> PyResult<()> {
        let callback = self
            .callback()
            .as_ref()
            .map(|callback| callback.clone_ref(py));
        let Some(callback) = callback else {
            return Ok(());
        };
        let events = self.events(py)?;
        for event in events {
            callback.call1(py, (event,))?;
        }
        Ok(())
    }

    /// The function that takes events; the guard must not live while Python code can run.
    fn callback(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.callback.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn backwards(py: Python<'_>, now: u64, time: u64) -> PyErr {
    let text = format!("it is {now} already, and time does not run backwards to {time}");
    exception(py, "ValueRangeError", text)
}
