//! Cells made of several additions: adders with visible carries, multiply and accumulate.

use super::ast::*;
use super::comb::At;
use super::known::name;
use super::lower::Lower;
use super::params;
use crate::bits::Bits;
use crate::ir::{CellId, Extend};

impl Lower<'_, '_, '_> {
    /// Output 0 is the carry `X`, output 1 the sum `Y`.
    pub(super) fn lower_full_adder(&mut self, at: &At, output: u8) -> CellId {
        let [a, b, c] = [name!("A"), name!("B"), name!("C")]
            .map(|p| self.operand(at, p, at.width, Extend::Zero));
        let half = self.b.xor(a, b);
        if output == 1 {
            return self.b.xor(half, c);
        }
        let both = self.b.and(a, b);
        let through = self.b.and(c, half);
        self.b.or(both, through)
    }

    /// The carries of `a + b + carry`: bit `i` is the one out of bit `i`.
    fn carries(&mut self, a: CellId, b: CellId, carry: CellId, width: u32) -> CellId {
        let (a, b) = (
            self.b.zero_extend(a, width + 1),
            self.b.zero_extend(b, width + 1),
        );
        let carry = self.b.zero_extend(carry, width + 1);
        let sum = self.b.add(a, b);
        let sum = self.b.add(sum, carry);
        let differs = self.b.xor(a, b);
        let into = self.b.xor(sum, differs);
        self.b.slice(into, 1, width)
    }

    /// Carries from propagate and generate: those of the sum of `P | G` and `G`.
    pub(super) fn lower_lookahead(&mut self, at: &At) -> CellId {
        let p = self.operand(at, name!("P"), at.width, Extend::Zero);
        let g = self.operand(at, name!("G"), at.width, Extend::Zero);
        let carry = self.bit_of(at, name!("CI"));
        let either = self.b.or(p, g);
        self.carries(either, g, carry, at.width)
    }

    /// Outputs `X`, `Y`, `CO`.
    pub(super) fn lower_alu(&mut self, at: &At, output: u8) -> CellId {
        let extend = self.extension(at, true);
        let a = self.operand(at, name!("A"), at.width, extend);
        let b = self.operand(at, name!("B"), at.width, extend);
        let invert = self.bit_of(at, name!("BI"));
        let carry = self.bit_of(at, name!("CI"));
        let invert = self.b.repeat(invert, at.width);
        let b = self.b.xor(b, invert);
        match output {
            0 => self.b.xor(a, b),
            1 => {
                let sum = self.b.add(a, b);
                let carry = self.b.resize(carry, at.width, Extend::Zero);
                self.b.add(sum, carry)
            }
            _ => self.carries(a, b, carry, at.width),
        }
    }

    fn accumulate(&mut self, sum: CellId, term: CellId, negated: bool) -> CellId {
        if negated {
            self.b.sub(sum, term)
        } else {
            self.b.add(sum, term)
        }
    }

    /// Bits of a value, those beyond its width zero, extended to `width`.
    fn field(&mut self, value: CellId, low: u32, size: u32, width: u32, extend: Extend) -> CellId {
        let given = self.b.width(value);
        let from = low.min(given);
        let part = self.b.slice(value, from, size.min(given - from));
        let part = self.b.resize(part, size, Extend::Zero);
        self.b.resize(part, width, extend)
    }

    /// `CONFIG`: 4 bits for the size of sizes, then per product: signed, subtract, both sizes.
    pub(super) fn lower_macc(&mut self, at: &At) -> CellId {
        let config = params::constant(
            self.design,
            self.module(at.instance),
            at.cell,
            name!("CONFIG"),
        )
        .value;
        let field = |low: u32, size: u32| config.slice(low, size).limbs()[0] as u32;
        let size_bits = field(0, 4).max(1);
        let step = 2 + 2 * size_bits;
        let operands = self.whole(at, name!("A"));
        let mut sum = self.b.zero(at.width);
        let mut cursor = 0u32;
        for product in 0..config.width().saturating_sub(4) / step {
            let low = 4 + product * step;
            let extend = Extend::signed(config.bit(low));
            let sizes = [
                field(low + 2, size_bits),
                field(low + 2 + size_bits, size_bits),
            ];
            let mut term = self.field(operands, cursor, sizes[0], at.width, extend);
            if sizes[1] > 0 {
                let factor = self.field(
                    operands,
                    cursor.saturating_add(sizes[0]),
                    sizes[1],
                    at.width,
                    extend,
                );
                term = self.b.mul(term, factor);
            }
            cursor = cursor.saturating_add(sizes[0]).saturating_add(sizes[1]);
            sum = self.accumulate(sum, term, config.bit(low + 1));
        }
        let bits = self.whole(at, name!("B"));
        for index in 0..self.b.width(bits) {
            let bit = self.b.bit(bits, index);
            let term = self.b.resize(bit, at.width, Extend::Zero);
            sum = self.b.add(sum, term);
        }
        sum
    }

    pub(super) fn lower_macc_v2(&mut self, at: &At) -> CellId {
        let parameter = |name: Name| {
            params::constant(self.design, self.module(at.instance), at.cell, name).value
        };
        let widths = [name!("A_WIDTHS"), name!("B_WIDTHS"), name!("C_WIDTHS")].map(parameter);
        let signed = [name!("A_SIGNED"), name!("B_SIGNED"), name!("C_SIGNED")].map(parameter);
        let (product_negated, addend_negated) = (
            parameter(name!("PRODUCT_NEGATED")),
            parameter(name!("ADDEND_NEGATED")),
        );
        let size = |list: &Bits, index: u32| list.slice(index * 16, 16).limbs()[0] as u32;
        let [a, b, c] = [name!("A"), name!("B"), name!("C")].map(|p| self.whole(at, p));
        let mut sum = self.b.zero(at.width);
        let (mut low_a, mut low_b, mut low_c) = (0u32, 0u32, 0u32);
        for index in 0..self
            .number(at, name!("NPRODUCTS"))
            .min(widths[0].width() / 16)
        {
            let (size_a, size_b) = (size(&widths[0], index), size(&widths[1], index));
            let extend = Extend::signed(signed[0].bit(index) && signed[1].bit(index));
            let left = self.field(a, low_a, size_a, at.width, extend);
            let right = self.field(b, low_b, size_b, at.width, extend);
            let product = self.b.mul(left, right);
            sum = self.accumulate(sum, product, product_negated.bit(index));
            (low_a, low_b) = (low_a.saturating_add(size_a), low_b.saturating_add(size_b));
        }
        for index in 0..self
            .number(at, name!("NADDENDS"))
            .min(widths[2].width() / 16)
        {
            let size_c = size(&widths[2], index);
            let addend = self.field(
                c,
                low_c,
                size_c,
                at.width,
                Extend::signed(signed[2].bit(index)),
            );
            sum = self.accumulate(sum, addend, addend_negated.bit(index));
            low_c = low_c.saturating_add(size_c);
        }
        sum
    }
}
