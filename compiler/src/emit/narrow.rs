//! Cells of up to 64 bits: each pushes its value as an i32 (up to 32 bits) or an i64.
//!
//! A value is *clean* when the bits above its width are zero. The plan says which values must be; an
//! operation masks its result only then.

use walrus::ir::BinaryOp::{self, *};
use walrus::ir::{Select, UnaryOp};

use super::code::Ty;
use super::task::Emitter;
use crate::bits::low_mask;
use crate::ir::interp::{KEY_STEP, LIMB_STEP};
use crate::ir::*;

impl Emitter<'_, '_> {
    /// Pushes the value of a cell by computing it. Recursion through inline operands is bounded by the
    /// plan.
    pub fn expression(&mut self, id: CellId) {
        use CellKind::*;
        if let Some(value) = self.plan.alias(id) {
            return self.value(value);
        }
        let width = self.width(id);
        let ty = Ty::of(width);
        let kind = self.netlist().cells[id].kind.clone();
        match kind {
            Const(ref bits) => self.code.constant(ty, bits.limbs()[0]),
            Input(_) | Register(_) | Latch(_) | LoopCut(_) => self.state(id),
            Random(source) => self.random(source, 0, width),
            MemRead { memory, address } => self.read(memory, address, ty),
            Not(a) if width == 1 => self.inverted(a),
            Not(a) => {
                self.value(a);
                self.code.constant(ty, low_mask(width));
                self.code.binary(ty, I32Xor, I64Xor);
            }
            And(a, b) if width == 1 => self.both(a, b),
            And(a, b) => self.bitwise(a, b, ty, I32And, I64And),
            Or(..) if width == 1 => self.any(id),
            Or(a, b) => self.bitwise(a, b, ty, I32Or, I64Or),
            Xor(a, b) => self.bitwise(a, b, ty, I32Xor, I64Xor),
            Add(a, b) => self.modular(id, a, b, I32Add, I64Add),
            Sub(a, b) => self.modular(id, a, b, I32Sub, I64Sub),
            Mul(a, b) => self.modular(id, a, b, I32Mul, I64Mul),
            DivU(a, b) => self.helper_unsigned(a, b, ty, ["div_u32", "div_u64"]),
            RemU(a, b) => self.helper_unsigned(a, b, ty, ["rem_u32", "rem_u64"]),
            DivS(a, b) => self.helper_signed(id, a, b, ["div_s32", "div_s64"]),
            RemS(a, b) => self.helper_signed(id, a, b, ["rem_s32", "rem_s64"]),
            Pow(a, b) => self.pow(id, a, b),
            Shl(a, b) => self.shift(id, a, b, I32Shl, I64Shl),
            ShrU(a, b) => self.shift(id, a, b, I32ShrU, I64ShrU),
            ShrS(a, b) => self.shift_signed(id, a, b),
            Eq(a, b) => self.eq(a, b),
            LtU(a, b) => {
                let ty = self.ty(a);
                self.bitwise(a, b, ty, I32LtU, I64LtU);
            }
            LtS(a, b) => {
                let ty = self.ty(a);
                self.signed(a);
                self.signed(b);
                self.code.binary(ty, I32LtS, I64LtS);
            }
            ReduceXor(a) => {
                let ty = self.ty(a);
                self.value(a);
                self.code
                    .unary(ty.pick(UnaryOp::I32Popcnt, UnaryOp::I64Popcnt));
                self.code.convert(ty, Ty::I32);
                self.code.mask(Ty::I32, 1);
            }
            Mux {
                select,
                on_true,
                on_false,
            } => self.select(select, on_true, on_false, ty),
            Slice { value, low } => self.slice(id, value, low),
            Concat(ref parts) => self.concat(parts, ty),
            ZeroExtend(a) => self.value_as(a, ty),
            SignExtend(a) => self.sign_extend(id, a),
        }
    }

    fn bitwise(&mut self, a: CellId, b: CellId, ty: Ty, i32: BinaryOp, i64: BinaryOp) {
        self.value(a);
        self.value(b);
        self.code.binary(ty, i32, i64);
    }

    /// A mux without a branch. With a constant bit in one arm it is an and or an or.
    fn select(&mut self, select: CellId, on_true: CellId, on_false: CellId, ty: Ty) {
        let bit = |id: CellId| {
            self.netlist()
                .constant(id)
                .filter(|c| c.width() == 1)
                .map(|c| c.bit(0))
        };
        match (bit(on_true), bit(on_false)) {
            (Some(true), None) => self.bitwise(select, on_false, ty, I32Or, I64Or),
            (None, Some(false)) => self.bitwise(select, on_true, ty, I32And, I64And),
            _ => {
                self.value(on_true);
                self.value(on_false);
                self.truth(select);
                self.code.op(Select { ty: None });
            }
        }
    }

    /// Pushes the opposite of a bit.
    fn inverted(&mut self, bit: CellId) {
        if !self.opposite(bit) {
            self.value(bit);
            self.code.constant(Ty::I32, 1);
            self.code.binary(Ty::I32, I32Xor, I64Xor);
        }
    }

    /// Pushes the opposite of a comparison, which is one, too; false for other bits.
    fn opposite(&mut self, bit: CellId) -> bool {
        let ops = match self.netlist().cells[bit].kind {
            CellKind::Eq(a, b) => Some((a, b, I32Ne, I64Ne)),
            CellKind::LtU(a, b) => Some((a, b, I32GeU, I64GeU)),
            _ => None,
        };
        let ops = ops.filter(|_| self.plan.is_inline(bit));
        if let Some((a, b, i32, i64)) = ops {
            self.bitwise(a, b, self.ty(a), i32, i64);
        }
        ops.is_some()
    }

    /// An and of bits; with the opposite of one it is a single instruction of most machines.
    fn both(&mut self, a: CellId, b: CellId) {
        let negated = |e: &Self, id: CellId| match e.netlist().cells[id].kind {
            CellKind::Not(bit) if e.plan.is_inline(id) && !e.compares(bit) => Some(bit),
            _ => None,
        };
        let (plain, bit) = match (negated(self, a), negated(self, b)) {
            (_, Some(bit)) => (a, bit),
            (Some(bit), None) => (b, bit),
            (None, None) => return self.bitwise(a, b, Ty::I32, I32And, I64And),
        };
        self.value(plain);
        self.value(bit);
        self.code.constant(Ty::I32, u64::from(u32::MAX));
        self.code.binary(Ty::I32, I32Xor, I64Xor);
        self.code.binary(Ty::I32, I32And, I64And);
    }

    /// True for a comparison that is computed where it is used.
    fn compares(&self, bit: CellId) -> bool {
        let kind = &self.netlist().cells[bit].kind;
        matches!(kind, CellKind::Eq(..) | CellKind::LtU(..)) && self.plan.is_inline(bit)
    }

    /// The value that is not zero exactly when the bit is 1, where that is another one.
    fn nonzero(&self, bit: CellId) -> Option<CellId> {
        let inner = match self.netlist().cells[bit].kind {
            CellKind::Not(inner) if self.plan.is_inline(bit) => inner,
            _ => return None,
        };
        match self.netlist().cells[inner].kind {
            CellKind::Eq(a, b) if self.plan.is_inline(inner) && self.ty(a) == Ty::I32 => {
                let zero = self.netlist().constant(b).is_some_and(|c| c.is_zero());
                zero.then_some(a)
            }
            _ => None,
        }
    }

    /// Pushes an i32 that is not zero exactly when the bit is 1.
    pub fn truth(&mut self, bit: CellId) {
        if let Some(value) = self.nonzero(bit) {
            return self.value(value);
        }
        if let CellKind::Not(inner) = self.netlist().cells[bit].kind
            && self.plan.is_inline(bit)
        {
            if !self.opposite(inner) {
                self.truth(inner);
                self.code.unary(UnaryOp::I32Eqz);
            }
            return;
        }
        if let CellKind::Slice { value, low } = self.netlist().cells[bit].kind
            && self.plan.is_inline(bit)
            && self.width(value) <= 32
        {
            self.value(value);
            self.code.constant(Ty::I32, 1 << low);
            return self.code.binary(Ty::I32, I32And, I64And);
        }
        self.value(bit);
    }

    /// An operation whose result may have bits above its width.
    fn modular(&mut self, id: CellId, a: CellId, b: CellId, i32: BinaryOp, i64: BinaryOp) {
        self.bitwise(a, b, self.ty(id), i32, i64);
        self.clean(id);
    }

    fn clean(&mut self, id: CellId) {
        if self.plan.needs_clean(id) {
            self.code.mask(self.ty(id), self.width(id));
        }
    }

    fn helper_unsigned(&mut self, a: CellId, b: CellId, ty: Ty, names: [&str; 2]) {
        self.value(a);
        self.value(b);
        self.code
            .call(self.context.helpers.get(ty.pick(names[0], names[1])));
    }

    fn helper_signed(&mut self, id: CellId, a: CellId, b: CellId, names: [&str; 2]) {
        self.signed(a);
        self.signed(b);
        self.code.call(
            self.context
                .helpers
                .get(self.ty(id).pick(names[0], names[1])),
        );
        self.clean(id);
    }

    /// Pushes a value sign-extended to its machine type.
    fn signed(&mut self, a: CellId) {
        let (width, ty) = (self.width(a), self.ty(a));
        if let Some(bits) = self.netlist().constant(a) {
            let value = bits.sext(64).limbs()[0];
            self.code.constant(ty, value);
            return;
        }
        self.value(a);
        self.extend_sign(ty, width);
    }

    /// Copies bit `width - 1` of the value on the stack into all bits above.
    fn extend_sign(&mut self, ty: Ty, width: u32) {
        match (ty, width) {
            (Ty::I32, 32) | (Ty::I64, 64) => {}
            (Ty::I32, 8) => self.code.unary(UnaryOp::I32Extend8S),
            (Ty::I32, 16) => self.code.unary(UnaryOp::I32Extend16S),
            (Ty::I64, 8) => self.code.unary(UnaryOp::I64Extend8S),
            (Ty::I64, 16) => self.code.unary(UnaryOp::I64Extend16S),
            (Ty::I64, 32) => self.code.unary(UnaryOp::I64Extend32S),
            _ => {
                let shift = u64::from(ty.bits() - width);
                self.code.constant(ty, shift);
                self.code.binary(ty, I32Shl, I64Shl);
                self.code.constant(ty, shift);
                self.code.binary(ty, I32ShrS, I64ShrS);
            }
        }
    }

    fn sign_extend(&mut self, id: CellId, a: CellId) {
        let ty = self.ty(id);
        if self.width(a) == 1 {
            self.code.constant(ty, 0);
            self.value_as(a, ty);
            self.code.binary(ty, I32Sub, I64Sub);
        } else {
            self.value_as(a, ty);
            self.extend_sign(ty, self.width(a));
        }
        self.clean(id);
    }

    fn pow(&mut self, id: CellId, a: CellId, b: CellId) {
        self.value_as(a, Ty::I64);
        self.value_as(b, Ty::I64);
        self.code.call(self.context.helpers.get("pow64"));
        self.code.convert(Ty::I64, self.ty(id));
        self.clean(id);
    }

    fn eq(&mut self, a: CellId, b: CellId) {
        let ty = self.ty(a);
        self.value(a);
        if self.netlist().constant(b).is_some_and(|c| c.is_zero()) {
            self.code.unary(ty.pick(UnaryOp::I32Eqz, UnaryOp::I64Eqz));
        } else {
            self.value(b);
            self.code.binary(ty, I32Eq, I64Eq);
        }
    }

    /// A logical shift; an amount of the machine width or more gives zero, and so do amounts between
    /// the value's width and that, once the result is clean.
    fn shift(&mut self, id: CellId, a: CellId, amount: CellId, i32: BinaryOp, i64: BinaryOp) {
        let ty = self.ty(id);
        if self.amount_fits(amount, ty) {
            self.value(a);
            self.value_as(amount, ty);
            self.code.binary(ty, i32, i64);
            return self.clean(id);
        }
        let amount_ty = self.ty(amount);
        let local = self.code.new_local(amount_ty);
        self.value(amount);
        self.code.set(local);
        self.value(a);
        self.code.get(local);
        self.code.convert(amount_ty, ty);
        self.code.binary(ty, i32, i64);
        self.clean(id);
        self.code.constant(ty, 0);
        self.code.get(local);
        self.code.constant(amount_ty, u64::from(ty.bits()));
        self.code.binary(amount_ty, I32LtU, I64LtU);
        self.code.op(Select { ty: None });
    }

    /// True when the machine's shift takes every possible amount as it is.
    fn amount_fits(&self, amount: CellId, ty: Ty) -> bool {
        self.width(amount) <= ty.bits().ilog2()
    }

    fn shift_signed(&mut self, id: CellId, a: CellId, amount: CellId) {
        let ty = self.ty(id);
        self.signed(a);
        if self.amount_fits(amount, ty) {
            self.value_as(amount, ty);
        } else {
            let amount_ty = self.ty(amount);
            let local = self.code.new_local(amount_ty);
            let most = u64::from(ty.bits() - 1);
            self.value(amount);
            self.code.tee(local);
            self.code.constant(amount_ty, most);
            self.code.get(local);
            self.code.constant(amount_ty, most);
            self.code.binary(amount_ty, I32LtU, I64LtU);
            self.code.op(Select { ty: None });
            self.code.convert(amount_ty, ty);
        }
        self.code.binary(ty, I32ShrS, I64ShrS);
        self.clean(id);
    }

    fn slice(&mut self, id: CellId, value: CellId, low: u32) {
        let (width, total) = (self.width(id), self.width(value));
        let ty = Ty::of(width);
        if total > 64 {
            return self.slice_of_wide(id, value, low);
        }
        let from = Ty::of(total);
        self.value(value);
        if low > 0 {
            self.code.constant(from, low.into());
            self.code.binary(from, I32ShrU, I64ShrU);
        }
        self.code.convert(from, ty);
        if low + width < total {
            self.clean(id);
        }
    }

    /// Bits of a whole wide value: usually one limb, but folding joins slices, so any bits of two limbs.
    fn slice_of_wide(&mut self, id: CellId, value: CellId, low: u32) {
        let (width, ty) = (self.width(id), Ty::of(self.width(id)));
        let (limb, shift) = (low / 64, low % 64);
        if shift == 0 {
            self.limb_of_wide(value, limb, ty);
        } else {
            self.limb_of_wide(value, limb, Ty::I64);
            self.code.constant(Ty::I64, shift.into());
            self.code.binary(Ty::I64, I32ShrU, I64ShrU);
            if shift + width > 64 {
                self.limb_of_wide(value, limb + 1, Ty::I64);
                self.code.constant(Ty::I64, (64 - shift).into());
                self.code.binary(Ty::I64, I32Shl, I64Shl);
                self.code.binary(Ty::I64, I32Or, I64Or);
            }
            self.code.convert(Ty::I64, ty);
        }
        if width < 64 && low + width < self.width(value) {
            self.clean(id);
        }
    }

    /// Limb `limb` of random source `source`.
    pub fn random(&mut self, source: RandomId, limb: usize, width: u32) {
        let key = self.netlist().randoms[source].key.wrapping_mul(KEY_STEP);
        let key = key.wrapping_add((limb as u64).wrapping_mul(LIMB_STEP));
        self.code.constant(Ty::I64, key);
        self.code.call(self.context.helpers.get("random"));
        self.code.mask(Ty::I64, width);
        self.code.convert(Ty::I64, Ty::of(width));
    }
}
