//! Cells whose result bits depend on whole operands: arithmetic, shifts, comparisons, tables.

use super::ast::*;
use super::catalog::Op;
use super::comb::At;
use super::known::name;
use super::lower::Lower;
use super::params;
use crate::bits::Bits;
use crate::ir::{CellId, Extend};

impl Lower<'_, '_, '_> {
    pub(super) fn lower_word(&mut self, at: &At, op: Op, output: u8) -> CellId {
        use Op::*;
        let value = match op {
            Neg | Add | Sub | Mul => self.lower_arithmetic(at, op),
            ReduceAnd | ReduceOr | ReduceXor | ReduceXnor | LogicNot => {
                self.lower_reduction(at, op)
            }
            LogicAnd | LogicOr => self.lower_logical(at, op),
            Shl | Shr | Sshr | Shift | Shiftx => self.lower_shift(at, op),
            Lt | Le | Eq | Ne | Ge | Gt => self.lower_comparison(at, op),
            Div | Mod | DivFloor | ModFloor => self.lower_division(at, op),
            Pow => self.lower_power(at),
            Slice => {
                let a = self.whole(at, name!("A"));
                let low = self.number(at, name!("OFFSET")).min(self.b.width(a));
                self.b.slice(a, low, at.width.min(self.b.width(a) - low))
            }
            Concat => {
                let parts = [name!("A"), name!("B")].map(|port| self.whole(at, port));
                self.b.concat(&parts)
            }
            Bmux => self.lower_bmux(at),
            Demux => self.lower_demux(at),
            Lut => self.lower_table(at),
            Sop => self.lower_products(at),
            FullAdder => self.lower_full_adder(at, output),
            Lookahead => self.lower_lookahead(at),
            Alu => self.lower_alu(at, output),
            Macc => self.lower_macc(at),
            MaccV2 => self.lower_macc_v2(at),
            GateMux(selects) => self.lower_gate_mux(at, selects),
            Aoi3 | Oai3 | Aoi4 | Oai4 => self.lower_and_or_invert(at, op),
            Buf | Not | And | Or | Xor | Xnor | AndNot | OrNot | Nand | Nor | Mux | NotMux
            | Pmux | BitMux | BitEq | Tristate => unreachable!("{op:?} is bitwise"),
        };
        self.b.resize(value, at.width, Extend::Zero)
    }

    /// An operand extended or cut to a width.
    pub(super) fn operand(&mut self, at: &At, port: Name, width: u32, extend: Extend) -> CellId {
        let value = self.whole(at, port);
        self.b.resize(value, width, extend)
    }

    fn port_width(&self, at: &At, port: Name) -> u32 {
        let module = self.module(at.instance);
        self.design.width(module, module.port(at.cell, port))
    }

    fn lower_arithmetic(&mut self, at: &At, op: Op) -> CellId {
        let extend = self.extension(at, op != Op::Neg);
        let a = self.operand(at, name!("A"), at.width, extend);
        if op == Op::Neg {
            let zero = self.b.zero(at.width);
            return self.b.sub(zero, a);
        }
        let b = self.operand(at, name!("B"), at.width, extend);
        match op {
            Op::Add => self.b.add(a, b),
            Op::Sub => self.b.sub(a, b),
            _ => self.b.mul(a, b),
        }
    }

    fn lower_logical(&mut self, at: &At, op: Op) -> CellId {
        let [a, b] = [name!("A"), name!("B")].map(|port| {
            let value = self.whole(at, port);
            let any = self.b.reduce_or(value);
            self.b.resize(any, 1, Extend::Zero)
        });
        match op {
            Op::LogicAnd => self.b.and(a, b),
            _ => self.b.or(a, b),
        }
    }

    fn lower_reduction(&mut self, at: &At, op: Op) -> CellId {
        let a = self.whole(at, name!("A"));
        match op {
            Op::ReduceAnd if self.b.width(a) == 1 => a,
            Op::ReduceAnd => self.b.reduce_and(a),
            Op::ReduceOr if self.b.width(a) == 0 => self.b.zero(1),
            Op::ReduceOr => self.b.reduce_or(a),
            Op::LogicNot if self.b.width(a) == 1 => self.b.not(a),
            Op::LogicNot => self.b.is_zero(a),
            _ => {
                let odd = if self.b.width(a) == 1 {
                    a
                } else {
                    self.b.cell(crate::ir::CellKind::ReduceXor(a), 1)
                };
                if op == Op::ReduceXor {
                    odd
                } else {
                    self.b.not(odd)
                }
            }
        }
    }

    fn lower_shift(&mut self, at: &At, op: Op) -> CellId {
        let amount = self.whole(at, name!("B"));
        let extend = if op == Op::Shiftx {
            Extend::Zero
        } else {
            self.extension(at, false)
        };
        let width = match op {
            Op::Shl => at.width,
            _ => at.width.max(self.port_width(at, name!("A"))),
        };
        let a = self.operand(at, name!("A"), width, extend);
        let value = match op {
            Op::Shl => self.b.shl(a, amount),
            Op::Sshr if extend == Extend::Sign => self.b.shr_s(a, amount),
            Op::Shift | Op::Shiftx
                if self.is_true(at, name!("B_SIGNED")) && self.b.width(amount) > 0 =>
            {
                self.lower_two_way_shift(a, amount)
            }
            _ => self.b.shr_u(a, amount),
        };
        self.b.slice(value, 0, at.width)
    }

    /// Right by a signed amount, left when it is negative.
    fn lower_two_way_shift(&mut self, a: CellId, amount: CellId) -> CellId {
        let zero = self.b.zero(self.b.width(amount));
        let negated = self.b.sub(zero, amount);
        let negative = self.b.bit(amount, self.b.width(amount) - 1);
        let (left, right) = (self.b.shl(a, negated), self.b.shr_u(a, amount));
        self.b.mux(negative, left, right)
    }

    pub(super) fn is_true(&self, at: &At, parameter: Name) -> bool {
        params::flag(self.design, self.module(at.instance), at.cell, parameter)
    }

    fn lower_comparison(&mut self, at: &At, op: Op) -> CellId {
        let width = self
            .port_width(at, name!("A"))
            .max(self.port_width(at, name!("B")));
        let extend = self.extension(at, true);
        let a = self.operand(at, name!("A"), width, extend);
        let b = self.operand(at, name!("B"), width, extend);
        let less = |l: &mut Self, a, b| {
            if extend == Extend::Sign {
                l.b.lt_s(a, b)
            } else {
                l.b.lt_u(a, b)
            }
        };
        match op {
            Op::Eq => self.b.eq(a, b),
            Op::Lt => less(self, a, b),
            Op::Gt => less(self, b, a),
            _ => {
                let opposite = match op {
                    Op::Ne => self.b.eq(a, b),
                    Op::Le => less(self, b, a),
                    _ => less(self, a, b),
                };
                self.b.not(opposite)
            }
        }
    }

    fn lower_division(&mut self, at: &At, op: Op) -> CellId {
        let extend = self.extension(at, true);
        let signed = extend == Extend::Sign;
        let floor = signed && matches!(op, Op::DivFloor | Op::ModFloor);
        let widest = at
            .width
            .max(self.port_width(at, name!("A")))
            .max(self.port_width(at, name!("B")));
        let width = if floor { widest + 1 } else { widest };
        let a = self.operand(at, name!("A"), width, extend);
        let b = self.operand(at, name!("B"), width, extend);
        use crate::ir::CellKind::*;
        let kind = match (op, signed) {
            (Op::Div | Op::DivFloor, false) => DivU(a, b),
            (Op::Div, true) => DivS(a, b),
            (Op::Mod | Op::ModFloor, false) => RemU(a, b),
            (Op::Mod, true) => RemS(a, b),
            _ => return self.lower_floor(at, op, a, b, width),
        };
        let value = self.b.cell(kind, width);
        self.b.slice(value, 0, at.width)
    }

    /// Division towards minus infinity, from the one towards zero.
    fn lower_floor(&mut self, at: &At, op: Op, a: CellId, b: CellId, width: u32) -> CellId {
        let quotient = self.b.cell(crate::ir::CellKind::DivS(a, b), width);
        let remainder = self.b.cell(crate::ir::CellKind::RemS(a, b), width);
        let signs = self.b.xor(a, b);
        let opposite = self.b.bit(signs, width - 1);
        let inexact = self.b.reduce_or(remainder);
        let adjust = self.b.and(opposite, inexact);
        let value = if op == Op::DivFloor {
            let one = self.b.zero_extend(adjust, width);
            self.b.sub(quotient, one)
        } else {
            let shifted = self.b.add(remainder, b);
            self.b.mux(adjust, shifted, remainder)
        };
        self.b.slice(value, 0, at.width)
    }

    /// A negative exponent gives 0, but 1 for the base 1 and 1 or -1 for the base -1.
    fn lower_power(&mut self, at: &At) -> CellId {
        let extend = self.extension(at, false);
        let width = at.width.max(self.port_width(at, name!("A")));
        let a = self.operand(at, name!("A"), width, extend);
        let b = self.whole(at, name!("B"));
        let mut value = self.b.cell(crate::ir::CellKind::Pow(a, b), width);
        if self.is_true(at, name!("B_SIGNED")) && self.b.width(b) > 0 && width > 0 {
            let negative = self.b.bit(b, self.b.width(b) - 1);
            let (one, ones, zero) = (
                self.b.number(width, 1),
                self.b.ones(width),
                self.b.zero(width),
            );
            let is_one = self.b.eq(a, one);
            let mut special = zero;
            if extend == Extend::Sign {
                let odd = self.b.bit(b, 0);
                let is_minus_one = self.b.eq(a, ones);
                let sign = self.b.mux(odd, ones, one);
                special = self.b.mux(is_minus_one, sign, special);
            }
            special = self.b.mux(is_one, one, special);
            value = self.b.mux(negative, special, value);
        }
        self.b.slice(value, 0, at.width)
    }

    /// A tree of muxes, one level per select bit.
    fn lower_bmux(&mut self, at: &At) -> CellId {
        let a = self.whole(at, name!("A"));
        let select = self.whole(at, name!("S"));
        let word = |l: &mut Self, index: u32| {
            let low = index.saturating_mul(at.width).min(l.b.width(a));
            let part = l.b.slice(a, low, at.width.min(l.b.width(a) - low));
            l.b.resize(part, at.width, Extend::Zero)
        };
        let count = self.b.width(a).checked_div(at.width).unwrap_or(1).max(1);
        let mut words: Vec<CellId> = (0..count).map(|i| word(self, i)).collect();
        for level in 0..self.b.width(select) {
            let bit = self.b.bit(select, level);
            let zero = self.b.zero(at.width);
            let pairs = words
                .chunks(2)
                .map(|p| self.b.mux(bit, p.get(1).copied().unwrap_or(zero), p[0]));
            words = pairs.collect();
        }
        words[0]
    }

    fn lower_demux(&mut self, at: &At) -> CellId {
        let a = self.whole(at, name!("A"));
        let select = self.whole(at, name!("S"));
        let word = self.b.width(a);
        let zero = self.b.zero(word);
        let mut words = Vec::new();
        for index in 0..at.width.checked_div(word).unwrap_or(0) {
            let here = self.b.number(self.b.width(select), u64::from(index));
            let chosen = self.b.eq(select, here);
            words.push(self.b.mux(chosen, a, zero));
        }
        self.b.concat(&words)
    }

    /// Bit number `A` of the constant `LUT`.
    fn lower_table(&mut self, at: &At) -> CellId {
        let a = self.whole(at, name!("A"));
        let table =
            params::constant(self.design, self.module(at.instance), at.cell, name!("LUT")).value;
        let table = table.zext(table.width().max(1));
        let table = self.b.konst(table);
        let shifted = self.b.shr_u(table, a);
        self.b.slice(shifted, 0, 1)
    }

    /// The disjunction of products; two bits of `TABLE` per input say that it must be 0 or 1.
    fn lower_products(&mut self, at: &At) -> CellId {
        let a = self.whole(at, name!("A"));
        let width = self.b.width(a);
        let table = params::constant(
            self.design,
            self.module(at.instance),
            at.cell,
            name!("TABLE"),
        )
        .value;
        let mut any = self.b.zero(1);
        for product in 0..self.number(at, name!("DEPTH")).min(table.width()) {
            let base =
                (u64::from(product) * 2 * u64::from(width)).min(u64::from(u32::MAX / 2)) as u32;
            let must =
                |high: u32| Bits::from_bools((0..width).map(|i| table.bit(base + 2 * i + high)));
            let (low, high) = (must(0), must(1));
            let cared = low.or(&high);
            let contradicts = !low.and(&high).is_zero();
            if contradicts {
                continue;
            }
            let (cared, high) = (self.b.konst(cared), self.b.konst(high));
            let seen = self.b.and(a, cared);
            let matches = self.b.eq(seen, high);
            any = self.b.or(any, matches);
        }
        any
    }

    fn lower_gate_mux(&mut self, at: &At, selects: u8) -> CellId {
        const DATA: [Name; 16] = [
            name!("A"),
            name!("B"),
            name!("C"),
            name!("D"),
            name!("E"),
            name!("F"),
            name!("G"),
            name!("H"),
            name!("I"),
            name!("J"),
            name!("K"),
            name!("L"),
            name!("M"),
            name!("N"),
            name!("O"),
            name!("P"),
        ];
        const SELECT: [Name; 4] = [name!("S"), name!("T"), name!("U"), name!("V")];
        let mut words: Vec<CellId> = DATA[..1 << selects]
            .iter()
            .map(|p| self.bit_of(at, *p))
            .collect();
        for port in &SELECT[..selects as usize] {
            let select = self.bit_of(at, *port);
            words = words
                .chunks(2)
                .map(|p| self.b.mux(select, p[1], p[0]))
                .collect();
        }
        words[0]
    }

    fn lower_and_or_invert(&mut self, at: &At, op: Op) -> CellId {
        let [a, b, c, d] =
            [name!("A"), name!("B"), name!("C"), name!("D")].map(|p| self.bit_of(at, p));
        let value = match op {
            Op::Aoi3 | Op::Aoi4 => {
                let left = self.b.and(a, b);
                let right = if op == Op::Aoi4 { self.b.and(c, d) } else { c };
                self.b.or(left, right)
            }
            _ => {
                let left = self.b.or(a, b);
                let right = if op == Op::Oai4 { self.b.or(c, d) } else { c };
                self.b.and(left, right)
            }
        };
        self.b.not(value)
    }
}
