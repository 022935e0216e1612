//! What a template says, as a tree. Knows neither the text it came from nor how it is filled in.

use std::collections::BTreeMap;

use super::functions::Function;
use super::value::Value;

/// A whole template: its body, and the templates that it defines for itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) body: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
    /// Whether somewhere the store is asked.
    pub(super) asks: bool,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    /// Prints what it gives, unless it sets a variable.
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// Another template, filled in here.
    Template {
        name: String,
        argument: Option<Pipeline>,
    },
    Break,
    Continue,
}

/// A condition, or what is gone over, with what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each of which gets what the one before gave as its last argument.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// The variables that take the result.
    pub(super) variables: Vec<String>,
    /// Whether these are there already, and are given another value.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function with its arguments, or one value alone.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// Where it begins in the text, in bytes.
    pub(super) at: usize,
    pub(super) first: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Literal(Value),
    Function(Function),
    /// `.A.B` of the dot.
    Field(Vec<String>),
    /// `$x.A.B`
    Variable(String, Vec<String>),
    /// `(…).A.B`
    Inner(Box<Pipeline>, Vec<String>),
}
