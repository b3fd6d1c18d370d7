//! Which sources make the design and how to read them: arguments in, [`Design`] out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rtlwasm::options::{Design, Language};

use super::Failure;

/// The source selection that most subcommands share.
#[derive(Args, Clone, Debug)]
pub struct DesignArgs {
    /// Sources (.v .sv .il .rtlil .json), `-` for standard input, +incdir+DIR, +define+NAME=VALUE
    #[arg(value_name = "FILE", required_unless_present = "file_lists")]
    pub inputs: Vec<String>,
    /// Top module; not needed when one module only is not instantiated
    #[arg(long, value_name = "MODULE", help_heading = "Sources")]
    pub top: Option<String>,
    /// Search a folder for `include files
    #[arg(short = 'I', value_name = "DIR", help_heading = "Sources")]
    pub include_dirs: Vec<PathBuf>,
    /// Define a macro
    #[arg(short = 'D', value_name = "NAME[=VALUE]", value_parser = define, help_heading = "Sources")]
    pub defines: Vec<(String, Option<String>)>,
    /// Set a parameter of the top module
    #[arg(short = 'P', value_name = "NAME=VALUE", value_parser = parameter, help_heading = "Sources")]
    pub parameters: Vec<(String, String)>,
    /// Read more arguments from a file list
    #[arg(short = 'f', value_name = "FILE", help_heading = "Sources")]
    pub file_lists: Vec<PathBuf>,
    /// Search a folder for modules that are missing
    #[arg(short = 'y', value_name = "DIR", help_heading = "Sources")]
    pub library_dirs: Vec<PathBuf>,
    /// Ending of the files in library folders
    #[arg(short = 'Y', value_name = ".EXT", help_heading = "Sources")]
    pub library_extensions: Vec<String>,
    /// Language of all sources, whatever their names
    #[arg(long, value_enum, value_name = "LANGUAGE", help_heading = "Sources")]
    pub lang: Option<LanguageArg>,
    /// A Yosys to use instead of the installed one: a .wasm file or a program; also RTLWASM_YOSYS
    #[arg(long, value_name = "PATH", help_heading = "Sources")]
    pub yosys: Option<PathBuf>,
    /// Show the script and the log of Yosys
    #[arg(long, help_heading = "Sources")]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LanguageArg {
    Verilog,
    #[value(name = "systemverilog", alias = "sv")]
    SystemVerilog,
    Rtlil,
    /// A netlist written by Yosys
    Json,
}

impl DesignArgs {
    /// The design, and the arguments that begin with a plus and are no source selection.
    pub fn split(&self) -> (Design, Vec<String>) {
        let mut design = Design {
            top: self.top.clone(),
            include_dirs: self.include_dirs.clone(),
            defines: self.defines.clone(),
            parameters: self.parameters.clone(),
            file_lists: self.file_lists.clone(),
            library_dirs: self.library_dirs.clone(),
            library_extensions: self.library_extensions.clone(),
            language: self.lang.map(LanguageArg::language),
            yosys: self.yosys.clone(),
            verbose: self.verbose,
            ..Design::default()
        };
        let mut plusargs = Vec::new();
        for input in &self.inputs {
            if let Some(dirs) = input.strip_prefix("+incdir+") {
                design
                    .include_dirs
                    .extend(dirs.split('+').map(PathBuf::from));
            } else if let Some(defines) = input.strip_prefix("+define+") {
                design.defines.extend(defines.split('+').map(split_define));
            } else if let Some(plusarg) = input.strip_prefix('+') {
                plusargs.push(plusarg.to_string());
            } else {
                design.sources.push(PathBuf::from(input));
            }
        }
        (design, plusargs)
    }

    /// The design, for subcommands that run nothing.
    pub fn design(&self) -> Result<Design, Failure> {
        match self.split() {
            (design, plusargs) if plusargs.is_empty() => Ok(design),
            (_, plusargs) => {
                let message = format!(
                    "`+{}` is neither +incdir+DIR nor +define+NAME=VALUE",
                    plusargs[0]
                );
                Err(Failure::Usage(message))
            }
        }
    }
}

impl LanguageArg {
    fn language(self) -> Language {
        match self {
            LanguageArg::Verilog => Language::Verilog,
            LanguageArg::SystemVerilog => Language::SystemVerilog,
            LanguageArg::Rtlil => Language::Rtlil,
            LanguageArg::Json => Language::Json,
        }
    }
}

fn define(text: &str) -> Result<(String, Option<String>), String> {
    match split_define(text) {
        (name, _) if name.is_empty() => Err(format!("`{text}` has no name")),
        define => Ok(define),
    }
}

fn split_define(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (text.to_string(), None),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let assignment = super::number::assignment(text)?;
    Ok((assignment.name, assignment.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Test {
        #[command(flatten)]
        design: DesignArgs,
    }

    #[test]
    fn plus_arguments() {
        let line = "t a.v +incdir+x+y +define+A=1+B +go -I z -DC -DD=2 -PW=8 +n=5";
        let args = Test::try_parse_from(line.split(' ')).expect("valid").design;
        let (design, plusargs) = args.split();
        assert_eq!(design.sources, [PathBuf::from("a.v")]);
        assert_eq!(design.include_dirs, ["z", "x", "y"].map(PathBuf::from));
        let names: Vec<&str> = design
            .defines
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["C", "D", "A", "B"]);
        assert_eq!(design.parameters, [("W".to_string(), "8".to_string())]);
        assert_eq!(plusargs, ["go", "n=5"]);
        assert!(args.design().is_err());
    }
}
