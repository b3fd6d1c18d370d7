//! A netlist as `.ir` text (`docs/ir.md`): what snapshots and `rtlwasm dump` show.
//!
//! In: any netlist. Out: text that [`parse`] reads back; printing that again gives the same text. One item
//! a line; an origin is printed where it differs from the one of the line before.

use std::fmt::Write;

use super::*;

/// The whole netlist.
pub fn print(netlist: &Netlist) -> String {
    let mut p = Printer {
        n: netlist,
        out: String::new(),
        origin: Origin::default(),
    };
    p.line(format!("netlist {}", quoted(&netlist.top)));
    p.names();
    p.state();
    p.memories();
    for (id, cell) in netlist.cells.iter() {
        let origin = netlist.origins.get(id).copied().unwrap_or_default();
        p.line_at(cell_line(id, cell), origin);
    }
    p.effects();
    p.signals();
    p.out
}

/// One cell, as `%7:8 = add %3 %6`.
pub fn cell_line(id: CellId, cell: &Cell) -> String {
    let mut line = format!("%{}:{} = {}", id.index(), cell.width, cell.kind.keyword());
    let mut attribute = |text: String| {
        line.push(' ');
        line.push_str(&text);
    };
    match &cell.kind {
        CellKind::Const(bits) => attribute(bits.to_hex()),
        CellKind::Input(id) => attribute(id.index().to_string()),
        CellKind::Register(id) => attribute(id.index().to_string()),
        CellKind::Latch(id) => attribute(id.index().to_string()),
        CellKind::LoopCut(id) => attribute(id.index().to_string()),
        CellKind::Random(id) => attribute(id.index().to_string()),
        CellKind::MemRead { memory, .. } => attribute(memory.index().to_string()),
        _ => {}
    }
    cell.kind.for_each_operand(|o| attribute(value(o)));
    if let CellKind::Slice { low, .. } = cell.kind {
        attribute(low.to_string());
    }
    line
}

fn value(cell: CellId) -> String {
    format!("%{}", cell.index())
}

/// A string between quotes, on one line.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `5a`, `50/f0` when only some bits are defined, `?` when none is.
fn initial(init: &Bits, defined: &Bits) -> String {
    match () {
        () if defined.is_ones() => init.to_hex(),
        () if defined.is_zero() => "?".into(),
        () => format!("{}/{}", init.to_hex(), defined.to_hex()),
    }
}

/// The same, and where undefined bits are drawn from.
fn drawn(init: &Bits, defined: &Bits, draw: u64) -> String {
    initial(init, defined) + &flag(!defined.is_ones() && draw != 0, &format!("draw {draw}"))
}

/// ` on rise 0, fall 2`; nothing when there is no clock.
fn clocks(clocks: &[ClockEdge]) -> String {
    let one = |c: &ClockEdge| {
        let edge = match c.edge {
            Edge::Rise => "rise",
            Edge::Fall => "fall",
            Edge::Both => "both",
        };
        format!("{edge} {}", c.trigger.index())
    };
    match clocks {
        [] => String::new(),
        _ => format!(
            " on {}",
            clocks.iter().map(one).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn flag(set: bool, word: &str) -> String {
    if set {
        format!(" {word}")
    } else {
        String::new()
    }
}

impl EffectKind {
    /// The keyword in the text form, and the kind in an artifact's manifest.
    pub fn keyword(self) -> &'static str {
        match self {
            EffectKind::Display => "display",
            EffectKind::Info => "info",
            EffectKind::Warning => "warning",
            EffectKind::Error => "error",
            EffectKind::Fatal => "fatal",
            EffectKind::Finish => "finish",
            EffectKind::Stop => "stop",
            EffectKind::Assert => "assert",
            EffectKind::Assume => "assume",
            EffectKind::Cover => "cover",
        }
    }
}

fn message_part(part: &MessagePart) -> String {
    match part {
        MessagePart::Text(text) => format!("  text {}", quoted(text)),
        MessagePart::Number { arg, base, layout } => {
            let base = match base {
                Base::Binary => "binary",
                Base::Octal => "octal",
                Base::Decimal => "decimal",
                Base::Hex => "hex",
                Base::UpperHex => "upperhex",
            };
            format!("  number {arg} {base}{}", number_layout(layout))
        }
        MessagePart::Chars { arg, layout } => format!("  chars {arg}{}", number_layout(layout)),
        MessagePart::Time { real, layout } => {
            let word = if *real { "realtime" } else { "time" };
            format!("  {word}{}", number_layout(layout))
        }
    }
}

fn number_layout(l: &NumberLayout) -> String {
    [
        flag(l.width > 0, &format!("width {}", l.width)),
        flag(l.justify == Justify::Left, "left"),
        flag(l.zero_pad, "zero"),
        flag(l.plus, "plus"),
        flag(l.space, "space"),
        flag(l.prefix, "prefix"),
        flag(l.group, "group"),
    ]
    .concat()
}

struct Printer<'a> {
    n: &'a Netlist,
    out: String,
    /// Of the last line that has one.
    origin: Origin,
}

impl Printer<'_> {
    fn line(&mut self, line: String) {
        self.out.push_str(&line);
        self.out.push('\n');
    }

    /// A line and, where it is another one than before, its origin.
    fn line_at(&mut self, line: String, origin: Origin) {
        let (source, before) = (self.source(origin.source), self.source(self.origin.source));
        let suffix = match source {
            _ if (origin.scope, source) == (self.origin.scope, before) => String::new(),
            "" => format!("  @{}", origin.scope.index()),
            _ => format!("  @{} {}", origin.scope.index(), quoted(source)),
        };
        self.origin = origin;
        self.line(line + &suffix);
    }

    fn source(&self, id: SourceId) -> &str {
        self.n.sources.get(id).map_or("", String::as_str)
    }

    fn names(&mut self) {
        for (id, t) in self.n.types.iter() {
            let variant = |(name, v): &(String, Bits)| format!(" {}={}", quoted(name), v.to_hex());
            let variants: String = t.variants.iter().map(variant).collect();
            self.line(format!(
                "type {} {}:{}{variants}",
                id.index(),
                quoted(&t.name),
                t.width
            ));
        }
        for (id, s) in self.n.scopes.iter() {
            let parent = s
                .parent
                .map_or(String::new(), |p| format!(" in {}", p.index()));
            let source = self.source(s.source);
            let at = flag(!source.is_empty(), &format!("at {}", quoted(source)));
            let (name, module) = (quoted(&s.name), quoted(&s.module));
            self.line(format!("scope {} {name} {module}{parent}{at}", id.index()));
        }
        for (id, i) in self.n.inputs.iter() {
            self.line(format!(
                "input {} {}:{}",
                id.index(),
                quoted(&i.name),
                i.width
            ));
        }
    }

    fn state(&mut self) {
        for (id, t) in self.n.triggers.iter() {
            let role = match t.role {
                TriggerRole::PrimaryClock => "clock",
                TriggerRole::DerivedClock => "derived",
                TriggerRole::AsyncLoad => "load",
            };
            self.line(format!("trigger {} {role} {}", id.index(), value(t.net)));
        }
        for (id, r) in self.n.registers.iter() {
            self.register(id, r);
        }
        for (id, l) in self.n.latches.iter() {
            let init = drawn(&l.init, &l.init_defined, l.draw);
            let line = format!(
                "latch {}:{} = {init} value {}",
                id.index(),
                l.width,
                value(l.value)
            );
            self.line_at(line, l.origin);
        }
        for (id, l) in self.n.loops.iter() {
            let line = format!("loop {}:{} value {}", id.index(), l.width, value(l.value));
            self.line_at(line, l.origin);
        }
        for (id, r) in self.n.randoms.iter() {
            let key = flag(r.key != id.index() as u64, &format!("key {}", r.key));
            self.line_at(format!("random {}:{}{key}", id.index(), r.width), r.origin);
        }
    }

    fn register(&mut self, id: RegisterId, r: &Register) {
        let init = drawn(&r.init, &r.init_defined, r.draw);
        let load = r.load.map_or(String::new(), |l| {
            let trigger = l
                .trigger
                .map_or(String::new(), |t| format!(" trigger {}", t.index()));
            format!(" load {} {}{trigger}", value(l.when), value(l.value))
        });
        let (clocks, next) = (clocks(&r.clocks), value(r.next));
        let line = format!(
            "register {}:{} = {init}{clocks} next {next}{load}",
            id.index(),
            r.width
        );
        self.line_at(line, r.origin);
    }

    fn memories(&mut self) {
        for (id, m) in self.n.memories.iter() {
            let first = flag(m.first != 0, &format!("first {}", m.first));
            let defined =
                m.init.len() == m.depth as usize && m.init.iter().all(|i| i.defined.is_ones());
            let draw = flag(!defined && m.draw != 0, &format!("draw {}", m.draw));
            let (id, width, depth) = (id.index(), m.width, m.depth);
            self.line_at(
                format!("memory {id}:{width} depth {depth}{first}{draw}"),
                m.origin,
            );
            self.rows(m);
            for w in &m.writes {
                let [enable, address, data, mask] =
                    [w.enable, w.address, w.data, w.mask].map(value);
                let clocks = clocks(&w.clocks);
                let ports = format!("enable {enable} address {address} data {data} mask {mask}");
                self.line_at(format!("  write{clocks} {ports}"), w.origin);
            }
        }
    }

    /// Initial rows, neighbours on one line up to about 90 characters.
    fn rows(&mut self, m: &Memory) {
        let mut line = String::new();
        let mut next_row = None;
        for i in &m.init {
            let text = initial(&i.value, &i.defined);
            if next_row != Some(i.row) || line.len() + text.len() > 90 {
                if !line.is_empty() {
                    self.line(std::mem::take(&mut line));
                }
                line = format!("  rows {}", i.row);
            }
            line = line + " " + &text;
            next_row = i.row.checked_add(1);
        }
        if !line.is_empty() {
            self.line(line);
        }
    }

    fn effects(&mut self) {
        for e in &self.n.effects {
            let when = match &e.when {
                EffectTime::Initial => " initial".to_string(),
                EffectTime::Change => " change".to_string(),
                EffectTime::Edges(edges) => clocks(edges),
            };
            let arg = |a: &EffectArg| value(a.value) + &flag(a.signed, "signed");
            let args = e.args.iter().map(arg).collect::<Vec<_>>().join(", ");
            let args = flag(!e.args.is_empty(), &format!("args {args}"));
            let (kind, name, last) = (e.kind.keyword(), quoted(&e.name), flag(e.last, "last"));
            let line = format!(
                "effect {kind} {name}{when} enable {}{args}{last}",
                value(e.enable)
            );
            self.line_at(line, e.origin);
            e.message
                .iter()
                .for_each(|part| self.line(message_part(part)));
        }
    }

    fn signals(&mut self) {
        for s in self.n.signals.values() {
            let direction = match s.direction {
                Direction::None => "wire",
                Direction::Input => "input",
                Direction::Output => "output",
                Direction::Inout => "inout",
            };
            let stands_for = match s.value {
                SignalValue::Cell(c) => value(c),
                SignalValue::Memory(m) => format!("memory {}", m.index()),
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => {
                    format!("inout {} {} {}", value(input), value(output), value(enable))
                }
            };
            let attributes = [
                flag(s.lsb != 0, &format!("lsb {}", s.lsb)),
                flag(s.upto, "upto"),
                flag(s.signed, "signed"),
                s.ty.map_or(String::new(), |t| format!(" type {}", t.index())),
            ]
            .concat();
            let name = quoted(&s.name);
            let line = format!(
                "signal {direction} {name}:{} = {stands_for}{attributes}",
                s.width
            );
            self.line_at(
                line,
                Origin {
                    scope: s.scope,
                    source: s.source,
                },
            );
        }
    }
}
