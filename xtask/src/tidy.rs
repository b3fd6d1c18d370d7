//! Checks the rules of the source tree that no compiler knows: the tracked files in, one line per breach out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::claims;
use crate::failure::{Failure, Result, at};
use crate::process::repository;

/// Longest source file, in lines.
const LONGEST: usize = 800;

/// Within these paths of the compiler, code must not name these crates and modules.
struct Layer {
    within: &'static str,
    /// Paths inside `within` that the rule spares.
    except: &'static [&'static str],
    never: &'static [&'static str],
    why: &'static str,
}

const LAYERS: &[Layer] = &[
    Layer {
        within: "compiler/src/",
        except: &["emit", "package"],
        never: &["walrus"],
        why: "only emit and package build WebAssembly",
    },
    Layer {
        within: "compiler/src/",
        except: &["package"],
        never: &["wasm_opt"],
        why: "only package optimises WebAssembly",
    },
    Layer {
        within: "compiler/src/",
        except: &["main.rs", "cli", "reference/engine.rs"],
        never: &["rtlwasm_host"],
        why: "the compiler's library runs nothing; only the command line and the reference's engines join it with the host",
    },
    Layer {
        within: "compiler/src/front",
        except: &[],
        never: &[
            "crate::pass",
            "crate::sched",
            "crate::layout",
            "crate::emit",
            "crate::package",
        ],
        why: "the front end ends with the netlist",
    },
    Layer {
        within: "compiler/src/pass",
        except: &[],
        never: &[
            "crate::front",
            "crate::sched",
            "crate::layout",
            "crate::emit",
            "crate::package",
        ],
        why: "passes know nothing but the netlist",
    },
    Layer {
        within: "compiler/src/ir",
        except: &[],
        never: &[
            "crate::front",
            "crate::pass",
            "crate::sched",
            "crate::layout",
            "crate::emit",
            "crate::package",
        ],
        why: "the netlist is below everything else",
    },
    Layer {
        within: "compiler/src/sched",
        except: &[],
        never: &[
            "crate::front",
            "crate::layout",
            "crate::emit",
            "crate::package",
        ],
        why: "scheduling comes before layout",
    },
    Layer {
        within: "hosts/rust/src",
        except: &[],
        never: &["rtlwasm::"],
        why: "a host needs nothing of the compiler",
    },
];

/// One breach.
struct Finding {
    path: PathBuf,
    line: usize,
    what: String,
}

pub fn run() -> Result {
    let files = tracked_files()?;
    let mut findings = Vec::new();
    for path in &files {
        if has_ending(
            path,
            &[
                "rs", "v", "sv", "il", "c", "h", "S", "md", "toml", "py", "js",
            ],
        ) {
            let full = repository().join(path);
            let text = fs::read_to_string(&full).map_err(at(&full))?;
            check_text(path, &text, &mut findings);
        }
    }
    for path in claims::unclaimed(&files)? {
        findings.push(Finding {
            path,
            line: 1,
            what: "no test claims this file".to_owned(),
        });
    }
    for finding in &findings {
        eprintln!(
            "{}:{}: {}",
            finding.path.display(),
            finding.line,
            finding.what
        );
    }
    if findings.is_empty() {
        println!("{} files", files.len());
        return Ok(());
    }
    Err(Failure::Findings(findings.len()))
}

/// What is in the repository or could be added to it, relative to its root.
pub fn tracked_files() -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository());
    let output = git.output().map_err(|source| Failure::Start {
        command: "git ls-files".to_owned(),
        source,
    })?;
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(listed
        .lines()
        .map(PathBuf::from)
        .filter(|path| repository().join(path).is_file())
        .collect())
}

pub fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension()
        .is_some_and(|ending| endings.iter().any(|known| ending == *known))
}

fn check_text(path: &Path, text: &str, findings: &mut Vec<Finding>) {
    let mut add = |line: usize, what: String| {
        findings.push(Finding {
            path: path.to_owned(),
            line,
            what,
        })
    };
    let unfinished = [["TO", "DO"], ["FIX", "ME"]].map(|halves| halves.concat());
    for (index, line) in text.lines().enumerate() {
        if unfinished.iter().any(|word| line.contains(word.as_str())) {
            add(index + 1, "unfinished work is not committed".to_owned());
        }
    }
    if !has_ending(path, &["rs"]) {
        return;
    }
    if !text.starts_with("//!") {
        add(
            1,
            "a file opens with `//!`: what comes in, what goes out, which invariant".to_owned(),
        );
    }
    let length = text.lines().count();
    if length > LONGEST {
        add(length, format!("{length} lines; {LONGEST} is the most"));
    }
    for (line, what) in layer_breaches(path, text) {
        add(line, what);
    }
}

/// Lines of code that name what their layer must not know.
fn layer_breaches(path: &Path, text: &str) -> Vec<(usize, String)> {
    let path = path.to_string_lossy();
    let applies = |layer: &&Layer| {
        let rest = path.strip_prefix(layer.within);
        rest.is_some_and(|rest| !layer.except.iter().any(|spared| rest.starts_with(spared)))
    };
    let mut breaches = Vec::new();
    for layer in LAYERS.iter().filter(applies) {
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let named = layer.never.iter().find(|name| names(code, name));
            breaches.extend(named.map(|name| (index + 1, format!("names {name}: {}", layer.why))));
        }
    }
    breaches
}

/// Whether `code` contains `name` as a whole path.
fn names(code: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + name.len()..].chars().next();
        !before.is_some_and(|c| in_word(c) || c == '"')
            && (name.ends_with(':') || !after.is_some_and(in_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_paths() {
        assert!(names("use walrus::Module;", "walrus"));
        assert!(names("fn f(m: walrus::Module)", "walrus"));
        assert!(!names("use walruses::Module;", "walrus"));
        assert!(!names("let s = \"walrus\";", "walrus"));
        assert!(names("use crate::pass;", "crate::pass"));
        assert!(!names("use crate::passage;", "crate::pass"));
    }

    #[test]
    fn a_layer_is_kept() {
        let breach = layer_breaches(
            Path::new("compiler/src/pass/fold.rs"),
            "//! text\nuse crate::emit::narrow;\n",
        );
        assert_eq!(breach.len(), 1);
        assert!(
            layer_breaches(
                Path::new("compiler/src/emit/narrow.rs"),
                "use walrus::Module;"
            )
            .is_empty()
        );
        assert_eq!(
            layer_breaches(Path::new("compiler/src/layout.rs"), "use walrus::Module;").len(),
            1
        );
    }
}
