//! Parts of a large design (`sched/parts.rs`): an edge runs those that are awake; whoever changes a value wakes those
//! who look at it.

use walrus::ir::BinaryOp::*;
use walrus::{LocalId, Module};

use super::Context;
use super::code::Ty;
use super::plan::ROOT;
use super::task::{Emitter, Shared, emit_pieces, function};
use crate::bits::limb_count;
use crate::ir::*;
use crate::layout::{PARTS_OF_FUNCTION, Slot};
use crate::sched::{Task, TaskKind, task_name};

/// Parts whose late registers one function commits.
const COMMIT: usize = 64;
/// Readers of a value that are woken without a branch.
const FEW: usize = 4;

/// The functions of parts.
pub(crate) fn emit(module: &mut Module, context: &Context, parts: &[&Task]) {
    for parts in parts.chunks(PARTS_OF_FUNCTION) {
        let mut tasks = Vec::new();
        for task in parts {
            tasks.push((*task, emit_pieces(module, context, task)));
        }
        let (task, shared) = &tasks[0];
        let name = task_name(task.kind);
        let made = function(module, context, (task, shared, ROOT), &[], name, |e, _| {
            e.parts(&tasks)
        });
        context.parts.borrow_mut().push(made);
    }
    for (i, late) in parts.chunks(COMMIT).enumerate() {
        let (first, task) = (COMMIT * i, late[0]);
        let shared = emit_pieces(module, context, task);
        let name = format!("late_{i}");
        let made = function(module, context, (task, &shared, ROOT), &[], name, |e, _| {
            for word in (0..late.len()).step_by(8) {
                e.commit_parts(first + word);
            }
        });
        context.commits.borrow_mut().push(made);
    }
}

impl Emitter<'_, '_> {
    /// An edge: inputs, parts in their order, then late registers.
    pub fn run_parts(&mut self) {
        let context = self.context;
        for (input, readers) in &context.schedule.parts.inputs {
            self.look_at_input(*input, readers);
        }
        let places = &context.layout.parts;
        for (i, function) in context.parts.borrow().iter().enumerate() {
            let first = (PARTS_OF_FUNCTION * i) as u32;
            self.if_any(places.awake(first), 4 * PARTS_OF_FUNCTION, |e| {
                e.code.call(*function);
            });
        }
        let commits = context.commits.borrow();
        commits.iter().for_each(|commit| self.code.call(*commit));
    }

    /// Code for when one of the bytes, a multiple of eight, is not zero.
    fn if_any(&mut self, at: u32, bytes: usize, body: impl FnOnce(&mut Self)) {
        for word in (0..bytes as u32).step_by(8) {
            self.code.load_at(Ty::I64, at + word, 8);
            if word > 0 {
                self.code.binary(Ty::I64, I32Or, I64Or);
            }
        }
        self.code.constant(Ty::I64, 0);
        self.code.binary(Ty::I64, I32Ne, I64Ne);
        self.in_branch(body);
    }

    /// Those of one function that are awake.
    fn parts(&mut self, tasks: &[(&Task, Shared)]) {
        for (task, shared) in tasks {
            let TaskKind::Part(_, index) = task.kind else {
                panic!("{} is no part", task_name(task.kind))
            };
            self.turn_to(task, shared);
            let awake = self.context.layout.parts.awake(index as u32);
            self.code.load_at(Ty::I32, awake, 4);
            self.in_branch(|e| {
                e.begin_part(index);
                e.block(&task.body);
            });
        }
    }

    /// Late registers of the parts from `first` on that have run.
    fn commit_parts(&mut self, first: usize) {
        let context = self.context;
        let late = context.layout.parts.late;
        let parts = context.schedule.parts.parts.iter().enumerate();
        let parts = parts.skip(first).take(8);
        let parts: Vec<_> = parts.filter(|(_, part)| !part.late.is_empty()).collect();
        if parts.is_empty() {
            return;
        }
        self.if_any(late + first as u32, 8, |e| {
            for (index, part) in &parts {
                e.code.load_at(Ty::I32, late + *index as u32, 1);
                e.in_branch(|e| part.late.iter().for_each(|r| e.commit(*r)));
            }
            e.code.constant(Ty::I32, 0);
            e.code.constant(Ty::I64, 0);
            e.code.store(Ty::I64, late + first as u32, 8);
        });
    }

    fn look_at_input(&mut self, cell: CellId, readers: &[u32]) {
        let CellKind::Input(input) = self.netlist().cells[cell].kind else {
            panic!("%{} is no input", cell.index())
        };
        let kept = self.context.layout.parts.inputs[&cell];
        let width = self.width(cell);
        for limb in 0..limb_count(width) as u32 {
            let bits = (width - 64 * limb).min(64);
            let (ty, at) = (Ty::of(bits), kept + 8 * limb);
            let local = self.code.new_local(ty);
            self.input_bits(input, 64 * limb, bits, ty);
            self.code.tee(local);
            self.code.load_at(ty, at, ty.bits() / 8);
            self.code.binary(ty, I32Ne, I64Ne);
            self.in_branch(|e| {
                e.code.constant(Ty::I32, 0);
                e.code.get(local);
                e.code.store(ty, at, ty.bits() / 8);
                e.wake_parts(readers);
            });
        }
    }

    /// A part begins: it sleeps from now on, unless something wakes it. Late registers may keep their values.
    pub fn begin_part(&mut self, index: usize) {
        let context = self.context;
        let places = &context.layout.parts;
        let part = &context.schedule.parts.parts[index];
        if !part.is_restless {
            self.set_awake(index as u32, 0);
        }
        let late = &part.late;
        if late.is_empty() {
            return;
        }
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, 1);
        self.code.store(Ty::I32, places.late + index as u32, 1);
        for register in late {
            let (from, to) = (
                context.layout.registers[register.index()],
                places.next[register],
            );
            let ty = Ty::of(8 * from.size);
            self.code.constant(Ty::I32, 0);
            self.code.load_at(ty, from.offset, from.size);
            self.code.store(ty, to.offset, to.size);
        }
    }

    /// The next value of a register, at once or beside it.
    pub fn store_in_part(&mut self, register: RegisterId, value: CellId) {
        let context = self.context;
        if let Some(slot) = context.layout.parts.next.get(&register) {
            return self.store_slot(*slot, value);
        }
        let slot = context.layout.registers[register.index()];
        let readers = context.schedule.parts.registers.get(&register);
        self.store_and_wake(slot, value, readers.map_or(&[], Vec::as_slice));
    }

    /// A late register takes its next value.
    pub fn commit(&mut self, register: RegisterId) {
        let context = self.context;
        let from = context.layout.parts.next[&register];
        let to = context.layout.registers[register.index()];
        let ty = Ty::of(8 * from.size);
        let local = self.code.new_local(ty);
        self.code.load_at(ty, from.offset, from.size);
        self.code.set(local);
        self.replace(to, ty, local, &context.schedule.parts.registers[&register]);
    }

    /// Keeps a value for other parts.
    pub fn keep_for_parts(&mut self, cell: CellId) {
        let context = self.context;
        let readers = &context.schedule.parts.cells[&cell];
        let (_, slot) = context.layout.parts.kept[&cell];
        if self.width(cell) <= 64 {
            return self.store_and_wake(slot, cell, readers);
        }
        let (from, bytes) = (
            self.wide_address(cell),
            8 * limb_count(self.width(cell)) as u32,
        );
        for operand in [from, slot.offset, bytes] {
            self.code.constant(Ty::I32, operand.into());
        }
        self.code.call(context.helpers.get("same"));
        self.code.unary(walrus::ir::UnaryOp::I32Eqz);
        self.in_branch(|e| {
            e.code.copy(slot.offset, from, bytes);
            e.wake_parts(readers);
        });
    }

    fn store_and_wake(&mut self, slot: Slot, value: CellId, readers: &[u32]) {
        if readers.is_empty() {
            return self.store_slot(slot, value);
        }
        let ty = self.ty(value);
        let local = self.code.new_local(ty);
        self.value(value);
        self.code.set(local);
        self.replace(slot, ty, local, readers);
    }

    /// Stores a value; where it is another one than before, its readers wake. For few readers that is no branch, which
    /// no processor could predict.
    fn replace(&mut self, slot: Slot, ty: Ty, value: LocalId, readers: &[u32]) {
        let changed = self.code.new_local(Ty::I32);
        self.code.get(value);
        self.code.load_at(ty, slot.offset, slot.size);
        // Not zero where they differ.
        self.code.binary(ty, I32Xor, I64Ne);
        self.code.set(changed);
        self.code.constant(Ty::I32, 0);
        self.code.get(value);
        self.code.store(ty, slot.offset, slot.size);
        if readers.len() > FEW {
            self.code.get(changed);
            return self.in_branch(|e| e.wake_parts(readers));
        }
        for reader in readers {
            // An or to memory, in one machine instruction.
            let awake = self.context.layout.parts.awake(*reader);
            self.code.constant(Ty::I32, 0);
            self.code.load_at(Ty::I32, awake, 4);
            self.code.get(changed);
            self.code.binary(Ty::I32, I32Or, I64Or);
            self.code.store(Ty::I32, awake, 4);
        }
    }

    /// Where another part keeps a value, seen from this one.
    pub fn kept_elsewhere(&self, cell: CellId) -> Option<Slot> {
        let TaskKind::Part(_, own) = self.kind else {
            return None;
        };
        let (part, slot) = self.context.layout.parts.kept.get(&cell)?;
        (*part != own).then_some(*slot)
    }

    /// An effect that has acted may act again in the next cycle.
    pub fn stay_awake(&mut self) {
        if let TaskKind::Part(_, index) = self.kind {
            self.wake_parts(&[index as u32]);
        }
    }

    pub fn wake_readers_of_memory(&mut self, memory: MemoryId) {
        if let Some(readers) = self.context.schedule.parts.memories.get(&memory) {
            self.wake_parts(readers);
        }
    }

    /// After an asynchronous load: those who look at a register, and the part that stores its next value.
    pub fn wake_parts_of(&mut self, register: RegisterId) {
        let parts = &self.context.schedule.parts;
        let readers = parts.registers.get(&register);
        let writer = parts.writers.get(&register);
        let mut all: Vec<u32> = readers
            .into_iter()
            .flatten()
            .chain(writer)
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        self.wake_parts(&all);
    }

    fn wake_parts(&mut self, parts: &[u32]) {
        parts.iter().for_each(|part| self.set_awake(*part, 1));
    }

    fn set_awake(&mut self, part: u32, value: u64) {
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, value);
        let awake = self.context.layout.parts.awake(part);
        self.code.store(Ty::I32, awake, 4);
    }
}
