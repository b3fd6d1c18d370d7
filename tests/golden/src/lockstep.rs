//! Models of the Rust host over the reference interpreter, alone or beside an artifact, as engines.
//!
//! In: what was compiled, and how. Out: an [`Engine`] that calls a model with the netlist's own numbering of signals and
//! clocks. A divergence is a panic there.

use std::sync::Arc;

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::interp::{Condition, Timing};
use rtlwasm::ir::{CellKind, Direction, Netlist, SignalValue};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm::reference::Source;
use rtlwasm_abi::Status;
use rtlwasm_host as host;
use rtlwasm_host::{Clock, Error, Model, ModelOptions, Signal, Value};

use crate::engine::{Engine, Record, cycle_by_cycle, one_by_one};
use crate::rng::Rng;
use crate::stimulus::Op;

/// Options of a model with that seed.
pub fn seeded(seed: u64) -> ModelOptions {
    ModelOptions {
        cache_dir: None,
        seed,
        ..ModelOptions::default()
    }
}

/// Compiles a netlist: what the reference needs of it, and the artifact.
pub fn compiled(netlist: &Netlist, options: &Options) -> (Arc<Source>, host::Artifact) {
    let packaged = pipeline::compile_netlist(netlist.clone(), options);
    let artifact = host::Artifact::from_bytes(&packaged.wasm, &seeded(0)).expect("an artifact");
    let source = Source {
        netlist: netlist.clone(),
        options: options.clone(),
        manifest: packaged.manifest,
        symbols: packaged.symbols,
    };
    (Arc::new(source), artifact)
}

/// A model as an engine. Now and then it runs somewhere else and comes back, or goes on as a fork, before it makes a
/// call: nobody may see that.
pub struct Hosted<'a> {
    netlist: &'a Netlist,
    model: Model,
    seed: u64,
    /// By signal of the netlist.
    signals: Vec<Option<Signal>>,
    /// By trigger of the netlist.
    clocks: Vec<Option<Clock>>,
    events: Vec<Record>,
    done: u64,
    rng: Rng,
    detours: usize,
}

impl<'a> Hosted<'a> {
    /// A model of an artifact whose event sites and triggers are those of the netlist.
    pub fn new(netlist: &'a Netlist, artifact: &host::Artifact, seed: u64) -> Hosted<'a> {
        let model = artifact.model(&seeded(seed)).expect("a model");
        let ids = (0..netlist.signals.len()).map(Id::new);
        let signals = ids.map(|id| model.signal(netlist.signal_path(id)).ok());
        let mut clocks = vec![None; netlist.triggers.len()];
        for clock in model.clocks() {
            clocks[clock.trigger as usize] = model.clock(&clock.name).ok();
        }
        Hosted {
            netlist,
            signals: signals.collect(),
            clocks,
            model,
            seed,
            events: Vec::new(),
            done: 0,
            rng: Rng::new(seed),
            detours: 0,
        }
    }

    /// How often it has been elsewhere.
    pub fn detours(&self) -> usize {
        self.detours
    }

    /// Makes a call, after a detour perhaps.
    fn run(&mut self, call: impl FnOnce(&mut Model) -> Result<host::Run, Error>) -> Status {
        self.take_events();
        if self.rng.percent(10) {
            self.detour();
        }
        let status = answer(call(&mut self.model), &mut self.done);
        self.take_events();
        status
    }

    fn take_events(&mut self) {
        let bits = |value: &Value| Bits::from_limbs(value.width(), value.limbs().iter().copied());
        for event in self.model.events() {
            self.events.push(Record {
                effect: self.netlist.effects[event.site as usize].name.clone(),
                time: event.time,
                args: event.args.iter().map(bits).collect(),
            });
        }
    }

    /// Runs somewhere else, from where a snapshot or a fork comes back.
    fn detour(&mut self) {
        self.detours += 1;
        let saved = self.model.snapshot();
        let twin = self
            .rng
            .percent(30)
            .then(|| self.model.fork().expect("a fork"));
        let mut unheard = 0;
        for _ in 0..self.rng.between(1, 3) {
            self.poke_an_input();
            let clocks: Vec<Clock> = self.clocks.iter().flatten().copied().collect();
            let clock = *self.rng.pick(&clocks);
            let cycles = self.rng.between(0, 3) as u64;
            let run = match clock.is_derived() {
                true => self.model.eval(),
                false => self.model.step(clock, cycles),
            };
            if answer(run, &mut unheard) == Status::NotSettled {
                break;
            }
        }
        self.model.events().for_each(drop);
        match twin {
            Some(twin) => self.model = twin,
            None => self.model.restore(&saved).expect("its own snapshot"),
        }
    }

    fn poke_an_input(&mut self) {
        let is_input = |(id, signal): &(Id<_>, &rtlwasm::ir::Signal)| match signal.value {
            SignalValue::Cell(cell) => {
                signal.direction == Direction::Input
                    && signal.width > 0
                    && matches!(self.netlist.cells[cell].kind, CellKind::Input(_))
                    && self.signals[id.index()].is_some()
            }
            SignalValue::Memory(_) | SignalValue::Inout { .. } => false,
        };
        let inputs = self.netlist.signals.iter().filter(is_input);
        let inputs: Vec<usize> = inputs.map(|(id, _)| id.index()).collect();
        let signal = *self.rng.pick(&inputs);
        let value = self.rng.bits(self.netlist.signals[Id::new(signal)].width);
        self.poke(signal, 0, &value);
    }

    fn signal(&self, signal: usize) -> Signal {
        self.signals[signal].expect("only what it shows is asked for")
    }

    fn clock(&self, trigger: usize) -> Clock {
        self.clocks[trigger].expect("every primary clock is there")
    }

    /// Waits for what the module cannot wait for.
    fn wait(&mut self, clock: usize, max: u64, condition: &Condition) -> Status {
        let (status, cycles) = cycle_by_cycle(self, clock, max, condition);
        self.done = cycles;
        status
    }
}

/// The status of a call and the cycles that it has counted.
///
/// # Panics
/// When the two implementations differ, or the host has failed.
fn answer(run: Result<host::Run, Error>, done: &mut u64) -> Status {
    match run {
        Ok(run) => {
            *done = run.cycles;
            run.status
        }
        Err(Error::Refused { status, .. }) => status,
        Err(error) => panic!("{error}"),
    }
}

impl Engine for Hosted<'_> {
    fn reset(&mut self) -> Status {
        self.model.events().for_each(drop);
        let seed = self.seed;
        self.run(|model| model.reset(seed))
    }

    fn eval(&mut self) -> Status {
        self.run(Model::eval)
    }

    fn step(&mut self, clock: usize, n: u64) -> Status {
        let clock = self.clock(clock);
        self.run(|model| model.step(clock, n))
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Status {
        self.run(|model| model.edges(rise, fall))
    }

    fn advance(&mut self, until: u64) -> Status {
        self.run(|model| model.advance(until))
    }

    fn run_until(&mut self, clock: usize, max: u64, condition: Condition) -> Status {
        let signal = self.signal(condition.signal.index());
        let whole = Bits::ones(signal.width().min(64)).limbs().first() == Some(&condition.mask);
        if signal.depth() > 0 || signal.width() > 64 || !whole {
            return self.wait(clock, max, &condition);
        }
        let clock = self.clock(clock);
        self.run(|model| model.run_until(clock, max, signal, condition.value))
    }

    fn play(&mut self, calls: &[Op]) -> (Status, Vec<u64>) {
        one_by_one(self, calls)
    }

    fn poke(&mut self, signal: usize, row: u32, value: &Bits) -> Status {
        let signal = self.signal(signal);
        let value = Value::from_limbs(value.width(), value.limbs());
        let poked = match signal.depth() {
            0 => self.model.poke_bits(signal, &value),
            _ => {
                let row = signal.first_row() + i64::from(row);
                self.model.poke_row_bits(signal, row, &value)
            }
        };
        poked.map_or(Status::NotWritable, |()| Status::Ok)
    }

    fn shows(&self, signal: usize) -> bool {
        self.signals[signal].is_some()
    }

    fn peek(&mut self, signal: usize, row: u32) -> Bits {
        let signal = self.signal(signal);
        let value = match signal.depth() {
            0 => self.model.peek_bits(signal),
            _ => {
                let row = signal.first_row() + i64::from(row);
                self.model.peek_row_bits(signal, row)
            }
        };
        let value = value.expect("it can be read");
        Bits::from_limbs(signal.width(), value.limbs().iter().copied())
    }

    fn set_timing(&mut self, clock: usize, timing: Timing, next: u64) {
        let (clock, model) = (self.clock(clock), &mut self.model);
        let set = [
            model.set_clock_period(clock, timing.high, timing.low),
            model.set_clock_phase(clock, timing.phase),
            model.start_clock(clock, next),
        ];
        set.into_iter().for_each(|set| set.expect("a clock input"));
        if !timing.run {
            model.stop_clock(clock).expect("a clock input");
        }
    }

    fn events(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.events)
    }

    fn covers(&mut self) -> Vec<(String, u64)> {
        let count = |(site, effect): (usize, &rtlwasm::ir::Effect)| {
            let count = self.model.cover_count(site)?;
            Some((effect.name.clone(), count))
        };
        let effects = self.netlist.effects.iter().enumerate();
        effects.filter_map(count).collect()
    }

    fn time(&mut self) -> u64 {
        self.model.time()
    }

    fn done(&mut self) -> u64 {
        self.done
    }
}
