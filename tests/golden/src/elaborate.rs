//! Designs as their users read them: in the design's own folder, so that relative names in sources are found.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rtlwasm::diag::{Diagnostic, Diagnostics};
use rtlwasm::front::{self, Elaborated};
use rtlwasm::options::Design;

/// The working folder belongs to the whole process.
static WORKING_FOLDER: Mutex<()> = Mutex::new(());

/// Reads a design in a folder.
pub fn elaborate_in(
    folder: &Path,
    design: &Design,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Elaborated, Diagnostics> {
    in_folder(folder, || front::elaborate(design, warnings))
}

/// Does what depends on the working folder, such as showing the lines of relative paths.
pub fn in_folder<T>(folder: &Path, run: impl FnOnce() -> T) -> T {
    let _guard = WORKING_FOLDER
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    std::env::set_current_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    run()
}
