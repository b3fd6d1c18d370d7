//! How often each construct and each call came in a run of random netlists; a run in which one never came proves
//! less than it says.

use std::collections::BTreeMap;
use std::fmt;

use rtlwasm::ir::*;

use super::state::definedness;
use crate::stimulus::Op;

/// Counts by name of the construct.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// Kinds of cells that compute; each must come with operands of up to 32 bits, of up to 64, and wider ones.
const COMPUTING: &[&str] = &[
    "add", "and", "concat", "divs", "divu", "eq", "lts", "ltu", "mul", "mux", "not", "or",
    "parity", "pow", "read", "rems", "remu", "sext", "shl", "shrs", "shru", "slice", "sub", "xor",
    "zext",
];

/// What else must come in netlists.
const REQUIRED: &[&str] = &[
    "cell const",
    "cell input",
    "cell latch",
    "cell loop",
    "cell random",
    "cell register",
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
    "register loaded with a constant",
    "register loaded with logic",
    "register loaded as its own value says",
    "register loaded as another load says",
    "register defined",
    "register partly defined",
    "register undefined",
    "clock primary",
    "clock derived",
    "clock in a bus",
    "load trigger",
    "latch open high",
    "latch open low",
    "latch enabled by an input",
    "latch enabled by logic",
    "latch enabled as a load says",
    "latch wider than 64",
    "latch defined",
    "latch partly defined",
    "latch undefined",
    "loop up to 64",
    "loop wider than 64",
    "random",
    "inout",
    "memory with 0 write ports",
    "memory with 1 write ports",
    "memory with 2 write ports",
    "memory with 3 write ports",
    "memory initial row",
    "memory of one row",
    "memory of a power of two rows",
    "memory of other rows",
    "memory from a row other than 0",
    "memory wider than 64",
    "memory written whole",
    "memory written by mask",
    "memory written on several edges",
    "memory address too wide",
    "memory address just wide enough",
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

/// Calls that must come.
const CALLS: &[&str] = &[
    "call reset",
    "call poke",
    "call eval",
    "call step",
    "call edges",
    "call advance",
    "call timing",
    "call run until",
    "call play",
    "script eval",
    "script step",
    "script edges",
    "script advance",
    "script poke",
    "script peek",
    "script expect",
];

impl Coverage {
    /// Counts what a netlist holds.
    pub fn add(&mut self, n: &Netlist) {
        let follows = Follows::of(n);
        for (id, cell) in n.cells.iter() {
            self.cell(n, id);
            self.count(format!("width {}", width_class(cell.width)));
        }
        for (id, r) in n.registers.iter() {
            self.register(n, id, r, &follows);
        }
        n.triggers.values().for_each(|t| self.trigger(n, t));
        n.latches.values().for_each(|l| self.latch(n, l, &follows));
        for l in n.loops.values() {
            self.count(format!("loop {}", wideness(l.width)));
        }
        n.randoms.values().for_each(|_| self.note("random"));
        for (id, m) in n.memories.iter() {
            self.memory(n, id, m);
        }
        n.effects.iter().for_each(|e| self.effect(e));
        for s in n.signals.values() {
            if s.direction == Direction::Inout {
                self.note("inout");
            }
        }
    }

    /// Counts what a host does.
    pub fn add_calls(&mut self, calls: &[Op]) {
        for call in calls {
            self.count(format!("call {}", call.name()));
            if let Op::Play(script) = call {
                for call in script {
                    self.count(format!("script {}", call.name()));
                }
            }
        }
    }

    /// Counts something that happened in a run.
    pub fn note(&mut self, name: &str) {
        self.count(name.to_string());
    }

    /// Demands everything that netlists and calls can have.
    pub fn require_all(&mut self) {
        for kind in COMPUTING {
            SIZES
                .iter()
                .for_each(|size| self.require(&format!("cell {kind} {size}")));
        }
        REQUIRED
            .iter()
            .chain(CALLS)
            .for_each(|name| self.require(name));
    }

    /// Demands that this comes.
    pub fn require(&mut self, name: &str) {
        self.counts.entry(name.to_string()).or_default();
    }

    /// Takes over the counts of another part of the same run.
    pub fn join(&mut self, other: Coverage) {
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
    }

    fn count(&mut self, name: String) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn cell(&mut self, n: &Netlist, id: CellId) {
        let cell = &n.cells[id];
        let mut width = cell.width;
        cell.kind
            .for_each_operand(|o| width = width.max(n.width(o)));
        let kind = cell.kind.keyword();
        if COMPUTING.contains(&kind) {
            let size = match width {
                0..=32 => SIZES[0],
                33..=64 => SIZES[1],
                _ => SIZES[2],
            };
            self.count(format!("cell {kind} {size}"));
        } else {
            self.count(format!("cell {kind}"));
        }
    }

    fn trigger(&mut self, n: &Netlist, t: &Trigger) {
        self.note(match (t.role, &n.cells[t.net].kind) {
            (TriggerRole::PrimaryClock, CellKind::Slice { .. }) => "clock in a bus",
            (TriggerRole::PrimaryClock, _) => "clock primary",
            (TriggerRole::DerivedClock, _) => "clock derived",
            (TriggerRole::AsyncLoad, _) => "load trigger",
        });
    }

    fn register(&mut self, n: &Netlist, id: RegisterId, r: &Register, follows: &Follows) {
        for c in &r.clocks {
            self.count(format!("register on {:?}", c.edge));
        }
        if r.clocks.len() > 1 {
            self.note("register on several edges");
        }
        self.count(format!("register {}", definedness(&r.init_defined)));
        let Some(load) = r.load else {
            return self.note("register without load");
        };
        self.note(match n.cells[load.when].kind {
            CellKind::Input(_) => "register loaded by an input",
            _ => "register loaded by logic",
        });
        self.note(match n.constant(load.value) {
            Some(_) => "register loaded with a constant",
            None => "register loaded with logic",
        });
        let seen = follows.loaded[load.when.index()];
        if seen >> (id.index() % 64) & 1 == 1 {
            self.note("register loaded as its own value says");
        } else if seen != 0 {
            self.note("register loaded as another load says");
        }
    }

    fn latch(&mut self, n: &Netlist, l: &Latch, follows: &Follows) {
        if l.width > 64 {
            self.note("latch wider than 64");
        }
        self.count(format!("latch {}", definedness(&l.init_defined)));
        let CellKind::Mux {
            select, on_true, ..
        } = n.cells[l.value].kind
        else {
            return;
        };
        self.note(match n.cells[on_true].kind {
            CellKind::Latch(_) => "latch open low",
            _ => "latch open high",
        });
        self.note(match n.cells[select].kind {
            CellKind::Input(_) => "latch enabled by an input",
            _ if follows.loaded[select.index()] != 0 => "latch enabled as a load says",
            _ => "latch enabled by logic",
        });
    }

    fn memory(&mut self, n: &Netlist, id: MemoryId, m: &Memory) {
        self.count(format!("memory with {} write ports", m.writes.len()));
        m.init.iter().for_each(|_| self.note("memory initial row"));
        self.note(match m.depth {
            1 => "memory of one row",
            depth if depth.is_power_of_two() => "memory of a power of two rows",
            _ => "memory of other rows",
        });
        if m.first != 0 {
            self.note("memory from a row other than 0");
        }
        if m.width > 64 {
            self.note("memory wider than 64");
        }
        for port in &m.writes {
            self.note(match n.constant(port.mask) {
                Some(mask) if mask.is_ones() => "memory written whole",
                _ => "memory written by mask",
            });
            if port.clocks.len() > 1 {
                self.note("memory written on several edges");
            }
        }
        let exact = u32::BITS - (m.depth - 1).leading_zeros();
        for cell in n.cells.values() {
            if let CellKind::MemRead { memory, address } = cell.kind
                && memory == id
            {
                self.note(if n.width(address) > exact {
                    "memory address too wide"
                } else {
                    "memory address just wide enough"
                });
            }
        }
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
            self.note("effect last");
        }
    }

    /// Constructs that never came.
    pub fn missing(&self) -> Vec<&str> {
        let none = self.counts.iter().filter(|(_, count)| **count == 0);
        none.map(|(name, _)| name.as_str()).collect()
    }
}

/// Classes of widths of operands and result.
const SIZES: [&str; 3] = ["narrow", "word", "wide"];

/// Which loaded registers each cell depends on within one settling, as a set of their numbers modulo 64.
struct Follows {
    loaded: Vec<u64>,
}

impl Follows {
    fn of(n: &Netlist) -> Follows {
        let mut loaded = vec![0u64; n.cells.len()];
        for (id, cell) in n.cells.iter() {
            let mut set = match cell.kind {
                CellKind::Register(r) if n.registers[r].load.is_some() => 1 << (r.index() % 64),
                _ => 0,
            };
            cell.kind.for_each_operand(|o| set |= loaded[o.index()]);
            loaded[id.index()] = set;
        }
        Follows { loaded }
    }
}

/// A table, one construct a line.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts
            .iter()
            .try_for_each(|(name, count)| writeln!(f, "{name:40} {count:>10}"))
    }
}

fn wideness(width: u32) -> &'static str {
    if width > 64 {
        "wider than 64"
    } else {
        "up to 64"
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
