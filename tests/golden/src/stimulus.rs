//! What a testbench does to a model: random calls of every kind.
//!
//! In: a netlist and a seed. Out: calls, the same for every engine.

use rtlwasm::bits::Bits;
use rtlwasm::ir::interp::Timing;
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

/// What the host may write and drive in a netlist.
struct Handles {
    inputs: Vec<usize>,
    /// Registers, latches and memories.
    state: Vec<usize>,
    clocks: Vec<usize>,
    /// Triggers that are inputs: clocks, and resets made to be ones.
    pins: Vec<usize>,
}

impl Handles {
    fn of(n: &Netlist) -> Handles {
        let mut handles = Handles {
            inputs: Vec::new(),
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
pub fn stimulus(n: &Netlist, seed: u64, calls: usize) -> Vec<Op> {
    let mut rng = Rng::new(seed);
    let handles = Handles::of(n);
    let mut ops = Vec::new();
    while ops.len() < calls {
        if rng.percent(60) {
            for _ in 0..rng.between(1, 4) {
                ops.push(poke(n, &handles, &mut rng));
            }
        }
        ops.push(run(&handles, &mut rng));
    }
    ops
}

fn poke(n: &Netlist, handles: &Handles, rng: &mut Rng) -> Op {
    let state = rng.percent(15) && !handles.state.is_empty();
    let signal = *rng.pick(if state {
        &handles.state
    } else {
        &handles.inputs
    });
    let named = &n.signals[rtlwasm::arena::Id::new(signal)];
    let row = match named.value {
        SignalValue::Memory(memory) => rng.below(n.memories[memory].depth as usize) as u32,
        SignalValue::Cell(_) | SignalValue::Inout { .. } => 0,
    };
    Op::Poke {
        signal,
        row,
        value: rng.bits(named.width),
    }
}

fn run(handles: &Handles, rng: &mut Rng) -> Op {
    match rng.below(20) {
        0..=4 => Op::Eval,
        5..=10 => Op::Step {
            clock: *rng.pick(&handles.clocks),
            n: rng.below(5) as u64,
        },
        11..=13 => {
            let mut masks = [0, 0];
            for pin in &handles.pins {
                let which = rng.below(3);
                if which < 2 {
                    masks[which] |= 1 << pin;
                }
            }
            Op::Edges {
                rise: masks[0],
                fall: masks[1],
            }
        }
        14 | 15 => Op::Advance {
            by: rng.below(12) as u64,
        },
        16..=18 => {
            let timing = Timing {
                high: rng.between(1, 4) as u64,
                low: rng.between(1, 4) as u64,
                phase: rng.below(4) as u64,
                run: rng.percent(70),
            };
            Op::Timing {
                clock: *rng.pick(&handles.clocks),
                timing,
                after: rng.below(4) as u64,
            }
        }
        _ if rng.percent(30) => Op::Reset,
        _ => Op::Eval,
    }
}
