//! Reads `.ir` text (`docs/ir.md`).
//!
//! In: text, as [`print`](super::print()) writes it or as a person does. Out: a valid netlist, or the first
//! error with its line and column. Sources are numbered anew, in order of first use.

mod items;
mod line;
mod phrases;

use std::fmt;

use super::*;
use items::Reader;
use line::Line;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// The netlist that a text describes.
pub fn parse(text: &str) -> Result<Netlist, ParseError> {
    let mut reader = Reader::default();
    let mut number = 0;
    for line in text.lines() {
        number += 1;
        let mut line = Line::split(number, line)?;
        if !line.at_end() {
            reader.item(&mut line)?;
        }
    }
    let netlist = reader.finish();
    match violations(&netlist).into_iter().next() {
        Some(message) => Err(ParseError {
            line: number.max(1),
            column: 1,
            message,
        }),
        None => Ok(netlist),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of every construct; printing it gives the same text.
    const EVERYTHING: &str = r#"netlist "every\"thing"
type 0 "state_t":2 "IDLE"=0 "RUN"=3
scope 0 "top" "top"
scope 1 "u0" "part" in 0 at "top.v:3.1-3.9"
input 0 "clk":1
input 1 "d":8
trigger 0 clock %0
trigger 1 derived %5
trigger 2 load %4
register 0:8 = 5a on rise 0, fall 1 next %1 load %4 %1 trigger 2  @1 "part.v:7.1-9.4"
register 1:8 = 50/f0 draw 64 on both 0 next %2
register 2:8 = ? next %3
latch 0:8 = ? draw 192 value %6  @1
loop 0:1 value %8
random 0:70 key 3
memory 0:8 depth 9 first -4 draw 256
  rows 0 00 01 f0/f3
  rows 8 ff
  write on rise 0 enable %4 address %1 data %2 mask %3  @0 "top.v:12.1-12.8"
%0:1 = input 0
%1:8 = input 1
%2:8 = register 0
%3:8 = const 2a  @1 "part.v:8.3-8.7"
%4:1 = eq %2 %3
%5:1 = slice %2 3
%6:8 = mux %4 %1 %3
%7:1 = loop 0
%8:1 = and %7 %5
%9:70 = random 0
%10:8 = read 0 %9
%11:9 = concat %10 %8
%12:100 = sext %11
effect display "say" on rise 0 enable %4 args %2, %10 signed last
  text "a \"quoted\" line\n"
  number 1 hex width 4 left zero plus space prefix group
  chars 0
  time width 20
  realtime
effect finish "" initial enable %5
effect cover "seen" change enable %8
signal input "clk":1 = %0  @0
signal inout "pad":8 = inout %1 %2 %3
signal wire "mem":8 = memory 0 lsb -2 upto
signal wire "state":2 = %13 signed type 0  @1 "part.v:2.1-2.8"
"#;

    #[test]
    fn everything_is_read_and_printed_back() {
        let text = EVERYTHING.replace(
            "%12:100 = sext %11",
            "%12:100 = sext %11\n%13:2 = slice %1 0",
        );
        let netlist = parse(&text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(print(&netlist), text);
    }

    #[test]
    fn the_example_of_the_book_is_printed_back() {
        let book = include_str!("../../../../docs/ir.md");
        let example = book
            .split("```\n")
            .nth(1)
            .expect("the page starts with an example");
        let netlist = parse(example).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(print(&netlist), example);
    }

    #[test]
    fn comments_and_blank_lines_are_skipped() {
        let text = "; a comment\n\nnetlist \"t\" ; another\n  %0:4 = const f\n";
        let netlist = parse(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(print(&netlist), "netlist \"t\"\n%0:4 = const f\n");
    }

    #[test]
    fn errors_say_where() {
        let cases = [
            ("netlist \"t\"\nregistr 0", 2, 1, "`registr` is no item"),
            ("%0:4 = const 1f", 1, 14, "`1f` is no number of 4 bits"),
            (
                "%0:4 = const f\n%1:4 = not %0 %0",
                2,
                15,
                "something too much",
            ),
            ("%1:4 = const f", 1, 1, "this should be %0"),
            ("%0:4 = nott %0", 1, 8, "`nott` is no kind of cell"),
            ("netlist \"t", 1, 9, "the string does not end"),
            ("input 0 \"a\":", 1, 13, "the line ends too early"),
            ("  text \"a\"", 1, 3, "there is no effect above"),
            ("%0:99999999 = input 0", 1, 4, "more than 16777216 bits"),
            (
                "%0:4 = not %0",
                1,
                1,
                "%0:4 = not %0: an operand does not come before",
            ),
        ];
        for (text, line, column, message) in cases {
            let error = parse(text).expect_err(text);
            assert_eq!(
                (error.line, error.column),
                (line, column),
                "{text}: {error}"
            );
            assert!(error.message.contains(message), "{text}: {error}");
        }
    }
}
