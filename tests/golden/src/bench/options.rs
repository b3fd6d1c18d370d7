//! What `cargo xtask bench` can be told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::engine::Engine;
use super::ladder::{LADDER, Workload};

/// Measures simulators in turns, on the same sources and programs, after comparing their outputs. One run of each
/// turn takes about 0.7 s of processor time; the median of five counts.
#[derive(Parser)]
#[command(
    name = "cargo xtask bench",
    bin_name = "cargo xtask bench",
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub task: Option<Task>,
    #[command(flatten)]
    pub race: Race,
}

#[derive(Subcommand)]
pub enum Task {
    /// Time, memory and speed of generated netlists of up to 1 million cells
    Compile {
        /// Largest number of cells
        #[arg(long, default_value_t = 1_000_000)]
        cells: usize,
        /// Write the figures as JSON to standard output
        #[arg(long)]
        json: bool,
        /// Write the table and the plot into docs/performance.md
        #[arg(long)]
        write: bool,
    },
    /// Answers numbers of cycles: the simulator that `bench` starts for our side.
    #[command(hide = true)]
    Serve {
        design: String,
        artifact: PathBuf,
        #[arg(long)]
        cache: Option<PathBuf>,
        #[arg(long)]
        fuel: bool,
    },
}

#[derive(Args)]
pub struct Race {
    /// Designs to measure; all without it
    pub designs: Vec<String>,
    /// Engines, by the start of their names: ours, verilator, verilator-5.006-O3, cxxrtl, icarus
    #[arg(long, value_delimiter = ',')]
    pub engines: Vec<String>,
    /// Cycles of every timed run, instead of as many as take 0.7 s
    #[arg(long)]
    pub cycles: Option<u64>,
    /// Three runs of 0.2 s, and fewer cycles compared
    #[arg(long)]
    pub quick: bool,
    /// Do not count WebAssembly operations
    #[arg(long)]
    pub no_operations: bool,
    /// Write the figures as JSON to standard output, and the table to standard error
    #[arg(long)]
    pub json: bool,
    /// Write the table and the plot into docs/performance.md; designs that are not measured keep their rows
    #[arg(long, conflicts_with_all = ["quick", "cycles", "unstable", "opt_level"])]
    pub write: bool,
    /// For the compiler
    #[arg(short = 'O', value_name = "LEVEL")]
    pub opt_level: Option<u32>,
    /// For the compiler: `-Z no-<technique>`
    #[arg(short = 'Z', value_name = "FLAG")]
    pub unstable: Vec<String>,
    /// List designs and engines
    #[arg(long)]
    pub list: bool,
}

/// How much is measured.
pub struct Effort {
    pub rounds: usize,
    /// Length of a timed run.
    pub seconds: f64,
    pub cycles: Option<u64>,
    pub compared_cycles: u64,
    pub counts_operations: bool,
}

impl Race {
    /// The designs asked for, or the name that is none.
    pub fn workloads(&self) -> Result<Vec<&'static Workload>, String> {
        let named = |name: &String| {
            LADDER
                .iter()
                .find(|workload| workload.name == name)
                .ok_or_else(|| format!("`{name}` is no design (`--list` lists them)"))
        };
        match self.designs.as_slice() {
            [] => Ok(LADDER.iter().collect()),
            names => names.iter().map(named).collect(),
        }
    }

    /// The engines asked for.
    pub fn chosen(&self, all: Vec<Engine>) -> Result<Vec<Engine>, String> {
        let unknown = self
            .engines
            .iter()
            .find(|name| !all.iter().any(|engine| engine.name().starts_with(*name)));
        if let Some(name) = unknown {
            return Err(format!("`{name}` is no engine (`--list` lists them)"));
        }
        let is_chosen = |engine: &Engine| {
            let name = engine.name();
            self.engines.is_empty() || self.engines.iter().any(|start| name.starts_with(start))
        };
        Ok(all.into_iter().filter(is_chosen).collect())
    }

    pub fn effort(&self) -> Effort {
        Effort {
            rounds: if self.quick { 3 } else { 5 },
            seconds: if self.quick { 0.2 } else { 0.7 },
            cycles: self.cycles,
            compared_cycles: if self.quick { 3000 } else { 20_000 },
            counts_operations: !self.no_operations,
        }
    }

    /// What the compiler is told.
    pub fn compiler_options(&self) -> Vec<String> {
        let level = self.opt_level.map(|level| format!("-O{level}"));
        let unstable = self
            .unstable
            .iter()
            .flat_map(|flag| ["-Z".to_owned(), flag.clone()]);
        level.into_iter().chain(unstable).collect()
    }
}
