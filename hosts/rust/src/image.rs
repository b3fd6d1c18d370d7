//! Contents of memories from files: the text of `$readmemh` and `$readmemb`, and plain bytes.

use std::path::Path;

use crate::error::Error;
use crate::model::Model;
use crate::signal::Signal;
use crate::value::Value;

/// How a memory image is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// `$readmemh`: hexadecimal rows with `@address`, `//` and `/* */`.
    Hex,
    /// `$readmemb`: the same in binary.
    Bits,
    /// Bytes, the first row first and its lowest byte first, whole bytes for each row.
    Raw,
}

impl ImageFormat {
    /// By the name's ending: `.bin` is [`Raw`](ImageFormat::Raw), `.bits` is [`Bits`](ImageFormat::Bits), all else
    /// (`.hex`, `.mem`, `.vmem`) is [`Hex`](ImageFormat::Hex).
    pub fn of_path(path: &Path) -> ImageFormat {
        match path.extension().and_then(|e| e.to_str()) {
            Some("bin") => ImageFormat::Raw,
            Some("bits") => ImageFormat::Bits,
            _ => ImageFormat::Hex,
        }
    }
}

/// One row to write.
type Row = (i64, Value);

impl Model {
    /// Fills a memory from a file whose format is told by its [ending](ImageFormat::of_path). Rows that the file does
    /// not name keep their contents. Returns the number of rows written.
    ///
    /// # Errors
    /// [`Error::Image`] with file and line; then nothing was written.
    pub fn load_memory(&mut self, memory: Signal, path: impl AsRef<Path>) -> Result<usize, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_path_buf(),
            source,
        })?;
        self.load_image(
            memory,
            &bytes,
            ImageFormat::of_path(path),
            &path.display().to_string(),
        )
    }

    /// Fills a memory from bytes; `name` stands for the file in errors.
    pub fn load_image(
        &mut self,
        memory: Signal,
        bytes: &[u8],
        format: ImageFormat,
        name: &str,
    ) -> Result<usize, Error> {
        // The first row always exists; this tells memories from other signals.
        self.artifact.row_index(memory, memory.first)?;
        let rows = match format {
            ImageFormat::Raw => raw_rows(bytes, memory),
            ImageFormat::Hex => text_rows(bytes, memory, 16),
            ImageFormat::Bits => text_rows(bytes, memory, 2),
        };
        let rows = rows.map_err(|(line, problem)| Error::Image {
            file: name.to_string(),
            line,
            problem,
        })?;
        for (row, value) in &rows {
            self.poke_row_bits(memory, *row, value)?;
        }
        Ok(rows.len())
    }
}

/// A line from 1 (0: the whole file) and what is wrong there.
type Problem = (usize, String);

fn raw_rows(bytes: &[u8], memory: Signal) -> Result<Vec<Row>, Problem> {
    let size = (memory.width as usize).div_ceil(8).max(1);
    let room = size * memory.depth as usize;
    if bytes.len() > room {
        return Err((
            0,
            format!("{} bytes are more than the memory's {room}", bytes.len()),
        ));
    }
    let row = |(i, chunk): (usize, &[u8])| {
        let digits: String = chunk
            .iter()
            .rev()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let value = Value::from_hex(&digits, memory.width);
        let index = memory.first + i as i64;
        let value = value.ok_or_else(|| {
            (
                0,
                format!("row {index} needs more than {} bits", memory.width),
            )
        })?;
        Ok((index, value))
    };
    bytes.chunks(size).enumerate().map(row).collect()
}

fn text_rows(bytes: &[u8], memory: Signal, base: u32) -> Result<Vec<Row>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        (
            0,
            "it is no text; an image of plain bytes must end in `.bin`".to_string(),
        )
    })?;
    if text.trim_start().starts_with(':') {
        let problem = "this is Intel HEX; convert it with `objcopy -I ihex -O binary` to a `.bin`";
        return Err((1, problem.to_string()));
    }
    let last = memory.first + i64::from(memory.depth) - 1;
    let (mut rows, mut next) = (Vec::new(), memory.first);
    for (line, word) in words(text)? {
        if let Some(address) = word.strip_prefix('@') {
            let parsed = i64::from_str_radix(address, 16);
            next = parsed.map_err(|_| {
                (
                    line,
                    format!("`{word}` is no address: write `@` and hexadecimal digits"),
                )
            })?;
            continue;
        }
        if next < memory.first || next > last {
            return Err((
                line,
                format!(
                    "row {next} does not exist: the memory has rows {} to {last}",
                    memory.first
                ),
            ));
        }
        rows.push((
            next,
            parse_word(word, base, memory.width).map_err(|problem| (line, problem))?,
        ));
        next += 1;
    }
    Ok(rows)
}

/// Undefined digits become zero, as everything undefined does.
fn parse_word(word: &str, base: u32, width: u32) -> Result<Value, String> {
    let digits: String = word
        .chars()
        .map(|c| {
            if matches!(c, 'x' | 'X' | 'z' | 'Z') {
                '0'
            } else {
                c
            }
        })
        .collect();
    let prefix = if base == 16 { "0x" } else { "0b" };
    Value::parse(&format!("{prefix}{digits}"), width).map_err(|error| match error {
        crate::ParseValueError::TooWide { needed, .. } => {
            format!("`{word}` needs {needed} bits, and a row has {width}")
        }
        crate::ParseValueError::Syntax { .. } => format!("`{word}` is no number in base {base}"),
    })
}

/// Words with their lines, comments left out.
fn words(text: &str) -> Result<Vec<(usize, &str)>, Problem> {
    let mut words = Vec::new();
    let mut comment_from = None;
    for (number, mut rest) in text.lines().enumerate().map(|(i, line)| (i + 1, line)) {
        loop {
            if comment_from.is_some() {
                let Some(end) = rest.find("*/") else { break };
                rest = &rest[end + 2..];
                comment_from = None;
            }
            let end = rest
                .find("//")
                .unwrap_or(rest.len())
                .min(rest.find("/*").unwrap_or(rest.len()));
            words.extend(rest[..end].split_whitespace().map(|word| (number, word)));
            if !rest[end..].starts_with("/*") {
                break;
            }
            rest = &rest[end + 2..];
            comment_from = Some(number);
        }
    }
    match comment_from {
        Some(line) => Err((
            line,
            "the comment that begins here does not end".to_string(),
        )),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Access, Kind};

    fn memory(width: u32, depth: u32, first: i64) -> Signal {
        Signal {
            id: 0,
            place: 0,
            artifact: 0,
            width,
            depth,
            first,
            stride: 8,
            kind: Kind::Memory,
            access: Access::ReadWrite,
            slot: None,
        }
    }

    fn rows(text: &str, memory: Signal) -> Result<Vec<(i64, u64)>, Problem> {
        let rows = text_rows(text.as_bytes(), memory, 16)?;
        Ok(rows
            .into_iter()
            .map(|(row, value)| (row, value.limbs()[0]))
            .collect())
    }

    #[test]
    fn readmemh_text() {
        let text = "12 3_4 // 99\n/* 1 2\n3 */ xf @8 ab\n";
        assert_eq!(
            rows(text, memory(8, 16, 0)),
            Ok(vec![(0, 0x12), (1, 0x34), (2, 0x0f), (8, 0xab)])
        );
        assert_eq!(rows("1 2", memory(8, 4, 4)), Ok(vec![(4, 1), (5, 2)]));
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(rows("1\n2\n3", memory(8, 2, 0)).expect_err("too long").0, 3);
        assert_eq!(
            rows("1\n\n1ff", memory(8, 4, 0)).expect_err("too wide").0,
            3
        );
        assert_eq!(
            rows("1\n@zz", memory(8, 4, 0)).expect_err("no address").0,
            2
        );
        assert_eq!(
            rows("1 /*\n2", memory(8, 4, 0))
                .expect_err("open comment")
                .0,
            1
        );
        assert!(
            rows(":10000000", memory(8, 4, 0))
                .expect_err("Intel HEX")
                .1
                .contains("objcopy")
        );
    }

    #[test]
    fn raw_bytes_are_little_endian() {
        let rows = raw_rows(&[0x78, 0x56, 0x34, 0x12, 0xff], memory(32, 2, 0)).expect("fits");
        assert_eq!(
            rows,
            [
                (0, Value::from_u64(32, 0x1234_5678)),
                (1, Value::from_u64(32, 0xff))
            ]
        );
        assert!(raw_rows(&[0; 9], memory(32, 2, 0)).is_err());
        assert!(raw_rows(&[0xff], memory(4, 2, 0)).is_err());
    }
}
