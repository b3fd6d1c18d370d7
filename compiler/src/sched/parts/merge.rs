//! Parts that run together are one part.
//!
//! What a part computes for others is compared with what it was, and wakes them. Where a part looks at little that the
//! one before it does not look at or compute for it, it would run in nearly the same cycles: as one, they have less to
//! compare.

use rustc_hash::FxHashSet;

use super::{Parts, Piece};
use crate::ir::*;

/// Most that a part may look at which the ones that it joins do not.
const OTHERS: usize = 4;

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
        let outside = wakers.difference(&computed);
        let follows = outside.clone().count() < wakers.len();
        let others = outside.filter(|waker| !around.contains(*waker)).count();
        let last = merged.last_mut().filter(|last| {
            let awake = piece.is_restless || last.is_restless;
            let size = last.items.len() + piece.items.len();
            follows && others <= OTHERS && !awake && size <= most
        });
        match last {
            Some(last) => {
                last.items.extend(piece.items);
                around.extend(wakers.difference(&computed));
            }
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
