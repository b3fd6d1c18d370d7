//! Decides, for one task, how each cell's value reaches its uses.
//!
//! A value used once, in the block that computes it, is computed where it is used (*inline*); others are
//! kept in a local. State that the task itself overwrites is read before that: late reads are *hoisted*
//! to the start of a block around all their uses. A value that is used in another function than the one that computes it is *spilled* to
//! memory. Here a task is walked for uses, and for which values need their high bits clean; [`inline`] decides.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::inline;
use crate::ir::*;
use crate::layout::slot_size;
use crate::sched::activity::Supernodes;
use crate::sched::{Action, Block, State, Step, Task, TaskKind};

/// Uses in one block from which on a load is kept in a local.
const KEEP_LOADS: u32 = 3;

/// The plan of one task.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) cells: FxHashMap<CellId, CellPlan>,
    /// Reads of state that are loaded wherever they are used, and how often each block uses them.
    pub(super) loads: FxHashMap<CellId, FxHashMap<usize, u32>>,
    /// State reads to do at the start of blocks.
    pub(super) hoisted: FxHashMap<usize, Vec<CellId>>,
    /// Those that another function has done for all of a piece.
    pub(super) saved_outside: FxHashMap<usize, FxHashSet<CellId>>,
    /// Merges that are only used as an arm of another merge, which they are written to at once.
    pub(super) within: FxHashMap<CellId, CellId>,
    /// Muxes that have the value of a certain arm.
    aliases: FxHashMap<CellId, CellId>,
}

/// How one cell is computed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CellPlan {
    pub inline: bool,
    pub hoisted: bool,
    /// A parameter that the task's own function uses, not only its pieces.
    pub own: bool,
    pub clean: bool,
    pub spilled: bool,
}

impl Plan {
    pub fn is_inline(&self, cell: CellId) -> bool {
        self.cells.get(&cell).is_some_and(|c| c.inline)
    }

    /// True for cells that no step computes: inline ones, hoisted ones, loads.
    pub fn is_elsewhere(&self, cell: CellId) -> bool {
        let planned = self.cells.get(&cell).is_some_and(|c| c.inline || c.hoisted);
        planned || self.is_load(cell)
    }

    /// State reads to do at the start of a block.
    pub fn hoisted(&self, block: &Block) -> Vec<CellId> {
        self.hoisted.get(&key(block)).cloned().unwrap_or_default()
    }

    /// True for a parameter that not only pieces of the task use.
    pub fn is_own(&self, cell: CellId) -> bool {
        self.cells.get(&cell).is_some_and(|c| c.own)
    }

    /// True for a read of state that a function finds where another one has saved it.
    pub fn is_saved_outside(&self, function: usize, cell: CellId) -> bool {
        let saved = self.saved_outside.get(&function);
        saved.is_some_and(|cells| cells.contains(&cell))
    }

    /// True for a read of state that is loaded where it is used.
    pub fn is_load(&self, cell: CellId) -> bool {
        self.loads.contains_key(&cell)
    }

    /// True when `block` uses a read of state so often that it is better kept.
    pub fn keeps_load(&self, cell: CellId, block: *const Block) -> bool {
        let uses = self
            .loads
            .get(&cell)
            .and_then(|uses| uses.get(&(block as usize)));
        uses.is_some_and(|count| *count >= KEEP_LOADS)
    }

    /// The arm that a mux has the value of, where that is known.
    pub fn alias(&self, mux: CellId) -> Option<CellId> {
        self.aliases.get(&mux).copied()
    }

    /// The merge whose local a merge shares: itself, unless it is only an arm of another one.
    pub fn home(&self, merge: CellId) -> CellId {
        let mut home = merge;
        while let Some(outer) = self.within.get(&home) {
            home = *outer;
        }
        home
    }

    /// True when another function of the task uses the value, too.
    pub fn is_spilled(&self, cell: CellId) -> bool {
        self.cells.get(&cell).is_some_and(|c| c.spilled)
    }

    /// True when the bits above the value's width must be zero.
    pub fn needs_clean(&self, cell: CellId) -> bool {
        self.cells.get(&cell).is_none_or(|c| c.clean)
    }
}

/// Plans a task.
pub(crate) fn plan(n: &Netlist, supernodes: &Supernodes, task: &Task) -> Plan {
    let mut walk = Walk {
        n,
        supernodes,
        params: task.params.iter().copied().collect(),
        pieces: &task.pieces,
        function: ROOT,
        defined: FxHashMap::default(),
        merges: FxHashSet::default(),
        aliases: FxHashMap::default(),
        time: 0,
        blocks: Vec::new(),
        around: None,
        events: Vec::new(),
        uses: BTreeMap::new(),
        stores: FxHashMap::default(),
        in_place: !matches!(task.kind, TaskKind::Compute(_)),
        compares: matches!(task.kind, TaskKind::Part(..)),
    };
    for param in &task.params {
        walk.defined.insert(*param, ROOT);
    }
    walk.block(&task.body, None);
    let mut plan = inline::finish(&walk);
    find_clean(n, &walk.events, &mut plan);
    plan.aliases = walk.aliases;
    plan
}

/// Blocks are told apart by where they are; they do not move between planning and emission.
fn key(block: &Block) -> usize {
    std::ptr::from_ref(block) as usize
}

/// Something that happens at a time: a cell is computed, or cells are used.
pub(super) enum Event {
    Eval(CellId),
    Use(Vec<(CellId, Need)>),
}

/// What a use asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Clean,
    /// High bits do not matter.
    Any,
    /// As much as this cell needs itself.
    SameAs(CellId),
}

/// The task's own function, in the place of the index of a piece.
pub(super) const ROOT: usize = usize::MAX;

/// Where and when something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub time: u32,
    pub block: u32,
}

/// A place and the function that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub place: Place,
    pub function: usize,
}

/// One use of a cell, by another one or by a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub user: Option<CellId>,
    pub at: At,
}

/// A block that has been walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    pub key: usize,
    pub around: Option<u32>,
    /// The same number for both arms of a branch.
    pub branch: Option<u32>,
    pub start: u32,
    pub function: usize,
}

pub(super) struct Walk<'a> {
    pub n: &'a Netlist,
    supernodes: &'a Supernodes,
    /// Cells whose values the caller gives.
    pub params: FxHashSet<CellId>,
    pieces: &'a [Block],
    /// The piece that is walked, or [`ROOT`].
    function: usize,
    /// Function that computes each cell.
    pub defined: FxHashMap<CellId, usize>,
    /// Muxes that branches merge.
    pub merges: FxHashSet<CellId>,
    /// Muxes that have the value of a certain arm.
    aliases: FxHashMap<CellId, CellId>,
    time: u32,
    pub blocks: Vec<Walked>,
    /// The block that is walked.
    around: Option<u32>,
    pub events: Vec<(Place, Event)>,
    pub uses: BTreeMap<CellId, Vec<Use>>,
    /// Where state is overwritten, in order.
    stores: FxHashMap<State, Vec<Place>>,
    /// Register stores change what later reads see.
    in_place: bool,
    /// Stores are compared with what is there.
    compares: bool,
}

impl Walk<'_> {
    /// Recursion is bounded by the depth of regions.
    fn block(&mut self, block: &Block, branch: Option<u32>) -> u32 {
        let id = self.blocks.len() as u32;
        self.blocks.push(Walked {
            key: key(block),
            around: self.around,
            branch,
            start: self.time,
            function: self.function,
        });
        let around = self.around.replace(id);
        for step in &block.steps {
            match step {
                Step::Eval(cell) => {
                    let mut used = Vec::new();
                    operand_needs(self.n, *cell, |operand, need| used.push((operand, need)));
                    self.eval(*cell, used, id);
                }
                Step::Alias { cell, value } => {
                    self.aliases.insert(*cell, *value);
                    self.eval(*cell, vec![(*value, Need::SameAs(*cell))], id);
                }
                Step::Act(action) => self.act(action, id),
                Step::Call(piece) => {
                    let outer = std::mem::replace(&mut self.function, *piece);
                    self.block(&self.pieces[*piece], None);
                    self.function = outer;
                }
                Step::Shared { node, args, .. } => {
                    let used = args.iter().map(|c| (*c, Need::Clean));
                    self.use_cells(id, used.collect(), None);
                    self.time += 1;
                    for r in &self.supernodes.nodes[*node].registers {
                        self.store(State::Register(*r), id);
                    }
                }
                Step::Supernode { inputs, body, .. } => {
                    // Compared and kept.
                    let used = inputs.iter().flat_map(|c| [(*c, Need::Clean); 2]);
                    self.use_cells(id, used.collect(), None);
                    self.block(body, None);
                }
                Step::Guard { any, body } => {
                    let selects = any.iter().map(|c| (c.select, Need::Clean));
                    self.use_cells(id, selects.collect(), None);
                    self.block(body, None);
                }
                Step::Branch(branch) => {
                    self.use_cells(id, vec![(branch.select, Need::Clean)], None);
                    for merge in &branch.merges {
                        self.defined.insert(*merge, self.function);
                        self.merges.insert(*merge);
                    }
                    let number = Some(self.blocks.len() as u32);
                    for (taken, arm) in [(true, &branch.on_true), (false, &branch.on_false)] {
                        let inner = self.block(arm, number);
                        for merge in &branch.merges {
                            let value = arm_of(self.n, *merge, taken);
                            let need = Need::SameAs(*merge);
                            self.use_cells(inner, vec![(value, need)], Some(*merge));
                        }
                    }
                }
            }
        }
        self.around = around;
        id
    }

    fn eval(&mut self, cell: CellId, used: Vec<(CellId, Need)>, block: u32) {
        self.use_cells(block, used, Some(cell));
        self.defined.insert(cell, self.function);
        self.time += 1;
        self.events.push((
            Place {
                time: self.time,
                block,
            },
            Event::Eval(cell),
        ));
    }

    fn act(&mut self, action: &Action, block: u32) {
        self.use_cells(block, action_needs(self.n, action, self.compares), None);
        self.time += 1;
        if let Some(state) = action.overwrites()
            && (self.in_place || !matches!(state, State::Register(_)))
        {
            self.store(state, block);
        }
    }

    fn store(&mut self, state: State, block: u32) {
        let time = self.time;
        let places = self.stores.entry(state).or_default();
        if places.last().is_none_or(|last| last.block != block) {
            places.push(Place { time, block });
        }
    }

    /// When the state that a cell reads is first overwritten in what may have run before a place.
    pub fn overwritten_before(&self, cell: CellId, at: Place) -> Option<u32> {
        let places = self.stores.get(&State::of(self.n, cell)?)?;
        let mut before = places.iter().take_while(|p| p.time <= at.time);
        let first = before.find(|p| !self.are_arms_of_one_branch(p.block, at.block));
        first.map(|p| p.time)
    }

    /// True for blocks of which only one runs. A block comes before those inside it.
    fn are_arms_of_one_branch(&self, mut a: u32, mut b: u32) -> bool {
        let (mut arm_a, mut arm_b) = (None, None);
        while a != b {
            let (inner, arm) = match a > b {
                true => (&mut a, &mut arm_a),
                false => (&mut b, &mut arm_b),
            };
            let block = self.blocks[*inner as usize];
            *arm = block.branch;
            *inner = block.around.unwrap_or(0);
        }
        arm_a.is_some() && arm_a == arm_b
    }

    fn use_cells(&mut self, block: u32, used: Vec<(CellId, Need)>, user: Option<CellId>) {
        self.time += 1;
        let place = Place {
            time: self.time,
            block,
        };
        let at = At {
            place,
            function: self.function,
        };
        for (cell, _) in &used {
            self.uses.entry(*cell).or_default().push(Use { user, at });
        }
        self.events.push((place, Event::Use(used)));
    }
}

/// What a mux gives for one value of its select.
pub(crate) fn arm_of(n: &Netlist, mux: CellId, taken: bool) -> CellId {
    match n.cells[mux].kind {
        CellKind::Mux { on_true, .. } if taken => on_true,
        CellKind::Mux { on_false, .. } => on_false,
        ref other => panic!("only muxes merge, not {other:?}"),
    }
}

/// What an action asks of the values that it uses.
fn action_needs(n: &Netlist, action: &Action, compares: bool) -> Vec<(CellId, Need)> {
    let stored_as = |cell: CellId| {
        let whole = n.width(cell) > 64 || n.width(cell) == 8 * slot_size(n.width(cell));
        (
            cell,
            if whole && !compares {
                Need::Any
            } else {
                Need::Clean
            },
        )
    };
    let uses = action.uses(n);
    match action {
        Action::StoreRegister(..) | Action::StoreLatch(..) | Action::StoreNet(_) => {
            uses.into_iter().map(stored_as).collect()
        }
        // Used twice: compared and stored, or kept in a local.
        Action::Change(_) | Action::Read(_) => {
            let twice = uses.iter().chain(&uses);
            twice.map(|c| (*c, Need::Clean)).collect()
        }
        _ => uses.into_iter().map(|c| (c, Need::Clean)).collect(),
    }
}

/// What computing a cell asks of its operands.
fn operand_needs(n: &Netlist, id: CellId, mut f: impl FnMut(CellId, Need)) {
    use CellKind::*;
    let same = Need::SameAs(id);
    let width = n.width(id);
    match &n.cells[id].kind {
        Const(_) | Input(_) | Register(_) | Latch(_) | LoopCut(_) | Random(_) => {}
        _ if width > 64 => n.cells[id].kind.for_each_operand(|o| f(o, Need::Clean)),
        Not(a) => f(*a, if width == 1 { Need::Clean } else { same }),
        And(a, b) => {
            // A constant mask cleans the other operand.
            let masked = n.constant(*a).is_some() || n.constant(*b).is_some();
            let need = if masked { Need::Any } else { same };
            f(*a, need);
            f(*b, need);
        }
        Or(a, b) | Xor(a, b) | Add(a, b) | Sub(a, b) | Mul(a, b) => {
            f(*a, same);
            f(*b, same);
        }
        Shl(a, b) => {
            f(*a, same);
            f(*b, Need::Clean);
        }
        Mux {
            select,
            on_true,
            on_false,
        } => {
            f(*select, Need::Clean);
            f(*on_true, same);
            f(*on_false, same);
        }
        Slice { value, low } => {
            let top = low + width == n.width(*value);
            f(*value, if top { same } else { Need::Any });
        }
        SignExtend(a) => f(
            *a,
            if n.width(*a) == 1 {
                Need::Clean
            } else {
                Need::Any
            },
        ),
        ShrS(a, b) => {
            f(*a, Need::Any);
            f(*b, Need::Clean);
        }
        Concat(parts) => parts.iter().for_each(|p| f(*p, Need::Clean)),
        MemRead { address, .. } => f(*address, Need::Clean),
        DivU(..) | DivS(..) | RemU(..) | RemS(..) | Pow(..) | ShrU(..) | Eq(..) | LtU(..)
        | LtS(..) | ReduceXor(_) | ZeroExtend(_) => {
            n.cells[id].kind.for_each_operand(|o| f(o, Need::Clean))
        }
    }
}

/// From the last use to the first: a cell is clean when some use needs that.
fn find_clean(n: &Netlist, events: &[(Place, Event)], plan: &mut Plan) {
    for (_, event) in events.iter().rev() {
        match event {
            Event::Use(used) => {
                for (cell, need) in used {
                    let clean = match need {
                        Need::Clean => true,
                        Need::Any => false,
                        Need::SameAs(user) => plan.needs_clean(*user),
                    };
                    if clean {
                        plan.cells.entry(*cell).or_default().clean = true;
                    } else {
                        plan.cells.entry(*cell).or_default();
                    }
                }
            }
            Event::Eval(_) => {}
        }
    }
    // Constants are always emitted clean; what is read from memory is.
    for (id, cell) in &mut plan.cells {
        if n.cells[*id].kind.is_source() {
            cell.clean = true;
        }
    }
}
