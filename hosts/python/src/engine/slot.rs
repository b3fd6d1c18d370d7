//! Signals and memory rows as testbenches know them: where the value of each lies, and what waits for it.

use rtlwasm_host::{Kind, Signal};

use super::bits::Bits;

/// A signal or a memory row, by its place among the slots.
pub type SlotId = usize;
/// A process or trigger that can be woken.
pub type Target = usize;

/// Where the value of a slot lies.
#[derive(Clone, Copy)]
pub enum Place {
    /// The design does not know it.
    Host,
    Signal(Signal),
    Row(Signal, i64),
}

impl Place {
    /// Its value never changes by itself.
    pub fn is_written_by_hosts_only(self) -> bool {
        match self {
            Place::Host => true,
            Place::Signal(signal) => signal.kind() == Kind::Input,
            Place::Row(..) => false,
        }
    }
}

/// A signal that a testbench may read, write or wait for.
pub struct Slot {
    pub place: Place,
    pub width: u32,
    pub signed: bool,
    /// A clock or an asynchronous reset of the design.
    pub trigger: bool,
    pub initial: Bits,
    /// The value, of a slot that the design does not know.
    pub own: Bits,
    /// What it becomes at the end of the round.
    pub next: Option<Bits>,
    /// What it becomes together with an edge that the module has yet to act on.
    pub staged: Option<Bits>,
    /// What it becomes when the design has settled with what the module has yet to act on.
    pub queued: Option<Bits>,
    pub waiters: Vec<Waiter>,
    /// How many cycles the last wait for it took.
    pub waited: u64,
    /// It was asked that it be stored, and that is not asked again.
    pub refused: bool,
}

impl Slot {
    pub fn new(
        place: Place,
        (width, signed): (u32, bool),
        initial: Bits,
        triggers: &[u32],
    ) -> Slot {
        let trigger = matches!(place, Place::Signal(signal) if triggers.contains(&signal.id()));
        Slot {
            place,
            width,
            signed,
            trigger,
            own: initial.clone(),
            initial,
            next: None,
            staged: None,
            queued: None,
            waiters: Vec::new(),
            waited: 0,
            refused: false,
        }
    }
}

impl Slot {
    /// The model is yet to get its value.
    pub fn is_ahead(&self) -> bool {
        self.staged.is_some() || self.queued.is_some()
    }
}

/// Who is to be woken, by what, and which of its reasons that is.
#[derive(Clone, Copy)]
pub struct Waiter {
    pub target: Target,
    pub reason: u32,
    pub when: When,
    pub gate: Gate,
    pub late: Late,
}

/// Whether an edge may be acted on before who waits for it is woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Late {
    /// It runs when everything has settled, and wants no value from before.
    Yes,
    /// The same, but for values that can be kept.
    Copy,
    No,
}

/// What wakes a waiter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    Changed,
    /// A bit has changed to this level.
    Edge {
        bit: u32,
        level: bool,
    },
}

impl When {
    pub fn is(self, before: &Bits, after: &Bits) -> bool {
        match self {
            When::Changed => before != after,
            When::Edge { bit, level } => {
                before.bit(bit) != after.bit(bit) && after.bit(bit) == level
            }
        }
    }

    /// How many flips of a clock at that level there are up to the first that wakes.
    pub fn flips(self, high: bool) -> i128 {
        match self {
            When::Edge { level, .. } if level == high => 2,
            _ => 1,
        }
    }
}

/// Which of the times that it would be woken a waiter is. Where a slot is named that is not 0 it is woken, whatever the
/// rest: a reset.
#[derive(Clone, Copy)]
pub enum Gate {
    /// Each.
    Open,
    /// The last of so many.
    Count(u32, Option<SlotId>),
    /// The first at which the first slot is not 0.
    Until(SlotId, Option<SlotId>),
}

impl Gate {
    pub fn reset(self) -> Option<SlotId> {
        match self {
            Gate::Open => None,
            Gate::Count(_, reset) | Gate::Until(_, reset) => reset,
        }
    }
}
