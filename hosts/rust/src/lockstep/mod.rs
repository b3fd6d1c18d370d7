//! Two implementations of one design side by side: a reference, whose memory the host sees, and an artifact that does
//! the same behind it. What the host writes goes to both; after each cycle of a clock both must show the same.

mod compare;

use std::ops::Range;
use std::sync::Arc;

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control, state, trigger};
use rtlwasm_abi::manifest::{self, Manifest};

use crate::access::value_at;
use crate::clocks::Clock;
use crate::control::{read_u32, read_u64, write_u64};
use crate::engine::{Engine, Told, Until};
use crate::error::Error;
use crate::model::Model;
use crate::signal::{Access, Signal};
use crate::snapshot::Snapshot;
use crate::value::Value;

pub use compare::Divergence;

/// An [`Engine`] of two: a reference, and a model of an artifact.
pub struct Lockstep {
    reference: Box<dyn Engine>,
    manifest: Arc<Manifest>,
    compiled: Model,
    /// Signals that both have, by their number in the manifest.
    pairs: Vec<(usize, Signal)>,
    /// The artifact's clock for each of the manifest's.
    clocks: Vec<Option<Clock>>,
    /// The state region as the last call left it.
    shown: Vec<u8>,
    region: Range<usize>,
    /// Where the artifact's state is kept, for snapshots.
    room: Range<usize>,
    told: Vec<Told>,
    /// Everything has settled since power-on; else nobody knows how often covers were hit.
    settled: bool,
    /// Row of the trigger table of the clock that cycles are counted of.
    counted: Option<u32>,
}

impl Lockstep {
    /// Both together. `room` is the part of the reference's state region that is free for the artifact's state: as
    /// many bytes as its manifest says.
    ///
    /// # Errors
    /// [`Error::NotAlike`] when their ports differ.
    pub fn new(
        reference: Box<dyn Engine>,
        manifest: Arc<Manifest>,
        ports: usize,
        room: Range<usize>,
        compiled: Model,
    ) -> Result<Lockstep, Error> {
        let pairs = pairs(&manifest, ports, &compiled)?;
        let clock = |clock| same_clock(&manifest, clock, &compiled);
        let start = manifest.state.base as usize;
        Ok(Lockstep {
            clocks: manifest.clocks.iter().map(clock).collect(),
            counted: manifest.clocks.first().map(|clock| clock.trigger),
            shown: Vec::new(),
            region: start..start + manifest.state.len as usize,
            reference,
            manifest,
            compiled,
            pairs,
            room,
            told: Vec::new(),
            settled: true,
        })
    }

    /// The reference.
    pub fn reference_mut(&mut self) -> &mut dyn Engine {
        self.reference.as_mut()
    }

    /// The model of the artifact. What is written to it alone makes both differ.
    pub fn compiled_mut(&mut self) -> &mut Model {
        &mut self.compiled
    }

    /// Gives the artifact's model what the host has written.
    fn take_in(&mut self) -> Result<(), Error> {
        let memory = self.reference.memory();
        if self.shown.is_empty() || memory[self.region.clone()] == *self.shown {
            return Ok(());
        }
        let then = self.room.start - self.region.start..self.room.end - self.region.start;
        let room = &memory[self.room.clone()];
        let restored = *room != self.shown[then];
        if restored {
            let snapshot = Snapshot::from_bytes(room.to_vec());
            self.compiled.restore(&snapshot)?;
        }
        self.write_time(restored)?;
        self.write_signals(restored)
    }

    /// Time and the settings of clocks that the host has written; after a restore all of them.
    fn write_time(&mut self, all: bool) -> Result<(), Error> {
        let start = self.region.start;
        let changed = |memory: &[u8], at: Range<usize>| {
            all || memory[at.clone()] != self.shown[at.start - start..at.end - start]
        };
        let memory = self.reference.memory();
        let at = start + state::TIME as usize;
        if changed(memory, at..at + 8) {
            self.compiled.set_time(read_u64(memory, at));
        }
        for (entry, clock) in self.manifest.clocks.iter().zip(&self.clocks) {
            let Some(clock) = clock.filter(|clock| !clock.is_derived()) else {
                continue;
            };
            let (from, to) = (self.row(entry.trigger), self.compiled.row(clock)?);
            for (field, bytes) in [
                (trigger::NEXT, 8),
                (trigger::HIGH, 8),
                (trigger::LOW, 8),
                (trigger::PHASE, 8),
                (trigger::LEVEL, 1),
                (trigger::RUN, 1),
            ] {
                let (at, to) = (from + field as usize, to + field as usize);
                if changed(memory, at..at + bytes) {
                    let field = &mut self.compiled.memory_mut()[to..to + bytes];
                    field.copy_from_slice(&memory[at..at + bytes]);
                }
            }
        }
        Ok(())
    }

    /// Values that the host has written; after a restore those that are others than the artifact's.
    fn write_signals(&mut self, restored: bool) -> Result<(), Error> {
        let memory = self.reference.memory();
        for (id, signal) in &self.pairs {
            let entry = &self.manifest.signals[*id];
            if entry.access != "rw" || signal.access() != Access::ReadWrite {
                continue;
            }
            if entry.depth > 0 && !restored && self.same_rows(entry) {
                continue;
            }
            for index in 0..entry.depth.max(1) {
                let moved = (index * entry.stride) as usize;
                let row = entry.first + i64::from(index);
                let now = value_at(entry, memory, moved);
                let before = match (restored, entry.depth) {
                    (false, _) => shown_value(entry, &self.shown, self.region.start, moved),
                    (true, 0) => self.compiled.peek_bits(*signal)?,
                    (true, _) => self.compiled.peek_row_bits(*signal, row)?,
                };
                match entry.depth {
                    _ if now == before => {}
                    0 => self.compiled.poke_bits(*signal, &now)?,
                    _ => self.compiled.poke_row_bits(*signal, row, &now)?,
                }
            }
        }
        Ok(())
    }

    /// Whether no row of a memory was written since the last call. Rows lie one after the other.
    fn same_rows(&self, memory: &manifest::Signal) -> bool {
        let first = memory.parts.first().map_or(0, |part| part.offset as usize);
        let rows = first..first + (memory.stride * memory.depth) as usize;
        let then = rows.start - self.region.start..rows.end - self.region.start;
        self.reference.memory()[rows] == self.shown[then]
    }

    /// After a call: compares both, and keeps what there is.
    fn finish(&mut self, reference: Status, compiled: Status) -> Result<Status, Error> {
        let told = self.reference.told();
        let events = self.compiled.events().collect::<Vec<_>>();
        self.settled &= reference != Status::NotSettled;
        let compared = match reference {
            // What values are then is not defined. Where nothing but ports has names, what does not settle may be gone.
            Status::NotSettled if compiled == reference || self.knows_only_ports() => Ok(()),
            _ => self.compare((reference, compiled), &told, &events),
        };
        self.told.extend(told);
        let snapshot = self.compiled.snapshot();
        let room = self.room.clone();
        self.reference.memory_mut()[room].copy_from_slice(snapshot.as_bytes());
        self.shown.clear();
        self.shown
            .extend(&self.reference.memory()[self.region.clone()]);
        compared.map(|()| reference)
    }

    fn knows_only_ports(&self) -> bool {
        let artifact = self.compiled.artifact();
        artifact.ports().len() == artifact.signals().len()
    }

    fn time(&self) -> u64 {
        let at = self.region.start + state::TIME as usize;
        read_u64(self.reference.memory(), at)
    }

    /// Where a row of the reference's trigger table begins.
    fn row(&self, trigger: u32) -> usize {
        let memory = self.reference.memory();
        let base = read_u32(memory, (CONTROL_BASE + control::TRIGGER_BASE) as usize);
        (base + trigger * trigger::LEN) as usize
    }

    fn level(&self, trigger: u32) -> u8 {
        self.reference.memory()[self.row(trigger) + trigger::LEVEL as usize]
    }

    /// Of all clocks.
    fn levels(&self) -> Vec<u8> {
        let clocks = self.manifest.clocks.iter();
        clocks.map(|clock| self.level(clock.trigger)).collect()
    }

    fn done(&self) -> u64 {
        read_u64(
            self.reference.memory(),
            (CONTROL_BASE + control::DONE) as usize,
        )
    }

    fn set_done(&mut self, done: u64) {
        let at = (CONTROL_BASE + control::DONE) as usize;
        write_u64(self.reference.memory_mut(), at, done);
    }

    /// One cycle, or what is left of it, up to where a watch of the reference stops it.
    fn cycle(&mut self, index: u32, cycles: u64) -> Result<Status, Error> {
        self.take_in()?;
        let entry = &self.manifest.clocks[index as usize];
        let (name, trigger) = (entry.name.clone(), entry.trigger);
        let clock = self.clocks[index as usize].ok_or_else(|| Error::NotAlike {
            problem: format!("the artifact has no clock `{name}`"),
        })?;
        self.counted = Some(trigger);
        let before = self.level(trigger);
        let status = self.reference.step(index, cycles)?;
        let (done, level) = (self.done(), self.level(trigger));
        let compiled = match status {
            Status::WatchHit if done == 0 && level != before => {
                let run = self.compiled.rise(clock)?;
                let high = self.compiled.clock_period(clock)?.0;
                self.compiled.pass(high);
                run
            }
            Status::WatchHit if done == 0 => self.compiled.eval()?,
            _ => self.compiled.step(clock, cycles)?,
        };
        let status = self.finish(status, as_watched(status, compiled.status))?;
        self.set_done(done);
        Ok(status)
    }

    /// The artifact's triggers of some of the reference's. Where it has none of that name, the input is poked.
    fn triggers(&mut self, rows: u64, level: u64) -> Result<u64, Error> {
        let mut found = 0;
        let table = read_u32(
            self.reference.memory(),
            (CONTROL_BASE + control::TRIGGER_COUNT) as usize,
        );
        for row in (0..table.min(64)).filter(|row| rows >> row & 1 == 1) {
            let clock = self.manifest.clocks.iter().position(|c| c.trigger == row);
            if let Some(clock) = clock.and_then(|clock| self.clocks[clock]) {
                found |= 1 << clock.trigger();
                continue;
            }
            let Some(name) = self.trigger_name(row) else {
                continue;
            };
            let other = self.compiled.artifact().manifest();
            let same = trigger_names(other).find(|(_, other)| *other == name);
            match same.map(|(trigger, _)| trigger) {
                Some(trigger) => found |= 1 << trigger,
                None => {
                    let signal = self.compiled.signal(name.as_str())?;
                    self.compiled.poke(signal, level)?;
                }
            }
        }
        Ok(found)
    }

    /// The name of a row of the reference's trigger table. An input that resets nothing is no reset and is in it all the
    /// same.
    fn trigger_name(&self, row: u32) -> Option<String> {
        if let Some((_, name)) = trigger_names(&self.manifest).find(|(found, _)| *found == row) {
            return Some(name.to_string());
        }
        let at = self.row(row) + trigger::SIGNAL as usize;
        let id = read_u32(self.reference.memory(), at);
        let signal = self.manifest.signals.get(id as usize)?;
        Some(signal.path.join("."))
    }
}

/// A watch is the reference's own.
fn as_watched(reference: Status, compiled: Status) -> Status {
    match (reference, compiled) {
        (Status::WatchHit, Status::Ok) => Status::WatchHit,
        _ => compiled,
    }
}

fn trigger_names(manifest: &Manifest) -> impl Iterator<Item = (u32, &str)> {
    let clocks = manifest.clocks.iter();
    let resets = manifest.resets.iter();
    clocks
        .map(|clock| (clock.trigger, clock.name.as_str()))
        .chain(resets.filter_map(|reset| Some((reset.trigger?, reset.name.as_str()))))
}

/// The artifact's clock for one of the reference's: that of its name, or the one at its place among the clock inputs,
/// because bits of wider inputs have names of their own only by chance.
fn same_clock(manifest: &Manifest, wanted: &manifest::Clock, compiled: &Model) -> Option<Clock> {
    if let Ok(found) = compiled.clock(&wanted.name)
        && found.is_derived() == wanted.derived
    {
        return Some(found);
    }
    let names = |clocks: &[manifest::Clock]| -> Vec<String> {
        let inputs = clocks.iter().filter(|clock| !clock.derived);
        inputs.map(|clock| clock.name.clone()).collect()
    };
    let (here, there) = (names(&manifest.clocks), names(compiled.clocks()));
    let at = here.iter().position(|name| *name == wanted.name)?;
    let other = there.get(at).filter(|_| here.len() == there.len())?;
    let free = !here.contains(other);
    free.then(|| compiled.clock(other).ok())?
}

/// A value in a copy of the state region, which begins at `start`.
fn shown_value(entry: &manifest::Signal, shown: &[u8], start: usize, moved: usize) -> Value {
    let mut there = entry.clone();
    for part in &mut there.parts {
        part.offset -= start as u64;
    }
    value_at(&there, shown, moved)
}

fn pairs(
    manifest: &Manifest,
    ports: usize,
    compiled: &Model,
) -> Result<Vec<(usize, Signal)>, Error> {
    // What a design puts on pins that it does not drive is anything.
    let halves = manifest.signals.iter().filter_map(|entry| entry.inout);
    let undriven: Vec<usize> = halves.map(|[_, out, _]| out as usize).collect();
    let mut pairs = Vec::new();
    for (id, entry) in manifest.signals.iter().enumerate() {
        if undriven.contains(&id) {
            continue;
        }
        let name = || entry.path.join(".");
        match compiled.signal(entry.path.clone()) {
            Ok(signal) if (signal.width(), signal.depth()) == (entry.width, entry.depth) => {
                pairs.push((id, signal));
            }
            Ok(signal) if id < ports => {
                let (here, there) = (entry.width, signal.width());
                let problem = format!(
                    "`{}` has {there} bits in the artifact and {here} in the source",
                    name()
                );
                return Err(Error::NotAlike { problem });
            }
            Err(_) if id < ports => {
                let problem = format!("the artifact has no port `{}`", name());
                return Err(Error::NotAlike { problem });
            }
            _ => {}
        }
    }
    Ok(pairs)
}

impl Engine for Lockstep {
    fn name(&self) -> &'static str {
        "both"
    }

    fn memory(&self) -> &[u8] {
        self.reference.memory()
    }

    fn memory_mut(&mut self) -> &mut [u8] {
        self.reference.memory_mut()
    }

    fn reset(&mut self) -> Result<Status, Error> {
        self.take_in()?;
        let seed = read_u64(
            self.reference.memory(),
            self.region.start + state::SEED as usize,
        );
        // Those of before are nobody's.
        self.compiled.events().for_each(drop);
        let status = self.reference.reset()?;
        let compiled = self.compiled.reset(seed)?;
        self.told.clear();
        self.settled = true;
        self.finish(status, compiled.status)
    }

    fn eval(&mut self) -> Result<Status, Error> {
        self.take_in()?;
        let status = self.reference.eval()?;
        let compiled = self.compiled.eval()?;
        self.finish(status, as_watched(status, compiled.status))
    }

    fn step(&mut self, clock: u32, cycles: u64) -> Result<Status, Error> {
        let mut done = 0;
        loop {
            let status = self.cycle(clock, (cycles - done).min(1))?;
            done += self.done();
            self.set_done(done);
            if status != Status::Ok || done >= cycles {
                return Ok(status);
            }
        }
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Result<Status, Error> {
        self.take_in()?;
        let status = self.reference.edges(rise, fall)?;
        if status == Status::BadArgument {
            return Ok(status);
        }
        let (up, down) = (self.triggers(rise, 1)?, self.triggers(fall, 0)?);
        let compiled = self.compiled.edges(up, down)?;
        self.finish(status, as_watched(status, compiled.status))
    }

    fn advance(&mut self, until: u64) -> Result<Status, Error> {
        if until < self.time() {
            return Ok(Status::BadArgument);
        }
        let mut done = 0;
        loop {
            self.take_in()?;
            let flip = self.compiled.next_flip().filter(|flip| *flip < until);
            let goal = flip.map_or(until, |flip| flip.max(self.time()));
            let before = self.levels();
            let status = self.reference.advance(goal)?;
            done += self.done();
            let compiled = match status {
                // What was poked has hit it, before any clock flipped.
                Status::WatchHit if self.levels() == before => self.compiled.eval()?,
                _ => self.compiled.advance(self.time())?,
            };
            let status = self.finish(status, as_watched(status, compiled.status))?;
            self.set_done(done);
            if flip.is_none() || status != Status::Ok {
                return Ok(status);
            }
        }
    }

    fn run_until(&mut self, clock: u32, max: u64, until: Until) -> Result<Status, Error> {
        let mut status = self.eval()?;
        let mut done = 0;
        while status == Status::Ok && !until.holds(self.reference.memory()) {
            if done == max {
                status = Status::ConditionNotMet;
                break;
            }
            status = self.cycle(clock, 1)?;
            done += self.done();
        }
        self.set_done(done);
        Ok(status)
    }

    fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }
}
