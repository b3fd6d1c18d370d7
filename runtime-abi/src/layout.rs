//! The memory map: byte offsets of every field that both sides touch. All little-endian.

/// Where the control block lies in linear memory.
pub const CONTROL_BASE: u32 = 1024;
/// Its length in bytes.
pub const CONTROL_LEN: u32 = 192;
/// `rtlw`, the first four bytes of the control block.
pub const MAGIC: [u8; 4] = *b"rtlw";

/// One field of a record in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of its record.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    pub name: &'static str,
    /// The host writes it.
    pub host: bool,
    pub meaning: &'static str,
}

const fn field(
    offset: u32,
    size: u32,
    name: &'static str,
    host: bool,
    meaning: &'static str,
) -> Field {
    Field {
        offset,
        size,
        name,
        host,
        meaning,
    }
}

/// Offsets within the control block.
pub mod control {
    use super::{Field, field};

    pub const MAGIC: u32 = 0;
    pub const ABI: u32 = 4;
    pub const FEATURES: u32 = 8;
    pub const STATE_BASE: u32 = 16;
    pub const STATE_LEN: u32 = 24;
    pub const TRIGGER_BASE: u32 = 32;
    pub const TRIGGER_COUNT: u32 = 36;
    pub const HOST_BASE: u32 = 40;
    pub const HOST_LEN: u32 = 44;
    pub const EVENT_BASE: u32 = 48;
    pub const EVENT_SIZE: u32 = 52;
    pub const EVENT_HEAD: u32 = 56;
    pub const EVENT_TAIL: u32 = 60;
    pub const TRACE_BASE: u32 = 64;
    pub const TRACE_SIZE: u32 = 68;
    pub const TRACE_HEAD: u32 = 72;
    pub const TRACE_TAIL: u32 = 76;
    pub const TRACE_ON: u32 = 80;
    pub const DIRTY: u32 = 84;
    pub const STATUS: u32 = 88;
    pub const STOP_SITE: u32 = 92;
    pub const DONE: u32 = 96;
    pub const PLAY_POS: u32 = 104;
    pub const STAGE_BASE: u32 = 108;
    pub const STAGE_LEN: u32 = 112;
    pub const WATCH_BASE: u32 = 116;
    pub const WATCH_MAX: u32 = 120;
    pub const WATCH_COUNT: u32 = 124;
    pub const BEFORE_DELTA: u32 = 128;
    pub const INTERRUPT: u32 = 132;
    pub const LANE: u32 = 136;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(MAGIC, 4, "magic", false, "`rtlw`"),
        field(ABI, 4, "abi", false, "major << 16 | minor"),
        field(FEATURES, 8, "features", false, "feature bits"),
        field(STATE_BASE, 8, "state_base", false, "start of the state region"),
        field(STATE_LEN, 8, "state_len", false, "its bytes"),
        field(TRIGGER_BASE, 4, "trigger_base", false, "start of the trigger table"),
        field(TRIGGER_COUNT, 4, "trigger_count", false, "its rows"),
        field(HOST_BASE, 4, "host_base", false, "memory that the module never touches"),
        field(HOST_LEN, 4, "host_len", false, "its bytes"),
        field(EVENT_BASE, 4, "event_base", false, "start of the event ring"),
        field(EVENT_SIZE, 4, "event_size", false, "its bytes, a power of two"),
        field(EVENT_HEAD, 4, "event_head", false, "bytes written, modulo 2^32"),
        field(EVENT_TAIL, 4, "event_tail", true, "bytes read, modulo 2^32"),
        field(TRACE_BASE, 4, "trace_base", false, "start of the trace ring (feature `trace`)"),
        field(TRACE_SIZE, 4, "trace_size", false, "its bytes, a power of two"),
        field(TRACE_HEAD, 4, "trace_head", false, "bytes written, modulo 2^32"),
        field(TRACE_TAIL, 4, "trace_tail", true, "bytes read, modulo 2^32"),
        field(TRACE_ON, 4, "trace_on", true, "1: write the change trace"),
        field(DIRTY, 4, "dirty", true, "1: something but an input or a trigger level was written directly"),
        field(STATUS, 4, "status", false, "answer of the last call"),
        field(STOP_SITE, 4, "stop_site", false, "event site that gave the status, -1: none"),
        field(DONE, 8, "done", false, "cycles ended in the last call"),
        field(PLAY_POS, 4, "play_pos", false, "record at which `rtl_play` stopped"),
        field(STAGE_BASE, 4, "stage_base", true, "address of staged pokes"),
        field(STAGE_LEN, 4, "stage_len", true, "their bytes; the module clears it"),
        field(WATCH_BASE, 4, "watch_base", false, "start of the watch table"),
        field(WATCH_MAX, 4, "watch_max", false, "its rows"),
        field(WATCH_COUNT, 4, "watch_count", true, "rows in use"),
        field(BEFORE_DELTA, 4, "before_delta", false, "distance from a scalar to its value before the wave"),
        field(INTERRUPT, 4, "interrupt", true, "1: stop soon (feature `shared`)"),
        field(LANE, 4, "lane", true, "which of many instances; for hosts"),
    ];
}

/// Offsets within the state header, at `state_base`.
pub mod state {
    use super::{Field, field};

    pub const LAYOUT_HASH: u32 = 0;
    pub const TIME: u32 = 8;
    pub const SEED: u32 = 16;
    pub const PRNG: u32 = 24;
    pub const PHASE: u32 = 32;
    pub const CUT: u32 = 36;
    pub const BEHIND: u32 = 40;
    pub const TOLD: u32 = 48;
    /// Bytes of the header.
    pub const HEADER_LEN: u32 = 64;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(LAYOUT_HASH, 8, "layout_hash", false, "which artifacts a snapshot fits"),
        field(TIME, 8, "time", true, "in units of 10^`time_unit` s"),
        field(SEED, 8, "seed", true, "seed of random values; kept by `rtl_reset`"),
        field(PRNG, 8, "prng", false, "state of the random generator"),
        field(PHASE, 4, "phase", true, "1: edges are pending; a call has stopped before them, or the host stages writes for them"),
        field(CUT, 4, "cut", false, "clock + 1 of a cycle that a full ring or a watch cut; bit 31: in its fall"),
        field(BEHIND, 8, "behind", false, "time that passes when those are done"),
        field(TOLD, 4, "told", true, "1: watches have been looked at for the pending edges"),
    ];
}

/// Offsets within a row of the trigger table.
pub mod trigger {
    use super::{Field, field};

    pub const NEXT: u32 = 0;
    pub const HIGH: u32 = 8;
    pub const LOW: u32 = 16;
    pub const PHASE: u32 = 24;
    pub const CYCLES: u32 = 32;
    pub const LEVEL: u32 = 40;
    pub const PREV: u32 = 41;
    pub const RUN: u32 = 42;
    pub const SIGNAL: u32 = 44;
    /// Bytes of a row.
    pub const LEN: u32 = 48;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(NEXT, 8, "next", true, "time of the next flip of a running clock"),
        field(HIGH, 8, "high", true, "time it stays high"),
        field(LOW, 8, "low", true, "time it stays low"),
        field(PHASE, 8, "phase", true, "time of the first flip after reset"),
        field(CYCLES, 8, "cycles", false, "rises so far"),
        field(LEVEL, 1, "level", false, "the net's own slot; the host writes those of inputs"),
        field(PREV, 1, "prev", false, "the level that registers have acted on"),
        field(RUN, 1, "run", true, "1: `rtl_advance` flips it"),
        field(SIGNAL, 4, "signal", false, "signal id, -1: none"),
    ];
}

/// Offsets within an event record; arguments follow in whole limbs.
pub mod event {
    use super::{Field, field};

    pub const BYTES: u32 = 0;
    pub const SITE: u32 = 4;
    pub const TIME: u32 = 8;
    pub const ARGS: u32 = 16;
    /// Site of a filler record at the end of the ring.
    pub const FILLER: u32 = u32::MAX;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(BYTES, 4, "bytes", false, "of the whole record, a multiple of 8"),
        field(SITE, 4, "site", false, "row of the manifest's `events`; -1: filler"),
        field(TIME, 8, "time", false, "when it happened"),
    ];
}

/// Offsets within a play record, and its operations.
pub mod play {
    use super::{Field, field};

    pub const OP: u32 = 0;
    pub const ID: u32 = 4;
    pub const WORD: u32 = 8;
    pub const STATUS: u32 = 12;
    pub const VALUE: u32 = 16;
    pub const MASK: u32 = 24;
    /// Bytes of a record.
    pub const LEN: u32 = 32;

    pub const OP_POKE: u32 = 1;
    pub const OP_PEEK: u32 = 2;
    pub const OP_EVAL: u32 = 3;
    pub const OP_STEP: u32 = 4;
    pub const OP_EDGES: u32 = 5;
    pub const OP_ADVANCE: u32 = 6;
    pub const OP_EXPECT: u32 = 7;
    /// Two records; the second has the condition.
    pub const OP_UNTIL: u32 = 8;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(OP, 4, "op", true, "1 poke, 2 peek, 3 eval, 4 step, 5 edges, 6 advance, 7 expect, 8 until"),
        field(ID, 4, "id", true, "signal, or clock for step and until"),
        field(WORD, 4, "word", true, "limb, or row * limbs + limb; until: offset"),
        field(STATUS, 4, "status", false, "answer of this record"),
        field(VALUE, 8, "value", true, "operand or answer"),
        field(MASK, 8, "mask", true, "which bits count; step, until: cycles done"),
    ];
}

/// Offsets within a record of the change trace.
pub mod trace {
    use super::{Field, field};

    pub const ID: u32 = 0;
    pub const WORD: u32 = 4;
    pub const VALUE: u32 = 8;
    /// Bytes of a record.
    pub const LEN: u32 = 16;
    /// The id of records whose value is the time of those that follow.
    pub const TIME: u32 = u32::MAX;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(ID, 4, "id", false, "signal; -1: `value` is the time of the records that follow"),
        field(WORD, 4, "word", false, "limb, or row * limbs + limb"),
        field(VALUE, 8, "value", false, "the word, zero-extended"),
    ];
}

/// Offsets within a watch, its kinds and its flags.
pub mod watch {
    use super::{Field, field};

    pub const ID: u32 = 0;
    pub const WORD: u32 = 4;
    pub const KIND: u32 = 8;
    pub const FLAGS: u32 = 10;
    pub const LEFT: u32 = 12;
    pub const MASK: u32 = 16;
    pub const VALUE: u32 = 24;
    /// Bytes of a watch.
    pub const LEN: u32 = 32;

    pub const KIND_CHANGED: u16 = 1;
    pub const KIND_ROSE: u16 = 2;
    pub const KIND_FELL: u16 = 3;
    pub const KIND_EQUALS: u16 = 4;
    pub const KIND_DIFFERS: u16 = 5;

    /// Stop once the instant is complete.
    pub const FLAG_AFTER: u16 = 1;
    /// Copy the scalars at the hit.
    pub const FLAG_COPY: u16 = 2;
    /// Set `left` to 1 again after the hit that stops.
    pub const FLAG_AGAIN: u16 = 4;
    /// No watch, but a condition of the one behind it.
    pub const FLAG_CONDITION: u16 = 8;
    /// A script goes on behind the record that this watch stops.
    pub const FLAG_GO_ON: u16 = 16;
    /// The module: this watch has stopped the call.
    pub const FLAG_HIT: u16 = 256;

    /// Every field, in order.
    #[rustfmt::skip]
    pub const FIELDS: &[Field] = &[
        field(ID, 4, "id", true, "signal"),
        field(WORD, 4, "word", true, "limb, or row * limbs + limb"),
        field(KIND, 2, "kind", true, "1 changed, 2 rose, 3 fell, 4 equals, 5 differs"),
        field(FLAGS, 2, "flags", true, "1 after the instant, 2 copy, 4 again, 8 a condition, 16 go on; from 256 up the module's"),
        field(LEFT, 4, "left", true, "hits until the call stops; 0: off"),
        field(MASK, 8, "mask", true, "which bits count"),
        field(VALUE, 8, "value", true, "kinds 4, 5: what they are to be, or not to be; else the module's"),
    ];
}
