//! What can be woken in a simulation with Amaranth's processes: clocks, triggers, functions; each by a number.

use pyo3::prelude::*;

use super::amaranth::AmaranthKernel;
use super::held::lock;
use super::slot::{SlotId, Target};
use super::trigger::{Trigger, Wake};

/// What can be woken.
pub enum Woken {
    Clock(usize),
    Trigger(Py<Trigger>),
    /// A function, to be called again as long as it returns True, and the slots that it is called for.
    Call(Py<PyAny>, Vec<SlotId>),
    /// To be used again.
    Free,
}

impl AmaranthKernel {
    /// A number for something that can be woken.
    pub fn add_target(&self, woken: Woken) -> Target {
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
    pub fn arm(&self, trigger: &Bound<'_, Trigger>) -> PyResult<()> {
        let target = self.add_target(Woken::Trigger(trigger.clone().unbind()));
        let signals = self.signals.get();
        signals.with(trigger.py(), |core| trigger.get().wait(core, target))
    }

    /// A trigger samples and lets its process run. What has come wakes a trigger that waits once no more; what has not is
    /// noticed until the process runs. Delays begin anew, even those of a trigger that is over: time stops there as it
    /// does with Amaranth's own engine.
    pub fn fire(&self, py: Python<'_>, trigger: &Py<Trigger>) -> PyResult<()> {
        let inner = trigger.get();
        let Some(hit) = Trigger::fire(trigger, py)? else {
            inner.process.get().pass();
            return Ok(());
        };
        inner.process.get().wake();
        let Some(target) = lock(&inner.run).target else {
            return Ok(());
        };
        let mut core = self.signals.get().core();
        let mut waits = false;
        for (reason, wake) in &inner.wakes {
            match wake {
                Wake::After(interval) => {
                    core.timeline.anew(target, *reason, *interval);
                    waits = true;
                }
                Wake::Slot(slot, _) if inner.oneshot && hit[*reason as usize] => {
                    core.forget_reason(*slot, (target, *reason));
                }
                Wake::Slot(..) => waits = true,
            }
        }
        drop(core);
        if !waits {
            lock(&inner.run).target = None;
            self.free(target);
        }
        Ok(())
    }

    fn free(&self, target: Target) {
        let before = std::mem::replace(&mut lock(&self.targets)[target], Woken::Free);
        drop(before);
    }

    /// A trigger wakes nobody any more.
    pub fn disarm(&self, trigger: &Trigger) {
        let Some(target) = lock(&trigger.run).target.take() else {
            return;
        };
        let mut core = self.signals.get().core();
        for (_, wake) in &trigger.wakes {
            if let Wake::Slot(slot, _) = wake {
                core.forget(*slot, target);
            }
        }
        drop(core);
        self.release(target);
    }

    /// A number is free when no deadline that is still to come has it.
    fn release(&self, target: Target) {
        if !self.signals.get().core().timeline.has(target) {
            self.free(target);
        }
    }

    /// Triggers that something has come for run in the next round, clocks flip in it, functions are called.
    pub fn take_woken(&self, py: Python<'_>) -> PyResult<()> {
        let mut core = self.signals.get().core();
        let woken = std::mem::take(&mut core.woken);
        let passed = std::mem::take(&mut core.passed);
        drop(core);
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
            if Trigger::activate(trigger.bind(py), reason) {
                lock(&self.active).push(trigger);
            } else if lock(&trigger.get().run).broken {
                self.disarm(trigger.get());
                self.release(target);
            }
        }
        for target in passed {
            let trigger = match &lock(&self.targets)[target] {
                Woken::Trigger(trigger) => trigger.clone_ref(py),
                _ => continue,
            };
            if Trigger::is_missed(trigger.bind(py)) {
                self.disarm(trigger.get());
            } else {
                trigger.get().process.get().pass();
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
}
