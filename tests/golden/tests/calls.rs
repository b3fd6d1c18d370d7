//! Calls that do many things at once: `rtl_run_until` and `rtl_play` on every fixture with one clock, and runs that
//! fill the event ring many times. Each against the interpreter, which goes cycle by cycle and has no ring.

use golden::artifact::{self, wasmtime};
use golden::compare::{self, path};
use golden::elaborate::elaborate_in;
use golden::engine::check;
use golden::fixture::{self, Fixture};
use golden::oracle::OracleDesign;
use golden::stimulus::Op;
use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::interp::{Condition, Interp, InterpOptions, Timing};
use rtlwasm::ir::{Direction, Netlist, SignalId, TriggerRole};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm_abi::Status;
use rtlwasm_host::{Artifact, Clock, Error, Model, ModelOptions, Run, Script, Signal};

/// Cycles of a fixture's own stimulus before waiting for a value, and the most to wait.
const BEFORE: usize = 8;
const WAIT: u64 = 40;
/// Signals of a fixture that are waited for.
const SIGNALS: usize = 12;

/// A design, the interpreter of it as read, and the artifact.
struct Pair<'a> {
    design: OracleDesign,
    netlist: &'a Netlist,
    interp: Interp<'a>,
    trigger: usize,
    model: Model,
    clock: Clock,
}

impl<'a> Pair<'a> {
    fn new(fixture: &Fixture, netlist: &'a Netlist) -> Pair<'a> {
        let wasm = pipeline::compile_netlist(netlist.clone(), &Options::default()).wasm;
        let options = ModelOptions {
            cache_dir: None,
            ..ModelOptions::default()
        };
        let artifact = Artifact::from_bytes(&wasm, &options).unwrap();
        let model = artifact.model(&options).unwrap();
        let mut interp = Interp::new(netlist, InterpOptions::default());
        interp.reset();
        let mut triggers = netlist.triggers.values();
        Pair {
            design: fixture.oracle_design(compare::ports(netlist)),
            netlist,
            interp,
            trigger: triggers
                .position(|trigger| trigger.role == TriggerRole::PrimaryClock)
                .unwrap(),
            clock: model.clock(&fixture.clocks[0]).unwrap(),
            model,
        }
    }

    /// The ports that the stimulus gives values, for both.
    fn inputs(&self) -> Vec<(SignalId, Signal)> {
        let port = |name: &String| {
            let top = |id: &SignalId| self.netlist.signals[*id].direction != Direction::None;
            let mut ids = signals(self.netlist).filter(top);
            let id = ids
                .find(|id| self.netlist.signals[*id].name == *name)
                .unwrap();
            let is_inout = self.netlist.signals[id].direction == Direction::Inout;
            let path: Vec<&str> = match is_inout {
                true => vec![name, "in"],
                false => vec![name],
            };
            (id, self.model.signal(path).unwrap())
        };
        self.design
            .inputs()
            .map(|input| port(&input.name))
            .collect()
    }

    /// Signals of up to 64 bits that are no inputs.
    fn waited_for(&self) -> Vec<(SignalId, Signal)> {
        let words = compare::words(self.netlist).into_iter();
        let wanted = words.filter(|id| {
            let signal = &self.netlist.signals[*id];
            (1..=64).contains(&signal.width)
                && matches!(signal.direction, Direction::None | Direction::Output)
        });
        let both = |id| (id, self.signal(id));
        wanted.take(SIGNALS).map(both).collect()
    }

    fn signal(&self, id: SignalId) -> Signal {
        let path = path(self.netlist, &self.netlist.signals[id]);
        self.model.signal(path).unwrap()
    }

    fn apply(&mut self, inputs: &[Vec<u64>]) {
        for ((id, signal), value) in self.inputs().iter().zip(inputs) {
            let bits = Bits::from_limbs(signal.width(), value.iter().copied());
            self.interp.poke(*id, 0, &bits);
            let value = rtlwasm_host::Value::from_limbs(signal.width(), value);
            self.model.poke_bits(*signal, &value).unwrap();
        }
        let status = self.model.eval().unwrap().status;
        assert_eq!(self.interp.eval(), status);
    }

    /// Every word, the time, and all events since the last time this was called.
    fn assert_same(&mut self, when: &str) {
        for id in compare::words(self.netlist) {
            let signal = self.signal(id);
            let found = self.model.peek_bits(signal).unwrap();
            let name = path(self.netlist, &self.netlist.signals[id]).join(".");
            let expected = self.interp.peek(id, 0);
            assert_eq!(expected.limbs(), found.limbs(), "{name} {when}");
        }
        assert_eq!(self.interp.time(), self.model.time(), "{when}");
        let expected: Vec<Record> = self.interp.take_events().iter().map(interpreted).collect();
        let found: Vec<Record> = self.model.events().map(|event| told(&event)).collect();
        assert_eq!(expected, found, "{when}");
    }
}

fn signals(netlist: &Netlist) -> impl Iterator<Item = SignalId> {
    (0..netlist.signals.len()).map(Id::new)
}

/// Time and arguments of an event.
type Record = (u64, Vec<Vec<u64>>);

fn interpreted(event: &rtlwasm::ir::interp::Event) -> Record {
    let args = event.args.iter().map(|arg| arg.limbs().to_vec());
    (event.time, args.collect())
}

fn told(event: &rtlwasm_host::Event) -> Record {
    let args = event.args.iter().map(|arg| arg.limbs().to_vec());
    (event.time, args.collect())
}

/// Every fixture with one clock that something acts on.
fn each(run: impl Fn(&Fixture, &mut Pair)) {
    let fixtures = fixture::all().unwrap();
    let clocked = |f: &&Fixture| !f.is_error && f.clocks.len() == 1 && f.plusargs.is_empty();
    let mut count = 0;
    for fixture in fixtures.iter().filter(clocked) {
        let netlist = netlist(fixture);
        let is_clock = |t: &rtlwasm::ir::Trigger| t.role == TriggerRole::PrimaryClock;
        if netlist.triggers.values().filter(|t| is_clock(t)).count() == 1 {
            println!("{}", fixture.name);
            run(fixture, &mut Pair::new(fixture, &netlist));
            count += 1;
        }
    }
    assert!(count > 40, "only {count} fixtures");
}

fn netlist(fixture: &Fixture) -> Netlist {
    let elaborated = elaborate_in(&fixture.folder(), &fixture.design(), &mut Vec::new());
    let elaborated = elaborated.unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
    elaborated.netlist
}

#[test]
fn run_until_stops_where_the_interpreter_does() {
    each(|fixture, pair| {
        let cycles: Vec<_> = fixture.stimulus.cycles(&pair.design).take(BEFORE).collect();
        for cycle in cycles {
            pair.apply(&cycle.inputs);
            let status = pair.interp.step(pair.trigger, 1);
            assert_eq!(status, pair.model.step(pair.clock, 1).unwrap().status);
            if status != Status::Ok {
                return;
            }
        }
        pair.assert_same("before waiting");
        for (id, signal) in pair.waited_for() {
            for value in [later_value(pair, id), never(pair, id)]
                .into_iter()
                .flatten()
            {
                if wait(pair, id, signal, value) != Status::Ok {
                    return;
                }
            }
        }
    });
}

/// Waits with both; the status, or `Ok` when the condition did not come true, after which one may go on.
fn wait(pair: &mut Pair, id: SignalId, signal: Signal, value: u64) -> Status {
    let condition = Condition {
        signal: id,
        row: 0,
        limb: 0,
        mask: u64::MAX,
        value,
    };
    let expected = pair.interp.run_until(pair.trigger, WAIT, condition);
    let run = match value % 2 {
        0 => pair
            .model
            .run_until(pair.clock, WAIT, signal, value)
            .unwrap(),
        _ => wait_in_script(&mut pair.model, pair.clock, signal, value),
    };
    let when = format!(
        "waiting for `{}` = {value:#x}",
        pair.netlist.signals[id].name
    );
    assert_eq!(
        (expected, pair.interp.done()),
        (run.status, run.cycles),
        "{when}"
    );
    pair.assert_same(&when);
    match expected {
        Status::ConditionNotMet => Status::Ok,
        status => status,
    }
}

/// The same as an operation of a script, where the module knows the signal's place.
fn wait_in_script(model: &mut Model, clock: Clock, signal: Signal, value: u64) -> Run {
    let mut script = Script::new();
    let added = script
        .run_until(model, (clock, WAIT), signal, value)
        .unwrap();
    let Some(operation) = added else {
        return model.run_until(clock, WAIT, signal, value).unwrap();
    };
    let mut alone = script.clone();
    alone.truncate(operation + 1);
    let refused = model.play(&mut alone);
    assert!(matches!(
        refused,
        Err(Error::Refused {
            status: Status::BadArgument,
            ..
        })
    ));
    let played = model.play(&mut script).unwrap();
    let stopped = (played.status != Status::Ok).then_some(operation);
    assert_eq!(played.stopped_at, stopped);
    let cycles = script.cycles_until(operation);
    Run {
        status: played.status,
        cycles,
    }
}

/// The first value that the signal does not have now, within the cycles to wait.
fn later_value(pair: &mut Pair, id: SignalId) -> Option<u64> {
    let before = pair.interp.snapshot();
    let now = pair.interp.peek(id, 0);
    let other = (0..WAIT).find_map(|_| {
        let status = pair.interp.step(pair.trigger, 1);
        let value = pair.interp.peek(id, 0);
        (status == Status::Ok && value != now).then(|| value.limbs()[0])
    });
    pair.interp.restore(&before);
    pair.interp.take_events();
    other
}

/// A value that does not come within the cycles to wait.
fn never(pair: &mut Pair, id: SignalId) -> Option<u64> {
    let before = pair.interp.snapshot();
    let mut seen = vec![pair.interp.peek(id, 0)];
    for _ in 0..WAIT {
        pair.interp.step(pair.trigger, 1);
        seen.push(pair.interp.peek(id, 0));
    }
    pair.interp.restore(&before);
    pair.interp.take_events();
    let width = pair.netlist.signals[id].width;
    let values = (0..1u64 << width.min(8)).map(|value| Bits::from_u64(width, value));
    let mut unseen = values.filter(|value| !seen.contains(value));
    unseen.next().map(|value| value.limbs()[0])
}

#[test]
fn a_script_does_what_the_interpreter_does() {
    each(|fixture, pair| {
        let mut script = Script::new();
        let stopped = write_script(fixture, pair, &mut script);
        let played = pair.model.play(&mut script).unwrap();
        let expected = match stopped {
            Some((status, operation)) => (status, Some(operation)),
            None => (Status::Ok, None),
        };
        assert_eq!((played.status, played.stopped_at), expected);
        pair.assert_same("after the script");
    });
}

/// The whole stimulus as a script that expects of every output what the interpreter shows. Where the interpreter
/// stops, and at which operation.
fn write_script(
    fixture: &Fixture,
    pair: &mut Pair,
    script: &mut Script,
) -> Option<(Status, usize)> {
    let stimulus = fixture.stimulus.clone();
    let design = pair.design.clone();
    let inputs = pair.inputs();
    let outputs: Vec<(SignalId, Signal)> = compare::outputs(pair.netlist)
        .into_iter()
        .map(|id| (id, pair.signal(id)))
        .collect();
    for cycle in stimulus.cycles(&design) {
        for ((id, signal), value) in inputs.iter().zip(&cycle.inputs) {
            let bits = Bits::from_limbs(signal.width(), value.iter().copied());
            pair.interp.poke(*id, 0, &bits);
            for (word, limb) in value.iter().enumerate() {
                script.poke_word(*signal, word as u32, *limb, u64::MAX);
            }
        }
        let operation = script.eval();
        let status = pair.interp.eval();
        if status != Status::Ok {
            return Some((status, operation));
        }
        let operation = script.step(pair.clock, 1);
        let status = pair.interp.step(pair.trigger, 1);
        if status != Status::Ok {
            return Some((status, operation));
        }
        for (id, signal) in &outputs {
            for (word, limb) in pair.interp.peek(*id, 0).limbs().iter().enumerate() {
                script.expect(*signal, word as u32, u64::MAX, *limb);
            }
        }
    }
    None
}

fn ring_full() -> Fixture {
    fixture::load(&fixture::root().join("event/ring_full.v")).unwrap()
}

#[test]
fn a_full_ring_loses_nothing() {
    let netlist = netlist(&ring_full());
    let timing = Timing {
        high: 2,
        low: 3,
        phase: 1,
        run: true,
    };
    let is_data = |id: &SignalId| netlist.signals[*id].name == "data";
    let data = signals(&netlist).find(is_data).unwrap().index();
    let poke = |value| Op::Poke {
        signal: data,
        row: 0,
        value: Bits::from_u64(100, value),
    };
    let clock = 0;
    let step = |n| Op::Step { clock, n };
    let calls = [
        poke(1),
        step(1000),
        poke(2),
        step(1),
        Op::Timing {
            clock,
            timing,
            after: 4,
        },
        Op::Advance { by: 2000 },
        Op::Edges { rise: 1, fall: 0 },
        poke(3),
        step(333),
    ];
    let mut artifact = artifact::Artifact::new(&wasmtime(), &netlist, &Options::default(), 0);
    check(&netlist, InterpOptions::default(), &calls, &mut artifact)
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(
        artifact.times_full() > 30,
        "{} times",
        artifact.times_full()
    );
}

#[test]
fn waits_and_scripts_go_on_after_a_full_ring() {
    let fixture = ring_full();
    let netlist = netlist(&fixture);
    let mut pair = Pair::new(&fixture, &netlist);
    let count = compare::outputs(&netlist)[0];
    let signal = pair.signal(count);
    for value in [700, 600] {
        let condition = Condition {
            signal: count,
            row: 0,
            limb: 0,
            mask: u64::MAX,
            value,
        };
        let expected = pair.interp.run_until(pair.trigger, 2000, condition);
        let run = pair
            .model
            .run_until(pair.clock, 2000, signal, value)
            .unwrap();
        assert_eq!((expected, pair.interp.done()), (run.status, run.cycles));
        pair.assert_same("after waiting");
    }
    let mut script = Script::new();
    script.step(pair.clock, 900);
    let value = script.peek(signal, 0);
    script.step(pair.clock, 7);
    let played = pair.model.play(&mut script).unwrap();
    assert_eq!((played.status, played.stopped_at), (Status::Ok, None));
    pair.interp.step(pair.trigger, 900);
    assert_eq!(script.value(value), pair.interp.peek(count, 0).limbs()[0]);
    pair.interp.step(pair.trigger, 7);
    pair.assert_same("after the script");
}
