//! The library for build scripts and programs: sources in, an artifact to write or to load out.
//!
//! In a build script, with `default-features = false` for RTLIL alone:
//!
//! ```no_run
//! let artifact = rtlwasm::Compiler::new().source("rtl/counter.il").top("counter").compile()?;
//! artifact.write_to_out_dir("counter.wasm")?;
//! artifact.cargo_rerun_if_changed();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rtlwasm_abi::manifest::Manifest;

use crate::compile::{Compilation, compile};
use crate::diag::{Colour, Diagnostic, Diagnostics, Sources, render};
use crate::options::{
    ClockOrder, Design, Language, OptLevel, Options, Poke, Profile, Strip, Trace, Undef,
};

/// What to compile and how. Every method but [`compile`](Compiler::compile) adds to the description and returns it.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    design: Design,
    options: Options,
}

/// A compiled design.
#[derive(Clone, Debug)]
pub struct Artifact {
    compilation: Compilation,
}

/// Why a design did not compile: all errors and warnings, shown with their source lines.
#[derive(Clone, Debug)]
pub struct CompileError {
    /// The problems, one by one.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiler {
    /// Nothing yet, with the default options: level 2, all names kept, undefined bits zero.
    pub fn new() -> Compiler {
        Compiler::default()
    }

    /// Adds a source file. The name's ending tells the language.
    pub fn source(mut self, path: impl Into<PathBuf>) -> Compiler {
        self.design.sources.push(path.into());
        self
    }

    /// Adds several source files.
    pub fn sources(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Compiler {
        self.design
            .sources
            .extend(paths.into_iter().map(Into::into));
        self
    }

    /// RTLIL text instead of files, and the name to show for it in messages.
    pub fn rtlil(mut self, name: impl Into<String>, text: impl Into<String>) -> Compiler {
        self.design.rtlil = Some((name.into(), text.into()));
        self
    }

    /// The top module. Not needed when one module only is not instantiated.
    pub fn top(mut self, module: impl Into<String>) -> Compiler {
        self.design.top = Some(module.into());
        self
    }

    /// Searches a folder for include files.
    pub fn include_dir(mut self, path: impl Into<PathBuf>) -> Compiler {
        self.design.include_dirs.push(path.into());
        self
    }

    /// Defines a macro, as `-D NAME` does.
    pub fn define(mut self, name: impl Into<String>) -> Compiler {
        self.design.defines.push((name.into(), None));
        self
    }

    /// Defines a macro with a value, as `-D NAME=VALUE` does.
    pub fn define_as(mut self, name: impl Into<String>, value: impl Into<String>) -> Compiler {
        self.design.defines.push((name.into(), Some(value.into())));
        self
    }

    /// Sets a parameter of the top module.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Compiler {
        self.design.parameters.push((name.into(), value.into()));
        self
    }

    /// The language of all sources, whatever their names.
    pub fn language(mut self, language: Language) -> Compiler {
        self.design.language = Some(language);
        self
    }

    /// How much to optimise.
    pub fn opt_level(mut self, level: OptLevel) -> Compiler {
        self.options.opt_level = level;
        self
    }

    /// What the artifact says about its inside.
    pub fn strip(mut self, strip: Strip) -> Compiler {
        self.options.strip = strip;
        self
    }

    /// What undefined bits of the initial state become.
    pub fn undef(mut self, undef: Undef) -> Compiler {
        self.options.undef = undef;
        self
    }

    /// Which state the host may write.
    pub fn poke(mut self, poke: Poke) -> Compiler {
        self.options.poke = poke;
        self
    }

    /// When an edge on a computed clock is seen.
    pub fn clock_order(mut self, order: ClockOrder) -> Compiler {
        self.options.clock_order = order;
        self
    }

    /// Whether the artifact can write the change trace.
    pub fn trace(mut self, trace: Trace) -> Compiler {
        self.options.trace = trace;
        self
    }

    /// The kind of engine that functions are cut for.
    pub fn profile(mut self, profile: Profile) -> Compiler {
        self.options.profile = profile;
        self
    }

    /// Reads the sources and compiles them.
    ///
    /// # Errors
    /// [`CompileError`], whose text shows each problem with its source line. Returned from a build script's `main`, cargo
    /// shows it to the user.
    pub fn compile(&self) -> Result<Artifact, CompileError> {
        match compile(&self.design, &self.options) {
            Ok(compilation) => Ok(Artifact { compilation }),
            Err(Diagnostics(diagnostics)) => Err(CompileError { diagnostics }),
        }
    }
}

impl Artifact {
    /// The bytes of the `.wasm` file.
    pub fn bytes(&self) -> &[u8] {
        &self.compilation.artifact
    }

    /// What the artifact says of itself: ports, clocks, events.
    pub fn manifest(&self) -> &Manifest {
        &self.compilation.manifest
    }

    /// Every file that was read, memory images and include files too.
    pub fn dependencies(&self) -> &[PathBuf] {
        &self.compilation.dependencies
    }

    /// What is suspicious in the sources.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.compilation.warnings
    }

    /// The warnings as text, with their source lines.
    pub fn warnings_text(&self) -> String {
        render(
            &self.compilation.warnings,
            &self.compilation.sources,
            Colour::Never,
        )
    }

    /// Writes the `.wasm` file.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.bytes())
    }

    /// For build scripts: writes the file of this name in cargo's `OUT_DIR`, from where
    /// `include_bytes!(concat!(env!("OUT_DIR"), "/NAME"))` takes it, and returns its path.
    pub fn write_to_out_dir(&self, name: &str) -> io::Result<PathBuf> {
        let folder = std::env::var_os("OUT_DIR").ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "OUT_DIR is not set: is this a build script?",
            )
        })?;
        let path = Path::new(&folder).join(name);
        self.write(&path)?;
        Ok(path)
    }

    /// For build scripts: tells cargo to run the script again when one of the files that were read changes, and
    /// shows the warnings.
    pub fn cargo_rerun_if_changed(&self) {
        print!("{}", self.cargo_lines());
    }

    fn cargo_lines(&self) -> String {
        let mut lines = String::from("cargo::rerun-if-changed=build.rs\n");
        for path in self.dependencies() {
            lines += &format!("cargo::rerun-if-changed={}\n", path.display());
        }
        for line in self.warnings_text().lines().filter(|line| !line.is_empty()) {
            lines += &format!("cargo::warning={line}\n");
        }
        lines
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(
            &self.diagnostics,
            &Sources::default(),
            Colour::Never,
        ))
    }
}

impl std::error::Error for CompileError {}
