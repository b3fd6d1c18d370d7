//! Tokens of Verilog and SystemVerilog: takes source text, gives what is not space or comment.
//!
//! This is not for understanding the language, which is Yosys' work, but for finding system tasks,
//! includes and module names in the text as written, before macros are expanded. So every text lexes:
//! what is wrong is left for Yosys to complain about.

/// A token: its kind and its bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// Part of a `` `define ``: its name, parameters or body.
    pub in_macro: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Identifier,
    /// `$name`
    System,
    /// `` `name ``
    Directive,
    Number,
    String,
    /// One character.
    Punctuation,
}

/// All tokens of a text.
pub fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        at: 0,
        in_macro: false,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    in_macro: bool,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let (byte, next) = (self.bytes[self.at], self.peek(1));
        match (byte, next) {
            (b'\n', _) => {
                self.in_macro = false;
                self.at += 1;
            }
            (b'\\', b'\n') => self.at += 2,
            (b'\\', b'\r') if self.peek(2) == b'\n' => self.at += 3,
            (b'/', b'/') => self.at += self.length_until(|b| b == b'\n'),
            (b'/', b'*') => self.block_comment(),
            _ if byte.is_ascii_whitespace() => self.at += 1,
            (b'"', _) => self.string(),
            (b'`', b'"') => self.macro_string(),
            (b'`', _) if is_word(next) => self.directive(),
            (b'$', _) if is_word(next) => self.push(Kind::System, 1 + self.word_length(1)),
            (b'\\', _) => self.push(
                Kind::Identifier,
                self.length_until(|b| b.is_ascii_whitespace()),
            ),
            (b'0'..=b'9', _) => self.number(),
            (
                b'\'',
                b'b' | b'o' | b'd' | b'h' | b's' | b'B' | b'O' | b'D' | b'H' | b'S' | b'0' | b'1',
            ) => {
                self.push(Kind::Number, 1 + self.word_length(1));
            }
            _ if is_word(byte) => self.push(Kind::Identifier, self.word_length(0)),
            _ => self.push(Kind::Punctuation, utf8_length(byte)),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        self.tokens.push(Token {
            kind,
            start: self.at,
            end,
            in_macro: self.in_macro,
        });
        self.at = end;
    }

    fn length_until(&self, stop: impl Fn(u8) -> bool) -> usize {
        let rest = &self.bytes[self.at..];
        rest.iter().position(|&b| stop(b)).unwrap_or(rest.len())
    }

    fn word_length(&self, from: usize) -> usize {
        self.bytes[self.at + from..]
            .iter()
            .take_while(|&&b| is_word(b))
            .count()
    }

    fn block_comment(&mut self) {
        let rest = &self.bytes[self.at + 2..];
        let length = rest
            .windows(2)
            .position(|w| w == b"*/")
            .map_or(rest.len(), |n| n + 2);
        self.at += 2 + length;
    }

    fn string(&mut self) {
        let mut length = 1;
        while self.at + length < self.bytes.len() {
            match self.peek(length) {
                b'"' => break,
                b'\\' => length += 2,
                // Not closed: Yosys will say so.
                b'\n' => return self.push(Kind::String, length),
                _ => length += 1,
            }
        }
        self.push(Kind::String, length + 1);
    }

    /// `` `"text`" `` in a macro's body.
    fn macro_string(&mut self) {
        let rest = &self.bytes[self.at + 2..];
        let length = rest
            .windows(2)
            .position(|w| w == b"`\"" || w[0] == b'\n')
            .map_or(rest.len(), |n| n + 2);
        self.push(Kind::String, 2 + length);
    }

    fn directive(&mut self) {
        let length = 1 + self.word_length(1);
        let name = &self.bytes[self.at..self.at + length];
        let (opens_macro, has_line) = (name == b"`define", is_line_directive(name));
        self.push(Kind::Directive, length);
        self.in_macro |= opens_macro;
        if has_line {
            self.at += self.length_until(|b| b == b'\n');
        }
    }

    fn number(&mut self) {
        let digits = |b: u8| is_word(b) || b == b'.';
        let mut length = self.bytes[self.at..]
            .iter()
            .take_while(|&&b| digits(b))
            .count();
        if self.peek(length) == b'\'' && self.peek(length + 1).is_ascii_alphabetic() {
            length += 1 + self.word_length(length + 1);
        }
        self.push(Kind::Number, length);
    }
}

/// Directives whose arguments are not source text.
fn is_line_directive(name: &[u8]) -> bool {
    matches!(
        name,
        b"`timescale"
            | b"`default_nettype"
            | b"`line"
            | b"`pragma"
            | b"`begin_keywords"
            | b"`unconnected_drive"
    )
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        lex(text).iter().map(|t| &text[t.start..t.end]).collect()
    }

    #[test]
    fn comments_and_strings_hide_what_looks_like_tokens() {
        let text = "a /* $x */ \"$y \\\" //\" // $z\n`m \\esc$aped b";
        assert_eq!(
            words(text),
            ["a", "\"$y \\\" //\"", "`m", "\\esc$aped", "b"]
        );
    }

    #[test]
    fn numbers_keep_their_base() {
        assert_eq!(
            words("32'h8000_0002 'd1 8'(x) 1.5e3"),
            ["32'h8000_0002", "'d1", "8", "'", "(", "x", ")", "1.5e3"]
        );
    }

    #[test]
    fn a_macro_ends_with_its_last_continued_line() {
        let text = "`define A(x) $finish \\\n  x\nb";
        let in_macro: Vec<_> = lex(text)
            .iter()
            .filter(|t| t.in_macro)
            .map(|t| &text[t.start..t.end])
            .collect();
        assert_eq!(in_macro, ["A", "(", "x", ")", "$finish", "x"]);
    }

    #[test]
    fn any_text_lexes() {
        for text in [
            "\"open",
            "/* open",
            "`",
            "$",
            "\\",
            "'",
            "é€😀",
            "`\"open",
            "1'",
            "\"\\",
        ] {
            let tokens = lex(text);
            assert!(
                tokens
                    .iter()
                    .all(|t| text.is_char_boundary(t.start) && text.is_char_boundary(t.end)),
                "{text}"
            );
        }
    }
}
