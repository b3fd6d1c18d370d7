//! Copies a netlist forward through a folding [`Builder`], one decision per cell.
//!
//! State keeps its ids and order; a pass that drops or splits state does so itself.

use super::*;

/// The netlist under construction and where each old cell went.
pub struct Rewriter<'a> {
    pub old: &'a Netlist,
    pub new: Builder,
    map: SideTable<Cell, Option<CellId>>,
}

impl Rewriter<'_> {
    /// The new cell that stands for an old one that was visited already.
    pub fn get(&self, old: CellId) -> CellId {
        self.map[old].unwrap_or_else(|| panic!("cell {old:?} is used before it is defined"))
    }

    /// The old cell with its operands replaced.
    pub fn copy(&mut self, old: CellId) -> CellId {
        let cell = &self.old.cells[old];
        let kind = cell.kind.map_operands(|o| self.get(o));
        self.new.cell(kind, cell.width)
    }
}

/// Calls `visit` for every cell of `old`, in order; it returns the cell of the new netlist that stands
/// for it. References from state, effects and names follow.
pub fn rewrite(old: &Netlist, visit: impl FnMut(&mut Rewriter, CellId) -> CellId) -> Netlist {
    rewrite_then(old, visit, |_| {})
}

/// The same; at the end `then` may change state and add cells, when all references are to new cells.
pub fn rewrite_then(
    old: &Netlist,
    mut visit: impl FnMut(&mut Rewriter, CellId) -> CellId,
    then: impl FnOnce(&mut Builder),
) -> Netlist {
    let mut new = Builder::folding(old.top.clone());
    new.netlist = Netlist {
        cells: Arena::default(),
        origins: SideTable::default(),
        ..old.clone_shell()
    };
    let mut rewriter = Rewriter {
        old,
        new,
        map: SideTable::new(&old.cells, None),
    };
    for id in old.cells.ids() {
        rewriter.new.origin = old.origins[id];
        let replacement = visit(&mut rewriter, id);
        debug_assert_eq!(rewriter.new.width(replacement), old.width(id));
        rewriter.map[id] = Some(replacement);
    }
    let Rewriter { mut new, map, .. } = rewriter;
    new.netlist
        .map_roots(|c| map[c].expect("every cell was visited"));
    then(&mut new);
    new.finish()
}

impl Netlist {
    /// Everything but the cells.
    fn clone_shell(&self) -> Netlist {
        Netlist {
            top: self.top.clone(),
            cells: Arena::default(),
            origins: SideTable::default(),
            inputs: self.inputs.clone(),
            registers: self.registers.clone(),
            latches: self.latches.clone(),
            loops: self.loops.clone(),
            memories: self.memories.clone(),
            triggers: self.triggers.clone(),
            randoms: self.randoms.clone(),
            effects: self.effects.clone(),
            signals: self.signals.clone(),
            scopes: self.scopes.clone(),
            sources: self.sources.clone(),
            types: self.types.clone(),
            hidden: self.hidden.clone(),
            branches: Vec::new(),
        }
    }

    /// Replaces every reference to a cell from state, effects and names.
    pub fn map_roots(&mut self, mut f: impl FnMut(CellId) -> CellId) {
        let mut set = |c: &mut CellId| *c = f(*c);
        for r in self.registers.values_mut() {
            set(&mut r.next);
            if let Some(load) = &mut r.load {
                set(&mut load.when);
                set(&mut load.value);
            }
        }
        self.latches.values_mut().for_each(|l| set(&mut l.value));
        self.loops.values_mut().for_each(|l| set(&mut l.value));
        self.triggers.values_mut().for_each(|t| set(&mut t.net));
        for w in self.memories.values_mut().flat_map(|m| &mut m.writes) {
            [&mut w.enable, &mut w.address, &mut w.data, &mut w.mask]
                .into_iter()
                .for_each(&mut set);
        }
        for e in &mut self.effects {
            set(&mut e.enable);
            e.args.iter_mut().for_each(|a| set(&mut a.value));
        }
        self.hidden.iter_mut().for_each(|(_, cell)| set(cell));
        for s in self.signals.values_mut() {
            match &mut s.value {
                SignalValue::Cell(c) => set(c),
                SignalValue::Memory(_) => {}
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => [input, output, enable].into_iter().for_each(&mut set),
            }
        }
    }
}
