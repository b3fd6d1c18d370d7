//! What calls of a model change: the model itself, the waveform it is recorded in, the events that nobody has taken.

use std::collections::VecDeque;
use std::path::PathBuf;

use pyo3::prelude::*;
use rtlwasm_host::wave::{Memories, Wave};
use rtlwasm_host::{Clock, Error, KEPT_EVENTS, Run, Signal};

use crate::breaks::Breaks;
use crate::errors::{answered, caught, exception};
use crate::model::Model;
use crate::run::Pace;

/// What calls change.
pub struct State {
    pub recorded: Recorded,
    /// How fast it is.
    pub pace: Pace,
    /// The event that ended the last run with a failure.
    pub failed: Option<rtlwasm_host::Event>,
    pub events: VecDeque<rtlwasm_host::Event>,
    pub breaks: Breaks,
}

impl State {
    pub fn new(model: rtlwasm_host::Model) -> State {
        State {
            recorded: Recorded { model, wave: None },
            pace: Pace::default(),
            failed: None,
            events: VecDeque::new(),
            breaks: Breaks::default(),
        }
    }

    pub fn keep_events(&mut self) {
        self.events.extend(self.recorded.model.events());
        let more = self.events.len().saturating_sub(KEPT_EVENTS);
        self.events.drain(..more);
    }

    /// Remembers the newest event of an assertion or a `$fatal`.
    pub fn note_failure(&mut self) {
        self.keep_events();
        let sites = &self.recorded.model.artifact().manifest().events;
        let fails = |event: &&rtlwasm_host::Event| {
            sites
                .get(event.site as usize)
                .is_some_and(|site| site.action == "fail")
        };
        self.failed = self.events.iter().rev().find(fails).cloned();
    }
}

/// A model whose runs go into a waveform, if there is one.
pub struct Recorded {
    pub model: rtlwasm_host::Model,
    wave: Option<Wave>,
}

impl Recorded {
    /// The model alone, if it runs scripts and nothing of what it does is to be recorded.
    pub fn unrecorded(&mut self) -> Option<&mut rtlwasm_host::Model> {
        match self.wave.is_some() || self.model.engine_mut().is_some() {
            true => None,
            false => Some(&mut self.model),
        }
    }

    pub fn step(&mut self, clock: Clock, cycles: u64) -> Result<Run, Error> {
        match &mut self.wave {
            Some(wave) => wave.step(&mut self.model, clock, cycles),
            None => self.model.step(clock, cycles),
        }
    }

    pub fn run_until(
        &mut self,
        clock: Clock,
        max: u64,
        signal: Signal,
        value: u64,
    ) -> Result<Run, Error> {
        match &mut self.wave {
            Some(wave) => wave.run_until(&mut self.model, clock, max, signal, value),
            None => self.model.run_until(clock, max, signal, value),
        }
    }

    pub fn advance(&mut self, until: u64) -> Result<Run, Error> {
        match &mut self.wave {
            Some(wave) => wave.advance(&mut self.model, until),
            None => self.model.advance(until),
        }
    }

    /// A call without a time of its own.
    pub fn once(
        &mut self,
        call: impl FnOnce(&mut rtlwasm_host::Model) -> Result<Run, Error>,
    ) -> Result<Run, Error> {
        match &mut self.wave {
            Some(wave) => wave.sampled(&mut self.model, call),
            None => call(&mut self.model),
        }
    }

    /// Creates the file, with the values of now.
    fn begin(&mut self, path: PathBuf, memories: Memories) -> Result<(), Error> {
        let mut wave = Wave::create(&path, &mut self.model, memories)?;
        wave.sample(&mut self.model)?;
        self.wave = Some(wave);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        let wave = self.wave.take();
        wave.map_or(Ok(()), |wave| wave.finish(&self.model))
    }
}

/// Records what runs from now on in a VCD or FST file.
#[pyfunction]
pub fn begin_wave(model: &Bound<'_, Model>, path: PathBuf, memories: bool) -> PyResult<()> {
    let (py, model) = (model.py(), model.get());
    let mut state = model.lock(py)?;
    let recorded = &mut state.recorded;
    if recorded.wave.is_some() {
        let text = "the model is being recorded already: one waveform at a time";
        return Err(exception(py, "OptionError", text));
    }
    let memories = match memories {
        true => Memories::Include,
        false => Memories::Exclude,
    };
    let begun = caught(|| {
        model.views.before(&mut recorded.model);
        recorded.begin(path, memories)
    });
    drop(state);
    answered(py, begun)
}

/// Completes the file.
#[pyfunction]
pub fn end_wave(model: &Bound<'_, Model>) -> PyResult<()> {
    let mut state = model.get().lock(model.py())?;
    let ended = caught(|| state.recorded.end());
    drop(state);
    answered(model.py(), ended)
}
