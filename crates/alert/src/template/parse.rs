//! Reading a template: pieces become a tree. What Go refuses when it reads a template is refused here.

use super::TemplateError;
use super::functions::Function;
use super::lex::{Kind, Piece, Token, pieces};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Tree};

/// How deep conditions, loops and parentheses may be nested.
const MAX_NESTING: usize = 64;

/// Variables that are there from the start.
const KNOWN: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

pub(super) fn tree(text: &str) -> Result<Tree, TemplateError> {
    let mut parser = Parser {
        text,
        pieces: pieces(text)?.into_iter(),
        variables: KNOWN.map(str::to_owned).to_vec(),
        tree: Tree::default(),
        nesting: 0,
        loops: 0,
    };
    let (body, end) = parser.list(true)?;
    match end {
        Stop::Text => {
            parser.tree.body = body;
            Ok(parser.tree)
        }
        Stop::End(at) => Err(TemplateError::at(text, at, "unexpected {{end}}")),
        Stop::Else(at, _) => Err(TemplateError::at(text, at, "unexpected {{else}}")),
    }
}

struct Parser<'a> {
    text: &'a str,
    pieces: std::vec::IntoIter<Piece<'a>>,
    /// The variables that are known here, in the order in which they came.
    variables: Vec<String>,
    tree: Tree,
    nesting: usize,
    /// How many loops are open.
    loops: usize,
}

/// What ends a list of nodes.
enum Stop {
    Text,
    End(usize),
    /// `{{else}}`, with the words behind it.
    Else(usize, Vec<Token>),
}

/// What a branch is.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    If,
    With,
    Range,
}

impl Parser<'_> {
    fn fail<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::at(self.text, at, reason))
    }

    fn nested<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.nesting == MAX_NESTING {
            return self.fail(at, format!("nested more than {MAX_NESTING} deep"));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    /// Nodes until something ends them. Templates are defined at the `top` alone.
    fn list(&mut self, top: bool) -> Result<(Vec<Node>, Stop), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let tokens = match self.pieces.next() {
                None => return Ok((nodes, Stop::Text)),
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Some(Piece::Action(tokens)) => tokens,
            };
            let Some(first) = tokens.first() else { return self.fail(0, "missing value for command") };
            let at = first.at;
            let keyword = match &first.kind {
                Kind::Word(word) => word.clone(),
                _ => String::new(),
            };
            let rest = &tokens[1..];
            match keyword.as_str() {
                "end" if rest.is_empty() => return Ok((nodes, Stop::End(at))),
                "else" => return Ok((nodes, Stop::Else(at, rest.to_vec()))),
                "if" => nodes.push(Node::If(self.branch(Sort::If, at, rest)?)),
                "with" => nodes.push(Node::With(self.branch(Sort::With, at, rest)?)),
                "range" => nodes.push(Node::Range(self.branch(Sort::Range, at, rest)?)),
                "break" | "continue" if rest.is_empty() => {
                    if self.loops == 0 {
                        return self.fail(at, format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
                    }
                    nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
                }
                "template" => nodes.push(self.template(at, rest)?),
                "define" if top => self.define(at, rest)?,
                "define" => return self.fail(at, "unexpected {{define}}"),
                "block" => nodes.push(self.block(at, rest)?),
                _ => nodes.push(Node::Action(self.pipeline(at, &tokens, false)?)),
            }
        }
    }

    fn branch(&mut self, sort: Sort, at: usize, tokens: &[Token]) -> Result<Branch, TemplateError> {
        self.nested(at, |parser| {
            let known = parser.variables.len();
            let pipeline = parser.pipeline(at, tokens, sort == Sort::Range)?;
            parser.loops += usize::from(sort == Sort::Range);
            let body = parser.list(false);
            parser.loops -= usize::from(sort == Sort::Range);
            let (body, end) = body?;
            let otherwise = match end {
                Stop::Text => {
                    return parser.fail(at, "unexpected end of the template: an {{end}} is missing");
                }
                Stop::End(_) => Vec::new(),
                Stop::Else(at, tokens) => parser.otherwise(sort, at, &tokens)?,
            };
            parser.variables.truncate(known);
            Ok(Branch { pipeline, body, otherwise })
        })
    }

    /// What stands behind `{{else}}`, up to its end.
    fn otherwise(&mut self, sort: Sort, at: usize, tokens: &[Token]) -> Result<Vec<Node>, TemplateError> {
        if let Some((Kind::Word(word), rest)) = tokens.split_first().map(|(first, rest)| (&first.kind, rest))
        {
            // `{{else if}}` shares the end of the condition before.
            return match (word.as_str(), sort) {
                ("if", Sort::If) => Ok(vec![Node::If(self.branch(Sort::If, at, rest)?)]),
                ("with", Sort::With) => Ok(vec![Node::With(self.branch(Sort::With, at, rest)?)]),
                _ => self.fail(at, format!("unexpected <{word}> in else")),
            };
        }
        if !tokens.is_empty() {
            return self.fail(at, "unexpected words in else");
        }
        match self.list(false)? {
            (nodes, Stop::End(_)) => Ok(nodes),
            (_, Stop::Else(at, _)) => self.fail(at, "expected end; found {{else}}"),
            (_, Stop::Text) => self.fail(at, "unexpected end of the template: an {{end}} is missing"),
        }
    }

    fn template(&mut self, at: usize, tokens: &[Token]) -> Result<Node, TemplateError> {
        let (name, rest) = self.name(at, "template", tokens)?;
        let argument = if rest.is_empty() { None } else { Some(self.pipeline(at, rest, false)?) };
        Ok(Node::Template { name, argument })
    }

    fn define(&mut self, at: usize, tokens: &[Token]) -> Result<(), TemplateError> {
        let (name, rest) = self.name(at, "define", tokens)?;
        if !rest.is_empty() {
            return self.fail(at, "unexpected words in define clause");
        }
        self.defined(at, name)
    }

    fn block(&mut self, at: usize, tokens: &[Token]) -> Result<Node, TemplateError> {
        let (name, rest) = self.name(at, "block", tokens)?;
        let argument = Some(self.pipeline(at, rest, false)?);
        self.defined(at, name.clone())?;
        Ok(Node::Template { name, argument })
    }

    /// The body of a template of its own: it knows no variable but `$`.
    fn defined(&mut self, at: usize, name: String) -> Result<(), TemplateError> {
        let outer =
            (std::mem::replace(&mut self.variables, vec!["$".to_owned()]), std::mem::take(&mut self.loops));
        let (body, end) = self.nested(at, |parser| parser.list(false))?;
        (self.variables, self.loops) = outer;
        match end {
            Stop::End(_) => {
                self.tree.defined.insert(name, body);
                Ok(())
            }
            Stop::Else(at, _) => self.fail(at, "unexpected {{else}}"),
            Stop::Text => self.fail(at, "unexpected end of the template: an {{end}} is missing"),
        }
    }

    fn name<'t>(
        &self,
        at: usize,
        what: &str,
        tokens: &'t [Token],
    ) -> Result<(String, &'t [Token]), TemplateError> {
        match tokens.split_first().map(|(first, rest)| (&first.kind, rest)) {
            Some((Kind::Literal(super::value::Value::Text(name)), rest)) => {
                Ok((name.as_ref().to_owned(), rest))
            }
            _ => self.fail(at, format!("{what} needs a name in quotes")),
        }
    }

    /// A whole pipeline; a loop may declare two variables.
    fn pipeline(&mut self, at: usize, tokens: &[Token], of_loop: bool) -> Result<Pipeline, TemplateError> {
        let mut words = Words { parser: self, tokens, next: 0, end: at };
        let pipeline = words.pipeline(of_loop)?;
        match words.tokens.get(words.next) {
            None => Ok(pipeline),
            Some(token) => {
                let at = token.at;
                self.fail(at, "unexpected word in an action")
            }
        }
    }
}

/// Goes over the words of one action.
struct Words<'p, 'a, 't> {
    parser: &'p mut Parser<'a>,
    tokens: &'t [Token],
    next: usize,
    end: usize,
}

impl Words<'_, '_, '_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    fn fail<T>(&self, reason: impl Into<String>) -> Result<T, TemplateError> {
        self.parser.fail(self.at(), reason)
    }

    fn pipeline(&mut self, of_loop: bool) -> Result<Pipeline, TemplateError> {
        let (variables, assigns) = self.declaration(of_loop)?;
        let mut commands = vec![self.command(false)?];
        while matches!(self.peek(), Some(Kind::Pipe)) {
            self.next += 1;
            commands.push(self.command(true)?);
        }
        // A variable is known after its own declaration, not in it.
        if !assigns {
            self.parser.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, assigns, commands })
    }

    fn declaration(&mut self, of_loop: bool) -> Result<(Vec<String>, bool), TemplateError> {
        let kind = |offset: usize| self.tokens.get(self.next + offset).map(|token| &token.kind);
        let (variables, length) = match (kind(0), kind(1), kind(2), kind(3)) {
            (Some(Kind::Variable(name)), Some(Kind::Declare | Kind::Assign), _, _) => (vec![name.clone()], 1),
            (
                Some(Kind::Variable(first)),
                Some(Kind::Comma),
                Some(Kind::Variable(second)),
                Some(Kind::Declare | Kind::Assign),
            ) if of_loop => (vec![first.clone(), second.clone()], 3),
            _ => return Ok((Vec::new(), false)),
        };
        let assigns = matches!(kind(length), Some(Kind::Assign));
        if assigns && let Some(unknown) = variables.iter().find(|name| !self.parser.variables.contains(name))
        {
            return self.fail(format!("undefined variable {unknown:?}"));
        }
        self.next += length + 1;
        Ok((variables, assigns))
    }

    /// One operand, or a function with its arguments.
    fn command(&mut self, piped: bool) -> Result<Command, TemplateError> {
        let at = self.at();
        if matches!(self.peek(), None | Some(Kind::Pipe | Kind::Close)) {
            return self.fail("missing value for command");
        }
        let first = self.operand()?;
        let mut arguments = Vec::new();
        while !matches!(self.peek(), None | Some(Kind::Pipe | Kind::Close)) {
            arguments.push(self.operand()?);
        }
        // What else takes no arguments is found out when the template is filled in, as in Go.
        if piped && matches!(first, Operand::Literal(_) | Operand::Dot | Operand::Nil) {
            let reason = "non executable command in pipeline: a function must follow `|`";
            return self.parser.fail(at, reason);
        }
        Ok(Command { at, first, arguments })
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        let at = self.at();
        let Some(kind) = self.peek().cloned() else { return self.fail("missing value for command") };
        self.next += 1;
        let operand = match kind {
            Kind::Literal(value) => Operand::Literal(value),
            Kind::Dot => Operand::Dot,
            Kind::Word(word) if word == "nil" => Operand::Nil,
            Kind::Word(word) => match Function::named(&word) {
                Some(function) => {
                    self.parser.tree.asks |= function == Function::Query;
                    Operand::Function(function)
                }
                None => return self.parser.fail(at, format!("function {word:?} not defined")),
            },
            Kind::Field(name) => {
                let mut path = vec![name];
                path.extend(self.path());
                return Ok(Operand::Field(path));
            }
            Kind::Variable(name) => {
                if !self.parser.variables.contains(&name) {
                    return self.parser.fail(at, format!("undefined variable {name:?}"));
                }
                return Ok(Operand::Variable(name, self.path()));
            }
            Kind::Open => {
                let inner = self.inner(at)?;
                return Ok(Operand::Inner(Box::new(inner), self.path()));
            }
            Kind::Pipe | Kind::Comma | Kind::Close | Kind::Declare | Kind::Assign => {
                return self.parser.fail(at, "unexpected sign in an action");
            }
        };
        let has_fields =
            matches!(self.tokens.get(self.next), Some(Token { kind: Kind::Field(_), apart: false, .. }));
        if has_fields && matches!(operand, Operand::Literal(_) | Operand::Nil) {
            return self.fail("a literal has no fields");
        }
        Ok(operand)
    }

    /// What is in parentheses.
    fn inner(&mut self, at: usize) -> Result<Pipeline, TemplateError> {
        if self.parser.nesting == MAX_NESTING {
            return self.parser.fail(at, format!("nested more than {MAX_NESTING} deep"));
        }
        self.parser.nesting += 1;
        let inner = self.pipeline(false)?;
        self.parser.nesting -= 1;
        if !matches!(self.peek(), Some(Kind::Close)) {
            return self.parser.fail(at, "unclosed left paren");
        }
        self.next += 1;
        Ok(inner)
    }

    /// Fields that stand right behind a value.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(Token { kind: Kind::Field(name), apart: false, .. }) = self.tokens.get(self.next) {
            path.push(name.clone());
            self.next += 1;
        }
        path
    }
}
