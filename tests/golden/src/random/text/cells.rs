//! Combinational cells of words.

use std::fmt::Write;

use super::Module;
use crate::library::{BINARY, UNARY};

/// Of the library's these are left out: they divide as `$div` and `$mod` do, or have no place in CXXRTL.
const LEFT_OUT: &[&str] = &["$divfloor", "$modfloor", "$pow"];
const OTHERS: &[&str] = &["$mux", "$pmux", "$bmux", "$demux", "$slice", "$concat"];

/// All names, for statistics.
pub fn names() -> impl Iterator<Item = &'static str> {
    let words = UNARY.iter().copied().chain(binary());
    words.chain(OTHERS.iter().copied())
}

fn binary() -> impl Iterator<Item = &'static str> {
    let kinds = BINARY.iter().copied();
    kinds.filter(|kind| !LEFT_OUT.contains(kind))
}

/// A shift to the left leaves stray bits behind in the last word in CXXRTL of Debian's Yosys.
fn whole_words(width: u32) -> u32 {
    width.next_multiple_of(32)
}

impl Module {
    /// One cell, its parameters and ports in the order that they are given.
    pub(super) fn put(
        &mut self,
        kind: &str,
        parameters: &[(&str, String)],
        ports: &[(&str, String)],
    ) {
        let number = self.fresh();
        writeln!(self.body, "  cell {kind} $c{number}").unwrap();
        for (name, value) in parameters {
            writeln!(self.body, "    parameter \\{name} {value}").unwrap();
        }
        for (name, value) in ports {
            writeln!(self.body, "    connect \\{name} {value}").unwrap();
        }
        self.body.push_str("  end\n");
        self.note(format!("cell {kind}"));
    }

    pub(super) fn cell(&mut self) {
        match self.rng.below(10) {
            0..=2 => self.unary(),
            3..=7 => self.binary(),
            _ => self.other(),
        }
    }

    fn unary(&mut self) {
        let kind = *self.rng.pick(UNARY);
        let (a, y) = (self.width(), self.width());
        let signed = self.rng.below(2).to_string();
        let (value, result) = (self.signal(a), self.result(y));
        let parameters = [
            ("A_SIGNED", signed),
            ("A_WIDTH", a.to_string()),
            ("Y_WIDTH", y.to_string()),
        ];
        self.put(kind, &parameters, &[("A", value), ("Y", result)]);
    }

    fn binary(&mut self) {
        let kind = *self.rng.pick(&binary().collect::<Vec<_>>());
        let (mut a, mut b, mut y) = (self.width(), self.width(), self.width());
        let mut signed = [self.rng.below(2), self.rng.below(2)];
        match kind {
            // CXXRTL of this release extends no sign here.
            "$shr" | "$sshr" => (b, signed) = (self.rng.between(1, 8) as u32, [0, 0]),
            "$shift" => {
                // Yosys of this release drops leading zeros of A, also where it is signed.
                (b, signed[0]) = (self.rng.between(1, 8) as u32, 0);
                // To the left it is as `$shl`.
                y = if signed[1] == 1 {
                    whole_words(y.max(a))
                } else {
                    y
                };
            }
            // A bit that does not exist is undefined.
            "$shiftx" => {
                (b, signed) = (self.rng.between(1, 5) as u32, [0, 0]);
                (a, y) = (80, y.min(40));
            }
            "$shl" | "$sshl" => {
                y = whole_words(y.max(a));
                (b, signed[1]) = (self.rng.between(1, 8) as u32, 0);
            }
            "$div" | "$mod" => {
                // Beyond one word CXXRTL of this release divides wrongly, or for ever.
                (a, b, y) = (a.min(32), b.clamp(2, 32), y.min(32));
                signed[1] = signed[0];
            }
            _ => signed[1] = signed[0],
        }
        let (left, mut right) = (self.signal(a), self.signal(b));
        if kind == "$div" || kind == "$mod" {
            let high = self.signal(b - 1);
            right = format!("{{ {} 1'1 }}", high.trim_matches(['{', '}', ' ']));
        }
        let result = self.result(y);
        let parameters = [
            ("A_SIGNED", signed[0].to_string()),
            ("B_SIGNED", signed[1].to_string()),
            ("A_WIDTH", a.to_string()),
            ("B_WIDTH", b.to_string()),
            ("Y_WIDTH", y.to_string()),
        ];
        self.put(
            kind,
            &parameters,
            &[("A", left), ("B", right), ("Y", result)],
        );
    }

    fn other(&mut self) {
        let kind = *self.rng.pick(OTHERS);
        let w = self.width();
        match kind {
            "$mux" => {
                let ports = [
                    ("A", self.signal(w)),
                    ("B", self.signal(w)),
                    ("S", self.signal(1)),
                    ("Y", self.result(w)),
                ];
                self.put(kind, &[("WIDTH", w.to_string())], &ports);
            }
            "$pmux" => self.parallel_mux(w),
            // A part of a word would have stray bits in CXXRTL, too.
            "$bmux" => self.binary_mux(kind, 32),
            "$demux" => self.binary_mux(kind, w.min(30)),
            "$slice" => {
                let wide = w + self.rng.below(30) as u32;
                let offset = self.rng.below((wide - w) as usize + 1);
                let parameters = [
                    ("OFFSET", offset.to_string()),
                    ("A_WIDTH", wide.to_string()),
                    ("Y_WIDTH", w.to_string()),
                ];
                let ports = [("A", self.signal(wide)), ("Y", self.result(w))];
                self.put(kind, &parameters, &ports);
            }
            _ => {
                let b = self.rng.between(1, 20) as u32;
                let parameters = [("A_WIDTH", w.to_string()), ("B_WIDTH", b.to_string())];
                let ports = [
                    ("A", self.signal(w)),
                    ("B", self.signal(b)),
                    ("Y", self.result(w + b)),
                ];
                self.put(kind, &parameters, &ports);
            }
        }
    }

    /// One word of several by its number, or into one of several places.
    fn binary_mux(&mut self, kind: &str, width: u32) {
        let selects = self.rng.between(1, 2) as u32;
        let all = width << selects;
        let (a, y) = if kind == "$bmux" {
            (all, width)
        } else {
            (width, all)
        };
        let parameters = [
            ("WIDTH", width.to_string()),
            ("S_WIDTH", selects.to_string()),
        ];
        let ports = [
            ("A", self.signal(a)),
            ("S", self.signal(selects)),
            ("Y", self.result(y)),
        ];
        self.put(kind, &parameters, &ports);
    }

    /// At most one select is 1: what several give is undefined.
    fn parallel_mux(&mut self, width: u32) {
        let number = self.rng.between(1, 4) as u32;
        let (subject, mut selects) = (self.signal(3), Vec::new());
        for value in 0..number {
            let hit = self.result(1);
            let parameters = [
                ("A_SIGNED", "0".into()),
                ("B_SIGNED", "0".into()),
                ("A_WIDTH", "3".into()),
                ("B_WIDTH", "3".into()),
                ("Y_WIDTH", "1".into()),
            ];
            let ports = [
                ("A", subject.clone()),
                ("B", format!("3'{value:03b}")),
                ("Y", hit.clone()),
            ];
            self.put("$eq", &parameters, &ports);
            selects.push(hit);
        }
        let parameters = [
            ("WIDTH", width.to_string()),
            ("S_WIDTH", number.to_string()),
        ];
        let ports = [
            ("A", self.signal(width)),
            ("B", self.signal(width * number)),
            ("S", format!("{{ {} }}", selects.join(" "))),
            ("Y", self.result(width)),
        ];
        self.put("$pmux", &parameters, &ports);
    }
}
