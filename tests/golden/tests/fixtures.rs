//! Every fixture: compiled at the lowest and the highest level, and compared three ways in every cycle. One that must
//! not compile shows its diagnostic as a snapshot.

use golden::compare::{self, Agreement, Compiled, Simulation};
use golden::elaborate::{elaborate_in, in_folder};
use golden::fixture::{self, Fixture};
use golden::oracle::{self, OracleDesign, Trace};
use rtlwasm::diag::{self, Colour, Diagnostic, Sources};
use rtlwasm::ir::Netlist;
use rtlwasm::options::{OptLevel, Options};
use rtlwasm::pipeline;

macro_rules! fixture {
    ($test:ident, $path:literal) => {
        #[test]
        fn $test() {
            check(&fixture::load(&fixture::root().join($path)).unwrap());
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/fixtures.rs"));

fn check(fixture: &Fixture) {
    let mut warnings = Vec::new();
    let elaborated = elaborate_in(&fixture.folder(), &fixture.design(), &mut warnings);
    if fixture.is_error {
        let Err(errors) = elaborated else {
            panic!("{} compiles", fixture.name)
        };
        let text = in_folder(&fixture.folder(), || rendered(&errors.0));
        return snapshot(fixture, "diag", &text);
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
    let simulated = fixture.oracle_design(compare::ports(&netlist));
    for opt_level in [OptLevel::O0, OptLevel::O3] {
        let options = Options {
            opt_level,
            ..Options::default()
        };
        let wasm = pipeline::compile_netlist(netlist.clone(), &options).wasm;
        with_interpreter(fixture, &netlist, &simulated, &wasm);
        let text = match fixture.oracle {
            Some(kind) => {
                let trace = oracle::trace(kind, &simulated, &fixture.stimulus);
                with_oracle(
                    fixture,
                    &simulated,
                    &wasm,
                    &trace.unwrap_or_else(|e| panic!("{e}")),
                )
            }
            None => alone(fixture, &simulated, &wasm),
        };
        if fixture.shows_events {
            snapshot(fixture, "events", &text);
        }
    }
}

/// All named signals in every cycle.
fn with_interpreter(fixture: &Fixture, netlist: &Netlist, design: &OracleDesign, wasm: &[u8]) {
    let watched = compare::words(netlist);
    let paths: Vec<Vec<String>> = watched
        .iter()
        .map(|id| compare::path(netlist, &netlist.signals[*id]))
        .collect();
    let mut model = Compiled::new(wasm, design, &paths).unwrap_or_else(|e| panic!("{e}"));
    let result =
        compare::interpreter_and_artifact(netlist, &mut model, design, &fixture.stimulus, &watched);
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

fn snapshot(fixture: &Fixture, stage: &str, text: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::path::Path::new(folder).join(fixture.group()));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("{}.{stage}", fixture.stem()), text));
}
