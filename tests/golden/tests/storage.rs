//! Every flip-flop, latch and memory cell of Yosys' libraries, against those libraries in Icarus.
//!
//! Each sample is one cell with inputs of its own. In every step one input of each cell changes, in Icarus
//! and in the interpreter, and the outputs are compared where Icarus has a defined value. The libraries
//! model asynchronous loads by edges and the netlist by levels, so steps in which those differ (data of an
//! active load, set together with clear) are left out.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use golden::library::{FAMILIES, WORD_CELLS, spelled};
use golden::rng::Rng;
use rtlwasm::bits::Bits;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::interp::{Interp, InterpOptions};
use rtlwasm::ir::{Netlist, SignalId, validate};

const STEPS: usize = 60;

/// A cell with its parameters and ports.
struct Sample {
    kind: String,
    parameters: Vec<(&'static str, Bits)>,
    inputs: Vec<(&'static str, u32)>,
    output: (&'static str, u32),
    /// Ports that must not be active together: port and active level.
    exclusive: Vec<(&'static str, bool)>,
    /// Data that stays while a load is active.
    load: Option<(&'static str, bool)>,
    /// Inputs that mean nothing to the cell as it is.
    frozen: &'static [&'static str],
}

fn constant(value: &Bits, base: &str) -> String {
    let digits: String = (0..value.width())
        .rev()
        .map(|i| if value.bit(i) { '1' } else { '0' })
        .collect();
    format!("{}'{base}{digits}", value.width())
}

impl Sample {
    fn rtlil(&self) -> String {
        let mut text = String::from("module \\top\n");
        for ((port, width), index) in self.inputs.iter().zip(1..) {
            writeln!(text, "  wire width {width} input {index} \\{port}_").unwrap();
        }
        let (output, width) = self.output;
        writeln!(
            text,
            "  wire width {width} output 99 \\{output}_\n  cell {} $cell",
            self.kind
        )
        .unwrap();
        for (name, value) in &self.parameters {
            writeln!(text, "    parameter \\{name} {}", constant(value, "")).unwrap();
        }
        for port in self.inputs.iter().map(|(p, _)| *p).chain([output]) {
            writeln!(text, "    connect \\{port} \\{port}_").unwrap();
        }
        text + "  end\nend\n"
    }

    /// What an input is at first: sets and clears are not active.
    fn initial(&self, port: &str, width: u32) -> Bits {
        match self.exclusive.iter().find(|(p, _)| *p == port) {
            Some((_, false)) => Bits::ones(width),
            _ => Bits::zero(width),
        }
    }

    /// An instance, its inputs as variables.
    fn verilog(&self, index: usize) -> String {
        let mut text = String::new();
        for (port, width) in &self.inputs {
            let initial = constant(&self.initial(port, *width), "b");
            writeln!(text, "reg [{}:0] {port}_{index} = {initial};", width - 1).unwrap();
        }
        let (output, width) = self.output;
        writeln!(text, "wire [{}:0] {output}_{index};", width - 1).unwrap();
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(n, v)| format!(".{n}({})", constant(v, "b")))
            .collect();
        let list = if parameters.is_empty() {
            String::new()
        } else {
            format!("#({})", parameters.join(", "))
        };
        let ports = self.inputs.iter().map(|(p, _)| *p).chain([output]);
        let ports: Vec<String> = ports.map(|p| format!(".{p}({p}_{index})")).collect();
        writeln!(
            text,
            "\\{} {list} u{index} ({});",
            self.kind,
            ports.join(", ")
        )
        .unwrap();
        text
    }
}

fn flag(value: bool) -> Bits {
    Bits::from_bool(value)
}

fn word_cell(kind: &str, rng: &mut Rng) -> Sample {
    let width = rng.width().min(70);
    let mut sample = Sample {
        kind: kind.to_string(),
        parameters: vec![("WIDTH", Bits::from_u64(32, width.into()))],
        inputs: Vec::new(),
        output: ("Q", width),
        exclusive: Vec::new(),
        load: None,
        frozen: &[],
    };
    let mut control =
        |sample: &mut Sample, port: &'static str, polarity: &'static str, width: u32| {
            let high = rng.percent(50);
            sample.parameters.push((polarity, flag(high)));
            sample.inputs.push((port, width));
            high
        };
    let is_latch = kind.contains("latch");
    if !is_latch && kind != "$sr" {
        control(&mut sample, "CLK", "CLK_POLARITY", 1);
    }
    if is_latch || kind.trim_end_matches("ce").ends_with('e') || kind.ends_with("ce") {
        control(&mut sample, "EN", "EN_POLARITY", 1);
    }
    if kind.contains("sdff") {
        control(&mut sample, "SRST", "SRST_POLARITY", 1);
    }
    if kind.starts_with("$ad") {
        control(&mut sample, "ARST", "ARST_POLARITY", 1);
    }
    if kind.starts_with("$ald") {
        let high = control(&mut sample, "ALOAD", "ALOAD_POLARITY", 1);
        sample.inputs.push(("AD", width));
        sample.load = Some(("ALOAD", high));
    }
    if kind.contains("sr") && !kind.contains("srst") {
        for (port, polarity) in [("SET", "SET_POLARITY"), ("CLR", "CLR_POLARITY")] {
            let high = control(&mut sample, port, polarity, width);
            sample.exclusive.push((port, high));
        }
    }
    if kind != "$sr" {
        sample.inputs.push(("D", width));
    }
    if kind.contains("sdff") {
        sample.parameters.push(("SRST_VALUE", rng.bits(width)));
    }
    if kind.starts_with("$ad") {
        sample.parameters.push(("ARST_VALUE", rng.bits(width)));
    }
    sample
}

/// All cells of a family.
fn gate_cells(family: &str, controls: &str) -> Vec<Sample> {
    let port = |letter| match letter {
        'C' => "C",
        'E' => "E",
        'R' => "R",
        'L' => "L",
        _ => "S",
    };
    let mut out = Vec::new();
    for choice in 0..1usize << controls.len() {
        let high = |at: usize| choice >> at & 1 == 1;
        let mut inputs: Vec<_> = controls
            .chars()
            .filter(|c| *c != 'v')
            .map(|c| (port(c), 1))
            .collect();
        if family != "SR" {
            inputs.push(("D", 1));
        }
        let mut sample = Sample {
            kind: spelled(family, controls, choice),
            parameters: Vec::new(),
            inputs,
            output: ("Q", 1),
            exclusive: Vec::new(),
            load: None,
            frozen: &[],
        };
        if controls.contains("SR") {
            let at = controls.find("SR").expect("it is there");
            sample.exclusive = vec![("S", high(at)), ("R", high(at + 1))];
        }
        if controls.contains('L') {
            sample.inputs.push(("AD", 1));
            sample.load = Some(("L", high(1)));
        }
        out.push(sample);
    }
    out
}

/// A memory with clocked and other reads; all ports on edges of the same few wires.
fn memory_cell(rng: &mut Rng) -> Sample {
    let (width, size, abits) = (rng.between(1, 20) as u32, rng.between(2, 9) as u32, 4);
    let (reads, writes) = (rng.between(1, 3) as u32, rng.between(1, 3) as u32);
    let number = |v: u32| Bits::from_u64(32, v.into());
    let clocked = rng.percent(70);
    let transparent = rng.bits(reads * writes);
    // A port has priority over earlier ones only.
    let earlier = Bits::from_bools((0..writes * writes).map(|i| i % writes < i / writes));
    let parameters = vec![
        ("SIZE", number(size)),
        ("OFFSET", number(rng.below(3) as u32)),
        ("ABITS", number(abits)),
        ("WIDTH", number(width)),
        ("INIT", rng.bits(width * size)),
        ("RD_PORTS", number(reads)),
        (
            "RD_CLK_ENABLE",
            if clocked {
                Bits::ones(reads)
            } else {
                Bits::zero(reads)
            },
        ),
        ("RD_CLK_POLARITY", rng.bits(reads)),
        ("RD_TRANSPARENCY_MASK", transparent.clone()),
        (
            "RD_COLLISION_X_MASK",
            rng.bits(reads * writes).and(&transparent.not()),
        ),
        ("RD_WIDE_CONTINUATION", Bits::zero(reads)),
        ("RD_CE_OVER_SRST", rng.bits(reads)),
        ("RD_ARST_VALUE", rng.bits(reads * width)),
        ("RD_SRST_VALUE", rng.bits(reads * width)),
        ("RD_INIT_VALUE", rng.bits(reads * width)),
        ("WR_PORTS", number(writes)),
        ("WR_CLK_ENABLE", Bits::ones(writes)),
        ("WR_CLK_POLARITY", rng.bits(writes)),
        ("WR_PRIORITY_MASK", rng.bits(writes * writes).and(&earlier)),
        ("WR_WIDE_CONTINUATION", Bits::zero(writes)),
    ];
    let inputs = vec![
        ("RD_CLK", reads),
        ("RD_EN", reads),
        ("RD_ARST", reads),
        ("RD_SRST", reads),
        ("RD_ADDR", reads * abits),
        ("WR_CLK", writes),
        ("WR_EN", writes * width),
        ("WR_ADDR", writes * abits),
        ("WR_DATA", writes * width),
    ];
    Sample {
        kind: "$mem_v2".to_string(),
        parameters,
        inputs,
        output: ("RD_DATA", reads * width),
        exclusive: Vec::new(),
        load: None,
        frozen: if clocked {
            &[]
        } else {
            &["RD_ARST", "RD_SRST"]
        },
    }
}

/// The inputs of a sample while it runs.
struct State {
    values: Vec<Bits>,
}

impl State {
    /// Changes one input; returns which, or `None` when this step would differ between edges and levels.
    fn change(&mut self, sample: &Sample, rng: &mut Rng) -> Option<usize> {
        // Clocks move often.
        let index = if rng.percent(40) {
            0
        } else {
            rng.below(sample.inputs.len())
        };
        let (port, width) = sample.inputs[index];
        if sample.frozen.contains(&port) {
            return None;
        }
        let at = |name| {
            sample
                .inputs
                .iter()
                .position(|(p, _)| *p == name)
                .expect("a port")
        };
        if let Some((load, high)) = sample.load
            && port == "AD"
            && self.values[at(load)].bit(0) == high
        {
            return None;
        }
        let mut value = if width == 1 {
            self.values[index].not()
        } else {
            rng.bits(width)
        };
        if let Some((own, high)) = sample.exclusive.iter().find(|(p, _)| *p == port).copied() {
            let (other, other_high) = *sample
                .exclusive
                .iter()
                .find(|(p, _)| *p != own)
                .expect("two");
            let active = |v: &Bits, high: bool| if high { v.clone() } else { v.not() };
            let busy = active(&self.values[at(other)], other_high);
            let wanted = active(&value, high).and(&busy.not());
            value = active(&wanted, high);
        }
        self.values[index] = value;
        Some(index)
    }
}

/// Icarus' output, a line for each step and sample; `None` when it is not installed.
fn icarus(directory: &Path, bench: &str) -> Option<Vec<String>> {
    let library = Command::new("yosys-config").arg("--datdir").output().ok()?;
    let library = String::from_utf8(library.stdout).expect("a path");
    std::fs::write(directory.join("bench.v"), bench).expect("written");
    let files = ["simlib.v", "simcells.v"].map(|f| Path::new(library.trim()).join(f));
    let compiled = Command::new("iverilog")
        .current_dir(directory)
        .args([
            "-g2012",
            "-DSIMLIB_FF",
            "-s",
            "bench",
            "-o",
            "bench.vvp",
            "bench.v",
        ])
        .args(files)
        .output()
        .ok()?;
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let ran = Command::new("vvp")
        .current_dir(directory)
        .arg("bench.vvp")
        .output()
        .ok()?;
    Some(
        String::from_utf8_lossy(&ran.stdout)
            .lines()
            .map(str::to_string)
            .collect(),
    )
}

fn signal(n: &Netlist, name: &str) -> SignalId {
    n.signals
        .iter()
        .find(|(_, s)| s.name == name)
        .map(|(id, _)| id)
        .expect("the port is there")
}

/// By step and sample: the input that changes, and its new value.
type Changes = Vec<Vec<Option<(usize, Bits)>>>;

/// A testbench that drives all samples at random, and what it does.
fn testbench(samples: &[Sample], rng: &mut Rng) -> (String, Changes) {
    let mut bench = String::from("module bench;\n");
    samples
        .iter()
        .zip(0..)
        .for_each(|(s, i)| bench += &s.verilog(i));
    bench += "initial begin #1;\n";
    let mut states: Vec<State> = (samples.iter())
        .map(|s| State {
            values: s.inputs.iter().map(|(p, w)| s.initial(p, *w)).collect(),
        })
        .collect();
    let mut changes: Changes = Vec::new();
    for _ in 0..STEPS {
        let mut step = Vec::new();
        for ((sample, state), index) in samples.iter().zip(&mut states).zip(0..) {
            let change = state
                .change(sample, rng)
                .map(|input| (input, state.values[input].clone()));
            if let Some((input, value)) = &change {
                writeln!(
                    bench,
                    "{}_{index} = {};",
                    sample.inputs[*input].0,
                    constant(value, "b")
                )
                .unwrap();
            }
            step.push(change);
        }
        bench += "#1;\n";
        for (sample, index) in samples.iter().zip(0..) {
            writeln!(bench, "$display(\"%b\", {}_{index});", sample.output.0).unwrap();
        }
        changes.push(step);
    }
    bench += "$finish;\nend\nendmodule\n";
    (bench, changes)
}

/// Runs the samples in both and compares.
fn compare(samples: &[Sample], rng: &mut Rng) {
    let (bench, changes) = testbench(samples, rng);
    let directory = tempfile::tempdir().expect("a directory");
    let Some(lines) = icarus(directory.path(), &bench) else {
        eprintln!("skipped: iverilog or yosys-config is not installed");
        return;
    };
    let (mut compared, mut skipped, mut wrong) = (0u64, 0u64, Vec::new());
    for (index, sample) in samples.iter().enumerate() {
        let text = sample.rtlil();
        let netlist = read("cell.il", &text, &ReadOptions::default(), &mut Vec::new())
            .expect("it is supported");
        validate(&netlist);
        let mut model = Interp::new(&netlist, InterpOptions::default());
        model.reset();
        for (port, width) in &sample.inputs {
            let _ = model.poke(
                signal(&netlist, &format!("{port}_")),
                0,
                &sample.initial(port, *width),
            );
        }
        model.eval();
        // What the bits hold at power-on may differ: a bit counts from when it was equal first.
        let mut agreed = vec![false; sample.output.1 as usize];
        for (step, change) in changes.iter().map(|s| &s[index]).enumerate() {
            if let Some((input, value)) = change {
                let _ = model.poke(
                    signal(&netlist, &format!("{}_", sample.inputs[*input].0)),
                    0,
                    value,
                );
                model.eval();
            }
            let found = model.peek(signal(&netlist, &format!("{}_", sample.output.0)), 0);
            let expected = &lines[step * samples.len() + index];
            for (bit, digit) in expected.bytes().rev().enumerate() {
                let same = found.bit(bit as u32) == (digit == b'1');
                match digit {
                    b'0' | b'1' if same => {
                        agreed[bit] = true;
                        compared += 1;
                    }
                    b'0' | b'1' if agreed[bit] || step > STEPS / 2 => {
                        wrong.push((index, step, expected.clone(), found.clone()));
                    }
                    _ => skipped += 1,
                }
            }
        }
    }
    println!(
        "{} cells, {compared} bits equal, {skipped} undefined",
        samples.len()
    );
    if let Some((index, step, expected, found)) = wrong.first() {
        let history: Vec<String> = changes[..=*step]
            .iter()
            .map(|s| format!("{:?}", s[*index]))
            .collect();
        panic!(
            "{} wrong bits, the first in step {step}: expected {expected}, found {found}\n{}{}",
            wrong.len(),
            samples[*index].rtlil(),
            history.join("\n")
        );
    }
    assert!(
        skipped < compared,
        "too many undefined bits to prove anything"
    );
}

#[test]
fn word_flip_flops_and_latches_match_icarus() {
    let mut rng = Rng::new(2);
    let samples: Vec<Sample> = (0..8)
        .flat_map(|_| WORD_CELLS)
        .map(|kind| word_cell(kind, &mut rng))
        .collect();
    compare(&samples, &mut rng);
}

#[test]
fn gate_flip_flops_and_latches_match_icarus() {
    let samples: Vec<Sample> = FAMILIES
        .iter()
        .flat_map(|(family, controls)| gate_cells(family, controls))
        .collect();
    compare(&samples, &mut Rng::new(3));
}

#[test]
fn memories_match_icarus() {
    let mut rng = Rng::new(4);
    let samples: Vec<Sample> = (0..60).map(|_| memory_cell(&mut rng)).collect();
    compare(&samples, &mut rng);
}
