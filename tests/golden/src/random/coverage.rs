//! How often each construct came in a run of random netlists; a run in which one never came proves less
//! than it says.

use std::collections::BTreeMap;
use std::fmt;

use rtlwasm::ir::*;

use super::state::definedness;

/// Counts by name of the construct.
#[derive(Clone, Debug)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// Everything that must come.
const REQUIRED: &[&str] = &[
    "cell add",
    "cell and",
    "cell concat",
    "cell const",
    "cell divs",
    "cell divu",
    "cell eq",
    "cell input",
    "cell latch",
    "cell loop",
    "cell lts",
    "cell ltu",
    "cell mul",
    "cell mux",
    "cell not",
    "cell or",
    "cell parity",
    "cell pow",
    "cell random",
    "cell read",
    "cell register",
    "cell rems",
    "cell remu",
    "cell sext",
    "cell shl",
    "cell shrs",
    "cell shru",
    "cell slice",
    "cell sub",
    "cell xor",
    "cell zext",
    "width 1",
    "width 2-8",
    "width 9-32",
    "width 33-64",
    "width 65-128",
    "width 129-300",
    "register on Rise",
    "register on Fall",
    "register on Both",
    "register on several edges",
    "register without load",
    "register loaded by an input",
    "register loaded by logic",
    "register defined",
    "register partly defined",
    "register undefined",
    "clock primary",
    "clock derived",
    "clock in a bus",
    "load trigger",
    "latch",
    "loop",
    "random",
    "inout",
    "memory with 0 write ports",
    "memory with 1 write ports",
    "memory with 2 write ports",
    "memory with 3 write ports",
    "memory initial row",
    "effect display",
    "effect info",
    "effect warning",
    "effect error",
    "effect fatal",
    "effect finish",
    "effect stop",
    "effect assert",
    "effect assume",
    "effect cover",
    "effect initial",
    "effect change",
    "effect clocked",
    "effect last",
];

impl Default for Coverage {
    fn default() -> Self {
        Coverage {
            counts: REQUIRED.iter().map(|name| (name.to_string(), 0)).collect(),
        }
    }
}

impl Coverage {
    /// Counts what a netlist holds.
    pub fn add(&mut self, n: &Netlist) {
        for cell in n.cells.values() {
            self.count(format!("cell {}", cell.kind.keyword()));
            self.count(format!("width {}", width_class(cell.width)));
        }
        n.registers.values().for_each(|r| self.register(n, r));
        for t in n.triggers.values() {
            match (t.role, &n.cells[t.net].kind) {
                (TriggerRole::PrimaryClock, CellKind::Slice { .. }) => {
                    self.count("clock in a bus".into())
                }
                (TriggerRole::PrimaryClock, _) => self.count("clock primary".into()),
                (TriggerRole::DerivedClock, _) => self.count("clock derived".into()),
                (TriggerRole::AsyncLoad, _) => self.count("load trigger".into()),
            }
        }
        n.latches.values().for_each(|_| self.count("latch".into()));
        n.loops.values().for_each(|_| self.count("loop".into()));
        n.randoms.values().for_each(|_| self.count("random".into()));
        for m in n.memories.values() {
            self.count(format!("memory with {} write ports", m.writes.len()));
            m.init
                .iter()
                .for_each(|_| self.count("memory initial row".into()));
        }
        n.effects.iter().for_each(|e| self.effect(e));
        let inouts = n
            .signals
            .values()
            .filter(|s| s.direction == Direction::Inout);
        inouts.for_each(|_| self.count("inout".into()));
    }

    fn count(&mut self, name: String) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn register(&mut self, n: &Netlist, r: &Register) {
        for c in &r.clocks {
            self.count(format!("register on {:?}", c.edge));
        }
        if r.clocks.len() > 1 {
            self.count("register on several edges".into());
        }
        let load = match r.load {
            None => "without load",
            Some(load) if matches!(n.cells[load.when].kind, CellKind::Input(_)) => {
                "loaded by an input"
            }
            Some(_) => "loaded by logic",
        };
        self.count(format!("register {load}"));
        self.count(format!("register {}", definedness(&r.init_defined)));
    }

    fn effect(&mut self, e: &Effect) {
        self.count(format!("effect {}", e.kind.keyword()));
        let when = match e.when {
            EffectTime::Initial => "initial",
            EffectTime::Change => "change",
            EffectTime::Edges(_) => "clocked",
        };
        self.count(format!("effect {when}"));
        if e.last {
            self.count("effect last".into());
        }
    }

    /// Constructs that never came.
    pub fn missing(&self) -> Vec<&str> {
        self.counts
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// A table, one construct a line.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts
            .iter()
            .try_for_each(|(name, count)| writeln!(f, "{name:32} {count:>9}"))
    }
}

fn width_class(width: u32) -> &'static str {
    match width {
        0 => "0",
        1 => "1",
        2..=8 => "2-8",
        9..=32 => "9-32",
        33..=64 => "33-64",
        65..=128 => "65-128",
        129..=300 => "129-300",
        _ => "over 300",
    }
}
