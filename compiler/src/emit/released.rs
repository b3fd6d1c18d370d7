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

/// The edge, with the same places for everything; the plain one while something sleeps, and where sleep may begin.
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
    let edge = emit_tasks(module, &own);
    let (_, plain) = plain
        .iter()
        .find(|(edge, _)| *edge == released.edge)
        .expect("it has a task");
    define(module, "rise_released", |builder, _, locals| {
        let mut code = Code::new(builder, locals, context.memory);
        if !context.schedule.sleeps {
            return code.call(edge);
        }
        activity::push_awake(&mut code, context);
        let awake = |code: &mut Code| {
            activity::count_down(code, context);
            code.call(edge);
        };
        code.if_else(None, awake, |code| code.call(*plain));
    });
    *context.scratch.borrow_mut() = own.scratch.into_inner();
}

/// The functions that instances share, and then the edge.
fn emit_tasks(module: &mut Module, own: &Context) -> FunctionId {
    for task in &own.schedule.tasks {
        let function = task::emit_function(module, own, task);
        own.shared.borrow_mut().push(function);
    }
    own.shared.borrow().last().expect("the edge").id
}
