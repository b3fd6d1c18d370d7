//! Connections to drivers: which value every bit of the design carries.
//!
//! In: instances, connections, aliases of processes, drivers. A net is a set of bits joined by
//! connections (union-find over flat bit numbers). Out: one [`Code`] per bit; a driver's bits have
//! consecutive numbers, so words are found again as runs of consecutive codes.

use super::ast::*;

/// What a bit carries: nothing, a constant, or a numbered bit of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u32);

impl Code {
    pub const UNDRIVEN: Code = Code(0);
    pub const ZERO: Code = Code(1);
    pub const ONE: Code = Code(2);
    /// Driven by an undefined constant.
    pub const UNKNOWN: Code = Code(3);
    const FIRST: u32 = 4;

    /// Bit `bit` of the drivers' numbering.
    pub fn driver(bit: u32) -> Code {
        Code(bit + Code::FIRST)
    }

    /// The bit number of a driver.
    pub fn driver_bit(self) -> Option<u32> {
        self.0.checked_sub(Code::FIRST)
    }

    /// The code `steps` bits above, for a driver; constants stay.
    pub fn above(self, steps: u32) -> Code {
        if self.0 < Code::FIRST {
            self
        } else {
            Code(self.0 + steps)
        }
    }

    /// The code of a constant's bit; `None` when it drives nothing.
    pub fn of_const(value: &Const, index: u32) -> Option<Code> {
        if value.is_floating(index) {
            return None;
        }
        let other = value.other.as_ref();
        Some(match value.value.bit(index) {
            _ if other.is_some_and(|o| o.unknown.bit(index) || o.any.bit(index)) => Code::UNKNOWN,
            true => Code::ONE,
            false => Code::ZERO,
        })
    }
}

/// The nets while they are collected.
pub struct NetBuilder {
    /// Union-find; the smallest bit of a net is its root.
    parent: Vec<u32>,
    /// Of roots.
    driver: Vec<Code>,
    /// Further drivers of driven nets: root and driver.
    pub conflicts: Vec<(u32, Code)>,
}

impl NetBuilder {
    pub fn new(bits: u32) -> NetBuilder {
        NetBuilder {
            parent: (0..bits).collect(),
            driver: vec![Code::UNDRIVEN; bits as usize],
            conflicts: Vec::new(),
        }
    }

    /// The bit that stands for the net of `bit`.
    pub fn root(&mut self, mut bit: u32) -> u32 {
        while self.parent[bit as usize] != bit {
            let up = self.parent[self.parent[bit as usize] as usize];
            self.parent[bit as usize] = up;
            bit = up;
        }
        bit
    }

    /// Joins runs of bits.
    pub fn join(&mut self, a: u32, b: u32, width: u32) {
        for i in 0..width {
            let (a, b) = (self.root(a + i), self.root(b + i));
            self.parent[a.max(b) as usize] = a.min(b);
        }
    }

    /// Gives a run of bits a driver; only after all joins.
    pub fn drive(&mut self, first: u32, width: u32, code: Code) {
        for i in 0..width {
            let root = self.root(first + i);
            self.drive_root(root, code.above(i));
        }
    }

    fn drive_root(&mut self, root: u32, code: Code) {
        let slot = &mut self.driver[root as usize];
        if *slot == Code::UNDRIVEN {
            *slot = code;
        } else if *slot != code {
            self.conflicts.push((root, code));
        }
    }

    /// Drives bits with a constant; floating bits drive nothing.
    pub fn drive_const(&mut self, first: u32, width: u32, value: &Const, offset: u32) {
        for i in 0..width {
            if let Some(code) = Code::of_const(value, offset + i) {
                let root = self.root(first + i);
                self.drive_root(root, code);
            }
        }
    }

    /// The driver of a bit's net so far.
    pub fn driver(&mut self, bit: u32) -> Code {
        let root = self.root(bit);
        self.driver[root as usize]
    }

    /// Replaces the driver of a root.
    pub fn set_driver(&mut self, root: u32, code: Code) {
        self.driver[root as usize] = code;
    }

    /// What every bit carries.
    pub fn finish(mut self) -> Vec<Code> {
        for bit in 0..self.parent.len() {
            // The parent is smaller, so its entry is final already.
            let parent = self.parent[bit] as usize;
            if parent != bit {
                self.driver[bit] = self.driver[parent];
            }
        }
        self.driver
    }
}
