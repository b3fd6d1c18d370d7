//! Rows of a memory that move along together, as in `line[i] <= line[i - 1]` for all `i`.
//!
//! In: the sinks of a clock edge. Out: the same sinks, where one action moves a block of rows in the place of one write
//! for each row. What reads the memory comes before what writes it, and a move reads rows; so moves come before all
//! other writes. A block stays apart where that could be seen: where a write that the source has earlier may hit one of
//! its rows in the same cycle, or where another block's rows overlap with its own.

use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashSet;

use super::Action;
use super::regions::{Sink, SinkOrder};
use super::sinks::limbs;
use crate::ir::*;
use crate::options::{OptLevel, Options, Trace};

/// Name of the optimisation.
pub const MOVES: &str = "moves";

/// Deepest condition that is taken apart to find that two writes never happen together.
const MAX_DEPTH: u32 = 16;

/// A write of one row from another one.
#[derive(Clone, Copy)]
struct Copy {
    /// Index of the sink.
    sink: usize,
    port: usize,
    enable: CellId,
    to: u32,
    from: u32,
}

/// Copies under one condition, of rows that follow each other, all equally far.
struct Run {
    copies: Vec<Copy>,
    enable: CellId,
    implied: FxHashSet<(CellId, bool)>,
}

impl Run {
    fn new(n: &Netlist, copies: &[Copy]) -> Run {
        let enable = copies[0].enable;
        Run {
            copies: copies.to_vec(),
            enable,
            implied: implied(n, enable),
        }
    }

    fn rows(&self, first: u32) -> Range<u32> {
        first..first + self.copies.len() as u32
    }

    fn targets(&self) -> Range<u32> {
        self.rows(self.copies[0].to)
    }

    fn sources(&self) -> Range<u32> {
        self.rows(self.copies[0].from)
    }

    fn has(&self, sink: usize) -> bool {
        self.copies.iter().any(|c| c.sink == sink)
    }

    /// True when neither sees what the other does.
    fn is_apart(&self, n: &Netlist, other: &Run) -> bool {
        let ranges = [
            (self.targets(), other.targets()),
            (self.targets(), other.sources()),
            (self.sources(), other.targets()),
        ];
        ranges
            .into_iter()
            .all(|(a, b)| a.end <= b.start || b.end <= a.start)
            || self.excludes(n, other.enable)
    }

    /// True when no cycle has both conditions.
    fn excludes(&self, n: &Netlist, other: CellId) -> bool {
        let contradicts = |(cell, level): &(CellId, bool)| self.implied.contains(&(*cell, !level));
        is_never(n, other) || implied(n, other).iter().any(contradicts)
    }

    /// True when a write may come first in the source and hit a row of this block in the same cycle.
    fn is_hit(&self, n: &Netlist, memory: MemoryId, port: usize) -> bool {
        let write = &n.memories[memory].writes[port];
        let row = constant_row(n, write.address);
        let last = self.copies.iter().map(|c| c.port).max();
        last > Some(port)
            && row.is_none_or(|row| self.targets().contains(&row))
            && !self.excludes(n, write.enable)
    }
}

/// Puts moves in the place of writes. The change trace is told of every row, so with it rows stay apart.
pub fn join(n: &Netlist, sinks: Vec<Sink>, options: &Options) -> Vec<Sink> {
    if !options.runs(MOVES, OptLevel::O1) || options.trace == Trace::On {
        return sinks;
    }
    let mut writes: BTreeMap<MemoryId, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, sink) in sinks.iter().enumerate() {
        if let Action::Write { memory, port } = sink.action {
            writes.entry(memory).or_default().push((index, port));
        }
    }
    let mut moved: FxHashSet<usize> = FxHashSet::default();
    let mut moves = Vec::new();
    for (memory, writes) in writes {
        for run in runs(n, memory, &writes) {
            moved.extend(run.copies.iter().map(|c| c.sink));
            moves.push(Sink {
                action: Action::Move {
                    memory,
                    to: run.targets().start,
                    from: run.sources().start,
                    rows: run.copies.len() as u32,
                },
                guard: Some(run.enable),
                uses: Vec::new(),
                order: SinkOrder::Move(memory),
            });
        }
    }
    let rest = sinks.into_iter().enumerate();
    let rest = rest.filter(|(index, _)| !moved.contains(index));
    moves.extend(rest.map(|(_, sink)| sink));
    moves
}

/// The blocks of a memory that can move before all other writes to it.
fn runs(n: &Netlist, memory: MemoryId, writes: &[(usize, usize)]) -> Vec<Run> {
    let copies = writes.iter();
    let copies = copies.filter_map(|(sink, port)| copy(n, memory, *sink, *port));
    let mut copies: Vec<Copy> = copies.collect();
    let distance = |c: &Copy| i64::from(c.to) - i64::from(c.from);
    copies.sort_by_key(|c| (c.enable, distance(c), c.to));
    let follows =
        |a: &Copy, b: &Copy| a.enable == b.enable && distance(a) == distance(b) && a.to + 1 == b.to;
    let mut runs: Vec<Run> = Vec::new();
    for copies in copies.chunk_by(follows).filter(|c| c.len() > 1) {
        let run = Run::new(n, copies);
        let mut others = writes.iter().filter(|(sink, _)| !run.has(*sink));
        let hit = others.any(|(_, port)| run.is_hit(n, memory, *port));
        if !hit && runs.iter().all(|other| other.is_apart(n, &run)) {
            runs.push(run);
        }
    }
    runs
}

/// A write of a whole row that another row of the same memory gives.
fn copy(n: &Netlist, memory: MemoryId, sink: usize, port: usize) -> Option<Copy> {
    let (m, write) = (&n.memories[memory], &n.memories[memory].writes[port]);
    let CellKind::MemRead {
        memory: of,
        address,
    } = n.cells[write.data].kind
    else {
        return None;
    };
    let (to, from) = (constant_row(n, write.address)?, constant_row(n, address)?);
    let mut mask = limbs(n, write.mask).into_iter();
    let whole = mask.all(|limb| n.constant(limb).is_some_and(|c| c.is_ones()));
    let moves = of == memory && to != from && to.max(from) < m.depth;
    (moves && whole && !is_never(n, write.enable)).then_some(Copy {
        sink,
        port,
        enable: write.enable,
        to,
        from,
    })
}

fn constant_row(n: &Netlist, address: CellId) -> Option<u32> {
    let row = n.constant(address)?.to_u64_saturating();
    u32::try_from(row).ok()
}

fn is_never(n: &Netlist, enable: CellId) -> bool {
    n.constant(enable).is_some_and(|c| c.is_zero())
}

/// Bits whose level is known while a bit is 1.
fn implied(n: &Netlist, bit: CellId) -> FxHashSet<(CellId, bool)> {
    let mut found = FxHashSet::default();
    let mut work = vec![(bit, true, 0)];
    while let Some((cell, level, depth)) = work.pop() {
        if depth > MAX_DEPTH || !found.insert((cell, level)) {
            continue;
        }
        let mut add = |cell, level| work.push((cell, level, depth + 1));
        match (&n.cells[cell].kind, level) {
            (CellKind::Not(a), _) => add(*a, !level),
            (CellKind::And(a, b), true) | (CellKind::Or(a, b), false) => {
                add(*a, level);
                add(*b, level);
            }
            (
                CellKind::Mux {
                    select,
                    on_true,
                    on_false,
                },
                true,
            ) => {
                if is_never(n, *on_true) {
                    add(*select, false);
                    add(*on_false, true);
                } else if is_never(n, *on_false) {
                    add(*select, true);
                    add(*on_true, true);
                }
            }
            _ => {}
        }
    }
    found
}
