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
    /// In the static model: edges before which latches are looked at, whatever acts on them.
    pub latch_edges: Vec<ClockEdge>,
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
    /// All triggers are top-level inputs or follow only those; no loop, no effect on change. One wave per
    /// edge; the logic, latches included, is evaluated once before it.
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
        latch_edges: latch_edges(netlist),
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
    let simple =
        netlist.loops.is_empty() && !computed_clock && !on_change && loads_follow_inputs(netlist);
    if simple {
        TimingModel::Static
    } else {
        TimingModel::General
    }
}

/// True when the condition of every asynchronous load depends on inputs that are no clocks alone, and what
/// it loads is a constant or depends on such inputs alone.
fn loads_follow_inputs(netlist: &Netlist) -> bool {
    let mut stateful = crate::arena::SideTable::new(&netlist.cells, false);
    let clocks: Vec<InputId> = primary_clocks(netlist)
        .filter_map(|(_, t)| super::sinks::input_bit(netlist, t.net))
        .map(|(input, _)| input)
        .collect();
    for (id, cell) in netlist.cells.iter() {
        let mut state = match cell.kind {
            // A bit of a bus with a clock in it counts as a clock, too.
            CellKind::Input(input) => clocks.contains(&input),
            CellKind::MemRead { .. } => true,
            _ => cell.kind.is_source(),
        };
        cell.kind.for_each_operand(|o| state |= stateful[o]);
        stateful[id] = state;
    }
    netlist
        .registers
        .values()
        .filter_map(|r| r.load)
        .all(|l| !stateful[l.when] && !stateful[l.value])
}

/// Edges of primary clocks that end a level at which some latch may be open: latches whose value depends on
/// a clock must be looked at before those, also when nothing else acts on them.
fn latch_edges(netlist: &Netlist) -> Vec<ClockEdge> {
    let mut edges = Vec::new();
    if netlist.latches.is_empty() {
        return edges;
    }
    for (id, trigger) in primary_clocks(netlist) {
        let depends = depends_on_bit(netlist, trigger.net);
        for (edge, level) in [(Edge::Rise, false), (Edge::Fall, true)] {
            let open = |(id, latch): (LatchId, &Latch)| {
                depends[latch.value] && !is_held(netlist, id, latch, trigger.net, level)
            };
            if netlist.latches.iter().any(open) {
                edges.push(ClockEdge { trigger: id, edge });
            }
        }
    }
    edges
}

fn primary_clocks(netlist: &Netlist) -> impl Iterator<Item = (TriggerId, &Trigger)> {
    let triggers = netlist.triggers.iter();
    triggers.filter(|(_, t)| t.role == TriggerRole::PrimaryClock)
}

/// True when the latch is a mux of the clock itself that keeps its value at that level.
fn is_held(n: &Netlist, id: LatchId, latch: &Latch, clock: CellId, level: bool) -> bool {
    match n.cells[latch.value].kind {
        CellKind::Mux {
            select,
            on_true,
            on_false,
        } if select == clock => {
            let arm = if level { on_true } else { on_false };
            n.cells[arm].kind == CellKind::Latch(id)
        }
        _ => false,
    }
}

/// For each cell whether its value may depend on a bit of an input.
fn depends_on_bit(n: &Netlist, net: CellId) -> crate::arena::SideTable<Cell, bool> {
    let bit = super::sinks::input_bit(n, net);
    // Where the cell is a run of bits of an input: the input and its lowest bit.
    let mut runs = crate::arena::SideTable::new(&n.cells, None);
    let mut depends = crate::arena::SideTable::new(&n.cells, false);
    for (id, cell) in n.cells.iter() {
        runs[id] = match cell.kind {
            CellKind::Input(input) => Some((input, 0)),
            CellKind::Slice { value, low } => runs[value].map(|(input, at)| (input, at + low)),
            _ => None,
        };
        depends[id] = match (runs[id], bit) {
            (Some((input, low)), Some((clock, at))) => {
                input == clock && (low..low + cell.width).contains(&at)
            }
            (Some(_), None) => false,
            (None, _) => {
                let mut any = id == net;
                cell.kind.for_each_operand(|o| any |= depends[o]);
                any
            }
        };
    }
    depends
}
