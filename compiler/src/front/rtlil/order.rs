//! Lowers all nodes, operands first.
//!
//! Strongly connected components come out of Tarjan's algorithm operands first, so a node alone in its
//! component is lowered at once. A larger component goes to `loops`. No recursion: nets can be deep.

use super::drivers::NodeId;
use super::lower::Lower;
use super::operands::Operand;

const NEW: u32 = u32::MAX;
const DONE: u32 = u32::MAX - 1;

/// A node being visited: its operands are `edges[next..end]`.
struct Frame {
    node: NodeId,
    next: usize,
    first: usize,
}

/// Lowers every node that has no value yet.
pub fn lower_all(lower: &mut Lower) {
    let count = lower.graph.nodes.len();
    let mut search = Search {
        index: vec![NEW; count],
        low: vec![0; count],
        stack: Vec::new(),
        frames: Vec::new(),
        edges: Vec::new(),
        counter: 0,
        done: 0,
        operands: Vec::new(),
    };
    for node in 0..count as NodeId {
        if search.index[node as usize] == NEW {
            search.run(lower, node);
        }
    }
}

struct Search {
    /// Order of discovery, [`NEW`] or [`DONE`].
    index: Vec<u32>,
    /// Smallest index that is reached from here and still open.
    low: Vec<u32>,
    /// Nodes of open components.
    stack: Vec<NodeId>,
    frames: Vec<Frame>,
    /// Operands of the nodes in `frames`.
    edges: Vec<NodeId>,
    counter: u32,
    done: u32,
    operands: Vec<Operand>,
}

impl Search {
    fn run(&mut self, lower: &mut Lower, root: NodeId) {
        self.open(lower, root);
        while let Some(frame) = self.frames.last_mut() {
            let node = frame.node;
            if frame.next < self.edges.len() {
                let operand = self.edges[frame.next];
                frame.next += 1;
                match self.index[operand as usize] {
                    NEW => self.open(lower, operand),
                    DONE => {}
                    index => self.low[node as usize] = self.low[node as usize].min(index),
                }
                continue;
            }
            let frame = self.frames.pop().expect("there is one");
            let on_itself = self.edges[frame.first..].contains(&node);
            self.edges.truncate(frame.first);
            if let Some(parent) = self.frames.last() {
                let parent = parent.node as usize;
                self.low[parent] = self.low[parent].min(self.low[node as usize]);
            }
            if self.low[node as usize] == self.index[node as usize] {
                self.close(lower, node, on_itself);
            }
        }
    }

    fn open(&mut self, lower: &Lower, node: NodeId) {
        self.index[node as usize] = self.counter;
        self.low[node as usize] = self.counter;
        self.counter += 1;
        self.stack.push(node);
        let first = self.edges.len();
        if lower.values[node as usize].is_none() {
            self.operands.clear();
            lower.operands(node, &mut self.operands);
            for operand in &self.operands {
                let repeated = self.edges.len() > first && self.edges.last() == Some(&operand.node);
                if !repeated && self.index[operand.node as usize] != DONE {
                    self.edges.push(operand.node);
                }
            }
        }
        self.frames.push(Frame {
            node,
            next: first,
            first,
        });
    }

    /// Takes a finished component off the stack and lowers it.
    fn close(&mut self, lower: &mut Lower, root: NodeId, on_itself: bool) {
        let at = self
            .stack
            .iter()
            .rposition(|n| *n == root)
            .expect("open nodes are on the stack");
        for node in &self.stack[at..] {
            self.index[*node as usize] = DONE;
        }
        if self.stack.len() - at == 1 && !on_itself {
            self.stack.pop();
            if lower.values[root as usize].is_none() {
                let width = lower.graph.width(root);
                let value = lower.lower_node(root, 0, width);
                lower.values[root as usize] = Some(value);
            }
            self.finished(lower, &[root]);
            return;
        }
        let mut members: Vec<NodeId> = self.stack.drain(at..).collect();
        members.sort_unstable();
        super::loops::lower_component(lower, &members);
        self.finished(lower, &members);
    }

    fn finished(&mut self, lower: &mut Lower, nodes: &[NodeId]) {
        for node in nodes {
            self.done += 1;
            lower.rank[*node as usize] = self.done;
        }
    }
}
