//! The functions that run a wave or an edge.

use rtlwasm_abi::layout::trigger;
use walrus::ir::BinaryOp::*;
use walrus::{FunctionId, LocalId, Module};

use super::code::{Code, Ty};
use super::state::{scale, tell_write};
use super::{Context, define};
use crate::bits::limb_count;
use crate::ir::*;
use crate::options::Trace;
use crate::sched::sinks::needs_shadow;

/// `rise(clock)` and `fall(clock)` of the static model: what that edge of a primary clock runs.
pub(crate) fn emit_clock_dispatch(
    module: &mut Module,
    context: &Context,
    edges: &[(ClockEdge, FunctionId)],
) {
    for (name, edge) in [("rise", Edge::Rise), ("fall", Edge::Fall)] {
        let targets: Vec<(u32, FunctionId)> = edges
            .iter()
            .filter(|(e, _)| e.edge == edge)
            .map(|(e, f)| (context.layout.row(e.trigger), *f))
            .collect();
        let clocks = context
            .netlist
            .triggers
            .values()
            .filter(|t| t.role == TriggerRole::PrimaryClock)
            .count();
        define(module, name, |builder, args, locals| {
            let mut code = Code::new(builder, locals, context.memory);
            for (row, function) in targets {
                if clocks == 1 {
                    code.call(function);
                    continue;
                }
                code.get(args[0]);
                code.constant(Ty::I32, row.into());
                code.binary(Ty::I32, I32Eq, I64Eq);
                code.if_else(None, |code| code.call(function), |_| {});
            }
        });
    }
}

/// `wave()`: every domain with an edge computes, then all commit.
pub(crate) fn emit_wave(
    module: &mut Module,
    context: &Context,
    edges: &[(ClockEdge, FunctionId)],
    computes: &[FunctionId],
    effects: &[FunctionId],
) {
    define(module, "wave", |builder, _, locals| {
        let mut code = Code::new(builder, locals, context.memory);
        if !needs_shadow(&context.schedule.domains) {
            for (edge, function) in edges {
                push_fires(&mut code, context, *edge);
                code.if_else(None, |code| code.call(*function), |_| {});
            }
            return;
        }
        let domains = &context.schedule.domains.domains;
        let fired: Vec<LocalId> = domains.iter().map(|_| code.new_local(Ty::I32)).collect();
        for (domain, local) in domains.iter().zip(&fired) {
            code.constant(Ty::I32, 0);
            for clock in &domain.clocks {
                push_fires(&mut code, context, *clock);
                code.binary(Ty::I32, I32Or, I64Or);
            }
            code.set(*local);
        }
        for (d, local) in fired.iter().enumerate() {
            let (start, len) = context.layout.domain_blocks[d];
            code.get(*local);
            code.if_else(
                None,
                |code| {
                    code.copy(start + context.layout.shadow_delta, start, len);
                    code.call(computes[d]);
                },
                |_| {},
            );
        }
        for (group, function) in context.schedule.domains.effect_groups.iter().zip(effects) {
            code.get(fired[group.domain]);
            code.if_else(None, |code| code.call(*function), |_| {});
        }
        for (d, local) in fired.iter().enumerate() {
            let (start, len) = context.layout.domain_blocks[d];
            code.get(*local);
            code.if_else(
                None,
                |code| code.copy(start, start + context.layout.shadow_delta, len),
                |_| {},
            );
        }
        // Ports in the memory's own order, whatever their domains.
        for (memory, m) in context.netlist.memories.iter() {
            for port in 0..m.writes.len() {
                commit_write(&mut code, context, memory, port);
            }
        }
    });
}

/// Pushes whether a trigger's level now differs from what registers acted on, in the right direction.
fn push_fires(code: &mut Code, context: &Context, edge: ClockEdge) {
    let level = context.layout.trigger_field(edge.trigger, trigger::LEVEL);
    let prev = context.layout.trigger_field(edge.trigger, trigger::PREV);
    code.load_at(Ty::I32, level, 1);
    code.load_at(Ty::I32, prev, 1);
    code.binary(Ty::I32, I32Xor, I64Xor);
    match edge.edge {
        Edge::Both => return,
        Edge::Rise => code.load_at(Ty::I32, level, 1),
        Edge::Fall => code.load_at(Ty::I32, prev, 1),
    }
    code.binary(Ty::I32, I32And, I64And);
}

fn commit_write(code: &mut Code, context: &Context, memory: MemoryId, port: usize) {
    let queue = context.layout.queues[memory.index()][port];
    let slot = context.layout.memories[memory.index()];
    let limbs = limb_count(context.netlist.memories[memory].width);
    code.load_at(Ty::I32, queue, 4);
    code.if_else(
        None,
        |code| {
            let at = code.new_local(Ty::I32);
            code.constant(Ty::I32, 0);
            code.constant(Ty::I32, 0);
            code.store(Ty::I32, queue, 4);
            code.load_at(Ty::I32, queue + 4, 4);
            scale(code, slot);
            code.set(at);
            for limb in 0..limbs as u32 {
                let (offset, size) = (slot.base + 8 * limb, slot.stride.min(8));
                let (data, mask) = (queue + 8 + 16 * limb, queue + 16 + 16 * limb);
                code.get(at);
                code.load_at(Ty::I64, data, 8);
                code.load_at(Ty::I64, mask, 8);
                code.binary(Ty::I64, I32And, I64And);
                code.get(at);
                code.load(Ty::I64, offset, size);
                code.load_at(Ty::I64, mask, 8);
                code.constant(Ty::I64, u64::MAX);
                code.binary(Ty::I64, I32Xor, I64Xor);
                code.binary(Ty::I64, I32And, I64And);
                code.binary(Ty::I64, I32Or, I64Or);
                code.store(Ty::I64, offset, size);
            }
            if context.trace == Trace::On {
                tell_write(code, context, slot.base, at);
            }
        },
        |_| {},
    );
}
