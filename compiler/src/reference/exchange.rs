//! State of the interpreter to its memory and back.
//!
//! In: a map, an interpreter between calls, the memory, and a copy of the state region as the last call left it. What
//! differs from that copy is what the host has written: pokes, or a whole region of another time.

use rtlwasm_abi::layout::{CONTROL_BASE, control, state, trigger, watch};

use super::map::{Map, Place};
use crate::bits::Bits;
use crate::ir::interp::{Interp, State, TriggerState, Watch, WatchKind, Watched};
use crate::ir::{MemoryId, SignalId, SignalValue};

/// A value at its place.
fn get(memory: &[u8], place: Place) -> Bits {
    let at = place.offset as usize;
    if place.width <= 64 {
        let size = crate::layout::slot_size(place.width) as usize;
        return Bits::from_limbs(place.width, [number(&memory[at..at + size])]);
    }
    let len = place.width.div_ceil(64) as usize * 8;
    Bits::from_limbs(place.width, memory[at..at + len].chunks(8).map(number))
}

fn put(memory: &mut [u8], place: Place, value: &Bits) {
    let at = place.offset as usize;
    if place.width <= 64 {
        let size = crate::layout::slot_size(place.width) as usize;
        let limb = value.limbs().first().copied().unwrap_or(0);
        memory[at..at + size].copy_from_slice(&limb.to_le_bytes()[..size]);
        return;
    }
    for (chunk, limb) in memory[at..].chunks_exact_mut(8).zip(value.limbs()) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut limb = [0; 8];
    limb[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(limb)
}

fn read(memory: &[u8], at: u32, bytes: usize) -> u64 {
    number(&memory[at as usize..at as usize + bytes])
}

fn write(memory: &mut [u8], at: u32, bytes: usize, value: u64) {
    memory[at as usize..at as usize + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
}

/// Every slot that is state, with the value that belongs there.
fn for_each_slot(map: &Map, state: &mut State, mut f: impl FnMut(Place, &mut Bits)) {
    let slots = [
        (&map.inputs, &mut state.inputs),
        (&map.registers, &mut state.registers),
        (&map.latches, &mut state.latches),
        (&map.loops, &mut state.loops),
    ];
    for (places, values) in slots {
        for (place, value) in places.iter().zip(values) {
            f(*place, value);
        }
    }
}

/// Shows everything.
pub fn store_all(map: &Map, interp: &mut Interp, memory: &mut [u8], shown: &mut Vec<u8>) {
    shown.clear();
    store(map, interp, memory, shown);
}

/// Shows what a call may have changed; everything when nothing was shown yet.
pub fn store(map: &Map, interp: &mut Interp, memory: &mut [u8], shown: &mut Vec<u8>) {
    store_header(map, interp.state(), memory);
    store_triggers(map, interp, memory);
    for_each_slot(map, interp.state_mut(), |place, value| {
        put(memory, place, value)
    });
    store_effects(map, interp.state(), memory);
    for (cell, place) in &map.nets {
        put(memory, *place, interp.value(*cell));
    }
    for (signal, place) in &map.inouts {
        put(memory, *place, &interp.peek(*signal, 0));
    }
    let region = map.state();
    if shown.is_empty() {
        for (id, rows) in map.memories.iter().enumerate() {
            for (row, value) in interp.state().memories[id].iter().enumerate() {
                put(memory, rows.row(row), value);
            }
        }
        interp.state_mut().written.clear();
        shown.extend(&memory[region]);
        return;
    }
    let scalars = region.start..map.scalars_end as usize;
    shown[..scalars.len()].copy_from_slice(&memory[scalars]);
    for (id, row) in std::mem::take(&mut interp.state_mut().written) {
        let rows = map.memories[id.index()];
        let place = rows.row(row);
        put(memory, place, &interp.state().memories[id.index()][row]);
        let bytes = place.offset as usize..(place.offset + rows.stride) as usize;
        shown[bytes.start - region.start..bytes.end - region.start].copy_from_slice(&memory[bytes]);
    }
}

fn store_header(map: &Map, state: &State, memory: &mut [u8]) {
    write(memory, map.state_base + state::TIME, 8, state.time);
    write(memory, map.state_base + state::PRNG, 8, state.prng);
}

fn store_triggers(map: &Map, interp: &Interp, memory: &mut [u8]) {
    for (row, trigger) in interp.state().triggers.iter().enumerate() {
        let at = map.trigger_base + row as u32 * trigger::LEN;
        let (level, cycles) = interp.trigger(row);
        // So a level that the host writes is told from one that it has given the whole input, also in a copy.
        let level = match map.is_input_at(row as u32) {
            true => level,
            false => trigger.prev,
        };
        for (field, bytes, value) in [
            (trigger::NEXT, 8, trigger.next),
            (trigger::HIGH, 8, trigger.timing.high),
            (trigger::LOW, 8, trigger.timing.low),
            (trigger::PHASE, 8, trigger.timing.phase),
            (trigger::CYCLES, 8, cycles),
            (trigger::LEVEL, 1, level.into()),
            (trigger::PREV, 1, trigger.prev.into()),
            (trigger::RUN, 1, trigger.timing.run.into()),
        ] {
            write(memory, at + field, bytes, value);
        }
    }
}

fn store_effects(map: &Map, state: &State, memory: &mut [u8]) {
    for (place, count) in map.covers.iter().zip(&state.covers) {
        write(memory, place.offset, 8, *count);
    }
    for (places, seen) in map.seen.iter().zip(&state.last_seen) {
        let Some((flag, places)) = places else {
            continue;
        };
        write(memory, flag.offset, 1, seen.is_some().into());
        for (place, value) in places.iter().zip(seen.iter().flatten()) {
            put(memory, *place, value);
        }
    }
}

/// Takes in what the host has written.
pub fn load(map: &Map, interp: &mut Interp, memory: &[u8], shown: &[u8]) {
    let region = map.state();
    if memory[region.clone()] == *shown {
        return;
    }
    let state = interp.state_mut();
    state.time = read(memory, map.state_base + state::TIME, 8);
    state.prng = read(memory, map.state_base + state::PRNG, 8);
    for_each_slot(map, state, |place, value| *value = get(memory, place));
    for row in 0..map.triggers {
        load_trigger(map, interp, memory, row);
    }
    load_effects(map, interp.state_mut(), memory);
    load_rows(map, interp.state_mut(), memory, shown);
    // Hosts poke state; what is computed from it they write only with everything else.
    let differs = |place: &Place| {
        let at = place.offset as usize..place.offset as usize + 1;
        memory[at.clone()] != shown[at.start - region.start..at.end - region.start]
    };
    let another_time = map.nets.iter().any(|(_, place)| differs(place))
        || map.loops.iter().any(differs)
        || memory[header(map, 0)] != shown[header(map, region.start)];
    match another_time {
        true => interp.recompute(),
        false => interp.show_state(),
    }
}

/// The generator's place: only a restore writes it.
fn header(map: &Map, base: usize) -> std::ops::Range<usize> {
    let at = (map.state_base + state::PRNG) as usize - base;
    at..at + 8
}

fn load_trigger(map: &Map, interp: &mut Interp, memory: &[u8], row: u32) {
    let at = map.trigger_base + row * trigger::LEN;
    let field = |field: u32, bytes: usize| read(memory, at + field, bytes);
    let before = interp.state().triggers[row as usize];
    let mut timing = before.timing;
    timing.high = field(trigger::HIGH, 8);
    timing.low = field(trigger::LOW, 8);
    timing.phase = field(trigger::PHASE, 8);
    timing.run = field(trigger::RUN, 1) != 0;
    let (level, prev) = (field(trigger::LEVEL, 1) != 0, field(trigger::PREV, 1) != 0);
    interp.state_mut().triggers[row as usize] = TriggerState {
        level,
        prev,
        cycles: field(trigger::CYCLES, 8),
        next: field(trigger::NEXT, 8),
        timing,
    };
    // A clock that is one bit of an input can be written in both places. Here it was, if it is not what the last call
    // has acted on.
    if level != prev && !map.is_input_at(row) {
        interp.set_level(row as usize, level);
    }
}

fn load_effects(map: &Map, state: &mut State, memory: &[u8]) {
    for (place, count) in map.covers.iter().zip(&mut state.covers) {
        *count = read(memory, place.offset, 8);
    }
    for (places, seen) in map.seen.iter().zip(&mut state.last_seen) {
        if let Some((flag, places)) = places {
            let values = || places.iter().map(|place| get(memory, *place)).collect();
            *seen = (read(memory, flag.offset, 1) != 0).then(values);
        }
    }
}

fn load_rows(map: &Map, state: &mut State, memory: &[u8], shown: &[u8]) {
    let base = map.state_base as usize;
    for (id, rows) in map.memories.iter().enumerate() {
        let bytes = |row: usize| {
            let at = rows.row(row).offset as usize;
            at..at + rows.stride as usize
        };
        let whole = bytes(0).start..bytes(0).start + (rows.stride * rows.depth) as usize;
        if memory[whole.clone()] == shown[whole.start - base..whole.end - base] {
            continue;
        }
        for row in 0..rows.depth as usize {
            let at = bytes(row);
            if memory[at.clone()] != shown[at.start - base..at.end - base] {
                state.write_row(MemoryId::new(id), row, get(memory, rows.row(row)));
            }
        }
    }
}

/// The watches that the host has written.
pub fn load_watches(map: &Map, interp: &mut Interp, memory: &[u8]) {
    let count = read(memory, CONTROL_BASE + control::WATCH_COUNT, 4) as u32;
    let watches = (0..count).map(|row| load_watch(map, interp, memory, row));
    let watches: Vec<Watch> = watches.collect();
    *interp.watches() = watches;
}

fn load_watch(map: &Map, interp: &Interp, memory: &[u8], row: u32) -> Watch {
    let at = map.watch_base + row * watch::LEN;
    let field = |field: u32, bytes: usize| read(memory, at + field, bytes);
    let signal = map.signals[field(watch::ID, 4) as usize];
    let word = field(watch::WORD, 4) as u32;
    let limbs = limbs(interp, signal);
    let on = Watched::Word {
        signal,
        row: word / limbs,
        limb: (word % limbs) as usize,
    };
    let kind = match field(watch::KIND, 2) as u16 {
        watch::KIND_ROSE => WatchKind::Rose,
        watch::KIND_FELL => WatchKind::Fell,
        watch::KIND_EQUALS => WatchKind::Equals(field(watch::VALUE, 8)),
        watch::KIND_DIFFERS => WatchKind::Differs(field(watch::VALUE, 8)),
        _ => WatchKind::Changed,
    };
    let flags = field(watch::FLAGS, 2) as u16;
    Watch {
        mask: field(watch::MASK, 8),
        left: field(watch::LEFT, 4) as u32,
        // An instant is never left half done here: all that happens at a time is complete.
        after: true,
        again: flags & watch::FLAG_AGAIN != 0,
        condition: flags & watch::FLAG_CONDITION != 0,
        ..Watch::new(on, kind)
    }
}

/// What became of the watches.
pub fn store_watches(map: &Map, interp: &mut Interp, memory: &mut [u8]) {
    for (row, found) in (0..).zip(interp.watches().iter()) {
        let at = map.watch_base + row * watch::LEN;
        let flags = read(memory, at + watch::FLAGS, 2) as u16 & !watch::FLAG_HIT;
        let hit = if found.hit { watch::FLAG_HIT } else { 0 };
        write(memory, at + watch::FLAGS, 2, (flags | hit).into());
        write(memory, at + watch::LEFT, 4, found.left.into());
    }
}

/// 64-bit words of a signal's value, or of a memory's row.
fn limbs(interp: &Interp, signal: SignalId) -> u32 {
    let n = interp.netlist();
    let width = match n.signals[signal].value {
        SignalValue::Memory(memory) => n.memories[memory].width,
        SignalValue::Cell(_) | SignalValue::Inout { .. } => n.signals[signal].width,
    };
    width.div_ceil(64).max(1)
}
