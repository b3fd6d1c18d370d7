//! Going on with another artifact of the same design: one with other outputs, or with the change trace.

use rtlwasm_abi::layout::{state, trigger};
use rtlwasm_abi::manifest;

use crate::error::Error;
use crate::model::Model;
use crate::signal::{Access, Kind, Signal};

/// The state header but for the hash of the layout.
const HEADER: usize = (state::HEADER_LEN - state::TIME) as usize;
/// A trigger's row without the id of its signal, which is another one there.
const ROW: usize = trigger::SIGNAL as usize;

impl Model {
    /// Takes over the state of a model of the same source that was compiled with other outputs, or with the change
    /// trace: time, clocks, inputs, registers, latches, memories, and what combinational loops have come to, each by its
    /// name, if the other has it, too. What has no name or no counterpart stays as it is: of a loop through a few bits
    /// of a word that is not all state, bits have to have names. The next run settles the rest. Staged writes, watches
    /// and events that were not taken stay with the other.
    pub fn take_over(&mut self, other: &mut Model) -> Result<(), Error> {
        let from = other.artifact.inner.control.state_base + state::TIME as usize;
        let to = self.artifact.inner.control.state_base + state::TIME as usize;
        let header = other.memory()[from..][..HEADER].to_vec();
        self.memory_mut()[to..][..HEADER].copy_from_slice(&header);
        let features = &self.artifact.manifest().features;
        let loops = features.iter().any(|name| name == "loops");
        for id in 0..self.artifact.signals().len() as u32 {
            let signal = self.artifact.signal_by_id(id).ok_or(Error::ForeignHandle)?;
            let kept = match signal.kind {
                Kind::Input | Kind::Register | Kind::Latch | Kind::Memory => true,
                // Among those are nets that lie where a loop keeps what it has come to.
                Kind::Wire | Kind::Output => loops && signal.access == Access::Read,
                _ => false,
            };
            let path = &self.artifact.signals()[id as usize].path;
            if let (true, Ok(theirs)) = (kept, other.signal(&path[..])) {
                self.copy_signal(signal, other, theirs)?;
            }
        }
        self.copy_triggers(other);
        self.mark_written();
        Ok(())
    }

    fn copy_signal(
        &mut self,
        signal: Signal,
        other: &mut Model,
        theirs: Signal,
    ) -> Result<(), Error> {
        if (signal.width, signal.depth) != (theirs.width, theirs.depth) {
            return Ok(());
        }
        for row in 0..signal.depth.max(1) {
            let value = other.read(theirs, row)?;
            self.write(signal, row, &value)?;
        }
        Ok(())
    }

    /// Levels, those that registers have acted on, and when clocks flip.
    fn copy_triggers(&mut self, other: &Model) {
        let names = |manifest: &manifest::Manifest| -> Vec<(String, u32)> {
            let clocks = manifest.clocks.iter();
            let clocks = clocks.map(|clock| (clock.name.clone(), Some(clock.trigger)));
            let resets = manifest.resets.iter();
            let resets = resets.map(|reset| (reset.name.clone(), reset.trigger));
            let rows = clocks.chain(resets);
            rows.filter_map(|(name, row)| Some((name, row?))).collect()
        };
        let theirs = names(other.artifact.manifest());
        for (name, row) in names(self.artifact.manifest()) {
            let found = theirs.iter().find(|(theirs, _)| *theirs == name);
            if let Some((_, their_row)) = found {
                let from = other.artifact.inner.control.trigger_base;
                let from = from + *their_row as usize * trigger::LEN as usize;
                let to = self.artifact.inner.control.trigger_base;
                let to = to + row as usize * trigger::LEN as usize;
                let bytes = other.memory()[from..][..ROW].to_vec();
                self.memory_mut()[to..][..ROW].copy_from_slice(&bytes);
            }
        }
    }
}
