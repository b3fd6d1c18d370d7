//! Places for registers.

use std::cmp::Reverse;

use super::{Cursor, Slot, Span, slot_size};
use crate::ir::*;
use crate::sched::Schedule;

/// Registers of one domain after the other, those of one supernode side by side. Answers their slots, where each
/// domain's lie, and where each supernode's do.
pub(super) fn place_registers(
    n: &Netlist,
    schedule: &Schedule,
    at: &mut Cursor,
) -> (Vec<Slot>, Vec<Span>, Vec<Span>) {
    let mut slots: Vec<Option<Slot>> = vec![None; n.registers.len()];
    let group = groups(n, schedule);
    let mut blocks = Vec::new();
    let mut nodes = vec![(0, 0); schedule.supernodes.nodes.len()];
    for domain in &schedule.domains.domains {
        let start = at.take(0, 8);
        // Large slots first, so that none needs padding.
        let mut registers = domain.registers.clone();
        let size = |r: &RegisterId| slot_size(n.registers[*r].width);
        registers.sort_by_key(|r| (group[r.index()], Reverse(size(r))));
        for part in registers.chunk_by(|a, b| group[a.index()].0 == group[b.index()].0) {
            let first = at.take(0, 8);
            for r in part {
                slots[r.index()] = Some(at.value(n.registers[*r].width));
            }
            let end = at.take(0, 8);
            if let Some(node) = nodes.get_mut(group[part[0].index()].0.1) {
                *node = (first, end - first);
            }
        }
        blocks.push((start, at.take(0, 8) - start));
    }
    let rest = n
        .registers
        .iter()
        .map(|(id, r)| slots[id.index()].unwrap_or_else(|| at.value(r.width)));
    (rest.collect(), blocks, nodes)
}

/// What lies together: the registers of a supernode, and around that those of one of the edge while nothing sleeps; and
/// whether a register is left out of the latter, which comes last.
type Group = ((usize, usize), bool);

fn groups(n: &Netlist, schedule: &Schedule) -> Vec<Group> {
    let none = usize::MAX;
    let mut large = vec![none; n.registers.len()];
    let released = schedule.released.iter();
    let nodes = released.flat_map(|released| &released.schedule.supernodes.nodes);
    for (index, node) in nodes.enumerate() {
        node.registers.iter().for_each(|r| large[r.index()] = index);
    }
    let of_large = |r: usize| ((large[r], none), false);
    let mut groups: Vec<Group> = (0..large.len()).map(of_large).collect();
    for (index, node) in schedule.supernodes.nodes.iter().enumerate() {
        let around = node.registers.iter().map(|r| large[r.index()]).min();
        for r in &node.registers {
            let left_out = large[r.index()] == none;
            groups[r.index()] = ((around.unwrap_or(none), index), left_out);
        }
    }
    groups
}
