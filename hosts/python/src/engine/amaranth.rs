//! Processes and testbenches of Amaranth: the framework runs their coroutines, here is when.

use std::sync::Mutex;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::bits::Bits;
use super::core::{Core, SlotId, Target, When};
use super::signals::{Signals, lock};
use super::trigger::{Part, Trigger, Waits, Wake};
use crate::number::to_python;

/// A clock: its slot, when it first flips, and how often then.
struct Clock {
    slot: SlotId,
    phase: i128,
    half: i128,
    started: bool,
    runnable: bool,
}

/// A process or a testbench.
struct Runner {
    process: Py<PyAny>,
    testbench: bool,
    runnable: bool,
}

/// What can be woken.
enum Woken {
    Clock(usize),
    Trigger(Py<Trigger>),
    /// A function, to be called again as long as it returns True, and the slots that it is called for.
    Call(Py<PyAny>, Vec<SlotId>),
    /// To be used again.
    Free,
}

/// A simulation with Amaranth's processes.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct AmaranthKernel {
    pub signals: Py<Signals>,
    clocks: Mutex<Vec<Clock>>,
    runners: Mutex<Vec<Runner>>,
    targets: Mutex<Vec<Woken>>,
    /// Triggers that fire in the next round.
    active: Mutex<Vec<Py<Trigger>>>,

    /// Computes values of expressions: `sample(part)`. Its `BrokenTrigger` is raised by triggers.
    engine: Mutex<Option<Py<PyAny>>>,
}

#[pymethods]
impl AmaranthKernel {
    #[new]
    fn new(signals: Py<Signals>, engine: Py<PyAny>) -> AmaranthKernel {
        AmaranthKernel {
            signals,
            clocks: Mutex::default(),
            runners: Mutex::default(),
            targets: Mutex::default(),
            active: Mutex::default(),

            engine: Mutex::new(Some(engine)),
        }
    }

    /// A clock, which begins to flip after `phase`.
    fn add_clock(&self, slot: SlotId, phase: i128, half: i128) {
        let mut clocks = lock(&self.clocks);
        let mut targets = lock(&self.targets);
        let target = targets.len();
        targets.push(Woken::Clock(clocks.len()));
        drop(targets);
        self.signals.get().core().add_clock(target, slot, half);
        clocks.push(Clock {
            slot,
            phase,
            half,
            started: false,
            runnable: true,
        });
    }

    /// A process or a testbench: an `AsyncProcess` of the framework.
    fn add_process(&self, process: Py<PyAny>, testbench: bool) {
        lock(&self.runners).push(Runner {
            process,
            testbench,
            runnable: true,
        });
    }

    /// A trigger for a process. Each part is `(kind, value, ...)`: see the engine.
    fn add_trigger(
        slf: &Bound<'_, Self>,
        process: &Bound<'_, PyAny>,
        parts: Vec<Bound<'_, PyAny>>,
        oneshot: bool,
    ) -> PyResult<Py<Trigger>> {
        let (py, kernel) = (slf.py(), slf.get());
        let runners = lock(&kernel.runners);
        let runner = runners.iter().position(|r| r.process.is(process));
        drop(runners);
        let runner = runner.ok_or_else(|| {
            PyValueError::new_err("a trigger belongs to a process of the same simulation")
        })?;
        let (mut rows, mut wakes) = (Vec::new(), Vec::new());
        for (i, part) in parts.iter().enumerate() {
            let (row, wake) = part_of(part)?;
            rows.push(row);
            wakes.extend(wake.map(|wake| (i as u32, wake)));
        }
        let trigger = Trigger {
            kernel: slf.clone().unbind(),
            process: process.clone().unbind(),
            runner,
            parts: rows,
            wakes,
            oneshot,
            run: Mutex::new(Waits::default()),
        };
        let trigger = Py::new(py, trigger)?;
        kernel.arm(py, &trigger)?;
        Ok(trigger)
    }

    /// Runs rounds until nothing changes.
    fn step_design(&self, py: Python<'_>) -> PyResult<()> {
        let signals = self.signals.get();
        loop {
            let fired = std::mem::take(&mut *lock(&self.active));
            for trigger in fired {
                self.fire(py, &trigger)?;
            }
            self.flip_clocks(py)?;
            self.run(py, false)?;
            let again = signals.with(py, Core::commit)?;
            self.tell(py)?;
            self.take_woken(py)?;
            if !again {
                return signals.with(py, Core::record);
            }
        }
    }

    /// Everything that happens at the present time, then on to the next deadline. True while something is critical. When
    /// nobody has looked at the time for long, the same again some times.
    fn advance(&self, py: Python<'_>) -> PyResult<bool> {
        self.signals.get().in_strides(py, || self.go_on(py))
    }

    /// Everything as it was in the beginning; the caller starts the processes anew.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.signals.get().with(py, Core::reset)?;
        let active = std::mem::take(&mut *lock(&self.active));
        let is_clock = |woken: &Woken| matches!(woken, Woken::Clock(_));
        let mut targets = lock(&self.targets);
        let mut gone = Vec::new();
        for target in targets.iter_mut().filter(|target| !is_clock(target)) {
            gone.push(std::mem::replace(target, Woken::Free));
        }
        drop(targets);
        for clock in lock(&self.clocks).iter_mut() {
            (clock.started, clock.runnable) = (false, true);
        }
        for runner in lock(&self.runners).iter_mut() {
            runner.runnable = true;
        }
        drop((active, gone));
        Ok(())
    }

    /// Rounds so far.
    #[getter]
    fn rounds(&self) -> u64 {
        self.signals.get().core().rounds
    }

    /// Calls a function after an interval.
    fn call_after(&self, interval: i128, call: Py<PyAny>) {
        let target = self.add_target(Woken::Call(call, Vec::new()));
        self.signals
            .get()
            .core()
            .timeline
            .after(target, 0, interval);
    }

    /// Calls a function whenever one of these slots has changed, as long as it returns True.
    fn call_on_change(&self, py: Python<'_>, slots: Vec<SlotId>, call: Py<PyAny>) -> PyResult<()> {
        let target = self.add_target(Woken::Call(call, slots.clone()));
        self.signals.get().with(py, |core| {
            let mut slots = slots.into_iter();
            slots.try_for_each(|slot| core.wait(slot, target, 0, When::Changed))
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.signals)?;
        if let Ok(engine) = self.engine.try_lock() {
            visit.call(&*engine)?;
        }
        if let Ok(runners) = self.runners.try_lock() {
            for runner in &*runners {
                visit.call(&runner.process)?;
            }
        }
        if let Ok(targets) = self.targets.try_lock() {
            for target in &*targets {
                match target {
                    Woken::Trigger(trigger) => visit.call(trigger)?,
                    Woken::Call(call, _) => visit.call(call)?,
                    Woken::Clock(_) | Woken::Free => {}
                }
            }
        }
        if let Ok(active) = self.active.try_lock() {
            for trigger in &*active {
                visit.call(trigger)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let engine = lock(&self.engine).take();
        let runners = std::mem::take(&mut *lock(&self.runners));
        let targets = std::mem::take(&mut *lock(&self.targets));
        let active = std::mem::take(&mut *lock(&self.active));
        drop((engine, runners, targets, active));
    }
}

impl AmaranthKernel {
    /// Everything that happens at the present time, then on to the next deadline. True while something is critical.
    fn go_on(&self, py: Python<'_>) -> PyResult<bool> {
        self.step_design(py)?;
        while self.run(py, true)? {}
        let critical = self.is_critical(py)?;
        self.signals.get().pass(py, critical)?;
        self.take_woken(py)?;
        Ok(critical)
    }

    /// Whether a process or testbench keeps the simulation going.
    fn is_critical(&self, py: Python<'_>) -> PyResult<bool> {
        let count = lock(&self.runners).len();
        for i in 0..count {
            let process = lock(&self.runners)[i].process.clone_ref(py);
            let critical = process.bind(py).getattr(intern!(py, "critical"))?;
            if critical.is_truthy()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The value of an expression that is sampled.
    pub fn sample<'py>(&self, py: Python<'py>, part: &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.engine(py)?
            .call_method1(intern!(py, "sample"), (part,))
    }

    /// The exception of the framework for a trigger that was missed.
    pub fn broken(&self, py: Python<'_>) -> PyErr {
        let made = self
            .engine(py)
            .and_then(|engine| engine.getattr("BrokenTrigger"))
            .and_then(|class| class.call0());
        made.map_or_else(|error| error, PyErr::from_value)
    }

    fn engine<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = lock(&self.engine)
            .as_ref()
            .map(|engine| engine.clone_ref(py));
        let engine = engine.ok_or_else(|| PyValueError::new_err("the simulation has ended"))?;
        Ok(engine.into_bound(py))
    }

    /// A number for something that can be woken.
    fn add_target(&self, woken: Woken) -> Target {
        let mut targets = lock(&self.targets);
        let is_free = |target: &Woken| matches!(target, Woken::Free);
        match targets.iter().position(is_free) {
            Some(free) => {
                targets[free] = woken;
                free
            }
            None => {
                targets.push(woken);
                targets.len() - 1
            }
        }
    }

    /// A trigger begins to wait.
    fn arm(&self, py: Python<'_>, trigger: &Py<Trigger>) -> PyResult<()> {
        let target = self.add_target(Woken::Trigger(trigger.clone_ref(py)));
        let inner = trigger.get();
        lock(&inner.run).target = target;
        self.signals.get().with(py, |core| {
            inner
                .wakes
                .iter()
                .try_for_each(|(reason, wake)| match wake {
                    Wake::Slot(slot, when) => core.wait(*slot, target, *reason, *when),
                    Wake::After(interval) => {
                        core.timeline.after(target, *reason, *interval);
                        Ok(())
                    }
                })
        })
    }

    /// A trigger samples and lets its process run. Delays begin anew, even those of a trigger that is over: time stops
    /// there as it does with Amaranth's own engine.
    fn fire(&self, py: Python<'_>, trigger: &Py<Trigger>) -> PyResult<()> {
        let inner = trigger.get();
        inner.fire(py)?;
        lock(&self.runners)[inner.runner].runnable = true;
        let target = lock(&inner.run).target;
        let mut core = self.signals.get().core();
        let mut delays = false;
        for (reason, wake) in &inner.wakes {
            match wake {
                Wake::After(interval) => {
                    core.timeline.after(target, *reason, *interval);
                    delays = true;
                }
                Wake::Slot(slot, _) if inner.oneshot => core.forget(*slot, target),
                Wake::Slot(..) => {}
            }
        }
        drop(core);
        if inner.oneshot && !delays {
            self.free(target);
        }
        Ok(())
    }

    fn free(&self, target: Target) {
        let before = std::mem::replace(&mut lock(&self.targets)[target], Woken::Free);
        drop(before);
    }

    /// A trigger that was missed wakes nobody any more.
    fn disarm(&self, trigger: &Trigger) {
        let target = lock(&trigger.run).target;
        let mut core = self.signals.get().core();
        let mut delays = false;
        for (_, wake) in &trigger.wakes {
            match wake {
                Wake::Slot(slot, _) => core.forget(*slot, target),
                Wake::After(_) => delays = true,
            }
        }
        drop(core);
        // A deadline that is still to come has its number.
        if !delays {
            self.free(target);
        }
    }

    fn take_woken(&self, py: Python<'_>) -> PyResult<()> {
        let woken = std::mem::take(&mut self.signals.get().core().woken);
        let mut calls = Vec::new();
        for (target, reason) in woken {
            let trigger = match &lock(&self.targets)[target] {
                Woken::Clock(clock) => {
                    lock(&self.clocks)[*clock].runnable = true;
                    continue;
                }
                Woken::Trigger(trigger) => trigger.clone_ref(py),
                Woken::Call(..) => {
                    calls.push(target);
                    continue;
                }
                Woken::Free => continue,
            };
            if Trigger::activate(trigger.bind(py), reason)? {
                lock(&self.active).push(trigger);
            } else if lock(&trigger.get().run).broken {
                self.disarm(trigger.get());
            }
        }
        calls
            .into_iter()
            .try_for_each(|target| self.call(py, target))
    }

    /// Calls a function that waits; it is forgotten when it does not return True.
    fn call(&self, py: Python<'_>, target: Target) -> PyResult<()> {
        let (call, slots) = match &lock(&self.targets)[target] {
            Woken::Call(call, slots) => (call.clone_ref(py), slots.clone()),
            _ => return Ok(()),
        };
        if !call.bind(py).call0()?.is_truthy()? {
            let mut core = self.signals.get().core();
            for slot in slots {
                core.forget(slot, target);
            }
            drop(core);
            self.free(target);
        }
        Ok(())
    }

    /// Passes on what the design told; an error that the engine makes of it comes from here.
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let events = std::mem::take(&mut self.signals.get().core().events);
        for (site, values) in events {
            let values = values.iter().map(|value| to_python(py, value));
            let values = values.collect::<PyResult<Vec<_>>>()?;
            let told = self.engine(py)?;
            told.call_method1(intern!(py, "told"), (site, values))?;
        }
        Ok(())
    }

    fn flip_clocks(&self, py: Python<'_>) -> PyResult<()> {
        let mut clocks = lock(&self.clocks);
        if !clocks.iter().any(|clock| clock.runnable) {
            return Ok(());
        }
        let targets = lock(&self.targets);
        let numbers = targets
            .iter()
            .enumerate()
            .filter_map(|(target, woken)| match woken {
                Woken::Clock(clock) => Some((target, *clock)),
                _ => None,
            });
        self.signals.get().with(py, |core| {
            for (target, clock) in numbers {
                let clock = &mut clocks[clock];
                if !std::mem::take(&mut clock.runnable) {
                    continue;
                }
                if std::mem::replace(&mut clock.started, true) {
                    let level = core.read(clock.slot)?.bit(0);
                    core.write(clock.slot, Bits::Word(u64::from(!level)))?;
                    core.timeline.after(target, 0, clock.half);
                } else {
                    core.timeline.after(target, 0, clock.phase);
                }
            }
            Ok(())
        })
    }

    /// Runs every process, or every testbench, that is to run. True when one did.
    fn run(&self, py: Python<'_>, testbenches: bool) -> PyResult<bool> {
        let (mut i, mut ran) = (0, false);
        loop {
            let process = {
                let mut runners = lock(&self.runners);
                let Some(runner) = runners.get_mut(i) else {
                    return Ok(ran);
                };
                let due = runner.testbench == testbenches && std::mem::take(&mut runner.runnable);
                due.then(|| runner.process.clone_ref(py))
            };
            if let Some(process) = process {
                ran = true;
                let process = process.bind(py);
                process.setattr(intern!(py, "runnable"), false)?;
                process.call_method0(intern!(py, "run"))?;
                let waits_on = process.getattr(intern!(py, "waits_on"))?;
                if !waits_on.is_none() && !waits_on.is_instance_of::<Trigger>() {
                    return Err(PyTypeError::new_err(
                        "Async processes may only await simulation triggers",
                    ));
                }
            }
            i += 1;
        }
    }
}

/// A part as the engine describes it: `("signal", slot)`, `("sample", expression)`, `("changed", slot, expression or None)`,
/// `("edge", slot, bit, level)`, `("delay", interval)`.
fn part_of(part: &Bound<'_, PyAny>) -> PyResult<(Part, Option<Wake>)> {
    let kind: String = part.get_item(0)?.extract()?;
    let first = part.get_item(1)?;
    Ok(match kind.as_str() {
        "signal" => (Part::Signal(first.extract()?), None),
        "sample" => (Part::Sample(first.unbind()), None),
        "constant" => (Part::Constant(first.unbind()), None),
        "changed" => {
            let slot = first.extract()?;
            let sampled = part.get_item(2)?;
            let part = match sampled.is_none() {
                true => Part::Signal(slot),
                false => Part::Sample(sampled.unbind()),
            };
            (part, Some(Wake::Slot(slot, When::Changed)))
        }
        "edge" => {
            let (bit, level) = (part.get_item(2)?.extract()?, part.get_item(3)?.extract()?);
            let when = When::Edge { bit, level };
            (Part::Hit, Some(Wake::Slot(first.extract()?, when)))
        }
        _ => (Part::Hit, Some(Wake::After(first.extract()?))),
    })
}
