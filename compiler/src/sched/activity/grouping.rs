//! Which registers, memories and cells may become a supernode.

use rustc_hash::FxHashMap;

use super::{Activity, Inputs, Owner, Supernode, Supernodes, cone};
use crate::arena::SideTable;
use crate::ir::*;
use crate::options::Gating;
use crate::sched::Action;
use crate::sched::regions::Sink;
use crate::sched::sinks::limbs;

/// Sinks in groups that may become supernodes.
pub(super) struct Grouping<'a> {
    n: &'a Netlist,
    sinks: &'a [Sink],
    gating: Gating,
    inputs: Inputs,
    /// Cells that the sinks need, operands first.
    cells: Vec<CellId>,
    /// Group of each register and memory, by scope.
    pub registers: Vec<Option<ScopeId>>,
    pub memories: Vec<Option<ScopeId>>,
}

/// Who uses a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
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
    pub fn empty(n: &'a Netlist, sinks: &'a [Sink], gating: Gating, inputs: Inputs) -> Self {
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
    pub fn new(n: &'a Netlist, sinks: &'a [Sink], gating: Gating, inputs: Inputs) -> Self {
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
    pub fn activity(mut self) -> Activity {
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

    pub fn finish(
        &self,
        mut supernodes: Vec<Supernode>,
        users: &SideTable<Cell, User>,
    ) -> Activity {
        let mut activity = Activity::none(self.n);
        let mut owner = vec![Owner::NONE; self.n.scopes.len()];
        for (index, node) in supernodes.iter().enumerate() {
            owner[node.scope.index()] = Owner::supernode(index);
        }
        for cell in &self.cells {
            if let User::One(scope) = users[*cell] {
                let owner = owner[scope.index()];
                activity.owner[*cell] = owner;
                if let Some(index) = owner.index() {
                    supernodes[index].cells += 1;
                }
            }
        }
        activity.supernodes = Supernodes::new(supernodes);
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
    pub fn users(&self) -> SideTable<Cell, User> {
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

    pub fn supernodes(&self, users: &SideTable<Cell, User>) -> Vec<Supernode> {
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
