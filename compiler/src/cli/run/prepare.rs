//! Names and values of the arguments against the design: everything is looked up before anything runs.

use std::path::{Path, PathBuf};

use rtlwasm_host::{Artifact, Clock, Error, Model, ParseValueError, Probe, Signal, Value};

use super::super::Failure;
use super::super::number::{Assignment, Hold};
use super::Opts;

/// What the run is to do, in handles.
pub struct Plan {
    /// The clock to step; `None` when the design has none and no cycles are asked for.
    pub clock: Option<Clock>,
    pub cycles: Option<u64>,
    pub until: Option<(Probe, Value)>,
    pub resets: Vec<Reset>,
    pokes: Vec<(Probe, Value)>,
    loads: Vec<(Signal, PathBuf)>,
    pub peeks: Vec<(String, Probe)>,
}

/// An input that is held at first.
pub struct Reset {
    pub probe: Probe,
    pub value: Value,
    pub cycles: u64,
}

impl Plan {
    /// Looks everything up.
    pub fn new(opts: &Opts, artifact: &Artifact) -> Result<Plan, Failure> {
        let assign = |a: &Assignment| assignment(artifact, a);
        let peek = |name: &String| Ok((name.clone(), artifact.probe(name).map_err(usage)?));
        Ok(Plan {
            clock: clock(opts, artifact)?,
            cycles: opts.cycles,
            until: opts.until.as_ref().map(assign).transpose()?,
            resets: opts
                .reset
                .iter()
                .map(|hold| reset(artifact, hold))
                .collect::<Result<_, _>>()?,
            pokes: opts.poke.iter().map(assign).collect::<Result<_, _>>()?,
            loads: opts
                .load
                .iter()
                .map(|a| memory(artifact, a))
                .collect::<Result<_, _>>()?,
            peeks: opts.peek.iter().map(peek).collect::<Result<_, Failure>>()?,
        })
    }

    /// Fills memories and writes signals before the first cycle.
    pub fn prepare(&self, model: &mut Model) -> Result<(), Failure> {
        for (memory, path) in &self.loads {
            model.load_memory(*memory, path).map_err(|e| match e {
                Error::Image { .. } | Error::Io { .. } => Failure::Input(e.to_string()),
                other => usage(other),
            })?;
        }
        let held = self.resets.iter().map(|reset| (&reset.probe, &reset.value));
        for (probe, value) in self
            .pokes
            .iter()
            .map(|(probe, value)| (probe, value))
            .chain(held)
        {
            model.poke_probe(*probe, value).map_err(usage)?;
        }
        Ok(())
    }
}

fn clock(opts: &Opts, artifact: &Artifact) -> Result<Option<Clock>, Failure> {
    let found = match &opts.clock {
        Some(name) => artifact.clock(name),
        None => artifact.only_clock(),
    };
    let needed = opts.cycles.is_some_and(|n| n > 0) || !opts.reset.is_empty();
    match found {
        Ok(clock) if clock.is_derived() => Err(Failure::Usage(format!(
            "clock `{}` is computed by the design; run the clock that it comes from",
            opts.clock.as_deref().unwrap_or_default()
        ))),
        Ok(clock) => Ok(Some(clock)),
        Err(Error::WhichClock { clocks }) if clocks.is_empty() && !needed => Ok(None),
        Err(Error::WhichClock { clocks }) if clocks.is_empty() => Err(Failure::Usage(
            "the design has no clock input, so there are no cycles to run".to_string(),
        )),
        Err(Error::WhichClock { clocks }) => {
            let list = clocks.join("`, `");
            Err(Failure::Usage(format!(
                "the design has several clocks; choose one with --clock: `{list}`"
            )))
        }
        Err(error) => Err(usage(error)),
    }
}

fn reset(artifact: &Artifact, hold: &Hold) -> Result<Reset, Failure> {
    let given = Assignment {
        name: hold.name.clone(),
        value: hold.value.clone(),
    };
    let (probe, value) = assignment(artifact, &given)?;
    Ok(Reset {
        probe,
        value,
        cycles: hold.cycles,
    })
}

fn assignment(artifact: &Artifact, given: &Assignment) -> Result<(Probe, Value), Failure> {
    let probe = artifact.probe(&given.name).map_err(usage)?;
    let width = probe.signal().width();
    match Value::parse(&given.value, width) {
        Ok(value) => Ok((probe, value)),
        Err(ParseValueError::TooWide { text, needed, .. }) => {
            let name = &given.name;
            let bits = if width == 1 { "bit" } else { "bits" };
            let message = format!("`{name}` has {width} {bits}, and `{text}` needs {needed}");
            Err(Failure::Usage(message))
        }
        Err(error) => Err(Failure::Usage(format!("`{}`: {error}", given.name))),
    }
}

fn memory(artifact: &Artifact, given: &Assignment) -> Result<(Signal, PathBuf), Failure> {
    let signal = artifact.signal(&given.name).map_err(usage)?;
    if signal.depth() == 0 {
        return Err(Failure::Usage(format!("`{}` is not a memory", given.name)));
    }
    Ok((signal, Path::new(&given.value).to_path_buf()))
}

fn usage(error: Error) -> Failure {
    Failure::Usage(error.to_string())
}
