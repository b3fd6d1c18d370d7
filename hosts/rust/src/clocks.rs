//! Clocks: handles to step them, and the settings of free-running ones in the trigger table.

use rtlwasm_abi::layout::trigger;
use rtlwasm_abi::manifest;

use crate::artifact::Artifact;
use crate::control::{read_u64, write_u64};
use crate::error::Error;
use crate::model::{Model, Run};

/// A clock of one artifact. Cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// Index into the manifest's clocks.
    pub(crate) index: u32,
    row: u32,
    artifact: u64,
    derived: bool,
}

impl Clock {
    /// Its row in the trigger table: the bit that stands for it in [`Model::edges`].
    pub fn trigger(&self) -> u32 {
        self.row
    }

    /// True when the design computes it; such a clock cannot be stepped.
    pub fn is_derived(&self) -> bool {
        self.derived
    }
}

impl Artifact {
    /// The clock of that name.
    ///
    /// # Errors
    /// [`Error::UnknownClock`], which lists the clocks.
    pub fn clock(&self, name: &str) -> Result<Clock, Error> {
        let index = self
            .manifest()
            .clocks
            .iter()
            .position(|clock| clock.name == name);
        let index = index.ok_or_else(|| Error::UnknownClock {
            name: name.to_string(),
            clocks: self.clock_names(),
        })?;
        Ok(self.clock_handle(index))
    }

    /// The clock input of a design that has exactly one.
    ///
    /// # Errors
    /// [`Error::WhichClock`], which lists the clocks.
    pub fn only_clock(&self) -> Result<Clock, Error> {
        let mut primary = self
            .manifest()
            .clocks
            .iter()
            .enumerate()
            .filter(|(_, clock)| !clock.derived);
        match (primary.next(), primary.next()) {
            (Some((index, _)), None) => Ok(self.clock_handle(index)),
            _ => Err(Error::WhichClock {
                clocks: self.clock_names(),
            }),
        }
    }

    fn clock_handle(&self, index: usize) -> Clock {
        let clock = &self.manifest().clocks[index];
        let artifact = self.inner.tag;
        Clock {
            index: index as u32,
            row: clock.trigger,
            artifact,
            derived: clock.derived,
        }
    }

    /// Names of the clocks that can be stepped.
    fn clock_names(&self) -> Vec<String> {
        self.manifest()
            .clocks
            .iter()
            .filter(|clock| !clock.derived)
            .map(|clock| clock.name.clone())
            .collect()
    }
}

impl Model {
    /// Every clock's entry in the manifest: primary ones first, then those that the design computes.
    pub fn clocks(&self) -> &[manifest::Clock] {
        &self.artifact.manifest().clocks
    }

    /// Every set's and reset's entry in the manifest.
    pub fn resets(&self) -> &[manifest::Reset] {
        &self.artifact.manifest().resets
    }

    /// The clock of that name; see [`Artifact::clock`].
    pub fn clock(&self, name: &str) -> Result<Clock, Error> {
        self.artifact.clock(name)
    }

    /// The clock input of a design that has exactly one; see [`Artifact::only_clock`].
    pub fn only_clock(&self) -> Result<Clock, Error> {
        self.artifact.only_clock()
    }

    /// The rising edge of a clock alone. Time stands still; an edge of a clock that is high is none.
    pub fn rise(&mut self, clock: Clock) -> Result<Run, Error> {
        self.flip(clock, 1)
    }

    /// The falling edge of a clock alone. Time stands still; an edge of a clock that is low is none.
    pub fn fall(&mut self, clock: Clock) -> Result<Run, Error> {
        self.flip(clock, 0)
    }

    fn flip(&mut self, clock: Clock, level: u8) -> Result<Run, Error> {
        self.check_primary(clock)?;
        match (clock.row, level) {
            (row @ 0..64, 0) => self.edges(0, 1 << row),
            (row @ 0..64, _) => self.edges(1 << row, 0),
            // Beyond the bits of a call, the level itself is poked.
            _ => {
                let at = self.row(clock)? + trigger::LEVEL as usize;
                self.memory_mut()[at] = level;
                self.eval()
            }
        }
    }

    /// Rises of a clock since reset.
    pub fn clock_cycles(&self, clock: Clock) -> Result<u64, Error> {
        Ok(read_u64(
            self.memory(),
            self.row(clock)? + trigger::CYCLES as usize,
        ))
    }

    /// Present level of a clock.
    pub fn clock_level(&self, clock: Clock) -> Result<u8, Error> {
        Ok(self.memory()[self.row(clock)? + trigger::LEVEL as usize])
    }

    /// How long a clock stays high, and then low, in time units.
    pub fn clock_period(&self, clock: Clock) -> Result<(u64, u64), Error> {
        let row = self.row(clock)?;
        let field = |offset: u32| read_u64(self.memory(), row + offset as usize);
        Ok((field(trigger::HIGH), field(trigger::LOW)))
    }

    /// Sets how long a clock stays high, and then low, in time units.
    pub fn set_clock_period(&mut self, clock: Clock, high: u64, low: u64) -> Result<(), Error> {
        self.set_row_u64(clock, trigger::HIGH, high)?;
        self.set_row_u64(clock, trigger::LOW, low)
    }

    /// Sets the time of a running clock's first flip after reset, in time units.
    pub fn set_clock_phase(&mut self, clock: Clock, phase: u64) -> Result<(), Error> {
        self.set_row_u64(clock, trigger::PHASE, phase)
    }

    /// Lets [`advance`](Model::advance) flip a clock, next at the given time, in time units.
    pub fn start_clock(&mut self, clock: Clock, next: u64) -> Result<(), Error> {
        self.check_primary(clock)?;
        self.set_row_u64(clock, trigger::NEXT, next)?;
        self.set_running(clock, 1)
    }

    /// Makes [`advance`](Model::advance) leave a clock alone.
    pub fn stop_clock(&mut self, clock: Clock) -> Result<(), Error> {
        self.set_running(clock, 0)
    }

    /// When the next of the running clocks is due.
    pub(crate) fn next_flip(&self) -> Option<u64> {
        let memory = self.memory();
        let running = |row: &usize| memory[*row + trigger::RUN as usize] != 0;
        let rows = self.trigger_rows().filter(running);
        rows.map(|row| read_u64(memory, row + trigger::NEXT as usize))
            .min()
    }

    /// Time passes as in a step: every clock's next edge stays as far away as it was.
    pub(crate) fn pass(&mut self, time: u64) {
        self.set_time(self.time().wrapping_add(time));
        for row in self.trigger_rows() {
            let at = row + trigger::NEXT as usize;
            let next = read_u64(self.memory(), at).wrapping_add(time);
            write_u64(self.memory_mut(), at, next);
        }
    }

    fn trigger_rows(&self) -> impl Iterator<Item = usize> + use<> {
        let control = &self.artifact.inner.control;
        let (base, rows) = (control.trigger_base, control.trigger_count as usize);
        (0..rows).map(move |row| base + row * trigger::LEN as usize)
    }

    pub(crate) fn check_primary(&self, clock: Clock) -> Result<(), Error> {
        self.row(clock)?;
        if clock.derived {
            return Err(Error::DerivedClock {
                name: self.clocks()[clock.index as usize].name.clone(),
            });
        }
        Ok(())
    }

    fn set_running(&mut self, clock: Clock, run: u8) -> Result<(), Error> {
        let at = self.row(clock)? + trigger::RUN as usize;
        self.memory_mut()[at] = run;
        Ok(())
    }

    fn set_row_u64(&mut self, clock: Clock, field: u32, value: u64) -> Result<(), Error> {
        let at = self.row(clock)? + field as usize;
        write_u64(self.memory_mut(), at, value);
        Ok(())
    }

    /// Where a clock's row of the trigger table begins.
    pub(crate) fn row(&self, clock: Clock) -> Result<usize, Error> {
        if clock.artifact != self.artifact.inner.tag {
            return Err(Error::ForeignHandle);
        }
        Ok(self.artifact.inner.control.trigger_base + clock.row as usize * trigger::LEN as usize)
    }
}
