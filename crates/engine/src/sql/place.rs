//! Where in a statement something stands that is spoken of, and what was meant by a name.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use store::Position;

/// How much alike a name must be to be suggested.
const ALIKE: f64 = 0.5;

/// The parts of a statement, with their places.
pub(super) struct Tokens(Vec<TokenWithSpan>);

impl From<Vec<TokenWithSpan>> for Tokens {
    /// Of what a tokenizer has found; what is between its parts is left out.
    fn from(mut tokens: Vec<TokenWithSpan>) -> Self {
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
        Self(tokens)
    }
}

pub(super) fn position(location: Location) -> Position {
    Position { line: location.line, column: location.column }
}

impl Tokens {
    /// Where a name stands first, or the text that is used for one.
    pub(super) fn name(&self, name: &str) -> Option<Position> {
        self.first(|token| match token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            Token::SingleQuotedString(text) => text == name,
            _ => false,
        })
    }

    /// Where a text stands first, as a value.
    pub(super) fn text(&self, text: &str) -> Option<Position> {
        self.first(|token| text_of(token) == Some(text))
    }

    /// Where the pattern stands of which this is the end, or else what patterns are for.
    pub(super) fn pattern(&self, pattern: &str) -> Option<Position> {
        // Flags may stand before what was written.
        let is_end = |text: &str| !text.is_empty() && pattern.ends_with(text);
        self.text(pattern)
            .or_else(|| self.first(|token| text_of(token).is_some_and(is_end)))
            .or_else(|| self.matching())
    }

    /// Where something is compared with a pattern, if it is so once.
    pub(super) fn matching(&self) -> Option<Position> {
        self.only(|token| match token {
            Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk => true,
            Token::Word(word) => {
                matches!(word.keyword, Keyword::LIKE | Keyword::ILIKE | Keyword::SIMILAR)
                    || word.value.to_ascii_lowercase().starts_with("regexp_")
            }
            _ => false,
        })
    }

    /// Where something is of which a message speaks in quotes: a text, or a name.
    pub(super) fn quoted(&self, message: &str) -> Option<Position> {
        let within = |quote: char| message.split(quote).skip(1).step_by(2);
        let texts = within('\'').chain(within('`')).chain(within('"'));
        texts.filter(|text| !text.is_empty()).find_map(|text| self.text(text).or_else(|| self.name(text)))
    }

    /// Where the one part of this kind stands; nothing says which of several it is.
    pub(super) fn only(&self, is_it: impl Fn(&Token) -> bool) -> Option<Position> {
        let mut found = self.0.iter().filter(|token| is_it(&token.token));
        let one = found.next()?;
        found.next().is_none().then(|| position(one.span.start))
    }

    /// Where a function is called, if it is so once.
    pub(super) fn only_call(&self, function: &str) -> Option<Position> {
        self.only(|token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(function)))
    }

    fn first(&self, is_it: impl Fn(&Token) -> bool) -> Option<Position> {
        let found = self.0.iter().find(|token| is_it(&token.token))?;
        Some(position(found.span.start))
    }

    /// Where a name stands last.
    pub(super) fn last(&self, name: &str) -> Option<Position> {
        let is_it = |token: &&TokenWithSpan| matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(name));
        self.0.iter().rfind(is_it).map(|token| position(token.span.start))
    }

    /// Where a function is called that a message speaks of, or else the only one that is called.
    pub(super) fn call_in(&self, message: &str) -> Option<Position> {
        let calls = || {
            self.0.windows(2).filter_map(|pair| match (&pair[0].token, &pair[1].token) {
                (Token::Word(word), Token::LParen)
                    if word.keyword == Keyword::NoKeyword || !is_of_clause(word.keyword) =>
                {
                    Some((word.value.to_ascii_lowercase(), position(pair[0].span.start)))
                }
                _ => None,
            })
        };
        let lower = message.to_ascii_lowercase();
        let is_word = |name: &str| {
            lower.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
        };
        let spoken_of = calls().find(|(name, _)| is_word(name));
        let mut all = calls();
        spoken_of.or_else(|| all.next().filter(|_| all.next().is_none())).map(|(_, place)| place)
    }

    /// Whether a place lies within the statement.
    pub(super) fn holds(&self, place: Position) -> bool {
        self.end().is_some_and(|end| (place.line, place.column) < (end.line, end.column))
    }

    /// Behind the last part.
    pub(super) fn end(&self) -> Option<Position> {
        self.0.last().map(|token| position(token.span.end))
    }

    /// The part at a place, and those before it, the last first.
    pub(super) fn at(&self, place: Position) -> Option<(&Token, impl Iterator<Item = (&Token, Position)>)> {
        let found = self.0.iter().position(|token| position(token.span.start) == place)?;
        let before = self.0[..found].iter().rev();
        Some((&self.0[found].token, before.map(|token| (&token.token, position(token.span.start)))))
    }

    /// Whether what stands at a place is what something is compared with.
    pub(super) fn is_compared_with(&self, place: Position) -> bool {
        let Some((_, before)) = self.at(place) else { return false };
        // Of a list of values, what stands before the list.
        let mut before = before.map(|(token, _)| token).skip_while(|token| {
            matches!(token, Token::Comma | Token::Number(..) | Token::SingleQuotedString(_))
        });
        match before.next() {
            Some(Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq) => true,
            Some(Token::Word(word)) => matches!(word.keyword, Keyword::LIKE | Keyword::ILIKE),
            Some(Token::LParen) => {
                matches!(before.next(), Some(Token::Word(word)) if word.keyword == Keyword::IN)
            }
            _ => false,
        }
    }
}

/// Whether a word before a parenthesis begins a part of a statement, and calls nothing.
fn is_of_clause(keyword: Keyword) -> bool {
    use Keyword as K;
    matches!(
        keyword,
        K::FROM
            | K::WHERE
            | K::AND
            | K::OR
            | K::NOT
            | K::IN
            | K::AS
            | K::ON
            | K::BY
            | K::VALUES
            | K::EXISTS
            | K::OVER
            | K::SELECT
            | K::JOIN
            | K::USING
            | K::HAVING
            | K::WHEN
            | K::THEN
            | K::ELSE
            | K::LIKE
            | K::ALL
            | K::ANY
            | K::UNION
            | K::DISTINCT
            | K::FILTER
            | K::WITH
    )
}

fn text_of(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::NationalStringLiteral(text) => Some(text),
        Token::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// The name that is most like another, and how much it is.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<(f64, &'n str)> {
    known
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(likeness, candidate)| *likeness >= ALIKE && *candidate != name)
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn tokens(statement: &str) -> Tokens {
        let tokens = Tokenizer::new(&GenericDialect {}, statement).tokenize_with_location();
        Tokens::from(tokens.expect("tokens"))
    }

    #[test]
    fn what_a_message_speaks_of_is_found() {
        let statement = "SELECT a FROM logs\nWHERE a ~ 'x(' AND b = 'y'  ";
        let tokens = tokens(statement);
        let at = |line, column| Some(Position { line, column });
        assert_eq!(tokens.quoted("there is no `logs`"), at(1, 15));
        assert_eq!(tokens.quoted("cannot cast 'y' to it"), at(2, 24));
        assert_eq!(tokens.quoted("it's all wrong"), None);
        assert_eq!(tokens.pattern("(?i)x("), at(2, 11));
        assert_eq!(tokens.pattern("none"), at(2, 9));
        assert_eq!(tokens.end(), at(2, 27));
    }

    #[test]
    fn what_is_compared_with_is_told_from_what_is_compared() {
        let cases = [
            ("SELECT 1 FROM t WHERE a = b", 27, true),
            ("SELECT 1 FROM t WHERE a = b", 23, false),
            ("SELECT 1 FROM t WHERE a IN ('x', b)", 34, true),
            ("SELECT 1 FROM t WHERE f('x', b)", 30, false),
            ("SELECT 1, b FROM t", 11, false),
        ];
        for (statement, column, expected) in cases {
            let place = Position { line: 1, column };
            assert_eq!(tokens(statement).is_compared_with(place), expected, "{statement}");
        }
    }
}
