//! The change trace: what the model itself has noted about every word that changed, in order and with times.
//!
//! Unlike a [`Tracer`](crate::Tracer), which compares memory between calls, it sees every change inside one long call.
//! The artifact must have been built with `--trace`.

use rtlwasm_abi::layout::{CONTROL_BASE, control, trace};

use crate::control::{read_u32, read_u64, write_u32};
use crate::error::Error;
use crate::model::Model;

/// One word of a signal at the end of the instant in which it has changed, or of a memory row when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// In time units.
    pub time: u64,
    /// The signal, as [`Signal::id`](crate::Signal::id) and the manifest number it: the first of those that lie in the
    /// same place.
    pub signal: u32,
    /// Limb; for a memory row times limbs plus limb, rows counted from 0.
    pub word: u32,
    /// Its bits, zero-extended.
    pub value: u64,
}

impl Model {
    /// From the next run on, changes are noted. That run first tells all words but those of memories as they are.
    /// Changes are kept until [`changes`](Model::changes) takes them, in 24 bytes each.
    ///
    /// # Errors
    /// [`Error::NotTraced`], [`Error::NotInEngine`].
    pub fn start_trace(&mut self) -> Result<(), Error> {
        let instead = "compare values between runs, as a `Tracer` does";
        self.machine.only_artifacts("change trace", instead)?;
        if self.artifact.inner.control.trace_size == 0 {
            return Err(Error::NotTraced);
        }
        self.set_trace(1);
        Ok(())
    }

    /// Nothing more is noted.
    pub fn stop_trace(&mut self) {
        self.set_trace(0);
    }

    /// Takes the changes that came since the last call, in their order.
    pub fn changes(&mut self) -> impl Iterator<Item = Change> + '_ {
        self.changes.drain(..)
    }

    fn set_trace(&mut self, on: u32) {
        let at = (CONTROL_BASE + control::TRACE_ON) as usize;
        write_u32(self.memory_mut(), at, on);
    }

    /// Empties the ring; true when there was something in it.
    pub(crate) fn drain_trace(&mut self) -> Result<bool, Error> {
        let ring = self.artifact.inner.control;
        let head = self.control_u32(control::TRACE_HEAD);
        let mut tail = self.control_u32(control::TRACE_TAIL);
        if head == tail {
            return Ok(false);
        }
        let filled = head.wrapping_sub(tail);
        if filled > ring.trace_size || !(head | tail).is_multiple_of(trace::LEN) {
            return Err(Error::BrokenRing {
                problem: format!("{filled} bytes are filled of {}", ring.trace_size),
            });
        }
        while tail != head {
            let at = ring.trace_base + (tail & (ring.trace_size - 1)) as usize;
            let record = &self.memory()[at..at + trace::LEN as usize];
            let signal = read_u32(record, trace::ID as usize);
            let word = read_u32(record, trace::WORD as usize);
            let value = read_u64(record, trace::VALUE as usize);
            match signal {
                trace::TIME => self.trace_time = value,
                _ => self.changes.push_back(Change {
                    time: self.trace_time,
                    signal,
                    word,
                    value,
                }),
            }
            tail = tail.wrapping_add(trace::LEN);
        }
        let at = (CONTROL_BASE + control::TRACE_TAIL) as usize;
        write_u32(self.memory_mut(), at, head);
        Ok(true)
    }
}
