//! What hangs on what through logic alone, with no edge of a clock in between: a netlist in, answers for hosts that want
//! to know whether a write can change a value at once. It is the netlist as the source says it, before any pass.

use std::collections::BTreeMap;

use crate::diag::Result;
use crate::front;
use crate::ir::{CellKind, EffectTime, Netlist, SignalValue, TriggerRole};
use crate::options::Design;

/// Nodes, and what each looks at. Nodes are the cells, then the state: inputs, registers, latches, loops, memories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Where the operands of each node begin; one more than there are nodes.
    starts: Vec<u32>,
    operands: Vec<u32>,
    /// The first node that is state.
    state: u32,
    /// Clocks and asynchronous loads that are no primary clocks.
    triggers: Vec<u32>,
    /// What is told when it changes.
    told: Vec<u32>,
    /// By path, its parts with spaces between them.
    names: BTreeMap<String, u32>,
}

/// State that a value hangs on, in order.
pub type Cone = Box<[u32]>;

/// Whether a write to what one cone stands for can change what the other one does.
pub fn meet(a: &Cone, b: &Cone) -> bool {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    few.iter().any(|node| many.binary_search(node).is_ok())
}

impl Reach {
    /// That of a design.
    pub fn of_design(design: &Design) -> Result<Reach> {
        let elaborated = front::elaborate(design, &mut Vec::new())?;
        Ok(Reach::of(&elaborated.netlist))
    }

    /// That of a netlist.
    pub fn of(n: &Netlist) -> Reach {
        let places = Places::of(n);
        let mut reach = Reach {
            starts: vec![0],
            state: places.inputs as u32,
            ..Reach::default()
        };
        let mut operands = Vec::new();
        for cell in n.cells.values() {
            cell.kind
                .for_each_operand(|operand| operands.push(operand.index()));
            operands.extend(places.state_of(&cell.kind));
            reach.push(&mut operands);
        }
        for _ in n.inputs.values() {
            reach.push(&mut operands);
        }
        for register in n.registers.values() {
            let load = register.load.iter();
            operands.extend(load.flat_map(|load| [load.when.index(), load.value.index()]));
            reach.push(&mut operands);
        }
        let values = n.latches.values().map(|latch| latch.value);
        for value in values.chain(n.loops.values().map(|cut| cut.value)) {
            operands.push(value.index());
            reach.push(&mut operands);
        }
        for _ in n.memories.values() {
            reach.push(&mut operands);
        }
        reach.roots(n, &places);
        reach
    }

    fn push(&mut self, operands: &mut Vec<usize>) {
        self.operands
            .extend(operands.drain(..).map(|node| node as u32));
        self.starts.push(self.operands.len() as u32);
    }

    /// What is asked for.
    fn roots(&mut self, n: &Netlist, places: &Places) {
        let triggers = n.triggers.values();
        let computed = triggers.filter(|trigger| trigger.role != TriggerRole::PrimaryClock);
        self.triggers = computed.map(|trigger| trigger.net.index() as u32).collect();
        let effects = n.effects.iter();
        for effect in effects.filter(|effect| effect.when == EffectTime::Change) {
            let arguments = effect.args.iter().map(|argument| argument.value);
            let cells = arguments.chain([effect.enable]);
            self.told.extend(cells.map(|cell| cell.index() as u32));
        }
        for (id, signal) in n.signals.iter() {
            let node = match signal.value {
                SignalValue::Cell(cell) => cell.index(),
                SignalValue::Memory(memory) => places.memories + memory.index(),
                SignalValue::Inout { .. } => continue,
            };
            let path = n.signal_path(id).join(" ");
            self.names.insert(path, node as u32);
        }
    }

    /// What a name hangs on; of one that can be written, the state that it is.
    pub fn cone_of(&self, path: &str) -> Option<Cone> {
        self.names.get(path).map(|node| self.cone(&[*node]))
    }

    /// What clocks and asynchronous loads hang on that the design computes.
    pub fn triggers(&self) -> Cone {
        self.cone(&self.triggers)
    }

    /// What is told when it changes hangs on that.
    pub fn told(&self) -> Cone {
        self.cone(&self.told)
    }

    fn cone(&self, roots: &[u32]) -> Cone {
        let mut seen = vec![false; self.starts.len()];
        let mut left = roots.to_vec();
        let mut found = Vec::new();
        while let Some(node) = left.pop() {
            if std::mem::replace(&mut seen[node as usize], true) {
                continue;
            }
            if node >= self.state {
                found.push(node);
            }
            let [start, end] = [0, 1].map(|next| self.starts[node as usize + next] as usize);
            left.extend(&self.operands[start..end]);
        }
        found.sort_unstable();
        found.into()
    }

    /// For a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.state.to_le_bytes().to_vec();
        let lists = [&self.starts, &self.operands, &self.triggers, &self.told];
        for list in lists {
            put(&mut bytes, list.len() as u32);
            list.iter().for_each(|number| put(&mut bytes, *number));
        }
        for (name, node) in &self.names {
            put(&mut bytes, *node);
            put(&mut bytes, name.len() as u32);
            bytes.extend(name.as_bytes());
        }
        bytes
    }

    /// What was made of it; None: it is no such thing.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Reach> {
        let bytes = &mut bytes;
        let state = take(bytes)?;
        let mut list = || -> Option<Vec<u32>> {
            let length = take(bytes)? as usize;
            (length <= bytes.len() / 4).then_some(())?;
            (0..length).map(|_| take(bytes)).collect()
        };
        let [starts, operands, triggers, told] = [list()?, list()?, list()?, list()?];
        let mut names = BTreeMap::new();
        while !bytes.is_empty() {
            let (node, length) = (take(bytes)?, take(bytes)? as usize);
            let name = bytes.split_off(..length)?;
            names.insert(String::from_utf8(name.to_vec()).ok()?, node);
        }
        let nodes = starts.len().checked_sub(1)?;
        let is_node = |node: &u32| (*node as usize) < nodes;
        let lists = [&operands, &triggers, &told];
        let ends = starts.last().map(|end| *end as usize) == Some(operands.len());
        let known =
            lists.iter().all(|list| list.iter().all(is_node)) && names.values().all(is_node);
        (known && ends && starts.is_sorted()).then_some(Reach {
            starts,
            operands,
            state,
            triggers,
            told,
            names,
        })
    }
}

fn put(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend(number.to_le_bytes());
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

/// The first node of each kind of state.
struct Places {
    inputs: usize,
    registers: usize,
    latches: usize,
    loops: usize,
    memories: usize,
}

impl Places {
    fn of(n: &Netlist) -> Places {
        let inputs = n.cells.len();
        let registers = inputs + n.inputs.len();
        let latches = registers + n.registers.len();
        let loops = latches + n.latches.len();
        Places {
            inputs,
            registers,
            latches,
            loops,
            memories: loops + n.loops.len(),
        }
    }

    /// The state whose value a cell is, or a part of it.
    fn state_of(&self, kind: &CellKind) -> Option<usize> {
        if let CellKind::Input(input) = kind {
            Some(self.inputs + input.index())
        } else if let CellKind::Register(register) = kind {
            Some(self.registers + register.index())
        } else if let CellKind::Latch(latch) = kind {
            Some(self.latches + latch.index())
        } else if let CellKind::LoopCut(cut) = kind {
            Some(self.loops + cut.index())
        } else if let CellKind::MemRead { memory, .. } = kind {
            Some(self.memories + memory.index())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::rtlil::{ReadOptions, read};

    /// A register behind `a`, logic behind `b`, a latch that `c` opens, and a register that `reset` sets to `a`.
    const TEXT: &str = r#"
attribute \top 1
module \top
  wire input 1 \clk
  wire input 2 \a
  wire input 3 \b
  wire input 4 \c
  wire input 5 \reset
  wire \r
  wire \both
  wire \held
  wire \other
  memory width 1 size 4 \rows
  wire \row
  cell $dff $1
    parameter \WIDTH 1
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \a
    connect \Q \r
  end
  cell $and $2
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \r
    connect \B \b
    connect \Y \both
  end
  cell $dlatch $3
    parameter \WIDTH 1
    parameter \EN_POLARITY 1
    connect \EN \c
    connect \D \b
    connect \Q \held
  end
  cell $aldff $4
    parameter \WIDTH 1
    parameter \CLK_POLARITY 1
    parameter \ALOAD_POLARITY 1
    connect \CLK \clk
    connect \ALOAD \reset
    connect \AD \a
    connect \D \b
    connect \Q \other
  end
  cell $memrd_v2 $5
    parameter \MEMID "\\rows"
    parameter \ABITS 1
    parameter \WIDTH 1
    parameter \CLK_ENABLE 0
    parameter \CLK_POLARITY 0
    parameter \TRANSPARENCY_MASK 1'0
    parameter \COLLISION_X_MASK 1'0
    parameter \CE_OVER_SRST 0
    parameter \ARST_VALUE 1'x
    parameter \SRST_VALUE 1'x
    parameter \INIT_VALUE 1'x
    connect \CLK 1'0
    connect \EN 1'1
    connect \ARST 1'0
    connect \SRST 1'0
    connect \ADDR \c
    connect \DATA \row
  end
end
"#;

    fn reach() -> Reach {
        let netlist = read("top.il", TEXT, &ReadOptions::default(), &mut Vec::new());
        Reach::of(&netlist.expect("legal RTLIL"))
    }

    #[test]
    fn writes_reach_what_logic_makes_of_them() {
        let reach = reach();
        let reached = |write: &str| {
            let write = reach.cone_of(write).expect("a name");
            let all = ["r", "both", "held", "other", "row"];
            let is = |name: &&str| meet(&write, &reach.cone_of(name).expect("a name"));
            all.into_iter().filter(is).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(reached("a"), "other");
        assert_eq!(reached("b"), "both held");
        assert_eq!(reached("c"), "held row");
        assert_eq!(reached("reset"), "other");
        assert_eq!(reached("r"), "r both");
        assert_eq!(reached("rows"), "row");
        let reset = reach.cone_of("reset").expect("a name");
        assert!(meet(&reset, &reach.triggers()));
        assert_eq!(reach.cone_of("nothing"), None);
    }

    #[test]
    fn it_survives_a_file() {
        let reach = reach();
        let bytes = reach.to_bytes();
        assert_eq!(Reach::from_bytes(&bytes), Some(reach));
        for end in 0..bytes.len() {
            let _ = Reach::from_bytes(&bytes[..end]);
            let mut damaged = bytes.clone();
            damaged[end] ^= 1;
            if let Some(found) = Reach::from_bytes(&damaged) {
                let names: Vec<String> = found.names.keys().cloned().collect();
                names.iter().for_each(|name| drop(found.cone_of(name)));
            }
        }
    }
}
