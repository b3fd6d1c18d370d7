//! What the test benches have in common: names, and the text form of a stimulus.
//!
//! A stimulus file has one line of hexadecimal numbers per cycle: the clocks that rise, then every input. Its first
//! line holds the power-on values, with a 0 for the clocks. The C++ benches read the same file as the Verilog one.

use std::io::{self, Write};

use super::{OracleDesign, Stimulus};

/// Writes the stimulus as text.
pub fn write_stimulus(
    out: &mut dyn Write,
    design: &OracleDesign,
    stimulus: &Stimulus,
) -> io::Result<()> {
    write_line(out, 0, &stimulus.power_on(design))?;
    for cycle in stimulus.cycles(design) {
        write_line(out, cycle.rising, &cycle.inputs)?;
    }
    Ok(())
}

fn write_line(out: &mut dyn Write, rising: u64, inputs: &[Vec<u64>]) -> io::Result<()> {
    write!(out, "{rising:x}")?;
    for value in inputs {
        let mut limbs = value.iter().rev();
        write!(out, " {:x}", limbs.next().unwrap_or(&0))?;
        for limb in limbs {
            write!(out, "{limb:016x}")?;
        }
    }
    writeln!(out)
}

/// C++ that both C++ benches start with: numbers as arrays of 32-bit words, read and written as hexadecimal text.
pub const CPP_PRELUDE: &str = r#"#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static FILE *stimulus_file, *trace_file;

// The next hexadecimal number, in words of 32 bits; false at the end of the file.
static bool read_number(std::vector<uint32_t> &words) {
    int c = getc(stimulus_file);
    while (c == ' ' || c == '\n') c = getc(stimulus_file);
    if (c == EOF) return false;
    std::string digits;
    for (; c != ' ' && c != '\n' && c != EOF; c = getc(stimulus_file)) digits.push_back((char)c);
    for (uint32_t &word : words) word = 0;
    for (size_t i = 0; i < digits.size() && i / 8 < words.size(); i++) {
        char d = digits[digits.size() - 1 - i];
        words[i / 8] |= (uint32_t)(d <= '9' ? d - '0' : d - 'a' + 10) << (4 * (i % 8));
    }
    return true;
}

static void write_number(const uint32_t *words, size_t count) {
    char text[16];
    for (size_t i = count; i-- > 0;) {
        snprintf(text, sizeof text, "%08x", words[i]);
        fputs(text, trace_file);
    }
    putc(' ', trace_file);
}
"#;
