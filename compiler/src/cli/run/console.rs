//! What a person sees of a run: the design's own text as it comes, a progress bar, and how it ended.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rtlwasm_host::{Artifact, Event, EventKind, Model};

use super::super::number::grouped;
use super::drive::{End, Outcome};

/// The terminal, or whatever stands for it.
pub struct Console {
    bar: ProgressBar,
    reader_gone: Arc<AtomicBool>,
}

/// Where the design's text goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

impl Console {
    /// Prints the model's events from now on, those of its `initial` blocks first.
    pub fn attach(model: &mut Model, json: bool) -> Console {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let reader_gone = Arc::new(AtomicBool::new(false));
        let stream = if json { Stream::Err } else { Stream::Out };
        let artifact = model.artifact().clone();
        let (shown, gone) = (bar.clone(), reader_gone.clone());
        let print = move |event: &Event| {
            let text = message(&artifact, event);
            if !text.is_empty() && shown.suspend(|| write(stream, &text)).is_err() {
                gone.store(true, Ordering::Relaxed);
            }
        };
        model.events().collect::<Vec<_>>().iter().for_each(&print);
        model.on_event(print);
        Console { bar, reader_gone }
    }

    /// Shows the bar, on a terminal only: with a known end, or as a counter.
    pub fn progress(&self, cycles: Option<u64>) -> ProgressBar {
        if io::stderr().is_terminal() {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let template = match cycles {
                Some(_) => {
                    "{elapsed_precise} {bar:40} {human_pos}/{human_len} cycles, {per_sec}, {eta} left"
                }
                None => "{elapsed_precise} {spinner} {human_pos} cycles, {per_sec}",
            };
            self.bar
                .set_style(ProgressStyle::with_template(template).expect("a valid template"));
            if let Some(cycles) = cycles {
                self.bar.set_length(cycles);
            }
        }
        self.bar.clone()
    }

    /// Says how the run ended and how fast it was.
    pub fn close(&self, outcome: &Outcome, model: &Model) {
        self.bar.finish_and_clear();
        let mut line = format!(
            "{} cycles in {}",
            grouped(outcome.cycles),
            shown_time(outcome.stepping)
        );
        if outcome.cycles > 0 && outcome.stepping > Duration::ZERO {
            line += &format!(
                " ({})",
                frequency(outcome.cycles as f64 / outcome.stepping.as_secs_f64())
            );
        }
        let _ = writeln!(io::stderr(), "{line}{}", reason(outcome.end, model));
    }

    /// Standard output was closed by whoever read it.
    pub fn reader_is_gone(&self) -> bool {
        self.reader_gone.load(Ordering::Relaxed)
    }
}

fn write(stream: Stream, text: &str) -> io::Result<()> {
    match stream {
        Stream::Out => {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        }
        Stream::Err => io::stderr().write_all(text.as_bytes()),
    }
}

/// An event as text: what the design printed is shown as it is, the rest with its kind and place.
fn message(artifact: &Artifact, event: &Event) -> String {
    let site = &artifact.manifest().events[event.site as usize];
    let kind = match event.kind {
        EventKind::Display => return event.text.clone(),
        EventKind::Finish | EventKind::Stop | EventKind::Cover => {
            return with_newline(event.text.clone());
        }
        EventKind::Info => "info",
        EventKind::Warning => "warning",
        EventKind::Error => "error",
        EventKind::Fatal => "fatal",
        EventKind::Assert => "assertion failed",
        EventKind::Assume => "assumption violated",
        _ => site.kind.as_str(),
    };
    let what = if event.text.is_empty() {
        &site.name
    } else {
        &event.text
    };
    let what = match what.trim_end() {
        "" => String::new(),
        what => format!(": {what}"),
    };
    let place = site.source.as_deref();
    let place = place.map(|at| format!(" at {at}")).unwrap_or_default();
    with_newline(format!("{kind}{place}, time {}{what}", event.time))
}

fn with_newline(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn reason(end: End, model: &Model) -> String {
    let site = match end {
        End::Finish | End::Stop | End::AssertionFailed => model.stop_site(),
        _ => None,
    };
    let place = site
        .and_then(|site| site.source.as_deref())
        .map(|source| format!(" at {source}"))
        .unwrap_or_default();
    let what = match end {
        End::Done => return String::new(),
        End::Finish => "$finish",
        End::Stop => "$stop",
        End::AssertionFailed if site.is_some_and(|site| site.kind == "fatal") => "$fatal",
        End::AssertionFailed => "assertion failed",
        End::NotMet => "--until did not come true",
        End::Timeout => "--timeout is over",
        End::NotSettled => "combinational logic did not settle",
        End::Interrupted => "interrupted",
    };
    format!("; {what}{place}")
}

fn shown_time(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn frequency(hertz: f64) -> String {
    match hertz {
        h if h >= 1e6 => format!("{:.2} MHz", h / 1e6),
        h if h >= 1e3 => format!("{:.2} kHz", h / 1e3),
        h => format!("{h:.1} Hz"),
    }
}
