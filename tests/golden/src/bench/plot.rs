//! Plots as SVG: figures in, text out. They are read on light and on dark pages: no background, and text in the colour
//! that the reader's scheme asks for.

use std::fmt::Write;

use super::growth::Growth;
use super::results::DesignFigures;

const HEAD: &str = r#"<style>
text { font: 12px sans-serif; fill: #424a53 }
.grid { stroke: #888; stroke-opacity: 0.35 }
.one { stroke: #888; stroke-width: 2 }
polyline { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }
</style>
"#;

/// Ours, CXXRTL, Icarus.
const COLOURS: [&str; 3] = ["#2f81f7", "#d9822b", "#a371f7"];

/// A drawing of a size.
fn document(width: u32, height: u32, title: &str, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{title}\">\n{HEAD}{body}</svg>\n"
    )
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, what: &str) {
    _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>"
    );
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    _ = writeln!(
        out,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn dot(out: &mut String, x: f64, y: f64, colour: &str) {
    _ = writeln!(
        out,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>"
    );
}

const LEFT: f64 = 110.0;
const PLOT_WIDTH: f64 = 560.0;
const ROW: f64 = 24.0;
const TOP: f64 = 40.0;

/// Speeds of ours, CXXRTL and Icarus as multiples of the best Verilator, one row a design.
pub fn ladder(all: &[DesignFigures]) -> String {
    let bottom = TOP + ROW * all.len() as f64;
    let (low, high) = (-3.0, 1.5);
    let x = |ratio: f64| LEFT + PLOT_WIDTH * (ratio.log10().clamp(low, high) - low) / (high - low);
    let mut body = String::new();
    for tick in [0.001, 0.01, 0.1, 1.0, 10.0] {
        let class = if tick == 1.0 { "one" } else { "grid" };
        line(&mut body, class, (x(tick), TOP), (x(tick), bottom));
        let label = if tick == 1.0 {
            "Verilator = 1".to_owned()
        } else {
            tick.to_string()
        };
        text(&mut body, x(tick), bottom + 18.0, "middle", &label);
    }
    for (index, (name, colour)) in ["rtlwasm", "CXXRTL", "Icarus"]
        .iter()
        .zip(COLOURS)
        .enumerate()
    {
        let at = LEFT + 110.0 * index as f64;
        dot(&mut body, at + 6.0, 18.0, colour);
        text(&mut body, at + 16.0, 22.0, "start", name);
    }
    for (index, figures) in all.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        text(&mut body, LEFT - 12.0, y + 4.0, "end", &figures.design);
        let Some(verilator) = figures.best("verilator") else {
            continue;
        };
        for (prefix, colour) in ["ours", "cxxrtl", "icarus"].iter().zip(COLOURS).rev() {
            if let Some(engine) = figures.best(prefix) {
                let ratio = engine.cycles_per_second / verilator.cycles_per_second;
                dot(&mut body, x(ratio), y, colour);
            }
        }
    }
    document(
        (LEFT + PLOT_WIDTH + 40.0) as u32,
        (bottom + 30.0) as u32,
        "Speed as a multiple of Verilator's, by design",
        &body,
    )
}

const PANEL: f64 = 210.0;
const PANEL_GAP: f64 = 40.0;
const PANEL_HEIGHT: f64 = 150.0;

/// What a panel shows of a row.
type Figure = fn(&Growth) -> f64;

/// Figures per cell over the number of cells: level lines are linear growth.
pub fn growth(rows: &[Growth]) -> String {
    let panels: [(&str, Figure); 3] = [
        ("compiling, µs per cell", Growth::microseconds_per_cell),
        ("artifact, bytes per cell", Growth::bytes_per_cell),
        ("a cycle, ns per cell", Growth::nanoseconds_per_cell),
    ];
    let mut body = String::new();
    for (index, (title, figure)) in panels.iter().enumerate() {
        let left = 40.0 + (PANEL + PANEL_GAP) * index as f64;
        panel(&mut body, left, title, rows, *figure);
    }
    for (index, (name, colour)) in ["-O0", "default level"].iter().zip(COLOURS).enumerate() {
        let at = 40.0 + 90.0 * index as f64;
        dot(&mut body, at + 6.0, 14.0, colour);
        text(&mut body, at + 16.0, 18.0, "start", name);
    }
    let width = 40.0 + 3.0 * (PANEL + PANEL_GAP);
    let height = TOP + PANEL_HEIGHT + 56.0;
    document(
        width as u32,
        height as u32,
        "Growth from a thousand to a million cells, figures per cell",
        &body,
    )
}

fn panel(out: &mut String, left: f64, title: &str, rows: &[Growth], figure: Figure) {
    let bottom = TOP + PANEL_HEIGHT + 16.0;
    let most = rows.iter().map(figure).fold(f64::MIN_POSITIVE, f64::max);
    let x = |cells: f64| left + PANEL * (cells.log10() - 3.0) / 3.0;
    let y = |value: f64| bottom - PANEL_HEIGHT * value / most;
    text(out, left, TOP, "start", title);
    for (cells, label) in [(1e3, "1k"), (1e4, "10k"), (1e5, "100k"), (1e6, "1M")] {
        line(
            out,
            "grid",
            (x(cells), bottom),
            (x(cells), bottom - PANEL_HEIGHT),
        );
        text(out, x(cells), bottom + 16.0, "middle", label);
    }
    for share in [0.0, 0.5, 1.0] {
        let value = most * share;
        line(out, "grid", (left, y(value)), (left + PANEL, y(value)));
        let label = if most < 10.0 {
            format!("{value:.1}")
        } else {
            format!("{value:.0}")
        };
        text(out, left - 6.0, y(value) + 4.0, "end", &label);
    }
    for (level, colour) in [0, 2].iter().zip(COLOURS) {
        let own: Vec<&Growth> = rows.iter().filter(|row| row.level == *level).collect();
        let place = |row: &&Growth| (x(row.cells as f64), y(figure(row)));
        let points: Vec<String> = own
            .iter()
            .map(place)
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        _ = writeln!(
            out,
            "<polyline stroke=\"{colour}\" points=\"{}\"/>",
            points.join(" ")
        );
        for (x, y) in own.iter().map(place) {
            dot(out, x, y, colour);
        }
    }
}
