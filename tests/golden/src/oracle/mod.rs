//! Outside simulators: a design's own sources and a [`Stimulus`] in, one row of output samples per cycle out.
//!
//! [`trace`] writes a test bench for the asked simulator, builds it once (see [`cache`]), runs it in the design's own
//! folder and reads what it sampled. Nothing here uses the compiler: ports and stimulus are plain data, so that an
//! error of ours cannot hide in the comparison.

mod bench;
pub(crate) mod cache;
mod cxxrtl;
mod icarus;
mod run;
mod stimulus;
mod verilator;

use std::path::PathBuf;

pub use bench::write_stimulus;
pub use run::End;
pub use stimulus::{Cycle, InputRule, Reset, Stimulus};

/// An outside simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OracleKind {
    /// Icarus Verilog: Verilog, four-state.
    Icarus,
    /// Verilator: Verilog and SystemVerilog, two-state.
    Verilator,
    /// Yosys' CXXRTL: RTLIL, two-state.
    Cxxrtl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Input,
    Output,
    /// Both: the value from outside is seen on the bits that the design does not drive, and the net is sampled.
    Inout,
}

/// A port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    pub width: u32,
    pub direction: Direction,
}

/// What is simulated. All paths are absolute or count from `folder`.
#[derive(Clone, Debug, Default)]
pub struct OracleDesign {
    pub top: String,
    /// Where the simulator runs, and finds the files of `$readmemh`.
    pub folder: PathBuf,
    pub sources: Vec<PathBuf>,
    pub includes: Vec<PathBuf>,
    /// `NAME` or `NAME=VALUE`.
    pub defines: Vec<String>,
    /// Parameters of the top module, as Verilog text.
    pub parameters: Vec<(String, String)>,
    pub plusargs: Vec<String>,
    /// Primary clocks, all of them inputs of one bit.
    pub clocks: Vec<String>,
    pub ports: Vec<Port>,
}

impl OracleDesign {
    /// The inputs and inouts that are no clocks, in the order of the ports.
    pub fn inputs(&self) -> impl Iterator<Item = &Port> {
        let is_data = |port: &&Port| !self.clocks.contains(&port.name);
        self.ports
            .iter()
            .filter(|port| port.direction != Direction::Output)
            .filter(is_data)
    }

    /// The outputs and inouts, in the order of the ports.
    pub fn outputs(&self) -> impl Iterator<Item = &Port> {
        self.ports
            .iter()
            .filter(|port| port.direction != Direction::Input)
    }
}

/// The value of one output after one cycle; limbs of 64 bits, least significant first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub value: Vec<u64>,
    /// Bits that the simulator shows as `x` or `z`.
    pub unknown: Vec<u64>,
}

/// What a simulator showed.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// One row per completed cycle, with the outputs in the order of the ports.
    pub rows: Vec<Vec<Sample>>,
    /// What the design wrote to standard output.
    pub text: String,
    /// The design ended the simulation itself; the cycle in which it did has no row.
    pub finished: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    #[error("{tool} is not installed (`cargo xtask setup` installs it)")]
    ToolMissing { tool: &'static str },
    #[error("the bench for {tool} does not know inouts; take Icarus Verilog")]
    Inout { tool: &'static str },
    #[error("{tool} cannot build the design:\n{log}")]
    Build { tool: &'static str, log: String },
    #[error("the simulation by {tool} failed:\n{log}")]
    Run { tool: &'static str, log: String },
    #[error("the simulation by {tool} took more than {seconds} s")]
    Timeout { tool: &'static str, seconds: u64 },
    #[error("line {line} of the trace written by {tool} is not understood: {text}")]
    Trace {
        tool: &'static str,
        line: usize,
        text: String,
    },
    #[error("{path}: {source}", path = path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// Simulates `design` with `stimulus` and returns all that was sampled.
pub fn trace(
    kind: OracleKind,
    design: &OracleDesign,
    stimulus: &Stimulus,
) -> Result<Trace, OracleError> {
    let mut trace = Trace::default();
    let end = stream(kind, design, stimulus, |row| trace.rows.push(row))?;
    trace.text = end.text;
    trace.finished = end.finished;
    Ok(trace)
}

/// The same with one row at a time, for simulations whose trace does not fit into memory.
pub fn stream(
    kind: OracleKind,
    design: &OracleDesign,
    stimulus: &Stimulus,
    each_row: impl FnMut(Vec<Sample>),
) -> Result<End, OracleError> {
    let has_inout = design
        .ports
        .iter()
        .any(|port| port.direction == Direction::Inout);
    if has_inout && kind != OracleKind::Icarus {
        let tool = if kind == OracleKind::Cxxrtl {
            "CXXRTL"
        } else {
            "Verilator"
        };
        return Err(OracleError::Inout { tool });
    }
    let simulator = match kind {
        OracleKind::Icarus => icarus::build(design)?,
        OracleKind::Verilator => verilator::build(design)?,
        OracleKind::Cxxrtl => cxxrtl::build(design)?,
    };
    run::run(&simulator, design, stimulus, each_row)
}
