//! The value of cells that are constant after all: cones of constants.

use crate::bits::Bits;
use crate::ir::{CellId, CellKind, evaluate};

use super::lower::Lower;

/// A cone with more cells is not followed.
const LIMIT: usize = 100_000;

impl Lower<'_, '_, '_> {
    /// The value of a cell that depends on constants only.
    pub fn constant_value(&mut self, root: CellId) -> Option<Bits> {
        let mut waiting = vec![root];
        let mut steps = 0;
        while let Some(id) = waiting.last().copied() {
            if self.constants.contains_key(&id) {
                waiting.pop();
                continue;
            }
            steps += 1;
            let kind = self.b.kind(id);
            if kind.is_source() || matches!(kind, CellKind::MemRead { .. }) || steps > LIMIT {
                return None;
            }
            let mut ready = true;
            kind.for_each_operand(|o| {
                if !self.constants.contains_key(&o) {
                    waiting.push(o);
                    ready = false;
                }
            });
            if ready {
                let value = evaluate(kind, self.b.width(id), |o| &self.constants[&o]);
                self.constants.insert(id, value);
                waiting.pop();
            }
        }
        self.constants.get(&root).cloned()
    }
}
