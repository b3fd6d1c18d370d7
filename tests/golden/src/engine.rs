//! Anything that can run a netlist, and the comparison of two such things.
//!
//! In: a netlist, a stimulus and a second engine. Out: how it ended when all signals, memory rows, events,
//! covers, times and statuses are equal after every call, or the first difference. Signals and triggers
//! are named by their index in the netlist that the reference interpreter runs.

use std::fmt::Debug;

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::interp::{Condition, Interp, InterpOptions, Timing};
use rtlwasm::ir::{EffectKind, Netlist, SignalId, SignalValue};
use rtlwasm_abi::Status;

use crate::stimulus::Op;

/// One event, by the name of its effect: indices change when effects are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub effect: String,
    pub time: u64,
    pub args: Vec<Bits>,
}

/// A model that runs.
pub trait Engine {
    fn reset(&mut self) -> Status;
    fn eval(&mut self) -> Status;
    fn step(&mut self, clock: usize, n: u64) -> Status;
    fn edges(&mut self, rise: u64, fall: u64) -> Status;
    fn advance(&mut self, until: u64) -> Status;
    fn run_until(&mut self, clock: usize, max: u64, condition: Condition) -> Status;
    /// The calls one after the other, up to the first that is not `Ok`; the limbs that peeks among them found.
    fn play(&mut self, calls: &[Op]) -> (Status, Vec<u64>);
    fn poke(&mut self, signal: usize, row: u32, value: &Bits) -> Status;
    /// False when nothing but the netlist knows the signal.
    fn shows(&self, signal: usize) -> bool;
    fn peek(&mut self, signal: usize, row: u32) -> Bits;
    /// Makes a primary clock run so, from `next` on.
    fn set_timing(&mut self, clock: usize, timing: Timing, next: u64);
    /// Events since the last call of this.
    fn events(&mut self) -> Vec<Record>;
    /// Covers by name and count.
    fn covers(&mut self) -> Vec<(String, u64)>;
    fn time(&mut self) -> u64;
    /// Cycles ended in the last call.
    fn done(&mut self) -> u64;
}

/// The interpreter as an engine.
pub struct Interpreter<'a> {
    netlist: &'a Netlist,
    interp: Interp<'a>,
}

impl<'a> Interpreter<'a> {
    pub fn new(netlist: &'a Netlist, options: InterpOptions) -> Self {
        Interpreter {
            netlist,
            interp: Interp::new(netlist, options),
        }
    }

    /// The interpreter itself, for what no engine has in common.
    pub fn interp(&mut self) -> &mut Interp<'a> {
        &mut self.interp
    }
}

impl Engine for Interpreter<'_> {
    fn reset(&mut self) -> Status {
        self.interp.reset()
    }

    fn eval(&mut self) -> Status {
        self.interp.eval()
    }

    fn step(&mut self, clock: usize, n: u64) -> Status {
        self.interp.step(clock, n)
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Status {
        self.interp.edges(rise, fall)
    }

    fn advance(&mut self, until: u64) -> Status {
        self.interp.advance(until)
    }

    fn run_until(&mut self, clock: usize, max: u64, condition: Condition) -> Status {
        self.interp.run_until(clock, max, condition)
    }

    fn play(&mut self, calls: &[Op]) -> (Status, Vec<u64>) {
        one_by_one(self, calls)
    }

    fn shows(&self, _: usize) -> bool {
        true
    }

    fn poke(&mut self, signal: usize, row: u32, value: &Bits) -> Status {
        self.interp.poke(Id::new(signal), row, value)
    }

    fn peek(&mut self, signal: usize, row: u32) -> Bits {
        self.interp.peek(Id::new(signal), row)
    }

    fn set_timing(&mut self, clock: usize, timing: Timing, next: u64) {
        self.interp.set_timing(clock, timing, next);
    }

    fn events(&mut self) -> Vec<Record> {
        let name = |site: usize| self.netlist.effects[site].name.clone();
        let events = self.interp.take_events();
        events
            .into_iter()
            .map(|e| Record {
                effect: name(e.site),
                time: e.time,
                args: e.args,
            })
            .collect()
    }

    fn covers(&mut self) -> Vec<(String, u64)> {
        let counts = self.netlist.effects.iter().zip(self.interp.covers());
        counts
            .filter(|(e, _)| e.kind == EffectKind::Cover)
            .map(|(e, count)| (e.name.clone(), *count))
            .collect()
    }

    fn time(&mut self) -> u64 {
        self.interp.time()
    }

    fn done(&mut self) -> u64 {
        self.interp.done()
    }
}

/// `run_until` for conditions that the engine itself cannot wait for: cycle by cycle. The status, and the cycles.
pub fn cycle_by_cycle(
    engine: &mut dyn Engine,
    clock: usize,
    max: u64,
    c: &Condition,
) -> (Status, u64) {
    let mut status = engine.eval();
    let mut cycles = 0;
    while status == Status::Ok {
        let limb = engine.peek(c.signal.index(), c.row).limbs()[c.limb];
        if limb & c.mask == c.value {
            break;
        }
        if cycles == max {
            status = Status::ConditionNotMet;
        } else {
            status = engine.step(clock, 1);
            cycles += engine.done();
        }
    }
    (status, cycles)
}

/// What a script does, call by call, of an engine that takes none.
pub fn one_by_one(engine: &mut dyn Engine, calls: &[Op]) -> (Status, Vec<u64>) {
    let (start, mut answers) = (engine.time(), Vec::new());
    for call in calls {
        let status = match call {
            Op::Peek { signal, row, limb } => {
                answers.push(engine.peek(*signal, *row).limbs()[*limb]);
                Status::Ok
            }
            Op::Expect(c) => {
                let limb = engine.peek(c.signal.index(), c.row).limbs()[c.limb];
                match limb & c.mask == c.value {
                    true => Status::Ok,
                    false => Status::ConditionNotMet,
                }
            }
            // A script has absolute times.
            Op::Advance { by } => engine.advance(start + by),
            other => other.apply(engine),
        };
        if status != Status::Ok {
            return (status, answers);
        }
    }
    (Status::Ok, answers)
}

/// Which names the second engine has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    Some,
}

/// How a case without a difference ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Complete,
    /// The design did not settle: what its values are then is not compared.
    NotSettled,
}

/// Runs a stimulus on the interpreter of `netlist` and on a second engine; the first difference.
pub fn check(
    netlist: &Netlist,
    options: InterpOptions,
    stimulus: &[Op],
    other: &mut dyn Engine,
) -> Result<End, String> {
    let mut reference = Interpreter::new(netlist, options);
    // Where not all names are kept, what does not settle may have gone with the others.
    let kept = match (0..netlist.signals.len()).all(|signal| other.shows(signal)) {
        true => Kept::All,
        false => Kept::Some,
    };
    let status = reference.reset();
    if status == Status::NotSettled && kept == Kept::Some {
        return Ok(End::NotSettled);
    }
    same("reset", &status, &other.reset())?;
    if status == Status::NotSettled {
        return Ok(End::NotSettled);
    }
    compare(netlist, &mut reference, other).map_err(|e| format!("after reset: {e}"))?;
    for (i, op) in stimulus.iter().enumerate() {
        let at = |e: String| format!("call {i} {op:?}: {e}");
        let status = both(op, &mut reference, other, kept).map_err(at)?;
        if status == Status::NotSettled {
            return Ok(End::NotSettled);
        }
        // A refused call has not settled what was poked before it.
        if op.settles() && status != Status::BadArgument {
            compare(netlist, &mut reference, other).map_err(at)?;
        }
    }
    Ok(End::Complete)
}

/// Makes one call of both engines and compares what they answer.
fn both(op: &Op, a: &mut dyn Engine, b: &mut dyn Engine, kept: Kept) -> Result<Status, String> {
    if let Op::Play(calls) = op {
        let (x, y) = (a.play(calls), b.play(calls));
        if x.0 == Status::NotSettled && kept == Kept::Some {
            return Ok(x.0);
        }
        same("status and answers", &x, &y)?;
        return Ok(x.0);
    }
    let (x, y) = (op.apply(a), op.apply(b));
    if x == Status::NotSettled && kept == Kept::Some {
        return Ok(x);
    }
    same("status", &x, &y)?;
    if op.settles() && x != Status::NotSettled {
        same("done", &a.done(), &b.done())?;
    }
    Ok(x)
}

/// An error unless both are equal.
pub fn same<T: PartialEq + Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!(
        "{what}: the interpreter says {expected:?}, the other {found:?}"
    ))
}

fn compare(n: &Netlist, a: &mut dyn Engine, b: &mut dyn Engine) -> Result<(), String> {
    let all: Vec<usize> = (0..n.signals.len()).collect();
    compare_signals(n, a, b, &all)
}

/// Compares all that both show: time, events, covers and the signals of these numbers, as far as the second has them.
pub fn compare_signals(
    n: &Netlist,
    a: &mut dyn Engine,
    b: &mut dyn Engine,
    signals: &[usize],
) -> Result<(), String> {
    same("time", &a.time(), &b.time())?;
    same("events", &a.events(), &b.events())?;
    same("covers", &a.covers(), &b.covers())?;
    for id in signals.iter().map(|signal| SignalId::new(*signal)) {
        if !b.shows(id.index()) {
            continue;
        }
        let signal = &n.signals[id];
        let rows = match signal.value {
            SignalValue::Memory(memory) => n.memories[memory].depth,
            SignalValue::Cell(_) | SignalValue::Inout { .. } => 1,
        };
        for row in 0..rows {
            let what = || format!("`{}` row {row}", signal.name);
            let (x, y) = (a.peek(id.index(), row), b.peek(id.index(), row));
            if x != y {
                same(&what(), &x, &y)?;
            }
        }
    }
    Ok(())
}
