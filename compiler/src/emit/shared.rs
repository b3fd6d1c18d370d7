//! Functions of classes (`sched/alike.rs`): one for all supernodes that are alike.
//!
//! The function is made from the first supernode of its class, with that one's addresses. Its first parameters say how
//! far the registers, and each memory, of the supernode that it runs for lie from those; the others are values.

use std::iter;

use walrus::{LocalId, ValType};

use super::Context;
use super::code::Ty;
use super::task::Emitter;
use crate::ir::*;
use crate::layout::Slot;
use crate::sched::activity::Supernode;
use crate::sched::{Task, TaskKind};

/// Parameters of the function of a class.
#[derive(Clone, Debug)]
pub(crate) struct Distances {
    pub registers: LocalId,
    memories: Vec<(MemoryId, LocalId)>,
}

impl Distances {
    /// Types of the first parameters of a task's functions.
    pub fn types(context: &Context, kind: TaskKind) -> Vec<ValType> {
        match model(context, kind) {
            Some(node) => vec![ValType::I32; 1 + node.memories.len()],
            None => Vec::new(),
        }
    }

    pub fn new(context: &Context, kind: TaskKind, args: &[LocalId]) -> Option<Distances> {
        let node = model(context, kind)?;
        let memories = node.memories.iter().copied().zip(args[1..].iter().copied());
        Some(Distances {
            registers: args[0],
            memories: memories.collect(),
        })
    }

    pub fn each(&self) -> impl Iterator<Item = LocalId> {
        iter::once(self.registers).chain(self.memories.iter().map(|(_, local)| *local))
    }
}

/// The supernode that the function of a class is made from.
fn model<'a>(context: &'a Context, kind: TaskKind) -> Option<&'a Supernode> {
    let TaskKind::Shared(class) = kind else {
        return None;
    };
    let node = context.schedule.classes[class].members[0].node;
    Some(&context.schedule.supernodes.nodes[node])
}

impl Emitter<'_, '_> {
    /// Makes a function's arguments known.
    pub fn take_args(&mut self, task: &Task, in_memory: &[Option<Slot>], args: &[LocalId]) {
        self.distances = Distances::new(self.context, task.kind, args);
        let passed = task.params.iter().zip(in_memory);
        let passed: Vec<CellId> = passed
            .filter(|(_, slot)| slot.is_none())
            .map(|(cell, _)| *cell)
            .collect();
        let values = args.len() - passed.len();
        for (cell, local) in passed.iter().zip(&args[values..]) {
            self.locals.insert(*cell, *local);
            self.spill(*cell, *local);
        }
    }

    /// Pushes what the addresses of registers count from.
    pub fn push_registers_base(&mut self) {
        match &self.distances {
            Some(distances) => self.code.get(distances.registers),
            None => self.code.constant(Ty::I32, 0),
        }
    }

    /// How far a memory of the supernode is from that of the first one.
    pub fn memory_distance(&self, memory: MemoryId) -> Option<LocalId> {
        let mut distances = self.distances.iter().flat_map(|d| &d.memories);
        let own = distances.find(|(m, _)| *m == memory);
        own.map(|(_, local)| *local)
    }

    /// Adds to the address on the stack what is missing for a memory of the supernode.
    pub fn add_memory_distance(&mut self, memory: MemoryId) {
        if let Some(local) = self.memory_distance(memory) {
            self.code.get(local);
            self.code.binary(
                Ty::I32,
                walrus::ir::BinaryOp::I32Add,
                walrus::ir::BinaryOp::I64Add,
            );
        }
    }

    /// Runs the function of a class for a supernode.
    pub fn call_shared(&mut self, class: usize, node: usize, args: &[CellId]) {
        let context = self.context;
        let model = model(context, TaskKind::Shared(class)).expect("a class has members");
        let own = &context.schedule.supernodes.nodes[node];
        let layout = context.layout;
        let [from, to] = [model, own].map(|node| {
            let places = node.registers.iter();
            places.map(|r| layout.registers[r.index()].offset).min()
        });
        let distance = to.unwrap_or(0).wrapping_sub(from.unwrap_or(0));
        let function = context.shared.borrow()[class].clone();
        let places = || args.iter().zip(&function.in_memory);
        for (arg, slot) in places() {
            slot.iter().for_each(|slot| self.store_slot(*slot, *arg));
        }
        self.code.constant(Ty::I32, distance.into());
        for (theirs, ours) in model.memories.iter().zip(&own.memories) {
            let [from, to] = [theirs, ours].map(|m| layout.memories[m.index()].base);
            self.code.constant(Ty::I32, to.wrapping_sub(from).into());
        }
        for (arg, _) in places().filter(|(_, slot)| slot.is_none()) {
            self.value(*arg);
        }
        self.code.call(function.id);
        if let Some(memory) = own.memories.first()
            && context.schedule.sleeps
        {
            self.code.load_at(Ty::I32, context.shared_flag, 4);
            self.in_branch(|e| {
                e.store_flag(context.shared_flag, 0);
                e.supernode_writes(*memory);
            });
        }
    }

    /// Stores a number to a word of scratch memory.
    pub fn store_flag(&mut self, flag: u32, value: u64) {
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, value);
        self.code.store(Ty::I32, flag, 4);
    }
}
