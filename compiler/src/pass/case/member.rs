//! Ors of comparisons of one value as tests of ranges and bit masks.

use std::collections::BTreeMap;

use super::{MIN_LABELS, comparison};
use crate::arena::SideTable;
use crate::bits::{Bits, low_mask};
use crate::ir::*;

/// Values that one mask tells apart.
const WINDOW: u64 = 64;

/// The test that stands for an or that is not part of another one; `None` for all other cells.
pub fn rewrite(r: &mut Rewriter, id: CellId, uses: &SideTable<Cell, u32>) -> Option<CellId> {
    let n = r.old;
    if n.width(id) != 1 || !matches!(n.cells[id].kind, CellKind::Or(..)) {
        return None;
    }
    let (mut compared, mut others) = (BTreeMap::<CellId, Vec<u64>>::new(), Vec::new());
    let mut work = vec![id];
    while let Some(at) = work.pop() {
        match n.cells[at].kind {
            CellKind::Or(a, b) if at == id || uses[at] == 1 => work.extend([b, a]),
            _ => match comparison(n, at) {
                Some((value, label)) => compared.entry(value).or_default().push(label),
                None => others.push(at),
            },
        }
    }
    if compared.values().all(|labels| labels.len() < MIN_LABELS) {
        return None;
    }
    let mut tests: Vec<CellId> = others.iter().map(|o| r.get(*o)).collect();
    for (value, mut labels) in compared {
        labels.sort_unstable();
        labels.dedup();
        let value = r.get(value);
        add_tests(&mut r.new, value, &labels, &mut tests);
    }
    Some(
        tests
            .into_iter()
            .fold(r.new.zero(1), |any, test| r.new.or(any, test)),
    )
}

/// Tests whether `value` is one of the labels, which ascend: window by window.
fn add_tests(b: &mut Builder, value: CellId, labels: &[u64], tests: &mut Vec<CellId>) {
    let mut rest = labels;
    while let Some(first) = rest.first() {
        let near = rest.partition_point(|label| label - first < WINDOW);
        let contiguous = rest
            .iter()
            .zip(*first..)
            .take_while(|(a, b)| **a == *b)
            .count();
        let count = if contiguous >= near.max(MIN_LABELS) {
            contiguous
        } else {
            near
        };
        let (window, more) = rest.split_at(count);
        rest = more;
        if window.len() < MIN_LABELS {
            for label in window {
                let label = b.number(b.width(value), *label);
                tests.push(b.eq(value, label));
            }
        } else if contiguous >= count {
            tests.push(in_range(b, value, window[0], window[count - 1]));
        } else {
            tests.push(in_mask(b, value, window));
        }
    }
}

/// `first <= value && value <= last`.
fn in_range(b: &mut Builder, value: CellId, first: u64, last: u64) -> CellId {
    let width = b.width(value);
    if last == low_mask(width) {
        let first = b.number(width, first);
        let below = b.lt_u(value, first);
        return b.not(below);
    }
    let offset = b.number(width, first);
    let from_first = b.sub(value, offset);
    let count = b.number(width, last - first + 1);
    b.lt_u(from_first, count)
}

/// The bit that a mask has at the place of `value`.
fn in_mask(b: &mut Builder, value: CellId, labels: &[u64]) -> CellId {
    let width = b.width(value);
    let last = labels[labels.len() - 1];
    let base = if last < WINDOW { 0 } else { labels[0] };
    let mask = labels
        .iter()
        .fold(0u64, |mask, label| mask | 1 << (label - base));
    let offset = b.number(width, base);
    let place = b.sub(value, offset);
    let bits = if last - base < 32 { 32 } else { 64 };
    let mask = b.konst(Bits::from_u64(bits, mask));
    let shifted = b.shr_u(mask, place);
    b.bit(shifted, 0)
}
