//! What can stand behind a model instead of WebAssembly: anything that answers the calls of the ABI over a memory that
//! looks like an artifact's. Everything else of this crate then works with it as it is.

use std::any::Any;

use rtlwasm_abi::Status;

use crate::error::Error;
use crate::value::Value;

/// Another implementation of a design.
///
/// Its memory begins with a control block, holds what its manifest says, never moves and never grows. Methods take what
/// the exports `rtl_reset` and so on take, and answer a status. It needs no rings: events are told.
/// An instant is never left half done: there are no staged writes, no stops before an edge, no values from before one;
/// and neither scripts nor a change trace. A model refuses those with [`Error::NotInEngine`].
pub trait Engine: Any + Send {
    /// What users call it, for messages.
    fn name(&self) -> &'static str;
    /// The memory.
    fn memory(&self) -> &[u8];
    /// The memory, for what a host writes there.
    fn memory_mut(&mut self) -> &mut [u8];
    /// Power-on, with the seed in the state header.
    fn reset(&mut self) -> Result<Status, Error>;
    /// Takes in what the host has written, and settles.
    fn eval(&mut self) -> Result<Status, Error>;
    /// Cycles of a clock, by its index in the manifest.
    fn step(&mut self, clock: u32, cycles: u64) -> Result<Status, Error>;
    /// Simultaneous edges, one bit for each row of the trigger table.
    fn edges(&mut self, rise: u64, fall: u64) -> Result<Status, Error>;
    /// Runs the started clocks.
    fn advance(&mut self, until: u64) -> Result<Status, Error>;
    /// Cycles until a condition holds.
    fn run_until(&mut self, clock: u32, max: u64, until: Until) -> Result<Status, Error>;
    /// The events since this was last asked, oldest first.
    fn told(&mut self) -> Vec<Told>;
}

/// The condition `(load64(offset) & mask) == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Where eight bytes are loaded.
    pub offset: u32,
    /// Which bits count.
    pub mask: u64,
    /// What they must be.
    pub value: u64,
}

impl Until {
    /// True when it holds in that memory.
    pub fn holds(self, memory: &[u8]) -> bool {
        crate::control::read_u64(memory, self.offset as usize) & self.mask == self.value
    }
}

/// An event as an engine tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Index into the manifest's `events`.
    pub site: u32,
    /// When, in time units.
    pub time: u64,
    /// Values of the arguments.
    pub args: Vec<Value>,
}
