//! Nodes that depend on each other: false loops are split, latches found, true loops cut.
//!
//! Bitwise nodes of the component are cut into pieces, so that every operand that comes from the
//! component is a whole piece; a word-level loop that is none at bit level is then gone. What remains is
//! cut at pieces that have a name, for there lies what an event-driven simulator remembers; a piece inside an expression may
//! differ from what it would be by now. A value that only holds itself through choices of a process or mux
//! becomes a latch, anything else a loop that settling iterates.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::ast::{Base, Chunk};
use super::drivers::{NodeId, NodeKind};
use super::feedback::{self, Edge};
use super::lower::{Lower, Run};
use super::operands::{Operand, Role};
use crate::bits::Bits;
use crate::diag::{Diagnostic, Span};
use crate::ir::{CellId, Latch, LatchId, LoopCut, LoopId, Origin};

/// A piece of a node: the node and its first bit.
type Unit = (NodeId, u32);

/// Lowers all nodes of a component; afterwards each has its value.
pub fn lower_component(lower: &mut Lower, members: &[NodeId]) {
    lower.find_named();
    let mut component = Component {
        members: members.iter().copied().collect(),
        operands: FxHashMap::default(),
        units: Vec::new(),
        needs: Vec::new(),
        held: FxHashMap::default(),
        latches: FxHashMap::default(),
        state: Vec::new(),
        frames: Vec::new(),
        true_loops: Vec::new(),
    };
    component.find_cuts(lower, members);
    component.find_units(lower, members);
    for piece in component.find_held(lower) {
        component.search(lower, piece);
    }
    for node in members {
        let width = lower.graph.width(*node);
        let value = lower.node_part(*node, 0, width);
        lower.values[*node as usize] = Some(value);
    }
    for node in members {
        for start in lower.cuts.remove(node).expect("every member was cut") {
            lower.pieces.remove(&(*node, start));
        }
    }
    component.warn(lower);
}

struct Component {
    members: FxHashSet<NodeId>,
    /// Operands within the component.
    operands: FxHashMap<NodeId, Vec<Operand>>,
    /// The pieces; what follows counts them.
    units: Vec<Unit>,
    needs: Vec<Vec<Edge>>,
    /// The pieces at which loops are cut.
    held: FxHashMap<u32, Held>,
    /// The latch that another piece is on a loop with.
    latches: FxHashMap<u32, u32>,
    state: Vec<State>,
    frames: Vec<Frame>,
    /// Nodes on true loops.
    true_loops: Vec<NodeId>,
}

/// A piece that keeps its value from one pass to the next.
struct Held {
    /// It holds it through choices only; these pieces are on the loops that are cut here.
    holds: Option<Vec<u32>>,
    /// What was made for it, once something has asked for the value kept.
    kept: Option<Kept>,
}

#[derive(Clone, Copy)]
enum Kept {
    Latch(LatchId),
    Loop(LoopId),
}

/// How far the search is with a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

struct Frame {
    piece: u32,
    /// How many of its needs have been seen to.
    next: usize,
}

impl Component {
    /// Cuts bitwise nodes until every aligned operand begins and ends at cuts on both sides.
    fn find_cuts(&mut self, lower: &mut Lower, members: &[NodeId]) {
        let mut cuts: FxHashMap<NodeId, BTreeSet<u32>> = FxHashMap::default();
        let mut links: FxHashMap<NodeId, Vec<Link>> = FxHashMap::default();
        let mut work: Vec<Unit> = Vec::new();
        for node in members {
            cuts.insert(*node, BTreeSet::from([0]));
            let mut operands = Vec::new();
            lower.operands(*node, &mut operands);
            operands.retain(|o| self.members.contains(&o.node));
            for o in operands.iter().filter(|o| o.role != Role::Whole) {
                work.extend([(*node, o.position), (*node, o.position + o.width)]);
                work.extend([(o.node, o.offset), (o.node, o.offset + o.width)]);
                let link = |from, to_node, to, width| Link {
                    from,
                    to_node,
                    to,
                    width,
                };
                links
                    .entry(*node)
                    .or_default()
                    .push(link(o.position, o.node, o.offset, o.width));
                links
                    .entry(o.node)
                    .or_default()
                    .push(link(o.offset, *node, o.position, o.width));
            }
            for o in operands.iter().filter(|o| o.role == Role::Whole) {
                work.extend([(o.node, o.offset), (o.node, o.offset + o.width)]);
            }
            self.operands.insert(*node, operands);
        }
        while let Some((node, cut)) = work.pop() {
            if cut >= lower.graph.width(node) || !lower.is_separable(node) {
                continue;
            }
            if !cuts.get_mut(&node).expect("a member").insert(cut) {
                continue;
            }
            for link in links.get(&node).into_iter().flatten() {
                if cut > link.from && cut < link.from + link.width {
                    work.push((link.to_node, link.to + cut - link.from));
                }
            }
        }
        for (node, cuts) in cuts {
            lower.cuts.insert(node, cuts.into_iter().collect());
        }
    }

    fn piece_width(lower: &Lower, (node, start): Unit) -> u32 {
        let cuts = &lower.cuts[&node];
        let next = cuts.partition_point(|c| *c <= start);
        let end = cuts.get(next).copied();
        end.unwrap_or_else(|| lower.graph.width(node)) - start
    }

    /// Numbers the pieces, and finds what each needs.
    fn find_units(&mut self, lower: &Lower, members: &[NodeId]) {
        let mut first: FxHashMap<NodeId, u32> = FxHashMap::default();
        for node in members {
            first.insert(*node, self.units.len() as u32);
            self.units
                .extend(lower.cuts[node].iter().map(|start| (*node, *start)));
        }
        let needs = self
            .units
            .iter()
            .map(|unit| self.needs_of(lower, *unit, &first));
        self.needs = needs.collect();
        self.state = vec![State::New; self.units.len()];
    }

    /// The pieces that a piece needs; `first` are the numbers of the nodes' lowest pieces.
    fn needs_of(&self, lower: &Lower, unit: Unit, first: &FxHashMap<NodeId, u32>) -> Vec<Edge> {
        let (low, high) = (unit.1, unit.1 + Self::piece_width(lower, unit));
        let mut needs = Vec::new();
        for o in &self.operands[&unit.0] {
            let (from, to) = match o.role {
                Role::Whole => (o.offset, o.offset + o.width),
                _ => {
                    let (from, to) = (low.max(o.position), high.min(o.position + o.width));
                    if from >= to {
                        continue;
                    }
                    (o.offset + from - o.position, o.offset + to - o.position)
                }
            };
            let cuts = &lower.cuts[&o.node];
            let least = cuts.partition_point(|c| *c <= from).saturating_sub(1);
            let end = cuts.partition_point(|c| *c < to);
            needs.extend((least..end).map(|index| Edge {
                to: first[&o.node] + index as u32,
                choice: o.role == Role::Choice,
            }));
        }
        needs
    }

    /// Chooses where loops are cut. The answer is all pieces, in the order in which they are to be lowered.
    fn find_held(&mut self, lower: &Lower) -> Vec<u32> {
        let is_variable = |piece: u32| lower.holders.contains(&self.units[piece as usize].0);
        let pieces = 0..self.units.len() as u32;
        // The variable rather than a temporary of it.
        let rank = |piece| match is_variable(piece) {
            true => 0,
            false => 1 + u8::from(!self.is_named(lower, piece)),
        };
        let ranks: Vec<u8> = pieces.clone().map(rank).collect();
        let found = feedback::find(&self.needs, &ranks);
        let nodes = found.loops.iter().map(|p| self.units[*p as usize].0);
        self.true_loops.extend(nodes);
        for feedback::Cut { vertex, holds } in found.cuts {
            let others = holds.iter().flatten();
            self.latches.extend(others.map(|other| (*other, vertex)));
            self.held.insert(vertex, Held { holds, kept: None });
        }
        let mut order: Vec<u32> = pieces.collect();
        order.sort_by_key(|p| (!self.held.contains_key(p), !is_variable(*p), *p));
        order
    }

    /// Lowers a piece and everything it needs.
    fn search(&mut self, lower: &mut Lower, root: u32) {
        while self.state[root as usize] == State::New {
            self.open(root);
            while let Some(frame) = self.frames.last() {
                match self.needs[frame.piece as usize].get(frame.next) {
                    Some(edge) => self.need(lower, edge.to),
                    None => self.finish(lower),
                }
            }
        }
    }

    /// The last piece opened needs another one.
    fn need(&mut self, lower: &mut Lower, piece: u32) {
        let is_loop = self.held.get(&piece).is_some_and(|h| h.holds.is_none());
        match self.state[piece as usize] {
            State::Done => {}
            State::New if !is_loop => return self.open(piece),
            State::New | State::Open => self.keep(lower, piece),
        }
        let frame = self.frames.last_mut().expect("a piece is open");
        frame.next += 1;
    }

    /// Begins with a piece, or with the latch that it is on a loop with: only what lies on the loop sees what the latch
    /// has kept.
    fn open(&mut self, piece: u32) {
        let latch = self.latches.get(&piece).copied();
        let latch = latch.filter(|l| self.state[*l as usize] == State::New);
        let piece = latch.unwrap_or(piece);
        self.state[piece as usize] = State::Open;
        self.frames.push(Frame { piece, next: 0 });
    }

    /// Until a piece is lowered, its value is the one that it has kept.
    fn keep(&mut self, lower: &mut Lower, piece: u32) {
        let held = self.held.get_mut(&piece).expect("every loop is cut");
        if held.kept.is_some() {
            return;
        }
        let unit = self.units[piece as usize];
        let width = Self::piece_width(lower, unit);
        let origin = lower.node_origin(unit.0);
        let value = CellId::new(0);
        let (kept, cell) = if held.holds.is_some() {
            let (id, cell) = lower.b.latch(Latch {
                width,
                init: Bits::zero(width),
                init_defined: Bits::zero(width),
                draw: 0,
                value,
                origin,
            });
            lower.found_latches.push((unit.0, unit.1, id));
            (Kept::Latch(id), cell)
        } else {
            let (id, cell) = lower.b.loop_cut(LoopCut {
                width,
                value,
                origin,
            });
            (Kept::Loop(id), cell)
        };
        held.kept = Some(kept);
        lower.pieces.insert(unit, cell);
    }

    fn finish(&mut self, lower: &mut Lower) {
        let piece = self.frames.pop().expect("there is one").piece;
        let (node, low) = self.units[piece as usize];
        let width = Self::piece_width(lower, (node, low));
        let value = lower.lower_node(node, low, width);
        lower.pieces.insert((node, low), value);
        self.state[piece as usize] = State::Done;
        let Some(held) = self.held.get(&piece) else {
            return;
        };
        if let Some(kept) = held.kept {
            close(lower, kept, value);
        }
        // Where others are seen they are lowered again: they follow from what the latch takes, not from what it had.
        let seen = |p: &u32| self.is_named(lower, *p) || !self.is_temporary(lower, *p);
        if let Some(others) = held.holds.as_ref().filter(|others| others.iter().any(seen)) {
            for other in others {
                self.state[*other as usize] = State::New;
            }
        }
    }

    /// True when a bit of a piece has a name of the source.
    fn is_named(&self, lower: &Lower, piece: u32) -> bool {
        let (node, low) = self.units[piece as usize];
        let first = (lower.node(node).start + low) as usize;
        let width = Self::piece_width(lower, (node, low)) as usize;
        lower.named[first..first + width].contains(&true)
    }

    /// True when only the process that a piece belongs to can see it.
    fn is_temporary(&self, lower: &Lower, piece: u32) -> bool {
        let (node, _) = self.units[piece as usize];
        matches!(lower.node(node).kind, NodeKind::Segment(_))
    }

    /// One warning for the true loops of the component.
    fn warn(&self, lower: &mut Lower) {
        let mut nodes = self.true_loops.clone();
        nodes.sort_unstable();
        nodes.dedup();
        if nodes.is_empty() {
            return;
        }
        let mut names: Vec<(String, Option<Span>)> = Vec::new();
        for node in &nodes {
            if let Some(named) = lower.name_of(*node)
                && !names.contains(&named)
            {
                names.push(named);
            }
        }
        let list: Vec<&str> = names.iter().take(8).map(|(n, _)| n.as_str()).collect();
        let mut warning = Diagnostic::warning(
            "combinational-loop",
            format!("a combinational loop goes through {}", list.join(", ")),
        );
        for (name, span) in names.iter().take(8) {
            warning = warning.label(span.clone(), format!("`{name}`"));
        }
        lower
            .problems
            .push(warning.note("it is evaluated again until it settles"));
    }
}

/// Tells what keeps a value which one that is. A buffer that only names it does not say where it comes from.
fn close(lower: &mut Lower, kept: Kept, value: CellId) {
    let netlist = &mut lower.b.netlist;
    let (kept, origin) = match kept {
        Kept::Latch(id) => {
            let latch = &mut netlist.latches[id];
            (&mut latch.value, &mut latch.origin)
        }
        Kept::Loop(id) => {
            let cut = &mut netlist.loops[id];
            (&mut cut.value, &mut cut.origin)
        }
    };
    *kept = value;
    if origin.source == Origin::default().source {
        *origin = netlist.origins[value];
    }
}

/// Bits of two nodes that belong together.
struct Link {
    from: u32,
    to_node: NodeId,
    to: u32,
    width: u32,
}

impl Lower<'_, '_, '_> {
    /// True when the bits of a node can be computed one by one.
    pub fn is_separable(&self, node: NodeId) -> bool {
        match self.node(node).kind {
            NodeKind::Comb { op, .. } => op.is_bitwise(),
            NodeKind::Segment(_) | NodeKind::Join(_) => true,
            _ => false,
        }
    }

    /// Marks the bits of drivers that have a name of the source; once.
    fn find_named(&mut self) {
        if !self.named.is_empty() {
            return;
        }
        let mut named = vec![false; self.graph.bits() as usize];
        for instance in 0..self.hierarchy.instances.len() as u32 {
            for (wire, index) in self.module(instance).wires.iter().zip(0..) {
                if !self.design.names.text(wire.item.name).starts_with('\\') {
                    continue;
                }
                let chunk = Chunk {
                    base: Base::Wire(index),
                    offset: 0,
                    width: wire.width,
                };
                self.each_run(instance, &[chunk], |_, run| {
                    if let Run::Node {
                        node,
                        offset,
                        width,
                    } = run
                    {
                        let first = (self.node(node).start + offset) as usize;
                        named[first..first + width as usize].fill(true);
                    }
                });
            }
        }
        self.named = named;
    }
}
