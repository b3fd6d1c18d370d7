//! What a process of Amaranth waits for: changes, edges and delays, any of which wakes it, and values sampled then.

use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};

use super::amaranth::AmaranthKernel;
use super::core::Core;
use super::held::{Held, lock};
use super::process::Process;
use super::slot::{Gate, Late, SlotId, Target, Waiter, When};

/// One element of a combination and of its answer.
pub enum Part {
    /// The value of a signal of plain shape.
    Signal(SlotId),
    /// The value of an expression of some slots, which `sample(part)` of the kernel's engine computes.
    Sample(Py<PyAny>, Vec<SlotId>),
    /// The same, which the design computes, too, as the value of a slot: it is waited for, not sampled.
    Condition(SlotId, Py<PyAny>),
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

/// What a process gets, and when. All but a row are for ticks, whose first three parts are the edge of the clock, that of
/// an asynchronous reset, and the reset's value.
#[derive(Clone, Copy, PartialEq)]
pub enum Answer {
    /// Each part.
    Row,
    /// Whether there was an edge of the clock, whether the domain is in reset, and the parts after those.
    Tick,
    /// The parts after those, at the tick of that number.
    Repeat(u32),
    /// Those but for the last, at the first tick at which that one is not 0.
    Until,
}

impl Answer {
    /// What the engine calls them.
    pub fn named(name: &str, count: u32) -> PyResult<Answer> {
        match name {
            "row" => Ok(Answer::Row),
            "tick" => Ok(Answer::Tick),
            "repeat" => Ok(Answer::Repeat(count)),
            "until" => Ok(Answer::Until),
            _ => Err(PyValueError::new_err("there is no such answer")),
        }
    }
}

/// A combination of triggers that a process waits for, once or again and again.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Trigger {
    pub kernel: Py<AmaranthKernel>,
    pub process: Py<Process>,
    pub parts: Vec<Part>,
    pub wakes: Vec<(u32, Wake)>,
    pub answer: Answer,
    pub oneshot: bool,
    pub run: Held<Waits>,
}

/// What changes about a trigger.
#[derive(Default)]
pub struct Waits {
    /// The number by which it is woken; None: it does not wait.
    pub target: Option<Target>,
    /// It was activated when nobody waited.
    pub broken: bool,
    /// It is to run in the next round.
    pub active: bool,
    hit: Vec<bool>,
    /// How often the condition that it waits for did not hold.
    failed: u32,
    result: Option<Sampled>,
}

/// What a process that waited gets.
enum Sampled {
    Values(Py<PyTuple>),
    /// The error for a domain that was reset meanwhile.
    Reset,
}

#[pymethods]
impl Trigger {
    pub fn __await__(slf: &Bound<'_, Self>) -> PyResult<Waiting> {
        let trigger = slf.get();
        let mut run = lock(&trigger.run);
        let before = run.result.take();
        // One that waits once waits anew.
        run.broken &= !trigger.oneshot;
        let armed = run.target.is_some() || run.broken;
        drop(run);
        drop(before);
        if !armed {
            trigger.kernel.get().arm(slf)?;
        }
        Ok(Waiting {
            trigger: slf.clone().unbind(),
            yielded: Held::new(false),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.kernel)?;
        visit.call(&self.process)?;
        for part in &self.parts {
            if let Part::Sample(part, _) | Part::Condition(_, part) = part {
                visit.call(part)?;
            }
        }
        if let Ok(run) = self.run.try_lock()
            && let Some(Sampled::Values(values)) = &run.result
        {
            visit.call(values)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = lock(&self.run).result.take();
        drop(before);
    }
}

impl Trigger {
    /// True for a process that loops over changes: it sees the initial values, too.
    pub fn initial_eligible(&self) -> bool {
        let changes = |wake: &(u32, Wake)| matches!(wake.1, Wake::Slot(_, When::Changed));
        !self.oneshot && self.wakes.iter().any(changes)
    }

    /// Begins to wait under a number.
    pub fn wait(&self, core: &mut Core, target: Target) -> Result<(), rtlwasm_host::Error> {
        lock(&self.run).target = Some(target);
        let late = self.late(core, target);
        for (reason, wake) in &self.wakes {
            match wake {
                Wake::Slot(slot, when) => {
                    let gate = self.gate(*reason);
                    let waiter = Waiter {
                        target,
                        reason: *reason,
                        when: *when,
                        gate,
                        late,
                    };
                    core.wait(*slot, waiter)?;
                }
                Wake::After(interval) => core.timeline.after(target, *reason, *interval),
            }
        }
        Ok(())
    }

    /// Which edges of its clock wake it; of a reset it is each.
    fn gate(&self, reason: u32) -> Gate {
        let reset = self.reset();
        match (self.answer, self.parts.last()) {
            (Answer::Repeat(count), _) if reason == 0 => Gate::Count(count, reset),
            (Answer::Until, Some(Part::Signal(slot) | Part::Condition(slot, _))) if reason == 0 => {
                Gate::Until(*slot, reset)
            }
            _ => Gate::Open,
        }
    }

    /// A testbench runs when everything has settled, and what it samples may be a copy of what was.
    fn late(&self, core: &mut Core, target: Target) -> Late {
        if !self.process.get().testbench {
            return Late::No;
        }
        let slots = self.parts.iter().flat_map(|part| match part {
            Part::Signal(slot) | Part::Condition(slot, _) => std::slice::from_ref(slot),
            Part::Sample(_, slots) => slots.as_slice(),
            Part::Constant(_) | Part::Hit => &[],
        });
        core.late(target, slots.copied())
    }

    /// A tick at which the condition did not hold, which Python computes. True: the module may be to know it; that is asked
    /// after one tick, two, four and so on.
    fn has_failed(&self) -> bool {
        let mut run = lock(&self.run);
        run.failed = run.failed.saturating_add(1);
        run.failed.is_power_of_two() && matches!(self.parts.last(), Some(Part::Sample(..)))
    }

    /// Lets the module look at the condition that it waits for, if it can.
    pub fn hand_over_condition(&self, py: Python<'_>) -> PyResult<()> {
        let Some(Part::Sample(part, _)) = self.parts.last() else {
            return Ok(());
        };
        let kernel = self.kernel.get();
        let failed = lock(&self.run).failed;
        let since = failed - failed / 2;
        let Some(condition) = kernel.condition(py, part, since)? else {
            return Ok(());
        };
        let clock = self.wakes.iter().find(|(reason, _)| *reason == 0);
        if let (Some((_, Wake::Slot(clock, _))), Some(target)) = (clock, lock(&self.run).target) {
            let gate = Gate::Until(condition, self.reset());
            kernel.signals.get().core().gate((target, 0), *clock, gate);
        }
        Ok(())
    }

    /// It has been woken without it being known whether its condition holds.
    fn is_unsure(&self) -> bool {
        let target = lock(&self.run).target;
        let core = self.kernel.get().signals.get().core();
        target.is_some_and(|target| core.unsure.contains(&target))
    }

    /// The reset of a tick's domain.
    fn reset(&self) -> Option<SlotId> {
        match self.parts.get(2) {
            Some(Part::Signal(slot)) => Some(*slot),
            _ => None,
        }
    }

    /// Something that it waits for has come. True: it is to run in the next round.
    pub fn activate(slf: &Bound<'_, Self>, reason: u32) -> bool {
        let trigger = slf.get();
        let missed = Trigger::is_missed(slf);
        let waited = trigger.process.get().waits_on(slf);
        let mut run = lock(&trigger.run);
        if missed || !waited || run.broken {
            run.broken = true;
            return false;
        }
        if run.hit.is_empty() {
            run.hit = vec![false; trigger.parts.len()];
        }
        if let Some(hit) = run.hit.get_mut(reason as usize) {
            *hit = true;
        }
        !std::mem::replace(&mut run.active, true)
    }

    /// What has come is missed: the process has yet to have its turn for what came before. True: it runs with an error.
    pub fn is_missed(slf: &Bound<'_, Self>) -> bool {
        let process = slf.get().process.get();
        let missed = process.has_passed() && process.waits_on(slf);
        if missed {
            lock(&slf.get().run).broken = true;
            process.wake();
        }
        missed
    }

    /// Samples. The process is to run, and these parts have come; None: it waits on.
    pub fn fire(slf: &Py<Self>, py: Python<'_>) -> PyResult<Option<Vec<bool>>> {
        let trigger = slf.get();
        let runs = trigger.sample_all(py)?;
        if !runs && trigger.has_failed() {
            lock(&trigger.kernel.get().failed).push(slf.clone_ref(py));
        }
        let mut run = lock(&trigger.run);
        run.active = false;
        let hit = std::mem::take(&mut run.hit);
        Ok(runs.then_some(hit))
    }

    /// Samples everything now. False: it is not what is waited for.
    pub fn sample_all(&self, py: Python<'_>) -> PyResult<bool> {
        let mut values = Vec::with_capacity(self.parts.len());
        for (i, part) in self.parts.iter().enumerate() {
            values.push(self.sample(py, i, part)?);
        }
        let sampled = match self.answer {
            Answer::Row => values,
            _ => {
                let in_reset = values[1].is_truthy()? || values[2].is_truthy()?;
                match self.answer {
                    Answer::Tick => {
                        values[1] = PyBool::new(py, in_reset).to_owned().into_any();
                        values.remove(2);
                    }
                    _ if in_reset => {
                        let before = lock(&self.run).result.replace(Sampled::Reset);
                        drop(before);
                        return Ok(true);
                    }
                    Answer::Until => {
                        if !values
                            .last()
                            .is_some_and(|last| last.is_truthy().unwrap_or(true))
                        {
                            return Ok(false);
                        }
                        values.pop();
                        values.drain(..3);
                    }
                    _ => drop(values.drain(..3)),
                }
                values
            }
        };
        let result = Sampled::Values(PyTuple::new(py, sampled)?.unbind());
        let before = lock(&self.run).result.replace(result);
        drop(before);
        Ok(true)
    }

    fn sample<'py>(
        &self,
        py: Python<'py>,
        index: usize,
        part: &Part,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(match part {
            Part::Signal(slot) => self.kernel.get().signals.get().read(py, *slot)?,
            Part::Sample(part, _) => self.kernel.get().sample(py, part)?,
            Part::Condition(_, part) if self.is_unsure() => self.kernel.get().sample(py, part)?,
            Part::Condition(..) => PyBool::new(py, true).to_owned().into_any(),
            Part::Constant(value) => value.bind(py).clone(),
            Part::Hit => {
                let hit = lock(&self.run).hit.get(index).copied().unwrap_or(false);
                PyBool::new(py, hit).to_owned().into_any()
            }
        })
    }
}

/// One wait for a trigger: first it yields the trigger, then it returns what was sampled.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Waiting {
    trigger: Py<Trigger>,
    yielded: Held<bool>,
}

#[pymethods]
impl Waiting {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<Trigger>> {
        let trigger = self.trigger.get();
        let kernel = trigger.kernel.get();
        let mut run = lock(&trigger.run);
        if run.broken {
            drop(run);
            return Err(kernel.error(py, "BrokenTrigger"));
        }
        if !std::mem::replace(&mut *lock(&self.yielded), true) {
            return Ok(self.trigger.clone_ref(py));
        }
        let result = run.result.take();
        drop(run);
        if trigger.oneshot || matches!(trigger.answer, Answer::Repeat(_) | Answer::Until) {
            // It has gone on waiting, so as to notice what comes before its process has run.
            kernel.disarm(trigger);
        }
        match result {
            Some(Sampled::Reset) => Err(kernel.error(py, "DomainReset")),
            Some(Sampled::Values(values)) => Err(PyStopIteration::new_err((values,))),
            None => Err(PyStopIteration::new_err(())),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.trigger)
    }
}

/// A part as the engine describes it: `("signal", slot)`, `("sample", expression, slots)`, `("condition", expression, slot)`,
/// `("changed", slot, expression or None)`, `("edge", slot, bit, level)`, `("delay", interval)`.
pub fn part_of(part: &Bound<'_, PyAny>) -> PyResult<(Part, Option<Wake>)> {
    let kind: String = part.get_item(0)?.extract()?;
    let first = part.get_item(1)?;
    Ok(match kind.as_str() {
        "signal" => (Part::Signal(first.extract()?), None),
        "sample" => {
            let slots = part.get_item(2)?.extract()?;
            (Part::Sample(first.unbind(), slots), None)
        }
        "condition" => {
            let slot = part.get_item(2)?.extract()?;
            (Part::Condition(slot, first.unbind()), None)
        }
        "constant" => (Part::Constant(first.unbind()), None),
        "changed" => {
            let slot = first.extract()?;
            let sampled = part.get_item(2)?;
            let part = match sampled.is_none() {
                true => Part::Signal(slot),
                false => Part::Sample(sampled.unbind(), vec![slot]),
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
