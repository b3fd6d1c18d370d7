//! Clocks that nobody watches run inside the module, up to the time at which something else is due.

use rtlwasm_host::{Clock, Error, Status};

use super::bits::Bits;
use super::core::{Core, SlotId, Target};

/// A clock of the simulation.
pub struct FreeClock {
    target: Target,
    pub slot: SlotId,
    half: i128,
    /// The module's own clock; None: the design does not know it.
    inside: Option<Clock>,
}

/// Flips in one call of the module; in between the interpreter looks for signals.
const MOST_FLIPS: i128 = 1 << 16;
/// For fewer it is not worth setting up the clocks of the module.
const FEW_FLIPS: i128 = 16;
/// Machine code is made for so many.
const MANY_FLIPS: i128 = 4000;

impl Core {
    /// Makes a clock known that flips at every deadline of a target, each `half` after the one before.
    pub fn add_clock(&mut self, target: Target, slot: SlotId, half: i128) {
        let clocks = &self.model.artifact().manifest().clocks;
        let id = self.signal_of(slot).map(|signal| signal.id());
        let entry = clocks
            .iter()
            .find(|entry| entry.signal.is_some() && entry.signal == id);
        let inside = entry.and_then(|entry| self.model.clock(&entry.name).ok());
        // A clock that lies elsewhere, or that the design computes, is flipped by hand.
        let free = match inside {
            Some(clock) => !clock.is_derived(),
            None => id.is_none(),
        };
        let clock = FreeClock {
            target,
            slot,
            half,
            inside,
        };
        self.clocks.push((clock, free && half > 0));
    }

    /// Lets the clocks run up to just before the next deadline of anything else, when nothing could see them.
    pub fn run_free(&mut self) -> Result<(), Error> {
        if self.is_watched() || self.clocks.is_empty() {
            return Ok(());
        }
        let Some((until, flips)) = self.free_time() else {
            return Ok(());
        };
        let least = match self.model.is_interpreted() {
            true => MANY_FLIPS,
            false => FEW_FLIPS,
        };
        if flips < least {
            return Ok(());
        }
        let (Ok(now), Ok(end)) = (u64::try_from(self.timeline.now), u64::try_from(until)) else {
            return Ok(());
        };
        let clocks = std::mem::take(&mut self.clocks);
        let ran = self.run_inside(&clocks, now, end);
        self.clocks = clocks;
        ran
    }

    /// The last time at which clocks alone flip, and how many flips there are until then.
    fn free_time(&self) -> Option<(i128, i128)> {
        let is_clock = |target| self.clocks.iter().any(|(clock, _)| clock.target == target);
        let other = self.timeline.nearest(|target| !is_clock(target));
        let nexts: Option<Vec<(i128, i128)>> = self
            .clocks
            .iter()
            .map(|(clock, free)| {
                let next = self.timeline.nearest(|target| target == clock.target)?;
                free.then_some((next, clock.half))
            })
            .collect();
        let nexts = nexts?;
        let flips = |until: i128| {
            let of = |(next, half): &(i128, i128)| ((until - next) / half + 1).max(0);
            nexts.iter().map(of).sum::<i128>()
        };
        let shortest = nexts.iter().map(|(_, half)| *half).min()?;
        let most = self.timeline.now + shortest * MOST_FLIPS / nexts.len() as i128;
        let until = other.map_or(most, |other| most.min(other - 1));
        (until > self.timeline.now).then(|| (until, flips(until)))
    }

    fn run_inside(
        &mut self,
        clocks: &[(FreeClock, bool)],
        now: u64,
        until: u64,
    ) -> Result<(), Error> {
        self.model.set_time(now);
        let mut last = now;
        for (clock, _) in clocks {
            let next = self.timeline.nearest(|target| target == clock.target);
            let next = next
                .and_then(|next| u64::try_from(next).ok())
                .unwrap_or(now);
            let half = clock.half as u64;
            if let Some(inside) = clock.inside {
                self.model.set_clock_period(inside, half, half)?;
                self.model.start_clock(inside, next)?;
            }
            if next > until {
                continue;
            }
            let flips = (until - next) / half + 1;
            last = last.max(next + (flips - 1) * half);
            if clock.inside.is_none() && flips % 2 == 1 {
                let level = self.read(clock.slot)?.bit(0);
                self.store(clock.slot, &Bits::Word(u64::from(!level)))?;
            }
            let next = i128::from(next + flips * half);
            self.timeline.postpone(clock.target, next);
        }
        self.calls += 1;
        let run = self.model.advance(until)?;
        for (clock, _) in clocks {
            if let Some(inside) = clock.inside {
                self.model.stop_clock(inside)?;
            }
        }
        self.timeline.now = i128::from(last);
        match run.status {
            Status::NotSettled => Err(Error::Refused {
                call: "rtl_advance",
                status: run.status,
            }),
            _ => Ok(()),
        }
    }
}
