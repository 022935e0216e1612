//! Reading a template: texts, and what stands between `{{` and `}}`.

use super::functions::{Function, Value};
use super::{Expression, Part, TemplateError};

pub(super) fn parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut trim_next = false;
    while let Some(open) = rest.find("{{") {
        let (mut before, after) = (&rest[..open], &rest[open + 2..]);
        let close = closing(after).ok_or_else(|| TemplateError::new("a `{{` without its `}}`"))?;
        let mut action = &after[..close];
        rest = &after[close + 2..];
        if trim_next {
            before = before.trim_start();
        }
        // `{{-` and `-}}` take the white space beside them away, as in Go.
        if let Some(inner) = action.strip_prefix("- ") {
            action = inner;
            before = before.trim_end();
        }
        trim_next = false;
        if let Some(inner) = action.strip_suffix(" -") {
            action = inner;
            trim_next = true;
        }
        push_text(&mut parts, before);
        let comment = action.trim();
        if !(comment.starts_with("/*") && comment.ends_with("*/")) {
            parts.push(Part::Action(pipeline(action)?));
        }
    }
    push_text(&mut parts, if trim_next { rest.trim_start() } else { rest });
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// Where the `}}` is that closes an action: not one inside quotes.
fn closing(text: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[at..].starts_with("}}") => return Some(at),
            None => {}
        }
    }
    None
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Pipe,
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '|' => push(&mut tokens, Token::Pipe),
            '(' => push(&mut tokens, Token::Open),
            ')' => push(&mut tokens, Token::Close),
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| TemplateError::new("a quote is not closed"))?;
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '"' => {
                let (content, taken) = quoted(rest)?;
                tokens.push(Token::Text(content));
                taken
            }
            _ => {
                let end =
                    rest.find(|c: char| c.is_whitespace() || "|()\"`".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

fn push(tokens: &mut Vec<Token>, token: Token) -> usize {
    tokens.push(token);
    1
}

/// The content of a quoted text, and how many bytes it takes with its quotes.
fn quoted(text: &str) -> Result<(String, usize), TemplateError> {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok((content, at + 1)),
            '\\' => match characters.next().map(|(_, c)| c) {
                Some('n') => content.push('\n'),
                Some('t') => content.push('\t'),
                Some(c @ ('"' | '\\')) => content.push(c),
                _ => {
                    return Err(TemplateError::new(
                        "a quoted text has an escape other than \\n \\t \\\" \\\\",
                    ));
                }
            },
            _ => content.push(c),
        }
    }
    Err(TemplateError::new("a quote is not closed"))
}

fn pipeline(text: &str) -> Result<Expression, TemplateError> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens };
    let expression = reader.pipeline()?;
    match reader.tokens.first() {
        None => Ok(expression),
        Some(_) => Err(TemplateError::new(format!("`{}` cannot be understood to its end", text.trim()))),
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn pipeline(&mut self) -> Result<Expression, TemplateError> {
        let mut expression = self.command(None)?;
        while self.tokens.first() == Some(&Token::Pipe) {
            self.next();
            expression = self.command(Some(expression))?;
        }
        Ok(expression)
    }

    /// One operand, or a function with its arguments; what is piped in comes last, as in Go.
    fn command(&mut self, piped: Option<Expression>) -> Result<Expression, TemplateError> {
        let word = match self.tokens.first() {
            Some(Token::Word(word)) if is_call(word) => word.clone(),
            _ if piped.is_some() => {
                return Err(TemplateError::new("after a `|` comes a function"));
            }
            _ => return self.operand(),
        };
        self.next();
        if word == "index" {
            return self.index();
        }
        let function = Function::named(&word)
            .ok_or_else(|| TemplateError::new(format!("the template function `{word}` is not known")))?;
        let mut arguments = Vec::new();
        while !matches!(self.tokens.first(), None | Some(Token::Pipe | Token::Close)) {
            arguments.push(self.operand()?);
        }
        arguments.extend(piped);
        function.check(&arguments).map_err(TemplateError::new)?;
        Ok(Expression::Call(function, arguments))
    }

    /// `index $labels "a-name"`: how Go reads labels whose names are no identifiers.
    fn index(&mut self) -> Result<Expression, TemplateError> {
        match (self.next(), self.next()) {
            (Some(Token::Word(labels)), Some(Token::Text(name)))
                if matches!(labels.as_str(), "$labels" | ".Labels") =>
            {
                Ok(Expression::Label(name))
            }
            _ => Err(TemplateError::new("`index` is for labels alone: `index $labels \"name\"`")),
        }
    }

    fn operand(&mut self) -> Result<Expression, TemplateError> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Expression::Literal(Value::Text(text))),
            Some(Token::Open) => {
                let inner = self.pipeline()?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err(TemplateError::new("a `(` without its `)`")),
                }
            }
            Some(Token::Word(word)) => operand(&word),
            Some(Token::Pipe | Token::Close) | None => {
                Err(TemplateError::new("an action is empty, or ends too early"))
            }
        }
    }
}

fn is_call(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn operand(word: &str) -> Result<Expression, TemplateError> {
    if matches!(word, "$value" | ".Value") {
        return Ok(Expression::Value);
    }
    if let Some(name) = word.strip_prefix("$labels.").or_else(|| word.strip_prefix(".Labels."))
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return Ok(Expression::Label(name.to_owned()));
    }
    match word.parse::<f64>() {
        Ok(number) if !is_call(word) => Ok(Expression::Literal(Value::Number(number))),
        _ if is_call(word) => Err(TemplateError::new(format!("put `({word} …)` in parentheses here"))),
        _ => Err(TemplateError::new(format!(
            "`{word}` is not known: there are $value, $labels.NAME, numbers, and texts in quotes"
        ))),
    }
}
