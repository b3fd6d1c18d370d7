//! Makes netlists: every cell goes through the hash-consing [`Builder`], so equal cells are one cell.
//!
//! A front end uses [`Builder::literal`], which keeps what the source says, so that the unoptimised
//! netlist stays the reference, and numbers what is drawn at random. Passes use [`Builder::folding`], which
//! also evaluates constants and applies the identities of `simplify`.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::simplify;
use super::*;

/// Collects cells and state of one netlist.
pub struct Builder {
    cells: IndexSet<Cell, FxBuildHasher>,
    fold: bool,
    /// Origin given to cells made from now on.
    pub origin: Origin,
    /// Everything but the cells; `cells` and the netlist become one in [`Builder::finish`].
    pub netlist: Netlist,
}

impl Builder {
    /// Keeps cells as asked for; only equal ones are shared.
    pub fn literal(top: impl Into<String>) -> Builder {
        Builder::new(top.into(), false)
    }

    /// Also folds constants and applies identities.
    pub fn folding(top: impl Into<String>) -> Builder {
        Builder::new(top.into(), true)
    }

    /// Goes on with a finished netlist, whose cells stay as they are; folds what is added.
    pub fn extending(mut netlist: Netlist) -> Builder {
        let cells = std::mem::take(&mut netlist.cells);
        Builder {
            cells: cells.values().cloned().collect(),
            fold: true,
            origin: Origin::default(),
            netlist,
        }
    }

    fn new(top: String, fold: bool) -> Builder {
        let netlist = Netlist {
            top,
            ..Netlist::default()
        };
        Builder {
            cells: IndexSet::default(),
            fold,
            origin: Origin::default(),
            netlist,
        }
    }

    /// The finished netlist.
    pub fn finish(self) -> Netlist {
        let mut netlist = self.netlist;
        netlist.cells = self.cells.into_iter().collect();
        if !self.fold {
            netlist.number_draws();
        }
        netlist
    }

    /// The cell of that kind and width: an existing equal one, a simpler one that computes the same
    /// (when folding), or a new one.
    pub fn cell(&mut self, kind: CellKind, width: u32) -> CellId {
        if self.fold
            && let Some(id) = simplify::simplify(self, &kind, width)
        {
            debug_assert_eq!(
                self.width(id),
                width,
                "simplifying {kind:?} changed its width"
            );
            return id;
        }
        self.intern(kind, width)
    }

    /// The cell of exactly that kind and width, also when folding would find a simpler one.
    pub fn intern(&mut self, kind: CellKind, width: u32) -> CellId {
        let (index, new) = self.cells.insert_full(Cell { kind, width });
        if new {
            self.netlist.origins.push(self.origin);
        }
        CellId::new(index)
    }

    /// The cell of exactly that kind and width, also when folding would find a simpler one.
    pub fn intern_exact(&mut self, kind: CellKind, width: u32) -> CellId {
        self.intern(kind, width)
    }

    /// Width of a cell's value.
    pub fn width(&self, id: CellId) -> u32 {
        self.cells[id.index()].width
    }

    /// What a cell computes.
    pub fn kind(&self, id: CellId) -> &CellKind {
        &self.cells[id.index()].kind
    }

    /// The value of a constant cell.
    pub fn constant(&self, id: CellId) -> Option<&Bits> {
        match self.kind(id) {
            CellKind::Const(bits) => Some(bits),
            _ => None,
        }
    }

    /// Number of cells so far.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True when there is no cell yet.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub fn konst(&mut self, value: Bits) -> CellId {
        let width = value.width();
        self.intern(CellKind::Const(value), width)
    }

    pub fn zero(&mut self, width: u32) -> CellId {
        self.konst(Bits::zero(width))
    }

    pub fn ones(&mut self, width: u32) -> CellId {
        self.konst(Bits::ones(width))
    }

    /// The constant `value` of a given width.
    pub fn number(&mut self, width: u32, value: u64) -> CellId {
        self.konst(Bits::from_u64(width, value))
    }

    pub fn not(&mut self, a: CellId) -> CellId {
        self.unary(CellKind::Not(a), a)
    }

    pub fn and(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::And(a, b), a, b)
    }

    pub fn or(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::Or(a, b), a, b)
    }

    pub fn xor(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::Xor(a, b), a, b)
    }

    pub fn add(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::Add(a, b), a, b)
    }

    pub fn sub(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::Sub(a, b), a, b)
    }

    pub fn mul(&mut self, a: CellId, b: CellId) -> CellId {
        self.same_width(CellKind::Mul(a, b), a, b)
    }

    pub fn shl(&mut self, a: CellId, amount: CellId) -> CellId {
        self.unary(CellKind::Shl(a, amount), a)
    }

    pub fn shr_u(&mut self, a: CellId, amount: CellId) -> CellId {
        self.unary(CellKind::ShrU(a, amount), a)
    }

    pub fn shr_s(&mut self, a: CellId, amount: CellId) -> CellId {
        self.unary(CellKind::ShrS(a, amount), a)
    }

    /// 1 when `a` and `b` are equal.
    pub fn eq(&mut self, a: CellId, b: CellId) -> CellId {
        debug_assert_eq!(self.width(a), self.width(b));
        self.cell(CellKind::Eq(a, b), 1)
    }

    /// 1 when `a` is less than `b`, unsigned.
    pub fn lt_u(&mut self, a: CellId, b: CellId) -> CellId {
        debug_assert_eq!(self.width(a), self.width(b));
        self.cell(CellKind::LtU(a, b), 1)
    }

    /// 1 when `a` is less than `b`, signed.
    pub fn lt_s(&mut self, a: CellId, b: CellId) -> CellId {
        debug_assert_eq!(self.width(a), self.width(b));
        self.cell(CellKind::LtS(a, b), 1)
    }

    /// 1 when every bit is 1.
    pub fn reduce_and(&mut self, a: CellId) -> CellId {
        let ones = self.ones(self.width(a));
        self.eq(a, ones)
    }

    /// 1 when any bit is 1.
    pub fn reduce_or(&mut self, a: CellId) -> CellId {
        if self.width(a) == 1 {
            return a;
        }
        let none = self.is_zero(a);
        self.not(none)
    }

    /// 1 when no bit is 1.
    pub fn is_zero(&mut self, a: CellId) -> CellId {
        let zero = self.zero(self.width(a));
        self.eq(a, zero)
    }

    pub fn mux(&mut self, select: CellId, on_true: CellId, on_false: CellId) -> CellId {
        debug_assert_eq!(self.width(select), 1);
        self.same_width(
            CellKind::Mux {
                select,
                on_true,
                on_false,
            },
            on_true,
            on_false,
        )
    }

    /// Bits `low .. low + width` of `value`, which has them all.
    pub fn slice(&mut self, value: CellId, low: u32, width: u32) -> CellId {
        debug_assert!(low + width <= self.width(value));
        if low == 0 && width == self.width(value) {
            return value;
        }
        self.cell(CellKind::Slice { value, low }, width)
    }

    /// Bit `index` of `value`.
    pub fn bit(&mut self, value: CellId, index: u32) -> CellId {
        self.slice(value, index, 1)
    }

    /// The parts side by side, the first one lowest.
    pub fn concat(&mut self, parts: &[CellId]) -> CellId {
        let parts: Vec<CellId> = parts
            .iter()
            .copied()
            .filter(|p| self.width(*p) > 0)
            .collect();
        match parts.as_slice() {
            [] => self.zero(0),
            [one] => *one,
            _ => {
                let width = parts.iter().map(|p| self.width(*p)).sum();
                self.cell(CellKind::Concat(parts.into()), width)
            }
        }
    }

    /// `bit` repeated `width` times.
    pub fn repeat(&mut self, bit: CellId, width: u32) -> CellId {
        debug_assert_eq!(self.width(bit), 1);
        self.sign_extend(bit, width)
    }

    /// Zero-extended to a width that is at least the operand's.
    pub fn zero_extend(&mut self, a: CellId, width: u32) -> CellId {
        debug_assert!(width >= self.width(a));
        match self.width(a) {
            w if w == width => a,
            0 => self.zero(width),
            _ => self.cell(CellKind::ZeroExtend(a), width),
        }
    }

    /// Sign-extended to a width that is at least the operand's (an empty operand gives zero).
    pub fn sign_extend(&mut self, a: CellId, width: u32) -> CellId {
        match self.width(a) {
            w if w == width => a,
            0 => self.zero(width),
            _ if width == 0 => self.zero(0),
            _ => self.cell(CellKind::SignExtend(a), width),
        }
    }

    /// Cut or extended to `width`.
    pub fn resize(&mut self, a: CellId, width: u32, extend: Extend) -> CellId {
        match extend {
            _ if width <= self.width(a) => self.slice(a, 0, width),
            Extend::Zero => self.zero_extend(a, width),
            Extend::Sign => self.sign_extend(a, width),
        }
    }

    /// A new top-level input and the cell that reads it.
    pub fn input(&mut self, name: impl Into<String>, width: u32) -> CellId {
        let id = self.netlist.inputs.push(Input {
            name: name.into(),
            width,
        });
        self.intern(CellKind::Input(id), width)
    }

    /// A new register and the cell that reads it; `next` is set when it is known.
    pub fn register(&mut self, register: Register) -> (RegisterId, CellId) {
        let width = register.width;
        let id = self.netlist.registers.push(register);
        (id, self.intern(CellKind::Register(id), width))
    }

    /// A new latch and the cell that reads what it stored.
    pub fn latch(&mut self, latch: Latch) -> (LatchId, CellId) {
        let width = latch.width;
        let id = self.netlist.latches.push(latch);
        (id, self.intern(CellKind::Latch(id), width))
    }

    /// A new cut loop and the cell that reads its last value.
    pub fn loop_cut(&mut self, cut: LoopCut) -> (LoopId, CellId) {
        let width = cut.width;
        let id = self.netlist.loops.push(cut);
        (id, self.intern(CellKind::LoopCut(id), width))
    }

    /// Row `address` of a memory.
    pub fn read(&mut self, memory: MemoryId, address: CellId) -> CellId {
        let width = self.netlist.memories[memory].width;
        self.cell(CellKind::MemRead { memory, address }, width)
    }

    /// The trigger of a net; roles only grow (a clock that is also a reset stays a clock).
    pub fn trigger(&mut self, net: CellId, role: TriggerRole) -> TriggerId {
        let found = self
            .netlist
            .triggers
            .iter()
            .find(|(_, t)| t.net == net)
            .map(|(id, _)| id);
        match found {
            Some(id) => {
                if self.netlist.triggers[id].role == TriggerRole::AsyncLoad {
                    self.netlist.triggers[id].role = role;
                }
                id
            }
            None => self.netlist.triggers.push(Trigger { net, role }),
        }
    }

    fn unary(&mut self, kind: CellKind, a: CellId) -> CellId {
        let width = self.width(a);
        self.cell(kind, width)
    }

    fn same_width(&mut self, kind: CellKind, a: CellId, b: CellId) -> CellId {
        debug_assert_eq!(self.width(a), self.width(b), "{kind:?}");
        self.unary(kind, a)
    }
}

/// How to widen a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extend {
    Zero,
    Sign,
}

impl Extend {
    /// Sign extension for signed operands.
    pub fn signed(signed: bool) -> Extend {
        if signed { Extend::Sign } else { Extend::Zero }
    }
}
