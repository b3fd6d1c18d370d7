//! Concatenations of single bits that are words after all: what a loop over the bits of a word leaves behind.

use crate::bits::Bits;

use super::{Builder, CellId, CellKind};

/// Fewest bits in reverse order that are worth turning as a word.
const MIN_REVERSED: usize = 8;

/// Fewest muxes of one select that are worth one of their own.
const MIN_MUXES: usize = 8;

/// The parts of a concatenation with runs of parts joined; `None` when there are none.
/// * Muxes of one select are one mux of two concatenations.
/// * The bits of a word in reverse order are the word turned, which takes a few steps however many bits there are.
pub fn join_runs(b: &mut Builder, parts: &[CellId]) -> Option<Vec<CellId>> {
    let (mut joined, mut at) = (Vec::new(), 0);
    while at < parts.len() {
        let rest = &parts[at..];
        let reversed = reversed_run(b, rest);
        let muxes = mux_run(b, rest);
        let (part, count) = if reversed >= MIN_REVERSED {
            (reverse(b, rest[reversed - 1], reversed as u32), reversed)
        } else if muxes >= MIN_MUXES {
            (join_muxes(b, &rest[..muxes]), muxes)
        } else {
            (rest[0], 1)
        };
        joined.push(part);
        at += count;
    }
    (joined.len() < parts.len()).then_some(joined)
}

/// How many parts at the beginning are bits of one word, each the one below the last.
fn reversed_run(b: &Builder, parts: &[CellId]) -> usize {
    let bit = |part: CellId| match *b.kind(part) {
        CellKind::Slice { value, low } if b.width(part) == 1 && b.width(value) <= 64 => {
            Some((value, low))
        }
        _ => None,
    };
    let Some((word, first)) = parts.first().and_then(|p| bit(*p)) else {
        return 0;
    };
    let follows = |(i, part): &(usize, &CellId)| {
        let wanted = first.checked_sub(*i as u32);
        wanted.is_some_and(|low| bit(**part) == Some((word, low)))
    };
    parts.iter().enumerate().take_while(follows).count()
}

/// `width` bits of a word from the bit `lowest` up, turned around: pairs of bits change places, then of pairs, and
/// so on.
fn reverse(b: &mut Builder, lowest: CellId, width: u32) -> CellId {
    let CellKind::Slice { value, low } = *b.kind(lowest) else {
        unreachable!("runs are of slices")
    };
    let size = width.next_power_of_two();
    let word = b.slice(value, low, width);
    let mut word = b.zero_extend(word, size);
    let mut distance = 1;
    while distance < size {
        word = swap(b, word, distance);
        distance *= 2;
    }
    b.slice(word, size - width, width)
}

/// Neighbouring groups of `distance` bits change places.
fn swap(b: &mut Builder, word: CellId, distance: u32) -> CellId {
    let size = b.width(word);
    let mask = (0..size).fold(Bits::zero(size), |mask, bit| {
        mask.with_bit(bit, (bit / distance).is_multiple_of(2))
    });
    let mask = b.konst(mask);
    let amount = b.number(32, distance.into());
    let even = b.and(word, mask);
    let up = b.shl(even, amount);
    let down = b.shr_u(word, amount);
    let down = b.and(down, mask);
    b.or(up, down)
}

fn mux_run(b: &Builder, parts: &[CellId]) -> usize {
    let select = |part: CellId| match *b.kind(part) {
        CellKind::Mux { select, .. } => Some(select),
        _ => None,
    };
    let Some(first) = parts.first().and_then(|p| select(*p)) else {
        return 0;
    };
    let same = parts.iter().take_while(|p| select(**p) == Some(first));
    same.count()
}

fn join_muxes(b: &mut Builder, muxes: &[CellId]) -> CellId {
    let (mut selects, mut on_true, mut on_false) = (Vec::new(), Vec::new(), Vec::new());
    for mux in muxes {
        let CellKind::Mux {
            select,
            on_true: t,
            on_false: f,
        } = *b.kind(*mux)
        else {
            unreachable!("runs are of muxes")
        };
        selects.push(select);
        on_true.push(t);
        on_false.push(f);
    }
    let (t, f) = (b.concat(&on_true), b.concat(&on_false));
    b.mux(selects[0], t, f)
}
