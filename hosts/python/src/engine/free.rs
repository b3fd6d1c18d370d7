//! Clocks run inside the module, up to just before the time at which something else is due or somebody is woken; or up
//! to that edge, if who is woken there wants to see what it brings.

use rtlwasm_host::{Clock, Error, Kind, Run, Status, Watch, WatchId};

use super::bits::Bits;
use super::core::Core;
use super::slot::{Gate, Late, SlotId, Target, When};

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
/// A condition that failed so often is looked at inside the module.
const FAILS: u32 = 2;
/// Machine code is made for so many.
const MANY_FLIPS: i128 = 4000;

/// A clock as it stands: its place among the clocks, its level, and when it flips next.
struct Next {
    clock: usize,
    high: bool,
    time: i128,
}

/// How far the clocks run alone.
struct Plan {
    until: i128,
    flips: i128,
    /// The time of an edge that wakes, if they run up to that, and whether values from before it are wanted.
    edge: Option<(i128, Late)>,
}

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

    /// Lets the clocks run until something else happens.
    pub fn run_free(&mut self) -> Result<(), Error> {
        if self.is_watched() || self.clocks.is_empty() {
            return Ok(());
        }
        let Some(mut nexts) = self.nexts()? else {
            return Ok(());
        };
        if let [next] = nexts.as_mut_slice() {
            self.run_until(next)?;
        }
        let Some(plan) = self.plan(&nexts)? else {
            return Ok(());
        };
        let (Ok(now), Ok(until)) = (u64::try_from(self.timeline.now), u64::try_from(plan.until))
        else {
            return Ok(());
        };
        // What was owed last was not needed, or else there would be nothing owed now.
        self.eager &= !self.owed;
        self.count_edges(&nexts, plan.edge.map_or(plan.until, |(edge, _)| edge - 1));
        self.run_inside(&nexts, &plan, now, until)?;
        match plan.edge {
            Some((edge, late)) => {
                self.before = late == Late::Copy;
                self.wake_at(&nexts, edge)?;
                if self.woken.is_empty() {
                    // Time goes on: everybody has had their turn.
                    self.before = false;
                    self.passed.clear();
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Runs the only clock, while all that waits for it waits for a condition which does not hold.
    fn run_until(&mut self, next: &mut Next) -> Result<(), Error> {
        let (
            FreeClock {
                target,
                slot,
                half,
                inside,
            },
            _,
        ) = &self.clocks[next.clock];
        let (target, slot, half, inside) = (*target, *slot, *half, *inside);
        let ([waiter], Some(clock)) = (self.slots[slot].waiters.as_slice(), inside) else {
            return Ok(());
        };
        let (when, Gate::Until(condition, reset, failed)) = (waiter.when, waiter.gate) else {
            return Ok(());
        };
        let rises = matches!(when, When::Edge { level: true, .. });
        // What is owed may well be that it holds.
        let fails = match self.owed {
            true => failed >= FAILS,
            false => self.read(condition)?.is_zero(),
        };
        let worth = rises && fails && !self.model.is_interpreted();
        let one_bit = self.slots[condition].width == 1;
        let Some(signal) = self.signal_of(condition).filter(|_| worth && one_bit) else {
            return Ok(());
        };
        if signal.kind() == Kind::Input || !self.stays_low(reset)? {
            return Ok(());
        }
        let until = self.until(half, 1);
        let most = (self.flips(next, until) + i128::from(next.high)) / 2;
        let Ok(most @ 1..) = u64::try_from(most) else {
            return Ok(());
        };
        self.hand_over()?;
        let half_period = half as u64;
        self.model
            .set_clock_period(clock, half_period, half_period)?;
        self.calls += 1;
        let run = self.model.run_until(clock, most, signal, 1)?;
        settled(&run, "rtl_run_until")?;
        let flips = 2 * i128::from(run.cycles) - i128::from(next.high && run.cycles > 0);
        if flips > 0 {
            self.timeline.now = next.time + (flips - 1) * half;
            next.time += flips * half;
            next.high = false;
            self.timeline.postpone(target, next.time);
        }
        Ok(())
    }

    /// The last time at which nothing but clocks can happen.
    fn until(&self, shortest: i128, clocks: usize) -> i128 {
        let most = self.timeline.now + shortest * MOST_FLIPS / clocks as i128;
        let is_clock = |target| self.clocks.iter().any(|(clock, _)| clock.target == target);
        let other = self.timeline.nearest(|target| !is_clock(target));
        let ends = [other, self.horizon].into_iter().flatten();
        ends.fold(most, |until, end| until.min(end - 1))
    }

    /// All clocks as they stand; None when one of them cannot run inside.
    fn nexts(&mut self) -> Result<Option<Vec<Next>>, Error> {
        let mut nexts = Vec::with_capacity(self.clocks.len());
        for clock in 0..self.clocks.len() {
            let (FreeClock { target, slot, .. }, free) = &self.clocks[clock];
            let (target, slot, free) = (*target, *slot, *free);
            let Some(time) = self.timeline.nearest(|other| other == target) else {
                return Ok(None);
            };
            if !free {
                return Ok(None);
            }
            let high = self.read(slot)?.bit(0);
            nexts.push(Next { clock, high, time });
        }
        Ok(Some(nexts))
    }

    fn plan(&mut self, nexts: &[Next]) -> Result<Option<Plan>, Error> {
        let shortest = self.clocks.iter().map(|(clock, _)| clock.half).min();
        let mut until = self.until(shortest.unwrap_or(0), nexts.len());
        let mut edge = None;
        if let Some((time, late)) = self.next_edge(nexts)? {
            let late = match late {
                Late::Copy if self.owed => Late::No,
                late => late,
            };
            let goes_on = self.eager && late != Late::No && time <= until;
            edge = goes_on.then_some((time, late));
            until = until.min(if goes_on { time } else { time - 1 });
        }
        let flips = nexts
            .iter()
            .map(|next| self.flips(next, until))
            .sum::<i128>();
        // A call is worth it when it saves one.
        let some = until > self.timeline.now && (flips > 0 || self.owed);
        Ok(some.then_some(Plan { until, flips, edge }))
    }

    fn flips(&self, next: &Next, until: i128) -> i128 {
        let half = self.clocks[next.clock].0.half;
        ((until - next.time).div_euclid(half) + 1).max(0)
    }

    /// When an edge of a clock wakes somebody next, and how late all who are woken then may be.
    fn next_edge(&mut self, nexts: &[Next]) -> Result<Option<(i128, Late)>, Error> {
        let mut first: Option<(i128, Late)> = None;
        for next in nexts {
            let (FreeClock { slot, half, .. }, _) = &self.clocks[next.clock];
            let (slot, half) = (*slot, *half);
            for waiter in 0..self.slots[slot].waiters.len() {
                let waiter = self.slots[slot].waiters[waiter];
                let mut time = next.time + (waiter.when.flips(next.high) - 1) * half;
                if let Gate::Count(left, reset) = waiter.gate
                    && self.stays_low(reset)?
                {
                    time += i128::from(left.max(1) - 1) * 2 * half;
                }
                first = Some(match first {
                    Some((earlier, late)) if earlier < time => (earlier, late),
                    Some((same, late)) if same == time => (time, late.max(waiter.late)),
                    _ => (time, waiter.late),
                });
            }
        }
        Ok(first)
    }

    /// Whether a reset is inactive as long as only clocks move.
    fn stays_low(&mut self, reset: Option<SlotId>) -> Result<bool, Error> {
        Ok(match reset {
            None => true,
            Some(slot) => {
                self.slots[slot].place.is_written_by_hosts_only() && self.read(slot)?.is_zero()
            }
        })
    }

    /// Edges that somebody counts and that pass unseen.
    fn count_edges(&mut self, nexts: &[Next], until: i128) {
        for next in nexts {
            let flips = self.flips(next, until);
            let slot = self.clocks[next.clock].0.slot;
            for waiter in &mut self.slots[slot].waiters {
                if let Gate::Count(left, reset) = waiter.gate {
                    let edges = (flips - waiter.when.flips(next.high)).div_euclid(2) + 1;
                    let edges = u32::try_from(edges).unwrap_or(0);
                    waiter.gate = Gate::Count(left.saturating_sub(edges), reset);
                }
            }
        }
    }

    fn run_inside(
        &mut self,
        nexts: &[Next],
        plan: &Plan,
        now: u64,
        until: u64,
    ) -> Result<(), Error> {
        self.hand_over()?;
        self.model.set_time(now);
        let mut last = plan.edge.map_or(self.timeline.now, |(edge, _)| edge);
        for next in nexts {
            let flips = self.flips(next, plan.until);
            let clock = &self.clocks[next.clock].0;
            let (target, slot, half) = (clock.target, clock.slot, clock.half);
            if let (Some(inside), Ok(time)) = (clock.inside, u64::try_from(next.time)) {
                let half = half as u64;
                self.model.set_clock_period(inside, half, half)?;
                self.model.start_clock(inside, time)?;
            } else if flips % 2 == 1 {
                self.slots[slot].own = Bits::Word(u64::from(!next.high));
            }
            if flips > 0 {
                last = last.max(next.time + (flips - 1) * half);
                self.timeline.postpone(target, next.time + flips * half);
            }
        }
        let watch = match plan.edge {
            Some((edge, Late::Copy)) => self.watch_edge(nexts, edge)?,
            _ => None,
        };
        self.calls += 1;
        let run = match self.model.is_interpreted() && self.interpreted + plan.flips < MANY_FLIPS {
            true => {
                self.interpreted += plan.flips;
                self.model.advance_briefly(until)?
            }
            false => self.model.advance(until)?,
        };
        if let Some(watch) = watch {
            self.model.unwatch(watch)?;
        }
        for next in nexts {
            if let Some(inside) = self.clocks[next.clock].0.inside {
                self.model.stop_clock(inside)?;
            }
        }
        self.timeline.now = last;
        settled(&run, "rtl_advance")?;
        self.note_levels()
    }

    /// Lets the module keep what all values are before the edges at a time.
    fn watch_edge(&mut self, nexts: &[Next], edge: i128) -> Result<Option<WatchId>, Error> {
        for next in nexts {
            let flips = self.flips(next, edge);
            let clock = &self.clocks[next.clock].0;
            let at = next.time + (flips - 1) * clock.half;
            if flips == 0 || at != edge || clock.inside.is_none() {
                continue;
            }
            if let Some(signal) = self.signal_of(clock.slot) {
                let hits = u32::try_from(flips).unwrap_or(u32::MAX);
                let watch = Watch::changed(signal).hits(hits).keep_before();
                return self.model.watch(watch).map(Some);
            }
        }
        Ok(None)
    }

    /// Wakes who waits for the flips at a time up to which the clocks have run.
    fn wake_at(&mut self, nexts: &[Next], edge: i128) -> Result<(), Error> {
        for next in nexts {
            let flips = self.flips(next, edge);
            let half = self.clocks[next.clock].0.half;
            if flips == 0 || next.time + (flips - 1) * half != edge {
                continue;
            }
            let after = next.high ^ (flips % 2 == 1);
            let [before, after] = [!after, after].map(|level| Bits::Word(level.into()));
            self.wake(self.clocks[next.clock].0.slot, &before, &after)?;
        }
        Ok(())
    }
}

fn settled(run: &Run, call: &'static str) -> Result<(), Error> {
    match run.status {
        status @ Status::NotSettled => Err(Error::Refused { call, status }),
        _ => Ok(()),
    }
}
