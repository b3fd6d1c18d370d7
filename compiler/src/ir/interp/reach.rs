//! Which places of the source a wave goes through.
//!
//! In: the edges of a wave, and settled values of before it. Out: the cells that decide what its registers, memories and
//! effects become: from what acts at those edges back through operands, of a mux through the arm that is taken only.

use super::wave::any_edge;
use super::*;

/// A place of the source, as what a wave may go through.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Operations.
    pub cells: Vec<CellId>,
    /// Sides of muxes: the mux, and the value of its select.
    pub arms: Vec<(CellId, bool)>,
    /// Write ports, by memory and number.
    pub writes: Vec<(MemoryId, usize)>,
    /// Effects, by number.
    pub effects: Vec<usize>,
}

/// A place that a wave went through, by its number, and the instance there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub place: usize,
    pub scope: ScopeId,
}

/// What a wave goes through.
struct Trail {
    cells: Vec<bool>,
    writes: Vec<(MemoryId, usize)>,
    effects: Vec<usize>,
}

impl Interp<'_> {
    /// Notes the places that a wave with these edges goes through, before it commits.
    pub(super) fn note_places(&mut self, edges: &[(usize, bool)]) {
        if self.run.places.is_empty() {
            return;
        }
        let trail = self.trail(edges);
        for number in 0..self.run.places.len() {
            if let Some(scope) = self.scope_on(&trail, &self.run.places[number]) {
                self.run.reached.push(Reached {
                    place: number,
                    scope,
                });
                self.run.place_hit = true;
            }
        }
        if self.run.place_hit {
            self.run.before.clone_from(&self.run.state.values);
        }
    }

    /// The instance in which a trail goes through a place.
    fn scope_on(&self, trail: &Trail, place: &Place) -> Option<ScopeId> {
        let n = self.netlist;
        let taken = |(mux, side): &&(CellId, bool)| {
            let CellKind::Mux { select, .. } = n.cells[*mux].kind else {
                return false;
            };
            trail.cells[mux.index()] && self.value(select).bit(0) == *side
        };
        let arm = place.arms.iter().find(taken).map(|(mux, _)| *mux);
        let cell = arm.or_else(|| {
            let mut cells = place.cells.iter().copied();
            cells.find(|cell| trail.cells[cell.index()])
        });
        let write = place
            .writes
            .iter()
            .find(|write| trail.writes.contains(write));
        let effect = place.effects.iter().find(|e| trail.effects.contains(e));
        cell.map(|cell| n.origins[cell].scope)
            .or_else(|| write.map(|(m, port)| n.memories[*m].writes[*port].origin.scope))
            .or_else(|| effect.map(|effect| n.effects[*effect].origin.scope))
    }

    fn trail(&self, edges: &[(usize, bool)]) -> Trail {
        let n = self.netlist;
        let mut trail = Trail {
            cells: vec![false; n.cells.len()],
            writes: Vec::new(),
            effects: Vec::new(),
        };
        let mut open: Vec<CellId> = Vec::new();
        for r in n.registers.values().filter(|r| any_edge(&r.clocks, edges)) {
            match r.load {
                Some(load) if self.value(load.when).bit(0) => open.extend([load.when, load.value]),
                _ => open.push(r.next),
            }
        }
        for (id, memory) in n.memories.iter() {
            for (port, w) in memory.writes.iter().enumerate() {
                if any_edge(&w.clocks, edges) && self.value(w.enable).bit(0) {
                    trail.writes.push((id, port));
                    open.extend([w.enable, w.address, w.data, w.mask]);
                }
            }
        }
        for (number, effect) in n.effects.iter().enumerate() {
            let EffectTime::Edges(clocks) = &effect.when else {
                continue;
            };
            if any_edge(clocks, edges) && self.value(effect.enable).bit(0) {
                trail.effects.push(number);
                open.push(effect.enable);
                open.extend(effect.args.iter().map(|arg| arg.value));
            }
        }
        while let Some(cell) = open.pop() {
            if !std::mem::replace(&mut trail.cells[cell.index()], true) {
                self.follow(cell, &mut open);
            }
        }
        trail
    }

    /// What a cell's value comes from.
    fn follow(&self, cell: CellId, open: &mut Vec<CellId>) {
        match self.netlist.cells[cell].kind {
            CellKind::Mux {
                select,
                on_true,
                on_false,
            } => {
                let arm = match self.value(select).bit(0) {
                    true => on_true,
                    false => on_false,
                };
                open.extend([select, arm]);
            }
            ref kind => kind.for_each_operand(|operand| open.push(operand)),
        }
    }
}
