//! Random designs as RTLIL text: our reader, interpreter and artifact against CXXRTL of Debian's Yosys.
//!
//! Several designs are simulated by one program, because its C++ takes longest. A difference is looked for again in the
//! design alone and then with fewer and fewer statements; what is left is printed.

use std::collections::BTreeMap;

use golden::compare::{self, Agreement, Compiled, same_outputs, with_interpreter};
use golden::fuzz::setting;
use golden::oracle::{self, Direction, OracleDesign, OracleKind, Port, Stimulus};
use golden::random::text::{self, Design, INPUTS};
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::validate;
use rtlwasm::options::{Gating, OptLevel, Options};
use rtlwasm::pipeline;

const CYCLES: u64 = 60;

/// Designs side by side in one top module: all have its inputs, and it has all their outputs.
fn together(designs: &[Design]) -> (String, Vec<Port>) {
    let mut ports: Vec<Port> = Vec::new();
    let mut body = String::new();
    for (name, width) in INPUTS {
        ports.push(port(name, *width, Direction::Input));
    }
    for design in designs {
        body += &format!("  cell \\{} \\{}_i\n", design.name, design.name);
        for (name, _) in INPUTS {
            body += &format!("    connect \\{name} \\{name}\n");
        }
        for (output, width) in &design.outputs {
            let name = format!("{}_{output}", design.name);
            body += &format!("    connect \\{output} \\{name}\n");
            ports.push(port(&name, *width, Direction::Output));
        }
        body += "  end\n";
    }
    let wires = ports.iter().enumerate().map(|(i, port)| {
        let direction = match port.direction {
            Direction::Input => "input",
            Direction::Output => "output",
            Direction::Inout => unreachable!("the designs have none"),
        };
        format!(
            "  wire width {} {direction} {} \\{}\n",
            port.width,
            i + 1,
            port.name
        )
    });
    let top = format!(
        "attribute \\top 1\nmodule \\batch\n{}{body}end\n",
        wires.collect::<String>()
    );
    let modules: String = designs.iter().map(|d| d.text.as_str()).collect();
    (modules + &top, ports)
}

fn port(name: &str, width: u32, direction: Direction) -> Port {
    Port {
        name: name.into(),
        width,
        direction,
    }
}

/// The first difference between CXXRTL, the interpreter and artifacts.
fn differs(designs: &[Design], level: OptLevel) -> Option<String> {
    let (text, ports) = together(designs);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("batch.il");
    std::fs::write(&path, &text).expect("a file");
    let design = OracleDesign {
        top: "batch".into(),
        folder: folder.path().to_owned(),
        sources: vec![path],
        clocks: vec!["clk".into(), "clk2".into()],
        ports,
        ..OracleDesign::default()
    };
    let stimulus = Stimulus {
        cycles: CYCLES,
        seed: 5,
        rules: vec![("rst".into(), oracle::InputRule::Rare)],
        ..Stimulus::default()
    };
    let expected = match oracle::trace(OracleKind::Cxxrtl, &design, &stimulus) {
        Ok(trace) => trace,
        Err(error) => return Some(format!("CXXRTL: {error}")),
    };
    let netlist = match read("batch.il", &text, &ReadOptions::default(), &mut Vec::new()) {
        Ok(netlist) => netlist,
        Err(errors) => return Some(format!("refused: {errors}")),
    };
    validate(&netlist);
    let options = Options {
        opt_level: level,
        gating: Gating::ALL,
        ..Options::default()
    };
    let packaged = pipeline::compile_netlist(netlist.clone(), &options);
    let outputs = compare::output_paths(&design);
    let run = (&design, &stimulus);
    if let Err(difference) = with_interpreter(&netlist, &options, &packaged, run, &outputs) {
        return Some(difference);
    }
    let compiled = Compiled::new(&packaged.wasm, &design, &outputs);
    let mut compiled = compiled.expect("it has been loaded before");
    outside(&design, &stimulus, &expected, &mut compiled).err()
}

fn outside(
    design: &OracleDesign,
    stimulus: &Stimulus,
    expected: &oracle::Trace,
    model: &mut Compiled,
) -> Result<(), String> {
    let mut agreement = Agreement::default();
    model.apply(&stimulus.power_on(design));
    for (index, (cycle, row)) in stimulus.cycles(design).zip(&expected.rows).enumerate() {
        model.apply(&cycle.inputs);
        model.cycle(cycle.rising);
        same_outputs(design, row, model, &mut agreement)
            .map_err(|e| format!("cycle {index}: {e}"))?;
    }
    match agreement.cycles {
        CYCLES => Ok(()),
        cycles => Err(format!("{cycles} cycles of {CYCLES}")),
    }
}

/// The design without as many statements as possible that still differs in the same way: halves of them are left out
/// first, then smaller parts.
fn smaller(mut design: Design, level: OptLevel) -> (Design, String) {
    let mut difference = differs(std::slice::from_ref(&design), level).unwrap_or_default();
    let kind = |text: &str| text.split(' ').next().unwrap_or("").to_string();
    let mut part = statements(&design.text).len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        loop {
            let ranges = statements(&design.text);
            let Some(rest) = ranges.get(at..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let mut fewer = design.clone();
            for range in rest.iter().take(part).rev() {
                fewer.text.replace_range(range.clone(), "");
            }
            match differs(std::slice::from_ref(&fewer), level) {
                Some(found) if kind(&found) == kind(&difference) => {
                    (design, difference) = (fewer, found)
                }
                _ => at += part,
            }
        }
        part /= 2;
    }
    (design, difference)
}

/// The places of all cells, processes and connections.
fn statements(text: &str) -> Vec<std::ops::Range<usize>> {
    let starts = text.match_indices("\n  ").map(|(i, _)| i + 1);
    let statement = |start: usize| {
        let rest = &text[start..];
        let ends = match rest.trim_start().split(' ').next()? {
            "connect" if rest.starts_with("  connect") => "\n",
            "cell" | "process" if !rest.starts_with("   ") => "\n  end\n",
            _ => return None,
        };
        Some(start..start + rest.find(ends)? + ends.len())
    };
    starts.filter_map(statement).collect()
}

fn run(batches: u64, size: u64, first: u64) {
    let first = setting("RTLWASM_RANDOM_SEED", first);
    let mut used: BTreeMap<String, u64> = text::constructs().map(|name| (name, 0)).collect();
    for batch in 0..setting("RTLWASM_RANDOM_COUNT", batches) {
        let seeds = first + batch * size..first + (batch + 1) * size;
        let make = |seed: u64| text::design(seed, &format!("d{seed}"));
        let designs: Vec<Design> = seeds.clone().map(make).collect();
        for (name, count) in designs.iter().flat_map(|d| &d.used) {
            *used.entry(name.clone()).or_default() += count;
        }
        let level = [OptLevel::O3, OptLevel::O0, OptLevel::O2][batch as usize % 3];
        let Some(difference) = differs(&designs, level) else {
            continue;
        };
        for seed in seeds {
            if let Some(difference) = differs(&[make(seed)], level) {
                eprintln!("seed {seed} at {level:?}: {difference}; looking for less");
                let (design, difference) = smaller(make(seed), level);
                panic!("seed {seed} at {level:?}: {difference}\n{}", design.text);
            }
        }
        panic!("only together: {difference}");
    }
    for (name, count) in &used {
        println!("{name:32} {count:>8}");
    }
    let missing: Vec<&String> = used
        .iter()
        .filter(|(_, n)| **n == 0)
        .map(|(name, _)| name)
        .collect();
    assert!(missing.is_empty(), "these never came: {missing:?}");
}

#[test]
fn designs_as_text_run_as_in_cxxrtl() {
    // From a seed at which nothing is missing in so few.
    run(3, 4, 21);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn many_designs_as_text_run_as_in_cxxrtl() {
    run(60, 4, 1000);
}
