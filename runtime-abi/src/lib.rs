//! The contract between an rtlwasm simulation artifact and its host.
//!
//! `SPEC.md` beside this crate is the normative text. Its tables are generated from the constants and
//! field lists here (`cargo xtask codegen`), so the two cannot differ. Three parts:
//! * this file: version, exports, status codes, feature bits;
//! * [`layout`]: the memory map - control block, state header, trigger table, rings, play records;
//! * [`manifest`]: the self-description in the custom sections `rtl.manifest` and `rtl.symbols`.

pub mod layout;
pub mod manifest;

/// Major version: a host refuses any other.
pub const ABI_MAJOR: u32 = 1;
/// Minor version: a higher one only adds.
pub const ABI_MINOR: u32 = 0;
/// What the export `rtl_abi` and the control block's `abi` hold.
pub const ABI_VERSION: u32 = ABI_MAJOR << 16 | ABI_MINOR;

/// Name of the custom section with the [`manifest::Manifest`].
pub const MANIFEST_SECTION: &str = "rtl.manifest";
/// Name of the custom section with the [`manifest::Symbols`].
pub const SYMBOLS_SECTION: &str = "rtl.symbols";

/// One export of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    pub name: &'static str,
    /// Parameter and result types in WebAssembly's own notation.
    pub signature: &'static str,
}

/// Every export, in order.
#[rustfmt::skip]
pub const EXPORTS: &[Export] = &[
    Export { name: "memory", signature: "memory" },
    Export { name: "rtl_abi", signature: "const i32" },
    Export { name: "rtl_reset", signature: "-> i32" },
    Export { name: "rtl_eval", signature: "-> i32" },
    Export { name: "rtl_step", signature: "i32, i64 -> i32" },
    Export { name: "rtl_edges", signature: "i64, i64 -> i32" },
    Export { name: "rtl_advance", signature: "i64 -> i32" },
    Export { name: "rtl_run_until", signature: "i32, i64, i32, i64, i64 -> i32" },
    Export { name: "rtl_play", signature: "i32, i32 -> i32" },
    Export { name: "rtl_peek", signature: "i32, i32 -> i64" },
    Export { name: "rtl_poke", signature: "i32, i32, i64 -> i32" },
    Export { name: "rtl_outline", signature: "i32 -> i32" },
];

/// What a call answers; also left in the control block. An unknown status is a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// `$finish`.
    Finish = 1,
    /// `$stop`.
    Stop = 2,
    /// An assertion failed, or `$fatal`.
    AssertionFailed = 3,
    /// A ring is full: drain it and call again.
    RingFull = 4,
    /// A combinational loop, or triggers that move each other, did not settle.
    NotSettled = 5,
    /// A bad argument; nothing was changed.
    BadArgument = 6,
    /// A watch hit.
    WatchHit = 7,
    /// `rtl_run_until` reached its maximum, or an `expect` record differed.
    ConditionNotMet = 8,
    /// A driven net, or one that optimisation took away; nothing was changed.
    NotWritable = 9,
    /// The host asked to stop through `interrupt`.
    Interrupted = 10,
}

impl Status {
    /// Every status, in order of its number.
    pub const ALL: [Status; 11] = [
        Status::Ok,
        Status::Finish,
        Status::Stop,
        Status::AssertionFailed,
        Status::RingFull,
        Status::NotSettled,
        Status::BadArgument,
        Status::WatchHit,
        Status::ConditionNotMet,
        Status::NotWritable,
        Status::Interrupted,
    ];

    /// The status of that number.
    pub fn from_code(code: u32) -> Option<Status> {
        Status::ALL.get(code as usize).copied()
    }

    /// One line for a person.
    pub fn describe(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Finish => "$finish",
            Status::Stop => "$stop",
            Status::AssertionFailed => "assertion failed",
            Status::RingFull => "ring full",
            Status::NotSettled => "did not settle",
            Status::BadArgument => "bad argument",
            Status::WatchHit => "watch hit",
            Status::ConditionNotMet => "condition not met",
            Status::NotWritable => "not writable",
            Status::Interrupted => "interrupted",
        }
    }
}

/// One feature bit of an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    pub bit: u32,
    /// Its name in the manifest's `features`.
    pub name: &'static str,
    pub meaning: &'static str,
}

/// Every feature bit that this version knows. A host refuses an artifact with an unknown bit below 32.
#[rustfmt::skip]
pub const FEATURES: &[Feature] = &[
    Feature { bit: 0, name: "simd", meaning: "uses 128-bit vector instructions" },
    Feature { bit: 1, name: "shared", meaning: "imports its memory, shared between threads" },
    Feature { bit: 2, name: "memory64", meaning: "memory is addressed with 64 bits" },
    Feature { bit: 3, name: "wide-arithmetic", meaning: "uses 128-bit add, subtract and multiply" },
    Feature { bit: 4, name: "four-state", meaning: "keeps an x/z plane beside every value" },
    Feature { bit: 32, name: "trace", meaning: "can write the change trace" },
    Feature { bit: 33, name: "force", meaning: "exports `rtl_force`" },
    Feature { bit: 34, name: "coverage", meaning: "counts covers in the state region" },
    Feature { bit: 35, name: "loops", meaning: "has combinational loops or latches: the order in which inputs change may matter" },
];

/// The mask of features whose presence changes how memory is read or the module instantiated.
pub const REQUIRED_FEATURES: u64 = 0xffff_ffff;
