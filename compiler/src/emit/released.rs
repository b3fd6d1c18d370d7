//! The clock edge while no reset is active, and the question whether one is.

use std::cell::RefCell;

use walrus::Module;
use walrus::ir::BinaryOp::*;

use super::code::{Code, Ty};
use super::{Context, define, task};
use crate::layout::Cursor;
use crate::sched::Released;

/// `is_released(clock)`: that clock has such an edge and no reset is active; `rise_released()`.
pub(super) fn emit(module: &mut Module, context: &Context) {
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
    emit_edge(module, context, released);
}

/// The edge, with the same places for everything.
fn emit_edge(module: &mut Module, context: &Context, released: &Released) {
    let scratch = Cursor(context.scratch.borrow().0);
    let own = Context {
        netlist: &released.netlist,
        helpers: context.helpers.clone(),
        wide: RefCell::default(),
        scratch: RefCell::new(scratch),
        parts: RefCell::default(),
        commits: RefCell::default(),
        shared: RefCell::default(),
        trigger_signals: context.trigger_signals.clone(),
        ..*context
    };
    task::emit_import(module, &own, &released.task, "rise_released");
    *context.scratch.borrow_mut() = own.scratch.into_inner();
}
