//! Seeded random numbers: the same seed gives the same netlist and stimulus on every machine.

use rtlwasm::bits::{Bits, limb_count};

/// splitmix64.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng { state: seed }
    }

    /// 64 random bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number less than `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.draw() % 100 < chance
    }

    /// One of the items, of which there are some.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A width from 1 to 300, the narrow ones and the neighbours of limb borders more often.
    pub fn width(&mut self) -> u32 {
        let width = match self.below(10) {
            0 => 1,
            1..=3 => self.between(2, 8),
            4 | 5 => self.between(9, 33),
            6 | 7 => self.between(34, 66),
            8 => self.between(67, 130),
            _ => self.between(131, 300),
        };
        width as u32
    }

    /// A value: random, or one of those at which arithmetic goes wrong.
    pub fn bits(&mut self, width: u32) -> Bits {
        let small = self.draw() % 17;
        match self.below(8) {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            2 => Bits::from_u64(width, small),
            3 => Bits::from_u64(width, small).neg(),
            4 if width > 0 => Bits::zero(width).with_bit(self.below(width as usize) as u32, true),
            _ => Bits::from_limbs(
                width,
                (0..limb_count(width))
                    .map(|_| self.draw())
                    .collect::<Vec<_>>(),
            ),
        }
    }
}
