//! What hosts see of signals: their rows in the manifest and in the table behind `rtl_peek` and `rtl_poke`.

use std::collections::BTreeMap;

use glob::Pattern;
use rtlwasm_abi::manifest::Part;
use sha2::{Digest, Sha256};
use walrus::{ConstExpr, DataKind, MemoryId, Module};

use crate::bits::Bits;
use crate::ir::*;
use crate::layout::{Cursor, Layout, slot_size};
use crate::options::{Options, Poke, Strip};
use crate::sched::observe::{Observed, Stored};

/// How one signal can be seen and changed.
#[derive(Clone, Debug)]
pub struct SignalRow {
    pub path: Vec<String>,
    /// Described in `rtl.manifest`, also when the artifact is stripped.
    pub port: bool,
    /// The netlist's signal, for width, sign, type and source.
    pub signal: SignalId,
    pub kind: &'static str,
    pub access: Access,
    pub width: u32,
    pub parts: Vec<Part>,
    /// Rows of a memory; 1 for others.
    pub rows: u32,
    pub stride: u32,
    pub first: i64,
    /// Value of a constant.
    pub constant: Option<Bits>,
    /// Recomputed by `rtl_outline`.
    pub outlined: bool,
    /// For inouts: rows of its incoming value, outgoing value and enable.
    pub inout: Option<[usize; 3]>,
    pub alias_of: Option<usize>,
}

/// Who may write a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    Read,
    /// Constants, and values without a place that is always right.
    Call,
}

impl Access {
    /// As in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Access::ReadWrite => "rw",
            Access::Read => "r",
            Access::Call => "c",
        }
    }
}

/// The rows of all signals that the artifact keeps; ports first.
pub fn signal_rows(
    n: &Netlist,
    layout: &Layout,
    observed: &Observed,
    options: &Options,
) -> Vec<SignalRow> {
    let poke = PokeFilter::new(&options.poke);
    let rows = Rows {
        n,
        layout,
        observed,
        poke,
    };
    let mut ports = Vec::new();
    let mut inner = Vec::new();
    let mut inouts = Vec::new();
    let mut plusargs = Vec::new();
    let host_inputs = n.host_inputs();
    for (id, signal) in n.signals.iter() {
        match (&signal.value, signal.direction) {
            (
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                },
                _,
            ) => {
                inouts.push((
                    ports.len(),
                    [("in", *input), ("out", *output), ("enable", *enable)],
                ));
                ports.push(rows.cell(id, *output, "inout"));
            }
            (SignalValue::Cell(c), Direction::None) if host_inputs.contains_key(c) => {
                plusargs.push(rows.cell(id, *c, "input"));
            }
            (SignalValue::Cell(c), Direction::None) => inner.push(rows.named(id, *c)),
            (SignalValue::Cell(c), Direction::Input) => ports.push(rows.cell(id, *c, "input")),
            (SignalValue::Cell(c), _) => ports.push(rows.cell(id, *c, "output")),
            (SignalValue::Memory(m), _) => inner.push(rows.memory(id, *m)),
        }
    }
    for (port, halves) in inouts {
        let first = ports.len();
        for (suffix, cell) in halves {
            let signal = ports[port].signal;
            let mut row = rows.cell(
                signal,
                cell,
                if suffix == "in" { "input" } else { "output" },
            );
            row.path.push(suffix.to_string());
            ports.push(row);
        }
        ports[port].inout = Some([first, first + 1, first + 2]);
    }
    ports.extend(plusargs);
    if options.strip == Strip::Full {
        ports.extend(inner);
    }
    find_aliases(&mut ports);
    ports
}

fn find_aliases(rows: &mut [SignalRow]) {
    let mut seen: BTreeMap<Vec<(u64, u32, u32, u32)>, usize> = BTreeMap::new();
    for (i, row) in rows
        .iter_mut()
        .enumerate()
        .filter(|(_, r)| !r.parts.is_empty() && r.rows == 1)
    {
        let key = row.parts.iter().map(|p| (*p).into()).collect();
        match seen.get(&key) {
            Some(first) => row.alias_of = Some(*first),
            None => {
                seen.insert(key, i);
            }
        }
    }
}

struct Rows<'a> {
    n: &'a Netlist,
    layout: &'a Layout,
    observed: &'a Observed,
    poke: PokeFilter,
}

impl Rows<'_> {
    fn blank(&self, id: SignalId, kind: &'static str) -> SignalRow {
        SignalRow {
            path: self
                .n
                .signal_path(id)
                .into_iter()
                .map(str::to_string)
                .collect(),
            port: kind != "wire" && kind != "memory",
            signal: id,
            kind,
            access: Access::Read,
            width: self.n.signals[id].width,
            parts: Vec::new(),
            rows: 1,
            stride: 0,
            first: 0,
            constant: None,
            outlined: false,
            inout: None,
            alias_of: None,
        }
    }

    /// A port.
    fn cell(&self, id: SignalId, cell: CellId, kind: &'static str) -> SignalRow {
        let mut row = self.blank(id, kind);
        self.place(cell, &mut row);
        if kind == "input" && row.constant.is_none() {
            row.access = Access::ReadWrite;
        }
        row
    }

    /// Any other name; what it is follows from what holds it.
    fn named(&self, id: SignalId, cell: CellId) -> SignalRow {
        let mut row = self.blank(id, "wire");
        let stored = self.place(cell, &mut row);
        let all = |f: fn(&Stored) -> bool| !stored.is_empty() && stored.iter().all(f);
        if row.constant.is_some() {
            row.kind = "constant";
        } else if all(|s| matches!(s, Stored::Register(_))) {
            row.kind = "register";
        } else if all(|s| matches!(s, Stored::Latch(_))) {
            row.kind = "latch";
        }
        if matches!(row.kind, "register" | "latch") && self.poke.allows(&row.path) {
            row.access = Access::ReadWrite;
        }
        row
    }

    fn memory(&self, id: SignalId, memory: MemId) -> SignalRow {
        let mut row = self.blank(id, "memory");
        let (m, slot) = (
            &self.n.memories[memory],
            self.layout.memories[memory.index()],
        );
        row.width = m.width;
        row.parts = value_parts(slot.base, m.width);
        row.rows = m.depth;
        row.stride = slot.stride;
        row.first = m.first;
        if self.poke.allows(&row.path) {
            row.access = Access::ReadWrite;
        }
        row
    }

    /// Fills in where a cell's value is; returns the state that holds it.
    fn place(&self, cell: CellId, row: &mut SignalRow) -> Vec<Stored> {
        if self.n.is_constant(cell) {
            row.constant = Some(constant_bits(self.n, cell));
            row.access = Access::Call;
            return Vec::new();
        }
        if let Some(parts) = self.observed.parts(self.n, cell) {
            for part in &parts {
                row.parts.extend(
                    self.layout
                        .stored_parts(self.n, part.place, part.low, part.width),
                );
            }
            return parts.into_iter().map(|p| p.place).collect();
        }
        row.parts = value_parts(self.layout.nets[&cell], self.n.width(cell));
        if !self.observed.published.contains(&cell) {
            row.outlined = true;
            row.access = Access::Call;
        }
        Vec::new()
    }
}

type MemId = crate::ir::MemoryId;

fn constant_bits(n: &Netlist, cell: CellId) -> Bits {
    match &n.cells[cell].kind {
        CellKind::Const(bits) => bits.clone(),
        CellKind::Concat(parts) => {
            let limbs = parts
                .iter()
                .map(|p| n.constant(*p).expect("constant").limbs()[0]);
            Bits::from_limbs(n.width(cell), limbs)
        }
        other => panic!("{other:?} is no constant"),
    }
}

/// The parts of a value that lies at an address in whole limbs, or in one slot.
fn value_parts(offset: u32, width: u32) -> Vec<Part> {
    if width <= 64 {
        return vec![Part {
            offset: offset.into(),
            size: slot_size(width),
            shift: 0,
            width,
        }];
    }
    let limb = |i: u32| Part {
        offset: u64::from(offset + 8 * i),
        size: 8,
        shift: 0,
        width: (width - 64 * i).min(64),
    };
    (0..width.div_ceil(64)).map(limb).collect()
}

/// Which state keeps its identity for the host.
struct PokeFilter {
    all: bool,
    glob: Option<Pattern>,
}

impl PokeFilter {
    fn new(poke: &Poke) -> PokeFilter {
        match poke {
            Poke::All => PokeFilter {
                all: true,
                glob: None,
            },
            Poke::Ports => PokeFilter {
                all: false,
                glob: None,
            },
            // The command line has checked the pattern.
            Poke::Glob(g) => PokeFilter {
                all: false,
                glob: Pattern::new(g).ok(),
            },
        }
    }

    fn allows(&self, path: &[String]) -> bool {
        self.all
            || self
                .glob
                .as_ref()
                .is_some_and(|g| g.matches(&path.join(".")))
    }
}

/// A hash of where all state lies: snapshots fit artifacts with the same one.
pub(crate) fn layout_hash(n: &Netlist, layout: &Layout, rows: &[SignalRow]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(format!(
        "{} {} {:?}",
        n.top, layout.state_len, layout.inputs
    ));
    hash.update(format!(
        "{:?}{:?}{:?}",
        layout.registers, layout.latches, layout.loops
    ));
    hash.update(format!("{:?}{:?}", layout.memories, layout.effects));
    for input in &layout.sleep.inputs {
        hash.update(format!("{input:?}"));
    }
    for kept in &layout.parts.kept {
        hash.update(format!("{kept:?}"));
    }
    for row in rows {
        hash.update(format!("{:?}{:?}", row.path, row.parts));
    }
    u64::from_le_bytes(hash.finalize()[..8].try_into().expect("eight bytes"))
}

/// The first signal that lies at each trigger's level, -1 where none does; by trigger.
pub(crate) fn trigger_signals(n: &Netlist, layout: &Layout, rows: &[SignalRow]) -> Vec<u32> {
    let signal = |id: TriggerId| {
        let level = u64::from(layout.trigger_field(id, rtlwasm_abi::layout::trigger::LEVEL));
        let at_level = |r: &SignalRow| r.parts.len() == 1 && r.parts[0].offset == level;
        rows.iter()
            .position(at_level)
            .map_or(u32::MAX, |i| i as u32)
    };
    n.triggers.ids().map(signal).collect()
}

const ROW_BYTES: u64 = 32;
const PART_BYTES: u64 = 12;
const WRITABLE: u32 = 1;
const OUTLINED: u32 = 2;
const INPUT: u32 = 4;

/// Where the tables lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables {
    pub signals: u32,
    pub signal_base: u32,
    pub part_base: u32,
    constant_base: u32,
    /// Number of outline groups: 1 when anything is outlined.
    pub outlines: u32,
}

/// Takes the tables' addresses.
pub(crate) fn place(rows: &[SignalRow], at: &mut Cursor) -> Tables {
    let parts: usize = rows.iter().map(|r| limb_parts(r, 0).len()).sum();
    let constants: usize = rows
        .iter()
        .filter_map(|r| r.constant.as_ref())
        .map(|c| c.limbs().len())
        .sum();
    Tables {
        signals: rows.len() as u32,
        signal_base: at.take(ROW_BYTES * rows.len() as u64, 8),
        part_base: at.take(PART_BYTES * parts as u64, 8),
        constant_base: at.take(8 * constants as u64, 8),
        outlines: u32::from(rows.iter().any(|r| r.outlined)),
    }
}

/// Parts cut at limb boundaries: offset, limb, bit in the limb, and shift, width, size in memory.
fn limb_parts(row: &SignalRow, constant_at: u32) -> Vec<(u32, u16, u8, u8, u8, u8)> {
    let from_constant = row.constant.as_ref().map(|_| {
        (0..row.width.div_ceil(64)).map(|i| Part {
            offset: u64::from(constant_at + 8 * i),
            size: 8,
            shift: 0,
            width: (row.width - 64 * i).min(64),
        })
    });
    let parts: Vec<Part> = from_constant.map_or_else(|| row.parts.clone(), Iterator::collect);
    let mut cut = Vec::new();
    let mut at = 0u32;
    for part in parts {
        let mut done = 0;
        while done < part.width {
            let take = (part.width - done).min(64 - at % 64);
            let (limb, bit) = ((at / 64) as u16, (at % 64) as u8);
            cut.push((
                part.offset as u32,
                limb,
                bit,
                (part.shift + done) as u8,
                take as u8,
                part.size as u8,
            ));
            at += take;
            done += take;
        }
    }
    cut
}

/// Writes the tables as data.
pub(crate) fn emit(module: &mut Module, memory: MemoryId, tables: &Tables, rows: &[SignalRow]) {
    let mut row_bytes: Vec<u8> = Vec::new();
    let mut part_bytes: Vec<u8> = Vec::new();
    let mut constant_bytes: Vec<u8> = Vec::new();
    for row in rows {
        let parts = limb_parts(row, tables.constant_base + constant_bytes.len() as u32);
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(row.access == Access::ReadWrite, WRITABLE)
            | flag(row.outlined, OUTLINED)
            | flag(row.kind == "input", INPUT);
        let limbs = row.width.div_ceil(64).max(1);
        let first = (part_bytes.len() as u64 / PART_BYTES) as u32;
        for word in [
            row.width,
            limbs,
            row.rows,
            row.stride,
            first,
            parts.len() as u32,
            flags,
            0,
        ] {
            row_bytes.extend(word.to_le_bytes());
        }
        for (offset, limb, bit, shift, width, size) in parts {
            part_bytes.extend(offset.to_le_bytes());
            part_bytes.extend(limb.to_le_bytes());
            part_bytes.extend([bit, shift, width, size, 0, 0]);
        }
        let limbs = row.constant.iter().flat_map(|c| c.limbs());
        constant_bytes.extend(limbs.flat_map(|l| l.to_le_bytes()));
    }
    for (base, bytes) in [
        (tables.signal_base, row_bytes),
        (tables.part_base, part_bytes),
        (tables.constant_base, constant_bytes),
    ] {
        add_data(module, memory, base, bytes);
    }
}

/// Bytes that are there from instantiation on.
pub(crate) fn add_data(module: &mut Module, memory: MemoryId, base: u32, bytes: Vec<u8>) {
    if !bytes.is_empty() {
        let offset = ConstExpr::Value(walrus::ir::Value::I32(base as i32));
        let data = module.data.add(DataKind::Active { memory, offset }, bytes);
        module.memories.get_mut(memory).data_segments.insert(data);
    }
}
