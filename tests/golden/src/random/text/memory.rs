//! Memories: cells of both versions beside a declaration, whole ones of both versions, and writes in processes.

use std::fmt::Write;

use super::{Module, constant};

/// The forms, for statistics.
pub const FORMS: &[&str] = &[
    "memory $memrd",
    "memory $memrd_v2",
    "memory $mem",
    "memory $mem_v2",
    "memory memwr",
];

impl Module {
    /// A memory with a write port, or two of one clock of which the later wins, a clocked read and a direct one. All rows
    /// that an address can name exist.
    pub(super) fn memory(&mut self) {
        let form = *self.rng.pick(FORMS);
        let (bits, width) = (self.rng.between(1, 4) as u32, self.width().min(40));
        let name = format!("m{}", self.fresh());
        let init = self.rng.bits(width << bits);
        let clock = self.clock();
        let shape = Shape {
            name,
            bits,
            width,
            init: constant(&init),
            clock,
        };
        match form {
            "memory $mem" | "memory $mem_v2" => self.whole(&shape, form == "memory $mem_v2"),
            "memory memwr" => {
                self.declare(&shape, "");
                self.write_in_process(&shape);
                self.read_cells(&shape, true);
            }
            _ => {
                let new = form == "memory $memrd_v2";
                self.declare(&shape, if new { "_v2" } else { "" });
                self.write_cells(&shape, new);
                self.read_cells(&shape, new);
            }
        }
        self.note(form);
    }

    fn declare(&mut self, s: &Shape, version: &str) {
        let Shape {
            name, bits, width, ..
        } = s;
        writeln!(
            self.wires,
            "  memory width {width} size {} \\{name}",
            1 << bits
        )
        .unwrap();
        let parameters = [
            ("MEMID", s.id()),
            ("ABITS", bits.to_string()),
            ("WIDTH", width.to_string()),
            ("WORDS", (1 << bits).to_string()),
            ("PRIORITY", "0".into()),
        ];
        let mut ports = vec![
            ("ADDR", format!("{bits}'{}", "0".repeat(*bits as usize))),
            ("DATA", s.init.clone()),
        ];
        if version == "_v2" {
            ports.push(("EN", format!("{width}'{}", "1".repeat(*width as usize))));
        }
        self.put(&format!("$meminit{version}"), &parameters, &ports);
    }

    fn mask(&mut self, width: u32) -> String {
        if self.rng.percent(40) {
            return self.signal(width);
        }
        let bit = self.signal(1);
        let bit = bit.trim_matches(['{', '}', ' ']).to_string();
        format!("{{ {} }}", vec![bit; width as usize].join(" "))
    }

    fn write_cells(&mut self, s: &Shape, new: bool) {
        let polarity = self.rng.below(2).to_string();
        for port in 0..self.rng.between(1, 2) {
            let mut parameters = vec![
                ("MEMID", s.id()),
                ("ABITS", s.bits.to_string()),
                ("WIDTH", s.width.to_string()),
                ("CLK_ENABLE", "1".into()),
                ("CLK_POLARITY", polarity.clone()),
            ];
            if new {
                parameters.push(("PORTID", port.to_string()));
                parameters.push(("PRIORITY_MASK", format!("{port}'{}", "1".repeat(port))));
            } else {
                parameters.push(("PRIORITY", port.to_string()));
            }
            let ports = [
                ("CLK", s.clock.to_string()),
                ("EN", self.mask(s.width)),
                ("ADDR", self.signal(s.bits)),
                ("DATA", self.signal(s.width)),
            ];
            self.put(
                if new { "$memwr_v2" } else { "$memwr" },
                &parameters,
                &ports,
            );
        }
    }

    fn write_in_process(&mut self, s: &Shape) {
        let number = self.fresh();
        let mut text = format!("  process $p{number}\n    sync posedge {}\n", s.clock);
        for port in 0..self.rng.between(1, 2) {
            let (address, data) = (self.signal(s.bits), self.signal(s.width));
            let (mask, priority) = (self.mask(s.width), format!("{port}'{}", "1".repeat(port)));
            writeln!(
                text,
                "      memwr \\{} {address} {data} {mask} {priority}",
                s.name
            )
            .unwrap();
        }
        writeln!(self.body, "{text}  end").unwrap();
    }

    fn read_cells(&mut self, s: &Shape, new: bool) {
        for clocked in [0, 1] {
            let mut parameters = vec![
                ("MEMID", s.id()),
                ("ABITS", s.bits.to_string()),
                ("WIDTH", s.width.to_string()),
                ("CLK_ENABLE", clocked.to_string()),
                ("CLK_POLARITY", self.rng.below(2).to_string()),
            ];
            let data = self.wire(s.width);
            let (address, enable) = (self.signal(s.bits), self.signal(1));
            let mut ports = vec![
                (
                    "CLK",
                    if clocked == 1 {
                        self.clock().into()
                    } else {
                        "1'0".into()
                    },
                ),
                ("EN", if clocked == 1 { enable } else { "1'1".into() }),
                ("ADDR", address),
                ("DATA", data.clone()),
            ];
            if new {
                let none = format!("{}'{}", s.width, "0".repeat(s.width as usize));
                for name in ["TRANSPARENCY_MASK", "COLLISION_X_MASK"] {
                    parameters.push((name, "0'".into()));
                }
                for name in ["ARST_VALUE", "SRST_VALUE", "INIT_VALUE"] {
                    parameters.push((name, none.clone()));
                }
                parameters.push(("CE_OVER_SRST", "0".into()));
                ports.extend([("ARST", "1'0".to_string()), ("SRST", "1'0".to_string())]);
            } else {
                parameters.push(("TRANSPARENT", "0".into()));
            }
            self.put(
                if new { "$memrd_v2" } else { "$memrd" },
                &parameters,
                &ports,
            );
            self.known.push((data, s.width));
        }
    }

    fn whole(&mut self, s: &Shape, new: bool) {
        let (w, n) = (s.width, s.bits);
        let polarity = self.rng.below(4);
        let mut parameters = vec![
            ("MEMID", s.id()),
            ("SIZE", (1 << n).to_string()),
            ("OFFSET", "0".into()),
            ("ABITS", n.to_string()),
            ("WIDTH", w.to_string()),
            ("INIT", s.init.clone()),
            ("RD_PORTS", "2".into()),
            ("RD_CLK_ENABLE", "2'01".into()),
            ("RD_CLK_POLARITY", format!("2'{polarity:02b}")),
            ("WR_PORTS", "1".into()),
            ("WR_CLK_ENABLE", "1'1".into()),
            ("WR_CLK_POLARITY", "1'1".into()),
        ];
        if new {
            let none = format!("{}'{}", 2 * w, "0".repeat(2 * w as usize));
            for name in [
                "RD_TRANSPARENCY_MASK",
                "RD_COLLISION_X_MASK",
                "RD_WIDE_CONTINUATION",
                "RD_CE_OVER_SRST",
            ] {
                parameters.push((name, "2'00".into()));
            }
            for name in ["RD_ARST_VALUE", "RD_SRST_VALUE", "RD_INIT_VALUE"] {
                parameters.push((name, none.clone()));
            }
            parameters.push(("WR_PRIORITY_MASK", "1'0".into()));
            parameters.push(("WR_WIDE_CONTINUATION", "1'0".into()));
        } else {
            parameters.push(("RD_TRANSPARENT", "2'00".into()));
        }
        let data = [self.wire(w), self.wire(w)];
        let (enable, read_clock) = (self.signal(1), self.clock());
        let mut ports = vec![
            ("RD_CLK", format!("{{ 1'0 {read_clock} }}")),
            (
                "RD_EN",
                format!("{{ 1'1 {} }}", enable.trim_matches(['{', '}', ' '])),
            ),
            ("RD_ADDR", self.signal(2 * n)),
            ("RD_DATA", format!("{{ {} {} }}", data[1], data[0])),
            ("WR_CLK", s.clock.to_string()),
            ("WR_EN", self.mask(w)),
            ("WR_ADDR", self.signal(n)),
            ("WR_DATA", self.signal(w)),
        ];
        if new {
            ports.extend([
                ("RD_ARST", "2'00".to_string()),
                ("RD_SRST", "2'00".to_string()),
            ]);
        }
        self.put(if new { "$mem_v2" } else { "$mem" }, &parameters, &ports);
        self.known.extend(data.map(|wire| (wire, w)));
    }
}

/// What the cells of one memory have in common.
struct Shape {
    name: String,
    /// Of an address.
    bits: u32,
    width: u32,
    init: String,
    /// Of the writes.
    clock: &'static str,
}

impl Shape {
    fn id(&self) -> String {
        format!("\"\\\\{}\"", self.name)
    }
}
