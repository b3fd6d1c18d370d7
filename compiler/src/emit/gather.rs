//! Concatenations: parts are put in their places, bits of one word that move equally far all at once.

use walrus::ir::BinaryOp::{I32Or, I32Shl, I32ShrU, I64Or, I64Shl, I64ShrU};

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

impl Emitter<'_, '_> {
    pub fn concat(&mut self, parts: &[CellId], ty: Ty) {
        let fields = self.fields(parts, ty);
        for (i, field) in fields.iter().enumerate() {
            self.field(field, ty);
            if i > 0 {
                self.code.binary(ty, I32Or, I64Or);
            }
        }
        if fields.is_empty() {
            self.code.constant(ty, 0);
        }
    }

    fn fields(&self, parts: &[CellId], ty: Ty) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        let mut at = 0;
        for part in parts {
            let width = self.width(*part);
            let place = at;
            at += width;
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
            let and = (walrus::ir::BinaryOp::I32And, walrus::ir::BinaryOp::I64And);
            self.code.binary(ty, and.0, and.1);
        }
    }
}
