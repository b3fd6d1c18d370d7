//! Processes and testbenches of Amaranth: when each runs, and what wakes it.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::bits::Bits;
use super::core::Core;
use super::held::{Held, lock};
use super::process::Process;
use super::signals::Signals;
use super::slot::{Gate, Late, SlotId, Target, Waiter, When};
use super::targets::Woken;
use super::trigger::{Answer, Trigger, Waits, part_of};
use crate::number::to_python;

/// A clock: its slot, when it first flips, and how often then.
pub struct Clock {
    slot: SlotId,
    phase: i128,
    half: i128,
    target: Target,
    started: bool,
    pub runnable: bool,
}

/// A simulation with Amaranth's processes.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct AmaranthKernel {
    pub signals: Py<Signals>,
    pub clocks: Held<Vec<Clock>>,
    processes: Held<Vec<Py<Process>>>,
    pub targets: Held<Vec<Woken>>,
    /// Triggers that fire in the next round.
    pub active: Held<Vec<Py<Trigger>>>,
    /// Triggers whose condition the module is to know when time goes on.
    pub failed: Held<Vec<Py<Trigger>>>,
    /// Computes values of expressions: `sample(part)`. Its `BrokenTrigger` and `DomainReset` are raised by triggers.
    engine: Held<Option<Py<PyAny>>>,
}

#[pymethods]
impl AmaranthKernel {
    #[new]
    fn new(signals: Py<Signals>, engine: Py<PyAny>) -> AmaranthKernel {
        AmaranthKernel {
            signals,
            clocks: Held::default(),
            processes: Held::default(),
            targets: Held::default(),
            active: Held::default(),
            failed: Held::default(),
            engine: Held::new(Some(engine)),
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
            target,
            started: false,
            runnable: true,
        });
    }

    /// A process or a testbench: a function that makes a coroutine. The caller starts it.
    fn add_process(
        &self,
        py: Python<'_>,
        constructor: Py<PyAny>,
        testbench: bool,
        background: bool,
    ) -> PyResult<Py<Process>> {
        let process = Py::new(py, Process::new(constructor, testbench, background))?;
        lock(&self.processes).push(process.clone_ref(py));
        Ok(process)
    }

    /// A trigger for a process. Each part is `(kind, value, ...)`: see the engine. It begins to wait when it is awaited
    /// first; at once, if it goes on waiting afterwards.
    #[pyo3(signature = (process, parts, oneshot, answer = "row", count = 0))]
    fn add_trigger(
        slf: &Bound<'_, Self>,
        process: Py<Process>,
        parts: Vec<Bound<'_, PyAny>>,
        oneshot: bool,
        answer: &str,
        count: u32,
    ) -> PyResult<Py<Trigger>> {
        let (mut rows, mut wakes) = (Vec::new(), Vec::new());
        for (i, part) in parts.iter().enumerate() {
            let (row, wake) = part_of(part)?;
            rows.push(row);
            wakes.extend(wake.map(|wake| (i as u32, wake)));
        }
        let answer = Answer::named(answer, count)?;
        if answer != Answer::Row && rows.len() < 3 {
            return Err(PyValueError::new_err("a tick has three parts"));
        }
        let trigger = Trigger {
            kernel: slf.clone().unbind(),
            process,
            parts: rows,
            wakes,
            answer,
            oneshot,
            run: Held::new(Waits::default()),
        };
        let trigger = Bound::new(slf.py(), trigger)?;
        slf.get().arm(&trigger)?;
        Ok(trigger.unbind())
    }

    /// Runs rounds until nothing changes.
    fn step_design(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py, true)
    }

    /// Everything that happens at the present time, then on to the next deadline. True while something is critical. When
    /// nobody has looked at the time for long, the same again some times.
    fn advance(&self, py: Python<'_>) -> PyResult<bool> {
        self.signals.get().in_strides(py, || self.go_on(py))
    }

    /// Everything as it was in the beginning, with every process started anew.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.signals.get().with(py, Core::reset)?;
        let failed = std::mem::take(&mut *lock(&self.failed));
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
        for woken in &gone {
            if let Woken::Trigger(trigger) = woken {
                let before = std::mem::take(&mut *lock(&trigger.get().run));
                drop(before);
            }
        }
        drop((active, failed, gone));
        let processes = self.processes(py);
        processes
            .iter()
            .try_for_each(|process| process.get().start(py, None))
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
            let waiter = Waiter {
                target,
                reason: 0,
                when: When::Changed,
                gate: Gate::Open,
                late: Late::No,
            };
            slots.try_for_each(|slot| core.wait(slot, waiter))
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.signals)?;
        if let Ok(engine) = self.engine.try_lock() {
            visit.call(&*engine)?;
        }
        if let Ok(processes) = self.processes.try_lock() {
            for process in &*processes {
                visit.call(process)?;
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
        for triggers in [&self.active, &self.failed] {
            if let Ok(triggers) = triggers.try_lock() {
                for trigger in &*triggers {
                    visit.call(trigger)?;
                }
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let engine = lock(&self.engine).take();
        let processes = std::mem::take(&mut *lock(&self.processes));
        let targets = std::mem::take(&mut *lock(&self.targets));
        let active = std::mem::take(&mut *lock(&self.active));
        let failed = std::mem::take(&mut *lock(&self.failed));
        drop((engine, processes, targets, active, failed));
    }
}

impl AmaranthKernel {
    /// Writes a slot and lets everything that waits for that act. False: the design drives it.
    pub fn set_slot(
        &self,
        py: Python<'_>,
        slot: SlotId,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let written = self.signals.get().write(slot, value)?;
        if written {
            self.settle(py, true)?;
        }
        Ok(written)
    }

    /// Runs rounds until nothing changes; `seen` says that somebody goes on at once.
    fn settle(&self, py: Python<'_>, seen: bool) -> PyResult<()> {
        let signals = self.signals.get();
        loop {
            let fired = std::mem::take(&mut *lock(&self.active));
            for trigger in fired {
                self.fire(py, &trigger)?;
            }
            self.flip_clocks(py)?;
            self.run(py, false)?;
            let (again, told, came) = signals.with(py, |core| {
                // Everything is sampled.
                core.before = false;
                let again = core.commit(seen)?;
                if !again {
                    core.record();
                }
                Ok((
                    again,
                    !core.events.is_empty(),
                    !core.woken.is_empty() || !core.passed.is_empty(),
                ))
            })?;
            if told {
                self.tell(py)?;
            }
            if came {
                self.take_woken(py)?;
            }
            if !again {
                return Ok(());
            }
        }
    }

    /// Everything that happens at the present time, then on to the next deadline. True while something is critical.
    fn go_on(&self, py: Python<'_>) -> PyResult<bool> {
        let signals = self.signals.get();
        let critical = loop {
            self.settle(py, false)?;
            // Who is woken by what is owed, and what that tells, comes before testbenches, and before the end.
            let news = signals.core().owes_news();
            if !(news && self.is_testbench_due()) {
                while self.run(py, true)? {}
                let critical = self.is_critical();
                // Another artifact takes over what has settled only.
                let asked = !lock(&self.failed).is_empty();
                if critical && !asked || !signals.core().owes_news() {
                    break critical;
                }
            }
            signals.with(py, Core::act)?;
        };
        let failed = std::mem::take(&mut *lock(&self.failed));
        for trigger in failed {
            trigger.get().hand_over_condition(py)?;
        }
        signals.pass(py, critical)?;
        if signals.core().has_told() {
            self.tell(py)?;
        }
        self.take_woken(py)?;
        Ok(critical)
    }

    fn is_testbench_due(&self) -> bool {
        let processes = lock(&self.processes);
        processes
            .iter()
            .any(|process| process.get().testbench && process.get().is_due())
    }

    /// Whether a process or testbench keeps the simulation going.
    fn is_critical(&self) -> bool {
        let processes = lock(&self.processes);
        processes.iter().any(|process| process.get().critical())
    }

    fn processes(&self, py: Python<'_>) -> Vec<Py<Process>> {
        let processes = lock(&self.processes);
        processes
            .iter()
            .map(|process| process.clone_ref(py))
            .collect()
    }

    /// The value of an expression that is sampled.
    pub fn sample<'py>(&self, py: Python<'py>, part: &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.engine(py)?
            .call_method1(intern!(py, "sample"), (part,))
    }

    /// The slot of a condition that the module computes; None: it cannot, or is not to. So many ticks more
    /// somebody has waited for it.
    pub fn condition(
        &self,
        py: Python<'_>,
        part: &Py<PyAny>,
        ticks: u32,
    ) -> PyResult<Option<SlotId>> {
        let engine = self.engine(py)?;
        engine
            .call_method1(intern!(py, "condition"), (part, ticks))?
            .extract()
    }

    /// An exception of the framework.
    pub fn error(&self, py: Python<'_>, name: &str) -> PyErr {
        let made = self
            .engine(py)
            .and_then(|engine| engine.getattr(name))
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
        self.signals.get().with(py, |core| {
            for clock in clocks.iter_mut() {
                if !std::mem::take(&mut clock.runnable) {
                    continue;
                }
                if std::mem::replace(&mut clock.started, true) {
                    let level = core.read(clock.slot)?.bit(0);
                    core.write(clock.slot, Bits::Word(u64::from(!level)))?;
                    core.timeline.after(clock.target, 0, clock.half);
                } else {
                    core.timeline.after(clock.target, 0, clock.phase);
                }
            }
            Ok(())
        })
    }

    /// Runs every process, or every testbench, that is to run. True when one did.
    fn run(&self, py: Python<'_>, testbenches: bool) -> PyResult<bool> {
        let (mut next, mut ran) = (0, false);
        loop {
            let processes = lock(&self.processes);
            let is_next = |process: &Py<Process>| {
                let inner = process.get();
                inner.testbench == testbenches && inner.take_turn()
            };
            let Some(skipped) = processes[next..].iter().position(is_next) else {
                return Ok(ran);
            };
            next += skipped + 1;
            let process = processes[next - 1].clone_ref(py);
            drop(processes);
            ran = true;
            process.get().resume(py)?;
        }
    }
}
