//! Nodes that depend on each other: false loops are split, latches found, true loops cut.
//!
//! Bitwise nodes of the component are cut into pieces, so that every operand that comes from the
//! component is a whole piece; a word-level loop that is none at bit level is then gone. What remains is
//! cut where the search meets it: a value that only holds itself through choices of a process or mux
//! becomes a latch, anything else a loop that settling iterates.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::drivers::{NodeId, NodeKind};
use super::lower::Lower;
use super::operands::{Operand, Role};
use crate::bits::Bits;
use crate::diag::{Diagnostic, Span};
use crate::ir::{CellId, Latch, LatchId, LoopCut, LoopId};

/// A piece of a node: the node and its first bit.
type Unit = (NodeId, u32);

/// Lowers all nodes of a component; afterwards each has its value.
pub fn lower_component(lower: &mut Lower, members: &[NodeId]) {
    let mut component = Component {
        members: members.iter().copied().collect(),
        operands: FxHashMap::default(),
        state: FxHashMap::default(),
        frames: Vec::new(),
        true_loops: Vec::new(),
    };
    component.find_cuts(lower, members);
    // Named targets first, so that a latch is the variable and not a temporary of it.
    let mut order: Vec<NodeId> = members.to_vec();
    order.sort_by_key(|n| (!lower.is_named(*n), *n));
    for node in order {
        for start in lower.cuts[&node].clone() {
            component.search(lower, (node, start));
        }
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
    state: FxHashMap<Unit, State>,
    frames: Vec<Frame>,
    /// Nodes where a true loop was cut.
    true_loops: Vec<NodeId>,
}

/// A piece that the search has met.
enum State {
    Open {
        depth: usize,
        latch: Option<(LatchId, CellId)>,
        cut: Option<(LoopId, CellId)>,
    },
    Done,
}

struct Frame {
    unit: Unit,
    width: u32,
    /// Pieces needed, and whether only as a choice.
    needs: Vec<(Unit, bool)>,
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

    fn piece_end(lower: &Lower, (node, start): Unit) -> u32 {
        let cuts = &lower.cuts[&node];
        let next = cuts.partition_point(|c| *c <= start);
        cuts.get(next)
            .copied()
            .unwrap_or_else(|| lower.graph.width(node))
    }

    /// The pieces that a piece needs.
    fn needs(&self, lower: &Lower, unit: Unit, width: u32) -> Vec<(Unit, bool)> {
        let (low, high) = (unit.1, unit.1 + width);
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
            let first = cuts.partition_point(|c| *c <= from).saturating_sub(1);
            let pieces = cuts[first..].iter().take_while(|c| **c < to);
            needs.extend(pieces.map(|start| ((o.node, *start), o.role == Role::Choice)));
        }
        needs
    }

    fn open(&mut self, lower: &Lower, unit: Unit) {
        let width = Self::piece_end(lower, unit) - unit.1;
        let needs = self.needs(lower, unit, width);
        self.state.insert(
            unit,
            State::Open {
                depth: self.frames.len(),
                latch: None,
                cut: None,
            },
        );
        self.frames.push(Frame {
            unit,
            width,
            needs,
            next: 0,
        });
    }

    /// Lowers a piece and everything it needs.
    fn search(&mut self, lower: &mut Lower, root: Unit) {
        if self.state.contains_key(&root) {
            return;
        }
        self.open(lower, root);
        while let Some(frame) = self.frames.last_mut() {
            let Some((unit, _)) = frame.needs.get(frame.next).copied() else {
                self.finish(lower);
                continue;
            };
            frame.next += 1;
            match self.state.get(&unit) {
                None => self.open(lower, unit),
                Some(State::Done) => {}
                Some(State::Open { depth, .. }) => {
                    let depth = *depth;
                    self.close_loop(lower, unit, depth);
                }
            }
        }
    }

    /// The piece at `depth` needs itself.
    fn close_loop(&mut self, lower: &mut Lower, unit: Unit, depth: usize) {
        let holds = self.frames[depth..].iter().all(|f| f.needs[f.next - 1].1);
        let width = self.frames[depth].width;
        let origin = lower.node_origin(unit.0);
        let Some(State::Open { latch, cut, .. }) = self.state.get_mut(&unit) else {
            unreachable!("only open pieces close a loop")
        };
        // A value may hold itself on one path and go through logic on another; then the loop counts.
        if holds && cut.is_none() && latch.is_none() {
            let (init, value) = (Bits::zero(width), CellId::new(0));
            let made = lower.b.latch(Latch {
                width,
                init: init.clone(),
                init_defined: init,
                draw: 0,
                value,
                origin,
            });
            lower.pieces.insert(unit, made.1);
            lower.found_latches.push((unit.0, unit.1, made.0));
            *latch = Some(made);
        } else if !holds && cut.is_none() {
            let made = lower.b.loop_cut(LoopCut {
                width,
                value: CellId::new(0),
                origin,
            });
            lower.pieces.insert(unit, made.1);
            *cut = Some(made);
            self.true_loops
                .extend(self.frames[depth..].iter().map(|f| f.unit.0));
        }
    }

    fn finish(&mut self, lower: &mut Lower) {
        let frame = self.frames.pop().expect("there is one");
        let value = lower.lower_node(frame.unit.0, frame.unit.1, frame.width);
        lower.pieces.insert(frame.unit, value);
        if let Some(State::Open { latch, cut, .. }) = self.state.insert(frame.unit, State::Done) {
            if let Some((latch, _)) = latch {
                lower.b.netlist.latches[latch].value = value;
            }
            if let Some((cut, _)) = cut {
                lower.b.netlist.loops[cut].value = value;
            }
        }
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
}
