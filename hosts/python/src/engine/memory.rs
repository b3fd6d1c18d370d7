//! Memories that a reset gives their initial contents, as Torii's simulator does; a memory of hardware has no reset, and
//! so the design that the module runs has none either.

use rtlwasm_host::{Error, Signal};

use super::bits::Bits;
use super::core::Core;
use super::slot::SlotId;

/// A memory, and when it is reset.
pub struct MemoryReset {
    pub memory: Signal,
    pub rows: Vec<Bits>,
    /// The clock, and its active level.
    pub clock: (SlotId, bool),
    /// It is reset at an edge of the clock before which this is not 0.
    pub when: SlotId,
    /// And at once when this, an asynchronous reset, rises.
    pub at_once: Option<SlotId>,
    /// The levels of clock and asynchronous reset when the model acted last.
    acted: [bool; 2],
}

impl Core {
    pub fn add_memory_reset(
        &mut self,
        name: &str,
        rows: Vec<Bits>,
        clock: (SlotId, bool),
        when: SlotId,
        at_once: Option<SlotId>,
    ) -> Result<(), Error> {
        let memory = self.model.signal(name)?;
        self.memories.push(MemoryReset {
            memory,
            rows,
            clock,
            when,
            at_once,
            acted: [false; 2],
        });
        Ok(())
    }

    /// Whether no memory can be reset as long as only clocks move.
    pub fn memories_rest(&mut self) -> bool {
        (0..self.memories.len()).all(|i| {
            let when = self.memories[i].when;
            let slot = &self.slots[when];
            let still = slot.place.is_written_by_hosts_only() && !slot.is_ahead();
            still && self.read_model(when).is_ok_and(|value| value.is_zero())
        })
    }

    /// Before the model acts: the memories that this resets.
    pub fn resets_due(&mut self) -> Result<Vec<usize>, Error> {
        let mut due = Vec::new();
        for i in 0..self.memories.len() {
            let (_, level) = self.memories[i].clock;
            let (when, at_once) = (self.memories[i].when, self.memories[i].at_once);
            let now = self.levels(i)?;
            let before = std::mem::replace(&mut self.memories[i].acted, now);
            let edge = now[0] != before[0] && now[0] == level;
            let rises = at_once.is_some() && now[1] && !before[1];
            if rises || edge && !self.read_model(when)?.is_zero() {
                due.push(i);
            }
        }
        Ok(due)
    }

    /// After the clocks have run: where they stand.
    pub fn note_levels(&mut self) -> Result<(), Error> {
        for i in 0..self.memories.len() {
            self.memories[i].acted = self.levels(i)?;
        }
        Ok(())
    }

    /// Gives a memory its initial contents. True: something has changed.
    pub fn reset_memory(&mut self, index: usize) -> Result<bool, Error> {
        let memory = self.memories[index].memory;
        let mut changed = false;
        for row in 0..self.memories[index].rows.len() {
            let value = self.memories[index].rows[row].clone();
            let row = row as i64;
            match &value {
                Bits::Word(word) if self.model.peek_row(memory, row)? != *word => {
                    self.model.poke_row(memory, row, *word)?;
                }
                Bits::Wide(wide) if self.model.peek_row_bits(memory, row)? != *wide => {
                    self.model.poke_row_bits(memory, row, wide)?;
                }
                _ => continue,
            }
            self.record_reset(memory, row, &value);
            changed = true;
        }
        Ok(changed)
    }

    fn levels(&mut self, index: usize) -> Result<[bool; 2], Error> {
        let (clock, at_once) = (self.memories[index].clock.0, self.memories[index].at_once);
        let level = self.read_model(clock)?.bit(0);
        let reset = at_once.map(|slot| self.read_model(slot)).transpose()?;
        Ok([level, reset.is_some_and(|reset| reset.bit(0))])
    }
}
