//! Sleep of supernodes (`sched/activity.rs`).
//!
//! At every 16th edge (`Gating::every`) the state of each supernode is copied before and compared after it. One that
//! has stayed as it was, and has written to no memory, falls asleep; its inputs are kept. From then on it does not run
//! until an input has another value, or the host has written something. Awake, it costs a test of its bit. While nothing
//! falls asleep, looks become rarer, and the edges between them may be those of `released.rs`, which do not even test.

use std::collections::BTreeMap;

use walrus::ir::BinaryOp::*;

use super::Context;
use super::code::{Code, Ty};
use super::task::Emitter;
use crate::bits::limb_count;
use crate::ir::*;
use crate::layout::SleepInput;
use crate::sched::{Block, TaskKind};

/// Percentage of cells below which they are not worth their sleep.
const FEW_ASLEEP: usize = 50;
/// While looks are in vain the distance to the next one doubles this often.
const MOST_VAIN: u64 = 4;

impl Emitter<'_, '_> {
    /// Before an edge: copies what will be compared.
    pub fn before_edge_of_supernodes(&mut self) {
        let sleep = &self.context.layout.sleep;
        self.code.load_at(Ty::I32, sleep.counter, 4);
        self.code.unary(walrus::ir::UnaryOp::I32Eqz);
        self.in_branch(|e| {
            e.code.constant(Ty::I32, 0);
            e.code.constant(Ty::I32, e.context.schedule.gating.every);
            e.code.load_at(Ty::I32, sleep.vain, 4);
            e.code.binary(Ty::I32, I32Shl, I64Shl);
            e.code.store(Ty::I32, sleep.counter, 4);
        });
        count_down(&mut self.code, self.context);
        self.when_looking(|e| {
            e.code.fill(sleep.busy, 8 * sleep.words);
            for node in &sleep.nodes {
                e.code.copy(node.copy, node.state, node.len);
            }
        });
    }

    /// After an edge: where nothing has happened, sleep begins.
    pub fn after_edge_of_supernodes(&mut self) {
        let sleep = &self.context.layout.sleep;
        self.when_looking(|e| {
            let same = e.context.helpers.get("same");
            for (word, nodes) in sleep.nodes.chunks(64).enumerate() {
                let (asleep, busy) = (sleep.asleep + 8 * word as u32, sleep.busy + 8 * word as u32);
                e.code.constant(Ty::I32, 0);
                e.code.load_at(Ty::I64, busy, 8);
                for (bit, node) in nodes.iter().enumerate() {
                    e.code.constant(Ty::I32, node.state.into());
                    e.code.constant(Ty::I32, node.copy.into());
                    e.code.constant(Ty::I32, node.len.into());
                    e.code.call(same);
                    e.code.unary(walrus::ir::UnaryOp::I32Eqz);
                    e.code.convert(Ty::I32, Ty::I64);
                    e.code.constant(Ty::I64, bit as u64);
                    e.code.binary(Ty::I64, I32Shl, I64Shl);
                    e.code.binary(Ty::I64, I32Or, I64Or);
                }
                // So far the bits say who stays awake.
                e.code.constant(Ty::I64, u64::MAX >> (64 - nodes.len()));
                e.code.binary(Ty::I64, I32Xor, I64Xor);
                e.code.store(Ty::I64, asleep, 8);
            }
            if e.context.schedule.released.is_some() {
                e.wake_if_few_sleep();
                e.count_vain_looks();
            }
        });
    }

    /// Where few sleep, all stay awake, because the edge without tests gains more than their sleep.
    fn wake_if_few_sleep(&mut self) {
        let sleep = &self.context.layout.sleep;
        let nodes = &self.context.schedule.supernodes.nodes;
        self.push_cells_asleep();
        let all: usize = nodes.iter().map(|node| node.cells).sum();
        self.code.constant(Ty::I32, (all * FEW_ASLEEP / 100) as u64);
        self.code.binary(Ty::I32, I32LtU, I64LtU);
        self.in_branch(|e| e.code.fill(sleep.asleep, 8 * sleep.words));
    }

    /// While nobody sleeps every look is twice as far from the next one as the last was.
    fn count_vain_looks(&mut self) {
        let vain = self.context.layout.sleep.vain;
        self.code.constant(Ty::I32, 0);
        self.code.load_at(Ty::I32, vain, 4);
        self.code.load_at(Ty::I32, vain, 4);
        self.code.constant(Ty::I32, MOST_VAIN);
        self.code.binary(Ty::I32, I32LtU, I64LtU);
        self.code.binary(Ty::I32, I32Add, I64Add);
        push_none_asleep(&mut self.code, self.context);
        self.code.binary(Ty::I32, I32Mul, I64Mul);
        self.code.store(Ty::I32, vain, 4);
    }

    /// Pushes how many cells the supernodes that sleep have.
    fn push_cells_asleep(&mut self) {
        let mut of_size: BTreeMap<(u32, usize), u64> = BTreeMap::new();
        for (index, node) in self.context.schedule.supernodes.nodes.iter().enumerate() {
            let (word, bit) = place(index);
            *of_size.entry((word, node.cells)).or_default() |= bit;
        }
        let asleep = self.context.layout.sleep.asleep;
        for (i, ((word, cells), bits)) in of_size.into_iter().enumerate() {
            self.code.load_at(Ty::I64, asleep + word, 8);
            self.code.constant(Ty::I64, bits);
            self.code.binary(Ty::I64, I32And, I64And);
            self.code.unary(walrus::ir::UnaryOp::I64Popcnt);
            self.code.convert(Ty::I64, Ty::I32);
            self.code.constant(Ty::I32, cells as u64);
            self.code.binary(Ty::I32, I32Mul, I64Mul);
            if i > 0 {
                self.code.binary(Ty::I32, I32Add, I64Add);
            }
        }
    }

    /// A supernode where it runs; none before it has looked at these inputs.
    pub fn supernode(&mut self, index: usize, inputs: &[CellId], body: &Block) {
        if !inputs.is_empty() {
            self.look_at(inputs);
        }
        let (word, bit) = place(index);
        let asleep = self.context.layout.sleep.asleep + word;
        self.code.load_at(Ty::I64, asleep, 8);
        self.code.constant(Ty::I64, bit);
        self.code.binary(Ty::I64, I32And, I64And);
        self.code.unary(walrus::ir::UnaryOp::I64Eqz);
        self.in_branch(|e| e.block(body));
    }

    /// Notes that a supernode has written to a memory.
    pub fn supernode_writes(&mut self, memory: MemoryId) {
        if !self.context.schedule.sleeps {
            return self.wake_readers_of_memory(memory);
        }
        if matches!(self.kind, TaskKind::Shared(_)) {
            // Its caller knows for which supernode.
            return self.store_flag(self.context.shared_flag, 1);
        }
        self.wake_readers_of_memory(memory);
        if let Some(index) = self.context.schedule.supernodes.of_memory(memory) {
            let (word, bit) = place(index);
            self.set_bits(self.context.layout.sleep.busy + word, bit);
        }
    }

    /// Wakes the supernode of a register, or the parts that look at it.
    pub fn wake(&mut self, register: RegisterId) {
        self.wake_parts_of(register);
        if let Some(index) = self.context.schedule.supernodes.of_register(register) {
            let (word, bit) = place(index);
            self.clear_bits(self.context.layout.sleep.asleep + word, bit);
        }
    }

    /// If any that sees these inputs sleeps: wakes those for which one has changed.
    fn look_at(&mut self, inputs: &[CellId]) {
        let sleep = &self.context.layout.sleep;
        let mut seen_by: BTreeMap<u32, u64> = BTreeMap::new();
        for input in inputs {
            for (word, bits) in words(&sleep.inputs[input]) {
                *seen_by.entry(word).or_default() |= bits;
            }
        }
        for (i, (word, bits)) in seen_by.iter().enumerate() {
            self.code.load_at(Ty::I64, sleep.asleep + word, 8);
            self.code.constant(Ty::I64, *bits);
            self.code.binary(Ty::I64, I32And, I64And);
            if i > 0 {
                self.code.binary(Ty::I64, I32Or, I64Or);
            }
        }
        self.code.constant(Ty::I64, 0);
        self.code.binary(Ty::I64, I32Ne, I64Ne);
        self.in_branch(|e| {
            for input in inputs {
                e.compare(*input);
            }
        });
        self.when_looking(|e| {
            for input in inputs {
                e.keep(*input);
            }
        });
    }

    fn compare(&mut self, input: CellId) {
        let sleep = &self.context.layout.sleep;
        let kept = sleep.inputs[&input].kept;
        let ty = self.limb_ty(input);
        for limb in 0..limb_count(self.width(input)) {
            self.push(input, limb);
            self.code.load_at(ty, kept + 8 * limb as u32, ty.bits() / 8);
            self.code.binary(ty, I32Ne, I64Ne);
            if limb > 0 {
                self.code.binary(Ty::I32, I32Or, I64Or);
            }
        }
        self.in_branch(|e| {
            e.keep(input);
            for (word, bits) in words(&sleep.inputs[&input]) {
                e.clear_bits(sleep.asleep + word, bits);
                e.set_bits(sleep.busy + word, bits);
            }
        });
    }

    fn keep(&mut self, input: CellId) {
        let kept = self.context.layout.sleep.inputs[&input].kept;
        let ty = self.limb_ty(input);
        for limb in 0..limb_count(self.width(input)) {
            self.code.constant(Ty::I32, 0);
            self.push(input, limb);
            self.code.store(ty, kept + 8 * limb as u32, ty.bits() / 8);
        }
    }

    fn limb_ty(&self, cell: CellId) -> Ty {
        Ty::of(self.width(cell).min(64))
    }

    fn push(&mut self, cell: CellId, limb: usize) {
        match self.width(cell) {
            0..=64 => self.value(cell),
            _ => self.push_limb(cell, limb),
        }
    }

    pub fn set_bits(&mut self, address: u32, bits: u64) {
        self.code.constant(Ty::I32, 0);
        self.code.load_at(Ty::I64, address, 8);
        self.code.constant(Ty::I64, bits);
        self.code.binary(Ty::I64, I32Or, I64Or);
        self.code.store(Ty::I64, address, 8);
    }

    fn clear_bits(&mut self, address: u32, bits: u64) {
        self.code.constant(Ty::I32, 0);
        self.code.load_at(Ty::I64, address, 8);
        self.code.constant(Ty::I64, !bits);
        self.code.binary(Ty::I64, I32And, I64And);
        self.code.store(Ty::I64, address, 8);
    }

    /// Code for the edges at which sleep may begin.
    fn when_looking(&mut self, body: impl FnOnce(&mut Self)) {
        let counter = self.context.layout.sleep.counter;
        self.code.load_at(Ty::I32, counter, 4);
        self.code.unary(walrus::ir::UnaryOp::I32Eqz);
        self.in_branch(body);
    }
}

/// Pushes whether all supernodes are awake and this edge is none at which one may fall asleep.
pub(super) fn push_awake(code: &mut Code, context: &Context) {
    let counter = context.layout.sleep.counter;
    push_none_asleep(code, context);
    code.constant(Ty::I32, 1);
    code.load_at(Ty::I32, counter, 4);
    code.binary(Ty::I32, I32LtU, I64LtU);
    code.binary(Ty::I32, I32And, I64And);
}

/// One edge less until the next look.
pub(super) fn count_down(code: &mut Code, context: &Context) {
    let counter = context.layout.sleep.counter;
    code.constant(Ty::I32, 0);
    code.load_at(Ty::I32, counter, 4);
    code.constant(Ty::I32, 1);
    code.binary(Ty::I32, I32Sub, I64Sub);
    code.store(Ty::I32, counter, 4);
}

fn push_none_asleep(code: &mut Code, context: &Context) {
    let sleep = &context.layout.sleep;
    for word in 0..sleep.words {
        code.load_at(Ty::I64, sleep.asleep + 8 * word, 8);
        if word > 0 {
            code.binary(Ty::I64, I32Or, I64Or);
        }
    }
    code.unary(walrus::ir::UnaryOp::I64Eqz);
}

/// Distance of a supernode's word from the first, and its bit.
fn place(index: usize) -> (u32, u64) {
    (8 * (index as u32 / 64), 1 << (index % 64))
}

/// The bits of those that see an input, word by word.
fn words(input: &SleepInput) -> BTreeMap<u32, u64> {
    let mut words = BTreeMap::new();
    for (word, bit) in input.seen_by.iter().map(|index| place(*index)) {
        *words.entry(word).or_default() |= bit;
    }
    words
}
