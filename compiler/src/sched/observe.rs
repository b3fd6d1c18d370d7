//! Which named values are in state anyway, which are stored when a call returns, and which are
//! recomputed on demand.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::*;

/// How the names of a netlist can be seen.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Cells that state holds: registers, latches (their transparent output), cut loops, inputs.
    pub stored: FxHashMap<CellId, Stored>,
    /// Other cells of output ports, stored by settling.
    pub published: Vec<CellId>,
    /// Other named cells, recomputed by `rtl_outline`.
    pub outlined: Vec<CellId>,
}

/// The state that holds a cell's value when a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Register(RegisterId),
    Latch(LatchId),
    Loop(LoopId),
    Input(InputId),
    /// The level of a computed trigger.
    Level(TriggerId),
}

/// Sorts the names of a legal netlist.
pub fn observe(n: &Netlist) -> Observed {
    let mut observed = Observed {
        stored: stored(n),
        ..Observed::default()
    };
    let mut seen: FxHashSet<CellId> = FxHashSet::default();
    for port in [true, false] {
        for signal in n
            .signals
            .values()
            .filter(|s| (s.direction != Direction::None) == port)
        {
            let cells = match signal.value {
                SignalValue::Cell(c) => vec![c],
                SignalValue::Memory(_) => continue,
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => vec![input, output, enable],
            };
            for cell in cells {
                if observed.parts(n, cell).is_some() || n.is_constant(cell) || !seen.insert(cell) {
                    continue;
                }
                if port {
                    observed.published.push(cell)
                } else {
                    observed.outlined.push(cell)
                }
            }
        }
    }
    observed
}

fn stored(n: &Netlist) -> FxHashMap<CellId, Stored> {
    let mut stored = FxHashMap::default();
    for (id, trigger) in n.triggers.iter() {
        if super::sinks::level_input(n, id).is_none() {
            stored.insert(trigger.net, Stored::Level(id));
        }
    }
    // Constants have no place, even when a latch or loop was found to hold one.
    let mut add = |cell: CellId, place: Stored| {
        if n.constant(cell).is_none() {
            stored.insert(cell, place);
        }
    };
    // What is a latch's value, too, is the latch, which hosts may write.
    n.loops
        .iter()
        .for_each(|(id, l)| add(l.value, Stored::Loop(id)));
    n.latches
        .iter()
        .for_each(|(id, l)| add(l.value, Stored::Latch(id)));
    for (id, cell) in n.cells.iter() {
        match cell.kind {
            CellKind::Register(r) => add(id, Stored::Register(r)),
            CellKind::Input(i) => add(id, Stored::Input(i)),
            _ => {}
        }
    }
    stored
}

/// A run of bits of stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub place: Stored,
    pub low: u32,
    pub width: u32,
}

impl Observed {
    /// The stored bits that make up a cell's value, low first; `None` when some are not stored.
    pub fn parts(&self, n: &Netlist, cell: CellId) -> Option<Vec<StoredPart>> {
        let mut parts = Vec::new();
        self.collect(n, cell, 0, n.width(cell), &mut parts, 0)
            .then_some(parts)
    }

    /// Recursion is bounded: legal concatenations are two deep, slices at most a few.
    fn collect(
        &self,
        n: &Netlist,
        cell: CellId,
        low: u32,
        width: u32,
        parts: &mut Vec<StoredPart>,
        depth: u32,
    ) -> bool {
        if let Some(place) = self.stored.get(&cell) {
            parts.push(StoredPart {
                place: *place,
                low,
                width,
            });
            return true;
        }
        if depth > 8 {
            return false;
        }
        match &n.cells[cell].kind {
            CellKind::Slice { value, low: below } => {
                self.collect(n, *value, low + below, width, parts, depth + 1)
            }
            CellKind::Concat(pieces) => {
                let mut at = 0;
                for piece in pieces {
                    let (start, end) = (at, at + n.width(*piece));
                    at = end;
                    let (from, to) = (low.max(start), (low + width).min(end));
                    if from < to
                        && !self.collect(n, *piece, from - start, to - from, parts, depth + 1)
                    {
                        return false;
                    }
                }
                true
            }
            _ => false,
        }
    }
}

impl Netlist {
    /// True for constants, also those made of constant limbs.
    pub fn is_constant(&self, cell: CellId) -> bool {
        match &self.cells[cell].kind {
            CellKind::Const(_) => true,
            CellKind::Concat(parts) => parts.iter().all(|p| self.constant(*p).is_some()),
            _ => false,
        }
    }
}
