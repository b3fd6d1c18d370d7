//! RTLIL text to tokens: bytes in, borrowed slices out, nothing is copied.
//!
//! Line ends are tokens, since RTLIL statements end with the line. A byte that starts no token gives
//! [`Token::Bad`]; the parser turns it into a diagnostic.

/// One token; texts are slices of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// One or more line ends, with comments and blank lines between them.
    Eol,
    Eof,
    /// `\public` or `$internal`, with its first character.
    Id(&'a str),
    /// A keyword: letters only.
    Word(&'a str),
    /// A decimal number, possibly negative.
    Int(&'a str),
    /// `8'0101xz-`, with its width and quote.
    Const(&'a str),
    /// The text between the quotes, escapes not resolved.
    Str(&'a str),
    /// One of `{ } [ ] : ,`.
    Mark(u8),
    /// An unknown character, an unfinished string.
    Bad(&'static str),
}

/// Reads tokens one by one.
pub struct Lexer<'a> {
    text: &'a str,
    /// Byte offset of the next character.
    at: usize,
    /// Byte offset of the token read last.
    pub start: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer {
            text,
            at: 0,
            start: 0,
        }
    }

    /// The next token.
    pub fn token(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
        self.start = self.at;
        match bytes.get(self.at).copied() {
            None => Token::Eof,
            Some(b'\n' | b'#') => self.line_ends(),
            Some(b'\\' | b'$') => Token::Id(self.take_while(|b| !b.is_ascii_whitespace())),
            Some(b'"') => self.string(),
            Some(b'0'..=b'9' | b'-') => self.number(),
            Some(b'a'..=b'z') => {
                Token::Word(self.take_while(|b| b.is_ascii_lowercase() || b == b'_'))
            }
            Some(mark @ (b'{' | b'}' | b'[' | b']' | b':' | b',')) => {
                self.at += 1;
                Token::Mark(mark)
            }
            Some(_) => Token::Bad("an unknown character"),
        }
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().position(|b| !keep(*b)).unwrap_or(rest.len());
        let from = self.at;
        self.at += len;
        &self.text[from..self.at]
    }

    fn line_ends(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'#' => {
                    self.take_while(|b| b != b'\n');
                }
                b'\n' | b' ' | b'\t' | b'\r' => self.at += 1,
                _ => break,
            }
        }
        Token::Eol
    }

    fn string(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let from = self.at + 1;
        let mut at = from;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(b'\n') | None => return Token::Bad("a string without its closing quote"),
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        Token::Str(&self.text[from..at])
    }

    fn number(&mut self) -> Token<'a> {
        let from = self.at;
        self.at += 1;
        self.take_while(|b| b.is_ascii_digit());
        if self.text.as_bytes().get(self.at) != Some(&b'\'') {
            return match &self.text[from..self.at] {
                "-" => Token::Bad("a minus without a number"),
                digits => Token::Int(digits),
            };
        }
        self.at += 1;
        self.take_while(|b| matches!(b, b's' | b'0' | b'1' | b'x' | b'z' | b'm' | b'-'));
        Token::Const(&self.text[from..self.at])
    }
}

/// Resolves the escapes of a string: `\n`, `\t`, up to three octal digits, or the character itself.
pub fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_string();
    }
    let mut bytes = raw.bytes().peekable();
    let mut out = Vec::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(first @ b'0'..=b'7') => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    let Some(digit) = bytes.next_if(|b| (b'0'..=b'7').contains(b)) else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                }
                out.push(value as u8);
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let mut out = Vec::new();
        loop {
            out.push(lexer.token());
            if matches!(out.last(), Some(Token::Eof | Token::Bad(_))) {
                return out;
            }
        }
    }

    #[test]
    fn statement() {
        use Token::*;
        let expected = [
            Word("connect"),
            Id("\\a[1]"),
            Mark(b'['),
            Int("3"),
            Mark(b':'),
            Int("0"),
            Mark(b']'),
            Const("4'01x-"),
            Eol,
            Str("a\\\"b"),
            Int("-7"),
            Eof,
        ];
        assert_eq!(
            tokens("connect \\a[1] [3:0] 4'01x- # c\n\n  # d\n \"a\\\"b\" -7"),
            expected
        );
    }

    #[test]
    fn bad_input_ends() {
        assert!(matches!(tokens("\"abc").last(), Some(Token::Bad(_))));
        assert!(matches!(tokens("\"abc\\").last(), Some(Token::Bad(_))));
        assert!(matches!(tokens("\u{e9}").last(), Some(Token::Bad(_))));
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape("a\\n\\001\\\"\\\\x\\101"), "a\n\u{1}\"\\xA");
    }
}
