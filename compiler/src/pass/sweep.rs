//! Removes what nothing can see: cells, registers, latches, cut loops and memories.
//!
//! Live are effects, ports, and - unless the artifact is stripped to ports - every name; then whatever
//! those need. Ids of state change; the order stays.

use crate::arena::{Arena, Id, SideTable};
use crate::ir::*;
use crate::options::{Options, Strip};

/// Runs the pass.
pub fn run(old: &Netlist, options: &Options) -> Netlist {
    let live = mark(old, options);
    let mut new = Builder::folding(old.top.clone());
    let kept = Kept::new(old, &live, &mut new.netlist);
    let mut map: SideTable<Cell, Option<CellId>> = SideTable::new(&old.cells, None);
    for id in old.cells.ids().filter(|id| live.cells[*id]) {
        new.origin = old.origins[id];
        let cell = &old.cells[id];
        let kind = cell
            .kind
            .map_operands(|o| map[o].expect("operands of live cells are live"));
        map[id] = Some(new.cell(kept.renumber(kind), cell.width));
    }
    let mut netlist = new.finish();
    netlist.map_roots(|c| map[c].expect("roots of live state are live"));
    netlist
}

struct Live {
    cells: SideTable<Cell, bool>,
    registers: SideTable<Register, bool>,
    latches: SideTable<Latch, bool>,
    loops: SideTable<LoopCut, bool>,
    memories: SideTable<Memory, bool>,
    triggers: SideTable<Trigger, bool>,
    signals: SideTable<Signal, bool>,
}

fn mark(n: &Netlist, options: &Options) -> Live {
    let mut live = Live {
        cells: SideTable::new(&n.cells, false),
        registers: SideTable::new(&n.registers, false),
        latches: SideTable::new(&n.latches, false),
        loops: SideTable::new(&n.loops, false),
        memories: SideTable::new(&n.memories, false),
        triggers: SideTable::new(&n.triggers, false),
        signals: SideTable::new(&n.signals, false),
    };
    let mut work = Work {
        netlist: n,
        live: &mut live,
        cells: Vec::new(),
    };
    let host_inputs = n.host_inputs();
    for (id, signal) in n.signals.iter() {
        let asked = matches!(signal.value, SignalValue::Cell(c) if host_inputs.contains_key(&c));
        if options.strip == Strip::Full || signal.direction != Direction::None || asked {
            work.signal(id);
        }
    }
    for effect in &n.effects {
        work.cells.push(effect.enable);
        work.cells.extend(effect.args.iter().map(|a| a.value));
        if let EffectTime::Edges(clocks) = &effect.when {
            work.clocks(clocks);
        }
    }
    for (id, trigger) in n.triggers.iter() {
        if trigger.role == TriggerRole::PrimaryClock {
            work.trigger(id);
        }
    }
    work.finish();
    live
}

/// The cells that are still to be marked.
struct Work<'a> {
    netlist: &'a Netlist,
    live: &'a mut Live,
    cells: Vec<CellId>,
}

impl Work<'_> {
    fn finish(mut self) {
        while let Some(id) = self.cells.pop() {
            if !std::mem::replace(&mut self.live.cells[id], true) {
                self.netlist.cells[id]
                    .kind
                    .for_each_operand(|o| self.cells.push(o));
                self.state(id);
            }
        }
    }

    fn signal(&mut self, id: SignalId) {
        self.live.signals[id] = true;
        match self.netlist.signals[id].value {
            SignalValue::Cell(c) => self.cells.push(c),
            SignalValue::Memory(m) => self.memory(m),
            SignalValue::Inout {
                input,
                output,
                enable,
            } => self.cells.extend([input, output, enable]),
        }
    }

    /// What a cell reads besides its operands.
    fn state(&mut self, id: CellId) {
        let n = self.netlist;
        match n.cells[id].kind {
            CellKind::Register(r) => {
                self.live.registers[r] = true;
                self.cells.push(n.registers[r].next);
                self.clocks(&n.registers[r].clocks);
                if let Some(load) = n.registers[r].load {
                    self.cells.extend([load.when, load.value]);
                    load.trigger.into_iter().for_each(|t| self.trigger(t));
                }
            }
            CellKind::Latch(l) => {
                self.live.latches[l] = true;
                self.cells.push(n.latches[l].value);
            }
            CellKind::LoopCut(l) => {
                self.live.loops[l] = true;
                self.cells.push(n.loops[l].value);
            }
            CellKind::MemRead { memory, .. } => self.memory(memory),
            // Every edge of a clock makes new random values.
            CellKind::Random(_) => {
                let clocks = n
                    .triggers
                    .iter()
                    .filter(|(_, t)| t.role != TriggerRole::AsyncLoad);
                clocks.for_each(|(id, _)| self.trigger(id));
            }
            _ => {}
        }
    }

    fn memory(&mut self, id: MemoryId) {
        if std::mem::replace(&mut self.live.memories[id], true) {
            return;
        }
        for port in &self.netlist.memories[id].writes {
            self.cells
                .extend([port.enable, port.address, port.data, port.mask]);
            self.clocks(&port.clocks);
        }
    }

    fn clocks(&mut self, clocks: &[ClockEdge]) {
        clocks.iter().for_each(|c| self.trigger(c.trigger));
    }

    fn trigger(&mut self, id: TriggerId) {
        self.live.triggers[id] = true;
        self.cells.push(self.netlist.triggers[id].net);
    }
}

/// New ids of the state that stays.
struct Kept {
    registers: SideTable<Register, Option<RegisterId>>,
    latches: SideTable<Latch, Option<LatchId>>,
    loops: SideTable<LoopCut, Option<LoopId>>,
    memories: SideTable<Memory, Option<MemoryId>>,
}

impl Kept {
    fn new(old: &Netlist, live: &Live, new: &mut Netlist) -> Kept {
        let triggers = keep(&old.triggers, &live.triggers, &mut new.triggers);
        let kept = Kept {
            registers: keep(&old.registers, &live.registers, &mut new.registers),
            latches: keep(&old.latches, &live.latches, &mut new.latches),
            loops: keep(&old.loops, &live.loops, &mut new.loops),
            memories: keep(&old.memories, &live.memories, &mut new.memories),
        };
        keep(&old.signals, &live.signals, &mut new.signals);
        new.inputs = old.inputs.clone();
        new.randoms = old.randoms.clone();
        new.effects = old.effects.clone();
        new.scopes = old.scopes.clone();
        new.sources = old.sources.clone();
        new.types = old.types.clone();
        for signal in new.signals.values_mut() {
            if let SignalValue::Memory(m) = &mut signal.value {
                *m = kept.memories[*m].expect("named memories are live");
            }
        }
        renumber_triggers(new, |t| {
            triggers[t].expect("triggers of live state are live")
        });
        kept
    }

    fn renumber(&self, kind: CellKind) -> CellKind {
        match kind {
            CellKind::Register(r) => CellKind::Register(self.registers[r].expect("live")),
            CellKind::Latch(l) => CellKind::Latch(self.latches[l].expect("live")),
            CellKind::LoopCut(l) => CellKind::LoopCut(self.loops[l].expect("live")),
            CellKind::MemRead { memory, address } => CellKind::MemRead {
                memory: self.memories[memory].expect("live"),
                address,
            },
            other => other,
        }
    }
}

fn renumber_triggers(n: &mut Netlist, map: impl Fn(TriggerId) -> TriggerId) {
    let retime =
        |clocks: &mut Vec<ClockEdge>| clocks.iter_mut().for_each(|c| c.trigger = map(c.trigger));
    for r in n.registers.values_mut() {
        retime(&mut r.clocks);
        if let Some(load) = &mut r.load {
            load.trigger = load.trigger.map(&map);
        }
    }
    n.memories
        .values_mut()
        .flat_map(|m| &mut m.writes)
        .for_each(|w| retime(&mut w.clocks));
    for effect in &mut n.effects {
        if let EffectTime::Edges(clocks) = &mut effect.when {
            retime(clocks);
        }
    }
}

/// Copies the live entities and returns where each went.
fn keep<T: Clone>(
    old: &Arena<T>,
    live: &SideTable<T, bool>,
    new: &mut Arena<T>,
) -> SideTable<T, Option<Id<T>>> {
    let mut map = SideTable::new(old, None);
    for (id, item) in old.iter().filter(|(id, _)| live[*id]) {
        map[id] = Some(new.push(item.clone()));
    }
    map
}
