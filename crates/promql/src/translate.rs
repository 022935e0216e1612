//! From the parser's tree to the typed plan. The only module that names the parser.

mod calls;
mod operators;
mod selectors;

use std::panic::{AssertUnwindSafe, catch_unwind};

use promql_parser::parser as ast;

use crate::Error;
use crate::plan::{Expr, Map, RangeExpr, ScalarExpr, VectorExpr};
use crate::source::Source;

/// How deep a plan may nest; evaluation recurses as deep.
const MAX_DEPTH: usize = 200;

/// Reads a query's text.
pub(crate) fn parse(text: &str) -> Result<Expr, Error> {
    let source = Source::scan(text)?;
    let modifier = source.unsupported_modifier();
    // The parser's actions panic on some numbers that are out of range. What the scan did not refuse
    // must not take the program down.
    let tree = match catch_unwind(AssertUnwindSafe(|| ast::parse(text))) {
        Ok(Ok(tree)) => tree,
        Ok(Err(_)) if modifier.is_some() => {
            return Err(Error::Unsupported(format!("the modifier `{}`", modifier.unwrap_or_default())));
        }
        Ok(Err(message)) => return Err(Error::BadData(unreadable(&message))),
        Err(_) => return Err(Error::BadData("the query has a number that is out of range".to_owned())),
    };
    Translator { source, depth: 0 }.expr(tree)
}

/// What the parser says, and what to write instead where it leaves people alone.
fn unreadable(message: &str) -> String {
    /// Said of `{}`, which means every series there is.
    const MATCHES_ALL: &str = "vector selector must contain at least one non-empty matcher";
    let example = if message.contains(MATCHES_ALL) { r#": for example `{__name__=~".+"}`"# } else { "" };
    format!("the query cannot be read: {message}{example}")
}

/// Walks the parser's tree in the order of the text.
struct Translator {
    source: Source,
    depth: usize,
}

impl Translator {
    fn expr(&mut self, tree: ast::Expr) -> Result<Expr, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::BadData(format!(
                "the query nests deeper than {MAX_DEPTH} operations; split it"
            )));
        }
        let expr = match tree {
            ast::Expr::Paren(paren) => self.expr(*paren.expr),
            ast::Expr::NumberLiteral(number) => Ok(Expr::Scalar(ScalarExpr::Number(number.val))),
            ast::Expr::StringLiteral(text) => Ok(Expr::Text(text.val)),
            ast::Expr::VectorSelector(selector) => {
                Ok(Expr::Vector(VectorExpr::Selector(selectors::selector(selector)?)))
            }
            ast::Expr::MatrixSelector(selector) => Ok(Expr::Range(RangeExpr::Selector {
                range_ms: selectors::milliseconds(selector.range)?,
                selector: selectors::selector(selector.vs)?,
            })),
            ast::Expr::Subquery(subquery) => self.subquery(subquery),
            ast::Expr::Unary(unary) => self.negation(*unary.expr),
            ast::Expr::Binary(binary) => self.binary(binary),
            ast::Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            ast::Expr::Call(call) => self.call(call),
            ast::Expr::Extension(extension) => {
                Err(Error::Unsupported(format!("the expression `{}`", extension.expr.name())))
            }
        };
        self.depth -= 1;
        expr
    }

    fn scalar(&mut self, tree: ast::Expr) -> Result<ScalarExpr, Error> {
        match self.expr(tree)? {
            Expr::Scalar(scalar) => Ok(scalar),
            other => Err(mismatch("a scalar", &other)),
        }
    }

    fn vector(&mut self, tree: ast::Expr) -> Result<VectorExpr, Error> {
        match self.expr(tree)? {
            Expr::Vector(vector) => Ok(vector),
            other => Err(mismatch("an instant vector", &other)),
        }
    }

    fn range(&mut self, tree: ast::Expr) -> Result<RangeExpr, Error> {
        match self.expr(tree)? {
            Expr::Range(range) => Ok(range),
            other => Err(mismatch("a range vector", &other)),
        }
    }

    fn text(&mut self, tree: ast::Expr) -> Result<String, Error> {
        match self.expr(tree)? {
            Expr::Text(text) => Ok(text),
            other => Err(mismatch("a string", &other)),
        }
    }

    fn negation(&mut self, tree: ast::Expr) -> Result<Expr, Error> {
        match self.expr(tree)? {
            Expr::Scalar(scalar) => Ok(Expr::Scalar(ScalarExpr::Negate(Box::new(scalar)))),
            Expr::Vector(input) => {
                Ok(Expr::Vector(VectorExpr::Map { function: Map::Negate, input: Box::new(input) }))
            }
            other => Err(mismatch("a scalar or an instant vector", &other)),
        }
    }

    fn subquery(&mut self, subquery: ast::SubqueryExpr) -> Result<Expr, Error> {
        let shift = selectors::shift(subquery.at.as_ref(), subquery.offset.as_ref())?;
        Ok(Expr::Range(RangeExpr::Subquery {
            input: Box::new(self.vector(*subquery.expr)?),
            range_ms: selectors::milliseconds(subquery.range)?,
            step_ms: subquery.step.map(selectors::milliseconds).transpose()?,
            shift,
        }))
    }
}

fn mismatch(expected: &str, found: &Expr) -> Error {
    let found = match found {
        Expr::Scalar(_) => "a scalar",
        Expr::Vector(_) => "an instant vector",
        Expr::Range(_) => "a range vector",
        Expr::Text(_) => "a string",
    };
    Error::BadData(format!("the query has {found} where {expected} is needed"))
}
