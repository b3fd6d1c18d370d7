//! Splits every value wider than 64 bits into 64-bit limbs, so that the emitter works on machine words.
//!
//! In: any netlist. Out: a netlist in which each cell wider than 64 bits is one of
//! * `Input`, `Random`, `MemRead`, `Mul`, `DivU/S`, `RemU/S`, `Pow`, `Shl`, `ShrU/S`: kept whole, with
//!   whole operands of their own width (shift amounts and addresses are at most 64 bits wide);
//! * `Concat` of limbs, each 64 bits but the last: an operand of those, or a root.
//!
//! A whole value is only read by `Slice` at limb boundaries. Registers, latches and cut loops are
//! split; names become concatenations of their limbs. The next value of a register with an
//! asynchronous load takes the load in, so that a clock edge under an active load needs no second look.

use crate::arena::SideTable;
use crate::bits::limb_count;
use crate::ir::*;

/// Widest value of a machine word.
pub const LIMB: u32 = 64;

/// Runs the pass.
pub fn run(old: &Netlist) -> Netlist {
    let mut pass = Legalize::new(old);
    for id in old.cells.ids() {
        pass.new.origin = old.origins[id];
        let limbs = pass.limbs_of_cell(id);
        debug_assert_eq!(limbs.len(), limb_count(old.width(id)));
        pass.limbs[id] = limbs.into();
    }
    pass.finish()
}

struct Legalize<'a> {
    old: &'a Netlist,
    new: Builder,
    /// The limbs of every old cell, low first; one for narrow cells.
    limbs: SideTable<Cell, Box<[CellId]>>,
    /// New registers, latches and loop cuts of each old one.
    registers: Vec<Vec<RegisterId>>,
    latches: Vec<Vec<LatchId>>,
    loops: Vec<Vec<LoopId>>,
}

impl<'a> Legalize<'a> {
    fn new(old: &'a Netlist) -> Self {
        let mut new = Builder::folding(old.top.clone());
        new.netlist.inputs = old.inputs.clone();
        new.netlist.triggers = old.triggers.clone();
        new.netlist.memories = old.memories.clone();
        new.netlist.randoms = old.randoms.clone();
        new.netlist.effects = old.effects.clone();
        new.netlist.signals = old.signals.clone();
        new.netlist.scopes = old.scopes.clone();
        new.netlist.sources = old.sources.clone();
        new.netlist.types = old.types.clone();
        let limbs = SideTable::new(&old.cells, Box::default());
        let mut pass = Legalize {
            old,
            new,
            limbs,
            registers: Vec::new(),
            latches: Vec::new(),
            loops: Vec::new(),
        };
        pass.split_state();
        pass
    }

    fn split_state(&mut self) {
        let unset = CellId::new(0);
        for r in self.old.registers.values() {
            let limb = |(low, width)| Register {
                width,
                init: r.init.slice(low, width),
                init_defined: r.init_defined.slice(low, width),
                draw: r.draw + u64::from(low),
                clocks: r.clocks.clone(),
                next: unset,
                load: None,
                origin: r.origin,
            };
            self.registers.push(
                spans(r.width)
                    .map(|s| self.new.netlist.registers.push(limb(s)))
                    .collect(),
            );
        }
        for l in self.old.latches.values() {
            let limb = |(low, width)| Latch {
                width,
                init: l.init.slice(low, width),
                init_defined: l.init_defined.slice(low, width),
                draw: l.draw + u64::from(low),
                value: unset,
                origin: l.origin,
            };
            self.latches.push(
                spans(l.width)
                    .map(|s| self.new.netlist.latches.push(limb(s)))
                    .collect(),
            );
        }
        for l in self.old.loops.values() {
            let limb = |(_, width)| LoopCut {
                width,
                value: unset,
                origin: l.origin,
            };
            self.loops.push(
                spans(l.width)
                    .map(|s| self.new.netlist.loops.push(limb(s)))
                    .collect(),
            );
        }
    }

    fn finish(mut self) -> Netlist {
        for (id, r) in self.old.registers.iter() {
            for (i, limb) in self.registers[id.index()].clone().into_iter().enumerate() {
                let mut next = self.limbs[r.next][i];
                if let Some(load) = r.load {
                    let (when, value) = (self.narrow(load.when), self.limbs[load.value][i]);
                    next = self.new.mux(when, value, next);
                    let load = AsyncLoad {
                        when,
                        value,
                        trigger: load.trigger,
                    };
                    self.new.netlist.registers[limb].load = Some(load);
                }
                self.new.netlist.registers[limb].next = next;
            }
        }
        for (id, l) in self.old.latches.iter() {
            for (i, limb) in self.latches[id.index()].iter().enumerate() {
                self.new.netlist.latches[*limb].value = self.limbs[l.value][i];
            }
        }
        for (id, l) in self.old.loops.iter() {
            for (i, limb) in self.loops[id.index()].iter().enumerate() {
                self.new.netlist.loops[*limb].value = self.limbs[l.value][i];
            }
        }
        let hidden = self.old.hidden.iter();
        let hidden = hidden.map(|(r, cell)| (self.registers[r.index()][0], self.narrow(*cell)));
        self.new.netlist.hidden = hidden.collect();
        self.map_whole_roots();
        self.new.finish()
    }

    /// Roots that take values of any width: triggers, memory ports, effects and names.
    fn map_whole_roots(&mut self) {
        let old = self.old;
        for (id, trigger) in old.triggers.iter() {
            self.new.netlist.triggers[id].net = self.narrow(trigger.net);
        }
        for (id, memory) in old.memories.iter() {
            for (i, port) in memory.writes.iter().enumerate() {
                let mapped = WritePort {
                    clocks: port.clocks.clone(),
                    enable: self.narrow(port.enable),
                    address: self.saturated(port.address),
                    data: self.whole(port.data),
                    mask: self.whole(port.mask),
                    origin: port.origin,
                };
                self.new.netlist.memories[id].writes[i] = mapped;
            }
        }
        for (i, effect) in old.effects.iter().enumerate() {
            self.new.netlist.effects[i].enable = self.narrow(effect.enable);
            for (j, arg) in effect.args.iter().enumerate() {
                self.new.netlist.effects[i].args[j].value = self.whole(arg.value);
            }
        }
        for (id, signal) in old.signals.iter() {
            self.new.netlist.signals[id].value = match signal.value {
                SignalValue::Cell(c) => SignalValue::Cell(self.whole(c)),
                SignalValue::Memory(m) => SignalValue::Memory(m),
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => SignalValue::Inout {
                    input: self.whole(input),
                    output: self.resolved(input, output, enable),
                    enable: self.whole(enable),
                },
            };
        }
    }

    /// The level of an inout net: the design's where it drives, the host's elsewhere.
    fn resolved(&mut self, input: CellId, output: CellId, enable: CellId) -> CellId {
        let limbs = self.bitwise([input, output, enable], |b, [input, output, enable]| {
            let idle = b.not(enable);
            let (driven, held) = (b.and(output, enable), b.and(input, idle));
            b.or(driven, held)
        });
        self.join(&limbs, self.old.width(output))
    }

    /// The new cell of a narrow old one.
    fn narrow(&self, old: CellId) -> CellId {
        debug_assert!(self.old.width(old) <= LIMB);
        self.limbs[old][0]
    }

    /// The old cell's value as one new cell.
    fn whole(&mut self, old: CellId) -> CellId {
        let limbs = self.limbs[old].clone();
        self.join(&limbs, self.old.width(old))
    }

    /// Limbs as one cell: the whole value they were cut from, or their concatenation.
    fn join(&mut self, limbs: &[CellId], width: u32) -> CellId {
        if let [one] = limbs {
            return *one;
        }
        if let CellKind::Slice { value, low: 0 } = *self.new.kind(limbs[0])
            && self.new.width(value) == width
        {
            let of_value = |(i, limb): (usize, &CellId)| {
                *self.new.kind(*limb)
                    == CellKind::Slice {
                        value,
                        low: i as u32 * LIMB,
                    }
            };
            if limbs.iter().enumerate().all(of_value) {
                return value;
            }
        }
        self.new.intern(CellKind::Concat(limbs.into()), width)
    }

    /// An unsigned value of any width as one of at most 64 bits, all ones when it does not fit.
    fn saturated(&mut self, old: CellId) -> CellId {
        let limbs = self.limbs[old].clone();
        if limbs.len() == 1 {
            return limbs[0];
        }
        let mut high = self.new.zero(LIMB);
        for limb in &limbs[1..] {
            let limb = self.new.zero_extend(*limb, LIMB);
            high = self.new.or(high, limb);
        }
        let fits = self.new.is_zero(high);
        let ones = self.new.ones(LIMB);
        self.new.mux(fits, limbs[0], ones)
    }

    fn limbs_of_cell(&mut self, id: CellId) -> Vec<CellId> {
        use CellKind::*;
        let old = self.old;
        let Cell { kind, width } = &old.cells[id];
        let width = *width;
        match *kind {
            Const(ref bits) => spans(width)
                .map(|(lo, w)| self.new.konst(bits.slice(lo, w)))
                .collect(),
            Input(_) | Random(_) => self.slices_of_whole(kind.clone(), width),
            Register(r) => self.state_limbs(self.registers[r.index()].clone(), width, Register),
            Latch(l) => self.state_limbs(self.latches[l.index()].clone(), width, Latch),
            LoopCut(l) => self.state_limbs(self.loops[l.index()].clone(), width, LoopCut),
            MemRead { memory, address } => {
                let address = self.saturated(address);
                self.slices_of_whole(MemRead { memory, address }, width)
            }
            Not(a) => self.bitwise([a], |b, [a]| b.not(a)),
            And(a, b) => self.bitwise([a, b], |n, [a, b]| n.and(a, b)),
            Or(a, b) => self.bitwise([a, b], |n, [a, b]| n.or(a, b)),
            Xor(a, b) => self.bitwise([a, b], |n, [a, b]| n.xor(a, b)),
            Add(a, b) => self.add(a, b),
            Sub(a, b) => self.sub(a, b),
            Mul(a, b) => self.arithmetic(Mul, a, b, width),
            DivU(a, b) => self.arithmetic(DivU, a, b, width),
            DivS(a, b) => self.arithmetic(DivS, a, b, width),
            RemU(a, b) => self.arithmetic(RemU, a, b, width),
            RemS(a, b) => self.arithmetic(RemS, a, b, width),
            Pow(a, b) => self.pow(a, b, width),
            Shl(a, b) => self.shift(Shl, a, b, width),
            ShrU(a, b) => self.shift(ShrU, a, b, width),
            ShrS(a, b) => self.shift(ShrS, a, b, width),
            Eq(a, b) => vec![self.eq(a, b)],
            LtU(a, b) => vec![self.less(a, b, LtU)],
            LtS(a, b) => vec![self.less(a, b, LtS)],
            ReduceXor(a) => vec![self.reduce_xor(a)],
            Mux {
                select,
                on_true,
                on_false,
            } => {
                let select = self.narrow(select);
                self.bitwise([on_true, on_false], |n, [t, f]| n.mux(select, t, f))
            }
            Slice { value, low } => spans(width)
                .map(|(lo, w)| self.bits(value, low + lo, w))
                .collect(),
            Concat(ref parts) => self.concat(parts, width),
            ZeroExtend(a) => spans(width)
                .map(|(lo, w)| self.extended(a, lo, w, Extend::Zero))
                .collect(),
            SignExtend(a) => spans(width)
                .map(|(lo, w)| self.extended(a, lo, w, Extend::Sign))
                .collect(),
        }
    }

    /// The limbs of a cell that stays whole.
    fn slices_of_whole(&mut self, kind: CellKind, width: u32) -> Vec<CellId> {
        let whole = if width <= LIMB {
            self.new.cell(kind, width)
        } else {
            self.new.intern(kind, width)
        };
        spans(width)
            .map(|(lo, w)| self.new.slice(whole, lo, w))
            .collect()
    }

    fn state_limbs<T>(&mut self, ids: Vec<T>, width: u32, kind: fn(T) -> CellKind) -> Vec<CellId> {
        ids.into_iter()
            .zip(spans(width))
            .map(|(id, (_, w))| self.new.cell(kind(id), w))
            .collect()
    }

    fn bitwise<const N: usize>(
        &mut self,
        operands: [CellId; N],
        mut f: impl FnMut(&mut Builder, [CellId; N]) -> CellId,
    ) -> Vec<CellId> {
        let count = self.limbs[operands[0]].len();
        (0..count)
            .map(|i| f(&mut self.new, operands.map(|o| self.limbs[o][i])))
            .collect()
    }

    fn add(&mut self, a: CellId, b: CellId) -> Vec<CellId> {
        let (a, b) = (self.limbs[a].clone(), self.limbs[b].clone());
        let mut carry: Option<CellId> = None;
        let mut sums = Vec::with_capacity(a.len());
        for (x, y) in a.iter().zip(&b) {
            let partial = self.new.add(*x, *y);
            let overflow = self.new.lt_u(partial, *x);
            let Some(carry_in) = carry else {
                sums.push(partial);
                carry = Some(overflow);
                continue;
            };
            let carry_in = self.new.zero_extend(carry_in, self.new.width(partial));
            let sum = self.new.add(partial, carry_in);
            let again = self.new.lt_u(sum, partial);
            carry = Some(self.new.or(overflow, again));
            sums.push(sum);
        }
        sums
    }

    fn sub(&mut self, a: CellId, b: CellId) -> Vec<CellId> {
        let (a, b) = (self.limbs[a].clone(), self.limbs[b].clone());
        let mut borrow: Option<CellId> = None;
        let mut differences = Vec::with_capacity(a.len());
        for (x, y) in a.iter().zip(&b) {
            let partial = self.new.sub(*x, *y);
            let underflow = self.new.lt_u(*x, *y);
            let Some(borrow_in) = borrow else {
                differences.push(partial);
                borrow = Some(underflow);
                continue;
            };
            let borrow_in = self.new.zero_extend(borrow_in, self.new.width(partial));
            let again = self.new.lt_u(partial, borrow_in);
            differences.push(self.new.sub(partial, borrow_in));
            borrow = Some(self.new.or(underflow, again));
        }
        differences
    }

    fn arithmetic(
        &mut self,
        kind: fn(CellId, CellId) -> CellKind,
        a: CellId,
        b: CellId,
        width: u32,
    ) -> Vec<CellId> {
        let (a, b) = (self.whole(a), self.whole(b));
        self.slices_of_whole(kind(a, b), width)
    }

    /// Base and exponent are brought to one width; the low part of the wider power is the power.
    fn pow(&mut self, a: CellId, b: CellId, width: u32) -> Vec<CellId> {
        let common = width.max(self.old.width(b));
        let (a, b) = (self.widened(a, common), self.widened(b, common));
        let power = self.slices_of_whole(CellKind::Pow(a, b), common);
        spans(width)
            .zip(power)
            .map(|((_, w), limb)| self.new.slice(limb, 0, w))
            .collect()
    }

    fn widened(&mut self, old: CellId, width: u32) -> CellId {
        let limbs: Vec<CellId> = spans(width)
            .map(|(lo, w)| self.extended(old, lo, w, Extend::Zero))
            .collect();
        self.join(&limbs, width)
    }

    fn shift(
        &mut self,
        kind: fn(CellId, CellId) -> CellKind,
        a: CellId,
        b: CellId,
        width: u32,
    ) -> Vec<CellId> {
        let Some(amount) = self.old.constant(b) else {
            let (a, b) = (self.whole(a), self.saturated(b));
            return self.slices_of_whole(kind(a, b), width);
        };
        let amount = amount.to_u64_saturating().min(u64::from(width)) as u32;
        let spans = spans(width);
        match kind(a, a) {
            CellKind::Shl(..) => spans
                .map(|(lo, w)| self.shifted_left(a, amount, lo, w))
                .collect(),
            CellKind::ShrU(..) => spans
                .map(|(lo, w)| self.extended(a, lo + amount, w, Extend::Zero))
                .collect(),
            _ => spans
                .map(|(lo, w)| self.extended(a, lo + amount, w, Extend::Sign))
                .collect(),
        }
    }

    /// Bits `low .. low + width` of `a << amount`.
    fn shifted_left(&mut self, a: CellId, amount: u32, low: u32, width: u32) -> CellId {
        if low >= amount {
            return self.bits(a, low - amount, width);
        }
        let zeros = (amount - low).min(width);
        let below = self.new.zero(zeros);
        let above = self.bits(a, 0, width - zeros);
        self.new.concat(&[below, above])
    }

    fn eq(&mut self, a: CellId, b: CellId) -> CellId {
        let (a, b) = (self.limbs[a].clone(), self.limbs[b].clone());
        if let ([x], [y]) = (&*a, &*b) {
            return self.new.eq(*x, *y);
        }
        let mut differ = self.new.zero(LIMB);
        for (x, y) in a.iter().zip(&b) {
            let bits = self.new.xor(*x, *y);
            let bits = self.new.zero_extend(bits, LIMB);
            differ = self.new.or(differ, bits);
        }
        self.new.is_zero(differ)
    }

    fn less(&mut self, a: CellId, b: CellId, top: fn(CellId, CellId) -> CellKind) -> CellId {
        let (a, b) = (self.limbs[a].clone(), self.limbs[b].clone());
        let last = a.len() - 1;
        let mut less: Option<CellId> = None;
        for (i, (x, y)) in a.iter().zip(&b).enumerate() {
            let here = if i == last {
                self.new.cell(top(*x, *y), 1)
            } else {
                self.new.lt_u(*x, *y)
            };
            less = Some(match less {
                None => here,
                Some(below) => {
                    let same = self.new.eq(*x, *y);
                    self.new.mux(same, below, here)
                }
            });
        }
        less.expect("at least one limb")
    }

    fn reduce_xor(&mut self, a: CellId) -> CellId {
        let limbs = self.limbs[a].clone();
        let mut all = limbs[0];
        for limb in &limbs[1..] {
            let limb = self.new.zero_extend(*limb, LIMB);
            all = self.new.xor(all, limb);
        }
        self.new.cell(CellKind::ReduceXor(all), 1)
    }

    fn concat(&mut self, parts: &[CellId], width: u32) -> Vec<CellId> {
        let mut limbs = Vec::with_capacity(limb_count(width));
        let mut pending: Vec<CellId> = Vec::new();
        let mut pending_width = 0;
        for part in parts {
            let part_width = self.old.width(*part);
            let mut at = 0;
            while at < part_width {
                let take = (part_width - at).min(LIMB - pending_width);
                pending.push(self.bits(*part, at, take));
                pending_width += take;
                at += take;
                if pending_width == LIMB {
                    limbs.push(self.new.concat(&pending));
                    pending.clear();
                    pending_width = 0;
                }
            }
        }
        if pending_width > 0 || limbs.is_empty() {
            limbs.push(self.new.concat(&pending));
        }
        limbs
    }

    /// Bits `low .. low + width` (at most 64) of an old value that has them all.
    fn bits(&mut self, old: CellId, low: u32, width: u32) -> CellId {
        if width == 0 {
            return self.new.zero(0);
        }
        let limbs = &self.limbs[old];
        let (first, shift) = ((low / LIMB) as usize, low % LIMB);
        let (below, above) = (limbs[first], limbs.get(first + 1).copied());
        let here = width.min(self.new.width(below) - shift);
        let low_part = self.new.slice(below, shift, here);
        if here == width {
            return low_part;
        }
        let above = above.expect("the value has these bits");
        let high_part = self.new.slice(above, 0, width - here);
        self.new.concat(&[low_part, high_part])
    }

    /// Bits `low .. low + width` of an old value extended without end.
    fn extended(&mut self, old: CellId, low: u32, width: u32, extend: Extend) -> CellId {
        let have = self.old.width(old).saturating_sub(low).min(width);
        if have == width {
            return self.bits(old, low, width);
        }
        if have > 0 {
            let part = self.bits(old, low, have);
            return self.new.resize(part, width, extend);
        }
        match extend {
            Extend::Sign if self.old.width(old) > 0 => {
                let sign = self.bits(old, self.old.width(old) - 1, 1);
                self.new.repeat(sign, width)
            }
            _ => self.new.zero(width),
        }
    }
}

/// Low bit and width of each limb of a value; one empty limb for width 0.
fn spans(width: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
    (0..limb_count(width) as u32).map(move |i| (i * LIMB, (width - i * LIMB).min(LIMB)))
}
