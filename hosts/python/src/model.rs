//! A running model as a Python object: names, values, calls, events, snapshots.
//!
//! One thread uses a model at a time. A second one that calls it meanwhile gets an exception rather than waiting, since
//! it would wait with the interpreter lock in its hands.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rtlwasm_host::manifest::EventSite;
use rtlwasm_host::{Clock as HostClock, Error, ModelOptions, Probe, Snapshot, Status};
use rustc_hash::FxHashMap;

use crate::artifact::Artifact;
use crate::clock::Clock;
use crate::errors::{answered, asked, caught, exception, guarded, not_loaded};
use crate::event::Event;
use crate::number::{self, from_python};
use crate::reference::Engine;
use crate::run::{Piece, Run, Unit};
use crate::signal::Signal;
use crate::state::State;
use crate::view::Views;

/// One running model of an artifact.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Model {
    artifact: Py<Artifact>,
    engine: Engine,
    pub host: rtlwasm_host::Artifact,
    pub views: Views,
    /// The clock of a design that has one.
    pub clock: Option<HostClock>,
    state: Mutex<State>,
    pub names: Mutex<FxHashMap<String, Probe>>,
    callback: Mutex<Option<Py<PyAny>>>,
    /// False when nothing is to stop runs: all that a run without breaks looks at.
    watching: AtomicBool,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (artifact, *, engine = "wasm", seed = 0, plusargs = Vec::new(), fork_of = None))]
    fn new(
        py: Python<'_>,
        artifact: &Bound<'_, Artifact>,
        engine: &str,
        #[pyo3(from_py_with = number::seed)] seed: u64,
        plusargs: Vec<String>,
        fork_of: Option<&Bound<'_, Model>>,
    ) -> PyResult<Model> {
        let engine = match fork_of {
            Some(other) => other.get().engine,
            None => Engine::from_name(py, engine)?,
        };
        let host = artifact.get().for_engine(py, engine)?;
        let made = match fork_of {
            Some(other) => {
                let other = other.get();
                if artifact.as_ptr() != other.artifact.as_ptr() {
                    let text = "a fork has the artifact of its model";
                    return Err(exception(py, "ForeignError", text));
                }
                let mut state = other.lock(py)?;
                let (model, views) = (&mut state.recorded.model, &other.views);
                let fork = || {
                    views.before(model);
                    model.fork()
                };
                guarded(py, || py.detach(fork))?
            }
            None => {
                let plusargs = plusargs.iter().map(|text| without_plus(text).into());
                let options = ModelOptions {
                    cache_dir: None,
                    seed,
                    plusargs: plusargs.collect(),
                };
                guarded(py, || py.detach(|| host.model(&options)))?
            }
        };
        let model = made.map_err(|error| not_loaded(py, &error))?;
        Ok(Model {
            artifact: artifact.clone().unbind(),
            engine,
            views: Views::default(),
            clock: host.only_clock().ok(),
            host,
            state: Mutex::new(State::new(model)),
            names: Mutex::default(),
            callback: Mutex::new(None),
            watching: AtomicBool::new(false),
        })
    }

    /// What this is a model of.
    #[getter]
    fn artifact(&self, py: Python<'_>) -> Py<Artifact> {
        self.artifact.clone_ref(py)
    }

    /// What runs it: "wasm", "interp" or "both".
    #[getter]
    pub fn engine(&self) -> &'static str {
        self.engine.name()
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
        #[pyo3(from_py_with = number::cycles)] cycles: u64,
        clock: Option<&Bound<'_, PyAny>>,
        progress: bool,
    ) -> PyResult<Py<Run>> {
        let clock = self.chosen_clock(py, clock)?;
        let ended = self.drive(py, (cycles, Unit::Cycles), progress, |recorded, most| {
            recorded.step(clock, most).map(Piece::from)
        })?;
        self.answer(py, ended)
    }

    /// Steps a clock until a signal of up to 64 bits has a value; see `run_until`.
    #[pyo3(name = "_step_until", signature = (signal, value, max_cycles, *, clock = None, progress = false))]
    fn step_until(
        &self,
        py: Python<'_>,
        signal: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = number::cycles)] max_cycles: u64,
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
        let ended = self.drive(
            py,
            (max_cycles, Unit::Cycles),
            progress,
            |recorded, most| {
                recorded
                    .run_until(clock, most, signal, wanted)
                    .map(|run| match run.status {
                        // The condition came true: nothing is left to do.
                        Status::Ok => Piece {
                            done: u64::MAX,
                            ..run.into()
                        },
                        _ => run.into(),
                    })
            },
        )?;
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
    fn advance(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::time)] duration: u64,
        progress: bool,
    ) -> PyResult<Py<Run>> {
        let ended = self.drive(py, (duration, Unit::Time), progress, |recorded, most| {
            let start = recorded.model.time();
            let run = recorded.advance(start.saturating_add(most))?;
            Ok(Piece {
                done: recorded.model.time() - start,
                ..run.into()
            })
        })?;
        self.answer(py, ended)
    }

    /// Runs the started clocks until a time, in time units since reset. Raises ValueRangeError when that is past.
    #[pyo3(signature = (time, *, progress = false))]
    fn advance_to(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::time)] time: u64,
        progress: bool,
    ) -> PyResult<Py<Run>> {
        let now = self.time(py)?;
        let Some(duration) = time.checked_sub(now) else {
            return Err(backwards(py, now, time));
        };
        self.advance(py, duration, progress)
    }

    /// Power-on: state to its initial image, time to 0, `initial` blocks run, logic settled. Clock periods stay.
    ///
    /// seed: of everything random in the design, 64 bits; by default the one that the model has.
    #[pyo3(signature = (seed = None))]
    fn reset(&self, py: Python<'_>, seed: Option<&Bound<'_, PyAny>>) -> PyResult<Py<Run>> {
        let seed = seed.map(number::seed).transpose()?;
        self.once(py, move |model| model.reset(seed.unwrap_or(model.seed())))
    }

    /// Present time in time units; set it to move forward.
    #[getter]
    fn time(&self, py: Python<'_>) -> PyResult<u64> {
        self.look(py, |model| Ok(model.time()))
    }

    #[setter]
    fn set_time(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = number::time)] time: u64,
    ) -> PyResult<()> {
        let now = self.time(py)?;
        if time < now {
            return Err(backwards(py, now, time));
        }
        self.change(py, |model| {
            model.set_time(time);
            Ok(())
        })
    }

    /// All that decides the future, as bytes: registers, memories, inputs, time, clocks, random state.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let snapshot = self.look(py, |model| Ok(model.snapshot()))?;
        Ok(PyBytes::new(py, snapshot.as_bytes()))
    }

    /// Goes back (or forth) to a snapshot; nothing needs to be settled afterwards. Events are not taken back.
    ///
    /// Raises ForeignError when it is of another design or build.
    fn restore(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        let snapshot = Snapshot::from_bytes(snapshot.to_vec());
        self.change(py, |model| model.restore(&snapshot))
    }

    /// The events since the last call of this method, oldest first; of many, the last 65,536.
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
        let model = slf.get();
        let signal = match path.cast::<PyString>() {
            Ok(text) => {
                let text = text.to_str()?;
                asked(slf.py(), || model.host.signal(text))?
            }
            Err(_) => model.signal_by_path(path)?,
        };
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
    #[pyo3(name = "_load_memory")]
    fn load_memory(
        &self,
        py: Python<'_>,
        memory: &Bound<'_, Signal>,
        path: PathBuf,
    ) -> PyResult<usize> {
        let memory = memory.get().signal;
        self.change(py, |model| model.load_memory(memory, path))
    }

    /// Gives a plusarg, with or without its plus; False when the design does not ask for it.
    fn set_plusarg(&self, py: Python<'_>, text: &str) -> PyResult<bool> {
        self.change(py, |model| model.set_plusarg(without_plus(text)))
    }

    /// How often each cover was hit since reset: pairs of name and count.
    fn covers(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        let sites = self.host.manifest().events.iter().enumerate();
        self.look(py, |model| {
            let count =
                |(i, site): (usize, &EventSite)| Some((site.name.clone(), model.cover_count(i)?));
            Ok(sites.filter_map(count).collect())
        })
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

    /// Whether anything may stop a run.
    pub fn is_watching(&self) -> bool {
        self.watching.load(Ordering::Relaxed)
    }

    pub fn set_watching(&self, watching: bool) {
        self.watching.store(watching, Ordering::Relaxed);
    }

    /// Looks at the model, which has taken in what was written through views.
    pub fn look<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut rtlwasm_host::Model) -> Result<T, Error>,
    ) -> PyResult<T> {
        let mut state = self.lock(py)?;
        let model = &mut state.recorded.model;
        let answer = caught(|| {
            self.views.before(model);
            work(model)
        });
        // Python code that runs for the answer may come here again.
        drop(state);
        answered(py, answer)
    }

    /// The same for what changes values: views show it.
    pub fn change<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut rtlwasm_host::Model) -> Result<T, Error>,
    ) -> PyResult<T> {
        self.look(py, |model| {
            let answer = work(model)?;
            self.views.after(model)?;
            Ok(answer)
        })
    }

    /// One call that is not divided.
    pub fn once(
        &self,
        py: Python<'_>,
        mut call: impl FnMut(&mut rtlwasm_host::Model) -> Result<rtlwasm_host::Run, Error> + Send,
    ) -> PyResult<Py<Run>> {
        let ended = self.drive(py, (0, Unit::Call), false, |recorded, _| {
            recorded.once(&mut call).map(Piece::from)
        })?;
        self.answer(py, ended)
    }

    /// The event as Python sees it.
    pub fn event(&self, event: rtlwasm_host::Event) -> Option<Event> {
        let site = self.host.manifest().events.get(event.site as usize)?;
        Some(Event::new(event, site))
    }

    /// Gives events to the callback, if there is one. It may itself run the model, or leave: what it has not seen by
    /// then is kept.
    pub fn deliver_events(&self, py: Python<'_>) -> PyResult<()> {
        loop {
            let callback = self
                .callback()
                .as_ref()
                .map(|callback| callback.clone_ref(py));
            let Some(callback) = callback else {
                return Ok(());
            };
            let Some(event) = self.next_event(py)? else {
                return Ok(());
            };
            callback.call1(py, (event,))?;
        }
    }

    /// Takes the oldest event that is kept.
    fn next_event(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        let mut state = self.lock(py)?;
        state.keep_events();
        while let Some(event) = state.events.pop_front() {
            if let Some(event) = self.event(event) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// The function that takes events; the guard must not live while Python code can run.
    fn callback(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.callback.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn without_plus(plusarg: &str) -> &str {
    plusarg.strip_prefix('+').unwrap_or(plusarg)
}

fn backwards(py: Python<'_>, now: u64, time: u64) -> PyErr {
    let text = format!("it is {now} already, and time does not run backwards to {time}");
    exception(py, "ValueRangeError", text)
}
