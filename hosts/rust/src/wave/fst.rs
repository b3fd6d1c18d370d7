//! The compressed format of GTKWave, which Surfer reads too.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::{Format, Header, Name, NameKind, scope_change};
use crate::value::Value;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType,
    FstVarDirection, FstVarType, FstWriteError, open_fst,
};

/// Values are written out when they take this many bytes in memory.
const FLUSH_BYTES: usize = 64 << 20;

struct Fst {
    writer: FstBodyWriter<BufWriter<File>>,
    ids: Vec<FstSignalId>,
    start: u64,
    last: u64,
}

pub fn create(path: &Path, header: &Header) -> Result<Box<dyn Format>, String> {
    open(path, header)
        .map(|fst| Box::new(fst) as Box<dyn Format>)
        .map_err(told)
}

/// The library says of input and output only that they failed.
fn told(error: FstWriteError) -> String {
    match error {
        FstWriteError::Io(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

fn open(path: &Path, header: &Header) -> Result<Fst, FstWriteError> {
    let info = FstInfo {
        start_time: header.start,
        timescale_exponent: header.time_unit as i8,
        version: header.version.clone(),
        // The same run gives the same file.
        date: String::new(),
        file_type: FstFileType::Verilog,
    };
    let mut writer = open_fst(path, &info)?;
    let mut ids = vec![None; header.variables];
    let mut scopes: &[String] = &[];
    for name in &header.names {
        let (leave, enter) = scope_change(scopes, &name.scopes);
        for _ in 0..leave {
            writer.up_scope()?;
        }
        for scope in enter {
            writer.scope(scope, "", FstScopeType::Module)?;
        }
        scopes = &name.scopes;
        ids[name.variable] = Some(declare(&mut writer, name, ids[name.variable])?);
    }
    for _ in scopes {
        writer.up_scope()?;
    }
    let ids = ids
        .into_iter()
        .map(|id| id.expect("every variable has a name"))
        .collect();
    Ok(Fst {
        writer: writer.finish()?,
        ids,
        start: header.start,
        last: header.start,
    })
}

/// A further name of a variable is an alias of its first.
fn declare<W: Write + std::io::Seek>(
    writer: &mut FstHeaderWriter<W>,
    name: &Name,
    first: Option<FstSignalId>,
) -> Result<FstSignalId, FstWriteError> {
    let (kind, direction) = match name.kind {
        NameKind::Input => (FstVarType::Wire, FstVarDirection::Input),
        NameKind::Output => (FstVarType::Wire, FstVarDirection::Output),
        NameKind::Inout => (FstVarType::Wire, FstVarDirection::InOut),
        NameKind::Register => (FstVarType::Reg, FstVarDirection::Implicit),
        NameKind::Constant => (FstVarType::Parameter, FstVarDirection::Implicit),
        NameKind::Wire => (FstVarType::Wire, FstVarDirection::Implicit),
    };
    let shown = match name.range {
        Some((high, low)) => format!("{} [{high}:{low}]", name.name),
        None => name.name.clone(),
    };
    writer.var(
        shown,
        FstSignalType::bit_vec(name.width),
        kind,
        direction,
        first,
    )
}

impl Format for Fst {
    fn time(&mut self, time: u64) -> Result<(), String> {
        // The first values are those of the start time, before the first change of time.
        if time == self.last {
            return Ok(());
        }
        self.last = time;
        let flushed = if self.writer.size() > FLUSH_BYTES {
            self.writer.flush()
        } else {
            Ok(())
        };
        flushed
            .and_then(|()| self.writer.time_change(time))
            .map_err(told)
    }

    fn change(&mut self, variable: usize, value: &Value) -> Result<(), String> {
        let digits = format!("{value:b}");
        self.writer
            .signal_change(self.ids[variable], digits.as_bytes())
            .map_err(told)
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        // Readers want at least one change of time.
        if self.last == self.start {
            self.time(self.start + 1)?;
        }
        let mut file = self.writer.finish().map_err(told)?;
        file.flush().map_err(|e| e.to_string())
    }
}
