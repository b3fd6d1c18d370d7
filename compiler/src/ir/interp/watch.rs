//! Watches and staged pokes, as `runtime-abi/SPEC.md` has them.
//!
//! In: what the host waits for and writes. Out: [`Status::WatchHit`] at the first settling, or the first wave, at
//! which a watch has its last hit, and which watches those are. A call that stops before a wave leaves [`Pending`];
//! the next one begins with that wave.

use super::*;

/// What a watch looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Tested after each settling.
    Word {
        signal: SignalId,
        row: u32,
        limb: usize,
    },
    /// The level of a trigger against the one its registers have acted on, tested before each wave.
    Trigger(usize),
}

/// What counts as a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchKind {
    Changed,
    Rose,
    Fell,
    Equals(u64),
    Differs(u64),
}

/// One row of the watch table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    pub on: Watched,
    pub kind: WatchKind,
    pub mask: u64,
    /// Hits until it stops the call; 0 is off.
    pub left: u32,
    /// Stops once the instant is complete.
    pub after: bool,
    /// Is on again after that.
    pub again: bool,
    /// It is no watch, but a condition of the one behind it.
    pub condition: bool,
    /// It has stopped the last call.
    pub hit: bool,
    /// It has been hit, and its instant is not complete yet.
    pub waits: bool,
    /// The word at the last settling.
    pub before: u64,
}

impl Watch {
    /// One that stops at its first hit.
    pub fn new(on: Watched, kind: WatchKind) -> Watch {
        Watch {
            on,
            kind,
            mask: u64::MAX,
            left: 1,
            after: false,
            again: false,
            condition: false,
            hit: false,
            waits: false,
            before: 0,
        }
    }

    fn is_hit(&self, before: u64, now: u64) -> bool {
        let moved = (before ^ now) & self.mask;
        match self.kind {
            WatchKind::Changed => moved != 0,
            WatchKind::Rose => moved & now != 0,
            WatchKind::Fell => moved & before != 0,
            WatchKind::Equals(value) => now & self.mask == value,
            WatchKind::Differs(value) => now & self.mask != value,
        }
    }
}

/// A value that a signal takes with the pending wave.
#[derive(Clone, Debug)]
pub struct Staged {
    pub signal: SignalId,
    pub row: u32,
    pub value: Bits,
}

/// An instant that a call has stopped before one of its waves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// What passes when it is complete.
    pub time: u64,
    /// The clock whose flip it belongs to, and the flip's new level.
    pub flip: Option<(usize, bool)>,
}

impl Interp<'_> {
    /// The watches: a host may change them between calls.
    pub fn watches(&mut self) -> &mut Vec<Watch> {
        &mut self.run.watches
    }

    /// Writes a signal as [`Interp::poke`] does, but with the pending wave, if there is one.
    pub fn stage(&mut self, signal: SignalId, row: u32, value: &Bits) {
        let value = value.clone();
        self.run.staged.push(Staged { signal, row, value });
    }

    /// True when a call has stopped before a wave.
    pub fn is_pending(&self) -> bool {
        self.run.state.pending.is_some()
    }

    /// Start of a call.
    pub(super) fn arm(&mut self) {
        let pending = self.is_pending();
        if !pending {
            self.apply_staged();
        }
        for i in 0..self.run.watches.len() {
            let before = self.watched(self.run.watches[i].on);
            let watch = &mut self.run.watches[i];
            watch.before = before;
            watch.hit = false;
            watch.waits &= pending;
        }
    }

    pub(super) fn apply_staged(&mut self) {
        for staged in std::mem::take(&mut self.run.staged) {
            let status = self.poke(staged.signal, staged.row, &staged.value);
            assert_eq!(status, Status::Ok, "a host stages what it may poke");
        }
    }

    fn watched(&self, on: Watched) -> u64 {
        match on {
            Watched::Word { signal, row, limb } => self.peek(signal, row).limbs()[limb],
            Watched::Trigger(trigger) => self.trigger(trigger).0.into(),
        }
    }

    /// After a settling; true when the call is to stop here.
    pub(super) fn look_at_words(&mut self) -> bool {
        self.look(|on| matches!(on, Watched::Word { .. }))
    }

    /// Before a wave.
    pub(super) fn look_at_triggers(&mut self) -> bool {
        self.look(|on| matches!(on, Watched::Trigger(_)))
    }

    fn look(&mut self, wanted: impl Fn(Watched) -> bool) -> bool {
        let mut stop = false;
        for i in 0..self.run.watches.len() {
            let on = self.run.watches[i].on;
            if !wanted(on) || self.run.watches[i].left == 0 || self.run.watches[i].condition {
                continue;
            }
            let now = self.watched(on);
            let before = match on {
                Watched::Word { .. } => std::mem::replace(&mut self.run.watches[i].before, now),
                Watched::Trigger(trigger) => self.run.state.triggers[trigger].prev.into(),
            };
            if self.run.watches[i].is_hit(before, now) && self.conditions_hold(i) {
                let watch = &mut self.run.watches[i];
                watch.left -= 1;
                if watch.left == 0 {
                    watch.left = watch.again.into();
                    watch.waits |= watch.after;
                    watch.hit |= !watch.after;
                    stop |= !watch.after;
                }
            }
        }
        stop
    }

    /// Whether one of the conditions directly before a watch holds, or none is on.
    fn conditions_hold(&self, watch: usize) -> bool {
        let before = self.run.watches[..watch].iter().rev();
        let mut on = before
            .take_while(|w| w.condition)
            .filter(|w| w.left > 0)
            .peekable();
        on.peek().is_none()
            || on.any(|w| {
                let now = self.watched(w.on);
                w.is_hit(now, now)
            })
    }

    /// End of an instant; true when a watch has waited for it.
    pub(super) fn report(&mut self) -> bool {
        let mut stop = false;
        for watch in self.run.watches.iter_mut().filter(|w| w.waits) {
            watch.waits = false;
            watch.hit = true;
            stop = true;
        }
        stop
    }
}
