//! Watches and staged pokes of artifacts against those of the interpreter, on random netlists: after every call the
//! same status, the same watches hit, the same time, events and values, also before a pending edge.

use golden::artifact::{Artifact, WatchState, wasmtime};
use golden::engine::{Engine, Interpreter, compare_signals, same};
use golden::random::{self, Case, Clocking, Coverage, Differs};
use golden::rng::Rng;
use golden::stimulus::{Op, Reach};
use rtlwasm::arena::Id;
use rtlwasm::bits::limb_count;
use rtlwasm::ir::interp::{InterpOptions, Watch, WatchKind, Watched};
use rtlwasm::ir::{CellId, CellKind, Netlist, Signal, SignalId, SignalValue, TriggerRole};
use rtlwasm::options::{ClockOrder, Gating, OptLevel, Options, Undef};
use rtlwasm::pass;
use rtlwasm_abi::Status;

/// Most watches at a time.
const WATCHES: usize = 6;
/// Most calls that go on after a watch has stopped one.
const AGAIN: usize = 8;

/// The same netlist twice, and what may be watched.
struct Pair<'a> {
    n: &'a Netlist,
    interpreter: Interpreter<'a>,
    artifact: Artifact,
    rng: Rng,
    /// The signal of each watch.
    signals: Vec<usize>,
    coverage: &'a mut Coverage,
}

fn case(seed: u64) -> Case {
    Case {
        size: 20 + seed as usize % 7 * 20,
        clocking: match seed % 4 {
            0 => Clocking::OneEdge,
            _ => Clocking::Any,
        },
        reach: Reach::Names,
        calls: 40,
    }
}

impl Pair<'_> {
    /// The calls with watches and staged pokes among them, or the first difference.
    fn run(&mut self, calls: &[Op]) -> Result<(), String> {
        same("reset", &self.interpreter.reset(), &self.artifact.reset())?;
        for (i, op) in calls.iter().enumerate() {
            let at = |e: String| format!("call {i} {op:?}: {e}");
            match op {
                Op::Play(_) => {}
                Op::Poke { signal, .. } if !self.artifact.shows(*signal) => {}
                Op::Poke { .. } if self.rng.percent(40) => self.stage(op),
                Op::Poke { .. } | Op::Timing { .. } => {
                    op.apply(&mut self.interpreter);
                    op.apply(&mut self.artifact);
                }
                Op::RunUntil { condition, .. } if !self.artifact.can_wait(condition) => {}
                _ => {
                    if self.rng.percent(50) {
                        self.watch();
                    }
                    if self.call_and_go_on(op).map_err(at)? == Status::NotSettled {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn call_and_go_on(&mut self, op: &Op) -> Result<Status, String> {
        let mut status = self.call(op)?;
        for _ in 0..AGAIN {
            if status != Status::WatchHit || self.rng.percent(20) {
                break;
            }
            if self.rng.percent(50) {
                self.watch();
            }
            let next = match self.rng.below(3) {
                0 => Op::Eval,
                _ => op.clone(),
            };
            status = self.call(&next)?;
        }
        Ok(status)
    }

    /// One call of both.
    fn call(&mut self, op: &Op) -> Result<Status, String> {
        let (x, y) = (
            op.apply(&mut self.interpreter),
            op.apply(&mut self.artifact),
        );
        same("status", &x, &y)?;
        if matches!(x, Status::NotSettled | Status::BadArgument) {
            return Ok(x);
        }
        self.coverage.note(&format!("status {x:?}"));
        same("done", &self.interpreter.done(), &self.artifact.done())?;
        let state = |w: &Watch| WatchState {
            left: w.left,
            hit: w.hit,
        };
        let expected: Vec<WatchState> = self
            .interpreter
            .interp()
            .watches()
            .iter()
            .map(state)
            .collect();
        if !matches!(op, Op::Reset) {
            let found = self.artifact.watch_states();
            let watches = self.interpreter.interp().watches();
            same(&format!("{watches:?}"), &expected, &found)?;
        }
        let pending = self.interpreter.interp().is_pending();
        same("pending", &pending, &self.artifact.is_pending())?;
        if pending {
            self.coverage.note("stopped before an edge");
        }
        let ahead = |signal: &usize| pending && self.artifact.shows_levels(*signal);
        let signals: Vec<usize> = (0..self.n.signals.len()).filter(|s| !ahead(s)).collect();
        compare_signals(self.n, &mut self.interpreter, &mut self.artifact, &signals)?;
        Ok(x)
    }

    fn stage(&mut self, op: &Op) {
        let Op::Poke { signal, row, value } = op else {
            return;
        };
        if self.interpreter.interp().is_pending() {
            self.coverage.note("staged with an edge");
        }
        self.interpreter
            .interp()
            .stage(Id::new(*signal), *row, value);
        self.artifact.stage(op);
    }

    /// Other watches than before.
    fn watch(&mut self) {
        let count = self.rng.below(WATCHES + 1);
        let watches: Vec<(usize, Watch)> = (0..count).filter_map(|_| self.one_watch()).collect();
        self.artifact.set_watches(&watches);
        self.signals = watches.iter().map(|(signal, _)| *signal).collect();
        *self.interpreter.interp().watches() = watches.into_iter().map(|(_, w)| w).collect();
    }

    /// True where bits of a signal lie in state that the host can write under another name: to the artifact that is no
    /// change, to the interpreter it is one that follows.
    fn is_another_name(&self, signal: usize, cell: CellId) -> bool {
        let state = |(_, s): &(SignalId, &Signal)| match s.value {
            SignalValue::Cell(c) => {
                c != cell && !matches!(self.n.cells[c].kind, CellKind::Const(_))
            }
            SignalValue::Memory(_) | SignalValue::Inout { .. } => false,
        };
        let is_source = matches!(
            self.n.cells[cell].kind,
            CellKind::Input(_) | CellKind::Register(_)
        );
        let others = self.n.signals.iter().filter(state);
        let mut others = others.map(|(id, _)| id.index());
        !is_source && others.any(|other| self.artifact.overlap(signal, other))
    }

    fn one_watch(&mut self) -> Option<(usize, Watch)> {
        let signal = self.rng.below(self.n.signals.len());
        let s = &self.n.signals[Id::new(signal)];
        if s.width == 0 {
            return None;
        }
        let row = match s.value {
            SignalValue::Memory(memory) => {
                self.rng.below(self.n.memories[memory].depth as usize) as u32
            }
            SignalValue::Cell(cell) if self.is_another_name(signal, cell) => return None,
            SignalValue::Cell(_) => 0,
            SignalValue::Inout { .. } => return None,
        };
        let limb = self.rng.below(limb_count(s.width));
        let on = self.artifact.watched(self.n, signal, row, limb)?;
        let mut mask = self.rng.draw() | self.rng.draw();
        if self.rng.percent(50) {
            mask = u64::MAX;
        }
        let condition = self.rng.percent(25);
        let value = self.rng.bits(s.width).limbs()[limb] & mask;
        let kind = match self.rng.below(if condition { 2 } else { 5 }) {
            0 => WatchKind::Equals(value),
            1 => WatchKind::Differs(value),
            2 => WatchKind::Changed,
            3 => WatchKind::Rose,
            _ => WatchKind::Fell,
        };
        // A level is seen at settlings, as any word is.
        let on = match (on, kind) {
            (Watched::Trigger(_), WatchKind::Equals(_) | WatchKind::Differs(_)) => return None,
            (on, _) => on,
        };
        if condition {
            self.coverage.note("a condition");
        }
        let watch = Watch {
            mask,
            left: self.rng.below(4) as u32,
            after: self.rng.percent(30),
            again: self.rng.percent(30),
            condition,
            ..Watch::new(on, kind)
        };
        Some((signal, watch))
    }
}

fn compare(seed: u64, n: &Netlist, calls: &[Op], coverage: &mut Coverage) -> Option<String> {
    let interp = InterpOptions {
        undef: [Undef::Zero, Undef::Random][seed as usize % 2],
        seed,
        order: [ClockOrder::Verilog, ClockOrder::Delta][seed as usize / 2 % 2],
    };
    let options = Options {
        opt_level: OptLevel::O0,
        undef: interp.undef,
        clock_order: interp.order,
        gating: [Gating::ALL, Gating::default(), Gating::PARTS][seed as usize / 4 % 3],
        ..Options::default()
    };
    let mut pair = Pair {
        n,
        interpreter: Interpreter::new(n, interp),
        artifact: Artifact::new(&wasmtime(), n, &options, seed),
        rng: Rng::new(seed ^ 0x77),
        signals: Vec::new(),
        coverage,
    };
    pair.run(calls).err()
}

const REQUIRED: &[&str] = &[
    "status WatchHit",
    "status Ok",
    "stopped before an edge",
    "staged with an edge",
    "a condition",
];

fn run(count: u64, compare: &Differs) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from = number("RTLWASM_RANDOM_SEED").unwrap_or(1);
    let count = number("RTLWASM_RANDOM_COUNT").unwrap_or(count);
    let mut coverage = random::run(from..from + count, &case, compare);
    REQUIRED.iter().for_each(|name| coverage.require(name));
    println!("{count} netlists\n{coverage}");
    if count >= 100 {
        let missing: Vec<_> = coverage.missing();
        assert!(missing.is_empty(), "these never came: {missing:?}");
    }
}

#[test]
fn watches_stop_where_the_interpreter_does() {
    run(300, &compare);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn ten_thousand_netlists_with_watches() {
    run(10_000, &compare);
}

/// What optimisation leaves is a netlist, too.
#[test]
fn watches_on_optimised_netlists() {
    run(250, &|seed, n, calls, coverage| {
        let options = Options {
            clock_order: [ClockOrder::Verilog, ClockOrder::Delta][seed as usize / 2 % 2],
            ..Options::default()
        };
        let optimised = pass::optimize(n.clone(), &options);
        let calls: Vec<Op> = calls.iter().map(|op| clocks_only(&optimised, op)).collect();
        compare(seed, &optimised, &calls, coverage)
    });
}

/// A call without edges of what passes may have dropped.
fn clocks_only(n: &Netlist, op: &Op) -> Op {
    let is_clock = |(i, t): (usize, &rtlwasm::ir::Trigger)| match t.role {
        TriggerRole::PrimaryClock => 1u64 << i,
        TriggerRole::DerivedClock | TriggerRole::AsyncLoad => 0,
    };
    let clocks: u64 = n.triggers.values().enumerate().map(is_clock).sum();
    match op {
        Op::Edges { rise, fall } => Op::Edges {
            rise: rise & clocks,
            fall: fall & clocks,
        },
        op => op.clone(),
    }
}
