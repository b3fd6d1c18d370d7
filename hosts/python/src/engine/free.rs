//! Clocks run inside the module, up to just before the time at which something else is due or somebody is woken; or up
//! to that edge, if who is woken there wants to see what it brings. Where that hangs on what the design does, the module
//! is told what to look for (`stops`).

use std::cmp::Ordering;

use rtlwasm_host::{Clock, Error, Status};

use super::bits::Bits;
use super::core::Core;
use super::slot::{Gate, Late, SlotId, Target};
use super::stops::{Guard, Stop, Until, affordable};

/// A clock of the simulation.
pub struct FreeClock {
    pub target: Target,
    pub slot: SlotId,
    pub half: i128,
    /// The module's own clock; None: the design does not know it.
    pub inside: Option<Clock>,
}

/// Flips in one call of the module; in between the interpreter looks for signals.
const MOST_FLIPS: i128 = 1 << 16;
/// The same when what happens is recorded, and kept until the call is over.
const MOST_RECORDED: i128 = 1 << 11;
/// Stops for nobody, in a row; in between the interpreter looks for signals.
const MOST_STOPS: u32 = 256;
/// Machine code is made for so many.
const MANY_FLIPS: i128 = 4000;

/// A clock as it stands: its place among the clocks, its level, and when it flips next.
pub struct Next {
    pub clock: usize,
    pub high: bool,
    pub time: i128,
}

/// How far the clocks run alone.
pub struct Plan {
    until: i128,
    flips: i128,
    /// The time of an edge that wakes, if they run up to that.
    pub edge: Option<i128>,
    /// How late those are woken who are woken by edges.
    pub late: Late,
    pub guards: Vec<Guard>,
    /// How late those may be who wait for edges that the design computes.
    pub computed: Vec<(SlotId, Late)>,
}

impl Plan {
    /// Whether the module is to keep values of before the edge.
    pub fn copies(&self) -> bool {
        self.late == Late::Copy || self.computed.iter().any(|(_, late)| *late == Late::Copy)
    }
}

/// The time of an edge, and how late all may be who are woken by it.
type Edge = (i128, Late);

/// Somebody who is woken by edges: at which time next, or by which condition.
enum Woken {
    At(i128),
    By(Guard),
    /// The one or the other.
    AtOrBy(i128, Guard),
}

impl Core {
    /// Makes a clock known that flips at every deadline of a target, each `half` after the one before.
    pub fn add_clock(&mut self, target: Target, slot: SlotId, half: i128) {
        let inside = self.inner_clock(slot);
        // A clock that lies elsewhere, or that the design computes, is flipped by hand.
        let free = match inside {
            Some(clock) => !clock.is_derived(),
            None => self.signal_of(slot).is_none(),
        };
        let clock = FreeClock {
            target,
            slot,
            half,
            inside,
        };
        self.clocks.push((clock, free && half > 0));
    }

    /// The module's clock that a slot is.
    pub fn inner_clock(&self, slot: SlotId) -> Option<Clock> {
        let clocks = &self.model.artifact().manifest().clocks;
        let id = self.signal_of(slot)?.id();
        let entry = clocks.iter().find(|entry| entry.signal == Some(id));
        entry.and_then(|entry| self.model.clock(&entry.name).ok())
    }

    /// Lets the clocks run until something else happens.
    pub fn run_clocks(&mut self) -> Result<(), Error> {
        for _ in 0..MOST_STOPS {
            // What the design tells may be an error.
            if !self.run_free()? || self.has_told() {
                break;
            }
        }
        Ok(())
    }

    /// The same up to a stop. True: the module has stopped for something that wakes nobody.
    fn run_free(&mut self) -> Result<bool, Error> {
        if self.is_watched() || self.clocks.is_empty() {
            return Ok(false);
        }
        // What the design tells is told at its time.
        if !self.queue.is_empty() && self.tells_of_it() {
            self.act()?;
            if self.has_told() {
                return Ok(false);
            }
        }
        (self.ran, self.holds) = (0, None);
        // What was owed last was not needed, or else there would be nothing owed now.
        self.eager &= !(self.owed && self.edges);
        let Some(mut nexts) = self.nexts()? else {
            return Ok(false);
        };
        if let ([next], false, true) = (
            nexts.as_mut_slice(),
            self.is_recorded() || !self.queue.is_empty(),
            self.watched.is_empty(),
        ) && self.run_until(next)?
        {
            return Ok(false);
        }
        let Some(plan) = self.plan(&nexts)? else {
            return Ok(false);
        };
        let (Ok(now), Ok(until)) = (u64::try_from(self.timeline.now), u64::try_from(plan.until))
        else {
            return Ok(false);
        };
        let stop = self.run_inside(&nexts, &plan, now, until)?;
        let Some(time) = stop.time.or(plan.edge) else {
            self.count_edges(&nexts, plan.until);
            // Edges that nobody waits for have passed unseen.
            self.note_changes(&stop)?;
            return Ok(false);
        };
        self.count_edges(&nexts, time - 1);
        self.wake_all(&nexts, &stop, time)?;
        if self.woken.is_empty() {
            self.before = false;
            self.wake_changed()?;
        }
        if self.woken.is_empty() && !self.unsettled {
            // Time goes on: everybody has had their turn.
            self.passed.clear();
        }
        Ok(self.woken.is_empty() && stop.time.is_some() && !self.unsettled)
    }

    /// Wakes whom the module has stopped for, or who waits for the edge that it has run up to.
    fn wake_all(&mut self, nexts: &[Next], stop: &Stop, time: i128) -> Result<(), Error> {
        self.before = stop.copied;
        self.tested.clone_from(&stop.tested);
        self.wake_at(nexts, time)?;
        self.wake_late(stop)?;
        self.note_changes(stop)?;
        if self.model.edge_pending() {
            // All is as it was before edges that are still to be acted on. Who is woken by earlier ones comes first.
            self.held = !self.woken.is_empty() && !self.changed.is_empty();
            (self.unsettled, self.edges) = (!self.held, !self.held);
        }
        Ok(())
    }

    /// The last time at which nothing but clocks can happen.
    pub fn until(&self, shortest: i128, clocks: usize) -> i128 {
        let flips = match self.is_recorded() {
            true => MOST_RECORDED,
            false => MOST_FLIPS,
        };
        let most = self.timeline.now + shortest * flips / clocks as i128;
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
        let (edge, guards) = self.edges_that_wake(nexts)?;
        let edge = edge.filter(|(time, _)| *time <= until);
        let lates = guards.iter().map(|guard| guard.late);
        let late = lates.chain(edge.map(|(_, late)| late)).max();
        let late = match late.unwrap_or(Late::Yes) {
            // Events are told, and changes seen, before testbenches run.
            late if self.eager || self.tells || !self.watched.is_empty() => late,
            _ => Late::No,
        };
        if let Some((time, _)) = edge {
            until = until.min(if late == Late::No { time - 1 } else { time });
        }
        let flips = nexts
            .iter()
            .map(|next| self.flips(next, until))
            .sum::<i128>();
        // A call is worth it when it saves one.
        let some = until > self.timeline.now && (flips > 0 || self.owed);
        Ok(some.then_some(Plan {
            until,
            flips,
            edge: edge.map(|(time, _)| time).filter(|_| late != Late::No),
            late,
            guards,
            computed: self.computed_lates(late == Late::Copy),
        }))
    }

    pub fn flips(&self, next: &Next, until: i128) -> i128 {
        let half = self.clocks[next.clock].0.half;
        ((until - next.time).div_euclid(half) + 1).max(0)
    }

    /// When an edge of a clock wakes somebody next, and how late all who are woken then may be; and who is woken by one
    /// before which a condition holds.
    fn edges_that_wake(&mut self, nexts: &[Next]) -> Result<(Option<Edge>, Vec<Guard>), Error> {
        let (mut edges, mut guards) = (Vec::new(), Vec::new());
        for (place, next) in nexts.iter().enumerate() {
            let slot = self.clocks[next.clock].0.slot;
            for waiter in 0..self.slots[slot].waiters.len() {
                let late = self.slots[slot].waiters[waiter].late;
                match self.edge_of((place, next), waiter)? {
                    Some(Woken::At(time)) => edges.push((time, late)),
                    Some(Woken::By(guard)) => guards.push(guard),
                    Some(Woken::AtOrBy(time, guard)) => {
                        edges.push((time, late));
                        guards.push(guard);
                    }
                    None => {}
                }
            }
        }
        let (guards, others) = affordable(guards);
        edges.extend(others.iter().map(|guard| (guard.first, guard.late)));
        let first = edges.into_iter().reduce(|a, b| match a.0.cmp(&b.0) {
            Ordering::Less => a,
            Ordering::Equal => (a.0, a.1.max(b.1)),
            Ordering::Greater => b,
        });
        Ok((first, guards))
    }

    /// Which edge of a clock wakes one of those that wait for it; None: none as long as only clocks move.
    fn edge_of(
        &mut self,
        (place, next): (usize, &Next),
        waiter: usize,
    ) -> Result<Option<Woken>, Error> {
        let FreeClock { slot, half, .. } = self.clocks[next.clock].0;
        let waiter = self.slots[slot].waiters[waiter];
        let mut time = next.time + (waiter.when.flips(next.high) - 1) * half;
        match waiter.gate {
            Gate::Open => {}
            Gate::Count(left, reset) => {
                let counted = time + i128::from(left.max(1) - 1) * 2 * half;
                if self.stays_low(reset)? {
                    time = counted;
                } else if let (Until::Watched(resets), Some(reset)) =
                    (self.condition(&[reset])?, reset)
                    && let Some(mut guard) = self.guard((place, next), &waiter, resets, reset)
                {
                    guard.counts = true;
                    return Ok(Some(Woken::AtOrBy(counted, guard)));
                }
            }
            Gate::Until(condition, _) if self.holds == Some(condition) => {}
            Gate::Until(condition, reset) => match self.condition(&[Some(condition), reset])? {
                Until::Holds => {}
                Until::Never => return Ok(None),
                Until::Watched(conditions) => {
                    let guard = self.guard((place, next), &waiter, conditions, condition);
                    if let Some(guard) = guard {
                        return Ok(Some(Woken::By(guard)));
                    }
                }
            },
        }
        Ok(Some(Woken::At(time)))
    }

    /// Whether a reset is inactive as long as only clocks move.
    pub fn stays_low(&mut self, reset: Option<SlotId>) -> Result<bool, Error> {
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
    ) -> Result<Stop, Error> {
        self.hold_edges_for(plan)?;
        self.hand_over()?;
        self.model.set_time(now);
        for next in nexts {
            let clock = &self.clocks[next.clock].0;
            if let (Some(inside), Ok(time)) = (clock.inside, u64::try_from(next.time)) {
                let half = clock.half as u64;
                self.model.set_clock_period(inside, half, half)?;
                self.model.start_clock(inside, time)?;
            }
        }
        let watches = self.look_for(nexts, plan)?;
        let status = self.advance(plan, until)?;
        let stop = self.what_stopped(status, plan, nexts, &watches)?;
        for next in nexts {
            if let Some(inside) = self.clocks[next.clock].0.inside {
                self.model.stop_clock(inside)?;
            }
        }
        settled(status, "rtl_advance")?;
        self.collect_events();
        self.follow(nexts, plan, stop.time);
        self.note_levels()?;
        Ok(stop)
    }

    /// Writes what is queued, and lets the clocks run; rows of memories are read before the edge that the module stops
    /// at, and then that is acted on.
    fn advance(&mut self, plan: &Plan, until: u64) -> Result<Status, Error> {
        let briefly = self.model.is_interpreted() && self.interpreted + plan.flips < MANY_FLIPS;
        if briefly {
            self.interpreted += plan.flips;
        }
        self.kept.clear();
        let mut script = self.take_queue();
        let rows: Vec<SlotId> = match plan.copies() {
            true => self.sampled_rows().collect(),
            false => Vec::new(),
        };
        if script.is_empty() && rows.is_empty() {
            self.calls += 1;
            let run = match briefly {
                true => self.model.advance_briefly(until)?,
                false => self.model.advance(until)?,
            };
            return Ok(run.status);
        }
        let advance = script.advance(until);
        let mut last = advance;
        if !rows.is_empty() {
            self.peek_all(&rows, &mut script);
            last = script.eval();
        }
        let played = self.play(&mut script, briefly)?;
        if played.stopped_at.is_none_or(|operation| operation == last) {
            self.keep(rows, &script, last);
        }
        // The script has gone on where the module stopped.
        Ok(match played.status {
            Status::Ok => script.status(advance),
            status => status,
        })
    }

    /// Clocks and time as the call has left them.
    fn follow(&mut self, nexts: &[Next], plan: &Plan, stopped: Option<i128>) {
        let began = self.timeline.now;
        let until = stopped.unwrap_or(plan.until);
        self.record_call(began, &self.flips_elsewhere(nexts, until));
        let mut last = stopped.or(plan.edge).unwrap_or(began);
        for next in nexts {
            let flips = self.flips(next, until);
            let clock = &self.clocks[next.clock].0;
            let (target, slot, half) = (clock.target, clock.slot, clock.half);
            if clock.inside.is_none() && flips % 2 == 1 {
                self.slots[slot].own = Bits::Word(u64::from(!next.high));
            }
            if flips > 0 {
                last = last.max(next.time + (flips - 1) * half);
                self.timeline.postpone(target, next.time + flips * half);
            }
        }
        self.timeline.now = last;
    }

    /// What is recorded of clocks that the design does not know, in order.
    fn flips_elsewhere(&self, nexts: &[Next], until: i128) -> Vec<(i128, SlotId, Bits)> {
        let mut found = Vec::new();
        for next in nexts {
            let clock = &self.clocks[next.clock].0;
            if clock.inside.is_some() || !self.is_recorded() {
                continue;
            }
            for flip in 0..self.flips(next, until) {
                let level = next.high ^ (flip % 2 == 0);
                let time = next.time + flip * clock.half;
                found.push((time, clock.slot, Bits::Word(level.into())));
            }
        }
        found.sort_by_key(|flip| flip.0);
        found
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

pub fn settled(status: Status, call: &'static str) -> Result<(), Error> {
    match status {
        Status::NotSettled => Err(Error::Refused { call, status }),
        _ => Ok(()),
    }
}
