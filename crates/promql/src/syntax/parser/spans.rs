//! Durations: literals, and what is calculated of them.

use super::{BinaryOperator, Kind, Parser, SIGN_BINDING, operator};
use crate::Error;
use crate::plan::Arithmetic;
use crate::span::{NoSpan, Span};

/// What a duration may begin with, for errors.
pub(super) const EXPECTED: &str = "number, duration, step(), or range()";

/// What is being read and what it may begin with, for errors.
type Wanted<'w> = (&'w str, &'w str);

impl Parser<'_> {
    /// The duration of a range or a step.
    pub(super) fn positive_span(&mut self, context: &str, expected: &str) -> Result<Span, Error> {
        let start = self.peek().start;
        let span = self.span(0, (context, expected))?;
        match span.milliseconds(None) {
            Ok(1..) | Err(NoSpan::Open) => Ok(span),
            Ok(_) => Err(self.error(start, "duration must be greater than 0")),
            Err(none) => Err(self.error(start, none.text())),
        }
    }

    /// What follows `offset`: one duration, which may have a sign; more of them in parentheses.
    pub(super) fn offset(&mut self) -> Result<Span, Error> {
        let start = self.peek().start;
        let negative = self.take("-").is_some();
        if !negative {
            _ = self.take("+");
        }
        let span = self.span_operand(("offset", EXPECTED))?;
        let span = if negative { Span::Negate(Box::new(span)) } else { span };
        match span.milliseconds(None) {
            Ok(_) | Err(NoSpan::Open) => Ok(span),
            Err(none) => Err(self.error(start, none.text())),
        }
    }

    /// A duration of operators that bind at least so tightly.
    fn span(&mut self, least: u8, wanted: Wanted<'_>) -> Result<Span, Error> {
        self.nested(|parser| {
            let sign = parser.peek();
            let mut left = if sign.is("-") || sign.is("+") {
                parser.next();
                let input = parser.span(SIGN_BINDING, wanted)?;
                if sign.is("-") { Span::Negate(Box::new(input)) } else { input }
            } else {
                parser.span_operand(wanted)?
            };
            while let Some((operator, binding)) =
                span_operator(parser).filter(|(_, binding)| *binding >= least)
            {
                let place = parser.next().start;
                let is_right = operator == Arithmetic::Power;
                let right = parser.span(binding + u8::from(!is_right), wanted)?;
                match (operator, &right) {
                    (Arithmetic::Divide, Span::Seconds(0.0) | Span::Number(0.0)) => {
                        return Err(parser.error(place, NoSpan::DivisionByZero.text()));
                    }
                    (Arithmetic::Modulo, Span::Seconds(0.0) | Span::Number(0.0)) => {
                        return Err(parser.error(place, NoSpan::ModuloByZero.text()));
                    }
                    _ => {}
                }
                left = Span::Operation(operator, Box::new(left), Box::new(right));
            }
            Ok(left)
        })
    }

    fn span_operand(&mut self, wanted: Wanted<'_>) -> Result<Span, Error> {
        let (context, expected) = wanted;
        let token = self.peek();
        match token.kind {
            Kind::Number => return self.seconds().map(Span::Number),
            Kind::Duration => return self.seconds().map(Span::Seconds),
            _ => {}
        }
        if self.take("(").is_some() {
            let span = self.span(0, wanted)?;
            self.expect(")", context)?;
            return Ok(Span::Group(Box::new(span)));
        }
        let is_call = self.peek_behind(1).is("(");
        for (word, span) in [("step", Span::Step), ("range", Span::Range)] {
            if is_call && token.is_word(word) {
                self.next();
                self.next();
                self.expect(")", context)?;
                return Ok(span);
            }
        }
        let of_two = [
            ("min", Arithmetic::Smaller),
            ("max", Arithmetic::Larger),
            ("min_of", Arithmetic::Smaller),
            ("max_of", Arithmetic::Larger),
        ];
        for (word, operator) in of_two {
            if is_call && token.is_word(word) {
                self.next();
                self.next();
                let left = Box::new(self.span(0, wanted)?);
                self.expect(",", context)?;
                let right = Box::new(self.span(0, wanted)?);
                self.expect(")", context)?;
                return Ok(Span::Operation(operator, left, right));
            }
        }
        Err(self.unexpected(context, expected))
    }
}

fn span_operator(parser: &Parser<'_>) -> Option<(Arithmetic, u8)> {
    let operator = operator(parser.peek())?;
    let of_spans = match operator {
        BinaryOperator::Add => Arithmetic::Add,
        BinaryOperator::Subtract => Arithmetic::Subtract,
        BinaryOperator::Multiply => Arithmetic::Multiply,
        BinaryOperator::Divide => Arithmetic::Divide,
        BinaryOperator::Modulo => Arithmetic::Modulo,
        BinaryOperator::Power => Arithmetic::Power,
        _ => return None,
    };
    Some((of_spans, operator.binding()))
}
