//! Where signals lie in linear memory: for hosts that hand out views of it instead of copying values.
//!
//! Linear memory never moves and never grows, so an address taken once holds as long as the model lives.

use rtlwasm_abi::layout::{CONTROL_BASE, control};

use crate::artifact::Artifact;
use crate::control::write_u32;
use crate::error::Error;
use crate::model::Model;
use crate::signal::Signal;
use crate::value::low_mask;

/// A value, or the rows of a memory, as plain little-endian numbers in linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Offset of the first row in linear memory.
    pub offset: usize,
    /// Bytes of one number: 1, 2, 4 or 8.
    pub item_bytes: usize,
    /// Numbers that make up one row, the least significant first; more than one only for more than 64 bits.
    pub items: usize,
    /// Rows; 1 for what is no memory.
    pub rows: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Width in bits; the bits of a row above it are zero and must stay so.
    pub width: u32,
}

impl Artifact {
    /// Where a signal or a memory lies, when it lies there alone and in order.
    ///
    /// `None` for constants, for signals that share a number with others, that are split or have no place at all,
    /// for inouts and for zero width; read those with [`Model::peek_bits`].
    ///
    /// # Errors
    /// [`Error::ForeignHandle`].
    pub fn place(&self, signal: Signal) -> Result<Option<Place>, Error> {
        if signal.artifact != self.inner.tag {
            return Err(Error::ForeignHandle);
        }
        Ok(self.find_place(signal))
    }

    fn find_place(&self, signal: Signal) -> Option<Place> {
        let entry = &self.signals()[signal.place as usize];
        let offset = entry.parts.first()?.offset;
        let mut low = 0;
        for part in &entry.parts {
            let in_order = part.shift == 0 && low % 8 == 0 && part.offset == offset + low / 8;
            if !in_order {
                return None;
            }
            low += u64::from(part.width);
        }
        if entry.inout.is_some() || signal.width == 0 {
            return None;
        }
        let (item_bytes, items) = match signal.width {
            1..=8 => (1, 1),
            9..=16 => (2, 1),
            17..=32 => (4, 1),
            33..=64 => (8, 1),
            wide => (8, wide.div_ceil(64) as usize),
        };
        let place = Place {
            offset: offset as usize,
            item_bytes,
            items,
            rows: signal.depth.max(1) as usize,
            stride: if signal.depth == 0 {
                item_bytes * items
            } else {
                signal.stride as usize
            },
            width: signal.width,
        };
        let last = entry.parts.last()?;
        let reserved = last.offset + u64::from(last.size) - offset;
        let whole = place.row_bytes() as u64 * 8 == u64::from(signal.width);
        let fits = reserved >= place.row_bytes() as u64;
        (fits && (whole || !self.is_shared(signal.place, place))).then_some(place)
    }

    /// Whether another signal has bits in the first row above those of signal `id`.
    fn is_shared(&self, id: u32, place: Place) -> bool {
        let row_end = (place.offset + place.row_bytes()) as u64 * 8;
        let own_end = place.offset as u64 * 8 + u64::from(place.width);
        let others = (0..).zip(self.signals()).filter(|(other, _)| *other != id);
        let mut parts = others.flat_map(|(_, signal)| &signal.parts);
        parts.any(|part| {
            let first = part.offset * 8 + u64::from(part.shift);
            first < row_end && first + u64::from(part.width) > own_end
        })
    }
}

impl Place {
    /// Bytes of one row.
    pub fn row_bytes(self) -> usize {
        self.item_bytes * self.items
    }

    /// The bits of the last number of a row that belong to the value; `None` when all do.
    fn last_mask(self) -> Option<u64> {
        let bits = self.width as usize - (self.items - 1) * 64;
        (bits < self.item_bytes * 8).then(|| low_mask(bits as u32))
    }
}

impl Model {
    /// The address of linear memory and its length in bytes; both hold as long as the model lives, wherever it is
    /// moved. Reading a [`Place`] through it is sound while no call runs. After writing some, say so with
    /// [`written_directly`](Model::written_directly).
    pub fn memory_address(&self) -> (*mut u8, usize) {
        let memory = self.instance.memory;
        (memory.data_ptr(&self.store), memory.data_size(&self.store))
    }

    /// Computes a signal that optimisation removed, and all of its group, so that its [`Place`] holds its value; it
    /// does until the next write or run. For other signals there is nothing to do.
    pub fn refresh_signal(&mut self, signal: Signal) -> Result<(), Error> {
        self.check_own(signal)?;
        match self.artifact.signals()[signal.place as usize].outline {
            Some(group) => self.refresh(group),
            None => Ok(()),
        }
    }

    /// Says that these places may have been written through [`memory_address`](Model::memory_address): bits above
    /// their widths are cut, what sleeps in the model looks at them, and computed values are computed again. Costs
    /// a pass over places whose width does not fill their numbers.
    pub fn written_directly(&mut self, places: &[Place]) {
        self.fresh.fill(false);
        let memory = self.memory_mut();
        for place in places {
            if let Some(mask) = place.last_mask() {
                trim(memory, *place, mask);
            }
        }
        let dirty = (CONTROL_BASE + control::DIRTY) as usize;
        write_u32(memory, dirty, 1);
    }
}

/// Clears the bits outside of `mask` in the last number of every row.
fn trim(memory: &mut [u8], place: Place, mask: u64) {
    let mask = mask.to_le_bytes();
    let last = place.offset + place.row_bytes() - place.item_bytes;
    for row in 0..place.rows {
        let number = &mut memory[last + row * place.stride..][..place.item_bytes];
        for (byte, bits) in number.iter_mut().zip(mask) {
            *byte &= bits;
        }
    }
}
