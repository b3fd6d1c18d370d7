//! Clock and asynchronous nets to triggers.
//!
//! Inverters before a clock are stripped and turn the edge. Triggers are numbered as they are met and
//! put into the order of the netlist (primary, derived, asynchronous) at the end.

use rustc_hash::FxHashMap;

use super::ast::Chunk;
use super::lower::Lower;
use crate::arena::Arena;
use crate::ir::{
    Builder, CellId, CellKind, ClockEdge, Edge, EffectTime, Trigger, TriggerId, TriggerRole,
};

/// The triggers met so far.
#[derive(Default)]
pub struct Triggers {
    found: FxHashMap<CellId, TriggerId>,
    list: Arena<Trigger>,
}

impl Triggers {
    fn get(&mut self, net: CellId, role: TriggerRole) -> TriggerId {
        let id = *self
            .found
            .entry(net)
            .or_insert_with(|| self.list.push(Trigger { net, role }));
        if self.list[id].role == TriggerRole::AsyncLoad {
            self.list[id].role = role;
        }
        id
    }

    /// Gives the netlist its triggers, in order, and renumbers every reference.
    pub fn install(self, b: &mut Builder) {
        let rank = |t: &Trigger| match t.role {
            TriggerRole::PrimaryClock => 0,
            TriggerRole::DerivedClock => 1,
            TriggerRole::AsyncLoad => 2,
        };
        let mut order: Vec<TriggerId> = self.list.ids().collect();
        order.sort_by_key(|id| (rank(&self.list[*id]), *id));
        let mut new_id = vec![TriggerId::new(0); order.len()];
        for (position, id) in order.iter().enumerate() {
            new_id[id.index()] = TriggerId::new(position);
        }
        let netlist = &mut b.netlist;
        netlist.triggers = order.iter().map(|id| self.list[*id].clone()).collect();
        let renumber = |clocks: &mut Vec<ClockEdge>| {
            clocks
                .iter_mut()
                .for_each(|c| c.trigger = new_id[c.trigger.index()]);
            clocks.sort_unstable();
            clocks.dedup();
        };
        for register in netlist.registers.values_mut() {
            renumber(&mut register.clocks);
            if let Some(trigger) = register.load.as_mut().and_then(|l| l.trigger.as_mut()) {
                *trigger = new_id[trigger.index()];
            }
        }
        netlist
            .memories
            .values_mut()
            .flat_map(|m| &mut m.writes)
            .for_each(|w| renumber(&mut w.clocks));
        for effect in &mut netlist.effects {
            if let EffectTime::Edges(clocks) = &mut effect.when {
                renumber(clocks);
            }
        }
    }
}

impl Lower<'_, '_, '_> {
    /// The trigger of a clock; `None` for a clock that never moves.
    pub fn clock(&mut self, net: CellId, edge: Edge) -> Option<ClockEdge> {
        let (net, inverted) = self.strip_inverters(net);
        if self.b.constant(net).is_some() {
            return None;
        }
        let role = if self.is_top_input(net) {
            TriggerRole::PrimaryClock
        } else {
            TriggerRole::DerivedClock
        };
        let trigger = self.triggers.get(net, role);
        let edge = match (edge, inverted) {
            (Edge::Rise, true) => Edge::Fall,
            (Edge::Fall, true) => Edge::Rise,
            (edge, _) => edge,
        };
        Some(ClockEdge { trigger, edge })
    }

    /// The clock of a cell's port.
    pub fn clock_of(&mut self, instance: u32, chunks: &[Chunk], edge: Edge) -> Vec<ClockEdge> {
        let net = self.value(instance, chunks);
        let net = self.b.resize(net, 1, crate::ir::Extend::Zero);
        self.clock(net, edge).into_iter().collect()
    }

    /// The trigger of an asynchronous load; `None` when it never changes.
    pub fn async_trigger(&mut self, when: CellId) -> Option<TriggerId> {
        let (net, _) = self.strip_inverters(when);
        if self.b.constant(net).is_some() {
            return None;
        }
        Some(self.triggers.get(net, TriggerRole::AsyncLoad))
    }

    fn is_top_input(&self, net: CellId) -> bool {
        match *self.b.kind(net) {
            CellKind::Input(_) => true,
            CellKind::Slice { value, .. } => matches!(self.b.kind(value), CellKind::Input(_)),
            _ => false,
        }
    }
}
