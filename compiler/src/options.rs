//! What the user can ask for: the design to read and how to compile it.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The design: sources and how to read them.
#[derive(Clone, Debug, Default)]
pub struct Design {
    /// Files in order; `-` is standard input (RTLIL, unless `language` says otherwise).
    pub sources: Vec<PathBuf>,
    /// What standard input said, when it has been read already.
    pub stdin: Option<String>,
    /// RTLIL text that needs no file, with the name to show for it.
    pub rtlil: Option<(String, String)>,
    /// Top module; found when only one module is not instantiated.
    pub top: Option<String>,
    /// `-I` and `+incdir+`.
    pub include_dirs: Vec<PathBuf>,
    /// `-D NAME[=VALUE]` and `+define+`.
    pub defines: Vec<(String, Option<String>)>,
    /// `-P NAME=VALUE` for the top module.
    pub parameters: Vec<(String, String)>,
    /// `-f FILE`.
    pub file_lists: Vec<PathBuf>,
    /// `-y DIR`: where to look for modules that are missing.
    pub library_dirs: Vec<PathBuf>,
    /// `-Y .EXT`: with these endings.
    pub library_extensions: Vec<String>,
    /// Of all sources; by file name when `None`.
    pub language: Option<Language>,
    /// A Yosys to use instead of the installed one: a `.wasm` or a native program.
    pub yosys: Option<PathBuf>,
    /// Show Yosys' script and log on standard error.
    pub verbose: bool,
}

/// Source language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Verilog,
    SystemVerilog,
    Rtlil,
    /// A Yosys JSON netlist.
    Json,
}

/// How to compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub opt_level: OptLevel,
    pub strip: Strip,
    pub undef: Undef,
    pub poke: Poke,
    pub clock_order: ClockOrder,
    pub profile: Profile,
    pub gating: Gating,
    pub trace: Trace,
    /// Optimisations to leave out, by name (`-Z no-<name>`): to measure one, or to find which one is at fault.
    pub without: BTreeSet<String>,
}

impl Options {
    /// True when an optimisation that starts at `level` is to run.
    pub fn runs(&self, name: &str, level: OptLevel) -> bool {
        self.opt_level >= level && !self.without.contains(name)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            opt_level: OptLevel::O2,
            strip: Strip::Full,
            undef: Undef::Zero,
            poke: Poke::All,
            clock_order: ClockOrder::Verilog,
            profile: Profile::Server,
            gating: Gating::default(),
            trace: Trace::Off,
            without: BTreeSet::new(),
        }
    }
}

/// From which size on instances are skipped while nothing changes in them (`sched/activity.rs`), and when to look
/// for cycles in which nothing changes anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gating {
    /// Instances in the whole design; a design of few is busy all over.
    pub instances: usize,
    /// Cells that only one instance uses, with those below it that are smaller.
    pub cells: usize,
    /// The same for each value that it looks at.
    pub cells_per_input: usize,
    /// Cells whose code is saved where instances that are alike run one function; below, calls cost more than that.
    pub shared_cells: usize,
    /// Cells in no such instance from which on a design is cut into parts instead (`sched/parts.rs`).
    pub ungated: usize,
    /// Cells of such a part.
    pub part_cells: usize,
    /// Most cells of parts that run together and so are one.
    pub merged_cells: usize,
    /// Percentage of registers that can keep their values, from which on that is done: the others change in most
    /// cycles, and all behind them is awake.
    pub holding: usize,
    /// Clock edges from one look at whether something can sleep to the next: a power of two.
    pub every: u64,
    /// Cycles of a call before the first look at whether one changes anything at all.
    pub first_look: u64,
    /// That number doubles from look to look up to this one.
    pub least_look: u64,
}

impl Default for Gating {
    fn default() -> Self {
        Gating {
            instances: 12,
            cells: 60,
            cells_per_input: 2,
            shared_cells: 10_000,
            ungated: 5_000,
            part_cells: 48,
            merged_cells: 300,
            holding: 50,
            every: 16,
            first_look: 256,
            least_look: 4096,
        }
    }
}

impl Gating {
    /// Whatever can be gated is: for tests.
    pub const ALL: Gating = Gating {
        instances: 1,
        cells: 1,
        cells_per_input: 0,
        shared_cells: 1,
        ungated: usize::MAX,
        part_cells: 1,
        merged_cells: 1,
        holding: 0,
        every: 1,
        first_look: 1,
        least_look: 1,
    };

    /// Everything is cut into parts: for tests.
    pub const PARTS: Gating = Gating {
        ungated: 0,
        part_cells: 3,
        merged_cells: 12,
        ..Gating::ALL
    };
}

/// Whether an artifact can write the change trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    Off,
    On,
}

/// `-O0` to `-O3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptLevel {
    /// Compile at once: no passes but those the emitter needs, no Binaryen.
    O0,
    /// Cheap passes.
    O1,
    /// All passes, and Binaryen for size where the code is not large.
    O2,
    /// Everything.
    O3,
}

/// What the artifact says about its inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Every named signal can be seen.
    Full,
    /// Only ports: for closed designs.
    Ports,
}

/// What undefined bits of the initial state become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undef {
    Zero,
    Ones,
    /// From the seed, anew at each reset.
    Random,
}

/// Which signals the host may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poke {
    /// Inputs, and every named register, latch and memory.
    All,
    /// Inputs only: the compiler may merge and remove registers.
    Ports,
    /// Inputs, and the state whose dotted path matches the glob.
    Glob(String),
}

/// When an edge on a computed clock is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockOrder {
    /// Gates and muxes carry an edge in the same wave, as Verilog simulators do.
    Verilog,
    /// A computed clock moves one wave later, as Amaranth and Torii do.
    Delta,
}

/// The kind of engine that functions are cut for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// wasmtime, wasmer and other compilers that take seconds where they must.
    Server,
    /// JavaScript engines.
    Browser,
    /// JVM hosts: HotSpot does not compile methods of over 8 KB of bytecode.
    Jvm,
}

impl Profile {
    /// Most steps of one function. In larger ones Cranelift moves more values between registers and the stack, and its
    /// time grows faster than their size; JavaScript engines refuse over 50,000 locals.
    pub fn max_steps(self) -> usize {
        match self {
            Profile::Server | Profile::Browser => 500,
            Profile::Jvm => 200,
        }
    }
}
