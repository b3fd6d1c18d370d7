//! The change trace: what it tells is what a second model shows that is stepped cycle by cycle.

use std::collections::BTreeMap;

use golden::elaborate::elaborate_in;
use golden::fixture::{self, Fixture};
use golden::random::{Clocking, netlist};
use golden::rng::Rng;
use golden::stimulus::{Op, Reach, stimulus};
use rtlwasm::ir::{Direction, Netlist, SignalValue};
use rtlwasm::options::{Gating, OptLevel, Options, Trace};
use rtlwasm::pipeline;
use rtlwasm_host::manifest::Signal as Entry;
use rtlwasm_host::{Artifact, Change, Error, Model, ModelOptions, Signal, Status, Value};

/// Cycles of one call of the model that is traced.
const CYCLES: u64 = 60;

fn models(netlist: &Netlist, options: &Options) -> [Model; 2] {
    let wasm = pipeline::compile_netlist(netlist.clone(), options).wasm;
    let options = ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    };
    let artifact = Artifact::from_bytes(&wasm, &options).expect("an artifact");
    [(); 2].map(|()| artifact.model(&options).expect("a model"))
}

fn traced() -> Options {
    Options {
        trace: Trace::On,
        ..Options::default()
    }
}

/// What the trace has told so far.
#[derive(Default)]
struct Told {
    words: BTreeMap<(u32, u32), u64>,
    /// Not yet taken in.
    ahead: Vec<Change>,
}

impl Told {
    /// Takes in what happened before a time.
    fn until(&mut self, time: u64) {
        let later = self.ahead.iter().position(|c| c.time >= time);
        let later = later.unwrap_or(self.ahead.len());
        for change in self.ahead.drain(..later) {
            self.words
                .insert((change.signal, change.word), change.value);
        }
    }

    /// All words of signals that it tells of are those of the model; how many there are.
    fn check(&self, model: &mut Model, when: &str) -> usize {
        for ((id, word), value) in &self.words {
            let signal = model
                .artifact()
                .signal_by_id(*id)
                .expect("an id of the artifact");
            let found = word_of(model, signal, *word);
            let name = model.artifact().path(signal);
            assert_eq!(*value, found, "`{name}` word {word} {when}");
        }
        self.words.len()
    }
}

fn word_of(model: &mut Model, signal: Signal, word: u32) -> u64 {
    let limbs = signal.width().div_ceil(64).max(1);
    let value = match signal.depth() {
        0 => model.peek_bits(signal),
        _ => model.peek_row_bits(signal, signal.first_row() + i64::from(word / limbs)),
    };
    value.expect("it is shown").limbs()[(word % limbs) as usize]
}

fn netlist_of(fixture: &Fixture) -> Netlist {
    let elaborated = elaborate_in(&fixture.folder(), &fixture.design(), &mut Vec::new());
    elaborated
        .unwrap_or_else(|e| panic!("{}: {e}", fixture.name))
        .netlist
}

/// Gives inputs that are no clocks random values, the same in both.
fn poke(models: &mut [Model; 2], rng: &mut Rng) {
    let clocks: Vec<String> = models[0].clocks().iter().map(|c| c.name.clone()).collect();
    let ports = models[0].artifact().manifest().signals.clone();
    for (id, port) in ports.iter().enumerate() {
        let is_clock = port.path.len() == 1 && clocks.contains(&port.path[0]);
        if port.kind != "input" || port.access != "rw" || is_clock || rng.percent(30) {
            continue;
        }
        let value = Value::from_limbs(port.width, rng.bits(port.width).limbs());
        for model in models.iter_mut() {
            let signal = model.artifact().signal_by_id(id as u32).expect("a port");
            model.poke_bits(signal, &value).expect("an input");
        }
    }
}

#[test]
fn one_long_call_tells_every_cycle() {
    let fixtures = fixture::all().expect("fixtures");
    let clocked = |f: &&Fixture| !f.is_error && f.clocks.len() == 1;
    let mut words = 0;
    for fixture in fixtures.iter().filter(clocked) {
        println!("{}", fixture.name);
        let netlist = netlist_of(fixture);
        let mut models = models(&netlist, &traced());
        let Ok(clock) = models[0].only_clock() else {
            continue;
        };
        let (mut told, mut rng) = (Told::default(), Rng::new(1));
        models[0].start_trace().expect("it is built with it");
        for _ in 0..4 {
            poke(&mut models, &mut rng);
            let run = models[0].step(clock, CYCLES).expect("it runs");
            told.ahead.extend(models[0].changes());
            for cycle in 0..run.cycles {
                let _ = models[1].step(clock, 1).expect("it runs");
                let time = models[1].time();
                told.until(time);
                words += told.check(
                    &mut models[1],
                    &format!("cycle {cycle} of {}", fixture.name),
                );
            }
            if run.status != Status::Ok {
                break;
            }
        }
    }
    assert!(words > 10_000, "only {words} words");
}

/// Signals that the trace must tell of.
fn stored(model: &Model) -> usize {
    let is_told =
        |s: &&Entry| s.access != "c" && s.alias_of.is_none() && s.depth == 0 && s.width > 0;
    model.artifact().signals().iter().filter(is_told).count()
}

#[test]
fn random_netlists_are_told_as_they_are() {
    for seed in 0..60 {
        let clocking = [Clocking::Any, Clocking::OneEdge, Clocking::Repeated][seed as usize % 3];
        let netlist = netlist(seed, 60 + seed as usize, clocking);
        let options = Options {
            opt_level: [OptLevel::O0, OptLevel::O1][seed as usize % 2],
            gating: [Gating::ALL, Gating::PARTS][seed as usize / 2 % 2],
            ..traced()
        };
        let [mut model, _] = models(&netlist, &options);
        let mut told = Told::default();
        model.start_trace().expect("it is built with it");
        for (i, op) in stimulus(&netlist, Reach::Reads, seed, 60)
            .iter()
            .enumerate()
        {
            let Some(status) = call(&mut model, &netlist, op) else {
                continue;
            };
            if status == Status::NotSettled {
                break;
            }
            told.ahead.extend(model.changes());
            told.until(u64::MAX);
            told.check(&mut model, &format!("after call {i} {op:?} of seed {seed}"));
            let scalars = told.words.keys().filter(|(id, _)| {
                model
                    .artifact()
                    .signal_by_id(*id)
                    .is_some_and(|s| s.depth() == 0)
            });
            let mut ids: Vec<u32> = scalars.map(|(id, _)| *id).collect();
            ids.dedup();
            assert_eq!(ids.len(), stored(&model), "signals of seed {seed}");
        }
    }
}

/// One call through the host; `None` for what this test leaves out.
fn call(model: &mut Model, n: &Netlist, op: &Op) -> Option<Status> {
    let run = match op {
        Op::Poke { signal, value, .. } => {
            let signal = n.signals.iter().nth(*signal)?.1;
            let is_port = signal.direction == Direction::Input;
            if is_port && matches!(signal.value, SignalValue::Cell(_)) {
                let value = Value::from_limbs(value.width(), value.limbs());
                let port = model.signal([signal.name.as_str()]).ok()?;
                model.poke_bits(port, &value).expect("an input");
            }
            return None;
        }
        Op::Eval => model.eval(),
        Op::Step { clock, n } => {
            let name = model.clocks()[*clock].name.clone();
            let clock = model.clock(&name).ok()?;
            model.step(clock, *n)
        }
        Op::Advance { by } => model.advance(model.time() + by),
        _ => return None,
    };
    Some(run.expect("it runs").status)
}

#[test]
fn a_full_ring_of_changes_loses_none() {
    let fixture = fixture::load(&fixture::root().join("seq/lfsr.v")).expect("a fixture");
    let netlist = netlist_of(&fixture);
    let [mut model, mut other] = models(&netlist, &traced());
    let clock = model.only_clock().expect("one clock");
    model.start_trace().expect("it is built with it");
    let run = model.step(clock, 20_000).expect("it runs");
    assert_eq!((run.status, run.cycles), (Status::Ok, 20_000));
    let mut told = Told::default();
    told.ahead.extend(model.changes());
    assert!(told.ahead.len() > 40_000, "{} changes", told.ahead.len());
    for _ in 0..200 {
        let _ = other.step(clock, 100).expect("it runs");
        told.until(other.time());
        told.check(&mut other, "every hundred cycles");
    }
    model.stop_trace();
    let _ = model.step(clock, 10).expect("it runs");
    assert_eq!(model.changes().count(), 0);
}

#[test]
fn an_artifact_without_it_says_so() {
    let fixture = fixture::load(&fixture::root().join("seq/lfsr.v")).expect("a fixture");
    let [mut model, _] = models(&netlist_of(&fixture), &Options::default());
    assert!(matches!(model.start_trace(), Err(Error::NotTraced)));
    assert!(model.artifact().manifest().features.is_empty());
}
