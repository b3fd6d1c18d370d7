//! What decides the future of a model, and its initial values.
//!
//! In: a netlist, the undefined-value policy and the seed. Out: [`State`], the interpreter's form of an
//! artifact's state region. Invariant: every value has the width of its entity.
//!
//! Everything random is `mix64` of a sum (`runtime-abi/SPEC.md`, "Random values"). What is added comes from
//! the netlist as the source gave it, so that what passes remove changes no other value.

use std::collections::BTreeSet;

use rtlwasm_abi::Status;

use super::{Pending, Pin};
use crate::bits::{Bits, limb_count};
use crate::ir::{MemoryId, Netlist};
use crate::options::Undef;

/// What the random generator moves on by: splitmix64's increment.
pub const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Distance between random sources; another one than [`GOLDEN`], or one source would follow the other by a wave.
pub const KEY_STEP: u64 = 0x8cb9_2ba7_2f3d_8dd7;
/// Distance between the limbs of one random value.
pub const LIMB_STEP: u64 = 0xd1b5_4a32_d192_ed03;
/// Makes the seed of undefined initial bits another one than that of random values.
const UNDEF_SALT: u64 = 0x75_6e64_6566;

/// All state of a model.
#[derive(Clone, Debug)]
pub struct State {
    pub time: u64,
    pub prng: u64,
    pub triggers: Vec<TriggerState>,
    pub inputs: Vec<Bits>,
    pub registers: Vec<Bits>,
    pub latches: Vec<Bits>,
    pub loops: Vec<Bits>,
    pub memories: Vec<Vec<Bits>>,
    /// Settled values of all cells.
    pub values: Vec<Bits>,
    pub covers: Vec<u64>,
    /// For change effects: enable and arguments when they were last considered.
    pub last_seen: Vec<Option<Vec<Bits>>>,
    pub pending: Option<Pending>,
    /// Memory rows written since somebody emptied this: for who keeps a copy of them.
    pub written: BTreeSet<(MemoryId, usize)>,
}

/// A copy of a model's state.
#[derive(Clone, Debug)]
pub struct Snapshot(pub(super) State);

/// A row of the trigger table.
#[derive(Clone, Copy, Debug)]
pub struct TriggerState {
    /// For nets that are no inputs; those hold their own level.
    pub level: bool,
    /// The level that registers have acted on.
    pub prev: bool,
    /// Rises so far.
    pub cycles: u64,
    /// When a running clock flips next.
    pub next: u64,
    pub timing: Timing,
}

/// How a clock runs; kept by reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Time it stays high.
    pub high: u64,
    /// Time it stays low.
    pub low: u64,
    /// Time of the first flip after reset.
    pub phase: u64,
    /// `advance` flips it.
    pub run: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            high: 1,
            low: 1,
            phase: 0,
            run: false,
        }
    }
}

/// splitmix64's finaliser.
fn mix64(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The value of the random source with that key while the generator is at `prng`.
pub fn random_value(prng: u64, key: u64, width: u32) -> Bits {
    let base = prng.wrapping_add(key.wrapping_mul(KEY_STEP));
    let limb = |i: u64| mix64(base.wrapping_add(i.wrapping_mul(LIMB_STEP)));
    Bits::from_limbs(width, (0..limb_count(width) as u64).map(limb))
}

/// Gives undefined initial bits their values.
#[derive(Clone, Copy)]
struct Filler {
    undef: Undef,
    seed: u64,
}

impl Filler {
    /// `init` where `defined`, the policy's value elsewhere; `draw` is the place of bit 0 in the stream.
    fn fill(self, init: &Bits, defined: &Bits, draw: u64) -> Bits {
        let width = init.width();
        let fill = match self.undef {
            Undef::Zero => Bits::zero(width),
            Undef::Ones => Bits::ones(width),
            Undef::Random => self.drawn(draw, width),
        };
        init.and(defined).or(&fill.and(&defined.not()))
    }

    /// Bits of the stream from bit `draw` on.
    fn drawn(self, draw: u64, width: u32) -> Bits {
        let (first, shift) = (draw / 64, draw % 64);
        let limb = |i: u64| mix64(self.seed.wrapping_add((first + i).wrapping_mul(GOLDEN)));
        let limbs = (0..limb_count(width) as u64).map(|i| match shift {
            0 => limb(i),
            _ => limb(i) >> shift | limb(i + 1) << (64 - shift),
        });
        Bits::from_limbs(width, limbs.collect::<Vec<_>>())
    }

    fn rows(self, memory: &crate::ir::Memory) -> Vec<Bits> {
        let none = Bits::zero(memory.width);
        let limbs = limb_count(memory.width) as u64;
        let mut given = memory.init.iter().peekable();
        (0..memory.depth)
            .map(|row| {
                let draw = memory.draw + 64 * limbs * u64::from(row);
                match given.next_if(|i| i.row == row) {
                    Some(init) => self.fill(&init.value, &init.defined, draw),
                    None => self.fill(&none, &none, draw),
                }
            })
            .collect()
    }
}

impl State {
    /// The state at power-on, not yet settled.
    pub fn initial(n: &Netlist, undef: Undef, seed: u64, timings: &[Timing]) -> State {
        let filler = Filler {
            undef,
            seed: seed ^ UNDEF_SALT,
        };
        let trigger = |timing: &Timing| TriggerState {
            level: false,
            prev: false,
            cycles: 0,
            next: timing.phase,
            timing: *timing,
        };
        State {
            time: 0,
            prng: seed,
            triggers: timings.iter().map(trigger).collect(),
            inputs: n.inputs.values().map(|i| Bits::zero(i.width)).collect(),
            registers: n
                .registers
                .values()
                .map(|r| filler.fill(&r.init, &r.init_defined, r.draw))
                .collect(),
            latches: n
                .latches
                .values()
                .map(|l| filler.fill(&l.init, &l.init_defined, l.draw))
                .collect(),
            loops: n.loops.values().map(|l| Bits::zero(l.width)).collect(),
            memories: n.memories.values().map(|m| filler.rows(m)).collect(),
            values: n.cells.values().map(|c| Bits::zero(c.width)).collect(),
            covers: vec![0; n.effects.len()],
            last_seen: vec![None; n.effects.len()],
            pending: None,
            written: BTreeSet::new(),
        }
    }

    /// The level of an input bit.
    pub(super) fn pin(&self, pin: Pin) -> bool {
        self.inputs[pin.input.index()].bit(pin.bit)
    }

    /// Drives an input bit.
    pub(super) fn set_pin(&mut self, pin: Pin, level: bool) {
        let slot = &mut self.inputs[pin.input.index()];
        *slot = slot.clone().with_bit(pin.bit, level);
    }

    /// One row of a memory; zero when there is no such row.
    pub fn row(&self, n: &Netlist, memory: MemoryId, row: u64) -> Bits {
        let rows = &self.memories[memory.index()];
        let found = usize::try_from(row).ok().and_then(|row| rows.get(row));
        found
            .cloned()
            .unwrap_or_else(|| Bits::zero(n.memories[memory].width))
    }

    /// Writes one row of a memory.
    pub fn poke_row(&mut self, memory: MemoryId, row: u32, value: &Bits) -> Status {
        match self.memories[memory.index()].get(row as usize) {
            Some(slot) => {
                self.write_row(memory, row as usize, value.zext(slot.width()));
                Status::Ok
            }
            None => Status::BadArgument,
        }
    }

    /// Gives a row that exists another value.
    pub fn write_row(&mut self, memory: MemoryId, row: usize, value: Bits) {
        self.memories[memory.index()][row] = value;
        self.written.insert((memory, row));
    }

    /// Time goes on between the edges of a stepped clock; running clocks stand still.
    pub fn pass_time(&mut self, units: u64) {
        self.time = self.time.wrapping_add(units);
        for trigger in &mut self.triggers {
            trigger.next = trigger.next.wrapping_add(units);
        }
    }
}
