//! Designs as their users read them: in the design's own folder, so that relative names in sources are found.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rtlwasm::diag::{Diagnostic, Diagnostics};
use rtlwasm::front::{self, Elaborated};
use rtlwasm::options::Design;

/// The working folder belongs to the whole process. Nothing else in this crate depends on it.
static WORKING_FOLDER: Mutex<()> = Mutex::new(());

/// Reads a design in a folder.
pub fn elaborate_in(
    folder: &Path,
    design: &Design,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Elaborated, Diagnostics> {
    let _guard = WORKING_FOLDER
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    std::env::set_current_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    front::elaborate(design, warnings)
}
