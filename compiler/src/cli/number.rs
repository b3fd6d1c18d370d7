//! Numbers and pairs in arguments, as clap's value parsers.

/// A count: `1000`, `1_000_000`, `64k`, `10M`, `2G` (powers of ten).
pub fn count(text: &str) -> Result<u64, String> {
    let error = || format!("`{text}` is no count: write 1000, 1_000, 10k, 10M or 10G");
    let (digits, factor) = match text.char_indices().last() {
        Some((i, 'k' | 'K')) => (&text[..i], 1_000),
        Some((i, 'm' | 'M')) => (&text[..i], 1_000_000),
        Some((i, 'g' | 'G')) => (&text[..i], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.replace('_', "").parse().map_err(|_| error())?;
    number.checked_mul(factor).ok_or_else(error)
}

/// A seed: any 64-bit number, decimal or `0x`.
pub fn seed(text: &str) -> Result<u64, String> {
    let value = rtlwasm_host::Value::parse(text, 64).map_err(|e| e.to_string())?;
    Ok(value.limbs()[0])
}

/// A positive number of seconds, with or without a fraction.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text
        .trim_end_matches('s')
        .parse()
        .map_err(|_| format!("`{text}` is no number of seconds"))?;
    // A duration beyond this many seconds cannot be added to the clock.
    if seconds > 0.0 && seconds < 1e9 {
        Ok(seconds)
    } else {
        Err(format!("`{text}` is no positive number of seconds"))
    }
}

/// `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    pub value: String,
}

/// Reads `NAME=VALUE`, where neither is empty.
pub fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok(Assignment {
            name: name.to_string(),
            value: value.to_string(),
        }),
        _ => Err(format!("`{text}` is not of the form NAME=VALUE")),
    }
}

/// `NAME=VALUE:CYCLES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub name: String,
    pub value: String,
    pub cycles: u64,
}

/// Reads `NAME=VALUE:CYCLES`.
pub fn hold(text: &str) -> Result<Hold, String> {
    let error = || format!("`{text}` is not of the form NAME=VALUE:CYCLES, such as rst=1:4");
    let (rest, cycles) = text.rsplit_once(':').ok_or_else(error)?;
    let Assignment { name, value } = assignment(rest).map_err(|_| error())?;
    Ok(Hold {
        name,
        value,
        cycles: count(cycles)?,
    })
}

/// A number with thousands separated by commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes for people.
pub fn bytes(number: u64) -> String {
    match number {
        0..1024 => format!("{number} B"),
        1024..1_048_576 => format!("{:.1} KiB", number as f64 / 1024.0),
        _ => format!("{:.1} MiB", number as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count("1_000"), Ok(1000));
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("2G"), Ok(2_000_000_000));
        for text in ["", "k", "-1", "1.5", "99999999999G", "1T"] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn holds() {
        assert_eq!(
            hold("rst=0x1:4"),
            Ok(Hold {
                name: "rst".into(),
                value: "0x1".into(),
                cycles: 4
            })
        );
        for text in ["rst", "rst=1", "rst=:4", "=1:4", "rst=1:x"] {
            assert!(hold(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            (grouped(0), grouped(1234567)),
            ("0".into(), "1,234,567".into())
        );
        assert_eq!(bytes(1536), "1.5 KiB");
    }
}
