//! One running model: an instance of an artifact, its calls, and what they answer.
//!
//! Every call drains the event ring afterwards, and one that stopped because the ring was full goes on by itself, so
//! callers never see that status.

use std::collections::VecDeque;
use std::path::Path;

use rtlwasm_abi::layout::{CONTROL_BASE, control, state};
use rtlwasm_abi::{Status, manifest};

use crate::artifact::{Artifact, ModelOptions};
use crate::changes::Change;
use crate::clocks::Clock;
use crate::control::{read_u32, read_u64, write_u64};
use crate::engine::Engine;
use crate::error::{Error, LoadError, corrupt};
use crate::events::Event;
use crate::machine::Machine;
use crate::names::SignalPath;
use crate::signal::Signal;

/// One running instance of an [`Artifact`].
///
/// A model is used by one thread at a time; many models of one artifact may run on many threads.
pub struct Model {
    pub(crate) artifact: Artifact,
    pub(crate) machine: Machine,
    /// Outline groups that hold since the last write or run.
    pub(crate) fresh: Vec<bool>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) sink: Option<EventSink>,
    plusargs: Vec<String>,
    power_on: Status,
    /// Rows of the watch table that are in use.
    pub(crate) watches: Vec<bool>,
    pub(crate) changes: VecDeque<Change>,
    /// Of the last record of the change trace.
    pub(crate) trace_time: u64,
}

/// Who is told of events as they come.
pub(crate) type EventSink = Box<dyn FnMut(&Event) + Send>;

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a run may have stopped early: look at its status"]
pub struct Run {
    /// Why it ended; [`Status::Ok`] when all that was asked for is done.
    pub status: Status,
    /// Clock cycles that ended in it.
    pub cycles: u64,
}

impl Model {
    /// Loads a `.wasm` file and makes one model of it, with default options. To make several, or to choose a seed,
    /// plusargs or a cache directory, use [`Artifact::load`] and [`Artifact::model`].
    pub fn load(path: impl AsRef<Path>) -> Result<Model, LoadError> {
        let options = ModelOptions::default();
        Artifact::load(path, &options)?.model(&options)
    }

    /// The same from the bytes of a `.wasm` file.
    pub fn from_bytes(wasm: &[u8]) -> Result<Model, LoadError> {
        let options = ModelOptions::default();
        Artifact::from_bytes(wasm, &options)?.model(&options)
    }

    pub(crate) fn new(artifact: Artifact, options: &ModelOptions) -> Result<Model, LoadError> {
        let machine = artifact.machine()?;
        let groups = artifact.manifest().outline_groups as usize;
        let mut model = Model {
            artifact,
            machine,
            fresh: vec![false; groups],
            events: VecDeque::new(),
            sink: None,
            plusargs: options.plusargs.clone(),
            power_on: Status::Ok,
            watches: Vec::new(),
            changes: VecDeque::new(),
            trace_time: 0,
        };
        let _ = model.reset(options.seed).map_err(Box::new)?;
        model.check_layout_hash()?;
        Ok(model)
    }

    /// A snapshot is fitted by the hash in the state header, so the manifest must not claim another.
    fn check_layout_hash(&mut self) -> Result<(), LoadError> {
        let stated = u64::from_str_radix(&self.artifact.manifest().layout_hash, 16);
        if stated != Ok(self.layout_hash()) {
            return Err(corrupt(
                "layout_hash",
                "the manifest and the state header differ",
            ));
        }
        Ok(())
    }

    /// A second model in the same state, with code shared and everything else its own. Undrained events, the event
    /// callback, watches, staged writes and the change trace stay with the first.
    pub fn fork(&mut self) -> Result<Model, LoadError> {
        let seed = self.seed();
        let options = ModelOptions {
            cache_dir: None,
            seed,
            plusargs: self.plusargs.clone(),
        };
        let mut other = self.artifact.model(&options)?;
        other.events.clear();
        let snapshot = self.snapshot();
        other.restore(&snapshot).map_err(Box::new)?;
        Ok(other)
    }

    /// What this is a model of.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The handle of a signal; see [`Artifact::signal`].
    pub fn signal(&self, path: impl SignalPath) -> Result<Signal, Error> {
        self.artifact.signal(path)
    }

    /// Power-on: state to its initial image, time to 0, `initial` blocks run, logic settled. Clock periods and
    /// phases stay as they were set.
    pub fn reset(&mut self, seed: u64) -> Result<Run, Error> {
        self.write_state_u64(state::SEED, seed);
        let mut status = self.settle_run("rtl_reset", |model| model.machine.reset(()))?;
        let plusargs = std::mem::take(&mut self.plusargs);
        for plusarg in &plusargs {
            self.set_plusarg(plusarg)?;
        }
        if !plusargs.is_empty() && status == Status::Ok {
            status = self.eval()?.status;
        }
        self.plusargs = plusargs;
        self.power_on = status;
        Ok(Run { status, cycles: 0 })
    }

    /// What the last reset answered, also the one that made this model: a design may call `$finish` in an `initial`
    /// block.
    pub fn power_on_status(&self) -> Status {
        self.power_on
    }

    /// Takes in what was poked, edges on poked clocks and resets included, and settles all logic.
    pub fn eval(&mut self) -> Result<Run, Error> {
        let status = self.settle_run("rtl_eval", |model| model.machine.eval(()))?;
        Ok(Run { status, cycles: 0 })
    }

    /// Runs `cycles` whole cycles of one clock: rise, high time, fall, low time. Other clocks stand still.
    pub fn step(&mut self, clock: Clock, cycles: u64) -> Result<Run, Error> {
        self.check_primary(clock)?;
        let mut done = 0;
        self.prepare_run()?;
        let status = self.settle_run("rtl_step", |model| {
            let status = model.machine.step((clock.index, cycles - done))?;
            done += model.control_u64(control::DONE).min(cycles - done);
            Ok(status)
        })?;
        Ok(Run {
            status,
            cycles: done,
        })
    }

    /// Simultaneous edges at the present time: bit `i` of `rise` or `fall` is row `i` of the trigger table
    /// ([`Clock::trigger`]). An edge to the level that a net already has is none.
    pub fn edges(&mut self, rise: u64, fall: u64) -> Result<Run, Error> {
        let status = self.settle_run("rtl_edges", |model| model.machine.edges((rise, fall)))?;
        Ok(Run { status, cycles: 0 })
    }

    /// Flips the running clocks as they fall due until the given time, in time units.
    pub fn advance(&mut self, until: u64) -> Result<Run, Error> {
        self.prepare_run()?;
        self.advance_briefly(until)
    }

    /// The same for so few flips that it is not worth making machine code for them; see
    /// [`is_interpreted`](Model::is_interpreted).
    pub fn advance_briefly(&mut self, until: u64) -> Result<Run, Error> {
        let mut done = 0;
        let status = self.settle_run("rtl_advance", |model| {
            let status = model.machine.advance((until,))?;
            done += model.control_u64(control::DONE);
            Ok(status)
        })?;
        Ok(Run {
            status,
            cycles: done,
        })
    }

    /// Steps a clock until `signal` has `value`, tested before the first and after every settled cycle, at most `max`
    /// cycles; then the status is [`Status::ConditionNotMet`].
    pub fn run_until(
        &mut self,
        clock: Clock,
        max: u64,
        signal: Signal,
        value: u64,
    ) -> Result<Run, Error> {
        self.check_primary(clock)?;
        let Some((offset, mask, wanted)) = self.condition(signal, value)? else {
            return self.step_until(clock, max, signal, value);
        };
        let mut done = 0;
        self.prepare_run()?;
        let status = self.settle_run("rtl_run_until", |model| {
            let status =
                model
                    .machine
                    .run_until((clock.index, max - done, offset, mask, wanted))?;
            done += model.control_u64(control::DONE).min(max - done);
            Ok(status)
        })?;
        Ok(Run {
            status,
            cycles: done,
        })
    }

    /// The slow way to wait for a signal that the module does not store.
    fn step_until(
        &mut self,
        clock: Clock,
        max: u64,
        signal: Signal,
        value: u64,
    ) -> Result<Run, Error> {
        let mut cycles = 0;
        while self.peek(signal)? != value {
            if cycles == max {
                return Ok(Run {
                    status: Status::ConditionNotMet,
                    cycles,
                });
            }
            let run = self.step(clock, 1)?;
            cycles += run.cycles;
            if run.status != Status::Ok {
                return Ok(Run {
                    status: run.status,
                    cycles,
                });
            }
        }
        Ok(Run {
            status: Status::Ok,
            cycles,
        })
    }

    /// Calls until the answer is no longer "ring full", draining the ring each time.
    pub(crate) fn settle_run(
        &mut self,
        name: &'static str,
        mut call: impl FnMut(&mut Model) -> Result<u32, Error>,
    ) -> Result<Status, Error> {
        self.fresh.fill(false);
        if self.machine.is_busy() {
            self.compile()?;
        }
        loop {
            let code = call(self)?;
            let drained = self.drain_ring()? | self.drain_trace()?;
            match Status::from_code(code) {
                Some(Status::RingFull) if !drained => return Err(Error::RingStuck),
                Some(Status::RingFull) => {}
                Some(status @ (Status::BadArgument | Status::NotWritable)) => {
                    return Err(Error::Refused { call: name, status });
                }
                Some(status) => return Ok(status),
                // By the ABI, a status that a host does not know is a stop.
                None => return Ok(Status::Stop),
            }
        }
    }

    /// Goes on as machine code.
    pub(crate) fn compile(&mut self) -> Result<(), Error> {
        let compiled = self.artifact.compiled().map_err(|error| Error::Trap {
            call: "instantiation",
            reason: error.to_string(),
        })?;
        let before = std::mem::replace(&mut self.machine, compiled);
        self.machine.memory_mut().copy_from_slice(before.memory());
        Ok(())
    }

    /// Whether calls are interpreted at present; see [`Artifact::interpreted`](Artifact).
    pub fn is_interpreted(&self) -> bool {
        self.machine.is_interpreted()
    }

    /// The engine that stands behind it, when that is no WebAssembly; see [`Artifact::of_engine`].
    pub fn engine_mut(&mut self) -> Option<&mut dyn Engine> {
        self.machine.other()
    }

    /// Runs of any length are for machine code.
    pub(crate) fn prepare_run(&mut self) -> Result<(), Error> {
        match self.machine.is_interpreted() {
            true => self.compile(),
            false => Ok(()),
        }
    }

    /// Present time, in units of 10^[`time_unit`](manifest::Manifest::time_unit) seconds.
    pub fn time(&self) -> u64 {
        self.state_u64(state::TIME)
    }

    /// Moves the present time forward, between [`edges`](Model::edges). Running clocks are flipped by
    /// [`advance`](Model::advance) only.
    pub fn set_time(&mut self, time: u64) {
        self.write_state_u64(state::TIME, time);
    }

    /// The seed of the last reset, also of one before a snapshot that was restored.
    pub fn seed(&self) -> u64 {
        self.state_u64(state::SEED)
    }

    /// The event site that gave the last run its status: an assertion, `$finish` and so on.
    pub fn stop_site(&self) -> Option<&manifest::EventSite> {
        let site = self.control_u32(control::STOP_SITE);
        self.artifact.manifest().events.get(site as usize)
    }

    /// Gives a plusarg, `NAME` or `NAME=VALUE` without the plus; false when the design does not ask for it. It is kept
    /// by [`reset`](Model::reset) only when it was given in [`ModelOptions`].
    pub fn set_plusarg(&mut self, text: &str) -> Result<bool, Error> {
        let wanted = crate::plusargs::matching(self.artifact.manifest(), text);
        for (found, value) in &wanted {
            self.write_by_id(*found, &crate::Value::from_u64(1, 1))?;
            if let Some((id, value)) = value {
                self.write_by_id(*id, value)?;
            }
        }
        Ok(!wanted.is_empty())
    }

    /// Linear memory. Its length never changes.
    pub(crate) fn memory(&self) -> &[u8] {
        self.machine.memory()
    }

    pub(crate) fn memory_mut(&mut self) -> &mut [u8] {
        self.machine.memory_mut()
    }

    pub(crate) fn control_u32(&self, field: u32) -> u32 {
        read_u32(self.memory(), (CONTROL_BASE + field) as usize)
    }

    pub(crate) fn control_u64(&self, field: u32) -> u64 {
        read_u64(self.memory(), (CONTROL_BASE + field) as usize)
    }

    pub(crate) fn state_u64(&self, field: u32) -> u64 {
        read_u64(
            self.memory(),
            self.artifact.inner.control.state_base + field as usize,
        )
    }

    fn write_state_u64(&mut self, field: u32, value: u64) {
        let offset = self.artifact.inner.control.state_base + field as usize;
        write_u64(self.memory_mut(), offset, value);
    }

    pub(crate) fn layout_hash(&self) -> u64 {
        self.state_u64(state::LAYOUT_HASH)
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("top", &self.artifact.manifest().top)
            .finish_non_exhaustive()
    }
}
