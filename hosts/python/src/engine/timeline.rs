//! Simulated time: who is to be woken when.

use super::slot::Target;

/// A deadline that lies in the past.
pub struct Backwards {
    pub deadline: i128,
}

/// Whom a deadline wakes, and which of its reasons it is.
type Due = (Target, u32);

/// The present time and the deadlines, in the order in which they were set.
#[derive(Default)]
pub struct Timeline {
    pub now: i128,
    deadlines: Vec<(Due, i128)>,
}

impl Timeline {
    pub fn reset(&mut self) {
        self.now = 0;
        self.deadlines.clear();
    }

    /// Wakes a target after a while.
    pub fn after(&mut self, target: Target, reason: u32, interval: i128) {
        let deadline = self.now + interval;
        self.deadlines.push(((target, reason), deadline));
    }

    /// The same, and not when it was to be woken before.
    pub fn anew(&mut self, target: Target, reason: u32, interval: i128) {
        self.deadlines.retain(|(due, _)| *due != (target, reason));
        self.after(target, reason, interval);
    }

    /// Whether a target has a deadline.
    pub fn has(&self, target: Target) -> bool {
        self.deadlines
            .iter()
            .any(|((other, _), _)| *other == target)
    }

    /// The nearest deadline of those targets.
    pub fn nearest(&self, targets: impl Fn(Target) -> bool) -> Option<i128> {
        let theirs = self
            .deadlines
            .iter()
            .filter(|((target, _), _)| targets(*target));
        theirs.map(|(_, time)| *time).min()
    }

    /// Moves the deadline of a target.
    pub fn postpone(&mut self, target: Target, time: i128) {
        for ((other, _), deadline) in &mut self.deadlines {
            if *other == target {
                *deadline = time;
            }
        }
    }

    /// Goes on to the nearest deadline and tells who is due.
    pub fn advance(&mut self, woken: &mut Vec<Due>) -> Result<(), Backwards> {
        let Some(nearest) = self.deadlines.iter().map(|(_, time)| *time).min() else {
            return Ok(());
        };
        if nearest < self.now {
            return Err(Backwards { deadline: nearest });
        }
        self.deadlines.retain(|(due, deadline)| {
            if *deadline == nearest {
                woken.push(*due);
            }
            *deadline != nearest
        });
        self.now = nearest;
        Ok(())
    }
}
