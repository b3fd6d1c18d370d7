//! The same artifacts in another engine: every fixture under wasmtime and under Node's own WebAssembly, all outputs
//! and statuses in every cycle. Node sees no host library of ours, only the exports.

use std::fs;
use std::path::Path;
use std::process::Command;

use golden::compare::{self, Compiled, Simulation};
use golden::elaborate::elaborate_in;
use golden::fixture::{self, Fixture};
use golden::oracle::{self, OracleDesign};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm_abi::Status;

#[test]
fn traces_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = fixture::all().unwrap();
    let cases: Vec<(&Fixture, String)> = fixtures
        .iter()
        .filter(|fixture| !fixture.is_error)
        .map(|fixture| (fixture, prepare(fixture, folder.path())))
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/node/replay.mjs");
    let output = Command::new("node").arg(script).arg(folder.path()).output();
    let output = output.expect("node is not installed (`cargo xtask setup` installs it)");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (fixture, expected) in &cases {
        let path = folder.path().join(format!("{}.trace", file_name(fixture)));
        let found = fs::read_to_string(path).unwrap();
        for (cycle, (a, b)) in expected.lines().zip(found.lines()).enumerate() {
            assert_eq!(a, b, "{} in cycle {cycle}: wasmtime and Node", fixture.name);
        }
        assert_eq!(
            expected.lines().count(),
            found.lines().count(),
            "{}",
            fixture.name
        );
    }
}

fn file_name(fixture: &Fixture) -> String {
    fixture.name.replace('/', "-")
}

/// Writes what Node needs; the trace under wasmtime.
fn prepare(fixture: &Fixture, folder: &Path) -> String {
    let design = fixture.design();
    let elaborated = elaborate_in(&fixture.folder(), &design, &mut Vec::new());
    let netlist = elaborated
        .unwrap_or_else(|e| panic!("{}: {e}", fixture.name))
        .netlist;
    let wasm = pipeline::compile_netlist(netlist.clone(), &Options::default()).wasm;
    let design = OracleDesign {
        plusargs: Vec::new(),
        ..fixture.oracle_design(compare::ports(&netlist))
    };
    let mut model = Compiled::new(&wasm, &design, &compare::output_paths(&design)).unwrap();

    let name = file_name(fixture);
    fs::write(folder.join(format!("{name}.wasm")), &wasm).unwrap();
    fs::write(
        folder.join(format!("{name}.json")),
        model.replay_case().to_string(),
    )
    .unwrap();
    let mut stimulus = Vec::new();
    oracle::write_stimulus(&mut stimulus, &design, &fixture.stimulus).unwrap();
    fs::write(folder.join(format!("{name}.stimulus")), stimulus).unwrap();
    trace(fixture, &design, &mut model)
}

fn trace(fixture: &Fixture, design: &OracleDesign, model: &mut Compiled) -> String {
    let mut trace = String::new();
    model.apply(&fixture.stimulus.power_on(design));
    for cycle in fixture.stimulus.cycles(design) {
        let status = match model.apply(&cycle.inputs) {
            Status::Ok => model.cycle(cycle.rising),
            status => status,
        };
        let outputs = design.outputs().count();
        let value = |index| -> String {
            let limbs = model.value(index);
            limbs
                .iter()
                .rev()
                .map(|limb| format!("{limb:016x}"))
                .collect()
        };
        let row: Vec<String> = (0..outputs).map(value).collect();
        trace.push_str(&format!("{} {}\n", status as u32, row.join(" ")));
        if status == Status::Finish {
            break;
        }
    }
    trace
}
