//! Places for the parts of a large design (`sched/parts.rs`).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Cursor, Slot};
use crate::bits::limb_count;
use crate::ir::*;
use crate::sched::Schedule;

/// Parts that share a function: a multiple of eight.
pub const PARTS_OF_FUNCTION: usize = 16;

/// What parts keep in memory. All that outlasts an edge is part of the state.
#[derive(Clone, Debug, Default)]
pub struct PartPlaces {
    /// Four bytes for each part, 0 while it sleeps.
    pub awake: u32,
    /// How many parts, with what fills the last function.
    pub count: u32,
    /// A byte for each part, outside of the state: it has run in this edge, and has late registers.
    pub late: u32,
    /// Values that parts compute for each other, and which part does.
    pub kept: BTreeMap<CellId, (usize, Slot)>,
    /// The last values of inputs, each limb in eight bytes.
    pub inputs: BTreeMap<CellId, u32>,
    /// Next values of late registers.
    pub next: FxHashMap<RegisterId, Slot>,
}

pub(super) fn place_parts(n: &Netlist, schedule: &Schedule, at: &mut Cursor) -> PartPlaces {
    let parts = &schedule.parts;
    if parts.parts.is_empty() {
        return PartPlaces::default();
    }
    let count = parts.parts.len().next_multiple_of(PARTS_OF_FUNCTION) as u32;
    let mut places = PartPlaces {
        awake: at.take(4 * u64::from(count), 8),
        count,
        ..PartPlaces::default()
    };
    for (cell, _) in &parts.inputs {
        let bytes = 8 * limb_count(n.width(*cell)) as u64;
        places.inputs.insert(*cell, at.take(bytes, 8));
    }
    for (index, part) in parts.parts.iter().enumerate() {
        for cell in &part.kept {
            let slot = at.value(n.width(*cell));
            places.kept.insert(*cell, (index, slot));
        }
    }
    at.take(0, 8);
    places
}

impl PartPlaces {
    pub fn awake(&self, part: u32) -> u32 {
        self.awake + 4 * part
    }

    /// What is needed during one edge.
    pub(super) fn place_late(&mut self, n: &Netlist, schedule: &Schedule, at: &mut Cursor) {
        self.late = at.take(self.count.into(), 8);
        for register in schedule.parts.parts.iter().flat_map(|part| &part.late) {
            let width = n.registers[*register].width;
            self.next.insert(*register, at.value(width));
        }
    }
}
