//! The reference interpreter: executes any netlist, optimised or not, slowly and obviously.
//!
//! In: a valid [`Netlist`]. Out: what an artifact of it must answer to the same calls. The API is the
//! artifact's (`runtime-abi/SPEC.md`), with signals and rows instead of addresses. The code generator
//! follows the order that is written down here.
//!
//! # Order
//!
//! **A call** (`eval`, `step`, `edges`, `advance`) first *settles* with the host's pokes. While the level
//! of a primary clock differs from the level its registers have acted on (`prev`), cells see `prev`: a
//! poked clock moves no data before its own wave. Inputs that are asynchronous loads are seen at once, also
//! when `edges` drives them: it is the same as poking those inputs and `eval`.
//! Then come *instants*: the call flips its clocks, and waves follow until no trigger moves. A call that
//! flips nothing has one instant too, for the edges that the pokes made.
//!
//! **Settling** repeats passes. A pass computes all cells in order, from the state as it is at its beginning.
//! 1. Every loop cut takes its `value`. If one changed, another pass follows: until loops rest, nothing
//!    remembers what they were on the way.
//! 2. Every latch stores its `value`.
//! 3. Each register whose `load.when` is 1 and which differs from `load.value` takes it, all together, and if
//!    one did, another pass follows. So a latch, a loop and another load see a load's condition once together
//!    with the values that it is about to change, as processes of Verilog do that run before its nonblocking
//!    assignments.
//!
//! More than [`BOUND`] passes are [`Status::NotSettled`]; what values are then is not defined. After a settling
//! the change effects are considered, in order.
//!
//! **A wave** is all triggers whose level differs from `prev`:
//! 1. Levels: a primary clock's is what its input holds. Another trigger's is, in order `Delta`, the settled
//!    value of its net. In order `Verilog`, when a primary clock has moved, it is the net's value in one more
//!    pass with the clocks' new levels, in which registers, stored latches and loop cuts stay as they are.
//!    The role alone decides, also where a pass has found that a derived clock's net equals an input.
//! 2. From the settled values of before the wave: the next value of each register with a matching edge
//!    (`load.value` where `load.when` is 1), all memory writes, the clocked effects in order.
//! 3. All commit; memory ports in order, so that a later one wins, and a row that does not exist is
//!    dropped. `prev` = level for the triggers of the wave. If a clock was among them, the random
//!    generator moves on. Settle.
//!
//! Waves repeat until no trigger moves; more than [`BOUND`] are [`Status::NotSettled`]. Then the instant
//! ends: effects marked `last` that are due (clocked ones that a wave found enabled, change effects that
//! differ from the end of the last instant) write their events, once each, in order, with the values then.
//!
//! **Watches** on words are looked at after every settling, those on triggers before every wave (`watch.rs`). A call that
//! stops before a wave leaves the instant pending, and the next call that runs finishes it first. **Staged pokes** come
//! after the commit of the pending wave and before it settles.
//!
//! **Reset** gives state, inputs and time their initial values (loop cuts and inputs are zero), settles,
//! takes all trigger levels as acted on, and then runs the initial and the change effects in order,
//! those marked `last` after the others.
//!
//! **Random values** are a function of `prng`, which reset makes `seed` and each wave with a clock
//! moves on by [`GOLDEN`], and of the source's key: see [`random_value`]. Undefined initial bits are drawn
//! from `seed` and the places that the netlist gives them ([`Register::draw`]).

mod effects;
mod reach;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod watch;
mod wave;

use rtlwasm_abi::Status;

pub use effects::Event;
pub use reach::{Place, Reached};
pub use run::Run;
pub use state::{GOLDEN, KEY_STEP, LIMB_STEP, Snapshot, State, Timing, TriggerState, random_value};
pub use watch::{Pending, Staged, Watch, WatchKind, Watched};

use super::*;
use crate::options::{ClockOrder, Undef};

/// Most passes of one settling, and most waves of one instant.
pub const BOUND: usize = 1000;

/// What a compilation would fix, and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterpOptions {
    pub undef: Undef,
    pub seed: u64,
    pub order: ClockOrder,
}

impl Default for InterpOptions {
    fn default() -> Self {
        InterpOptions {
            undef: Undef::Zero,
            seed: 0,
            order: ClockOrder::Verilog,
        }
    }
}

/// One running model. [`Interp::reset`] comes first.
pub struct Interp<'a> {
    netlist: &'a Netlist,
    run: Run,
}

/// One bit of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pin {
    input: InputId,
    bit: u32,
}

/// True when a net is one bit of an input, looking through slices.
pub(super) fn is_input_bit(netlist: &Netlist, net: CellId) -> bool {
    pin_of(netlist, net).is_some()
}

/// The input bit that a net is, looking through slices.
fn pin_of(netlist: &Netlist, net: CellId) -> Option<Pin> {
    let (mut at, mut bit) = (net, 0);
    loop {
        match netlist.cells[at].kind {
            CellKind::Input(input) => return Some(Pin { input, bit }),
            CellKind::Slice { value, low } => (at, bit) = (value, bit + low),
            _ => return None,
        }
    }
}

impl<'a> Interp<'a> {
    /// A model of `netlist` before its first reset.
    pub fn new(netlist: &'a Netlist, options: InterpOptions) -> Interp<'a> {
        let timings = vec![Timing::default(); netlist.triggers.len()];
        let pins = netlist.triggers.values().map(|t| pin_of(netlist, t.net));
        let state = State::initial(netlist, options.undef, options.seed, &timings);
        let due = vec![false; netlist.effects.len()];
        let run = Run::new(options, pins.collect(), state, due);
        Interp { netlist, run }
    }

    /// Power-on. Keeps the seed and every clock's timing; events not yet taken are dropped.
    pub fn reset(&mut self) -> Status {
        self.run.done = 0;
        self.run.stop = None;
        self.run.due.fill(false);
        self.run.staged.clear();
        self.run.events.clear();
        let timings: Vec<Timing> = self.run.state.triggers.iter().map(|t| t.timing).collect();
        self.run.state = State::initial(
            self.netlist,
            self.run.options.undef,
            self.run.options.seed,
            &timings,
        );
        let result = self.power_on();
        self.answer(result)
    }

    /// Takes in pokes, edges on poked clocks included, and settles.
    pub fn eval(&mut self) -> Status {
        self.begin();
        let result = self.take_in().and_then(|()| self.instant(false));
        self.answer(result)
    }

    /// `n` cycles of the primary clock with that index in [`Netlist::triggers`]. A clock found high starts
    /// with its fall. `n` = 0 is [`Interp::eval`].
    pub fn step(&mut self, clock: usize, n: u64) -> Status {
        let Some(pin) = self.primary_clock(clock) else {
            return Status::BadArgument;
        };
        if n == 0 {
            return self.eval();
        }
        self.begin();
        let flip = self.pending_flip();
        let result = self.take_in().and_then(|()| {
            let ended = u64::from(flip == Some((clock, false)));
            self.cycles(clock, pin, n - ended)
        });
        self.answer(result)
    }

    /// Simultaneous edges: bit i is trigger i, which must be an input and not be asked for both.
    pub fn edges(&mut self, rise: u64, fall: u64) -> Status {
        let drivable = |i: u32| self.run.pins.get(i as usize).is_some_and(Option::is_some);
        if rise & fall != 0 || (0..64).any(|i| (rise | fall) >> i & 1 == 1 && !drivable(i)) {
            return Status::BadArgument;
        }
        if self.is_pending() {
            let status = self.eval();
            if status != Status::Ok {
                return status;
            }
        }
        for (i, pin) in self.run.pins.clone().into_iter().enumerate().take(64) {
            if let Some(pin) = pin.filter(|_| (rise | fall) >> i & 1 == 1) {
                self.run.state.set_pin(pin, rise >> i & 1 == 1);
            }
        }
        self.eval()
    }

    /// Flips the running clocks as they fall due, equal times together, up to and including `until`;
    /// then that is the time. A time in the past is a bad argument.
    pub fn advance(&mut self, until: u64) -> Status {
        if until < self.run.state.time {
            return Status::BadArgument;
        }
        self.begin();
        let result = self.take_in().and_then(|()| self.run_clocks(until));
        self.answer(result)
    }

    /// `eval`, then cycles of a clock until `(limb of signal & mask) == value`, tested before the first and
    /// after every cycle; at most `max` cycles.
    pub fn run_until(&mut self, clock: usize, max: u64, condition: Condition) -> Status {
        let Some(pin) = self.primary_clock(clock) else {
            return Status::BadArgument;
        };
        self.begin();
        let flip = self.pending_flip();
        let mut left = max;
        let mut result = self.take_in().and_then(|()| self.instant(false));
        if flip == Some((clock, true)) {
            // The cycle that was cut ends before the condition is looked at.
            result = result.and_then(|()| self.cycles(clock, pin, 1));
            left = left.saturating_sub(1);
        }
        left = left.saturating_sub(u64::from(flip == Some((clock, false))));
        while result.is_ok() && !self.holds(condition) {
            result = match left {
                0 => Err(Status::ConditionNotMet),
                _ => self.cycles(clock, pin, 1),
            };
            left = left.saturating_sub(1);
        }
        self.answer(result)
    }

    fn holds(&self, c: Condition) -> bool {
        let limb = self
            .peek(c.signal, c.row)
            .limbs()
            .get(c.limb)
            .copied()
            .unwrap_or(0);
        limb & c.mask == c.value
    }

    /// The value of a signal; `row` counts from the first row of a memory and is 0 for everything else.
    /// A row that does not exist reads as zero.
    pub fn peek(&self, signal: SignalId, row: u32) -> Bits {
        match self.netlist.signals[signal].value {
            SignalValue::Cell(cell) => self.value(cell).clone(),
            SignalValue::Memory(memory) => self.run.state.row(self.netlist, memory, u64::from(row)),
            SignalValue::Inout {
                input,
                output,
                enable,
            } => {
                let enable = self.value(enable);
                self.value(output)
                    .and(enable)
                    .or(&self.value(input).and(&enable.not()))
            }
        }
    }

    /// Writes a signal: input ports, inner names of registers and latches (those of their output), and
    /// memory rows. Settles nothing.
    pub fn poke(&mut self, signal: SignalId, row: u32, value: &Bits) -> Status {
        let direction = self.netlist.signals[signal].direction;
        let cell = match self.netlist.signals[signal].value {
            SignalValue::Memory(memory) => return self.run.state.poke_row(memory, row, value),
            _ if row != 0 => return Status::BadArgument,
            _ if direction == Direction::Output => return Status::NotWritable,
            SignalValue::Cell(cell) => cell,
            SignalValue::Inout { input, .. } => input,
        };
        let value = value.zext(self.netlist.width(cell));
        match self.netlist.cells[cell].kind {
            CellKind::Input(_)
                if direction == Direction::None
                    && !self.netlist.host_inputs().contains_key(&cell) =>
            {
                return Status::NotWritable;
            }
            CellKind::Input(id) => self.run.state.inputs[id.index()] = value.clone(),
            CellKind::Register(id) => self.run.state.registers[id.index()] = value.clone(),
            _ => match self.netlist.latches.iter().find(|(_, l)| l.value == cell) {
                Some((id, _)) => self.run.state.latches[id.index()] = value.clone(),
                None => return Status::NotWritable,
            },
        }
        self.run.state.values[cell.index()] = value;
        Status::Ok
    }

    /// The settled value of a cell.
    pub fn value(&self, cell: CellId) -> &Bits {
        &self.run.state.values[cell.index()]
    }

    /// The events written since they were last taken, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.run.events)
    }

    /// How often each effect that is a cover was reached (0 for other effects).
    pub fn covers(&self) -> &[u64] {
        &self.run.state.covers
    }

    /// The time, in time units.
    pub fn time(&self) -> u64 {
        self.run.state.time
    }

    /// Cycles ended in the last call.
    pub fn done(&self) -> u64 {
        self.run.done
    }

    /// The seed of random values, as of the next reset.
    pub fn set_seed(&mut self, seed: u64) {
        self.run.options.seed = seed;
    }

    /// The level of a trigger's net and how often it rose.
    pub fn trigger(&self, trigger: usize) -> (bool, u64) {
        let clock = self
            .primary_clock(trigger)
            .map(|pin| self.run.state.pin(pin));
        let state = &self.run.state.triggers[trigger];
        (clock.unwrap_or(state.level), state.cycles)
    }

    /// How a primary clock runs.
    pub fn timing(&self, trigger: usize) -> Timing {
        self.run.state.triggers[trigger].timing
    }

    /// Makes a primary clock run so; `next` says when it flips first if that is before a reset.
    pub fn set_timing(&mut self, trigger: usize, timing: Timing, next: u64) {
        self.run.state.triggers[trigger].timing = timing;
        self.run.state.triggers[trigger].next = next;
    }

    /// Everything that decides the future. Take the events first.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.run.state.clone())
    }

    /// Back to a snapshot of a model of the same netlist.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.run.state = snapshot.0.clone();
        self.run.events.clear();
    }

    fn begin(&mut self) {
        self.run.done = 0;
        self.run.place_hit = false;
        if !self.is_pending() {
            self.run.stop = None;
            self.run.due.fill(false);
        }
        self.arm();
    }

    fn pending_flip(&self) -> Option<(usize, bool)> {
        self.run.state.pending.and_then(|pending| pending.flip)
    }

    fn answer(&self, result: Result<(), Status>) -> Status {
        result.err().unwrap_or(Status::Ok)
    }

    fn primary_clock(&self, clock: usize) -> Option<Pin> {
        let role = self.netlist.triggers.values().nth(clock)?.role;
        self.run.pins[clock].filter(|_| role == TriggerRole::PrimaryClock)
    }

    fn cycles(&mut self, clock: usize, pin: Pin, n: u64) -> Result<(), Status> {
        let end = self.run.done + n;
        while self.run.done < end {
            let level = !self.run.state.pin(pin);
            self.run.state.set_pin(pin, level);
            let result = self.instant(false);
            if result == Err(Status::NotSettled) {
                return result;
            }
            if let Some(pending) = &mut self.run.state.pending {
                let timing = self.run.state.triggers[clock].timing;
                pending.time = if level { timing.high } else { timing.low };
                pending.flip = Some((clock, level));
                return result;
            }
            // Time goes on even when the call stops here, so that a later call finds a whole half cycle behind it.
            let timing = self.run.state.triggers[clock].timing;
            self.run
                .state
                .pass_time(if level { timing.high } else { timing.low });
            self.run.done += u64::from(!level);
            result?;
        }
        Ok(())
    }

    fn run_clocks(&mut self, until: u64) -> Result<(), Status> {
        self.flip_due();
        self.instant(false)?;
        while let Some(next) = self.next_flip().filter(|next| *next <= until) {
            self.run.state.time = next;
            self.flip_due();
            self.instant(false)?;
        }
        // A half cycle that an earlier call has left pending may have ended later.
        self.run.state.time = self.run.state.time.max(until);
        Ok(())
    }

    fn running(&self) -> impl Iterator<Item = (usize, Pin)> {
        (0..self.run.pins.len())
            .filter(|i| self.run.state.triggers[*i].timing.run)
            .filter_map(|i| Some((i, self.primary_clock(i)?)))
    }

    fn next_flip(&self) -> Option<u64> {
        self.running()
            .map(|(i, _)| self.run.state.triggers[i].next)
            .min()
    }

    fn flip_due(&mut self) {
        let running: Vec<(usize, Pin)> = self.running().collect();
        for (i, pin) in running {
            if self.run.state.triggers[i].next <= self.run.state.time {
                let level = !self.run.state.pin(pin);
                self.run.state.set_pin(pin, level);
                let Timing { high, low, .. } = self.run.state.triggers[i].timing;
                // A clock that flips without end at one time would never let time go on.
                self.run.state.triggers[i].next += if level { high } else { low }.max(1);
                self.run.done += u64::from(!level);
            }
        }
    }
}

/// What [`Interp::run_until`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    pub signal: SignalId,
    pub row: u32,
    pub limb: usize,
    pub mask: u64,
    pub value: u64,
}
