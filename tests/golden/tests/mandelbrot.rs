//! The Mandelbrot core against a model of its arithmetic in Rust, and against Icarus in every cycle.

use std::path::PathBuf;

use golden::compare::{self, Agreement, Compiled};
use golden::elaborate::elaborate_in;
use golden::fixture;
use golden::oracle::{self, OracleDesign, OracleKind, Reset, Stimulus};
use rtlwasm::options::{Design, Options};
use rtlwasm::pipeline;

const COLUMNS: i64 = 70;
const ROWS: i64 = 25;
const LIMIT: u32 = 60;

/// Enough for the whole picture and the cycles of the reset.
const CYCLES: u64 = 40_000;

#[test]
fn picture_and_every_cycle() {
    let folder = fixture::root().join("designs/mandelbrot");
    let parameters: Vec<(String, String)> = [
        ("COLUMNS", COLUMNS),
        ("ROWS", ROWS),
        ("LIMIT", LIMIT.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_string()))
    .to_vec();
    let source = PathBuf::from("mandelbrot.v");
    let design = Design {
        sources: vec![source.clone()],
        parameters: parameters.clone(),
        ..Design::default()
    };
    let elaborated =
        elaborate_in(&folder, &design, &mut Vec::new()).unwrap_or_else(|e| panic!("{e}"));
    let netlist = elaborated.netlist;
    let design = OracleDesign {
        top: "mandelbrot".to_owned(),
        folder,
        sources: vec![source],
        parameters,
        clocks: vec!["clk".to_owned()],
        ports: compare::ports(&netlist),
        ..OracleDesign::default()
    };
    let stimulus = Stimulus {
        cycles: CYCLES,
        seed: 1,
        resets: vec![Reset {
            name: "rst".to_owned(),
            value: 1,
            cycles: 4,
        }],
        rules: Vec::new(),
    };
    let wasm = pipeline::compile_netlist(netlist, &Options::default()).wasm;
    let mut model = Compiled::new(&wasm, &design, &compare::output_paths(&design)).unwrap();
    let mut agreement = Agreement::default();
    model.apply(&stimulus.power_on(&design));
    let mut cycles = stimulus.cycles(&design);
    let each_row = |row: Vec<oracle::Sample>| {
        let cycle = cycles.next().unwrap();
        model.apply(&cycle.inputs);
        model.cycle(cycle.rising);
        let same = compare::same_outputs(&design, &row, &mut model, &mut agreement);
        same.unwrap_or_else(|e| panic!("in cycle {}: {e}", agreement.cycles));
    };
    let end = oracle::stream(OracleKind::Icarus, &design, &stimulus, each_row);
    let end = end.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(agreement.cycles, CYCLES);
    assert_eq!(model.text_and_events().0, picture());
    assert_eq!(end.text, picture());
}

/// The same picture, computed with the same numbers: 28 bits of fraction.
fn picture() -> String {
    let one = 1i64 << 28;
    let (step_x, step_y) = (
        (3 * one + COLUMNS / 2) / COLUMNS,
        (2 * one + ROWS / 2) / ROWS,
    );
    let (left, top) = (-2 * one, -(ROWS * step_y / 2));
    let mut text = String::new();
    for row in 0..ROWS {
        let line = (0..COLUMNS).map(|column| shade(left + column * step_x, top + row * step_y));
        text.extend(line.chain(['\n']));
    }
    text
}

fn shade(cx: i64, cy: i64) -> char {
    let (mut x, mut y, mut iterations) = (cx, cy, 1);
    while iterations < LIMIT && x * x + y * y < 4 << 56 {
        (x, y) = (((x * x - y * y) >> 28) + cx, ((x * y) >> 27) + cy);
        iterations += 1;
    }
    match iterations {
        LIMIT.. => '*',
        0 | 1 => ' ',
        2 => '.',
        3 => ',',
        4 => ':',
        5..=6 => '-',
        7..=10 => '=',
        11..=18 => '+',
        _ => 'x',
    }
}
