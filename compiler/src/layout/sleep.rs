//! Places for the sleep of supernodes (`sched/activity.rs`).

use std::collections::BTreeMap;

use super::{Cursor, Span};
use crate::bits::limb_count;
use crate::ir::*;
use crate::sched::Schedule;

/// What the sleep of supernodes keeps in memory. What decides who sleeps is part of the state, so that a snapshot is
/// all there is to restore; what is good for one edge only is not.
#[derive(Clone, Debug, Default)]
pub struct Sleep {
    /// A bit for each supernode, 64 to a word: it sleeps.
    pub asleep: u32,
    pub words: u32,
    /// Word that counts edges down to the next look.
    pub counter: u32,
    /// Word that counts the looks at which nothing fell asleep.
    pub vain: u32,
    /// As many words as `asleep`, outside of the state: it has written to a memory, or has woken, in this edge.
    pub busy: u32,
    pub nodes: Vec<SleepSlot>,
    pub inputs: BTreeMap<CellId, SleepInput>,
}

/// The registers of a supernode, and a copy of them outside of the state.
#[derive(Clone, Copy, Debug)]
pub struct SleepSlot {
    pub state: u32,
    pub len: u32,
    pub copy: u32,
}

/// A value that supernodes look at.
#[derive(Clone, Debug, Default)]
pub struct SleepInput {
    /// Its last value, each limb in eight bytes.
    pub kept: u32,
    /// The supernodes that see it.
    pub seen_by: Vec<usize>,
}

pub(super) fn place_sleep(n: &Netlist, schedule: &Schedule, at: &mut Cursor) -> Sleep {
    if schedule.supernodes.nodes.is_empty() {
        return Sleep::default();
    }
    let words = schedule.supernodes.nodes.len().div_ceil(64) as u32;
    let mut sleep = Sleep {
        asleep: at.take(8 * u64::from(words), 8),
        counter: at.take(4, 8),
        vain: at.take(4, 4),
        words,
        ..Sleep::default()
    };
    for (index, node) in schedule.supernodes.nodes.iter().enumerate() {
        for cell in &node.inputs {
            let bytes = 8 * limb_count(n.width(*cell)) as u64;
            let input = sleep.inputs.entry(*cell).or_insert_with(|| SleepInput {
                kept: at.take(bytes, 8),
                seen_by: Vec::new(),
            });
            input.seen_by.push(index);
        }
    }
    sleep
}

impl Sleep {
    /// What is needed during one edge.
    pub(super) fn place_copies(&mut self, registers: &[Span], at: &mut Cursor) {
        self.busy = at.take(8 * u64::from(self.words), 8);
        for (state, len) in registers {
            self.nodes.push(SleepSlot {
                state: *state,
                len: *len,
                copy: at.take((*len).into(), 8),
            });
        }
    }
}
