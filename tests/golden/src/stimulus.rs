//! What a testbench does to a model: random calls of every kind.
//!
//! In: a netlist and a seed. Out: calls, the same for every engine.

use rtlwasm::arena::Id;
use rtlwasm::bits::{Bits, limb_count};
use rtlwasm::ir::interp::{Condition, Timing};
use rtlwasm::ir::{CellId, CellKind, Direction, Netlist, SignalValue, TriggerRole};
use rtlwasm_abi::Status;

use crate::engine::Engine;
use crate::rng::Rng;

/// One call. Signals and clocks are indices into the netlist.
#[derive(Clone, Debug)]
pub enum Op {
    Reset,
    Poke {
        signal: usize,
        row: u32,
        value: Bits,
    },
    Eval,
    Step {
        clock: usize,
        n: u64,
    },
    Edges {
        rise: u64,
        fall: u64,
    },
    /// So far from the time it is.
    Advance {
        by: u64,
    },
    /// At most `max` cycles.
    RunUntil {
        clock: usize,
        max: u64,
        condition: Condition,
    },
    /// Several calls as one script.
    Play(Vec<Op>),
    /// One limb; in a script only.
    Peek {
        signal: usize,
        row: u32,
        limb: usize,
    },
    /// In a script only.
    Expect(Condition),
    /// From `after` time units on.
    Timing {
        clock: usize,
        timing: Timing,
        after: u64,
    },
}

impl Op {
    /// Makes the call.
    pub fn apply(&self, engine: &mut dyn Engine) -> Status {
        match self {
            Op::Reset => engine.reset(),
            Op::Poke { signal, row, value } => engine.poke(*signal, *row, value),
            Op::Eval => engine.eval(),
            Op::Step { clock, n } => engine.step(*clock, *n),
            Op::Edges { rise, fall } => engine.edges(*rise, *fall),
            Op::Advance { by } => {
                let until = engine.time() + by;
                engine.advance(until)
            }
            Op::RunUntil {
                clock,
                max,
                condition,
            } => engine.run_until(*clock, *max, *condition),
            Op::Play(calls) => engine.play(calls).0,
            Op::Peek { .. } | Op::Expect(_) => unreachable!("they are in scripts only"),
            Op::Timing {
                clock,
                timing,
                after,
            } => {
                let next = engine.time() + after;
                engine.set_timing(*clock, *timing, next);
                Status::Ok
            }
        }
    }

    /// True when all values are settled afterwards.
    pub fn settles(&self) -> bool {
        !matches!(self, Op::Poke { .. } | Op::Timing { .. })
    }

    /// True when a script looks only at settled values, and leaves such.
    pub fn is_settled_script(calls: &[Op]) -> bool {
        let mut settled = false;
        let looks_late = calls.iter().all(|call| match call {
            Op::Peek { .. } | Op::Expect(_) => settled,
            call => {
                settled = call.settles();
                true
            }
        });
        looks_late && settled
    }

    /// For statistics.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Reset => "reset",
            Op::Poke { .. } => "poke",
            Op::Eval => "eval",
            Op::Step { .. } => "step",
            Op::Edges { .. } => "edges",
            Op::Advance { .. } => "advance",
            Op::RunUntil { .. } => "run until",
            Op::Play(_) => "play",
            Op::Peek { .. } => "peek",
            Op::Expect(_) => "expect",
            Op::Timing { .. } => "timing",
        }
    }

    /// The signals that the call names are those for which `keep` gives the new index; false when one of them
    /// has none.
    pub fn rename(&mut self, keep: &dyn Fn(usize) -> Option<usize>) -> bool {
        let to = |signal: &mut usize| keep(*signal).map(|new| *signal = new).is_some();
        let condition = |c: &mut Condition| {
            let new = keep(c.signal.index());
            new.map(|new| c.signal = Id::new(new)).is_some()
        };
        match self {
            Op::Poke { signal, .. } | Op::Peek { signal, .. } => to(signal),
            Op::RunUntil { condition: c, .. } | Op::Expect(c) => condition(c),
            Op::Play(calls) => calls.iter_mut().all(|call| call.rename(keep)),
            _ => true,
        }
    }
}

/// True for the output of a latch whose enable no pass can find to be constant: that would leave no latch
/// to poke.
fn is_latch(n: &Netlist, cell: CellId) -> bool {
    match n.cells[cell].kind {
        CellKind::Mux { select, .. } if n.latches.values().any(|l| l.value == cell) => {
            n.cells[select].kind.is_source()
        }
        _ => false,
    }
}

/// What hosts of an artifact can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All names, state to be written among them.
    Names,
    /// All names; only inputs are written.
    Reads,
    /// Nothing but ports.
    Ports,
}

/// What the host may write and drive in a netlist.
struct Handles {
    inputs: Vec<usize>,
    /// What can be waited for.
    seen: Vec<usize>,
    /// Registers, latches and memories.
    state: Vec<usize>,
    clocks: Vec<usize>,
    /// Triggers that are inputs: clocks, and resets made to be ones.
    pins: Vec<usize>,
}

impl Handles {
    fn of(n: &Netlist, reach: Reach) -> Handles {
        let is_seen = |s: &rtlwasm::ir::Signal| {
            s.width > 0 && (reach != Reach::Ports || s.direction != Direction::None)
        };
        let seen = n.signals.iter().filter(|(_, s)| is_seen(s));
        let mut handles = Handles {
            inputs: Vec::new(),
            seen: seen.map(|(id, _)| id.index()).collect(),
            state: Vec::new(),
            clocks: Vec::new(),
            pins: Vec::new(),
        };
        for (id, signal) in n
            .signals
            .iter()
            .filter(|(_, s)| s.direction != Direction::Output)
        {
            match signal.value {
                SignalValue::Memory(_) => handles.state.push(id.index()),
                SignalValue::Inout { .. } => handles.inputs.push(id.index()),
                SignalValue::Cell(cell) => match n.cells[cell].kind {
                    CellKind::Input(_) if signal.direction == Direction::None => {}
                    CellKind::Input(_) => handles.inputs.push(id.index()),
                    CellKind::Register(_) => handles.state.push(id.index()),
                    _ if is_latch(n, cell) => handles.state.push(id.index()),
                    _ => {}
                },
            }
        }
        if reach != Reach::Names {
            handles.state.clear();
        }
        for (id, trigger) in n.triggers.iter() {
            match (trigger.role, &n.cells[trigger.net].kind) {
                (TriggerRole::PrimaryClock, _) => {
                    handles.clocks.push(id.index());
                    handles.pins.push(id.index());
                }
                (TriggerRole::AsyncLoad, CellKind::Input(input))
                    if n.inputs[*input].name.starts_with("rst") =>
                {
                    handles.pins.push(id.index());
                }
                (TriggerRole::AsyncLoad | TriggerRole::DerivedClock, _) => {}
            }
        }
        handles
    }
}

/// So many calls.
pub fn stimulus(n: &Netlist, reach: Reach, seed: u64, calls: usize) -> Vec<Op> {
    let mut random = Random {
        n,
        handles: Handles::of(n, reach),
        rng: Rng::new(seed),
    };
    let mut ops = Vec::new();
    while ops.len() < calls {
        if random.rng.percent(8) {
            let script = random.script();
            ops.push(Op::Play(script));
            continue;
        }
        random.pokes(&mut ops);
        ops.push(random.run());
    }
    ops
}

/// Makes calls.
struct Random<'a> {
    n: &'a Netlist,
    handles: Handles,
    rng: Rng,
}

impl Random<'_> {
    fn pokes(&mut self, ops: &mut Vec<Op>) {
        if self.rng.percent(60) {
            for _ in 0..self.rng.between(1, 4) {
                ops.push(self.poke());
            }
        }
    }

    fn poke(&mut self) -> Op {
        let state = self.rng.percent(15) && !self.handles.state.is_empty();
        let signal = *self.rng.pick(if state {
            &self.handles.state
        } else {
            &self.handles.inputs
        });
        let width = self.n.signals[Id::new(signal)].width;
        Op::Poke {
            signal,
            row: self.row(signal),
            value: self.rng.bits(width),
        }
    }

    /// A row of a memory; 0 for anything else.
    fn row(&mut self, signal: usize) -> u32 {
        match self.n.signals[Id::new(signal)].value {
            SignalValue::Memory(memory) => {
                self.rng.below(self.n.memories[memory].depth as usize) as u32
            }
            SignalValue::Cell(_) | SignalValue::Inout { .. } => 0,
        }
    }

    /// A signal, a row and a limb of it.
    fn word(&mut self) -> (usize, u32, usize) {
        let signal = *self.rng.pick(&self.handles.seen);
        let limbs = limb_count(self.n.signals[Id::new(signal)].width);
        (signal, self.row(signal), self.rng.below(limbs))
    }

    /// One or two bits of a word, so that it comes true now and then.
    fn condition(&mut self) -> Condition {
        let (signal, row, limb) = self.word();
        let width = self.n.signals[Id::new(signal)].width - 64 * limb as u32;
        let bit = |rng: &mut Rng| 1u64 << rng.below(width.min(64) as usize);
        let mask = bit(&mut self.rng) | bit(&mut self.rng);
        Condition {
            signal: Id::new(signal),
            row,
            limb,
            mask,
            value: self.rng.draw() & mask,
        }
    }

    /// Calls for one script.
    fn script(&mut self) -> Vec<Op> {
        let mut calls = Vec::new();
        for _ in 0..self.rng.between(1, 4) {
            self.pokes(&mut calls);
            let call = match self.rng.below(7) {
                0 | 1 => Op::Eval,
                2..=4 => self.step(),
                5 => self.edges(),
                _ => self.advance(),
            };
            calls.push(call);
            for _ in 0..self.rng.below(3) {
                let (signal, row, limb) = self.word();
                calls.push(Op::Peek { signal, row, limb });
            }
            if self.rng.percent(20) {
                calls.push(Op::Expect(self.condition()));
            }
        }
        calls
    }

    fn step(&mut self) -> Op {
        // Long enough at times that a quiet design is found to be quiet.
        let most = if self.rng.percent(15) { 25 } else { 5 };
        Op::Step {
            clock: *self.rng.pick(&self.handles.clocks),
            n: self.rng.below(most) as u64,
        }
    }

    fn edges(&mut self) -> Op {
        let mut masks = [0, 0];
        for pin in &self.handles.pins {
            let which = self.rng.below(3);
            if which < 2 {
                masks[which] |= 1 << pin;
            }
        }
        Op::Edges {
            rise: masks[0],
            fall: masks[1],
        }
    }

    fn advance(&mut self) -> Op {
        Op::Advance {
            by: self.rng.below(30) as u64,
        }
    }

    fn run(&mut self) -> Op {
        match self.rng.below(22) {
            0..=4 => Op::Eval,
            5..=10 => self.step(),
            11..=13 => self.edges(),
            14 | 15 => self.advance(),
            16..=18 => {
                let timing = Timing {
                    high: self.rng.between(1, 4) as u64,
                    low: self.rng.between(1, 4) as u64,
                    phase: self.rng.below(4) as u64,
                    run: self.rng.percent(70),
                };
                Op::Timing {
                    clock: *self.rng.pick(&self.handles.clocks),
                    timing,
                    after: self.rng.below(4) as u64,
                }
            }
            19 | 20 => Op::RunUntil {
                clock: *self.rng.pick(&self.handles.clocks),
                max: self.rng.below(12) as u64,
                condition: self.condition(),
            },
            _ if self.rng.percent(30) => Op::Reset,
            _ => Op::Eval,
        }
    }
}
