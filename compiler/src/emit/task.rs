//! One task becomes one function: blocks to structured control flow, cells to locals or expressions.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use walrus::ir::BinaryOp::*;
use walrus::{FunctionBuilder, FunctionId, LocalId, Module};

use super::code::{Code, Ty};
use super::plan::{Plan, ROOT, arm_of, plan};
use super::shared::Distances;
use super::{Context, define};
use crate::ir::*;
use crate::layout::Slot;
use crate::sched::{Action, Block, Branch, Condition, Step, Task, TaskKind, task_name};

/// Bits of what a pass of settling answers; the others are zero.
const LOAD_CHANGED: u64 = 1;
const LOOP_CHANGED: u64 = 2;

/// Writes the function of one task.
pub(crate) struct Emitter<'a, 'c> {
    pub context: &'a Context<'a>,
    pub code: Code<'c>,
    pub plan: Rc<Plan>,
    pub kind: TaskKind,
    /// Where cells are that this function has computed.
    pub locals: FxHashMap<CellId, LocalId>,
    /// State read by the block being written, or by those around it.
    loaded: FxHashMap<CellId, LocalId>,
    loaded_order: Vec<CellId>,
    /// The block being written.
    current: Option<*const Block>,
    /// The piece that this function is, or [`ROOT`].
    function: usize,
    /// Memory of cells that several functions of the task use.
    spills: Rc<RefCell<FxHashMap<CellId, Slot>>>,
    /// Functions of the task's pieces.
    pieces: Rc<Vec<FunctionId>>,
    /// In the function of a class: how far the supernode's own state is from that of the first one.
    pub distances: Option<Distances>,
}

/// Emits a task in the place of an import of the prelude.
pub(crate) fn emit_import(module: &mut Module, context: &Context, task: &Task, name: &str) {
    let shared = emit_pieces(module, context, task);
    define(module, name, |builder, _, locals| {
        emit_body(builder, locals, context, task, &shared)
    });
}

/// A function and what its callers must know.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub id: FunctionId,
    /// Where it finds those of its parameters that are no arguments.
    pub in_memory: Vec<Option<Slot>>,
}

/// Emits a task as a function of its own.
pub(crate) fn emit_function(module: &mut Module, context: &Context, task: &Task) -> Function {
    let shared = emit_pieces(module, context, task);
    let in_memory: Vec<Option<Slot>> = (task.params.iter())
        .map(|param| shared.in_memory(context, *param))
        .collect();
    let mut types = Distances::types(context, task.kind);
    let passed = task.params.iter().zip(&in_memory);
    let passed = passed.filter(|(_, slot)| slot.is_none());
    types.extend(passed.map(|(param, _)| context.ty(*param).val()));
    let name = task_name(task.kind);
    let of_task = (task, &shared, ROOT);
    let id = function(module, context, of_task, &types, name, |e, args| {
        e.take_args(task, &in_memory, args);
        e.body(task);
    });
    Function { id, in_memory }
}

/// A function of a task: its own, or a piece.
pub(super) fn function<'a>(
    module: &mut Module,
    context: &'a Context<'a>,
    (task, shared, index): (&Task, &Shared, usize),
    types: &[walrus::ValType],
    name: String,
    body: impl FnOnce(&mut Emitter<'a, '_>, &[LocalId]),
) -> FunctionId {
    let mut builder = FunctionBuilder::new(&mut module.types, types, &[]);
    builder.name(name);
    let args: Vec<LocalId> = types.iter().map(|ty| module.locals.add(*ty)).collect();
    let locals = &mut module.locals;
    let mut emitter = emitter(&mut builder, locals, context, task, shared, index);
    body(&mut emitter, &args);
    builder.finish(args, &mut module.funcs)
}

/// What the functions of one task share.
pub(super) struct Shared {
    plan: Rc<Plan>,
    spills: Rc<RefCell<FxHashMap<CellId, Slot>>>,
    pieces: Rc<Vec<FunctionId>>,
}

impl Shared {
    /// The place of a parameter that only pieces use: the caller stores it there.
    fn in_memory(&self, context: &Context, param: CellId) -> Option<Slot> {
        let pieces_alone = context.args_in_memory && !self.plan.is_own(param);
        self.spills
            .borrow()
            .get(&param)
            .copied()
            .filter(|_| pieces_alone)
    }
}

/// Plans a task and emits its pieces. A piece only calls pieces before it.
pub(super) fn emit_pieces(module: &mut Module, context: &Context, task: &Task) -> Shared {
    let supernodes = &context.schedule.supernodes;
    let mut shared = Shared {
        plan: Rc::new(plan(context.netlist, supernodes, task)),
        spills: Rc::default(),
        pieces: Rc::default(),
    };
    let mut functions = Vec::new();
    for (i, piece) in task.pieces.iter().enumerate() {
        let types = Distances::types(context, task.kind);
        let name = format!("{}_piece_{i}", task_name(task.kind));
        functions.push(function(
            module,
            context,
            (task, &shared, i),
            &types,
            name,
            |e, args| {
                e.distances = Distances::new(context, task.kind, args);
                e.block(piece);
            },
        ));
        shared.pieces = Rc::new(functions.clone());
    }
    shared
}

fn emitter<'a, 'c>(
    builder: &'c mut FunctionBuilder,
    locals: &'c mut walrus::ModuleLocals,
    context: &'a Context<'a>,
    task: &Task,
    shared: &Shared,
    function: usize,
) -> Emitter<'a, 'c> {
    Emitter {
        context,
        code: Code::new(builder, locals, context.memory),
        plan: shared.plan.clone(),
        kind: task.kind,
        locals: FxHashMap::default(),
        loaded: FxHashMap::default(),
        loaded_order: Vec::new(),
        current: None,
        function,
        spills: shared.spills.clone(),
        pieces: shared.pieces.clone(),
        distances: None,
    }
}

fn emit_body(
    builder: &mut FunctionBuilder,
    locals: &mut walrus::ModuleLocals,
    context: &Context,
    task: &Task,
    shared: &Shared,
) {
    emitter(builder, locals, context, task, shared, ROOT).body(task);
}

impl Emitter<'_, '_> {
    fn body(&mut self, task: &Task) {
        let changed_flag = self.context.changed_flag;
        if task.kind == TaskKind::Settle {
            self.code.constant(Ty::I32, 0);
            self.code.constant(Ty::I32, 0);
            self.code.store(Ty::I32, changed_flag, 4);
        }
        let is_edge = matches!(task.kind, TaskKind::Edge(_));
        let gated = is_edge && self.context.schedule.sleeps;
        if gated {
            self.before_edge_of_supernodes();
        }
        if is_edge {
            self.run_parts();
        }
        self.block(&task.body);
        if gated {
            self.after_edge_of_supernodes();
        }
        if task.kind == TaskKind::Settle {
            self.code.load_at(Ty::I32, changed_flag, 4);
        }
    }

    /// Goes on with another task in the same function.
    pub fn turn_to(&mut self, task: &Task, shared: &Shared) {
        self.kind = task.kind;
        self.plan = shared.plan.clone();
        self.spills = shared.spills.clone();
        self.pieces = shared.pieces.clone();
        self.locals.clear();
    }

    pub fn netlist(&self) -> &Netlist {
        self.context.netlist
    }

    pub fn width(&self, cell: CellId) -> u32 {
        self.netlist().width(cell)
    }

    pub fn ty(&self, cell: CellId) -> Ty {
        self.context.ty(cell)
    }

    /// Recursion is bounded by the depth of regions.
    pub fn block(&mut self, block: &Block) {
        self.block_then(block, |_| {});
    }

    /// A block and what belongs to its end.
    fn block_then(&mut self, block: &Block, end: impl FnOnce(&mut Self)) {
        let outer = self.current.replace(std::ptr::from_ref(block));
        self.conditionally(|e| {
            e.steps(block);
            end(e);
        });
        // The other arm of a branch reads the state itself.
        for cell in self.plan.hoisted(block) {
            self.locals.remove(&cell);
        }
        self.current = outer;
    }

    /// Code that does not always run: what it loads is not there after it.
    pub fn conditionally(&mut self, body: impl FnOnce(&mut Self)) {
        let outer = self.loaded_order.len();
        body(self);
        for cell in self.loaded_order.drain(outer..) {
            self.loaded.remove(&cell);
        }
    }

    /// Code for when the i32 on the stack is not zero.
    pub fn in_branch(&mut self, body: impl FnOnce(&mut Self)) {
        let outer = self.code.at;
        let (consequent, alternative) = (self.code.new_seq(None), self.code.new_seq(None));
        self.code.at = consequent;
        self.conditionally(body);
        self.code.at = outer;
        self.code.op(walrus::ir::IfElse {
            consequent,
            alternative,
        });
    }

    fn steps(&mut self, block: &Block) {
        for cell in self.plan.hoisted(block) {
            self.compute(cell);
        }
        let mut steps = block.steps.as_slice();
        while let [step, rest @ ..] = steps {
            let moved = self.move_registers(steps);
            if moved > 0 {
                steps = &steps[moved..];
                continue;
            }
            steps = rest;
            match step {
                Step::Eval(cell) | Step::Alias { cell, .. } => {
                    if !self.plan.is_elsewhere(*cell) {
                        self.compute(*cell);
                    }
                }
                Step::Branch(branch) => self.branch(branch),
                Step::Guard { any, body } => self.guard(any, body),
                Step::Supernode {
                    index,
                    inputs,
                    body,
                } => self.supernode(*index, inputs, body),
                Step::Act(action) => self.act(action),
                Step::Shared { class, node, args } => self.call_shared(*class, *node, args),
                Step::Call(piece) => {
                    if let Some(distances) = &self.distances {
                        distances.each().for_each(|local| self.code.get(local));
                    }
                    self.code.call(self.pieces[*piece]);
                }
            }
        }
    }

    /// Computes a cell into its local, or a wide one into its scratch.
    fn compute(&mut self, cell: CellId) {
        if self.width(cell) > 64 {
            self.compute_wide(cell);
            return;
        }
        self.expression(cell);
        let local = self.code.new_local(self.ty(cell));
        self.code.set(local);
        self.locals.insert(cell, local);
        self.spill(cell, local);
    }

    /// Also stores the value where other functions of the task find it.
    pub fn spill(&mut self, cell: CellId, local: LocalId) {
        if self.plan.is_spilled(cell) {
            let (ty, slot) = (self.ty(cell), self.spill_slot(cell));
            self.code.constant(Ty::I32, 0);
            self.code.get(local);
            self.code.store(ty, slot.offset, slot.size);
        }
    }

    fn spill_slot(&self, cell: CellId) -> Slot {
        let take = || Slot {
            offset: self.context.scratch.borrow_mut().take(8, 8),
            size: self.ty(cell).bits() / 8,
        };
        *self.spills.borrow_mut().entry(cell).or_insert_with(take)
    }

    fn branch(&mut self, branch: &Branch) {
        for merge in &branch.merges {
            let home = self.plan.home(*merge);
            let shared = self.locals.get(&home).copied();
            let local = shared.unwrap_or_else(|| self.code.new_local(self.ty(*merge)));
            self.locals.insert(*merge, local);
        }
        let outer = self.code.at;
        let (consequent, alternative) = (self.code.new_seq(None), self.code.new_seq(None));
        let (bit, inverted) = self.condition(branch.select);
        self.truth(bit);
        // Without an arm for 1, the arm for 0 is better than an empty one.
        let empty_true = branch.on_true.steps.is_empty() && branch.merges.is_empty();
        if empty_true && !inverted {
            self.code.unary(walrus::ir::UnaryOp::I32Eqz);
        }
        let swap = empty_true || inverted;
        self.code.at = if swap { alternative } else { consequent };
        self.arm(branch, true);
        self.code.at = if swap { consequent } else { alternative };
        self.arm(branch, false);
        self.code.at = outer;
        self.code.op(walrus::ir::IfElse {
            consequent,
            alternative,
        });
        for merge in &branch.merges {
            self.spill(*merge, self.locals[merge]);
        }
    }

    fn guard(&mut self, any: &[Condition], body: &Block) {
        for (i, condition) in any.iter().enumerate() {
            let (bit, inverted) = self.condition(condition.select);
            self.truth(bit);
            if inverted == condition.level {
                self.code.unary(walrus::ir::UnaryOp::I32Eqz);
            }
            if i > 0 {
                self.code.binary(Ty::I32, I32Or, I64Or);
            }
        }
        self.in_branch(|e| e.block(body));
    }

    /// The bit that decides a branch, and whether its arms change places: inversions cost nothing.
    fn condition(&self, select: CellId) -> (CellId, bool) {
        match self.netlist().cells[select].kind {
            CellKind::Not(bit) if self.plan.is_inline(select) => (bit, true),
            _ => (select, false),
        }
    }

    fn arm(&mut self, branch: &Branch, taken: bool) {
        let block = if taken {
            &branch.on_true
        } else {
            &branch.on_false
        };
        self.block_then(block, |e| {
            for merge in &branch.merges {
                let (value, local) = (arm_of(e.netlist(), *merge, taken), e.locals[merge]);
                // Locals are zero until they are set, and a merge has one to itself.
                let zero = e.netlist().constant(value).is_some_and(|c| c.is_zero());
                if !zero && e.locals.get(&value) != Some(&local) {
                    e.value(value);
                    e.code.set(local);
                }
            }
        });
    }

    /// Pushes a narrow cell's value, of its own type.
    pub fn value(&mut self, cell: CellId) {
        if let Some(local) = self.locals.get(&cell) {
            self.code.get(*local);
            return;
        }
        if let Some(bits) = self.netlist().constant(cell) {
            let (ty, value) = (self.ty(cell), bits.limbs()[0]);
            self.code.constant(ty, value);
            return;
        }
        let saved = self.plan.is_saved_outside(self.function, cell);
        if self.plan.is_load(cell) && !saved {
            return self.load(cell);
        }
        if self.plan.is_spilled(cell) {
            let slot = self.spill_slot(cell);
            return self.code.load_at(self.ty(cell), slot.offset, slot.size);
        }
        assert!(
            self.plan.is_inline(cell),
            "cell %{} is used before it is computed",
            cell.index()
        );
        self.expression(cell);
    }

    /// Pushes state that nothing has overwritten yet.
    fn load(&mut self, cell: CellId) {
        if let Some(local) = self.loaded.get(&cell) {
            return self.code.get(*local);
        }
        match self.kept_elsewhere(cell) {
            Some(slot) => self.code.load_at(self.ty(cell), slot.offset, slot.size),
            None => self.expression(cell),
        }
        if self
            .current
            .is_some_and(|block| self.plan.keeps_load(cell, block))
        {
            let local = self.code.new_local(self.ty(cell));
            self.code.tee(local);
            self.loaded.insert(cell, local);
            self.loaded_order.push(cell);
        }
    }

    /// Pushes a narrow cell's value converted to `ty`.
    pub fn value_as(&mut self, cell: CellId, ty: Ty) {
        self.value(cell);
        self.code.convert(self.ty(cell), ty);
    }

    /// True when what memory has of a register is what a read of it here means.
    pub fn is_in_place(&self, read: CellId) -> bool {
        let saved =
            self.locals.contains_key(&read) || self.plan.is_saved_outside(self.function, read);
        !saved
    }

    /// Code for the passes of a settling in which no loop has changed.
    fn once_loops_rest(&mut self, body: impl FnOnce(&mut Self)) {
        if self.kind != TaskKind::Settle || self.netlist().loops.is_empty() {
            return body(self);
        }
        let outer = self.code.at;
        let (consequent, alternative) = (self.code.new_seq(None), self.code.new_seq(None));
        self.code.load_at(Ty::I32, self.context.changed_flag, 4);
        self.code.constant(Ty::I32, LOOP_CHANGED);
        self.code.binary(Ty::I32, I32And, I64And);
        self.code.at = alternative;
        self.conditionally(body);
        self.code.at = outer;
        self.code.op(walrus::ir::IfElse {
            consequent,
            alternative,
        });
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::StoreRegister(r, value) => {
                self.store_register(r, value);
            }
            Action::StoreLatch(l, value) => {
                let slot = self.context.layout.latches[l.index()];
                self.once_loops_rest(|e| e.store_slot(slot, value));
            }
            Action::StoreLoop(l, value) => {
                let slot = self.context.layout.loops[l.index()];
                self.store_changed(slot, value, LOOP_CHANGED);
            }
            Action::Load(r, value) => {
                let slot = self.context.layout.registers[r.index()];
                self.once_loops_rest(|e| e.store_changed(slot, value, LOAD_CHANGED));
                self.wake(r);
            }
            Action::Keep(cell) => self.keep_for_parts(cell),
            Action::StoreNet(cell) => self.store_net(cell),
            Action::StoreLevel(t, value) => {
                let offset = self
                    .context
                    .layout
                    .trigger_field(t, rtlwasm_abi::layout::trigger::LEVEL);
                self.store_slot(Slot { offset, size: 1 }, value);
            }
            Action::Read(_) => {}
            Action::Write { memory, port } => {
                self.write(memory, port);
                self.supernode_writes(memory);
            }
            Action::Move {
                memory,
                to,
                from,
                rows,
            } => {
                self.move_rows(memory, to, from, rows);
                self.note_write();
                self.supernode_writes(memory);
            }
            Action::Run(index) => panic!("supernode {index} has no body"),
            Action::Effect(index) => {
                self.effect(index);
                self.stay_awake();
            }
            Action::Due(index) => {
                self.set_due(index);
                self.stay_awake();
            }
            Action::Last(index) => self.last(index),
            Action::Change(index) => self.change(index),
        }
    }
}
