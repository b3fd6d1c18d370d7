//! Arguments of `$display` and its like that front ends lose: a string shown with `%s`, and the time shown
//! with `%d`. Gives edits that say the same in words both keep: `{"text"}`, and `%t`.

use std::collections::VecDeque;

use super::lexer::Kind;
use super::rewrite::Rewriter;
use super::source::Edit;
use super::tasks::Call;

/// A conversion such as `%0d`: where its letter is, and the letter.
type Conversion = (usize, char);

impl Rewriter<'_> {
    pub(super) fn format_edits(&self, call: &Call) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut pending: VecDeque<Conversion> = VecDeque::new();
        for &(first, last) in call.arguments.iter().flatten() {
            let token = &self.file.tokens[first];
            let is_string = first == last && token.kind == Kind::String;
            let conversion = pending.pop_front();
            match (conversion, is_string) {
                (None, true) => pending = conversions(self.file.word(first), token.start),
                (Some(_), true) => {
                    edits.push(Edit {
                        start: token.start,
                        end: token.start,
                        text: "{".into(),
                        closes: false,
                    });
                    edits.push(Edit {
                        start: token.end,
                        end: token.end,
                        text: "}".into(),
                        closes: true,
                    });
                }
                (Some((letter, 'd' | 'D')), false)
                    if matches!(self.file.word(first), "$time" | "$realtime") =>
                {
                    edits.push(Edit {
                        start: letter,
                        end: letter + 1,
                        text: "t".into(),
                        closes: false,
                    });
                }
                _ => {}
            }
        }
        edits
    }

    /// The arguments of a call whose `(` is at `open`, with the edits made, so that they can be put
    /// elsewhere; `None` when a comment would swallow the rest.
    pub(super) fn arguments_on_one_line(&self, open: usize, call: &Call) -> Option<String> {
        let (start, end) = (
            self.file.tokens[open].start,
            self.file.tokens[call.close].end,
        );
        let mut text = self.file.text[start..end].to_string();
        for edit in self.format_edits(call).iter().rev() {
            text.replace_range(edit.start - start..edit.end - start, &edit.text);
        }
        (!text.contains("//")).then(|| text.replace(['\r', '\n'], " "))
    }
}

/// Tasks whose arguments are formats and values.
pub fn shows_text(name: &str) -> bool {
    let base = name.strip_suffix(['b', 'o', 'h']).unwrap_or(name);
    matches!(
        base,
        "$display"
            | "$write"
            | "$strobe"
            | "$monitor"
            | "$fdisplay"
            | "$fwrite"
            | "$fstrobe"
            | "$error"
            | "$warning"
            | "$fatal"
    ) || name == "$info"
}

/// The conversions of a string that take an argument; `start` is where the string is.
fn conversions(text: &str, start: usize) -> VecDeque<Conversion> {
    let mut found = VecDeque::new();
    let mut chars = text.char_indices();
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '%' => {
                let letter =
                    chars.find(|(_, c)| !c.is_ascii_digit() && !matches!(c, '-' | '+' | '.'));
                if let Some((at, c)) =
                    letter.filter(|(_, c)| !matches!(c, '%' | 'm' | 'M' | 'l' | 'L'))
                {
                    found.push_back((start + at, c));
                }
            }
            _ => {}
        }
    }
    found
}
