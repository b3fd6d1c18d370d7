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

use rustc_hash::FxHashMap;

use super::regions::Sink;
use super::sinks::limbs;
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

    /// How many cells each supernode computes.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.supernodes.nodes.len()];
        for index in self.owner.iter().filter_map(|(_, owner)| owner.index()) {
            sizes[index] += 1;
        }
        sizes
    }

    /// The sinks of each supernode, and those of none with one more for every supernode, which runs it.
    pub fn split(&self, sinks: Vec<Sink>) -> (Vec<Sink>, Vec<Vec<Sink>>) {
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
                Some(index) => parts[index].push(sink),
                None => rest.push(sink),
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

/// Sinks in groups that may become supernodes.
struct Grouping<'a> {
    n: &'a Netlist,
    sinks: &'a [Sink],
    gating: Gating,
    inputs: Inputs,
    /// Cells that the sinks need, operands first.
    cells: Vec<CellId>,
    /// Group of each register and memory, by scope.
    registers: Vec<Option<ScopeId>>,
    memories: Vec<Option<ScopeId>>,
}

/// Who uses a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    Nobody,
    One(ScopeId),
    /// Several groups, or what is in no group.
    Many,
}

impl User {
    fn join(&mut self, other: User) {
        *self = match (*self, other) {
            (User::Nobody, other) => other,
            (own, User::Nobody) => own,
            (own, other) if own == other => own,
            _ => User::Many,
        };
    }

    fn of(group: Option<ScopeId>) -> User {
        group.map_or(User::Many, User::One)
    }
}

impl<'a> Grouping<'a> {
    fn empty(n: &'a Netlist, sinks: &'a [Sink], gating: Gating, inputs: Inputs) -> Self {
        Grouping {
            n,
            sinks,
            gating,
            inputs,
            cells: cone(n, sinks),
            registers: vec![None; n.registers.len()],
            memories: vec![None; n.memories.len()],
        }
    }

    /// By scope.
    fn new(n: &'a Netlist, sinks: &'a [Sink], gating: Gating, inputs: Inputs) -> Self {
        let mut grouping = Grouping::empty(n, sinks, gating, inputs);
        let homes = grouping.homes();
        let home = |origin: &Origin| homes[origin.scope.index()];
        for sink in sinks {
            match sink.action {
                Action::StoreRegister(r, _) => {
                    grouping.registers[r.index()] = home(&n.registers[r].origin)
                }
                Action::Write { memory, .. } => {
                    grouping.memories[memory.index()] = home(&n.memories[memory].origin)
                }
                _ => {}
            }
        }
        grouping
    }

    /// For each scope the one whose group it is in: itself or one around it that is large enough, but not the top.
    fn homes(&self) -> Vec<Option<ScopeId>> {
        let n = self.n;
        let mut weight = vec![0; n.scopes.len()];
        for cell in &self.cells {
            weight[n.origins[*cell].scope.index()] += 1;
        }
        let scopes: Vec<ScopeId> = n.scopes.ids().collect();
        let mut homes = vec![None; scopes.len()];
        for scope in scopes.iter().rev() {
            let Some(parent) = n.scopes[*scope].parent else {
                continue;
            };
            if weight[scope.index()] >= self.gating.cells {
                homes[scope.index()] = Some(*scope);
            } else {
                weight[parent.index()] += weight[scope.index()];
            }
        }
        for scope in &scopes {
            let parent = n.scopes[*scope].parent;
            let around = parent.and_then(|p| homes[p.index()]);
            homes[scope.index()] = homes[scope.index()].or(around);
        }
        homes
    }

    /// Drops groups that are not worth it until all are.
    fn activity(mut self) -> Activity {
        loop {
            let users = self.users();
            let supernodes = self.supernodes(&users);
            let mut own = vec![0; self.n.scopes.len()];
            for cell in &self.cells {
                if let User::One(scope) = users[*cell] {
                    own[scope.index()] += 1;
                }
            }
            let is_poor = |s: &Supernode| {
                let least = self.gating.cells_per_input * s.inputs.len();
                own[s.scope.index()] < least.max(self.gating.cells)
            };
            let mut dropped = vec![false; self.n.scopes.len()];
            for node in supernodes.iter().filter(|s| is_poor(s)) {
                dropped[node.scope.index()] = true;
            }
            if !dropped.contains(&true) {
                return match supernodes.len() < self.gating.instances {
                    true => Activity::none(self.n),
                    false => self.finish(supernodes, &users),
                };
            }
            for group in self.registers.iter_mut().chain(&mut self.memories) {
                *group = group.filter(|scope| !dropped[scope.index()]);
            }
        }
    }

    fn finish(&self, supernodes: Vec<Supernode>, users: &SideTable<Cell, User>) -> Activity {
        let mut activity = Activity::none(self.n);
        let mut owner = vec![Owner::NONE; self.n.scopes.len()];
        for (index, node) in supernodes.iter().enumerate() {
            owner[node.scope.index()] = Owner::supernode(index);
        }
        for cell in &self.cells {
            if let User::One(scope) = users[*cell] {
                activity.owner[*cell] = owner[scope.index()];
            }
        }
        activity.supernodes = Supernodes::new(supernodes);
        for (node, cells) in activity.sizes().into_iter().enumerate() {
            activity.supernodes.nodes[node].cells = cells;
        }
        activity
    }

    fn group(&self, action: &Action) -> Option<ScopeId> {
        match action {
            Action::StoreRegister(r, _) => self.registers[r.index()],
            Action::Write { memory, .. } => self.memories[memory.index()],
            _ => None,
        }
    }

    /// Who uses each cell, from the sinks backwards.
    fn users(&self) -> SideTable<Cell, User> {
        let mut users = SideTable::new(&self.n.cells, User::Nobody);
        for sink in self.sinks {
            let user = User::of(self.group(&sink.action));
            sink.uses
                .iter()
                .chain(&sink.guard)
                .for_each(|u| users[*u].join(user));
        }
        for cell in self.cells.iter().rev() {
            if let User::One(scope) = users[*cell]
                && !self.can_own(scope, *cell)
            {
                users[*cell] = User::Many;
            }
            let user = users[*cell];
            self.n.cells[*cell]
                .kind
                .for_each_operand(|o| users[o].join(user));
        }
        if self.inputs == Inputs::Picked {
            self.give_away(&mut users);
        }
        users
    }

    /// What a group takes from a value of outside with a constant, and only there, is an input instead of that value: a
    /// bit of a word, a comparison with a number of its own. The rest of the word then wakes nobody, and instances that
    /// take different things from it are alike.
    fn give_away(&self, users: &mut SideTable<Cell, User>) {
        let outside = |users: &SideTable<Cell, User>, group: User, cell: CellId| {
            let own = match self.n.cells[cell].kind {
                CellKind::Register(r) => User::of(self.registers[r.index()]) == group,
                _ => false,
            };
            users[cell] == User::Many && !own && self.n.constant(cell).is_none()
        };
        let mut uses: FxHashMap<(CellId, ScopeId), u32> = FxHashMap::default();
        for cell in &self.cells {
            if let User::One(scope) = users[*cell] {
                let kind = &self.n.cells[*cell].kind;
                kind.for_each_operand(|o| *uses.entry((o, scope)).or_default() += 1);
            }
        }
        for cell in &self.cells {
            if let User::One(scope) = users[*cell]
                && let Some(value) = self.taken_from(*cell)
                && outside(users, users[*cell], value)
                && uses[&(value, scope)] == 1
            {
                users[*cell] = User::Many;
            }
        }
    }

    /// The only operand of a cell that is not a constant, where the cell is cheap.
    fn taken_from(&self, cell: CellId) -> Option<CellId> {
        use CellKind::*;
        let constant = |id: CellId| self.n.constant(id).is_some();
        match self.n.cells[cell].kind {
            Slice { value, .. } => Some(value),
            Eq(a, b) | And(a, b) | Or(a, b) | Xor(a, b) | Add(a, b) | Sub(a, b) | LtU(a, b) => {
                match (constant(a), constant(b)) {
                    (false, true) => Some(a),
                    (true, false) => Some(b),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// False for what others may change.
    fn can_own(&self, scope: ScopeId, cell: CellId) -> bool {
        match self.n.cells[cell].kind {
            CellKind::Register(r) => self.registers[r.index()] == Some(scope),
            CellKind::MemRead { memory, .. } => {
                self.n.memories[memory].writes.is_empty()
                    || self.memories[memory.index()] == Some(scope)
            }
            ref kind => !kind.is_source(),
        }
    }

    fn supernodes(&self, users: &SideTable<Cell, User>) -> Vec<Supernode> {
        let mut found: Vec<Option<Supernode>> = vec![None; self.n.scopes.len()];
        let mut uses: Vec<(ScopeId, CellId)> = Vec::new();
        for sink in self.sinks {
            if let Some(scope) = self.group(&sink.action) {
                let node = found[scope.index()].get_or_insert_with(|| Supernode::empty(scope));
                match sink.action {
                    Action::StoreRegister(r, _) => node.registers.push(r),
                    Action::Write { memory, .. } => node.memories.push(memory),
                    _ => {}
                }
                uses.extend(sink.uses.iter().chain(&sink.guard).map(|u| (scope, *u)));
            }
        }
        for cell in &self.cells {
            if let User::One(scope) = users[*cell] {
                self.n.cells[*cell]
                    .kind
                    .for_each_operand(|o| uses.push((scope, o)));
            }
        }
        for (scope, used) in uses {
            let node = found[scope.index()].as_mut().expect("it has sinks");
            for cell in limbs(self.n, used) {
                let outside = users[cell] == User::Many && self.n.constant(cell).is_none();
                match self.n.cells[cell].kind {
                    CellKind::Register(r) if self.registers[r.index()] == Some(scope) => {
                        node.others.extend(outside.then_some(cell))
                    }
                    _ => node.inputs.extend(outside.then_some(cell)),
                }
            }
            if self.n.width(used) > 64 && users[used] == User::Many {
                node.others.push(used);
            }
        }
        let mut nodes: Vec<Supernode> = found.into_iter().flatten().collect();
        for node in &mut nodes {
            node.memories.dedup();
            for cells in [&mut node.inputs, &mut node.others] {
                cells.sort_unstable();
                cells.dedup();
            }
        }
        nodes
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
