//! Module definitions to instances: which module stands where, and where its bits begin.
//!
//! Every instance gets a scope and a range of the flat bit numbering; bit `base + wire_bits[wire] + i`
//! is bit `i` of a wire. Instances are in preorder, the top first.

use std::collections::BTreeMap;

use super::ReadOptions;
use super::ast::*;
use super::catalog::{Class, classify};
use super::known::name;
use super::problem::Problems;
use crate::arena::Arena;
use crate::ir::{Scope, ScopeId, SourceId};

/// One module at one place.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    pub module: u32,
    pub scope: ScopeId,
    /// Number of its first bit.
    pub base: u32,
    /// The instance that holds it and the index of the cell there.
    pub parent: Option<(u32, u32)>,
}

/// All instances of a design.
pub struct Hierarchy {
    pub instances: Vec<Instance>,
    /// For each module the first bit of each wire, counted from the instance's base; one entry more at
    /// the end: the number of bits of the module.
    pub wire_bits: Vec<Vec<u32>>,
    /// Total number of bits.
    pub bits: u32,
    pub scopes: Arena<Scope>,
    /// The class of each cell type, by name.
    classes: Vec<Option<Class>>,
    module_of: Vec<Option<u32>>,
}

/// What a cell stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Instance(u32),
    Primitive(Class),
    Missing,
}

impl Hierarchy {
    /// What a cell type stands for; modules of the file come first.
    pub fn meaning(&self, kind: Name) -> Meaning {
        match (
            self.module_of[kind.0 as usize],
            self.classes[kind.0 as usize],
        ) {
            (Some(module), _) => Meaning::Instance(module),
            (None, Some(class)) => Meaning::Primitive(class),
            (None, None) => Meaning::Missing,
        }
    }

    /// Number of the first bit of a wire.
    pub fn first_bit(&self, instance: u32, wire: u32) -> u32 {
        let instance = &self.instances[instance as usize];
        instance.base + self.wire_bits[instance.module as usize][wire as usize]
    }

    /// The instance and wire that a bit belongs to, and its index there.
    pub fn wire_at(&self, bit: u32) -> (u32, u32, u32) {
        let instance = self.instances.partition_point(|i| i.base <= bit) - 1;
        let Instance { module, base, .. } = self.instances[instance];
        let starts = &self.wire_bits[module as usize];
        let wire = starts.partition_point(|s| base + s <= bit) - 1;
        (instance as u32, wire as u32, bit - base - starts[wire])
    }
}

/// Finds the top module and all instances below it.
pub fn elaborate(
    design: &Design,
    options: &ReadOptions,
    problems: &mut Problems,
) -> Option<Hierarchy> {
    let mut module_of = vec![None; design.names.len()];
    let mut classes = vec![None; design.names.len()];
    for (index, module) in design.modules.iter().enumerate() {
        let blackbox = module
            .attributes_of(module.item)
            .any(|(n, _)| n == name!("blackbox"));
        if !blackbox {
            module_of[module.item.name.0 as usize] = Some(index as u32);
        }
        for cell in &module.cells {
            let class = &mut classes[cell.kind.0 as usize];
            let text = design.names.text(cell.kind);
            if class.is_none() && text.starts_with('$') && !text.starts_with("$paramod") {
                *class = Some(classify(text));
            }
        }
    }
    let wire_bits = design
        .modules
        .iter()
        .map(first_bits)
        .collect::<Option<Vec<_>>>();
    let Some(wire_bits) = wire_bits else {
        problems.too_large();
        return None;
    };
    let top = find_top(design, &module_of, options, problems)?;
    let mut hierarchy = Hierarchy {
        instances: Vec::new(),
        wire_bits,
        bits: 0,
        scopes: Arena::default(),
        classes,
        module_of,
    };
    let module = &design.modules[top as usize];
    let shown = module_name(design, module);
    let source = problems.source(module.item.src);
    let scope = hierarchy.scopes.push(Scope {
        parent: None,
        name: shown.clone(),
        module: shown,
        source,
    });
    place_instances(
        design,
        &mut hierarchy,
        Instance {
            module: top,
            scope,
            base: 0,
            parent: None,
        },
        problems,
    )?;
    Some(hierarchy)
}

fn first_bits(module: &Module) -> Option<Vec<u32>> {
    let mut at = 0u32;
    let mut starts = Vec::with_capacity(module.wires.len() + 1);
    for wire in &module.wires {
        starts.push(at);
        at = at.checked_add(wire.width)?;
    }
    starts.push(at);
    Some(starts)
}

/// The name of a module as the source has it: elaborators append parameters or the instance path.
fn module_name(design: &Design, module: &Module) -> String {
    let given = module
        .attributes_of(module.item)
        .find(|(n, _)| *n == name!("hdlname"));
    if let Some((_, Value::Str(text))) = given {
        return super::lexer::unescape(design.names.text(text));
    }
    let full = design.names.text(module.item.name);
    if let Some(rest) = full.strip_prefix("$paramod") {
        let mut parts = rest.split('\\').skip(1);
        return parts.next().unwrap_or(rest).to_string();
    }
    let shown = design.shown(module.item.name);
    match shown.split_once('$') {
        Some((before, _)) if !before.is_empty() => before.to_string(),
        _ => shown.to_string(),
    }
}

fn find_top(
    design: &Design,
    module_of: &[Option<u32>],
    options: &ReadOptions,
    problems: &mut Problems,
) -> Option<u32> {
    let shown = |m: &Module| design.shown(m.item.name).to_string();
    if let Some(wanted) = &options.top {
        let named = |exact: bool| {
            let is_it = |m: &Module| {
                if exact {
                    shown(m) == *wanted
                } else {
                    module_name(design, m) == *wanted
                }
            };
            design.modules.iter().position(is_it)
        };
        if let Some(found) = named(true).or_else(|| named(false)) {
            return Some(found as u32);
        }
        problems.no_top(
            format!("there is no module `{wanted}`"),
            design.modules.iter().map(shown).collect(),
        );
        return None;
    }
    let marked = |m: &Module| {
        m.attributes_of(m.item)
            .any(|(n, v)| n == name!("top") && v != Value::Int(0))
    };
    if let Some(found) = design.modules.iter().position(marked) {
        return Some(found as u32);
    }
    let mut used = vec![false; design.modules.len()];
    for cell in design.modules.iter().flat_map(|m| &m.cells) {
        if let Some(module) = module_of[cell.kind.0 as usize] {
            used[module as usize] = true;
        }
    }
    let free: Vec<&Module> = design
        .modules
        .iter()
        .enumerate()
        .filter(|(i, m)| !used[*i] && module_of[m.item.name.0 as usize].is_some())
        .map(|(_, m)| m)
        .collect();
    match free.as_slice() {
        [only] => module_of[only.item.name.0 as usize],
        [] if design.modules.is_empty() => {
            problems.no_top("the design has no module".to_string(), Vec::new());
            None
        }
        [] => {
            let all = design.modules.iter().map(shown).collect();
            problems.no_top(
                "every module is instantiated by another one".to_string(),
                all,
            );
            None
        }
        several => {
            let names = several.iter().map(|m| shown(m)).collect();
            problems.no_top("several modules could be the top".to_string(), names);
            None
        }
    }
}

fn place_instances(
    design: &Design,
    hierarchy: &mut Hierarchy,
    top: Instance,
    problems: &mut Problems,
) -> Option<()> {
    let mut missing: BTreeMap<Name, Vec<(String, Item)>> = BTreeMap::new();
    let mut waiting = vec![top];
    let mut complete = true;
    while let Some(mut instance) = waiting.pop() {
        let index = hierarchy.instances.len() as u32;
        instance.base = hierarchy.bits;
        let size = *hierarchy.wire_bits[instance.module as usize]
            .last()
            .expect("one entry more than wires");
        let Some(bits) = hierarchy
            .bits
            .checked_add(size)
            .filter(|b| *b < i32::MAX as u32)
        else {
            problems.too_large();
            return None;
        };
        hierarchy.bits = bits;
        hierarchy.instances.push(instance);
        let first_child = waiting.len();
        let module = &design.modules[instance.module as usize];
        for (cell_index, cell) in module.cells.iter().enumerate() {
            match hierarchy.meaning(cell.kind) {
                Meaning::Primitive(_) => {}
                Meaning::Missing => {
                    let path =
                        instance_path(design, &hierarchy.scopes, instance.scope, cell.item.name);
                    missing
                        .entry(cell.kind)
                        .or_default()
                        .push((path, cell.item));
                }
                Meaning::Instance(child) => {
                    let parent = Some((index, cell_index as u32));
                    if is_recursive(hierarchy, index, child) {
                        problems.recursive_module(design, module, cell);
                        return None;
                    }
                    complete &= problems.check_parameters(design, module, cell);
                    let scope = new_scope(design, hierarchy, instance.scope, cell, child, problems);
                    waiting.push(Instance {
                        module: child,
                        scope,
                        base: 0,
                        parent,
                    });
                }
            }
        }
        waiting[first_child..].reverse();
    }
    for (kind, instances) in &missing {
        problems.missing_module(design, *kind, instances);
    }
    (complete && missing.is_empty()).then_some(())
}

fn is_recursive(hierarchy: &Hierarchy, from: u32, module: u32) -> bool {
    let mut at = Some(from);
    while let Some(index) = at {
        let instance = &hierarchy.instances[index as usize];
        if instance.module == module {
            return true;
        }
        at = instance.parent.map(|(parent, _)| parent);
    }
    false
}

fn new_scope(
    design: &Design,
    hierarchy: &mut Hierarchy,
    parent: ScopeId,
    cell: &Cell,
    child: u32,
    problems: &mut Problems,
) -> ScopeId {
    let name = design.shown(cell.item.name).to_string();
    let module = module_name(design, &design.modules[child as usize]);
    let source: SourceId = problems.source(cell.item.src);
    hierarchy.scopes.push(Scope {
        parent: Some(parent),
        name,
        module,
        source,
    })
}

fn instance_path(design: &Design, scopes: &Arena<Scope>, scope: ScopeId, name: Name) -> String {
    let mut path = vec![design.shown(name)];
    let mut at = Some(scope);
    while let Some(scope) = at {
        path.push(&scopes[scope].name);
        at = scopes[scope].parent;
    }
    path.reverse();
    path.join(".")
}
