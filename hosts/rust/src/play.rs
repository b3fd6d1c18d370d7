//! Scripts: lists of pokes, peeks, steps and expectations that run inside one call.

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{control, play};

use crate::clocks::Clock;
use crate::control::{read_u32, read_u64, write_u64};
use crate::error::Error;
use crate::model::Model;
use crate::signal::Signal;
use crate::stage::stage_offset;

const LEN: usize = play::LEN as usize;

/// A list of operations on a model, run by [`Model::play`]. Every method that adds one returns its number, with which
/// its answer is found afterwards.
#[derive(Clone, Debug, Default)]
pub struct Script {
    records: Vec<u8>,
}

/// How far a script came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a script may have stopped early: look at its status"]
pub struct Played {
    /// [`Status::Ok`] when all was done, [`Status::ConditionNotMet`] when an expectation differed.
    pub status: Status,
    /// The operation that ended it early.
    pub stopped_at: Option<usize>,
    /// How many cycles had ended in that operation, if it is a step.
    pub cycles: u64,
}

impl Script {
    /// An empty script.
    pub fn new() -> Script {
        Script::default()
    }

    /// Writes the bits in `mask` of one 64-bit word of a signal: word 0 of a signal of up to 64 bits; row times limbs
    /// plus limb of a memory, rows counted from 0.
    pub fn poke_word(&mut self, signal: Signal, word: u32, value: u64, mask: u64) -> usize {
        self.push(play::OP_POKE, signal.place, word, value, mask)
    }

    /// Writes a signal of up to 64 bits.
    pub fn poke(&mut self, signal: Signal, value: u64) -> usize {
        self.poke_word(signal, 0, value, u64::MAX)
    }

    /// Reads one word of a signal; [`value`](Script::value) tells it afterwards.
    pub fn peek(&mut self, signal: Signal, word: u32) -> usize {
        self.push(play::OP_PEEK, signal.place, word, 0, 0)
    }

    /// Takes in pokes and settles.
    pub fn eval(&mut self) -> usize {
        self.push(play::OP_EVAL, 0, 0, 0, 0)
    }

    /// Steps a clock.
    pub fn step(&mut self, clock: Clock, cycles: u64) -> usize {
        self.push(play::OP_STEP, clock.index, 0, cycles, 0)
    }

    /// Steps a clock until a signal has a value, as [`Model::run_until`]; that takes two operations, of which this is the
    /// number of the first. None: the module does not store the signal, and nothing is added.
    ///
    /// # Errors
    /// Those of [`Model::run_until`].
    pub fn run_until(
        &mut self,
        model: &Model,
        (clock, max): (Clock, u64),
        signal: Signal,
        value: u64,
    ) -> Result<Option<usize>, Error> {
        model.check_primary(clock)?;
        let Some((offset, mask, wanted)) = model.condition(signal, value)? else {
            return Ok(None);
        };
        let operation = self.push(play::OP_UNTIL, clock.index, offset, max, 0);
        self.push(play::OP_UNTIL, clock.index, offset, wanted, mask);
        Ok(Some(operation))
    }

    /// Simultaneous edges, as [`Model::edges`].
    pub fn edges(&mut self, rise: u64, fall: u64) -> usize {
        self.push(play::OP_EDGES, 0, 0, rise, fall)
    }

    /// Runs the free-running clocks until a time.
    pub fn advance(&mut self, until: u64) -> usize {
        self.push(play::OP_ADVANCE, 0, 0, until, 0)
    }

    /// Ends the script with [`Status::ConditionNotMet`] unless the bits in `mask` of one word of a signal are `value`.
    pub fn expect(&mut self, signal: Signal, word: u32, mask: u64, value: u64) -> usize {
        self.push(play::OP_EXPECT, signal.place, word, value, mask)
    }

    /// Gives an operation another operand: a poke another value, a step another number of cycles. So a script can be
    /// played many times.
    pub fn set_value(&mut self, operation: usize, value: u64) {
        write_u64(
            &mut self.records,
            operation * LEN + play::VALUE as usize,
            value,
        );
    }

    /// Keeps so many operations, the first ones.
    pub fn truncate(&mut self, operations: usize) {
        self.records.truncate(operations.saturating_mul(LEN));
    }

    /// Takes so many operations away, the first ones.
    pub fn remove_first(&mut self, operations: usize) {
        let bytes = operations.saturating_mul(LEN).min(self.records.len());
        self.records.drain(..bytes);
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.records.len() / LEN
    }

    /// True when there is no operation.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The value of an operation: of a peek, once it has run, what it read.
    pub fn value(&self, operation: usize) -> u64 {
        read_u64(&self.records, operation * LEN + play::VALUE as usize)
    }

    /// The answer of an operation that has run.
    pub fn status(&self, operation: usize) -> Status {
        let code = read_u32(&self.records, operation * LEN + play::STATUS as usize);
        Status::from_code(code).unwrap_or(Status::Stop)
    }

    /// How many cycles a [`run_until`](Script::run_until) that has run took.
    pub fn cycles_until(&self, operation: usize) -> u64 {
        read_u64(&self.records, operation * LEN + play::MASK as usize)
    }

    /// The cycles of a step that has been stopped; `done` are those of the last try. Of one that is complete the record
    /// counts none.
    fn cycles(&self, operation: usize, done: u64) -> u64 {
        let at = operation * LEN;
        let counted = read_u64(&self.records, at + play::MASK as usize);
        match read_u32(&self.records, at + play::OP as usize) {
            play::OP_STEP if counted == 0 && done > 0 => self.value(operation),
            play::OP_STEP | play::OP_UNTIL => counted,
            _ => 0,
        }
    }

    /// Whether the part from one byte to another ends with the first record of a wait.
    fn is_cut(&self, start: usize, end: usize) -> bool {
        let is_until =
            |at: &usize| read_u32(&self.records, *at + play::OP as usize) == play::OP_UNTIL;
        let backwards = (start..end).step_by(LEN).rev();
        backwards.take_while(is_until).count() % 2 == 1
    }

    fn push(&mut self, op: u32, id: u32, word: u32, value: u64, mask: u64) -> usize {
        for field in [op, id, word, 0] {
            self.records.extend(field.to_le_bytes());
        }
        self.records.extend(value.to_le_bytes());
        self.records.extend(mask.to_le_bytes());
        self.len() - 1
    }
}

impl Model {
    /// Runs a script from its beginning, in as few calls as the model's host memory allows.
    ///
    /// # Errors
    /// [`Error::NotInEngine`], and what its calls answer.
    pub fn play(&mut self, script: &mut Script) -> Result<Played, Error> {
        self.prepare_run()?;
        self.play_briefly(script)
    }

    /// The same for a script that does so little that it is not worth making machine code for it; see
    /// [`is_interpreted`](Model::is_interpreted).
    ///
    /// # Errors
    /// As [`play`](Model::play).
    pub fn play_briefly(&mut self, script: &mut Script) -> Result<Played, Error> {
        let instead = "make the calls one by one";
        self.machine.only_artifacts("scripts", instead)?;
        let host = self.artifact.inner.control;
        let capacity = stage_offset(host.host_len);
        if capacity == 0 && !script.is_empty() {
            return Err(Error::Refused {
                call: "rtl_play",
                status: Status::BadArgument,
            });
        }
        let mut start = 0;
        while start < script.records.len() {
            let mut end = script.records.len().min(start + capacity);
            // The two records of a wait stay together.
            if end < script.records.len() && script.is_cut(start, end) {
                end -= LEN;
            }
            let len = end - start;
            self.memory_mut()[host.host_base..][..len].copy_from_slice(&script.records[start..end]);
            let mut from = 0;
            let status = self.settle_run("rtl_play", |model| {
                let code = model
                    .machine
                    .play(((host.host_base + from) as u32, (len - from) as u32))?;
                // After "ring full" the script goes on at that record.
                if code != Status::Ok as u32 {
                    from = (from + model.control_u32(control::PLAY_POS) as usize * LEN).min(len);
                }
                Ok(code)
            });
            script.records[start..end].copy_from_slice(&self.memory()[host.host_base..][..len]);
            match status? {
                Status::Ok => start = end,
                status => {
                    let operation = (start + from) / LEN;
                    return Ok(Played {
                        status,
                        stopped_at: Some(operation),
                        cycles: script.cycles(operation, self.control_u64(control::DONE)),
                    });
                }
            }
        }
        Ok(Played {
            status: Status::Ok,
            stopped_at: None,
            cycles: 0,
        })
    }
}
