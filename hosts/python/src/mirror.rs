//! Copies that stand for signals without a place of their own: the value after each call, and what Python writes into
//! the copy goes to the signal before the next one.

use std::sync::atomic::{AtomicU64, Ordering};

use rtlwasm_host::{Error, Model, Place, Signal, Value};

/// The value of one signal as 64-bit limbs, at an address that holds as long as the mirror lives.
pub struct Mirror {
    signal: Signal,
    /// Where it can be read, if it lies in order.
    place: Option<Place>,
    writable: bool,
    limbs: Box<[AtomicU64]>,
    /// What the signal was when it was last looked at.
    seen: Box<[AtomicU64]>,
}

impl Mirror {
    pub fn new(model: &mut Model, signal: Signal, writable: bool) -> Result<Mirror, Error> {
        let place = model.artifact().place(signal)?;
        let limbs = || {
            (0..signal.width().div_ceil(64))
                .map(|_| AtomicU64::new(0))
                .collect()
        };
        let mirror = Mirror {
            signal,
            place,
            writable,
            limbs: limbs(),
            seen: limbs(),
        };
        mirror.show(model)?;
        Ok(mirror)
    }

    /// Where the limbs begin.
    pub fn address(&self) -> usize {
        self.limbs.as_ptr() as usize
    }

    /// Takes the signal's value.
    pub fn show(&self, model: &mut Model) -> Result<(), Error> {
        match self.place {
            Some(place) => {
                model.refresh_signal(self.signal)?;
                self.set(model.numbers_at(place));
            }
            None => self.set(model.peek_bits(self.signal)?.limbs().iter().copied()),
        }
        Ok(())
    }

    fn set(&self, value: impl Iterator<Item = u64>) {
        for ((limb, seen), now) in self.limbs.iter().zip(&self.seen).zip(value) {
            limb.store(now, Ordering::Relaxed);
            seen.store(now, Ordering::Relaxed);
        }
    }

    /// Gives the signal what was written, cut to its width.
    pub fn take_in(&self, model: &mut Model) -> Result<(), Error> {
        let limb = |limb: &AtomicU64| limb.load(Ordering::Relaxed);
        let same = self.limbs.iter().map(limb).eq(self.seen.iter().map(limb));
        if !self.writable || same {
            return Ok(());
        }
        let now: Vec<u64> = self.limbs.iter().map(limb).collect();
        model.poke_bits(self.signal, &Value::from_limbs(self.signal.width(), &now))?;
        self.show(model)
    }
}
