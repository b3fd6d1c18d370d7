//! Random registers, latches, loops, memories, clocks, effects and names.
//!
//! In: the pool. Out: state in the netlist and its cells in the pool. What keeps the netlist settling is
//! said in the header of the module above.

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::*;

use super::{Clocking, Maker};

impl Maker {
    fn edge(&mut self) -> Edge {
        *self
            .rng
            .pick(&[Edge::Rise, Edge::Rise, Edge::Fall, Edge::Both])
    }

    /// One edge, sometimes two, of these triggers.
    pub(super) fn clocks(&mut self, triggers: &[TriggerId]) -> Vec<ClockEdge> {
        if self.clocking == Clocking::OneEdge {
            let (trigger, edge) = (triggers[0], Edge::Rise);
            return vec![ClockEdge { trigger, edge }];
        }
        let count = if self.rng.percent(15) { 2 } else { 1 };
        (0..count)
            .map(|_| ClockEdge {
                trigger: *self.rng.pick(triggers),
                edge: self.edge(),
            })
            .collect()
    }

    pub(super) fn all_clocks(&self) -> Vec<TriggerId> {
        self.primary.iter().chain(&self.derived).copied().collect()
    }

    fn register(&mut self, triggers: &[TriggerId], load: Option<AsyncLoad>, width: u32) -> CellId {
        let (init, init_defined) = self.initial(width);
        let clocks = self.clocks(triggers);
        let origin = self.b.origin;
        let next = Id::new(0);
        let register = Register {
            width,
            init,
            init_defined,
            draw: 0,
            clocks,
            next,
            load,
            origin,
        };
        let (_, cell) = self.b.register(register);
        self.named.push(("reg", cell));
        self.pool.push(cell);
        cell
    }

    /// Registers on primary clocks alone.
    pub(super) fn steady_registers(&mut self) {
        let primary = self.primary.clone();
        self.register(&primary, None, 1);
        for _ in 0..self.rng.between(1, 3) {
            let width = self.width();
            self.register(&primary, None, width);
        }
    }

    /// Registers on primary clocks that inputs set or reset.
    pub(super) fn loaded_registers(&mut self) {
        let primary = self.primary.clone();
        for i in 0..self.rng.between(1, 3) {
            let width = if i == 0 { 1 } else { self.width() };
            if let Some(load) = self.input_load(width) {
                self.register(&primary, Some(load), width);
            }
        }
    }

    /// A load of a constant by a reset input.
    fn input_load(&mut self, width: u32) -> Option<AsyncLoad> {
        if self.resets.is_empty() {
            return None;
        }
        let when = *self.rng.pick(&self.resets);
        let value = self.rng.bits(width);
        Some(AsyncLoad {
            when,
            value: self.b.konst(value),
            trigger: None,
        })
    }

    /// A latch of `data`, open under one level of `enable`; its transparent output.
    fn latch(&mut self, enable: CellId, data: CellId) -> CellId {
        let width = self.b.width(data);
        let (init, init_defined) = self.initial(width);
        let origin = self.b.origin;
        let value = Id::new(0);
        let (id, held) = self.b.latch(Latch {
            width,
            init,
            init_defined,
            draw: 0,
            value,
            origin,
        });
        let value = if self.rng.percent(75) {
            self.b.mux(enable, data, held)
        } else {
            self.b.mux(enable, held, data)
        };
        self.b.netlist.latches[id].value = value;
        self.named.push(("latch", value));
        self.pool.push(value);
        value
    }

    pub(super) fn latches(&mut self) {
        if self.clocking == Clocking::OneEdge {
            return;
        }
        for _ in 0..self.rng.below(3) {
            let width = self.width();
            let (enable, data) = (self.value(1), self.value(width));
            self.latch(enable, data);
        }
    }

    /// Divided, inverted, gated and multiplexed clocks.
    pub(super) fn derived_clocks(&mut self) {
        if self.clocking == Clocking::OneEdge {
            return;
        }
        for _ in 0..self.rng.below(4) {
            let source = *self.rng.pick(&self.primary);
            let clock = self.b.netlist.triggers[source].net;
            let control = self.value(1);
            let net = match self.rng.below(5) {
                0 => control,
                1 => self.b.not(clock),
                2 => self.b.and(clock, control),
                3 => {
                    let low = self.b.not(clock);
                    let enable = self.latch(low, control);
                    self.b.and(clock, enable)
                }
                _ => {
                    let other = *self.rng.pick(&self.primary);
                    let other = self.b.netlist.triggers[other].net;
                    self.b.mux(control, clock, other)
                }
            };
            let known = self.b.netlist.triggers.values().any(|t| t.net == net);
            if !known && self.b.constant(net).is_none() {
                self.derived
                    .push(self.b.trigger(net, TriggerRole::DerivedClock));
                self.named.push(("gclk", net));
            }
        }
    }

    /// State that anything may change: registers on any clock with loads from logic, random sources, cut
    /// loops and memories.
    pub(super) fn wild_state(&mut self) {
        let from = self.pool.len();
        self.load_triggers();
        let clocks = self.all_clocks();
        for _ in 0..self.rng.between(2, 7) {
            let width = self.width();
            let load = self.any_load(width);
            self.register(&clocks, load, width);
        }
        // Every derived clock drives something.
        for clock in self.derived.clone() {
            let width = self.width();
            self.register(&[clock], None, width);
        }
        for _ in 0..self.rng.below(3) {
            let (width, origin) = (self.width(), self.b.origin);
            let source = self.b.netlist.randoms.push(RandomSource {
                width,
                key: 0,
                origin,
            });
            let cell = self.b.cell(CellKind::Random(source), width);
            self.pool.push(cell);
        }
        self.sources = self.pool[from..].to_vec();
        for _ in 0..self.rng.below(3) {
            self.memory();
        }
        if self.clocking == Clocking::Any {
            for _ in 0..self.rng.below(3) {
                self.cut_loop();
            }
        }
    }

    /// Clocks come before loads in the trigger table, and inputs before logic that may turn out to be one.
    fn load_triggers(&mut self) {
        for reset in self.resets.clone() {
            self.b.trigger(reset, TriggerRole::AsyncLoad);
        }
        for id in self.b.netlist.registers.ids() {
            if let Some(AsyncLoad { when, value, .. }) = self.b.netlist.registers[id].load {
                let trigger = Some(self.b.trigger(when, TriggerRole::AsyncLoad));
                self.b.netlist.registers[id].load = Some(AsyncLoad {
                    when,
                    value,
                    trigger,
                });
            }
        }
    }

    fn any_load(&mut self, width: u32) -> Option<AsyncLoad> {
        let kinds = match self.clocking {
            Clocking::Any => 5,
            Clocking::OneEdge | Clocking::Repeated | Clocking::Reset => 1,
        };
        match self.rng.below(kinds) {
            0 => {
                let load = self.input_load(width)?;
                let trigger = Some(self.b.trigger(load.when, TriggerRole::AsyncLoad));
                Some(AsyncLoad { trigger, ..load })
            }
            1 => {
                let (when, value) = (self.rare(), self.value(width));
                let single = self.rng.percent(50) && self.b.constant(when).is_none();
                let trigger = single.then(|| self.b.trigger(when, TriggerRole::AsyncLoad));
                Some(AsyncLoad {
                    when,
                    value,
                    trigger,
                })
            }
            _ => None,
        }
    }

    /// A condition that is true now and then.
    fn rare(&mut self) -> CellId {
        let (a, b) = (self.value(1), self.value(1));
        if self.rng.percent(50) {
            self.b.and(a, b)
        } else {
            a
        }
    }

    /// Loads whose conditions and values come later than their registers, and may follow from them. Those often
    /// take a constant, so that most come to rest.
    pub(super) fn forward_loads(&mut self) {
        if self.clocking == Clocking::OneEdge {
            return;
        }
        for id in self.b.netlist.registers.ids().skip(self.calm_registers) {
            if self.b.netlist.registers[id].load.is_some() || !self.rng.percent(30) {
                continue;
            }
            let width = self.b.netlist.registers[id].width;
            let when = self.rare();
            let value = match self.rng.below(12) {
                // This one does not come to rest while its condition holds.
                0 => {
                    let own = self.b.cell(CellKind::Register(id), width);
                    self.b.not(own)
                }
                1..=8 => {
                    let bits = self.rng.bits(width);
                    self.b.konst(bits)
                }
                _ => self.value(width),
            };
            let single = self.rng.percent(50) && self.b.constant(when).is_none();
            let trigger = single.then(|| self.b.trigger(when, TriggerRole::AsyncLoad));
            self.b.netlist.registers[id].load = Some(AsyncLoad {
                when,
                value,
                trigger,
            });
        }
    }

    fn memory(&mut self) {
        let (width, depth) = (self.width(), self.rng.between(1, 20) as u32);
        let mut init = Vec::new();
        for row in 0..depth {
            if self.rng.percent(40) {
                let (value, defined) = self.initial(width);
                init.push(MemoryInit {
                    row,
                    value,
                    defined,
                });
            }
        }
        let first = self.rng.below(5) as i64 - 2;
        let (writes, origin) = (Vec::new(), self.b.origin);
        let memory = Memory {
            width,
            depth,
            first,
            init,
            draw: 0,
            writes,
            origin,
        };
        let memory = self.b.netlist.memories.push(memory);
        for _ in 0..self.rng.between(1, 3) {
            let address = self.address(memory);
            let read = self.b.read(memory, address);
            self.pool.push(read);
        }
    }

    /// A loop that settles: each bit depends on lower ones alone, or it is a set-reset latch.
    fn cut_loop(&mut self) {
        let flip_flop = self.rng.percent(50);
        let width = if flip_flop {
            self.width()
        } else {
            self.rng.between(1, 20) as u32
        };
        let (value, origin) = (Id::new(0), self.b.origin);
        let (id, held) = self.b.loop_cut(LoopCut {
            width,
            value,
            origin,
        });
        let value = if flip_flop {
            let (set, reset) = (self.value(width), self.value(width));
            let keep = self.b.not(reset);
            let kept = self.b.and(held, keep);
            self.b.or(set, kept)
        } else {
            let (mask, data) = (self.straight_value(width), self.straight_value(width));
            let one = self.b.number(1, 1);
            let shifted = self.b.shl(held, one);
            let masked = self.b.and(shifted, mask);
            self.b.xor(masked, data)
        };
        self.b.netlist.loops[id].value = value;
        self.pool.push(value);
        self.named.push(("loop", value));
    }

    /// Everything that refers forward.
    pub(super) fn next_values(&mut self) {
        for register in 0..self.b.netlist.registers.len() {
            let width = self.b.netlist.registers[Id::new(register)].width;
            let mut next = self.value(width);
            if self.clocking == Clocking::OneEdge && self.rng.percent(90) {
                let own = self.b.cell(CellKind::Register(Id::new(register)), width);
                let scope = self.b.netlist.registers[Id::new(register)].origin.scope;
                let enable = self.enable_of(scope);
                next = self.b.mux(enable, next, own);
            }
            self.b.netlist.registers[Id::new(register)].next = next;
        }
        for memory in 0..self.b.netlist.memories.len() {
            for _ in 0..self.rng.below(4) {
                let port = self.write_port(Id::new(memory));
                self.b.netlist.memories[Id::new(memory)].writes.push(port);
            }
            if self.rng.percent(25) {
                self.rows_that_move(Id::new(memory));
            }
        }
    }

    /// What an instance waits for, so that it sleeps most of the time: a bit of an input.
    pub(super) fn enable_of(&mut self, scope: ScopeId) -> CellId {
        let inputs: Vec<InputId> = self.b.netlist.inputs.ids().collect();
        let input = inputs[inputs.len() - 1 - scope.index() % inputs.len()];
        let width = self.b.netlist.inputs[input].width;
        let input = self.b.cell(CellKind::Input(input), width);
        self.b.bit(input, scope.index() as u32 % width)
    }

    fn write_port(&mut self, memory: MemoryId) -> WritePort {
        let clocks = self.all_clocks();
        let width = self.b.netlist.memories[memory].width;
        let mask = if self.rng.percent(40) {
            self.b.ones(width)
        } else {
            self.value(width)
        };
        let mut enable = self.value(1);
        if self.clocking == Clocking::OneEdge {
            let awake = self.enable_of(self.b.netlist.memories[memory].origin.scope);
            enable = self.b.and(enable, awake);
        }
        WritePort {
            clocks: self.clocks(&clocks),
            enable,
            address: self.address(memory),
            data: self.value(width),
            mask,
            origin: self.b.origin,
        }
    }

    pub(super) fn effects(&mut self) {
        for i in 0..self.rng.below(6) {
            let kind = *self.rng.pick(&[
                EffectKind::Display,
                EffectKind::Display,
                EffectKind::Info,
                EffectKind::Warning,
                EffectKind::Error,
                EffectKind::Fatal,
                EffectKind::Finish,
                EffectKind::Stop,
                EffectKind::Assert,
                EffectKind::Assume,
                EffectKind::Cover,
            ]);
            let clocks = self.all_clocks();
            let when = match self.rng.below(5) {
                0 => EffectTime::Initial,
                1 if self.clocking == Clocking::Any => EffectTime::Change,
                _ => EffectTime::Edges(self.clocks(&clocks)),
            };
            let effect = self.effect(i, kind, when);
            self.b.netlist.effects.push(effect);
        }
    }

    fn effect(&mut self, index: usize, kind: EffectKind, when: EffectTime) -> Effect {
        let mut enable = self.value(1);
        if kind.stop_status().is_some() {
            // Rarer, so that calls get somewhere.
            for _ in 0..3 {
                let other = self.value(1);
                enable = self.b.and(enable, other);
            }
        }
        let mut args = Vec::new();
        for _ in 0..self.rng.below(4) {
            let width = self.width();
            args.push(EffectArg {
                value: self.value(width),
                signed: self.rng.percent(50),
            });
        }
        let layout = NumberLayout {
            width: self.rng.below(9) as u32,
            ..NumberLayout::default()
        };
        let mut message = vec![MessagePart::Text(format!("effect {index}: "))];
        for arg in 0..args.len() {
            message.push(match self.rng.below(4) {
                0 => MessagePart::Chars { arg, layout },
                1 => MessagePart::Time {
                    real: self.rng.percent(50),
                    layout,
                },
                _ => {
                    let bases = [
                        Base::Binary,
                        Base::Octal,
                        Base::Decimal,
                        Base::Hex,
                        Base::UpperHex,
                    ];
                    MessagePart::Number {
                        arg,
                        base: *self.rng.pick(&bases),
                        layout,
                    }
                }
            });
        }
        let (last, origin, name) = (
            self.rng.percent(25),
            self.b.origin,
            format!("effect_{index}"),
        );
        Effect {
            kind,
            when,
            enable,
            args,
            message,
            last,
            origin,
            name,
        }
    }

    /// Ports and names; each name once.
    pub(super) fn names(&mut self) {
        self.inout();
        let mut named = std::mem::take(&mut self.named);
        named.sort_by_key(|(word, _)| *word != "input");
        let outputs = self.rng.between(1, 4);
        let mut ports: Vec<(Direction, &'static str, CellId)> = Vec::new();
        ports.extend(
            named
                .iter()
                .filter(|n| n.0 == "input")
                .map(|n| (Direction::Input, n.0, n.1)),
        );
        for _ in 0..outputs {
            let width = self.width();
            ports.push((Direction::Output, "out", self.value(width)));
        }
        ports.extend(
            named
                .iter()
                .filter(|n| n.0 != "input")
                .map(|n| (Direction::None, n.0, n.1)),
        );
        for (direction, word, cell) in ports {
            let width = self.b.width(cell);
            self.signal(direction, word, width, SignalValue::Cell(cell));
        }
        for memory in self.b.netlist.memories.ids() {
            let width = self.b.netlist.memories[memory].width;
            self.signal(Direction::None, "mem", width, SignalValue::Memory(memory));
        }
    }

    fn inout(&mut self) {
        if self.rng.percent(20) {
            let width = self.width();
            let input = self.b.input("pad", width);
            let (output, enable) = (self.value(width), self.value(width));
            let value = SignalValue::Inout {
                input,
                output,
                enable,
            };
            self.signal(Direction::Inout, "pad", width, value);
        }
    }

    fn signal(&mut self, direction: Direction, word: &str, width: u32, value: SignalValue) {
        let name = format!("{word}_{}", self.b.netlist.signals.len());
        let inside = direction == Direction::None;
        let scope = if inside {
            self.rng.below(self.b.netlist.scopes.len())
        } else {
            0
        };
        self.b.netlist.signals.push(Signal {
            scope: Id::new(scope),
            name,
            direction,
            width,
            lsb: self.rng.below(3) as i64,
            upto: self.rng.percent(10),
            signed: self.rng.percent(20),
            value,
            ty: None,
            source: Id::new(0),
        });
    }
}

/// The initial value of a register, for statistics: fully, partly or not at all defined.
pub(super) fn definedness(defined: &Bits) -> &'static str {
    match () {
        () if defined.is_ones() => "defined",
        () if defined.is_zero() => "undefined",
        () => "partly defined",
    }
}
