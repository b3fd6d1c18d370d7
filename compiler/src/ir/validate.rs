//! Checks a netlist's invariants.
//!
//! In: a netlist as a front end or a pass left it. Out: nothing, or the violations. Called after every
//! pass in debug builds, and on netlists read from text. The rules:
//! * there is an origin for every cell, and scopes and sources that origins and names refer to exist;
//!   scope 0 and source 0 need not;
//! * operands exist and have smaller ids than their users; widths are those that [`CellKind`] asks for;
//! * everything that state, effects, triggers and names refer to exists;
//! * a register's, latch's and loop cut's width is that of its cells, values and initial value; an initial
//!   value has no bit that is not defined;
//! * enables, load conditions and trigger nets have width 1; a primary clock is a bit of an input;
//! * memory initial rows are sorted and exist; ports are as wide as the memory and have a clock;
//! * message parts name arguments that exist; clocked effects have a clock;
//! * names are as wide as what they stand for; the top-level ports come first; a scope's parent comes
//!   before it.
//!
//! Not asked for: distinct trigger nets (a pass may find two to be equal), distinct names.

use super::*;

/// Checks every rule.
///
/// # Panics
/// When one is violated, with the offending item: the netlist's maker has a bug.
pub fn validate(netlist: &Netlist) {
    let violations = violations(netlist);
    assert!(
        violations.is_empty(),
        "invalid netlist `{}`:\n{}",
        netlist.top,
        violations.join("\n")
    );
}

/// Every violation, in the order of the netlist; empty for a valid one.
pub fn violations(netlist: &Netlist) -> Vec<String> {
    let mut check = Check {
        n: netlist,
        found: Vec::new(),
    };
    check.cells();
    if check.found.is_empty() {
        // What state refers to can only be looked at when the cells are sound.
        check.state();
        check.memories();
        check.triggers();
        check.effects();
        check.names();
    }
    check.found
}

struct Check<'a> {
    n: &'a Netlist,
    found: Vec<String>,
}

impl Check<'_> {
    fn require(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.found.push(message());
        }
    }

    /// `cell` exists and has that width.
    fn value(&mut self, what: impl Fn() -> String, cell: CellId, width: u32) {
        match self.n.cells.get(cell) {
            Some(c) => self.require(c.width == width, || {
                format!(
                    "{}: %{} has width {}, not {width}",
                    what(),
                    cell.index(),
                    c.width
                )
            }),
            None => self.require(false, || {
                format!("{}: there is no %{}", what(), cell.index())
            }),
        }
    }

    fn origin(&mut self, what: impl Fn() -> String, scope: ScopeId, source: SourceId) {
        self.require(
            scope.index() == 0 || self.n.scopes.get(scope).is_some(),
            || format!("{}: no such scope", what()),
        );
        let known = source.index() == 0 || self.n.sources.get(source).is_some();
        self.require(known, || format!("{}: no such source", what()));
    }

    fn clocks(&mut self, what: impl Fn() -> String, clocks: &[ClockEdge]) {
        let known = clocks
            .iter()
            .all(|c| self.n.triggers.get(c.trigger).is_some());
        self.require(known, || format!("{}: no such trigger", what()));
    }

    fn cells(&mut self) {
        let n = self.n;
        self.require(n.origins.len() == n.cells.len(), || {
            format!("{} origins for {} cells", n.origins.len(), n.cells.len())
        });
        for ((id, cell), (_, origin)) in n.cells.iter().zip(n.origins.iter()) {
            let what = || super::print::cell_line(id, cell);
            let mut ordered = true;
            cell.kind.for_each_operand(|o| ordered &= o < id);
            self.require(ordered, || {
                format!("{}: an operand does not come before", what())
            });
            self.require(!ordered || self.cell_is_sound(cell), || {
                format!("{}: wrong width or reference", what())
            });
            self.origin(what, origin.scope, origin.source);
        }
    }

    /// Widths and references of a cell whose operands exist.
    fn cell_is_sound(&self, cell: &Cell) -> bool {
        use CellKind::*;
        let w = cell.width;
        let is = |id: &CellId| self.n.width(*id);
        let both = |a: &CellId, b: &CellId, width: u32| is(a) == width && is(b) == width;
        match &cell.kind {
            Const(bits) => bits.width() == w,
            Input(id) => self.n.inputs.get(*id).is_some_and(|i| i.width == w),
            Register(id) => self.n.registers.get(*id).is_some_and(|r| r.width == w),
            Latch(id) => self.n.latches.get(*id).is_some_and(|l| l.width == w),
            LoopCut(id) => self.n.loops.get(*id).is_some_and(|l| l.width == w),
            Random(id) => self.n.randoms.get(*id).is_some_and(|r| r.width == w),
            MemRead { memory, .. } => self.n.memories.get(*memory).is_some_and(|m| m.width == w),
            Not(a) => is(a) == w,
            And(a, b) | Or(a, b) | Xor(a, b) | Add(a, b) | Sub(a, b) | Mul(a, b) => both(a, b, w),
            DivU(a, b) | DivS(a, b) | RemU(a, b) | RemS(a, b) => both(a, b, w),
            Pow(a, _) | Shl(a, _) | ShrU(a, _) | ShrS(a, _) => is(a) == w,
            Eq(a, b) | LtU(a, b) | LtS(a, b) => w == 1 && is(a) == is(b),
            ReduceXor(_) => w == 1,
            Mux {
                select,
                on_true,
                on_false,
            } => is(select) == 1 && both(on_true, on_false, w),
            Slice { value, low } => u64::from(*low) + u64::from(w) <= u64::from(is(value)),
            Concat(parts) => parts.iter().map(|p| u64::from(is(p))).sum::<u64>() == u64::from(w),
            ZeroExtend(a) => is(a) <= w,
            SignExtend(a) => is(a) <= w && is(a) > 0,
        }
    }

    fn initial(&mut self, what: impl Fn() -> String, width: u32, init: &Bits, defined: &Bits) {
        let sound = init.width() == width && defined.width() == width && init.and(defined) == *init;
        self.require(sound, || {
            format!("{}: initial value {init} of {defined}", what())
        });
    }

    fn state(&mut self) {
        let n = self.n;
        for (id, r) in n.registers.iter() {
            let what = || format!("register {}", id.index());
            self.initial(what, r.width, &r.init, &r.init_defined);
            self.value(what, r.next, r.width);
            self.clocks(what, &r.clocks);
            self.origin(what, r.origin.scope, r.origin.source);
            if let Some(load) = r.load {
                self.value(what, load.when, 1);
                self.value(what, load.value, r.width);
                let known = load.trigger.is_none_or(|t| n.triggers.get(t).is_some());
                self.require(known, || format!("{}: no such trigger", what()));
            }
        }
        for (id, l) in n.latches.iter() {
            let what = || format!("latch {}", id.index());
            self.initial(what, l.width, &l.init, &l.init_defined);
            self.value(what, l.value, l.width);
            self.origin(what, l.origin.scope, l.origin.source);
        }
        for (id, l) in n.loops.iter() {
            let what = || format!("loop {}", id.index());
            self.value(what, l.value, l.width);
            self.origin(what, l.origin.scope, l.origin.source);
        }
        for (id, r) in n.randoms.iter() {
            self.origin(
                || format!("random {}", id.index()),
                r.origin.scope,
                r.origin.source,
            );
        }
    }

    fn memories(&mut self) {
        for (id, m) in self.n.memories.iter() {
            let what = || format!("memory {}", id.index());
            self.origin(what, m.origin.scope, m.origin.source);
            self.require(m.draw % 64 == 0, || {
                format!("{}: rows are drawn limb by limb", what())
            });
            for init in &m.init {
                self.initial(
                    || format!("{} row {}", what(), init.row),
                    m.width,
                    &init.value,
                    &init.defined,
                );
            }
            let sorted = m.init.windows(2).all(|w| w[0].row < w[1].row);
            let inside = m.init.last().is_none_or(|i| i.row < m.depth);
            self.require(sorted && inside, || {
                format!("{}: initial rows out of order or range", what())
            });
            for w in &m.writes {
                self.require(!w.clocks.is_empty(), || {
                    format!("{}: a write port without a clock", what())
                });
                self.clocks(what, &w.clocks);
                self.value(what, w.enable, 1);
                self.value(what, w.data, m.width);
                self.value(what, w.mask, m.width);
                self.exists(what, w.address);
                self.origin(what, w.origin.scope, w.origin.source);
            }
        }
    }

    fn exists(&mut self, what: impl Fn() -> String, cell: CellId) {
        self.require(self.n.cells.get(cell).is_some(), || {
            format!("{}: there is no %{}", what(), cell.index())
        });
    }

    fn triggers(&mut self) {
        for (id, t) in self.n.triggers.iter() {
            let what = || format!("trigger {}", id.index());
            self.value(what, t.net, 1);
            let is_input = || interp::is_input_bit(self.n, t.net);
            let sound = t.role != TriggerRole::PrimaryClock
                || self.n.cells.get(t.net).is_none()
                || is_input();
            self.require(sound, || {
                format!("{}: a primary clock that is no input", what())
            });
        }
    }

    fn effects(&mut self) {
        for (i, e) in self.n.effects.iter().enumerate() {
            let what = || format!("effect {i} \"{}\"", e.name);
            self.value(what, e.enable, 1);
            self.origin(what, e.origin.scope, e.origin.source);
            e.args.iter().for_each(|a| self.exists(what, a.value));
            if let EffectTime::Edges(clocks) = &e.when {
                self.require(!clocks.is_empty(), || format!("{}: no clock", what()));
                self.clocks(what, clocks);
            }
            let known = e.message.iter().all(|part| match part {
                MessagePart::Number { arg, .. } | MessagePart::Chars { arg, .. } => {
                    *arg < e.args.len()
                }
                MessagePart::Text(_) | MessagePart::Time { .. } => true,
            });
            self.require(known, || {
                format!(
                    "{}: the message shows an argument that there is not",
                    what()
                )
            });
        }
    }

    fn names(&mut self) {
        for (id, s) in self.n.scopes.iter() {
            let ordered = s.parent.is_none_or(|p| p < id);
            self.require(ordered, || {
                format!("scope {}: its parent does not come before", id.index())
            });
        }
        for (id, t) in self.n.types.iter() {
            let sound = t.variants.iter().all(|(_, v)| v.width() == t.width);
            self.require(sound, || {
                format!("type {}: a variant of another width", id.index())
            });
        }
        let mut ports_ended = false;
        for (id, s) in self.n.signals.iter() {
            let what = || format!("signal {} \"{}\"", id.index(), s.name);
            ports_ended |= s.direction == Direction::None;
            let in_front = s.direction == Direction::None || !ports_ended;
            self.require(in_front, || format!("{}: a port after other names", what()));
            self.origin(what, s.scope, s.source);
            let known = s.ty.is_none_or(|t| self.n.types.get(t).is_some());
            self.require(known, || format!("{}: no such type", what()));
            match s.value {
                SignalValue::Cell(c) => self.value(what, c, s.width),
                SignalValue::Memory(m) => {
                    let sound = self.n.memories.get(m).is_some_and(|m| m.width == s.width);
                    self.require(sound, || {
                        format!("{}: no such memory of that width", what())
                    });
                }
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => {
                    [input, output, enable]
                        .into_iter()
                        .for_each(|c| self.value(what, c, s.width));
                }
            }
        }
    }
}
