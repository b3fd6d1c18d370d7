//! What people point at in text: a signal, or one row of a memory as `ram[16]`.

use crate::artifact::Artifact;
use crate::error::Error;
use crate::model::Model;
use crate::signal::Signal;
use crate::value::Value;

/// A signal that is no memory, or one row of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    signal: Signal,
    row: Option<i64>,
}

impl Probe {
    /// The signal, or the memory that the row belongs to.
    pub fn signal(self) -> Signal {
        self.signal
    }

    /// The row's declared index; `None` for a signal.
    pub fn row(self) -> Option<i64> {
        self.row
    }
}

impl Artifact {
    /// A signal by its path, or the row of a memory: `cpu.pc`, `soc.ram[16]` with the index that the source uses.
    ///
    /// # Errors
    /// As [`signal`](Artifact::signal); [`Error::IsMemory`] for a memory without a row, [`Error::Row`].
    pub fn probe(&self, text: &str) -> Result<Probe, Error> {
        let found = self.signal(text);
        // A name may itself end in brackets, as those of generated instances do; then it wins.
        if let (Err(Error::UnknownSignal { .. }), Some((name, row))) = (&found, split_row(text)) {
            let signal = self.signal(name)?;
            return self.probe_of(signal, Some(row));
        }
        self.probe_of(found?, None)
    }

    /// A signal, or the row of a memory with that declared index.
    pub fn probe_of(&self, signal: Signal, row: Option<i64>) -> Result<Probe, Error> {
        match row {
            Some(row) => _ = self.row_index(signal, row)?,
            None if signal.depth > 0 => {
                return Err(Error::IsMemory {
                    path: self.path(signal),
                });
            }
            None => {}
        }
        Ok(Probe { signal, row })
    }
}

impl Model {
    /// The value of any width.
    pub fn peek_probe(&mut self, probe: Probe) -> Result<Value, Error> {
        match probe.row {
            Some(row) => self.peek_row_bits(probe.signal, row),
            None => self.peek_bits(probe.signal),
        }
    }

    /// Writes a value of any width.
    pub fn poke_probe(&mut self, probe: Probe, value: &Value) -> Result<(), Error> {
        match probe.row {
            Some(row) => self.poke_row_bits(probe.signal, row, value),
            None => self.poke_bits(probe.signal, value),
        }
    }
}

/// `name[row]` taken apart.
fn split_row(text: &str) -> Option<(&str, i64)> {
    let (name, row) = text.strip_suffix(']')?.rsplit_once('[')?;
    let row = match row.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => row.parse().ok()?,
    };
    Some((name, row))
}
