//! The text format that every viewer reads.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use vcd::{IdCode, ReferenceIndex, SimulationCommand, TimescaleUnit, VarType, Writer};

use super::{Format, Header, Name, NameKind, scope_change, timescale};
use crate::value::Value;

struct Vcd {
    writer: Writer<BufWriter<File>>,
    codes: Vec<IdCode>,
    last: Option<u64>,
    /// Inside of the block of first values.
    dumping: bool,
}

pub fn create(path: &Path, header: &Header) -> Result<Box<dyn Format>, String> {
    open(path, header)
        .map(|vcd| Box::new(vcd) as Box<dyn Format>)
        .map_err(|e| e.to_string())
}

fn open(path: &Path, header: &Header) -> io::Result<Vcd> {
    let mut writer = Writer::new(BufWriter::new(File::create(path)?));
    writer.version(&header.version)?;
    let (count, unit) = timescale(header.time_unit).ok_or_else(|| {
        io::Error::other(format!("VCD has no time unit of 10^{} s", header.time_unit))
    })?;
    writer.timescale(count, unit_of(unit))?;
    let codes: Vec<IdCode> = (0..header.variables as u64).map(IdCode::from).collect();
    let mut scopes: &[String] = &[];
    for name in &header.names {
        let (leave, enter) = scope_change(scopes, &name.scopes);
        for _ in 0..leave {
            writer.upscope()?;
        }
        for scope in enter {
            writer.add_module(scope)?;
        }
        scopes = &name.scopes;
        writer.var_def(
            var_type(name.kind),
            name.width,
            codes[name.variable],
            &name.name,
            range(name),
        )?;
    }
    for _ in scopes {
        writer.upscope()?;
    }
    writer.enddefinitions()?;
    Ok(Vcd {
        writer,
        codes,
        last: None,
        dumping: false,
    })
}

fn unit_of(unit: &str) -> TimescaleUnit {
    match unit {
        "s" => TimescaleUnit::S,
        "ms" => TimescaleUnit::MS,
        "us" => TimescaleUnit::US,
        "ns" => TimescaleUnit::NS,
        "ps" => TimescaleUnit::PS,
        _ => TimescaleUnit::FS,
    }
}

fn var_type(kind: NameKind) -> VarType {
    match kind {
        NameKind::Register => VarType::Reg,
        NameKind::Constant => VarType::Parameter,
        NameKind::Input | NameKind::Output | NameKind::Inout | NameKind::Wire => VarType::Wire,
    }
}

/// Indices that the format cannot hold are left out.
fn range(name: &Name) -> Option<ReferenceIndex> {
    let (high, low) = name.range?;
    Some(ReferenceIndex::Range(
        high.try_into().ok()?,
        low.try_into().ok()?,
    ))
}

impl Vcd {
    fn end_dump(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.dumping) {
            self.writer.end()
        } else {
            Ok(())
        }
    }

    fn begin_time(&mut self, time: u64) -> io::Result<()> {
        self.end_dump()?;
        if self.last != Some(time) {
            self.writer.timestamp(time)?;
        }
        if self.last.is_none() {
            self.writer.begin(SimulationCommand::Dumpvars)?;
            self.dumping = true;
        }
        self.last = Some(time);
        Ok(())
    }
}

impl Format for Vcd {
    fn time(&mut self, time: u64) -> Result<(), String> {
        self.begin_time(time).map_err(|e| e.to_string())
    }

    fn change(&mut self, variable: usize, value: &Value) -> Result<(), String> {
        let code = self.codes[variable];
        let bit = |i| {
            if value.bit(i) {
                vcd::Value::V1
            } else {
                vcd::Value::V0
            }
        };
        let written = if value.width() == 1 {
            self.writer.change_scalar(code, bit(0))
        } else {
            self.writer
                .change_vector(code, (0..value.width()).rev().map(bit))
        };
        written.map_err(|e| e.to_string())
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        self.end_dump()
            .and_then(|()| self.writer.flush())
            .map_err(|e| e.to_string())
    }
}
