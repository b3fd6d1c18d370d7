//! Two-state values of any width, as they go in and out of a model.
//!
//! Limbs are 64 bits, least significant first; bits above the width are always zero.

use std::fmt;

/// A two-state value of a fixed width in bits.
///
/// `{}` shows it in decimal (unsigned), `{:x}` `{:X}` `{:o}` `{:b}` in the other bases with one digit for
/// each started group of bits, so that `{:x}` of a 12-bit 5 is `005`.
///
/// ```
/// use rtlwasm_host::Value;
/// let v = Value::parse("0x1_0000_0000_0000_0001", 68)?;
/// assert_eq!(v.to_string(), "18446744073709551617");
/// assert_eq!(format!("{v:x}"), "10000000000000001");
/// assert_eq!(Value::from_u64(12, 5).to_u64(), Some(5));
/// # Ok::<(), rtlwasm_host::ParseValueError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value {
    width: u32,
    limbs: Vec<u64>,
}

/// A text that is no value of the width asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseValueError {
    /// Not a number.
    #[error("`{text}` is not a number: write 42, -1, 0x2a, 0b101, 0o52 or 8'h2a")]
    Syntax {
        /// What was given.
        text: String,
    },
    /// It needs more bits.
    #[error("`{text}` needs {needed} bits, and there are {width}")]
    TooWide {
        /// What was given.
        text: String,
        /// Bits that it needs.
        needed: u32,
        /// Bits that there are.
        width: u32,
    },
}

/// Number of 64-bit limbs that hold `width` bits (at least one).
pub(crate) fn limb_count(width: u32) -> usize {
    (width as usize).div_ceil(64).max(1)
}

/// The `width` lowest bits set, for `width` up to 64.
pub(crate) fn low_mask(width: u32) -> u64 {
    if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    }
}

impl Value {
    /// Zero.
    pub fn zero(width: u32) -> Value {
        Value {
            width,
            limbs: vec![0; limb_count(width)],
        }
    }

    /// `value` cut or zero-extended to `width` bits.
    pub fn from_u64(width: u32, value: u64) -> Value {
        Value::from_limbs(width, &[value])
    }

    /// Limbs, least significant first; missing ones are zero, excess bits are cut.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Value {
        let mut value = Value::zero(width);
        for (to, from) in value.limbs.iter_mut().zip(limbs) {
            *to = *from;
        }
        value.trim();
        value
    }

    /// Reads a number and fits it into `width` bits: decimal (a minus is two's complement), `0x`, `0o`, `0b`,
    /// or Verilog's `8'hff`, whose own width must not exceed `width`. `_` may separate digits.
    pub fn parse(text: &str, width: u32) -> Result<Value, ParseValueError> {
        let syntax = || ParseValueError::Syntax {
            text: text.to_string(),
        };
        let too_wide = |needed| ParseValueError::TooWide {
            text: text.to_string(),
            needed,
            width,
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (base, digits) = split_base(digits).ok_or_else(syntax)?;
        let limbs = digits_to_limbs(digits, base).ok_or_else(syntax)?;
        let needed = bit_length(&limbs);
        if !negative {
            if needed > width {
                return Err(too_wide(needed));
            }
            return Ok(Value::from_limbs(width, &limbs));
        }
        let magnitude = Value::from_limbs(needed.max(width), &limbs);
        let negated = magnitude.negated();
        // -2^(n-1) is the one negative number that fits n bits although its magnitude has n.
        let minimum =
            needed > 0 && negated.bit(needed - 1) && magnitude.trailing_zeros() == needed - 1;
        let signed_bits = if needed == 0 || minimum {
            needed
        } else {
            needed + 1
        };
        if signed_bits > width {
            return Err(too_wide(signed_bits));
        }
        Ok(Value::from_limbs(width, &negated.limbs))
    }

    /// Hexadecimal digits without a prefix, as the manifest has them.
    pub(crate) fn from_hex(digits: &str, width: u32) -> Option<Value> {
        let limbs = digits_to_limbs(digits, 16)?;
        (bit_length(&limbs) <= width).then(|| Value::from_limbs(width, &limbs))
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Limbs, least significant first; bits above the width are zero.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// The value when it fits 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        self.limbs[1..]
            .iter()
            .all(|limb| *limb == 0)
            .then(|| self.limbs[0])
    }

    /// Bit `index` (0 is the least significant one); false above the width.
    pub fn bit(&self, index: u32) -> bool {
        index < self.width && self.limbs[index as usize / 64] >> (index % 64) & 1 == 1
    }

    /// True when no bit is set.
    pub fn is_zero(&self) -> bool {
        self.limbs.iter().all(|limb| *limb == 0)
    }

    /// Every bit inverted.
    pub fn inverted(&self) -> Value {
        let limbs: Vec<u64> = self.limbs.iter().map(|limb| !limb).collect();
        Value::from_limbs(self.width, &limbs)
    }

    /// Two's complement in the same width.
    pub fn negated(&self) -> Value {
        let mut value = self.inverted();
        for limb in &mut value.limbs {
            let (sum, carry) = limb.overflowing_add(1);
            *limb = sum;
            if !carry {
                break;
            }
        }
        value.trim();
        value
    }

    /// Decimal text; a signed value with its top bit set is negative.
    pub fn to_decimal(&self, signed: bool) -> String {
        if signed && self.width > 0 && self.bit(self.width - 1) {
            return format!("-{}", decimal(&self.negated().limbs));
        }
        decimal(&self.limbs)
    }

    /// Bits `lo .. lo + width`; bits above this value's width read as zero.
    pub(crate) fn slice(&self, lo: u32, width: u32) -> Value {
        let (skip, shift) = (lo as usize / 64, lo % 64);
        let limb = |i: usize| self.limbs.get(i).copied().unwrap_or(0);
        let at = |i: usize| match shift {
            0 => limb(i),
            _ => limb(i) >> shift | limb(i + 1) << (64 - shift),
        };
        let limbs: Vec<u64> = (0..limb_count(width)).map(|i| at(skip + i)).collect();
        Value::from_limbs(width, &limbs)
    }

    /// Sets bits `lo .. lo + part.width()`, which must lie within the width.
    pub(crate) fn insert(&mut self, lo: u32, part: &Value) {
        let (skip, shift) = (lo as usize / 64, lo % 64);
        for (i, limb) in part.limbs.iter().enumerate() {
            let mask = low_mask(part.width.saturating_sub(i as u32 * 64).min(64));
            self.limbs[skip + i] = self.limbs[skip + i] & !(mask << shift) | limb << shift;
            if shift > 0 && mask >> (64 - shift) != 0 {
                let high = &mut self.limbs[skip + i + 1];
                *high = *high & !(mask >> (64 - shift)) | limb >> (64 - shift);
            }
        }
    }

    fn trailing_zeros(&self) -> u32 {
        (0..self.width).take_while(|i| !self.bit(*i)).count() as u32
    }

    fn trim(&mut self) {
        if self.width == 0 {
            self.limbs[0] = 0;
        } else if !self.width.is_multiple_of(64) {
            *self.limbs.last_mut().expect("at least one limb") &= low_mask(self.width % 64);
        }
    }

    /// One digit for each started group of `bits`, the highest first.
    fn digits(&self, bits: u32, upper: bool) -> String {
        let digit = |i| {
            let value = self.slice(i * bits, bits).limbs[0] as u32;
            char::from_digit(value, 1 << bits).expect("below the base")
        };
        let text: String = (0..self.width.max(1).div_ceil(bits))
            .rev()
            .map(digit)
            .collect();
        if upper { text.to_uppercase() } else { text }
    }
}

/// The base and the digits of a number without its sign.
fn split_base(text: &str) -> Option<(u32, &str)> {
    if let Some((width, rest)) = text.split_once('\'') {
        let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest);
        let base = match rest.chars().next()?.to_ascii_lowercase() {
            'h' => 16,
            'd' => 10,
            'o' => 8,
            'b' => 2,
            _ => return None,
        };
        let limbs = digits_to_limbs(&rest[1..], base)?;
        let fits = width.is_empty() || bit_length(&limbs) <= width.parse().ok()?;
        return fits.then_some((base, &rest[1..]));
    }
    let prefixes = [
        ("0x", 16),
        ("0X", 16),
        ("0b", 2),
        ("0B", 2),
        ("0o", 8),
        ("0O", 8),
    ];
    let found = prefixes
        .iter()
        .find_map(|(prefix, base)| Some((*base, text.strip_prefix(prefix)?)));
    Some(found.unwrap_or((10, text)))
}

fn digits_to_limbs(digits: &str, base: u32) -> Option<Vec<u64>> {
    let mut limbs = vec![0u64];
    let mut any = false;
    for c in digits.chars().filter(|c| *c != '_') {
        let mut carry = u128::from(c.to_digit(base)?);
        any = true;
        for limb in &mut limbs {
            let product = u128::from(*limb) * u128::from(base) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
    }
    any.then_some(limbs)
}

fn bit_length(limbs: &[u64]) -> u32 {
    let top = limbs.iter().rposition(|limb| *limb != 0);
    top.map_or(0, |i| i as u32 * 64 + 64 - limbs[i].leading_zeros())
}

fn decimal(limbs: &[u64]) -> String {
    const CHUNK: u64 = 10_000_000_000_000_000_000;
    let mut rest = limbs.to_vec();
    let mut chunks = Vec::new();
    while rest.iter().any(|limb| *limb != 0) {
        let mut remainder = 0u128;
        for limb in rest.iter_mut().rev() {
            let part = remainder << 64 | u128::from(*limb);
            *limb = (part / u128::from(CHUNK)) as u64;
            remainder = part % u128::from(CHUNK);
        }
        chunks.push(remainder as u64);
    }
    let mut text = chunks.pop().unwrap_or(0).to_string();
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:019}"));
    }
    text
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(true, "", &decimal(&self.limbs))
    }
}

impl fmt::LowerHex for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(true, "0x", &self.digits(4, false))
    }
}

impl fmt::UpperHex for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(true, "0x", &self.digits(4, true))
    }
}

impl fmt::Octal for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(true, "0o", &self.digits(3, false))
    }
}

impl fmt::Binary for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(true, "0b", &self.digits(1, false))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h{:x}", self.width, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_notation() {
        for text in ["42", "0x2a", "0b101010", "0o52", "8'h2A", "'d42", "4_2"] {
            assert_eq!(
                Value::parse(text, 8).map(|v| v.to_u64()),
                Ok(Some(42)),
                "{text}"
            );
        }
        for text in ["", "-", "0x", "zz", "8'q1", "2'h7", "1.5"] {
            assert!(
                matches!(Value::parse(text, 8), Err(ParseValueError::Syntax { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(Value::parse("255", 8).is_ok());
        let needed = |text: &str, width| match Value::parse(text, width) {
            Err(ParseValueError::TooWide { needed, .. }) => needed,
            other => panic!("{other:?}"),
        };
        assert_eq!(needed("256", 8), 9);
        assert_eq!(needed("-129", 8), 9);
        assert_eq!(needed("-1", 0), 1);
        assert_eq!(Value::parse("-128", 8).map(|v| v.to_u64()), Ok(Some(128)));
        assert_eq!(
            Value::parse("-1", 70).map(|v| format!("{v:x}")),
            Ok("3fffffffffffffffff".into())
        );
        assert_eq!(Value::parse("-1", 1).map(|v| v.to_u64()), Ok(Some(1)));
    }

    #[test]
    fn decimal_of_wide_values() {
        let v = Value::parse("340282366920938463463374607431768211455", 128).expect("fits");
        assert_eq!(v.limbs(), [u64::MAX, u64::MAX]);
        assert_eq!(
            v.to_decimal(false),
            "340282366920938463463374607431768211455"
        );
        assert_eq!(v.to_decimal(true), "-1");
        assert_eq!(
            Value::parse("100000000000000000000", 70).map(|v| v.to_string()),
            Ok("1".to_string() + &"0".repeat(20))
        );
    }

    #[test]
    fn slice_and_insert_agree() {
        let mut v = Value::zero(200);
        for lo in [0, 1, 60, 63, 64, 100, 130] {
            let part = Value::parse("0x15a5a_5a5a5_a5a5a5", 70).expect("fits");
            v.insert(lo, &part);
            assert_eq!(v.slice(lo, 70), part, "at {lo}");
        }
        assert_eq!(format!("{:b}", Value::from_u64(3, 5)), "101");
        assert_eq!(format!("{:o}", Value::from_u64(7, 0o112)), "112");
    }
}
