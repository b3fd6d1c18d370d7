//! The value of one cell, given its operands' values: the semantics of [`CellKind`] in code.
//!
//! Used by the constant folder and by the interpreter. Kinds that read state or a memory are the
//! caller's.

use super::{CellId, CellKind};
use crate::bits::Bits;

/// The value of a cell of `kind` and `width`; `value` gives each operand's.
///
/// # Panics
/// On kinds that read state or memories.
pub fn evaluate<'a>(kind: &CellKind, width: u32, value: impl Fn(CellId) -> &'a Bits) -> Bits {
    use CellKind::*;
    let v = |id: &CellId| value(*id);
    let or_zero = |result: Option<Bits>| result.unwrap_or_else(|| Bits::zero(width));
    match kind {
        Const(bits) => bits.clone(),
        Not(a) => v(a).not(),
        And(a, b) => v(a).and(v(b)),
        Or(a, b) => v(a).or(v(b)),
        Xor(a, b) => v(a).xor(v(b)),
        Add(a, b) => v(a).add(v(b)),
        Sub(a, b) => v(a).sub(v(b)),
        Mul(a, b) => v(a).mul(v(b)),
        DivU(a, b) => or_zero(v(a).div_rem(v(b)).map(|(quotient, _)| quotient)),
        DivS(a, b) => or_zero(v(a).div_signed(v(b))),
        RemU(a, b) => or_zero(v(a).div_rem(v(b)).map(|(_, remainder)| remainder)),
        RemS(a, b) => or_zero(v(a).rem_signed(v(b))),
        Pow(a, b) => v(a).pow(v(b)),
        Shl(a, b) => v(a).shl(v(b).to_u64_saturating()),
        ShrU(a, b) => v(a).shr(v(b).to_u64_saturating()),
        ShrS(a, b) => v(a).shr_signed(v(b).to_u64_saturating()),
        Eq(a, b) => Bits::from_bool(v(a) == v(b)),
        LtU(a, b) => Bits::from_bool(v(a).lt_u(v(b))),
        LtS(a, b) => Bits::from_bool(v(a).lt_s(v(b))),
        ReduceXor(a) => Bits::from_bool(v(a).parity()),
        Mux {
            select,
            on_true,
            on_false,
        } => v(if v(select).bit(0) { on_true } else { on_false }).clone(),
        Slice { value, low } => v(value).slice(*low, width),
        Concat(parts) => concat(width, parts.iter().map(v)),
        ZeroExtend(a) => v(a).zext(width),
        SignExtend(a) => v(a).sext(width),
        Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_) | MemRead { .. } => {
            panic!("{kind:?} has no value of its own")
        }
    }
}

fn concat<'a>(width: u32, parts: impl Iterator<Item = &'a Bits>) -> Bits {
    let mut limbs = vec![0u64; crate::bits::limb_count(width)];
    let mut at = 0u32;
    for part in parts {
        let shift = at % 64;
        for (i, limb) in part.limbs().iter().enumerate() {
            let slot = at as usize / 64 + i;
            if slot < limbs.len() {
                limbs[slot] |= limb << shift;
            }
            if shift > 0 && slot + 1 < limbs.len() {
                limbs[slot + 1] |= limb >> (64 - shift);
            }
        }
        at += part.width();
    }
    Bits::from_limbs(width, limbs)
}
