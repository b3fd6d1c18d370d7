//! Where runs stop: signals that change or take a value, and lines of the source that a run goes through.
//!
//! Signals are watched inside the model, whatever runs it. Lines are known to the reference interpreter alone.

use std::any::Any;

use pyo3::prelude::*;
use rtlwasm::ir::interp::Place;
use rtlwasm::reference::{Line, NoLine, Reference};
use rtlwasm_host::{Error, Lockstep, Probe, Value, Watch, WatchId};

use crate::errors::{answered, caught, exception};
use crate::model::Model;
use crate::number::{from_python, to_python};
use crate::reference::Engine;
use crate::signal::Signal;

/// What a model stops at.
#[derive(Default)]
pub struct Breaks {
    next: u32,
    signals: Vec<SignalBreak>,
    lines: Vec<LineBreak>,
    hits: Vec<Hit>,
    /// Makes the `Stop` that a run answers of what was hit.
    handler: Option<Py<PyAny>>,
}

struct SignalBreak {
    id: u32,
    probe: Probe,
    wanted: Option<Value>,
    /// The value when it was last looked at.
    last: Value,
    watches: Vec<WatchId>,
}

struct LineBreak {
    id: u32,
    place: Place,
}

/// Why a run has stopped.
enum Hit {
    Signal {
        id: u32,
        before: Value,
        after: Value,
    },
    Line {
        id: u32,
        instance: String,
    },
}

/// The interpreter behind a model, if there is one.
fn interpreter(model: &mut rtlwasm_host::Model) -> Option<&mut Reference> {
    let engine: &mut dyn Any = model.engine_mut()?;
    if !engine.is::<Lockstep>() {
        return engine.downcast_mut();
    }
    let lockstep: &mut Lockstep = engine.downcast_mut()?;
    let reference: &mut dyn Any = lockstep.reference_mut();
    reference.downcast_mut()
}

impl Breaks {
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty() && self.lines.is_empty()
    }

    /// Before a run: what the host has written since is no change.
    pub fn arm(&mut self, model: &mut rtlwasm_host::Model) -> Result<(), Error> {
        for signal in &mut self.signals {
            signal.last = model.peek_probe(signal.probe)?;
        }
        Ok(())
    }

    /// After a run that a watch has stopped: whether anything that was asked for has happened.
    fn collect(&mut self, model: &mut rtlwasm_host::Model) -> Result<bool, Error> {
        self.hits.clear();
        for signal in &mut self.signals {
            let after = model.peek_probe(signal.probe)?;
            let before = std::mem::replace(&mut signal.last, after.clone());
            if before != after && signal.wanted.as_ref().is_none_or(|wanted| *wanted == after) {
                let id = signal.id;
                self.hits.push(Hit::Signal { id, before, after });
            }
        }
        for (number, instance) in interpreter(model).map_or(Vec::new(), |i| i.reached()) {
            let id = self.lines[number].id;
            self.hits.push(Hit::Line { id, instance });
        }
        // A run may have been stopped by a watch of the user's own.
        let own = |hit: &WatchId| self.signals.iter().any(|s| s.watches.contains(hit));
        let watched = model.watches_hit().any(|hit| !own(&hit));
        Ok(watched || !self.hits.is_empty())
    }

    fn take_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Tells the interpreter which lines there are.
    fn send_lines(&self, model: &mut rtlwasm_host::Model) {
        if let Some(interpreter) = interpreter(model) {
            let places = self.lines.iter().map(|line| line.place.clone());
            interpreter.stop_at(places.collect());
        }
    }
}

impl Model {
    /// Remembers values before a run, if anything is to stop it.
    pub fn arm_breaks(&self, py: Python<'_>) -> PyResult<()> {
        self.with_breaks(py, |breaks, model| breaks.arm(model))
    }

    /// Whether a run that was stopped by a watch is to end there.
    pub fn breaks_hit(&self, py: Python<'_>) -> PyResult<bool> {
        self.with_breaks(py, |breaks, model| breaks.collect(model))
    }

    /// What the last run has stopped at, as Python shows it.
    pub fn stop(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.lock(py)?;
        let hits = std::mem::take(&mut state.breaks.hits);
        let handler = state.breaks.handler.as_ref().map(|h| h.clone_ref(py));
        drop(state);
        let Some(handler) = handler.filter(|_| !hits.is_empty()) else {
            return Ok(None);
        };
        let hits = hits.iter().map(|hit| match hit {
            Hit::Signal { id, before, after } => {
                let row = (*id, to_python(py, before)?, to_python(py, after)?);
                Ok(row.into_pyobject(py)?.into_any())
            }
            Hit::Line { id, instance } => Ok((*id, instance).into_pyobject(py)?.into_any()),
        });
        let hits = hits.collect::<PyResult<Vec<_>>>()?;
        Ok(Some(handler.call1(py, (hits,))?))
    }

    fn with_breaks<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Breaks, &mut rtlwasm_host::Model) -> Result<T, Error>,
    ) -> PyResult<T> {
        let mut guard = self.lock(py)?;
        let state = &mut *guard;
        let (breaks, model) = (&mut state.breaks, &mut state.recorded.model);
        let answer = caught(|| {
            self.views.before(model);
            work(breaks, model)
        });
        let any = !state.breaks.is_empty();
        drop(guard);
        self.set_watching(any);
        answered(py, answer)
    }
}

/// Stops runs when a signal changes, or changes to a value; answers a number. `handler` makes a `Stop` of what was hit.
#[pyfunction]
pub fn break_on(
    model: &Bound<'_, Model>,
    signal: &Bound<'_, PyAny>,
    value: Option<&Bound<'_, PyAny>>,
    handler: Py<PyAny>,
) -> PyResult<u32> {
    let (py, model) = (model.py(), model.get());
    let probe = model.probe(signal)?;
    let (signal, name) = (probe.signal(), model.host.path(probe.signal()));
    let wanted = value
        .map(|value| from_python(value, signal.width(), &name))
        .transpose()?;
    let limbs = signal.width().div_ceil(64).max(1);
    let row = probe
        .row()
        .map_or(0, |row| (row - signal.first_row()) as u32);
    let added = model.with_breaks(py, |breaks, host| {
        let mut watches = Vec::new();
        for limb in 0..limbs {
            let watch = Watch::changed(signal).word(row * limbs + limb);
            match host.watch(watch.after_instant().again()) {
                Ok(watch) => watches.push(watch),
                Err(error) => {
                    watches.into_iter().try_for_each(|w| host.unwatch(w))?;
                    return match error {
                        Error::NotWatchable { .. } => Ok(None),
                        other => Err(other),
                    };
                }
            }
        }
        let id = breaks.take_id();
        breaks.handler = Some(handler);
        breaks.signals.push(SignalBreak {
            id,
            probe,
            wanted,
            last: host.peek_probe(probe)?,
            watches,
        });
        Ok(Some(id))
    })?;
    added.ok_or_else(|| {
        let text = format!(
            "engine=\"wasm\" stops at what it stores, and `{name}` is a constant or computed when it is asked for: use \
             engine=\"interp\" or \"both\", or make it an output"
        );
        exception(py, "OptionError", text)
    })
}

/// Stops runs that go through a line; answers a number, and where what was written there begins.
#[pyfunction]
pub fn break_at(
    model: &Bound<'_, Model>,
    file: &str,
    line: u32,
    handler: Py<PyAny>,
) -> PyResult<(u32, String, u32, u32)> {
    let (py, model) = (model.py(), model.get());
    let found = model.with_breaks(py, |breaks, host| {
        let Some(interpreter) = interpreter(host) else {
            return Ok(None);
        };
        let found = interpreter.design().line(file, line);
        Ok(Some(found.map(|Line { place, span }| {
            let id = breaks.take_id();
            breaks.handler = Some(handler);
            breaks.lines.push(LineBreak { id, place });
            breaks.send_lines(host);
            (id, span.file, span.start.line, span.start.column)
        })))
    })?;
    let text = match found {
        Some(Ok(found)) => return Ok(found),
        Some(Err(NoLine::File { files })) => {
            let files: Vec<&str> = files.iter().take(20).map(String::as_str).collect();
            format!(
                "no file of the design is `{file}`: it has {}",
                files.join(", ")
            )
        }
        Some(Err(NoLine::Line { mut lines })) => {
            lines.sort_by_key(|other| other.abs_diff(line));
            lines.truncate(8);
            lines.sort_unstable();
            let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
            format!(
                "nothing of line {line} of `{file}` can be stopped at; near it are {}",
                lines.join(", ")
            )
        }
        None => format!(
            "lines of the source are known to engine=\"interp\" and \"both\", and this is \"{}\"",
            Engine::Wasm.name()
        ),
    };
    Err(exception(py, "OptionError", text))
}

/// What a signal was before the clock edge at which a run went through a line; None when that is not known.
#[pyfunction]
pub fn value_before<'py>(
    model: &Bound<'py, Model>,
    signal: &Bound<'py, Signal>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (py, signal) = (model.py(), signal.get().signal);
    let before = model.get().with_breaks(py, |_, host| {
        Ok(interpreter(host).and_then(|interpreter| interpreter.before(signal.id())))
    })?;
    let value = before.map(|bits| Value::from_limbs(bits.width(), bits.limbs()));
    value.map(|value| to_python(py, &value)).transpose()
}

/// Takes a break away; False when it is gone already.
#[pyfunction]
pub fn unbreak(model: &Bound<'_, Model>, id: u32) -> PyResult<bool> {
    model.get().with_breaks(model.py(), |breaks, host| {
        if let Some(at) = breaks.lines.iter().position(|line| line.id == id) {
            breaks.lines.remove(at);
            breaks.send_lines(host);
            return Ok(true);
        }
        let Some(at) = breaks.signals.iter().position(|signal| signal.id == id) else {
            return Ok(false);
        };
        let gone = breaks.signals.remove(at);
        gone.watches
            .into_iter()
            .try_for_each(|watch| host.unwatch(watch))?;
        Ok(true)
    })
}
