//! Going on with another artifact of the same design, one that stores or tells more: everything that knows a place in
//! the model gets the new one.

use rtlwasm_host::{Error, Model, Signal};

use super::core::{Core, triggers};
use super::slot::Place;

impl Core {
    /// Takes a model of the same design in place of the present one, in the same state.
    pub fn adopt(&mut self, model: Model) -> Result<(), Error> {
        if self.owed || self.unsettled && self.calls > 0 {
            self.act()?;
        }
        let mut before = std::mem::replace(&mut self.model, model);
        self.model.take_over(&mut before)?;
        let triggers = triggers(&self.model);
        for id in 0..self.slots.len() {
            let place = match self.slots[id].place {
                Place::Host => continue,
                Place::Signal(signal) => Place::Signal(self.found(&before, signal)?),
                Place::Row(memory, row) => Place::Row(self.found(&before, memory)?, row),
            };
            self.slots[id].place = place;
            self.slots[id].trigger =
                matches!(place, Place::Signal(signal) if triggers.contains(&signal.id()));
        }
        self.triggers = triggers;
        for memory in 0..self.memories.len() {
            let signal = self.memories[memory].memory;
            self.memories[memory].memory = self.found(&before, signal)?;
        }
        for clock in 0..self.clocks.len() {
            let slot = self.clocks[clock].0.slot;
            self.clocks[clock].0.inside = self.inner_clock(slot);
        }
        // Before the first call there is nothing to be computed anew.
        if self.calls > 0 {
            let told = self.events.len();
            self.act()?;
            self.events.truncate(told);
        }
        Ok(())
    }

    /// The signal of the same name.
    fn found(&self, before: &Model, signal: Signal) -> Result<Signal, Error> {
        let path = &before.artifact().signals()[signal.id() as usize].path;
        self.model.signal(&path[..])
    }
}
