//! The manifest of a [`Design`](super::Design): the signals of the artifact under their ids, with the places of the
//! interpreter; clocks, resets and events as the source has them, also those that optimisation removed.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use rtlwasm_abi::manifest::{Clock, Manifest, Region, Reset, Signal};

use super::Source;
use super::map::{Map, Placer, parts_of};
use crate::emit::HALF_PERIOD;
use crate::ir::*;
use crate::options::Strip;
use crate::package;

impl Placer<'_> {
    /// Everything that needs no address of a memory's rows.
    pub fn manifest(&mut self, source: &Source) -> Manifest {
        let all = source
            .manifest
            .signals
            .iter()
            .chain(match source.options.strip {
                Strip::Full => source.symbols.signals.as_slice(),
                Strip::Ports => &[],
            });
        let paths = self.by_path();
        let found: Vec<(SignalId, Option<&str>)> = all
            .clone()
            .map(|entry| find(self.netlist, &paths, entry))
            .collect();
        let signals = all
            .zip(&found)
            .map(|(entry, (signal, half))| self.entry(entry, *signal, *half))
            .collect();
        self.map.signals = found.into_iter().map(|(signal, _)| signal).collect();
        let events = self.netlist.effects.iter().enumerate().map(|(i, effect)| {
            let cover = effect.kind == EffectKind::Cover;
            let place = cover.then(|| self.map.covers[i].offset.into());
            package::event(self.netlist, effect, place, &source.options)
        });
        let mut manifest = Manifest {
            events: events.collect(),
            features: Vec::new(),
            event_reserve: 0,
            trace_reserve: 0,
            outline_groups: 0,
            signals,
            ..source.manifest.clone()
        };
        self.name_triggers(&mut manifest);
        manifest
    }

    fn entry(&mut self, entry: &Signal, signal: SignalId, half: Option<&str>) -> Signal {
        let (parts, is_state) = match (&self.netlist.signals[signal].value, half) {
            // Filled in when memories have their places.
            (SignalValue::Memory(_), _) => (Vec::new(), true),
            (SignalValue::Inout { .. }, None) => (self.inout(signal), false),
            (SignalValue::Inout { input, .. }, Some("in")) => self.cell(*input),
            (SignalValue::Inout { output, .. }, Some("out")) => self.cell(*output),
            (SignalValue::Inout { enable, .. }, Some(_)) => self.cell(*enable),
            (SignalValue::Cell(cell), _) => self.cell(*cell),
        };
        let writable = entry.access == "rw" && is_state;
        Signal {
            access: if writable { "rw" } else { "r" }.into(),
            parts,
            alias_of: None,
            outline: None,
            value: None,
            ..entry.clone()
        }
    }

    fn cell(&mut self, cell: CellId) -> (Vec<rtlwasm_abi::manifest::Part>, bool) {
        (self.parts(cell), self.state_parts(cell).is_some())
    }

    /// Clocks and resets; a trigger has the name of the first signal at its place.
    fn name_triggers(&mut self, manifest: &mut Manifest) {
        for (_, trigger) in self.netlist.triggers.iter() {
            let parts = self.parts(trigger.net);
            let at = manifest.signals.iter().position(|s| s.parts == parts);
            self.map
                .trigger_signals
                .push(at.map_or(u32::MAX, |at| at as u32));
        }
        manifest.clocks = self.clocks(manifest);
        manifest.resets = self.resets(manifest);
    }

    fn clocks(&mut self, manifest: &Manifest) -> Vec<Clock> {
        let mut clocks = Vec::new();
        for (id, trigger) in self.netlist.triggers.iter() {
            if trigger.role == TriggerRole::AsyncLoad {
                continue;
            }
            self.map.clocks.push(id.index());
            let (name, signal) = self.name(manifest, id);
            clocks.push(Clock {
                trigger: id.index() as u32,
                name,
                signal,
                edge: edge_name(self.netlist, id).into(),
                derived: trigger.role == TriggerRole::DerivedClock,
                high: HALF_PERIOD,
                low: HALF_PERIOD,
            });
        }
        clocks
    }

    fn resets(&self, manifest: &Manifest) -> Vec<Reset> {
        let mut resets: BTreeMap<TriggerId, u32> = BTreeMap::new();
        for load in self.netlist.registers.values().filter_map(|r| r.load) {
            if let Some(trigger) = load.trigger {
                let active = u32::from(load.when == self.netlist.triggers[trigger].net);
                resets.entry(trigger).or_insert(active);
            }
        }
        let reset = |(id, active): (TriggerId, u32)| {
            let (name, signal) = self.name(manifest, id);
            Reset {
                trigger: Some(id.index() as u32),
                name,
                signal,
                active,
                asynchronous: true,
            }
        };
        resets.into_iter().map(reset).collect()
    }

    fn name(&self, manifest: &Manifest, trigger: TriggerId) -> (String, Option<u32>) {
        let signal = self.map.trigger_signals[trigger.index()];
        match manifest.signals.get(signal as usize) {
            Some(found) => (found.path.join("."), Some(signal)),
            None => (format!("trigger{}", trigger.index()), None),
        }
    }
}

/// The signal that an entry names, and which half of an inout it is.
fn find<'e>(
    netlist: &Netlist,
    paths: &BTreeMap<Vec<&str>, SignalId>,
    entry: &'e Signal,
) -> (SignalId, Option<&'e str>) {
    let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
    if let Some(signal) = paths.get(&path) {
        return (*signal, None);
    }
    let (half, port) = path.split_last().expect("a path has names");
    let port = paths.get(port).copied();
    let is_inout = |id: &SignalId| matches!(netlist.signals[*id].value, SignalValue::Inout { .. });
    match port.filter(is_inout) {
        Some(port) => (port, Some(half)),
        None => panic!("`{}` is no signal of the netlist", path.join(".")),
    }
}

/// Which edges of a clock something acts on.
fn edge_name(netlist: &Netlist, id: TriggerId) -> &'static str {
    let registers = netlist.registers.values().flat_map(|r| &r.clocks);
    let ports = netlist.memories.values().flat_map(|m| &m.writes);
    let effects = netlist.effects.iter().filter_map(|e| match &e.when {
        EffectTime::Edges(clocks) => Some(clocks),
        EffectTime::Initial | EffectTime::Change => None,
    });
    let all = registers
        .chain(ports.flat_map(|w| &w.clocks))
        .chain(effects.flatten())
        .filter(|c| c.trigger == id);
    let (rise, fall) = all.fold((false, false), |(rise, fall), c| {
        (rise || c.edge.matches(true), fall || c.edge.matches(false))
    });
    match (rise, fall) {
        (true, true) => "both",
        (false, true) => "fall",
        _ => "rise",
    }
}

/// What was open until memories had their places.
pub fn finish(netlist: &Netlist, map: &mut Map, manifest: &mut Manifest, state_end: u32) {
    for (entry, signal) in manifest.signals.iter_mut().zip(&map.signals) {
        if let SignalValue::Memory(memory) = netlist.signals[*signal].value {
            let rows = map.memories[memory.index()];
            entry.parts = parts_of(rows.first, 0, rows.first.width);
            entry.stride = rows.stride;
        }
    }
    // The region ends with the host's part, which begins and ends where it must.
    map.room.end = map.room.end.max(state_end as usize);
    let region = |end: usize| Region {
        base: map.state_base.into(),
        len: end as u64 - u64::from(map.state_base),
    };
    manifest.state = region(map.room.end);
    manifest.scalars = region(map.scalars_end as usize);
    let mut hasher = rustc_hash::FxHasher::default();
    map.hash(&mut hasher);
    for signal in &manifest.signals {
        signal.path.hash(&mut hasher);
    }
    map.layout_hash = hasher.finish();
    manifest.layout_hash = format!("{:016x}", map.layout_hash);
}
