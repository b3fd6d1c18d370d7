//! From the uses that a walk of a task has found: what is inline, repeated, hoisted, loaded, spilled.

use rustc_hash::FxHashMap;

use super::plan::{At, Event, Place, Plan, ROOT, Use, Walk};
use crate::ir::*;

/// Longest chain of inline cells: bounds recursion in the emitter.
const MAX_INLINE: u32 = 24;

/// The plan of a task that has been walked.
pub(super) fn finish(walk: &Walk) -> Plan {
    let mut finish = Finish {
        walk,
        plan: Plan::default(),
        at: FxHashMap::default(),
    };
    // From the last cell to the first, so that a user's own fate is known.
    for (place, event) in walk.events.iter().rev() {
        if let Event::Eval(cell) = event
            && !finish.is_state_read(*cell)
        {
            finish.cell(*cell, *place);
        }
    }
    for (cell, uses) in &walk.uses {
        if walk.params.contains(cell) {
            finish.param(*cell, uses);
        } else if finish.is_state_read(*cell) || finish.is_foreign(*cell) {
            finish.load(*cell, uses);
        } else {
            finish.spill(*cell, uses);
        }
    }
    for merge in &walk.merges {
        finish.merge(*merge);
    }
    finish.plan
}

struct Finish<'w, 'a> {
    walk: &'w Walk<'a>,
    plan: Plan,
    /// Where each inline cell is really computed, and how deep below a step.
    at: FxHashMap<CellId, (Vec<At>, u32)>,
}

impl Finish<'_, '_> {
    fn uses(&self, cell: CellId) -> &[Use] {
        self.walk.uses.get(&cell).map_or(&[], Vec::as_slice)
    }

    /// Where uses really are: an inline user is wherever it is computed.
    fn resolve(&self, uses: &[Use]) -> (Vec<At>, u32) {
        let (mut all, mut deepest) = (Vec::new(), 0);
        for u in uses {
            match u.user.and_then(|user| self.at.get(&user)) {
                Some((at, depth)) => {
                    all.extend(at);
                    deepest = deepest.max(*depth);
                }
                None => all.push(u.at),
            }
        }
        (all, deepest + 1)
    }

    /// Decides whether a cell is computed at its uses.
    fn cell(&mut self, cell: CellId, place: Place) {
        let (at, depth) = self.resolve(self.uses(cell));
        let once = self.uses(cell).len() == 1 && at.len() == 1 && at[0].place.block == place.block;
        let narrow = self.walk.n.width(cell) <= 64 && depth <= MAX_INLINE;
        let inline = narrow && (once || self.is_repeated(cell, place, &at));
        self.plan.cells.entry(cell).or_default().inline = inline;
        if inline {
            self.at.insert(cell, (at, depth));
        }
    }

    /// True for a cell that is so cheap that most of its uses, being in branches that do not always run, had
    /// better compute it again.
    fn is_repeated(&self, cell: CellId, place: Place, at: &[At]) -> bool {
        let n = self.walk.n;
        let late = |operand: CellId| {
            let mut stores = at.iter().map(|at| self.overwritten_before(operand, at));
            stores.any(|store| store.is_some())
        };
        let cheap = match n.cells[cell].kind {
            CellKind::Eq(a, b) | CellKind::LtU(a, b) => n.constant(b).is_some() && !late(a),
            CellKind::Slice { value, .. } => {
                n.width(cell) == 1 && n.width(value) <= 64 && !late(value)
            }
            CellKind::Not(a) => n.width(cell) == 1 && !late(a),
            _ => false,
        };
        if !cheap {
            return false;
        }
        let here = at.iter().filter(|at| at.place.block == place.block).count();
        let below = at.len() - here;
        20 * here + 3 * below < 40
    }

    /// True for a value that another part keeps.
    fn is_foreign(&self, cell: CellId) -> bool {
        let n = self.walk.n;
        let computed = self.walk.defined.contains_key(&cell);
        !computed && n.constant(cell).is_none() && n.width(cell) <= 64
    }

    /// Where a value is used in another function than its own it goes through memory.
    fn spill(&mut self, cell: CellId, uses: &[Use]) {
        let Some(home) = self.walk.defined.get(&cell) else {
            return;
        };
        let inline = self.plan.is_inline(cell);
        let crosses = self.resolve(uses).0.iter().any(|at| at.function != *home);
        if crosses && !inline {
            let narrow = self.walk.n.width(cell) <= 64;
            self.plan.cells.entry(cell).or_default().spilled = narrow;
        }
    }

    /// The pieces of a function find its parameters in memory.
    fn param(&mut self, cell: CellId, uses: &[Use]) {
        let (places, _) = self.resolve(uses);
        let own = places.iter().any(|at| at.function == ROOT);
        self.plan.cells.entry(cell).or_default().own = own;
        self.save_outside(cell, ROOT, &places);
    }

    /// Functions other than that which has a read of state find it in memory.
    fn save_outside(&mut self, cell: CellId, home: usize, uses: &[At]) {
        for at in uses.iter().filter(|at| at.function != home) {
            self.plan.cells.entry(cell).or_default().spilled = true;
            let saved = self.plan.saved_outside.entry(at.function).or_default();
            saved.insert(cell);
        }
    }

    /// A merge that is only an arm of another one shares its local.
    fn merge(&mut self, merge: CellId) {
        let [only] = self.uses(merge) else {
            return;
        };
        let outer = only.user.filter(|user| self.walk.merges.contains(user));
        if let Some(outer) = outer.filter(|_| !self.plan.is_spilled(merge)) {
            self.plan.within.insert(merge, outer);
        }
    }

    /// A read of state is loaded at every use, until the state is overwritten; what reads it later finds it in a local,
    /// hoisted to the start of a block around all of that.
    fn load(&mut self, cell: CellId, uses: &[Use]) {
        let (mut early, _) = self.resolve(uses);
        let stores = early
            .iter()
            .filter_map(|at| self.overwritten_before(cell, at));
        if let Some(first) = stores.min() {
            let late = |at: &&At| self.overwritten_before(cell, at).is_some();
            if let Some(home) = self.block_around(early.iter().filter(late), first) {
                let (inside, before) = early
                    .into_iter()
                    .partition(|at| self.is_in(at.place.block, home));
                early = before;
                self.hoist(cell, home, inside);
            }
        }
        if early.is_empty() && self.plan.cells.get(&cell).is_some_and(|c| c.hoisted) {
            return;
        }
        let mut counts: FxHashMap<usize, u32> = FxHashMap::default();
        for at in early {
            let block = self.walk.blocks[at.place.block as usize].key;
            *counts.entry(block).or_default() += 1;
        }
        self.plan.loads.insert(cell, counts);
    }

    fn hoist(&mut self, cell: CellId, block: u32, uses: Vec<At>) {
        let home = self.walk.blocks[block as usize];
        self.plan.hoisted.entry(home.key).or_default().push(cell);
        self.plan.cells.entry(cell).or_default().hoisted = true;
        self.save_outside(cell, home.function, &uses);
    }

    /// The innermost block around all these places that starts before a time; `None` for no places. A block comes
    /// before those inside it.
    fn block_around<'p>(&self, places: impl Iterator<Item = &'p At>, time: u32) -> Option<u32> {
        let blocks = &self.walk.blocks;
        let around = |block: u32| blocks[block as usize].around.unwrap_or(0);
        let common = places.map(|at| at.place.block).reduce(|mut a, mut b| {
            while a != b {
                (a, b) = if a > b {
                    (around(a), b)
                } else {
                    (a, around(b))
                };
            }
            a
        });
        let mut block = common?;
        while block != 0 && blocks[block as usize].start >= time {
            block = around(block);
        }
        Some(block)
    }

    fn is_in(&self, mut block: u32, outer: u32) -> bool {
        while block > outer {
            block = self.walk.blocks[block as usize].around.unwrap_or(0);
        }
        block == outer
    }

    /// Registers, latches, cut loops and inputs of a machine word.
    fn is_state_read(&self, cell: CellId) -> bool {
        let n = self.walk.n;
        let kind = &n.cells[cell].kind;
        kind.is_source() && !matches!(kind, CellKind::Random(_)) && n.width(cell) <= 64
    }

    fn overwritten_before(&self, cell: CellId, at: &At) -> Option<u32> {
        let read = self.is_state_read(cell).then_some(cell)?;
        self.walk.overwritten_before(read, at.place)
    }
}
