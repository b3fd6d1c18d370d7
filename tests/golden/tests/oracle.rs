//! The outside simulators themselves: each is asked for a small design whose outputs are known without it.

use std::fs;
use std::path::Path;

use golden::oracle::{
    Direction, InputRule, OracleDesign, OracleKind, Port, Reset, Stimulus, Trace, trace,
};

const VERILOG: &str = "
module sums (input wire clk, input wire rst_n, input wire [69:0] step, output reg [69:0] total, output reg [1:0] undefined);
    always @(posedge clk or negedge rst_n)
        if (!rst_n) total <= 0; else total <= total + step;
    always @(posedge clk)
        if (rst_n) undefined <= total[1:0];
    always @(posedge clk)
        if (total == 70'd12) $display(\"twelve at %0d\", $time);
endmodule
";

const RTLIL: &str = "
module \\sums
  wire input 1 \\clk
  wire input 2 \\rst_n
  wire width 70 input 3 \\step
  wire width 70 output 4 \\total
  wire width 2 output 5 \\undefined
  wire width 70 \\next
  cell $add $1
    parameter \\A_SIGNED 0
    parameter \\B_SIGNED 0
    parameter \\A_WIDTH 70
    parameter \\B_WIDTH 70
    parameter \\Y_WIDTH 70
    connect \\A \\total
    connect \\B \\step
    connect \\Y \\next
  end
  cell $adff $2
    parameter \\WIDTH 70
    parameter \\CLK_POLARITY 1
    parameter \\ARST_POLARITY 0
    parameter \\ARST_VALUE 70'0
    connect \\CLK \\clk
    connect \\ARST \\rst_n
    connect \\D \\next
    connect \\Q \\total
  end
  cell $dffe $3
    parameter \\WIDTH 2
    parameter \\CLK_POLARITY 1
    parameter \\EN_POLARITY 1
    connect \\CLK \\clk
    connect \\EN \\rst_n
    connect \\D \\total [1:0]
    connect \\Q \\undefined
  end
end
";

fn design(folder: &Path, file: &str, text: &str) -> OracleDesign {
    fs::write(folder.join(file), text).unwrap();
    let port = |name: &str, width, direction| Port {
        name: name.into(),
        width,
        direction,
    };
    OracleDesign {
        top: "sums".into(),
        folder: folder.to_owned(),
        sources: vec![file.into()],
        clocks: vec!["clk".into()],
        ports: vec![
            port("clk", 1, Direction::Input),
            port("rst_n", 1, Direction::Input),
            port("step", 70, Direction::Input),
            port("total", 70, Direction::Output),
            port("undefined", 2, Direction::Output),
        ],
        ..OracleDesign::default()
    }
}

fn stimulus() -> Stimulus {
    Stimulus {
        cycles: 8,
        seed: 3,
        resets: vec![Reset {
            name: "rst_n".into(),
            value: 0,
            cycles: 2,
        }],
        rules: vec![("step".into(), InputRule::Constant(3))],
    }
}

fn totals(trace: &Trace) -> Vec<u64> {
    trace.rows.iter().map(|row| row[0].value[0]).collect()
}

#[test]
fn icarus_shows_what_is_undefined() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(
        OracleKind::Icarus,
        &design(folder.path(), "sums.v", VERILOG),
        &stimulus(),
    )
    .unwrap();
    assert_eq!(totals(&trace), [0, 0, 3, 6, 9, 12, 15, 18]);
    let unknown: Vec<u64> = trace.rows.iter().map(|row| row[1].unknown[0]).collect();
    assert_eq!(unknown, [3, 3, 0, 0, 0, 0, 0, 0]);
    assert_eq!(trace.text, "twelve at 12\n");
}

#[test]
fn verilator_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(
        OracleKind::Verilator,
        &design(folder.path(), "sums.v", VERILOG),
        &stimulus(),
    )
    .unwrap();
    assert_eq!(totals(&trace), [0, 0, 3, 6, 9, 12, 15, 18]);
    assert_eq!(trace.text, "twelve at 12\n");
    assert!(!trace.finished);
}

#[test]
fn cxxrtl_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(
        OracleKind::Cxxrtl,
        &design(folder.path(), "sums.il", RTLIL),
        &stimulus(),
    )
    .unwrap();
    assert_eq!(totals(&trace), [0, 0, 3, 6, 9, 12, 15, 18]);
}

#[test]
fn a_design_that_cannot_be_built_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let broken = design(
        folder.path(),
        "broken.v",
        "module sums (input clk; endmodule",
    );
    let error = trace(OracleKind::Icarus, &broken, &stimulus()).unwrap_err();
    assert!(error.to_string().contains("broken.v:1"), "{error}");
}
