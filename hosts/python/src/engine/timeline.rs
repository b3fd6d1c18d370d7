//! Simulated time: who is to be woken when.

use super::core::Target;

/// When a target is due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// As soon as everything has settled, alone.
    Settled,
    At(i128),
}

/// A deadline that lies in the past.
pub struct Backwards {
    pub deadline: i128,
}

/// The present time and the deadlines, in the order in which they were set.
#[derive(Default)]
pub struct Timeline {
    pub now: i128,
    deadlines: Vec<(Target, Deadline)>,
}

impl Timeline {
    pub fn reset(&mut self) {
        self.now = 0;
        self.deadlines.clear();
    }

    /// Wakes a target after a while.
    pub fn after(&mut self, target: Target, interval: i128) {
        self.deadlines
            .push((target, Deadline::At(self.now + interval)));
    }

    /// Wakes a target when everything has settled.
    pub fn settled(&mut self, target: Target) {
        self.deadlines.push((target, Deadline::Settled));
    }

    /// Goes on to the nearest deadline and marks who is due; one that waits for settling comes first and alone.
    pub fn advance(&mut self, runnable: &mut [bool]) -> Result<(), Backwards> {
        let settled = |entry: &(Target, Deadline)| entry.1 == Deadline::Settled;
        if let Some(first) = self.deadlines.iter().position(settled) {
            let (target, _) = self.deadlines.remove(first);
            runnable[target] = true;
            return Ok(());
        }
        let time = |entry: &(Target, Deadline)| match entry.1 {
            Deadline::At(time) => time,
            Deadline::Settled => self.now,
        };
        let Some(nearest) = self.deadlines.iter().map(time).min() else {
            return Ok(());
        };
        if nearest < self.now {
            return Err(Backwards { deadline: nearest });
        }
        self.deadlines.retain(|(target, deadline)| {
            let due = *deadline == Deadline::At(nearest);
            runnable[*target] |= due;
            !due
        });
        self.now = nearest;
        Ok(())
    }
}
