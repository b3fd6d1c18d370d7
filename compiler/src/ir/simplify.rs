//! Constant folding and identities, applied to each cell as it is built.
//!
//! Every rule returns a cell that computes the same value and costs no more. Rules look at the operands
//! only, never at users, and recurse only through the builder, on smaller operands.

use super::eval::evaluate;
use super::vector::join_runs;
use super::{Builder, CellId, CellKind};
use crate::bits::Bits;

/// A simpler cell with the value of `kind` at `width`, or `None` when there is none.
pub fn simplify(b: &mut Builder, kind: &CellKind, width: u32) -> Option<CellId> {
    use CellKind::*;
    if matches!(kind, Const(_)) || kind.is_source() || matches!(kind, MemRead { .. }) {
        return None;
    }
    if let Some(value) = constant_value(b, kind, width) {
        return Some(b.konst(value));
    }
    match *kind {
        Not(a) => not(b, a),
        And(x, y) => and(b, x, y).or_else(|| ordered(b, x, y, width, And)),
        Or(x, y) => or(b, x, y).or_else(|| ordered(b, x, y, width, Or)),
        Xor(x, y) => xor(b, x, y).or_else(|| ordered(b, x, y, width, Xor)),
        Add(x, y) => add(b, x, y).or_else(|| ordered(b, x, y, width, Add)),
        Sub(x, y) => sub(b, x, y),
        Mul(x, y) => mul(b, x, y).or_else(|| ordered(b, x, y, width, Mul)),
        DivU(x, y) => div_u(b, x, y),
        RemU(x, y) => rem_u(b, x, y),
        DivS(..) | RemS(..) => None,
        Pow(_, y) => is_zero(b, y).then(|| b.number(width, 1)),
        Shl(x, y) => shl(b, x, y),
        ShrU(x, y) => shr_u(b, x, y),
        ShrS(x, y) => shr_s(b, x, y),
        Eq(x, y) => eq(b, x, y).or_else(|| ordered(b, x, y, width, Eq)),
        LtU(x, y) => lt_u(b, x, y),
        LtS(x, y) => (x == y).then(|| b.zero(1)),
        ReduceXor(a) => (b.width(a) == 1).then_some(a),
        Mux {
            select,
            on_true,
            on_false,
        } => mux(b, select, on_true, on_false),
        Slice { value, low } => slice(b, value, low, width),
        Concat(ref parts) => concat(b, parts),
        ZeroExtend(a) => zero_extend(b, a, width),
        SignExtend(a) => sign_extend(b, a, width),
        Const(_) | Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_) | MemRead { .. } => {
            None
        }
    }
}

fn constant_value(b: &Builder, kind: &CellKind, width: u32) -> Option<Bits> {
    if width == 0 {
        return Some(Bits::zero(0));
    }
    let mut all = true;
    kind.for_each_operand(|o| all &= b.constant(o).is_some());
    all.then(|| evaluate(kind, width, |id| b.constant(id).expect("checked")))
}

fn is_zero(b: &Builder, a: CellId) -> bool {
    b.constant(a).is_some_and(Bits::is_zero)
}

fn is_ones(b: &Builder, a: CellId) -> bool {
    b.constant(a).is_some_and(Bits::is_ones)
}

/// Commutative operands in one order: constants last, then the smaller id first.
fn ordered(
    b: &mut Builder,
    x: CellId,
    y: CellId,
    width: u32,
    kind: fn(CellId, CellId) -> CellKind,
) -> Option<CellId> {
    let key = |id: CellId| (b.constant(id).is_some(), id);
    (key(x) > key(y)).then(|| b.intern(kind(y, x), width))
}

/// The constant operand of a commutative pair and the other one.
fn with_constant(b: &Builder, x: CellId, y: CellId) -> Option<(CellId, CellId)> {
    if b.constant(y).is_some() {
        Some((x, y))
    } else {
        b.constant(x).is_some().then_some((y, x))
    }
}

fn not(b: &mut Builder, a: CellId) -> Option<CellId> {
    match *b.kind(a) {
        CellKind::Not(inner) => Some(inner),
        _ => None,
    }
}

fn complementary(b: &Builder, x: CellId, y: CellId) -> bool {
    matches!(b.kind(x), CellKind::Not(a) if *a == y)
        || matches!(b.kind(y), CellKind::Not(a) if *a == x)
}

fn and(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y {
        return Some(x);
    }
    if complementary(b, x, y) {
        return Some(b.zero(b.width(x)));
    }
    let (a, c) = with_constant(b, x, y)?;
    if is_zero(b, c) {
        return Some(c);
    }
    is_ones(b, c).then_some(a)
}

fn or(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y {
        return Some(x);
    }
    if complementary(b, x, y) {
        return Some(b.ones(b.width(x)));
    }
    let (a, c) = with_constant(b, x, y)?;
    if is_ones(b, c) {
        return Some(c);
    }
    is_zero(b, c).then_some(a)
}

fn xor(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y {
        return Some(b.zero(b.width(x)));
    }
    let (a, c) = with_constant(b, x, y)?;
    if is_zero(b, c) {
        return Some(a);
    }
    is_ones(b, c).then(|| b.not(a))
}

fn add(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if b.width(x) == 1 {
        return Some(b.xor(x, y));
    }
    let (a, c) = with_constant(b, x, y)?;
    is_zero(b, c).then_some(a)
}

fn sub(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y {
        return Some(b.zero(b.width(x)));
    }
    let negated = b.constant(y)?.neg();
    let negated = b.konst(negated);
    Some(b.add(x, negated))
}

/// `log2` of a constant power of two.
fn log2(b: &Builder, c: CellId) -> Option<u32> {
    let bits = b.constant(c)?;
    let top = bits.width().checked_sub(1 + bits.leading_zeros())?;
    (*bits == Bits::zero(bits.width()).with_bit(top, true)).then_some(top)
}

fn mul(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    let (a, c) = with_constant(b, x, y)?;
    if is_zero(b, c) {
        return Some(c);
    }
    let shift = log2(b, c)?;
    Some(shl_by(b, a, u64::from(shift)))
}

fn div_u(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if is_zero(b, y) {
        return Some(y);
    }
    let shift = log2(b, y)?;
    Some(shr_by(b, x, u64::from(shift)))
}

fn rem_u(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if is_zero(b, y) {
        return Some(y);
    }
    let shift = log2(b, y)?;
    let low = b.slice(x, 0, shift);
    Some(b.zero_extend(low, b.width(x)))
}

fn shl(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    let amount = b.constant(y)?.to_u64_saturating();
    Some(shl_by(b, x, amount))
}

fn shl_by(b: &mut Builder, x: CellId, amount: u64) -> CellId {
    let width = b.width(x);
    match u32::try_from(amount) {
        Ok(amount) if amount < width => {
            let zeros = b.zero(amount);
            let low = b.slice(x, 0, width - amount);
            b.concat(&[zeros, low])
        }
        _ => b.zero(width),
    }
}

fn shr_u(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if is_zero(b, x) {
        return Some(x);
    }
    let amount = b.constant(y)?.to_u64_saturating();
    Some(shr_by(b, x, amount))
}

fn shr_by(b: &mut Builder, x: CellId, amount: u64) -> CellId {
    let width = b.width(x);
    match u32::try_from(amount) {
        Ok(amount) if amount < width => {
            let high = b.slice(x, amount, width - amount);
            b.zero_extend(high, width)
        }
        _ => b.zero(width),
    }
}

fn shr_s(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    let width = b.width(x);
    let amount = b.constant(y)?.to_u64_saturating().min(u64::from(width) - 1) as u32;
    let high = b.slice(x, amount, width - amount);
    Some(b.sign_extend(high, width))
}

fn eq(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y {
        return Some(b.ones(1));
    }
    if complementary(b, x, y) {
        return Some(b.zero(1));
    }
    if b.width(x) == 1 {
        let differ = b.xor(x, y);
        return Some(b.not(differ));
    }
    let (a, c) = with_constant(b, x, y)?;
    let value = b.constant(c)?.clone();
    match *b.kind(a) {
        CellKind::ZeroExtend(inner) => eq_extended(
            b,
            inner,
            &value,
            value.zext(b.width(inner)).zext(value.width()),
        ),
        CellKind::SignExtend(inner) => eq_extended(
            b,
            inner,
            &value,
            value.zext(b.width(inner)).sext(value.width()),
        ),
        CellKind::Not(inner) => {
            let inverted = b.konst(value.not());
            Some(b.eq(inner, inverted))
        }
        CellKind::Mux {
            select,
            on_true,
            on_false,
        } if chooses_constants(b, a, 4) => {
            let (t, f) = (b.eq(on_true, c), b.eq(on_false, c));
            Some(b.mux(select, t, f))
        }
        // Other values come in numbers, as the labels of a case do, and the concatenation serves them all.
        CellKind::Concat(ref parts) if value.is_zero() => {
            let parts = parts.clone();
            Some(eq_parts(b, &parts))
        }
        _ => None,
    }
}

/// A concatenation compared with zero, part by part: nothing needs to be put together. Single bits are joined
/// by or, so that one test serves for all.
fn eq_parts(b: &mut Builder, parts: &[CellId]) -> CellId {
    let mut all = b.ones(1);
    let mut bits = Vec::new();
    for part in parts {
        if b.width(*part) == 1 {
            bits.push(*part);
        } else {
            let zero = b.is_zero(*part);
            all = b.and(all, zero);
        }
    }
    let any = or_all(b, bits);
    let none = b.not(any);
    b.and(all, none)
}

/// Bits or'ed pair by pair, so that the tree is shallow.
fn or_all(b: &mut Builder, mut bits: Vec<CellId>) -> CellId {
    while bits.len() > 1 {
        bits = bits
            .chunks(2)
            .map(|pair| match pair {
                [x, y] => b.or(*x, *y),
                _ => pair[0],
            })
            .collect();
    }
    bits.first().copied().unwrap_or_else(|| b.zero(1))
}

/// `extended(inner) == value`, where `back` is the extension of `value`'s low part.
fn eq_extended(b: &mut Builder, inner: CellId, value: &Bits, back: Bits) -> Option<CellId> {
    if back != *value {
        return Some(b.zero(1));
    }
    let low = b.konst(value.zext(b.width(inner)));
    Some(b.eq(inner, low))
}

fn lt_u(b: &mut Builder, x: CellId, y: CellId) -> Option<CellId> {
    if x == y || is_zero(b, y) || is_ones(b, x) {
        return Some(b.zero(1));
    }
    if is_zero(b, x) {
        return Some(b.reduce_or(y));
    }
    if b.constant(y).is_some_and(|c| c.to_u64() == Some(1)) {
        return Some(b.is_zero(x));
    }
    match (b.kind(x), b.kind(y)) {
        (CellKind::ZeroExtend(a), CellKind::ZeroExtend(c)) if b.width(*a) == b.width(*c) => {
            let (a, c) = (*a, *c);
            Some(b.lt_u(a, c))
        }
        _ => None,
    }
}

fn mux(b: &mut Builder, s: CellId, t: CellId, f: CellId) -> Option<CellId> {
    if t == f {
        return Some(t);
    }
    if let Some(select) = b.constant(s) {
        return Some(if select.is_zero() { f } else { t });
    }
    if let CellKind::Not(inner) = *b.kind(s) {
        return Some(b.mux(inner, f, t));
    }
    if b.width(t) == 1 {
        if is_ones(b, t) && is_zero(b, f) {
            return Some(s);
        }
        if is_zero(b, t) && is_ones(b, f) {
            return Some(b.not(s));
        }
        if t == s {
            let one = b.ones(1);
            return Some(b.mux(s, one, f));
        }
        if f == s {
            let zero = b.zero(1);
            return Some(b.mux(s, t, zero));
        }
    }
    let arm = |id: CellId, taken: bool| match *b.kind(id) {
        CellKind::Mux {
            select,
            on_true,
            on_false,
        } if select == s => Some(if taken { on_true } else { on_false }),
        _ => None,
    };
    let (inner_t, inner_f) = (arm(t, true), arm(f, false));
    if inner_t.is_none() && inner_f.is_none() {
        return None;
    }
    Some(b.mux(s, inner_t.unwrap_or(t), inner_f.unwrap_or(f)))
}

fn slice(b: &mut Builder, value: CellId, low: u32, width: u32) -> Option<CellId> {
    match b.kind(value).clone() {
        CellKind::Slice {
            value: inner,
            low: below,
        } => Some(b.slice(inner, low + below, width)),
        CellKind::Concat(parts) => slice_of_concat(b, &parts, low, width),
        CellKind::ZeroExtend(a) => slice_of_extension(b, a, low, width, false),
        CellKind::SignExtend(a) => slice_of_extension(b, a, low, width, true),
        CellKind::Mux {
            select,
            on_true,
            on_false,
        } if chooses_constants(b, value, 8) => {
            let (t, f) = (b.slice(on_true, low, width), b.slice(on_false, low, width));
            Some(b.mux(select, t, f))
        }
        _ => None,
    }
}

/// True for a constant, and for muxes, at most so deep, of such.
fn chooses_constants(b: &Builder, id: CellId, depth: u32) -> bool {
    match *b.kind(id) {
        CellKind::Const(_) => true,
        CellKind::Mux {
            on_true, on_false, ..
        } if depth > 0 => {
            chooses_constants(b, on_true, depth - 1) && chooses_constants(b, on_false, depth - 1)
        }
        _ => false,
    }
}

fn slice_of_extension(
    b: &mut Builder,
    a: CellId,
    low: u32,
    width: u32,
    signed: bool,
) -> Option<CellId> {
    let inner = b.width(a);
    if low + width <= inner {
        return Some(b.slice(a, low, width));
    }
    if low >= inner {
        if !signed {
            return Some(b.zero(width));
        }
        let sign = b.bit(a, inner - 1);
        return Some(b.repeat(sign, width));
    }
    let part = b.slice(a, low, inner - low);
    Some(if signed {
        b.sign_extend(part, width)
    } else {
        b.zero_extend(part, width)
    })
}

/// The parts of a concatenation that a slice touches, the outer ones cut.
fn slice_of_concat(b: &mut Builder, parts: &[CellId], low: u32, width: u32) -> Option<CellId> {
    let mut at = 0;
    let mut kept = Vec::new();
    for part in parts {
        let (start, end) = (at, at + b.width(*part));
        at = end;
        let (from, to) = (low.max(start), (low + width).min(end));
        if from < to {
            kept.push(b.slice(*part, from - start, to - from));
        }
    }
    Some(b.concat(&kept))
}

fn concat(b: &mut Builder, parts: &[CellId]) -> Option<CellId> {
    let mut merged: Vec<CellId> = Vec::with_capacity(parts.len());
    for part in parts {
        match b.kind(*part).clone() {
            CellKind::Concat(inner) => inner.iter().for_each(|p| push_part(b, &mut merged, *p)),
            CellKind::ZeroExtend(a) => {
                let zeros = b.zero(b.width(*part) - b.width(a));
                push_part(b, &mut merged, a);
                push_part(b, &mut merged, zeros);
            }
            _ => push_part(b, &mut merged, *part),
        }
    }
    let width: u32 = parts.iter().map(|p| b.width(*p)).sum();
    if let [.., top] = merged.as_slice()
        && merged.len() > 1
        && is_zero(b, *top)
    {
        merged.pop();
        let low = b.concat(&merged);
        return Some(b.zero_extend(low, width));
    }
    if let Some(joined) = join_runs(b, &merged) {
        return Some(b.concat(&joined));
    }
    (merged.as_slice() != parts).then(|| b.concat(&merged))
}

/// Appends a part, joined with the one below where both are constants, neighbouring slices of one
/// value, or a value and copies of its top bit.
fn push_part(b: &mut Builder, merged: &mut Vec<CellId>, part: CellId) {
    let joined = merged.last().and_then(|below| join(b, *below, part));
    match joined {
        Some(joined) => *merged.last_mut().expect("there is one below") = joined,
        None => merged.push(part),
    }
}

fn join(b: &mut Builder, below: CellId, above: CellId) -> Option<CellId> {
    let width = b.width(below) + b.width(above);
    if let (Some(x), Some(y)) = (b.constant(below), b.constant(above)) {
        let both = x.concat(y);
        return Some(b.konst(both));
    }
    let whole = |b: &Builder, id: CellId| match *b.kind(id) {
        CellKind::Slice { value, low } => (value, low),
        _ => (id, 0),
    };
    let (value, low) = whole(b, below);
    let (value_above, low_above) = whole(b, above);
    if value == value_above && low_above == low + b.width(below) {
        return Some(b.slice(value, low, width));
    }
    let sign = match *b.kind(above) {
        CellKind::SignExtend(bit) if b.width(bit) == 1 => bit,
        _ if b.width(above) == 1 => above,
        _ => return None,
    };
    let base = match *b.kind(below) {
        CellKind::SignExtend(a) => a,
        _ => below,
    };
    let (value, low) = whole(b, base);
    let top = low + b.width(base) - 1;
    let is_top = base == sign
        || matches!(*b.kind(sign), CellKind::Slice { value: v, low } if v == value && low == top);
    is_top.then(|| b.sign_extend(base, width))
}

fn zero_extend(b: &mut Builder, a: CellId, width: u32) -> Option<CellId> {
    match *b.kind(a) {
        CellKind::ZeroExtend(inner) => Some(b.zero_extend(inner, width)),
        _ => None,
    }
}

fn sign_extend(b: &mut Builder, a: CellId, width: u32) -> Option<CellId> {
    match *b.kind(a) {
        CellKind::SignExtend(inner) => Some(b.sign_extend(inner, width)),
        CellKind::ZeroExtend(inner) => Some(b.zero_extend(inner, width)),
        _ => None,
    }
}
