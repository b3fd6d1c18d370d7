//! Processes as text: assignments, switches with patterns, rules.

use std::fmt::Write;

use super::Module;

/// How a process gives its target a value. Not by both edges: Yosys makes no flip-flop of that.
const RULES: &[&str] = &[
    "always",
    "posedge",
    "negedge",
    "posedge and high",
    "posedge and low",
];

/// What must come, for statistics.
pub fn names() -> Vec<String> {
    let rules = RULES.iter().map(|rule| format!("sync {rule}"));
    let others = [
        "sync init",
        "switch",
        "case with don't care",
        "case of several",
        "default",
    ];
    rules.chain(others.map(str::to_string)).collect()
}

impl Module {
    /// A process whose target is known afterwards.
    pub(super) fn process(&mut self) {
        let width = self.width();
        let rule = *self.rng.pick(RULES);
        let target = self.wire(width);
        self.process_for(&target, width, rule);
        self.known.push((target, width));
    }

    /// A process for a wire that is used already.
    pub(super) fn register_process(&mut self, target: &str, width: u32) {
        let rule = *self.rng.pick(&RULES[1..]);
        self.process_for(target, width, rule);
    }

    fn process_for(&mut self, target: &str, width: u32, rule: &str) {
        let (next, number) = (self.wire(width), self.fresh());
        let first = self.signal(width);
        let mut text = format!("  process $p{number}\n    assign {next} {first}\n");
        let depth = self.rng.below(3) + 1;
        self.switch(&mut text, &next, width, depth);
        let clock = self.clock();
        let update = format!("      update {target} {next}\n");
        match rule {
            "always" => write!(text, "    sync always\n{update}").unwrap(),
            "posedge and high" | "posedge and low" => {
                let (level, value) = (rule.rsplit(' ').next().unwrap(), self.constant(width));
                write!(text, "    sync posedge {clock}\n{update}").unwrap();
                write!(
                    text,
                    "    sync {level} \\rst\n      update {target} {value}\n"
                )
                .unwrap();
            }
            edge => write!(text, "    sync {edge} {clock}\n{update}").unwrap(),
        }
        if rule != "always" && self.rng.percent(40) {
            let value = self.constant(width);
            write!(text, "    sync init\n      update {target} {value}\n").unwrap();
            self.note("sync init");
        }
        writeln!(self.body, "{text}  end").unwrap();
        self.note(format!("sync {rule}"));
    }

    fn switch(&mut self, text: &mut String, next: &str, width: u32, depth: usize) {
        let subject_width = self.rng.between(1, 4) as u32;
        let subject = self.subject(subject_width);
        writeln!(text, "    switch {subject}").unwrap();
        self.note("switch");
        for _ in 0..self.rng.between(1, 4) {
            let patterns: Vec<String> = (0..self.rng.between(1, 2))
                .map(|_| self.pattern(subject_width))
                .collect();
            if patterns.len() > 1 {
                self.note("case of several");
            }
            writeln!(text, "      case {}", patterns.join(" , ")).unwrap();
            self.arm(text, next, width, depth);
        }
        if self.rng.percent(50) {
            text.push_str("      case\n");
            self.note("default");
            self.arm(text, next, width, depth);
        }
        text.push_str("    end\n");
    }

    /// Never a constant: Yosys' `proc_clean` then drops patterns with don't care bits.
    fn subject(&mut self, width: u32) -> String {
        loop {
            let subject = self.signal(width);
            if subject.contains('\\') {
                return subject;
            }
        }
    }

    fn pattern(&mut self, width: u32) -> String {
        let digits: String = (0..width)
            .map(|_| *self.rng.pick(&['0', '1', '0', '1', '-']))
            .collect();
        if digits.contains('-') {
            self.note("case with don't care");
        }
        format!("{width}'{digits}")
    }

    fn arm(&mut self, text: &mut String, next: &str, width: u32, depth: usize) {
        if self.rng.percent(80) {
            let low = if self.rng.percent(40) {
                self.rng.below(width as usize) as u32
            } else {
                0
            };
            let part = width - low;
            let value = self.signal(part);
            let place = match part {
                _ if low == 0 => next.to_string(),
                1 => format!("{next} [{low}]"),
                _ => format!("{next} [{}:{low}]", width - 1),
            };
            writeln!(text, "        assign {place} {value}").unwrap();
        }
        if depth > 1 && self.rng.percent(50) {
            self.switch(text, next, width, depth - 1);
        }
    }
}
