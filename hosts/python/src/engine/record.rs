//! Which slots have changed, for waveforms: blocks of memory are compared, and only slots in those that differ are read.

use rtlwasm_host::{Error, Model, Tracer};

use super::bits::Bits;
use super::slot::{Place, Slot, SlotId};

/// A set of slots, and what was told of each last.
pub struct Recorder {
    tracer: Tracer,
    /// What the tracer looks at, in its order.
    traced: Vec<(SlotId, Bits)>,
    /// What the design does not know.
    own: Vec<(SlotId, Bits)>,
}

impl Recorder {
    /// Their initial values count as told.
    pub fn new(model: &Model, slots: &[Slot], recorded: &[SlotId]) -> Result<Recorder, Error> {
        let (mut probes, mut traced, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for id in recorded {
            let slot = &slots[*id];
            let told = (*id, slot.initial.clone());
            let (signal, row) = match slot.place {
                Place::Host => {
                    own.push(told);
                    continue;
                }
                Place::Signal(signal) => (signal, None),
                Place::Row(memory, row) => (memory, Some(row)),
            };
            probes.push(model.artifact().probe_of(signal, row)?);
            traced.push(told);
        }
        Ok(Recorder {
            tracer: Tracer::new(model, &probes)?,
            traced,
            own,
        })
    }

    /// Tells every slot that differs from what was told last.
    pub fn record(
        &mut self,
        model: &mut Model,
        slots: &[Slot],
        mut tell: impl FnMut(SlotId, Bits),
    ) -> Result<(), Error> {
        let traced = &mut self.traced;
        self.tracer.changes(model, |index, value| {
            let (id, told) = &mut traced[index];
            let value = Bits::of(value.clone(), slots[*id].width);
            if value != *told {
                *told = value.clone();
                tell(*id, value);
            }
        })?;
        for (id, told) in &mut self.own {
            if slots[*id].own != *told {
                *told = slots[*id].own.clone();
                tell(*id, told.clone());
            }
        }
        Ok(())
    }
}
