//! Directives in messages: how `$finish`, `$fatal` and the like travel through front ends that know only
//! `$display`.
//!
//! A message whose first character is `\001` begins with a word that says what the statement was; the
//! word and its number are dropped, the user's text stays.

use crate::ir::EffectKind;

/// What a message's beginning says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive<'t> {
    pub kind: EffectKind,
    /// After everything else of the instant.
    pub last: bool,
    /// What is to be shown.
    pub text: &'t str,
}

/// Reads the directive of a format text; without one it is a plain message.
pub fn directive(format: &str) -> Directive<'_> {
    let plain = Directive {
        kind: EffectKind::Display,
        last: false,
        text: format,
    };
    let Some(rest) = format.strip_prefix('\u{1}') else {
        return plain;
    };
    let end = rest
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    let with = |kind, text| Directive {
        kind,
        last: false,
        text,
    };
    match word {
        "finish" => with(EffectKind::Finish, ""),
        "stop" => with(EffectKind::Stop, ""),
        "fatal" => with(EffectKind::Fatal, without_number(text)),
        "error" => with(EffectKind::Error, text),
        "warning" => with(EffectKind::Warning, text),
        "info" => with(EffectKind::Info, text),
        "assert" => with(EffectKind::Assert, text),
        "strobe" => Directive {
            last: true,
            ..with(EffectKind::Display, text)
        },
        _ => plain,
    }
}

/// The text after a number and a space.
fn without_number(text: &str) -> &str {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.strip_prefix(' ').unwrap_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives() {
        let fatal = directive("\u{1}fatal 1 no {4:> d}\n");
        assert_eq!(
            (fatal.kind, fatal.text),
            (EffectKind::Fatal, "no {4:> d}\n")
        );
        assert_eq!(directive("\u{1}finish 0\n").kind, EffectKind::Finish);
        assert_eq!(directive("\u{1}stop\n").text, "");
        assert!(directive("\u{1}strobe a").last);
        assert_eq!(directive("hello").kind, EffectKind::Display);
        assert_eq!(directive("\u{1}what x").text, "\u{1}what x");
    }
}
