//! RTLIL text to [`Design`].
//!
//! The first mistake ends parsing with one diagnostic that says where and what was expected. Nested
//! switches and braces use explicit stacks, so depth costs memory only.

use indexmap::IndexMap;
use rustc_hash::FxHashSet;

use super::ast::*;
use super::known::name;
use super::lexer::{Lexer, Token};
use super::sigspec::parse_const;
use crate::diag::{Diagnostic, Span};

/// Largest width of a constant and number of rows: far above real designs, below what exhausts memory.
pub const MAX_WIDTH: u32 = 1 << 26;

/// Largest width of a wire.
const MAX_WIRE_WIDTH: u32 = 1 << 24;

const NOT_A_WIRE: u32 = u32::MAX;

/// Parses a whole file; `name` is for diagnostics.
pub fn parse<'a>(name: &str, text: &'a str) -> Result<Design<'a>, Diagnostic> {
    if u32::try_from(text.len()).is_err() {
        return Err(Diagnostic::error(
            "rtlil-syntax",
            format!("{name} is larger than 4 GB"),
        ));
    }
    let mut parser = Parser::new(name, text);
    parser.file()?;
    Ok(parser.design)
}

/// Where a byte offset of the RTLIL text is.
pub fn place(name: &str, text: &str, at: u32) -> Span {
    let before = &text.as_bytes()[..(at as usize).min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() as u32 + 1;
    let line_start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |i| i + 1);
    Span::point(name, line, (before.len() - line_start) as u32 + 1)
}

pub(super) type Parsed<T> = Result<T, Diagnostic>;

/// The state of parsing: one token of lookahead and the module at hand.
pub(super) struct Parser<'a, 'n> {
    file: &'n str,
    text: &'a str,
    lexer: Lexer<'a>,
    pub(super) token: Token<'a>,
    /// Byte offset of `token`.
    pub(super) at: u32,
    pub(super) design: Design<'a>,
    pub(super) module: Module,
    /// Index of the wire with that name in the module at hand.
    wire_of: Vec<u32>,
    module_names: FxHashSet<Name>,
    /// Attributes read and not yet given to an item.
    pending: Vec<(Name, Value)>,
    /// Chunks of the signal being read, highest bits first.
    pub(super) scratch: Vec<Chunk>,
}

impl<'a, 'n> Parser<'a, 'n> {
    fn new(file: &'n str, text: &'a str) -> Self {
        let design = Design {
            names: Names::new(),
            consts: IndexMap::default(),
            modules: Vec::new(),
        };
        let mut parser = Parser {
            file,
            text,
            lexer: Lexer::new(text),
            token: Token::Eol,
            at: 0,
            design,
            module: empty_module(),
            wire_of: Vec::new(),
            module_names: FxHashSet::default(),
            pending: Vec::new(),
            scratch: Vec::new(),
        };
        parser.advance();
        parser
    }

    pub(super) fn advance(&mut self) {
        self.token = self.lexer.token();
        self.at = self.lexer.start as u32;
    }

    /// A diagnostic at the token at hand.
    pub(super) fn expected(&self, what: &str) -> Diagnostic {
        let found = match self.token {
            Token::Eol => "the end of the line".to_string(),
            Token::Eof => "the end of the file".to_string(),
            Token::Id(t) | Token::Word(t) | Token::Int(t) | Token::Const(t) => {
                format!("`{}`", shorten(t))
            }
            Token::Str(t) => format!("\"{}\"", shorten(t)),
            Token::Mark(m) => format!("`{}`", char::from(m)),
            Token::Bad(what) => what.to_string(),
        };
        self.error_at(self.at, format!("expected {what}, found {found}"))
    }

    pub(super) fn error_at(&self, at: u32, message: String) -> Diagnostic {
        Diagnostic::error("rtlil-syntax", message).label(place(self.file, self.text, at), "here")
    }

    fn file(&mut self) -> Parsed<()> {
        loop {
            match self.token {
                Token::Eol => self.advance(),
                Token::Eof if self.pending.is_empty() => return Ok(()),
                Token::Word("attribute") => self.attribute()?,
                Token::Word("autoidx") => {
                    self.advance();
                    self.int()?;
                    self.eol()?;
                }
                Token::Word("module") => self.module()?,
                _ => return Err(self.expected("`module`, `attribute` or `autoidx`")),
            }
        }
    }

    fn attribute(&mut self) -> Parsed<()> {
        self.advance();
        let name = self.id()?;
        let value = self.value()?;
        self.pending.push((name, value));
        self.eol()
    }

    fn module(&mut self) -> Parsed<()> {
        let at = self.at;
        self.advance();
        self.module = empty_module();
        self.module.item = self.named_item(at)?;
        self.eol()?;
        while self.token != Token::Word("end") {
            self.module_statement()?;
        }
        self.advance();
        if self.token != Token::Eof {
            self.eol()?;
        }
        let module = std::mem::replace(&mut self.module, empty_module());
        module
            .wires
            .iter()
            .for_each(|w| self.wire_of[w.item.name.0 as usize] = NOT_A_WIRE);
        if !self.module_names.insert(module.item.name) {
            let name = self.design.shown(module.item.name);
            return Err(self.error_at(at, format!("module `{name}` is defined twice")));
        }
        self.design.modules.push(module);
        Ok(())
    }

    fn module_statement(&mut self) -> Parsed<()> {
        match self.token {
            Token::Word("attribute") => self.attribute(),
            Token::Word("parameter") => self.module_parameter(),
            Token::Word("wire") => self.wire(),
            Token::Word("memory") => self.memory(),
            Token::Word("cell") => self.cell(),
            Token::Word("process") => self.process(),
            Token::Word("connect") => {
                self.advance();
                let left = self.sig()?;
                let right = self.sig()?;
                self.same_width(left, right)?;
                self.module.connects.push((left, right));
                self.pending.clear();
                self.eol()
            }
            _ => Err(self.expected(
                "`wire`, `memory`, `cell`, `process`, `connect`, `parameter`, `attribute` or `end`",
            )),
        }
    }

    /// Both sides of an assignment must be equally wide.
    pub(super) fn same_width(&self, left: Sig, right: Sig) -> Parsed<()> {
        let widths = [left, right].map(|s| self.design.width(&self.module, s));
        match widths {
            [l, r] if l == r => Ok(()),
            [l, r] => Err(self.error_at(
                self.at,
                format!("the left side has {l} bits, the right side {r}"),
            )),
        }
    }

    fn module_parameter(&mut self) -> Parsed<()> {
        self.advance();
        let name = self.id()?;
        if self.token == Token::Eol {
            self.module.open_parameters.push(name);
        } else {
            self.value()?;
        }
        self.pending.clear();
        self.eol()
    }

    fn wire(&mut self) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let mut wire = Wire {
            item: empty_module().item,
            width: 1,
            offset: 0,
            upto: false,
            signed: false,
            port: Port::None,
            port_id: 0,
        };
        while let Token::Word(option) = self.token {
            self.wire_option(&mut wire, option)?;
        }
        wire.item = self.named_item(at)?;
        let slot = wire.item.name.0 as usize;
        if self.wire_of.len() <= slot {
            self.wire_of.resize(self.design.names.len(), NOT_A_WIRE);
        }
        if self.wire_of[slot] != NOT_A_WIRE {
            let name = self.design.shown(wire.item.name);
            return Err(self.error_at(at, format!("wire `{name}` is declared twice")));
        }
        self.wire_of[slot] = self.module.wires.len() as u32;
        self.module.wires.push(wire);
        self.eol()
    }

    fn wire_option(&mut self, wire: &mut Wire, option: &str) -> Parsed<()> {
        let port = match option {
            "width" | "offset" => Port::None,
            "upto" | "signed" => {
                self.advance();
                wire.upto |= option == "upto";
                wire.signed |= option == "signed";
                return Ok(());
            }
            "input" => Port::Input,
            "output" => Port::Output,
            "inout" => Port::Inout,
            _ => return Err(self.expected("a wire option or the wire's name")),
        };
        self.advance();
        match option {
            "width" => {
                let at = self.at;
                wire.width = self.size()?;
                if wire.width > MAX_WIRE_WIDTH {
                    let message = format!("a wire has at most {MAX_WIRE_WIDTH} bits");
                    return Err(self.error_at(at, message));
                }
            }
            "offset" => wire.offset = self.int()?,
            _ => {
                wire.port = port;
                wire.port_id = self.size()?;
            }
        }
        Ok(())
    }

    fn memory(&mut self) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let mut memory = Memory {
            item: empty_module().item,
            width: 1,
            size: 0,
            offset: 0,
        };
        while let Token::Word(option) = self.token {
            self.advance();
            match option {
                "width" => memory.width = self.size()?,
                "size" => memory.size = self.size()?,
                "offset" => memory.offset = self.int()?,
                "upto" => {}
                _ => return Err(self.expected("a memory option or the memory's name")),
            }
        }
        memory.item = self.named_item(at)?;
        self.module.memories.push(memory);
        self.eol()
    }

    fn cell(&mut self) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let kind = self.id()?;
        let item = self.named_item(at)?;
        self.eol()?;
        let (first_parameter, first_connection) =
            (self.module.parameters.len(), self.module.connections.len());
        loop {
            match self.token {
                Token::Word("parameter") => self.cell_parameter()?,
                Token::Word("connect") => {
                    self.advance();
                    let port = self.id()?;
                    let sig = self.sig()?;
                    self.module.connections.push((port, sig));
                    self.eol()?;
                }
                Token::Word("end") => break,
                _ => return Err(self.expected("`parameter`, `connect` or `end`")),
            }
        }
        self.advance();
        let parameters = range(first_parameter, self.module.parameters.len());
        let connections = range(first_connection, self.module.connections.len());
        self.module.cells.push(Cell {
            item,
            kind,
            parameters,
            connections,
        });
        self.eol()
    }

    fn cell_parameter(&mut self) -> Parsed<()> {
        self.advance();
        if let Token::Word("signed" | "real" | "unsized") = self.token {
            self.advance();
        }
        let name = self.id()?;
        let value = self.value()?;
        self.module.parameters.push((name, value));
        self.eol()
    }

    /// The name of an item; takes the pending attributes.
    pub(super) fn named_item(&mut self, at: u32) -> Parsed<Item> {
        let name = self.id()?;
        let src = self.take_src();
        let start = self.module.attributes.len();
        self.module
            .attributes
            .extend(self.pending.drain(..).filter(|(n, _)| *n != name!("src")));
        Ok(Item {
            name,
            src,
            attributes: range(start, self.module.attributes.len()),
            at,
        })
    }

    /// The pending `src` attribute.
    pub(super) fn take_src(&self) -> Name {
        let src = self.pending.iter().rev().find(|(n, _)| *n == name!("src"));
        match src {
            Some((_, Value::Str(text))) => *text,
            _ => EMPTY,
        }
    }

    /// A statement's attributes that nobody needs but `src`.
    pub(super) fn statement_src(&mut self) -> Name {
        let src = self.take_src();
        self.pending.clear();
        src
    }

    pub(super) fn statement_attribute(&mut self) -> Parsed<()> {
        self.attribute()
    }

    pub(super) fn id(&mut self) -> Parsed<Name> {
        let Token::Id(text) = self.token else {
            return Err(self.expected("a name"));
        };
        self.advance();
        Ok(self.design.names.intern(text))
    }

    pub(super) fn int(&mut self) -> Parsed<i32> {
        let Token::Int(text) = self.token else {
            return Err(self.expected("a number"));
        };
        let value = parse_int(text).ok_or_else(|| self.expected("a 32-bit number"))?;
        self.advance();
        Ok(value)
    }

    /// A number of bits or rows, or an index.
    pub(super) fn size(&mut self) -> Parsed<u32> {
        let at = self.at;
        let value = self.int()?;
        match u32::try_from(value) {
            Ok(value) if value <= MAX_WIDTH => Ok(value),
            _ => Err(self.error_at(
                at,
                format!("{value} is not a size between 0 and {MAX_WIDTH}"),
            )),
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        match self.token {
            Token::Int(_) => Ok(Value::Int(self.int()?)),
            Token::Str(text) => {
                self.advance();
                Ok(Value::Str(self.design.names.intern(text)))
            }
            Token::Const(_) => Ok(Value::Bits(self.constant()?)),
            _ => Err(self.expected("a number, a constant or a string")),
        }
    }

    /// A constant in either notation.
    pub(super) fn constant(&mut self) -> Parsed<ConstId> {
        let (Token::Const(text) | Token::Int(text)) = self.token else {
            return Err(self.expected("a constant"));
        };
        let id = match self.design.consts.get_index_of(text) {
            Some(index) => index,
            None => {
                let value =
                    parse_const(text).ok_or_else(|| self.expected("a constant such as 4'01xz"))?;
                self.design.consts.insert_full(text, value).0
            }
        };
        self.advance();
        Ok(ConstId(id as u32))
    }

    pub(super) fn eol(&mut self) -> Parsed<()> {
        match self.token {
            Token::Eol => {
                self.advance();
                Ok(())
            }
            _ => Err(self.expected("the end of the line")),
        }
    }

    /// The wire of that name in the module at hand.
    pub(super) fn find_wire(&self, name: Name) -> Option<u32> {
        self.wire_of
            .get(name.0 as usize)
            .copied()
            .filter(|w| *w != NOT_A_WIRE)
    }
}

/// A decimal number of 32 bits, signed or unsigned.
pub(super) fn parse_int(text: &str) -> Option<i32> {
    let value: i64 = text.parse().ok()?;
    i32::try_from(value)
        .ok()
        .or_else(|| u32::try_from(value).ok().map(|v| v as i32))
}

pub(super) fn range(start: usize, end: usize) -> Range {
    Range {
        start: start as u32,
        end: end as u32,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text.to_string(),
    }
}

fn empty_module() -> Module {
    Module {
        item: Item {
            name: EMPTY,
            src: EMPTY,
            attributes: Range::default(),
            at: 0,
        },
        open_parameters: Vec::new(),
        wires: Vec::new(),
        memories: Vec::new(),
        cells: Vec::new(),
        connects: Vec::new(),
        processes: Vec::new(),
        cases: Vec::new(),
        switches: Vec::new(),
        chunks: Vec::new(),
        attributes: Vec::new(),
        parameters: Vec::new(),
        connections: Vec::new(),
    }
}
