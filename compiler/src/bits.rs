//! Two-state constants of any width, with the arithmetic of the netlist.
//!
//! Bits above the width are always zero. Limbs are 64 bits, least significant first. Every operation
//! returns exactly the width that its doc comment names; callers extend first where they need more.

use std::fmt;

/// A two-state value of a fixed width.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bits {
    width: u32,
    limbs: Limbs,
}

/// One limb inline, more on the heap: nearly all constants are narrow.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Limbs {
    One([u64; 1]),
    Many(Box<[u64]>),
}

/// Number of 64-bit limbs that hold `width` bits (at least one).
pub fn limb_count(width: u32) -> usize {
    (width as usize).div_ceil(64).max(1)
}

/// The `width` lowest bits set, for `width` up to 64.
pub fn low_mask(width: u32) -> u64 {
    if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    }
}

impl Bits {
    /// All zero.
    pub fn zero(width: u32) -> Bits {
        let limbs = match limb_count(width) {
            1 => Limbs::One([0]),
            n => Limbs::Many(vec![0; n].into_boxed_slice()),
        };
        Bits { width, limbs }
    }

    /// All one.
    pub fn ones(width: u32) -> Bits {
        Bits::from_limbs(width, (0..limb_count(width)).map(|_| u64::MAX))
    }

    /// `value` cut or zero-extended to `width`.
    pub fn from_u64(width: u32, value: u64) -> Bits {
        Bits::from_limbs(width, [value])
    }

    /// One bit.
    pub fn from_bool(value: bool) -> Bits {
        Bits::from_u64(1, u64::from(value))
    }

    /// Limbs, least significant first; missing ones are zero, excess bits are cut.
    pub fn from_limbs(width: u32, limbs: impl IntoIterator<Item = u64>) -> Bits {
        let mut bits = Bits::zero(width);
        for (slot, limb) in bits.limbs_mut().iter_mut().zip(limbs) {
            *slot = limb;
        }
        bits.trim();
        bits
    }

    /// Bits, least significant first.
    pub fn from_bools(bools: impl IntoIterator<Item = bool>) -> Bits {
        let bools: Vec<bool> = bools.into_iter().collect();
        let mut bits = Bits::zero(bools.len() as u32);
        for (i, _) in bools.iter().enumerate().filter(|(_, b)| **b) {
            bits.limbs_mut()[i / 64] |= 1 << (i % 64);
        }
        bits
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Limbs, least significant first; bits above the width are zero.
    pub fn limbs(&self) -> &[u64] {
        match &self.limbs {
            Limbs::One(one) => one,
            Limbs::Many(many) => many,
        }
    }

    fn limbs_mut(&mut self) -> &mut [u64] {
        match &mut self.limbs {
            Limbs::One(one) => one,
            Limbs::Many(many) => many,
        }
    }

    fn trim(&mut self) {
        let width = self.width;
        if width == 0 {
            self.limbs_mut()[0] = 0;
        } else if !width.is_multiple_of(64) {
            let last = limb_count(width) - 1;
            self.limbs_mut()[last] &= low_mask(width % 64);
        }
    }

    /// Bit `index`; false above the width.
    pub fn bit(&self, index: u32) -> bool {
        index < self.width && self.limbs()[index as usize / 64] >> (index % 64) & 1 == 1
    }

    /// The same value with bit `index` set to `value`.
    pub fn with_bit(mut self, index: u32, value: bool) -> Bits {
        assert!(index < self.width);
        let limb = &mut self.limbs_mut()[index as usize / 64];
        *limb = *limb & !(1 << (index % 64)) | u64::from(value) << (index % 64);
        self
    }

    /// True when no bit is set.
    pub fn is_zero(&self) -> bool {
        self.limbs().iter().all(|l| *l == 0)
    }

    /// True when every bit is set (also at width 0).
    pub fn is_ones(&self) -> bool {
        *self == Bits::ones(self.width)
    }

    /// The value when it fits 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        self.limbs()[1..]
            .iter()
            .all(|l| *l == 0)
            .then(|| self.limbs()[0])
    }

    /// The value, or `u64::MAX` when it does not fit: for shift amounts and addresses.
    pub fn to_u64_saturating(&self) -> u64 {
        self.to_u64().unwrap_or(u64::MAX)
    }

    /// The top bit (false at width 0).
    pub fn sign(&self) -> bool {
        self.width > 0 && self.bit(self.width - 1)
    }

    /// Number of leading zero bits within the width.
    pub fn leading_zeros(&self) -> u32 {
        (0..self.width).rev().take_while(|i| !self.bit(*i)).count() as u32
    }

    /// Bits `lo .. lo + width`; bits above this value's width read as zero.
    pub fn slice(&self, lo: u32, width: u32) -> Bits {
        let (skip, shift) = (lo as usize / 64, lo % 64);
        let limb = |i: usize| self.limbs().get(i).copied().unwrap_or(0);
        let at = |i: usize| match shift {
            0 => limb(i),
            _ => limb(i) >> shift | limb(i + 1) << (64 - shift),
        };
        Bits::from_limbs(width, (0..limb_count(width)).map(|i| at(skip + i)))
    }

    /// Zero-extended or cut to `width`.
    pub fn zext(&self, width: u32) -> Bits {
        Bits::from_limbs(width, self.limbs().iter().copied())
    }

    /// Sign-extended or cut to `width`.
    pub fn sext(&self, width: u32) -> Bits {
        if !self.sign() || width <= self.width {
            return self.zext(width);
        }
        self.zext(width)
            .or(&Bits::ones(width).shl(u64::from(self.width)))
    }

    /// `self` as the low part, `high` above it.
    pub fn concat(&self, high: &Bits) -> Bits {
        let width = self.width + high.width;
        self.zext(width)
            .or(&high.zext(width).shl(u64::from(self.width)))
    }

    fn zip(&self, other: &Bits, f: impl Fn(u64, u64) -> u64) -> Bits {
        assert_eq!(self.width, other.width, "operands of different widths");
        Bits::from_limbs(
            self.width,
            self.limbs()
                .iter()
                .zip(other.limbs())
                .map(|(a, b)| f(*a, *b)),
        )
    }

    /// Bitwise not, same width.
    pub fn not(&self) -> Bits {
        Bits::from_limbs(self.width, self.limbs().iter().map(|l| !l))
    }

    /// Bitwise and of equal widths.
    pub fn and(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a & b)
    }

    /// Bitwise or of equal widths.
    pub fn or(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a | b)
    }

    /// Bitwise exclusive or of equal widths.
    pub fn xor(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a ^ b)
    }

    /// Sum of equal widths, modulo 2^width.
    pub fn add(&self, other: &Bits) -> Bits {
        assert_eq!(self.width, other.width, "operands of different widths");
        let mut carry = false;
        let sum = self.limbs().iter().zip(other.limbs()).map(|(a, b)| {
            let (s, c1) = a.overflowing_add(*b);
            let (s, c2) = s.overflowing_add(u64::from(carry));
            carry = c1 || c2;
            s
        });
        Bits::from_limbs(self.width, sum.collect::<Vec<_>>())
    }

    /// Two's complement, same width.
    pub fn neg(&self) -> Bits {
        self.not().add(&Bits::from_u64(self.width, 1))
    }

    /// Difference of equal widths, modulo 2^width.
    pub fn sub(&self, other: &Bits) -> Bits {
        self.add(&other.neg())
    }

    /// Product of equal widths, modulo 2^width.
    pub fn mul(&self, other: &Bits) -> Bits {
        assert_eq!(self.width, other.width, "operands of different widths");
        let n = limb_count(self.width);
        let mut out = vec![0u64; n];
        for (i, a) in self.limbs().iter().enumerate() {
            let mut carry = 0u128;
            for (j, b) in other.limbs().iter().take(n - i).enumerate() {
                let t = u128::from(*a) * u128::from(*b) + u128::from(out[i + j]) + carry;
                out[i + j] = t as u64;
                carry = t >> 64;
            }
        }
        Bits::from_limbs(self.width, out)
    }

    /// Unsigned quotient and remainder of equal widths; `None` when `other` is zero.
    pub fn div_rem(&self, other: &Bits) -> Option<(Bits, Bits)> {
        assert_eq!(self.width, other.width, "operands of different widths");
        if other.is_zero() {
            return None;
        }
        if let (Some(a), Some(b)) = (self.to_u64(), other.to_u64()) {
            return Some((
                Bits::from_u64(self.width, a / b),
                Bits::from_u64(self.width, a % b),
            ));
        }
        // One bit more than the operands, so that the shifted remainder never overflows.
        let wide = other.zext(self.width + 1);
        let mut rem = Bits::zero(self.width + 1);
        let mut quot = Bits::zero(self.width);
        for i in (0..self.width).rev() {
            rem = rem.shl(1);
            rem.limbs_mut()[0] |= u64::from(self.bit(i));
            if !rem.lt_u(&wide) {
                rem = rem.sub(&wide);
                quot = quot.with_bit(i, true);
            }
        }
        Some((quot, rem.zext(self.width)))
    }

    /// Signed quotient, towards zero; `None` when `other` is zero.
    pub fn div_signed(&self, other: &Bits) -> Option<Bits> {
        let (quot, _) = self.abs().div_rem(&other.abs())?;
        Some(if self.sign() == other.sign() {
            quot
        } else {
            quot.neg()
        })
    }

    /// Signed remainder with the sign of `self`; `None` when `other` is zero.
    pub fn rem_signed(&self, other: &Bits) -> Option<Bits> {
        let (_, rem) = self.abs().div_rem(&other.abs())?;
        Some(if self.sign() { rem.neg() } else { rem })
    }

    fn abs(&self) -> Bits {
        if self.sign() {
            self.neg()
        } else {
            self.clone()
        }
    }

    /// `self` to the power of the unsigned `exponent`, modulo 2^width.
    pub fn pow(&self, exponent: &Bits) -> Bits {
        let mut result = Bits::from_u64(self.width, 1);
        let mut base = self.clone();
        for i in 0..exponent.width {
            if exponent.bit(i) {
                result = result.mul(&base);
            }
            base = base.mul(&base);
        }
        result
    }

    /// Shifted left by `amount`, zeros from below.
    pub fn shl(&self, amount: u64) -> Bits {
        if amount >= u64::from(self.width) {
            return Bits::zero(self.width);
        }
        let (skip, shift) = (amount as usize / 64, amount % 64);
        let limb = |i: usize| i.checked_sub(skip).map_or(0, |i| self.limbs()[i]);
        let at = |i: usize| match shift {
            0 => limb(i),
            _ => {
                limb(i) << shift
                    | if i == 0 {
                        0
                    } else {
                        limb(i - 1) >> (64 - shift)
                    }
            }
        };
        Bits::from_limbs(self.width, (0..limb_count(self.width)).map(at))
    }

    /// Shifted right by `amount`, zeros from above.
    pub fn shr(&self, amount: u64) -> Bits {
        match u32::try_from(amount) {
            Ok(amount) if amount < self.width => self.slice(amount, self.width),
            _ => Bits::zero(self.width),
        }
    }

    /// Shifted right by `amount`, the sign from above.
    pub fn shr_signed(&self, amount: u64) -> Bits {
        let amount = amount.min(u64::from(self.width));
        if !self.sign() {
            return self.shr(amount);
        }
        self.not().shr(amount).not()
    }

    /// Unsigned less-than of equal widths.
    pub fn lt_u(&self, other: &Bits) -> bool {
        assert_eq!(self.width, other.width, "operands of different widths");
        self.limbs().iter().rev().lt(other.limbs().iter().rev())
    }

    /// Signed less-than of equal widths.
    pub fn lt_s(&self, other: &Bits) -> bool {
        if self.sign() != other.sign() {
            self.sign()
        } else {
            self.lt_u(other)
        }
    }

    /// Exclusive or of all bits.
    pub fn parity(&self) -> bool {
        self.limbs().iter().map(|l| l.count_ones()).sum::<u32>() % 2 == 1
    }

    /// Hexadecimal digits, without prefix; at least one.
    pub fn to_hex(&self) -> String {
        let digits = (self.width as usize).div_ceil(4).max(1);
        (0..digits as u32)
            .rev()
            .map(|i| {
                char::from_digit(self.slice(i * 4, 4).limbs()[0] as u32, 16).expect("a nibble")
            })
            .collect()
    }

    /// Parses hexadecimal digits; `None` on another character or when a set bit does not fit.
    pub fn from_hex(width: u32, text: &str) -> Option<Bits> {
        let digits: Vec<u64> = text
            .chars()
            .rev()
            .filter(|c| *c != '_')
            .map(|c| c.to_digit(16).map(u64::from))
            .collect::<Option<_>>()?;
        let mut limbs = vec![0u64; digits.len().div_ceil(16)];
        for (i, d) in digits.iter().enumerate() {
            limbs[i / 16] |= d << (i % 16 * 4);
        }
        let full = Bits::from_limbs((limbs.len() as u32 * 64).max(width), limbs);
        let cut = full.zext(width);
        (cut.zext(full.width) == full).then_some(cut)
    }
}

/// `8'hff`: width, then hexadecimal digits.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h{}", self.width, self.to_hex())
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn b(width: u32, v: u128) -> Bits {
        Bits::from_limbs(width, [v as u64, (v >> 64) as u64])
    }

    #[test]
    fn arithmetic_matches_u128() {
        let values = [
            0u128,
            1,
            2,
            7,
            0xffff_ffff,
            u64::MAX as u128,
            1 << 64,
            (1 << 100) - 3,
            (1 << 99) + 12345,
        ];
        let mask = (1u128 << 100) - 1;
        for x in values {
            for y in values {
                let (a, c) = (b(100, x), b(100, y));
                assert_eq!(a.add(&c), b(100, x.wrapping_add(y) & mask));
                assert_eq!(a.sub(&c), b(100, x.wrapping_sub(y) & mask));
                assert_eq!(a.mul(&c), b(100, x.wrapping_mul(y) & mask));
                assert_eq!(a.lt_u(&c), x < y);
                let expected = x.checked_div(y).map(|q| (b(100, q), b(100, x % y)));
                assert_eq!(a.div_rem(&c), expected);
            }
            for s in [0u32, 1, 63, 64, 65, 99] {
                assert_eq!(b(100, x).shl(s.into()), b(100, (x << s) & mask));
                assert_eq!(b(100, x).shr(s.into()), b(100, x >> s));
            }
        }
    }

    #[test]
    fn signed_operations() {
        let minus = |v: u128| b(70, v).neg();
        assert_eq!(minus(7).div_signed(&b(70, 2)), Some(minus(3)));
        assert_eq!(minus(7).rem_signed(&b(70, 2)), Some(minus(1)));
        assert_eq!(minus(8).shr_signed(1), minus(4));
        assert!(minus(1).lt_s(&b(70, 0)));
        assert_eq!(b(3, 5).sext(70), minus(3));
    }

    #[test]
    fn hex_round_trip() {
        assert_eq!(
            Bits::from_hex(70, "3f_ffff_ffff_ffff_ffff"),
            Some(Bits::ones(70))
        );
        assert_eq!(Bits::from_hex(70, "7fffffffffffffffff"), None);
        assert_eq!(b(9, 0x1ff).to_string(), "9'h1ff");
    }
}
