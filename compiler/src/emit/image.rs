//! Memory as it is at instantiation and after reset.

use rtlwasm_abi::layout::{CONTROL_BASE, CONTROL_LEN, MAGIC, control, state, trigger};
use rtlwasm_abi::{ABI_VERSION, FEATURES};
use walrus::ir::BinaryOp::*;
use walrus::ir::{MemoryFill, MemoryInit as InitInstr};
use walrus::{DataKind, Module};

use super::code::{Code, Ty};
use super::tables::{SignalRow, Tables, add_data, emit as emit_tables};
use super::trace::TraceTables;
use super::{Context, define};
use crate::bits::{Bits, limb_count};
use crate::ir::interp::GOLDEN;
use crate::ir::*;
use crate::layout::{Buffers, Slot, WATCH_MAX};
use crate::options::{Options, Trace, Undef};

/// Zeros between two runs of image bytes that are worth a segment of their own.
const GAP: usize = 64;

/// Half a period of every clock after instantiation, in time units.
pub const HALF_PERIOD: u64 = 1;

/// Emits `load_image` and `undefined`.
pub(crate) fn emit(module: &mut Module, context: &Context, options: &Options) {
    let runs = image_runs(context, options);
    let segments: Vec<_> = runs
        .into_iter()
        .map(|(base, bytes)| {
            (
                base,
                bytes.len() as u32,
                module.data.add(DataKind::Passive, bytes),
            )
        })
        .collect();
    let layout = context.layout;
    define(module, "load_image", |builder, _, locals| {
        let mut code = Code::new(builder, locals, context.memory);
        for value in [u64::from(layout.state_base), 0, layout.state_len] {
            code.constant(Ty::I32, value);
        }
        code.op(MemoryFill {
            memory: context.memory,
        });
        for (base, len, data) in &segments {
            for value in [*base, 0, *len] {
                code.constant(Ty::I32, value.into());
            }
            code.op(InitInstr {
                memory: context.memory,
                data: *data,
            });
        }
    });
    define(module, "undefined", |builder, _, locals| {
        if options.undef == Undef::Random {
            let mut code = Code::new(builder, locals, context.memory);
            draw_undefined(&mut code, context);
        }
    });
}

/// What is there from instantiation on: control block, clock periods and signal tables.
pub(crate) fn emit_constants(
    module: &mut Module,
    context: &Context,
    tables: &Tables,
    rows: &[SignalRow],
    buffers: Buffers,
    trace: &TraceTables,
) {
    emit_tables(module, context.memory, tables, rows);
    let layout = context.layout;
    let mut block = vec![0u8; CONTROL_LEN as usize];
    let mut put = |at: u32, bytes: &[u8]| {
        block[at as usize..at as usize + bytes.len()].copy_from_slice(bytes)
    };
    put(control::MAGIC, &MAGIC);
    put(control::ABI, &ABI_VERSION.to_le_bytes());
    put(
        control::FEATURES,
        &feature_bits(context.netlist, context.trace).to_le_bytes(),
    );
    put(
        control::STATE_BASE,
        &u64::from(layout.state_base).to_le_bytes(),
    );
    put(control::STATE_LEN, &layout.state_len.to_le_bytes());
    put(control::TRIGGER_BASE, &layout.trigger_base.to_le_bytes());
    put(
        control::TRIGGER_COUNT,
        &(layout.rows.len() as u32).to_le_bytes(),
    );
    put(control::HOST_BASE, &buffers.host_base.to_le_bytes());
    put(control::HOST_LEN, &buffers.host_len.to_le_bytes());
    put(control::EVENT_BASE, &buffers.event_base.to_le_bytes());
    put(control::EVENT_SIZE, &buffers.event_size.to_le_bytes());
    put(control::TRACE_BASE, &trace.ring_base.to_le_bytes());
    put(control::TRACE_SIZE, &trace.ring_size.to_le_bytes());
    put(control::STOP_SITE, &u32::MAX.to_le_bytes());
    put(control::WATCH_BASE, &buffers.watch_base.to_le_bytes());
    put(control::WATCH_MAX, &WATCH_MAX.to_le_bytes());
    let before_delta = buffers.before_base - layout.state_base;
    put(control::BEFORE_DELTA, &before_delta.to_le_bytes());
    add_data(module, context.memory, CONTROL_BASE, block);
    add_data(
        module,
        context.memory,
        layout.trigger_base,
        periods(layout.rows.len()),
    );
}

/// The trigger table before the first reset. A reset keeps what it finds there, so that hosts may set it by then.
fn periods(triggers: usize) -> Vec<u8> {
    let mut row = [0u8; trigger::LEN as usize];
    for field in [trigger::HIGH, trigger::LOW] {
        row[field as usize..][..8].copy_from_slice(&HALF_PERIOD.to_le_bytes());
    }
    row.repeat(triggers)
}

/// The feature bits of a design's artifact.
pub fn feature_bits(n: &Netlist, trace: Trace) -> u64 {
    let bit = |name: &str| {
        FEATURES
            .iter()
            .find(|f| f.name == name)
            .map_or(0, |f| 1u64 << f.bit)
    };
    let covers = n.effects.iter().any(|e| e.kind == EffectKind::Cover);
    let when = |on: bool, name| if on { bit(name) } else { 0 };
    let loops = !n.loops.is_empty() || !n.latches.is_empty();
    when(covers, "coverage") | when(trace == Trace::On, "trace") | when(loops, "loops")
}

/// Runs of bytes of the state region that are not all zero.
fn image_runs(context: &Context, options: &Options) -> Vec<(u32, Vec<u8>)> {
    let mut image = Image::default();
    let (n, layout) = (context.netlist, context.layout);
    image.put(
        layout.state_base + state::LAYOUT_HASH,
        &context.layout_hash.to_le_bytes(),
    );
    for (row, id) in layout.rows.iter().enumerate() {
        let base = layout.trigger_base + row as u32 * trigger::LEN;
        let signal = context.trigger_signals[id.index()];
        image.put(base + trigger::SIGNAL, &signal.to_le_bytes());
    }
    for (id, r) in n.registers.iter() {
        image.slot(
            layout.registers[id.index()],
            &initial(&r.init, &r.init_defined, options.undef),
        );
    }
    for (id, l) in n.latches.iter() {
        image.slot(
            layout.latches[id.index()],
            &initial(&l.init, &l.init_defined, options.undef),
        );
    }
    for (id, m) in n.memories.iter() {
        image_memory(context, id, m, options, &mut image);
    }
    image.runs()
}

fn image_memory(context: &Context, id: MemoryId, m: &Memory, options: &Options, image: &mut Image) {
    let slot = context.layout.memories[id.index()];
    let put = |image: &mut Image, row: u32, value: &Bits| {
        let base = slot.base + row * slot.stride;
        let bytes: Vec<u8> = value.limbs().iter().flat_map(|l| l.to_le_bytes()).collect();
        image.put(base, &bytes[..(slot.stride as usize).min(bytes.len())]);
    };
    let mut given = m.init.iter().peekable();
    if options.undef != Undef::Ones {
        // Rows that nothing defines are zero, as all of the image is before.
        given.for_each(|i| put(image, i.row, &initial(&i.value, &i.defined, options.undef)));
        return;
    }
    for row in 0..m.depth {
        let value = match given.next_if(|i| i.row == row) {
            Some(i) => initial(&i.value, &i.defined, options.undef),
            None => Bits::ones(m.width),
        };
        put(image, row, &value);
    }
}

/// Defined bits as they are, the others by the policy; random ones are drawn at reset.
fn initial(value: &Bits, defined: &Bits, undef: Undef) -> Bits {
    let value = value.and(defined);
    if undef == Undef::Ones {
        value.or(&defined.not())
    } else {
        value
    }
}

#[derive(Default)]
struct Image {
    /// Places and bytes, no two at the same place.
    pieces: Vec<(u32, Vec<u8>)>,
}

impl Image {
    fn put(&mut self, at: u32, bytes: &[u8]) {
        if bytes.iter().any(|b| *b != 0) {
            self.pieces.push((at, bytes.to_vec()));
        }
    }

    fn slot(&mut self, slot: Slot, value: &Bits) {
        self.put(
            slot.offset,
            &value.limbs()[0].to_le_bytes()[..slot.size as usize],
        );
    }

    fn runs(mut self) -> Vec<(u32, Vec<u8>)> {
        self.pieces.sort_by_key(|(at, _)| *at);
        let mut runs: Vec<(u32, Vec<u8>)> = Vec::new();
        for (at, bytes) in self.pieces {
            match runs.last_mut() {
                Some((base, run)) if (at - *base) as usize <= run.len() + GAP => {
                    let from = (at - *base) as usize;
                    run.resize(run.len().max(from + bytes.len()), 0);
                    run[from..from + bytes.len()].copy_from_slice(&bytes);
                }
                _ => runs.push((at, bytes)),
            }
        }
        runs
    }
}

/// Gives every undefined bit its value of the generator.
fn draw_undefined(code: &mut Code, context: &Context) {
    let (n, layout) = (context.netlist, context.layout);
    for (id, r) in n.registers.iter() {
        let slot = layout.registers[id.index()];
        draw_scalar(code, context, slot, &r.init_defined, r.draw);
    }
    for (id, l) in n.latches.iter() {
        let slot = layout.latches[id.index()];
        draw_scalar(code, context, slot, &l.init_defined, l.draw);
    }
    for (id, m) in n.memories.iter() {
        draw_memory(code, context, id, m);
    }
}

/// The undefined bits of a slot, from bit `draw` of the stream on.
fn draw_scalar(code: &mut Code, context: &Context, slot: Slot, defined: &Bits, draw: u64) {
    if defined.is_ones() {
        return;
    }
    let (limb, shift) = (draw / 64, draw % 64);
    code.constant(Ty::I32, 0);
    code.load_at(Ty::I64, slot.offset, slot.size);
    code.constant(Ty::I64, limb.wrapping_mul(GOLDEN));
    code.call(context.helpers.get("random"));
    if shift > 0 {
        code.constant(Ty::I64, shift);
        code.binary(Ty::I64, I32ShrU, I64ShrU);
    }
    if shift + u64::from(defined.width()) > 64 {
        code.constant(Ty::I64, (limb + 1).wrapping_mul(GOLDEN));
        code.call(context.helpers.get("random"));
        code.constant(Ty::I64, 64 - shift);
        code.binary(Ty::I64, I32Shl, I64Shl);
        code.binary(Ty::I64, I32Or, I64Or);
    }
    code.constant(Ty::I64, defined.not().limbs()[0]);
    code.binary(Ty::I64, I32And, I64And);
    code.binary(Ty::I64, I32Or, I64Or);
    code.store(Ty::I64, slot.offset, slot.size);
}

/// A memory's rows in a loop; rows that the source defines are put back after it.
fn draw_memory(code: &mut Code, context: &Context, id: MemoryId, m: &Memory) {
    let slot = context.layout.memories[id.index()];
    let limbs = limb_count(m.width) as u32;
    if m.init.len() == m.depth as usize && m.init.iter().all(|i| i.defined.is_ones())
        || m.depth == 0
    {
        return;
    }
    let (at, key) = (code.new_local(Ty::I32), code.new_local(Ty::I64));
    code.constant(Ty::I32, slot.base.into());
    code.set(at);
    code.constant(Ty::I64, (m.draw / 64).wrapping_mul(GOLDEN));
    code.set(key);
    let body = code.new_seq(None);
    let outer = code.at;
    code.at = body;
    for limb in 0..limbs {
        code.get(at);
        code.get(key);
        code.call(context.helpers.get("random"));
        code.mask(Ty::I64, (m.width - 64 * limb).min(64));
        code.store(Ty::I64, 8 * limb, slot.stride.min(8));
        code.get(key);
        code.constant(Ty::I64, GOLDEN);
        code.binary(Ty::I64, I32Add, I64Add);
        code.set(key);
    }
    code.get(at);
    code.constant(Ty::I32, slot.stride.into());
    code.binary(Ty::I32, I32Add, I64Add);
    code.tee(at);
    code.constant(
        Ty::I32,
        u64::from(slot.base) + u64::from(slot.stride) * u64::from(m.depth),
    );
    code.binary(Ty::I32, I32LtU, I64LtU);
    code.op(walrus::ir::BrIf { block: body });
    code.at = outer;
    code.op(walrus::ir::Loop { seq: body });
    for init in &m.init {
        restore_row(
            code,
            init,
            slot.base + init.row * slot.stride,
            slot.stride.min(8),
        );
    }
}

fn restore_row(code: &mut Code, init: &MemoryInit, base: u32, size: u32) {
    for (limb, (value, defined)) in init
        .value
        .limbs()
        .iter()
        .zip(init.defined.limbs())
        .enumerate()
    {
        let at = base + 8 * limb as u32;
        code.constant(Ty::I32, 0);
        code.load_at(Ty::I64, at, size);
        code.constant(Ty::I64, !defined);
        code.binary(Ty::I64, I32And, I64And);
        code.constant(Ty::I64, value & defined);
        code.binary(Ty::I64, I32Or, I64Or);
        code.store(Ty::I64, at, size);
    }
}
