//! Registers on a gated clock become registers on the clock itself with an enable.
//!
//! A gated clock is a net that is 0 at one level of a primary clock, and at the other level depends only on
//! what holds still while the clock has that level: latches that are closed then, registers that the
//! opposite edge moves, constants. Its rise is an edge of the primary clock, in the same wave, and happens
//! when the gate is open. So state on it moves with the primary clock when the gate's value is 1, and a
//! design with clock gates keeps to the static time model. Only for `--clock-order verilog`: in the order
//! `delta` a gated clock moves one wave later.

use rustc_hash::FxHashMap;

use crate::ir::*;
use crate::options::{ClockOrder, Options};

/// Most cells of a gate that are looked at.
const MAX_CONE: usize = 200;

/// Runs the pass. Latches and clocks that nothing needs any more are left to `sweep`.
pub fn run(old: &Netlist, options: &Options) -> Netlist {
    let derived = |t: &Trigger| t.role == TriggerRole::DerivedClock;
    if options.clock_order != ClockOrder::Verilog || !old.triggers.values().any(derived) {
        return old.clone();
    }
    rewrite_then(
        old,
        |r, id| r.copy(id),
        |b| {
            for id in b.netlist.triggers.ids() {
                if derived(&b.netlist.triggers[id])
                    && let Some(gate) = find_gate(b, b.netlist.triggers[id].net)
                {
                    move_state(b, id, gate);
                }
            }
        },
    )
}

/// What stands for the rise of a gated clock.
#[derive(Clone, Copy)]
struct Gate {
    clock: ClockEdge,
    /// 1 when the gate is open, from values before the edge.
    open: CellId,
}

fn find_gate(b: &mut Builder, net: CellId) -> Option<Gate> {
    let primary = |t: &Trigger| t.role == TriggerRole::PrimaryClock;
    let clocks: Vec<(TriggerId, CellId)> = (b.netlist.triggers.iter())
        .filter(|(_, t)| primary(t))
        .map(|(id, t)| (id, t.net))
        .collect();
    for (trigger, clock) in clocks {
        for level in [true, false] {
            if let Some(open) = open_at(b, net, clock, level) {
                let edge = if level { Edge::Rise } else { Edge::Fall };
                let clock = ClockEdge { trigger, edge };
                return Some(Gate { clock, open });
            }
        }
    }
    None
}

/// The value that the net takes when the clock goes to `level`, if it is 0 at the other level and stays as
/// it is for as long as the clock does.
fn open_at(b: &mut Builder, net: CellId, clock: CellId, level: bool) -> Option<CellId> {
    let at = |b: &mut Builder, root: CellId, value: bool| {
        let value = b.number(1, value.into());
        cofactor(b, root, &FxHashMap::from_iter([(clock, value)]))
    };
    let closed = at(b, net, !level)?;
    if !b.constant(closed)?.is_zero() {
        return None;
    }
    let open = at(b, net, level)?;
    let mut before: FxHashMap<CellId, CellId> = FxHashMap::default();
    for leaf in sources(b, open)? {
        match b.kind(leaf).clone() {
            CellKind::Latch(l) => {
                let value = b.netlist.latches[l].value;
                let is_closed = at(b, value, level)? == leaf;
                // What the latch has let through when the edge comes.
                let passed = at(b, value, !level)?;
                before.insert(leaf, is_closed.then_some(passed)?);
            }
            CellKind::Register(r) if moves_only_at(b, r, clock, !level) => {}
            _ => return None,
        }
    }
    cofactor(b, open, &before)
}

/// True when nothing but that edge of the clock changes the register.
fn moves_only_at(b: &Builder, register: RegisterId, clock: CellId, level: bool) -> bool {
    let r = &b.netlist.registers[register];
    let edge = if level { Edge::Rise } else { Edge::Fall };
    let same = |c: &ClockEdge| b.netlist.triggers[c.trigger].net == clock && c.edge == edge;
    r.load.is_none() && r.clocks.iter().all(same)
}

/// The cells of a cone, operands first; `None` when there are too many.
fn cone(b: &Builder, root: CellId) -> Option<Vec<CellId>> {
    let mut seen: FxHashMap<CellId, ()> = FxHashMap::default();
    let mut work = vec![root];
    while let Some(id) = work.pop() {
        if seen.insert(id, ()).is_none() {
            b.kind(id).for_each_operand(|o| work.push(o));
        }
        if seen.len() > MAX_CONE {
            return None;
        }
    }
    let mut cells: Vec<CellId> = seen.into_keys().collect();
    cells.sort_unstable();
    Some(cells)
}

/// State, inputs and memory rows that a cone reads.
fn sources(b: &Builder, root: CellId) -> Option<Vec<CellId>> {
    let mut cells = cone(b, root)?;
    cells.retain(|c| b.kind(*c).is_source() || matches!(b.kind(*c), CellKind::MemRead { .. }));
    Some(cells)
}

/// The cone of `root` with some cells replaced; `None` when it is too large.
fn cofactor(b: &mut Builder, root: CellId, replaced: &FxHashMap<CellId, CellId>) -> Option<CellId> {
    let mut map: FxHashMap<CellId, CellId> = FxHashMap::default();
    for id in cone(b, root)? {
        let new = match replaced.get(&id) {
            Some(new) => *new,
            None => {
                let kind = b.kind(id).map_operands(|o| map[&o]);
                let width = b.width(id);
                b.cell(kind, width)
            }
        };
        map.insert(id, new);
    }
    Some(map[&root])
}

/// Registers, writes and effects that follow the rise of `gated` alone follow the gate's clock instead.
fn move_state(b: &mut Builder, gated: TriggerId, gate: Gate) {
    let rise = [ClockEdge {
        trigger: gated,
        edge: Edge::Rise,
    }];
    for id in b.netlist.registers.ids() {
        let (next, width) = (b.netlist.registers[id].next, b.netlist.registers[id].width);
        if b.netlist.registers[id].clocks == rise {
            let held = b.intern(CellKind::Register(id), width);
            let next = b.mux(gate.open, next, held);
            let register = &mut b.netlist.registers[id];
            register.next = next;
            register.clocks = vec![gate.clock];
        }
    }
    for memory in b.netlist.memories.ids() {
        for port in 0..b.netlist.memories[memory].writes.len() {
            let enable = b.netlist.memories[memory].writes[port].enable;
            if b.netlist.memories[memory].writes[port].clocks == rise {
                let enable = b.and(gate.open, enable);
                let port = &mut b.netlist.memories[memory].writes[port];
                port.enable = enable;
                port.clocks = vec![gate.clock];
            }
        }
    }
    for i in 0..b.netlist.effects.len() {
        let enable = b.netlist.effects[i].enable;
        if b.netlist.effects[i].when == EffectTime::Edges(rise.to_vec()) {
            let enable = b.and(gate.open, enable);
            b.netlist.effects[i].enable = enable;
            b.netlist.effects[i].when = EffectTime::Edges(vec![gate.clock]);
        }
    }
}
