//! Events: what `$display`, `$finish`, assertions and covers become.

use rtlwasm_abi::layout::event;
use walrus::ir::BinaryOp::*;

use super::code::Ty;
use super::task::Emitter;
use crate::bits::limb_count;
use crate::ir::*;
use crate::layout::{COUNTER, EffectSlot};

/// Most bytes that are written to the event ring at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reserves {
    /// By one settling or wave; zero when the design has no events but initial ones.
    pub event: u32,
    /// By all `initial` blocks.
    pub initial: u32,
}

/// Adds up the records of every effect.
pub(crate) fn reserves(n: &Netlist) -> Reserves {
    let size = |e: &Effect| record_bytes(n, e);
    let writes = |e: &&Effect| e.kind != EffectKind::Cover;
    let sum = |initial: bool| {
        let chosen = n
            .effects
            .iter()
            .filter(writes)
            .filter(|e| (e.when == EffectTime::Initial) == initial);
        let sizes: Vec<u32> = chosen.map(size).collect();
        // A record that does not fit the end of the ring leaves a gap smaller than itself.
        sizes.iter().sum::<u32>() + sizes.iter().max().copied().unwrap_or(0)
    };
    Reserves {
        event: sum(false),
        initial: sum(true),
    }
}

fn record_bytes(n: &Netlist, effect: &Effect) -> u32 {
    let limbs: usize = effect
        .args
        .iter()
        .map(|a| limb_count(n.width(a.value)))
        .sum();
    event::ARGS + 8 * limbs as u32
}

/// Status that an effect asks for; 0 goes on.
fn stop_status(kind: EffectKind) -> u32 {
    match kind {
        EffectKind::Display
        | EffectKind::Info
        | EffectKind::Warning
        | EffectKind::Error
        | EffectKind::Cover => 0,
        EffectKind::Finish => 1,
        EffectKind::Stop => 2,
        EffectKind::Fatal | EffectKind::Assert | EffectKind::Assume => 3,
    }
}

impl Emitter<'_, '_> {
    /// An effect whose enable is known to be 1.
    pub fn effect(&mut self, index: usize) {
        let n = self.context.netlist;
        let effect = &n.effects[index];
        if let EffectSlot::Cover(counter) = self.context.layout.effects[index] {
            self.code.constant(Ty::I32, 0);
            self.code.load_at(Ty::I64, counter, 8);
            self.code.constant(Ty::I64, 1);
            self.code.binary(Ty::I64, I32Add, I64Add);
            self.code.store(Ty::I64, counter, 8);
            return;
        }
        let record = self.code.new_local(Ty::I32);
        self.code.constant(Ty::I32, index as u64);
        self.code.constant(Ty::I32, record_bytes(n, effect).into());
        self.code.call(self.context.helpers.get("event"));
        self.code.set(record);
        let mut at = event::ARGS;
        for arg in effect.args.clone() {
            for limb in 0..limb_count(n.width(arg.value)) {
                self.code.get(record);
                self.push_limb(arg.value, limb);
                self.code.store(Ty::I64, at, 8);
                at += 8;
            }
        }
        let status = stop_status(effect.kind);
        if status != 0 {
            self.code.constant(Ty::I32, index as u64);
            self.code.constant(Ty::I32, status.into());
            self.code.call(self.context.helpers.get("stop"));
        }
    }

    /// An effect that happens when its enable or an argument has changed since the last settling.
    pub fn change(&mut self, index: usize) {
        let n = self.context.netlist;
        let effect = n.effects[index].clone();
        let base = match self.context.layout.effects[index] {
            EffectSlot::Change(base) => base,
            EffectSlot::Cover(counter) => counter + COUNTER as u32,
            EffectSlot::Due(_) | EffectSlot::None => panic!("effect {index} keeps no values"),
        };
        let changed = self.code.new_local(Ty::I32);
        // The first settling after reset is a change; the flag is zero until then.
        self.code.load_at(Ty::I32, base, 1);
        self.code.unary(walrus::ir::UnaryOp::I32Eqz);
        self.code.set(changed);
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, 1);
        self.code.store(Ty::I32, base, 1);
        self.compare_and_keep(effect.enable, 0, base + 8, changed);
        let mut at = base + 16;
        for arg in &effect.args {
            for limb in 0..limb_count(n.width(arg.value)) {
                self.compare_and_keep(arg.value, limb, at, changed);
                at += 8;
            }
        }
        self.value(effect.enable);
        self.code.get(changed);
        self.code.binary(Ty::I32, I32And, I64And);
        self.in_branch(|e| e.effect(index));
    }

    /// An enabled effect that waits for the end of the instant.
    pub fn set_due(&mut self, index: usize) {
        let EffectSlot::Due(flag) = self.context.layout.effects[index] else {
            return self.effect(index);
        };
        self.code.constant(Ty::I32, 0);
        self.code.constant(Ty::I32, 1);
        self.code.store(Ty::I32, flag, 1);
    }

    /// An effect that acts if it waited.
    pub fn last(&mut self, index: usize) {
        let EffectSlot::Due(flag) = self.context.layout.effects[index] else {
            return;
        };
        self.code.load_at(Ty::I32, flag, 1);
        self.in_branch(|e| {
            e.code.constant(Ty::I32, 0);
            e.code.constant(Ty::I32, 0);
            e.code.store(Ty::I32, flag, 1);
            e.effect(index);
        });
    }

    fn compare_and_keep(&mut self, cell: CellId, limb: usize, kept: u32, changed: walrus::LocalId) {
        let now = self.code.new_local(Ty::I64);
        self.code.get(changed);
        self.push_limb(cell, limb);
        self.code.tee(now);
        self.code.load_at(Ty::I64, kept, 8);
        self.code.binary(Ty::I64, I32Ne, I64Ne);
        self.code.binary(Ty::I32, I32Or, I64Or);
        self.code.set(changed);
        self.code.constant(Ty::I32, 0);
        self.code.get(now);
        self.code.store(Ty::I64, kept, 8);
    }
}
