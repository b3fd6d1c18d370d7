//! Processes and what they use: commands that build something, and sessions with a running simulator.
//!
//! Every simulator is a process that reads numbers of cycles, one a line, from its standard input, runs that many, and
//! answers with the values of all outputs on one line of its standard error. What the design writes goes to standard
//! output, and from there nowhere. Time is the process' own processor time, read from outside before and after, so
//! that other processes on the machine cost little accuracy.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result, at};

/// No process that builds a simulator may take longer, in seconds of processor time.
const BUILD_LIMIT: u64 = 2400;

/// No run takes longer, in seconds.
const RUN_LIMIT: i32 = 180;

/// What commands have used from start to end, with all their children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub processor_seconds: f64,
    pub wall_seconds: f64,
    /// Largest resident size of one process.
    pub peak_kilobytes: u64,
}

impl Usage {
    /// One after the other.
    pub fn then(self, next: Usage) -> Usage {
        Usage {
            processor_seconds: self.processor_seconds + next.processor_seconds,
            wall_seconds: self.wall_seconds + next.wall_seconds,
            peak_kilobytes: self.peak_kilobytes.max(next.peak_kilobytes),
        }
    }
}

/// Runs a command to its end; its output goes to `log`.
pub fn run(command: &mut Command, log: &Path) -> Result<Usage> {
    let name = command.get_program().to_string_lossy().into_owned();
    let file = File::create(log).map_err(at(log))?;
    let twin = file.try_clone().map_err(at(log))?;
    command.stdin(Stdio::null()).stdout(file).stderr(twin);
    limit_time(command);
    let start = Instant::now();
    let child = command.spawn().map_err(|source| Failure::Start {
        program: name.clone(),
        source,
    })?;
    let (status, mut usage) = wait(&child)?;
    usage.wall_seconds = start.elapsed().as_secs_f64();
    if status.success() {
        return Ok(usage);
    }
    let log = fs::read(log).map_err(at(log))?;
    Err(Failure::Command {
        program: name,
        status,
        log: last_lines(&String::from_utf8_lossy(&log)),
    })
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

fn limit_time(command: &mut Command) {
    let limit = libc::rlimit {
        rlim_cur: BUILD_LIMIT,
        rlim_max: BUILD_LIMIT,
    };
    // SAFETY: between fork and exec only a system call is made, on a copy of a plain value.
    unsafe {
        command.pre_exec(move || check(libc::setrlimit(libc::RLIMIT_CPU, &limit)));
    }
}

/// Waits for the end of a child that nothing else waits for.
fn wait(child: &Child) -> Result<(ExitStatus, Usage)> {
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is ours; both pointers are to live values of the right type.
    let waited = unsafe { libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) };
    check(waited).map_err(|source| Failure::Start {
        program: "wait4".into(),
        source,
    })?;
    // SAFETY: `wait4` has filled it in; all-zero bytes are valid, too.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok((
        ExitStatus::from_raw(status),
        Usage {
            processor_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            wall_seconds: 0.0,
            peak_kilobytes: usage.ru_maxrss as u64,
        },
    ))
}

fn check(result: i32) -> std::io::Result<()> {
    if result < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

/// A simulator that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: PathBuf,
}

/// What one run gave.
pub struct Lap {
    /// Processor seconds.
    pub seconds: f64,
    /// Output values as hexadecimal text, in the order of the ports.
    pub row: Vec<String>,
}

/// A running simulator.
pub struct Session {
    child: Child,
    commands: ChildStdin,
    replies: BufReader<ChildStderr>,
    clock: libc::clockid_t,
    started: Instant,
    name: String,
}

impl Session {
    /// Starts a simulator on the one processor that all of them are measured on.
    pub fn start(program: &Program, name: &str) -> Result<Session> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        pin(&mut command);
        let start = Instant::now();
        let started = |source| Failure::Start {
            program: name.to_owned(),
            source,
        };
        let mut child = command.spawn().map_err(started)?;
        let commands = child.stdin.take().expect("it is piped");
        let replies = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut clock = 0;
        // SAFETY: the pointer is to a live value of the right type.
        match unsafe { libc::clock_getcpuclockid(child.id() as i32, &mut clock) } {
            0 => {}
            code => return Err(started(std::io::Error::from_raw_os_error(code))),
        }
        Ok(Session {
            child,
            commands,
            replies,
            clock,
            started: start,
            name: name.to_owned(),
        })
    }

    /// Runs so many cycles.
    pub fn run(&mut self, cycles: u64) -> Result<Lap> {
        let before = self.seconds()?;
        let mut line = String::new();
        let answer = writeln!(self.commands, "{cycles}")
            .and_then(|()| self.commands.flush())
            .and_then(|()| self.wait_for_reply())
            .and_then(|()| self.replies.read_line(&mut line));
        answer.map_err(|source| Failure::Ended {
            name: self.name.clone(),
            text: source.to_string(),
        })?;
        let seconds = self.seconds()? - before;
        let row: Vec<String> = line.split_ascii_whitespace().map(str::to_owned).collect();
        let is_number = |word: &String| {
            word.chars()
                .all(|c| c.is_ascii_hexdigit() || "xXzZ".contains(c))
        };
        if row.is_empty() || !row.iter().all(is_number) {
            return Err(Failure::Ended {
                name: self.name.clone(),
                text: format!("{}{}", line, self.rest()),
            });
        }
        Ok(Lap { seconds, row })
    }

    /// Runs, and says how many cycles take so many seconds.
    pub fn cycles_of(&mut self, seconds: f64) -> Result<u64> {
        let mut cycles = 16;
        loop {
            let lap = self.run(cycles)?;
            if lap.seconds >= seconds / 8.0 {
                let wanted = cycles as f64 * seconds / lap.seconds;
                return Ok((wanted as u64).max(1));
            }
            cycles *= 2;
        }
    }

    /// A simulator whose logic never settles does not hold up the others.
    fn wait_for_reply(&mut self) -> std::io::Result<()> {
        let mut place = libc::pollfd {
            fd: self.replies.get_ref().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: the pointer is to one live value.
        match unsafe { libc::poll(&mut place, 1, RUN_LIMIT * 1000) } {
            0 => {
                self.child.kill()?;
                let text = format!("no answer for {RUN_LIMIT} s");
                Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
            }
            result => check(result),
        }
    }

    /// Processor seconds since its start.
    pub fn seconds(&self) -> Result<f64> {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is to a live value of the right type.
        let result = unsafe { libc::clock_gettime(self.clock, &mut time) };
        check(result).map_err(|source| Failure::Start {
            program: self.name.clone(),
            source,
        })?;
        Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }

    /// Seconds since its start.
    pub fn age(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Largest resident size so far; 0 where the system does not say.
    pub fn peak_kilobytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
        number.unwrap_or(0)
    }

    /// Ends it and says what it has used.
    pub fn finish(self) -> Result<Usage> {
        drop(self.commands);
        let (_, usage) = wait(&self.child)?;
        Ok(usage)
    }

    /// What it still says when it has gone wrong.
    fn rest(&mut self) -> String {
        let mut lines = self.replies.by_ref().lines().map_while(std::io::Result::ok);
        lines.by_ref().take(8).collect::<Vec<_>>().join("\n")
    }
}

/// The last processor that this process may use: the first one tends to serve interrupts.
fn pin(command: &mut Command) {
    // SAFETY: an all-zero set is an empty one, and the calls get live pointers with their sizes.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        let size = std::mem::size_of::<libc::cpu_set_t>();
        if libc::sched_getaffinity(0, size, &mut allowed) != 0 {
            return;
        }
        let last = (0..libc::CPU_SETSIZE as usize)
            .rev()
            .find(|cpu| libc::CPU_ISSET(*cpu, &allowed));
        let Some(last) = last else { return };
        let mut chosen: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(last, &mut chosen);
        command.pre_exec(move || check(libc::sched_setaffinity(0, size, &chosen)));
    }
}
