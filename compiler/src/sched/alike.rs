//! Supernodes that do the same, each to its own state: they run one function.
//!
//! In: the sinks of all supernodes. Out: [`Class`]es of two and more. Two supernodes are alike when their sinks, one after
//! the other, compute the same from registers and memories that stand at the same place in both, from equal constants,
//! and from values of outside, which become arguments. Nothing is taken from names: instances of one module need not be
//! alike after optimisation, and others may be.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::activity::{Activity, Owner};
use super::regions::Sink;
use super::{Action, TaskKind};
use crate::arena::SideTable;
use crate::ir::*;

/// Supernodes that run the same function.
#[derive(Clone, Debug)]
pub struct Class {
    /// The function is made from the first one.
    pub members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub struct Member {
    /// The supernode.
    pub node: usize,
    /// Values of outside, in the order of the function's parameters.
    pub args: Vec<CellId>,
}

/// Finds the classes among the supernodes of the only clock edge.
pub fn classes(n: &Netlist, activity: &Activity, tasks: &[(TaskKind, Vec<Sink>)]) -> Vec<Class> {
    if activity.supernodes.nodes.is_empty() {
        return Vec::new();
    }
    let edge = tasks.iter().find(|(k, _)| matches!(k, TaskKind::Edge(_)));
    let sinks = edge.map_or(&[][..], |(_, sinks)| sinks);
    let (_, parts) = activity.split(sinks);
    let hashes = Hashes::new(n, activity);
    let mut classes: Vec<Class> = Vec::new();
    let mut by_hash: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (node, sinks) in parts.iter().enumerate() {
        let candidates = by_hash.entry(hashes.of_sinks(node, sinks)).or_default();
        let found = candidates.iter().find_map(|class| {
            let model = classes[*class].members[0].node;
            let pairing = Pairing::new(n, activity, &hashes, model, node);
            Some((*class, pairing.pair(&parts[model], sinks)?))
        });
        match found {
            Some((class, (params, args))) => {
                classes[class].members[0].args = params;
                classes[class].members.push(Member { node, args });
            }
            None => {
                candidates.push(classes.len());
                let args = Vec::new();
                let members = vec![Member { node, args }];
                classes.push(Class { members });
            }
        }
    }
    classes.retain(|class| class.members.len() > 1);
    classes
}

/// For each sink of each supernode a number that is equal where the same is computed.
pub fn hashes(n: &Netlist, activity: &Activity, parts: &[Vec<Sink>]) -> Vec<Vec<u64>> {
    let hashes = Hashes::new(n, activity);
    let of_node = |(node, sinks): (usize, &Vec<Sink>)| {
        let each = sinks.chunks(1);
        each.map(|sink| hashes.of_sinks(node, sink)).collect()
    };
    parts.iter().enumerate().map(of_node).collect()
}

/// Cells that need no code of their own, because another supernode's function does for them.
pub fn saved_cells(activity: &Activity, classes: &[Class]) -> usize {
    let nodes = &activity.supernodes.nodes;
    let saved = classes.iter().flat_map(|class| &class.members[1..]);
    saved.map(|member| nodes[member.node].cells).sum()
}

/// Numbers that are equal for cells that compute the same within their supernodes.
struct Hashes<'a> {
    n: &'a Netlist,
    activity: &'a Activity,
    of_cell: SideTable<Cell, u64>,
    /// Place of each register and memory within its supernode.
    registers: FxHashMap<RegisterId, usize>,
    memories: FxHashMap<MemoryId, usize>,
}

impl<'a> Hashes<'a> {
    fn new(n: &'a Netlist, activity: &'a Activity) -> Self {
        let nodes = &activity.supernodes.nodes;
        let mut hashes = Hashes {
            n,
            activity,
            of_cell: SideTable::new(&n.cells, 0),
            registers: FxHashMap::default(),
            memories: FxHashMap::default(),
        };
        for node in nodes {
            let registers = node.registers.iter().enumerate();
            hashes.registers.extend(registers.map(|(i, r)| (*r, i)));
            let memories = node.memories.iter().enumerate();
            hashes.memories.extend(memories.map(|(i, m)| (*m, i)));
        }
        for (id, cell) in n.cells.iter() {
            let owner = activity.owner(id);
            if owner == Owner::NONE {
                continue;
            }
            let mut operands = Vec::new();
            cell.kind
                .for_each_operand(|o| operands.push(hashes.seen_from(owner, o)));
            if is_commutative(&cell.kind) {
                operands.sort_unstable();
            }
            hashes.of_cell[id] = hash((cell.width, cell.kind.keyword(), operands));
        }
        hashes
    }

    /// A cell as an operand within a supernode.
    fn seen_from(&self, owner: Owner, cell: CellId) -> u64 {
        if let Some(bits) = self.n.constant(cell) {
            return hash((0, bits.limbs(), bits.width()));
        }
        match self.n.cells[cell].kind {
            CellKind::Register(r) if self.is_own(owner, r) => hash((1, self.registers[&r])),
            _ if self.activity.owner(cell) == owner => self.of_cell[cell],
            _ => hash((2, self.n.width(cell))),
        }
    }

    fn is_own(&self, owner: Owner, register: RegisterId) -> bool {
        let node = self.activity.supernodes.of_register(register);
        node.map(Owner::supernode) == Some(owner)
    }

    fn of_sinks(&self, node: usize, sinks: &[Sink]) -> u64 {
        let owner = Owner::supernode(node);
        let sinks = sinks.iter().map(|sink| {
            let uses = sink.uses.iter().chain(&sink.guard);
            let uses: Vec<u64> = uses.map(|u| self.seen_from(owner, *u)).collect();
            (self.target(&sink.action), uses)
        });
        hash(sinks.collect::<Vec<_>>())
    }

    /// What an action changes, as a place within its supernode.
    fn target(&self, action: &Action) -> Option<(bool, usize, usize, u32)> {
        match *action {
            Action::StoreRegister(r, _) => {
                let width = self.n.registers[r].width;
                Some((false, *self.registers.get(&r)?, 0, width))
            }
            Action::Write { memory, port } => {
                let m = &self.n.memories[memory];
                Some((
                    true,
                    *self.memories.get(&memory)?,
                    port,
                    m.width ^ m.depth << 7,
                ))
            }
            _ => None,
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

fn is_commutative(kind: &CellKind) -> bool {
    use CellKind::*;
    matches!(
        kind,
        And(..) | Or(..) | Xor(..) | Add(..) | Mul(..) | Eq(..)
    )
}

/// Goes through two supernodes at once.
struct Pairing<'a> {
    n: &'a Netlist,
    activity: &'a Activity,
    hashes: &'a Hashes<'a>,
    model: Owner,
    other: Owner,
    pairs: FxHashMap<CellId, CellId>,
    outside: Vec<(CellId, CellId)>,
}

impl<'a> Pairing<'a> {
    fn new(
        n: &'a Netlist,
        activity: &'a Activity,
        hashes: &'a Hashes<'a>,
        model: usize,
        other: usize,
    ) -> Self {
        Pairing {
            n,
            activity,
            hashes,
            model: Owner::supernode(model),
            other: Owner::supernode(other),
            pairs: FxHashMap::default(),
            outside: Vec::new(),
        }
    }

    /// The values of outside that both use, in the same order; `None` where they are not alike.
    fn pair(mut self, model: &[Sink], other: &[Sink]) -> Option<(Vec<CellId>, Vec<CellId>)> {
        let mut work = Vec::new();
        let equal = |ok: bool| ok.then_some(());
        equal(model.len() == other.len())?;
        for (a, b) in model.iter().zip(other) {
            let targets = [a, b].map(|s| self.hashes.target(&s.action));
            let shapes = [a, b].map(|s| (s.uses.len(), s.guard.is_some()));
            equal(targets[0].is_some() && targets[0] == targets[1] && shapes[0] == shapes[1])?;
            work.extend(a.uses.iter().copied().zip(b.uses.iter().copied()));
            work.extend(a.guard.zip(b.guard));
        }
        while let Some((a, b)) = work.pop() {
            match self.pairs.insert(a, b) {
                Some(known) => equal(known == b)?,
                None => self.cells(a, b, &mut work)?,
            }
        }
        self.outside.sort_unstable();
        Some(self.outside.into_iter().unzip())
    }

    /// Compares two cells, and notes which of their operands must be compared.
    fn cells(&mut self, a: CellId, b: CellId, work: &mut Vec<(CellId, CellId)>) -> Option<()> {
        let n = self.n;
        let seen = |owner, cell| self.hashes.seen_from(owner, cell);
        let same = seen(self.model, a) == seen(self.other, b) && n.width(a) == n.width(b);
        // Wide values have places in scratch memory of their own.
        if !same || n.width(a) > 64 || n.constant(a) != n.constant(b) {
            return None;
        }
        if n.constant(a).is_some() || self.own_registers(a, b)? {
            return Some(());
        }
        let own = [(a, self.model), (b, self.other)].map(|(c, o)| self.activity.owner(c) == o);
        match own {
            [false, false] => {
                self.outside.push((a, b));
                Some(())
            }
            [true, true] => self.operands(a, b, work),
            _ => None,
        }
    }

    /// True for registers of the two themselves, at the same place; `None` where only one is.
    fn own_registers(&self, a: CellId, b: CellId) -> Option<bool> {
        let place = |cell: CellId, owner| match self.n.cells[cell].kind {
            CellKind::Register(r) if self.hashes.is_own(owner, r) => {
                Some(self.hashes.registers[&r])
            }
            _ => None,
        };
        match (place(a, self.model), place(b, self.other)) {
            (None, None) => Some(false),
            (a, b) => (a == b).then_some(true),
        }
    }

    fn operands(&self, a: CellId, b: CellId, work: &mut Vec<(CellId, CellId)>) -> Option<()> {
        let n = self.n;
        let (kind_a, kind_b) = (&n.cells[a].kind, &n.cells[b].kind);
        if !self.shapes_agree(kind_a, kind_b) {
            return None;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        kind_a.for_each_operand(|o| left.push(o));
        kind_b.for_each_operand(|o| right.push(o));
        if left.len() != right.len() {
            return None;
        }
        let first = [(self.model, left[0]), (self.other, right[0])];
        let [x, y] = first.map(|(owner, cell)| self.hashes.seen_from(owner, cell));
        if is_commutative(kind_a) && x != y {
            right.swap(0, 1);
        }
        work.extend(left.into_iter().zip(right));
        Some(())
    }

    /// True where two cells differ in their operands at most.
    fn shapes_agree(&self, a: &CellKind, b: &CellKind) -> bool {
        if let (CellKind::MemRead { memory: left, .. }, CellKind::MemRead { memory: right, .. }) =
            (a, b)
        {
            let places = [left, right].map(|m| self.hashes.memories.get(m));
            return match places {
                [None, None] => left == right,
                [x, y] => x == y,
            };
        }
        let plain = |kind: &CellKind| kind.map_operands(|_| CellId::new(0));
        plain(a) == plain(b)
    }
}
