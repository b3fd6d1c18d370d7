//! Where a graph with cycles is cut so that none is left.
//!
//! In: edges from every vertex to what it needs, and ranks that say which vertices to take rather than others. Out: the
//! cuts, each with the strongly connected component that it was taken from. No recursion: graphs can be deep.

/// In components of more vertices one in the middle is taken, so that what is left falls apart.
const LARGE: usize = 64;

/// A vertex needs another one.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub to: u32,
    /// The other is one of the values that the vertex chooses from.
    pub choice: bool,
}

#[derive(Debug)]
pub struct Cut {
    pub vertex: u32,
    /// Every cycle here goes through the vertex, and through choices only: it holds its value. These others are on them.
    pub holds: Option<Vec<u32>>,
}

#[derive(Debug, Default)]
pub struct Feedback {
    pub cuts: Vec<Cut>,
    /// The vertices of components in which not one alone holds its value.
    pub loops: Vec<u32>,
}

/// Cuts every component at a vertex of the least rank in it, until no cycle is left.
pub fn find(edges: &[Vec<Edge>], ranks: &[u8]) -> Feedback {
    let mut search = Search {
        edges,
        part: vec![0; edges.len()],
        parts: 0,
        index: vec![0; edges.len()],
        low: vec![0; edges.len()],
        counter: 0,
        open: Vec::new(),
        frames: Vec::new(),
    };
    let mut found = Feedback::default();
    let all: Vec<u32> = (0..edges.len() as u32).collect();
    for whole in search.components(&all) {
        let mut work = vec![whole.clone()];
        while let Some(mut component) = work.pop() {
            let chooses = component.iter().all(|v| search.only_chooses(*v));
            let vertex = chosen(&component, ranks);
            component.retain(|other| *other != vertex);
            let inner = search.components(&component);
            let holds = chooses && inner.is_empty();
            if !holds && component.len() + 1 == whole.len() {
                found.loops.extend_from_slice(&whole);
            }
            found.cuts.push(Cut {
                vertex,
                holds: holds.then_some(component),
            });
            work.extend(inner);
        }
    }
    found
}

/// The first vertex of the least rank; of a large component the one in the middle of those.
fn chosen(component: &[u32], ranks: &[u8]) -> u32 {
    let rank = |v: &u32| ranks[*v as usize];
    let least = component.iter().map(rank).min();
    let mut those: Vec<u32> = component.to_vec();
    those.retain(|v| Some(rank(v)) == least);
    let place = if component.len() > LARGE {
        those.len() / 2
    } else {
        0
    };
    *those.select_nth_unstable(place).1
}

struct Search<'e> {
    edges: &'e [Vec<Edge>],
    /// Edges between vertices of different parts count no more.
    part: Vec<u32>,
    parts: u32,
    /// Order of discovery from 1 on; 0 for a new vertex.
    index: Vec<u32>,
    /// The smallest index that is reached from here and still open.
    low: Vec<u32>,
    counter: u32,
    /// Vertices of open components.
    open: Vec<u32>,
    frames: Vec<Frame>,
}

/// A vertex being visited, and how many of its edges have been followed.
struct Frame {
    vertex: u32,
    next: usize,
}

impl Search<'_> {
    /// The strongly connected components of some vertices that have cycles; each becomes a part of its own.
    fn components(&mut self, vertices: &[u32]) -> Vec<Vec<u32>> {
        let within = self.new_part(vertices);
        for vertex in vertices {
            self.index[*vertex as usize] = 0;
        }
        let mut found = Vec::new();
        for vertex in vertices {
            if self.part[*vertex as usize] == within {
                self.visit(*vertex, &mut found);
            }
        }
        found
    }

    fn visit(&mut self, root: u32, found: &mut Vec<Vec<u32>>) {
        let within = self.part[root as usize];
        self.enter(root);
        while let Some(frame) = self.frames.last_mut() {
            let vertex = frame.vertex as usize;
            if let Some(edge) = self.edges[vertex].get(frame.next) {
                frame.next += 1;
                let to = edge.to as usize;
                match self.index[to] {
                    _ if self.part[to] != within => {}
                    0 => self.enter(edge.to),
                    index => self.low[vertex] = self.low[vertex].min(index),
                }
                continue;
            }
            self.frames.pop();
            if let Some(parent) = self.frames.last() {
                let parent = parent.vertex as usize;
                self.low[parent] = self.low[parent].min(self.low[vertex]);
            }
            if self.low[vertex] == self.index[vertex] {
                self.close(vertex as u32, found);
            }
        }
    }

    fn enter(&mut self, vertex: u32) {
        self.counter += 1;
        self.index[vertex as usize] = self.counter;
        self.low[vertex as usize] = self.counter;
        self.open.push(vertex);
        self.frames.push(Frame { vertex, next: 0 });
    }

    fn close(&mut self, root: u32, found: &mut Vec<Vec<u32>>) {
        let at = self.open.iter().rposition(|v| *v == root);
        let component = self
            .open
            .split_off(at.expect("a vertex being visited is open"));
        self.new_part(&component);
        if component.len() > 1 || self.edges[root as usize].iter().any(|e| e.to == root) {
            found.push(component);
        }
    }

    fn new_part(&mut self, vertices: &[u32]) -> u32 {
        self.parts += 1;
        for vertex in vertices {
            self.part[*vertex as usize] = self.parts;
        }
        self.parts
    }

    /// True when a vertex needs the others of its part as choices only.
    fn only_chooses(&self, vertex: u32) -> bool {
        let part = |v: u32| self.part[v as usize];
        let mut inside = self.edges[vertex as usize]
            .iter()
            .filter(|e| part(e.to) == part(vertex));
        inside.all(|e| e.choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges as `(from, to, choice)`; vertices of the list are taken first.
    fn cut(count: usize, edges: &[(u32, u32, bool)], first: &[u32]) -> Vec<(u32, bool)> {
        let mut graph = vec![Vec::new(); count];
        for (from, to, choice) in edges {
            graph[*from as usize].push(Edge {
                to: *to,
                choice: *choice,
            });
        }
        let ranks: Vec<u8> = (0..count as u32)
            .map(|v| u8::from(!first.contains(&v)))
            .collect();
        let mut found: Vec<(u32, bool)> = find(&graph, &ranks)
            .cuts
            .iter()
            .map(|c| (c.vertex, c.holds.is_some()))
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn without_cycles_nothing_is_cut() {
        assert_eq!(
            cut(3, &[(0, 1, false), (1, 2, true), (0, 2, true)], &[]),
            []
        );
    }

    #[test]
    fn a_cycle_is_cut_once_where_the_rank_says() {
        let ring = [(0, 1, false), (1, 2, false), (2, 0, false)];
        assert_eq!(cut(3, &ring, &[]), [(0, false)]);
        assert_eq!(cut(3, &ring, &[2]), [(2, false)]);
        // Entered at 0, which lies on no cycle itself, and at 1, which is not to be taken.
        let tail = [(0, 1, false), (1, 2, false), (2, 3, false), (3, 1, false)];
        assert_eq!(cut(4, &tail, &[3]), [(3, false)]);
    }

    #[test]
    fn a_shared_vertex_without_a_name_is_not_cut() {
        // 0 and 3 are named; both loops go through 1.
        let edges = [
            (0, 1, false),
            (1, 2, false),
            (2, 0, false),
            (1, 3, false),
            (3, 1, false),
        ];
        assert_eq!(cut(4, &edges, &[0, 3]), [(0, false), (3, false)]);
    }

    #[test]
    fn a_large_component_falls_apart() {
        let next = |v: u32| [(v, v + 1, false), (v + 1, v, false)];
        let chain: Vec<(u32, u32, bool)> = (0..99_999).flat_map(next).collect();
        let found = cut(100_000, &chain, &[]);
        // One after the other it would take hours.
        assert!((50_000..100_000).contains(&found.len()), "{}", found.len());
    }

    #[test]
    fn choices_alone_hold() {
        assert_eq!(cut(1, &[(0, 0, true)], &[]), [(0, true)]);
        assert_eq!(cut(2, &[(0, 1, true), (1, 0, true)], &[1]), [(1, true)]);
        assert_eq!(
            cut(2, &[(0, 1, true), (1, 0, true), (1, 0, false)], &[]),
            [(0, false)]
        );
        // Two that hold each other: one alone does not keep what is held.
        let two = [(0, 1, true), (1, 0, true), (1, 1, true)];
        assert_eq!(cut(2, &two, &[]), [(0, false), (1, true)]);
    }
}
