//! A write port whose mask is all or nothing writes under that condition, with a constant mask.
//!
//! A memory written lane by lane has a port for each lane, whose mask is the lane's bits when the lane is
//! enabled and 0 otherwise. A mask of 0 writes nothing, so the condition may as well be part of the port's
//! enable; then the mask is a constant, and the write a store of a few bytes.

use crate::bits::Bits;
use crate::ir::*;

/// Deepest nesting of a mask that is looked at.
const MAX_DEPTH: u32 = 8;

/// Runs the pass.
pub fn run(old: &Netlist) -> Netlist {
    rewrite_then(old, |r, id| r.copy(id), narrow_ports)
}

fn narrow_ports(b: &mut Builder) {
    for memory in b.netlist.memories.ids() {
        for port in 0..b.netlist.memories[memory].writes.len() {
            let WritePort { enable, mask, .. } = b.netlist.memories[memory].writes[port];
            let Some((condition, bits)) = all_or_nothing(b, mask, 0) else {
                continue;
            };
            let enable = b.and(enable, condition);
            let mask = b.konst(bits);
            let port = &mut b.netlist.memories[memory].writes[port];
            port.enable = enable;
            port.mask = mask;
        }
    }
}

/// The bit that decides whether a value is 0 or some constant, and the constant.
fn all_or_nothing(b: &mut Builder, value: CellId, depth: u32) -> Option<(CellId, Bits)> {
    if depth > MAX_DEPTH {
        return None;
    }
    let width = b.width(value);
    match b.kind(value).clone() {
        CellKind::Mux {
            select,
            on_true,
            on_false,
        } => {
            let (t, f) = (b.constant(on_true)?.clone(), b.constant(on_false)?.clone());
            match (t.is_zero(), f.is_zero()) {
                (false, true) => Some((select, t)),
                (true, false) => Some((b.not(select), f)),
                _ => None,
            }
        }
        CellKind::SignExtend(bit) if b.width(bit) == 1 => Some((bit, Bits::ones(width))),
        CellKind::ZeroExtend(inner) => {
            let (condition, bits) = all_or_nothing(b, inner, depth + 1)?;
            Some((condition, bits.zext(width)))
        }
        CellKind::Concat(parts) => one_part(b, &parts, depth),
        _ => None,
    }
}

/// The same for a concatenation in which all parts but one are 0.
fn one_part(b: &mut Builder, parts: &[CellId], depth: u32) -> Option<(CellId, Bits)> {
    let is_zero = |b: &Builder, part: CellId| b.constant(part).is_some_and(Bits::is_zero);
    let mut found = None;
    let mut bits = Bits::zero(0);
    for part in parts {
        if is_zero(b, *part) {
            bits = bits.concat(&Bits::zero(b.width(*part)));
            continue;
        }
        let (condition, own) = all_or_nothing(b, *part, depth + 1)?;
        if found.is_some_and(|other| other != condition) {
            return None;
        }
        found = Some(condition);
        bits = bits.concat(&own);
    }
    found.map(|condition| (condition, bits))
}
