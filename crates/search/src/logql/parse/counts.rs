//! Counts of lines: `sum by (level) (count_over_time({…}[1m]))`.

use super::{Parser, TAKEN};
use crate::error::{Fault, shown};
use crate::logql::lex::Token;
use crate::logql::{Counts, Function, Grouping, MAX_TOP, Top, TopEnd};
use crate::quantity;

impl Parser<'_> {
    pub(super) fn counts(&mut self) -> Result<Counts, Fault> {
        let end = match self.token {
            Token::Name("topk") => TopEnd::Most,
            Token::Name("bottomk") => TopEnd::Least,
            _ => return self.summed(),
        };
        self.take()?;
        self.needed("(")?;
        let count = self.top_count()?;
        self.needed(",")?;
        let counts = self.summed()?;
        self.needed(")")?;
        Ok(Counts { top: Some(Top { count, end }), ..counts })
    }

    /// How many series `topk` has.
    fn top_count(&mut self) -> Result<usize, Fault> {
        let count = match self.token {
            Token::Quantity(text) => text.parse::<usize>().ok().filter(|count| (1..=MAX_TOP).contains(count)),
            _ => None,
        };
        let count = count.ok_or_else(|| self.unexpected(&format!("a number from 1 to {MAX_TOP}")))?;
        self.take()?;
        Ok(count)
    }

    /// `sum by (a) (…)`, `sum(…) by (a)`, or what is counted without a sum.
    fn summed(&mut self) -> Result<Counts, Fault> {
        if self.token != Token::Name("sum") {
            return self.counted();
        }
        self.take()?;
        let before = self.grouping()?;
        self.needed("(")?;
        let counts = self.counted()?;
        self.needed(")")?;
        let grouping = match before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or(Grouping::By(Vec::new())),
        };
        Ok(Counts { grouping, ..counts })
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Fault> {
        let grouping = match self.token {
            Token::Name("by") => Grouping::By,
            Token::Name("without") => Grouping::Without,
            _ => return Ok(None),
        };
        self.take()?;
        self.needed("(")?;
        let mut labels: Vec<String> = Vec::new();
        while !self.eat(")")? {
            let Token::Name(label) = self.token else {
                return Err(self.unexpected("the name of a label, or `)`"));
            };
            self.count_term()?;
            if !labels.iter().any(|known| known == label) {
                labels.push(label.to_owned());
            }
            self.take()?;
            if !self.eat(",")? && self.token != Token::Symbol(")") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
        Ok(Some(grouping(labels)))
    }

    /// `count_over_time({…}[1m])`
    fn counted(&mut self) -> Result<Counts, Fault> {
        let named = match self.token {
            Token::Name(name) => Function::NAMED.into_iter().find(|(known, _)| *known == name),
            _ => None,
        };
        let Some((_, function)) = named else { return Err(self.unexpected(TAKEN)) };
        self.take()?;
        self.needed("(")?;
        let lines = self.lines()?;
        self.needed("[")?;
        let Token::Quantity(text) = self.token else {
            return Err(self.unexpected("a duration as `1m`"));
        };
        let window = quantity::duration(text).filter(|window| !window.is_zero()).ok_or_else(|| {
            Fault::new(self.span, format!("{} is no duration", shown(text))).expected("one as `1m` or `30s`")
        })?;
        self.take()?;
        self.needed("]")?;
        self.needed(")")?;
        Ok(Counts { lines, function, window, grouping: Grouping::Streams, top: None })
    }

    /// `vector(1)+vector(1)`
    pub(super) fn sum_of_vectors(&mut self) -> Result<f64, Fault> {
        let mut sum = 0.0;
        loop {
            if self.token != Token::Name("vector") {
                return Err(self.unexpected("`vector(1)`"));
            }
            self.count_term()?;
            self.take()?;
            self.needed("(")?;
            let number = match self.token {
                Token::Quantity(text) => quantity::number(text),
                _ => None,
            };
            sum += number.ok_or_else(|| self.unexpected("a number"))?;
            self.take()?;
            self.needed(")")?;
            if !self.eat("+")? {
                return Ok(sum);
            }
        }
    }
}
