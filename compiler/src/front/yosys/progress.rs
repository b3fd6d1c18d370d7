//! What is shown while Yosys is being installed: a spinner with the time on a terminal, else one line
//! for each step.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::install::Progress;

/// Shows steps on standard error.
#[derive(Default)]
pub struct Display {
    spinner: RefCell<Option<ProgressBar>>,
}

impl Display {
    /// A step has begun.
    pub fn show(&self, progress: Progress) {
        let text = match progress {
            Progress::Waiting => "waiting for another rtlwasm that is installing Yosys",
            Progress::Obtaining => "obtaining Yosys compiled to WebAssembly (17 MB)",
            Progress::Compiling => {
                "compiling Yosys to machine code (once; about a minute and 2 GB of memory)"
            }
            Progress::Installed => "Yosys is installed",
        };
        if let Some(last) = self.spinner.borrow_mut().take() {
            last.finish_and_clear();
        }
        if progress == Progress::Installed || !std::io::stderr().is_terminal() {
            eprintln!("{text}");
            return;
        }
        let style =
            ProgressStyle::with_template("{spinner} {msg} [{elapsed}]").expect("a fixed template");
        let spinner = ProgressBar::new_spinner()
            .with_style(style)
            .with_message(text);
        spinner.enable_steady_tick(Duration::from_millis(100));
        *self.spinner.borrow_mut() = Some(spinner);
    }
}
