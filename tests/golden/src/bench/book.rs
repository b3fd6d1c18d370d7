//! The figures in the documentation: `docs/benchmarks.json` keeps them, `docs/performance.md` shows them between
//! markers, beside plots. All of it is written here and nothing by hand.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result, at};
use super::growth::Growth;
use super::ladder::LADDER;
use super::results::{DesignFigures, EngineFigures, mean_ratio};
use super::{plot, report};

/// Everything that is kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    designs: Vec<DesignFigures>,
    growth: Vec<Growth>,
}

/// Replaces the rows of these designs.
pub fn write_ladder(measured: Vec<DesignFigures>) -> Result {
    let mut kept = read()?;
    let is_new = |old: &DesignFigures| measured.iter().any(|new| new.design == old.design);
    kept.designs.retain(|old| !is_new(old));
    kept.designs.extend(measured);
    let place = |figures: &DesignFigures| {
        LADDER
            .iter()
            .position(|workload| workload.name == figures.design)
    };
    kept.designs.retain(|figures| place(figures).is_some());
    kept.designs.sort_by_key(place);
    write(&kept)
}

/// Replaces all rows of growth.
pub fn write_growth(rows: &[Growth]) -> Result {
    let mut kept = read()?;
    kept.growth = rows.to_vec();
    write(&kept)
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn read() -> Result<Kept> {
    let path = docs("benchmarks.json");
    if !path.exists() {
        return Ok(Kept::default());
    }
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    serde_json::from_str(&text).map_err(|e| Failure::Other(format!("{}: {e}", path.display())))
}

fn write(kept: &Kept) -> Result {
    let save = |name: &str, text: &str| {
        let path = docs(name);
        fs::write(&path, text).map_err(at(&path))
    };
    save("benchmarks.json", &format!("{}\n", report::json(kept)))?;
    let path = docs("performance.md");
    let mut text = fs::read_to_string(&path).map_err(at(&path))?;
    if !kept.designs.is_empty() {
        save("speed.svg", &plot::ladder(&kept.designs))?;
        text = between(&text, "speed", &speed_table(&kept.designs))?;
    }
    if !kept.growth.is_empty() {
        save("growth.svg", &plot::growth(&kept.growth))?;
        text = between(&text, "growth", &growth_table(&kept.growth))?;
    }
    save("performance.md", &text)
}

/// Replaces what lies between `<!-- NAME -->` and `<!-- /NAME -->`.
fn between(text: &str, name: &str, new: &str) -> Result<String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let missing = || Failure::Other(format!("docs/performance.md: no `{open}` before `{close}`"));
    let (before, rest) = text.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&close).ok_or_else(missing)?;
    Ok(format!("{before}{open}\n{new}{close}{after}"))
}

fn speed_table(all: &[DesignFigures]) -> String {
    let mut text = String::from(
        "![Speed as a multiple of Verilator's](speed.svg)\n\n\
         | Design | k cycles/s | Verilator (best) | x Verilator | x CXXRTL | x Icarus | operations a cycle | artifact \
         | first cycle, ours / Verilator | memory to compile | memory to run |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for figures in all {
        text.push_str(&speed_row(figures));
    }
    let mean =
        |prefix: &str| mean_ratio(all, prefix).map_or("-".into(), |mean| format!("{mean:.2}"));
    text.push_str(&format!(
        "\nGeometric means without idle_soc: {} x Verilator, {} x CXXRTL.\n",
        mean("verilator"),
        mean("cxxrtl")
    ));
    text
}

fn speed_row(figures: &DesignFigures) -> String {
    let (ours, verilator) = (figures.ours(), figures.best("verilator"));
    let ratio = |prefix: &str| {
        let ratio = figures.ratio(prefix);
        ratio.map_or("-".into(), |ratio| match ratio {
            ratio if ratio < 10.0 => format!("{ratio:.2}"),
            ratio => format!("{ratio:.0}"),
        })
    };
    let both = |show: fn(&EngineFigures) -> String| {
        let one = |engine: Option<&EngineFigures>| engine.map_or("-".into(), show);
        format!("{} / {}", one(ours), one(verilator))
    };
    let megabytes = |kilobytes: u64| format!("{:.0} MB", kilobytes as f64 / 1e3);
    let speed = |engine: &EngineFigures| report::grouped(engine.cycles_per_second / 1e3);
    let verilator_name = |engine: &EngineFigures| {
        let name = engine
            .engine
            .trim_start_matches("verilator-")
            .replace('-', " -");
        format!("{} ({name})", speed(engine))
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} KB | {} | {} | {} |\n",
        figures.design,
        ours.map_or("-".into(), speed),
        verilator.map_or("-".into(), verilator_name),
        ratio("verilator"),
        ratio("cxxrtl"),
        ratio("icarus"),
        figures
            .operations_per_cycle
            .map_or("-".into(), report::grouped),
        report::grouped(figures.artifact_bytes as f64 / 1e3),
        both(|engine| format!("{:.2} s", engine.first_cycle.processor_seconds)),
        both(|engine| format!("{:.0} MB", engine.first_cycle.peak_kilobytes as f64 / 1e3)),
        ours.map_or("-".into(), |ours| megabytes(ours.running_kilobytes)),
    )
}

fn growth_table(rows: &[Growth]) -> String {
    let mut text = String::from(
        "![Growth from a thousand to a million cells](growth.svg)\n\n\
         | Cells | level | compiling | us per cell | memory | artifact | bytes per cell | engine | cycles/s | ns per cell and cycle |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {} | `-O{}` | {:.2} s | {:.0} | {} MB | {:.2} MB | {:.0} | {:.2} s | {} | {:.2} |\n",
            report::grouped(row.cells as f64),
            row.level,
            row.compiling.processor_seconds,
            row.microseconds_per_cell(),
            report::grouped(row.compiling.peak_kilobytes as f64 / 1e3),
            row.artifact_bytes as f64 / 1e6,
            row.bytes_per_cell(),
            row.engine_seconds,
            report::grouped(row.cycles_per_second),
            row.nanoseconds_per_cell(),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn only_what_lies_between_the_markers_changes() {
        let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let new = between(text, "x", "new\n").expect("both markers");
        assert_eq!(new, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert!(between(text, "y", "").is_err());
    }
}
