//! Regular expressions as Prometheus and Loki write them, which are those of Go's library (RE2's syntax), made into
//! those of Rust's. A text becomes a text; who compiles it, and within which bounds, is not known here.
//!
//! Start reading at [`anchored`].
//!
//! The two are nearly one language, and where they are not, a pattern would be refused for no reason, or silently mean
//! something else: `\w`, `\d`, `\s` and `\b` are of ASCII in Go and of Unicode in Rust, `&&` in a class is two
//! characters in Go and an intersection in Rust, `\<` is a character in Go and the begin of a word in Rust. So a pattern
//! is read as Go reads it and written again in what both read alike. Rejected: to rewrite single parts of its text, of
//! which each would have to know again what is a class, a quotation and an escape.
//!
//! Syntax: <https://github.com/google/re2/wiki/Syntax>, and Go's `regexp/syntax`.

mod class;
mod escape;
mod fault;
mod flags;
mod names;
mod repeat;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use self::fault::{Fault, SyntaxError};
use self::flags::Flags;
use self::repeat::Counts;

/// How often one item may be repeated again, where something that is nothing stands between the repetitions. Each is
/// a group in what is written, and Rust's library takes no more than some hundred in each other.
const MAX_REPEATED: usize = 50;

/// A pattern that must match a whole text, in which `.` is every character: those of labels.
pub fn anchored(pattern: &str) -> Result<String, SyntaxError> {
    let (inside, is_quoted) = Reader::new(pattern, Flags::DOT_ALL).read()?;
    // Prometheus puts its own around the pattern, and a quotation without an end swallows it.
    if is_quoted {
        return Err(Fault::MissingParenthesis.at(&format!("^(?s:{pattern})$")));
    }
    Ok(format!("^(?s:{inside})$"))
}

/// A pattern that matches anywhere, in which `.` is every character but the end of a line.
pub fn anywhere(pattern: &str) -> Result<String, SyntaxError> {
    Reader::new(pattern, Flags::default()).read().map(|(pattern, _)| pattern)
}

/// What lies between the begin of a text and that of a part of it which goes to its end.
fn spanned<'p>(from: &'p str, after: &str) -> &'p str {
    &from[..from.len() - after.len()]
}

/// The last thing that was written, which a repetition would repeat.
struct Item {
    /// Where it begins in what was written.
    start: usize,
    /// How often it is repeated, and how often by counts in each other.
    repeated: usize,
    weight: u32,
}

/// A group that is not at its end yet: what was so before it.
struct Group {
    start: usize,
    flags: Flags,
    shown: Flags,
    weight: u32,
}

struct Reader<'p> {
    whole: &'p str,
    rest: &'p str,
    out: String,
    /// How many bytes there are from the last `:]`.
    last_name: usize,
    /// As the pattern has them, and as what is written has them. Those of the pattern are written before the next item:
    /// in Go they are nothing of their own, and `x(?i)*` repeats the `x`.
    flags: Flags,
    shown: Flags,
    groups: Vec<Group>,
    last: Option<Item>,
    /// The greatest of the items that are in the group with the last.
    weight: u32,
    names: HashSet<&'p str>,
    /// Whether a quotation has no end.
    is_quoted: bool,
}

impl<'p> Reader<'p> {
    fn new(whole: &'p str, flags: Flags) -> Self {
        Self {
            whole,
            rest: whole,
            out: String::with_capacity(whole.len() + 16),
            last_name: whole.rfind(":]").map_or(usize::MAX, |at| whole.len() - at),
            flags,
            shown: flags,
            groups: Vec::new(),
            last: None,
            weight: 1,
            names: HashSet::new(),
            is_quoted: false,
        }
    }

    /// The pattern as Rust's library reads it, and whether it ends in a quotation.
    fn read(mut self) -> Result<(String, bool), SyntaxError> {
        // Where the repetition begins that stands directly before.
        let mut before: Option<&'p str> = None;
        while let Some(c) = self.rest.chars().next() {
            let here = self.rest;
            let counts = if c == '{' { repeat::counts(here) } else { None };
            let is_repetition = matches!(c, '*' | '+' | '?') || counts.is_some();
            match c {
                _ if is_repetition => self.repeat(counts, before)?,
                '(' => self.open()?,
                ')' => self.close()?,
                '[' => self.class()?,
                '\\' => self.escape()?,
                '|' => {
                    self.end_item();
                    self.out.push('|');
                    self.rest = &here[1..];
                }
                '^' | '$' | '.' => self.verbatim(&here[..1], &here[1..]),
                _ => {
                    self.character(u32::from(c));
                    self.rest = &here[c.len_utf8()..];
                }
            }
            before = is_repetition.then_some(here);
        }
        if self.groups.is_empty() {
            Ok((self.out, self.is_quoted))
        } else {
            Err(Fault::MissingParenthesis.at(self.whole))
        }
    }

    /// Counts the last item towards its group. Nothing can be repeated until there is another.
    fn end_item(&mut self) {
        if let Some(last) = self.last.take() {
            self.weight = self.weight.max(last.weight);
        }
    }

    /// Makes ready for an item, and says where it begins.
    fn begin_item(&mut self) -> usize {
        self.end_item();
        self.flags.write_from(self.shown, &mut self.out);
        self.shown = self.flags;
        self.out.len()
    }

    /// Writes an item as it is.
    fn verbatim(&mut self, item: &str, after: &'p str) {
        let start = self.begin_item();
        self.out.push_str(item);
        self.last = Some(Item { start, repeated: 0, weight: 1 });
        self.rest = after;
    }

    /// Writes an item that is one character.
    fn character(&mut self, code: u32) {
        let start = self.begin_item();
        match char::from_u32(code) {
            Some(c) => escape::push_character(&mut self.out, c),
            None => self.out.push_str(&escape::bracketed(false, "")),
        }
        self.last = Some(Item { start, repeated: 0, weight: 1 });
    }

    fn class(&mut self) -> Result<(), SyntaxError> {
        let (class, after) = class::read(self.rest, self.last_name)?;
        self.verbatim(&class, after);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let here = self.rest;
        match here.as_bytes().get(1) {
            Some(b'A') => self.verbatim(r"\A", &here[2..]),
            Some(b'z') => self.verbatim(r"\z", &here[2..]),
            Some(b'b') => self.verbatim(r"(?-u:\b)", &here[2..]),
            Some(b'B') => self.verbatim(r"(?-u:\B)", &here[2..]),
            Some(b'Q') => self.quotation(&here[2..]),
            _ => return self.set_or_character(),
        }
        Ok(())
    }

    /// An escape that may stand in a class as well.
    fn set_or_character(&mut self) -> Result<(), SyntaxError> {
        if let Some((items, after)) = escape::set(self.rest)? {
            self.verbatim(&escape::bracketed(false, &items), after);
        } else {
            let (code, after) = escape::character(self.rest)?;
            self.character(code);
            self.rest = after;
        }
        Ok(())
    }

    /// What stands between `\Q` and `\E`: characters.
    fn quotation(&mut self, inside: &'p str) {
        let (quoted, after) = inside.split_once(r"\E").unwrap_or_else(|| {
            self.is_quoted = true;
            (inside, "")
        });
        for c in quoted.chars() {
            self.character(u32::from(c));
        }
        self.rest = after;
    }

    fn open(&mut self) -> Result<(), SyntaxError> {
        let here = self.rest;
        let Some(inside) = here.strip_prefix("(?") else {
            self.enter("(", self.flags, &here[1..]);
            return Ok(());
        };
        let named = inside.strip_prefix("P<").or_else(|| inside.strip_prefix('<'));
        match named.filter(|named| !named.is_empty()) {
            Some(named) => self.named(named),
            None => self.flagged(inside),
        }
    }

    /// A group with a name: `(?P<name>…)`, `(?<name>…)`.
    fn named(&mut self, text: &'p str) -> Result<(), SyntaxError> {
        let here = self.rest;
        let (name, after) = text.split_once('>').ok_or_else(|| Fault::NamedCapture.at(here))?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // Rust's library takes no name that begins with a digit.
        if !is_name || !name.starts_with(|c: char| !c.is_ascii_digit()) {
            return Err(Fault::NamedCapture.at(spanned(here, after)));
        }
        if !self.names.insert(name) {
            return Err(Fault::DuplicateName.at(spanned(here, after)));
        }
        self.enter(&format!("(?P<{name}>"), self.flags, after);
        Ok(())
    }

    /// A group that captures nothing, or flags for what follows.
    fn flagged(&mut self, inside: &'p str) -> Result<(), SyntaxError> {
        let here = self.rest;
        let (flags, end, after) =
            self.flags.read(inside).map_err(|after| Fault::PerlSyntax.at(spanned(here, after)))?;
        match end {
            flags::End::OfFlags => {
                self.flags = flags;
                self.rest = after;
            }
            flags::End::BeforeGroup => self.enter("(?:", flags, after),
        }
        Ok(())
    }

    fn enter(&mut self, opening: &str, inner: Flags, after: &'p str) {
        let start = self.begin_item();
        self.out.push_str(opening);
        let weight = std::mem::replace(&mut self.weight, 1);
        self.groups.push(Group { start, flags: self.flags, shown: self.shown, weight });
        self.flags = inner;
        self.rest = after;
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        let group = self.groups.pop().ok_or_else(|| Fault::UnexpectedParenthesis.at(self.whole))?;
        self.end_item();
        self.out.push(')');
        let weight = std::mem::replace(&mut self.weight, group.weight);
        self.last = Some(Item { start: group.start, repeated: 0, weight });
        (self.flags, self.shown) = (group.flags, group.shown);
        self.rest = &self.rest[1..];
        Ok(())
    }

    /// A repetition of the last item.
    fn repeat(
        &mut self,
        counts: Option<(Counts, &'p str)>,
        before: Option<&'p str>,
    ) -> Result<(), SyntaxError> {
        let here = self.rest;
        let (counts, after) = match counts {
            Some((counts, after)) => (Some(counts), after),
            None => (None, &here[1..]),
        };
        let operator = spanned(here, after);
        if counts.is_some_and(|counts| !counts.are_allowed()) {
            return Err(Fault::RepeatCount.at(operator));
        }
        let (is_turned, after) = match after.strip_prefix('?') {
            Some(after) => (true, after),
            None => (false, after),
        };
        if let Some(before) = before {
            return Err(Fault::NestedRepetition.at(spanned(before, after)));
        }
        let written = spanned(here, after);
        let last = self.last.as_mut().ok_or_else(|| Fault::NothingToRepeat.at(written))?;
        if let Some(counts) = counts {
            last.weight = counts.around(last.weight).ok_or_else(|| Fault::RepeatCount.at(written))?;
        }
        if last.repeated == MAX_REPEATED {
            return Err(Fault::TooDeep.at(self.whole));
        }
        if last.repeated > 0 {
            self.out.insert_str(last.start, "(?:");
            self.out.push(')');
        }
        last.repeated += 1;
        self.out.push_str(operator);
        if is_turned != self.flags.are_ungreedy() {
            self.out.push('?');
        }
        self.rest = after;
        Ok(())
    }
}
