//! The cells of the netlist: what each computes.
//!
//! A cell *is* its single output value; [`Cell::width`] is that value's width. Operands are cells with
//! smaller ids. The doc comment of a variant is its contract: the constant folder, the interpreter and
//! the code generator all follow it. Values are two-state; where Verilog says `x` the contract names
//! the value that stands for it.

use crate::arena::Id;
use crate::bits::Bits;

use super::{Input, Latch, LoopCut, Memory, RandomSource, Register};

/// Names one cell, which is also its value.
pub type CellId = Id<Cell>;

/// One word-level operation and the width of its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// What is computed.
    pub kind: CellKind,
    /// Width of the value in bits; zero is allowed.
    pub width: u32,
}

/// What a cell computes. `w` is the cell's width.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// A constant of width `w`. Undefined bits of the source have become zero.
    Const(Bits),
    /// What the host last poked into a top-level input of width `w`.
    Input(Id<Input>),
    /// The value that a register holds, width `w`.
    Register(Id<Register>),
    /// The value that a latch held at the end of the last settling, width `w`. The latch's transparent
    /// output is an ordinary [`CellKind::Mux`] of its data and this.
    Latch(Id<Latch>),
    /// The value found for a cut combinational loop by the last iteration of settling, width `w`.
    LoopCut(Id<LoopCut>),
    /// A number that changes with every wave, drawn from the seeded generator, width `w`.
    Random(Id<RandomSource>),
    /// Row `address` of a memory, width `w` = the memory's width; zero when there is no such row.
    /// The address is unsigned, of any width, and counts from row 0.
    MemRead { memory: Id<Memory>, address: CellId },

    /// Every bit inverted. Operand width `w`.
    Not(CellId),
    /// Bitwise and. Operand widths `w`.
    And(CellId, CellId),
    /// Bitwise or. Operand widths `w`.
    Or(CellId, CellId),
    /// Bitwise exclusive or. Operand widths `w`.
    Xor(CellId, CellId),
    /// Sum modulo 2^w. Operand widths `w`.
    Add(CellId, CellId),
    /// Difference modulo 2^w. Operand widths `w`.
    Sub(CellId, CellId),
    /// Product modulo 2^w. Operand widths `w`.
    Mul(CellId, CellId),
    /// Unsigned quotient; zero when the divisor is zero. Operand widths `w`.
    DivU(CellId, CellId),
    /// Signed quotient towards zero; zero when the divisor is zero; the most negative value by -1 is
    /// itself. Operand widths `w`.
    DivS(CellId, CellId),
    /// Unsigned remainder; zero when the divisor is zero. Operand widths `w`.
    RemU(CellId, CellId),
    /// Signed remainder with the sign of the dividend; zero when the divisor is zero. Operand widths `w`.
    RemS(CellId, CellId),
    /// The first operand (width `w`) to the power of the second (unsigned, any width), modulo 2^w;
    /// anything to the power 0 is 1.
    Pow(CellId, CellId),
    /// First operand (width `w`) shifted left by the second (unsigned, any width); zeros come in, and
    /// an amount of `w` or more gives zero.
    Shl(CellId, CellId),
    /// First operand (width `w`) shifted right by the second (unsigned, any width); zeros come in, and
    /// an amount of `w` or more gives zero.
    ShrU(CellId, CellId),
    /// First operand (width `w`) shifted right by the second (unsigned, any width); copies of the top
    /// bit come in, and an amount of `w` or more gives `w` copies of it.
    ShrS(CellId, CellId),
    /// 1 when the operands, of equal width, are equal. `w` is 1.
    Eq(CellId, CellId),
    /// 1 when the first operand is less, both unsigned of equal width. `w` is 1.
    LtU(CellId, CellId),
    /// 1 when the first operand is less, both signed of equal width. `w` is 1.
    LtS(CellId, CellId),
    /// Exclusive or of all bits of the operand. `w` is 1.
    ReduceXor(CellId),
    /// `on_true` when `select` (width 1) is 1, else `on_false`; both of width `w`.
    Mux {
        select: CellId,
        on_true: CellId,
        on_false: CellId,
    },
    /// Bits `low .. low + w` of the operand, which has them all.
    Slice { value: CellId, low: u32 },
    /// The operands side by side, the first one lowest; their widths sum to `w`.
    Concat(Box<[CellId]>),
    /// The operand, at most `w` wide, with zeros above.
    ZeroExtend(CellId),
    /// The operand, at most `w` and at least 1 wide, with copies of its top bit above.
    SignExtend(CellId),
}

impl CellKind {
    /// Calls `f` with each operand, in order.
    pub fn for_each_operand(&self, mut f: impl FnMut(CellId)) {
        use CellKind::*;
        match self {
            Const(_) | Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_) => {}
            MemRead { address: a, .. } | Slice { value: a, .. } => f(*a),
            Not(a) | ReduceXor(a) | ZeroExtend(a) | SignExtend(a) => f(*a),
            And(a, b)
            | Or(a, b)
            | Xor(a, b)
            | Add(a, b)
            | Sub(a, b)
            | Mul(a, b)
            | DivU(a, b)
            | DivS(a, b)
            | RemU(a, b)
            | RemS(a, b)
            | Pow(a, b)
            | Shl(a, b)
            | ShrU(a, b)
            | ShrS(a, b)
            | Eq(a, b)
            | LtU(a, b)
            | LtS(a, b) => {
                f(*a);
                f(*b);
            }
            Mux {
                select,
                on_true,
                on_false,
            } => {
                f(*select);
                f(*on_true);
                f(*on_false);
            }
            Concat(parts) => parts.iter().copied().for_each(f),
        }
    }

    /// The same kind with every operand replaced by `f` of it.
    pub fn map_operands(&self, mut f: impl FnMut(CellId) -> CellId) -> CellKind {
        let mut kind = self.clone();
        kind.for_each_operand_mut(|operand| *operand = f(*operand));
        kind
    }

    fn for_each_operand_mut(&mut self, mut f: impl FnMut(&mut CellId)) {
        use CellKind::*;
        match self {
            Const(_) | Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_) => {}
            MemRead { address: a, .. } | Slice { value: a, .. } => f(a),
            Not(a) | ReduceXor(a) | ZeroExtend(a) | SignExtend(a) => f(a),
            And(a, b)
            | Or(a, b)
            | Xor(a, b)
            | Add(a, b)
            | Sub(a, b)
            | Mul(a, b)
            | DivU(a, b)
            | DivS(a, b)
            | RemU(a, b)
            | RemS(a, b)
            | Pow(a, b)
            | Shl(a, b)
            | ShrU(a, b)
            | ShrS(a, b)
            | Eq(a, b)
            | LtU(a, b)
            | LtS(a, b) => {
                f(a);
                f(b);
            }
            Mux {
                select,
                on_true,
                on_false,
            } => {
                f(select);
                f(on_true);
                f(on_false);
            }
            Concat(parts) => parts.iter_mut().for_each(f),
        }
    }

    /// True when the value comes from state or from outside, not from operands alone.
    pub fn is_source(&self) -> bool {
        use CellKind::*;
        matches!(
            self,
            Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_)
        )
    }

    /// The keyword of this kind in the `.ir` text form.
    pub fn keyword(&self) -> &'static str {
        use CellKind::*;
        match self {
            Const(_) => "const",
            Input(_) => "input",
            Register(_) => "register",
            Latch(_) => "latch",
            LoopCut(_) => "loop",
            Random(_) => "random",
            MemRead { .. } => "read",
            Not(_) => "not",
            And(..) => "and",
            Or(..) => "or",
            Xor(..) => "xor",
            Add(..) => "add",
            Sub(..) => "sub",
            Mul(..) => "mul",
            DivU(..) => "divu",
            DivS(..) => "divs",
            RemU(..) => "remu",
            RemS(..) => "rems",
            Pow(..) => "pow",
            Shl(..) => "shl",
            ShrU(..) => "shru",
            ShrS(..) => "shrs",
            Eq(..) => "eq",
            LtU(..) => "ltu",
            LtS(..) => "lts",
            ReduceXor(_) => "parity",
            Mux { .. } => "mux",
            Slice { .. } => "slice",
            Concat(_) => "concat",
            ZeroExtend(_) => "zext",
            SignExtend(_) => "sext",
        }
    }
}
