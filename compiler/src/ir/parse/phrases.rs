//! Pieces of lines that items of `.ir` text are made of.
//!
//! In: the tokens that a line has left. Out: one phrase of the grammar, or an error at its column.

use super::line::Line;
use super::*;

/// What reading gives.
pub type Read<T> = Result<T, ParseError>;

/// A word that `meaning` knows.
pub fn match_word<T>(line: &mut Line, what: &str, meaning: impl Fn(&str) -> Option<T>) -> Read<T> {
    let column = line.column();
    let word = line.word()?;
    match meaning(&word) {
        Some(found) => Ok(found),
        None => line.error(column, format!("`{word}` is no {what}")),
    }
}

/// One or more items with commas between.
pub fn list<T>(line: &mut Line, mut item: impl FnMut(&mut Line) -> Read<T>) -> Read<Vec<T>> {
    let mut items = vec![item(line)?];
    while line.sign_if(',') {
        items.push(item(line)?);
    }
    Ok(items)
}

/// `on rise 0, fall 2`, or nothing.
pub fn clocks(line: &mut Line) -> Read<Vec<ClockEdge>> {
    if !line.word_if("on") {
        return Ok(Vec::new());
    }
    list(line, |line| {
        let edge = match_word(line, "edge", |word| match word {
            "rise" => Some(Edge::Rise),
            "fall" => Some(Edge::Fall),
            "both" => Some(Edge::Both),
            _ => None,
        })?;
        Ok(ClockEdge {
            trigger: line.id()?,
            edge,
        })
    })
}

/// `%3 %4 trigger 1`, after the word `load`.
pub fn async_load(line: &mut Line) -> Read<AsyncLoad> {
    let (when, value) = (line.cell()?, line.cell()?);
    let trigger = if line.word_if("trigger") {
        Some(line.id()?)
    } else {
        None
    };
    Ok(AsyncLoad {
        when,
        value,
        trigger,
    })
}

/// What a name stands for.
pub fn signal_value(line: &mut Line) -> Read<SignalValue> {
    if line.word_if("memory") {
        return Ok(SignalValue::Memory(line.id()?));
    }
    if line.word_if("inout") {
        let (input, output, enable) = (line.cell()?, line.cell()?, line.cell()?);
        return Ok(SignalValue::Inout {
            input,
            output,
            enable,
        });
    }
    Ok(SignalValue::Cell(line.cell()?))
}

/// The kind of effect with that keyword.
pub fn effect_kind(word: &str) -> Option<EffectKind> {
    use EffectKind::*;
    let kinds = [
        Display, Info, Warning, Error, Fatal, Finish, Stop, Assert, Assume, Cover,
    ];
    kinds.into_iter().find(|kind| kind.keyword() == word)
}

/// The base with that name.
pub fn number_base(word: &str) -> Option<Base> {
    match word {
        "binary" => Some(Base::Binary),
        "octal" => Some(Base::Octal),
        "decimal" => Some(Base::Decimal),
        "hex" => Some(Base::Hex),
        "upperhex" => Some(Base::UpperHex),
        _ => None,
    }
}

/// Padding and signs, each only where they are not the usual.
pub fn number_layout(line: &mut Line) -> Read<NumberLayout> {
    Ok(NumberLayout {
        width: if line.word_if("width") {
            line.number()?
        } else {
            0
        },
        justify: if line.word_if("left") {
            Justify::Left
        } else {
            Justify::Right
        },
        zero_pad: line.word_if("zero"),
        plus: line.word_if("plus"),
        space: line.word_if("space"),
        prefix: line.word_if("prefix"),
        group: line.word_if("group"),
    })
}

/// What a cell of that width computes.
pub fn cell_kind(line: &mut Line, width: u32) -> Read<CellKind> {
    use CellKind::*;
    let column = line.column();
    let word = line.word()?;
    let binary = |line: &mut Line, kind: fn(CellId, CellId) -> CellKind| {
        Ok(kind(line.cell()?, line.cell()?))
    };
    match word.as_str() {
        "const" => Ok(Const(line.bits(width)?)),
        "input" => Ok(Input(line.id()?)),
        "register" => Ok(Register(line.id()?)),
        "latch" => Ok(Latch(line.id()?)),
        "loop" => Ok(LoopCut(line.id()?)),
        "random" => Ok(Random(line.id()?)),
        "read" => Ok(MemRead {
            memory: line.id()?,
            address: line.cell()?,
        }),
        "not" => Ok(Not(line.cell()?)),
        "and" => binary(line, And),
        "or" => binary(line, Or),
        "xor" => binary(line, Xor),
        "add" => binary(line, Add),
        "sub" => binary(line, Sub),
        "mul" => binary(line, Mul),
        "divu" => binary(line, DivU),
        "divs" => binary(line, DivS),
        "remu" => binary(line, RemU),
        "rems" => binary(line, RemS),
        "pow" => binary(line, Pow),
        "shl" => binary(line, Shl),
        "shru" => binary(line, ShrU),
        "shrs" => binary(line, ShrS),
        "eq" => binary(line, Eq),
        "ltu" => binary(line, LtU),
        "lts" => binary(line, LtS),
        "parity" => Ok(ReduceXor(line.cell()?)),
        "mux" => Ok(Mux {
            select: line.cell()?,
            on_true: line.cell()?,
            on_false: line.cell()?,
        }),
        "slice" => Ok(Slice {
            value: line.cell()?,
            low: line.number()?,
        }),
        "concat" => {
            let mut parts = Vec::new();
            while line.next_is_cell() {
                parts.push(line.cell()?);
            }
            Ok(Concat(parts.into()))
        }
        "zext" => Ok(ZeroExtend(line.cell()?)),
        "sext" => Ok(SignExtend(line.cell()?)),
        _ => line.error(column, format!("`{word}` is no kind of cell")),
    }
}
