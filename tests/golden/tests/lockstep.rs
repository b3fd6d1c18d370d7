//! The reference interpreter behind the interface of an artifact, and artifacts beside it.
//!
//! On random netlists a model of the interpreter shows what the interpreter itself computes, and no divergence is
//! reported of an artifact that is right. One of a netlist with another cell is reported in the cycle in which an
//! outside comparison first sees a difference.

use golden::engine::{End, check};
use golden::lockstep::{Hosted, compiled, seeded};
use golden::random::{self, Case, Clocking, Coverage};
use golden::rng::Rng;
use golden::stimulus::{Op, Reach};
use rtlwasm::arena::Id;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::interp::{Interp, InterpOptions};
use rtlwasm::ir::{CellId, CellKind, Direction, Netlist, SignalId, SignalValue, validate};
use rtlwasm::options::{OptLevel, Options, Strip, Trace};
use rtlwasm::reference::engine::{both, interpreted};
use rtlwasm_abi::Status;
use rtlwasm_host::{Artifact, Error, LoadError, Model, Signal, Value, Watch};

fn case(seed: u64) -> Case {
    Case {
        size: 20 + seed as usize % 7 * 20,
        clocking: match seed % 5 {
            0 => Clocking::OneEdge,
            _ => Clocking::Any,
        },
        reach: match seed % 6 {
            0 => Reach::Reads,
            1 => Reach::Ports,
            _ => Reach::Names,
        },
        calls: 40,
    }
}

/// Policies and levels differ from case to case.
fn options(seed: u64) -> (Options, InterpOptions) {
    let interp = random::policies(seed);
    let options = Options {
        opt_level: [OptLevel::O1, OptLevel::O3, OptLevel::O0, OptLevel::O2][seed as usize % 4],
        ..random::options(interp, case(seed).reach)
    };
    (options, interp)
}

type Compare = dyn Fn(u64, &Netlist, &[Op], &mut Coverage) -> Result<End, String> + Sync;

fn run(count: u64, compare: &Compare) {
    let mut coverage = random::run(random::seeds(count), &case, &|seed, n, calls, coverage| {
        match compare(seed, n, calls, coverage) {
            Ok(end) => coverage.note(&format!("end {end:?}")),
            Err(difference) => return Some(difference),
        }
        None
    });
    ["end Complete", "elsewhere"]
        .iter()
        .for_each(|name| coverage.require(name));
    println!("{coverage}");
    let missing = coverage.missing();
    assert!(missing.is_empty(), "these never came: {missing:?}");
}

#[test]
fn a_model_of_the_interpreter_shows_what_it_computes() {
    run(40, &|seed, n, calls, coverage| {
        let (options, interp) = options(seed);
        let artifact = interpreted(compiled(n, &options).0).expect("an artifact");
        let mut model = Hosted::new(n, &artifact, interp.seed);
        let end = check(n, interp, calls, &mut model);
        (0..model.detours()).for_each(|_| coverage.note("elsewhere"));
        end
    });
}

#[test]
fn no_divergence_is_reported_of_what_is_right() {
    run(40, &|seed, n, calls, coverage| {
        let (options, interp) = options(seed);
        let (source, artifact) = compiled(n, &options);
        let artifact = both(source, artifact).expect("an artifact");
        let mut model = Hosted::new(n, &artifact, interp.seed);
        let end = check(n, interp, calls, &mut model);
        (0..model.detours()).for_each(|_| coverage.note("elsewhere"));
        end
    });
}

/// The netlist with one cell that computes something else, if there is a cell to choose.
fn with_another_cell(n: &Netlist, rng: &mut Rng) -> Option<Netlist> {
    let fixed = |id: CellId| {
        n.latches.values().any(|l| l.value == id) || n.triggers.values().any(|t| t.net == id)
    };
    let choices: Vec<(CellId, CellKind)> = n
        .cells
        .iter()
        .filter(|(id, _)| !fixed(*id))
        .filter_map(|(id, cell)| Some((id, another(&cell.kind)?)))
        .collect();
    if choices.is_empty() {
        return None;
    }
    let (id, kind) = rng.pick(&choices).clone();
    let mut changed = n.clone();
    changed.cells[id].kind = kind;
    validate(&changed);
    Some(changed)
}

/// A kind that takes the same operands.
fn another(kind: &CellKind) -> Option<CellKind> {
    use CellKind::*;
    let other = match kind {
        And(a, b) => Or(*a, *b),
        Or(a, b) => Xor(*a, *b),
        Xor(a, b) => And(*a, *b),
        Add(a, b) => Sub(*a, *b),
        Sub(a, b) => Add(*a, *b),
        Mul(a, b) => Add(*a, *b),
        DivU(a, b) => RemU(*a, *b),
        Eq(a, b) => LtU(*a, *b),
        LtU(a, b) => LtS(*a, *b),
        LtS(a, b) => LtU(*a, *b),
        ZeroExtend(a) => SignExtend(*a),
        SignExtend(a) => ZeroExtend(*a),
        Const(bits) if bits.width() > 0 => Const(bits.not()),
        Mux {
            select,
            on_true,
            on_false,
        } => Mux {
            select: *select,
            on_true: *on_false,
            on_false: *on_true,
        },
        _ => return None,
    };
    Some(other)
}

/// Two interpreters, compared from outside as lockstep says it compares.
struct Outside<'a> {
    right: Interp<'a>,
    wrong: Interp<'a>,
    /// What both artifacts show.
    signals: Vec<SignalId>,
}

impl Outside<'_> {
    /// A call of both; its status, or the cycle in which they differ.
    fn call(&mut self, call: &dyn Fn(&mut Interp) -> Status) -> Result<Status, u64> {
        let (status, other) = (call(&mut self.right), call(&mut self.wrong));
        let (told, others) = (self.right.take_events(), self.wrong.take_events());
        let (mut a, mut b) = (told.iter(), others.iter());
        let alike = a.len() == b.len()
            && a.all(|e| {
                b.next()
                    .is_some_and(|o| (e.site, e.time, &e.args) == (o.site, o.time, &o.args))
            });
        let covered = self.right.covers() == self.wrong.covers();
        let same = status == other
            && (status == Status::NotSettled || alike && covered && self.shows_the_same());
        match same && self.right.time() == self.wrong.time() {
            true => Ok(status),
            false => Err(self.right.trigger(0).1),
        }
    }

    fn shows_the_same(&self) -> bool {
        let n = self.right.netlist();
        let same = |cell| self.right.value(cell) == self.wrong.value(cell);
        self.signals.iter().all(|id| {
            let rows = match n.signals[*id].value {
                SignalValue::Memory(memory) => n.memories[memory].depth,
                SignalValue::Inout { input, enable, .. } if !(same(input) && same(enable)) => {
                    return false;
                }
                SignalValue::Inout { .. } | SignalValue::Cell(_) => 1,
            };
            (0..rows).all(|row| self.right.peek(*id, row) == self.wrong.peek(*id, row))
        })
    }
}

/// Inputs that can be poked.
fn inputs(n: &Netlist) -> Vec<SignalId> {
    let is_input = |signal: &rtlwasm::ir::Signal| match signal.value {
        SignalValue::Cell(cell) => {
            let input = matches!(n.cells[cell].kind, CellKind::Input(_));
            input && signal.direction == Direction::Input && signal.width > 0
        }
        SignalValue::Memory(_) | SignalValue::Inout { .. } => false,
    };
    let found = n.signals.iter().filter(|(_, signal)| is_input(signal));
    found.map(|(id, _)| id).collect()
}

/// The cycle in which a run in lockstep has found a difference.
fn diverged<T>(run: Result<T, Error>) -> Result<T, u64> {
    run.map_err(|error| match error {
        Error::Diverged(found) => found.cycle,
        error => panic!("{error}"),
    })
}

/// A model of both, or the cycle in which they differ at power-on.
fn powered_on(artifact: &Artifact, seed: u64) -> Result<Model, u64> {
    artifact.model(&seeded(seed)).map_err(|error| match error {
        LoadError::Reset(error) => diverged::<()>(Err(*error)).expect_err("it has failed"),
        error => panic!("{error}"),
    })
}

/// Runs a model of both and the comparison from outside; the cycle of the difference.
fn found_alike(
    n: &Netlist,
    artifact: &Artifact,
    seed: u64,
    mut outside: Outside,
    rng: &mut Rng,
) -> Result<Option<u64>, String> {
    let expected = outside.call(&|interp| interp.reset());
    let mut model = match (powered_on(artifact, seed), expected) {
        (Ok(_), Ok(Status::NotSettled)) => return Ok(None),
        (Ok(model), Ok(_)) => model,
        (found, expected) => return same_cycle("power-on", found.map(drop), expected),
    };
    let clock = model.clocks()[0].name.clone();
    let clock = model.clock(&clock).expect("its first clock");
    let inputs = inputs(n);
    for call in 0..12 {
        for _ in 0..rng.below(4) {
            let id = *rng.pick(&inputs);
            let bits = rng.bits(n.signals[id].width);
            let signal = model.signal(n.signal_path(id)).expect("an input");
            let value = Value::from_limbs(bits.width(), bits.limbs());
            model.poke_bits(signal, &value).expect("an input");
            outside.right.poke(id, 0, &bits);
            outside.wrong.poke(id, 0, &bits);
        }
        let cycles = rng.below(5) as u64;
        let mut expected = outside.call(&|interp| interp.step(0, cycles.min(1)));
        for _ in 1..cycles {
            if expected == Ok(Status::Ok) {
                expected = outside.call(&|interp| interp.step(0, 1));
            }
        }
        match (diverged(model.step(clock, cycles)), expected) {
            (Ok(run), Ok(status)) if run.status == status => {}
            (found, expected) => {
                let found = found.map(drop);
                return same_cycle(&format!("call {call}"), found, expected);
            }
        }
        if expected == Ok(Status::NotSettled) {
            break;
        }
    }
    Ok(None)
}

fn same_cycle(
    call: &str,
    found: Result<(), u64>,
    expected: Result<Status, u64>,
) -> Result<Option<u64>, String> {
    match (found, expected) {
        (Err(found), Err(expected)) if found == expected => Ok(Some(found)),
        (found, expected) => Err(format!(
            "{call}: lockstep says {found:?}, the comparison from outside {expected:?}"
        )),
    }
}

#[test]
fn another_cell_is_reported_in_the_cycle_in_which_it_shows() {
    let mut coverage = random::run(random::seeds(40), &case, &|seed, n, _, coverage| {
        let rng = &mut Rng::new(seed);
        let changed = with_another_cell(n, rng)?;
        let (mut options, interp) = options(seed);
        options.strip = Strip::Full;
        let (source, right) = compiled(n, &options);
        let (_, wrong) = compiled(&changed, &options);
        let shown = |id: &SignalId| {
            let path = n.signal_path(*id);
            right.signal(path.clone()).is_ok() && wrong.signal(path).is_ok()
        };
        let outside = Outside {
            signals: (0..n.signals.len()).map(Id::new).filter(shown).collect(),
            right: Interp::new(n, interp),
            wrong: Interp::new(&changed, interp),
        };
        let artifact = both(source, wrong.clone()).expect("the same ports");
        match found_alike(n, &artifact, interp.seed, outside, rng) {
            Ok(None) => coverage.note("not seen"),
            Ok(Some(0)) => coverage.note("seen at once"),
            Ok(Some(_)) => coverage.note("seen later"),
            Err(difference) => return Some(difference),
        }
        None
    });
    let required = ["not seen", "seen at once", "seen later"];
    required.iter().for_each(|name| coverage.require(name));
    println!("{coverage}");
    let missing = coverage.missing();
    assert!(missing.is_empty(), "these never came: {missing:?}");
}

const COUNTER: &str = r"
attribute \top 1
module \top
  wire input 1 \clk
  wire input 2 width 8 \by
  wire output 3 width 8 \count
  wire width 8 \next
  cell $add $1
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_WIDTH 8
    parameter \Y_WIDTH 8
    connect \A \count
    connect \B \by
    connect \Y \next
  end
  cell $dff $2
    parameter \WIDTH 8
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \next
    connect \Q \count
  end
end
";

/// The counter with a cover that is enabled by a bit of an input.
fn covered(bit: u32) -> (std::sync::Arc<rtlwasm::reference::Source>, Artifact) {
    let cover = format!(
        r#"
  cell $check $3
    parameter \FLAVOR "cover"
    parameter \FORMAT ""
    parameter \ARGS_WIDTH 0
    parameter \PRIORITY 0
    parameter \TRG_ENABLE 1
    parameter \TRG_WIDTH 1
    parameter \TRG_POLARITY 1
    connect \A 1'1
    connect \EN \by [{bit}]
    connect \ARGS {{ }}
    connect \TRG \clk
  end
end
"#
    );
    let text = COUNTER.trim_end().strip_suffix("end").expect("a module");
    let text = format!("{text}{cover}");
    let netlist = read("top.il", &text, &ReadOptions::default(), &mut Vec::new());
    compiled(&netlist.expect("legal RTLIL"), &Options::default())
}

#[test]
fn covers_are_compared() {
    let (source, _) = covered(0);
    let beside = both(source, covered(1).1).expect("the same ports");
    let mut model = beside.model(&seeded(0)).expect("a model");
    let (clock, by) = (model.only_clock().unwrap(), model.signal("by").unwrap());
    model.poke(by, 3).unwrap();
    assert_eq!(model.step(clock, 2).unwrap().status, Status::Ok);
    model.poke(by, 1).unwrap();
    match model.step(clock, 2) {
        Err(Error::Diverged(found)) => {
            assert!(found.what.starts_with("cover "), "{found}");
            let told = (found.reference.as_str(), found.compiled.as_str());
            assert_eq!((told, found.cycle), (("3", "2"), 3));
        }
        other => panic!("{other:?}"),
    }
}

/// A model of the counter in each engine: interp, both, and the artifact itself.
fn counters() -> [Model; 3] {
    let netlist = read("top.il", COUNTER, &ReadOptions::default(), &mut Vec::new());
    let options = Options {
        trace: Trace::On,
        ..Options::default()
    };
    let (source, artifact) = compiled(&netlist.expect("legal RTLIL"), &options);
    let alone = interpreted(source.clone()).expect("an artifact");
    let beside = both(source, artifact.clone()).expect("an artifact");
    [alone, beside, artifact].map(|artifact| artifact.model(&seeded(0)).expect("a model"))
}

/// Everything that only the artifact itself does.
fn only_artifacts_do(model: &mut Model) -> Vec<Result<(), Error>> {
    let (clk, by, count) = ("clk", "by", "count");
    let of = |name: &str| -> Signal { model.signal(name).expect("a port") };
    let (clk, by, count) = (of(clk), of(by), of(count));
    let mut script = rtlwasm_host::Script::new();
    script.eval();
    vec![
        model.stage(by, &Value::from_u64(8, 3)),
        model.start_trace(),
        model.peek_before(count).map(drop),
        model.watch(Watch::rose(clk)).map(drop),
        model.watch(Watch::equals(count, 6)).map(drop),
        model.watch(Watch::rose(clk).keep_before()).map(drop),
        model.play(&mut script).map(drop),
    ]
}

#[test]
fn what_only_artifacts_do_is_refused_by_name() {
    let [mut interp, mut both, mut artifact] = counters();
    assert!(only_artifacts_do(&mut artifact).iter().all(Result::is_ok));
    let ways = [
        "staged writes: poke, ",
        "change trace: compare values between runs",
        "values from before an edge: read them before the run",
        "stops in the middle of an instant: make the watch stop `after_instant`",
        "stops in the middle of an instant: make the watch stop `after_instant`",
        "values from before an edge: read them before the run",
        "scripts: make the calls one by one",
    ];
    for (name, model) in [("interp", &mut interp), ("both", &mut both)] {
        let refused = only_artifacts_do(model);
        assert_eq!(refused.len(), ways.len());
        for (refused, way) in refused.into_iter().zip(ways) {
            let error = refused.expect_err("it is refused");
            assert!(matches!(error, Error::NotInEngine { engine, .. } if engine == name));
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("engine `{name}` has no {way}")),
                "{text}"
            );
            assert!(
                text.ends_with(", or run the artifact itself (engine `wasm`)"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let [interp, both, _] = counters();
    for mut model in [interp, both] {
        let (clock, by) = (model.only_clock().unwrap(), model.signal("by").unwrap());
        let count = model.signal("count").unwrap();
        model.poke(by, 2).unwrap();
        let refused = only_artifacts_do(&mut model);
        assert!(refused.iter().all(Result::is_err));
        assert!(!model.hold_edges() && !model.edge_pending());
        let run = model.step(clock, 3).unwrap();
        assert_eq!((run.status, run.cycles), (Status::Ok, 3));
        assert_eq!(model.peek(count).unwrap(), 6);
        let watch = Watch::equals(count, 10).after_instant();
        let watch = model.watch(watch).unwrap();
        assert_eq!(model.step(clock, 9).unwrap().status, Status::WatchHit);
        assert_eq!(model.watches_hit().collect::<Vec<_>>(), [watch]);
        assert_eq!(model.peek(count).unwrap(), 10);
    }
}
