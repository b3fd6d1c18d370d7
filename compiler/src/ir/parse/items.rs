//! Reads the items of `.ir` text, one line each, into a netlist.
//!
//! In: the tokens of a line. Out: the netlist grows by one item. References may point forward, so they are
//! checked when all is read; only numbering is checked here.

use std::collections::HashMap;

use super::line::Line;
use super::phrases::*;
use super::*;

/// The netlist so far.
#[derive(Default)]
pub struct Reader {
    n: Netlist,
    /// Where lines come from that do not say so.
    origin: Origin,
    known_sources: HashMap<String, SourceId>,
}

impl Reader {
    /// Everything that was read.
    pub fn finish(mut self) -> Netlist {
        self.source(String::new());
        self.n
    }

    /// Reads one line, which is not empty.
    pub fn item(&mut self, line: &mut Line) -> Read<()> {
        // The empty source is the first one.
        self.source(String::new());
        let column = line.column();
        let word = line.word()?;
        match word.as_str() {
            "netlist" => self.n.top = line.text()?,
            "type" => self.value_type(line)?,
            "scope" => self.scope(line)?,
            "input" => self.input(line)?,
            "trigger" => self.trigger(line)?,
            "register" => self.register(line)?,
            "latch" => self.latch(line)?,
            "loop" => self.loop_cut(line)?,
            "random" => self.random(line)?,
            "memory" => self.memory(line)?,
            "rows" => self.rows(line, column)?,
            "write" => self.write(line, column)?,
            "effect" => self.effect(line)?,
            "text" | "number" | "chars" | "time" | "realtime" => {
                self.message(line, column, &word)?
            }
            "signal" => self.signal(line)?,
            _ if word.starts_with('%') => self.cell(line, column, &word)?,
            _ => return line.error(column, format!("`{word}` is no item")),
        }
        line.end()
    }

    fn source(&mut self, text: String) -> SourceId {
        let sources = &mut self.n.sources;
        *self
            .known_sources
            .entry(text)
            .or_insert_with_key(|text| sources.push(text.clone()))
    }

    /// `@1 "file:line"`, or the origin of the line before.
    fn origin(&mut self, line: &mut Line) -> Read<Origin> {
        if line.sign_if('@') {
            let scope = line.id()?;
            let source = line.text_if().unwrap_or_default();
            self.origin = Origin {
                scope,
                source: self.source(source),
            };
        }
        Ok(self.origin)
    }

    fn value_type(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.types.len())?;
        let (name, width) = (line.text()?, line.width()?);
        let mut variants = Vec::new();
        while let Some(variant) = line.text_if() {
            line.sign('=')?;
            variants.push((variant, line.bits(width)?));
        }
        self.n.types.push(ValueType {
            name,
            width,
            variants,
        });
        Ok(())
    }

    fn scope(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.scopes.len())?;
        let (name, module) = (line.text()?, line.text()?);
        let parent = if line.word_if("in") {
            Some(line.id()?)
        } else {
            None
        };
        let source = if line.word_if("at") {
            line.text()?
        } else {
            String::new()
        };
        let source = self.source(source);
        self.n.scopes.push(Scope {
            parent,
            name,
            module,
            source,
        });
        Ok(())
    }

    fn input(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.inputs.len())?;
        let (name, width) = (line.text()?, line.width()?);
        self.n.inputs.push(Input { name, width });
        Ok(())
    }

    fn trigger(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.triggers.len())?;
        let role = match_word(line, "role of a trigger", |word| match word {
            "clock" => Some(TriggerRole::PrimaryClock),
            "derived" => Some(TriggerRole::DerivedClock),
            "load" => Some(TriggerRole::AsyncLoad),
            _ => None,
        })?;
        let net = line.cell()?;
        self.n.triggers.push(Trigger { net, role });
        Ok(())
    }

    fn register(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.registers.len())?;
        let width = line.width()?;
        line.sign('=')?;
        let (init, init_defined) = line.initial(width)?;
        let draw = draw(line)?;
        let clocks = clocks(line)?;
        line.keyword("next")?;
        let next = line.cell()?;
        let load = if line.word_if("load") {
            Some(async_load(line)?)
        } else {
            None
        };
        let origin = self.origin(line)?;
        self.n.registers.push(Register {
            width,
            init,
            init_defined,
            draw,
            clocks,
            next,
            load,
            origin,
        });
        Ok(())
    }

    fn latch(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.latches.len())?;
        let width = line.width()?;
        line.sign('=')?;
        let (init, init_defined) = line.initial(width)?;
        let draw = draw(line)?;
        line.keyword("value")?;
        let value = line.cell()?;
        let origin = self.origin(line)?;
        self.n.latches.push(Latch {
            width,
            init,
            init_defined,
            draw,
            value,
            origin,
        });
        Ok(())
    }

    fn loop_cut(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.loops.len())?;
        let width = line.width()?;
        line.keyword("value")?;
        let value = line.cell()?;
        let origin = self.origin(line)?;
        self.n.loops.push(LoopCut {
            width,
            value,
            origin,
        });
        Ok(())
    }

    fn random(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.randoms.len())?;
        let width = line.width()?;
        let key = if line.word_if("key") {
            line.number()?
        } else {
            self.n.randoms.len() as u64
        };
        let origin = self.origin(line)?;
        self.n.randoms.push(RandomSource { width, key, origin });
        Ok(())
    }

    fn memory(&mut self, line: &mut Line) -> Read<()> {
        line.next_id(self.n.memories.len())?;
        let width = line.width()?;
        line.keyword("depth")?;
        let depth = line.number()?;
        let first = if line.word_if("first") {
            line.number()?
        } else {
            0
        };
        let draw = draw(line)?;
        let origin = self.origin(line)?;
        let (init, writes) = (Vec::new(), Vec::new());
        self.n.memories.push(Memory {
            width,
            depth,
            first,
            init,
            draw,
            writes,
            origin,
        });
        Ok(())
    }

    fn last_memory(&mut self, line: &Line, column: usize) -> Read<&mut Memory> {
        match self.n.memories.values_mut().next_back() {
            Some(memory) => Ok(memory),
            None => line.error(column, "there is no memory above"),
        }
    }

    fn rows(&mut self, line: &mut Line, column: usize) -> Read<()> {
        let memory = self.last_memory(line, column)?;
        let mut row: u32 = line.number()?;
        while !line.at_end() {
            let column = line.column();
            let (value, defined) = line.initial(memory.width)?;
            memory.init.push(MemoryInit {
                row,
                value,
                defined,
            });
            row = match row.checked_add(1) {
                Some(row) => row,
                None => return line.error(column, "there are no rows from here on"),
            };
        }
        Ok(())
    }

    fn write(&mut self, line: &mut Line, column: usize) -> Read<()> {
        let clocks = clocks(line)?;
        let mut port = |word| line.keyword(word).and_then(|()| line.cell());
        let (enable, address) = (port("enable")?, port("address")?);
        let (data, mask) = (port("data")?, port("mask")?);
        let origin = self.origin(line)?;
        let port = WritePort {
            clocks,
            enable,
            address,
            data,
            mask,
            origin,
        };
        self.last_memory(line, column)?.writes.push(port);
        Ok(())
    }

    fn cell(&mut self, line: &mut Line, column: usize, name: &str) -> Read<()> {
        let expected = format!("%{}", self.n.cells.len());
        if name != expected {
            return line.error(column, format!("this should be {expected}"));
        }
        let width = line.width()?;
        line.sign('=')?;
        let kind = cell_kind(line, width)?;
        let origin = self.origin(line)?;
        self.n.cells.push(Cell { kind, width });
        self.n.origins.push(origin);
        Ok(())
    }

    fn effect(&mut self, line: &mut Line) -> Read<()> {
        let kind = match_word(line, "kind of effect", effect_kind)?;
        let name = line.text()?;
        let when = if line.word_if("initial") {
            EffectTime::Initial
        } else if line.word_if("change") {
            EffectTime::Change
        } else {
            EffectTime::Edges(clocks(line)?)
        };
        line.keyword("enable")?;
        let enable = line.cell()?;
        let mut args = Vec::new();
        if line.word_if("args") {
            args = list(line, |line| {
                Ok(EffectArg {
                    value: line.cell()?,
                    signed: line.word_if("signed"),
                })
            })?;
        }
        let last = line.word_if("last");
        let origin = self.origin(line)?;
        self.n.effects.push(Effect {
            kind,
            when,
            enable,
            args,
            message: Vec::new(),
            last,
            origin,
            name,
        });
        Ok(())
    }

    fn message(&mut self, line: &mut Line, column: usize, word: &str) -> Read<()> {
        let part = match word {
            "text" => MessagePart::Text(line.text()?),
            "number" => {
                let arg = line.number()?;
                let base = match_word(line, "number base", number_base)?;
                MessagePart::Number {
                    arg,
                    base,
                    layout: number_layout(line)?,
                }
            }
            "chars" => MessagePart::Chars {
                arg: line.number()?,
                layout: number_layout(line)?,
            },
            _ => MessagePart::Time {
                real: word == "realtime",
                layout: number_layout(line)?,
            },
        };
        match self.n.effects.last_mut() {
            Some(effect) => effect.message.push(part),
            None => return line.error(column, "there is no effect above"),
        }
        Ok(())
    }

    fn signal(&mut self, line: &mut Line) -> Read<()> {
        let direction = match_word(line, "kind of signal", |word| match word {
            "wire" => Some(Direction::None),
            "input" => Some(Direction::Input),
            "output" => Some(Direction::Output),
            "inout" => Some(Direction::Inout),
            _ => None,
        })?;
        let (name, width) = (line.text()?, line.width()?);
        line.sign('=')?;
        let value = signal_value(line)?;
        let lsb = if line.word_if("lsb") {
            line.number()?
        } else {
            0
        };
        let (upto, signed) = (line.word_if("upto"), line.word_if("signed"));
        let ty = if line.word_if("type") {
            Some(line.id()?)
        } else {
            None
        };
        let Origin { scope, source } = self.origin(line)?;
        let signal = Signal {
            scope,
            name,
            direction,
            width,
            lsb,
            upto,
            signed,
            value,
            ty,
            source,
        };
        self.n.signals.push(signal);
        Ok(())
    }
}

/// Where undefined bits are drawn from; 0 when nothing is said.
fn draw(line: &mut Line) -> Read<u64> {
    if line.word_if("draw") {
        line.number()
    } else {
        Ok(0)
    }
}
