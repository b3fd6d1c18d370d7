//! The reference interpreter behind the interface of an artifact: calls, and a memory in which everything has its place.
//!
//! In: a netlist as the front end made it, and the artifact that was compiled from it. Out: a [`Design`], whose
//! manifest has the signals of that artifact under the same ids, with other places; and models of it, [`Reference`],
//! that a host uses as it uses instances of the artifact.
//!
//! Invariant: between calls the state region says everything that decides the future. So a host may copy it away, write
//! it back, or give it to another model of the same design, as the ABI has it.

#[cfg(feature = "engines")]
pub mod engine;
mod exchange;
mod lines;
mod manifest;
mod map;

use std::sync::Arc;

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control};
use rtlwasm_abi::manifest::{Manifest, Symbols};

use crate::bits::Bits;
use crate::ir::interp::{Event, Interp, InterpOptions, Place, Run};
use crate::ir::{Netlist, SignalValue};
use crate::options::Options;
pub use lines::{Line, NoLine};
use map::Map;

/// What was compiled, and what came of it.
pub struct Source {
    /// As the front end made it.
    pub netlist: Netlist,
    /// What it was compiled with.
    pub options: Options,
    /// The artifact's.
    pub manifest: Manifest,
    pub symbols: Symbols,
}

/// What models of the interpreter have in common.
pub struct Design {
    source: Arc<Source>,
    options: InterpOptions,
    map: Map,
    manifest: Manifest,
}

/// What the memory of a [`Design`] has more than the design itself needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// Bytes at the end of the state region that are the host's.
    pub state: u64,
}

impl Design {
    /// A place for everything.
    pub fn new(source: Arc<Source>, room: Room) -> Design {
        let (map, manifest) = map::place(&source, room);
        let options = InterpOptions {
            undef: source.options.undef,
            seed: 0,
            order: source.options.clock_order,
        };
        Design {
            source,
            options,
            map,
            manifest,
        }
    }

    /// Where everything lies; all signals, ports first.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many of the signals are ports.
    pub fn ports(&self) -> usize {
        self.source.manifest.signals.len()
    }

    /// The host's part of the state region, as a range of the memory.
    pub fn room(&self) -> std::ops::Range<usize> {
        self.map.room.clone()
    }
}

impl Design {
    /// Places of the source by file and line, for [`Reference::stop_at`].
    pub fn line(&self, file: &str, line: u32) -> Result<Line, NoLine> {
        lines::find(&self.source.netlist, file, line)
    }
}

/// A running model. [`Reference::reset`] comes first.
pub struct Reference {
    design: Arc<Design>,
    /// Always there between calls.
    paused: Option<Run>,
    memory: Box<[u8]>,
    /// The state region as the last call left it.
    shown: Vec<u8>,
    /// Everything is to be shown, not only what a call may have changed.
    stale: bool,
    events: Vec<Event>,
}

impl Reference {
    /// A model before its first reset.
    pub fn new(design: Arc<Design>) -> Reference {
        let mut memory = vec![0; design.map.end].into_boxed_slice();
        design.map.write_control(&mut memory);
        let mut interp = Interp::new(&design.source.netlist, design.options);
        let mut shown = Vec::new();
        exchange::store_all(&design.map, &mut interp, &mut memory, &mut shown);
        Reference {
            paused: Some(interp.pause()),
            design,
            memory,
            shown,
            stale: false,
            events: Vec::new(),
        }
    }

    pub fn memory(&self) -> &[u8] {
        &self.memory
    }

    pub fn memory_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// Power-on, with the seed of the state header.
    pub fn reset(&mut self) -> Status {
        self.events.clear();
        self.stale = true;
        self.call(|interp| (interp.reset(), 0))
    }

    pub fn eval(&mut self) -> Status {
        self.call(|interp| (interp.eval(), 0))
    }

    /// Cycles of a clock, by its index in the manifest.
    pub fn step(&mut self, clock: u32, cycles: u64) -> Status {
        let Some(trigger) = self.design.map.clocks.get(clock as usize).copied() else {
            return Status::BadArgument;
        };
        self.call(|interp| {
            let status = interp.step(trigger, cycles);
            (status, interp.done())
        })
    }

    pub fn edges(&mut self, rise: u64, fall: u64) -> Status {
        self.call(|interp| (interp.edges(rise, fall), 0))
    }

    pub fn advance(&mut self, until: u64) -> Status {
        self.call(|interp| {
            let status = interp.advance(until);
            (status, interp.done())
        })
    }

    /// Cycles of a clock until `holds` is true of the memory; tested before the first and after every one.
    pub fn run_until(&mut self, clock: u32, max: u64, holds: &dyn Fn(&[u8]) -> bool) -> Status {
        let Some(trigger) = self.design.map.clocks.get(clock as usize).copied() else {
            return Status::BadArgument;
        };
        self.call_testing(holds, |interp, holds| {
            let mut status = interp.eval();
            let mut done = 0;
            while status == Status::Ok && !holds(interp) {
                if done == max {
                    return (Status::ConditionNotMet, done);
                }
                status = interp.step(trigger, 1);
                done += interp.done();
            }
            (status, done)
        })
    }

    /// Stops every run that goes through one of these places once the instant is complete, with
    /// [`Status::WatchHit`].
    pub fn stop_at(&mut self, places: Vec<Place>) {
        let paused = self.paused.as_mut().expect("no call is under way");
        *paused.places() = places;
    }

    /// The places that the last run has stopped at, by their numbers, with the path of the instance.
    pub fn reached(&mut self) -> Vec<(usize, String)> {
        let paused = self.paused.as_mut().expect("no call is under way");
        let scope = |scope| self.design.source.netlist.scope_path(scope).join(".");
        let reached = paused.take_reached().into_iter();
        reached.map(|r| (r.place, scope(r.scope))).collect()
    }

    /// What a signal of that number was before the clock edge at which a run went through a place; `None` for memories.
    pub fn before(&self, signal: u32) -> Option<Bits> {
        let signal = *self.design.map.signals.get(signal as usize)?;
        let cell = match self.design.source.netlist.signals[signal].value {
            SignalValue::Cell(cell) | SignalValue::Inout { output: cell, .. } => cell,
            SignalValue::Memory(_) => return None,
        };
        self.paused.as_ref()?.before(cell).cloned()
    }

    /// What this is a model of.
    pub fn design(&self) -> &Arc<Design> {
        &self.design
    }

    /// The events since this was last called.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Takes in what the host has written, runs, and shows what came of it.
    fn call(&mut self, run: impl FnOnce(&mut Interp) -> (Status, u64)) -> Status {
        self.call_testing(&|_| true, |interp, _| run(interp))
    }

    /// The same for what looks at the memory meanwhile.
    fn call_testing(
        &mut self,
        holds: &dyn Fn(&[u8]) -> bool,
        run: impl FnOnce(&mut Interp, &mut dyn FnMut(&mut Interp) -> bool) -> (Status, u64),
    ) -> Status {
        let design = Arc::clone(&self.design);
        let map = &design.map;
        let paused = self.paused.take().expect("no call is under way");
        let mut interp = Interp::resume(&design.source.netlist, paused);
        interp.set_seed(map.seed(&self.memory));
        exchange::load(map, &mut interp, &self.memory, &self.shown);
        exchange::load_watches(map, &mut interp, &self.memory);
        if std::mem::take(&mut self.stale) {
            self.shown.clear();
        }
        let (memory, shown) = (&mut self.memory, &mut self.shown);
        let (status, done) = run(&mut interp, &mut |interp| {
            exchange::store(map, interp, memory, shown);
            holds(memory)
        });
        exchange::store(map, &mut interp, memory, shown);
        exchange::store_watches(map, &mut interp, memory);
        self.events.extend(interp.take_events());
        self.paused = Some(interp.pause());
        self.write_answer(status, done);
        status
    }

    fn write_answer(&mut self, status: Status, done: u64) {
        let stops = |event: &&Event| {
            let kind = self.design.source.netlist.effects[event.site].kind;
            kind.stop_status() == Some(status)
        };
        let site = self
            .events
            .iter()
            .rev()
            .find(stops)
            .map_or(u32::MAX, |event| event.site as u32);
        let mut write = |field: u32, bytes: &[u8]| {
            let at = (CONTROL_BASE + field) as usize;
            self.memory[at..at + bytes.len()].copy_from_slice(bytes);
        };
        write(control::STATUS, &(status as u32).to_le_bytes());
        write(control::STOP_SITE, &site.to_le_bytes());
        write(control::DONE, &done.to_le_bytes());
        write(control::DIRTY, &0u32.to_le_bytes());
    }
}
