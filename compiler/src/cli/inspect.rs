//! `rtlwasm inspect`: what an artifact holds, as a table or as JSON.

use clap::Args;
use rtlwasm::diag::Colour;
use rtlwasm::options::Poke;
use rtlwasm_abi::manifest::{Manifest, Signal};
use rtlwasm_host::Summary;
use serde_json::{Value, json};

use super::compile_args::CompileArgs;
use super::design_args::DesignArgs;
use super::report::LintArgs;
use super::{CommandResult, Exit, Failure, load, number, output};

/// Show ports, clocks, memories, sizes and features of an artifact
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm inspect cpu.wasm
  rtlwasm inspect cpu.v --signals
  rtlwasm inspect cpu.wasm --json | jq '.ports[].name'

Exit status: 0 done, 1 bad input, 2 wrong usage.")]
pub struct Opts {
    #[command(flatten)]
    design: DesignArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// Also every signal inside
    #[arg(long)]
    signals: bool,
    #[command(flatten)]
    compile: CompileArgs,
    #[command(flatten)]
    lints: LintArgs,
}

pub fn run(opts: &Opts, colour: Colour) -> CommandResult {
    let design = opts.design.design()?;
    let wasm = load::artifact(
        design,
        &opts.compile.options(Poke::All),
        &opts.lints,
        colour,
    )?;
    let summary = Summary::of(&wasm).map_err(|e| Failure::Input(e.to_string()))?;
    let text = if opts.json {
        format!("{:#}\n", to_json(&summary, opts.signals))
    } else {
        table(&summary, opts.signals)
    };
    output::stdout(text.as_bytes())?;
    Ok(Exit::Ok)
}

fn table(summary: &Summary, all: bool) -> String {
    let m = &summary.manifest;
    let mut text = String::new();
    facts(&mut text, summary);
    let (ports, inner) = m.signals.split_at(summary.ports);
    section(
        &mut text,
        "Ports",
        &["name", "direction", "width"],
        ports.iter().map(port_row).collect(),
    );
    section(
        &mut text,
        "Clocks",
        &["name", "edge", "source", "high", "low"],
        clock_rows(m),
    );
    section(
        &mut text,
        "Resets",
        &["name", "active", "kind"],
        reset_rows(m),
    );
    let memories = m.signals.iter().filter(|s| s.depth > 0);
    let memory_row = |s: &Signal| {
        vec![
            s.path.join("."),
            s.depth.to_string(),
            s.width.to_string(),
            s.access.clone(),
        ]
    };
    section(
        &mut text,
        "Memories",
        &["name", "rows", "width", "access"],
        memories.map(memory_row).collect(),
    );
    let sites = m.events.iter().filter(|site| site.kind != "display");
    let site_row = |s: &rtlwasm_abi::manifest::EventSite| {
        vec![
            s.kind.clone(),
            s.name.clone(),
            s.source.clone().unwrap_or_default(),
        ]
    };
    section(
        &mut text,
        "Events",
        &["kind", "name", "source"],
        sites.map(site_row).collect(),
    );
    if all {
        let row = |s: &Signal| {
            vec![
                s.path.join("."),
                s.kind.clone(),
                s.width.to_string(),
                s.access.clone(),
            ]
        };
        let inner = inner.iter().filter(|s| s.depth == 0);
        section(
            &mut text,
            "Signals",
            &["name", "kind", "width", "access"],
            inner.map(row).collect(),
        );
    }
    text
}

/// What is true of the artifact as a whole.
fn facts(text: &mut String, summary: &Summary) {
    let m = &summary.manifest;
    let features = if m.features.is_empty() {
        "baseline".to_string()
    } else {
        m.features.join(", ")
    };
    let lines = [
        ("Top", m.top.clone()),
        (
            "Made by",
            format!(
                "{} -O{}, ABI {}",
                m.toolchain.compiler, m.toolchain.opt_level, m.abi
            ),
        ),
        ("Names", m.toolchain.strip.clone()),
        ("Features", features),
        ("Undefined bits", m.undef.clone()),
        ("Time unit", time_unit(m.time_unit)),
        (
            "File",
            format!(
                "{} (code {} in {} functions, description {})",
                number::bytes(summary.file_bytes),
                number::bytes(summary.code_bytes),
                summary.functions,
                number::bytes(summary.description_bytes)
            ),
        ),
        ("Memory", number::bytes(summary.memory_bytes)),
        ("State", number::bytes(m.state.len)),
        ("Signals", m.signals.len().to_string()),
        ("Design hash", m.design_hash.clone()),
        ("Layout hash", m.layout_hash.clone()),
    ];
    for (name, value) in lines {
        text.push_str(&format!("{name:<16}{value}\n"));
    }
}

/// A titled table with columns as wide as their contents; nothing when there are no rows.
fn section(text: &mut String, title: &str, head: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let width = |i: usize| {
        let cells = rows.iter().map(|row| row[i].chars().count());
        cells.chain([head[i].len()]).max().expect("the head")
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, w)| format!("{cell:<w$}"))
            .collect();
        format!("  {}", padded.join("  ")).trim_end().to_string() + "\n"
    };
    text.push_str(&format!("\n{title} ({})\n", rows.len()));
    text.push_str(&line(head.to_vec()));
    for row in &rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
}

fn port_row(signal: &Signal) -> Vec<String> {
    vec![
        signal.path.join("."),
        signal.kind.clone(),
        signal.width.to_string(),
    ]
}

fn clock_rows(manifest: &Manifest) -> Vec<Vec<String>> {
    let row = |clock: &rtlwasm_abi::manifest::Clock| {
        let source = if clock.derived { "computed" } else { "input" };
        vec![
            clock.name.clone(),
            clock.edge.clone(),
            source.into(),
            clock.high.to_string(),
            clock.low.to_string(),
        ]
    };
    manifest.clocks.iter().map(row).collect()
}

fn reset_rows(manifest: &Manifest) -> Vec<Vec<String>> {
    let row = |reset: &rtlwasm_abi::manifest::Reset| {
        let kind = if reset.asynchronous {
            "asynchronous"
        } else {
            "synchronous"
        };
        vec![
            reset.name.clone(),
            reset.active.to_string(),
            kind.to_string(),
        ]
    };
    manifest.resets.iter().map(row).collect()
}

fn time_unit(exponent: i32) -> String {
    match rtlwasm_host::wave::timescale(exponent) {
        Some((count, unit)) => format!("{count} {unit}"),
        None => format!("10^{exponent} s"),
    }
}

fn to_json(summary: &Summary, all: bool) -> Value {
    let m = &summary.manifest;
    let signal = |s: &Signal| {
        let mut entry =
            json!({"name": s.path.join("."), "kind": s.kind, "width": s.width, "access": s.access});
        if s.depth > 0 {
            entry["rows"] = s.depth.into();
            entry["first"] = s.first.into();
        }
        entry
    };
    let (ports, inner) = m.signals.split_at(summary.ports);
    let memories = m.signals.iter().filter(|s| s.depth > 0);
    let mut object = json!({
        "top": m.top, "abi": m.abi, "toolchain": m.toolchain, "features": m.features, "undef": m.undef,
        "clock_order": m.clock_order, "time_unit": m.time_unit,
        "design_hash": m.design_hash, "layout_hash": m.layout_hash,
        "ports": ports.iter().map(signal).collect::<Vec<_>>(),
        "clocks": m.clocks, "resets": m.resets,
        "memories": memories.map(signal).collect::<Vec<_>>(),
        "events": m.events, "plusargs": m.plusargs,
        "sizes": {
            "file": summary.file_bytes, "code": summary.code_bytes, "functions": summary.functions,
            "data": summary.data_bytes, "description": summary.description_bytes,
            "memory": summary.memory_bytes, "state": m.state.len, "signals": m.signals.len(),
        },
    });
    if all {
        object["signals"] = inner.iter().map(signal).collect();
    }
    object
}
