//! A netlist several times over, each copy an instance: what runs one function for all.
//!
//! In: a netlist whose state all acts on one edge. Out: one with that many copies below a new top. Copies see the same
//! clocks; of the other inputs a copy after the first sees registers of the copy before it, where the width fits.

use rtlwasm::arena::Id;
use rtlwasm::ir::*;

/// `copies` of a netlist, side by side.
pub fn repeat(n: &Netlist, copies: usize) -> Netlist {
    assert!(n.latches.is_empty() && n.loops.is_empty(), "one edge only");
    let mut repeat = Repeat {
        n,
        b: Builder::literal("repeated"),
        maps: Vec::new(),
    };
    repeat.shared();
    for copy in 0..copies {
        repeat.state(copy);
        repeat.cells(copy);
        repeat.connect(copy);
    }
    repeat.names(copies);
    let netlist = repeat.b.finish();
    validate(&netlist);
    netlist
}

struct Repeat<'a> {
    n: &'a Netlist,
    b: Builder,
    /// New cells of each copy.
    maps: Vec<Vec<CellId>>,
}

impl Repeat<'_> {
    fn shared(&mut self) {
        let new = &mut self.b.netlist;
        new.inputs = self.n.inputs.clone();
        new.sources = self.n.sources.clone();
        new.types = self.n.types.clone();
        new.randoms = self.n.randoms.clone();
        new.scopes.push(Scope {
            parent: None,
            name: "repeated".into(),
            module: "repeated".into(),
            source: Id::new(0),
        });
    }

    fn scope(&self, copy: usize, scope: ScopeId) -> ScopeId {
        Id::new(1 + copy * self.n.scopes.len() + scope.index())
    }

    fn origin(&self, copy: usize, origin: Origin) -> Origin {
        Origin {
            scope: self.scope(copy, origin.scope),
            ..origin
        }
    }

    fn register(&self, copy: usize, register: RegisterId) -> RegisterId {
        Id::new(copy * self.n.registers.len() + register.index())
    }

    fn memory(&self, copy: usize, memory: MemoryId) -> MemoryId {
        Id::new(copy * self.n.memories.len() + memory.index())
    }

    /// Scopes, registers and memories, with the cells of the original.
    fn state(&mut self, copy: usize) {
        for scope in self.n.scopes.values() {
            let mut scope = scope.clone();
            scope.parent = Some(match scope.parent {
                Some(parent) => self.scope(copy, parent),
                None => {
                    scope.name = format!("copy_{copy}");
                    Id::new(0)
                }
            });
            self.b.netlist.scopes.push(scope);
        }
        for register in self.n.registers.values() {
            let origin = self.origin(copy, register.origin);
            let register = Register {
                origin,
                ..register.clone()
            };
            self.b.netlist.registers.push(register);
        }
        for memory in self.n.memories.values() {
            let origin = self.origin(copy, memory.origin);
            let memory = Memory {
                origin,
                ..memory.clone()
            };
            self.b.netlist.memories.push(memory);
        }
    }

    fn cells(&mut self, copy: usize) {
        let clocks: Vec<CellId> = self.n.triggers.values().map(|t| t.net).collect();
        let mut map: Vec<CellId> = Vec::new();
        for (id, cell) in self.n.cells.iter() {
            let kind = match cell.kind {
                CellKind::Register(r) => CellKind::Register(self.register(copy, r)),
                CellKind::Input(i) if !clocks.contains(&id) => self.input(copy, i, cell.width),
                CellKind::MemRead { memory, address } => CellKind::MemRead {
                    memory: self.memory(copy, memory),
                    address: map[address.index()],
                },
                ref kind => kind.map_operands(|o| map[o.index()]),
            };
            self.b.origin = self.origin(copy, self.n.origins[id]);
            map.push(self.b.intern(kind, cell.width));
        }
        self.maps.push(map);
    }

    /// An input, or what a copy sees in its place.
    fn input(&self, copy: usize, input: InputId, width: u32) -> CellKind {
        let fits = |(_, r): &(RegisterId, &Register)| r.width == width;
        match self.n.registers.iter().find(fits) {
            Some((register, _)) if copy > 0 && input.index() % 2 == 1 => {
                CellKind::Register(self.register(copy - 1, register))
            }
            _ => CellKind::Input(input),
        }
    }

    /// The cells that state and effects refer to.
    fn connect(&mut self, copy: usize) {
        let map = &self.maps[copy];
        let new = |cell: CellId| map[cell.index()];
        if copy == 0 {
            for trigger in self.n.triggers.values() {
                let net = new(trigger.net);
                self.b.netlist.triggers.push(Trigger { net, ..*trigger });
            }
        }
        for r in self.n.registers.ids() {
            let r = self.register(copy, r);
            let register = &mut self.b.netlist.registers[r];
            register.next = new(register.next);
        }
        for m in self.n.memories.ids() {
            let m = self.memory(copy, m);
            for port in &mut self.b.netlist.memories[m].writes {
                let cells = [
                    &mut port.enable,
                    &mut port.address,
                    &mut port.data,
                    &mut port.mask,
                ];
                cells.into_iter().for_each(|cell| *cell = new(*cell));
            }
        }
        for effect in &self.n.effects {
            let mut effect = effect.clone();
            effect.enable = new(effect.enable);
            effect.args.iter_mut().for_each(|a| a.value = new(a.value));
            effect.origin = self.origin(copy, effect.origin);
            effect.name = format!("{}_{copy}", effect.name);
            self.b.netlist.effects.push(effect);
        }
    }

    /// Ports of the first copy, then the names of all.
    fn names(&mut self, copies: usize) {
        for copy in 0..copies {
            for signal in self.n.signals.values() {
                let is_port = signal.direction != Direction::None;
                if is_port && copy > 0 {
                    continue;
                }
                let new = |cell: CellId| self.maps[copy][cell.index()];
                let mut signal = signal.clone();
                signal.value = match signal.value {
                    SignalValue::Cell(cell) => SignalValue::Cell(new(cell)),
                    SignalValue::Memory(m) => SignalValue::Memory(self.memory(copy, m)),
                    SignalValue::Inout {
                        input,
                        output,
                        enable,
                    } => SignalValue::Inout {
                        input: new(input),
                        output: new(output),
                        enable: new(enable),
                    },
                };
                if !is_port {
                    signal.scope = self.scope(copy, signal.scope);
                }
                self.b.netlist.signals.push(signal);
            }
        }
    }
}
