//! Every fixture: compiled at the lowest, the default and the highest level, and compared three ways in every cycle.
//! Then what each stage made of it at the default level is compared with snapshots. One that must not compile shows its
//! diagnostic as a snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use golden::compare::{self, Agreement, Compiled};
use golden::elaborate::{elaborate_in, in_folder};
use golden::fixture::{self, Fixture};
use golden::oracle::{self, OracleDesign, Trace};
use golden::snapshot::{self, Text};
use golden::{manifest, table};
use rtlwasm::Stage;
use rtlwasm::diag::{self, Colour, Diagnostic, Sources};
use rtlwasm::ir::Netlist;
use rtlwasm::options::{Gating, OptLevel, Options};
use rtlwasm::package::Packaged;
use rtlwasm::pipeline;
use rtlwasm::stage::netlist_stage;

macro_rules! fixture {
    ($test:ident, $path:literal) => {
        #[test]
        fn $test() {
            check(&fixture::load(&fixture::root().join($path)).unwrap());
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/fixtures.rs"));

/// The stages whose text depends on the compiler alone, in order.
const STAGES: &[(&str, Stage)] = &[
    ("ir", Stage::Ir),
    ("opt.ir", Stage::OptIr),
    ("sched", Stage::Sched),
    ("layout", Stage::Layout),
    ("wat", Stage::Functions),
];

fn check(fixture: &Fixture) {
    let mut warnings = Vec::new();
    let elaborated = elaborate_in(&fixture.folder(), &fixture.design(), &mut warnings);
    if fixture.is_error {
        let Err(errors) = elaborated else {
            panic!("{} compiles", fixture.name)
        };
        let text = in_folder(&fixture.folder(), || rendered(&errors.0));
        return snapshot::check(fixture, &[Text::new("diag", &text)]);
    }
    let elaborated = elaborated.unwrap_or_else(|errors| panic!("{}", rendered(&errors.0)));
    for code in &fixture.warnings {
        let given = warnings.iter().any(|warning| warning.code == code);
        assert!(
            given,
            "there is no warning `{code}`, but:\n{}",
            rendered(&warnings)
        );
    }
    let netlist = elaborated.netlist;
    let mut texts: Vec<Text> = STAGES.iter().map(|stage| text(&netlist, *stage)).collect();
    // A trace that is wrong must not become a snapshot, and neither must anything that led to it.
    match catch_unwind(AssertUnwindSafe(|| simulated(fixture, &netlist))) {
        Ok(more) => texts.extend(more),
        Err(panic) => {
            eprintln!("{}: {}", fixture.name, snapshot::compare(fixture, &texts));
            resume_unwind(panic);
        }
    }
    snapshot::check(fixture, &texts);
}

/// The text of one stage; a panic in it does not hide the stages before it.
fn text(netlist: &Netlist, (name, stage): (&'static str, Stage)) -> Text {
    let made = || netlist_stage(netlist.clone(), &Options::default(), stage);
    match catch_unwind(AssertUnwindSafe(made)) {
        Ok(text) => Text::new(name, &text),
        Err(panic) => Text::new(name, snapshot::message(&*panic)),
    }
}

/// Simulates three ways at every level. What the artifact of the default level says of itself and does.
fn simulated(fixture: &Fixture, netlist: &Netlist) -> Vec<Text> {
    let design = fixture.oracle_design(compare::ports(netlist));
    let expected = fixture.oracle.map(|kind| {
        let trace = oracle::trace(kind, &design, &fixture.stimulus);
        trace.unwrap_or_else(|e| panic!("{e}"))
    });
    let compiled = |opt_level| {
        // A fixture is small: at some levels all that can sleep does.
        let gating = match opt_level {
            OptLevel::O1 => Gating::PARTS,
            OptLevel::O3 => Gating::ALL,
            OptLevel::O0 | OptLevel::O2 => Gating::default(),
        };
        let options = Options {
            opt_level,
            gating,
            ..Options::default()
        };
        let packaged = pipeline::compile_netlist(netlist.clone(), &options);
        with_interpreter(fixture, netlist, &design, &options, &packaged);
        let events = match &expected {
            Some(trace) => with_oracle(fixture, &design, &packaged.wasm, trace),
            None => alone(fixture, &design, &packaged.wasm),
        };
        (packaged, events)
    };
    let default = Options::default().opt_level;
    for other in [OptLevel::O0, OptLevel::O1, OptLevel::O3] {
        assert_ne!(other, default);
        compiled(other);
    }
    let (packaged, events) = compiled(default);
    let mut texts = vec![
        Text::new("manifest", &manifest::print(&packaged)),
        Text::new("trace", &table::print(fixture, &design, &packaged)),
    ];
    texts.extend(fixture.shows_events.then(|| Text::new("events", &events)));
    texts
}

/// All that interpreter and artifact show and tell, in every cycle. No name of the netlist may be lost.
fn with_interpreter(
    fixture: &Fixture,
    netlist: &Netlist,
    design: &OracleDesign,
    options: &Options,
    packaged: &Packaged,
) {
    let paths = compare::words(netlist).into_iter();
    let paths: Vec<Vec<String>> = paths
        .map(|id| compare::path(netlist, &netlist.signals[id]))
        .collect();
    let run = (design, &fixture.stimulus);
    let result = compare::with_interpreter(netlist, options, packaged, run, &paths);
    result.unwrap_or_else(|e| panic!("{e}"));
}

/// All outputs in every cycle, and what was written if the fixture says so. What was written, as events.
fn with_oracle(fixture: &Fixture, design: &OracleDesign, wasm: &[u8], trace: &Trace) -> String {
    let mut model = model(design, wasm);
    let mut agreement = Agreement::default();
    let mut text = String::new();
    let mut events = String::new();
    model.apply(&fixture.stimulus.power_on(design));
    for (index, cycle) in fixture.stimulus.cycles(design).enumerate() {
        model.apply(&cycle.inputs);
        model.cycle(cycle.rising);
        let (more, lines) = model.text_and_events();
        text.push_str(&more);
        events.push_str(&lines);
        let Some(row) = trace.rows.get(index) else {
            break;
        };
        let same = compare::same_outputs(design, row, &mut model, &mut agreement);
        same.unwrap_or_else(|e| panic!("in cycle {index}: {e}"));
    }
    assert!(
        agreement.unknown * 10 <= agreement.bits,
        "{agreement:?}: too many unknown bits"
    );
    assert!(agreement.cycles > 0, "nothing was compared");
    if fixture.compares_output {
        assert_eq!(
            text, trace.text,
            "what was written, by the artifact and by the outside simulator"
        );
    }
    events
}

fn alone(fixture: &Fixture, design: &OracleDesign, wasm: &[u8]) -> String {
    let mut model = model(design, wasm);
    model.apply(&fixture.stimulus.power_on(design));
    let mut events = String::new();
    for cycle in fixture.stimulus.cycles(design) {
        model.apply(&cycle.inputs);
        model.cycle(cycle.rising);
        events.push_str(&model.text_and_events().1);
    }
    events
}

fn model(design: &OracleDesign, wasm: &[u8]) -> Compiled {
    let outputs = compare::output_paths(design);
    Compiled::new(wasm, design, &outputs).unwrap_or_else(|e| panic!("{e}"))
}

fn rendered(diagnostics: &[Diagnostic]) -> String {
    diag::render(diagnostics, &Sources::default(), Colour::Never)
}
