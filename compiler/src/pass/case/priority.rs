//! Long chains of muxes on single bits of state, all results constant, become a table.
//!
//! `if (is_add) name = ...; if (is_sub) name = ...;` is a mux for each line, and the last line that applies decides. The
//! bits side by side make a word; its lowest one alone, times a number all of whose runs of six bits differ, has in
//! its highest six bits a row of the table.

use super::rom::Roms;
use super::uses;
use crate::arena::SideTable;
use crate::bits::Bits;
use crate::ir::*;

/// Fewest bits that are worth a table.
const MIN_BITS: usize = 12;
/// Most bits: one more stands for none of them.
const MAX_BITS: usize = 63;
/// Every run of six bits, read from the highest one down, occurs once.
const ROW: u64 = 0x03f7_9d71_b4cb_0a89;

/// Runs the pass.
pub fn run(old: &Netlist) -> Netlist {
    let uses = uses::count(old);
    let inner = find_inner(old, &uses);
    let mut roms = Roms::default();
    rewrite(old, |r, id| {
        if inner[id] {
            return r.copy(id);
        }
        match chain(old, id, &inner) {
            Some(chain) => read(r, &chain, &mut roms),
            None => r.copy(id),
        }
    })
}

/// A mux of a bit of state whose result, where that is 1, is a constant.
struct Link<'a> {
    bit: CellId,
    result: &'a Bits,
    otherwise: CellId,
}

fn link(n: &Netlist, id: CellId) -> Option<Link<'_>> {
    let CellKind::Mux {
        select,
        on_true,
        on_false,
    } = n.cells[id].kind
    else {
        return None;
    };
    let is_state = matches!(n.cells[select].kind, CellKind::Register(_));
    Some(Link {
        bit: select,
        result: n.constant(on_true).filter(|_| is_state)?,
        otherwise: on_false,
    })
}

/// Links that only go on the chain of the mux that uses them.
fn find_inner(n: &Netlist, uses: &SideTable<Cell, u32>) -> SideTable<Cell, bool> {
    let mut inner = SideTable::new(&n.cells, false);
    for id in n.cells.ids() {
        if let Some(link) = link(n, id) {
            inner[link.otherwise] = uses[link.otherwise] == 1;
        }
    }
    inner
}

/// The links from a mux on, if they are enough, and the result where no bit is 1.
struct Chain<'a> {
    links: Vec<Link<'a>>,
    none: CellId,
}

fn chain<'a>(n: &'a Netlist, root: CellId, inner: &SideTable<Cell, bool>) -> Option<Chain<'a>> {
    let mut links: Vec<Link> = Vec::new();
    let mut at = root;
    while links.len() < MAX_BITS
        && (at == root || inner[at])
        && let Some(link) = link(n, at)
    {
        at = link.otherwise;
        links.push(link);
    }
    (links.len() >= MIN_BITS).then_some(Chain { links, none: at })
}

fn read(r: &mut Rewriter, chain: &Chain, roms: &mut Roms) -> CellId {
    let none = r.get(chain.none);
    let mut bits: Vec<CellId> = chain.links.iter().map(|l| r.get(l.bit)).collect();
    let b = &mut r.new;
    let width = chain.links[0].result.width();
    let filler = b.constant(none).cloned();
    let mut rows = vec![Bits::zero(width); 64];
    for (i, link) in chain.links.iter().enumerate() {
        rows[row_of(i)] = link.result.clone();
    }
    rows[row_of(bits.len())] = filler.clone().unwrap_or_else(|| Bits::zero(width));
    bits.push(b.ones(1));
    let word = b.concat(&bits);
    let word = b.zero_extend(word, 64);
    let zero = b.zero(64);
    let minus = b.sub(zero, word);
    let lowest = b.and(word, minus);
    let factor = b.number(64, ROW);
    let product = b.mul(lowest, factor);
    let row = b.slice(product, 58, 6);
    let memory = roms.table(b, &rows);
    let found = b.read(memory, row);
    if filler.is_some() {
        return found;
    }
    let nothing = b.number(64, 1 << chain.links.len());
    let is_none = b.eq(word, nothing);
    b.mux(is_none, none, found)
}

/// The row of a word whose lowest 1 is bit `bit`.
fn row_of(bit: usize) -> usize {
    ((ROW << bit) >> 58) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_has_a_row_of_its_own() {
        let mut rows: Vec<usize> = (0..64).map(row_of).collect();
        rows.sort_unstable();
        assert_eq!(rows, (0..64).collect::<Vec<_>>());
    }
}
