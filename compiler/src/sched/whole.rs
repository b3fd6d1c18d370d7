//! Whole instances that share a function, where nothing sleeps.
//!
//! What sleeps is cut small: the multiplier of a processor sleeps while the rest of it is busy. Awake, small pieces only
//! pass values to each other. In: the supernodes that are alike. Out: the largest instances around these that are alike
//! themselves, with all of their state.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Action;
use super::activity::{Activity, Supernode, Supernodes};
use super::alike::{self, Class};
use super::regions::Sink;
use crate::ir::*;

/// The largest instances around those of the classes, each with all registers and memories below it.
pub fn instances(
    n: &Netlist,
    sinks: &[Sink],
    supernodes: &Supernodes,
    classes: &[Class],
) -> Vec<Supernode> {
    let mut roots: FxHashSet<ScopeId> = FxHashSet::default();
    for class in classes {
        let members = class.members.iter();
        let scopes: Vec<ScopeId> = members.map(|m| supernodes.nodes[m.node].scope).collect();
        roots.extend(around(n, &scopes));
    }
    let mut nodes: Vec<Supernode> = Vec::new();
    let mut node_of: Vec<Option<usize>> = vec![None; n.scopes.len()];
    // Scopes come after those that they lie in.
    for (id, scope) in n.scopes.iter() {
        let outer = scope.parent.and_then(|p| node_of[p.index()]);
        let is_new = outer.is_none() && roots.contains(&id);
        node_of[id.index()] = outer.or(is_new.then_some(nodes.len()));
        nodes.extend(is_new.then(|| Supernode::empty(id)));
    }
    for sink in sinks {
        match sink.action {
            Action::StoreRegister(r, _) => {
                let node = node_of[n.registers[r].origin.scope.index()];
                node.into_iter().for_each(|i| nodes[i].registers.push(r));
            }
            Action::Write { memory, .. } => {
                let node = node_of[n.memories[memory].origin.scope.index()];
                node.into_iter()
                    .for_each(|i| nodes[i].memories.push(memory));
            }
            _ => {}
        }
    }
    for node in &mut nodes {
        node.registers.sort_by_key(|r| n.registers[*r].origin.scope);
        node.memories.dedup();
    }
    nodes
}

/// Leaves out the registers whose next values are not the same in instances of one shape, such as those that take the
/// number of a core; true if there were any.
pub fn leave_out(
    n: &Netlist,
    activity: &Activity,
    sinks: &[Sink],
    nodes: &mut [Supernode],
) -> bool {
    let (_, parts) = activity.split(sinks);
    let hashes = alike::hashes(n, activity, &parts);
    let mut shapes: FxHashMap<Vec<u32>, Vec<usize>> = FxHashMap::default();
    for (i, node) in nodes.iter().enumerate() {
        let widths = node.registers.iter().map(|r| n.registers[*r].width);
        shapes.entry(widths.collect()).or_default().push(i);
    }
    let mut any = false;
    for members in shapes.values() {
        let next = |node: usize| {
            let sinks = parts[node].iter().zip(&hashes[node]);
            let next = sinks.filter_map(|(sink, hash)| match sink.action {
                Action::StoreRegister(r, _) => Some((r, *hash)),
                _ => None,
            });
            next.collect::<FxHashMap<RegisterId, u64>>()
        };
        let hashes: Vec<FxHashMap<RegisterId, u64>> = members.iter().map(|i| next(*i)).collect();
        let places = 0..nodes[members[0]].registers.len();
        let differs = places.map(|place| {
            let all = members.iter().zip(&hashes);
            let mut all = all.map(|(i, hashes)| hashes.get(&nodes[*i].registers[place]));
            let first = all.next();
            all.any(|hash| Some(hash) != first)
        });
        let differs: Vec<bool> = differs.collect();
        any |= differs.contains(&true);
        for i in members {
            let mut places = differs.iter();
            nodes[*i]
                .registers
                .retain(|_| places.next() == Some(&false));
        }
    }
    any
}

/// For each of some scopes the largest one around it, but the top, with no other of them in it.
fn around(n: &Netlist, scopes: &[ScopeId]) -> Vec<ScopeId> {
    let parent = |scope: ScopeId| n.scopes[scope].parent;
    let mut inside: FxHashMap<ScopeId, u32> = FxHashMap::default();
    for scope in scopes {
        let mut at = Some(*scope);
        while let Some(scope) = at {
            *inside.entry(scope).or_default() += 1;
            at = parent(scope);
        }
    }
    let alone = |scope: &ScopeId| inside[scope] == 1 && parent(*scope).is_some();
    let largest = scopes.iter().map(|scope| {
        let mut at = *scope;
        while let Some(outer) = parent(at).filter(alone) {
            at = outer;
        }
        at
    });
    largest.collect()
}

/// True where all of these instances are in classes whose members have their state in the same order: `small` are the
/// supernodes by which registers are laid.
pub fn are_alike(n: &Netlist, small: &Supernodes, large: &Supernodes, classes: &[Class]) -> bool {
    let width = |r: &RegisterId| n.registers[*r].width;
    let shape = |node: usize| {
        let registers = &large.nodes[node].registers;
        let inside = registers.iter().map(|r| small.of_register(*r));
        let first = inside.clone().flatten().min();
        // The place of the supernode that each register is in, and the widths of all registers of that.
        let places = inside.map(|node| {
            let node = node?;
            let all = small.nodes[node].registers.iter().map(width);
            Some((node - first?, all.collect::<Vec<u32>>()))
        });
        let widths = registers.iter().map(width);
        widths.zip(places).collect::<Vec<_>>()
    };
    let members: usize = classes.iter().map(|class| class.members.len()).sum();
    let same = |class: &Class| {
        let model = shape(class.members[0].node);
        let mut others = class.members[1..].iter();
        others.all(|member| shape(member.node) == model)
    };
    members == large.nodes.len() && classes.iter().all(same)
}
