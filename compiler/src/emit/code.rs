//! A thin writer of WebAssembly instructions: typed constants, memory access, blocks.

use walrus::ir::{
    BinaryOp, Binop, Call, Const, ExtendedLoad, IfElse, InstrSeqId, InstrSeqType, Load, LoadKind,
    LocalGet, LocalSet, LocalTee, Store, StoreKind, UnaryOp, Unop, Value,
};
use walrus::{FunctionBuilder, FunctionId, LocalId, MemoryId, ModuleLocals, ValType};

use super::fixed;

/// The two value types in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    I32,
    I64,
}

impl Ty {
    /// The type that holds a narrow value.
    pub fn of(width: u32) -> Ty {
        debug_assert!(width <= 64, "{width} bits are not a machine word");
        if width <= 32 { Ty::I32 } else { Ty::I64 }
    }

    pub fn bits(self) -> u32 {
        match self {
            Ty::I32 => 32,
            Ty::I64 => 64,
        }
    }

    pub fn val(self) -> ValType {
        match self {
            Ty::I32 => ValType::I32,
            Ty::I64 => ValType::I64,
        }
    }

    /// The one of two operators that fits.
    pub fn pick<T>(self, i32: T, i64: T) -> T {
        match self {
            Ty::I32 => i32,
            Ty::I64 => i64,
        }
    }
}

/// Appends instructions to one function.
pub(crate) struct Code<'a> {
    pub builder: &'a mut FunctionBuilder,
    pub locals: &'a mut ModuleLocals,
    pub memory: MemoryId,
    /// Where instructions go now.
    pub at: InstrSeqId,
}

impl<'a> Code<'a> {
    /// From the beginning of a function's body on.
    pub fn new(
        builder: &'a mut FunctionBuilder,
        locals: &'a mut ModuleLocals,
        memory: MemoryId,
    ) -> Self {
        let at = builder.func_body_id();
        Code {
            builder,
            locals,
            memory,
            at,
        }
    }
}

impl Code<'_> {
    pub fn op(&mut self, instr: impl Into<walrus::ir::Instr>) {
        self.builder.instr_seq(self.at).instr(instr);
    }

    pub fn constant(&mut self, ty: Ty, value: u64) {
        let value = ty.pick(Value::I32(value as i32), Value::I64(value as i64));
        self.op(Const { value });
    }

    pub fn binary(&mut self, ty: Ty, i32: BinaryOp, i64: BinaryOp) {
        self.op(Binop {
            op: ty.pick(i32, i64),
        });
    }

    pub fn unary(&mut self, op: UnaryOp) {
        self.op(Unop { op });
    }

    pub fn call(&mut self, func: FunctionId) {
        self.op(Call { func });
    }

    pub fn get(&mut self, local: LocalId) {
        self.op(LocalGet { local });
    }

    pub fn set(&mut self, local: LocalId) {
        self.op(LocalSet { local });
    }

    pub fn tee(&mut self, local: LocalId) {
        self.op(LocalTee { local });
    }

    pub fn new_local(&mut self, ty: Ty) -> LocalId {
        self.locals.add(ty.val())
    }

    /// Converts the value on the stack; it has no bits above 32 that matter.
    pub fn convert(&mut self, from: Ty, to: Ty) {
        match (from, to) {
            (Ty::I32, Ty::I64) => self.unary(UnaryOp::I64ExtendUI32),
            (Ty::I64, Ty::I32) => self.unary(UnaryOp::I32WrapI64),
            _ => {}
        }
    }

    /// Keeps the low `width` bits of the value on the stack.
    pub fn mask(&mut self, ty: Ty, width: u32) {
        if width < ty.bits() {
            self.constant(ty, crate::bits::low_mask(width));
            self.binary(ty, BinaryOp::I32And, BinaryOp::I64And);
        }
    }

    /// `size` bytes at `offset` from the address on the stack.
    pub fn load(&mut self, ty: Ty, offset: u32, size: u32) {
        let extended = ExtendedLoad::ZeroExtend;
        let kind = match (ty, size) {
            (Ty::I32, 1) => LoadKind::I32_8 { kind: extended },
            (Ty::I32, 2) => LoadKind::I32_16 { kind: extended },
            (Ty::I32, _) => LoadKind::I32 { atomic: false },
            (Ty::I64, 1) => LoadKind::I64_8 { kind: extended },
            (Ty::I64, 2) => LoadKind::I64_16 { kind: extended },
            (Ty::I64, 4) => LoadKind::I64_32 { kind: extended },
            (Ty::I64, _) => LoadKind::I64 { atomic: false },
        };
        self.op(Load {
            memory: self.memory,
            kind,
            arg: fixed(offset, size),
        });
    }

    /// Stores the value on the stack, of `ty`, as `size` bytes at `offset` from the address below it.
    pub fn store(&mut self, ty: Ty, offset: u32, size: u32) {
        let atomic = false;
        let kind = match (ty, size) {
            (Ty::I32, 1) => StoreKind::I32_8 { atomic },
            (Ty::I32, 2) => StoreKind::I32_16 { atomic },
            (Ty::I32, _) => StoreKind::I32 { atomic },
            (Ty::I64, 1) => StoreKind::I64_8 { atomic },
            (Ty::I64, 2) => StoreKind::I64_16 { atomic },
            (Ty::I64, 4) => StoreKind::I64_32 { atomic },
            (Ty::I64, _) => StoreKind::I64 { atomic },
        };
        self.op(Store {
            memory: self.memory,
            kind,
            arg: fixed(offset, size),
        });
    }

    /// `size` bytes at a fixed address.
    pub fn load_at(&mut self, ty: Ty, offset: u32, size: u32) {
        self.constant(Ty::I32, 0);
        self.load(ty, offset, size);
    }

    /// Copies bytes between fixed addresses.
    pub fn copy(&mut self, to: u32, from: u32, bytes: u32) {
        self.constant(Ty::I32, to.into());
        self.constant(Ty::I32, from.into());
        self.constant(Ty::I32, bytes.into());
        self.op(walrus::ir::MemoryCopy {
            src: self.memory,
            dst: self.memory,
        });
    }

    /// Zeroes bytes at a fixed address.
    pub fn fill(&mut self, at: u32, bytes: u32) {
        self.constant(Ty::I32, at.into());
        self.constant(Ty::I32, 0);
        self.constant(Ty::I32, bytes.into());
        self.op(walrus::ir::MemoryFill {
            memory: self.memory,
        });
    }

    /// `if` on the i32 on the stack; each arm is written by its closure, which may be empty.
    pub fn if_else(
        &mut self,
        result: Option<Ty>,
        on_true: impl FnOnce(&mut Code),
        on_false: impl FnOnce(&mut Code),
    ) {
        let (consequent, alternative) = (self.new_seq(result), self.new_seq(result));
        let outer = self.at;
        self.at = consequent;
        on_true(self.reborrow());
        self.at = alternative;
        on_false(self.reborrow());
        self.at = outer;
        self.op(IfElse {
            consequent,
            alternative,
        });
    }

    fn reborrow(&mut self) -> &mut Self {
        self
    }

    pub fn new_seq(&mut self, result: Option<Ty>) -> InstrSeqId {
        let ty = InstrSeqType::Simple(result.map(Ty::val));
        self.builder.dangling_instr_seq(ty).id()
    }
}
