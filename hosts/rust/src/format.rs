//! Messages of events: the manifest's pieces and the arguments' values in, text out.

use rtlwasm_abi::manifest::{EventSite, MessagePart, NumberLayout};

use crate::value::Value;

/// The whole message of an event.
pub(crate) fn format_message(site: &EventSite, args: &[Value], time: u64) -> String {
    let mut text = String::new();
    for part in &site.message {
        match part {
            MessagePart::Text { text: piece } => text.push_str(piece),
            MessagePart::Number {
                arg,
                base,
                upper,
                layout,
            } => {
                let signed = site.args[*arg as usize].signed;
                text.push_str(&number(&args[*arg as usize], signed, *base, *upper, layout));
            }
            MessagePart::Chars { arg, layout } => {
                text.push_str(&pad(characters(&args[*arg as usize]), layout))
            }
            MessagePart::Time {
                real: false,
                layout,
            } => text.push_str(&pad(time.to_string(), layout)),
            MessagePart::Time { real: true, layout } => {
                text.push_str(&pad(format!("{time}.000000"), layout))
            }
        }
    }
    text
}

fn number(value: &Value, signed: bool, base: u32, upper: bool, layout: &NumberLayout) -> String {
    let (mut digits, prefix) = match base {
        2 => (format!("{value:b}"), "0b"),
        8 => (format!("{value:o}"), "0o"),
        16 if upper => (format!("{value:X}"), "0X"),
        16 => (format!("{value:x}"), "0x"),
        _ => (value.to_decimal(signed), ""),
    };
    // The field's width, not the value's, asks for leading zeros.
    let significant = digits.trim_start_matches('0');
    if base != 10 {
        digits = if significant.is_empty() {
            "0".into()
        } else {
            significant.into()
        };
    }
    let mut head = String::new();
    if let Some(magnitude) = digits.strip_prefix('-') {
        digits = magnitude.to_string();
        head.push('-');
    } else if layout.plus {
        head.push('+');
    } else if layout.space {
        head.push(' ');
    }
    if layout.prefix {
        head.push_str(prefix);
    }
    let group = if base == 10 { 3 } else { 4 };
    if layout.zero_pad && !layout.left {
        zero_pad(&mut digits, layout, head.len(), group);
    }
    if layout.group {
        digits = grouped(&digits, group);
    }
    pad(head + &digits, layout)
}

/// Zeros before the digits until sign, prefix, digits and the separators to come fill the field.
fn zero_pad(digits: &mut String, layout: &NumberLayout, head: usize, group: usize) {
    let shown = |digits: usize| {
        digits
            + if layout.group {
                digits.saturating_sub(1) / group
            } else {
                0
            }
    };
    let mut count = digits.len();
    while head + shown(count) < layout.width as usize {
        count += 1;
    }
    *digits = "0".repeat(count - digits.len()) + digits;
}

/// `_` between groups of digits, counted from the right.
fn grouped(digits: &str, group: usize) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(group) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Eight bits a character, the highest first; zero bytes are not shown.
fn characters(value: &Value) -> String {
    let byte = |i| value.slice(i * 8, 8).limbs()[0] as u8;
    let bytes: Vec<u8> = (0..value.width().div_ceil(8))
        .rev()
        .map(byte)
        .filter(|b| *b != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn pad(text: String, layout: &NumberLayout) -> String {
    let missing = (layout.width as usize).saturating_sub(text.chars().count());
    let blanks = " ".repeat(missing);
    if layout.left {
        text + &blanks
    } else {
        blanks + &text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: NumberLayout = NumberLayout {
        width: 0,
        left: false,
        zero_pad: false,
        plus: false,
        space: false,
        prefix: false,
        group: false,
    };

    fn show(value: i64, width: u32, base: u32, layout: NumberLayout) -> String {
        number(
            &Value::from_u64(width, value as u64),
            true,
            base,
            false,
            &layout,
        )
    }

    #[test]
    fn numbers() {
        assert_eq!(show(-5, 8, 10, PLAIN), "-5");
        assert_eq!(show(5, 8, 10, NumberLayout { width: 4, ..PLAIN }), "   5");
        // More than the formatting of the standard library can.
        let widest = NumberLayout {
            width: 1 << 16,
            ..PLAIN
        };
        assert_eq!(show(5, 8, 10, widest).len(), 1 << 16);
        assert_eq!(
            show(
                5,
                8,
                10,
                NumberLayout {
                    width: 4,
                    left: true,
                    ..PLAIN
                }
            ),
            "5   "
        );
        assert_eq!(
            show(
                -5,
                8,
                10,
                NumberLayout {
                    width: 4,
                    zero_pad: true,
                    ..PLAIN
                }
            ),
            "-005"
        );
        assert_eq!(
            show(
                5,
                8,
                10,
                NumberLayout {
                    plus: true,
                    ..PLAIN
                }
            ),
            "+5"
        );
        assert_eq!(
            show(
                5,
                8,
                10,
                NumberLayout {
                    space: true,
                    ..PLAIN
                }
            ),
            " 5"
        );
        assert_eq!(
            show(
                0xab,
                12,
                16,
                NumberLayout {
                    prefix: true,
                    ..PLAIN
                }
            ),
            "0xab"
        );
        assert_eq!(show(5, 4, 2, PLAIN), "101");
        assert_eq!(show(0o17, 9, 8, PLAIN), "17");
    }

    #[test]
    fn groups_count_in_the_field() {
        let layout = NumberLayout {
            group: true,
            ..PLAIN
        };
        assert_eq!(show(1234567, 32, 10, layout), "1_234_567");
        assert_eq!(show(0xabcde, 20, 16, layout), "a_bcde");
        let filled = NumberLayout {
            width: 7,
            zero_pad: true,
            ..layout
        };
        assert_eq!(show(12, 32, 10, filled), "000_012");
    }

    #[test]
    fn text_skips_zero_bytes() {
        let value = Value::from_u64(40, 0x00_48_69_00_21);
        assert_eq!(characters(&value), "Hi!");
        assert_eq!(
            pad(characters(&value), &NumberLayout { width: 5, ..PLAIN }),
            "  Hi!"
        );
    }
}
