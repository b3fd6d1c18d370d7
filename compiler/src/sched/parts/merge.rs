//! Parts that run together are one part.
//!
//! What a part computes for others is compared with what it was, and wakes them. Where a part looks at nothing but what
//! the one before it looks at or computes for it, it runs in nearly the same cycles: as one, they have less to compare.

use rustc_hash::FxHashSet;

use super::{Parts, Piece};
use crate::ir::*;

/// What wakes a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Waker {
    Cell(CellId),
    Register(RegisterId),
    Memory(MemoryId),
}

/// Pieces that are neighbours, joined up to `most` items; `parts` says what each alone looks at.
pub(super) fn merge(pieces: Vec<Piece>, parts: &Parts, most: usize) -> Vec<Piece> {
    let wakers = wakers(parts);
    let mut merged: Vec<Piece> = Vec::new();
    // What wakes the last of these, and what it computes for others.
    let mut around: FxHashSet<Waker> = FxHashSet::default();
    let mut computed: FxHashSet<Waker> = FxHashSet::default();
    for (piece, (part, wakers)) in pieces.into_iter().zip(parts.parts.iter().zip(wakers)) {
        let inside = |waker: &Waker| around.contains(waker) || computed.contains(waker);
        let follows = wakers.iter().all(inside) && wakers.iter().any(|w| computed.contains(w));
        let last = merged.last_mut().filter(|last| {
            let size = last.items.len() + piece.items.len();
            follows && last.may_join() && piece.may_join() && size <= most
        });
        match last {
            Some(last) => last.items.extend(piece.items),
            None => {
                merged.push(piece);
                around = wakers;
                computed.clear();
            }
        }
        computed.extend(part.kept.iter().map(|c| Waker::Cell(*c)));
    }
    merged
}

/// What each part looks at.
fn wakers(parts: &Parts) -> Vec<FxHashSet<Waker>> {
    let mut wakers = vec![FxHashSet::default(); parts.parts.len()];
    let mut note = |waker: Waker, readers: &[u32]| {
        for reader in readers {
            wakers[*reader as usize].insert(waker);
        }
    };
    for (cell, readers) in &parts.cells {
        note(Waker::Cell(*cell), readers);
    }
    for (cell, readers) in &parts.inputs {
        note(Waker::Cell(*cell), readers);
    }
    for (register, readers) in &parts.registers {
        note(Waker::Register(*register), readers);
    }
    for (memory, readers) in &parts.memories {
        note(Waker::Memory(*memory), readers);
    }
    wakers
}
