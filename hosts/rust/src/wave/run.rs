//! Runs with a sample after each edge. The model comes to the same state as without.

use rtlwasm_abi::Status;

use super::Wave;
use crate::clocks::Clock;
use crate::error::Error;
use crate::model::{Model, Run};
use crate::signal::Signal;

impl Wave {
    /// [`Model::step`], recorded.
    pub fn step(&mut self, model: &mut Model, clock: Clock, cycles: u64) -> Result<Run, Error> {
        let mut run = model.step(clock, 0)?;
        if run.status != Status::Ok || cycles == 0 {
            self.sample(model)?;
        }
        while run.status == Status::Ok && run.cycles < cycles {
            let cycle = self.cycle(model, clock)?;
            run.status = cycle.status;
            run.cycles += cycle.cycles;
        }
        Ok(run)
    }

    /// [`Model::run_until`], recorded.
    pub fn run_until(
        &mut self,
        model: &mut Model,
        clock: Clock,
        max: u64,
        signal: Signal,
        value: u64,
    ) -> Result<Run, Error> {
        let mut run = self.step(model, clock, 0)?;
        while run.status == Status::Ok && model.peek(signal)? != value {
            if run.cycles == max {
                run.status = Status::ConditionNotMet;
                break;
            }
            let cycle = self.cycle(model, clock)?;
            run.status = cycle.status;
            run.cycles += cycle.cycles;
        }
        Ok(run)
    }

    /// [`Model::advance`], recorded.
    pub fn advance(&mut self, model: &mut Model, until: u64) -> Result<Run, Error> {
        let mut cycles = 0;
        loop {
            let flip = model.next_flip().filter(|flip| *flip < until);
            let time = flip.map_or(until, |flip| flip.max(model.time()));
            let run = self.sampled(model, |model| model.advance(time))?;
            cycles += run.cycles;
            if flip.is_none() || run.status != Status::Ok {
                return Ok(Run { cycles, ..run });
            }
        }
    }

    /// One call, and a sample of what came of it.
    pub fn sampled(
        &mut self,
        model: &mut Model,
        call: impl FnOnce(&mut Model) -> Result<Run, Error>,
    ) -> Result<Run, Error> {
        let run = call(model)?;
        self.sample(model)?;
        Ok(run)
    }

    /// A cycle as `rtl_step` makes it, which begins with its fall when the clock is high.
    fn cycle(&mut self, model: &mut Model, clock: Clock) -> Result<Run, Error> {
        let (high, low) = model.clock_period(clock)?;
        if model.clock_level(clock)? == 0 {
            let run = self.sampled(model, |model| model.rise(clock))?;
            model.pass(high);
            if run.status != Status::Ok {
                return Ok(run);
            }
        }
        let run = self.sampled(model, |model| model.fall(clock))?;
        model.pass(low);
        Ok(Run { cycles: 1, ..run })
    }
}
