//! Assembles the fixed part of every artifact (`src/emit/*.wat`) once, so that no compilation has to.
//!
//! The text leaves numbers open, as `@SIGNS@`. For each occurrence a number of its own is assembled that takes as many
//! bytes as any would, and is then looked for in the result: what goes out, besides the bytes, is a table of these places.

use std::fmt::Write;
use std::{env, fs, path::Path};

/// In the order in which they make one module.
const PARTS: [&str; 4] = ["prelude.wat", "watch.wat", "trace.wat", "wide.wat"];
/// The first of the numbers: five bytes in LEB128, signed or not.
const NARROW: u64 = 0x5d3a_0000;
/// The first of those for 64 bits: ten bytes.
const WIDE: u64 = 0xa5d3_a5d3_a5d3_0000;

fn main() {
    let folder = Path::new("src/emit");
    let text: String = PARTS
        .iter()
        .map(|part| {
            let path = folder.join(part);
            println!("cargo::rerun-if-changed={}", path.display());
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        })
        .collect();
    let (text, holes) = fill(&text);
    let wasm = wat::parse_str(&text).unwrap_or_else(|e| panic!("prelude: {e}"));
    let mut table = String::from("[\n");
    for hole in &holes {
        let at = place(&wasm, hole);
        let (name, kind) = (&hole.name, hole.kind);
        writeln!(table, "    ({at}, \"{name}\", Form::{kind}),").expect("memory");
    }
    table.push(']');
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    fs::write(out.join("prelude.wasm"), wasm).expect("the build folder can be written");
    fs::write(out.join("holes.rs"), table).expect("the build folder can be written");
}

/// A number that is open.
struct Hole {
    name: String,
    /// How it is encoded.
    kind: &'static str,
    /// What stands there while assembling.
    number: u64,
}

/// Puts a number for every sign.
fn fill(text: &str) -> (String, Vec<Hole>) {
    let (mut filled, mut holes) = (String::new(), Vec::new());
    for line in text.lines() {
        let code = line.split(";;").next().unwrap_or(line);
        let mut pieces = code.split('@');
        filled.push_str(pieces.next().unwrap_or(""));
        while let (Some(name), Some(after)) = (pieces.next(), pieces.next()) {
            let kind = match filled.rsplit(['(', ' ']).find(|w| !w.is_empty()) {
                Some("i32.const") => "Signed",
                Some("i64.const") => "Long",
                _ => "Unsigned",
            };
            let first = if kind == "Long" { WIDE } else { NARROW };
            let number = first + holes.len() as u64;
            let name = name.to_string();
            write!(filled, "{}{after}", number as i64).expect("memory");
            holes.push(Hole { name, kind, number });
        }
        filled.push('\n');
    }
    (filled, holes)
}

/// Where a number is in the assembled bytes.
fn place(wasm: &[u8], hole: &Hole) -> usize {
    let bytes = leb128(hole.number as i64);
    let found: Vec<usize> = (0..wasm.len() - bytes.len())
        .filter(|at| wasm[*at..].starts_with(&bytes))
        .collect();
    match found[..] {
        [at] => at,
        _ => panic!(
            "@{}@ is at {found:?}, and should be at one place",
            hole.name
        ),
    }
}

/// Signed LEB128; the same as unsigned for positive numbers of this size.
fn leb128(mut number: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if matches!((number, byte & 0x40), (0, 0) | (-1, 0x40)) {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}
