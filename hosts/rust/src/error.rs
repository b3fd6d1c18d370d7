//! What can go wrong, each with the way out.

use std::path::PathBuf;

use rtlwasm_abi::{ABI_MAJOR, Status};

use crate::lockstep::Divergence;
use crate::value::ParseValueError;

/// Why an artifact could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not WebAssembly at all.
    #[error(
        "this is not a WebAssembly module (it does not start with `\\0asm`); \
         to make one from a design, run `rtlwasm build`"
    )]
    NotWasm,
    /// WebAssembly, but not made by rtlwasm.
    #[error(
        "this WebAssembly module has no section `rtl.manifest`, so it is not a simulation artifact; \
         to make one from a design, run `rtlwasm build`"
    )]
    NotArtifact,
    /// Damaged WebAssembly.
    #[error("the WebAssembly module is damaged: {reason}; build the artifact again")]
    Damaged {
        /// What the reader or the engine said.
        reason: String,
    },
    /// A section that is not the JSON it should be.
    #[error("section `{section}` cannot be read: {source}; build the artifact again")]
    Json {
        /// `rtl.manifest` or `rtl.symbols`.
        section: &'static str,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// A field that contradicts another or the memory.
    #[error("corrupt artifact: {field}: {problem}; build the artifact again")]
    Corrupt {
        /// Where, such as `signals[3].parts[0]` or `control block: event_base`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another major version of the ABI.
    #[error(
        "the artifact has ABI version {found}, and this host runs version {ABI_MAJOR}.x: \
         build the artifact again with a matching rtlwasm, or use the host of that version"
    )]
    AbiVersion {
        /// `major.minor` of the artifact.
        found: String,
    },
    /// A feature that this host does not know or have.
    #[error(
        "the artifact needs {feature}, which this host does not have: \
         build it without that feature, or use a newer host"
    )]
    Feature {
        /// Its name or bit.
        feature: String,
    },
    /// The artifact asks for something from outside.
    #[error(
        "the artifact imports `{module}.{name}`, and artifacts import nothing; build the artifact again"
    )]
    Import {
        /// Module of the import.
        module: String,
        /// Name of the import.
        name: String,
    },
    /// A missing or misshapen export.
    #[error("the artifact has no export `{name}` of type `{expected}`; build the artifact again")]
    Export {
        /// Its name.
        name: &'static str,
        /// Its type by the ABI.
        expected: &'static str,
    },
    /// The instance could not be made (out of address space or memory).
    #[error("cannot instantiate the artifact: {reason}")]
    Instantiate {
        /// What the engine said.
        reason: String,
    },
    /// The first reset failed.
    #[error("the first reset of the model failed: {0}")]
    Reset(#[from] Box<Error>),
}

/// Why a request to a model could not be carried out. Nothing was changed unless said.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No signal of that name.
    #[error("there is no signal `{path}`{}", near_text(near))]
    UnknownSignal {
        /// What was asked for.
        path: String,
        /// Names that look alike, the nearest first.
        near: Vec<String>,
    },
    /// Two signals whose paths read the same when joined with dots.
    #[error("`{path}` is the name of several signals: give the path as an array of names")]
    AmbiguousSignal {
        /// What was asked for.
        path: String,
    },
    /// No clock of that name.
    #[error("there is no clock `{name}`: {}", clocks_text(clocks))]
    UnknownClock {
        /// What was asked for.
        name: String,
        /// The clocks that there are.
        clocks: Vec<String>,
    },
    /// The design has several clocks, or none, where one is needed.
    #[error("which clock? {}", clocks_text(clocks))]
    WhichClock {
        /// The clocks that there are.
        clocks: Vec<String>,
    },
    /// A clock that the design computes.
    #[error("clock `{name}` is computed by the design: step the clock that it comes from")]
    DerivedClock {
        /// Its name.
        name: String,
    },
    /// A value that the signal cannot hold.
    #[error("the width of `{path}` is {width}, and the value needs {needed}")]
    TooWide {
        /// The signal.
        path: String,
        /// Its width in bits.
        width: u32,
        /// Width of the value in bits.
        needed: u32,
    },
    /// A 64-bit answer was asked for.
    #[error("the width of `{path}` is {width}: read it with `peek_bits`")]
    WideRead {
        /// The signal.
        path: String,
        /// Its width in bits.
        width: u32,
    },
    /// Something the host may not write.
    #[error("`{path}` cannot be written: {reason}")]
    NotWritable {
        /// The signal.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A memory where a plain signal is needed.
    #[error("`{path}` is a memory: read and write its rows")]
    IsMemory {
        /// The signal.
        path: String,
    },
    /// A plain signal where a memory is needed.
    #[error("`{path}` is not a memory")]
    NotMemory {
        /// The signal.
        path: String,
    },
    /// A row outside of a memory.
    #[error("memory `{path}` has rows {first} to {last}, and row {row} was asked for")]
    Row {
        /// The memory.
        path: String,
        /// The declared index that was asked for.
        row: i64,
        /// Declared index of the first row.
        first: i64,
        /// Declared index of the last row.
        last: i64,
    },
    /// A handle of another artifact.
    #[error("the handle belongs to another artifact: look the signal or clock up in this one")]
    ForeignHandle,
    /// A text that is not a value.
    #[error(transparent)]
    Value(#[from] ParseValueError),
    /// Two implementations that run side by side have come apart; see [`Lockstep`](crate::Lockstep).
    #[error(transparent)]
    Diverged(Box<Divergence>),
    /// What is to run side by side has not the same ports.
    #[error("these are not two builds of one design: {problem}")]
    NotAlike {
        /// What differs.
        problem: String,
    },
    /// A snapshot of another design.
    #[error(
        "the snapshot is of another design, build or engine: it fits only those with the same layout hash"
    )]
    ForeignSnapshot,
    /// A memory image that cannot be loaded.
    #[error("{file}:{line}: {problem}")]
    Image {
        /// File name, or what the caller named it.
        file: String,
        /// Line from 1; 0 for the whole file.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A waveform could not be written.
    #[error("cannot write `{}`: {problem}", path.display())]
    Wave {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A signal that a watch cannot look at.
    #[error("`{path}` cannot be watched: {reason}")]
    NotWatchable {
        /// The signal.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// No room for another watch.
    #[error("the model has its {most} watches: take one away first")]
    TooManyWatches {
        /// How many there can be.
        most: usize,
    },
    /// The artifact cannot write the change trace.
    #[error("the artifact cannot trace changes: build it with the option `trace`")]
    NotTraced,
    /// Something that artifacts do and other engines do not; see [`Engine`](crate::Engine).
    #[error(
        "engine `{engine}` has no {what}: {instead}, or run the artifact itself (engine `wasm`)"
    )]
    NotInEngine {
        /// The engine's name.
        engine: &'static str,
        /// What was asked for.
        what: &'static str,
        /// What to do with that engine.
        instead: &'static str,
    },
    /// No room for another staged write.
    #[error("too many staged writes: let the model run before staging more")]
    StageFull,
    /// The module refused an argument.
    #[error("the model answered `{}` to {call}", status.describe())]
    Refused {
        /// The export that was called.
        call: &'static str,
        /// What it answered.
        status: Status,
    },
    /// The model cannot make room in its event ring although it was emptied.
    #[error(
        "the event ring of the model stays full although it was drained; build the artifact again"
    )]
    RingStuck,
    /// A record in the event ring that makes no sense.
    #[error("the event ring of the model is damaged: {problem}; build the artifact again")]
    BrokenRing {
        /// What is wrong.
        problem: String,
    },
    /// The WebAssembly code trapped, which no artifact may.
    #[error(
        "the model trapped in {call}: {reason}; this is a bug of the compiler, please report it"
    )]
    Trap {
        /// The export that was called.
        call: &'static str,
        /// What the engine said.
        reason: String,
    },
}

fn near_text(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [one] => format!("; did you mean `{one}`?"),
        many => format!("; did you mean one of `{}`?", many.join("`, `")),
    }
}

fn clocks_text(clocks: &[String]) -> String {
    match clocks {
        [] => "the design has no clock input".to_string(),
        [one] => format!("the only clock is `{one}`"),
        many => format!("the clocks are `{}`", many.join("`, `")),
    }
}

pub(crate) fn corrupt(field: impl Into<String>, problem: impl Into<String>) -> LoadError {
    LoadError::Corrupt {
        field: field.into(),
        problem: problem.into(),
    }
}
