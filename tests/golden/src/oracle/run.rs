//! Runs a built simulator: the stimulus goes in as a file, the trace comes back as one, row by row.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::bench::write_stimulus;
use super::cache::io;
use super::{OracleDesign, OracleError, Sample, Stimulus};

/// A simulator ready to run.
pub struct Simulator {
    pub tool: &'static str,
    pub program: PathBuf,
    /// What comes before the two plusargs `+stimulus=FILE` and `+trace=FILE`.
    pub arguments: Vec<String>,
    /// Bits that one character of a trace stands for: 1 or 4.
    pub bits_per_digit: u32,
    /// Lines on standard output that come from the simulator and not from the design.
    pub own_lines: fn(&str) -> bool,
}

/// How a simulation ended.
#[derive(Clone, Debug)]
pub struct End {
    /// What the design wrote to standard output.
    pub text: String,
    /// The design ended the simulation itself.
    pub finished: bool,
}

/// No simulation of a fixture or a core takes longer on a slow machine.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs the simulator in the design's folder and hands over each row of samples.
pub fn run(
    simulator: &Simulator,
    design: &OracleDesign,
    stimulus: &Stimulus,
    mut each_row: impl FnMut(Vec<Sample>),
) -> Result<End, OracleError> {
    let scratch = tempfile::tempdir().map_err(|source| io(&std::env::temp_dir(), source))?;
    let [stimulus_path, trace_path, text_path] =
        ["stimulus", "trace", "text"].map(|name| scratch.path().join(name));
    let file = File::create(&stimulus_path).map_err(|source| io(&stimulus_path, source))?;
    let mut out = BufWriter::new(file);
    write_stimulus(&mut out, design, stimulus)
        .and_then(|()| out.flush())
        .map_err(|source| io(&stimulus_path, source))?;

    let mut command = Command::new(&simulator.program);
    command.args(&simulator.arguments);
    command
        .arg(format!("+stimulus={}", stimulus_path.display()))
        .arg(format!("+trace={}", trace_path.display()));
    command
        .args(design.plusargs.iter().map(|name| format!("+{name}")))
        .current_dir(&design.folder);
    let (status, log) = execute(simulator.tool, command, &text_path)?;
    if !status.success() {
        return Err(OracleError::Run {
            tool: simulator.tool,
            log,
        });
    }
    let rows = read_trace(simulator, design, &trace_path, &mut each_row)?;
    let kept = log.lines().filter(|line| !(simulator.own_lines)(line));
    Ok(End {
        text: kept.flat_map(|line| [line, "\n"]).collect(),
        finished: rows < stimulus.cycles,
    })
}

/// Runs a command to its end with its output in a file, which is also returned.
pub fn execute(
    tool: &'static str,
    mut command: Command,
    output: &Path,
) -> Result<(ExitStatus, String), OracleError> {
    let file = File::create(output).map_err(|source| io(output, source))?;
    let twin = file.try_clone().map_err(|source| io(output, source))?;
    command.stdin(Stdio::null()).stdout(file).stderr(twin);
    let mut child = command.spawn().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OracleError::ToolMissing { tool },
        _ => io(output, source),
    })?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|source| io(output, source))? {
            break status;
        }
        if start.elapsed() > LIMIT {
            child
                .kill()
                .and_then(|()| child.wait())
                .map_err(|source| io(output, source))?;
            return Err(OracleError::Timeout {
                tool,
                seconds: LIMIT.as_secs(),
            });
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let log = fs::read(output).map_err(|source| io(output, source))?;
    Ok((status, String::from_utf8_lossy(&log).into_owned()))
}

/// Hands over each row; returns how many there are.
fn read_trace(
    simulator: &Simulator,
    design: &OracleDesign,
    path: &Path,
    each_row: &mut dyn FnMut(Vec<Sample>),
) -> Result<u64, OracleError> {
    let file = File::open(path).map_err(|source| io(path, source))?;
    let mut rows = 0;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|source| io(path, source))?;
        let mut words = line.split_ascii_whitespace();
        let row: Option<Vec<Sample>> = design
            .outputs()
            .map(|port| {
                words
                    .next()
                    .and_then(|text| parse_sample(text, port.width, simulator.bits_per_digit))
            })
            .collect();
        match row {
            Some(row) if words.next().is_none() => each_row(row),
            _ => {
                return Err(OracleError::Trace {
                    tool: simulator.tool,
                    line: rows as usize + 1,
                    text: line,
                });
            }
        }
        rows += 1;
    }
    Ok(rows)
}

/// A number in digits of one or four bits; `x` and `z` make all bits of their digit unknown.
fn parse_sample(text: &str, width: u32, bits_per_digit: u32) -> Option<Sample> {
    let limbs = width.div_ceil(64) as usize;
    let mut sample = Sample {
        value: vec![0; limbs],
        unknown: vec![0; limbs],
    };
    for (index, digit) in text.bytes().rev().enumerate() {
        let place = index as u32 * bits_per_digit;
        let (value, unknown) = match digit {
            b'x' | b'z' | b'X' | b'Z' => (0, (1 << bits_per_digit) - 1),
            _ => (
                u64::from(char::from(digit).to_digit(1 << bits_per_digit)?),
                0,
            ),
        };
        if place >= width {
            (value | unknown == 0).then_some(())?;
            continue;
        }
        sample.value[place as usize / 64] |= value << (place % 64);
        sample.unknown[place as usize / 64] |= unknown << (place % 64);
    }
    Some(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_in_both_bases() {
        let known = |value: Vec<u64>| {
            Some(Sample {
                unknown: vec![0; value.len()],
                value,
            })
        };
        assert_eq!(parse_sample("00ff", 9, 4), known(vec![255]));
        assert_eq!(
            parse_sample("1x0", 3, 1),
            Some(Sample {
                value: vec![4],
                unknown: vec![2]
            })
        );
        assert_eq!(
            parse_sample("100000000000000000000000000000001", 128, 4),
            None
        );
        assert_eq!(parse_sample("10000000000000001", 65, 4), known(vec![1, 1]));
        assert_eq!(parse_sample("12", 2, 1), None);
    }
}
