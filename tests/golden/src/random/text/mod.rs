//! Random RTLIL *text*: hierarchy, processes with switches and rules of every kind, memories in all their forms, two
//! clocks, every cell of words that CXXRTL simulates.
//!
//! In: a seed. Out: modules as text, the top one with fixed inputs and some outputs. Everything has a defined value in a
//! two-state simulator that starts at zero: no division by zero, no row that does not exist, no two writers of a row
//! without priority, no loop of logic.

mod cells;
mod memory;
mod process;
mod storage;

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::rng::Rng;

/// Inputs of every design, clocks first.
pub const INPUTS: &[(&str, u32)] = &[
    ("clk", 1),
    ("clk2", 1),
    ("rst", 1),
    ("a", 70),
    ("b", 32),
    ("c", 9),
    ("d", 1),
];

/// Those that follow from nothing but inputs of the whole design, in every module.
const STEADY: &[&str] = &["rst", "a", "d"];

/// A design as text.
#[derive(Debug, Clone)]
pub struct Design {
    /// Its modules; the first is its top.
    pub text: String,
    pub name: String,
    /// Ports of the top.
    pub outputs: Vec<(String, u32)>,
    /// How often each construct was written.
    pub used: BTreeMap<String, u64>,
}

/// A design whose modules have names that begin with `name`.
pub fn design(seed: u64, name: &str) -> Design {
    let mut text = Text {
        rng: Rng::new(seed),
        modules: String::new(),
        used: BTreeMap::new(),
        children: Vec::new(),
    };
    for i in 0..text.rng.between(1, 2) {
        let child = format!("{name}_sub{i}");
        let made = text.module(&child, 5, 2);
        text.children.push(made);
    }
    let top = text.module(name, 16, 6);
    Design {
        text: text.modules,
        name: name.to_string(),
        outputs: top.outputs,
        used: text.used,
    }
}

/// Everything that must come.
pub fn constructs() -> impl Iterator<Item = String> {
    let cells = cells::names().chain(storage::names());
    let cells = cells.map(|name| format!("cell {name}"));
    let others = memory::FORMS.iter().chain(&["instance", "connect"]);
    cells
        .chain(others.map(|name| name.to_string()))
        .chain(process::names())
}

/// The modules made so far.
struct Text {
    rng: Rng,
    modules: String,
    used: BTreeMap<String, u64>,
    children: Vec<Child>,
}

/// A module that others may have instances of.
#[derive(Clone)]
struct Child {
    name: String,
    outputs: Vec<(String, u32)>,
}

impl Text {
    fn module(&mut self, name: &str, statements: usize, outputs: usize) -> Child {
        let mut m = Module {
            rng: self.rng.clone(),
            wires: String::new(),
            body: String::new(),
            known: Vec::new(),
            later: Vec::new(),
            count: 0,
            used: std::mem::take(&mut self.used),
            children: self.children.clone(),
        };
        for (index, (port, width)) in INPUTS.iter().enumerate() {
            writeln!(m.wires, "  wire width {width} input {} \\{port}", index + 1).unwrap();
            if index >= 2 {
                m.known.push((format!("\\{port}"), *width));
            }
        }
        m.registers();
        for _ in 0..statements {
            m.statement();
        }
        m.finish_registers();
        let mut ports = Vec::new();
        for i in 0..outputs {
            let (port, width) = (format!("y{i}"), m.width());
            let number = INPUTS.len() + i + 1;
            writeln!(m.wires, "  wire width {width} output {number} \\{port}").unwrap();
            let value = m.signal(width);
            writeln!(m.body, "  connect \\{port} {value}").unwrap();
            ports.push((port, width));
        }
        writeln!(self.modules, "module \\{name}\n{}{}end", m.wires, m.body).unwrap();
        self.used = m.used;
        self.rng = m.rng;
        Child {
            name: name.to_string(),
            outputs: ports,
        }
    }
}

/// A module under construction.
struct Module {
    rng: Rng,
    wires: String,
    body: String,
    /// Wires that have a value, and their widths.
    known: Vec<(String, u32)>,
    /// Registers whose next value is not decided.
    later: Vec<(String, u32)>,
    count: u32,
    used: BTreeMap<String, u64>,
    children: Vec<Child>,
}

impl Module {
    fn note(&mut self, what: impl Into<String>) {
        *self.used.entry(what.into()).or_default() += 1;
    }

    fn fresh(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn width(&mut self) -> u32 {
        self.rng.width().min(90)
    }

    /// A wire that nothing drives yet; sometimes with its bits counted otherwise.
    fn wire(&mut self, width: u32) -> String {
        let name = format!("\\w{}", self.fresh());
        let count = match self.rng.below(6) {
            0 => " upto",
            1 => " offset 5",
            2 => " offset 2 upto",
            _ => "",
        };
        writeln!(self.wires, "  wire width {width}{count} {name}").unwrap();
        name
    }

    /// A new wire that has a value from here on.
    fn result(&mut self, width: u32) -> String {
        let wire = self.wire(width);
        self.known.push((wire.clone(), width));
        wire
    }

    fn constant(&mut self, width: u32) -> String {
        constant(&self.rng.bits(width))
    }

    /// A signal of that width: a wire, a piece of one, several side by side, a constant.
    fn signal(&mut self, width: u32) -> String {
        if width == 0 {
            return "{ }".into();
        }
        if self.rng.percent(6) {
            return self.constant(width);
        }
        let fitting: Vec<&(String, u32)> = self.known.iter().filter(|(_, w)| *w == width).collect();
        if !fitting.is_empty() && self.rng.percent(60) {
            return self.rng.pick(&fitting).0.clone();
        }
        let (wire, have) = self.rng.pick(&self.known).clone();
        if have < width {
            let high = self.signal(width - have);
            return format!("{{ {} {wire} }}", high.trim_matches(['{', '}', ' ']));
        }
        let low = self.rng.below((have - width) as usize + 1) as u32;
        match width {
            _ if have == width => wire,
            1 => format!("{wire} [{low}]"),
            _ => format!("{wire} [{}:{low}]", low + width - 1),
        }
    }

    /// One of the clocks.
    fn clock(&mut self) -> &'static str {
        ["\\clk", "\\clk2"][self.rng.below(2)]
    }

    fn statement(&mut self) {
        match self.rng.below(20) {
            0..=8 => self.cell(),
            9..=11 => self.process(),
            12..=14 => self.storage(),
            15 => self.memory(),
            16 if !self.children.is_empty() => self.instance(),
            17 => {
                let width = self.width();
                let (value, wire) = (self.signal(width), self.result(width));
                writeln!(self.body, "  connect {wire} {value}").unwrap();
                self.note("connect");
            }
            _ => self.cell(),
        }
    }

    fn instance(&mut self) {
        let child = self.rng.pick(&self.children.clone()).clone();
        let number = self.fresh();
        let mut text = format!("  cell \\{} \\u{number}\n", child.name);
        for (index, (port, width)) in INPUTS.iter().enumerate() {
            let value = match index {
                0 | 1 => self.clock().to_string(),
                _ if STEADY.contains(port) => self.steady(*width),
                _ => self.signal(*width),
            };
            writeln!(text, "    connect \\{port} {value}").unwrap();
        }
        for (port, width) in &child.outputs {
            let wire = self.result(*width);
            writeln!(text, "    connect \\{port} {wire}").unwrap();
        }
        writeln!(self.body, "{text}  end").unwrap();
        self.note("instance");
    }
}

/// `4'0101`.
fn constant(bits: &rtlwasm::bits::Bits) -> String {
    let digit = |i| if bits.bit(i) { '1' } else { '0' };
    let digits: String = (0..bits.width()).rev().map(digit).collect();
    format!("{}'{digits}", bits.width())
}
