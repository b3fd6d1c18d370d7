//! Computes values ahead: when the registers are written that they depend on, instead of in every cycle.
//!
//! In: an optimised netlist. Out: the same with hidden registers. What is needed in every cycle and depends only on registers
//! that are written under a condition - a decoder's output, on the instruction - stays as it is until that condition
//! holds. It gets a register of its own, whose next value is computed from the next values of those registers under the
//! conditions under which they are written, and what the clock edge computes uses that. Names keep the value itself.
//!
//! A hidden register always has the value of its cell; after a write by the host [`TaskKind::Renew`] sees to that.
//!
//! [`TaskKind::Renew`]: super::TaskKind::Renew

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::activity::Activity;
use super::domains::{self, TimingModel};
use super::regions::{Homes, Scheduler};
use super::sinks;
use crate::bits::Bits;
use crate::ir::*;
use crate::options::{OptLevel, Options};

/// Least cells that a value must save in each cycle.
const MIN_COST: u32 = 2;
/// Most registers that a value depends on.
const MAX_REGISTERS: usize = 16;
/// Most places at which a value is computed ahead.
const MAX_PLACES: usize = 2;
/// Most choices on the way to these.
const MAX_CHOICES: usize = 8;
/// Most cells that are looked at to see whether a register may keep its value.
const LOOK_AT: usize = 48;

/// The netlist with hidden registers, in designs with one clock edge. Large ones have parts that sleep instead.
pub fn run(n: Netlist, options: &Options) -> Netlist {
    let is_small = n.cells.len() < options.gating.ungated;
    if !is_small || !options.runs(super::AHEAD, OptLevel::O1) {
        return n;
    }
    let domains = domains::find(&n);
    let edges = sinks::edges(&domains);
    if domains.model != TimingModel::Static || edges.len() != 1 {
        return n;
    }
    let none = Activity::none(&n);
    let homes = Scheduler::new(&n, &none).homes(sinks::edge_sinks(&n, &domains, edges[0]));
    let chosen = Choice::new(&n, &homes).run();
    if chosen.is_empty() {
        return n;
    }
    let cells: Vec<CellId> = homes.cells.iter().map(|(cell, _)| *cell).collect();
    Build::new(n).run(&chosen, &cells)
}

/// When the registers are written on which a value depends.
#[derive(Clone, Debug)]
enum Shape {
    /// They keep their values.
    Hold,
    /// They take these.
    Compute(Vec<CellId>),
    Choice {
        select: CellId,
        on_true: Box<Shape>,
        on_false: Box<Shape>,
    },
}

/// A value that is computed ahead.
struct Chosen {
    cell: CellId,
    registers: Vec<RegisterId>,
    shape: Shape,
}

/// Finds the values.
struct Choice<'a> {
    n: &'a Netlist,
    homes: &'a Homes,
    /// Conditions under which each register is written, other than inputs.
    rates: FxHashMap<RegisterId, u32>,
    /// What is known of each cell that depends only on registers.
    facts: FxHashMap<CellId, Fact>,
}

#[derive(Clone, Debug)]
struct Fact {
    registers: Vec<RegisterId>,
    /// Cells that computing it takes.
    cost: u32,
}

impl<'a> Choice<'a> {
    fn new(n: &'a Netlist, homes: &'a Homes) -> Self {
        let mut rates: FxHashMap<RegisterId, u32> = FxHashMap::default();
        for (register, value, conditions) in &homes.stores {
            let reset = *conditions == 0 && n.constant(*value).is_some();
            if !reset {
                let rate = rates.entry(*register).or_insert(u32::MAX);
                *rate = (*rate).min(*conditions);
            }
        }
        let mut choice = Choice {
            n,
            homes,
            rates,
            facts: FxHashMap::default(),
        };
        for (cell, _) in &homes.cells {
            if let Some(fact) = choice.fact(*cell) {
                choice.facts.insert(*cell, fact);
            }
        }
        choice
    }

    fn fact(&self, cell: CellId) -> Option<Fact> {
        let kind = &self.n.cells[cell].kind;
        if let CellKind::Register(r) = *kind {
            let register = &self.n.registers[r];
            let plain = register.load.is_none() && register.width <= 64;
            let written = plain && self.rates.get(&r).is_some_and(|rate| *rate > 0);
            let registers = vec![r];
            return written.then_some(Fact { registers, cost: 0 });
        }
        if kind.is_source() || matches!(kind, CellKind::MemRead { .. }) || self.n.width(cell) > 64 {
            return None;
        }
        let mut registers = Vec::new();
        let mut cost = cell_cost(self.n, kind);
        let mut known = true;
        kind.for_each_operand(|operand| {
            if self.n.constant(operand).is_none() {
                match self.facts.get(&operand) {
                    Some(fact) => {
                        registers.extend(&fact.registers);
                        cost = cost.saturating_add(fact.cost);
                    }
                    None => known = false,
                }
            }
        });
        registers.sort_unstable();
        registers.dedup();
        (known && registers.len() <= MAX_REGISTERS).then_some(Fact { registers, cost })
    }

    /// From users to operands: what is needed and can be had ahead, else what that needs.
    fn run(&self) -> Vec<Chosen> {
        let mut needed: FxHashSet<CellId> = self.homes.needed.iter().copied().collect();
        let mut chosen = Vec::new();
        for (cell, conditions) in self.homes.cells.iter().rev() {
            let Some(conditions) = conditions.filter(|_| needed.contains(cell)) else {
                continue;
            };
            match self.choose(*cell, conditions) {
                Some(found) => chosen.push(found),
                None => self.n.cells[*cell].kind.for_each_operand(|o| {
                    needed.insert(o);
                }),
            }
        }
        chosen.reverse();
        chosen
    }

    fn choose(&self, cell: CellId, conditions: u32) -> Option<Chosen> {
        let fact = self.facts.get(&cell)?;
        let rarer = |r: &RegisterId| self.rates[r] > conditions;
        if fact.cost < MIN_COST || fact.registers.is_empty() || !fact.registers.iter().all(rarer) {
            return None;
        }
        let registers = fact.registers.clone();
        let clocks = |r: &RegisterId| &self.n.registers[*r].clocks;
        if registers.iter().any(|r| clocks(r) != clocks(&registers[0])) {
            return None;
        }
        let next = registers.iter().map(|r| self.n.registers[*r].next);
        let mut shaper = Shaper {
            n: self.n,
            registers: &registers,
            places: MAX_PLACES,
            choices: MAX_CHOICES,
            holds: false,
        };
        let shape = shaper.shape(next.collect())?;
        shaper.holds.then_some(())?;
        Some(Chosen {
            cell,
            registers,
            shape,
        })
    }
}

/// What a cell is worth: nothing where bits are only moved, or where registers of one bit are tested together.
fn cell_cost(n: &Netlist, kind: &CellKind) -> u32 {
    let is_flag = |c: CellId| n.width(c) == 1 && matches!(n.cells[c].kind, CellKind::Register(_));
    match *kind {
        CellKind::Slice { .. } | CellKind::Not(_) | CellKind::ZeroExtend(_) => 0,
        CellKind::Or(a, b) if is_flag(a) && is_flag(b) => 0,
        _ => 1,
    }
}

/// Walks the next values of several registers at once.
struct Shaper<'a> {
    n: &'a Netlist,
    registers: &'a [RegisterId],
    /// How many more there may be.
    places: usize,
    choices: usize,
    /// Some way keeps all of them.
    holds: bool,
}

impl Shaper<'_> {
    /// Recursion is bounded by the number of choices.
    fn shape(&mut self, values: Vec<CellId>) -> Option<Shape> {
        let Some(select) = self.select(&values) else {
            let all = |f: &dyn Fn(usize) -> bool| (0..values.len()).all(f);
            if all(&|i| self.is_kept(i, values[i])) {
                self.holds = true;
                return Some(Shape::Hold);
            }
            if !all(&|i| self.n.constant(values[i]).is_some()) {
                self.places = self.places.checked_sub(1)?;
            }
            return Some(Shape::Compute(values));
        };
        self.choices = self.choices.checked_sub(1)?;
        let arms = |taken: bool| {
            let arm = |value: &CellId| match self.n.cells[*value].kind {
                CellKind::Mux {
                    select: s,
                    on_true,
                    on_false,
                } if s == select => match taken {
                    true => on_true,
                    false => on_false,
                },
                _ => *value,
            };
            values.iter().map(arm).collect()
        };
        let (on_true, on_false) = (arms(true), arms(false));
        Some(Shape::Choice {
            select,
            on_true: Box::new(self.shape(on_true)?),
            on_false: Box::new(self.shape(on_false)?),
        })
    }

    /// The select that most of those values take first which are kept on some way.
    fn select(&self, values: &[CellId]) -> Option<CellId> {
        let mut counts: BTreeMap<CellId, usize> = BTreeMap::new();
        for (i, value) in values.iter().enumerate() {
            if let CellKind::Mux { select, .. } = self.n.cells[*value].kind
                && self.may_be_kept(i, *value)
            {
                *counts.entry(select).or_default() += 1;
            }
        }
        let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
        best.map(|(select, _)| select)
    }

    fn is_kept(&self, index: usize, value: CellId) -> bool {
        self.n.cells[value].kind == CellKind::Register(self.registers[index])
    }

    fn may_be_kept(&self, index: usize, value: CellId) -> bool {
        let mut work = vec![value];
        for _ in 0..LOOK_AT {
            let Some(value) = work.pop() else {
                return false;
            };
            if self.is_kept(index, value) {
                return true;
            }
            if let CellKind::Mux {
                on_true, on_false, ..
            } = self.n.cells[value].kind
            {
                work.extend([on_true, on_false]);
            }
        }
        false
    }
}

/// Adds the registers to the netlist.
struct Build {
    b: Builder,
    /// What the clock edge uses instead of a cell.
    instead: FxHashMap<CellId, CellId>,
}

impl Build {
    fn new(n: Netlist) -> Build {
        Build {
            b: Builder::extending(n),
            instead: FxHashMap::default(),
        }
    }

    fn run(mut self, chosen: &[Chosen], cells: &[CellId]) -> Netlist {
        let hidden: Vec<(RegisterId, CellId)> = chosen.iter().map(|c| self.register(c)).collect();
        for cell in cells {
            self.use_instead(*cell);
        }
        for (chosen, (register, _)) in chosen.iter().zip(&hidden) {
            self.b.origin = self.b.netlist.origins[chosen.cell];
            let next = self.next(chosen, &chosen.shape);
            self.b.netlist.registers[*register].next = next;
        }
        self.roots(hidden[0].0);
        self.b.netlist.hidden = hidden;
        self.b.finish()
    }

    /// The register of a value, and the cell that reads it.
    fn register(&mut self, chosen: &Chosen) -> (RegisterId, CellId) {
        let first = &self.b.netlist.registers[chosen.registers[0]];
        let (origin, clocks) = (first.origin, first.clocks.clone());
        let initial = |r: &RegisterId| self.b.netlist.registers[*r].init.clone();
        let initial: Vec<Bits> = chosen.registers.iter().map(initial).collect();
        self.b.origin = origin;
        let values: Vec<CellId> = initial.into_iter().map(|bits| self.b.konst(bits)).collect();
        let initial = self.compute(chosen, &values);
        let init = self.b.constant(initial).expect("constants fold").clone();
        let width = init.width();
        let (register, cell) = self.b.register(Register {
            width,
            init,
            init_defined: Bits::ones(width),
            draw: 0,
            clocks,
            next: chosen.cell,
            load: None,
            origin,
        });
        self.instead.insert(chosen.cell, cell);
        (register, chosen.cell)
    }

    /// What an edge uses for a cell: operands have been seen.
    fn use_instead(&mut self, cell: CellId) {
        if self.instead.contains_key(&cell) {
            return;
        }
        let (kind, width) = (self.b.kind(cell), self.b.width(cell));
        let mapped = kind.map_operands(|o| self.instead(o));
        if mapped != *kind {
            self.b.origin = self.b.netlist.origins[cell];
            let new = self.b.intern(mapped, width);
            self.instead.insert(cell, new);
        }
    }

    fn instead(&self, cell: CellId) -> CellId {
        self.instead.get(&cell).copied().unwrap_or(cell)
    }

    /// The next value of a hidden register. Recursion is bounded by the number of choices.
    fn next(&mut self, chosen: &Chosen, shape: &Shape) -> CellId {
        match shape {
            Shape::Hold => self.instead[&chosen.cell],
            Shape::Compute(values) => {
                let values: Vec<CellId> = values.iter().map(|v| self.instead(*v)).collect();
                self.compute(chosen, &values)
            }
            Shape::Choice {
                select,
                on_true,
                on_false,
            } => {
                let on_true = self.next(chosen, on_true);
                let on_false = self.next(chosen, on_false);
                self.b.mux(self.instead(*select), on_true, on_false)
            }
        }
    }

    /// The value where its registers have others. Its cells come before it, operands first.
    fn compute(&mut self, chosen: &Chosen, values: &[CellId]) -> CellId {
        let mut cone = FxHashSet::default();
        let mut work = vec![chosen.cell];
        while let Some(cell) = work.pop() {
            if cone.insert(cell) {
                self.b.kind(cell).for_each_operand(|o| work.push(o));
            }
        }
        let mut cone: Vec<CellId> = cone.into_iter().collect();
        cone.sort_unstable();
        let mut new: FxHashMap<CellId, CellId> = FxHashMap::default();
        for cell in cone {
            let (kind, width) = (self.b.kind(cell), self.b.width(cell));
            let made = match *kind {
                CellKind::Register(r) => {
                    let index = chosen.registers.binary_search(&r);
                    values[index.expect("it depends on these registers only")]
                }
                _ => {
                    let kind = kind.map_operands(|o| new[&o]);
                    self.b.cell(kind, width)
                }
            };
            new.insert(cell, made);
        }
        new[&chosen.cell]
    }

    /// What happens at the edge uses the hidden registers, the first of which is `hidden`.
    fn roots(&mut self, hidden: RegisterId) {
        let instead = &self.instead;
        let set = |cell: &mut CellId| *cell = instead.get(cell).copied().unwrap_or(*cell);
        let n = &mut self.b.netlist;
        let shown = n.registers.values_mut().take(hidden.index());
        let clocked = shown.filter(|r| !r.clocks.is_empty());
        clocked.for_each(|r| set(&mut r.next));
        for port in n.memories.values_mut().flat_map(|m| &mut m.writes) {
            let cells = [
                &mut port.enable,
                &mut port.address,
                &mut port.data,
                &mut port.mask,
            ];
            cells.into_iter().for_each(set);
        }
        for effect in &mut n.effects {
            if matches!(effect.when, EffectTime::Edges(_)) && !effect.last {
                set(&mut effect.enable);
                effect.args.iter_mut().for_each(|arg| set(&mut arg.value));
            }
        }
    }
}
