//! The text form of a schedule, for snapshots and `rtlwasm dump --stage sched`.

use std::fmt::Write;

use super::*;

/// One line per step, nested blocks indented; cells as `%id`, as in the `.ir` text.
pub fn print(netlist: &Netlist, schedule: &Schedule) -> String {
    let mut out = String::new();
    let line = &mut out;
    let _ = writeln!(line, "model {:?}", schedule.domains.model);
    for (i, domain) in schedule.domains.domains.iter().enumerate() {
        let clocks: Vec<String> = domain
            .clocks
            .iter()
            .map(|c| format!("{:?} t{}", c.edge, c.trigger.index()).to_lowercase())
            .collect();
        let _ = writeln!(
            line,
            "domain {i} {}: {} registers, {} writes, {} effects",
            clocks.join(" "),
            domain.registers.len(),
            domain.writes.len(),
            domain.effects.len()
        );
    }
    for task in &schedule.tasks {
        print_task(netlist, task, line);
    }
    if let Some(released) = &schedule.released {
        line.push_str("\nwhile");
        for (input, level) in &released.inputs {
            let _ = write!(line, " input {} is {}", input.index(), u8::from(*level));
        }
        line.push_str(", with cells of that netlist");
        for task in &released.schedule.tasks {
            print_task(&released.netlist, task, line);
        }
    }
    out
}

fn print_task(netlist: &Netlist, task: &Task, line: &mut String) {
    let _ = writeln!(line, "\ntask {}", task_name(task.kind));
    print_block(netlist, &task.body, 1, line);
    for (i, piece) in task.pieces.iter().enumerate() {
        let _ = writeln!(line, "  piece {i}");
        print_block(netlist, piece, 2, line);
    }
}

/// A name for a task that is also fit for a function name.
pub fn task_name(kind: TaskKind) -> String {
    match kind {
        TaskKind::Settle => "settle".into(),
        TaskKind::Changes => "changes".into(),
        TaskKind::Last => "last".into(),
        TaskKind::Carry => "carry".into(),
        TaskKind::Edge(c) => format!("{:?}_{}", c.edge, c.trigger.index()).to_lowercase(),
        TaskKind::Part(_, p) => format!("part_{p}"),
        TaskKind::Shared(c) => format!("shared_{c}"),
        TaskKind::Compute(d) => format!("compute_{d}"),
        TaskKind::Effects(g) => format!("effects_{g}"),
        TaskKind::Initial => "initial".into(),
        TaskKind::Outline => "outline".into(),
        TaskKind::Renew => "renew".into(),
    }
}

/// Recursion is bounded by the depth of regions.
fn print_block(netlist: &Netlist, block: &Block, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    for step in &block.steps {
        match step {
            Step::Eval(c) => {
                let _ = writeln!(
                    out,
                    "{pad}eval %{} {}",
                    c.index(),
                    netlist.cells[*c].kind.keyword()
                );
            }
            Step::Alias { cell, value } => {
                let _ = writeln!(out, "{pad}eval %{} as %{}", cell.index(), value.index());
            }
            Step::Call(piece) => {
                let _ = writeln!(out, "{pad}call piece {piece}");
            }
            Step::Act(action) => {
                let _ = writeln!(out, "{pad}{}", action_text(action));
            }
            Step::Shared { class, args, .. } => {
                let args: Vec<String> = args.iter().map(|c| format!(" %{}", c.index())).collect();
                let _ = writeln!(out, "{pad}shared {class} of{}", args.concat());
            }
            Step::Supernode {
                index,
                inputs,
                body,
            } => {
                let inputs: Vec<String> =
                    inputs.iter().map(|c| format!(" %{}", c.index())).collect();
                let _ = writeln!(out, "{pad}supernode {index} sees{}", inputs.concat());
                print_block(netlist, body, indent + 1, out);
            }
            Step::Guard { any, body } => {
                let conditions = any.iter().map(|c| {
                    let not = if c.level { "" } else { "!" };
                    format!("{not}%{}", c.select.index())
                });
                let conditions: Vec<String> = conditions.collect();
                let _ = writeln!(out, "{pad}when {}", conditions.join(" or "));
                print_block(netlist, body, indent + 1, out);
            }
            Step::Branch(branch) => {
                let merges: Vec<String> = branch
                    .merges
                    .iter()
                    .map(|m| format!(" %{}", m.index()))
                    .collect();
                let merges = match merges.as_slice() {
                    [] => String::new(),
                    merges => format!(" gives{}", merges.concat()),
                };
                let _ = writeln!(out, "{pad}if %{}{merges}", branch.select.index());
                print_block(netlist, &branch.on_true, indent + 1, out);
                if !branch.on_false.steps.is_empty() {
                    let _ = writeln!(out, "{pad}else");
                    print_block(netlist, &branch.on_false, indent + 1, out);
                }
            }
        }
    }
}

fn action_text(action: &Action) -> String {
    match action {
        Action::StoreRegister(r, c) => format!("register {} <- %{}", r.index(), c.index()),
        Action::StoreLatch(l, c) => format!("latch {} <- %{}", l.index(), c.index()),
        Action::StoreLoop(l, c) => format!("loop {} <- %{}", l.index(), c.index()),
        Action::Keep(c) => format!("keep %{}", c.index()),
        Action::StoreNet(c) => format!("net <- %{}", c.index()),
        Action::StoreLevel(t, c) => format!("level {} <- %{}", t.index(), c.index()),
        Action::Load(r, c) => format!("load register {} <- %{}", r.index(), c.index()),
        Action::Write { memory, port } => format!("write memory {} port {port}", memory.index()),
        Action::Move {
            memory,
            to,
            from,
            rows,
        } => format!(
            "move memory {} rows {from}..{} to {to}",
            memory.index(),
            from + rows
        ),
        Action::Run(i) => format!("run supernode {i}"),
        Action::Read(c) => format!("read %{}", c.index()),
        Action::Effect(i) => format!("effect {i}"),
        Action::Due(i) => format!("due {i}"),
        Action::Last(i) => format!("last {i}"),
        Action::Change(i) => format!("change {i}"),
    }
}
