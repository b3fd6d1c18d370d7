//! Where signals lie in linear memory: for hosts that hand out views of it instead of copying values.
//!
//! Linear memory never moves and never grows, so an address taken once holds as long as the model lives.

use rtlwasm_abi::layout::{CONTROL_BASE, control};

use crate::artifact::Artifact;
use crate::control::write_u32;
use crate::error::Error;
use crate::model::Model;
use crate::signal::{Kind, Signal};
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
    /// Width in bits.
    pub width: u32,
    /// Whether the bits of a row above the width surely belong to it: they are zero and must stay so. Else they may be
    /// those of another value, and the place must not be written as a whole.
    pub alone: bool,
}

impl Artifact {
    /// Where a signal or a memory lies, when its bits lie in order.
    ///
    /// `None` for constants, inouts, signals of no width, and for what is split; read those with
    /// [`Model::peek_bits`]. Memories and inputs are alone in their places, and so is whatever fills its numbers, such
    /// as a register of 32 bits. Of other widths the manifest does not tell: a register of five bits may be alone in
    /// its byte or a piece of a larger one.
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
        let is_input = signal.kind == Kind::Input && (signal.place as usize) < self.ports().len();
        let mut place = Place {
            offset: offset as usize,
            item_bytes,
            items,
            rows: signal.depth.max(1) as usize,
            stride: signal.stride as usize,
            width: signal.width,
            alone: is_input || signal.depth > 0,
        };
        place.alone |= place.last_mask() == u64::MAX;
        if signal.depth == 0 {
            place.stride = place.row_bytes();
        }
        let last = entry.parts.last()?;
        let reserved = last.offset + u64::from(last.size) - offset;
        (reserved >= place.row_bytes() as u64).then_some(place)
    }
}

impl Place {
    /// Bytes of one row.
    pub fn row_bytes(self) -> usize {
        self.item_bytes * self.items
    }

    /// The bits of the last number of a row that belong to the value; all when the value fills it.
    fn last_mask(self) -> u64 {
        let bits = self.width as usize - (self.items - 1) * 64;
        match bits == self.item_bytes * 8 {
            true => u64::MAX,
            false => low_mask(bits as u32),
        }
    }
}

impl Model {
    /// The address of linear memory and its length in bytes; both hold as long as the model lives, wherever it is
    /// moved. Reading a [`Place`] through it is sound while no call runs. After writing some, say so with
    /// [`written_directly`](Model::written_directly).
    ///
    /// # Errors
    /// When a model that was interpreted so far cannot be compiled; its memory would move later.
    pub fn memory_address(&mut self) -> Result<(*mut u8, usize), Error> {
        self.prepare_run()?;
        let memory = self.memory_mut();
        Ok((memory.as_mut_ptr(), memory.len()))
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

    /// The numbers of a place's first row, the lowest first, without bits that are not its own.
    ///
    /// # Panics
    /// When the place is not one of this model's artifact.
    pub fn numbers_at(&self, place: Place) -> impl Iterator<Item = u64> {
        let row = &self.memory()[place.offset..][..place.row_bytes()];
        let number = |bytes: &[u8]| {
            let mut number = [0; 8];
            number[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(number)
        };
        let items = row.chunks(place.item_bytes).enumerate();
        items.map(move |(i, bytes)| match i + 1 == place.items {
            true => number(bytes) & place.last_mask(),
            false => number(bytes),
        })
    }

    /// Says that these places may have been written through [`memory_address`](Model::memory_address): bits above
    /// their widths are cut, what sleeps in the model looks at them, and computed values are computed again. Costs
    /// a pass over places whose width does not fill their numbers.
    pub fn written_directly(&mut self, places: &[Place]) {
        self.fresh.fill(false);
        let memory = self.memory_mut();
        for place in places {
            if place.alone && place.last_mask() != u64::MAX {
                trim(memory, *place);
            }
        }
        let dirty = (CONTROL_BASE + control::DIRTY) as usize;
        write_u32(memory, dirty, 1);
    }
}

/// Clears the bits above the width in every row.
fn trim(memory: &mut [u8], place: Place) {
    let mask = place.last_mask().to_le_bytes();
    let last = place.offset + place.row_bytes() - place.item_bytes;
    for row in 0..place.rows {
        let number = &mut memory[last + row * place.stride..][..place.item_bytes];
        for (byte, bits) in number.iter_mut().zip(mask) {
            *byte &= bits;
        }
    }
}
