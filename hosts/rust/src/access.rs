//! Reading and writing signals and memory rows: through memory where their places are published, through the
//! module's `rtl_peek` and `rtl_poke` elsewhere.
//!
//! All places were checked against the memory when the artifact was loaded, so nothing here can be out of bounds for
//! handles of this artifact; handles of others are refused.

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control};
use rtlwasm_abi::manifest;

use crate::artifact::Artifact;
use crate::control::write_u32;
use crate::error::Error;
use crate::model::Model;
use crate::signal::{Access, Kind, Signal, Slot};
use crate::value::{Value, limb_count, low_mask};

impl Model {
    /// The value of a signal of up to 64 bits, zero-extended.
    ///
    /// Stored signals cost a load; those that optimisation removed are recomputed, all of a group at once, the first
    /// time after each run or write.
    pub fn peek(&mut self, signal: Signal) -> Result<u64, Error> {
        if signal.width > 64 {
            return Err(Error::WideRead {
                path: self.artifact.path(signal),
                width: signal.width,
            });
        }
        match signal.slot {
            Some(slot) if signal.depth == 0 => {
                self.check_own(signal)?;
                Ok(read_slot(self.memory(), slot, 0, signal.width))
            }
            _ => Ok(self.peek_bits(signal)?.limbs()[0]),
        }
    }

    /// The value of a signal of any width.
    pub fn peek_bits(&mut self, signal: Signal) -> Result<Value, Error> {
        self.check_own(signal)?;
        if signal.depth > 0 {
            return Err(Error::IsMemory {
                path: self.artifact.path(signal),
            });
        }
        self.read(signal, 0)
    }

    /// Writes a signal of any width with a value of up to 64 bits, and settles nothing: call
    /// [`eval`](Model::eval) or any run.
    ///
    /// # Errors
    /// [`Error::TooWide`], [`Error::NotWritable`] for what the design drives or optimisation removed.
    pub fn poke(&mut self, signal: Signal, value: u64) -> Result<(), Error> {
        self.check_writable(signal)?;
        self.check_width(signal, 64 - value.leading_zeros())?;
        match signal.slot {
            Some(slot) if signal.depth == 0 && signal.kind != Kind::Inout => {
                write_slot(self.memory_mut(), slot, 0, signal.width, value);
                self.written(signal);
                Ok(())
            }
            _ => self.poke_bits(signal, &Value::from_u64(signal.width, value)),
        }
    }

    /// Writes a signal of any width. The value may be narrower; it is zero-extended.
    pub fn poke_bits(&mut self, signal: Signal, value: &Value) -> Result<(), Error> {
        self.check_writable(signal)?;
        if signal.depth > 0 {
            return Err(Error::IsMemory {
                path: self.artifact.path(signal),
            });
        }
        self.check_width(signal, bits_needed(value))?;
        self.write(signal, 0, value)
    }

    /// Says why a value cannot be written to a signal or to a row of a memory.
    pub(crate) fn check_pokeable(&self, signal: Signal, value: &Value) -> Result<(), Error> {
        self.check_writable(signal)?;
        self.check_width(signal, bits_needed(value))
    }

    /// A memory row of up to 64 bits. `row` is the index that the source uses.
    pub fn peek_row(&mut self, memory: Signal, row: i64) -> Result<u64, Error> {
        if memory.width > 64 {
            return Err(Error::WideRead {
                path: self.artifact.path(memory),
                width: memory.width,
            });
        }
        let index = self.artifact.row_index(memory, row)?;
        match memory.slot {
            Some(slot) => Ok(read_slot(
                self.memory(),
                slot,
                row_offset(memory, index),
                memory.width,
            )),
            None => Ok(self.read(memory, index)?.limbs()[0]),
        }
    }

    /// A memory row of any width.
    pub fn peek_row_bits(&mut self, memory: Signal, row: i64) -> Result<Value, Error> {
        let index = self.artifact.row_index(memory, row)?;
        self.read(memory, index)
    }

    /// Writes a memory row with a value of up to 64 bits.
    pub fn poke_row(&mut self, memory: Signal, row: i64, value: u64) -> Result<(), Error> {
        let index = self.artifact.row_index(memory, row)?;
        self.check_writable(memory)?;
        self.check_width(memory, 64 - value.leading_zeros())?;
        match memory.slot {
            Some(slot) => {
                write_slot(
                    self.memory_mut(),
                    slot,
                    row_offset(memory, index),
                    memory.width,
                    value,
                );
                self.written(memory);
                Ok(())
            }
            None => self.write(memory, index, &Value::from_u64(memory.width, value)),
        }
    }

    /// Writes a memory row of any width. The value may be narrower; it is zero-extended.
    pub fn poke_row_bits(&mut self, memory: Signal, row: i64, value: &Value) -> Result<(), Error> {
        let index = self.artifact.row_index(memory, row)?;
        self.check_writable(memory)?;
        self.check_width(memory, bits_needed(value))?;
        self.write(memory, index, value)
    }

    /// How often a cover has been hit since reset: the counter of an event site of kind `cover`, by its index in the
    /// manifest's `events`. `None` for other sites.
    pub fn cover_count(&self, site: usize) -> Option<u64> {
        let offset = self.artifact.manifest().events.get(site)?.cover?;
        Some(crate::control::read_u64(self.memory(), offset as usize))
    }

    /// The condition `(load64(offset) & mask) == value` for a signal, if the module can test it.
    pub(crate) fn condition(
        &self,
        signal: Signal,
        value: u64,
    ) -> Result<Option<(u32, u64, u64)>, Error> {
        self.check_own(signal)?;
        self.check_width(signal, 64 - value.leading_zeros())?;
        let state = &self.artifact.inner.control;
        let (start, end) = (
            state.state_base as u64,
            (state.state_base + state.state_len) as u64,
        );
        let Some(slot) = signal
            .slot
            .filter(|_| signal.depth == 0 && signal.inout_free())
        else {
            return Ok(None);
        };
        if slot.offset < start || slot.offset + u64::from(slot.size) > end {
            return Ok(None);
        }
        // Eight bytes are loaded; near the end of the region they begin earlier. Its header is longer than that.
        let base = slot.offset.min(end - 8);
        let shift = (slot.offset - base) * 8 + u64::from(slot.shift);
        if shift + u64::from(signal.width) > 64 {
            return Ok(None);
        }
        if signal.width == 0 {
            return Ok(Some((base as u32, 0, 0)));
        }
        Ok(Some((
            base as u32,
            low_mask(signal.width) << shift,
            value << shift,
        )))
    }

    pub(crate) fn write_by_id(&mut self, id: u32, value: &Value) -> Result<(), Error> {
        let signal = self.artifact.signal_by_id(id).ok_or(Error::ForeignHandle)?;
        self.poke_bits(signal, value)
    }

    fn entry(&self, signal: Signal) -> &manifest::Signal {
        &self.artifact.signals()[signal.place as usize]
    }

    /// A signal or the row `index` of a memory, however it can be had.
    pub(crate) fn read(&mut self, signal: Signal, index: u32) -> Result<Value, Error> {
        let entry = self.entry(signal);
        let (outline, inout) = (entry.outline, entry.inout);
        if entry.parts.is_empty() {
            if let Some(value) = &entry.value {
                let value = Value::from_hex(value, signal.width);
                return Ok(value.expect("checked when the artifact was loaded"));
            }
            return match inout {
                Some(halves) => self.read_inout(halves),
                None => self.read_slowly(signal, index),
            };
        }
        if let Some(group) = outline {
            self.refresh(group)?;
        }
        Ok(self.read_parts(signal, index, 0))
    }

    /// The value whose parts lie that far behind the signal's own.
    pub(crate) fn read_parts(&self, signal: Signal, index: u32, behind: usize) -> Value {
        let moved = row_offset(signal, index) as usize + behind;
        value_at(self.entry(signal), self.memory(), moved)
    }

    /// What is seen on the pins: the design's bits where it drives, the host's elsewhere.
    fn read_inout(&mut self, [input, output, enable]: [u32; 3]) -> Result<Value, Error> {
        let mut half = |id| {
            let signal = self.artifact.signal_by_id(id).ok_or(Error::ForeignHandle)?;
            self.peek_bits(signal)
        };
        let (input, output, enable) = (half(input)?, half(output)?, half(enable)?);
        let bits = input.limbs().iter().zip(output.limbs()).zip(enable.limbs());
        let limbs: Vec<u64> = bits.map(|((i, o), e)| o & e | i & !e).collect();
        Ok(Value::from_limbs(input.width(), &limbs))
    }

    fn read_slowly(&mut self, signal: Signal, index: u32) -> Result<Value, Error> {
        let limbs = limb_count(signal.width) as u32;
        let mut value = Vec::with_capacity(limbs as usize);
        for limb in 0..limbs {
            let word = self.machine.peek((signal.place, index * limbs + limb))?;
            if word == 0 && self.control_u32(control::STATUS) == Status::BadArgument as u32 {
                return Err(Error::Refused {
                    call: "rtl_peek",
                    status: Status::BadArgument,
                });
            }
            value.push(word);
        }
        Ok(Value::from_limbs(signal.width, &value))
    }

    /// Recomputes an outline group unless it still holds.
    pub(crate) fn refresh(&mut self, group: u32) -> Result<(), Error> {
        if !self.fresh[group as usize] {
            let status = self.machine.outline((group,))?;
            if status != Status::Ok as u32 {
                let status = Status::from_code(status).unwrap_or(Status::Stop);
                return Err(Error::Refused {
                    call: "rtl_outline",
                    status,
                });
            }
            self.fresh[group as usize] = true;
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, signal: Signal, index: u32, value: &Value) -> Result<(), Error> {
        let entry = self.entry(signal);
        // The host's half of an inout is a signal of its own, whatever shows the net.
        if let Some([input, ..]) = entry.inout {
            return self.write_by_id(input, value);
        }
        if entry.parts.is_empty() {
            return self.write_slowly(signal, index, value);
        }
        let parts = entry.parts.clone();
        let memory = self.memory_mut();
        let mut lo = 0;
        for part in parts {
            let at = (part.offset + row_offset(signal, index)) as usize;
            let bytes = &mut memory[at..at + part.size as usize];
            let mut whole = from_bytes(bytes);
            whole.insert(part.shift, &value.slice(lo, part.width));
            to_bytes(&whole, bytes);
            lo += part.width;
        }
        self.written(signal);
        Ok(())
    }

    fn write_slowly(&mut self, signal: Signal, index: u32, value: &Value) -> Result<(), Error> {
        let limbs = limb_count(signal.width) as u32;
        for limb in 0..limbs {
            let word = value.limbs().get(limb as usize).copied().unwrap_or(0);
            let status = self
                .machine
                .poke((signal.place, index * limbs + limb, word))?;
            if status != Status::Ok as u32 {
                let status = Status::from_code(status).unwrap_or(Status::Stop);
                return Err(Error::Refused {
                    call: "rtl_poke",
                    status,
                });
            }
        }
        self.fresh.fill(false);
        Ok(())
    }

    /// The module reads inputs afresh in every call; of other direct writes it must be told.
    fn written(&mut self, signal: Signal) {
        if signal.kind == Kind::Input {
            self.fresh.fill(false);
        } else {
            self.mark_written();
        }
    }

    /// State has been written to directly.
    pub(crate) fn mark_written(&mut self) {
        self.fresh.fill(false);
        let dirty = (CONTROL_BASE + control::DIRTY) as usize;
        write_u32(self.memory_mut(), dirty, 1);
    }

    pub(crate) fn check_own(&self, signal: Signal) -> Result<(), Error> {
        if signal.artifact == self.artifact.inner.tag {
            Ok(())
        } else {
            Err(Error::ForeignHandle)
        }
    }

    fn check_width(&self, signal: Signal, needed: u32) -> Result<(), Error> {
        if needed <= signal.width {
            return Ok(());
        }
        Err(Error::TooWide {
            path: self.artifact.path(signal),
            width: signal.width,
            needed,
        })
    }

    fn check_writable(&self, signal: Signal) -> Result<(), Error> {
        self.check_own(signal)?;
        if signal.access == Access::ReadWrite || signal.kind == Kind::Inout {
            return Ok(());
        }
        let reason = match signal.kind {
            Kind::Register | Kind::Latch | Kind::Memory => {
                "it was built without write access; build the artifact with the option `poke` set to `all`, or to a \
                 pattern that matches its name"
            }
            Kind::Constant => "it is a constant",
            Kind::Output => {
                "it is an output, which the design drives; write the registers or inputs that it is computed from, and \
                 where the output is a register itself, give that a name of its own"
            }
            _ => "the design drives it; write the registers or inputs that it is computed from",
        };
        Err(Error::NotWritable {
            path: self.artifact.path(signal),
            reason,
        })
    }
}

impl Artifact {
    /// From the declared index to the number of the row.
    pub(crate) fn row_index(&self, memory: Signal, row: i64) -> Result<u32, Error> {
        if memory.artifact != self.inner.tag {
            return Err(Error::ForeignHandle);
        }
        if memory.depth == 0 {
            return Err(Error::NotMemory {
                path: self.path(memory),
            });
        }
        let last = memory.first + i64::from(memory.depth) - 1;
        if row < memory.first || row > last {
            return Err(Error::Row {
                path: self.path(memory),
                row,
                first: memory.first,
                last,
            });
        }
        Ok((row - memory.first) as u32)
    }
}

impl Signal {
    /// Its place is its value (an inout's is composed of three).
    fn inout_free(self) -> bool {
        self.kind != Kind::Inout
    }
}

/// The value whose parts lie so many bytes behind those of an entry.
pub(crate) fn value_at(entry: &manifest::Signal, memory: &[u8], moved: usize) -> Value {
    let mut value = Value::zero(entry.width);
    let mut lo = 0;
    for part in &entry.parts {
        let at = part.offset as usize + moved;
        let whole = from_bytes(&memory[at..at + part.size as usize]);
        value.insert(lo, &whole.slice(part.shift, part.width));
        lo += part.width;
    }
    value
}

fn row_offset(memory: Signal, index: u32) -> u64 {
    u64::from(index) * u64::from(memory.stride)
}

fn bits_needed(value: &Value) -> u32 {
    let top = value.limbs().iter().rposition(|limb| *limb != 0);
    top.map_or(0, |i| i as u32 * 64 + 64 - value.limbs()[i].leading_zeros())
}

fn read_slot(memory: &[u8], slot: Slot, row: u64, width: u32) -> u64 {
    let at = (slot.offset + row) as usize;
    let mut bytes = [0; 8];
    bytes[..slot.size as usize].copy_from_slice(&memory[at..at + slot.size as usize]);
    u64::from_le_bytes(bytes)
        .checked_shr(slot.shift.into())
        .unwrap_or(0)
        & low_mask(width)
}

fn write_slot(memory: &mut [u8], slot: Slot, row: u64, width: u32, value: u64) {
    let at = (slot.offset + row) as usize;
    let mut bytes = [0; 8];
    let place = &mut memory[at..at + slot.size as usize];
    bytes[..place.len()].copy_from_slice(place);
    let mask = low_mask(width).checked_shl(slot.shift.into()).unwrap_or(0);
    let moved = value.checked_shl(slot.shift.into()).unwrap_or(0);
    let word = u64::from_le_bytes(bytes) & !mask | moved & mask;
    place.copy_from_slice(&word.to_le_bytes()[..place.len()]);
}

fn from_bytes(bytes: &[u8]) -> Value {
    let limb = |chunk: &[u8]| {
        let mut limb = [0; 8];
        limb[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(limb)
    };
    let limbs: Vec<u64> = bytes.chunks(8).map(limb).collect();
    Value::from_limbs(bytes.len() as u32 * 8, &limbs)
}

fn to_bytes(value: &Value, bytes: &mut [u8]) {
    for (chunk, limb) in bytes.chunks_mut(8).zip(value.limbs()) {
        chunk.copy_from_slice(&limb.to_le_bytes()[..chunk.len()]);
    }
}
