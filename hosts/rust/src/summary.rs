//! What a file holds, told without compiling or running it.

use rtlwasm_abi::manifest::Manifest;
use wasmparser::{Parser, Payload};

use crate::error::LoadError;
use crate::sections;

/// The manifest of an artifact and the sizes of its parts.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What the artifact says of itself; its `signals` are all signals, ports first.
    pub manifest: Manifest,
    /// How many of the signals are ports.
    pub ports: usize,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of machine-independent code.
    pub code_bytes: u64,
    /// Functions.
    pub functions: u32,
    /// Bytes of initial data.
    pub data_bytes: u64,
    /// Bytes of manifest and symbols.
    pub description_bytes: u64,
    /// Bytes of linear memory that a model takes.
    pub memory_bytes: u64,
}

impl Summary {
    /// Reads the bytes of a `.wasm` file. Offsets in the manifest are not checked against the memory; loading the
    /// artifact does that.
    pub fn of(wasm: &[u8]) -> Result<Summary, LoadError> {
        let sections = sections::read(wasm)?;
        let mut summary = Summary {
            manifest: sections.manifest,
            ports: sections.ports,
            file_bytes: wasm.len() as u64,
            code_bytes: 0,
            functions: 0,
            data_bytes: 0,
            description_bytes: 0,
            memory_bytes: 0,
        };
        for payload in Parser::new(0).parse_all(wasm) {
            summary.add(payload.map_err(|e| LoadError::Damaged {
                reason: e.to_string(),
            })?);
        }
        Ok(summary)
    }

    fn add(&mut self, payload: Payload<'_>) {
        match payload {
            Payload::CodeSectionStart { count, size, .. } => {
                self.functions = count;
                self.code_bytes = size.into();
            }
            Payload::DataSection(reader) => self.data_bytes = reader.range().len() as u64,
            Payload::CustomSection(section) if section.name().starts_with("rtl.") => {
                self.description_bytes += section.data().len() as u64;
            }
            Payload::MemorySection(reader) => {
                let pages = reader.into_iter().flatten().map(|memory| memory.initial);
                self.memory_bytes = pages.sum::<u64>().saturating_mul(64 * 1024);
            }
            _ => {}
        }
    }
}
