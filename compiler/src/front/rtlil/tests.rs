//! Small designs through the whole reader: the netlist is valid and behaves as the text says.

use super::{ReadOptions, read};
use crate::bits::Bits;
use crate::diag::{Diagnostic, Diagnostics};
use crate::ir::interp::{Interp, InterpOptions};
use crate::ir::{Netlist, SignalId, validate};

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

#[test]
#[ignore = "looks at a file"]
fn show() {
    let file = std::env::var("RTLIL").expect("a file");
    let text = std::fs::read_to_string(&file).expect("readable");
    let mut warnings = Vec::new();
    let start = std::time::Instant::now();
    let result = read(&file, &text, &ReadOptions::default(), &mut warnings);
    eprintln!("{:?}", start.elapsed());
    eprintln!("{}", crate::diag::Diagnostics(warnings));
    match result {
        Ok(n) => {
            if std::env::var("QUIET").is_err() {
                println!("{}", crate::ir::print(&n));
            }
            eprintln!(
                "{} cells {} registers {} latches {} loops {} signals",
                n.cells.len(),
                n.registers.len(),
                n.latches.len(),
                n.loops.len(),
                n.signals.len()
            );
            validate(&n);
        }
        Err(e) => println!("{e}"),
    }
}
