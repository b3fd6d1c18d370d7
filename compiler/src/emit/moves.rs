//! Blocks of memory that move: words of eight bytes one by one, long blocks by the engine.
//!
//! Rows of memories move by an action of their own. Registers do where many neighbours, stored one after the other, take
//! values that lie just as side by side: a chain of registers, or a vector that is shifted by whole bytes.

use walrus::LocalId;
use walrus::ir::BinaryOp::*;

use super::code::{Code, Ty};
use super::task::Emitter;
use crate::ir::*;
use crate::sched::{Action, Step, TaskKind};

/// Bytes from which on the engine copies: a call of it costs as much as that many bytes in words.
const LONG: u32 = 256;

/// Rows from which on words of several rows pay: what has been stored in one piece is loaded at once only in that piece.
const MANY: u32 = 12;

/// A fixed address, or one so far behind the value of a local.
type Place = (u32, Option<LocalId>);

/// A store of what lies in memory.
#[derive(Clone, Copy)]
struct Copied {
    to: u32,
    from: u32,
    bytes: u32,
}

impl Emitter<'_, '_> {
    /// Moves the registers that the first steps store, where that is worth it; answers how many steps those are.
    pub fn move_registers(&mut self, steps: &[Step]) -> usize {
        let in_place = matches!(self.kind, TaskKind::Edge(_) | TaskKind::Shared(_));
        if !in_place || !self.context.moves {
            return 0;
        }
        let (copied, taken) = self.neighbours(steps);
        if copied.len() < MANY as usize {
            return 0;
        }
        let base = self.distances.as_ref().map(|d| d.registers);
        let first = |place: fn(&Copied) -> u32| copied.iter().map(place).min().unwrap_or(0);
        let (to, from) = (first(|c| c.to), first(|c| c.from));
        let bytes = copied.len() as u32 * copied[0].bytes;
        self.code.move_bytes((to, base), (from, base), bytes, 8);
        taken
    }

    /// Copies between neighbours, all equally far, that the first steps are, and how many steps that is.
    fn neighbours(&self, steps: &[Step]) -> (Vec<Copied>, usize) {
        let mut found: Vec<Copied> = Vec::new();
        let mut taken = 0;
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Act(Action::StoreRegister(register, value)) => {
                    let Some(copied) = self.copied(*register, *value) else {
                        break;
                    };
                    if found
                        .last()
                        .is_some_and(|last| !follows(*last, copied, &found))
                    {
                        break;
                    }
                    found.push(copied);
                    taken = index + 1;
                }
                Step::Eval(cell) | Step::Alias { cell, .. }
                    if !found.is_empty() && self.plan.is_elsewhere(*cell) => {}
                _ => break,
            }
        }
        (found, taken)
    }

    /// A store that fills its register with bytes which memory has side by side.
    fn copied(&self, register: RegisterId, value: CellId) -> Option<Copied> {
        let slot = self.context.layout.registers[register.index()];
        let from = match &self.netlist().cells[value].kind {
            CellKind::Register(_) => self.in_place(value)?,
            CellKind::Concat(parts) if slot.size == 8 && self.plan.is_inline(value) => {
                self.shifted(parts)?
            }
            _ => return None,
        };
        Some(Copied {
            to: slot.offset,
            from,
            bytes: slot.size,
        })
    }

    /// The address of the eight bytes that the high bits of one register and the low bits of the next one are.
    fn shifted(&self, parts: &[CellId]) -> Option<u32> {
        let [high, low] = *parts else {
            return None;
        };
        let slice = |part: CellId| match self.netlist().cells[part].kind {
            CellKind::Slice { value, low } if self.plan.is_inline(part) => Some((value, low)),
            _ => None,
        };
        let ((below, from), (above, 0)) = (slice(high)?, slice(low)?) else {
            return None;
        };
        let whole = self.width(below) == 64 && from + self.width(high) == 64;
        let whole = whole && self.width(high) + self.width(low) == 64 && from % 8 == 0;
        let (below, above) = (self.in_place(below)?, self.in_place(above)?);
        (whole && below + 8 == above).then_some(below + from / 8)
    }

    /// The address of a register that is read where it lies.
    fn in_place(&self, read: CellId) -> Option<u32> {
        let CellKind::Register(register) = self.netlist().cells[read].kind else {
            return None;
        };
        let unspoilt = self.plan.is_load(read) && self.is_in_place(read);
        unspoilt.then(|| self.context.layout.registers[register.index()].offset)
    }

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

/// True for a copy that goes on where the last one of a list has ended, in the direction of those before.
fn follows(last: Copied, next: Copied, before: &[Copied]) -> bool {
    let step = i64::from(next.to) - i64::from(last.to);
    let first_step = match before {
        [a, b, ..] => i64::from(b.to) - i64::from(a.to),
        _ => step,
    };
    next.bytes == last.bytes
        && step.unsigned_abs() == u64::from(last.bytes)
        && step == first_step
        && step == i64::from(next.from) - i64::from(last.from)
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
