//! Cuts large tasks into functions that engines compile well.
//!
//! In: a task's block. Out: the block with long runs of steps replaced by [`Step::Call`]s of *pieces*,
//! each of bounded weight. Order is unchanged; what crosses pieces is the emitter's affair.

use super::{Block, Branch, Step};

/// A task of more than `limit` steps is cut into functions of about the same size: engines keep the values of a small
/// function in registers, and optimise it in less time. The pieces go to `pieces`.
pub fn cut(block: Block, limit: usize, pieces: &mut Vec<Block>) -> Block {
    let weight = weight(&block);
    split(
        block,
        weight.div_ceil(weight.div_ceil(limit).max(1)),
        pieces,
    )
}

/// Cuts a block into functions of at most about `limit` steps. Recursion is bounded by the depth of regions.
fn split(block: Block, limit: usize, pieces: &mut Vec<Block>) -> Block {
    if weight(&block) <= limit {
        return block;
    }
    let steps = block.steps.into_iter().map(|step| match step {
        Step::Branch(branch) if branch_weight(&branch) > limit => Step::Branch(Branch {
            on_true: split(branch.on_true, limit, pieces),
            on_false: split(branch.on_false, limit, pieces),
            ..branch
        }),
        Step::Guard { any, body } if weight(&body) > limit => Step::Guard {
            any,
            body: split(body, limit, pieces),
        },
        Step::Supernode {
            index,
            inputs,
            body,
        } if weight(&body) > limit => Step::Supernode {
            index,
            inputs,
            body: split(body, limit, pieces),
        },
        other => other,
    });
    let mut chunks: Vec<Block> = vec![Block::default()];
    let mut filled = 0;
    for step in steps.collect::<Vec<_>>() {
        let weight = step_weight(&step);
        if filled + weight > limit && filled > 0 {
            chunks.push(Block::default());
            filled = 0;
        }
        filled += weight;
        chunks.last_mut().expect("there is one").steps.push(step);
    }
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    let calls = chunks.into_iter().map(|chunk| {
        pieces.push(chunk);
        Step::Call(pieces.len() - 1)
    });
    Block {
        steps: calls.collect(),
    }
}

fn weight(block: &Block) -> usize {
    block.steps.iter().map(step_weight).sum()
}

fn step_weight(step: &Step) -> usize {
    match step {
        Step::Eval(_) | Step::Alias { .. } | Step::Act(_) | Step::Call(_) => 1,
        Step::Shared { args, .. } => 1 + args.len(),
        Step::Branch(branch) => branch_weight(branch),
        Step::Guard { any, body } => any.len() + weight(body),
        Step::Supernode { inputs, body, .. } => inputs.len() + weight(body),
    }
}

fn branch_weight(branch: &Branch) -> usize {
    1 + branch.merges.len() + weight(&branch.on_true) + weight(&branch.on_false)
}
