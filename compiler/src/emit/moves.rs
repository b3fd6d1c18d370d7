//! Blocks of memory that move: words of eight bytes one by one, long blocks by the engine.

use walrus::LocalId;
use walrus::ir::BinaryOp::*;

use super::code::{Code, Ty};
use super::task::Emitter;
use crate::ir::MemoryId;

/// Bytes from which on the engine copies: a call of it costs as much as that many bytes in words.
const LONG: u32 = 256;

/// Rows from which on words of several rows pay: what has been stored in one piece is loaded at once only in that piece.
const MANY: u32 = 12;

/// A fixed address, or one so far behind the value of a local.
type Place = (u32, Option<LocalId>);

impl Emitter<'_, '_> {
    /// Moves rows of a memory, as if all were read before the first one is written.
    pub fn move_rows(&mut self, memory: MemoryId, to: u32, from: u32, rows: u32) {
        let slot = self.context.layout.memories[memory.index()];
        let distance = self.memory_distance(memory);
        let [to, from] = [to, from].map(|row| (slot.base + row * slot.stride, distance));
        let word = if rows < MANY { slot.stride.min(8) } else { 8 };
        self.code.move_bytes(to, from, rows * slot.stride, word);
    }
}

impl Code<'_> {
    /// Moves bytes in words of at most that size. Where the two blocks overlap both are counted from the same local.
    pub fn move_bytes(&mut self, to: Place, from: Place, bytes: u32, word: u32) {
        if bytes >= LONG {
            self.address(to);
            self.address(from);
            self.constant(Ty::I32, bytes.into());
            return self.op(walrus::ir::MemoryCopy {
                src: self.memory,
                dst: self.memory,
            });
        }
        let mut words = words(bytes, word);
        // What is overwritten has been read.
        if to.0 > from.0 {
            words.reverse();
        }
        for (at, size) in words {
            let ty = if size == 8 { Ty::I64 } else { Ty::I32 };
            self.base(to);
            self.base(from);
            self.load(ty, from.0 + at, size);
            self.store(ty, to.0 + at, size);
        }
    }

    /// Pushes what the bytes of a block are counted from.
    fn base(&mut self, (_, local): Place) {
        match local {
            Some(local) => self.get(local),
            None => self.constant(Ty::I32, 0),
        }
    }

    fn address(&mut self, (first, local): Place) {
        self.constant(Ty::I32, first.into());
        if let Some(local) = local {
            self.get(local);
            self.binary(Ty::I32, I32Add, I64Add);
        }
    }
}

/// First byte and size of each word of a block.
fn words(bytes: u32, largest: u32) -> Vec<(u32, u32)> {
    let mut words = Vec::new();
    let mut at = 0;
    for size in [8, 4, 2, 1].into_iter().filter(|s| *s <= largest) {
        while at + size <= bytes {
            words.push((at, size));
            at += size;
        }
    }
    words
}
