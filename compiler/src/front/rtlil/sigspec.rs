//! Parsing of signals and constants: `\w [7:4]`, `{ \a 2'0x { \b \c } [3] }`.
//!
//! Slices are applied at once; what comes out is a list of chunks in the module's table.

use super::ast::*;
use super::lexer::Token;
use super::parser::{MAX_WIDTH, Parsed, Parser, parse_int, range};
use crate::bits::Bits;

impl Parser<'_, '_> {
    /// A signal, put into the module's table.
    pub(super) fn sig(&mut self) -> Parsed<Sig> {
        self.scratch.clear();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let first = self.scratch.len();
            let element = match self.token {
                Token::Mark(b'{') => {
                    open.push(first);
                    self.advance();
                    continue;
                }
                Token::Mark(b'}') if !open.is_empty() => {
                    self.advance();
                    open.pop().expect("checked")
                }
                Token::Id(_) => {
                    self.wire_element()?;
                    first
                }
                Token::Const(_) | Token::Int(_) => {
                    let id = self.constant()?;
                    let width = self.design.constant(id).width();
                    self.scratch.push(Chunk {
                        base: Base::Const(id),
                        offset: 0,
                        width,
                    });
                    first
                }
                _ if open.is_empty() => return Err(self.expected("a signal")),
                _ => return Err(self.expected("a signal or `}`")),
            };
            while self.token == Token::Mark(b'[') {
                self.slice(element)?;
            }
            if open.is_empty() {
                return Ok(self.store());
            }
        }
    }

    fn wire_element(&mut self) -> Parsed<()> {
        let at = self.at;
        let name = self.id()?;
        let Some(wire) = self.find_wire(name) else {
            let name = self.design.shown(name);
            return Err(self.error_at(at, format!("wire `{name}` is not declared")));
        };
        let width = self.module.wires[wire as usize].width;
        self.scratch.push(Chunk {
            base: Base::Wire(wire),
            offset: 0,
            width,
        });
        Ok(())
    }

    /// `[high:low]` or `[index]` on the chunks from `first` on.
    fn slice(&mut self, first: usize) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let high = self.size()?;
        let low = if self.token == Token::Mark(b':') {
            self.advance();
            self.size()?
        } else {
            high
        };
        if self.token != Token::Mark(b']') {
            return Err(self.expected("`]`"));
        }
        self.advance();
        let total: u64 = self.scratch[first..]
            .iter()
            .map(|c| u64::from(c.width))
            .sum();
        if low > high || u64::from(high) >= total {
            return Err(self.error_at(
                at,
                format!("bits [{high}:{low}] of a signal with {total} bits"),
            ));
        }
        cut(&mut self.scratch, first, total as u32, high, low);
        Ok(())
    }

    fn store(&mut self) -> Sig {
        let start = self.module.chunks.len();
        self.module
            .chunks
            .extend(self.scratch.iter().rev().filter(|c| c.width > 0));
        range(start, self.module.chunks.len())
    }
}

/// Keeps bits `low ..= high` of the chunks from `first` on, which stand highest first.
fn cut(chunks: &mut Vec<Chunk>, first: usize, total: u32, high: u32, low: u32) {
    let mut kept = first;
    let mut top = total;
    for index in first..chunks.len() {
        let chunk = chunks[index];
        let bottom = top - chunk.width;
        let (from, to) = (low.max(bottom), (high + 1).min(top));
        if from < to {
            chunks[kept] = Chunk {
                offset: chunk.offset + from - bottom,
                width: to - from,
                ..chunk
            };
            kept += 1;
        }
        top = bottom;
    }
    chunks.truncate(kept);
}

/// `8'01xz-`, or a decimal number of 32 bits; `None` when it is neither.
pub(super) fn parse_const(text: &str) -> Option<Const> {
    let Some((width, digits)) = text.split_once('\'') else {
        let value = parse_int(text)?;
        return Some(Const {
            value: Bits::from_u64(32, u64::from(value as u32)),
            other: None,
        });
    };
    let width: u32 = width.parse().ok().filter(|w| *w <= MAX_WIDTH)?;
    let digits = digits.strip_prefix('s').unwrap_or(digits).as_bytes();
    // Missing high bits repeat the highest digit, but a 1 is extended with zeros.
    let fill = match digits.first() {
        None => b'x',
        Some(b'1') => b'0',
        Some(digit) => *digit,
    };
    let digit = |index: u32| match (index as usize)
        .checked_add(1)
        .and_then(|n| digits.len().checked_sub(n))
    {
        Some(at) => digits[at],
        None => fill,
    };
    let mask = |wanted: &[u8]| Bits::from_bools((0..width).map(|i| wanted.contains(&digit(i))));
    let value = mask(b"1");
    if digits.contains(&b's') {
        return None;
    }
    let plain = digits.iter().all(|d| matches!(d, b'0' | b'1')) && matches!(fill, b'0');
    let other =
        (width > 0 && !plain && (0..width).any(|i| !matches!(digit(i), b'0' | b'1'))).then(|| {
            Box::new(OtherBits {
                unknown: mask(b"xm"),
                floating: mask(b"z"),
                any: mask(b"-"),
            })
        });
    Some(Const { value, other })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants() {
        let c = parse_const("6'1x0-z1").expect("a constant");
        assert_eq!(c.value, Bits::from_u64(6, 0b100001));
        let other = c.other.expect("it has x");
        assert_eq!(other.unknown, Bits::from_u64(6, 0b010000));
        assert_eq!(other.any, Bits::from_u64(6, 0b000100));
        assert_eq!(other.floating, Bits::from_u64(6, 0b000010));
        assert_eq!(parse_const("8'x").expect("all x").defined(), Bits::zero(8));
        assert_eq!(parse_const("4'1").expect("one").value, Bits::from_u64(4, 1));
        assert_eq!(parse_const("-1").expect("int").value, Bits::ones(32));
        assert_eq!(parse_const("0'x").expect("empty").width(), 0);
        assert_eq!(parse_const("99999999999'0"), None);
    }

    #[test]
    fn cutting() {
        let chunk = |wire, offset, width| Chunk {
            base: Base::Wire(wire),
            offset,
            width,
        };
        let mut chunks = vec![chunk(9, 0, 1), chunk(0, 0, 4), chunk(1, 2, 4)];
        cut(&mut chunks, 1, 8, 5, 3);
        assert_eq!(chunks, [chunk(9, 0, 1), chunk(0, 0, 2), chunk(1, 5, 1)]);
    }
}
