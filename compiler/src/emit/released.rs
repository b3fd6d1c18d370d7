//! The clock edge while no reset is active and nothing sleeps, and the question whether that is so.

use std::cell::RefCell;

use walrus::ir::BinaryOp::*;
use walrus::{FunctionId, Module};

use super::code::{Code, Ty};
use super::{Context, activity, define, task, wide};
use crate::ir::*;
use crate::layout::Cursor;
use crate::sched::Released;

/// `is_released(clock)`: that clock has such an edge and no reset is active; `rise_released()`.
pub(super) fn emit(module: &mut Module, context: &Context, plain: &[(ClockEdge, FunctionId)]) {
    let Some(released) = &context.schedule.released else {
        define(module, "is_released", |builder, _, locals| {
            Code::new(builder, locals, context.memory).constant(Ty::I32, 0);
        });
        return define(module, "rise_released", |_, _, _| {});
    };
    define(module, "is_released", |builder, args, locals| {
        let mut code = Code::new(builder, locals, context.memory);
        code.get(args[0]);
        let clock = context.layout.row(released.edge.trigger);
        code.constant(Ty::I32, clock.into());
        code.binary(Ty::I32, I32Eq, I64Eq);
        for (input, level) in &released.inputs {
            let part = &context.layout.inputs[input.index()][0];
            code.load_at(Ty::I32, part.offset as u32, part.size);
            code.constant(Ty::I32, u64::from(*level));
            code.binary(Ty::I32, I32Eq, I64Eq);
            code.binary(Ty::I32, I32And, I64And);
        }
    });
    emit_edge(module, context, released, plain);
}

/// The edge, with the same places for everything.
fn emit_edge(
    module: &mut Module,
    context: &Context,
    released: &Released,
    plain: &[(ClockEdge, FunctionId)],
) {
    let scratch = Cursor(context.scratch.borrow().0);
    let own = Context {
        netlist: &released.netlist,
        schedule: &released.schedule,
        helpers: context.helpers.clone(),
        wide: RefCell::default(),
        scratch: RefCell::new(scratch),
        shifted: wide::limbs_of_shifts(&released.netlist),
        parts: RefCell::default(),
        commits: RefCell::default(),
        shared: RefCell::default(),
        trigger_signals: context.trigger_signals.clone(),
        ..*context
    };
    let (edge, shared) = own.schedule.tasks.split_last().expect("the edge");
    for task in shared {
        let function = task::emit_function(module, &own, task);
        own.shared.borrow_mut().push(function);
    }
    if context.schedule.sleeps {
        let awake = task::emit_function(module, &own, edge).id;
        let plain = plain.iter().find(|(edge, _)| *edge == released.edge);
        choose(module, context, awake, plain.expect("it has a task").1);
    } else {
        task::emit_import(module, &own, edge, "rise_released");
    }
    *context.scratch.borrow_mut() = own.scratch.into_inner();
}

/// The edge while all are awake, or the one at which some may sleep, or fall asleep.
fn choose(module: &mut Module, context: &Context, awake: FunctionId, plain: FunctionId) {
    define(module, "rise_released", |builder, _, locals| {
        let mut code = Code::new(builder, locals, context.memory);
        activity::push_awake(&mut code, context);
        let awake = |code: &mut Code| {
            activity::count_down(code, context);
            code.call(awake);
        };
        code.if_else(None, awake, |code| code.call(plain));
    });
}
