//! The numbers that the prelude leaves open: addresses, sizes and what a design makes use of, written `@LIKE_THIS@`.

use rtlwasm_abi::{ABI_VERSION, layout as abi};
use walrus::Module;

use super::effects::Reserves;
use super::tables::Tables;
use super::trace::TraceTables;
use crate::ir::*;
use crate::layout::{Buffers, Cursor, Layout, WATCH_MAX};
use crate::options::{ClockOrder, Options, Trace};
use crate::sched::sinks::needs_shadow;
use crate::sched::{Schedule, TaskKind, TimingModel};

/// Widest value in bits that the scratch areas of wide arithmetic hold is found from the netlist; this
/// is the least.
const MIN_WIDE_BITS: u32 = 128;

/// The parts of every artifact that are the same for all designs, as text with signs for numbers.
pub const FIXED: [&str; 4] = [
    include_str!("prelude.wat"),
    include_str!("watch.wat"),
    include_str!("trace.wat"),
    include_str!("wide.wat"),
];

/// The same as bytes, and where in them numbers are open: `build.rs` makes both.
const PRELUDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prelude.wasm"));
const HOLES: &[(usize, &str, Form)] = &include!(concat!(env!("OUT_DIR"), "/holes.rs"));

/// How an open number is encoded: LEB128 that takes all the bytes it may take.
enum Form {
    Signed,
    Unsigned,
    Long,
}

impl Form {
    /// Writes a number in the place of another.
    fn write(&self, bytes: &mut [u8], value: u64) {
        let (mut rest, len) = match self {
            Form::Signed => (i64::from(value as i32), 5),
            Form::Unsigned => (i64::from(value as u32), 5),
            Form::Long => (value as i64, 10),
        };
        for (i, byte) in bytes[..len].iter_mut().enumerate() {
            *byte = (rest & 0x7f) as u8 | if i + 1 < len { 0x80 } else { 0 };
            rest >>= 7;
        }
    }
}

/// What a module is made from.
pub(super) struct Design<'a> {
    pub netlist: &'a Netlist,
    pub schedule: &'a Schedule,
    pub layout: &'a Layout,
    pub options: &'a Options,
}

/// The numbers of the prelude's `@signs@`.
pub(super) struct Numbers {
    values: Vec<(&'static str, u64)>,
    /// Where memory ends that is known before code is emitted.
    pub memory_bytes: u64,
}

impl Numbers {
    pub fn new(
        design: &Design,
        tables: &Tables,
        buffers: Buffers,
        reserves: &Reserves,
        wrote_flag: u32,
        trace: &TraceTables,
        at: &mut Cursor,
    ) -> Numbers {
        let mut values = fields(design.layout);
        values.extend(clocks(design));
        values.extend(features(design, reserves));
        values.extend(events(buffers, reserves));
        values.extend(watches(design.layout, buffers));
        values.extend(traces(design.layout, trace));
        let rings = reserves.event > 0 || design.options.trace == Trace::On;
        values.push(("RINGS", rings.into()));
        values.extend([
            ("SIGNALS", tables.signals.into()),
            ("SIGNAL_BASE", tables.signal_base.into()),
            ("PART_BASE", tables.part_base.into()),
            ("OUTLINES", u64::from(tables.outlines)),
        ]);
        let (sleep, parts) = (&design.layout.sleep, &design.layout.parts);
        values.extend([
            ("ASLEEP", sleep.asleep.into()),
            ("ASLEEP_BYTES", 8 * u64::from(sleep.words)),
            ("SLEEP_COUNTER", sleep.counter.into()),
            ("SLEEP_VAIN", sleep.vain.into()),
            ("SLEEP_LOOKS", design.schedule.gating.every - 1),
            ("AWAKE", parts.awake.into()),
            ("AWAKE_BYTES", 4 * design.schedule.parts.parts.len() as u64),
            ("WROTE", wrote_flag.into()),
            ("LOOK_FIRST", design.schedule.gating.first_look),
            ("LOOK_LEAST", design.schedule.gating.least_look),
        ]);
        values.extend(scratch(design, at));
        let memory_bytes = at.0;
        let host_end = u64::from(buffers.host_base) + u64::from(buffers.host_len);
        values.extend([("MEMORY_BYTES", host_end), ("PAGES", 1)]);
        Numbers {
            values,
            memory_bytes,
        }
    }

    pub fn parse_prelude(&self) -> Module {
        let mut wasm = PRELUDE.to_vec();
        for (at, name, form) in HOLES {
            let value = self.values.iter().find(|(known, _)| known == name);
            let (_, value) = value.unwrap_or_else(|| panic!("nobody says what @{name}@ is"));
            form.write(&mut wasm[*at..], *value);
        }
        let mut config = walrus::ModuleConfig::new();
        config
            .generate_producers_section(false)
            .generate_name_section(true);
        config
            .parse(&wasm)
            .unwrap_or_else(|e| panic!("prelude: {e}"))
    }
}

type Values = Vec<(&'static str, u64)>;

/// Fields of the control block and of the state.
fn fields(layout: &Layout) -> Values {
    let control = |field: u32| u64::from(abi::CONTROL_BASE + field);
    let state = |field: u32| u64::from(layout.state_base + field);
    let last_word = u64::from(layout.state_base) + layout.state_len - 8;
    vec![
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
        ("TOLD", state(abi::state::TOLD)),
        ("STAGE_BASE", control(abi::control::STAGE_BASE)),
        ("STAGE_LEN", control(abi::control::STAGE_LEN)),
        ("WATCH_COUNT", control(abi::control::WATCH_COUNT)),
        ("NETS_BASE", layout.published.0.into()),
        ("NETS_END", (layout.published.0 + layout.published.1).into()),
        ("QUIET_BASE", layout.quiet.0.into()),
        ("QUIET_BYTES", layout.quiet.1.into()),
        ("STATE_BASE", layout.state_base.into()),
        ("STATE_LAST_WORD", last_word),
    ]
}

fn clocks(design: &Design) -> Values {
    let (n, layout) = (design.netlist, design.layout);
    let role = |wanted| n.triggers.values().filter(|t| t.role == wanted).count() as u64;
    let triggers = layout.rows.len() as u64;
    vec![
        ("TRIGGER_BASE", layout.trigger_base.into()),
        ("TRIGGERS", triggers),
        ("TRIGGER_BYTES", trigger_bytes(layout)),
        ("PRIMARY", role(TriggerRole::PrimaryClock)),
        ("CLOCKS", triggers - role(TriggerRole::AsyncLoad)),
        ("EDGE_MASK", edge_mask(n, layout)),
    ]
}

fn trigger_bytes(layout: &Layout) -> u64 {
    layout.rows.len() as u64 * u64::from(abi::trigger::LEN)
}

/// What of the time loop this design needs, as 0 and 1.
fn features(design: &Design, reserves: &Reserves) -> Values {
    let (n, domains) = (design.netlist, &design.schedule.domains);
    let general = domains.model == TimingModel::General;
    let carry = general && design.options.clock_order == ClockOrder::Verilog;
    let loads = n.registers.values().any(|r| r.load.is_some());
    let latches = !n.latches.is_empty();
    let falls = (design.schedule.tasks.iter())
        .any(|t| matches!(t.kind, TaskKind::Edge(e) if e.edge == Edge::Fall));
    let events = reserves.event > 0;
    let settle_each = general || needs_shadow(domains) && latches;
    vec![
        ("GENERAL", general.into()),
        ("CARRY", carry.into()),
        ("EVENTS", events.into()),
        ("RANDOM", u64::from(!n.randoms.is_empty())),
        ("LAST", u64::from(n.effects.iter().any(|e| e.last))),
        ("SETTLE_FIRST", u64::from(general || loads || latches)),
        ("SETTLE_EACH", settle_each.into()),
        ("QUIET", design.schedule.skips.into()),
        ("FALLS", falls.into()),
        ("FALL_EVENTS", u64::from(falls && events)),
    ]
}

fn events(buffers: Buffers, reserves: &Reserves) -> Values {
    let base = u64::from(buffers.event_base);
    vec![
        ("EVENT_RESERVE_TWICE", u64::from(reserves.event.max(1)) * 2),
        ("EVENT_BASE", base),
        ("EVENT_BASE_SITE", base + 4),
        ("EVENT_SIZE", buffers.event_size.into()),
        ("EVENT_LAST", u64::from(buffers.event_size) - 1),
        ("EVENT_RESERVE", reserves.event.into()),
    ]
}

fn traces(layout: &Layout, trace: &TraceTables) -> Values {
    let control = |field: u32| u64::from(abi::CONTROL_BASE + field);
    let base = u64::from(trace.ring_base);
    vec![
        ("TRACE", (trace.ring_size > 0).into()),
        ("TRACE_ON", control(abi::control::TRACE_ON)),
        ("TRACE_HEAD", control(abi::control::TRACE_HEAD)),
        ("TRACE_TAIL", control(abi::control::TRACE_TAIL)),
        ("TRACE_BASE", base),
        ("TRACE_BASE_WORD", base + u64::from(abi::trace::WORD)),
        ("TRACE_BASE_VALUE", base + u64::from(abi::trace::VALUE)),
        ("TRACE_SIZE", trace.ring_size.into()),
        ("TRACE_LAST", trace.ring_size.saturating_sub(1).into()),
        ("TRACE_RESERVE", trace.reserve.into()),
        ("TRACE_ENTRIES", trace.entries.len() as u64),
        ("TRACE_INDEX", trace.index_base.into()),
        ("TRACE_INDEX_NEXT", u64::from(trace.index_base) + 4),
        ("TRACE_TABLE", trace.table_base.into()),
        ("TRACE_TABLE_WORD", u64::from(trace.table_base) + 4),
        ("TRACE_MEMORIES", trace.memory_base.into()),
        ("TRACE_MEMORIES_END", trace.memory_end().into()),
        ("TRACED", trace.told.into()),
        ("TRACE_TIME", trace.time.into()),
        ("TRACE_COPY", trace.copy_base.into()),
        (
            "TRACE_DELTA",
            trace.copy_base.saturating_sub(layout.state_base).into(),
        ),
    ]
}

fn watches(layout: &Layout, buffers: Buffers) -> Values {
    vec![
        ("WATCH_BASE", buffers.watch_base.into()),
        ("WATCH_MAX", WATCH_MAX.into()),
        ("BEFORE_BASE", buffers.before_base.into()),
        ("SCALARS_BYTES", layout.scalars_len().into()),
    ]
}

/// Places that the prelude alone writes to.
fn scratch(design: &Design, at: &mut Cursor) -> Values {
    let widths = design.netlist.cells.values().map(|c| c.width);
    let widest = widths.max().unwrap_or(0).max(MIN_WIDE_BITS);
    let wide_bytes = 8 * crate::bits::limb_count(widest) as u64;
    let quiet_copy = u64::from(design.layout.quiet.1) * u64::from(design.schedule.skips);
    let sizes = [
        ("PENDING", 8),
        ("WATCHING", 8),
        ("QUIET_HEAD", 8),
        ("QUIET_COPY", quiet_copy),
        ("SAVE", 8),
        ("SAVE_ROWS", trigger_bytes(design.layout)),
        ("WIDE_1", wide_bytes),
        ("WIDE_2", wide_bytes),
        ("WIDE_3", wide_bytes),
    ];
    sizes
        .map(|(name, size)| (name, at.take(size, 8).into()))
        .to_vec()
}

/// Triggers that `rtl_edges` may move: those that are inputs, among the first 64.
fn edge_mask(n: &Netlist, layout: &Layout) -> u64 {
    let movable = |t: &TriggerId| crate::sched::sinks::level_input(n, *t).is_some();
    let rows = layout.rows.iter().take(64).enumerate();
    rows.filter(|(_, t)| movable(t))
        .map(|(row, _)| 1u64 << row)
        .sum()
}
