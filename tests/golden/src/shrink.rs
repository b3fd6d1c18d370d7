//! Makes a failing case small: fewer calls, and cells and state replaced by nothing, while it still fails.
//!
//! In: a netlist, a stimulus and a test that answers with a difference. Out: a smaller pair that still
//! differs, as text to read. Deleting from the middle would renumber everything, so cells become constants
//! first, and what nothing uses is left out at the end.

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::{Cell, CellKind, Netlist};

use crate::stimulus::Op;

/// A case that differs and how.
pub struct Case {
    pub netlist: Netlist,
    pub stimulus: Vec<Op>,
    pub difference: String,
}

/// Answers how a case differs, `None` when it does not.
pub type Differs<'a> = dyn FnMut(&Netlist, &[Op]) -> Option<String> + 'a;

/// A smaller case; the given one must differ.
pub fn shrink(netlist: Netlist, stimulus: Vec<Op>, differs: &mut Differs) -> Case {
    let difference =
        differs(&netlist, &stimulus).unwrap_or_else(|| "no difference any more".into());
    let mut case = Case {
        netlist,
        stimulus,
        difference,
    };
    for _ in 0..3 {
        case.fewer_calls(differs);
        case.fewer_in_scripts(differs);
        case.fewer_effects(differs);
        case.fewer_names(differs);
        case.fewer_cells(differs);
    }
    case
}

impl Case {
    /// Takes the smaller case if it still differs.
    fn try_case(
        &mut self,
        netlist: Option<Netlist>,
        stimulus: Option<Vec<Op>>,
        differs: &mut Differs,
    ) -> bool {
        let found = differs(
            netlist.as_ref().unwrap_or(&self.netlist),
            stimulus.as_ref().unwrap_or(&self.stimulus),
        );
        let Some(difference) = found else {
            return false;
        };
        self.difference = difference;
        self.netlist = netlist.unwrap_or_else(|| std::mem::take(&mut self.netlist));
        self.stimulus = stimulus.unwrap_or_else(|| std::mem::take(&mut self.stimulus));
        true
    }

    fn fewer_calls(&mut self, differs: &mut Differs) {
        let mut chunk = self.stimulus.len().div_ceil(2);
        while chunk > 0 {
            let mut end = self.stimulus.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut fewer = self.stimulus.clone();
                fewer.drain(start..end.min(fewer.len()));
                self.try_case(None, Some(fewer), differs);
                end = start;
            }
            chunk /= 2;
        }
    }

    /// Scripts become their calls, or lose some.
    fn fewer_in_scripts(&mut self, differs: &mut Differs) {
        for at in (0..self.stimulus.len()).rev() {
            let Op::Play(calls) = self.stimulus[at].clone() else {
                continue;
            };
            for call in (0..calls.len()).rev() {
                let mut fewer = self.stimulus.clone();
                let Op::Play(kept) = &mut fewer[at] else {
                    unreachable!("it is a script")
                };
                if call < kept.len() {
                    kept.remove(call);
                }
                if Op::is_settled_script(kept) {
                    self.try_case(None, Some(fewer), differs);
                }
            }
        }
    }

    fn fewer_effects(&mut self, differs: &mut Differs) {
        for site in (0..self.netlist.effects.len()).rev() {
            let mut fewer = self.netlist.clone();
            fewer.effects.remove(site);
            self.try_case(Some(fewer), None, differs);
        }
    }

    fn fewer_names(&mut self, differs: &mut Differs) {
        for name in (0..self.netlist.signals.len()).rev() {
            if let Some((fewer, calls)) = without_name(&self.netlist, &self.stimulus, name) {
                self.try_case(Some(fewer), Some(calls), differs);
            }
        }
    }

    /// Replaces runs of cells, then single ones, by zeros, as far as the netlist stays valid.
    fn fewer_cells(&mut self, differs: &mut Differs) {
        let mut chunk = self.netlist.cells.len().div_ceil(4);
        while chunk > 0 {
            let mut end = self.netlist.cells.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let fewer = zeroed(&self.netlist, start..end);
                if let Some(fewer) = fewer {
                    self.try_case(Some(fewer), None, differs);
                }
                end = start;
            }
            chunk /= 2;
        }
    }
}

/// The case without one name; calls that mean later ones follow. `None` when a call means this one.
fn without_name(n: &Netlist, stimulus: &[Op], name: usize) -> Option<(Netlist, Vec<Op>)> {
    let mut fewer = n.clone();
    let kept = n.signals.iter().filter(|(id, _)| id.index() != name);
    fewer.signals = kept.map(|(_, s)| s.clone()).collect();
    let mut calls = stimulus.to_vec();
    let keep = |signal: usize| (signal != name).then(|| signal - usize::from(signal > name));
    let all_kept = calls.iter_mut().all(|op| op.rename(&keep));
    all_kept.then_some((fewer, calls))
}

/// The netlist with logic cells of a range replaced by zeros; `None` when they all are already.
fn zeroed(n: &Netlist, range: std::ops::Range<usize>) -> Option<Netlist> {
    let mut out = n.clone();
    let mut changed = false;
    for i in range {
        let id = Id::new(i);
        let cell = &mut out.cells[id];
        let keep = cell.kind.is_source() || matches!(cell.kind, CellKind::Const(_));
        let clock = n.triggers.values().any(|t| t.net == id);
        let latch = n.latches.values().any(|l| l.value == id);
        if !keep && !clock && !latch {
            cell.kind = CellKind::Const(Bits::zero(cell.width));
            changed = true;
        }
    }
    changed.then_some(out)
}

/// The case as text: netlist without unused cells, calls, difference.
pub fn report(case: &Case) -> String {
    let text = rtlwasm::ir::print(&compact(&case.netlist));
    let calls: Vec<String> = case
        .stimulus
        .iter()
        .map(|op| format!("; {op:?}\n"))
        .collect();
    format!("{text}{}; {}\n", calls.concat(), case.difference)
}

/// The netlist without cells that nothing uses.
fn compact(n: &Netlist) -> Netlist {
    let used = used_cells(n);
    let mut out = n.clone();
    (out.cells, out.origins) = Default::default();
    let mut map = vec![Id::new(0); used.len()];
    for (id, cell) in n.cells.iter().filter(|(id, _)| used[id.index()]) {
        let kind = cell.kind.map_operands(|o| map[o.index()]);
        map[id.index()] = out.cells.push(Cell {
            kind,
            width: cell.width,
        });
        out.origins.push(n.origins[id]);
    }
    out.map_roots(|c| map[c.index()]);
    out
}

/// Cells that state, effects and names reach.
fn used_cells(n: &Netlist) -> Vec<bool> {
    let mut used = vec![false; n.cells.len()];
    n.for_each_root(|c| used[c.index()] = true);
    for (id, cell) in n.cells.iter().rev() {
        if used[id.index()] {
            cell.kind.for_each_operand(|o| used[o.index()] = true);
        }
    }
    used
}
