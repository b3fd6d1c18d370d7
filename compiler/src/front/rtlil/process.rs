//! Processes to decision trees: for every run of bits that a process assigns as one, which value it
//! takes under which cases.
//!
//! In: a module's processes. Out: [`Segment`]s with their trees, once per module and shared by its
//! instances; updates of the sync rules, cut at the same kind of boundaries. A tree holds only the cases
//! that assign its segment, so the size of all trees together is that of the process text.

use std::collections::BTreeMap;

use super::ast::*;

/// Index into [`Processes::trees`]; children have smaller indices.
pub type TreeId = u32;

/// The lowered processes of one module.
#[derive(Default)]
pub struct Processes {
    pub segments: Vec<Segment>,
    pub trees: Vec<Tree>,
    /// Arms of all trees: position in the switch, and the value there.
    pub arms: Vec<(u32, TreeId)>,
    /// Values of leaves, lowest bits first.
    pub chunks: Vec<Chunk>,
    pub updates: Vec<Update>,
    /// Which nets are the same, or have a constant value: target and value.
    pub aliases: Vec<(Chunk, Sig)>,
    /// Initial values: target and value.
    pub inits: Vec<(Chunk, Sig)>,
}

/// A run of bits that is assigned as one.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Always of a wire.
    pub target: Chunk,
    pub process: u32,
    pub tree: TreeId,
}

/// The value of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Tree {
    /// Nothing was assigned.
    Unassigned,
    /// A signal: chunks of [`Processes::chunks`].
    Leaf(Sig),
    /// The arm whose case is taken, else `before`.
    Switch {
        switch: u32,
        before: TreeId,
        arms: Range,
    },
}

/// The tree of what is not assigned.
pub const UNASSIGNED: TreeId = 0;

/// A run of bits that sync rules with a clock or level give a value to.
#[derive(Clone, Debug)]
pub struct Update {
    pub target: Chunk,
    pub process: u32,
    /// Index of the sync rule, and the value there (chunks of [`Processes::chunks`]).
    pub values: Vec<(u32, Sig)>,
}

/// Lowers all processes of a module.
pub fn lower_processes(design: &Design, module: &Module) -> Processes {
    let mut out = Processes {
        trees: vec![Tree::Unassigned],
        ..Processes::default()
    };
    for (index, process) in module.processes.iter().enumerate() {
        lower_assigns(design, module, index as u32, process, &mut out);
        lower_syncs(module, index as u32, process, &mut out);
    }
    out
}

/// Where assignments begin and end, wire by wire.
#[derive(Default)]
struct Boundaries(BTreeMap<u32, Vec<(u32, u32)>>);

impl Boundaries {
    fn add(&mut self, module: &Module, target: Sig) {
        for chunk in target.of(&module.chunks) {
            if let Base::Wire(wire) = chunk.base {
                self.0
                    .entry(wire)
                    .or_default()
                    .push((chunk.offset, chunk.offset + chunk.width));
            }
        }
    }

    /// The runs between boundaries that are assigned, by wire and offset.
    fn segments(self) -> Vec<Chunk> {
        let mut out = Vec::new();
        for (wire, mut ranges) in self.0 {
            ranges.sort_unstable();
            ranges.dedup();
            let mut cuts: Vec<u32> = ranges.iter().flat_map(|(a, b)| [*a, *b]).collect();
            cuts.sort_unstable();
            cuts.dedup();
            let mut reach = 0;
            let mut next = 0;
            for pair in cuts.windows(2) {
                while next < ranges.len() && ranges[next].0 <= pair[0] {
                    reach = reach.max(ranges[next].1);
                    next += 1;
                }
                if pair[0] < reach {
                    out.push(Chunk {
                        base: Base::Wire(wire),
                        offset: pair[0],
                        width: pair[1] - pair[0],
                    });
                }
            }
        }
        out
    }
}

/// Segments of one process, to be found by their place.
struct SegmentMap {
    segments: Vec<Chunk>,
}

impl SegmentMap {
    fn key(chunk: &Chunk) -> (u32, u32) {
        match chunk.base {
            Base::Wire(wire) => (wire, chunk.offset),
            Base::Const(_) => unreachable!("targets are wires"),
        }
    }

    /// Calls `f` with each segment of `target` and its position in the signal.
    fn each(&self, module: &Module, target: Sig, mut f: impl FnMut(usize, u32, u32)) {
        let mut at = 0;
        for chunk in target.of(&module.chunks) {
            let first = self
                .segments
                .partition_point(|s| Self::key(s) < Self::key(chunk));
            let mut covered = 0;
            for (index, segment) in self.segments.iter().enumerate().skip(first) {
                if covered == chunk.width {
                    break;
                }
                f(index, at + covered, segment.width);
                covered += segment.width;
            }
            at += chunk.width;
        }
    }
}

/// Bits `low .. low + width` of a signal, appended to `pool`.
pub fn slice_chunks(source: &[Chunk], low: u32, width: u32, pool: &mut Vec<Chunk>) -> Sig {
    let start = pool.len() as u32;
    let mut at = 0;
    for chunk in source {
        let (from, to) = (low.max(at), (low + width).min(at + chunk.width));
        if from < to {
            pool.push(Chunk {
                offset: chunk.offset + from - at,
                width: to - from,
                ..*chunk
            });
        }
        at += chunk.width;
        if at >= low + width {
            break;
        }
    }
    Sig {
        start,
        end: pool.len() as u32,
    }
}

/// One level of the walk over a process.
enum Frame {
    Case {
        case: u32,
        next_switch: usize,
        log_start: usize,
    },
    Switch {
        switch: u32,
        next_case: usize,
        changed: Vec<(usize, u32, TreeId)>,
    },
}

/// The values while walking.
struct Walk<'m> {
    design: &'m Design<'m>,
    module: &'m Module,
    map: SegmentMap,
    /// Current value of each segment.
    values: Vec<TreeId>,
    /// What to restore when the case ends: segment and value before.
    log: Vec<(usize, TreeId)>,
    /// Marks segments already seen when a case ends.
    seen: Vec<bool>,
}

fn lower_assigns(
    design: &Design,
    module: &Module,
    index: u32,
    process: &Process,
    out: &mut Processes,
) {
    let mut boundaries = Boundaries::default();
    let mut waiting = vec![process.root];
    while let Some(case) = waiting.pop() {
        let case = &module.cases[case as usize];
        case.assigns
            .iter()
            .for_each(|(target, _)| boundaries.add(module, *target));
        waiting.extend(
            case.switches
                .iter()
                .flat_map(|s| &module.switches[*s as usize].cases),
        );
    }
    let segments = boundaries.segments();
    let count = segments.len();
    let mut walk = Walk {
        design,
        module,
        map: SegmentMap { segments },
        values: vec![UNASSIGNED; count],
        log: Vec::new(),
        seen: vec![false; count],
    };
    walk.run(process.root, out);
    for (target, tree) in walk.map.segments.iter().zip(walk.values) {
        match out.trees[tree as usize] {
            Tree::Leaf(value) => out.aliases.push((*target, value)),
            _ => out.segments.push(Segment {
                target: *target,
                process: index,
                tree,
            }),
        }
    }
}

impl Walk<'_> {
    fn run(&mut self, root: u32, out: &mut Processes) {
        let mut frames = vec![self.enter(root, out)];
        while let Some(frame) = frames.last_mut() {
            match frame {
                Frame::Case {
                    case,
                    next_switch,
                    log_start,
                } => {
                    let switches = &self.module.cases[*case as usize].switches;
                    if let Some(switch) = switches.get(*next_switch) {
                        *next_switch += 1;
                        let switch = *switch;
                        frames.push(Frame::Switch {
                            switch,
                            next_case: 0,
                            changed: Vec::new(),
                        });
                        continue;
                    }
                    let log_start = *log_start;
                    frames.pop();
                    if let Some(Frame::Switch {
                        next_case, changed, ..
                    }) = frames.last_mut()
                    {
                        self.leave(log_start, *next_case as u32 - 1, changed);
                    }
                }
                Frame::Switch {
                    switch,
                    next_case,
                    changed,
                } => {
                    let cases = &self.module.switches[*switch as usize].cases;
                    if let Some(case) = cases.get(*next_case) {
                        *next_case += 1;
                        let frame = self.enter(*case, out);
                        frames.push(frame);
                        continue;
                    }
                    let (switch, changed) = (*switch, std::mem::take(changed));
                    frames.pop();
                    self.merge(switch, changed, out);
                }
            }
        }
    }

    /// Does the assignments of a case.
    fn enter(&mut self, case: u32, out: &mut Processes) -> Frame {
        let log_start = self.log.len();
        for (target, value) in &self.module.cases[case as usize].assigns {
            let source = value.of(&self.module.chunks);
            let (values, log) = (&mut self.values, &mut self.log);
            self.map.each(self.module, *target, |segment, low, width| {
                let leaf = slice_chunks(source, low, width, &mut out.chunks);
                out.trees.push(Tree::Leaf(leaf));
                log.push((segment, values[segment]));
                values[segment] = out.trees.len() as TreeId - 1;
            });
        }
        Frame::Case {
            case,
            next_switch: 0,
            log_start,
        }
    }

    /// Notes what a case changed and restores the values from before it.
    fn leave(&mut self, log_start: usize, position: u32, changed: &mut Vec<(usize, u32, TreeId)>) {
        let first = changed.len();
        for (segment, before) in self.log.drain(log_start..).rev() {
            if !self.seen[segment] {
                self.seen[segment] = true;
                changed.push((segment, position, self.values[segment]));
            }
            self.values[segment] = before;
        }
        changed[first..]
            .iter()
            .for_each(|(segment, ..)| self.seen[*segment] = false);
    }

    /// Makes one tree for every segment that some case of the switch changed.
    fn merge(&mut self, switch: u32, mut changed: Vec<(usize, u32, TreeId)>, out: &mut Processes) {
        changed.sort_by_key(|(segment, position, _)| (*segment, *position));
        let all = cases_that_cover(self.design, self.module, switch);
        for group in changed.chunk_by(|a, b| a.0 == b.0) {
            let segment = group[0].0;
            let start = out.arms.len() as u32;
            out.arms
                .extend(group.iter().map(|(_, position, tree)| (*position, *tree)));
            let arms = Range {
                start,
                end: out.arms.len() as u32,
            };
            // What was there before must not look like an operand where every way assigns anew.
            let covered = all.is_some_and(|count| {
                group.len() >= count && group[count - 1].1 as usize == count - 1
            });
            let before = if covered {
                UNASSIGNED
            } else {
                self.values[segment]
            };
            out.trees.push(Tree::Switch {
                switch,
                before,
                arms,
            });
            self.log.push((segment, self.values[segment]));
            self.values[segment] = out.trees.len() as TreeId - 1;
        }
    }
}

/// How many cases from the first on leave no value of the switch's signal out; `None` when they never do.
fn cases_that_cover(design: &Design, module: &Module, switch: u32) -> Option<usize> {
    let switch = &module.switches[switch as usize];
    let width = design.width(module, switch.signal);
    let mut seen = rustc_hash::FxHashSet::default();
    for (index, case) in switch.cases.iter().enumerate() {
        let compares = &module.cases[*case as usize].compares;
        for compare in compares {
            if let [
                Chunk {
                    base: Base::Const(id),
                    offset,
                    width,
                },
            ] = *module.chunks_of(*compare)
                && design.constant(id).other.is_none()
            {
                seen.insert(design.constant(id).value.slice(offset, width));
            }
        }
        if compares.is_empty() || (width < 32 && seen.len() >> width > 0) {
            return Some(index + 1);
        }
    }
    None
}

fn lower_syncs(module: &Module, index: u32, process: &Process, out: &mut Processes) {
    let mut boundaries = Boundaries::default();
    let clocked = |sync: &&Sync| {
        !matches!(
            sync.when,
            SyncKind::Always | SyncKind::Init | SyncKind::Global
        )
    };
    for (target, _) in process
        .syncs
        .iter()
        .filter(clocked)
        .flat_map(|s| &s.updates)
    {
        boundaries.add(module, *target);
    }
    let map = SegmentMap {
        segments: boundaries.segments(),
    };
    let mut updates: Vec<Update> = map
        .segments
        .iter()
        .map(|t| Update {
            target: *t,
            process: index,
            values: Vec::new(),
        })
        .collect();
    for (number, sync) in process.syncs.iter().enumerate() {
        for (target, value) in &sync.updates {
            let source = value.of(&module.chunks);
            if clocked(&sync) {
                map.each(module, *target, |segment, low, width| {
                    let value = slice_chunks(source, low, width, &mut out.chunks);
                    set_value(&mut updates[segment], number as u32, value);
                });
                continue;
            }
            let list = if sync.when == SyncKind::Init {
                &mut out.inits
            } else {
                &mut out.aliases
            };
            let mut low = 0;
            for chunk in target.of(&module.chunks) {
                list.push((
                    *chunk,
                    slice_chunks(source, low, chunk.width, &mut out.chunks),
                ));
                low += chunk.width;
            }
        }
    }
    out.updates.extend(updates);
}

/// The last update of a rule counts.
fn set_value(update: &mut Update, sync: u32, value: Sig) {
    match update.values.last_mut() {
        Some(last) if last.0 == sync => last.1 = value,
        _ => update.values.push((sync, value)),
    }
}

impl Processes {
    /// All trees below one, itself included, children before parents.
    pub fn reachable(&self, root: TreeId) -> Vec<TreeId> {
        let mut found = vec![root];
        let mut seen = rustc_hash::FxHashSet::default();
        let mut next = 0;
        while next < found.len() {
            if let Tree::Switch { before, arms, .. } = self.trees[found[next] as usize] {
                let children = arms.of(&self.arms).iter().map(|(_, tree)| *tree);
                found.extend(
                    std::iter::once(before)
                        .chain(children)
                        .filter(|t| seen.insert(*t)),
                );
            }
            next += 1;
        }
        found.sort_unstable();
        found
    }
}
