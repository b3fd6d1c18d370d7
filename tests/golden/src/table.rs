//! The first cycles of a fixture as a table: an artifact that has been compared with the interpreter and an outside
//! simulator in, its inputs, outputs and registers per cycle out.

use std::fmt::Write;

use rtlwasm::package::Packaged;
use rtlwasm_abi::Status;
use rtlwasm_abi::manifest::Signal;
use sha2::{Digest, Sha256};

use crate::compare::Compiled;
use crate::fixture::Fixture;
use crate::oracle::{Cycle, OracleDesign};

/// Cycles in the table.
const CYCLES: usize = 16;
/// Registers and latches in it.
const REGISTERS: usize = 24;
/// Columns that do not fit a line of this many characters go into a table below.
const LINE: usize = 118;
/// Wider values are shown by their ends and a hash.
const WIDEST: u32 = 128;

struct Column {
    name: String,
    width: u32,
    /// One for each row.
    cells: Vec<String>,
}

/// Runs the artifact and prints the table.
pub fn print(fixture: &Fixture, design: &OracleDesign, packaged: &Packaged) -> String {
    let registers: Vec<&Signal> = packaged
        .symbols
        .signals
        .iter()
        .filter(|s| is_register(s))
        .collect();
    let shown = &registers[..registers.len().min(REGISTERS)];
    let outputs = design
        .outputs()
        .map(|port| (vec![port.name.clone()], port.width));
    let inner = shown
        .iter()
        .map(|signal| (signal.path.clone(), signal.width));
    let watched: Vec<(Vec<String>, u32)> = outputs.chain(inner).collect();
    let paths: Vec<Vec<String>> = watched.iter().map(|(path, _)| path.clone()).collect();
    let mut model = Compiled::new(&packaged.wasm, design, &paths).unwrap_or_else(|e| panic!("{e}"));
    let names = watched.iter().map(|(path, width)| (path.join("."), *width));
    let mut table = Table::new(design, names);
    table.run(fixture, design, &mut model);
    let mut text = table.text();
    if registers.len() > shown.len() {
        let _ = writeln!(text, "\n{} more registers", registers.len() - shown.len());
    }
    text
}

fn is_register(signal: &Signal) -> bool {
    ["register", "latch"].contains(&signal.kind.as_str()) && signal.alias_of.is_none()
}

struct Table {
    columns: Vec<Column>,
    inputs: usize,
    /// Statuses and events, each with its cycle.
    notes: String,
    rows: usize,
}

impl Table {
    fn new(design: &OracleDesign, watched: impl Iterator<Item = (String, u32)>) -> Table {
        let column = |(name, width)| Column {
            name,
            width,
            cells: Vec::new(),
        };
        let rises = (design.clocks.len() > 1).then(|| ("rise".to_owned(), 0));
        let inputs = design.inputs().map(|port| (port.name.clone(), port.width));
        let inputs: Vec<Column> = rises.into_iter().chain(inputs).map(column).collect();
        let (count, watched) = (inputs.len(), watched.map(column));
        Table {
            columns: inputs.into_iter().chain(watched).collect(),
            inputs: count,
            notes: String::new(),
            rows: 0,
        }
    }

    fn run(&mut self, fixture: &Fixture, design: &OracleDesign, model: &mut Compiled) {
        let applied = model.apply(&fixture.stimulus.power_on(design));
        self.note("at power-on", applied, model);
        for (index, cycle) in fixture.stimulus.cycles(design).take(CYCLES).enumerate() {
            let status = match model.apply(&cycle.inputs) {
                Status::Ok => model.cycle(cycle.rising),
                status => status,
            };
            self.add(design, &cycle, model);
            self.note(&format!("cycle {index}"), status, model);
            if status == Status::Finish {
                break;
            }
        }
    }

    fn add(&mut self, design: &OracleDesign, cycle: &Cycle, model: &mut Compiled) {
        let mut cells = Vec::new();
        if design.clocks.len() > 1 {
            let names = design.clocks.iter().enumerate();
            let rising = names.filter(|(bit, _)| cycle.rising >> bit & 1 == 1);
            let rising: Vec<&str> = rising.map(|(_, name)| name.as_str()).collect();
            cells.push(rising.join("+"));
        }
        let ports = design.inputs().zip(&cycle.inputs);
        cells.extend(ports.map(|(port, limbs)| shown(limbs, port.width)));
        for (index, column) in self.columns[self.inputs..].iter().enumerate() {
            cells.push(shown(&model.value(index), column.width));
        }
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.cells.push(cell);
        }
        self.rows += 1;
    }

    fn note(&mut self, when: &str, status: Status, model: &mut Compiled) {
        if status != Status::Ok {
            let _ = writeln!(self.notes, "{when}: {}", status.describe());
        }
        let (_, events) = model.text_and_events();
        for line in events.lines() {
            let _ = writeln!(self.notes, "{when}: {line}");
        }
    }

    /// As many tables as the columns need, then the notes.
    fn text(&self) -> String {
        let mut tables = Vec::new();
        let (mut start, mut used) = (0, 0);
        for (index, column) in self.columns.iter().enumerate() {
            let more = column.chars() + 1;
            if index > start && used + more > LINE {
                tables.push(self.part(start, index));
                (start, used) = (index, 0);
            }
            used += more;
        }
        if start < self.columns.len() {
            tables.push(self.part(start, self.columns.len()));
        }
        if !self.notes.is_empty() {
            tables.push(self.notes.clone());
        }
        tables.join("\n")
    }

    /// The columns from one to another, with a bar between inputs and what follows from them.
    fn part(&self, start: usize, end: usize) -> String {
        let mut text = String::new();
        let mut line = |first: &str, cell: &dyn Fn(&Column) -> String| {
            let mut row = format!("{first:>5} |");
            for (index, column) in self.columns.iter().enumerate().take(end).skip(start) {
                if index == self.inputs && index > start {
                    row.push_str(" |");
                }
                let _ = write!(row, " {:>1$}", cell(column), column.chars());
            }
            let _ = writeln!(text, "{row}");
        };
        line("cycle", &|column| column.name.clone());
        for index in 0..self.rows {
            line(&index.to_string(), &|column| column.cells[index].clone());
        }
        text
    }
}

impl Column {
    fn chars(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(self.name.chars().count())
    }
}

/// A value in hexadecimal.
fn shown(limbs: &[u64], width: u32) -> String {
    let all: String = limbs
        .iter()
        .rev()
        .map(|limb| format!("{limb:016x}"))
        .collect();
    let digits = &all[all.len() - (width.div_ceil(4) as usize).min(all.len())..];
    if width <= WIDEST {
        return digits.to_owned();
    }
    let hash = Sha256::digest(digits);
    let (first, last) = (&digits[..8], &digits[digits.len() - 8..]);
    format!("{first}..{last}#{:02x}{:02x}", hash[0], hash[1])
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn values_have_the_digits_of_their_width() {
        assert_eq!(shown(&[5], 1), "5");
        assert_eq!(shown(&[5], 9), "005");
        assert_eq!(shown(&[1, 2], 65), "20000000000000001");
        assert_eq!(shown(&[1, 0, 2], 129), "20000000..00000001#e589");
    }
}
