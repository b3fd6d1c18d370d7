//! The self-description of an artifact: JSON in two custom sections, keys sorted, no spaces.
//!
//! Readers ignore keys and kinds that they do not know. Ids are dense: entry `i` of `signals` has id
//! `i`, ports first; [`Symbols`] continues where [`Manifest::signals`] ends.

use serde::{Deserialize, Serialize};

/// Number of the manifest's own schema; grows only with incompatible changes.
pub const SCHEMA: u32 = 1;

/// Section `rtl.manifest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u32,
    /// `major.minor` of the ABI.
    pub abi: String,
    /// Name of the top module.
    pub top: String,
    /// Hexadecimal; the same for the same optimised design.
    pub design_hash: String,
    /// Hexadecimal; snapshots fit exactly the artifacts with this hash.
    pub layout_hash: String,
    pub toolchain: Toolchain,
    /// Names of the set feature bits.
    #[serde(default)]
    pub features: Vec<String>,
    /// `zero`, `ones` or `random`.
    pub undef: String,
    /// `verilog` or `delta`.
    pub clock_order: String,
    /// Time is in units of 10^`time_unit` seconds.
    pub time_unit: i32,
    pub state: Region,
    /// The part of the state region before the memories.
    pub scalars: Region,
    /// Largest number of event bytes that one settling or wave writes.
    pub event_reserve: u32,
    /// Largest number of trace bytes that one settling or wave writes.
    pub trace_reserve: u32,
    /// Primary clocks first, then derived ones; `rtl_step` takes an index into this list.
    pub clocks: Vec<Clock>,
    pub resets: Vec<Reset>,
    #[serde(default)]
    pub types: Vec<Type>,
    pub events: Vec<EventSite>,
    /// Number of outline groups that `rtl_outline` knows.
    #[serde(default)]
    pub outline_groups: u32,
    /// Plusargs the design asks for; the host writes what the user gave.
    #[serde(default)]
    pub plusargs: Vec<Plusarg>,
    /// The ports.
    pub signals: Vec<Signal>,
}

/// Section `rtl.symbols`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Symbols {
    /// All signals but the ports, ids going on after them.
    pub signals: Vec<Signal>,
}

/// What made the artifact, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// `rtlwasm` and its version.
    pub compiler: String,
    /// Optimisation level.
    pub opt_level: u32,
    /// `full` or `ports`.
    pub strip: String,
    /// Which signals stay pokeable: `all`, `ports` or a glob.
    pub poke: String,
}

/// A range of linear memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub base: u64,
    pub len: u64,
}

/// One clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Row of the trigger table.
    pub trigger: u32,
    pub name: String,
    /// Signal id, if the net has a name.
    pub signal: Option<u32>,
    /// `rise`, `fall` or `both`: which edges registers act on.
    pub edge: String,
    /// True for clocks that the design computes; the host does not step those.
    pub derived: bool,
    /// Initial time it stays high, in time units.
    pub high: u64,
    /// Initial time it stays low.
    pub low: u64,
}

/// One set or reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Row of the trigger table; `None` for synchronous ones.
    pub trigger: Option<u32>,
    pub name: String,
    pub signal: Option<u32>,
    /// Level that resets: 0 or 1.
    pub active: u32,
    #[serde(rename = "async")]
    pub asynchronous: bool,
}

/// An enumeration that signals refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    pub name: String,
    pub width: u32,
    /// Name and hexadecimal value of each variant.
    pub variants: Vec<(String, String)>,
}

/// One place in the design that writes events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventSite {
    /// `display`, `info`, `warning`, `error`, `fatal`, `finish`, `stop`, `assert`, `assume`, `cover`.
    pub kind: String,
    /// Name of the statement or its block; empty for internal ones in stripped artifacts.
    pub name: String,
    pub message: Vec<MessagePart>,
    pub args: Vec<EventArg>,
    /// What the host does after printing: `continue`, `finish`, `stop` or `fail`.
    pub action: String,
    pub source: Option<String>,
    /// For covers: where the 64-bit counter lies. Covers write no events.
    pub cover: Option<u64>,
}

/// One argument of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventArg {
    pub width: u32,
    pub signed: bool,
}

/// A piece of an event's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum MessagePart {
    Text {
        text: String,
    },
    /// An argument as a number. `base` is 2, 8, 10 or 16.
    Number {
        arg: u32,
        base: u32,
        #[serde(default)]
        upper: bool,
        layout: NumberLayout,
    },
    /// An argument as text, eight bits a character, the highest first; zero bytes are not shown.
    Chars {
        arg: u32,
        layout: NumberLayout,
    },
    /// The event's time; `real` shows a fraction.
    Time {
        real: bool,
        layout: NumberLayout,
    },
}

/// Padding and signs of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberLayout {
    /// Least number of characters.
    pub width: u32,
    pub left: bool,
    pub zero_pad: bool,
    pub plus: bool,
    pub space: bool,
    pub prefix: bool,
    pub group: bool,
}

/// A plusarg the design asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plusarg {
    /// Text after the `+`, with the format of `$value$plusargs` at its end.
    pub name: String,
    /// Id of the signal that says whether it was given.
    pub found: u32,
    /// Id of the signal that takes its value.
    pub value: Option<u32>,
}

/// One named signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// From below the top; a top port is `["clk"]`.
    pub path: Vec<String>,
    /// `input`, `output`, `inout`, `register`, `latch`, `wire`, `memory` or `constant`.
    pub kind: String,
    /// `rw`, `r` or `c`.
    pub access: String,
    pub width: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    pub signed: bool,
    /// Declared index of the lowest bit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lsb: i64,
    /// Declared `[0:7]` rather than `[7:0]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub upto: bool,
    /// Where the value lies, low bits first; a memory's are those of row 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Memories: bytes from one row to the next.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stride: u32,
    /// Memories: rows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depth: u32,
    /// Memories: declared index of row 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub first: i64,
    /// Inouts: ids of the incoming value, the outgoing value and the enable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inout: Option<[u32; 3]>,
    /// Index into the manifest's `types`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<u32>,
    /// Constants: hexadecimal value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Id of the signal whose places these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<u32>,
    /// Outline group that recomputes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<u32>,
    /// `file:line.column`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A run of bits in memory: `width` bits of the little-endian number of `size` bytes at `offset`, from
/// bit `shift` up. Serialised as `[offset, size, shift, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u32, u32, u32)", into = "(u64, u32, u32, u32)")]
pub struct Part {
    pub offset: u64,
    pub size: u32,
    pub shift: u32,
    pub width: u32,
}

impl From<(u64, u32, u32, u32)> for Part {
    fn from((offset, size, shift, width): (u64, u32, u32, u32)) -> Part {
        Part {
            offset,
            size,
            shift,
            width,
        }
    }
}

impl From<Part> for (u64, u32, u32, u32) {
    fn from(p: Part) -> Self {
        (p.offset, p.size, p.shift, p.width)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
