//! Verilog and SystemVerilog through Yosys: what is read, what is kept, what is refused and with which
//! words. These tests install Yosys when it is not there yet.

use std::path::{Path, PathBuf};

use rtlwasm::diag::{Diagnostic, Severity};
use rtlwasm::front::{RtlilText, elaborate, to_rtlil};
use rtlwasm::options::{Design, Language};

/// A folder with sources in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn design(&self, sources: &[&str]) -> Design {
        Design {
            sources: sources.iter().map(|name| self.path(name)).collect(),
            ..Design::default()
        }
    }
}

/// What came of a design: its RTLIL or the errors, and the warnings.
struct Read {
    result: Result<RtlilText, Vec<Diagnostic>>,
    warnings: Vec<Diagnostic>,
}

impl Read {
    fn of(design: &Design) -> Read {
        let mut warnings = Vec::new();
        let result = to_rtlil(design, &mut warnings).map_err(|errors| errors.0);
        Read { result, warnings }
    }

    fn text(&self) -> &str {
        match &self.result {
            Ok(found) => &found.text,
            Err(errors) => panic!("refused: {errors:#?}"),
        }
    }

    fn errors(&self) -> &[Diagnostic] {
        match &self.result {
            Ok(found) => panic!("accepted: {}", found.text),
            Err(errors) => errors,
        }
    }

    fn codes(&self) -> Vec<&str> {
        self.errors().iter().map(|error| error.code).collect()
    }

    fn warning_codes(&self) -> Vec<&str> {
        let severe = self
            .warnings
            .iter()
            .filter(|w| w.severity == Severity::Warning);
        severe.map(|warning| warning.code).collect()
    }
}

/// One file `m.sv`.
fn read(text: &str) -> Read {
    let folder = Folder::new(&[("m.sv", text)]);
    Read::of(&folder.design(&["m.sv"]))
}

/// A register that only `read_verilog` has a cell for.
const SET_RESET: &str = "reg both; always @(posedge clk or posedge r or posedge s)
    if (r) both <= 0; else if (s) both <= 1; else both <= d;";

/// Reads a clocked statement through both front ends.
fn in_both(statement: &str) -> [Read; 2] {
    ["", SET_RESET].map(|more| {
        read(&format!(
            "module m(input clk, r, s, d, output reg [31:0] q);\n{more}\nreg [7:0] n; always @(posedge clk) begin q <= q + 1; {statement} end\nendmodule"
        ))
    })
}

#[test]
fn tasks_become_events_in_both_front_ends() {
    for (statement, format) in [
        ("$finish;", "\\001finish 1\\n"),
        ("$stop;", "\\001stop\\n"),
        ("$fatal(2, \"bad %d\", q);", "\\001fatal 2 bad {32:"),
        ("$error(\"x\");", "\\001error x\\n"),
        ("$warning(\"x\");", "\\001warning x\\n"),
        ("$info(\"x\");", "\\001info x\\n"),
        ("$strobe(\"x\");", "\\001strobe x\\n"),
        ("$fdisplay(1, \"x\");", "\"x\\n\""),
        ("$fwrite(32'h80000002, \"x\");", "\"x\""),
        ("assert (q != 3) else $error(\"x\");", "\\001assert x\\n"),
        (
            "assert (q != 3) $info(\"x\"); else $warning(\"y\");",
            "\\001warning y\\n",
        ),
    ] {
        for read in in_both(statement) {
            assert!(read.text().contains(format), "{statement}: {}", read.text());
            assert_eq!(read.warning_codes(), Vec::<&str>::new(), "{statement}");
        }
    }
}

#[test]
fn random_numbers_and_plusargs_become_wires_in_both_front_ends() {
    for read in in_both("q <= $urandom_range(9, 3);") {
        assert!(
            read.text().contains("attribute \\rtlwasm_random 1"),
            "{}",
            read.text()
        );
    }
    for read in
        in_both("if ($test$plusargs(\"FAST\")) q <= 0; if ($value$plusargs(\"N=%d\", n)) q <= n;")
    {
        assert!(
            read.text().contains("attribute \\rtlwasm_plusarg \"FAST\""),
            "{}",
            read.text()
        );
        assert!(
            read.text().contains("attribute \\rtlwasm_plusarg \"N=%d\""),
            "{}",
            read.text()
        );
    }
}

#[test]
fn what_is_dropped_is_a_warning_with_its_line() {
    let found = read(
        "module m(input clk, output reg q);\nalways @(posedge clk) q <= !q;\nfinal $display(\"x\");\npullup (q);\nendmodule",
    );
    assert!(found.result.is_ok() || found.codes() == ["verilog"]);
    let text = "module m(input clk, output wire y);\nfinal $display(\"x\");\nwire #3 z = clk;\nassign y = z;\nendmodule";
    let found = read(text);
    found.text();
    assert_eq!(found.warning_codes(), ["dropped-task", "dropped-delay"]);
    let lines: Vec<u32> = found
        .warnings
        .iter()
        .map(|w| w.labels[0].span.start.line)
        .collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn properties_that_are_not_supported_are_dropped_with_their_line() {
    let found = read(
        "module m(input clk, a, b, output reg q);
`define CHECK(n, p) n: assert property (@(posedge clk) p) else $error(\"x\");
always @(posedge clk) q <= a;
kept: assert property (@(posedge clk) a || b);
gone: assert property (@(posedge clk) a |=> ##2 b) else $error(\"x\");
`CHECK(too, a ##1 b |-> q)
endmodule",
    );
    assert_eq!(
        found.text().matches("cell $check").count(),
        1,
        "{}",
        found.text()
    );
    let dropped = found
        .warnings
        .iter()
        .filter(|w| w.code == "dropped-assertion");
    assert_eq!(
        dropped
            .map(|w| w.labels[0].span.start.line)
            .collect::<Vec<_>>(),
        [5, 6]
    );
}

#[test]
fn inactive_text_warns_of_nothing() {
    let found = read(
        "module m(input a, output y);\n`ifdef NEVER\nfinal $display(1);\n`endif\nassign y = a;\nendmodule",
    );
    found.text();
    assert!(found.warnings.is_empty());
}

#[test]
fn places_are_those_of_the_user() {
    let folder = Folder::new(&[
        (
            "m.sv",
            "module m(input clk, output reg q);\n`include \"inc/body.vh\"\nendmodule",
        ),
        (
            "inc/body.vh",
            "// comment\nalways @(posedge clk) begin $finish; q <= oops; end",
        ),
    ]);
    let found = Read::of(&folder.design(&["m.sv"]));
    let span = &found.errors()[0].labels[0].span;
    assert_eq!(Path::new(&span.file), folder.path("inc/body.vh"));
    assert_eq!(
        (span.start.line, span.start.column, span.end.column),
        (2, 43, 47)
    );
    let folder = Folder::new(&[(
        "m.sv",
        "module m(input clk, output reg q);\nalways @(posedge clk) begin $finish; q <= !q; end\nendmodule",
    )]);
    let found = Read::of(&folder.design(&["m.sv"]));
    let name = folder.path("m.sv").display().to_string();
    assert!(
        found.text().contains(&format!("\"{name}:2.29-2.36\"")),
        "{}",
        found.text()
    );
    assert!(!found.text().contains("/src/") && !found.text().contains(".rtlwasm"));
}

#[test]
fn fallback_to_read_verilog_never_drops_meaning() {
    let module = |body: &str| {
        format!(
            "module m(input clk, r, s, d, output q);\nassign q = both;\n{SET_RESET}\n{body}\nendmodule"
        )
    };
    assert!(read(&module("")).text().contains("sync posedge \\s"));
    let delayed = read(&module("wire #5 x = d;"));
    assert_eq!(delayed.codes(), ["delay"]);
    assert_eq!(delayed.errors()[0].labels[0].span.start.line, 5);
    // Both refuse: slang's words are shown.
    let both = read(&module("wire x = u.y.z;"));
    assert!(
        both.errors()
            .iter()
            .all(|e| e.labels[0].span.start.line == 5 || e.message.contains("asynchronous"))
    );
}

#[test]
fn both_edges_of_a_clock() {
    for list in ["posedge clk or negedge clk", "edge clk"] {
        read(&format!(
            "module m(input clk, d, output reg q);\nalways @({list}) q <= d;\nendmodule"
        ))
        .text();
    }
}

#[test]
fn the_synthesis_view_is_a_warning() {
    let text = "module m(input clk, output reg q);\nalways @(posedge clk) q <= !q;\n`ifndef SYNTHESIS\ninitial begin #5 q = 1; end\n`endif\nendmodule";
    let found = read(text);
    found.text();
    assert_eq!(found.warning_codes(), ["synthesis-view"]);
    assert_eq!(found.warnings[0].labels[0].span.start.line, 4);
    let folder = Folder::new(&[("m.sv", text)]);
    let mut design = folder.design(&["m.sv"]);
    design.defines.push(("SYNTHESIS".into(), None));
    assert!(Read::of(&design).warning_codes().is_empty());
}

#[test]
fn missing_modules_are_named_with_all_instances() {
    let found = read("module m(input a);\nfoo u1(a);\nfoo u2(a);\nbar u3(a);\nendmodule");
    assert_eq!(found.codes(), ["missing-module", "missing-module"]);
    assert_eq!(found.errors()[0].labels.len(), 2);
}

#[test]
fn tops_and_parameters() {
    let text = "module a #(parameter N = 1) (output [N:0] y); assign y = 0; endmodule\nmodule b; endmodule";
    let folder = Folder::new(&[("m.sv", text)]);
    let with = |top: Option<&str>, parameter: Option<(&str, &str)>| {
        let mut design = folder.design(&["m.sv"]);
        design.top = top.map(str::to_string);
        design
            .parameters
            .extend(parameter.map(|(n, v)| (n.to_string(), v.to_string())));
        Read::of(&design)
    };
    assert_eq!(with(None, None).codes(), ["several-tops"]);
    let missing = with(Some("c"), None);
    assert_eq!(missing.codes(), ["missing-top"]);
    assert!(missing.errors()[0].notes[0].contains("`a`, `b`"));
    assert!(
        with(Some("a"), Some(("N", "6")))
            .text()
            .contains("wire width 7 output 1 \\y")
    );
    assert_eq!(
        with(Some("a"), Some(("M", "6"))).codes(),
        ["unknown-parameter"]
    );
}

#[test]
fn files_that_are_missing() {
    let folder = Folder::new(&[("m.sv", "`include \"no.vh\"\nmodule m; endmodule")]);
    assert_eq!(
        Read::of(&folder.design(&["m.sv"])).codes(),
        ["missing-include"]
    );
    assert_eq!(
        Read::of(&folder.design(&["a.sv", "b.sv"])).codes(),
        ["missing-file", "missing-file"]
    );
    let memory = read(
        "module m(output [7:0] q); reg [7:0] r [0:3]; initial $readmemh(\"no.hex\", r); assign q = r[0]; endmodule",
    );
    assert!(memory.errors()[0].message.contains("no.hex"));
}

#[test]
fn dependencies_have_everything_that_was_read() {
    let folder = Folder::new(&[
        (
            "top.v",
            "`include \"top.vh\"\nmodule top(output [7:0] q); sub #(.FILE(`FILE)) u(q); endmodule",
        ),
        (
            "lib/sub.v",
            "module sub #(parameter FILE = \"\") (output [7:0] q); reg [7:0] m [0:1]; initial $readmemh(FILE, m); assign q = m[1]; endmodule",
        ),
        ("real.hex", "12 34"),
    ]);
    let hex = folder.path("link.hex");
    // An absolute link leaves the folder it is in, which a sandbox alone would refuse.
    std::os::unix::fs::symlink(folder.path("real.hex"), &hex).expect("a link");
    std::fs::write(
        folder.path("top.vh"),
        format!("`define FILE \"{}\"", hex.display()),
    )
    .expect("a file");
    let mut design = folder.design(&["top.v"]);
    design.library_dirs.push(folder.path("lib"));
    let found = Read::of(&design);
    assert!(
        found.text().contains("00110100") || found.text().contains(" 52"),
        "{}",
        found.text()
    );
    let mut expected = vec![
        hex,
        folder.path("lib/sub.v"),
        folder.path("top.v"),
        folder.path("top.vh"),
    ];
    expected.sort();
    assert_eq!(found.result.expect("accepted").dependencies, expected);
}

#[test]
fn names_that_are_keywords_in_systemverilog() {
    let folder = Folder::new(&[(
        "m.v",
        "module m(input [3:0] bit, output logic); assign logic = ^bit; endmodule",
    )]);
    Read::of(&folder.design(&["m.v"])).text();
    let mut design = folder.design(&["m.v"]);
    design.language = Some(Language::SystemVerilog);
    assert!(Read::of(&design).result.is_err());
}

#[test]
fn loops() {
    let fill = "module m(input [15:0] a, output [7:0] q); reg [7:0] r [0:20000]; integer i;\ninitial for (i = 0; i < 20000; i = i + 1) r[i] = i;\nassign q = r[a]; endmodule";
    read(fill).text();
    let endless = "module m(input [7:0] a, output reg [7:0] q);\nalways @* begin q = a; while (q != 0) q = q - 1; end\nendmodule";
    assert_eq!(read(endless).codes(), ["endless-loop"]);
}

#[test]
fn hierarchical_names_flatten_the_design() {
    let text = "module m(input a, output y); s u(a); assign y = u.x; endmodule\nmodule s(input a); wire x = !a; endmodule";
    read(text).text();
}

#[test]
fn netlists_beside_verilog() {
    let rtlil = "module \\inv\n  wire input 1 \\a\n  wire output 2 \\y\n  cell $not \\n\n    parameter \\A_SIGNED 0\n    parameter \\A_WIDTH 1\n    parameter \\Y_WIDTH 1\n    connect \\A \\a\n    connect \\Y \\y\n  end\nend\n";
    let folder = Folder::new(&[
        ("inv.il", rtlil),
        (
            "m.sv",
            "module m(input a, output y); inv u(a, y); endmodule",
        ),
    ]);
    let mut warnings = Vec::new();
    let found =
        elaborate(&folder.design(&["m.sv", "inv.il"]), &mut warnings).expect("both are read");
    assert_eq!(found.netlist.top, "m");
    assert_eq!(
        found.dependencies,
        [folder.path("inv.il"), folder.path("m.sv")]
    );
}

#[test]
fn a_command_file_with_everything() {
    let folder = Folder::new(&[
        (
            "m.sv",
            "`include \"w.vh\"\nmodule m(output [`W-1:0] y); s u(y); endmodule",
        ),
        ("inc/w.vh", "`ifndef W\n`define W 2\n`endif"),
        (
            "lib/s.inc",
            "module s(output [`W-1:0] y); assign y = 1; endmodule",
        ),
        (
            "all.f",
            "+incdir+inc +define+W=5 // comment\n-y lib -Y .inc m.sv\n",
        ),
        ("outer.f", "-F all.f"),
    ]);
    let mut design = folder.design(&[]);
    std::fs::write(
        folder.path("outer.f"),
        format!("-F {}", folder.path("all.f").display()),
    )
    .expect("a file");
    design.file_lists.push(folder.path("outer.f"));
    let found = Read::of(&design);
    assert!(
        found.text().contains("wire width 5 output 1 \\y"),
        "{}",
        found.text()
    );
}

#[test]
fn the_text_is_the_same_from_another_folder() {
    let text = format!(
        "module m(input clk, r, s, d, output q);\nassign q = both;\n{SET_RESET}\nendmodule"
    );
    let texts = [(); 2].map(|()| {
        let folder = Folder::new(&[("m.sv", &text)]);
        let found = Read::of(&folder.design(&["m.sv"]));
        found
            .text()
            .replace(&folder.0.path().display().to_string(), "")
    });
    assert_eq!(texts[0], texts[1]);
}

/// Ibex as it is published: the simulation view is kept, without what slang cannot read.
#[test]
fn the_published_top_of_ibex() {
    if std::env::var_os("RTLWASM_CORES").is_none() {
        eprintln!("skipped: RTLWASM_CORES is not set (`cargo xtask test` sets it)");
        return;
    }
    let folder = golden::fixture::root().join("designs/ibex");
    let design = Design {
        file_lists: vec![folder.join("ibex_top.f")],
        top: Some("ibex_top".into()),
        ..Design::default()
    };
    let mut warnings = Vec::new();
    let found = golden::elaborate::elaborate_in(&folder, &design, &mut warnings);
    let netlist = found.unwrap_or_else(|errors| panic!("{errors:?}")).netlist;
    assert!(netlist.registers.len() > 100 && netlist.effects.len() > 30);
    let given = |code: &str| warnings.iter().any(|warning| warning.code == code);
    assert!(given("dropped-initial-value") && given("dropped-assertion"));
    assert!(!given("synthesis-view"));
}

#[test]
fn nets_have_no_value_before_the_start() {
    let found = read("module m(input a, output reg q);\ninitial q = a;\nendmodule");
    assert_eq!(found.codes(), ["net-before-start"]);
    let found = read("module m(input a, output y);\nlogic x = a;\nassign y = a;\nendmodule");
    found.text();
    assert_eq!(found.warning_codes(), ["dropped-initial-value"]);
}

#[test]
fn widths_and_latches_are_warnings() {
    let found = read(
        "module m(input en, input [7:0] d, output reg [7:0] q, r, output logic [3:0] low);
always @* if (en) q = d;
always_latch if (en) r = d;
assign low = d;
endmodule",
    );
    found.text();
    assert_eq!(found.warning_codes(), ["width", "latch"]);
    assert_eq!(found.warnings[1].message, "`q` is a latch");
    assert_eq!(found.warnings[1].labels[0].span.start.line, 2);
}

#[test]
fn verilog_from_standard_input() {
    let design = Design {
        sources: vec!["-".into()],
        stdin: Some("module m(input a, output y);\nassign y = b;\nendmodule".into()),
        language: Some(Language::SystemVerilog),
        ..Design::default()
    };
    let found = Read::of(&design);
    let span = &found.errors()[0].labels[0].span;
    assert_eq!((span.file.as_str(), span.start.line), ("<stdin>", 2));
}
