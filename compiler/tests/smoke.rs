//! The whole pipeline on a counter: the artifact is valid baseline WebAssembly and counts.

use rtlwasm::bits::Bits;
use rtlwasm::ir::*;
use rtlwasm::options::{OptLevel, Options};
use rtlwasm::pipeline::compile_netlist;

fn counter() -> Netlist {
    let mut b = Builder::literal("counter");
    b.netlist.scopes.push(Scope {
        parent: None,
        name: "counter".into(),
        module: "counter".into(),
        source: SourceId::new(0),
    });
    b.netlist.sources.push(String::new());
    let clk = b.input("clk", 1);
    let en = b.input("en", 1);
    let trigger = b.trigger(clk, TriggerRole::PrimaryClock);
    let (id, q) = b.register(Register {
        width: 8,
        init: Bits::zero(8),
        init_defined: Bits::ones(8),
        draw: 0,
        clocks: vec![ClockEdge {
            trigger,
            edge: Edge::Rise,
        }],
        next: CellId::new(0),
        load: None,
        origin: Origin::default(),
    });
    let one = b.number(8, 1);
    let sum = b.add(q, one);
    let next = b.mux(en, sum, q);
    b.netlist.registers[id].next = next;
    let inverted = b.not(q);
    for (name, direction, cell) in [
        ("clk", Direction::Input, clk),
        ("en", Direction::Input, en),
        ("q", Direction::Output, q),
        ("inverted", Direction::Output, inverted),
        ("sum", Direction::None, sum),
    ] {
        let width = b.width(cell);
        b.netlist.signals.push(Signal {
            scope: ScopeId::new(0),
            name: name.into(),
            direction,
            width,
            lsb: 0,
            upto: false,
            signed: false,
            value: SignalValue::Cell(cell),
            ty: None,
            source: SourceId::new(0),
        });
    }
    b.finish()
}

#[test]
fn counter_compiles_at_every_level() {
    for opt_level in [OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3] {
        let options = Options {
            opt_level,
            ..Options::default()
        };
        let packaged = compile_netlist(counter(), &options);
        std::fs::write(
            std::env::temp_dir().join(format!("counter-{opt_level:?}.wasm")),
            &packaged.wasm,
        )
        .unwrap();
        assert_eq!(&packaged.wasm[..4], b"\0asm");
        assert_eq!(packaged.manifest.signals.len(), 4);
        assert_eq!(packaged.symbols.signals[0].outline, Some(0));
    }
}
