//! Where everything of a [`Design`](super::Design) lies in its memory.
//!
//! State header, trigger table, then a slot for everything that is state, and one for every other value that has a
//! name; memories last. A name of state has no slot of its own: its parts are those of the state.

use std::collections::BTreeMap;
use std::ops::Range;

use rtlwasm_abi::layout::{CONTROL_BASE, CONTROL_LEN, MAGIC, control, state, trigger, watch};
use rtlwasm_abi::manifest::{Manifest, Part};
use rtlwasm_abi::{ABI_MAJOR, ABI_MINOR};
use rustc_hash::FxHashMap;

use super::{Room, Source, manifest};
use crate::ir::*;
use crate::layout::{Cursor, slot_size};
use crate::sched::observe::{Observed, Stored, StoredPart, observe};
use crate::sched::sinks::level_input;

/// Rows of the watch table.
const WATCHES: u32 = 64;

/// A value of some width at an address: in one slot, or in limbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub offset: u32,
    pub width: u32,
}

/// A memory: row r lies r * stride behind row 0.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Rows {
    pub first: Place,
    pub stride: u32,
    pub depth: u32,
}

impl Rows {
    pub fn row(self, row: usize) -> Place {
        Place {
            offset: self.first.offset + self.stride * row as u32,
            ..self.first
        }
    }
}

/// All addresses.
#[derive(Debug, Default, Hash)]
pub struct Map {
    pub state_base: u32,
    /// End of what a call writes but memories.
    pub scalars_end: u32,
    pub trigger_base: u32,
    pub triggers: u32,
    pub inputs: Vec<Place>,
    pub registers: Vec<Place>,
    pub latches: Vec<Place>,
    pub loops: Vec<Place>,
    /// Of effects that look for changes: whether they have looked, and what they saw.
    pub seen: Vec<Option<(Place, Vec<Place>)>>,
    /// Counters of all effects; only covers count.
    pub covers: Vec<Place>,
    /// Values that are no state.
    pub nets: Vec<(CellId, Place)>,
    /// What is seen on the pins.
    pub inouts: Vec<(SignalId, Place)>,
    pub memories: Vec<Rows>,
    /// The host's part of the state region.
    pub room: Range<usize>,
    pub watch_base: u32,
    /// Size of the memory.
    pub end: usize,
    /// By id in the manifest: what to watch. Halves of inouts are their nets.
    pub signals: Vec<SignalId>,
    /// Triggers by the index of their clock.
    pub clocks: Vec<usize>,
    /// Names of triggers.
    pub trigger_signals: Vec<u32>,
    pub layout_hash: u64,
}

/// Places everything, and says so.
pub fn place(source: &Source, room: Room) -> (Map, Manifest) {
    let netlist = &source.netlist;
    let mut at = Cursor(u64::from(CONTROL_BASE + CONTROL_LEN).next_multiple_of(64));
    let mut placer = Placer {
        netlist,
        observed: observe(netlist),
        net_places: FxHashMap::default(),
        map: Map {
            state_base: at.take(state::HEADER_LEN.into(), 8),
            triggers: netlist.triggers.len() as u32,
            ..Map::default()
        },
        at,
    };
    placer.place_state();
    let mut manifest = placer.manifest(source);
    let (mut map, mut at) = (placer.map, placer.at);
    map.scalars_end = at.take(0, 8);
    for memory in netlist.memories.values() {
        map.memories.push(rows(memory, &mut at));
    }
    let host = at.take(room.state, 8) as usize;
    map.room = host..host + room.state as usize;
    let state_end = at.take(0, 8);
    map.watch_base = at.take(u64::from(WATCHES * watch::LEN), 8);
    map.end = at.take(0, 8) as usize;
    manifest::finish(netlist, &mut map, &mut manifest, state_end);
    (map, manifest)
}

fn rows(memory: &Memory, at: &mut Cursor) -> Rows {
    let stride = value_bytes(memory.width);
    let len = u64::from(stride) * u64::from(memory.depth);
    let first = Place {
        offset: at.take(len, 8),
        width: memory.width,
    };
    Rows {
        first,
        stride,
        depth: memory.depth,
    }
}

/// Bytes that a value takes.
fn value_bytes(width: u32) -> u32 {
    match width {
        0..=64 => slot_size(width),
        _ => width.div_ceil(64) * 8,
    }
}

pub(super) struct Placer<'a> {
    pub netlist: &'a Netlist,
    observed: Observed,
    net_places: FxHashMap<CellId, Place>,
    pub map: Map,
    at: Cursor,
}

impl Placer<'_> {
    fn value(&mut self, width: u32) -> Place {
        Place {
            offset: self.at.value(width).offset,
            width,
        }
    }

    fn values(&mut self, widths: impl Iterator<Item = u32>) -> Vec<Place> {
        widths.map(|width| self.value(width)).collect()
    }

    fn place_state(&mut self) {
        let n = self.netlist;
        let table = u64::from(trigger::LEN) * n.triggers.len() as u64;
        self.map.trigger_base = self.at.take(table, 8);
        self.map.inputs = n.inputs.ids().map(|id| self.input(id)).collect();
        self.map.registers = self.values(n.registers.values().map(|register| register.width));
        self.map.latches = self.values(n.latches.values().map(|latch| latch.width));
        self.map.loops = self.values(n.loops.values().map(|cut| cut.width));
        self.map.covers = self.values(n.effects.iter().map(|_| 64));
        for effect in &n.effects {
            let seen = (effect.when == EffectTime::Change).then(|| {
                let cells =
                    std::iter::once(effect.enable).chain(effect.args.iter().map(|a| a.value));
                let flag = self.value(1);
                (flag, self.values(cells.map(|cell| n.width(cell))))
            });
            self.map.seen.push(seen);
        }
    }

    /// An input that is a clock or a reset lies in the trigger table, as the ABI has it.
    fn input(&mut self, input: InputId) -> Place {
        let (n, width) = (self.netlist, self.netlist.inputs[input].width);
        let is_it = |id: &TriggerId| level_input(n, *id) == Some((input, 0));
        match n.triggers.ids().find(is_it).filter(|_| width == 1) {
            Some(id) => Place {
                offset: level_at(self.map.trigger_base, id.index() as u32),
                width,
            },
            None => self.value(width),
        }
    }

    /// The state that a value is made of, lowest bits first; `None` for anything else.
    pub fn state_parts(&self, cell: CellId) -> Option<Vec<Part>> {
        let stored = self.observed.parts(self.netlist, cell)?;
        let mut parts = Vec::new();
        for StoredPart { place, low, width } in stored {
            let whole = match place {
                Stored::Input(id) => self.map.inputs[id.index()],
                Stored::Register(id) => self.map.registers[id.index()],
                Stored::Latch(id) => self.map.latches[id.index()],
                Stored::Loop(id) => self.map.loops[id.index()],
                // The interpreter computes it from the net.
                Stored::Level(_) => return None,
            };
            parts.extend(parts_of(whole, low, width));
        }
        Some(parts)
    }

    /// Where a value can be read: in state, or in a slot of its own.
    pub fn parts(&mut self, cell: CellId) -> Vec<Part> {
        if let Some(parts) = self.state_parts(cell) {
            return parts;
        }
        let width = self.netlist.width(cell);
        let place = match self.net_places.get(&cell) {
            Some(place) => *place,
            None => {
                let place = self.value(width);
                self.net_places.insert(cell, place);
                self.map.nets.push((cell, place));
                place
            }
        };
        parts_of(place, 0, width)
    }

    /// A slot for what is seen on the pins of an inout.
    pub fn inout(&mut self, signal: SignalId) -> Vec<Part> {
        let width = self.netlist.signals[signal].width;
        let place = self.value(width);
        self.map.inouts.push((signal, place));
        parts_of(place, 0, width)
    }

    /// The netlist's signals by path; of several with one path the first.
    pub fn by_path(&self) -> BTreeMap<Vec<&str>, SignalId> {
        let mut found = BTreeMap::new();
        for (id, _) in self.netlist.signals.iter() {
            found.entry(self.netlist.signal_path(id)).or_insert(id);
        }
        found
    }
}

fn level_at(trigger_base: u32, row: u32) -> u32 {
    trigger_base + row * trigger::LEN + trigger::LEVEL
}

/// Some bits of a value, as parts of up to 64 bits.
pub(super) fn parts_of(place: Place, low: u32, width: u32) -> Vec<Part> {
    if place.width <= 64 {
        return vec![Part {
            offset: place.offset.into(),
            size: slot_size(place.width),
            shift: low,
            width,
        }];
    }
    let mut parts = Vec::new();
    let mut bit = low;
    while bit < low + width {
        let take = (64 - bit % 64).min(low + width - bit);
        parts.push(Part {
            offset: u64::from(place.offset + bit / 64 * 8),
            size: 8,
            shift: bit % 64,
            width: take,
        });
        bit += take;
    }
    parts
}

impl Map {
    /// True when an input lies at the level of that row.
    pub fn is_input_at(&self, row: u32) -> bool {
        let level = level_at(self.trigger_base, row);
        self.inputs.iter().any(|place| place.offset == level)
    }

    pub fn state(&self) -> Range<usize> {
        self.state_base as usize..self.room.end
    }

    pub fn seed(&self, memory: &[u8]) -> u64 {
        let at = (self.state_base + state::SEED) as usize;
        u64::from_le_bytes(memory[at..at + 8].try_into().expect("eight bytes"))
    }

    /// The control block and what of the state region never changes.
    pub fn write_control(&self, memory: &mut [u8]) {
        let mut write = |at: u32, bytes: &[u8]| {
            memory[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        };
        write(CONTROL_BASE + control::MAGIC, &MAGIC);
        let len = self.state().len() as u64;
        for (field, value) in [
            (control::STATE_BASE, u64::from(self.state_base)),
            (control::STATE_LEN, len),
        ] {
            write(CONTROL_BASE + field, &value.to_le_bytes());
        }
        for (field, value) in [
            (control::ABI, ABI_MAJOR << 16 | ABI_MINOR),
            (control::TRIGGER_BASE, self.trigger_base),
            (control::TRIGGER_COUNT, self.triggers),
            (control::WATCH_BASE, self.watch_base),
            (control::WATCH_MAX, WATCHES),
            (control::STOP_SITE, u32::MAX),
        ] {
            write(CONTROL_BASE + field, &value.to_le_bytes());
        }
        write(self.state_base, &self.layout_hash.to_le_bytes());
        for (row, signal) in (0..).zip(&self.trigger_signals) {
            let at = self.trigger_base + row * trigger::LEN + trigger::SIGNAL;
            write(at, &signal.to_le_bytes());
        }
    }
}
