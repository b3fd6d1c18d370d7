//! Every stored value gets its place in linear memory.
//!
//! In: a legal netlist, its schedule and what is observed. Out: byte addresses. Order, from address 0:
//! unused, control block, state region (header, trigger table, scalars by clock domain, memories by
//! size), shadow of the scalars, outlines, signal table, event ring, host memory, scratch. Wide values
//! that the emitter needs take scratch from [`Layout::scratch`] up.

mod parts;
mod registers;
mod sleep;

use rtlwasm_abi::layout::{CONTROL_BASE, CONTROL_LEN, state, trigger, watch};
use rtlwasm_abi::manifest::Part;
use rustc_hash::FxHashMap;

use crate::bits::limb_count;
use crate::ir::*;
use crate::sched::Schedule;
use crate::sched::observe::{Observed, Stored};
use crate::sched::sinks::{level_input, needs_shadow};
use parts::place_parts;
pub use parts::{PARTS_OF_FUNCTION, PartPlaces};
use registers::place_registers;
use sleep::place_sleep;
pub use sleep::{Sleep, SleepInput, SleepSlot};

/// Bytes that a host may use for scripts and staged pokes.
const HOST_LEN: u32 = 64 * 1024;
/// Rows of the watch table.
pub const WATCH_MAX: u32 = 1024;
/// Smallest event ring.
const MIN_EVENT_RING: u32 = 4096;

/// Addresses of everything.
#[derive(Clone, Debug)]
pub struct Layout {
    pub state_base: u32,
    pub state_len: u64,
    /// End of the scalars, start of the memories.
    pub scalars_end: u32,
    pub trigger_base: u32,
    /// Triggers in the order of the table: primary clocks, computed clocks, asynchronous loads.
    pub rows: Vec<TriggerId>,
    pub registers: Vec<Slot>,
    pub latches: Vec<Slot>,
    pub loops: Vec<Slot>,
    /// Parts of each input, low bits first.
    pub inputs: Vec<Vec<Part>>,
    pub memories: Vec<MemorySlot>,
    /// Published and outlined cells; wide ones in consecutive limbs.
    pub nets: FxHashMap<CellId, u32>,
    /// Registers of each domain: first address and bytes.
    pub domain_blocks: Vec<Span>,
    /// Distance from a register to its shadow.
    pub shadow_delta: u32,
    /// Queue slot of each write port, by memory; used by shadowed waves.
    pub queues: Vec<Vec<u32>>,
    pub sleep: Sleep,
    pub parts: PartPlaces,
    /// Published cells: first address and bytes.
    pub published: Span,
    /// What a cycle that changes nothing leaves as it was, next to memories: first address and bytes.
    pub quiet: Span,
    /// Per effect: counter of a cover, or the values at the last settling of an effect on change.
    pub effects: Vec<EffectSlot>,
    /// First address after everything that has a place, for the signal table and what follows.
    pub end: u64,
}

/// Where a narrow value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub offset: u32,
    /// 1, 2, 4 or 8 bytes.
    pub size: u32,
}

/// Where a memory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySlot {
    pub base: u32,
    /// Bytes from row to row.
    pub stride: u32,
    /// Rows there is room for; those past the depth stay zero.
    pub rows: u32,
}

/// What an effect keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectSlot {
    None,
    /// A 64-bit counter; covers that follow changes then keep what [`EffectSlot::Change`] does.
    Cover(u32),
    /// A byte that says whether it waits for the end of the instant.
    Due(u32),
    /// A byte that says whether values are kept, then each value in whole limbs.
    Change(u32),
}

/// Bytes of a cover's counter.
pub const COUNTER: u64 = 8;

/// Bytes of the slot of a value up to 64 bits wide.
pub fn slot_size(width: u32) -> u32 {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8,
    }
}

/// Takes addresses one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Cursor(pub u64);

impl Cursor {
    /// The next `len` bytes at a multiple of `align`.
    pub fn take(&mut self, len: u64, align: u64) -> u32 {
        let at = self.0.next_multiple_of(align);
        self.0 = at + len;
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// A place for a value of any width.
    pub fn value(&mut self, width: u32) -> Slot {
        if width <= 64 {
            let size = slot_size(width);
            return Slot {
                offset: self.take(size.into(), size.into()),
                size,
            };
        }
        Slot {
            offset: self.take(8 * limb_count(width) as u64, 8),
            size: 8,
        }
    }
}

/// Gives everything its place.
pub fn assign(n: &Netlist, schedule: &Schedule, observed: &Observed) -> Layout {
    let state_base = (CONTROL_BASE + CONTROL_LEN).next_multiple_of(64);
    let mut at = Cursor(u64::from(state_base + state::HEADER_LEN));
    let rows = trigger_rows(n);
    let trigger_base = at.take(u64::from(trigger::LEN) * rows.len() as u64, 8);
    let quiet_base = at.take(0, 8);
    let inputs = place_inputs(n, &rows, trigger_base, &mut at);
    let (registers, domain_blocks, sleepers) = place_registers(n, schedule, &mut at);
    let latches = n.latches.values().map(|l| at.value(l.width)).collect();
    let loops = n.loops.values().map(|l| at.value(l.width)).collect();
    let mut nets = FxHashMap::default();
    let nets_base = at.take(0, 8);
    for cell in &observed.published {
        nets.insert(*cell, at.value(n.width(*cell)).offset);
    }
    let published = (nets_base, at.take(0, 8) - nets_base);
    let effects = n
        .effects
        .iter()
        .map(|e| place_effect(n, e, &mut at))
        .collect();
    let quiet = (quiet_base, at.take(0, 8) - quiet_base);
    let mut sleep = place_sleep(n, schedule, &mut at);
    let mut parts = place_parts(n, schedule, &mut at);
    let scalars_end = at.take(0, 8);
    let memories = place_memories(n, &mut at);
    let state_len = at.0.next_multiple_of(8) - u64::from(state_base);

    at.take(0, 64);
    let shadow_delta = place_shadow(&domain_blocks, needs_shadow(&schedule.domains), &mut at);
    let queues = n
        .memories
        .values()
        .map(|m| place_queues(m, &mut at))
        .collect();
    sleep.place_copies(&sleepers, &mut at);
    parts.place_late(n, schedule, &mut at);
    for cell in &observed.outlined {
        nets.insert(*cell, at.value(n.width(*cell)).offset);
    }
    let end = at.0.next_multiple_of(8);
    Layout {
        state_base,
        state_len,
        scalars_end,
        trigger_base,
        rows,
        registers,
        latches,
        loops,
        inputs,
        memories,
        nets,
        domain_blocks,
        shadow_delta,
        queues,
        sleep,
        parts,
        published,
        quiet,
        effects,
        end,
    }
}

impl Layout {
    /// Bytes of the state region before the memories.
    pub fn scalars_len(&self) -> u32 {
        self.scalars_end - self.state_base
    }

    /// Row of the trigger table.
    pub fn row(&self, trigger: TriggerId) -> u32 {
        self.rows
            .iter()
            .position(|t| *t == trigger)
            .expect("every trigger has a row") as u32
    }

    /// Address of a field of a trigger's row.
    pub fn trigger_field(&self, trigger: TriggerId, field: u32) -> u32 {
        self.trigger_base + self.row(trigger) * trigger::LEN + field
    }

    /// The parts of a stored value, or of some of its bits.
    pub fn stored_parts(&self, n: &Netlist, place: Stored, low: u32, width: u32) -> Vec<Part> {
        let slot = |s: Slot| {
            vec![Part {
                offset: s.offset.into(),
                size: s.size,
                shift: low,
                width,
            }]
        };
        match place {
            Stored::Register(r) => slot(self.registers[r.index()]),
            Stored::Latch(l) => slot(self.latches[l.index()]),
            Stored::Loop(l) => slot(self.loops[l.index()]),
            Stored::Level(t) => slot(Slot {
                offset: self.trigger_field(t, trigger::LEVEL),
                size: 1,
            }),
            Stored::Input(i) => cut(&self.inputs[i.index()], low, width, n.inputs[i].width),
        }
    }
}

/// Host memory, event ring and what comes after them.
#[derive(Clone, Copy, Debug)]
pub struct Buffers {
    pub event_base: u32,
    pub event_size: u32,
    pub host_base: u32,
    pub host_len: u32,
    pub watch_base: u32,
    /// A copy of the scalars: their values before a wave.
    pub before_base: u32,
}

impl Buffers {
    /// Rings hold four times the most that one wave writes, and all that `initial` blocks write.
    pub fn place(at: &mut Cursor, scalars: u32, event_reserve: u32, initial: u32) -> Buffers {
        let wanted = (4 * event_reserve)
            .max(event_reserve + initial)
            .max(MIN_EVENT_RING);
        let event_size = wanted.next_power_of_two();
        Buffers {
            event_base: at.take(event_size.into(), 8),
            event_size,
            host_base: at.take(HOST_LEN.into(), 64),
            host_len: HOST_LEN,
            watch_base: at.take((WATCH_MAX * watch::LEN).into(), 8),
            before_base: at.take(scalars.into(), 8),
        }
    }
}

fn trigger_rows(n: &Netlist) -> Vec<TriggerId> {
    let mut rows: Vec<TriggerId> = n.triggers.ids().collect();
    rows.sort_by_key(|t| match n.triggers[*t].role {
        TriggerRole::PrimaryClock => 0,
        TriggerRole::DerivedClock => 1,
        TriggerRole::AsyncLoad => 2,
    });
    rows
}

/// Bits that are triggers live in the trigger table, the others in the input's own slots.
fn place_inputs(
    n: &Netlist,
    rows: &[TriggerId],
    trigger_base: u32,
    at: &mut Cursor,
) -> Vec<Vec<Part>> {
    let mut levels: FxHashMap<(InputId, u32), u32> = FxHashMap::default();
    for (row, trigger) in rows.iter().enumerate() {
        if let Some(bit) = level_input(n, *trigger) {
            levels.insert(
                bit,
                trigger_base + row as u32 * trigger::LEN + trigger::LEVEL,
            );
        }
    }
    n.inputs
        .iter()
        .map(|(id, input)| place_input(id, input.width, &levels, at))
        .collect()
}

fn place_input(
    id: InputId,
    width: u32,
    levels: &FxHashMap<(InputId, u32), u32>,
    at: &mut Cursor,
) -> Vec<Part> {
    let level = |bit: u32| levels.get(&(id, bit)).copied();
    if width == 1
        && let Some(offset) = level(0)
    {
        return vec![Part {
            offset: offset.into(),
            size: 1,
            shift: 0,
            width: 1,
        }];
    }
    let slot = at.value(width);
    let mut parts: Vec<Part> = Vec::new();
    for bit in 0..width {
        let own = Part {
            offset: u64::from(slot.offset) + u64::from(bit / 64 * 8),
            size: slot.size,
            shift: bit % 64,
            width: 1,
        };
        let part = level(bit).map_or(own, |offset| Part {
            offset: offset.into(),
            size: 1,
            shift: 0,
            width: 1,
        });
        match parts.last_mut() {
            Some(last) if last.offset == part.offset && last.shift + last.width == part.shift => {
                last.width += 1
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// A first address and a number of bytes.
pub type Span = (u32, u32);

fn place_effect(n: &Netlist, effect: &Effect, at: &mut Cursor) -> EffectSlot {
    let limbs: usize = effect
        .args
        .iter()
        .map(|a| limb_count(n.width(a.value)))
        .sum();
    let kept = match effect.when {
        EffectTime::Change => 16 + 8 * limbs as u64,
        EffectTime::Initial | EffectTime::Edges(_) => 0,
    };
    match effect.kind {
        EffectKind::Cover => EffectSlot::Cover(at.take(COUNTER + kept, 8)),
        _ if kept > 0 => EffectSlot::Change(at.take(kept, 8)),
        _ if effect.last => EffectSlot::Due(at.take(1, 1)),
        _ => EffectSlot::None,
    }
}

fn place_memories(n: &Netlist, at: &mut Cursor) -> Vec<MemorySlot> {
    let shape = |m: &Memory| {
        let stride = if m.width <= 64 {
            slot_size(m.width)
        } else {
            8 * limb_count(m.width) as u32
        };
        let bytes = u64::from(stride) * u64::from(m.depth);
        // Room up to a power of two spares most reads their bounds check.
        let rows = if bytes < 1 << 24 {
            m.depth.next_power_of_two()
        } else {
            m.depth
        };
        (stride, rows)
    };
    let mut order: Vec<MemoryId> = n.memories.ids().collect();
    order.sort_by_key(|id| {
        let (stride, rows) = shape(&n.memories[*id]);
        u64::from(stride) * u64::from(rows)
    });
    let mut slots = vec![
        MemorySlot {
            base: 0,
            stride: 0,
            rows: 0
        };
        n.memories.len()
    ];
    for id in order {
        let (stride, rows) = shape(&n.memories[id]);
        let base = at.take(u64::from(stride) * u64::from(rows), 8);
        slots[id.index()] = MemorySlot { base, stride, rows };
    }
    slots
}

fn place_shadow(blocks: &[Span], needed: bool, at: &mut Cursor) -> u32 {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return 0;
    };
    if !needed {
        return 0;
    }
    let len = last.0 + last.1 - first.0;
    at.take(len.into(), 8) - first.0
}

/// A queue slot: u32 pending, u32 row, then data and mask in whole limbs.
fn place_queues(memory: &Memory, at: &mut Cursor) -> Vec<u32> {
    let bytes = 8 + 16 * limb_count(memory.width) as u64;
    memory.writes.iter().map(|_| at.take(bytes, 8)).collect()
}

/// Bits `low .. low + width` of a list of parts.
fn cut(parts: &[Part], low: u32, width: u32, total: u32) -> Vec<Part> {
    if low == 0 && width == total {
        return parts.to_vec();
    }
    let mut at = 0;
    let mut kept = Vec::new();
    for part in parts {
        let (start, end) = (at, at + part.width);
        at = end;
        let (from, to) = (low.max(start), (low + width).min(end));
        if from < to {
            kept.push(Part {
                shift: part.shift + from - start,
                width: to - from,
                ..*part
            });
        }
    }
    kept
}
