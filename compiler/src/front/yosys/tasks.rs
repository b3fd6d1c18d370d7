//! What each system task and function becomes. The words after `\001` are read back from the format
//! strings of `$print` cells.

use super::context::Process;
use super::formats::shows_text;
use super::lexer::Kind;
use super::rewrite::Rewriter;

/// Parentheses of a call and its arguments, as first and last tokens; an empty argument has none.
pub(super) struct Call {
    pub close: usize,
    pub arguments: Vec<Option<(usize, usize)>>,
}

impl Rewriter<'_> {
    pub(super) fn system_task(&mut self, at: usize, name: &str) {
        match name {
            "$random" | "$urandom" | "$urandom_range" => return self.random_call(at, name),
            "$test$plusargs" | "$value$plusargs" => return self.plusargs(at, name),
            // Two-state values are never unknown.
            "$isunknown" => return self.replace_call(at, "1'b0"),
            _ => {}
        }
        // Outside of processes these run while elaborating, and the front end does that.
        if self.context.process().is_none() && !self.is_failure(at) {
            return;
        }
        if shows_text(name)
            && let Some(call) = self.call(at)
        {
            let edits = self.format_edits(&call);
            self.edits.extend(edits);
        }
        match name {
            "$finish" | "$exit" => self.finish(at),
            "$stop" => self.replace_call(at, "$display(\"\\001stop\")"),
            "$fatal" => self.fatal(at),
            "$error" | "$warning" | "$info" | "$strobe" => self.message(at, &name[1..]),
            "$monitor" => self.monitor(at),
            "$fdisplay" | "$fwrite" | "$fstrobe" => self.write_to_file(at, name),
            "$fopen" => {
                self.replace_call(at, "32'd0");
                self.warn(
                    at,
                    "`$fopen` opens nothing and gives 0: an artifact has no files".into(),
                );
            }
            "$fflush" => self.replace_call(at, ""),
            _ if is_dump(name) => {
                self.replace_call(at, "");
                self.note(
                    at,
                    format!("`{name}` is left out: `run --wave FILE` records waveforms"),
                );
            }
            _ if is_dropped(name) => {
                self.replace_call(at, "");
                self.warn(
                    at,
                    format!("`{name}` has no meaning in an artifact and is left out"),
                );
            }
            _ => {}
        }
    }

    pub(super) fn call(&self, at: usize) -> Option<Call> {
        let open = at + 1;
        if self.file.word(open) != "("
            || self.file.tokens[open].in_macro != self.file.tokens[at].in_macro
        {
            return None;
        }
        let close = self.file.closing(open)?;
        let mut arguments = Vec::new();
        let (mut first, mut depth) = (open + 1, 0usize);
        for i in open + 1..=close {
            match self.file.word(i) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if i != close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if i == close || (depth == 0 && self.file.word(i) == ",") {
                arguments.push((first < i).then_some((first, i - 1)));
                first = i + 1;
            }
        }
        Some(Call { close, arguments })
    }

    /// Replaces a task or function with its arguments.
    fn replace_call(&mut self, at: usize, text: &str) {
        let last = self.call(at).map_or(at, |call| call.close);
        self.replace(at, last, text.to_string());
    }

    pub(super) fn argument(&self, call: Option<&Call>, index: usize) -> Option<(usize, usize)> {
        *call?.arguments.get(index)?
    }

    /// The value of an argument that is one number.
    fn number(&self, argument: Option<(usize, usize)>) -> Option<u64> {
        let (first, last) = argument?;
        (first == last && self.file.kind(first) == Some(Kind::Number))
            .then(|| parse_number(self.file.word(first)))?
    }

    fn finish(&mut self, at: usize) {
        let call = self.call(at);
        let level = self.number(self.argument(call.as_ref(), 0)).unwrap_or(1);
        self.replace_call(at, &format!("$display(\"\\001finish {level}\")"));
    }

    fn fatal(&mut self, at: usize) {
        let Some(call) = self.call(at) else {
            return self.replace(at, at, "$display(\"\\001fatal 1 \")".into());
        };
        self.replace(at, at, "$display".into());
        let first = self.argument(Some(&call), 0);
        let (level, skipped) = match (self.number(first), first) {
            (Some(level), Some((_, last))) => (level, last),
            _ => (1, at + 1),
        };
        let rest = if skipped == at + 1 {
            first.is_some()
        } else {
            call.arguments.len() > 1
        };
        let comma = if rest && skipped == at + 1 { ", " } else { "" };
        self.replace(at + 1, skipped, format!("(\"\\001fatal {level} \"{comma}"));
    }

    /// In what runs when an assertion fails.
    fn is_failure(&self, at: usize) -> bool {
        let mut failures = self.failures.iter();
        failures.any(|&(first, last)| (first..=last).contains(&at))
    }

    /// A task with the arguments of `$display`.
    fn message(&mut self, at: usize, word: &str) {
        let word = if self.is_failure(at) && word == "error" {
            "assert"
        } else {
            word
        };
        let Some(call) = self.call(at) else {
            return self.replace(at, at, format!("$display(\"\\001{word} \")"));
        };
        let comma = if call.arguments.iter().any(Option::is_some) {
            ", "
        } else {
            ""
        };
        self.replace(at, at + 1, format!("$display(\"\\001{word} \"{comma}"));
    }

    /// `$monitor` prints whenever an argument changes, as `$display` in a combinational process does.
    fn monitor(&mut self, at: usize) {
        let text = self
            .call(at)
            .and_then(|call| self.arguments_on_one_line(at + 1, &call));
        match text.filter(|_| self.in_initial(at) && self.context.module().is_some()) {
            Some(arguments) => self
                .monitors
                .push(format!("always @* $display{arguments}; ")),
            None => self.warn(
                at,
                "`$monitor` is kept only in `initial` blocks; here it is left out".into(),
            ),
        }
        self.replace_call(at, "");
    }

    fn write_to_file(&mut self, at: usize, name: &str) {
        let call = self.call(at);
        let file = self.number(self.argument(call.as_ref(), 0));
        let (Some(call), Some(1 | 2 | 0x8000_0001 | 0x8000_0002)) = (call, file) else {
            self.replace_call(at, "");
            return self.warn(
                at,
                format!("`{name}` is kept only for standard output and error; here it is left out"),
            );
        };
        let task = if name == "$fwrite" {
            "$write"
        } else {
            "$display"
        };
        let prefix = if name == "$fstrobe" {
            "\"\\001strobe \""
        } else {
            "\"\""
        };
        let comma = if call.arguments.len() > 1 && name == "$fstrobe" {
            ", "
        } else {
            ""
        };
        let shown = if call.arguments.len() > 1 && name != "$fstrobe" {
            ""
        } else {
            prefix
        };
        // Up to and with the comma after the file.
        let last = if call.arguments.len() > 1 {
            at + 3
        } else {
            at + 2
        };
        self.replace(at, last, format!("{task}({shown}{comma}"));
    }

    fn random_call(&mut self, at: usize, name: &str) {
        let call = self.call(at);
        let last = call.as_ref().map_or(at, |call| call.close);
        let arguments = |i| {
            self.argument(call.as_ref(), i)
                .map(|(first, last)| self.copy(first, last))
        };
        if name != "$urandom_range" {
            if arguments(0).is_some() {
                self.warn(
                    at,
                    format!("the seed of `{name}` is ignored: `--seed` seeds all randomness"),
                );
            }
            return self.random(at, last, name);
        }
        let bounds = (arguments(0), arguments(1));
        let Some(random) = self.random_value(at, "$urandom") else {
            return;
        };
        // One bit more than the bounds have, so that the whole range of 32 bits is a range too.
        let text = match bounds {
            (Some(Some(a)), Some(Some(b))) => format!(
                "(({a}) >= ({b}) ? ({b}) + {random} % (33'd1 + ({a}) - ({b})) : ({a}) + {random} % (33'd1 + ({b}) - ({a})))"
            ),
            (Some(Some(a)), None) => format!("({random} % (33'd1 + ({a})))"),
            _ => return,
        };
        self.replace(at, last, text);
    }

    /// Replaces a call of `$random` or `$urandom`, or a macro that is one.
    pub(super) fn random(&mut self, first: usize, last: usize, name: &str) {
        if let Some(text) = self.random_value(first, name) {
            self.replace(first, last, text);
        }
    }

    /// An expression for a random number; `None` where there is no module to declare a wire in, so that
    /// the front end refuses the call.
    fn random_value(&mut self, at: usize, name: &str) -> Option<String> {
        let signed = name == "$random";
        if self.in_initial(at) {
            return self.random_constant(at, signed);
        }
        if self.in_process(Process::Macro) {
            return None;
        }
        let sign = if signed { "signed " } else { "" };
        self.wire("random", "rtlwasm_random", &format!("{sign}[31:0] "))
    }

    /// `initial` blocks run while elaborating, where a wire has no value; a variable of the module steps
    /// through a fixed sequence instead.
    fn random_constant(&mut self, at: usize, signed: bool) -> Option<String> {
        let body = self.context.module()?.body?;
        if !self.seeded.contains(&body) {
            self.seeded.push(body);
            let seed = 0x9e37_79b9u32.wrapping_mul(self.shared.wires as u32 + 1);
            self.insert(body, format!(" reg [31:0] rtlwasm_seed = 32'd{seed};"));
        }
        self.shared.wires += 1;
        self.note(
            at,
            "random numbers in `initial` blocks are drawn once, while compiling".into(),
        );
        let step = "(rtlwasm_seed = rtlwasm_seed * 32'd1664525 + 32'd1013904223)";
        let value = format!("({step} ^ (rtlwasm_seed >> 15))");
        Some(if signed {
            format!("$signed{value}")
        } else {
            value
        })
    }

    /// Declares a wire that the artifact gives a value, and gives its name.
    pub(super) fn wire(&mut self, name: &str, attribute: &str, range: &str) -> Option<String> {
        let place = self.context.declaration_place()?;
        let name = format!("rtlwasm_{name}_{}", self.shared.wires);
        self.shared.wires += 1;
        self.insert(place, format!(" (* {attribute} *) wire {range}{name}; "));
        Some(name)
    }
}

fn is_dump(name: &str) -> bool {
    ["$dump", "$fsdb", "$vcdplus", "$shm_", "$recordvars"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Tasks without result whose loss changes no value.
fn is_dropped(name: &str) -> bool {
    matches!(
        name,
        "$monitoron"
            | "$monitoroff"
            | "$timeformat"
            | "$printtimescale"
            | "$fclose"
            | "$fmonitor"
            | "$writememh"
            | "$writememb"
            | "$assertoff"
            | "$asserton"
            | "$assertkill"
            | "$sdf_annotate"
    )
}

fn parse_number(text: &str) -> Option<u64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let Some((_, based)) = text.split_once('\'') else {
        return text.parse().ok();
    };
    let based = based.trim_start_matches('s');
    let radix = match based.chars().next()? {
        'h' => 16,
        'd' => 10,
        'o' => 8,
        'b' => 2,
        _ => return None,
    };
    u64::from_str_radix(&based[1..], radix).ok()
}
