//! To WebAssembly: a legal netlist, its schedule and its layout become one `walrus::Module`.
//!
//! `prelude.wat` and `wide.wat` hold what does not depend on the design; they import the design's own
//! functions from "gen", and those imports are replaced by what [`task`] and [`state`] emit. All
//! baseline WebAssembly: MVP, bulk memory, sign extension. Function sizes are bounded by [`split`].

mod any;
mod code;
mod effects;
mod gather;
mod image;
mod inline;
mod narrow;
mod plan;
mod state;
mod tables;
mod task;
mod wide;

use std::cell::RefCell;

use rtlwasm_abi::{ABI_VERSION, layout as abi};
use rustc_hash::FxHashMap;
use walrus::ir::MemArg;
use walrus::{FunctionId, LocalId, MemoryId, Module};

use crate::ir::*;
use crate::layout::{Buffers, Cursor, Layout};
use crate::options::{ClockOrder, Options};
use crate::sched::observe::Observed;
use crate::sched::sinks::needs_shadow;
use crate::sched::{Schedule, TaskKind, TimingModel};

pub use effects::Reserves;
pub use image::{HALF_PERIOD, feature_bits};
pub use tables::{Access, SignalRow, signal_rows};

/// Widest value in bits that the scratch areas of wide arithmetic hold is found from the netlist; this
/// is the least.
const MIN_WIDE_BITS: u32 = 128;

/// The module and what the manifest must say about memory.
pub struct Emitted {
    pub module: Module,
    pub buffers: Buffers,
    pub reserves: Reserves,
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
    /// Word that is not zero once a pass of settling changed something.
    pub changed_flag: u32,
    pub layout_hash: u64,
    /// Signal id of each trigger's net, -1 where it has no name.
    pub trigger_signals: Vec<u32>,
}

/// Functions of the prelude that emitted code calls, by name.
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
    let buffers = Buffers::place(&mut at, reserves.event, reserves.initial);
    let numbers = Numbers::new(
        n, schedule, layout, options, &mut at, &tables, buffers, &reserves,
    );
    let changed_flag = at.take(4, 8);
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
        changed_flag,
        layout_hash,
        trigger_signals: tables::trigger_signals(n, layout, &rows),
    };
    emit_tasks(&mut module, &context);
    let end = context.scratch.borrow().0;
    let bytes = numbers.memory_bytes.max(end);
    let pages = bytes.div_ceil(65536);
    let memory_mut = module.memories.get_mut(memory);
    memory_mut.initial = pages;
    memory_mut.maximum = Some(pages);
    image::emit(&mut module, &context, options);
    image::emit_constants(&mut module, &context, &tables, &rows, buffers);
    Emitted {
        module,
        buffers,
        reserves,
        rows,
        layout_hash,
        trigger_signals: context.trigger_signals,
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
    for task in &context.schedule.tasks {
        match task.kind {
            TaskKind::Settle => task::emit_import(module, context, task, "settle_pass"),
            TaskKind::Last => task::emit_import(module, context, task, "last"),
            TaskKind::Changes => task::emit_import(module, context, task, "changes"),
            TaskKind::Carry => task::emit_import(module, context, task, "carry"),
            TaskKind::Initial => task::emit_import(module, context, task, "initial"),
            TaskKind::Outline => task::emit_import(module, context, task, "outline"),
            TaskKind::Edge(edge) => edges.push((edge, task::emit_function(module, context, task))),
            TaskKind::Compute(_) => computes.push(task::emit_function(module, context, task)),
            TaskKind::Effects(_) => effects.push(task::emit_function(module, context, task)),
        }
    }
    if context.schedule.domains.model == TimingModel::Static {
        for name in ["changes", "carry"] {
            define(module, name, |_, _, _| {});
        }
    }
    state::emit_clock_dispatch(module, context, &edges);
    state::emit_wave(module, context, &edges, &computes, &effects);
}

/// The numbers of the prelude's `@signs@`.
struct Numbers {
    values: Vec<(&'static str, u64)>,
    memory_bytes: u64,
}

impl Numbers {
    #[allow(clippy::too_many_arguments)]
    fn new(
        n: &Netlist,
        schedule: &Schedule,
        layout: &Layout,
        options: &Options,
        at: &mut Cursor,
        tables: &tables::Tables,
        buffers: Buffers,
        reserves: &Reserves,
    ) -> Numbers {
        let general = schedule.domains.model == TimingModel::General;
        let role =
            |wanted: TriggerRole| n.triggers.values().filter(|t| t.role == wanted).count() as u64;
        let loads = n.registers.values().any(|r| r.load.is_some());
        let triggers = layout.rows.len() as u64;
        let trigger_bytes = triggers * u64::from(abi::trigger::LEN);
        let widest = n
            .cells
            .values()
            .map(|c| c.width)
            .max()
            .unwrap_or(0)
            .max(MIN_WIDE_BITS);
        let wide_bytes = 8 * crate::bits::limb_count(widest) as u64;
        let control = |field: u32| u64::from(abi::CONTROL_BASE + field);
        let state = |field: u32| u64::from(layout.state_base + field);
        let falls = schedule
            .tasks
            .iter()
            .any(|t| matches!(t.kind, TaskKind::Edge(e) if e.edge == Edge::Fall));
        let mut values = vec![
            ("ABI", ABI_VERSION.into()),
            ("STATUS", control(abi::control::STATUS)),
            ("STOP_SITE", control(abi::control::STOP_SITE)),
            ("DONE", control(abi::control::DONE)),
            ("DIRTY", control(abi::control::DIRTY)),
            ("PLAY_POS", control(abi::control::PLAY_POS)),
            ("EVENT_HEAD", control(abi::control::EVENT_HEAD)),
            ("EVENT_TAIL", control(abi::control::EVENT_TAIL)),
            ("TIME", state(abi::state::TIME)),
            ("SEED", state(abi::state::SEED)),
            ("PRNG", state(abi::state::PRNG)),
            ("PHASE", state(abi::state::PHASE)),
            ("CUT", state(abi::state::CUT)),
            ("BEHIND", state(abi::state::BEHIND)),
            ("STATE_BASE", layout.state_base.into()),
            (
                "STATE_LAST_WORD",
                u64::from(layout.state_base) + layout.state_len - 8,
            ),
            ("TRIGGER_BASE", layout.trigger_base.into()),
            ("TRIGGERS", triggers),
            ("TRIGGER_BYTES", trigger_bytes),
            ("PRIMARY", role(TriggerRole::PrimaryClock)),
            ("CLOCKS", triggers - role(TriggerRole::AsyncLoad)),
            ("EDGE_MASK", edge_mask(n, layout)),
            ("GENERAL", general.into()),
            (
                "CARRY",
                u64::from(general && options.clock_order == ClockOrder::Verilog),
            ),
            ("EVENTS", u64::from(reserves.event > 0)),
            ("RANDOM", u64::from(!n.randoms.is_empty())),
            ("LAST", u64::from(n.effects.iter().any(|e| e.last))),
            (
                "SETTLE_FIRST",
                u64::from(general || loads || !n.latches.is_empty()),
            ),
            (
                "SETTLE_EACH",
                u64::from(general || needs_shadow(&schedule.domains) && !n.latches.is_empty()),
            ),
            ("FALLS", falls.into()),
            ("FALL_EVENTS", u64::from(falls && reserves.event > 0)),
            ("EVENT_RESERVE_TWICE", u64::from(reserves.event.max(1)) * 2),
            ("EVENT_BASE", buffers.event_base.into()),
            ("EVENT_BASE_SITE", u64::from(buffers.event_base) + 4),
            ("EVENT_SIZE", buffers.event_size.into()),
            ("EVENT_LAST", u64::from(buffers.event_size) - 1),
            ("EVENT_RESERVE", reserves.event.into()),
            ("SIGNALS", tables.signals.into()),
            ("SIGNAL_BASE", tables.signal_base.into()),
            ("PART_BASE", tables.part_base.into()),
            ("OUTLINES", u64::from(tables.outlines)),
        ];
        values.extend([
            ("PENDING", at.take(8, 8).into()),
            ("SAVE", at.take(8, 8).into()),
            ("SAVE_ROWS", at.take(trigger_bytes, 8).into()),
        ]);
        for name in ["WIDE_1", "WIDE_2", "WIDE_3"] {
            values.push((name, at.take(wide_bytes, 8).into()));
        }
        let memory_bytes = at.0;
        values.extend([
            (
                "MEMORY_BYTES",
                u64::from(buffers.host_base) + u64::from(buffers.host_len),
            ),
            ("PAGES", 1),
        ]);
        // Longest names first, so that none is taken for the beginning of another.
        values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Numbers {
            values,
            memory_bytes,
        }
    }

    fn parse_prelude(&self) -> Module {
        let mut text = [include_str!("prelude.wat"), include_str!("wide.wat")].concat();
        for (name, value) in &self.values {
            text = text.replace(&format!("@{name}@"), &(*value as i64).to_string());
        }
        let wasm = wat::parse_str(&text).unwrap_or_else(|e| panic!("prelude: {e}"));
        let mut config = walrus::ModuleConfig::new();
        config
            .generate_producers_section(false)
            .generate_name_section(true);
        config
            .parse(&wasm)
            .unwrap_or_else(|e| panic!("prelude: {e}"))
    }
}

/// Triggers that `rtl_edges` may move: those that are inputs, among the first 64.
fn edge_mask(n: &Netlist, layout: &Layout) -> u64 {
    let movable = |t: &TriggerId| crate::sched::sinks::level_input(n, *t).is_some();
    let rows = layout.rows.iter().take(64).enumerate();
    rows.filter(|(_, t)| movable(t))
        .map(|(row, _)| 1u64 << row)
        .sum()
}

/// A memory operand at a fixed address, aligned to its size.
pub(crate) fn fixed(offset: u32, size: u32) -> MemArg {
    MemArg {
        align: size,
        offset: offset.into(),
    }
}
