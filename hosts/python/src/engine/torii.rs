//! Processes of Torii: generators whose commands are carried out here, and clocks.

use pyo3::exceptions::{PyException, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyDict, PyIterator};

use super::bits::Bits;
use super::core::Core;
use super::held::{Held, lock};
use super::signals::Signals;
use super::slot::{Gate, Late, SlotId, Target, Waiter, When};

/// The classes of Torii that commands are told apart by.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Classes {
    tick: Py<PyAny>,
    settle: Py<PyAny>,
    delay: Py<PyAny>,
    passive: Py<PyAny>,
    active: Py<PyAny>,
    signal: Py<PyAny>,
    constant: Py<PyAny>,
    assign: Py<PyAny>,
}

/// Something that runs in rounds.
enum Runner {
    Clock {
        slot: SlotId,
        phase: i128,
        half: i128,
        started: bool,
    },
    Process(Process),
}

struct Process {
    constructor: Py<PyAny>,
    default: Option<Py<PyAny>>,
    /// None: it has returned.
    generator: Option<Py<PyAny>>,
    passive: bool,
    waits_on: Vec<SlotId>,
}

/// What a process does after a command.
enum Next<'py> {
    GoOn(Bound<'py, PyAny>),
    Wait,
}

/// A simulation with Torii's processes.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct ToriiKernel {
    signals: Py<Signals>,
    runners: Held<Vec<Runner>>,
    /// Whether a runner is to run, by its number.
    runnable: Held<Vec<bool>>,
    /// What a Tick of each domain waits for: slot, level, and the slot of an asynchronous reset.
    domains: Py<PyDict>,
    classes: Classes,
    /// Carries out what is not done here: `other(target, command)`, `domain(target, command)`.
    commands: Held<Option<Py<PyAny>>>,
}

#[pymethods]
impl ToriiKernel {
    #[new]
    fn new(
        py: Python<'_>,
        signals: Py<Signals>,
        classes: &Bound<'_, PyDict>,
        commands: Py<PyAny>,
    ) -> PyResult<ToriiKernel> {
        Ok(ToriiKernel {
            signals,
            runners: Held::default(),
            runnable: Held::default(),
            domains: PyDict::new(py).unbind(),
            classes: classes.extract()?,
            commands: Held::new(Some(commands)),
        })
    }

    /// A clock, which begins to flip after `phase`.
    fn add_clock(&self, slot: SlotId, phase: i64, half: i64) {
        let target = lock(&self.runners).len();
        let mut core = self.signals.get().core();
        core.add_clock(target, slot, half.into());
        drop(core);
        self.add(Runner::Clock {
            slot,
            phase: phase.into(),
            half: half.into(),
            started: false,
        });
    }

    /// A process: a function that makes a generator, and the command that stands for None.
    fn add_process(
        &self,
        py: Python<'_>,
        constructor: Py<PyAny>,
        default: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let generator = constructor.call0(py)?;
        self.add(Runner::Process(Process {
            constructor,
            default,
            generator: Some(generator),
            passive: false,
            waits_on: Vec::new(),
        }));
        Ok(())
    }

    /// The generator of a process, for messages.
    fn generator(&self, py: Python<'_>, target: Target) -> Option<Py<PyAny>> {
        match lock(&self.runners).get(target) {
            Some(Runner::Process(process)) => process.generator.as_ref().map(|g| g.clone_ref(py)),
            _ => None,
        }
    }

    /// Runs rounds until nothing changes, then goes on to the next deadline. True while a process is active. When nobody
    /// has looked at the time for long, the same again some times.
    fn advance(&self, py: Python<'_>) -> PyResult<bool> {
        self.signals.get().in_strides(py, || self.go_on(py))
    }

    /// Everything as it was in the beginning, with every process started anew.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.signals.get().with(py, Core::reset)?;
        let count = lock(&self.runners).len();
        for target in 0..count {
            let constructor = match &mut lock(&self.runners)[target] {
                Runner::Clock { started, .. } => {
                    *started = false;
                    None
                }
                Runner::Process(process) => {
                    process.passive = false;
                    process.waits_on.clear();
                    Some(process.constructor.clone_ref(py))
                }
            };
            let generator = constructor
                .map(|constructor| constructor.call0(py))
                .transpose()?;
            let before = match &mut lock(&self.runners)[target] {
                Runner::Process(process) => std::mem::replace(&mut process.generator, generator),
                Runner::Clock { .. } => None,
            };
            drop(before);
            lock(&self.runnable)[target] = true;
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(commands) = self.commands.try_lock() {
            visit.call(&*commands)?;
        }
        if let Ok(runners) = self.runners.try_lock() {
            for runner in runners.iter() {
                if let Runner::Process(process) = runner {
                    visit.call(&process.constructor)?;
                    visit.call(&process.default)?;
                    visit.call(&process.generator)?;
                }
            }
        }
        visit.call(&self.domains)?;
        visit.call(&self.signals)
    }

    fn __clear__(&self) {
        let commands = lock(&self.commands).take();
        let runners = std::mem::take(&mut *lock(&self.runners));
        drop((commands, runners));
    }
}

impl ToriiKernel {
    /// Runs rounds until nothing changes, then goes on to the next deadline. True while a process is active.
    fn go_on(&self, py: Python<'_>) -> PyResult<bool> {
        let signals = self.signals.get();
        let is_active =
            |runner: &Runner| matches!(runner, Runner::Process(process) if !process.passive);
        let active = loop {
            self.run_all(py)?;
            let more = signals.with(py, |core| core.commit(false))?;
            let active = lock(&self.runners).iter().any(is_active);
            // Who is woken by what is owed comes before the end.
            if !more && !active && signals.core().owes_news() {
                signals.with(py, Core::act)?;
            } else if !more {
                break active;
            }
            self.take_woken();
        };
        signals.pass(py, active)?;
        self.take_woken();
        Ok(active)
    }

    fn add(&self, runner: Runner) {
        lock(&self.runnable).push(true);
        lock(&self.runners).push(runner);
    }

    fn ask<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        arguments: impl pyo3::call::PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let commands = {
            let commands = lock(&self.commands);
            commands.as_ref().map(|commands| commands.clone_ref(py))
        };
        let commands = commands.ok_or_else(|| PyValueError::new_err("the simulation has ended"))?;
        commands.bind(py).call_method1(method, arguments)
    }

    /// Whoever has been woken is to run.
    fn take_woken(&self) {
        let mut core = self.signals.get().core();
        let mut runnable = lock(&self.runnable);
        for (target, _) in core.woken.drain(..) {
            runnable[target] = true;
        }
    }

    /// Runs everything that is woken once, in the order in which it was added.
    fn run_all(&self, py: Python<'_>) -> PyResult<()> {
        let mut target = 0;
        loop {
            {
                let mut runnable = lock(&self.runnable);
                let next = runnable.iter().skip(target).position(|due| *due);
                let Some(next) = next else {
                    return Ok(());
                };
                target += next;
                runnable[target] = false;
            }
            self.run(py, target)?;
            target += 1;
        }
    }

    fn run(&self, py: Python<'_>, target: Target) -> PyResult<()> {
        let (generator, waits_on) = match &mut lock(&self.runners)[target] {
            Runner::Clock {
                slot,
                phase,
                half,
                started,
            } => {
                let started = std::mem::replace(started, true);
                let (slot, wait) = (*slot, if started { *half } else { *phase });
                return self.signals.get().with(py, |core| {
                    core.timeline.after(target, 0, wait);
                    if started {
                        let level = core.read(slot)?.bit(0);
                        core.write(slot, Bits::Word(u64::from(!level)))?;
                    }
                    Ok(())
                });
            }
            Runner::Process(process) => {
                let waits_on = std::mem::take(&mut process.waits_on);
                let generator = process.generator.as_ref();
                (generator.map(|generator| generator.clone_ref(py)), waits_on)
            }
        };
        let Some(generator) = generator else {
            return Ok(());
        };
        {
            let mut core = self.signals.get().core();
            for slot in waits_on {
                core.forget(slot, target);
            }
        }
        self.resume(target, generator.bind(py))
    }

    /// Resumes a process until it waits or returns.
    fn resume(&self, target: Target, generator: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = generator.py();
        let mut sent: PyResult<Bound<'_, PyAny>> = Ok(py.None().into_bound(py));
        loop {
            let yielded = match sent {
                Ok(response) => {
                    let generator = generator.cast::<PyIterator>()?;
                    match generator.send(&response)? {
                        PySendResult::Next(command) => Some(command),
                        PySendResult::Return(_) => None,
                    }
                }
                Err(error) => throw(generator, error)?,
            };
            let Some(command) = yielded else {
                let before = match &mut lock(&self.runners)[target] {
                    Runner::Process(process) => {
                        process.passive = true;
                        process.generator.take()
                    }
                    Runner::Clock { .. } => None,
                };
                drop(before);
                return Ok(());
            };
            sent = match self.carry_out(target, command) {
                Ok(Next::Wait) => return Ok(()),
                Ok(Next::GoOn(response)) => Ok(response),
                Err(error) if error.is_instance_of::<PyException>(py) => Err(error),
                Err(error) => return Err(error),
            };
        }
    }

    fn carry_out<'py>(
        &self,
        target: Target,
        mut command: Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        let py = command.py();
        if command.is_none() {
            let default = match &lock(&self.runners)[target] {
                Runner::Process(process) => process.default.as_ref().map(|d| d.clone_ref(py)),
                Runner::Clock { .. } => None,
            };
            if let Some(default) = default {
                command = default.into_bound(py);
            }
        }
        let class = command.get_type_ptr() as *mut pyo3::ffi::PyObject;
        let classes = &self.classes;
        let nothing = || Next::GoOn(py.None().into_bound(py));
        if class == classes.signal.as_ptr() {
            let signals = self.signals.get();
            let slot = signals.slot(&command)?;
            return Ok(Next::GoOn(signals.read(py, slot)?));
        }
        if class == classes.assign.as_ptr() && self.assign(&command)? {
            return Ok(nothing());
        }
        if class == classes.tick.as_ptr() {
            self.tick(target, &command)?;
            return Ok(Next::Wait);
        }
        if class == classes.settle.as_ptr() {
            // When everything has settled, before time goes on.
            self.signals.get().core().timeline.after(target, 0, 0);
            return Ok(Next::Wait);
        }
        if class == classes.delay.as_ptr() {
            let interval: Option<f64> = command.getattr(intern!(py, "interval"))?.extract()?;
            // Time is in picoseconds.
            let interval = (interval.unwrap_or(0.0) * 1e12) as i128;
            self.signals
                .get()
                .core()
                .timeline
                .after(target, 0, interval);
            return Ok(Next::Wait);
        }
        if class == classes.passive.as_ptr() || class == classes.active.as_ptr() {
            if let Runner::Process(process) = &mut lock(&self.runners)[target] {
                process.passive = class == classes.passive.as_ptr();
            }
            return Ok(nothing());
        }
        Ok(Next::GoOn(self.ask(py, "other", (target, command))?))
    }

    /// A constant to a whole signal, which most assignments of testbenches are. False: it is something else.
    fn assign(&self, command: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (py, classes) = (command.py(), &self.classes);
        let left = command.getattr(intern!(py, "lhs"))?;
        let right = command.getattr(intern!(py, "rhs"))?;
        let is = |object: &Bound<'_, PyAny>, class: &Py<PyAny>| {
            object.get_type_ptr() as *mut pyo3::ffi::PyObject == class.as_ptr()
        };
        if !is(&left, &classes.signal) || !is(&right, &classes.constant) {
            return Ok(false);
        }
        let signals = self.signals.get();
        let slot = signals.slot(&left)?;
        if signals.write(slot, &right.getattr(intern!(py, "value"))?)? {
            return Ok(true);
        }
        // The error is made there.
        Ok(false)
    }

    fn tick(&self, target: Target, command: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = command.py();
        let domain = command.getattr(intern!(py, "domain"))?;
        let known = self.domains.bind(py).get_item(&domain)?;
        let waits = match known {
            Some(waits) => waits,
            None => {
                let waits = self.ask(py, "domain", (target, command))?;
                self.domains.bind(py).set_item(&domain, &waits)?;
                waits
            }
        };
        let (clock, level, reset): (SlotId, bool, Option<SlotId>) = waits.extract()?;
        let edge = |level| Waiter {
            target,
            reason: 0,
            when: When::Edge { bit: 0, level },
            gate: Gate::Open,
            late: Late::No,
        };
        self.signals.get().with(py, |core| {
            core.wait(clock, edge(level))?;
            reset.map_or(Ok(()), |reset| core.wait(reset, edge(true)))
        })?;
        if let Runner::Process(process) = &mut lock(&self.runners)[target] {
            process.waits_on.push(clock);
            process.waits_on.extend(reset);
        }
        Ok(())
    }
}

/// Throws an error into a generator; None: it returned.
fn throw<'py>(generator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = generator.py();
    match generator.call_method1(intern!(py, "throw"), (error.into_value(py),)) {
        Ok(command) => Ok(Some(command)),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyStopIteration>(py) => Ok(None),
        Err(error) => Err(error),
    }
}
