//! To WebAssembly: a legal netlist, its schedule and its layout become one `walrus::Module`.
//!
//! `prelude.wat` and `wide.wat` hold what does not depend on the design; they import the design's own
//! functions from "gen", and those imports are replaced by what [`task`] and [`state`] emit. All
//! baseline WebAssembly: MVP, bulk memory, sign extension. Function sizes are bounded by [`split`].

mod activity;
mod any;
mod code;
mod effects;
mod gather;
mod image;
mod inline;
mod moves;
mod narrow;
mod numbers;
mod parts;
mod plan;
mod released;
mod shared;
mod state;
mod tables;
mod task;
mod trace;
mod wave;
mod wide;

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use walrus::ir::MemArg;
use walrus::{FunctionId, LocalId, MemoryId, Module};

use crate::ir::*;
use crate::layout::{Buffers, Cursor, Layout};
use crate::options::{OptLevel, Options, Trace};
use crate::sched::moves::MOVES;
use crate::sched::observe::Observed;
use crate::sched::{Schedule, Task, TaskKind, TimingModel};
use numbers::{Design, Numbers};
use trace::TraceTables;

pub use effects::Reserves;
pub use image::{HALF_PERIOD, feature_bits};
pub use numbers::FIXED;
pub use tables::{Access, SignalRow, signal_rows};

/// Name of arguments in memory among the optimisations.
pub const MEMORY_ARGUMENTS: &str = "memory-arguments";

/// The module and what the manifest must say about memory.
pub struct Emitted {
    pub module: Module,
    pub buffers: Buffers,
    pub reserves: Reserves,
    /// Most bytes of the change trace between two looks at whether there is room.
    pub trace_reserve: u32,
    pub rows: Vec<SignalRow>,
    /// Which artifacts a snapshot fits.
    pub layout_hash: u64,
    /// Signal id of each trigger's net, -1 where it has no name.
    pub trigger_signals: Vec<u32>,
}

/// What every emitted function needs to know.
pub(crate) struct Context<'a> {
    pub netlist: &'a Netlist,
    pub schedule: &'a Schedule,
    pub layout: &'a Layout,
    pub memory: MemoryId,
    pub helpers: Helpers,
    /// Scratch of wide values, given out on demand.
    pub wide: RefCell<FxHashMap<CellId, u32>>,
    pub scratch: RefCell<Cursor>,
    /// For each wide shift to the right, how many limbs of it are used.
    pub shifted: FxHashMap<CellId, usize>,
    /// Word that is not zero once a pass of settling changed something.
    pub changed_flag: u32,
    /// Functions of the parts, several in each, and of their late registers.
    pub parts: RefCell<Vec<FunctionId>>,
    pub commits: RefCell<Vec<FunctionId>>,
    /// Functions of the classes of supernodes.
    pub shared: RefCell<Vec<task::Function>>,
    /// Word that is not zero once a function of a class has written to a memory.
    pub shared_flag: u32,
    /// Word that is not zero once a memory has been written, where cycles that change nothing are skipped.
    pub wrote_flag: u32,
    pub layout_hash: u64,
    /// Signal id of each trigger's net, -1 where it has no name.
    pub trigger_signals: Vec<u32>,
    pub trace: Trace,
    /// Whether parameters that only pieces of a function use go through memory.
    pub args_in_memory: bool,
    /// Whether neighbouring registers that take their neighbours' values move together.
    pub moves: bool,
}

impl Context<'_> {
    /// The type of a narrow cell's value.
    pub fn ty(&self, cell: CellId) -> code::Ty {
        code::Ty::of(self.netlist.width(cell))
    }
}

/// Functions of the prelude that emitted code calls, by name.
#[derive(Clone)]
pub(crate) struct Helpers {
    by_name: FxHashMap<String, FunctionId>,
}

impl Helpers {
    pub fn get(&self, name: &str) -> FunctionId {
        self.by_name[name]
    }
}

/// Emits the module.
///
/// # Panics
/// On netlists that are not legal.
pub fn module(
    n: &Netlist,
    schedule: &Schedule,
    layout: &Layout,
    observed: &Observed,
    options: &Options,
) -> Emitted {
    let reserves = effects::reserves(n);
    let rows = signal_rows(n, layout, observed, options);
    let mut at = Cursor(layout.end);
    let tables = tables::place(&rows, &mut at);
    let layout_hash = tables::layout_hash(n, layout, &rows);
    let buffers = Buffers::place(
        &mut at,
        layout.scalars_len(),
        reserves.event,
        reserves.initial,
    );
    let design = Design {
        netlist: n,
        schedule,
        layout,
        options,
    };
    let [changed_flag, wrote_flag, shared_flag] = [(); 3].map(|()| at.take(4, 8));
    let trace = TraceTables::place(n, layout, &rows, options.trace, &mut at);
    let numbers = Numbers::new(
        &design, &tables, buffers, &reserves, wrote_flag, &trace, &mut at,
    );
    let scratch_start = at.0;
    // Scratch is given out while code is emitted, so memory is sized afterwards.
    let mut module = numbers.parse_prelude();
    let memory = module.get_memory_id().expect("the prelude has one memory");
    let helpers = take_helpers(&mut module);
    let context = Context {
        netlist: n,
        schedule,
        layout,
        memory,
        helpers,
        wide: RefCell::default(),
        scratch: RefCell::new(Cursor(scratch_start)),
        shifted: wide::limbs_of_shifts(n),
        changed_flag,
        parts: RefCell::default(),
        commits: RefCell::default(),
        shared: RefCell::default(),
        shared_flag,
        wrote_flag,
        layout_hash,
        trigger_signals: tables::trigger_signals(n, layout, &rows),
        trace: options.trace,
        args_in_memory: options.runs(MEMORY_ARGUMENTS, OptLevel::O1),
        moves: options.runs(MOVES, OptLevel::O1),
    };
    emit_tasks(&mut module, &context);
    let end = context.scratch.borrow().0;
    let bytes = numbers.memory_bytes.max(end);
    let pages = bytes.div_ceil(65536);
    let memory_mut = module.memories.get_mut(memory);
    memory_mut.initial = pages;
    memory_mut.maximum = Some(pages);
    image::emit(&mut module, &context, options);
    image::emit_constants(&mut module, &context, &tables, &rows, buffers, &trace);
    trace.emit(&mut module, memory);
    Emitted {
        module,
        buffers,
        reserves,
        rows,
        layout_hash,
        trigger_signals: context.trigger_signals,
        trace_reserve: trace.reserve,
    }
}

fn take_helpers(module: &mut Module) -> Helpers {
    let mut by_name = FxHashMap::default();
    let exports: Vec<_> = module
        .exports
        .iter()
        .filter(|e| e.name.starts_with("gen_"))
        .map(|e| (e.id(), e.name["gen_".len()..].to_string(), e.item))
        .collect();
    for (id, name, item) in exports {
        if let walrus::ExportItem::Function(f) = item {
            by_name.insert(name, f);
        }
        module.exports.delete(id);
    }
    Helpers { by_name }
}

/// Replaces the import `gen.<name>` by a function with that body.
pub(crate) fn define(
    module: &mut Module,
    name: &str,
    build: impl FnOnce(&mut walrus::FunctionBuilder, &[LocalId], &mut walrus::ModuleLocals),
) {
    let import = module
        .imports
        .get_func("gen", name)
        .expect("the prelude imports it");
    let ty = module.types.get(module.funcs.get(import).ty());
    let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
    let args: Vec<LocalId> = params.iter().map(|p| module.locals.add(*p)).collect();
    let mut builder = walrus::FunctionBuilder::new(&mut module.types, &params, &results);
    build(&mut builder, &args, &mut module.locals);
    let function = builder.local_func(args);
    let import_id = module
        .imports
        .iter()
        .find(|i| i.module == "gen" && i.name == name)
        .expect("found above")
        .id();
    module.imports.delete(import_id);
    let slot = module.funcs.get_mut(import);
    slot.kind = walrus::FunctionKind::Local(function);
    slot.name = Some(name.to_string());
}

fn emit_tasks(module: &mut Module, context: &Context) {
    let mut edges: Vec<(ClockEdge, FunctionId)> = Vec::new();
    let mut computes: Vec<FunctionId> = Vec::new();
    let mut effects: Vec<FunctionId> = Vec::new();
    let mut parts: Vec<&Task> = Vec::new();
    for task in &context.schedule.tasks {
        match task.kind {
            TaskKind::Settle => task::emit_import(module, context, task, "settle_pass"),
            TaskKind::Last => task::emit_import(module, context, task, "last"),
            TaskKind::Changes => task::emit_import(module, context, task, "changes"),
            TaskKind::Carry => task::emit_import(module, context, task, "carry"),
            TaskKind::Initial => task::emit_import(module, context, task, "initial"),
            TaskKind::Renew => task::emit_import(module, context, task, "renew"),
            TaskKind::Outline => task::emit_import(module, context, task, "outline"),
            TaskKind::Shared(_) => {
                let function = task::emit_function(module, context, task);
                context.shared.borrow_mut().push(function);
            }
            TaskKind::Part(..) => parts.push(task),
            TaskKind::Edge(edge) => {
                parts::emit(module, context, &parts);
                edges.push((edge, task::emit_function(module, context, task).id));
            }
            TaskKind::Compute(_) => computes.push(task::emit_function(module, context, task).id),
            TaskKind::Effects(_) => effects.push(task::emit_function(module, context, task).id),
        }
    }
    if context.netlist.hidden.is_empty() {
        define(module, "renew", |_, _, _| {});
    }
    if context.schedule.domains.model == TimingModel::Static {
        for name in ["changes", "carry"] {
            define(module, name, |_, _, _| {});
        }
    }
    wave::emit_clock_dispatch(module, context, &edges);
    released::emit(module, context, &edges);
    wave::emit_wave(module, context, &edges, &computes, &effects);
}

/// A memory operand at a fixed address, aligned to its size.
pub(crate) fn fixed(offset: u32, size: u32) -> MemArg {
    MemArg {
        align: size,
        offset: offset.into(),
    }
}
