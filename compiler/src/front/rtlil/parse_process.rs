//! Parsing of processes: nested switches, then sync rules.

use super::ast::*;
use super::lexer::Token;
use super::parser::{Parsed, Parser, range};

/// What encloses the statement at hand.
enum Open {
    Case(u32),
    Switch(u32),
}

impl Parser<'_, '_> {
    pub(super) fn process(&mut self) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let item = self.named_item(at)?;
        self.eol()?;
        let root = self.new_case(Case::default());
        self.case_bodies(root)?;
        let mut syncs = Vec::new();
        loop {
            match self.token {
                Token::Word("attribute") => self.statement_attribute()?,
                Token::Word("sync") => syncs.push(self.sync()?),
                Token::Word("end") => break,
                _ => return Err(self.expected("`sync` or `end`")),
            }
        }
        self.advance();
        self.module.processes.push(Process { item, root, syncs });
        self.eol()
    }

    /// Everything below `root`, with a stack instead of recursion; stops at the first `sync` or at the
    /// `end` of the process.
    fn case_bodies(&mut self, root: u32) -> Parsed<()> {
        let mut open = vec![Open::Case(root)];
        while let Some(innermost) = open.last() {
            match (self.token, innermost) {
                (Token::Word("attribute"), _) => self.statement_attribute()?,
                (Token::Word("assign"), Open::Case(case)) => {
                    let case = *case;
                    self.assign(case)?;
                }
                (Token::Word("switch"), Open::Case(case)) => {
                    let case = *case;
                    let switch = self.switch()?;
                    self.module.cases[case as usize].switches.push(switch);
                    open.push(Open::Switch(switch));
                }
                (Token::Word("case"), Open::Switch(_)) => {
                    self.next_case(&open)?;
                    let case = self.module.cases.len() as u32 - 1;
                    open.push(Open::Case(case));
                }
                (Token::Word("case"), Open::Case(_)) if open.len() > 1 => {
                    open.pop();
                }
                (Token::Word("end"), Open::Switch(_)) => self.end_switch(&mut open)?,
                (Token::Word("end"), Open::Case(_)) if open.len() > 1 => {
                    open.pop();
                }
                (Token::Word("end" | "sync"), Open::Case(_)) if open.len() == 1 => return Ok(()),
                (_, Open::Case(_)) => {
                    return Err(self.expected("`assign`, `switch`, `sync`, `case` or `end`"));
                }
                (_, Open::Switch(_)) => return Err(self.expected("`case` or `end`")),
            }
        }
        Ok(())
    }

    fn end_switch(&mut self, open: &mut Vec<Open>) -> Parsed<()> {
        self.advance();
        open.pop();
        self.eol()
    }

    fn new_case(&mut self, case: Case) -> u32 {
        self.module.cases.push(case);
        self.module.cases.len() as u32 - 1
    }

    fn assign(&mut self, case: u32) -> Parsed<()> {
        self.advance();
        let target = self.target()?;
        let value = self.sig()?;
        self.same_width(target, value)?;
        if target.start < target.end {
            self.module.cases[case as usize]
                .assigns
                .push((target, value));
        }
        self.statement_src();
        self.eol()
    }

    /// A signal that is assigned to: no constants.
    fn target(&mut self) -> Parsed<Sig> {
        let at = self.at;
        let sig = self.sig()?;
        if sig
            .of(&self.module.chunks)
            .iter()
            .any(|c| matches!(c.base, Base::Const(_)))
        {
            return Err(self.error_at(at, "a constant cannot be assigned to".to_string()));
        }
        Ok(sig)
    }

    fn switch(&mut self) -> Parsed<u32> {
        self.advance();
        let signal = self.sig()?;
        self.statement_src();
        self.module.switches.push(Switch {
            signal,
            cases: Vec::new(),
        });
        self.eol()?;
        Ok(self.module.switches.len() as u32 - 1)
    }

    /// `case` with its compare values, added to the innermost switch.
    fn next_case(&mut self, open: &[Open]) -> Parsed<()> {
        let Some(Open::Switch(switch)) = open.last() else {
            unreachable!("the caller looked")
        };
        let switch = *switch as usize;
        self.advance();
        let src = self.statement_src();
        let mut compares = Vec::new();
        while self.token != Token::Eol {
            let compare = self.sig()?;
            self.same_width(self.module.switches[switch].signal, compare)?;
            compares.push(compare);
            match self.token {
                Token::Mark(b',') => self.advance(),
                Token::Eol => {}
                _ => return Err(self.expected("`,` or the end of the line")),
            }
        }
        self.eol()?;
        let case = self.new_case(Case {
            src,
            compares,
            ..Case::default()
        });
        self.module.switches[switch].cases.push(case);
        Ok(())
    }

    fn sync(&mut self) -> Parsed<Sync> {
        self.advance();
        let Token::Word(word) = self.token else {
            return Err(self.expected("the kind of the sync rule"));
        };
        let when = match word {
            "low" => SyncKind::Low,
            "high" => SyncKind::High,
            "posedge" => SyncKind::Posedge,
            "negedge" => SyncKind::Negedge,
            "edge" => SyncKind::Edge,
            "always" => SyncKind::Always,
            "global" => SyncKind::Global,
            "init" => SyncKind::Init,
            _ => {
                return Err(self.expected(
                    "`posedge`, `negedge`, `edge`, `low`, `high`, `always`, `global` or `init`",
                ));
            }
        };
        self.advance();
        let none = range(self.module.chunks.len(), self.module.chunks.len());
        let signal = match when {
            SyncKind::Always | SyncKind::Global | SyncKind::Init => none,
            _ => self.one_bit()?,
        };
        self.eol()?;
        let mut sync = Sync {
            when,
            signal,
            updates: Vec::new(),
            writes: Vec::new(),
        };
        loop {
            match self.token {
                Token::Word("attribute") => self.statement_attribute()?,
                Token::Word("update") => self.update(&mut sync)?,
                Token::Word("memwr") => self.memory_write(&mut sync)?,
                _ => break,
            }
        }
        self.statement_src();
        Ok(sync)
    }

    fn one_bit(&mut self) -> Parsed<Sig> {
        let at = self.at;
        let sig = self.sig()?;
        match self.design.width(&self.module, sig) {
            1 => Ok(sig),
            width => Err(self.error_at(
                at,
                format!("a sync rule needs a signal of 1 bit, this has {width}"),
            )),
        }
    }

    fn update(&mut self, sync: &mut Sync) -> Parsed<()> {
        self.advance();
        let target = self.target()?;
        let value = self.sig()?;
        self.same_width(target, value)?;
        if target.start < target.end {
            sync.updates.push((target, value));
        }
        self.statement_src();
        self.eol()
    }

    fn memory_write(&mut self, sync: &mut Sync) -> Parsed<()> {
        let at = self.at;
        self.advance();
        let memory = self.id()?;
        let address = self.sig()?;
        let data = self.sig()?;
        let enable = self.sig()?;
        self.same_width(data, enable)?;
        // Which earlier writes it wins over; it wins over all, since it comes later.
        self.constant()?;
        let src = self.statement_src();
        sync.writes.push(MemoryWrite {
            memory,
            address,
            data,
            enable,
            src,
            at,
        });
        self.eol()
    }
}
