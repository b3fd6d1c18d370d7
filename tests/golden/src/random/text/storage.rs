//! Flip-flops and latches as cells.

use super::{Module, STEADY};

/// Cells with a clock or an enable and what controls them: C clock, E enable, R reset (S: with the clock), L load,
/// B set and clear bit by bit.
const KINDS: &[(&str, &str)] = &[
    ("$dff", "C"),
    ("$dffe", "CE"),
    ("$sdff", "CS"),
    ("$sdffe", "CSE"),
    ("$sdffce", "CSE"),
    ("$adff", "CR"),
    ("$adffe", "CRE"),
    ("$aldff", "CL"),
    ("$aldffe", "CLE"),
    ("$dffsr", "CB"),
    ("$dffsre", "CBE"),
    ("$dlatch", "E"),
    ("$adlatch", "RE"),
    ("$dlatchsr", "BE"),
];

/// All names, for statistics.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

impl Module {
    /// Declares wires that logic may use before what drives them is written.
    pub(super) fn registers(&mut self) {
        for _ in 0..self.rng.between(2, 5) {
            let width = self.width();
            let wire = self.result(width);
            self.later.push((wire, width));
        }
    }

    /// Gives each of them a flip-flop, by a cell or by a process.
    pub(super) fn finish_registers(&mut self) {
        for (wire, width) in std::mem::take(&mut self.later) {
            if self.rng.percent(50) {
                self.register_process(&wire, width);
            } else {
                let clocked: Vec<_> = KINDS.iter().filter(|(_, c)| c.contains('C')).collect();
                let (kind, controls) = **self.rng.pick(&clocked);
                self.storage_cell(kind, controls, &wire, width);
            }
        }
    }

    pub(super) fn storage(&mut self) {
        let (kind, controls) = *self.rng.pick(KINDS);
        let width = self.width();
        // Not known before all its inputs are chosen: a latch is transparent.
        let wire = self.wire(width);
        self.storage_cell(kind, controls, &wire, width);
        self.known.push((wire, width));
    }

    fn storage_cell(&mut self, kind: &'static str, controls: &str, wire: &str, width: u32) {
        let mut parameters = vec![("WIDTH", width.to_string())];
        let mut ports = vec![("D", self.signal(width)), ("Q", wire.to_string())];
        let mut polarity = |m: &mut Module, name| {
            parameters.push((name, m.rng.below(2).to_string()));
        };
        for control in controls.chars() {
            match control {
                'C' => {
                    polarity(self, "CLK_POLARITY");
                    ports.push(("CLK", self.clock().into()));
                }
                'E' => {
                    polarity(self, "EN_POLARITY");
                    let clocked = controls.contains('C');
                    let enable = if clocked {
                        self.signal(1)
                    } else {
                        self.steady(1)
                    };
                    ports.push(("EN", enable));
                }
                'S' => {
                    polarity(self, "SRST_POLARITY");
                    ports.push(("SRST", self.signal(1)));
                }
                'R' => {
                    polarity(self, "ARST_POLARITY");
                    ports.push(("ARST", self.steady(1)));
                }
                'L' => {
                    polarity(self, "ALOAD_POLARITY");
                    ports.push(("ALOAD", self.steady(1)));
                    ports.push(("AD", self.steady(width)));
                }
                _ => {
                    polarity(self, "SET_POLARITY");
                    polarity(self, "CLR_POLARITY");
                    ports.push(("SET", self.steady(width)));
                    ports.push(("CLR", self.steady(width)));
                }
            }
        }
        for (control, name) in [('S', "SRST_VALUE"), ('R', "ARST_VALUE")] {
            if controls.contains(control) {
                parameters.push((name, self.constant(width)));
            }
        }
        self.put(kind, &parameters, &ports);
    }

    /// Inputs, pieces of them, and constants: what acts at once neither follows from what it changes nor comes from a
    /// latch, whose end of transparency would be in a race with what it lets through.
    pub(super) fn steady(&mut self, width: u32) -> String {
        let is_steady = |(wire, _): &&(String, u32)| STEADY.contains(&&wire[1..]);
        let inputs = self.known.iter().filter(is_steady).cloned().collect();
        let all = std::mem::replace(&mut self.known, inputs);
        let value = self.signal(width);
        self.known = all;
        value
    }
}
