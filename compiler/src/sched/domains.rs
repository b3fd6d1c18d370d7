//! Which state acts on which edges.

use std::collections::BTreeMap;

use crate::ir::*;

/// Index of a [`Domain`].
pub type DomainId = usize;

/// The clock domains of a design and how its time works.
#[derive(Clone, Debug)]
pub struct Domains {
    pub domains: Vec<Domain>,
    pub model: TimingModel,
    /// Clocked effects in the order of the source, neighbours of one domain together; empty when a single
    /// domain has them all, which then runs them itself.
    pub effect_groups: Vec<EffectGroup>,
}

/// Effects that run together when their domain has an edge.
#[derive(Clone, Debug)]
pub struct EffectGroup {
    pub domain: DomainId,
    pub effects: Vec<usize>,
}

/// State with the same clock edges.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    /// Any of these edges.
    pub clocks: Vec<ClockEdge>,
    pub registers: Vec<RegisterId>,
    /// Memory and index of the port.
    pub writes: Vec<(MemoryId, usize)>,
    /// Indices of clocked effects.
    pub effects: Vec<usize>,
}

/// How much of the general time model a design needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingModel {
    /// All triggers are top-level inputs or follow only those; no loop, no clock read as data, no effect
    /// on change. One wave per edge; the logic, latches included, is evaluated once before it.
    Static,
    /// Everything else: after each wave the logic settles and triggers may make another one.
    General,
}

/// Finds the clock domains.
pub fn find(netlist: &Netlist) -> Domains {
    let mut domains: Vec<Domain> = Vec::new();
    let mut index: BTreeMap<Vec<ClockEdge>, DomainId> = BTreeMap::new();
    let mut of = |clocks: &[ClockEdge], domains: &mut Vec<Domain>| -> DomainId {
        let mut key = clocks.to_vec();
        key.sort();
        key.dedup();
        *index.entry(key.clone()).or_insert_with(|| {
            domains.push(Domain {
                clocks: key,
                ..Domain::default()
            });
            domains.len() - 1
        })
    };
    for (id, register) in netlist
        .registers
        .iter()
        .filter(|(_, r)| !r.clocks.is_empty())
    {
        let d = of(&register.clocks, &mut domains);
        domains[d].registers.push(id);
    }
    for (id, memory) in netlist.memories.iter() {
        for (i, port) in memory.writes.iter().enumerate() {
            let d = of(&port.clocks, &mut domains);
            domains[d].writes.push((id, i));
        }
    }
    for (i, effect) in netlist.effects.iter().enumerate() {
        if let EffectTime::Edges(clocks) = &effect.when {
            let d = of(clocks, &mut domains);
            domains[d].effects.push(i);
        }
    }
    Domains {
        model: timing_model(netlist),
        effect_groups: effect_groups(&domains),
        domains,
    }
}

fn effect_groups(domains: &[Domain]) -> Vec<EffectGroup> {
    if domains.iter().filter(|d| !d.effects.is_empty()).count() < 2 {
        return Vec::new();
    }
    let each = domains.iter().enumerate();
    let mut order: Vec<(usize, DomainId)> = each
        .flat_map(|(id, d)| d.effects.iter().map(move |e| (*e, id)))
        .collect();
    order.sort_unstable();
    let mut groups: Vec<EffectGroup> = Vec::new();
    for (effect, domain) in order {
        match groups.last_mut() {
            Some(group) if group.domain == domain => group.effects.push(effect),
            _ => groups.push(EffectGroup {
                domain,
                effects: vec![effect],
            }),
        }
    }
    groups
}

fn timing_model(netlist: &Netlist) -> TimingModel {
    let computed_clock = netlist
        .triggers
        .values()
        .any(|t| t.role == TriggerRole::DerivedClock);
    let on_change = netlist.effects.iter().any(|e| e.when == EffectTime::Change);
    let simple = netlist.loops.is_empty()
        && !computed_clock
        && !on_change
        && loads_follow_inputs(netlist)
        && !clock_is_data(netlist);
    if simple {
        TimingModel::Static
    } else {
        TimingModel::General
    }
}

/// True when the condition of every asynchronous load depends on inputs alone, and what it loads is a
/// constant or depends on inputs alone.
fn loads_follow_inputs(netlist: &Netlist) -> bool {
    let mut stateful = crate::arena::SideTable::new(&netlist.cells, false);
    for (id, cell) in netlist.cells.iter() {
        let mut state = matches!(cell.kind, CellKind::MemRead { .. })
            || cell.kind.is_source() && !matches!(cell.kind, CellKind::Input(_));
        cell.kind.for_each_operand(|o| state |= stateful[o]);
        stateful[id] = state;
    }
    netlist
        .registers
        .values()
        .filter_map(|r| r.load)
        .all(|l| !stateful[l.when] && !stateful[l.value])
}

/// True when a primary clock, or an input that it is a bit of, is read by anything but clock pins and names.
fn clock_is_data(netlist: &Netlist) -> bool {
    let clocks = netlist
        .triggers
        .values()
        .filter(|t| t.role == TriggerRole::PrimaryClock);
    let bits: Vec<(InputId, u32)> = clocks
        .filter_map(|t| super::sinks::input_bit(netlist, t.net))
        .collect();
    // Where the cell is a run of bits of an input: the input and its lowest bit.
    let mut runs = crate::arena::SideTable::new(&netlist.cells, None);
    let mut used = false;
    for (id, cell) in netlist.cells.iter() {
        runs[id] = match cell.kind {
            CellKind::Input(input) => Some((input, 0)),
            CellKind::Slice { value, low } => runs[value].map(|(input, at)| (input, at + low)),
            _ => {
                cell.kind
                    .for_each_operand(|o| used |= has_bit(netlist, &bits, runs[o], o));
                None
            }
        };
    }
    let mut roots = 0;
    netlist.for_each_root(|c| roots += usize::from(has_bit(netlist, &bits, runs[c], c)));
    let clock = |c: CellId| has_bit(netlist, &bits, runs[c], c);
    let named = netlist
        .signals
        .values()
        .filter(|s| matches!(s.value, SignalValue::Cell(c) if clock(c)));
    let pins = netlist.triggers.values().filter(|t| clock(t.net));
    used || roots > named.count() + pins.count()
}

/// True when one of `bits` is among those of a cell that starts at bit `run` of an input.
fn has_bit(
    n: &Netlist,
    bits: &[(InputId, u32)],
    run: Option<(InputId, u32)>,
    cell: CellId,
) -> bool {
    run.is_some_and(|(input, low)| {
        let high = low + n.width(cell);
        bits.iter()
            .any(|(i, bit)| *i == input && (low..high).contains(bit))
    })
}
