//! What Yosys is told: takes a staged design and a view of it, gives a script.
//!
//! Yosys only reads and elaborates. Its optimising passes skip modules with processes, merge registers
//! into memory ports and slice registers, which loses names and structure that the compiler wants.

use std::path::{Path, PathBuf};

use super::stage::{Staged, below_root};
use crate::options::{Design, Language};

/// How the sources are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    pub front: FrontEnd,
    /// With `SYNTHESIS` defined, though the user did not ask for it.
    pub synthesis: bool,
    /// Which words are keywords in `.v` files.
    pub keywords: Keywords,
    pub hierarchy: Hierarchy,
    pub enums: Enums,
    /// How often loops are unrolled.
    pub unroll: u32,
}

/// Loops are unrolled so often at first, because a loop that never ends costs time and memory with every
/// round; those of `initial` blocks, which fill memories, again more often.
pub const UNROLL: u32 = 10_000;
pub const UNROLL_MORE: u32 = 1_000_000;

/// Whether modules stay modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hierarchy {
    Kept,
    /// Where slang cannot keep it, because names reach across it.
    Flattened,
}

/// What may be assigned to an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enums {
    Members,
    /// Numbers as well, without a cast.
    Numbers,
}

/// What may help after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    MoreUnrolling,
    FlatHierarchy,
    NumbersForEnums,
    ReadVerilog,
    Verilog2005,
}

impl View {
    /// The view with a remedy; `None` when it has been tried.
    pub fn with(self, remedy: Remedy) -> Option<View> {
        let view = match remedy {
            Remedy::MoreUnrolling => View {
                unroll: UNROLL_MORE,
                ..self
            },
            Remedy::FlatHierarchy => View {
                hierarchy: Hierarchy::Flattened,
                ..self
            },
            Remedy::NumbersForEnums => View {
                enums: Enums::Numbers,
                ..self
            },
            Remedy::ReadVerilog => View {
                front: FrontEnd::Verilog,
                ..self
            },
            Remedy::Verilog2005 => View {
                keywords: Keywords::Verilog2005,
                ..self
            },
        };
        (view != self).then_some(view)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontEnd {
    /// `read_slang`
    Slang,
    /// `read_verilog`
    Verilog,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keywords {
    SystemVerilog,
    Verilog2005,
}

/// Names of files in the folder for results.
pub const RTLIL: &str = "design.il";
pub const COMPLAINTS: &str = "complaints.json";
/// In the folder for sources: macros of the command line, and for `read_verilog` the sources as well.
pub const PRELUDE: &str = "rtlwasm_options.v";

/// Sources that are not Verilog, as copied below the folder for sources.
#[derive(Clone, Debug, Default)]
pub struct Netlists {
    pub rtlil: Vec<PathBuf>,
    pub json: Vec<PathBuf>,
}

/// The script of one run; `scratch` is the scratch folder as Yosys sees it, `top` the top as far as known.
pub fn script(
    design: &Design,
    staged: &Staged,
    netlists: &Netlists,
    view: View,
    top: Option<&str>,
    scratch: &str,
) -> String {
    let sources = format!("{scratch}/src");
    let mut lines = Vec::new();
    lines.extend(
        netlists
            .rtlil
            .iter()
            .map(|path| format!("read_rtlil {}", quoted(&in_folder(&sources, path)))),
    );
    lines.extend(
        netlists
            .json
            .iter()
            .map(|path| format!("read_json {}", quoted(&in_folder(&sources, path)))),
    );
    let mut hierarchy = "hierarchy -check".to_string();
    if let Some(top) = top {
        hierarchy += &format!(" -top {}", quoted(top));
    }
    if !staged.sources.is_empty() {
        match view.front {
            FrontEnd::Slang => lines.push(read_slang(design, staged, view, top, &sources, scratch)),
            FrontEnd::Verilog => {
                lines.push(read_verilog(staged, view, &sources));
                hierarchy.extend(
                    design
                        .parameters
                        .iter()
                        .map(|(name, value)| format!(" -chparam {name} {}", quoted(value))),
                );
            }
        }
    }
    lines.push(hierarchy);
    lines.push(format!("write_rtlil {scratch}/out/{RTLIL}"));
    lines.join("\n") + "\n"
}

/// The text of the file named [`PRELUDE`].
pub fn prelude(design: &Design, staged: &Staged, view: View, scratch: &str) -> String {
    let mut text = String::new();
    for (name, value) in &design.defines {
        text += &format!("`define {name} {}\n", value.as_deref().unwrap_or("1"));
    }
    if view.synthesis {
        text += "`define SYNTHESIS 1\n";
    }
    // read_verilog forgets macros from file to file, so it gets one file.
    if view.front == FrontEnd::Verilog {
        let sources = format!("{scratch}/src");
        for source in &staged.sources {
            text += &format!("`include \"{}\"\n", in_folder(&sources, &source.path));
        }
    }
    text
}

const READ_SLANG: &str = "read_slang --no-proc --threads 1 --allow-dual-edge-ff --no-synthesis-define \
    --allow-use-before-declare --allow-hierarchical-const --allow-merging-ansi-ports --allow-self-determined-stream-concat --relax-string-conversions -Wwidth-trunc -Wno-error=range-width-oob \
    --single-unit --libraries-inherit-macros --error-limit 100 --diag-column-unit byte";

fn read_slang(
    design: &Design,
    staged: &Staged,
    view: View,
    top: Option<&str>,
    sources: &str,
    scratch: &str,
) -> String {
    let mut words = vec![READ_SLANG.to_string()];
    if view.hierarchy == Hierarchy::Kept {
        words.push("--best-effort-hierarchy".to_string());
    }
    if view.enums == Enums::Numbers {
        words.push("--relax-enum-conversions".to_string());
    }
    words.push(format!("--unroll-limit {}", view.unroll));
    words.push(format!("--diag-json {scratch}/out/{COMPLAINTS}"));
    if view.keywords == Keywords::Verilog2005 {
        let all = design.language == Some(Language::Verilog);
        let by_name = |path: &Path| path.extension().is_some_and(|e| e == "v" || e == "vh");
        let verilog = staged.files.keys().filter(|path| all || by_name(path));
        words.extend(verilog.map(|path| {
            format!(
                "--map-keyword-version {}",
                quoted(&format!("1364-2005+{}", in_folder(sources, path)))
            )
        }));
    }
    words.extend(top.map(|top| format!("--top {}", quoted(top))));
    words.extend(
        design
            .parameters
            .iter()
            .map(|(name, value)| format!("-G {}", quoted(&format!("{name}={value}")))),
    );
    words.extend(include_words(staged, sources, "-I "));
    words.push(format!("{sources}/{PRELUDE}"));
    // Libraries too are sources like others: as libraries, slang would keep each other's macros from them.
    words.extend(
        staged
            .sources
            .iter()
            .map(|source| quoted(&in_folder(sources, &source.path))),
    );
    words.join(" ")
}

fn read_verilog(staged: &Staged, view: View, sources: &str) -> String {
    let mut words = vec!["read_verilog -defer -nosynthesis".to_string()];
    if view.keywords == Keywords::SystemVerilog {
        words.push("-sv".to_string());
    }
    words.extend(include_words(staged, sources, "-I"));
    words.push(format!("{sources}/{PRELUDE}"));
    words.join(" ")
}

/// The copies come first; the originals serve includes whose name is made by macros.
fn include_words(staged: &Staged, sources: &str, option: &str) -> Vec<String> {
    let copies = staged
        .include_dirs
        .iter()
        .map(|dir| in_folder(sources, dir));
    let originals = staged
        .include_dirs
        .iter()
        .map(|dir| dir.to_string_lossy().into_owned());
    copies
        .chain(originals)
        .map(|dir| format!("{option}{}", quoted(&dir)))
        .collect()
}

/// Where the copy of a file is.
pub fn in_folder(sources: &str, path: &Path) -> String {
    format!("{sources}/{}", below_root(path).to_string_lossy())
}

/// A word of a Yosys script: quotes end only before space, so inner ones need no escape.
fn quoted(word: &str) -> String {
    match word.contains(|c: char| c.is_whitespace() || matches!(c, ';' | '#' | '"')) {
        true => format!("\"{word}\""),
        false => word.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::StagedSource;
    use super::*;

    #[test]
    fn options_reach_both_front_ends() {
        let design = Design {
            top: Some("t".into()),
            parameters: vec![("N".into(), "4".into())],
            defines: vec![("A".into(), None), ("B".into(), Some("\"x y\"".into()))],
            ..Design::default()
        };
        let staged = Staged {
            sources: vec![
                StagedSource {
                    path: "/p/a b.v".into(),
                    is_library: false,
                },
                StagedSource {
                    path: "/p/l.v".into(),
                    is_library: true,
                },
            ],
            include_dirs: vec!["/p/inc".into()],
            ..Staged::default()
        };
        let mut view = View {
            front: FrontEnd::Slang,
            synthesis: true,
            keywords: Keywords::SystemVerilog,
            hierarchy: Hierarchy::Kept,
            enums: Enums::Members,
            unroll: UNROLL,
        };
        let text = script(
            &design,
            &staged,
            &Netlists::default(),
            view,
            Some("t"),
            "/s",
        );
        for part in [
            "--top t",
            "-G N=4",
            "\"/s/src/p/a b.v\"",
            " /s/src/p/l.v",
            "-I /s/src/p/inc -I /p/inc",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.ends_with("hierarchy -check -top t\nwrite_rtlil /s/out/design.il\n"));
        assert_eq!(
            prelude(&design, &staged, view, "/s"),
            "`define A 1\n`define B \"x y\"\n`define SYNTHESIS 1\n"
        );
        view.front = FrontEnd::Verilog;
        let text = script(
            &design,
            &staged,
            &Netlists::default(),
            view,
            Some("t"),
            "/s",
        );
        assert!(text.contains("read_verilog -defer -nosynthesis -sv -I/s/src/p/inc"));
        assert!(text.contains("hierarchy -check -top t -chparam N 4"));
        assert!(prelude(&design, &staged, view, "/s").contains("`include \"/s/src/p/a b.v\""));
    }
}
