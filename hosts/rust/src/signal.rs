//! Handles of signals: what a path stands for, found once and then used without a look-up.

use rtlwasm_abi::manifest;

/// A signal or a memory of one artifact. Cheap to copy; good for every model of that artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    /// Index into the manifest's signals.
    pub(crate) id: u32,
    /// The signal whose place it shares; itself when it is no alias.
    pub(crate) place: u32,
    /// Which artifact it belongs to.
    pub(crate) artifact: u64,
    pub(crate) width: u32,
    pub(crate) depth: u32,
    /// Memories: declared index of row 0.
    pub(crate) first: i64,
    /// Memories: bytes from one row to the next.
    pub(crate) stride: u32,
    pub(crate) kind: Kind,
    pub(crate) access: Access,
    /// Where it (a memory's row 0) lies, when one load and a mask read it.
    pub(crate) slot: Option<Slot>,
}

/// What a signal is in the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A port that the host drives.
    Input,
    /// A port that the design drives.
    Output,
    /// A port that both drive.
    Inout,
    /// Changes at clock edges.
    Register,
    /// Changes while its enable is active.
    Latch,
    /// Computed.
    Wire,
    /// An array of words.
    Memory,
    /// Always the same.
    Constant,
    /// A kind that this host does not know.
    Other,
}

/// How a signal can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Stored, and the host may write it.
    ReadWrite,
    /// Stored; the design drives it.
    Read,
    /// Not stored: a constant, or recomputed when it is asked for.
    Computed,
}

/// Up to 64 bits within up to 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub offset: u64,
    pub size: u8,
    pub shift: u8,
}

impl Signal {
    /// Width in bits; a memory's is that of a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// What it is in the design.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it can be reached.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Rows of a memory; 0 for everything else.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Declared index of a memory's first row; 0 for everything else.
    pub fn first_row(&self) -> i64 {
        self.first
    }

    /// Its number in the artifact's manifest.
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl Kind {
    pub(crate) fn from_name(name: &str) -> Kind {
        match name {
            "input" => Kind::Input,
            "output" => Kind::Output,
            "inout" => Kind::Inout,
            "register" => Kind::Register,
            "latch" => Kind::Latch,
            "wire" => Kind::Wire,
            "memory" => Kind::Memory,
            "constant" => Kind::Constant,
            _ => Kind::Other,
        }
    }
}

impl Access {
    /// An access that this host does not know is the careful one.
    pub(crate) fn from_name(name: &str) -> Access {
        match name {
            "rw" => Access::ReadWrite,
            "r" => Access::Read,
            _ => Access::Computed,
        }
    }
}

impl Slot {
    /// The place of a signal (or of a memory's row 0) that is stored whole in one part.
    pub fn of(signal: &manifest::Signal) -> Option<Slot> {
        let [part] = signal.parts.as_slice() else {
            return None;
        };
        let simple = signal.outline.is_none() && part.size <= 8;
        simple.then_some(Slot {
            offset: part.offset,
            size: part.size as u8,
            shift: part.shift as u8,
        })
    }
}
