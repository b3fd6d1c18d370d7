//! Concatenations: parts are put in their places, bits of one word that move equally far all at once, and registers
//! of one bit that lie side by side, each in its byte, with one multiplication.

use walrus::ir::BinaryOp::{
    I32And, I32Mul, I32Or, I32Shl, I32ShrU, I64And, I64Mul, I64Or, I64Shl, I64ShrU,
};

use super::code::Ty;
use super::task::Emitter;
use crate::bits::low_mask;
use crate::ir::*;

/// Bits of one word that go to the result.
struct Field {
    value: CellId,
    /// The lowest bit in the word, and its place in the result; more fields may have the same distance.
    low: u32,
    at: u32,
    /// Bits of the result.
    mask: u64,
    /// Nothing but these bits is left after the shift.
    exact: bool,
}

/// Neighbouring bytes in memory, each 0 or 1, that go to the result bit by bit.
struct Run {
    offset: u32,
    bytes: u32,
    at: u32,
    /// The first part lies highest.
    falls: bool,
}

/// Fewest neighbours that are worth a multiplication.
const MIN_RUN: usize = 4;
/// Times this, byte `i` of a word is bit `56 + i`.
const RISING: u64 = 0x0102_0408_1020_4080;
/// And bit `63 - i`.
const FALLING: u64 = 0x8040_2010_0804_0201;

impl Emitter<'_, '_> {
    pub fn concat(&mut self, parts: &[CellId], ty: Ty) {
        let runs = self.runs(parts);
        for (i, run) in runs.iter().enumerate() {
            self.run(run, ty);
            if i > 0 {
                self.code.binary(ty, I32Or, I64Or);
            }
        }
        let fields = self.fields(parts, &runs, ty);
        for (i, field) in fields.iter().enumerate() {
            self.field(field, ty);
            if i > 0 || !runs.is_empty() {
                self.code.binary(ty, I32Or, I64Or);
            }
        }
        if fields.is_empty() && runs.is_empty() {
            self.code.constant(ty, 0);
        }
    }

    /// Parts that are neighbours in memory, at most eight together.
    fn runs(&self, parts: &[CellId]) -> Vec<Run> {
        let (mut runs, mut i, mut at) = (Vec::new(), 0, 0);
        while i < parts.len() {
            let len = [1, -1].map(|step| (self.run_length(&parts[i..], step), step));
            let (len, step) = len.into_iter().max().expect("there are two");
            if len >= MIN_RUN {
                let last = if step < 0 { i + len - 1 } else { i };
                runs.push(Run {
                    offset: self.byte_of(parts[last]).expect("a byte"),
                    bytes: len as u32,
                    at,
                    falls: step < 0,
                });
                (i, at) = (i + len, at + len as u32);
            } else {
                (i, at) = (i + 1, at + self.width(parts[i]));
            }
        }
        runs
    }

    /// How many parts from the first one on are bytes at such a distance from each other.
    fn run_length(&self, parts: &[CellId], step: i64) -> usize {
        let bytes = parts.iter().take(8).map_while(|p| self.byte_of(*p));
        let bytes: Vec<i64> = bytes.map(i64::from).collect();
        let follow = bytes.windows(2).take_while(|w| w[0] + step == w[1]);
        follow.count() + usize::from(!bytes.is_empty())
    }

    fn run(&mut self, run: &Run, ty: Ty) {
        self.push_registers_base();
        self.code.load(Ty::I64, run.offset, 8);
        if run.bytes < 8 {
            let low_bits = 0x0101_0101_0101_0101 & low_mask(8 * run.bytes);
            self.code.constant(Ty::I64, low_bits);
            self.code.binary(Ty::I64, I32And, I64And);
        }
        let (factor, shift) = if run.falls {
            (FALLING, 64 - run.bytes)
        } else {
            (RISING, 56)
        };
        self.code.constant(Ty::I64, factor);
        self.code.binary(Ty::I64, I32Mul, I64Mul);
        self.code.constant(Ty::I64, shift.into());
        self.code.binary(Ty::I64, I32ShrU, I64ShrU);
        self.code.convert(Ty::I64, ty);
        if run.at > 0 {
            self.code.constant(ty, run.at.into());
            self.code.binary(ty, I32Shl, I64Shl);
        }
    }

    /// What is in no run.
    fn fields(&self, parts: &[CellId], runs: &[Run], ty: Ty) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 0;
        for part in parts {
            let width = self.width(*part);
            let place = at;
            at += width;
            if runs.iter().any(|r| (r.at..r.at + r.bytes).contains(&place)) {
                continue;
            }
            if self.netlist().constant(*part).is_some_and(|c| c.is_zero()) {
                continue;
            }
            let field = self.field_of(*part, place, ty);
            let same = |f: &&mut Field| {
                let distance = |f: &Field| i64::from(f.low) - i64::from(f.at);
                f.value == field.value && distance(f) == distance(&field)
            };
            match fields.iter_mut().find(same) {
                Some(found) => {
                    found.mask |= field.mask;
                    found.exact = false;
                }
                None => fields.push(field),
            }
        }
        fields
    }

    /// A slice that is computed here is taken from its word directly.
    fn field_of(&self, part: CellId, at: u32, ty: Ty) -> Field {
        let width = self.width(part);
        let mask = low_mask(width) << at;
        match self.netlist().cells[part].kind {
            CellKind::Slice { value, low }
                if self.plan.is_inline(part) && self.width(value) <= 64 =>
            {
                let clean_below = low == 0 || at == 0 && low >= at;
                let clean_above = low + width == self.width(value) || at + width == ty.bits();
                Field {
                    value,
                    low,
                    at,
                    mask,
                    exact: clean_below && clean_above,
                }
            }
            _ => Field {
                value: part,
                low: 0,
                at,
                mask,
                exact: true,
            },
        }
    }

    fn field(&mut self, field: &Field, ty: Ty) {
        let from = self.ty(field.value);
        self.value(field.value);
        if field.low >= field.at {
            let right = field.low - field.at;
            if right > 0 {
                self.code.constant(from, right.into());
                self.code.binary(from, I32ShrU, I64ShrU);
            }
            self.code.convert(from, ty);
        } else {
            self.code.convert(from, ty);
            self.code.constant(ty, u64::from(field.at - field.low));
            self.code.binary(ty, I32Shl, I64Shl);
        }
        if !field.exact {
            self.code.constant(ty, field.mask);
            self.code.binary(ty, I32And, I64And);
        }
    }
}
