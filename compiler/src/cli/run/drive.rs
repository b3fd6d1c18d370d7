//! The run itself: resets, then cycles until one of the ends.
//!
//! Without a waveform, whole batches of cycles run inside one call, long enough to cost nothing and short enough for
//! Ctrl-C, time-outs and the progress bar. With one, each edge is a call of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rtlwasm_host::wave::Wave;
use rtlwasm_host::{Clock, Error, Model, Probe, Run, Status, Value};

use super::super::Failure;
use super::prepare::Plan;

/// A batch is made to take about this long.
const BATCH: Duration = Duration::from_millis(40);

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The cycles are over, or `--until` came true.
    Done,
    Finish,
    Stop,
    AssertionFailed,
    NotMet,
    NotSettled,
    Timeout,
    Interrupted,
}

impl End {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            End::Done => "done",
            End::Finish => "finish",
            End::Stop => "stop",
            End::AssertionFailed => "assertion-failed",
            End::NotMet => "until-not-met",
            End::NotSettled => "not-settled",
            End::Timeout => "timeout",
            End::Interrupted => "interrupted",
        }
    }
}

/// How a run went.
pub struct Outcome {
    pub end: End,
    /// Cycles that ended, those of resets included.
    pub cycles: u64,
    /// Time spent in the model's code alone.
    pub stepping: Duration,
}

/// A model under way.
pub struct Driver<'a> {
    model: &'a mut Model,
    wave: Option<Wave>,
    interrupted: Arc<AtomicBool>,
    deadline: Option<Instant>,
    bar: ProgressBar,
    cycles: u64,
    stepping: Duration,
    batch: u64,
}

/// Goes on, or ends for that reason.
type Step = Result<Option<End>, Failure>;

impl<'a> Driver<'a> {
    pub fn new(
        model: &'a mut Model,
        wave: Option<Wave>,
        interrupted: Arc<AtomicBool>,
        timeout: Option<Duration>,
        bar: ProgressBar,
    ) -> Driver<'a> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        Driver {
            model,
            wave,
            interrupted,
            deadline,
            bar,
            cycles: 0,
            stepping: Duration::ZERO,
            batch: 256,
        }
    }

    /// Runs to an end, and closes the waveform whatever that is.
    pub fn run(&mut self, plan: &Plan) -> Result<Outcome, Failure> {
        let end = self.run_plan(plan);
        let closed = self
            .wave
            .take()
            .map_or(Ok(()), |wave| wave.finish(self.model));
        let end = end?;
        closed.map_err(broken)?;
        Ok(Outcome {
            end,
            cycles: self.cycles,
            stepping: self.stepping,
        })
    }

    fn run_plan(&mut self, plan: &Plan) -> Result<End, Failure> {
        let mut end = ended_by(self.model.power_on_status());
        if end.is_none() {
            end = self.timed(|model| model.eval())?;
        }
        self.sample()?;
        if let Some(end) = end {
            return Ok(end);
        }
        let Some(clock) = plan.clock else {
            return self.without_clock(plan);
        };
        // Each reset is released when its own cycles are over.
        let mut releases: Vec<usize> = (0..plan.resets.len()).collect();
        releases.sort_by_key(|i| plan.resets[*i].cycles);
        for i in releases {
            let reset = &plan.resets[i];
            let limit = plan
                .cycles
                .map_or(reset.cycles, |cycles| reset.cycles.min(cycles));
            if let Some(end) = self.cycles_to(clock, limit, None)? {
                return Ok(end);
            }
            if reset.cycles <= limit {
                self.model
                    .poke_probe(reset.probe, &reset.value.inverted())
                    .map_err(broken)?;
            }
        }
        self.cycles_to(clock, plan.cycles.unwrap_or(u64::MAX), plan.until.as_ref())
            .map(|end| {
                end.unwrap_or(if plan.until.is_some() {
                    End::NotMet
                } else {
                    End::Done
                })
            })
    }

    /// A design without a clock only settles.
    fn without_clock(&mut self, plan: &Plan) -> Result<End, Failure> {
        match &plan.until {
            Some((probe, value)) if !self.holds(*probe, value)? => Ok(End::NotMet),
            _ => Ok(End::Done),
        }
    }

    /// Runs until `limit` cycles in all have ended, or the condition holds.
    fn cycles_to(&mut self, clock: Clock, limit: u64, until: Option<&(Probe, Value)>) -> Step {
        loop {
            if let Some((probe, value)) = until
                && self.holds(*probe, value)?
            {
                return Ok(Some(End::Done));
            }
            if self.cycles >= limit {
                return Ok(None);
            }
            if let Some(end) = self.asked_to_end() {
                return Ok(Some(end));
            }
            let left = limit - self.cycles;
            let end = match until {
                _ if self.wave.is_some() => self.traced_cycle(clock)?,
                Some((probe, value)) => self.batch_until(clock, left, *probe, value)?,
                None => self.batch_of_cycles(clock, left)?,
            };
            self.bar.set_position(self.cycles);
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    fn batch_of_cycles(&mut self, clock: Clock, left: u64) -> Step {
        let cycles = self.batch.min(left);
        let before = self.stepping;
        let end = self.timed(|model| model.step(clock, cycles))?;
        self.adapt_batch(self.stepping - before);
        Ok(end)
    }

    /// The module itself tests conditions on narrow signals; wide ones and memory rows are looked at every cycle.
    fn batch_until(&mut self, clock: Clock, left: u64, probe: Probe, value: &Value) -> Step {
        let (Some(narrow), None) = (value.to_u64(), probe.row()) else {
            return self.timed(|model| model.step(clock, 1));
        };
        if probe.signal().width() > 64 {
            return self.timed(|model| model.step(clock, 1));
        }
        let cycles = self.batch.min(left);
        let before = self.stepping;
        let end = self.timed(|model| model.run_until(clock, cycles, probe.signal(), narrow))?;
        self.adapt_batch(self.stepping - before);
        Ok(end)
    }

    fn adapt_batch(&mut self, took: Duration) {
        if took < BATCH / 2 {
            self.batch = self.batch.saturating_mul(2).min(1 << 40);
        } else if took > BATCH * 2 {
            self.batch = (self.batch / 2).max(1);
        }
    }

    /// One cycle with a sample after each edge, at the times that a step would have.
    fn traced_cycle(&mut self, clock: Clock) -> Step {
        let (high, low) = self.model.clock_period(clock).map_err(broken)?;
        let start = self.model.time();
        if let Some(end) = self.timed(|model| model.rise(clock))? {
            self.sample()?;
            return Ok(Some(end));
        }
        self.sample()?;
        self.model.set_time(start + high);
        let end = self.timed(|model| model.fall(clock))?;
        self.sample()?;
        self.model.set_time(start + high + low);
        self.cycles += 1;
        Ok(end)
    }

    fn sample(&mut self) -> Result<(), Failure> {
        self.wave
            .as_mut()
            .map_or(Ok(()), |wave| wave.sample(self.model))
            .map_err(broken)
    }

    fn holds(&mut self, probe: Probe, value: &Value) -> Result<bool, Failure> {
        Ok(self.model.peek_probe(probe).map_err(broken)? == *value)
    }

    fn asked_to_end(&self) -> Option<End> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(End::Interrupted);
        }
        self.deadline
            .filter(|deadline| Instant::now() >= *deadline)
            .map(|_| End::Timeout)
    }

    /// Calls the model, counts time and cycles, and tells whether the run ends here.
    fn timed(&mut self, call: impl FnOnce(&mut Model) -> Result<Run, Error>) -> Step {
        let start = Instant::now();
        let run = call(self.model);
        self.stepping += start.elapsed();
        let run = run.map_err(broken)?;
        self.cycles += run.cycles;
        Ok(ended_by(run.status))
    }
}

/// The end that a status means; a batch that ended before its condition came true goes on.
fn ended_by(status: Status) -> Option<End> {
    match status {
        Status::Ok | Status::ConditionNotMet => None,
        Status::Finish => Some(End::Finish),
        Status::AssertionFailed => Some(End::AssertionFailed),
        Status::NotSettled => Some(End::NotSettled),
        Status::Interrupted => Some(End::Interrupted),
        _ => Some(End::Stop),
    }
}

/// The names and values were checked before, so this is the artifact's fault.
fn broken(error: Error) -> Failure {
    Failure::Input(error.to_string())
}
