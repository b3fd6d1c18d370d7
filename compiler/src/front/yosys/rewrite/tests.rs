//! What each construct becomes.

use super::*;

/// A module with this body, rewritten, without its header; and the warnings.
fn body(text: &str) -> (String, Vec<String>) {
    let mut file = SourceFile::new(
        "f.v".into(),
        format!("module m(input clk);\n{text}\nendmodule"),
    );
    file.active.fill(true);
    let mut shared = Shared::default();
    shared
        .random_macros
        .insert("`RANDOM".into(), "$random".into());
    let rewritten = rewrite(&file, &mut shared);
    assert_eq!(
        rewritten.text.lines().count(),
        file.text.lines().count(),
        "lines are kept"
    );
    let body = rewritten.text.strip_prefix("module m(input clk);").unwrap();
    let body = body.strip_suffix("endmodule").unwrap();
    let severe = shared
        .warnings
        .iter()
        .filter(|w| w.severity == Severity::Warning);
    (
        body.trim().to_string(),
        severe.map(|w| w.message.clone()).collect(),
    )
}

fn clocked(statement: &str) -> String {
    let (text, warnings) = body(&format!("always @(posedge clk) {statement}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    text.strip_prefix("always @(posedge clk) ")
        .unwrap_or(&text)
        .to_string()
}

#[test]
fn tasks_that_end_or_report() {
    for (before, after) in [
        ("$finish;", r#"$display("\001finish 1");"#),
        ("$finish(0);", r#"$display("\001finish 0");"#),
        ("$stop(1);", r#"$display("\001stop");"#),
        ("$fatal;", r#"$display("\001fatal 1 ");"#),
        ("$fatal();", r#"$display("\001fatal 1 ");"#),
        (
            r#"$fatal(2, "x %d", q);"#,
            r#"$display("\001fatal 2 ", "x %d", q);"#,
        ),
        (r#"$fatal("x");"#, r#"$display("\001fatal 1 ", "x");"#),
        (
            r#"$error("x %d", f(a, b));"#,
            r#"$display("\001error ", "x %d", f(a, b));"#,
        ),
        ("$warning;", r#"$display("\001warning ");"#),
        ("$info();", r#"$display("\001info ");"#),
        (r#"$strobe("x");"#, r#"$display("\001strobe ", "x");"#),
        (r#"$fwrite(1, "x");"#, r#"$write( "x");"#),
        (
            r#"$fdisplay(32'h8000_0002, "x", y);"#,
            r#"$display( "x", y);"#,
        ),
        ("$fdisplay(2);", r#"$display("");"#),
        (r#"$fstrobe(1, "x");"#, r#"$display("\001strobe ",  "x");"#),
        ("$dumpvars(0, m);", ";"),
        ("q <= $isunknown(q);", "q <= 1'b0;"),
    ] {
        assert_eq!(clocked(before), after);
    }
}

#[test]
fn text_and_time_among_the_arguments() {
    for (before, after) in [
        (
            r#"$display("[%s] %0d", "x", $time);"#,
            r#"$display("[%s] %0t", {"x"}, $time);"#,
        ),
        (
            r#"$display("a%%", "b %d", q, "c");"#,
            r#"$display("a%%", "b %d", q, "c");"#,
        ),
        (
            r#"$fdisplay(1, "%5d", $time);"#,
            r#"$display( "%5t", $time);"#,
        ),
        (
            r#"$fatal(1, "%0d\" %s", $time, "x");"#,
            r#"$display("\001fatal 1 ", "%0t\" %s", $time, {"x"});"#,
        ),
    ] {
        assert_eq!(clocked(before), after);
    }
}

#[test]
fn what_cannot_be_kept_is_a_warning() {
    for statement in [
        r#"$fwrite(f, "x");"#,
        r#"$monitor("x", q);"#,
        "$writememh(\"f\", m);",
        "q <= $fopen(\"f\");",
    ] {
        let (_, warnings) = body(&format!("always @(posedge clk) {statement}"));
        assert_eq!(warnings.len(), 1, "{statement}");
    }
    assert_eq!(
        body("final $display(\"x\");"),
        (
            String::new(),
            vec!["`final` blocks are not run: an artifact has no end of simulation".to_string(),]
        )
    );
    assert_eq!(body("pullup (q);").1.len(), 1);
}

#[test]
fn elaboration_tasks_and_comments_stay() {
    let text = "if (N > 3) $error(\"N\");\n// $finish\n/* $stop; */ assign s = \"$finish\";";
    assert_eq!(body(text), (text.to_string(), Vec::new()));
}

#[test]
fn random_numbers_become_wires_before_their_process() {
    assert_eq!(
        body("wire a;\nalways @(posedge clk) q <= $random;").0,
        "wire a;\n (* rtlwasm_random *) wire signed [31:0] rtlwasm_random_0; always @(posedge clk) q <= rtlwasm_random_0;"
    );
    assert_eq!(
        body("assign q = `RANDOM;").0,
        "(* rtlwasm_random *) wire signed [31:0] rtlwasm_random_0; \nassign q = rtlwasm_random_0;"
    );
    let range = body("wire a;\nalways @(posedge clk) q <= $urandom_range(9);").0;
    assert!(
        range.ends_with("q <= (rtlwasm_random_0 % (33'd1 + (9)));"),
        "{range}"
    );
}

#[test]
fn random_numbers_of_initial_blocks_are_drawn_while_compiling() {
    let text = body("initial q = $urandom;").0;
    assert!(text.starts_with("reg [31:0] rtlwasm_seed = 32'd"), "{text}");
    assert!(text.ends_with("^ (rtlwasm_seed >> 15));"), "{text}");
}

#[test]
fn actions_of_assertions_become_statements() {
    assert_eq!(
        clocked("assert (a) else $error(\"x\");"),
        "if (a) ; else $display(\"\\001assert \", \"x\");"
    );
    assert_eq!(
        clocked("n: assume (a) b;"),
        "n: begin assume (a); if (a)  b; end"
    );
    assert_eq!(clocked("assert (a);"), "assert (a);");
}

#[test]
fn a_monitor_of_an_initial_block_prints_on_change() {
    let text = body("initial $monitor(\"x %d\",\n q);").0;
    assert_eq!(text, "initial \n;\nalways @* $display(\"x %d\",  q);");
}

#[test]
fn plusargs_in_clocked_code() {
    let text = body("wire a;\nalways @(posedge clk) if ($value$plusargs(\"N=%d\", n)) q <= n;").0;
    assert!(
        text.ends_with(
            "begin if (rtlwasm_plusarg_0) n = rtlwasm_plusarg_1; if (rtlwasm_plusarg_0) q <= n; end"
        ),
        "{text}"
    );
    assert!(
        text.contains("(* rtlwasm_plusarg = \"N=%d\" *) wire [63:0] rtlwasm_plusarg_1;"),
        "{text}"
    );
}

#[test]
fn plusargs_in_initial_blocks_become_combinational() {
    let text = body("initial begin q = 0; n = 1; if (!$value$plusargs(\"N=%d\", n)) n = 1; end").0;
    let expected = "initial begin q = 0; end always @* begin n = 1; \
        begin if (rtlwasm_plusarg_0) n = rtlwasm_plusarg_1; if (!rtlwasm_plusarg_0) n = 1; end end initial begin end";
    assert!(text.ends_with(expected), "{text}");
    let (text, warnings) =
        body("initial if ($test$plusargs(\"A\")) q = 1;\nalways @(posedge clk) q <= 0;");
    assert!(text.starts_with("initial if (1'b0) q = 1;"), "{text}");
    assert_eq!(warnings.len(), 1);
}

#[test]
fn delays_and_parameters_are_told_apart() {
    let text =
        "foo #(3) u (a);\nassign #5 b = c;\nalways @(posedge clk) q <= #1 d;\nand #(2) g (a, b);";
    let mut file = SourceFile::new(
        "f.v".into(),
        format!("module m #(parameter N = 1) (input clk);\n{text}\nendmodule"),
    );
    file.active.fill(true);
    let facts = rewrite(&file, &mut Shared::default()).facts;
    assert_eq!(
        facts
            .delays
            .iter()
            .map(|s| s.start.line)
            .collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert_eq!(facts.instantiated, ["foo"]);
    assert_eq!(facts.modules[0].name, "m");
}

#[test]
fn initial_values_that_were_refused_are_dropped() {
    let text = "module m(input a, b);\nlogic [1:0] x = {a,\nb}, y = 1;\nlogic z = a;\nendmodule";
    let file = SourceFile::new("f.sv".into(), text.into());
    let refused = |line, column| Refused {
        what: Dispensable::InitialValue,
        place: Span::point("f.sv", line, column),
    };
    let mut shared = Shared {
        refused: vec![refused(2, 18), refused(3, 1)],
        ..Shared::default()
    };
    let rewritten = rewrite(&file, &mut shared).text;
    assert_eq!(
        rewritten,
        "module m(input a, b);\nlogic [1:0] x \n, y = 1;\nlogic z = a;\nendmodule"
    );
}

#[test]
fn patterns_that_are_too_many_become_conditions() {
    let arm = |bit: usize| {
        format!(
            "32'b{}1{}: z = {bit};\n",
            "?".repeat(31 - bit),
            "0".repeat(bit)
        )
    };
    let few = format!("always @* casez (x) {}{} endcase", arm(1), arm(0));
    assert_eq!(body(&few).0, few);
    let lines: String = (0..32).rev().map(arm).collect();
    let macro_body = format!(
        "`define FIND casez (x) {} endcase",
        lines.replace('\n', "\\\n")
    );
    assert_eq!(body(&macro_body).0, macro_body);
    let many: String = (0..32).rev().map(arm).collect();
    let text = body(&format!(
        "always @* casez (x)\n{many} default z = 32;\nendcase"
    ))
    .0;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0].trim(), "always @*");
    assert_eq!(
        lines[1],
        "if ((((x) ^ 32'h80000000) & ~32'h0) == 32'h0) begin  z = 31; end"
    );
    assert_eq!(
        lines[32],
        "else if ((((x) ^ 32'h1) & ~32'hfffffffe) == 32'h0) begin  z = 0; end"
    );
    assert_eq!(lines[33].trim(), "else begin  z = 32; end");
    // Where no value is left the last arm needs no condition.
    let text = body(&format!(
        "always @* casez (x)\n{many} 32'd0: begin z = 32; end endcase"
    ))
    .0;
    assert_eq!(
        text.lines().last(),
        Some(" else begin  begin z = 32; end end")
    );
}

#[test]
fn constants_of_packages_are_parameters() {
    let text = "package p; const logic [1:0] a = 1; const int b; static const int c = 2; endpackage
                module m(input clk); const int d = 3; endmodule";
    let rewritten = rewrite(
        &SourceFile::new("f.sv".into(), text.into()),
        &mut Shared::default(),
    );
    let expected = text.replace("const logic", "localparam logic");
    assert_eq!(rewritten.text, expected);
}

#[test]
fn implications_of_plain_conditions_are_conditions() {
    for (before, after) in [
        ("a |-> b", "!(a ) || ( b)"),
        (
            "disable iff (r) (|a) |-> (b && c[1])",
            "disable iff (r) !((|a) ) || ( (b && c[1]))",
        ),
        ("a |-> ##1 b", "a |-> ##1 b"),
        ("a |=> b", "a |=> b"),
        ("a[*2] |-> b", "a[*2] |-> b"),
        ("a |-> b |-> c", "a |-> b |-> c"),
        ("a | b", "a | b"),
    ] {
        let of = |property: &str| format!("p: assert property (@(posedge clk) {property});");
        assert_eq!(body(&of(before)).0, of(after));
    }
    let cover = "cover property (@(posedge clk) a |-> b);";
    assert_eq!(body(cover).0, cover);
}

#[test]
fn functions_that_keep_nothing_are_automatic() {
    for keeps_nothing in [
        "function f; input a; f = a; endfunction",
        "function [7:0] f(input [7:0] a); return a + 1; endfunction",
        "function [7:0] f(input [7:0] a); integer i; begin for (i = 0; i < 8; i = i + 1) f[7 - i] = a[i]; end endfunction",
        "function [7:0] f(input [7:0] a); reg [7:0] t, u; begin : x t = a; u = t << 1; if (u[0]) t = u; f = t; end endfunction",
        "function int f(input int a); for (int i = 0; i < 8; i++) a += int'(i); return a; endfunction",
    ] {
        let expected = keeps_nothing
            .replace("function ", "function automatic ")
            .replace("endfunction automatic", "endfunction");
        assert_eq!(body(keeps_nothing).0, expected);
    }
    for other in [
        "function f; input a; reg t; begin if (a) t = 1; f = t; end endfunction",
        "function [7:0] f(input a); reg [7:0] t; begin t = t + a; f = t; end endfunction",
        "function f(input a); reg t = 1; f = t; endfunction",
        "function [7:0] f(input a); integer i; for (i = i + 1; i < 8; i = i + 1) f[i] = a; endfunction",
        "function f(input a, output b); kind_t t; f = t; endfunction",
        "function f(input a); begin if (a) begin : b reg t; f = t; end end endfunction",
        "function automatic f(input a); f = a; endfunction",
        "function static f(input a); f = a; endfunction",
        "import \"DPI-C\" function int f(input int a);",
    ] {
        assert_eq!(body(other).0, other);
    }
}

#[test]
fn clocked_assertions_with_actions_are_processes() {
    for (before, after) in [
        (
            "p: assert property (@(posedge clk) disable iff (r) a) else $error(\"no\");",
            "always @(posedge clk) if (!(r)) p: if ( a) ; else $display(\"\\001assert \", \"no\");",
        ),
        (
            "assert property (@(posedge clk) a |-> b) x = 1; else begin y = 1; end",
            "always @(posedge clk) if ( !(a ) || ( b)) x = 1; else begin y = 1; end",
        ),
    ] {
        assert_eq!(body(before), (after.to_string(), Vec::new()));
    }
    let assertion = |property| format!("assert property (@(posedge clk) {property}) else x = 1;");
    for text in [
        assertion("$past(a)"),
        assertion("a ##1 b"),
        "default disable iff (r); ".to_string() + &assertion("a"),
    ] {
        let (rewritten, warnings) = body(&text);
        assert_eq!((rewritten, warnings.len()), (text, 1));
    }
}
