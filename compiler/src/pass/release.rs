//! The netlist as it is while no reset is active.
//!
//! In: an optimised netlist. Out: a copy in which the inputs that look like resets have their inactive levels, and which
//! inputs those are. State keeps its ids, so that both netlists can work on the same memory.

use crate::arena::SideTable;
use crate::ir::*;

/// Name among the optimisations.
pub const RELEASE: &str = "release";

/// Fewest muxes that give a constant at one level of an input.
const MIN_MUXES: u32 = 4;

/// A netlist without resets.
pub struct Release {
    pub netlist: Netlist,
    /// Reset inputs and their inactive levels.
    pub inputs: Vec<(InputId, bool)>,
}

/// The netlist without resets; `None` where no input looks like one.
pub fn run(old: &Netlist) -> Option<Release> {
    let inputs = reset_inputs(old);
    if inputs.is_empty() {
        return None;
    }
    let level = |cell: &CellKind| match *cell {
        CellKind::Input(input) => inputs.iter().find(|(i, _)| *i == input),
        _ => None,
    };
    let netlist = rewrite(old, |r, id| match level(&old.cells[id].kind) {
        Some((_, level)) => r.new.number(1, u64::from(*level)),
        None => r.copy(id),
    });
    Some(Release { netlist, inputs })
}

/// Inputs of one bit at one level of which many muxes give constants. An input that is a clock, or that loads registers
/// whenever it changes, is none.
fn reset_inputs(n: &Netlist) -> Vec<(InputId, bool)> {
    // Muxes that give a constant while the input is 0, and while it is 1.
    let mut constants = SideTable::new(&n.inputs, [0u32; 2]);
    for cell in n.cells.values() {
        if let CellKind::Mux {
            select,
            on_true,
            on_false,
        } = cell.kind
        {
            let (bit, inverted) = match n.cells[select].kind {
                CellKind::Not(bit) => (bit, true),
                _ => (select, false),
            };
            if let CellKind::Input(input) = n.cells[bit].kind {
                for (arm, level) in [(on_true, !inverted), (on_false, inverted)] {
                    constants[input][usize::from(level)] += u32::from(n.constant(arm).is_some());
                }
            }
        }
    }
    let is_trigger = |id: InputId| {
        let mut nets = n.triggers.values().map(|t| &n.cells[t.net].kind);
        nets.any(|kind| *kind == CellKind::Input(id))
    };
    let found = n.inputs.ids().filter_map(|id| {
        let [low, high] = constants[id];
        let is_reset = low.max(high) >= MIN_MUXES && 4 * low.min(high) < low.max(high);
        (is_reset && n.inputs[id].width == 1 && !is_trigger(id)).then_some((id, low > high))
    });
    found.collect()
}
