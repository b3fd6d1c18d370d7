//! What a region's condition says about other selects.
//!
//! Inside `if (busy && !stall)`, `busy` is 1; where `state` equals 3, it does not equal 4. A mux whose select is
//! known where it is needed is the value of one of its arms.

use super::Scheduler;
use super::place::Placement;
use crate::ir::*;

/// How far conditions, and the selects that are asked about, are taken apart.
const MAX_DEPTH: u32 = 4;

impl Scheduler<'_> {
    /// The arm that a mux takes wherever `region` runs, if that is known.
    pub(super) fn known_arm(&self, mux: CellId, region: usize, p: &Placement) -> Option<CellId> {
        let (select, on_true, on_false) = self.mux(mux)?;
        self.known(select, region, p)
            .map(|level| if level { on_true } else { on_false })
    }

    /// The level of a bit wherever `region` runs, if that is known.
    pub(super) fn known(&self, bit: CellId, region: usize, p: &Placement) -> Option<bool> {
        let mut at = region;
        while at != super::ROOT {
            let fact = p.regions[at];
            if let Some(level) = self.implied(bit, fact.select, fact.arm, MAX_DEPTH) {
                return Some(level);
            }
            at = fact.parent;
        }
        None
    }

    /// The level of `bit` when `fact` has `level`.
    fn implied(&self, bit: CellId, fact: CellId, level: bool, depth: u32) -> Option<bool> {
        if bit == fact {
            return Some(level);
        }
        if depth == 0 {
            return None;
        }
        let kind = |id: CellId| &self.netlist.cells[id].kind;
        let from = |part: CellId, level: bool| self.implied(bit, part, level, depth - 1);
        match (kind(fact), level) {
            (CellKind::Not(a), _) => return from(*a, !level),
            (CellKind::And(a, b), true) | (CellKind::Or(a, b), false) => {
                if let Some(found) = from(*a, level).or_else(|| from(*b, level)) {
                    return Some(found);
                }
            }
            _ => {}
        }
        let part = |part: CellId| self.implied(part, fact, level, depth - 1);
        match *kind(bit) {
            CellKind::Not(a) => part(a).map(|level| !level),
            CellKind::And(a, b) => decided(false, part(a), || part(b)),
            CellKind::Or(a, b) => decided(true, part(a), || part(b)),
            _ => self.compared(bit, fact, level),
        }
    }

    /// The same for two comparisons of one value with constants.
    fn compared(&self, bit: CellId, fact: CellId, level: bool) -> Option<bool> {
        let constant = |id: CellId| self.netlist.constant(id)?.to_u64();
        let kind = |id: CellId| &self.netlist.cells[id].kind;
        match (kind(fact), level, kind(bit)) {
            (CellKind::Eq(x, a), true, CellKind::Eq(y, b)) if x == y => {
                (constant(*a)? != constant(*b)?).then_some(false)
            }
            (CellKind::Eq(x, a), true, CellKind::LtU(y, b)) if x == y => {
                Some(constant(*a)? < constant(*b)?)
            }
            (CellKind::LtU(x, a), _, CellKind::Eq(y, b)) if x == y => {
                let possible = (constant(*b)? < constant(*a)?) == level;
                (!possible).then_some(false)
            }
            (CellKind::LtU(x, a), _, CellKind::LtU(y, b)) if x == y => {
                let (a, b) = (constant(*a)?, constant(*b)?);
                let follows = if level { b >= a } else { b <= a };
                follows.then_some(level)
            }
            _ => None,
        }
    }
}

/// An or (`strong` is 1) or an and (0) of two bits, as far as they are known.
fn decided(
    strong: bool,
    first: Option<bool>,
    second: impl FnOnce() -> Option<bool>,
) -> Option<bool> {
    if first == Some(strong) {
        return first;
    }
    match (first, second()) {
        (_, Some(level)) if level == strong => Some(strong),
        (Some(_), Some(_)) => Some(!strong),
        _ => None,
    }
}
