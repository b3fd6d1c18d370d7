//! Going on with another artifact of the same design, one that stores or tells more: everything that knows a place in
//! the model gets the new one.

use rtlwasm_host::{Error, Model, Signal};

use super::core::{Core, triggers};
use super::slot::{Place, SlotId};

impl Core {
    /// Takes a model of the same design in place of the present one, in the same state. What the design did not know,
    /// and has as inputs of these names from now on, is in `inputs`.
    pub fn adopt(&mut self, model: Model, inputs: &[(SlotId, String)]) -> Result<(), Error> {
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
        for (id, name) in inputs {
            self.slots[*id].place = Place::Signal(self.model.signal(name)?);
            let value = self.slots[*id].own.clone();
            self.poke(*id, &value)?;
        }
        for memory in 0..self.memories.len() {
            let signal = self.memories[memory].memory;
            self.memories[memory].memory = self.found(&before, signal)?;
        }
        for clock in 0..self.clocks.len() {
            let slot = self.clocks[clock].0.slot;
            self.clocks[clock].0.inside = self.inner_clock(slot);
        }
        self.trace_on()?;
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
