//! Where a statement ends: takes its first token, gives its last one.

use super::source::SourceFile;

/// Deeper nesting without `begin` is left alone.
const MAX_DEPTH: usize = 64;

/// The last token of the statement that starts at `first`; `None` when the text does not show it.
pub fn statement_end(file: &SourceFile, first: usize) -> Option<usize> {
    end(file, first, 0)
}

/// Recursion is bounded by `MAX_DEPTH`; chains of `else if` are loops.
fn end(file: &SourceFile, first: usize, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut at = first;
    loop {
        match file.word(at) {
            "" => return None,
            "begin" | "fork" | "case" | "casex" | "casez" | "randcase" => {
                return block_end(file, at);
            }
            "if" => {
                let then = end(file, after_parentheses(file, at + 1)?, depth + 1)?;
                if file.word(then + 1) != "else" {
                    return Some(then);
                }
                at = then + 2;
            }
            "for" | "while" | "repeat" | "foreach" | "wait" | "@" => {
                at = after_parentheses(file, at + 1)?
            }
            "forever" | "unique" | "unique0" | "priority" => at += 1,
            "assert" | "assume" | "cover" => return assertion_end(file, at, depth),
            "do" => {
                let body = end(file, at + 1, depth + 1)?;
                return simple_end(file, body + 1);
            }
            _ if file.word(at + 1) == ":" => at += 2,
            _ => return simple_end(file, at),
        }
    }
}

fn assertion_end(file: &SourceFile, at: usize, depth: usize) -> Option<usize> {
    let open = (at..at + 4).find(|&i| file.word(i) == "(")?;
    let close = file.closing(open)?;
    let pass = match file.word(close + 1) {
        "else" => close,
        ";" => return Some(close + 1),
        _ => end(file, close + 1, depth + 1)?,
    };
    match file.word(pass + 1) {
        "else" => end(file, pass + 2, depth + 1),
        _ => Some(pass),
    }
}

/// After `(...)`, or after one word as in `@clk`.
fn after_parentheses(file: &SourceFile, at: usize) -> Option<usize> {
    match file.word(at) {
        "(" => Some(file.closing(at)? + 1),
        _ => Some(at + 1),
    }
}

fn block_end(file: &SourceFile, open: usize) -> Option<usize> {
    let in_macro = file.tokens[open].in_macro;
    let mut depth = 0u32;
    for at in open..file.tokens.len() {
        if file.tokens[at].in_macro != in_macro {
            return None;
        }
        let waits = at > 0 && matches!(file.word(at - 1), "wait" | "disable");
        match file.word(at) {
            "begin" | "case" | "casex" | "casez" | "randcase" => depth += 1,
            "fork" if !waits => depth += 1,
            "end" | "endcase" | "join" | "join_any" | "join_none" => {
                depth = depth.checked_sub(1)?
            }
            _ => {}
        }
        if depth == 0 {
            let named = file.word(at + 1) == ":";
            return Some(if named { at + 2 } else { at });
        }
    }
    None
}

fn simple_end(file: &SourceFile, first: usize) -> Option<usize> {
    let in_macro = file.tokens.get(first)?.in_macro;
    let mut depth = 0u32;
    for at in first..file.tokens.len() {
        if file.tokens[at].in_macro != in_macro {
            return None;
        }
        match file.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            ";" if depth == 0 => return Some(at),
            "end" | "endmodule" | "endcase" => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_before_the_bar() {
        for text in [
            "a = b; | c;",
            "if (a) b; else if (c) d; else e; | f;",
            "if (a) begin b; end else begin : x c; end : x | d;",
            "for (i = 0; i < 3; i = i + 1) if (a) b; | c;",
            "assert (a) else $error(\"x\", (b)); | else c;",
            "x : assert (a) b; else c; | d;",
            "assert (a); | else b;",
            "case (a) 1: begin end default: ; endcase | b;",
            "do a; while (b); | c;",
            "@(posedge a) b; | c;",
            "; | a;",
        ] {
            let (before, after) = text.split_once(" | ").unwrap();
            let file = SourceFile::new("f".into(), format!("{before} {after}"));
            let end = statement_end(&file, 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(file.tokens[end].end, before.len(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let file = SourceFile::new("f".into(), "if (a) ".repeat(100_000) + ";");
        assert_eq!(statement_end(&file, 0), None);
    }
}
