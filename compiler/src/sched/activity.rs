//! Activity gating: parts of a design that sleep while nothing changes in them and nothing they look at does.
//!
//! In: the sinks of a clock edge. Out: [`Supernode`]s, each the registers and memory writes of one instance (and of
//! those below it that are too small for themselves), with the cells that nobody else uses. A supernode whose last
//! edge left all its state as it was, and whose inputs have the same values again, would leave it so again: it is
//! skipped. The artifact finds out at every 16th edge, and less often where nothing falls asleep (`emit/activity.rs`), so
//! that a busy design pays next to nothing.
//!
//! Only designs with a single clock edge are gated: elsewhere state is overwritten from several tasks. Effects are
//! never part of a supernode, because they keep the order of the source among themselves.

mod grouping;

use rustc_hash::FxHashMap;

use self::grouping::Grouping;
use super::regions::Sink;
use super::{Action, Domains, TaskKind, TimingModel, sinks};
use crate::arena::SideTable;
use crate::ir::*;
use crate::options::Gating;

/// A part of a design that can sleep.
#[derive(Clone, Debug)]
pub struct Supernode {
    /// The instance.
    pub scope: ScopeId,
    pub registers: Vec<RegisterId>,
    /// All write ports of these.
    pub memories: Vec<MemoryId>,
    /// Values from outside that its cells and sinks use.
    pub inputs: Vec<CellId>,
    /// What it uses, too, without comparing: its own registers where others read them, and wide values whose limbs are
    /// among the inputs.
    pub others: Vec<CellId>,
    /// How many cells it computes.
    pub cells: usize,
}

impl Supernode {
    pub fn empty(scope: ScopeId) -> Supernode {
        Supernode {
            scope,
            registers: Vec::new(),
            memories: Vec::new(),
            inputs: Vec::new(),
            others: Vec::new(),
            cells: 0,
        }
    }

    fn has_state(&self) -> bool {
        !self.registers.is_empty() || !self.memories.is_empty()
    }

    /// One that does nothing, in its place.
    pub fn dissolved(&self) -> Supernode {
        Supernode::empty(self.scope)
    }
}

/// All supernodes, and which of them has what.
#[derive(Clone, Debug, Default)]
pub struct Supernodes {
    pub nodes: Vec<Supernode>,
    of_register: FxHashMap<RegisterId, usize>,
    of_memory: FxHashMap<MemoryId, usize>,
}

impl Supernodes {
    fn new(nodes: Vec<Supernode>) -> Supernodes {
        let each = || nodes.iter().enumerate();
        Supernodes {
            of_register: each()
                .flat_map(|(i, s)| s.registers.iter().map(move |r| (*r, i)))
                .collect(),
            of_memory: each()
                .flat_map(|(i, s)| s.memories.iter().map(move |m| (*m, i)))
                .collect(),
            nodes,
        }
    }

    /// The supernode of a register.
    pub fn of_register(&self, register: RegisterId) -> Option<usize> {
        self.of_register.get(&register).copied()
    }

    /// The supernode that alone writes to a memory.
    pub fn of_memory(&self, memory: MemoryId) -> Option<usize> {
        self.of_memory.get(&memory).copied()
    }
}

/// The supernodes of a clock edge.
pub struct Activity {
    pub supernodes: Supernodes,
    /// The supernode that alone uses each cell.
    owner: SideTable<Cell, Owner>,
}

/// What an instance that sleeps looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Values of outside as others see them, too: few comparisons for all.
    Whole,
    /// Of a value from which it takes something with a constant, only that: instances that take different things are
    /// alike.
    Picked,
}

/// Which cells a block may compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(u32);

impl Owner {
    /// What belongs to no supernode.
    pub const NONE: Owner = Owner(0);
    /// What every part computes for itself.
    pub const ALL: Owner = Owner(u32::MAX);

    pub fn supernode(index: usize) -> Owner {
        Owner(index as u32 + 1)
    }

    /// The supernode, or part.
    pub fn index(self) -> Option<usize> {
        let of_one = self != Owner::NONE && self != Owner::ALL;
        of_one.then(|| self.0 as usize - 1)
    }
}

impl Activity {
    /// No gating.
    pub fn none(n: &Netlist) -> Activity {
        Activity {
            supernodes: Supernodes::default(),
            owner: SideTable::new(&n.cells, Owner::NONE),
        }
    }

    /// The same supernodes for the sinks of another netlist with the same state.
    pub fn again(n: &Netlist, sinks: &[Sink], gating: Gating, nodes: &[Supernode]) -> Activity {
        let mut grouping = Grouping::empty(n, sinks, gating, Inputs::Picked);
        for node in nodes {
            for r in &node.registers {
                grouping.registers[r.index()] = Some(node.scope);
            }
            for m in &node.memories {
                grouping.memories[m.index()] = Some(node.scope);
            }
        }
        let users = grouping.users();
        let mut uses: FxHashMap<ScopeId, Supernode> = FxHashMap::default();
        uses.extend(
            grouping
                .supernodes(&users)
                .into_iter()
                .map(|s| (s.scope, s)),
        );
        let nodes = nodes.iter().map(|node| {
            let uses = uses.remove(&node.scope);
            let (inputs, others) = uses.map_or_else(Default::default, |s| (s.inputs, s.others));
            Supernode {
                inputs,
                others,
                cells: 0,
                ..node.clone()
            }
        });
        grouping.finish(nodes.collect(), &users)
    }

    /// Finds the supernodes of the only clock edge; there are none where there are several.
    pub fn find(
        n: &Netlist,
        domains: &Domains,
        tasks: &[(TaskKind, Vec<Sink>)],
        gating: Gating,
        inputs: Inputs,
    ) -> Activity {
        let mut edges = tasks.iter().filter(|(k, _)| matches!(k, TaskKind::Edge(_)));
        let single = domains.model == TimingModel::Static && !sinks::needs_shadow(domains);
        match edges.next() {
            Some((_, sinks)) if single => Grouping::new(n, sinks, gating, inputs).activity(),
            _ => Activity::none(n),
        }
    }

    pub fn owner(&self, cell: CellId) -> Owner {
        self.owner[cell]
    }

    /// True for a cell that a block of `owner` computes.
    pub fn belongs(&self, cell: CellId, owner: Owner) -> bool {
        self.owner[cell] == owner || self.owner[cell] == Owner::ALL
    }

    pub fn give(&mut self, cell: CellId, owner: Owner) {
        self.owner[cell] = owner;
    }

    /// Cells that no supernode has to itself.
    pub fn ungated(&self, n: &Netlist, tasks: &[(TaskKind, Vec<Sink>)]) -> usize {
        let edges = tasks.iter().filter(|(k, _)| matches!(k, TaskKind::Edge(_)));
        let cells = edges.flat_map(|(_, sinks)| cone(n, sinks));
        cells.filter(|c| self.owner[*c] == Owner::NONE).count()
    }

    /// The sinks of each supernode, and those of none with one more for every supernode, which runs it.
    pub fn split(&self, sinks: &[Sink]) -> (Vec<Sink>, Vec<Vec<Sink>>) {
        let nodes = &self.supernodes.nodes;
        let mut parts: Vec<Vec<Sink>> = vec![Vec::new(); nodes.len()];
        let mut rest = Vec::new();
        for sink in sinks {
            let node = match sink.action {
                Action::StoreRegister(r, _) => self.supernodes.of_register(r),
                Action::Write { memory, .. } => self.supernodes.of_memory(memory),
                _ => None,
            };
            match node {
                Some(index) => parts[index].push(sink.clone()),
                None => rest.push(sink.clone()),
            }
        }
        let nodes = nodes.iter().enumerate().filter(|(_, s)| s.has_state());
        rest.extend(nodes.map(|(i, s)| {
            let uses = [s.inputs.as_slice(), &s.others].concat();
            Sink::plain(Action::Run(i), uses)
        }));
        (rest, parts)
    }
}

/// Every cell but constants that the sinks need, operands first.
pub(super) fn cone(n: &Netlist, sinks: &[Sink]) -> Vec<CellId> {
    let mut seen = SideTable::new(&n.cells, false);
    let mut work: Vec<CellId> = sinks
        .iter()
        .flat_map(|s| s.uses.iter().copied().chain(s.guard))
        .collect();
    let mut cells = Vec::new();
    while let Some(cell) = work.pop() {
        if !seen[cell] && n.constant(cell).is_none() {
            seen[cell] = true;
            cells.push(cell);
            n.cells[cell].kind.for_each_operand(|o| work.push(o));
        }
    }
    cells.sort_unstable();
    cells
}
