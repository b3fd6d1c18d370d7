//! Decision trees of processes to muxes.
//!
//! The cases of a switch are tried in order. Where few of many cases give a segment another value, the
//! conditions "this case and none before" keep the number of muxes proportional to the assignments.

use super::ast::*;
use super::lower::Lower;
use super::process::{Processes, Segment, Tree, TreeId, slice_chunks};
use crate::bits::Bits;
use crate::ir::{Branch, CellId};
use rustc_hash::FxHashMap;

/// A net that is taken to have a level while a tree is lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumption {
    pub net: CellId,
    pub level: bool,
}

/// What lowering a tree needs to know besides the tree.
pub struct TreeContext<'a> {
    pub instance: u32,
    /// The bits of the segment that are wanted.
    pub low: u32,
    pub width: u32,
    pub assumptions: &'a [Assumption],
    /// Values of driver bits that hold under the assumptions, by node.
    pub known: &'a FxHashMap<super::drivers::NodeId, CellId>,
}

/// When a case is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    Never,
    When(CellId),
}

impl Lower<'_, '_, '_> {
    /// Bits `low .. low + width` of a segment's value.
    pub fn lower_segment(&mut self, instance: u32, segment: u32, low: u32, width: u32) -> CellId {
        let processes = self.processes_of(instance);
        let Segment { process, tree, .. } = processes.segments[segment as usize];
        let src = self.module(instance).processes[process as usize].item.src;
        self.set_origin(instance, src);
        let known = FxHashMap::default();
        self.lower_tree(
            tree,
            &TreeContext {
                instance,
                low,
                width,
                assumptions: &[],
                known: &known,
            },
        )
    }

    /// The value of a tree.
    pub fn lower_tree(&mut self, root: TreeId, context: &TreeContext) -> CellId {
        let processes = self.processes_of(context.instance);
        let mut values: FxHashMap<TreeId, CellId> = FxHashMap::default();
        for id in processes.reachable(root) {
            let value = match processes.trees[id as usize] {
                Tree::Unassigned => self.b.zero(context.width),
                Tree::Leaf(value) => self.lower_leaf(processes, value, context),
                Tree::Switch {
                    switch,
                    before,
                    arms,
                } => {
                    let arms: Vec<(u32, CellId)> = arms
                        .of(&processes.arms)
                        .iter()
                        .map(|(at, tree)| (*at, values[tree]))
                        .collect();
                    self.lower_switch(switch, values[&before], &arms, context)
                }
            };
            values.insert(id, value);
        }
        values[&root]
    }

    fn lower_leaf(&mut self, processes: &Processes, value: Sig, context: &TreeContext) -> CellId {
        let mut pool = Vec::new();
        let part = slice_chunks(
            value.of(&processes.chunks),
            context.low,
            context.width,
            &mut pool,
        );
        if context.known.is_empty() {
            return self.value(context.instance, part.of(&pool));
        }
        self.value_knowing(context.instance, part.of(&pool), context.known)
    }

    /// The muxes of a switch; `arms` are the cases that give another value than `before`.
    fn lower_switch(
        &mut self,
        switch: u32,
        before: CellId,
        arms: &[(u32, CellId)],
        context: &TreeContext,
    ) -> CellId {
        let module = self.module(context.instance);
        let cases = &module.switches[switch as usize].cases;
        let disjoint = self.cases_are_disjoint(module, cases);
        let last = arms.last().map_or(0, |(at, _)| *at as usize);
        let default = module.cases[cases[last] as usize]
            .compares
            .is_empty()
            .then_some(last);
        let few = arms.len() * 2 < last;
        if disjoint && (default.is_none() || few) {
            return self.lower_disjoint(switch, before, arms, default, context);
        }
        let mut result = before;
        let mut next = arms.len();
        // A default is the other side of the mux before it.
        let mut default_case = None;
        for position in (0..=last).rev() {
            let value = if next > 0 && arms[next - 1].0 as usize == position {
                next -= 1;
                arms[next].1
            } else {
                before
            };
            if value == result {
                continue;
            }
            result = match self.condition(switch, position, context) {
                Condition::Always => {
                    default_case = Some(position);
                    value
                }
                Condition::Never => result,
                Condition::When(select) => {
                    let mux = self.b.mux(select, value, result);
                    self.note_branch(context.instance, switch, position, (mux, true));
                    if let Some(default) = default_case.take() {
                        self.note_branch(context.instance, switch, default, (mux, false));
                    }
                    mux
                }
            };
        }
        result
    }

    /// Remembers that a side of a mux is a case of a switch.
    fn note_branch(
        &mut self,
        instance: u32,
        switch: u32,
        position: usize,
        (mux, taken): (CellId, bool),
    ) {
        let module = self.module(instance);
        let case = module.switches[switch as usize].cases[position];
        let src = module.cases[case as usize].src;
        if src == EMPTY {
            return;
        }
        let source = self.origin(instance, src).source;
        self.b.netlist.branches.push(Branch { mux, taken, source });
    }

    /// Cases of which at most one matches: only those that matter get a mux.
    fn lower_disjoint(
        &mut self,
        switch: u32,
        before: CellId,
        arms: &[(u32, CellId)],
        default: Option<usize>,
        context: &TreeContext,
    ) -> CellId {
        let mut result = before;
        for (position, value) in arms.iter().rev() {
            if *value == result {
                continue;
            }
            let condition = match default == Some(*position as usize) {
                true => self.no_case(switch, *position as usize, context),
                false => self.condition(switch, *position as usize, context),
            };
            result = match condition {
                Condition::Always => *value,
                Condition::Never => result,
                Condition::When(select) => {
                    let mux = self.b.mux(select, *value, result);
                    let at = *position as usize;
                    self.note_branch(context.instance, switch, at, (mux, true));
                    mux
                }
            };
        }
        result
    }

    /// None of the cases before `end` matches.
    fn no_case(&mut self, switch: u32, end: usize, context: &TreeContext) -> Condition {
        let mut any: Option<CellId> = None;
        for position in 0..end {
            match self.condition(switch, position, context) {
                Condition::Always => return Condition::Never,
                Condition::Never => {}
                Condition::When(one) => any = Some(any.map_or(one, |a| self.b.or(a, one))),
            }
        }
        match any {
            None => Condition::Always,
            Some(any) => Condition::When(self.b.not(any)),
        }
    }

    /// True when every case compares with its own constants, all bits of them counting (a default at the
    /// end apart).
    fn cases_are_disjoint(&mut self, module: &Module, cases: &[u32]) -> bool {
        let key = cases.first().copied().unwrap_or(0);
        let module_index = module.item.name;
        if let Some(known) = self.disjoint.get(&(module_index, key)) {
            return *known;
        }
        let mut seen = rustc_hash::FxHashSet::default();
        let constant = |sig: &Sig| match module.chunks_of(*sig) {
            [
                Chunk {
                    base: Base::Const(id),
                    offset: 0,
                    width,
                },
            ] => {
                let value = self.design.constant(*id);
                (value.width() == *width && value.other.is_none()).then(|| value.value.clone())
            }
            _ => None,
        };
        let disjoint = cases.iter().enumerate().all(|(at, case)| {
            let compares = &module.cases[*case as usize].compares;
            let default_at_end = compares.is_empty() && at + 1 == cases.len();
            default_at_end
                || (!compares.is_empty()
                    && compares
                        .iter()
                        .all(|c| constant(c).is_some_and(|v| seen.insert(v))))
        });
        self.disjoint.insert((module_index, key), disjoint);
        disjoint
    }

    /// When the case at `position` matches, whatever the ones before do.
    fn condition(&mut self, switch: u32, position: usize, context: &TreeContext) -> Condition {
        let module = self.module(context.instance);
        let switch = &module.switches[switch as usize];
        let compares = &module.cases[switch.cases[position] as usize].compares;
        if compares.is_empty() {
            return Condition::Always;
        }
        let mut any: Option<CellId> = None;
        for compare in compares {
            let one = self.compare(context.instance, module, switch.signal, *compare);
            match self.assume(one, context.assumptions) {
                Condition::Always => return Condition::Always,
                Condition::Never => {}
                Condition::When(one) => any = Some(any.map_or(one, |a| self.b.or(a, one))),
            }
        }
        any.map_or(Condition::Never, Condition::When)
    }

    /// `signal` matches `compare`: bits that are `-` match anything, undefined bits nothing.
    fn compare(&mut self, instance: u32, module: &Module, signal: Sig, compare: Sig) -> Condition {
        let (mut wanted, mut pool, mut low) = (Vec::new(), Vec::new(), 0);
        let source = module.chunks_of(signal);
        for chunk in module.chunks_of(compare) {
            let Base::Const(id) = chunk.base else {
                slice_chunks(source, low, chunk.width, &mut pool);
                wanted.push(*chunk);
                low += chunk.width;
                continue;
            };
            let value = self.design.constant(id);
            if value.other.is_none() {
                slice_chunks(source, low, chunk.width, &mut pool);
                wanted.push(*chunk);
                low += chunk.width;
                continue;
            }
            for i in chunk.offset..chunk.offset + chunk.width {
                let other = value.other.as_ref();
                if other.is_some_and(|o| o.unknown.bit(i) || o.floating.bit(i)) {
                    return Condition::Never;
                }
                if !other.is_some_and(|o| o.any.bit(i)) {
                    slice_chunks(source, low, 1, &mut pool);
                    wanted.push(Chunk {
                        base: chunk.base,
                        offset: i,
                        width: 1,
                    });
                }
                low += 1;
            }
        }
        let merge = |chunks: Vec<Chunk>| {
            let mut out: Vec<Chunk> = Vec::with_capacity(chunks.len());
            for c in chunks {
                match out.last_mut() {
                    Some(l) if l.base == c.base && l.offset + l.width == c.offset => {
                        l.width += c.width
                    }
                    _ => out.push(c),
                }
            }
            out
        };
        let (pool, wanted) = (merge(pool), merge(wanted));
        if wanted.is_empty() {
            return Condition::Always;
        }
        let left = self.value(instance, &pool);
        let right = self.value(instance, &wanted);
        self.equal(left, right)
    }

    fn equal(&mut self, left: CellId, right: CellId) -> Condition {
        let (l, r) = (
            self.b.constant(left).cloned(),
            self.b.constant(right).cloned(),
        );
        match (l, r) {
            (Some(l), Some(r)) if l == r => Condition::Always,
            (Some(_), Some(_)) => Condition::Never,
            (Some(bit), None) if bit.width() == 1 => {
                Condition::When(self.with_polarity(right, bit.bit(0)))
            }
            (None, Some(bit)) if bit.width() == 1 => {
                Condition::When(self.with_polarity(left, bit.bit(0)))
            }
            _ => Condition::When(self.b.eq(left, right)),
        }
    }

    /// The value itself, or inverted.
    pub fn with_polarity(&mut self, value: CellId, high: bool) -> CellId {
        if high { value } else { self.b.not(value) }
    }

    /// A condition that the assumptions decide.
    fn assume(&self, condition: Condition, assumptions: &[Assumption]) -> Condition {
        let Condition::When(cell) = condition else {
            return condition;
        };
        match assumptions.iter().find_map(|a| self.level_under(cell, *a)) {
            Some(true) => Condition::Always,
            Some(false) => Condition::Never,
            None => condition,
        }
    }

    /// The level of a one-bit value that is the assumed net, or its inverse, seen through inverters.
    pub fn level_under(&self, cell: CellId, assumption: Assumption) -> Option<bool> {
        let (net, inverted) = self.strip_inverters(cell);
        let (assumed, assumed_inverted) = self.strip_inverters(assumption.net);
        (net == assumed).then_some(assumption.level ^ inverted ^ assumed_inverted)
    }

    /// The net behind inverters, and whether it is inverted.
    pub fn strip_inverters(&self, mut cell: CellId) -> (CellId, bool) {
        use crate::ir::CellKind::*;
        let mut inverted = false;
        loop {
            let (inner, flips) = match *self.b.kind(cell) {
                Not(a) => (a, true),
                Eq(a, c) if self.b.width(a) == 1 => {
                    match (self.b.constant(a), self.b.constant(c)) {
                        (None, Some(value)) => (a, value.is_zero()),
                        (Some(value), None) => (c, value.is_zero()),
                        _ => return (cell, inverted),
                    }
                }
                _ => return (cell, inverted),
            };
            if self.b.width(inner) != 1 {
                return (cell, inverted);
            }
            cell = inner;
            inverted ^= flips;
        }
    }

    /// A signal's value where some nodes have another value than usual.
    pub fn value_knowing(
        &mut self,
        instance: u32,
        chunks: &[Chunk],
        known: &FxHashMap<super::drivers::NodeId, CellId>,
    ) -> CellId {
        let mut parts = Vec::new();
        for run in self.runs(instance, chunks, |_| {}) {
            let part = match run {
                super::lower::Run::Node {
                    node,
                    offset,
                    width,
                } => match known.get(&node) {
                    Some(value) => self.b.slice(*value, offset, width),
                    None => self.node_part(node, offset, width),
                },
                super::lower::Run::Literal { id, offset, width } => {
                    let bits = self.design.constant(id).value.slice(offset, width);
                    self.b.konst(bits)
                }
                super::lower::Run::Fixed { code, width } => {
                    let one = code == super::nets::Code::ONE;
                    self.b.konst(if one {
                        Bits::ones(width)
                    } else {
                        Bits::zero(width)
                    })
                }
            };
            parts.push(part);
        }
        self.b.concat(&parts)
    }

    /// Marks the segments whose value a rule without a clock copies to a variable.
    pub fn find_holders(&mut self) {
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let processes = self.processes_of(instance);
            for (target, _) in &processes.aliases {
                for run in self.runs(instance, &[*target], |_| {}) {
                    if let super::lower::Run::Node { node, .. } = run
                        && matches!(self.node(node).kind, super::drivers::NodeKind::Segment(_))
                    {
                        self.holders.insert(node);
                    }
                }
            }
        }
    }
}
