//! One line of `.ir` text as tokens, and a cursor over them.
//!
//! In: a line. Out: words, strings and punctuation, each with its column, taken one by one by the readers
//! of the items.

use std::str::FromStr;

use super::ParseError;
use crate::arena::Id;
use crate::bits::Bits;
use crate::ir::CellId;

/// Wider values are surely a mistake, and would fill the memory.
const MOST_BITS: u32 = 1 << 24;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Letters, digits and `% ? / - _`.
    Word(String),
    /// Without its quotes.
    Text(String),
    /// One of `: = , @`.
    Sign(char),
}

/// The tokens of a line that are still to be read.
pub struct Line {
    number: usize,
    /// Column and token, the next one last.
    tokens: Vec<(usize, Token)>,
    /// Column after the last token.
    end: usize,
}

impl Line {
    /// The tokens of a line; `;` starts a comment.
    pub fn split(number: usize, line: &str) -> Result<Line, ParseError> {
        let chars: Vec<char> = line.chars().collect();
        let mut tokens = Vec::new();
        let (mut at, mut end) = (0, 1);
        while at < chars.len() && chars[at] != ';' {
            let start = at;
            at = match chars[at] {
                c if c.is_whitespace() => {
                    at += 1;
                    continue;
                }
                '"' => {
                    let (text, after) = quoted(&chars, at).map_err(|message| ParseError {
                        line: number,
                        column: start + 1,
                        message: message.into(),
                    })?;
                    tokens.push((start + 1, Token::Text(text)));
                    after
                }
                c @ (':' | '=' | ',' | '@') => {
                    tokens.push((start + 1, Token::Sign(c)));
                    at + 1
                }
                c if is_word(c) => {
                    let word: String = chars[at..].iter().take_while(|c| is_word(**c)).collect();
                    let after = at + word.len();
                    tokens.push((start + 1, Token::Word(word)));
                    after
                }
                c => {
                    let message = format!("`{c}` means nothing here");
                    return Err(ParseError {
                        line: number,
                        column: start + 1,
                        message,
                    });
                }
            };
            end = at + 1;
        }
        tokens.reverse();
        Ok(Line {
            number,
            tokens,
            end,
        })
    }

    /// True when everything was read.
    pub fn at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Column of the next token.
    pub fn column(&self) -> usize {
        self.tokens.last().map_or(self.end, |(column, _)| *column)
    }

    /// An error at a column of this line.
    pub fn error<T>(&self, column: usize, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError {
            line: self.number,
            column,
            message: message.into(),
        })
    }

    /// Everything must have been read.
    pub fn end(&self) -> Result<(), ParseError> {
        if self.at_end() {
            Ok(())
        } else {
            self.error(self.column(), "something too much")
        }
    }

    fn next(&mut self) -> Result<Token, ParseError> {
        match self.tokens.pop() {
            Some((_, token)) => Ok(token),
            None => self.error(self.end, "the line ends too early"),
        }
    }

    /// Any word.
    pub fn word(&mut self) -> Result<String, ParseError> {
        let column = self.column();
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => self.error(column, "a word is expected"),
        }
    }

    /// A quoted string.
    pub fn text(&mut self) -> Result<String, ParseError> {
        let column = self.column();
        match self.next()? {
            Token::Text(text) => Ok(text),
            _ => self.error(column, "a quoted string is expected"),
        }
    }

    /// A quoted string, if one is next.
    pub fn text_if(&mut self) -> Option<String> {
        match self.tokens.pop()? {
            (_, Token::Text(text)) => Some(text),
            other => {
                self.tokens.push(other);
                None
            }
        }
    }

    /// Takes a given word if it is next.
    pub fn word_if(&mut self, word: &str) -> bool {
        self.take_if(&Token::Word(word.into()))
    }

    /// Takes a given sign if it is next.
    pub fn sign_if(&mut self, sign: char) -> bool {
        self.take_if(&Token::Sign(sign))
    }

    fn take_if(&mut self, token: &Token) -> bool {
        let found = self.tokens.last().is_some_and(|(_, t)| t == token);
        if found {
            self.tokens.pop();
        }
        found
    }

    /// A given word.
    pub fn keyword(&mut self, word: &str) -> Result<(), ParseError> {
        let column = self.column();
        if self.word_if(word) {
            Ok(())
        } else {
            self.error(column, format!("`{word}` is expected"))
        }
    }

    /// A given sign.
    pub fn sign(&mut self, sign: char) -> Result<(), ParseError> {
        let column = self.column();
        if self.sign_if(sign) {
            Ok(())
        } else {
            self.error(column, format!("`{sign}` is expected"))
        }
    }

    /// A decimal number.
    pub fn number<N: FromStr>(&mut self) -> Result<N, ParseError> {
        let column = self.column();
        let word = self.word()?;
        match word.parse() {
            Ok(number) => Ok(number),
            Err(_) => self.error(column, format!("`{word}` is no number that fits")),
        }
    }

    /// An index into one of the netlist's tables.
    pub fn id<T>(&mut self) -> Result<Id<T>, ParseError> {
        Ok(Id::new(self.number::<u32>()? as usize))
    }

    /// The index that the next item of a table must have.
    pub fn next_id(&mut self, len: usize) -> Result<(), ParseError> {
        let column = self.column();
        let id: usize = self.number()?;
        if id == len {
            Ok(())
        } else {
            self.error(column, format!("this should be {len}"))
        }
    }

    /// True when the next token is a cell.
    pub fn next_is_cell(&self) -> bool {
        matches!(self.tokens.last(), Some((_, Token::Word(word))) if word.starts_with('%'))
    }

    /// `%7`.
    pub fn cell(&mut self) -> Result<CellId, ParseError> {
        let column = self.column();
        let word = self.word()?;
        match word
            .strip_prefix('%')
            .and_then(|digits| digits.parse::<u32>().ok())
        {
            Some(index) => Ok(Id::new(index as usize)),
            None => self.error(column, format!("`{word}` is no cell")),
        }
    }

    /// `:8`, the width after a name.
    pub fn width(&mut self) -> Result<u32, ParseError> {
        self.sign(':')?;
        let column = self.column();
        let width = self.number()?;
        match width {
            0..=MOST_BITS => Ok(width),
            _ => self.error(column, format!("more than {MOST_BITS} bits")),
        }
    }

    /// Hexadecimal digits.
    pub fn bits(&mut self, width: u32) -> Result<Bits, ParseError> {
        let column = self.column();
        let word = self.word()?;
        match Bits::from_hex(width, &word) {
            Some(bits) => Ok(bits),
            None => self.error(column, format!("`{word}` is no number of {width} bits")),
        }
    }

    /// An initial value and which of its bits are defined: `5a`, `50/f0` or `?`.
    pub fn initial(&mut self, width: u32) -> Result<(Bits, Bits), ParseError> {
        let column = self.column();
        let word = self.word()?;
        let read = |digits: &str| Bits::from_hex(width, digits);
        let both = match word.split_once('/') {
            _ if word == "?" => Some((Bits::zero(width), Bits::zero(width))),
            Some((value, defined)) => read(value).zip(read(defined)),
            None => read(&word).zip(Some(Bits::ones(width))),
        };
        match both {
            Some(both) => Ok(both),
            None => self.error(
                column,
                format!("`{word}` is no initial value of {width} bits"),
            ),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "%?/-_".contains(c)
}

/// The string that starts at `start`, and the place after it.
fn quoted(chars: &[char], start: usize) -> Result<(String, usize), &'static str> {
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        let c = *chars.get(at).ok_or("the string does not end")?;
        at += 1;
        match c {
            '"' => return Ok((text, at)),
            '\\' => {
                let (c, after) = escape(chars, at).ok_or("a backslash that means nothing")?;
                text.push(c);
                at = after;
            }
            c => text.push(c),
        }
    }
}

/// The character that an escape stands for, and the place after it.
fn escape(chars: &[char], at: usize) -> Option<(char, usize)> {
    match *chars.get(at)? {
        'n' => Some(('\n', at + 1)),
        c @ ('"' | '\\') => Some((c, at + 1)),
        'u' if chars.get(at + 1) == Some(&'{') => {
            let digits: String = chars[at + 2..].iter().take_while(|c| **c != '}').collect();
            let code = u32::from_str_radix(&digits, 16).ok()?;
            Some((char::from_u32(code)?, at + 3 + digits.chars().count()))
        }
        _ => None,
    }
}
