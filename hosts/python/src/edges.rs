//! Runs that stop at changes, for testbenches that look at signals in the middle of them: settling that stops before the
//! edges of computed clocks, and cycles that stop where something changes.

use pyo3::prelude::*;
use rtlwasm_host::{Clock, Error, Model as HostModel, Run as HostRun, Status, Watch};

use crate::model::Model;
use crate::run::Run;
use crate::signal::Signal;

/// Takes in what was poked and settles, as `eval`. Where one of these signals changes and edges of computed clocks or
/// resets are to come, it stops before those. True when it did: the next run of any kind makes them.
#[pyfunction]
pub fn eval_to_change<'py>(
    model: &Bound<'py, Model>,
    signals: Vec<Bound<'py, Signal>>,
) -> PyResult<(Py<Run>, bool)> {
    let (run, _, pending) = watched(model, &signals, |model| Ok((model.eval()?, 0)))?;
    Ok((run, pending))
}

/// Runs cycles of a clock until one of these signals has changed, within the cycle. Answers the run, whether the clock
/// is high, and whether edges are pending.
#[pyfunction]
pub fn step_to_change<'py>(
    model: &Bound<'py, Model>,
    clock: &Bound<'py, PyAny>,
    cycles: u64,
    signals: Vec<Bound<'py, Signal>>,
) -> PyResult<(Py<Run>, bool, bool)> {
    let clock: Clock = model.get().chosen_clock(model.py(), Some(clock))?;
    let (run, level, pending) = watched(model, &signals, |model| {
        let run = model.step(clock, cycles)?;
        Ok((run, model.clock_level(clock)?))
    })?;
    Ok((run, level == 1, pending))
}

/// Sets the present time, also back: a run that was stopped in the middle of a cycle has let the rest of it pass.
#[pyfunction]
pub fn put_time(model: &Bound<'_, Model>, time: u64) -> PyResult<()> {
    model.get().look(model.py(), |model| {
        model.set_time(time);
        Ok(())
    })
}

/// A call with watches on signals: its run, what else it has told, and whether edges are pending.
fn watched(
    model: &Bound<'_, Model>,
    signals: &[Bound<'_, Signal>],
    mut call: impl FnMut(&mut HostModel) -> Result<(HostRun, u8), Error> + Send,
) -> PyResult<(Py<Run>, u8, bool)> {
    let signals: Vec<_> = signals.iter().map(|signal| signal.get().signal).collect();
    let (mut told, mut pending) = (0, false);
    let run = model.get().once(model.py(), |model| {
        let mut watches = Vec::new();
        let added = signals.iter().try_for_each(|signal| {
            watches.push(model.watch(Watch::changed(*signal))?);
            Ok(())
        });
        let run = added.and_then(|()| call(model));
        for watch in watches {
            model.unwatch(watch)?;
        }
        let (run, more) = run?;
        (told, pending) = (more, model.edge_pending());
        let status = match run.status {
            Status::WatchHit => Status::Ok,
            status => status,
        };
        Ok(HostRun { status, ..run })
    })?;
    Ok((run, told, pending))
}
