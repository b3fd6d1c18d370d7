//! Cells that tell the host something: prints and checks.
//!
//! In: `$print`, `$check`, `$assert`, `$assume`, `$cover`. Out: [`Effect`]s, instance by instance in
//! order of priority.

use super::ast::*;
use super::catalog::{Class, EffectCell};
use super::format::{self, Format};
use super::known::name;
use super::lower::Lower;
use super::message::directive;
use super::params;
use crate::diag::Diagnostic;
use crate::ir::{CellId, ClockEdge, Edge, Effect, EffectArg, EffectKind, EffectTime, Extend};

impl Lower<'_, '_, '_> {
    /// Makes the effects of all instances.
    pub fn make_effects(&mut self) {
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let module = self.module(instance);
            let mut cells: Vec<(i64, &Cell, EffectCell)> = Vec::new();
            for cell in &module.cells {
                if let Some(Class::Effect(kind)) = self.class(cell) {
                    let priority =
                        params::number(self.design, module, cell, name!("PRIORITY")) as i32;
                    cells.push((-i64::from(priority), cell, kind));
                }
            }
            cells.sort_by_key(|(order, ..)| *order);
            for (_, cell, kind) in cells {
                if let Some(effect) = self.make_effect(instance, cell, kind) {
                    self.b.netlist.effects.push(effect);
                }
            }
        }
    }

    fn make_effect(&mut self, instance: u32, cell: &Cell, kind: EffectCell) -> Option<Effect> {
        self.set_origin(instance, cell.item.src);
        let module = self.module(instance);
        let text = params::text(self.design, module, cell, name!("FORMAT"));
        let told = directive(&text);
        let kind = match kind {
            EffectCell::Print => told.kind,
            EffectCell::Assert => EffectKind::Assert,
            EffectCell::Assume => EffectKind::Assume,
            EffectCell::Cover => EffectKind::Cover,
            EffectCell::Check => self.flavor(instance, cell)?,
        };
        let Some(format) = format::parse(told.text) else {
            let span = self.problems.span(cell.item);
            self.problems.push(
                Diagnostic::error(
                    "bad-format",
                    format!("the format text {:?} is not understood", told.text),
                )
                .label(span, "of this statement"),
            );
            return None;
        };
        let when = self.effect_time(instance, cell)?;
        let enable = self.port_bit(instance, cell, name!("EN"));
        let is_check = !module.chunks_of(module.port(cell, name!("A"))).is_empty();
        let enable = match kind {
            _ if !is_check => enable,
            EffectKind::Cover => {
                let reached = self.port_bit(instance, cell, name!("A"));
                self.b.and(enable, reached)
            }
            _ => {
                let holds = self.port_bit(instance, cell, name!("A"));
                let fails = self.b.not(holds);
                self.b.and(enable, fails)
            }
        };
        let shown = self.design.names.text(cell.item.name);
        let name = shown.strip_prefix('\\').unwrap_or("").to_string();
        let args = self.effect_args(instance, cell, &format);
        let origin = self.b.origin;
        Some(Effect {
            kind,
            when,
            enable,
            args,
            message: format.parts,
            last: told.last,
            origin,
            name,
        })
    }

    fn flavor(&mut self, instance: u32, cell: &Cell) -> Option<EffectKind> {
        let flavor = params::text(self.design, self.module(instance), cell, name!("FLAVOR"));
        match flavor.as_str() {
            "assert" => Some(EffectKind::Assert),
            "assume" => Some(EffectKind::Assume),
            "cover" => Some(EffectKind::Cover),
            _ => {
                let span = self.problems.span(cell.item);
                self.problems.push(
                    Diagnostic::warning(
                        "ignored-cell",
                        format!("a check of kind `{flavor}` is not simulated"),
                    )
                    .label(span, "this statement"),
                );
                None
            }
        }
    }

    /// `None` when it can never happen.
    fn effect_time(&mut self, instance: u32, cell: &Cell) -> Option<EffectTime> {
        let module = self.module(instance);
        if !params::flag(self.design, module, cell, name!("TRG_ENABLE")) {
            return Some(EffectTime::Change);
        }
        let triggers = self.port(instance, cell, name!("TRG"));
        let polarity = params::constant(self.design, module, cell, name!("TRG_POLARITY")).value;
        let count = self.b.width(triggers);
        if count == 0 {
            return Some(EffectTime::Initial);
        }
        let mut edges: Vec<ClockEdge> = Vec::new();
        for index in 0..count {
            let net = self.b.bit(triggers, index);
            edges.extend(self.clock(
                net,
                if polarity.bit(index) {
                    Edge::Rise
                } else {
                    Edge::Fall
                },
            ));
        }
        self.merge_edges(&mut edges);
        (!edges.is_empty()).then_some(EffectTime::Edges(edges))
    }

    fn effect_args(&mut self, instance: u32, cell: &Cell, format: &Format) -> Vec<EffectArg> {
        let args: CellId = self.port(instance, cell, name!("ARGS"));
        let given = self.b.width(args);
        let mut out = Vec::new();
        for argument in &format.arguments {
            let low = argument.low.min(given);
            let part = self.b.slice(args, low, argument.width.min(given - low));
            let value = self.b.resize(part, argument.width, Extend::Zero);
            out.push(EffectArg {
                value,
                signed: argument.signed,
            });
        }
        out
    }
}
