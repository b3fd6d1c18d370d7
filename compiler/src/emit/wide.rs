//! Cells wider than 64 bits: arrays of limbs in scratch memory, read limb by limb.

use rustc_hash::FxHashMap;

use super::code::Ty;
use super::state::scale;
use super::task::Emitter;
use crate::arena::SideTable;
use crate::bits::limb_count;
use crate::ir::*;

/// For each wide shift to the right, how many limbs somebody uses, from the lowest: of what `a[i +: n]` takes out of a
/// wide value often one.
pub(super) fn limbs_of_shifts(n: &Netlist) -> FxHashMap<CellId, usize> {
    let mut limbs = SideTable::new(&n.cells, 0);
    n.for_each_root(|root| limbs[root] = limb_count(n.width(root)));
    // Operands come before those who use them; what nobody uses does not count.
    for (id, cell) in n.cells.iter().rev() {
        match cell.kind {
            _ if limbs[id] == 0 => {}
            CellKind::Slice { value, low } => {
                limbs[value] = limbs[value].max(limb_count(low + cell.width))
            }
            ref kind => kind.for_each_operand(|o| limbs[o] = limb_count(n.width(o))),
        }
    }
    let wide = |cell: &Cell| cell.width > 64 && matches!(cell.kind, CellKind::ShrU(..));
    let shifts = n.cells.iter().filter(|(_, cell)| wide(cell));
    shifts.map(|(id, _)| (id, limbs[id])).collect()
}

impl Emitter<'_, '_> {
    /// Address of a wide cell's limbs.
    pub fn wide_address(&self, cell: CellId) -> u32 {
        if let Some(slot) = self.kept_elsewhere(cell) {
            return slot.offset;
        }
        let width = self.width(cell);
        *self
            .context
            .wide
            .borrow_mut()
            .entry(cell)
            .or_insert_with(|| {
                self.context
                    .scratch
                    .borrow_mut()
                    .take(8 * limb_count(width) as u64, 8)
            })
    }

    /// Fills a wide cell's scratch.
    pub fn compute_wide(&mut self, id: CellId) {
        use CellKind::*;
        let kind = self.netlist().cells[id].kind.clone();
        let width = self.width(id);
        match kind {
            Concat(ref limbs) => {
                let to = self.wide_address(id);
                for (i, limb) in limbs.iter().enumerate() {
                    self.code.constant(Ty::I32, 0);
                    self.value_as(*limb, Ty::I64);
                    self.code.store(Ty::I64, to + 8 * i as u32, 8);
                }
            }
            Input(input) => self.gather_input(id, input),
            Random(source) => {
                let to = self.wide_address(id);
                for i in 0..limb_count(width) {
                    self.code.constant(Ty::I32, 0);
                    let bits = (width - 64 * i as u32).min(64);
                    self.random(source, i, bits);
                    self.code.convert(Ty::of(bits), Ty::I64);
                    self.code.store(Ty::I64, to + 8 * i as u32, 8);
                }
            }
            MemRead { memory, address } => self.gather_row(id, memory, address),
            Mul(a, b) => self.wide_call("wide_mul", id, a, b),
            DivU(a, b) => self.wide_call("wide_div_u", id, a, b),
            DivS(a, b) => self.wide_call("wide_div_s", id, a, b),
            RemU(a, b) => self.wide_call("wide_rem_u", id, a, b),
            RemS(a, b) => self.wide_call("wide_rem_s", id, a, b),
            Pow(a, b) => self.wide_call("wide_pow", id, a, b),
            Shl(a, b) => self.wide_shift("wide_shl", id, a, b),
            ShrU(a, b) => {
                let limbs = self.context.shifted[&id];
                self.push_shift(id, a, b);
                self.code.constant(Ty::I32, limbs as u64);
                self.code.call(self.context.helpers.get("wide_shr_u"));
            }
            ShrS(a, b) => self.wide_shift("wide_shr_s", id, a, b),
            Const(_)
            | Register(_)
            | Latch(_)
            | LoopCut(_)
            | Not(_)
            | And(..)
            | Or(..)
            | Xor(..)
            | Add(..)
            | Sub(..)
            | Eq(..)
            | LtU(..)
            | LtS(..)
            | ReduceXor(_)
            | Mux { .. }
            | Slice { .. }
            | ZeroExtend(_)
            | SignExtend(_) => panic!("%{} is wide but not legal: {kind:?}", id.index()),
        }
    }

    fn wide_call(&mut self, name: &str, id: CellId, a: CellId, b: CellId) {
        let to = self.wide_address(id);
        for address in [
            to,
            self.wide_address(a),
            self.wide_address(b),
            self.width(id),
        ] {
            self.code.constant(Ty::I32, address.into());
        }
        self.code.call(self.context.helpers.get(name));
    }

    fn wide_shift(&mut self, name: &str, id: CellId, a: CellId, amount: CellId) {
        self.push_shift(id, a, amount);
        self.code.call(self.context.helpers.get(name));
    }

    fn push_shift(&mut self, id: CellId, a: CellId, amount: CellId) {
        let (to, from) = (self.wide_address(id), self.wide_address(a));
        self.code.constant(Ty::I32, to.into());
        self.code.constant(Ty::I32, from.into());
        self.value_as(amount, Ty::I64);
        self.code.constant(Ty::I32, self.width(id).into());
    }

    fn gather_input(&mut self, id: CellId, input: InputId) {
        let to = self.wide_address(id);
        for i in 0..limb_count(self.width(id)) as u32 {
            self.code.constant(Ty::I32, 0);
            self.input_bits(input, 64 * i, (self.width(id) - 64 * i).min(64), Ty::I64);
            self.code.store(Ty::I64, to + 8 * i, 8);
        }
    }

    fn gather_row(&mut self, id: CellId, memory: MemoryId, address: CellId) {
        let to = self.wide_address(id);
        let slot = self.context.layout.memories[memory.index()];
        let row = self.code.new_local(Ty::I32);
        self.code.constant(Ty::I32, 0);
        self.code.set(row);
        let inside = self.row_index(memory, address, row);
        let bytes = slot.stride;
        let fill = walrus::ir::MemoryFill {
            memory: self.context.memory,
        };
        let read = |code: &mut super::code::Code| {
            code.get(row);
            scale(code, slot);
            code.set(row);
            let (to, from) = ((to, None), (slot.base, Some(row)));
            code.move_bytes(to, from, bytes, 8);
        };
        if !inside {
            return read(&mut self.code);
        }
        self.code.if_else(None, read, |code| {
            code.constant(Ty::I32, to.into());
            code.constant(Ty::I32, 0);
            code.constant(Ty::I32, bytes.into());
            code.op(fill.clone());
        });
    }

    /// Pushes limb `limb` of a value of any width, as an i64.
    pub fn push_limb(&mut self, cell: CellId, limb: usize) {
        if self.width(cell) <= 64 {
            return self.value_as(cell, Ty::I64);
        }
        let kind = self.netlist().cells[cell].kind.clone();
        match kind {
            CellKind::Concat(limbs) => self.value_as(limbs[limb], Ty::I64),
            _ => self.limb_of_wide(cell, limb as u32, Ty::I64),
        }
    }

    /// Pushes a limb of a wide cell that has been computed.
    pub fn limb_of_wide(&mut self, cell: CellId, limb: u32, ty: Ty) {
        let at = self.wide_address(cell) + 8 * limb;
        self.code.load_at(ty, at, ty.bits() / 8);
    }
}
