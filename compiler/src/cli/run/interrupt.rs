//! Ctrl-C and requests to terminate: the first asks the run to end in good order, the second ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Becomes true when the user wants the run to end.
pub fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(super::Exit::Interrupted as i32);
        }
    };
    // Where no handler can be set, an interrupt ends the process as it always does.
    let _ = ctrlc::set_handler(handler);
    flag
}
