//! Calls that run: in pieces short enough for Ctrl-C, progress bars and event callbacks, without the interpreter lock.

use std::time::{Duration, Instant};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rtlwasm_host::{Error, Status};

use crate::errors::{answered, caught, exception};
use crate::model::Model;
use crate::state::{Recorded, State};

/// A piece takes about this long.
const PIECE: Duration = Duration::from_millis(30);
/// The first piece, in cycles or time units, before anything is known of the design's speed.
const FIRST_PIECE: u64 = 256;
/// The largest piece that a run begins with: what was learned may be of cycles that change nothing.
const LONG: u64 = 1 << 14;
/// What takes less than this is done with the interpreter lock in hand.
const QUICK: Duration = Duration::from_micros(5);
/// And at most so many cycles, should the design be slower later.
const MOST_QUICK: u64 = 16;

/// What a run came to. True when all that was asked for was done.
#[pyclass(frozen, module = "rtlwasm")]
pub struct Run {
    status: Status,
    /// Clock cycles that ended in it.
    #[pyo3(get)]
    cycles: u64,
    /// What it has stopped at, when the status is "break".
    #[pyo3(get)]
    stop: Option<Py<PyAny>>,
}

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (status, cycles, stop = None))]
    fn make(py: Python<'_>, status: &str, cycles: u64, stop: Option<Py<PyAny>>) -> PyResult<Run> {
        let status = match status {
            "ok" => Status::Ok,
            "finish" => Status::Finish,
            "stop" => Status::Stop,
            "break" | "watch" => Status::WatchHit,
            _ => {
                let text = "a run ends with ok, finish, stop, watch or break";
                return Err(exception(py, "OptionError", text));
            }
        };
        Ok(Run {
            status,
            cycles,
            stop,
        })
    }

    /// Why it ended: "ok"; "finish" and "stop" after `$finish` and `$stop`; "watch" when a watch has stopped it, "break" at
    /// a break, see `stop`.
    #[getter]
    fn status(&self) -> &'static str {
        match self.status {
            Status::Ok => "ok",
            Status::Finish => "finish",
            Status::WatchHit if self.stop.is_some() => "break",
            Status::WatchHit => "watch",
            _ => "stop",
        }
    }

    /// True after `$finish`.
    #[getter]
    fn finished(&self) -> bool {
        self.status == Status::Finish
    }

    fn __bool__(&self) -> bool {
        self.status == Status::Ok
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stop)
    }

    fn __repr__(&self) -> String {
        format!("Run({:?}, cycles={})", self.status(), self.cycles)
    }
}

impl Run {
    fn of(status: Status, cycles: u64) -> Run {
        Run {
            status,
            cycles,
            stop: None,
        }
    }
}

/// What one piece of a run did.
pub struct Piece {
    pub status: Status,
    pub cycles: u64,
    /// How much of what was asked for, in its own unit.
    pub done: u64,
}

impl From<rtlwasm_host::Run> for Piece {
    fn from(run: rtlwasm_host::Run) -> Piece {
        Piece {
            status: run.status,
            cycles: run.cycles,
            done: run.cycles,
        }
    }
}

/// What a run is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Cycles of a clock.
    Cycles,
    /// Units of time.
    Time,
    /// Not at all: it is one call.
    Call,
}

/// How fast a model is, learned from the pieces that were run.
pub struct Pace {
    /// Cycles of one piece.
    cycles: u64,
    /// Time units of one piece.
    time: u64,
    /// So many cycles are over before another thread could do much: the interpreter lock is kept for them, because
    /// giving it up takes longer. 0 until something was measured.
    quick: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            cycles: FIRST_PIECE,
            time: FIRST_PIECE,
            quick: 0,
        }
    }
}

impl Pace {
    fn piece(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Cycles => self.cycles,
            Unit::Time => self.time,
            Unit::Call => 0,
        }
    }

    /// Before a run that may be long.
    fn slow_down(&mut self) {
        self.cycles = self.cycles.min(LONG);
        self.time = self.time.min(LONG);
    }

    fn is_quick(&self, unit: Unit, amount: u64) -> bool {
        unit == Unit::Cycles && (1..=self.quick).contains(&amount)
    }

    fn learn(&mut self, unit: Unit, amount: u64, took: Duration) {
        let (whole, piece) = match unit {
            Unit::Cycles => (amount == self.cycles, &mut self.cycles),
            Unit::Time => (amount == self.time, &mut self.time),
            Unit::Call => return,
        };
        if whole && took < PIECE / 2 {
            *piece = piece.saturating_mul(2);
        } else if took > PIECE * 2 {
            *piece = (amount / 2).max(1);
        }
        if unit == Unit::Cycles {
            let each = took.as_nanos() as u64 / amount.max(1);
            self.quick = (QUICK.as_nanos() as u64 / each.max(1)).min(MOST_QUICK);
        }
    }
}

/// A progress bar, if one is wanted; closed when it is dropped.
struct Bar<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Bar<'py> {
    fn new(py: Python<'py>, wanted: bool, total: u64, unit: Unit) -> PyResult<Bar<'py>> {
        if !wanted {
            return Ok(Bar(None));
        }
        let unit = match unit {
            Unit::Cycles => "cycles",
            Unit::Time | Unit::Call => "units",
        };
        let module = py.import("rtlwasm._progress")?;
        Ok(Bar(Some(module.call_method1("bar", (total, unit))?)))
    }

    fn advance(&self, done: u64) -> PyResult<()> {
        if let Some(bar) = &self.0 {
            bar.call_method1("update", (done,))?;
        }
        Ok(())
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            // A bar that cannot be closed is no reason to lose the run's answer.
            let _ = bar.call_method0("close");
        }
    }
}

impl Model {
    /// Does `total` of something in pieces, each a call of `piece` with the most that it may do.
    pub fn drive(
        &self,
        py: Python<'_>,
        (total, unit): (u64, Unit),
        progress: bool,
        mut piece: impl FnMut(&mut Recorded, u64) -> Result<Piece, Error> + Send,
    ) -> PyResult<(Status, u64)> {
        let bar = Bar::new(py, progress, total, unit)?;
        let (mut left, mut cycles) = (total, 0);
        if total > LONG {
            self.lock(py)?.pace.slow_down();
        }
        if self.is_watching() {
            self.arm_breaks(py)?;
        }
        loop {
            let mut ended = self.one_piece(py, (left, unit), &mut piece)?;
            // What was watched has changed, but not to what is waited for.
            let passed =
                ended.status == Status::WatchHit && self.is_watching() && !self.breaks_hit(py)?;
            if passed {
                ended.status = Status::Ok;
            }
            cycles += ended.cycles;
            let done = ended.done.min(left);
            left -= done;
            self.deliver_events(py)?;
            bar.advance(done)?;
            let goes_on = matches!(ended.status, Status::Ok | Status::ConditionNotMet);
            if left == 0 || !goes_on || (ended.done == 0 && !passed) {
                return Ok((ended.status, cycles));
            }
            py.check_signals()?;
        }
    }

    fn one_piece(
        &self,
        py: Python<'_>,
        (left, unit): (u64, Unit),
        piece: &mut (impl FnMut(&mut Recorded, u64) -> Result<Piece, Error> + Send),
    ) -> PyResult<Piece> {
        let mut guard = self.lock(py)?;
        let state: &mut State = &mut guard;
        let amount = left.min(state.pace.piece(unit));
        let (recorded, pace, views) = (&mut state.recorded, &mut state.pace, &self.views);
        let mut work = || {
            caught(|| {
                views.before(&mut recorded.model);
                let ended = piece(recorded, amount)?;
                views.after(&mut recorded.model)?;
                Ok(ended)
            })
        };
        let ended = if pace.is_quick(unit, amount) {
            work()
        } else {
            py.detach(|| {
                let start = Instant::now();
                let ended = work();
                pace.learn(unit, amount, start.elapsed());
                ended
            })
        };
        if matches!(&ended, Ok(Ok(piece)) if piece.status == Status::AssertionFailed) {
            state.note_failure();
        }
        drop(guard);
        answered(py, ended)
    }

    /// The answer to Python: a [`Run`], or the exception that its status stands for.
    pub fn answer(&self, py: Python<'_>, (status, cycles): (Status, u64)) -> PyResult<Py<Run>> {
        static ONE_CYCLE: PyOnceLock<Py<Run>> = PyOnceLock::new();
        // Who steps single cycles makes no new object for each.
        if (status, cycles) == (Status::Ok, 1) {
            let run = ONE_CYCLE.get_or_try_init(py, || Py::new(py, Run::of(status, cycles)))?;
            return Ok(run.clone_ref(py));
        }
        match status {
            Status::Ok | Status::Finish | Status::Stop | Status::ConditionNotMet => {
                Py::new(py, Run::of(status, cycles))
            }
            Status::WatchHit => {
                let stop = self.stop(py)?;
                Py::new(
                    py,
                    Run {
                        stop,
                        ..Run::of(status, cycles)
                    },
                )
            }
            Status::AssertionFailed => Err(self.assertion_failed(py, cycles)?),
            Status::NotSettled => {
                let text = "the logic does not settle: a combinational loop or a latch goes on changing; values are \
                            those of the last pass";
                Err(exception(py, "NotSettledError", text))
            }
            other => Err(exception(py, "RtlwasmError", other.describe())),
        }
    }

    fn assertion_failed(&self, py: Python<'_>, cycles: u64) -> PyResult<PyErr> {
        let failed = self.lock(py)?.failed.take();
        let event = failed.and_then(|event| self.event(event));
        let text = match &event {
            Some(event) => event.summary(),
            None => "an assertion failed".to_string(),
        };
        let error = exception(py, "AssertionFailed", text);
        error.value(py).setattr("cycles", cycles)?;
        error.value(py).setattr("event", event)?;
        Ok(error)
    }
}
