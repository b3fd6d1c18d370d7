//! State: inputs, registers, memories.

use rtlwasm_abi::layout::trigger;
use walrus::ir::BinaryOp::*;

use walrus::LocalId;

use super::Context;
use super::code::{Code, Ty};
use super::task::Emitter;
use crate::bits::limb_count;
use crate::ir::*;
use crate::layout::{MemorySlot, Slot};
use crate::options::Trace;
use crate::sched::TaskKind;

impl Emitter<'_, '_> {
    /// Pushes the value of a register, latch, cut loop or narrow input.
    pub fn state(&mut self, id: CellId) {
        let layout = self.context.layout;
        let ty = self.ty(id);
        let slot = match self.netlist().cells[id].kind {
            CellKind::Register(r) => layout.registers[r.index()],
            CellKind::Latch(l) => layout.latches[l.index()],
            CellKind::LoopCut(l) => layout.loops[l.index()],
            CellKind::Input(i) => return self.input_bits(i, 0, self.width(id), ty),
            ref other => panic!("{other:?} is not state"),
        };
        self.push_registers_base();
        self.code.load(ty, slot.offset, slot.size);
    }

    /// Pushes bits `low .. low + width` of an input. While a wave computes, a clock reads as the level
    /// that registers have acted on.
    pub fn input_bits(&mut self, input: InputId, low: u32, width: u32, ty: Ty) {
        let parts = self.context.layout.inputs[input.index()].clone();
        let mut at = 0;
        let mut any = false;
        for part in &parts {
            let (start, end) = (at, at + part.width);
            at = end;
            let (from, to) = (low.max(start), (low + width).min(end));
            if from >= to {
                continue;
            }
            let part_ty = Ty::of(part.size * 8);
            match self.level_before_own_edge(part.offset) {
                Some(level) => self.code.constant(part_ty, level.into()),
                None => {
                    let offset = self.before_edge(part.offset as u32);
                    self.code.load_at(part_ty, offset, part.size);
                }
            }
            let shift = part.shift + from - start;
            if shift > 0 {
                self.code.constant(part_ty, shift.into());
                self.code.binary(part_ty, I32ShrU, I64ShrU);
            }
            // Bits above a value that has its slot to itself are zero.
            let alone = parts.iter().filter(|p| p.offset == part.offset).count() == 1;
            if !alone || part.shift > 0 || to - from < part.width {
                self.code.mask(part_ty, to - from);
            }
            self.code.convert(part_ty, ty);
            if from > low {
                self.code.constant(ty, (from - low).into());
                self.code.binary(ty, I32Shl, I64Shl);
            }
            if any {
                self.code.binary(ty, I32Or, I64Or);
            }
            any = true;
        }
        if !any {
            self.code.constant(ty, 0);
        }
    }

    /// The level of the clock whose edge this task is for; the time loop does not store it in every cycle.
    fn level_before_own_edge(&self, offset: u64) -> Option<bool> {
        let (TaskKind::Edge(edge) | TaskKind::Part(edge, _)) = self.kind else {
            return None;
        };
        let level = self
            .context
            .layout
            .trigger_field(edge.trigger, trigger::LEVEL);
        (offset == u64::from(level)).then_some(edge.edge == Edge::Fall)
    }

    fn before_edge(&self, offset: u32) -> u32 {
        let layout = self.context.layout;
        let wave = matches!(
            self.kind,
            TaskKind::Edge(_) | TaskKind::Part(..) | TaskKind::Compute(_) | TaskKind::Effects(_)
        );
        let clocks = layout
            .rows
            .iter()
            .take_while(|t| self.netlist().triggers[**t].role == TriggerRole::PrimaryClock);
        let end = layout.trigger_base + clocks.count() as u32 * trigger::LEN;
        let in_table = (layout.trigger_base..end).contains(&offset);
        if wave && in_table {
            offset + trigger::PREV - trigger::LEVEL
        } else {
            offset
        }
    }

    /// Stores a narrow value.
    pub fn store_slot(&mut self, slot: Slot, value: CellId) {
        self.code.constant(Ty::I32, 0);
        self.value(value);
        self.code.store(self.ty(value), slot.offset, slot.size);
    }

    pub fn store_register(&mut self, register: RegisterId, value: CellId) {
        if matches!(self.kind, TaskKind::Part(..)) {
            return self.store_in_part(register, value);
        }
        let mut slot = self.context.layout.registers[register.index()];
        if matches!(self.kind, TaskKind::Compute(_)) {
            slot.offset += self.context.layout.shadow_delta;
        }
        self.push_registers_base();
        self.value(value);
        self.code.store(self.ty(value), slot.offset, slot.size);
    }

    /// Stores a value and notes with a bit of the flag whether it differs from the stored one.
    pub fn store_changed(&mut self, slot: Slot, value: CellId, bit: u64) {
        let ty = self.ty(value);
        let flag = self.context.changed_flag;
        let local = self.code.new_local(ty);
        self.code.constant(Ty::I32, 0);
        self.code.load_at(Ty::I32, flag, 4);
        self.value(value);
        self.code.tee(local);
        self.code.load_at(ty, slot.offset, slot.size);
        self.code.binary(ty, I32Ne, I64Ne);
        if bit > 1 {
            self.code.constant(Ty::I32, u64::from(bit.ilog2()));
            self.code.binary(Ty::I32, I32Shl, I64Shl);
        }
        self.code.binary(Ty::I32, I32Or, I64Or);
        self.code.store(Ty::I32, flag, 4);
        self.code.constant(Ty::I32, 0);
        self.code.get(local);
        self.code.store(ty, slot.offset, slot.size);
    }

    /// Stores a published or outlined value of any width.
    pub fn store_net(&mut self, cell: CellId) {
        let offset = self.context.layout.nets[&cell];
        if self.width(cell) <= 64 {
            let size = crate::layout::slot_size(self.width(cell));
            return self.store_slot(Slot { offset, size }, cell);
        }
        for i in 0..limb_count(self.width(cell)) {
            self.code.constant(Ty::I32, 0);
            self.push_limb(cell, i);
            self.code.store(Ty::I64, offset + 8 * i as u32, 8);
        }
    }

    /// Sets `row` to the row that an address means. When the address may be outside, also pushes whether
    /// it is inside, and returns true.
    pub fn row_index(&mut self, memory: MemoryId, address: CellId, row: LocalId) -> bool {
        let rows = self.context.layout.memories[memory.index()].rows;
        self.row_below(rows.max(1), address, row)
    }

    fn row_below(&mut self, limit: u32, address: CellId, row: LocalId) -> bool {
        let ty = self.ty(address);
        if let Some(bits) = self.netlist().constant(address) {
            let value = bits.to_u64_saturating();
            let inside = value < u64::from(limit);
            self.code.constant(Ty::I32, if inside { value } else { 0 });
            self.code.set(row);
            if !inside {
                self.code.constant(Ty::I32, 0);
            }
            return !inside;
        }
        self.value(address);
        let fits = self.width(address) < 32 && 1u64 << self.width(address) <= u64::from(limit);
        if fits {
            // A host that writes state without masking gets wrong values, but no access outside.
            self.code.convert(ty, Ty::I32);
            self.code.mask(Ty::I32, self.width(address));
            self.code.set(row);
            return false;
        }
        if ty == Ty::I32 {
            self.code.tee(row);
        } else {
            let wide = self.code.new_local(ty);
            self.code.tee(wide);
            self.code.convert(ty, Ty::I32);
            self.code.set(row);
            self.code.get(wide);
        }
        self.code.constant(ty, limit.into());
        self.code.binary(ty, I32LtU, I64LtU);
        true
    }

    /// Pushes a narrow row of a memory, zero when there is none.
    pub fn read(&mut self, memory: MemoryId, address: CellId, ty: Ty) {
        let row = self.code.new_local(Ty::I32);
        let guarded = self.row_index(memory, address, row);
        if guarded {
            let outer = self.code.at;
            let [inside, outside] = [(); 2].map(|()| self.code.new_seq(Some(ty)));
            self.code.at = outside;
            self.code.constant(ty, 0);
            self.code.at = inside;
            self.load_row(memory, row, ty);
            self.code.at = outer;
            self.code.op(walrus::ir::IfElse {
                consequent: inside,
                alternative: outside,
            });
        } else {
            self.load_row(memory, row, ty);
        }
    }

    fn load_row(&mut self, memory: MemoryId, row: LocalId, ty: Ty) {
        let slot = self.context.layout.memories[memory.index()];
        self.code.get(row);
        scale(&mut self.code, slot);
        self.add_memory_distance(memory);
        self.code.load(ty, slot.base, slot.stride);
    }

    /// Writes a row, at once or into the port's queue.
    pub fn write(&mut self, memory: MemoryId, port: usize) {
        let n = self.context.netlist;
        let depth = n.memories[memory].depth;
        let write = n.memories[memory].writes[port].clone();
        let row = self.code.new_local(Ty::I32);
        let guarded = self.row_below(depth, write.address, row);
        let outer = self.code.at;
        let (inside, outside) = (self.code.new_seq(None), self.code.new_seq(None));
        if guarded {
            self.code.at = inside;
        }
        self.conditionally(|e| {
            if matches!(e.kind, TaskKind::Compute(_)) {
                e.queue_write(memory, port, &write, row);
            } else {
                e.write_row(memory, &write, row);
                e.note_write();
            }
        });
        if guarded {
            self.code.at = outer;
            self.code.op(walrus::ir::IfElse {
                consequent: inside,
                alternative: outside,
            });
        }
    }

    fn write_row(&mut self, memory: MemoryId, write: &WritePort, row: LocalId) {
        let slot = self.context.layout.memories[memory.index()];
        let width = self.context.netlist.memories[memory].width;
        let at = self.code.new_local(Ty::I32);
        self.code.get(row);
        scale(&mut self.code, slot);
        self.add_memory_distance(memory);
        self.code.set(at);
        for limb in 0..limb_count(width) {
            let (offset, size) = (slot.base + 8 * limb as u32, slot.stride.min(8));
            let all = self.is_ones(write.mask, limb);
            if let Some((first, bytes)) = self.whole_bytes(write.mask, limb) {
                self.code.get(at);
                self.push_limb(write.data, limb);
                if first > 0 {
                    self.code.constant(Ty::I64, u64::from(8 * first));
                    self.code.binary(Ty::I64, I32ShrU, I64ShrU);
                }
                self.code.store(Ty::I64, offset + first, bytes);
                continue;
            }
            self.code.get(at);
            self.push_limb(write.data, limb);
            if !all {
                self.push_limb(write.mask, limb);
                self.code.binary(Ty::I64, I32And, I64And);
                self.code.get(at);
                self.code.load(Ty::I64, offset, size);
                self.push_limb(write.mask, limb);
                self.code.constant(Ty::I64, u64::MAX);
                self.code.binary(Ty::I64, I32Xor, I64Xor);
                self.code.binary(Ty::I64, I32And, I64And);
                self.code.binary(Ty::I64, I32Or, I64Or);
            }
            self.code.store(Ty::I64, offset, size);
        }
        if self.context.trace == Trace::On {
            tell_write(&mut self.code, self.context, slot.base, at);
        }
    }

    /// Says that this cycle has changed something outside of what is compared.
    pub fn note_write(&mut self) {
        if self.context.schedule.skips {
            self.store_flag(self.context.wrote_flag, 1);
        }
    }

    /// True when a limb of the mask is a constant of ones.
    fn is_ones(&self, mask: CellId, limb: usize) -> bool {
        self.constant_limb(mask, limb).is_some_and(|c| c.is_ones())
    }

    /// The first byte and how many, when a limb of the mask is a constant of whole bytes that one store writes.
    fn whole_bytes(&self, mask: CellId, limb: usize) -> Option<(u32, u32)> {
        let bits = self.constant_limb(mask, limb)?.limbs()[0];
        let (first, bytes) = (bits.trailing_zeros() / 8, bits.count_ones() / 8);
        let whole =
            [1, 2, 4].contains(&bytes) && bits == crate::bits::low_mask(8 * bytes) << (8 * first);
        whole.then_some((first, bytes))
    }

    fn constant_limb(&self, mask: CellId, limb: usize) -> Option<&crate::bits::Bits> {
        let n = self.netlist();
        n.constant(match &n.cells[mask].kind {
            CellKind::Concat(limbs) if n.width(mask) > 64 => limbs[limb],
            _ => mask,
        })
    }

    fn queue_write(&mut self, memory: MemoryId, port: usize, write: &WritePort, row: LocalId) {
        let queue = self.context.layout.queues[memory.index()][port];
        let limbs = limb_count(self.context.netlist.memories[memory].width);
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, 1);
        self.code.store(Ty::I32, queue, 4);
        self.code.constant(Ty::I32, 0);
        self.code.get(row);
        self.code.store(Ty::I32, queue + 4, 4);
        for limb in 0..limbs {
            let at = queue + 8 + 16 * limb as u32;
            self.code.constant(Ty::I32, 0);
            self.push_limb(write.data, limb);
            self.code.store(Ty::I64, at, 8);
            self.code.constant(Ty::I32, 0);
            self.push_limb(write.mask, limb);
            self.code.store(Ty::I64, at + 8, 8);
        }
    }
}

/// Notes in the change trace that a row has been written, so far behind a memory's first one.
pub(super) fn tell_write(code: &mut Code, context: &Context, base: u32, at: LocalId) {
    code.get(at);
    code.constant(Ty::I32, base.into());
    code.binary(Ty::I32, I32Add, I64Add);
    code.call(context.helpers.get("traced"));
}

/// Turns the row on the stack into its distance from the memory's base.
pub(super) fn scale(code: &mut Code, slot: MemorySlot) {
    if slot.stride > 1 {
        if slot.stride.is_power_of_two() {
            code.constant(Ty::I32, slot.stride.ilog2().into());
            code.binary(Ty::I32, I32Shl, I64Shl);
        } else {
            code.constant(Ty::I32, slot.stride.into());
            code.binary(Ty::I32, I32Mul, I64Mul);
        }
    }
}
