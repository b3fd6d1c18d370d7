//! The whole state of a model as bytes: save, restore, and keep for later.

use crate::control::read_u64;
use crate::error::Error;
use crate::model::Model;

/// All that decides the future of a model: registers, memories, inputs, time, clocks, random state.
///
/// It fits every artifact with the same layout hash, on every host and platform.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    bytes: Vec<u8>,
}

impl Snapshot {
    /// The bytes of the state region, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A snapshot that was stored; whether it fits is seen by [`Model::restore`].
    pub fn from_bytes(bytes: Vec<u8>) -> Snapshot {
        Snapshot { bytes }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} bytes)", self.bytes.len())
    }
}

impl Model {
    /// Copies the state. Costs one memory copy.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            bytes: self.memory()[self.state_range()].to_vec(),
        }
    }

    /// Goes back (or forth) to a state. Costs one memory copy; nothing needs to be settled afterwards. Events that
    /// were already drained stay.
    ///
    /// # Errors
    /// [`Error::ForeignSnapshot`] when it is of another design or build.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let range = self.state_range();
        if snapshot.bytes.len() != range.len() || read_u64(&snapshot.bytes, 0) != self.layout_hash()
        {
            return Err(Error::ForeignSnapshot);
        }
        self.memory_mut()[range].copy_from_slice(&snapshot.bytes);
        // It may have been taken when the module had not noticed a write yet.
        self.mark_written();
        Ok(())
    }

    fn state_range(&self) -> std::ops::Range<usize> {
        let control = &self.artifact.inner.control;
        control.state_base..control.state_base + control.state_len
    }
}
