//! The tasks of a design and what each must achieve, before any order within a task.

use super::domains::{Domain, Domains, TimingModel};
use super::observe::Observed;
use super::regions::{Sink, SinkOrder};
use super::{Action, TaskKind};
use crate::ir::*;

/// Every task with its sinks.
pub fn tasks(n: &Netlist, domains: &Domains, observed: &Observed) -> Vec<(TaskKind, Vec<Sink>)> {
    let mut tasks = vec![(TaskKind::Settle, settle(n, &observed.published))];
    tasks.push((TaskKind::Last, last(n)));
    if domains.model == TimingModel::General {
        tasks.push((TaskKind::Changes, changes(n)));
        tasks.push((TaskKind::Carry, carry(n)));
    } else {
        for edge in edges(domains) {
            tasks.push((TaskKind::Edge(edge), edge_sinks(n, domains, edge)));
        }
    }
    if needs_shadow(domains) {
        for (id, domain) in domains.domains.iter().enumerate() {
            let mut sinks = state_sinks(n, domain);
            if domains.effect_groups.is_empty() {
                sinks.extend(domain.effects.iter().map(|i| effect(n, *i)));
                sinks.sort_by_key(|s| s.order);
            }
            tasks.push((TaskKind::Compute(id), sinks));
        }
        for (id, group) in domains.effect_groups.iter().enumerate() {
            let sinks = group.effects.iter().map(|i| effect(n, *i)).collect();
            tasks.push((TaskKind::Effects(id), sinks));
        }
    }
    tasks.push((TaskKind::Initial, initial(n)));
    let outlined = observed
        .outlined
        .iter()
        .map(|c| Sink::plain(Action::StoreNet(*c), limbs(n, *c)));
    tasks.push((TaskKind::Outline, outlined.collect()));
    tasks
}

/// True when several edges may fall together, so that all must compute before any commits.
pub fn needs_shadow(domains: &Domains) -> bool {
    domains.model == TimingModel::General || edges(domains).len() > 1
}

/// Every edge that some state acts on or that latches are looked at before, `Both` as its two.
pub fn edges(domains: &Domains) -> Vec<ClockEdge> {
    let mut edges: Vec<ClockEdge> = domains.latch_edges.clone();
    for clock in domains.domains.iter().flat_map(|d| &d.clocks) {
        let each: &[Edge] = match clock.edge {
            Edge::Both => &[Edge::Rise, Edge::Fall],
            Edge::Rise => &[Edge::Rise],
            Edge::Fall => &[Edge::Fall],
        };
        edges.extend(each.iter().map(|e| ClockEdge {
            trigger: clock.trigger,
            edge: *e,
        }));
    }
    edges.sort();
    edges.dedup();
    edges
}

pub fn edge_sinks(n: &Netlist, domains: &Domains, edge: ClockEdge) -> Vec<Sink> {
    let mut sinks = latch_sinks(n);
    let fires =
        |c: &ClockEdge| c.trigger == edge.trigger && (c.edge == edge.edge || c.edge == Edge::Both);
    for domain in domains
        .domains
        .iter()
        .filter(|d| d.clocks.iter().any(fires))
    {
        sinks.extend(state_sinks(n, domain));
        sinks.extend(domain.effects.iter().map(|i| effect(n, *i)));
    }
    sinks.sort_by_key(|s| s.order);
    sinks
}

/// Registers and memory ports.
fn state_sinks(n: &Netlist, domain: &Domain) -> Vec<Sink> {
    let registers = domain.registers.iter();
    let writes = domain.writes.iter();
    registers
        .map(|id| Sink::register(*id, n.registers[*id].next))
        .chain(writes.map(|(memory, port)| write(n, *memory, *port)))
        .collect()
}

/// The cells that reading a value limb by limb needs.
pub fn limbs(n: &Netlist, cell: CellId) -> Vec<CellId> {
    match &n.cells[cell].kind {
        CellKind::Concat(limbs) if n.width(cell) > 64 => limbs.to_vec(),
        _ => vec![cell],
    }
}

fn write(n: &Netlist, memory: MemoryId, port: usize) -> Sink {
    let p = &n.memories[memory].writes[port];
    Sink {
        action: Action::Write { memory, port },
        guard: Some(p.enable),
        uses: [vec![p.address], limbs(n, p.data), limbs(n, p.mask)].concat(),
        order: SinkOrder::Write(memory, port),
    }
}

/// An effect that acts, or waits for the end of the instant.
fn effect(n: &Netlist, index: usize) -> Sink {
    let e = &n.effects[index];
    Sink {
        action: if e.last {
            Action::Due(index)
        } else {
            Action::Effect(index)
        },
        guard: Some(e.enable),
        uses: if e.last { Vec::new() } else { arg_limbs(n, e) },
        order: SinkOrder::Effect(index),
    }
}

fn arg_limbs(n: &Netlist, effect: &Effect) -> Vec<CellId> {
    effect.args.iter().flat_map(|a| limbs(n, a.value)).collect()
}

fn change(n: &Netlist, index: usize) -> Sink {
    let e = &n.effects[index];
    Sink {
        action: Action::Change(index),
        guard: None,
        uses: [vec![e.enable], arg_limbs(n, e)].concat(),
        order: SinkOrder::Effect(index),
    }
}

/// Latches take their transparent values; in the static model each edge does that, too, before it.
fn latch_sinks(n: &Netlist) -> Vec<Sink> {
    let store =
        |(id, l): (LatchId, &Latch)| Sink::plain(Action::StoreLatch(id, l.value), vec![l.value]);
    n.latches.iter().map(store).collect()
}

/// Where there are loops, latches and loads come last: they act only in a pass in which no loop has changed.
fn settle(n: &Netlist, published: &[CellId]) -> Vec<Sink> {
    let order = |at| match n.loops.is_empty() {
        true => SinkOrder::Any,
        false => SinkOrder::Settled(at),
    };
    let mut sinks = latch_sinks(n);
    for (at, sink) in sinks.iter_mut().enumerate() {
        sink.order = order(at);
    }
    for (id, cut) in n.loops.iter() {
        sinks.push(Sink::plain(
            Action::StoreLoop(id, cut.value),
            vec![cut.value],
        ));
    }
    for cell in published {
        sinks.push(Sink::plain(Action::StoreNet(*cell), limbs(n, *cell)));
    }
    sinks.extend(levels(n));
    for (id, register) in n.registers.iter() {
        if let Some(load) = register.load {
            sinks.push(Sink {
                action: Action::Load(id, load.value),
                guard: Some(load.when),
                uses: vec![load.value],
                order: order(n.latches.len() + id.index()),
            });
        }
    }
    sinks
}

fn carry(n: &Netlist) -> Vec<Sink> {
    levels(n)
}

/// Stores of the levels that no input holds.
fn levels(n: &Netlist) -> Vec<Sink> {
    let computed = n
        .triggers
        .iter()
        .filter(|(id, _)| level_input(n, *id).is_none());
    computed
        .map(|(id, t)| Sink::plain(Action::StoreLevel(id, t.net), vec![t.net]))
        .collect()
}

/// The input bit that lives in a trigger's `level`. A derived clock's level is always computed, also where
/// its net has turned out to be an input: it moves when a derived clock moves. Where a clock and a load are
/// the same input, the clock's row has it.
pub fn level_input(n: &Netlist, trigger: TriggerId) -> Option<(InputId, u32)> {
    let rank = |id: TriggerId| (n.triggers[id].role == TriggerRole::AsyncLoad, id);
    let bit_of = |t: &Trigger| match t.role {
        TriggerRole::PrimaryClock | TriggerRole::AsyncLoad => input_bit(n, t.net),
        TriggerRole::DerivedClock => None,
    };
    let bit = bit_of(&n.triggers[trigger])?;
    let same = n.triggers.iter().filter(|(_, t)| bit_of(t) == Some(bit));
    let first = same.map(|(id, _)| rank(id)).min();
    (first == Some(rank(trigger))).then_some(bit)
}

/// The input and its bit that a net of width 1 is.
pub fn input_bit(n: &Netlist, net: CellId) -> Option<(InputId, u32)> {
    match n.cells[net].kind {
        CellKind::Input(i) => Some((i, 0)),
        CellKind::Slice { value, low } => match n.cells[value].kind {
            CellKind::Input(i) => Some((i, low)),
            CellKind::Slice { value, low: below } => match n.cells[value].kind {
                CellKind::Input(i) => Some((i, low + below)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn changes(n: &Netlist) -> Vec<Sink> {
    let on_change = n
        .effects
        .iter()
        .enumerate()
        .filter(|(_, e)| e.when == EffectTime::Change && !e.last);
    on_change.map(|(i, _)| change(n, i)).collect()
}

/// Effects at the end of an instant, with the values then.
fn last(n: &Netlist) -> Vec<Sink> {
    let waiting = n.effects.iter().enumerate().filter(|(_, e)| e.last);
    waiting
        .map(|(i, e)| match e.when {
            EffectTime::Change => change(n, i),
            EffectTime::Initial | EffectTime::Edges(_) => Sink {
                action: Action::Last(i),
                guard: None,
                uses: arg_limbs(n, e),
                order: SinkOrder::Effect(i),
            },
        })
        .collect()
}

fn initial(n: &Netlist) -> Vec<Sink> {
    let each = n
        .effects
        .iter()
        .enumerate()
        .filter_map(|(i, e)| match e.when {
            EffectTime::Initial => Some(effect(n, i)),
            EffectTime::Change if !e.last => Some(change(n, i)),
            EffectTime::Change | EffectTime::Edges(_) => None,
        });
    each.collect()
}
