//! Random netlists: every kind of cell, every form of state, several clocks, effects of every time.
//!
//! In: a seed and a size. Out: a valid netlist. Cells are *calm* or not. Calm ones depend on inputs, on registers
//! that only primary clocks and inputs change, and on latches of calm cells. Only calm cells make clocks, so an
//! instant is at most a few waves deep. Loads, latches and loops depend on anything, also on what a load changes in
//! the same settling; so a few netlists do not settle, and calls stop there.

mod coverage;
mod logic;
mod moves;
mod policy;
mod repeat;
mod resets;
mod run;
mod state;

pub mod text;

pub use coverage::Coverage;
pub use policy::{options, policies, seeds};
pub use run::{Case, Differs, run};

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::*;

use crate::rng::Rng;

/// How much of what a netlist can have about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocking {
    /// Several clocks of every kind, latches, loops.
    Any,
    /// All state acts on one edge of one clock: what can sleep.
    OneEdge,
    /// The same, three times over.
    Repeated,
    /// As with one edge, and an input resets most of it.
    Reset,
}

/// A netlist of roughly `size` cells.
pub fn netlist(seed: u64, size: usize, clocking: Clocking) -> Netlist {
    if clocking == Clocking::Repeated {
        return repeat::repeat(&netlist(seed, size, Clocking::OneEdge), 3);
    }
    if clocking == Clocking::Reset {
        return resets::with_reset(&netlist(seed, size, Clocking::OneEdge), seed);
    }
    let mut m = Maker::new(Rng::new(seed), clocking);
    m.scopes();
    m.inputs();
    m.steady_registers();
    m.grow(size / 8);
    m.loaded_registers();
    m.grow(size / 8);
    m.latches();
    m.derived_clocks();
    m.grow(size / 8);
    m.calm_ends();
    m.wild_state();
    m.grow(size / 2);
    m.latches();
    m.grow(size / 8);
    m.next_values();
    m.forward_loads();
    m.effects();
    m.names();
    let netlist = m.b.finish();
    validate(&netlist);
    netlist
}

/// A netlist under construction.
struct Maker {
    rng: Rng,
    clocking: Clocking,
    b: Builder,
    /// The widths that this netlist likes, so that cells of equal width meet.
    widths: Vec<u32>,
    /// What new cells may use.
    pool: Vec<CellId>,
    /// The calm part of the pool, from `calm_ends` on.
    calm: Vec<CellId>,
    /// The registers up to here are calm.
    calm_registers: usize,
    /// State cells that depend on nothing in the same settling but are not calm.
    sources: Vec<CellId>,
    primary: Vec<TriggerId>,
    derived: Vec<TriggerId>,
    /// Inputs of width 1 for asynchronous loads.
    resets: Vec<CellId>,
    /// Cells to be named, and the word to name them with.
    named: Vec<(&'static str, CellId)>,
}

impl Maker {
    fn new(mut rng: Rng, clocking: Clocking) -> Maker {
        let mut widths = vec![1, 1];
        for _ in 0..rng.between(3, 6) {
            widths.push(rng.width());
        }
        Maker {
            rng,
            clocking,
            b: Builder::literal("random"),
            widths,
            pool: Vec::new(),
            calm: Vec::new(),
            calm_registers: 0,
            sources: Vec::new(),
            primary: Vec::new(),
            derived: Vec::new(),
            resets: Vec::new(),
            named: Vec::new(),
        }
    }

    /// One of the favourite widths.
    fn width(&mut self) -> u32 {
        if self.rng.percent(4) {
            self.rng.width()
        } else {
            *self.rng.pick(&self.widths)
        }
    }

    fn scopes(&mut self) {
        self.b.netlist.sources.push(String::new());
        let top = Scope {
            parent: None,
            name: "random".into(),
            module: "random".into(),
            source: Id::new(0),
        };
        let top = self.b.netlist.scopes.push(top);
        for i in 0..self.rng.below(3) {
            let source = self
                .b
                .netlist
                .sources
                .push(format!("random.v:{}.1-{}.9", i + 1, i + 1));
            self.b.netlist.scopes.push(Scope {
                parent: Some(top),
                name: format!("u{i}"),
                module: "part".into(),
                source,
            });
        }
    }

    /// Another place that cells come from now and then, so that the text form has origins to show.
    fn move_origin(&mut self) {
        let scope = Id::new(self.rng.below(self.b.netlist.scopes.len()));
        let source = Id::new(self.rng.below(self.b.netlist.sources.len()));
        self.b.origin = Origin { scope, source };
    }

    fn inputs(&mut self) {
        let clocks = self.rng.between(1, 3);
        if self.rng.percent(20) {
            let bus = self.input("clocks", clocks as u32 + 1);
            for i in 0..clocks {
                let net = self.b.bit(bus, i as u32);
                self.primary_clock(net);
            }
        } else {
            for i in 0..clocks {
                let net = self.input(["clk", "clk2", "clk3"][i], 1);
                self.primary_clock(net);
            }
        }
        for _ in 0..self.rng.below(3) {
            let reset = self.input("rst", 1);
            self.resets.push(reset);
        }
        for _ in 0..self.rng.between(3, 6) {
            let width = self.width();
            self.input("in", width);
        }
    }

    fn input(&mut self, word: &'static str, width: u32) -> CellId {
        let name = format!("{word}_{}", self.b.netlist.inputs.len());
        let cell = self.b.input(name, width);
        self.named.push(("input", cell));
        self.pool.push(cell);
        cell
    }

    fn primary_clock(&mut self, net: CellId) {
        self.primary
            .push(self.b.trigger(net, TriggerRole::PrimaryClock));
    }

    /// From here on new cells are not calm.
    fn calm_ends(&mut self) {
        self.calm = self.pool.clone();
        self.calm_registers = self.b.netlist.registers.len();
    }

    /// Any value made so far.
    fn value(&mut self, width: u32) -> CellId {
        let pool = std::mem::take(&mut self.pool);
        let value = self.value_of(&pool, width);
        self.pool = pool;
        value
    }

    /// A value that depends on no cut loop.
    fn straight_value(&mut self, width: u32) -> CellId {
        let mut cells = self.calm.clone();
        cells.extend(&self.sources);
        self.value_of(&cells, width)
    }

    /// One of the cells if its width fits, cut or extended otherwise; sometimes a constant.
    fn value_of(&mut self, cells: &[CellId], width: u32) -> CellId {
        if cells.is_empty() || self.rng.percent(6) {
            let bits = self.rng.bits(width);
            return self.b.konst(bits);
        }
        let fitting: Vec<CellId> = cells
            .iter()
            .copied()
            .filter(|c| self.b.width(*c) == width)
            .collect();
        if !fitting.is_empty() && self.rng.percent(85) {
            // The newest cells more often, so that cones grow deep.
            let newest = fitting.len().saturating_sub(6);
            let from = if self.rng.percent(50) { newest } else { 0 };
            return *self.rng.pick(&fitting[from..]);
        }
        let cell = *self.rng.pick(cells);
        if self.b.width(cell) > width {
            let low = self.rng.below((self.b.width(cell) - width) as usize + 1) as u32;
            return self.b.slice(cell, low, width);
        }
        let extend = Extend::signed(self.rng.percent(50));
        self.b.resize(cell, width, extend)
    }

    /// An initial value and which of its bits are defined.
    fn initial(&mut self, width: u32) -> (Bits, Bits) {
        let defined = match self.rng.below(3) {
            0 => Bits::zero(width),
            1 => self.rng.bits(width),
            _ => Bits::ones(width),
        };
        (self.rng.bits(width).and(&defined), defined)
    }
}
