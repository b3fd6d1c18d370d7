//! A die whose hardware was compiled by the build script and is part of the program.

use rtlwasm_host::{Clock, Error, LoadError, Model, Signal};

/// The artifact, inside the program.
const DICE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dice.wasm"));

/// A running die.
pub struct Dice {
    model: Model,
    clock: Clock,
    eyes: Signal,
}

impl Dice {
    /// Makes one, always with the same sequence of throws.
    pub fn new() -> Result<Dice, LoadError> {
        let model = Model::from_bytes(DICE)?;
        let clock = model.only_clock().map_err(Box::new)?;
        let eyes = model.signal("eyes").map_err(Box::new)?;
        Ok(Dice { model, clock, eyes })
    }

    /// Throws it: one clock cycle.
    pub fn throw(&mut self) -> Result<u64, Error> {
        let _ = self.model.step(self.clock, 1)?;
        self.model.peek(self.eyes)
    }
}
