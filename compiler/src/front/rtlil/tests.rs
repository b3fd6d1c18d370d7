//! Small designs through the whole reader: the netlist is valid and behaves as the text says.

use super::{ReadOptions, read};
use crate::bits::Bits;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::ir::interp::{Interp, InterpOptions};
use crate::ir::{
    Edge, EffectKind, EffectTime, MessagePart, Netlist, SignalId, SignalValue, TriggerRole,
    validate,
};

fn try_read(text: &str) -> (Result<Netlist, Diagnostics>, Vec<Diagnostic>) {
    let mut warnings = Vec::new();
    let result = read("test.il", text, &ReadOptions::default(), &mut warnings);
    if let Ok(netlist) = &result {
        validate(netlist);
    }
    (result, warnings)
}

/// A netlist without warnings.
fn netlist(text: &str) -> Netlist {
    let (result, warnings) = try_read(text);
    assert_eq!(warnings, []);
    result.unwrap_or_else(|e| panic!("{e}"))
}

fn signal(n: &Netlist, path: &str) -> SignalId {
    let found = n
        .signals
        .ids()
        .find(|id| n.signal_path(*id).join(".") == path);
    found.unwrap_or_else(|| panic!("no signal {path}"))
}

/// A model with shorthand for pokes and peeks.
struct Model<'n> {
    n: &'n Netlist,
    interp: Interp<'n>,
}

impl<'n> Model<'n> {
    fn new(n: &'n Netlist) -> Model<'n> {
        let mut interp = Interp::new(n, InterpOptions::default());
        interp.reset();
        Model { n, interp }
    }

    fn poke(&mut self, path: &str, value: u64) {
        let id = signal(self.n, path);
        let _ = self
            .interp
            .poke(id, 0, &Bits::from_u64(self.n.signals[id].width, value));
        self.interp.eval();
    }

    fn peek(&self, path: &str) -> u64 {
        self.interp
            .peek(signal(self.n, path), 0)
            .to_u64()
            .expect("at most 64 bits")
    }

    fn tick(&mut self) {
        self.poke("clk", 1);
        self.poke("clk", 0);
    }
}

/// A module around statements; inputs `a b c d s clk rst`, output `y`.
fn module(body: &str) -> String {
    format!(
        "module \\top
  wire width 8 input 1 \\a
  wire width 8 input 2 \\b
  wire input 3 \\s
  wire input 4 \\clk
  wire input 5 \\rst
  wire width 8 output 6 \\y
{body}
end
"
    )
}

/// A cell with its connections; widths as parameters.
fn cell(kind: &str, parameters: &[(&str, &str)], connections: &[(&str, &str)]) -> String {
    let mut text = format!("  cell {kind} $c{}\n", connections.len());
    parameters
        .iter()
        .for_each(|(n, v)| text += &format!("    parameter \\{n} {v}\n"));
    connections
        .iter()
        .for_each(|(n, v)| text += &format!("    connect \\{n} {v}\n"));
    text + "  end\n"
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|d| d.code).collect()
}

fn errors(text: &str) -> Vec<&'static str> {
    let found = try_read(text).0.expect_err("it is wrong").0;
    found
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| d.code)
        .collect()
}

const DFF: &[(&str, &str)] = &[("WIDTH", "8"), ("CLK_POLARITY", "1")];

#[test]
fn connections_slice_and_concatenate() {
    let n = netlist(&module("  connect \\y { \\a [3:0] 2'10 \\b [7:6] }"));
    let mut m = Model::new(&n);
    m.poke("a", 0x5a);
    m.poke("b", 0x40);
    assert_eq!(m.peek("y"), 0xa9);
    assert_eq!(
        n.signals
            .values()
            .map(|s| s.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "s", "clk", "rst", "y"]
    );
}

#[test]
fn flip_flop_with_initial_value_on_an_alias() {
    let body = "  attribute \\init 8'00001xxx\n  wire width 8 \\other\n  connect \\other \\y\n";
    let n = netlist(&module(
        &(body.to_string() + &cell("$dff", DFF, &[("CLK", "\\clk"), ("D", "\\a"), ("Q", "\\y")])),
    ));
    let register = n.registers.values().next().expect("one");
    assert_eq!(
        (register.init.to_u64(), register.init_defined.to_u64()),
        (Some(8), Some(0xf8))
    );
    let mut m = Model::new(&n);
    assert_eq!(m.peek("y"), 8);
    m.poke("a", 77);
    m.tick();
    assert_eq!((m.peek("y"), m.peek("other")), (77, 77));
}

#[test]
fn inverted_clock_turns_the_edge() {
    let inverter = cell(
        "$not",
        &[("A_WIDTH", "1"), ("Y_WIDTH", "1")],
        &[("A", "\\clk"), ("Y", "\\n")],
    );
    let ff = cell("$dff", DFF, &[("CLK", "\\n"), ("D", "\\a"), ("Q", "\\y")]);
    let n = netlist(&module(&format!("  wire \\n\n{inverter}{ff}")));
    let clocks = &n.registers.values().next().expect("one").clocks;
    assert_eq!(clocks[0].edge, Edge::Fall);
    assert_eq!(
        n.triggers[clocks[0].trigger].role,
        TriggerRole::PrimaryClock
    );
}

#[test]
fn synchronous_reset_and_enable_order() {
    let parameters = [
        DFF,
        &[
            ("SRST_POLARITY", "1"),
            ("SRST_VALUE", "8'00000111"),
            ("EN_POLARITY", "0"),
        ],
    ]
    .concat();
    for (kind, expected) in [("$sdffe", 7), ("$sdffce", 0)] {
        let connections = [
            ("CLK", "\\clk"),
            ("D", "\\a"),
            ("Q", "\\y"),
            ("SRST", "\\rst"),
            ("EN", "\\s"),
        ];
        let n = netlist(&module(&cell(kind, &parameters, &connections)));
        let mut m = Model::new(&n);
        m.poke("s", 1);
        m.poke("rst", 1);
        m.tick();
        assert_eq!(m.peek("y"), expected, "{kind}");
        m.poke("s", 0);
        m.tick();
        assert_eq!(m.peek("y"), 7, "{kind}");
        m.poke("rst", 0);
        m.poke("a", 9);
        m.tick();
        assert_eq!(m.peek("y"), 9, "{kind}");
    }
}

#[test]
fn set_and_clear_bit_by_bit() {
    let parameters = [DFF, &[("SET_POLARITY", "1"), ("CLR_POLARITY", "1")]].concat();
    let connections = [
        ("CLK", "\\clk"),
        ("D", "\\a"),
        ("Q", "\\y"),
        ("SET", "\\b"),
        ("CLR", "{ 7'0 \\rst }"),
    ];
    let n = netlist(&module(&cell("$dffsr", &parameters, &connections)));
    let mut m = Model::new(&n);
    m.poke("b", 0x81);
    assert_eq!(m.peek("y"), 0x81);
    m.poke("rst", 1);
    assert_eq!(m.peek("y"), 0x80, "clear is stronger");
    m.poke("a", 0x3c);
    m.tick();
    assert_eq!(m.peek("y"), 0xbc, "other bits follow the clock");
}

#[test]
fn latches() {
    let parameters = &[("WIDTH", "8"), ("EN_POLARITY", "1")];
    let n = netlist(&module(&cell(
        "$dlatch",
        parameters,
        &[("EN", "\\s"), ("D", "\\a"), ("Q", "\\y")],
    )));
    let mut m = Model::new(&n);
    m.poke("s", 1);
    m.poke("a", 5);
    assert_eq!(m.peek("y"), 5);
    m.poke("s", 0);
    m.poke("a", 6);
    assert_eq!(m.peek("y"), 5);
}

#[test]
fn latch_cells_of_neighbouring_bits_are_one() {
    let bit = |i: u32| {
        let (en, d, q) = (
            format!("\\b [{i}]"),
            format!("\\a [{i}]"),
            format!("\\y [{i}]"),
        );
        let text = cell(
            "$dlatch",
            &[("WIDTH", "1"), ("EN_POLARITY", "1")],
            &[("EN", &en), ("D", &d), ("Q", &q)],
        );
        text.replace("$c3", &format!("$l{i}"))
    };
    let n = netlist(&module(&(0..8).map(bit).collect::<String>()));
    assert_eq!(n.latches.values().map(|l| l.width).collect::<Vec<_>>(), [8]);
    let mut m = Model::new(&n);
    m.poke("b", 0x0f);
    m.poke("a", 0xff);
    m.poke("b", 0xf0);
    m.poke("a", 0xa5);
    assert_eq!(m.peek("y"), 0xaf);
}

#[test]
fn process_with_patterns_and_priority() {
    let n = netlist(&module(
        "  process $p
    assign \\y 8'0
    switch \\a
      case 8'1-------
        assign \\y 8'1
        switch \\s
          case 1'1
            assign \\y [7:4] \\b [3:0]
        end
      case 8'11111111, 8'00000001
        assign \\y 8'00000010
      case 8'0000001x
        assign \\y 8'00001111
      case
        assign \\y \\b
    end
  end",
    ));
    let mut m = Model::new(&n);
    for (a, s, b, y) in [
        (0xff, 0, 3, 1),
        (0xff, 1, 3, 0x31),
        (1, 0, 3, 2),
        (2, 0, 3, 3),
        (3, 1, 9, 9),
    ] {
        m.poke("a", a);
        m.poke("s", s);
        m.poke("b", b);
        assert_eq!(m.peek("y"), y, "a={a} s={s}");
    }
}

#[test]
fn process_with_asynchronous_reset() {
    let n = netlist(&module(
        "  wire width 8 $0
  wire $n
  cell $logic_not $x
    parameter \\A_WIDTH 1
    connect \\A \\rst
    connect \\Y $n
  end
  process $p
    assign $0 \\y
    switch $n
      case 1'1
        assign $0 8'00101010
      case
        switch \\s
          case 1'1
            assign $0 \\a
        end
    end
    sync posedge \\clk
      update \\y $0
    sync negedge \\rst
      update \\y $0
    sync init
      update \\y 8'00000011
  end",
    ));
    let register = n.registers.values().next().expect("one");
    assert_eq!(
        n.constant(register.load.expect("a load").value)
            .and_then(Bits::to_u64),
        Some(42)
    );
    assert_eq!(register.clocks.len(), 1);
    let mut m = Model::new(&n);
    m.poke("rst", 0);
    assert_eq!(m.peek("y"), 42);
    m.poke("rst", 1);
    m.poke("a", 7);
    m.tick();
    assert_eq!(m.peek("y"), 42, "not enabled");
    m.poke("s", 1);
    m.tick();
    assert_eq!(m.peek("y"), 7);
}

#[test]
fn incomplete_process_is_a_latch() {
    let n = netlist(&module(
        "  wire width 8 $0
  process $p
    assign $0 \\y
    switch \\s
      case 1'1
        assign $0 \\a
    end
    sync always
      update \\y $0
  end",
    ));
    assert_eq!((n.latches.len(), n.loops.len()), (1, 0));
    let mut m = Model::new(&n);
    m.poke("s", 1);
    m.poke("a", 3);
    m.poke("s", 0);
    m.poke("a", 4);
    assert_eq!(m.peek("y"), 3);
}

#[test]
fn level_rules_are_latches_and_loads() {
    let n = netlist(&module(
        "  process $p
    sync high \\s
      update \\y \\a
  end",
    ));
    assert_eq!(n.latches.len(), 1);
    let n = netlist(&module(
        "  process $p
    sync high \\rst
      update \\y 8'1
    sync posedge \\clk
      update \\y \\a
  end",
    ));
    assert!(n.registers.values().next().expect("one").load.is_some());
}

#[test]
fn both_edges_of_one_clock() {
    let n = netlist(&module(
        "  process $p
    sync posedge \\clk
      update \\y \\a
    sync negedge \\clk
      update \\y \\a
  end",
    ));
    let clocks = &n.registers.values().next().expect("one").clocks;
    assert_eq!((clocks.len(), clocks[0].edge), (1, Edge::Both));
}

#[test]
fn memory_of_all_forms() {
    let n = netlist(&module(
        "  memory width 8 size 4 offset 2 \\m
  wire width 8 $r
  cell $meminit_v2 $i
    parameter \\MEMID \"\\\\m\"
    parameter \\WORDS 2
    parameter \\PRIORITY 3
    connect \\ADDR 3'010
    connect \\DATA 16'0000001000000001
    connect \\EN 8'11111111
  end
  cell $memrd $r
    parameter \\MEMID \"\\\\m\"
    parameter \\CLK_ENABLE 0
    connect \\CLK 1'x
    connect \\EN 1'x
    connect \\ADDR \\b [2:0]
    connect \\DATA \\y
  end
  process $p
    sync posedge \\clk
      memwr \\m \\b [2:0] \\a { \\s \\s \\s \\s \\s \\s \\s \\s } 0'x
  end",
    ));
    let memory = n.memories.values().next().expect("one");
    assert_eq!(
        (
            memory.depth,
            memory.first,
            memory.init.len(),
            memory.writes.len()
        ),
        (4, 2, 2, 1)
    );
    let mut m = Model::new(&n);
    for (address, value) in [(1, 0), (2, 1), (3, 2), (4, 0)] {
        m.poke("b", address);
        assert_eq!(m.peek("y"), value);
    }
    m.poke("a", 0x55);
    m.poke("s", 1);
    m.tick();
    assert_eq!(m.peek("y"), 0x55);
}

#[test]
fn transparent_read_and_wide_write() {
    let text = "module \\top
  wire input 1 \\clk
  wire width 2 input 2 \\ra
  wire width 1 input 3 \\wa
  wire width 16 input 4 \\d
  wire width 8 output 5 \\y
  memory width 8 size 4 \\m
  cell $memwr_v2 $w
    parameter \\MEMID \"\\\\m\"
    parameter \\CLK_ENABLE 1
    parameter \\CLK_POLARITY 1
    parameter \\PORTID 0
    parameter \\PRIORITY_MASK 0
    connect \\CLK \\clk
    connect \\ADDR { \\wa 1'0 }
    connect \\DATA \\d
    connect \\EN 16'1111111111111111
  end
  cell $memrd_v2 $r
    parameter \\MEMID \"\\\\m\"
    parameter \\CLK_ENABLE 1
    parameter \\CLK_POLARITY 1
    parameter \\TRANSPARENCY_MASK 1'1
    parameter \\CE_OVER_SRST 0
    parameter \\INIT_VALUE 8'00001001
    connect \\CLK \\clk
    connect \\EN 1'1
    connect \\ARST 1'0
    connect \\SRST 1'0
    connect \\ADDR \\ra
    connect \\DATA \\y
  end
end
";
    let n = netlist(text);
    let mut m = Model::new(&n);
    assert_eq!(m.peek("y"), 9);
    m.poke("d", 0x1234);
    m.poke("wa", 1);
    m.poke("ra", 3);
    m.tick();
    assert_eq!(m.peek("y"), 0x12);
    m.poke("ra", 2);
    m.poke("wa", 0);
    m.tick();
    assert_eq!(m.peek("y"), 0x34);
}

#[test]
fn tristate_bus_and_inout() {
    let buffer = |name: &str, a: &str, en: &str, y: &str| {
        let connections = [("A", a), ("EN", en), ("Y", y)];
        cell("$tribuf", &[("WIDTH", "8")], &connections).replace("$c3", name)
    };
    let text =
        module(&(buffer("$t1", "\\a", "\\s", "\\y") + &buffer("$t2", "\\b", "\\rst", "\\y")));
    let n = netlist(&text);
    let mut m = Model::new(&n);
    m.poke("a", 0x0f);
    m.poke("b", 0x31);
    assert_eq!(m.peek("y"), 0);
    m.poke("s", 1);
    assert_eq!(m.peek("y"), 0x0f);
    m.poke("rst", 1);
    assert_eq!(m.peek("y"), 0x3f);
    let n = netlist(&text.replace("output 6", "inout 6"));
    assert!(matches!(
        n.signals.values().nth(5).expect("y").value,
        SignalValue::Inout { .. }
    ));
}

#[test]
fn false_loop_is_split_and_true_loop_is_cut() {
    let ripple = cell(
        "$xor",
        &[("A_WIDTH", "8"), ("B_WIDTH", "8"), ("Y_WIDTH", "8")],
        &[("A", "{ \\y [6:0] \\s }"), ("B", "\\a"), ("Y", "\\y")],
    );
    let n = netlist(&module(&ripple));
    assert_eq!(n.loops.len(), 0);
    let mut m = Model::new(&n);
    m.poke("a", 0b0100_0101);
    m.poke("s", 1);
    assert_eq!(m.peek("y"), 0b0011_1100, "prefix parity");
    let nor = |name: &str, a: &str, b: &str, y: &str| {
        cell("$_NOR_", &[], &[("A", a), ("B", b), ("Y", y)]).replace("$c3", name)
    };
    let body = format!(
        "  wire \\n\n  connect \\y [7:1] 7'0\n{}{}",
        nor("$a", "\\s", "\\n", "\\y [0]"),
        nor("$b", "\\rst", "\\y [0]", "\\n")
    );
    let (n, warnings) = try_read(&module(&body));
    assert_eq!(codes(&warnings), ["combinational-loop"]);
    assert_eq!(n.expect("a netlist").loops.len(), 1);
}

#[test]
fn hierarchy_has_scopes_and_names() {
    let text = "module \\inner$top.u
  wire width 4 input 1 \\i
  wire width 4 output 2 \\o
  attribute \\hdlname \"g x\"
  wire \\g.x
  connect \\g.x \\i [0]
  connect \\o { \\i [0] \\i [3:1] }
end
module \\top
  wire width 4 input 1 \\i
  wire width 4 output 2 \\o
  cell \\inner$top.u \\u
    connect \\i \\i
    connect \\o \\o
  end
end
";
    let n = netlist(text);
    assert_eq!(n.top, "top");
    assert_eq!(
        n.scopes
            .values()
            .map(|s| s.module.as_str())
            .collect::<Vec<_>>(),
        ["top", "inner", ""]
    );
    let mut m = Model::new(&n);
    m.poke("i", 3);
    assert_eq!((m.peek("o"), m.peek("u.o"), m.peek("u.g.x")), (9, 9, 1));
}

#[test]
fn print_and_check() {
    let print = cell(
        "$print",
        &[
            ("FORMAT", "\"\\001fatal 1 a={8:> d-u} {8:> 4d+s}\\n\""),
            ("TRG_ENABLE", "1"),
            ("TRG_WIDTH", "1"),
            ("TRG_POLARITY", "1'1"),
            ("PRIORITY", "32'11111111111111111111111111111111"),
        ],
        &[("EN", "\\s"), ("TRG", "\\clk"), ("ARGS", "{ \\b \\a }")],
    );
    let check = cell("$assert", &[], &[("A", "\\s"), ("EN", "\\rst")]);
    let n = netlist(&module(&format!("{check}{print}  connect \\y 8'0")));
    // Without a priority of its own the assertion counts as 0: before the print.
    assert_eq!(
        n.effects.iter().map(|e| e.kind).collect::<Vec<_>>(),
        [EffectKind::Assert, EffectKind::Fatal]
    );
    assert_eq!(n.effects[0].when, EffectTime::Change);
    assert!(n.effects[1].args[1].signed);
    assert_eq!(n.effects[1].message[0], MessagePart::Text("a=".into()));
}

#[test]
fn enumerations_become_types() {
    let body = "  attribute \\enum_base_type \"E\"
  attribute \\enum_value_01 \"B\"
  attribute \\enum_value_00 \"A\"
  wire width 2 \\e
  connect \\e \\a [1:0]
  connect \\y \\a";
    let n = netlist(&module(body));
    let ty = n.types.values().next().expect("one");
    assert_eq!(
        ty.variants.iter().map(|v| v.0.as_str()).collect::<Vec<_>>(),
        ["A", "B"]
    );
}

#[test]
fn mistakes_in_designs() {
    assert_eq!(errors(""), ["no-top"]);
    assert_eq!(errors("module \\a\nend\nmodule \\b\nend\n"), ["no-top"]);
    assert_eq!(
        errors("module \\a\n  cell \\missing \\x\n  end\n  cell \\missing \\y\n  end\nend\n"),
        ["missing-module"]
    );
    assert_eq!(
        errors("attribute \\top 1\nmodule \\a\n  cell \\a \\x\n  end\nend\n"),
        ["recursive-module"]
    );
    assert_eq!(
        errors(&module("  cell $ff $x\n  end\n  cell $strange $y\n  end")),
        ["unsupported-cell"; 2]
    );
    assert_eq!(
        errors(&module("  process $p\n    sync global\n  end")),
        ["unsupported-process"]
    );
    let write = "  memory width 8 size 4 \\m\n  process $p\n    sync always\n      memwr \\m \\a \\a \\b 0'x\n  end";
    assert_eq!(errors(&module(write)), ["memory-write-without-clock"]);
    let (result, warnings) = try_read(&module(
        "  wire width 8 \\w\n  connect \\y \\w\n  connect \\y [0] \\s\n  connect \\y [0] \\rst",
    ));
    assert!(result.is_ok());
    assert_eq!(codes(&warnings), ["multiple-drivers", "undriven"]);
}

#[test]
fn every_truncation_and_change_gives_a_diagnostic_or_a_netlist() {
    let text = module(
        "  wire width 3 offset 4 signed upto \\w
  memory width 8 size 4 \\m
  attribute \\src \"a.v:1.2-3.4\"
  cell $add $x
    parameter signed \\A_SIGNED 1
    connect \\A { \\a [3:0] 4'0x1z { \\b \\s } [2:1] }
    connect \\B \\b
    connect \\Y \\y
  end
  process $p
    assign \\w 3'1
    switch \\s
      case 1'1, 1'0
        assign \\w [1] 1'0
    end
    sync posedge \\clk
      memwr \\m \\a \\a \\b 0'x
  end",
    );
    for end in 0..text.len() {
        let _ = read("t", &text[..end], &ReadOptions::default(), &mut Vec::new());
    }
    let junk = [
        b'\\', b'$', b'{', b'}', b'[', b'9', b'\'', b'\n', b'"', b'-', b'x', 0, 0xff,
    ];
    for at in 0..text.len() {
        for byte in junk {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = byte;
            let changed = String::from_utf8_lossy(&bytes);
            if let Ok(n) = read("t", &changed, &ReadOptions::default(), &mut Vec::new()) {
                validate(&n);
            }
        }
    }
}

#[test]
fn large_case_statements_stay_linear() {
    let mut body = String::from(
        "  wire width 16 \\i\n  connect \\i { \\a \\b }\n  process $p\n    assign \\y 8'0\n    switch \\i\n",
    );
    for value in 0..5000 {
        body += &format!(
            "      case 16'{value:016b}\n        assign \\y 8'{:08b}\n",
            value % 251
        );
    }
    body += "    end\n  end";
    let n = netlist(&module(&body));
    assert!(n.cells.len() < 20_000, "{} cells", n.cells.len());
    let mut m = Model::new(&n);
    m.poke("a", 4);
    m.poke("b", 7);
    assert_eq!(m.peek("y"), (4 * 256 + 7) % 251);
}

#[test]
fn a_write_port_is_no_wider_than_its_memory() {
    let text = "module \\top\n  wire input 1 \\clk\n  wire input 2 \\a\n  memory width 8 size 4 \\m\n\
        cell $memwr_v2 $1\n parameter \\MEMID \"\\\\m\"\n parameter \\CLK_ENABLE 1\n parameter \\CLK_POLARITY 1\n\
        parameter \\PORTID 0\n parameter \\PRIORITY_MASK 0'x\n parameter \\ABITS 1\n parameter \\WIDTH 8\n\
        connect \\CLK \\clk\n connect \\EN 8'11111111\n connect \\ADDR \\a\n connect \\DATA 9000000'0\n end\nend\n";
    let (result, _) = try_read(text);
    assert!(result.is_err() || result.is_ok_and(|n| n.cells.len() < 100));
}

#[test]
fn a_memory_has_no_more_read_ports_than_it_says() {
    let text = "module \\top\n  wire width 2 input 1 \\a\n  cell $mem_v2 \\m\n    parameter \\MEMID \"\\m\"\n    parameter \\SIZE 4\n    \
        parameter \\OFFSET 0\n    parameter \\ABITS 2\n    parameter \\WIDTH 4\n    parameter \\INIT 16'0100001100100001\n    \
        parameter \\RD_PORTS 1\n    parameter \\RD_CLK_ENABLE 1'0\n    parameter \\WR_PORTS 0\n    connect \\RD_ADDR \\a\n    \
        connect \\RD_DATA 16777216'0\n    connect \\RD_EN 1'1\n  end\nend\n";
    let (result, _) = try_read(text);
    assert!(result.is_err() || result.is_ok_and(|n| n.cells.len() < 100));
}
