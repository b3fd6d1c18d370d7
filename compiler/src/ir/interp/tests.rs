//! The interpreter against hand-made netlists, one rule of its header each.

use super::*;
use crate::bits::Bits;

/// A netlist under construction, with the pieces that every test needs.
struct Design {
    b: Builder,
}

impl Design {
    fn new() -> Design {
        let mut b = Builder::literal("top");
        b.netlist.scopes.push(Scope {
            parent: None,
            name: "top".into(),
            module: "top".into(),
            source: Id::new(0),
        });
        b.netlist.sources.push(String::new());
        Design { b }
    }

    fn input(&mut self, name: &str, width: u32) -> CellId {
        let cell = self.b.input(name, width);
        let signal = self.name(name, cell);
        self.b.netlist.signals[signal].direction = Direction::Input;
        cell
    }

    fn clock(&mut self, name: &str) -> ClockEdge {
        let net = self.input(name, 1);
        self.rise(net, TriggerRole::PrimaryClock)
    }

    fn rise(&mut self, net: CellId, role: TriggerRole) -> ClockEdge {
        ClockEdge {
            trigger: self.b.trigger(net, role),
            edge: Edge::Rise,
        }
    }

    fn name(&mut self, name: &str, cell: CellId) -> SignalId {
        let width = self.b.width(cell);
        self.signal(name, width, SignalValue::Cell(cell))
    }

    fn signal(&mut self, name: &str, width: u32, value: SignalValue) -> SignalId {
        self.b.netlist.signals.push(Signal {
            scope: Id::new(0),
            name: name.into(),
            direction: Direction::None,
            width,
            lsb: 0,
            upto: false,
            signed: false,
            value,
            ty: None,
            source: Id::new(0),
        })
    }

    /// A named register that starts at zero; `next` is set with [`Design::next`].
    fn register(&mut self, name: &str, width: u32, clock: ClockEdge) -> CellId {
        let (_, cell) = self.b.register(Register {
            width,
            init: Bits::zero(width),
            init_defined: Bits::ones(width),
            draw: 0,
            clocks: vec![clock],
            next: CellId::new(0),
            load: None,
            origin: Origin::default(),
        });
        self.name(name, cell);
        cell
    }

    fn next(&mut self, register: CellId, next: CellId) {
        let CellKind::Register(id) = *self.b.kind(register) else {
            panic!("not a register")
        };
        self.b.netlist.registers[id].next = next;
    }

    fn load(&mut self, register: CellId, when: CellId, value: CellId) {
        let CellKind::Register(id) = *self.b.kind(register) else {
            panic!("not a register")
        };
        self.b.netlist.registers[id].load = Some(AsyncLoad {
            when,
            value,
            trigger: None,
        });
    }

    /// A named register that counts its clock's edges.
    fn counter(&mut self, name: &str, width: u32, clock: ClockEdge) -> CellId {
        let q = self.register(name, width, clock);
        let one = self.b.number(width, 1);
        let next = self.b.add(q, one);
        self.next(q, next);
        q
    }

    fn effect(
        &mut self,
        kind: EffectKind,
        when: EffectTime,
        enable: CellId,
        args: &[CellId],
        last: bool,
    ) {
        self.b.netlist.effects.push(Effect {
            kind,
            when,
            enable,
            args: args
                .iter()
                .map(|value| EffectArg {
                    value: *value,
                    signed: false,
                })
                .collect(),
            message: Vec::new(),
            last,
            origin: Origin::default(),
            name: String::new(),
        });
    }

    fn finish(self) -> Netlist {
        let netlist = self.b.finish();
        validate(&netlist);
        netlist
    }
}

fn find(n: &Netlist, name: &str) -> SignalId {
    n.signals
        .iter()
        .find(|(_, s)| s.name == name)
        .map(|(id, _)| id)
        .expect("the signal exists")
}

fn read(i: &Interp, n: &Netlist, name: &str) -> u64 {
    i.peek(find(n, name), 0).to_u64().expect("a narrow signal")
}

fn write(i: &mut Interp, n: &Netlist, name: &str, value: u64) {
    assert_eq!(
        i.poke(find(n, name), 0, &Bits::from_u64(64, value)),
        Status::Ok
    );
}

fn start(n: &Netlist, order: ClockOrder) -> Interp<'_> {
    let mut i = Interp::new(
        n,
        InterpOptions {
            order,
            ..InterpOptions::default()
        },
    );
    assert_eq!(i.reset(), Status::Ok);
    i
}

#[test]
fn a_counter_counts_however_it_is_clocked() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    d.counter("q", 8, clk);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    assert_eq!(i.step(0, 5), Status::Ok);
    assert_eq!((read(&i, &n, "q"), i.time(), i.done()), (5, 10, 5));
    assert_eq!(i.edges(1, 0), Status::Ok);
    assert_eq!((read(&i, &n, "q"), i.time()), (6, 10));
    assert_eq!(i.step(0, 1), Status::Ok);
    assert_eq!(
        (read(&i, &n, "q"), i.time(), i.done()),
        (6, 11, 1),
        "a clock found high starts with its fall"
    );
    write(&mut i, &n, "clk", 1);
    assert_eq!(read(&i, &n, "q"), 6, "a poke settles nothing");
    assert_eq!(i.eval(), Status::Ok);
    assert_eq!((read(&i, &n, "q"), i.trigger(0)), (7, (true, 7)));
    i.set_timing(
        0,
        Timing {
            high: 2,
            low: 3,
            phase: 0,
            run: true,
        },
        12,
    );
    assert_eq!(i.advance(17), Status::Ok);
    assert_eq!(
        (read(&i, &n, "q"), i.time()),
        (8, 17),
        "falls at 12, rises at 15, falls at 17"
    );
    assert_eq!(i.step(1, 1), Status::BadArgument);
    assert_eq!(i.edges(1, 1), Status::BadArgument);
    assert_eq!(i.advance(1), Status::BadArgument);
    let until = Condition {
        signal: find(&n, "q"),
        row: 0,
        limb: 0,
        mask: 0xf,
        value: 12,
    };
    assert_eq!((i.run_until(0, 9, until), i.done()), (Status::Ok, 4));
    assert_eq!(
        (i.run_until(0, 3, Condition { value: 3, ..until }), i.done()),
        (Status::ConditionNotMet, 3)
    );
}

#[test]
fn snapshots_bring_everything_back() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    d.counter("q", 8, clk);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    i.step(0, 3);
    let snapshot = i.snapshot();
    i.step(0, 3);
    i.restore(&snapshot);
    assert_eq!((read(&i, &n, "q"), i.time()), (3, 6));
}

#[test]
fn data_that_reads_a_clock_sees_it_after_its_wave() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let net = d.b.netlist.triggers[clk.trigger].net;
    let q = d.register("q", 1, clk);
    d.next(q, net);
    d.name("copy", net);
    let n = d.finish();
    for by_poke in [false, true] {
        let mut i = start(&n, ClockOrder::Verilog);
        if by_poke {
            write(&mut i, &n, "clk", 1);
            i.eval();
        } else {
            i.edges(1, 0);
        }
        assert_eq!((read(&i, &n, "q"), read(&i, &n, "copy")), (0, 1));
    }
}

/// A register `a` clocked by `clk`, and `b` that takes `a` at the same edge through an and gate.
fn gated() -> Netlist {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let net = d.b.netlist.triggers[clk.trigger].net;
    let enable = d.input("enable", 1);
    let gate = d.b.and(net, enable);
    let a = d.counter("a", 8, clk);
    let gated = d.rise(gate, TriggerRole::DerivedClock);
    let b = d.register("b", 8, gated);
    d.next(b, a);
    d.finish()
}

#[test]
fn a_gated_clock_acts_with_its_source_or_a_wave_later() {
    let n = gated();
    for (order, b) in [(ClockOrder::Verilog, 1), (ClockOrder::Delta, 2)] {
        let mut i = start(&n, order);
        write(&mut i, &n, "enable", 1);
        i.step(0, 2);
        assert_eq!((read(&i, &n, "a"), read(&i, &n, "b")), (2, b), "{order:?}");
    }
}

#[test]
fn a_divided_clock_makes_its_own_wave() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let half = d.register("half", 1, clk);
    let inverted = d.b.not(half);
    d.next(half, inverted);
    let a = d.counter("a", 8, clk);
    let derived = d.rise(half, TriggerRole::DerivedClock);
    let b = d.register("b", 8, derived);
    d.next(b, a);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    i.step(0, 3);
    assert_eq!(
        (read(&i, &n, "a"), read(&i, &n, "b")),
        (3, 3),
        "the second wave reads what the first committed"
    );
}

#[test]
fn an_asynchronous_load_acts_at_once_and_wins() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let reset = d.input("reset", 1);
    d.b.trigger(reset, TriggerRole::AsyncLoad);
    let q = d.counter("q", 8, clk);
    let value = d.b.number(8, 0x55);
    d.load(q, reset, value);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    i.step(0, 2);
    write(&mut i, &n, "reset", 1);
    i.eval();
    assert_eq!(read(&i, &n, "q"), 0x55);
    i.step(0, 2);
    assert_eq!(read(&i, &n, "q"), 0x55);
    write(&mut i, &n, "reset", 0);
    i.step(0, 1);
    assert_eq!(read(&i, &n, "q"), 0x56);
}

/// A latch of `data` while `enable`.
fn latch(d: &mut Design, enable: CellId, data: CellId) -> CellId {
    let width = d.b.width(data);
    let (id, held) = d.b.latch(Latch {
        width,
        init: Bits::zero(width),
        init_defined: Bits::ones(width),
        draw: 0,
        value: CellId::new(0),
        origin: Origin::default(),
    });
    let value = d.b.mux(enable, data, held);
    d.b.netlist.latches[id].value = value;
    value
}

#[test]
fn latches_hold_and_can_be_poked() {
    let mut d = Design::new();
    let (enable, data) = (d.input("enable", 1), d.input("data", 8));
    let out = latch(&mut d, enable, data);
    d.name("out", out);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    for (enable, data, out) in [(0, 7, 0), (1, 8, 8), (1, 9, 9), (0, 10, 9)] {
        write(&mut i, &n, "enable", enable);
        write(&mut i, &n, "data", data);
        i.eval();
        assert_eq!(read(&i, &n, "out"), out);
    }
    write(&mut i, &n, "out", 0x77);
    i.eval();
    assert_eq!(read(&i, &n, "out"), 0x77);
}

#[test]
fn loops_settle_or_say_that_they_do_not() {
    let mut d = Design::new();
    let (set, reset) = (d.input("set", 1), d.input("reset", 1));
    let (id, held) = d.b.loop_cut(LoopCut {
        width: 1,
        value: CellId::new(0),
        origin: Origin::default(),
    });
    let keep = d.b.not(reset);
    let kept = d.b.and(held, keep);
    let q = d.b.or(set, kept);
    d.b.netlist.loops[id].value = q;
    d.name("q", q);
    let (id, ring) = d.b.loop_cut(LoopCut {
        width: 1,
        value: CellId::new(0),
        origin: Origin::default(),
    });
    let both = d.b.and(set, reset);
    let next = d.b.xor(ring, both);
    d.b.netlist.loops[id].value = next;
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    for (set, reset, q) in [(0, 0, 0), (1, 0, 1), (0, 0, 1), (0, 1, 0), (0, 0, 0)] {
        write(&mut i, &n, "set", set);
        write(&mut i, &n, "reset", reset);
        assert_eq!(i.eval(), Status::Ok);
        assert_eq!(read(&i, &n, "q"), q);
    }
    write(&mut i, &n, "set", 1);
    write(&mut i, &n, "reset", 1);
    assert_eq!(i.eval(), Status::NotSettled);
}

#[test]
fn later_write_ports_win_and_missing_rows_are_dropped() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let row = d.input("row", 8);
    let memory = d.b.netlist.memories.push(Memory {
        width: 8,
        depth: 3,
        first: 0,
        draw: 0,
        init: vec![MemoryInit {
            row: 1,
            value: Bits::from_u64(8, 9),
            defined: Bits::ones(8),
        }],
        writes: Vec::new(),
        origin: Origin::default(),
    });
    let one = d.b.ones(1);
    for (data, mask) in [(0xff, 0xff), (0, 0x0f)] {
        let (data, mask) = (d.b.number(8, data), d.b.number(8, mask));
        let port = WritePort {
            clocks: vec![clk],
            enable: one,
            address: row,
            data,
            mask,
            origin: Origin::default(),
        };
        d.b.netlist.memories[memory].writes.push(port);
    }
    let out = d.b.read(memory, row);
    d.name("out", out);
    d.signal("memory", 8, SignalValue::Memory(memory));
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    write(&mut i, &n, "row", 1);
    i.eval();
    assert_eq!(read(&i, &n, "out"), 9);
    i.step(0, 1);
    assert_eq!(read(&i, &n, "out"), 0xf0);
    write(&mut i, &n, "row", 200);
    i.step(0, 1);
    assert_eq!(read(&i, &n, "out"), 0);
    assert_eq!(
        i.poke(find(&n, "memory"), 2, &Bits::from_u64(8, 3)),
        Status::Ok
    );
    assert_eq!(i.peek(find(&n, "memory"), 2), Bits::from_u64(8, 3));
    assert_eq!(
        i.poke(find(&n, "memory"), 3, &Bits::from_u64(8, 3)),
        Status::BadArgument
    );
    assert_eq!(
        i.poke(find(&n, "out"), 0, &Bits::from_u64(8, 3)),
        Status::NotWritable
    );
}

fn seen(i: &mut Interp) -> Vec<(usize, u64, u64)> {
    i.take_events()
        .iter()
        .map(|e| (e.site, e.time, e.args[0].to_u64().expect("narrow")))
        .collect()
}

#[test]
fn effects_come_in_order_with_the_right_values() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let q = d.counter("q", 8, clk);
    let (one, two) = (d.b.ones(1), d.b.number(8, 2));
    let at_two = d.b.eq(q, two);
    let clocked = || EffectTime::Edges(vec![clk]);
    d.effect(EffectKind::Display, clocked(), one, &[q], true);
    d.effect(EffectKind::Display, clocked(), one, &[q], false);
    d.effect(EffectKind::Finish, clocked(), at_two, &[q], false);
    d.effect(EffectKind::Display, EffectTime::Initial, one, &[two], false);
    d.effect(EffectKind::Info, EffectTime::Change, at_two, &[q], false);
    d.effect(EffectKind::Cover, clocked(), at_two, &[], false);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    assert_eq!(seen(&mut i), [(3, 0, 2)]);
    assert_eq!(i.step(0, 1), Status::Ok);
    assert_eq!(
        seen(&mut i),
        [(1, 0, 0), (0, 0, 1)],
        "$strobe shows the value after the edge"
    );
    assert_eq!(i.step(0, 9), Status::Finish);
    assert_eq!((i.done(), i.time()), (1, 5), "stopped after the rise at 4");
    assert_eq!(
        seen(&mut i),
        [
            (1, 2, 1),
            (4, 2, 2),
            (0, 2, 2),
            (1, 4, 2),
            (2, 4, 2),
            (0, 4, 3)
        ]
    );
    assert_eq!(i.covers(), [0, 0, 0, 0, 0, 1]);
    assert_eq!(i.step(0, 1), Status::Ok);
    assert_eq!((i.time(), seen(&mut i)), (6, vec![]));
}

#[test]
fn random_values_change_with_every_wave() {
    let mut d = Design::new();
    d.clock("clk");
    let source = d.b.netlist.randoms.push(RandomSource {
        width: 32,
        key: 0,
        origin: Origin::default(),
    });
    let random = d.b.cell(CellKind::Random(source), 32);
    d.name("random", random);
    let n = d.finish();
    let mut i = start(&n, ClockOrder::Verilog);
    let first = read(&i, &n, "random");
    i.edges(1, 0);
    let second = read(&i, &n, "random");
    i.eval();
    assert_eq!(read(&i, &n, "random"), second);
    assert_ne!(first, second);
    i.reset();
    assert_eq!(read(&i, &n, "random"), first);
}

#[test]
fn undefined_bits_follow_the_policy() {
    let mut d = Design::new();
    let clk = d.clock("clk");
    let q = d.register("q", 70, clk);
    d.next(q, q);
    let id: RegisterId = Id::new(0);
    d.b.netlist.registers[id].init_defined = Bits::ones(70).shl(4);
    let n = d.finish();
    for (undef, low) in [
        (Undef::Zero, Some(0)),
        (Undef::Ones, Some(0xf)),
        (Undef::Random, None),
    ] {
        let mut i = Interp::new(
            &n,
            InterpOptions {
                undef,
                seed: 5,
                ..InterpOptions::default()
            },
        );
        i.reset();
        let value = i.peek(find(&n, "q"), 0);
        assert!(value.shr(4).is_zero());
        assert!(low.is_none_or(|low| value.to_u64() == Some(low)));
    }
}
