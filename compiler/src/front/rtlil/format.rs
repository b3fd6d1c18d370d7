//! The format texts of `$print` and `$check`: literal text with fields such as `{8:> 4d-s}`.
//!
//! A field is the argument's width, `:`, where it is justified (`<`, `>` or `=`), the padding character,
//! the least width, the base (`b o d h H`, `c` text, `U` a character, `t r` time) and options. `{{` and
//! `}}` stand for braces. Arguments are taken from the lowest bits of `ARGS` up.

use crate::ir::{Base, Justify, MessagePart, NumberLayout};

/// The widest field that hosts accept, in characters.
const MAX_FIELD: u32 = 1 << 16;

/// An argument's place in `ARGS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    pub low: u32,
    pub width: u32,
    pub signed: bool,
}

/// A parsed format text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    pub parts: Vec<MessagePart>,
    pub arguments: Vec<Argument>,
}

/// Parses a format text; `None` when a field is malformed.
pub fn parse(text: &str) -> Option<Format> {
    let mut format = Format::default();
    let mut literal = String::new();
    let mut low = 0u32;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '{' | '}' if after.starts_with(c) => {
                literal.push(c);
                rest = &after[1..];
            }
            '{' => {
                // The padding may be any character, so look for the end behind it.
                let body = field_end(after)?;
                flush(&mut literal, &mut format.parts);
                field(&after[..body], &mut low, &mut format)?;
                rest = &after[body + 1..];
            }
            '}' => return None,
            _ => {
                literal.push(c);
                rest = after;
            }
        }
    }
    flush(&mut literal, &mut format.parts);
    Some(format)
}

fn field_end(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    let padding = text[colon + 1..]
        .char_indices()
        .nth(2)
        .map_or(text.len(), |(i, _)| colon + 1 + i);
    text[padding..].find('}').map(|i| padding + i)
}

fn flush(literal: &mut String, parts: &mut Vec<MessagePart>) {
    if !literal.is_empty() {
        parts.push(MessagePart::Text(std::mem::take(literal)));
    }
}

fn field(body: &str, low: &mut u32, format: &mut Format) -> Option<()> {
    let (size, rest) = body.split_once(':')?;
    let size: u32 = size.parse().ok()?;
    let mut chars = rest.chars();
    let justify = match chars.next()? {
        '<' => Justify::Left,
        '>' | '=' => Justify::Right,
        _ => return None,
    };
    let zero_pad = chars.next()? == '0';
    let rest = chars.as_str();
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let width = if digits == 0 {
        0
    } else {
        (rest[..digits].parse().ok()).filter(|width| *width <= MAX_FIELD)?
    };
    let mut options = rest[digits..].chars();
    let kind = options.next()?;
    let mut layout = NumberLayout {
        width,
        justify,
        zero_pad,
        ..NumberLayout::default()
    };
    let mut signed = false;
    for option in options {
        match option {
            '+' => layout.plus = true,
            ' ' => layout.space = true,
            '#' => layout.prefix = true,
            '_' => layout.group = true,
            's' => signed = true,
            '-' | 'u' => {}
            _ => return None,
        }
    }
    if kind == 't' || kind == 'r' {
        format.parts.push(MessagePart::Time {
            real: kind == 'r',
            layout,
        });
        return Some(());
    }
    let arg = format.arguments.len();
    format.arguments.push(Argument {
        low: *low,
        width: size,
        signed,
    });
    *low = low.checked_add(size)?;
    let number = |base| MessagePart::Number { arg, base, layout };
    format.parts.push(match kind {
        'b' => number(Base::Binary),
        'o' => number(Base::Octal),
        'd' => number(Base::Decimal),
        'h' | 'x' => number(Base::Hex),
        'H' | 'X' => number(Base::UpperHex),
        'c' | 'U' => MessagePart::Chars { arg, layout },
        _ => return None,
    });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let f = parse("a{{{4:> 2d-u}}} {24:<}c} {0:> 20t}{8:>08h#s}").expect("well-formed");
        assert_eq!(
            f.arguments[1],
            Argument {
                low: 4,
                width: 24,
                signed: false
            }
        );
        assert_eq!(
            f.arguments[2],
            Argument {
                low: 28,
                width: 8,
                signed: true
            }
        );
        assert_eq!(f.parts[0], MessagePart::Text("a{".into()));
        assert_eq!(f.parts[2], MessagePart::Text("} ".into()));
        let MessagePart::Number {
            base: Base::Hex,
            layout,
            ..
        } = &f.parts[6]
        else {
            panic!("{:?}", f.parts)
        };
        assert!(layout.zero_pad && layout.prefix && layout.width == 8);
        assert_eq!(parse("{4:"), None);
        assert_eq!(parse("{4:> q}"), None);
        assert_eq!(parse("}"), None);
    }
}
