//! Calls that run: in pieces short enough for Ctrl-C, progress bars and event callbacks, without the interpreter lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use rtlwasm_host::{Error, Status};

use crate::errors::{exception, internal, refused};
use crate::model::{Model, State};

/// A piece takes about this long.
const PIECE: Duration = Duration::from_millis(30);
/// The first piece, in cycles or time units, before anything is known of the design's speed.
pub const FIRST_PIECE: u64 = 256;

/// What a run came to. True when all that was asked for was done.
#[pyclass(frozen, module = "rtlwasm")]
pub struct Run {
    status: Status,
    /// Clock cycles that ended in it.
    #[pyo3(get)]
    cycles: u64,
}

#[pymethods]
impl Run {
    #[new]
    fn make(py: Python<'_>, status: &str, cycles: u64) -> PyResult<Run> {
        let status = match status {
            "ok" => Status::Ok,
            "finish" => Status::Finish,
            "stop" => Status::Stop,
            _ => {
                let text = "a run ends with ok, finish or stop";
                return Err(exception(py, "OptionError", text));
            }
        };
        Ok(Run { status, cycles })
    }

    /// Why it ended: "ok", or "finish" and "stop" after `$finish` and `$stop`.
    #[getter]
    fn status(&self) -> &'static str {
        match self.status {
            Status::Ok => "ok",
            Status::Finish => "finish",
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

    fn __repr__(&self) -> String {
        format!("Run({:?}, cycles={})", self.status(), self.cycles)
    }
}

impl Run {
    pub fn new(status: Status, cycles: u64) -> Run {
        Run { status, cycles }
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

/// How much a piece does: the field of a [`State`] that learns it.
pub type Pace = fn(&mut State) -> &mut u64;

/// A progress bar, if one is wanted; closed when it is dropped.
struct Bar<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Bar<'py> {
    fn new(py: Python<'py>, wanted: Progress, total: u64) -> PyResult<Bar<'py>> {
        let Progress::Shown(unit) = wanted else {
            return Ok(Bar(None));
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

/// Whether a run shows how far it is.
#[derive(Clone, Copy)]
pub enum Progress {
    Hidden,
    /// In this unit.
    Shown(&'static str),
}

impl Progress {
    pub fn of(wanted: bool, unit: &'static str) -> Progress {
        if wanted {
            Progress::Shown(unit)
        } else {
            Progress::Hidden
        }
    }
}

impl Model {
    /// Does `total` of something in pieces, each a call of `piece` with the most that it may do.
    pub fn drive(
        &self,
        py: Python<'_>,
        total: u64,
        pace: Pace,
        progress: Progress,
        mut piece: impl FnMut(&mut rtlwasm_host::Model, u64) -> Result<Piece, Error> + Send,
    ) -> PyResult<(Status, u64)> {
        let bar = Bar::new(py, progress, total)?;
        let (mut left, mut cycles) = (total, 0);
        loop {
            let ended = self.one_piece(py, left, pace, &mut piece)?;
            cycles += ended.cycles;
            let done = ended.done.min(left);
            left -= done;
            self.deliver_events(py)?;
            bar.advance(done)?;
            let goes_on = matches!(ended.status, Status::Ok | Status::ConditionNotMet);
            if left == 0 || !goes_on || (ended.status == Status::Ok && ended.done == 0) {
                return Ok((ended.status, cycles));
            }
            py.check_signals()?;
        }
    }

    fn one_piece(
        &self,
        py: Python<'_>,
        left: u64,
        pace: Pace,
        piece: &mut (impl FnMut(&mut rtlwasm_host::Model, u64) -> Result<Piece, Error> + Send),
    ) -> PyResult<Piece> {
        let mut guard = self.lock(py)?;
        let state: &mut State = &mut guard;
        let most = *pace(state);
        let whole = left > most;
        self.views.before(&mut state.model);
        let ended = py.detach(|| {
            let start = whole.then(Instant::now);
            let model = &mut state.model;
            let ended = catch_unwind(AssertUnwindSafe(|| piece(model, left.min(most))));
            if start.is_some_and(|start| start.elapsed() < PIECE / 2) {
                *pace(state) = most.saturating_mul(2);
            }
            ended
        });
        let ended = ended.map_err(|panic| internal(py, panic))?;
        let ended = ended.map_err(|error| refused(py, &error))?;
        if ended.status == Status::AssertionFailed {
            guard.note_failure();
        }
        let shown = self.views.after(&mut guard.model);
        shown.map_err(|error| refused(py, &error))?;
        Ok(ended)
    }

    /// The answer to Python: a [`Run`], or the exception that its status stands for.
    pub fn answer(&self, py: Python<'_>, (status, cycles): (Status, u64)) -> PyResult<Run> {
        match status {
            Status::Ok | Status::Finish | Status::Stop | Status::ConditionNotMet => {
                Ok(Run::new(status, cycles))
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
