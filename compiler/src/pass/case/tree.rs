//! A chain of comparisons as a tree.

use crate::ir::*;

/// At most so many labels are compared one after the other.
const MAX_LINEAR: usize = 2;

/// The result of the label that `value` equals, or `default`. Labels ascend; `points` are the places at which
/// trees on this value may split, labels among them.
pub fn build(
    b: &mut Builder,
    value: CellId,
    arms: &[(u64, CellId)],
    points: &[u64],
    default: CellId,
) -> CellId {
    let last = crate::bits::low_mask(b.width(value));
    Tree { value, default }.part(b, arms, points, (0, last))
}

struct Tree {
    value: CellId,
    default: CellId,
}

impl Tree {
    /// The part of the tree for values in an inclusive range. As deep as the logarithm of the number of points.
    fn part(
        &self,
        b: &mut Builder,
        arms: &[(u64, CellId)],
        points: &[u64],
        range: (u64, u64),
    ) -> CellId {
        let Some(first) = arms.first() else {
            return self.default;
        };
        let alike = arms.iter().all(|(_, result)| *result == first.1);
        if alike && arms.len() as u64 - 1 == range.1 - range.0 {
            return first.1;
        }
        if arms.len() <= MAX_LINEAR {
            return self.linear(b, arms);
        }
        let (below, above) = points.split_at(points.len() / 2);
        let split = above[0];
        let (left, right) = arms.split_at(arms.partition_point(|(label, _)| *label < split));
        if left.is_empty() {
            return self.part(b, right, above, range);
        }
        if right.is_empty() {
            return self.part(b, left, below, range);
        }
        let left = self.part(b, left, below, (range.0, split - 1));
        let right = self.part(b, right, above, (split, range.1));
        let split = b.number(b.width(self.value), split);
        let is_below = b.lt_u(self.value, split);
        b.mux(is_below, left, right)
    }

    fn linear(&self, b: &mut Builder, arms: &[(u64, CellId)]) -> CellId {
        let mut result = self.default;
        for (label, arm) in arms.iter().rev() {
            let label = b.number(b.width(self.value), *label);
            let is_equal = b.eq(self.value, label);
            result = b.mux(is_equal, *arm, result);
        }
        result
    }
}
