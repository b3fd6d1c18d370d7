//! Staged writes: values that registers, memories and inputs take together with an edge that is pending.
//!
//! A run that a [`Watch`](crate::Watch) on a clock has stopped stands before that edge. What is staged then is unseen
//! by it and wins over what the design stores at it, as the assignments of a testbench that is itself clocked do.
//! While no edge is pending, a staged write is a poke.

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control, play, state};

use crate::control::{write_u32, write_u64};
use crate::error::Error;
use crate::model::Model;
use crate::signal::Signal;
use crate::value::{Value, limb_count};

const LEN: usize = play::LEN as usize;

impl Model {
    /// Writes a signal of any width together with the pending edge, in the next run. The value may be narrower; it is
    /// zero-extended. Later writes to the same signal win. Until that run nothing is changed.
    ///
    /// # Errors
    /// Those of [`poke_bits`](Model::poke_bits), [`Error::StageFull`], and [`Error::NotInEngine`].
    pub fn stage(&mut self, signal: Signal, value: &Value) -> Result<(), Error> {
        self.check_pokeable(signal, value)?;
        if signal.depth > 0 {
            return Err(Error::IsMemory {
                path: self.artifact.path(signal),
            });
        }
        self.stage_words(signal, 0, value)
    }

    /// The same for a memory row; `row` is the index that the source uses.
    pub fn stage_row(&mut self, memory: Signal, row: i64, value: &Value) -> Result<(), Error> {
        let index = self.artifact.row_index(memory, row)?;
        self.check_pokeable(memory, value)?;
        self.stage_words(memory, index, value)
    }

    /// Makes the edges of clocks and resets that were poked since the last run pending, as if that had stopped before
    /// them: what is staged from now on comes with them, and no watch is hit by them. False, and nothing is done, when an event has stopped that run,
    /// and where nothing can be staged.
    pub fn hold_edges(&mut self) -> bool {
        let status = self.control_u32(control::STATUS);
        let held = [Status::Ok as u32, Status::WatchHit as u32].contains(&status)
            && self.check_stageable().is_ok();
        if held {
            let base = self.artifact.inner.control.state_base;
            for field in [state::PHASE, state::TOLD] {
                write_u32(self.memory_mut(), base + field as usize, 1);
            }
        }
        held
    }

    fn check_stageable(&self) -> Result<(), Error> {
        let instead = "poke, which the next run takes in before its first edge";
        self.machine.only_artifacts("staged writes", instead)
    }

    fn stage_words(&mut self, signal: Signal, row: u32, value: &Value) -> Result<(), Error> {
        self.check_stageable()?;
        let entry = &self.artifact.signals()[signal.place as usize];
        let id = entry.inout.map_or(signal.place, |[input, ..]| input);
        let limbs = limb_count(signal.width);
        let host = self.artifact.inner.control;
        let base = host.host_base + stage_offset(host.host_len);
        let used = self.control_u32(control::STAGE_LEN) as usize;
        let room = host.host_len - stage_offset(host.host_len);
        if used > room || limbs * LEN > room - used {
            return Err(Error::StageFull);
        }
        for limb in 0..limbs {
            let word = value.limbs().get(limb).copied().unwrap_or(0);
            let at = base + used + limb * LEN;
            let record = &mut self.memory_mut()[at..at + LEN];
            write_u32(record, play::OP as usize, play::OP_POKE);
            write_u32(record, play::ID as usize, id);
            write_u32(
                record,
                play::WORD as usize,
                row * limbs as u32 + limb as u32,
            );
            write_u64(record, play::VALUE as usize, word);
            write_u64(record, play::MASK as usize, u64::MAX);
        }
        let len = (used + limbs * LEN) as u32;
        for (field, value) in [
            (control::STAGE_BASE, base as u32),
            (control::STAGE_LEN, len),
        ] {
            write_u32(self.memory_mut(), (CONTROL_BASE + field) as usize, value);
        }
        Ok(())
    }
}

/// The second half of host memory holds staged writes, the first scripts.
pub(crate) fn stage_offset(host_len: usize) -> usize {
    host_len / 2 / LEN * LEN
}
