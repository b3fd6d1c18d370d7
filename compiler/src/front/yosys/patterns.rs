//! `casez` and `casex` whose patterns a front end cannot look through in time and memory: they become `if` and `else`.
//!
//! Where a variable may keep its value, `read_slang` looks for values that no pattern takes. What is left after each
//! pattern it has as patterns, too, and of those there may be twice as many after each: of 32 bits with the lowest that
//! is set, when the highest comes first. Such statements, and no others, are written otherwise here.

use std::collections::BTreeSet;

use super::lexer::Kind;
use super::rewrite::Rewriter;
use super::statement::statement_end;

/// So many patterns are left at most in a statement that stays.
const MOST_LEFT: usize = 2048;
/// Selectors of so many bits are looked at.
const MOST_BITS: u32 = 128;

/// Values of some bits; the others may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    width: u32,
    /// Bits that are fixed.
    fixed: u128,
    /// What they are.
    value: u128,
}

/// One arm of the statement, in tokens.
struct Arm {
    /// From the first token of its patterns to the colon.
    head: (usize, usize),
    /// None: `default`.
    patterns: Option<Vec<Pattern>>,
    /// First and last token of what it does.
    statement: (usize, usize),
}

impl Rewriter<'_> {
    /// Writes the statement that begins at a token with `if`, when a front end would look at too many patterns.
    pub(super) fn case_of_patterns(&mut self, at: usize) {
        // Lines of a macro must stay as they are.
        let close = self.file.closing(at + 1);
        let Some(close) = close.filter(|_| !self.file.tokens[at].in_macro) else {
            return;
        };
        let Some((arms, end)) = self.arms(at, close + 1) else {
            return;
        };
        let patterns = arms.iter().filter_map(|arm| arm.patterns.as_ref());
        let mut patterns: Vec<Pattern> = patterns.flatten().copied().collect();
        let Some(width) = patterns.first().map(|pattern| pattern.width) else {
            return;
        };
        if patterns.iter().any(|other| other.width != width) || !is_too_much(width, &patterns) {
            return;
        }
        let Some(selector) = self.copy(at + 1, close) else {
            return;
        };
        // Those that take most come first, so that little is left after each.
        patterns.sort_by_key(|pattern| pattern.fixed.count_ones());
        let full = left(width, &patterns).is_some_and(|left| left.is_empty());
        self.remove(at, close);
        let last = arms.len() - 1;
        for (index, arm) in arms.iter().enumerate() {
            let condition = match &arm.patterns {
                Some(patterns) if !(full && index == last) => {
                    let tests = patterns.iter().map(|pattern| pattern.test(&selector));
                    format!("if ({}) ", tests.collect::<Vec<_>>().join(" || "))
                }
                // All others have been tested, and one of all is right.
                _ => String::new(),
            };
            let otherwise = if index > 0 { "else " } else { "" };
            let text = format!("{otherwise}{condition}begin ");
            self.replace(arm.head.0, arm.head.1, text);
            self.close(arm.statement.1, " end");
        }
        self.remove(end, end);
    }

    /// The arms from a token on, and the token `endcase`. None: there is something else in it.
    fn arms(&self, case: usize, first: usize) -> Option<(Vec<Arm>, usize)> {
        let mut arms: Vec<Arm> = Vec::new();
        let mut at = first;
        loop {
            if self.file.word(at) == "endcase" {
                return (!arms.is_empty()).then_some((arms, at));
            }
            // Nothing comes after `default`.
            if arms.last().is_some_and(|arm| arm.patterns.is_none()) {
                return None;
            }
            let (colon, patterns) = match self.file.word(at) {
                "default" if self.file.word(at + 1) == ":" => (at + 1, None),
                "default" => (at, None),
                _ => {
                    let colon = self.colon(at)?;
                    (colon, Some(self.patterns(case, at, colon)?))
                }
            };
            let end = statement_end(self.file, colon + 1)?;
            arms.push(Arm {
                head: (at, colon),
                patterns,
                statement: (colon + 1, end),
            });
            at = end + 1;
        }
    }

    /// The colon after patterns that are plain numbers.
    fn colon(&self, first: usize) -> Option<usize> {
        let mut at = first;
        loop {
            match (self.file.word(at), self.file.kind(at)?) {
                (":", _) => return (at > first).then_some(at),
                ("?" | ",", _) | (_, Kind::Number) => at += 1,
                _ => return None,
            }
        }
    }

    fn patterns(&self, case: usize, first: usize, colon: usize) -> Option<Vec<Pattern>> {
        let (start, end) = (self.file.tokens[first].start, self.file.tokens[colon].start);
        let any: &[char] = match self.file.word(case) {
            "casex" => &['?', 'z', 'x'],
            _ => &['?', 'z'],
        };
        let texts = self.file.text[start..end].split(',');
        texts.map(|text| Pattern::parse(text, any)).collect()
    }
}

impl Pattern {
    /// A number with a width and a base of two, eight or sixteen; `any` are the digits that may be anything.
    fn parse(text: &str, any: &[char]) -> Option<Pattern> {
        let text: String = text.split_whitespace().collect();
        let text = text.to_ascii_lowercase().replace('_', "");
        let (width, digits) = text.split_once('\'')?;
        let width = width
            .parse()
            .ok()
            .filter(|width| (1..=MOST_BITS).contains(width))?;
        let (base, digits) = digits.split_at_checked(1)?;
        let bits: u32 = match base {
            "b" => 1,
            "o" => 3,
            "h" => 4,
            "d" => return Pattern::decimal(width, digits),
            _ => return None,
        };
        let ones = (1u128 << bits) - 1;
        // What is not written is as the first digit, when that may be anything, and 0 otherwise.
        let free = digits.starts_with(any);
        let (mut fixed, mut value) = (if free { 0 } else { u128::MAX }, 0);
        for digit in digits.chars() {
            let number = match digit.to_digit(1 << bits) {
                Some(number) => number.into(),
                None if any.contains(&digit) => 0,
                None => return None,
            };
            let known = if any.contains(&digit) { 0 } else { ones };
            (fixed, value) = (fixed << bits | known, value << bits | number);
        }
        Some(Pattern::of(width, fixed, value))
    }

    fn decimal(width: u32, digits: &str) -> Option<Pattern> {
        Some(Pattern::of(width, u128::MAX, digits.parse().ok()?))
    }

    fn of(width: u32, fixed: u128, value: u128) -> Pattern {
        let all = u128::MAX >> (128 - width);
        Pattern {
            width,
            fixed: fixed & all,
            value: value & all,
        }
    }

    /// Whether there is a value of both.
    fn meets(self, other: Pattern) -> bool {
        (self.value ^ other.value) & self.fixed & other.fixed == 0
    }

    /// Bits that may be anything here and are fixed in another.
    fn free_bits_of(self, other: Pattern) -> impl Iterator<Item = u128> {
        let bits = other.fixed & !self.fixed;
        (0..self.width)
            .map(|bit| 1 << bit)
            .filter(move |bit| bits & bit != 0)
    }

    /// With one more bit fixed, as it is in `value`.
    fn with(self, bit: u128, value: u128) -> Pattern {
        Pattern {
            fixed: self.fixed | bit,
            value: self.value | value & bit,
            ..self
        }
    }

    /// Whether a selector has this pattern, as an expression of the width that the statement compares with. Both front
    /// ends read it.
    fn test(self, selector: &str) -> String {
        let Pattern { width, value, .. } = self;
        let any = !self.fixed & (u128::MAX >> (128 - width));
        format!("(({selector} ^ {width}'h{value:x}) & ~{width}'h{any:x}) == {width}'h0")
    }
}

/// What is left of all values after some patterns, as patterns that have nothing in common. None: there are too many.
fn left(width: u32, patterns: &[Pattern]) -> Option<Vec<Pattern>> {
    let mut left = vec![Pattern::of(width, 0, 0)];
    for taken in patterns {
        let mut next = Vec::new();
        for one in left {
            if !one.meets(*taken) {
                next.push(one);
                continue;
            }
            let mut rest = one;
            for bit in one.free_bits_of(*taken) {
                next.push(rest.with(bit, !taken.value));
                rest = rest.with(bit, taken.value);
            }
        }
        if next.len() > MOST_LEFT {
            return None;
        }
        left = next;
    }
    Some(left)
}

/// Whether that is too many patterns as front ends have them, where each differs in one bit from what was taken and may
/// be anything else.
fn is_too_much(width: u32, patterns: &[Pattern]) -> bool {
    let mut left = BTreeSet::from([Pattern::of(width, 0, 0)]);
    for taken in patterns {
        let met: Vec<Pattern> = left.extract_if(.., |one| one.meets(*taken)).collect();
        for one in met {
            let bits = one.free_bits_of(*taken);
            left.extend(bits.map(|bit| one.with(bit, !taken.value)));
            if left.len() > MOST_LEFT {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, &['?', 'z']).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn numbers_are_patterns() {
        for (text, fixed, value) in [
            ("4'b1?0z", 0b1010, 0b1000),
            ("8'hZ3", 0x0f, 0x03),
            ("8'b?1", 1, 1),
            ("8'b1_1", 0xff, 3),
            ("6'o?7", 7, 7),
            ("8'd12", 0xff, 12),
            (" 4 'b 1 0", 0xf, 2),
        ] {
            let found = pattern(text);
            assert_eq!((found.fixed, found.value), (fixed, value), "{text}");
        }
        for text in ["12", "4'sb1", "4'bx", "A", "200'h0", "'h3", "4'", "4'd?"] {
            assert_eq!(Pattern::parse(text, &['?', 'z']), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_what_no_pattern_takes() {
        let patterns = ["3'b1??", "3'b01?", "3'b?01"].map(pattern);
        let left = left(3, &patterns).unwrap();
        let is_left = |value: u128| left.iter().any(|p| (value ^ p.value) & p.fixed == 0);
        let of = (0..8).filter(|value| is_left(*value));
        assert_eq!(of.collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn the_order_decides_how_much_is_left() {
        let lowest = |bit: u32| Pattern::of(32, (2 << bit) - 1, 1 << bit);
        let mut patterns: Vec<Pattern> = (0..32).rev().map(lowest).collect();
        assert!(is_too_much(32, &patterns));
        patterns.reverse();
        assert!(!is_too_much(32, &patterns));
        assert_eq!(left(32, &patterns), Some(vec![pattern("32'd0")]));
    }
}
