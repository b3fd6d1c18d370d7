//! `+NAME=VALUE` against what the design asks for.
//!
//! The manifest's name is what follows the plus; `$value$plusargs` has its format at the end (`seed=%d`), and then the
//! rest of what the user gave is the value.

use rtlwasm_abi::manifest::{Manifest, Plusarg};

use crate::value::{Value, limb_count};

/// Signals to set: the flag, and the signal for the value with it.
pub(crate) type Wanted = (u32, Option<(u32, Value)>);

/// Every request of the design that this plusarg answers.
pub(crate) fn matching(manifest: &Manifest, given: &str) -> Vec<Wanted> {
    manifest
        .plusargs
        .iter()
        .filter_map(|plusarg| answer(manifest, plusarg, given))
        .collect()
}

fn answer(manifest: &Manifest, plusarg: &Plusarg, given: &str) -> Option<Wanted> {
    let (prefix, format) = match plusarg.name.split_once('%') {
        Some((prefix, format)) => (prefix, Some(format)),
        None => (plusarg.name.as_str(), None),
    };
    // As in Verilog, a design that asks for `+trace` is content with `+trace_all`.
    let rest = given.strip_prefix(prefix)?;
    let value = match (format, plusarg.value) {
        (Some(format), Some(id)) => {
            let width = manifest.signals.get(id as usize)?.width;
            Some((id, convert(rest, format, width)))
        }
        _ => None,
    };
    Some((plusarg.found, value))
}

/// As Verilog converts: what does not fit is cut, what is no number is zero.
fn convert(text: &str, format: &str, width: u32) -> Value {
    let prefix = match format.trim_start_matches('0').chars().next() {
        Some('h' | 'H' | 'x' | 'X') => "0x",
        Some('o' | 'O') => "0o",
        Some('b' | 'B') => "0b",
        Some('s' | 'S') => return characters(text, width),
        _ => "",
    };
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let room = width.max(text.len() as u32 * 4 + 1);
    let number = Value::parse(&format!("{sign}{prefix}{digits}"), room);
    number.map_or_else(
        |_| Value::zero(width),
        |number| Value::from_limbs(width, number.limbs()),
    )
}

fn characters(text: &str, width: u32) -> Value {
    let mut limbs = vec![0u64; limb_count(width)];
    for (i, byte) in text.bytes().rev().enumerate().take(limbs.len() * 8) {
        limbs[i / 8] |= u64::from(byte) << (i % 8 * 8);
    }
    Value::from_limbs(width, &limbs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtlwasm_abi::manifest::Signal;

    #[test]
    fn values_by_format() {
        let get = |text, format| convert(text, format, 16).to_u64();
        assert_eq!(get("12", "d"), Some(12));
        assert_eq!(get("-1", "d"), Some(0xffff));
        assert_eq!(get("1ff", "h"), Some(0x1ff));
        assert_eq!(get("101", "b"), Some(5));
        assert_eq!(get("17", "o"), Some(15));
        assert_eq!(get("ab", "s"), Some(0x6162));
        assert_eq!(get("70000", "0d"), Some(70000 & 0xffff));
        assert_eq!(get("zz", "d"), Some(0));
    }

    #[test]
    fn a_prefix_is_enough() {
        let signal = Signal {
            width: 8,
            ..Signal::default()
        };
        let plusargs = vec![
            Plusarg {
                name: "trace".into(),
                found: 0,
                value: None,
            },
            Plusarg {
                name: "n=%d".into(),
                found: 0,
                value: Some(0),
            },
        ];
        let manifest = Manifest {
            signals: vec![signal],
            plusargs,
            ..Manifest::default()
        };
        assert_eq!(matching(&manifest, "trace_all"), [(0, None)]);
        assert_eq!(
            matching(&manifest, "n=7"),
            [(0, Some((0, Value::from_u64(8, 7))))]
        );
        assert!(matching(&manifest, "other").is_empty());
    }
}
