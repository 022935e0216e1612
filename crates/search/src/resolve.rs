//! From a tree to a filter: what names mean, and values of the kinds that fields have.

mod value;

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use model::words::{folded, is_of_word, words};

use crate::error::{Fault, Remark, shown};
use crate::limits::{MAX_HINTS, MAX_PATTERNS, MAX_PHRASE_WORDS};
use crate::pattern::PatternError;
use crate::{
    Check, Comparison, Filter, Form, Glob, Kind, Literal, Name, Node, Part, Pattern, Schema, Scope, Shape,
    Span, Target, Term, Test, WordTest,
};

/// The most different names that are no fields for which the nearest one is looked up.
const MAX_UNKNOWN: usize = 64;

/// What a tree means, and what its writer should know.
pub(crate) fn resolve(tree: &Node, schema: &Schema, now: Timestamp) -> Result<(Filter, Vec<Remark>), Fault> {
    let mut resolver = Resolver { schema, now, patterns: 0, unknown: BTreeSet::new(), remarks: Vec::new() };
    let filter = resolver.filter(tree)?;
    Ok((filter, resolver.remarks))
}

struct Resolver<'a> {
    schema: &'a Schema,
    now: Timestamp,
    patterns: usize,
    /// Names that are no fields, each of which is told of once.
    unknown: BTreeSet<String>,
    remarks: Vec<Remark>,
}

/// A field of which something is asked.
#[derive(Clone, Copy)]
struct Field<'a> {
    name: &'a Name,
    /// What it holds; nobody knows of attributes.
    kind: Option<Kind>,
}

impl Resolver<'_> {
    fn filter(&mut self, node: &Node) -> Result<Filter, Fault> {
        match &node.shape {
            Shape::All => Ok(Filter::All),
            Shape::And(parts) => {
                let filters = self.filters(parts)?;
                self.note_two_values(parts, &filters);
                Ok(Filter::And(filters))
            }
            Shape::Or(parts) => Ok(Filter::Or(self.filters(parts)?)),
            Shape::Not(part) => Ok(Filter::Not(Box::new(self.filter(part)?))),
            Shape::Text(literal) => {
                let test = self.words(literal)?;
                Ok(Filter::Term(Term { target: Target::Any, test }))
            }
            Shape::Field(name, check) => self.field(name, check),
        }
    }

    fn filters(&mut self, nodes: &[Node]) -> Result<Vec<Filter>, Fault> {
        nodes.iter().map(|node| self.filter(node)).collect()
    }

    fn field(&mut self, name: &Name, check: &Check) -> Result<Filter, Fault> {
        let target = self.schema.target(&name.text);
        let kind = match &target {
            Target::Field { kind, .. } => Some(*kind),
            Target::Any | Target::Attribute { .. } => None,
        };
        if let Target::Attribute { scope: Scope::Any, .. } = target {
            self.note_unknown(name);
        }
        let field = Field { name, kind };
        let test = match check {
            Check::Exists => Test::Exists,
            Check::Is(literal) if kind == Some(Kind::Text) => self.words(literal)?,
            Check::Is(literal) | Check::Compare(Comparison::Equal | Comparison::NotEqual, literal) => {
                self.equals(field, literal)?
            }
            Check::Compare(comparison, literal) => self.compare(field, *comparison, literal)?,
            Check::Range { low, high } => self.between(field, low.as_ref(), high.as_ref())?,
        };
        let term = Filter::Term(Term { target, test });
        let is_opposite = matches!(check, Check::Compare(Comparison::NotEqual, _));
        Ok(if is_opposite { Filter::Not(Box::new(term)) } else { term })
    }

    /// A name that is no field's, and is like one.
    fn note_unknown(&mut self, name: &Name) {
        let is_full = self.unknown.len() >= MAX_UNKNOWN || self.remarks.len() >= MAX_HINTS;
        if is_full || !self.unknown.insert(name.text.clone()) {
            return;
        }
        if let Some(nearest) = self.schema.nearest(&name.text) {
            let message = format!(
                "there is no field {}, so attributes of that name are searched; did you mean `{nearest}`?",
                shown(&name.text)
            );
            self.remarks.push(Remark { span: name.span, message });
        }
    }

    /// Fields that are to have two values at once: a trace has spans of several services, but no span is of two.
    fn note_two_values(&mut self, nodes: &[Node], filters: &[Filter]) {
        let mut values: BTreeMap<&str, &str> = BTreeMap::new();
        for (node, filter) in nodes.iter().zip(filters) {
            let Filter::Term(Term { target: Target::Field { name, .. }, test: Test::Equals(value) }) = filter
            else {
                continue;
            };
            let first = *values.entry(name).or_insert(value);
            if first != value && self.remarks.len() < MAX_HINTS {
                let message = format!(
                    "nothing has two values of {}, so nothing is found; either is found with `OR` between them",
                    shown(name)
                );
                self.remarks.push(Remark { span: node.span, message });
            }
        }
    }

    /// Text that contains what is written.
    fn words(&mut self, literal: &Literal) -> Result<Test, Fault> {
        let span = literal.span;
        let tests: Vec<WordTest> = match &literal.form {
            Form::Regex { pattern, ignores_case } => return self.pattern(pattern, *ignores_case, span),
            Form::Word(text) | Form::Quoted(text) => {
                // One more than there may be tells that there are too many.
                let some = words(text).take(MAX_PHRASE_WORDS + 1);
                some.map(|word| WordTest::Is(folded(word).into_owned())).collect()
            }
            Form::Glob(parts) => self.word_globs(parts, span)?,
        };
        if tests.is_empty() {
            return Err(Fault::new(span, "there is no word in it, and text is searched by words")
                .expected("letters, digits or `_`")
                .suggest("other characters are found by a regular expression, as `/->/`"));
        }
        if tests.len() > MAX_PHRASE_WORDS {
            return Err(Fault::new(span, format!("the phrase has more than {MAX_PHRASE_WORDS} words")));
        }
        Ok(Test::Words(tests))
    }

    /// A text with wildcards, word by word.
    fn word_globs(&mut self, parts: &[Part], span: Span) -> Result<Vec<WordTest>, Fault> {
        let parts_words = |character: char| character.is_ascii() && !is_of_word(character as u8);
        let mut all: Vec<Vec<Part>> = Vec::new();
        let mut one: Vec<Part> = Vec::new();
        for part in parts {
            let Part::Text(text) = part else {
                one.push(part.clone());
                continue;
            };
            for (place, piece) in text.split(parts_words).enumerate() {
                if place > 0 {
                    all.push(std::mem::take(&mut one));
                }
                if !piece.is_empty() {
                    one.push(Part::Text(folded(piece).into_owned()));
                }
            }
        }
        all.push(one);
        let tests = all.into_iter().filter(|word| !word.is_empty()).map(|word| {
            if let [Part::Text(text)] = word.as_slice() {
                return Ok(WordTest::Is(text.clone()));
            }
            self.glob(word, span).map(WordTest::Like)
        });
        tests.collect()
    }

    fn glob(&mut self, parts: Vec<Part>, span: Span) -> Result<Glob, Fault> {
        self.one_more_pattern(span)?;
        Glob::new(parts).map_err(|error| of_pattern(&error, span))
    }

    fn pattern(&mut self, source: &str, ignores_case: bool, span: Span) -> Result<Test, Fault> {
        self.one_more_pattern(span)?;
        let pattern = Pattern::new(source, ignores_case).map_err(|error| of_pattern(&error, span))?;
        Ok(Test::Matches(pattern))
    }

    fn one_more_pattern(&mut self, span: Span) -> Result<(), Fault> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            let message =
                format!("there are more than {MAX_PATTERNS} regular expressions and words with wildcards");
            return Err(Fault::new(span, message));
        }
        Ok(())
    }
}

fn of_pattern(error: &PatternError, span: Span) -> Fault {
    let fault = Fault::new(span, error.to_string());
    match error {
        PatternError::Syntax(_) => fault.suggest("a path is written in quotes, as \"/api/v1\""),
        PatternError::TooLong | PatternError::TooLarge | PatternError::Go(_) => fault,
    }
}

#[cfg(test)]
mod tests;
