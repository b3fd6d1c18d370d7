//! A netlist with a reset: what has a task of its own for cycles in which that is not active.
//!
//! In: a netlist whose state all acts on one edge. Out: the same, but with an input of one bit deciding most of its
//! registers, to constants at one level, and keeping its memories from being written.

use rtlwasm::bits::Bits;
use rtlwasm::ir::*;

/// The netlist with its first input of one bit as reset, active at 1 or at 0; as it was, where there is none.
pub fn with_reset(n: &Netlist, seed: u64) -> Netlist {
    let is_trigger = |net: &CellId| n.triggers.values().any(|t| t.net == *net);
    let is_bit = |id: &CellId| matches!(n.cells[*id].kind, CellKind::Input(_)) && n.width(*id) == 1;
    let bits = n.cells.ids().filter(is_bit);
    let Some(reset) = bits.filter(|id| !is_trigger(id)).min() else {
        return n.clone();
    };
    let kind = n.cells[reset].kind.clone();
    let netlist = rewrite_then(
        n,
        |r, id| r.copy(id),
        |b| {
            let input = b.cell(kind, 1);
            let active = if seed.is_multiple_of(2) {
                input
            } else {
                b.not(input)
            };
            reset_state(b, active);
        },
    );
    validate(&netlist);
    netlist
}

fn reset_state(b: &mut Builder, active: CellId) {
    for id in b.netlist.registers.ids() {
        let Register { width, next, .. } = b.netlist.registers[id];
        let value = match id.index() % 4 {
            0 => continue,
            1 => Bits::ones(width),
            _ => Bits::zero(width),
        };
        let value = b.konst(value);
        b.netlist.registers[id].next = b.mux(active, value, next);
    }
    let off = b.not(active);
    for memory in b.netlist.memories.ids() {
        for port in 0..b.netlist.memories[memory].writes.len() {
            let enable = b.netlist.memories[memory].writes[port].enable;
            b.netlist.memories[memory].writes[port].enable = b.and(off, enable);
        }
    }
}
