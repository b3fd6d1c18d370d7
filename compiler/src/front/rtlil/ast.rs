//! RTLIL as written, one flat table per kind of item and module.
//!
//! Names are interned; wires are resolved and slices applied while parsing, so a [`Sig`] is a list of
//! [`Chunk`]s, the lowest bits first. Every item knows its `src` and where it stands in the RTLIL text.

use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

use super::known::KNOWN;
use crate::bits::Bits;

/// An interned identifier or string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u32);

/// The empty string: also stands for "no `src`".
pub const EMPTY: Name = Name(0);

/// An interned constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConstId(pub u32);

/// All texts, each once.
pub struct Names<'a>(IndexSet<&'a str, FxBuildHasher>);

impl<'a> Names<'a> {
    pub fn new() -> Names<'a> {
        Names(KNOWN.iter().copied().collect())
    }

    pub fn intern(&mut self, text: &'a str) -> Name {
        Name(self.0.insert_full(text).0 as u32)
    }

    pub fn find(&self, text: &str) -> Option<Name> {
        self.0.get_index_of(text).map(|i| Name(i as u32))
    }

    pub fn text(&self, name: Name) -> &'a str {
        self.0[name.0 as usize]
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A constant: bits that are neither 0 nor 1 are zero in `value` and set in one of the masks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Const {
    pub value: Bits,
    /// `None` when every bit is 0 or 1.
    pub other: Option<Box<OtherBits>>,
}

/// Bits of a constant that are not 0 or 1; each mask is as wide as the constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherBits {
    /// `x` (and the marker `m`).
    pub unknown: Bits,
    /// `z`: not driven.
    pub floating: Bits,
    /// `-`: matches anything.
    pub any: Bits,
}

impl Const {
    pub fn width(&self) -> u32 {
        self.value.width()
    }

    /// Which bits are 0 or 1.
    pub fn defined(&self) -> Bits {
        match &self.other {
            None => Bits::ones(self.width()),
            Some(other) => other.unknown.or(&other.floating).or(&other.any).not(),
        }
    }

    /// Bits that drive nothing.
    pub fn is_floating(&self, index: u32) -> bool {
        self.other.as_ref().is_some_and(|o| o.floating.bit(index))
    }
}

/// A parameter's or attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A decimal number (32 bits).
    Int(i32),
    Bits(ConstId),
    /// Escapes not resolved.
    Str(Name),
}

/// A range of one of the module's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: u32,
    pub end: u32,
}

impl Range {
    pub fn of<T>(self, table: &[T]) -> &[T] {
        &table[self.start as usize..self.end as usize]
    }
}

/// A signal: a range of the module's `chunks`, lowest bits first.
pub type Sig = Range;

/// Neighbouring bits of one wire or constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub base: Base,
    pub offset: u32,
    pub width: u32,
}

/// What a chunk is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Index into the module's `wires`.
    Wire(u32),
    Const(ConstId),
}

/// What every item has.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub name: Name,
    /// The `src` attribute, escapes not resolved; [`EMPTY`] when there is none.
    pub src: Name,
    /// Attributes but `src`: a range of the module's `attributes`.
    pub attributes: Range,
    /// Byte offset in the RTLIL text.
    pub at: u32,
}

/// A whole file.
pub struct Design<'a> {
    pub names: Names<'a>,
    pub consts: IndexMap<&'a str, Const, FxBuildHasher>,
    pub modules: Vec<Module>,
}

impl Design<'_> {
    pub fn constant(&self, id: ConstId) -> &Const {
        &self.consts[id.0 as usize]
    }

    /// The text of a name without its `\`.
    pub fn shown(&self, name: Name) -> &str {
        let text = self.names.text(name);
        text.strip_prefix('\\').unwrap_or(text)
    }

    /// Width of a signal of `module`.
    pub fn width(&self, module: &Module, sig: Sig) -> u32 {
        sig.of(&module.chunks).iter().map(|c| c.width).sum()
    }
}

/// One module.
#[derive(Debug)]
pub struct Module {
    pub item: Item,
    /// Parameters without which it has no meaning: those declared without a value.
    pub open_parameters: Vec<Name>,
    pub wires: Vec<Wire>,
    pub memories: Vec<Memory>,
    pub cells: Vec<Cell>,
    /// Left and right side.
    pub connects: Vec<(Sig, Sig)>,
    pub processes: Vec<Process>,
    pub cases: Vec<Case>,
    pub switches: Vec<Switch>,
    pub chunks: Vec<Chunk>,
    pub attributes: Vec<(Name, Value)>,
    pub parameters: Vec<(Name, Value)>,
    pub connections: Vec<(Name, Sig)>,
}

/// A wire.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    pub item: Item,
    pub width: u32,
    /// Declared index of the lowest bit.
    pub offset: i32,
    pub upto: bool,
    pub signed: bool,
    pub port: Port,
    /// Position among the ports.
    pub port_id: u32,
}

/// Direction of a wire that is a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    None,
    Input,
    Output,
    Inout,
}

/// A `memory` object.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub item: Item,
    pub width: u32,
    pub size: u32,
    pub offset: i32,
}

/// A cell or an instance.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub item: Item,
    pub kind: Name,
    pub parameters: Range,
    pub connections: Range,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    pub item: Item,
    /// Index into `cases`.
    pub root: u32,
    pub syncs: Vec<Sync>,
}

/// One arm of a switch, or the root of a process.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Where its statements stand.
    pub src: Name,
    /// Empty: matches always.
    pub compares: Vec<Sig>,
    /// Target and value, in order; all of them come before the switches.
    pub assigns: Vec<(Sig, Sig)>,
    /// Indices into `switches`.
    pub switches: Vec<u32>,
}

/// A choice; the first case that matches is taken.
#[derive(Clone, Debug)]
pub struct Switch {
    pub signal: Sig,
    /// Indices into `cases`.
    pub cases: Vec<u32>,
}

/// What happens when.
#[derive(Clone, Debug)]
pub struct Sync {
    pub when: SyncKind,
    /// Empty for `global`, `init` and `always`.
    pub signal: Sig,
    /// Target and value.
    pub updates: Vec<(Sig, Sig)>,
    pub writes: Vec<MemoryWrite>,
}

/// When a sync rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    Low,
    High,
    Posedge,
    Negedge,
    Edge,
    Always,
    Global,
    Init,
}

/// A `memwr` action.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWrite {
    pub memory: Name,
    pub address: Sig,
    pub data: Sig,
    pub enable: Sig,
    pub src: Name,
    pub at: u32,
}

impl Module {
    /// The attributes of an item of this module (all but `src`).
    pub fn attributes_of(&self, item: Item) -> impl Iterator<Item = (Name, Value)> + '_ {
        item.attributes.of(&self.attributes).iter().copied()
    }

    /// The signal connected to a port of a cell; empty when there is none.
    pub fn port(&self, cell: &Cell, port: Name) -> Sig {
        let connections = cell.connections.of(&self.connections);
        connections
            .iter()
            .find(|(n, _)| *n == port)
            .map_or(Sig::default(), |(_, sig)| *sig)
    }

    /// The chunks of a signal.
    pub fn chunks_of(&self, sig: Sig) -> &[Chunk] {
        sig.of(&self.chunks)
    }
}
