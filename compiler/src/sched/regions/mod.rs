//! Region recovery: puts every cone under the branch that needs it.
//!
//! A *region* is the condition under which something is needed: a path of (select, arm) pairs from the
//! root. A cell belongs to the lowest common ancestor of the regions of its uses; a mux uses its data
//! operands in the regions of its two arms. Registers are sinks whose next-value mux trees are walked:
//! an arm that keeps the register's own value needs nothing.
//!
//! Steps per task:
//! 1. [`place`]: regions of all cells, backwards; twice, because muxes whose arms are worth too little
//!    become plain selects after the first time. A mux whose select is [`known`] where it is needed is one of
//!    its arms.
//! 2. [`tree`]: the blocks. First the cells of one region in order, muxes of equal select merged into one
//!    branch where no path runs between them; then the sinks, in the order that [`order`] finds, so that
//!    few values must be saved before state is overwritten.
//! 3. [`guard`]: cells that only several branches need are computed when one of those will run.
//!
//! Recursion is bounded by [`MAX_DEPTH`].

mod guard;
mod homes;
mod known;
mod order;
mod place;
mod tree;

use super::activity::{Activity, Owner};
use super::{Action, Block};
use crate::arena::SideTable;
use crate::ir::*;
pub use homes::Homes;
use place::Placement;
use tree::Tree;

/// Deepest nesting of branches; muxes below are plain selects.
const MAX_DEPTH: u32 = 40;

/// Something a task must do.
#[derive(Clone, Debug)]
pub struct Sink {
    pub action: Action,
    /// Only while this is 1.
    pub guard: Option<CellId>,
    /// Values that the action reads.
    pub uses: Vec<CellId>,
    pub order: SinkOrder,
}

/// Which sinks must keep an order among themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SinkOrder {
    Any,
    /// What settling does once cut loops rest: after all others.
    Settled(usize),
    Effect(usize),
    /// Before all writes to the memory.
    Move(MemoryId),
    Write(MemoryId, usize),
}

impl Sink {
    /// An action that always happens.
    pub fn plain(action: Action, uses: Vec<CellId>) -> Sink {
        Sink {
            action,
            guard: None,
            uses,
            order: SinkOrder::Any,
        }
    }

    /// The store of a register's next value.
    pub fn register(id: RegisterId, next: CellId) -> Sink {
        Sink::plain(Action::StoreRegister(id, next), vec![next])
    }
}

/// Schedules tasks of one netlist; keeps its tables between tasks.
pub struct Scheduler<'a> {
    netlist: &'a Netlist,
    activity: &'a Activity,
    /// Index into the current task's cells, or `NOWHERE`.
    local: SideTable<Cell, u32>,
}

const NOWHERE: u32 = u32::MAX;
const ROOT: usize = 0;

impl<'a> Scheduler<'a> {
    pub fn new(netlist: &'a Netlist, activity: &'a Activity) -> Self {
        Scheduler {
            netlist,
            activity,
            local: SideTable::new(&netlist.cells, NOWHERE),
        }
    }

    /// Orders the cells that `sinks` need and that belong to `owner`; what belongs to nobody has been computed where a
    /// supernode runs.
    pub fn block(&mut self, sinks: Vec<Sink>, owner: Owner) -> Block {
        let (cells, plain, placement) = self.placed(sinks, owner);
        let block = Tree::new(self, &cells, &plain, &placement).task();
        self.forget(&cells);
        block
    }

    /// Under how many conditions everything happens that `sinks` need.
    pub fn homes(&mut self, sinks: Vec<Sink>) -> Homes {
        let (cells, _, placement) = self.placed(sinks, Owner::NONE);
        let homes = Homes::new(self.netlist, &cells, &placement);
        self.forget(&cells);
        homes
    }

    /// The cells of a block, which of its muxes are no branches, and where everything is. Fills `local`.
    fn placed(
        &mut self,
        mut sinks: Vec<Sink>,
        owner: Owner,
    ) -> (Vec<CellId>, Vec<bool>, Placement) {
        sinks.extend(self.early_reads(&sinks, owner));
        let cells = self.cone(&sinks, owner);
        let fanout = self.fanout(&cells, &sinks);
        let mut plain = vec![false; cells.len()];
        let first = self.place(&cells, &sinks, &fanout, &plain);
        self.find_plain_muxes(&cells, &first, &mut plain);
        let placement = self.place(&cells, &sinks, &fanout, &plain);
        (cells, plain, placement)
    }

    fn forget(&mut self, cells: &[CellId]) {
        for id in cells {
            self.local[*id] = NOWHERE;
        }
    }

    /// Every cell of `owner` but constants that the sinks need, ascending; fills `local`.
    fn cone(&mut self, sinks: &[Sink], owner: Owner) -> Vec<CellId> {
        let mut cells = Vec::new();
        let mut work: Vec<CellId> = sinks
            .iter()
            .flat_map(|s| s.uses.iter().copied().chain(s.guard))
            .collect();
        while let Some(id) = work.pop() {
            let own = self.activity.belongs(id, owner);
            if own && self.local[id] == NOWHERE && self.netlist.constant(id).is_none() {
                self.local[id] = 0;
                cells.push(id);
                self.netlist.cells[id]
                    .kind
                    .for_each_operand(|o| work.push(o));
            }
        }
        cells.sort_unstable();
        for (i, id) in cells.iter().enumerate() {
            self.local[*id] = i as u32;
        }
        cells
    }

    /// Where several ports or supernodes write, what their cones read from memories is read before any of them writes.
    fn early_reads(&mut self, sinks: &[Sink], owner: Owner) -> Vec<Sink> {
        let writes: Vec<Sink> = sinks
            .iter()
            .filter(|s| {
                matches!(
                    s.action,
                    Action::Write { .. } | Action::Move { .. } | Action::Run(_)
                )
            })
            .cloned()
            .collect();
        if writes.len() < 2 {
            return Vec::new();
        }
        let cells = self.cone(&writes, owner);
        cells.iter().for_each(|id| self.local[*id] = NOWHERE);
        let reads = cells
            .into_iter()
            .filter(|id| matches!(self.netlist.cells[*id].kind, CellKind::MemRead { .. }));
        reads
            .map(|id| Sink::plain(Action::Read(id), vec![id]))
            .collect()
    }

    fn local(&self, id: CellId) -> Option<usize> {
        Some(self.local[id])
            .filter(|l| *l != NOWHERE)
            .map(|l| l as usize)
    }

    fn fanout(&self, cells: &[CellId], sinks: &[Sink]) -> Vec<u32> {
        let mut fanout = vec![0; cells.len()];
        let mut count = |id: CellId| {
            if let Some(l) = self.local(id) {
                fanout[l] += 1;
            }
        };
        cells
            .iter()
            .for_each(|id| self.netlist.cells[*id].kind.for_each_operand(&mut count));
        sinks
            .iter()
            .for_each(|s| s.uses.iter().copied().chain(s.guard).for_each(&mut count));
        fanout
    }

    fn mux(&self, id: CellId) -> Option<(CellId, CellId, CellId)> {
        match self.netlist.cells[id].kind {
            CellKind::Mux {
                select,
                on_true,
                on_false,
            } => Some((select, on_true, on_false)),
            _ => None,
        }
    }

    /// Cells that a use of `id` is worth: an estimate of what not computing it saves.
    fn cost(&self, id: CellId) -> u32 {
        match self.netlist.cells[id].kind {
            CellKind::Const(_) => 0,
            CellKind::DivU(..)
            | CellKind::DivS(..)
            | CellKind::RemU(..)
            | CellKind::RemS(..)
            | CellKind::Pow(..) => 20,
            _ if self.netlist.width(id) > 64 => 10,
            _ => 1,
        }
    }
}
