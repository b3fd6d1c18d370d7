//! Every combinational cell of Yosys' library, over widths and signedness, against Yosys' own evaluation.
//!
//! Random cells, one to a module, are written as RTLIL; Yosys' `eval` gives the expected outputs for some
//! inputs; the reader and the interpreter must give the same. Bits that Yosys calls undefined are skipped
//! and counted. The cells with state are in `storage.rs`.

use std::fmt::Write as _;

use golden::library::{BINARY, GATES, OTHERS, PinnedYosys, UNARY};
use golden::rng::Rng;
use rtlwasm::bits::Bits;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::interp::{Interp, InterpOptions};
use rtlwasm::ir::{Netlist, SignalId, validate};

/// Random cells of each type.
const CELLS: usize = 12;
/// Random inputs of each cell.
const VECTORS: usize = 5;

/// A cell with its widths.
#[derive(Default)]
struct Sample {
    kind: String,
    parameters: Vec<(&'static str, String)>,
    inputs: Vec<(&'static str, u32)>,
    outputs: Vec<(&'static str, u32)>,
}

impl Sample {
    fn new(kind: &str) -> Sample {
        Sample {
            kind: kind.to_string(),
            ..Sample::default()
        }
    }

    fn number(mut self, name: &'static str, value: u32) -> Sample {
        self.parameters.push((name, value.to_string()));
        self
    }

    fn bits(mut self, name: &'static str, value: &Bits) -> Sample {
        self.parameters.push((name, constant(value)));
        self
    }

    fn input(mut self, name: &'static str, width: u32) -> Sample {
        self.inputs.push((name, width));
        self
    }

    fn output(mut self, name: &'static str, width: u32) -> Sample {
        self.outputs.push((name, width));
        self
    }

    /// A module that holds the cell; port names in small letters.
    fn module(&self, name: &str) -> String {
        let mut text = format!("module \\{name}\n");
        let ports = self
            .inputs
            .iter()
            .map(|p| (p, "input"))
            .chain(self.outputs.iter().map(|p| (p, "output")));
        for (index, ((port, width), direction)) in ports.enumerate() {
            writeln!(
                text,
                "  wire width {width} {direction} {} \\{}",
                index + 1,
                port.to_lowercase()
            )
            .unwrap();
        }
        writeln!(text, "  cell {} $cell", self.kind).unwrap();
        for (name, value) in &self.parameters {
            writeln!(text, "    parameter \\{name} {value}").unwrap();
        }
        for (port, _) in self.inputs.iter().chain(&self.outputs) {
            writeln!(text, "    connect \\{port} \\{}", port.to_lowercase()).unwrap();
        }
        text.push_str("  end\nend\n");
        text
    }
}

fn constant(value: &Bits) -> String {
    let digits: String = (0..value.width())
        .rev()
        .map(|i| if value.bit(i) { '1' } else { '0' })
        .collect();
    format!("{}'{digits}", value.width())
}

/// A width from 1 to 200.
fn width(rng: &mut Rng) -> u32 {
    rng.width().min(200)
}

fn unary(kind: &str, rng: &mut Rng) -> Sample {
    let (a, y) = (width(rng), width(rng));
    let signed = rng.below(2) as u32;
    let sample = Sample::new(kind)
        .number("A_SIGNED", signed)
        .number("A_WIDTH", a)
        .number("Y_WIDTH", y);
    sample.input("A", a).output("Y", y)
}

fn binary(kind: &str, rng: &mut Rng) -> Sample {
    let (mut a, mut b, mut y) = (width(rng), width(rng), width(rng));
    let (mut signed_a, mut signed_b) = (rng.below(2) as u32, rng.below(2) as u32);
    match kind {
        "$shift" | "$shiftx" => b = rng.between(1, 9) as u32,
        "$shl" | "$shr" | "$sshl" | "$sshr" => (b, signed_b) = (rng.between(1, 9) as u32, 0),
        // With one operand signed, `eval` differs from the simulation library, which is followed here.
        "$pow" => (a, b, y, signed_b) = (a.min(40), b.min(6), y.min(70), signed_a),
        _ => signed_b = signed_a,
    }
    if kind == "$shiftx" {
        signed_a = 0;
    }
    let sample = Sample::new(kind)
        .number("A_SIGNED", signed_a)
        .number("B_SIGNED", signed_b);
    let sample = sample
        .number("A_WIDTH", a)
        .number("B_WIDTH", b)
        .number("Y_WIDTH", y);
    sample.input("A", a).input("B", b).output("Y", y)
}

fn gate(kind: &str, inputs: &[&'static str]) -> Sample {
    let sample = inputs
        .iter()
        .fold(Sample::new(kind), |s, port| s.input(port, 1));
    sample.output("Y", 1)
}

fn other(kind: &str, rng: &mut Rng) -> Sample {
    let w = width(rng).min(60);
    let n = rng.between(1, 5) as u32;
    let s = Sample::new(kind);
    match kind {
        "$buf" => s.number("WIDTH", w).input("A", w).output("Y", w),
        "$slice" => {
            let offset = rng.below(w as usize) as u32;
            let y = rng.between(1, (w - offset) as usize) as u32;
            s.number("OFFSET", offset)
                .number("A_WIDTH", w)
                .number("Y_WIDTH", y)
                .input("A", w)
                .output("Y", y)
        }
        "$concat" => s
            .number("A_WIDTH", w)
            .number("B_WIDTH", n)
            .input("A", w)
            .input("B", n)
            .output("Y", w + n),
        "$mux" => s
            .number("WIDTH", w)
            .input("A", w)
            .input("B", w)
            .input("S", 1)
            .output("Y", w),
        "$pmux" => s
            .number("WIDTH", w)
            .number("S_WIDTH", n)
            .input("A", w)
            .input("B", w * n)
            .input("S", n)
            .output("Y", w),
        "$bmux" => s
            .number("WIDTH", w)
            .number("S_WIDTH", n)
            .input("A", w << n)
            .input("S", n)
            .output("Y", w),
        "$demux" => s
            .number("WIDTH", w)
            .number("S_WIDTH", n)
            .input("A", w)
            .input("S", n)
            .output("Y", w << n),
        "$bwmux" => s
            .number("WIDTH", w)
            .input("A", w)
            .input("B", w)
            .input("S", w)
            .output("Y", w),
        "$bweqx" => s
            .number("WIDTH", w)
            .input("A", w)
            .input("B", w)
            .output("Y", w),
        "$lut" => s
            .number("WIDTH", n)
            .bits("LUT", &rng.bits(1 << n))
            .input("A", n)
            .output("Y", 1),
        "$sop" => {
            let depth = rng.between(1, 6) as u32;
            let table = rng.bits(2 * n * depth).and(&rng.bits(2 * n * depth));
            s.number("WIDTH", n)
                .number("DEPTH", depth)
                .bits("TABLE", &table)
                .input("A", n)
                .output("Y", 1)
        }
        "$fa" => s
            .number("WIDTH", w)
            .input("A", w)
            .input("B", w)
            .input("C", w)
            .output("X", w)
            .output("Y", w),
        "$lcu" => s
            .number("WIDTH", w)
            .input("P", w)
            .input("G", w)
            .input("CI", 1)
            .output("CO", w),
        "$alu" => alu(s, rng),
        "$macc" => macc(s, rng),
        "$macc_v2" => macc_v2(s, rng),
        _ => unreachable!("{kind}"),
    }
}

fn alu(s: Sample, rng: &mut Rng) -> Sample {
    let (a, b, y) = (width(rng), width(rng), width(rng));
    let signed = rng.below(2) as u32;
    let s = s
        .number("A_SIGNED", signed)
        .number("B_SIGNED", signed)
        .number("A_WIDTH", a)
        .number("B_WIDTH", b);
    let s = s
        .number("Y_WIDTH", y)
        .input("A", a)
        .input("B", b)
        .input("CI", 1)
        .input("BI", 1);
    s.output("X", y).output("Y", y).output("CO", y)
}

fn macc(s: Sample, rng: &mut Rng) -> Sample {
    let y = rng.between(1, 40) as u32;
    let mut config = Bits::from_u64(4, 6);
    let mut total = 0;
    for _ in 0..rng.between(1, 4) {
        let (a, b) = (rng.between(1, 20) as u32, rng.below(20) as u32);
        config = config
            .concat(&rng.bits(2))
            .concat(&Bits::from_u64(6, a.into()))
            .concat(&Bits::from_u64(6, b.into()));
        total += a + b;
    }
    let bits = rng.below(4) as u32;
    let s = s
        .number("CONFIG_WIDTH", config.width())
        .bits("CONFIG", &config);
    let s = s
        .number("A_WIDTH", total)
        .number("B_WIDTH", bits)
        .number("Y_WIDTH", y);
    s.input("A", total).input("B", bits).output("Y", y)
}

fn macc_v2(s: Sample, rng: &mut Rng) -> Sample {
    let y = rng.between(1, 40) as u32;
    let (products, addends) = (rng.between(1, 3) as u32, rng.between(1, 3) as u32);
    let mut list = |count: u32| {
        let sizes: Vec<u32> = (0..count).map(|_| rng.between(1, 20) as u32).collect();
        let packed = sizes.iter().fold(Bits::zero(0), |p, w| {
            p.concat(&Bits::from_u64(16, (*w).into()))
        });
        (sizes.iter().sum::<u32>(), packed)
    };
    let (a, b, c) = (list(products), list(products), list(addends));
    let signed = rng.bits(products);
    let s = s
        .number("NPRODUCTS", products)
        .number("NADDENDS", addends)
        .number("Y_WIDTH", y);
    let s = s
        .bits("A_WIDTHS", &a.1)
        .bits("B_WIDTHS", &b.1)
        .bits("C_WIDTHS", &c.1);
    let s = s
        .bits("A_SIGNED", &signed)
        .bits("B_SIGNED", &signed)
        .bits("C_SIGNED", &rng.bits(addends));
    let s = s
        .bits("PRODUCT_NEGATED", &rng.bits(products))
        .bits("ADDEND_NEGATED", &rng.bits(addends));
    s.input("A", a.0)
        .input("B", b.0)
        .input("C", c.0)
        .output("Y", y)
}

fn samples(rng: &mut Rng) -> Vec<Sample> {
    let mut out = Vec::new();
    for _ in 0..CELLS {
        out.extend(UNARY.iter().map(|kind| unary(kind, rng)));
        out.extend(BINARY.iter().map(|kind| binary(kind, rng)));
        out.extend(GATES.iter().map(|(kind, inputs)| gate(kind, inputs)));
        out.extend(OTHERS.iter().map(|kind| other(kind, rng)));
    }
    out
}

fn signal(n: &Netlist, name: &str) -> SignalId {
    n.signals
        .iter()
        .find(|(_, s)| s.name == name)
        .map(|(id, _)| id)
        .expect("the port is there")
}

/// The binary digits of a line such as `\\y = 4'01x0.`; 32 bits come as a decimal number.
fn digits(line: &str) -> String {
    let value = line
        .rsplit(' ')
        .next()
        .expect("there is a value")
        .trim_end_matches('.');
    match value.split_once('\'') {
        Some((_, digits)) => digits.to_string(),
        None => format!("{:032b}", value.parse::<i64>().expect("a number") as u32),
    }
}

#[test]
fn combinational_cells_match_yosys() {
    let mut rng = Rng::new(1);
    let samples = samples(&mut rng);
    let modules: Vec<String> = samples
        .iter()
        .zip(0..)
        .map(|(s, i)| s.module(&format!("m{i}")))
        .collect();
    let inputs: Vec<Vec<Vec<Bits>>> = samples
        .iter()
        .map(|s| {
            (0..VECTORS)
                .map(|_| s.inputs.iter().map(|(_, w)| rng.bits(*w)).collect())
                .collect()
        })
        .collect();
    let yosys = PinnedYosys::new();
    let mut script = format!("read_rtlil {}/cells.il\n", yosys.sources());
    for ((sample, vectors), index) in samples.iter().zip(&inputs).zip(0..) {
        for vector in vectors {
            script.push_str("eval");
            for ((port, width), value) in sample.inputs.iter().zip(vector) {
                if *width > 0 {
                    let value = constant(value).replace('\'', "'b");
                    write!(script, " -set {} {value}", port.to_lowercase()).unwrap();
                }
            }
            for (port, _) in &sample.outputs {
                write!(script, " -show {}", port.to_lowercase()).unwrap();
            }
            writeln!(script, " m{index}").unwrap();
        }
    }
    yosys.write("cells.il", &modules.concat());
    let log = yosys.run(&script);
    let mut results = log.lines().filter_map(|l| l.strip_prefix("Eval result: "));
    let (mut bits, mut skipped, mut wrong) = (0u64, 0u64, Vec::new());
    for ((sample, module), vectors) in samples.iter().zip(&modules).zip(&inputs) {
        let netlist = read("cells.il", module, &ReadOptions::default(), &mut Vec::new())
            .expect("it is supported");
        validate(&netlist);
        let mut model = Interp::new(&netlist, InterpOptions::default());
        model.reset();
        for vector in vectors {
            for ((port, _), value) in sample.inputs.iter().zip(vector) {
                let _ = model.poke(signal(&netlist, &port.to_lowercase()), 0, value);
            }
            model.eval();
            for (port, width) in &sample.outputs {
                let found = model.peek(signal(&netlist, &port.to_lowercase()), 0);
                let expected = results.next().expect("a result for each output");
                let digits = digits(expected);
                let mut same = true;
                for (index, digit) in digits.bytes().rev().enumerate() {
                    match digit {
                        b'0' | b'1' => same &= found.bit(index as u32) == (digit == b'1'),
                        _ => skipped += 1,
                    }
                }
                bits += u64::from(*width);
                if !same {
                    wrong.push(format!(
                        "{module}inputs {vector:?}\n{port}: found {found}, expected {expected}"
                    ));
                }
            }
        }
    }
    println!(
        "{} cells, {bits} bits compared, {skipped} of them undefined",
        samples.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong outputs, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n\n")
    );
    assert!(
        skipped * 10 < bits,
        "too many undefined bits to prove anything"
    );
}
