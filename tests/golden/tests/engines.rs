//! The same artifacts in other engines: every fixture under wasmtime, under Node's own WebAssembly and under wasmer,
//! all outputs and statuses in every cycle. The others see no host library of ours, only the exports.
//!
//! wasmer is a package of its own (`tests/wasmer`), which the long tests build.

use std::fs;
use std::path::Path;
use std::process::Command;

use golden::compare::{self, Compiled};
use golden::elaborate::elaborate_in;
use golden::fixture::{self, Fixture};
use golden::oracle::{self, OracleDesign};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm_abi::Status;

#[test]
fn traces_are_equal_in_node() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/node/replay.mjs");
    let mut node = Command::new("node");
    node.arg(script);
    traces_are_equal("Node", node);
}

#[test]
#[ignore = "builds wasmer; part of `cargo xtask test --full`"]
fn traces_are_equal_in_wasmer() {
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../wasmer/Cargo.toml");
    let mut wasmer = Command::new(env!("CARGO"));
    wasmer.args(["run", "--release", "--quiet", "--locked", "--manifest-path"]);
    // A folder of its own: its lock file decides other versions than ours.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasmer");
    wasmer
        .arg(package)
        .arg("--target-dir")
        .arg(target)
        .arg("--");
    traces_are_equal("wasmer", wasmer);
}

/// Replays all fixtures with a program that takes the folder as its last argument.
fn traces_are_equal(engine: &str, mut program: Command) {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = fixture::all().unwrap();
    let cases: Vec<(&Fixture, String)> = fixtures
        .iter()
        .filter(|fixture| !fixture.is_error)
        .map(|fixture| (fixture, prepare(fixture, folder.path())))
        .collect();
    let output = program.arg(folder.path()).output();
    let output = output.unwrap_or_else(|e| {
        panic!("{engine} does not start: {e} (`cargo xtask setup` installs what is missing)")
    });
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut cycles = 0;
    for (fixture, expected) in &cases {
        let path = folder.path().join(format!("{}.trace", file_name(fixture)));
        let found = fs::read_to_string(path).unwrap();
        for (cycle, (a, b)) in expected.lines().zip(found.lines()).enumerate() {
            assert_eq!(
                a, b,
                "{} in cycle {cycle}: wasmtime and {engine}",
                fixture.name
            );
        }
        let length = expected.lines().count();
        assert_eq!(length, found.lines().count(), "{}", fixture.name);
        cycles += length;
    }
    println!("{} fixtures, {cycles} cycles in {engine}", cases.len());
}

fn file_name(fixture: &Fixture) -> String {
    fixture.name.replace('/', "-")
}

/// Writes what another engine needs; the trace under wasmtime.
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
