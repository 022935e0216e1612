//! Queries as people like to read them: one line, or one part a line where a line would be too long.
//!
//! The layout is that of Prometheus' `format_query`: what fits in a hundred characters stays on its line.
//! Comments are not kept.

pub(crate) mod line;

use line::Line as _;
pub(crate) use line::is_scalar;

use crate::Error;
use crate::syntax::{self, Node, Tree};
use crate::translate::translate;

/// Bytes that a line may have.
const MAX_LINE: usize = 100;
const INDENT: &str = "  ";

/// Writes a query anew. A text that is no query is an error.
pub fn format(text: &str) -> Result<String, Error> {
    let tree = syntax::parse(text)?;
    translate(text, tree.clone(), None)?;
    let mut into = String::with_capacity(text.len());
    write(&tree, 0, &mut into);
    Ok(into)
}

/// Writes a query on one line, as Prometheus shows those of rules. A text that is no query is an error.
pub fn format_line(text: &str) -> Result<String, Error> {
    Ok(syntax::parse(text)?.line())
}

/// A number as it stands in a query.
pub(crate) fn number(value: f64) -> String {
    crate::value::format_plain(value)
}

fn indent(level: usize, into: &mut String) {
    (0..level).for_each(|_| into.push_str(INDENT));
}

/// Writes an expression at a level, and the indentation before it.
fn write(tree: &Tree, level: usize, into: &mut String) {
    let line = tree.line();
    // As in Prometheus, a subquery that fits stands where the line begins.
    let at = if matches!(tree.node, Node::Subquery(_)) { 0 } else { level };
    if line.len() <= MAX_LINE {
        indent(at, into);
        into.push_str(&line);
        return;
    }
    match &tree.node {
        Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::NotUtf8(_) | Node::Selector(_) => {
            indent(level, into);
            into.push_str(&line);
        }
        Node::Subquery(subquery) => {
            write(&subquery.input, level, into);
            into.push_str(&line::suffix(subquery));
        }
        Node::Paren(inner) => in_parentheses("", [&**inner], level, into),
        Node::Sign { negative, input } => {
            indent(level, into);
            into.push(if *negative { '-' } else { '+' });
            let mut operand = String::new();
            write(input, level, &mut operand);
            into.push_str(operand.trim_start());
        }
        Node::Binary(binary) => {
            write(&binary.left, level + 1, into);
            into.push('\n');
            indent(level, into);
            into.push_str(&line::operator(binary));
            into.push('\n');
            write(&binary.right, level + 1, into);
        }
        Node::Aggregate(aggregate) => {
            in_parentheses(&line::aggregator(aggregate), &aggregate.arguments, level, into);
        }
        Node::Call(call) => in_parentheses(&call.name, &call.arguments, level, into),
    }
}

/// `name(…)` with a line for each argument.
fn in_parentheses<'t>(
    name: &str,
    arguments: impl IntoIterator<Item = &'t Tree>,
    level: usize,
    into: &mut String,
) {
    indent(level, into);
    into.push_str(name);
    into.push('(');
    for (number, argument) in arguments.into_iter().enumerate() {
        into.push_str(if number == 0 { "\n" } else { ",\n" });
        write(argument, level + 1, into);
    }
    into.push('\n');
    indent(level, into);
    into.push(')');
}

#[cfg(test)]
mod tests;
