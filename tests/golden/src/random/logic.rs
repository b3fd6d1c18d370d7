//! Random combinational cells.
//!
//! In: the pool of cells made so far. Out: more cells in the pool, each kind about as often as any other.

use rtlwasm::ir::*;

use super::Maker;

/// Makes a cell that computes a value of (about) that width.
type Make = fn(&mut Maker, u32) -> CellId;

/// One maker for each kind that has operands, memories excepted.
const KINDS: &[Make] = &[
    |m, w| m.one(w, CellKind::Not),
    |m, w| m.two(w, CellKind::And),
    |m, w| m.two(w, CellKind::Or),
    |m, w| m.two(w, CellKind::Xor),
    |m, w| m.two(w, CellKind::Add),
    |m, w| m.two(w, CellKind::Sub),
    |m, w| m.two(w, CellKind::Mul),
    |m, w| m.two(w, CellKind::DivU),
    |m, w| m.two(w, CellKind::DivS),
    |m, w| m.two(w, CellKind::RemU),
    |m, w| m.two(w, CellKind::RemS),
    |m, w| m.by_amount(w, CellKind::Pow),
    |m, w| m.by_amount(w, CellKind::Shl),
    |m, w| m.by_amount(w, CellKind::ShrU),
    |m, w| m.by_amount(w, CellKind::ShrS),
    |m, w| m.compare(w, CellKind::Eq),
    |m, w| m.compare(w, CellKind::LtU),
    |m, w| m.compare(w, CellKind::LtS),
    |m, w| m.parity(w),
    |m, w| m.mux(w),
    |m, w| m.mux(w),
    |m, w| m.mux(w),
    |m, w| m.mux_of_muxes(w),
    |m, w| m.slice(w),
    |m, w| m.concat(w),
    |m, w| m.zero_extend(w),
    |m, w| m.sign_extend(w),
    |m, w| m.constant(w),
];

impl Maker {
    /// Adds so many cells to the pool.
    pub(super) fn grow(&mut self, count: usize) {
        for _ in 0..count {
            if self.rng.percent(10) {
                self.move_origin();
            }
            let width = self.width();
            let memories = self.b.netlist.memories.len();
            let cell = if memories > 0 && self.rng.percent(4) {
                self.read()
            } else {
                let make = *self.rng.pick(KINDS);
                make(self, width)
            };
            self.pool.push(cell);
            if self.rng.percent(25) {
                self.named.push(("wire", cell));
            }
        }
    }

    fn one(&mut self, width: u32, kind: fn(CellId) -> CellKind) -> CellId {
        let a = self.value(width);
        self.b.cell(kind(a), width)
    }

    fn two(&mut self, width: u32, kind: fn(CellId, CellId) -> CellKind) -> CellId {
        let (x, y) = (self.value(width), self.value(width));
        self.b.cell(kind(x, y), width)
    }

    fn by_amount(&mut self, width: u32, kind: fn(CellId, CellId) -> CellKind) -> CellId {
        let by_width = u32::BITS - width.leading_zeros();
        let amount_width = if self.rng.percent(70) {
            by_width
        } else {
            self.width()
        };
        let (x, y) = (self.value(width), self.value(amount_width));
        self.b.cell(kind(x, y), width)
    }

    fn compare(&mut self, width: u32, kind: fn(CellId, CellId) -> CellKind) -> CellId {
        let (x, y) = (self.value(width), self.value(width));
        self.b.cell(kind(x, y), 1)
    }

    fn parity(&mut self, width: u32) -> CellId {
        let a = self.value(width);
        self.b.cell(CellKind::ReduceXor(a), 1)
    }

    fn mux(&mut self, width: u32) -> CellId {
        let (select, on_true, on_false) = (self.value(1), self.value(width), self.value(width));
        self.b.mux(select, on_true, on_false)
    }

    /// A tree of muxes as case statements make them.
    fn mux_of_muxes(&mut self, width: u32) -> CellId {
        let subject_width = self.rng.between(1, 4) as u32;
        let subject = self.value(subject_width);
        let mut result = self.value(width);
        for case in 0..self.rng.between(2, 6) as u64 {
            let pattern = self.b.number(subject_width, case);
            let hit = self.b.eq(subject, pattern);
            let arm = self.value(width);
            result = self.b.mux(hit, arm, result);
            self.pool.push(result);
        }
        result
    }

    fn slice(&mut self, width: u32) -> CellId {
        let wide = width + self.rng.below(40) as u32;
        let value = self.value(wide);
        let low = self.rng.below((wide - width) as usize + 1) as u32;
        self.b.slice(value, low, width)
    }

    fn concat(&mut self, width: u32) -> CellId {
        let mut parts = Vec::new();
        let mut left = width;
        while left > 0 {
            let part = (self.rng.between(1, 1 + width as usize / 2) as u32).min(left);
            parts.push(self.value(part));
            left -= part;
        }
        self.b.concat(&parts)
    }

    fn zero_extend(&mut self, width: u32) -> CellId {
        let narrow = self.rng.between(1, width as usize) as u32;
        let a = self.value(narrow);
        self.b.zero_extend(a, width)
    }

    fn sign_extend(&mut self, width: u32) -> CellId {
        let narrow = self.rng.between(1, width as usize) as u32;
        let a = self.value(narrow);
        self.b.sign_extend(a, width)
    }

    fn constant(&mut self, width: u32) -> CellId {
        let bits = self.rng.bits(width);
        self.b.konst(bits)
    }

    fn read(&mut self) -> CellId {
        let memory = rtlwasm::arena::Id::new(self.rng.below(self.b.netlist.memories.len()));
        let address = self.address(memory);
        self.b.read(memory, address)
    }

    /// A row number, often just wide enough for the rows there are.
    pub(super) fn address(&mut self, memory: MemoryId) -> CellId {
        let exact = u32::BITS - (self.b.netlist.memories[memory].depth - 1).leading_zeros();
        let width = if self.rng.percent(70) {
            exact.max(1)
        } else {
            self.width()
        };
        self.value(width)
    }
}
