//! Generated netlists of any size, as RTLIL. The generator is deterministic.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// A ring of small datapaths: ten cells each, with adders, comparisons, muxes and a register.
pub fn write(path: &Path, cells: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let tiles = cells / 10;
    writeln!(out, "attribute \\top 1\nmodule \\grid")?;
    writeln!(
        out,
        "  wire input 1 \\clk\n  wire width 32 input 2 \\seed\n  wire width 32 output 3 \\out"
    )?;
    for i in 0..tiles {
        for word in ["r", "s", "t", "n", "x", "m", "a", "o"] {
            writeln!(out, "  wire width 32 \\{word}{i}")?;
        }
        writeln!(out, "  wire \\e{i}\n  wire \\l{i}")?;
    }
    for i in 0..tiles {
        let before = if i == 0 {
            "\\seed".to_string()
        } else {
            format!("\\r{}", i - 1)
        };
        let far = format!("\\r{}", (i * 7 + 3) % tiles);
        let net = |word: &str| format!("\\{word}{i}");
        for (kind, width, a, b, y) in [
            ("add", 32, before.clone(), far.clone(), net("s")),
            ("xor", 32, net("s"), net("r"), net("t")),
            ("lt", 1, net("s"), net("t"), net("e")),
            ("sub", 32, net("t"), before.clone(), net("m")),
            ("eq", 1, net("x"), far.clone(), net("l")),
            ("and", 32, net("x"), net("s"), net("a")),
            ("or", 32, net("a"), net("m"), net("o")),
        ] {
            writeln!(out, "  cell ${kind} ${kind}{i}")?;
            writeln!(
                out,
                "    parameter \\A_SIGNED 0\n    parameter \\B_SIGNED 0"
            )?;
            writeln!(
                out,
                "    parameter \\A_WIDTH 32\n    parameter \\B_WIDTH 32\n    parameter \\Y_WIDTH {width}"
            )?;
            writeln!(
                out,
                "    connect \\A {a}\n    connect \\B {b}\n    connect \\Y {y}\n  end"
            )?;
        }
        for (name, a, b, s, y) in [("p", "t", "m", "e", "x"), ("q", "o", "x", "l", "n")] {
            writeln!(out, "  cell $mux $mux_{name}{i}\n    parameter \\WIDTH 32")?;
            writeln!(
                out,
                "    connect \\A \\{a}{i}\n    connect \\B \\{b}{i}\n    connect \\S \\{s}{i}\n    connect \\Y \\{y}{i}\n  end"
            )?;
        }
        writeln!(
            out,
            "  cell $dff $dff{i}\n    parameter \\CLK_POLARITY 1\n    parameter \\WIDTH 32"
        )?;
        writeln!(
            out,
            "    connect \\CLK \\clk\n    connect \\D \\n{i}\n    connect \\Q \\r{i}\n  end"
        )?;
    }
    writeln!(out, "  connect \\out \\r{}\nend", tiles - 1)?;
    out.flush()
}
