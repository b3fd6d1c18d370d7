//! Waits for a bit that have taken long before: the module runs their cycles without a look at each edge, and in the same
//! call the edge after which they are over, if who waits wants to see what that brings.

use rtlwasm_host::{Clock, Error, Kind, Script, Signal, Status};

use super::bits::Bits;
use super::core::Core;
use super::free::{Next, settled};
use super::slot::{Gate, Late, SlotId, Target, When};

/// Where a condition held only after so many cycles it is worth it.
const LONG: u64 = 400;
/// So many clocks can be moved by their rows.
const MOVABLE: u32 = 64;

/// Such a wait.
struct Wait {
    due: (Target, u32),
    late: Late,
    condition: SlotId,
    signal: Signal,
    inside: Clock,
    /// The clock that it is for.
    target: Target,
    slot: SlotId,
    half: i128,
    until: i128,
}

impl Core {
    /// Runs the only clock, while all that waits for it waits for a condition that has taken long before. True: somebody
    /// is woken, or the design has stopped it to tell something.
    pub fn run_until(&mut self, next: &mut Next) -> Result<bool, Error> {
        let Some(wait) = self.long_wait(next)? else {
            return Ok(false);
        };
        let half_period = wait.half as u64;
        self.model
            .set_clock_period(wait.inside, half_period, half_period)?;
        // What the design tells is told before testbenches run.
        if (self.eager || self.tells) && wait.late != Late::No {
            return self.run_to_edge(next, &wait);
        }
        let most = (self.flips(next, wait.until) + i128::from(next.high)) / 2;
        let Ok(most @ 1..) = u64::try_from(most) else {
            return Ok(false);
        };
        self.hand_over()?;
        self.calls += 1;
        let run = self.model.run_until(wait.inside, most, wait.signal, 1)?;
        settled(run.status, "rtl_run_until")?;
        self.collect_events();
        self.ran = run.cycles;
        let before = i128::from(next.high && run.cycles > 0);
        // What the design tells may have stopped it in the middle of a cycle.
        let rose = self.is_high(&wait)? && (run.cycles > 0 || !next.high);
        let flips = 2 * i128::from(run.cycles) - before + i128::from(rose);
        self.has_flipped(next, &wait, flips);
        if !matches!(run.status, Status::Ok | Status::ConditionNotMet) {
            return Ok(true);
        }
        // Where no cycle has passed its fall is still to come.
        if run.status == Status::Ok && !next.high {
            self.slots[wait.condition].waited = run.cycles;
            self.holds = Some(wait.condition);
        }
        Ok(false)
    }

    fn long_wait(&mut self, next: &Next) -> Result<Option<Wait>, Error> {
        let clock = &self.clocks[next.clock].0;
        let (target, slot, half) = (clock.target, clock.slot, clock.half);
        let ([waiter], Some(inside)) = (self.slots[slot].waiters.as_slice(), clock.inside) else {
            return Ok(None);
        };
        let Gate::Until(condition, reset) = waiter.gate else {
            return Ok(None);
        };
        let (due, late) = ((waiter.target, waiter.reason), waiter.late);
        let rises = matches!(waiter.when, When::Edge { level: true, .. });
        let long = self.slots[condition].waited >= LONG && !self.model.is_interpreted();
        let worth = rises && long && self.slots[condition].width == 1;
        let Some(signal) = self.signal_of(condition).filter(|_| worth) else {
            return Ok(None);
        };
        if signal.kind() == Kind::Input || !self.stays_low(reset)? {
            return Ok(None);
        }
        Ok(Some(Wait {
            due,
            late,
            condition,
            signal,
            inside,
            target,
            slot,
            half,
            until: self.until(half, 1),
        }))
    }

    /// The same in one call with the edge that wakes. False: that has not come.
    fn run_to_edge(&mut self, next: &mut Next, wait: &Wait) -> Result<bool, Error> {
        let rise = next.time + if next.high { wait.half } else { 0 };
        let most = (wait.until - rise).div_euclid(2 * wait.half);
        let (Ok(most @ 1..), row @ ..MOVABLE) = (u64::try_from(most), wait.inside.trigger()) else {
            return Ok(false);
        };
        let mut script = Script::new();
        if self.owed {
            script.eval();
        }
        if next.high {
            script.edges(0, 1 << row);
        }
        let cycles = (wait.inside, most);
        let Some(operation) = script.run_until(&self.model, cycles, wait.signal, 1)? else {
            return Ok(false);
        };
        let sampled: Vec<SlotId> = self.samples.iter().flatten().copied().collect();
        self.peek_all(&sampled, &mut script);
        let edge = script.edges(1 << row, 0);
        self.hand_over()?;
        let played = self.play(&mut script, false)?;
        settled(played.status, "rtl_play")?;
        self.collect_events();
        let cycles = script.cycles_until(operation);
        self.ran = cycles;
        let is_high = self.is_high(wait)?;
        let came = played.stopped_at.is_none_or(|at| at == edge);
        let flips = match played.stopped_at {
            Some(at) if at < operation => i128::from(next.high != is_high),
            // What the design tells may have stopped it in the middle of a cycle.
            _ => i128::from(next.high) + 2 * i128::from(cycles) + i128::from(!came && is_high),
        };
        self.has_flipped(next, wait, flips);
        if !came {
            return Ok(played.status != Status::ConditionNotMet);
        }
        self.slots[wait.condition].waited = cycles;
        self.keep(sampled, &script, edge);
        self.has_flipped(next, wait, 1);
        self.note_levels()?;
        self.before = true;
        self.tested = vec![(wait.due, true)];
        self.wake(wait.slot, &Bits::Word(0), &Bits::Word(1))?;
        Ok(true)
    }

    fn is_high(&mut self, wait: &Wait) -> Result<bool, Error> {
        Ok(self.read_model(wait.slot)?.bit(0))
    }

    /// Time goes on by so many flips of the clock.
    fn has_flipped(&mut self, next: &mut Next, wait: &Wait, flips: i128) {
        if flips > 0 {
            self.timeline.now = next.time + (flips - 1) * wait.half;
            next.time += flips * wait.half;
            next.high ^= flips % 2 == 1;
            self.timeline.postpone(wait.target, next.time);
        }
    }
}
