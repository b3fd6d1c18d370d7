//! Random memories whose rows move along.
//!
//! In: a memory that may have write ports. Out: the same with one more port for each row that moves.

use rtlwasm::ir::*;

use super::{Clocking, Maker};

impl Maker {
    /// Writes of neighbouring rows from others that lie equally far away, with other writes before them or behind.
    pub(super) fn rows_that_move(&mut self, memory: MemoryId) {
        let Memory { width, depth, .. } = self.b.netlist.memories[memory];
        let distance = self.rng.between(1, 2) as u32;
        if depth < distance + 2 {
            return;
        }
        let up = self.rng.percent(60);
        let clocks = self.all_clocks();
        let clocks = self.clocks(&clocks);
        let mask = self.b.ones(width);
        let mut enable = self.value(1);
        if self.clocking == Clocking::OneEdge {
            let awake = self.enable_of(self.b.netlist.memories[memory].origin.scope);
            enable = self.b.and(enable, awake);
        }
        let last = self.b.netlist.memories[memory].writes.len();
        let at = self.rng.below(last + 1);
        for row in 0..depth - distance {
            let rows = [row, row + distance].map(|row| self.b.number(32, u64::from(row)));
            let [from, to] = if up { rows } else { [rows[1], rows[0]] };
            let port = WritePort {
                clocks: clocks.clone(),
                enable,
                address: to,
                data: self.b.read(memory, from),
                mask,
                origin: self.b.origin,
            };
            self.b.netlist.memories[memory].writes.insert(at, port);
        }
    }
}
