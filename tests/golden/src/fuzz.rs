//! What runs on damaged input have in common: a budget of processor time, a watch for hangs, a count of memory, and
//! a panic that shows its input.
//!
//! `RTLWASM_FUZZ_SECONDS` asks for more processor time than the few seconds of the ordinary tests, and
//! `RTLWASM_FUZZ_SEED` for other input. A binary that counts memory declares [`Counting`] as its allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// One input must be dealt with in this time, on a slow and busy machine.
const LONGEST: Duration = Duration::from_secs(60);
/// Most bytes that one input may have allocated at a time.
const MOST_BYTES: usize = 1 << 30;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
pub struct Counting;

// SAFETY: everything is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(
            NOW.fetch_add(layout.size(), Relaxed) + layout.size(),
            Relaxed,
        );
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) }
    }
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

/// Processor time of this process, or the time that passes where that is not known.
fn spent(start: Instant) -> Duration {
    ticks().map_or_else(
        || start.elapsed(),
        |ticks| Duration::from_millis(10 * ticks),
    )
}

/// In user and in system mode, in hundredths of a second.
fn ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may have spaces.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// The input at work and since when.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// A run on many inputs.
pub struct Run {
    name: &'static str,
    start: Instant,
    spent: Duration,
    budget: Duration,
    current: Current,
    /// Inputs so far.
    pub count: u64,
}

impl Run {
    pub fn new(name: &'static str, seconds: u64) -> Run {
        let current: Current = Arc::default();
        let watched = current.clone();
        thread::spawn(move || watch(name, &watched));
        let start = Instant::now();
        Run {
            name,
            start,
            spent: spent(start),
            budget: Duration::from_secs(setting("RTLWASM_FUZZ_SECONDS", seconds)),
            current,
            count: 0,
        }
    }

    /// True while there is processor time left.
    pub fn goes_on(&self) -> bool {
        spent(self.start).saturating_sub(self.spent) < self.budget
    }

    /// Deals with one input.
    ///
    /// # Panics
    /// When that panics or takes too much memory; the input is in a file whose name is shown.
    pub fn one<T>(&mut self, input: &[u8], deal: impl FnOnce() -> T) -> T {
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        *self.current.lock().expect("no panic inside") = Some((Instant::now(), input.to_vec()));
        let outcome = catch_unwind(AssertUnwindSafe(deal));
        *self.current.lock().expect("no panic inside") = None;
        self.count += 1;
        let bytes = MOST.load(Relaxed).saturating_sub(before);
        if bytes > MOST_BYTES {
            panic!("{bytes} bytes of memory for {}", keep(self.name, input));
        }
        match outcome {
            Ok(value) => value,
            Err(_) => panic!("a panic on {}", keep(self.name, input)),
        }
    }
}

/// Ends the process when one input takes too long.
fn watch(name: &str, current: &Current) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = current.lock().expect("no panic inside");
        if let Some((since, input)) = &*now
            && since.elapsed() > LONGEST
        {
            eprintln!("over {LONGEST:?} for {}", keep(name, input));
            std::process::abort();
        }
    }
}

/// Writes an input to a file; its name.
fn keep(name: &str, input: &[u8]) -> String {
    let path: PathBuf = std::env::temp_dir().join(format!("damaged-{name}-{}", std::process::id()));
    match std::fs::write(&path, input) {
        Ok(()) => path.display().to_string(),
        Err(e) => format!("an input that cannot be kept: {e}"),
    }
}
