//! The text form of a layout: one line for each place in memory, by address, with the names of what lies there.

use std::fmt::Write;

use rtlwasm_abi::layout::{CONTROL_BASE, CONTROL_LEN, Field, control, state, trigger, watch};
use rtlwasm_abi::manifest::Part;

use crate::bits::limb_count;
use crate::emit::{Emitted, SignalRow};
use crate::ir::*;
use crate::layout::{COUNTER, EffectSlot, Layout, Slot, WATCH_MAX};
use crate::pipeline::Prepared;

/// Every place that the layout gives, then the signals that have none.
pub fn print(p: &Prepared, emitted: &Emitted) -> String {
    let places = Places::new(p, emitted);
    let mut out = String::new();
    for place in &places.list {
        let (at, bytes, what) = (place.at, place.bytes, place.kind.text());
        let names = match place.names.as_slice() {
            [] => String::new(),
            names => format!("  {}", names.join(", ")),
        };
        let _ = writeln!(out, "{at:#010x} {bytes:>6}  {what}{names}");
    }
    for row in emitted.rows.iter().filter(|row| row.parts.is_empty()) {
        let (path, width) = (row.path.join("."), row.width);
        let _ = match &row.constant {
            Some(value) => writeln!(
                out,
                "no place           {path}:{width} = {}",
                value.to_hex()
            ),
            None => writeln!(out, "no place           {path}:{width} ({})", row.kind),
        };
    }
    out
}

/// What lies where, by address.
pub struct Places {
    list: Vec<Place>,
    /// Registers and the distance to their shadows.
    shadowed: Option<(std::ops::Range<u64>, u64)>,
}

struct Place {
    at: u64,
    bytes: u64,
    kind: Kind,
    /// Signals, or the bits of them, that lie here.
    names: Vec<String>,
}

enum Kind {
    Control,
    Header,
    Trigger(TriggerId, TriggerRole),
    /// Anything else: what it is called in code when no signal lies there, and its description.
    Other(String, String),
}

impl Places {
    pub fn new(p: &Prepared, emitted: &Emitted) -> Places {
        let mut list = Vec::new();
        let mut add = |at: u64, bytes: u64, kind: Kind| {
            list.push(Place {
                at,
                bytes,
                kind,
                names: Vec::new(),
            })
        };
        add(CONTROL_BASE.into(), CONTROL_LEN.into(), Kind::Control);
        let (n, layout) = (&p.netlist, &p.layout);
        add(
            layout.state_base.into(),
            state::HEADER_LEN.into(),
            Kind::Header,
        );
        for id in &layout.rows {
            let at = layout.trigger_field(*id, 0);
            let kind = Kind::Trigger(*id, n.triggers[*id].role);
            add(at.into(), trigger::LEN.into(), kind);
        }
        state_places(n, layout, &mut add);
        memory_places(n, layout, &mut add);
        net_places(p, &mut add);
        let shadowed = shadow(layout);
        if let Some((registers, delta)) = &shadowed {
            let bytes = registers.end - registers.start;
            add(
                registers.start + delta,
                bytes,
                Kind::other("shadow", "shadow of the registers"),
            );
        }
        let buffers = emitted.buffers;
        add(
            buffers.event_base.into(),
            buffers.event_size.into(),
            Kind::other("events", "event ring"),
        );
        add(
            buffers.host_base.into(),
            buffers.host_len.into(),
            Kind::other("host", "host memory"),
        );
        add(
            buffers.watch_base.into(),
            (WATCH_MAX * watch::LEN).into(),
            Kind::other("watches", "watches"),
        );
        add(
            buffers.before_base.into(),
            layout.scalars_len().into(),
            Kind::other("before", "scalars at the hit of a watch"),
        );
        list.sort_by_key(|place| (place.at, place.bytes));
        let mut places = Places { list, shadowed };
        places.add_unlisted(&emitted.rows);
        emitted.rows.iter().for_each(|row| places.add_names(row));
        places
    }

    fn index(&self, address: u64) -> Option<usize> {
        let behind = self.list.partition_point(|place| place.at <= address);
        let index = behind.checked_sub(1)?;
        let place = &self.list[index];
        (address < place.at + place.bytes).then_some(index)
    }

    /// Where signals lie that no list above knows of.
    fn add_unlisted(&mut self, rows: &[SignalRow]) {
        let parts = rows.iter().flat_map(|row| &row.parts);
        let unlisted = parts.filter(|part| self.index(part.offset).is_none());
        let mut unlisted: Vec<(u64, u64)> = unlisted.map(|p| (p.offset, p.size.into())).collect();
        unlisted.sort_unstable();
        unlisted.dedup();
        let place = |(at, bytes)| Place {
            at,
            bytes,
            kind: Kind::other("value", "value"),
            names: Vec::new(),
        };
        self.list.extend(unlisted.into_iter().map(place));
        self.list.sort_by_key(|place| (place.at, place.bytes));
    }

    /// Names a signal at every place that has some of it, with its bits there if they are not all.
    fn add_names(&mut self, row: &SignalRow) {
        let mut runs: Vec<(usize, Run)> = Vec::new();
        let mut low = 0;
        for part in &row.parts {
            let index = self.index(part.offset).expect("listed above");
            match runs.last_mut() {
                Some((last, run)) if *last == index => run.width += part.width,
                _ => {
                    let (shift, width) = (part.shift, part.width);
                    runs.push((index, Run { low, width, shift }));
                }
            }
            low += part.width;
        }
        for (index, run) in runs {
            self.list[index].names.push(run.name(row));
        }
    }

    /// What an address is called: the first signal that lies there, or the place itself.
    pub fn name(&self, address: u64) -> Option<String> {
        if let Some((registers, delta)) = &self.shadowed
            && let Some(of) = address.checked_sub(*delta)
            && registers.contains(&of)
        {
            return self.name(of).map(|name| format!("shadow:{name}"));
        }
        if let Some(index) = self.index(address) {
            let place = &self.list[index];
            return Some(place.name(address - place.at));
        }
        // Tables of the emitter and scratch follow the last place.
        let end = self.list.last().map(|place| place.at + place.bytes)?;
        let beyond = address.checked_sub(end)?;
        Some(plus("scratch".into(), beyond))
    }
}

/// Neighbouring bits of a signal in one place, and where they start there.
struct Run {
    low: u32,
    width: u32,
    shift: u32,
}

impl Run {
    fn name(&self, row: &SignalRow) -> String {
        let mut name = row.path.join(".");
        if self.width < row.width {
            let _ = write!(name, "[{}:{}]", self.low + self.width - 1, self.low);
        }
        if self.shift > 0 {
            let _ = write!(name, " from bit {}", self.shift);
        }
        if row.port {
            let _ = write!(name, " ({})", row.kind);
        }
        name
    }
}

impl Place {
    fn name(&self, distance: u64) -> String {
        let field = |record: &str, fields: &[Field]| {
            let found = fields
                .iter()
                .rfind(|field| u64::from(field.offset) <= distance);
            let found = found.map(|field| (field.name, distance - u64::from(field.offset)));
            let (name, rest) = found.unwrap_or(("", distance));
            plus(format!("{record}.{name}"), rest)
        };
        match &self.kind {
            Kind::Control => field("control", control::FIELDS),
            Kind::Header => field("state", state::FIELDS),
            Kind::Trigger(id, _) => field(&format!("trigger{}", id.index()), trigger::FIELDS),
            Kind::Other(symbol, _) => {
                let own = || symbol.clone();
                let first = self.names.first();
                let first = first.map(|name| name.split(' ').next().unwrap_or(name).to_owned());
                plus(first.unwrap_or_else(own), distance)
            }
        }
    }
}

fn plus(name: String, distance: u64) -> String {
    match distance {
        0 => name,
        _ => format!("{name}+{distance}"),
    }
}

impl Kind {
    fn text(&self) -> String {
        match self {
            Kind::Control => "control block".into(),
            Kind::Header => "state header".into(),
            Kind::Trigger(id, role) => {
                let role = match role {
                    TriggerRole::PrimaryClock => "primary clock",
                    TriggerRole::DerivedClock => "computed clock",
                    TriggerRole::AsyncLoad => "set or reset",
                };
                format!("trigger {}, {role}", id.index())
            }
            Kind::Other(_, text) => text.clone(),
        }
    }

    fn other(symbol: &str, text: &str) -> Kind {
        Kind::Other(symbol.into(), text.into())
    }

    /// A value with its number and width, as in the text of the netlist.
    fn value(word: &str, number: impl std::fmt::Display, width: u32) -> Kind {
        Kind::Other(
            format!("{word}{number}"),
            format!("{word} {number}:{width}"),
        )
    }
}

/// Inputs, registers, latches and cut loops.
fn state_places(n: &Netlist, layout: &Layout, add: &mut impl FnMut(u64, u64, Kind)) {
    for (id, input) in n.inputs.iter() {
        let mut last = None;
        for part in &layout.inputs[id.index()] {
            if last != Some(part.offset) && !is_level(layout, part) {
                add(
                    part.offset,
                    part.size.into(),
                    Kind::value("input", id.index(), input.width),
                );
            }
            last = Some(part.offset);
        }
    }
    let mut slots = |word, slots: &[Slot], widths: Vec<u32>| {
        for (index, (slot, width)) in slots.iter().zip(widths).enumerate() {
            let bytes = u64::from(slot.size) * limbs(width);
            add(slot.offset.into(), bytes, Kind::value(word, index, width));
        }
    };
    slots(
        "register",
        &layout.registers,
        n.registers.values().map(|r| r.width).collect(),
    );
    slots(
        "latch",
        &layout.latches,
        n.latches.values().map(|l| l.width).collect(),
    );
    slots(
        "loop",
        &layout.loops,
        n.loops.values().map(|l| l.width).collect(),
    );
}

fn limbs(width: u32) -> u64 {
    limb_count(width).max(1) as u64
}

/// Levels lie in the rows of their triggers.
fn is_level(layout: &Layout, part: &Part) -> bool {
    let rows = layout.rows.len() as u64 * u64::from(trigger::LEN);
    let base = u64::from(layout.trigger_base);
    (base..base + rows).contains(&part.offset)
}

/// Memories, writes that wait for their commit, and what effects keep.
fn memory_places(n: &Netlist, layout: &Layout, add: &mut impl FnMut(u64, u64, Kind)) {
    for (id, memory) in n.memories.iter() {
        let slot = layout.memories[id.index()];
        let (rows, stride, width) = (slot.rows, slot.stride, memory.width);
        let bytes = u64::from(stride) * u64::from(rows);
        let (symbol, name) = (
            format!("memory{}", id.index()),
            format!("memory {}", id.index()),
        );
        let text = format!("{name}:{width}, {rows} rows of {stride} bytes");
        add(slot.base.into(), bytes, Kind::Other(symbol.clone(), text));
        let queue = 8 + 16 * limbs(width);
        for (port, at) in layout.queues[id.index()].iter().enumerate() {
            let kind = Kind::Other(
                format!("{symbol}.write{port}"),
                format!("{name}, pending write {port}"),
            );
            add((*at).into(), queue, kind);
        }
    }
    for (index, slot) in layout.effects.iter().enumerate() {
        let arguments = || -> u64 {
            let args = &n.effects[index].args;
            args.iter().map(|arg| 8 * limbs(n.width(arg.value))).sum()
        };
        let (at, bytes, word) = match *slot {
            EffectSlot::None => continue,
            EffectSlot::Cover(at) => (at, COUNTER, "cover"),
            EffectSlot::Due(at) => (at, 1, "due"),
            EffectSlot::Change(at) => (at, 16 + arguments(), "change"),
        };
        let kind = Kind::Other(
            format!("{word}{index}"),
            format!("{word} of effect {index}"),
        );
        add(at.into(), bytes, kind);
    }
}

/// Values that settling stores, and those that are recomputed when asked for.
fn net_places(p: &Prepared, add: &mut impl FnMut(u64, u64, Kind)) {
    let kinds = [
        ("net", &p.observed.published),
        ("outline", &p.observed.outlined),
    ];
    for (word, cells) in kinds {
        for cell in cells {
            let width = p.netlist.width(*cell);
            let number = format!("%{}", cell.index());
            let bytes = match width {
                0..=64 => u64::from(crate::layout::slot_size(width)),
                _ => 8 * limbs(width),
            };
            add(
                p.layout.nets[cell].into(),
                bytes,
                Kind::value(word, number, width),
            );
        }
    }
}

/// Where the registers with shadows lie, and how far the shadows are from them.
fn shadow(layout: &Layout) -> Option<(std::ops::Range<u64>, u64)> {
    let (first, last) = (layout.domain_blocks.first()?, layout.domain_blocks.last()?);
    let range = u64::from(first.0)..u64::from(last.0 + last.1);
    (layout.shadow_delta > 0).then(|| (range, layout.shadow_delta.into()))
}
