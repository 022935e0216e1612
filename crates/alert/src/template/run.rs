//! Filling a template in: the tree is gone over once, within bounds of output, steps, depth and queries.

use std::sync::Arc;

use model::Histogram;

use super::functions::{self, Function};
use super::tree::{Branch, Command, Node, Operand, Pipeline, Tree};
use super::value::{SampleValue, Value};
use super::{Data, MAX_RENDERED_BYTES, TemplateError};

/// Nodes and calls that one template may go through.
const MAX_STEPS: usize = 100_000;
/// How deep templates may call templates.
const MAX_DEPTH: usize = 32;
/// Queries that one template may ask.
const MAX_QUERIES: usize = 32;
/// Results that one query may give.
const MAX_RESULTS: usize = 10_000;
/// Bytes of all texts that functions make.
const MAX_MADE_BYTES: usize = 1 << 20;

/// Fills a template in. What is longer than it may be is cut.
pub(super) fn run(text: &str, tree: &Tree, data: &Data<'_>) -> Result<String, TemplateError> {
    let mut run = Run {
        text,
        tree,
        data,
        out: String::new(),
        steps: 0,
        depth: 0,
        queries: 0,
        made_bytes: 0,
        variables: vec![
            ("$".to_owned(), Value::Root),
            ("$labels".to_owned(), Value::Labels(Arc::clone(&data.labels))),
            ("$externalLabels".to_owned(), Value::Labels(Arc::clone(&data.external.labels))),
            ("$externalURL".to_owned(), Value::text(data.external.url.as_str())),
            ("$value".to_owned(), value_of(data)),
        ],
    };
    run.nodes(&tree.body, &Value::Root)?;
    let Run { mut out, .. } = run;
    out.truncate(out.floor_char_boundary(MAX_RENDERED_BYTES));
    Ok(out)
}

/// What `$value` is.
fn value_of(data: &Data<'_>) -> Value {
    match &data.histogram {
        Some(histogram) => Value::Histogram(Arc::clone(histogram)),
        None => Value::Float(data.value),
    }
}

/// What can be asked of a histogram: its numbers.
fn histogram_field(histogram: &Histogram, name: &str) -> Option<Value> {
    match name {
        "Count" => Some(Value::Float(histogram.count)),
        "Sum" => Some(Value::Float(histogram.sum)),
        "ZeroCount" => Some(Value::Float(histogram.zero_count)),
        "ZeroThreshold" => Some(Value::Float(histogram.zero_threshold)),
        "Schema" => Some(Value::Int(i64::from(histogram.schema))),
        _ => None,
    }
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
    /// No more output fits.
    Full,
}

struct Run<'a> {
    text: &'a str,
    tree: &'a Tree,
    data: &'a Data<'a>,
    out: String,
    steps: usize,
    depth: usize,
    queries: usize,
    made_bytes: usize,
    variables: Vec<(String, Value)>,
}

impl Run<'_> {
    fn fault(&self, at: usize, reason: impl Into<String>) -> TemplateError {
        TemplateError::at(self.text, at, reason)
    }

    fn step(&mut self) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TemplateError::new(format!("it takes more than {MAX_STEPS} steps; go over less")));
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        for node in nodes {
            self.step()?;
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
            if self.out.len() > MAX_RENDERED_BYTES {
                return Ok(Flow::Full);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let printed = self.printed(&value);
                    self.out.push_str(&printed);
                } else {
                    self.set(pipeline, &[value]);
                }
            }
            Node::If(branch) => return self.condition(branch, dot, false),
            Node::With(branch) => return self.condition(branch, dot, true),
            Node::Range(branch) => {
                let known = self.variables.len();
                let flow = self.range(branch, dot);
                self.variables.truncate(known);
                return flow;
            }
            Node::Template { name, argument } => {
                let argument = match argument {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Value::Absent,
                };
                return self.template(name, &argument);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn condition(&mut self, branch: &Branch, dot: &Value, moves_dot: bool) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let holds = value.is_true();
        self.set(&branch.pipeline, std::slice::from_ref(&value));
        let flow = match (holds, moves_dot) {
            (true, true) => self.nodes(&branch.body, &value),
            (true, false) => self.nodes(&branch.body, dot),
            (false, _) => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, TemplateError> {
        let over = self.pipeline(&branch.pipeline, dot)?;
        let items: Vec<(Value, Value)> = match &over {
            Value::List(list) => (0..).map(Value::Int).zip(list.iter().cloned()).collect(),
            Value::Map(map) => {
                map.iter().map(|(key, value)| (Value::text(key.as_str()), value.clone())).collect()
            }
            Value::Labels(labels) => {
                let pair = |(key, value): (&String, &String)| {
                    (Value::text(key.as_str()), Value::text(value.as_str()))
                };
                labels.iter().map(pair).collect()
            }
            Value::Int(count) => {
                let most = i64::try_from(MAX_STEPS).unwrap_or(i64::MAX);
                (0..(*count).min(most)).map(|number| (Value::Int(number), Value::Int(number))).collect()
            }
            Value::Absent => Vec::new(),
            other => {
                let at = branch.pipeline.commands.first().map_or(0, |command| command.at);
                return Err(self.fault(at, format!("range can't iterate over {}", other.printed())));
            }
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        let known = self.variables.len();
        for (key, item) in items {
            self.step()?;
            match branch.pipeline.variables.len() {
                0 => {}
                1 => self.set(&branch.pipeline, std::slice::from_ref(&item)),
                _ => self.set(&branch.pipeline, &[key, item.clone()]),
            }
            let flow = self.nodes(&branch.body, &item)?;
            self.variables.truncate(known);
            match flow {
                Flow::On | Flow::Continue => {}
                Flow::Break => break,
                Flow::Full => return Ok(Flow::Full),
            }
        }
        Ok(Flow::On)
    }

    fn template(&mut self, name: &str, argument: &Value) -> Result<Flow, TemplateError> {
        let tree = self.tree;
        let Some(body) = tree.defined.get(name) else {
            return Err(TemplateError::new(format!("template {name:?} not defined")));
        };
        if self.depth == MAX_DEPTH {
            return Err(TemplateError::new(format!("templates call each other more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), argument.clone())]);
        let flow = self.nodes(body, argument);
        self.variables = outer;
        self.depth -= 1;
        flow.map(|flow| if flow == Flow::Full { flow } else { Flow::On })
    }

    /// Gives the variables of a pipeline their values.
    fn set(&mut self, pipeline: &Pipeline, values: &[Value]) {
        for (name, value) in pipeline.variables.iter().zip(values) {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known {
                Some((_, slot)) if pipeline.assigns => *slot = value.clone(),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, dot, piped)?);
        }
        Ok(piped.unwrap_or(Value::Absent))
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        self.step()?;
        match command.first {
            Operand::Function(function) => self.call(function, &command.arguments, dot, piped, command.at),
            Operand::Nil => Err(self.fault(command.at, "nil is not a command")),
            _ if piped.is_some() || !command.arguments.is_empty() => self.method(command, dot, piped),
            _ => self.operand(&command.first, dot, command.at),
        }
    }

    /// Calls the last field of a value.
    fn method(
        &mut self,
        command: &Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let (value, path) = self.base(&command.first, dot, command.at)?;
        let Some((name, path)) = path.split_last() else {
            return Err(self.fault(command.at, "can't give argument to non-function"));
        };
        let value = self.fields(value, path, command.at)?;
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for operand in &command.arguments {
            arguments.push(self.operand(operand, dot, command.at)?);
        }
        arguments.extend(piped);
        functions::call_method(&value, name, &arguments).map_err(|reason| self.fault(command.at, reason))
    }

    fn call(
        &mut self,
        function: Function,
        operands: &[Operand],
        dot: &Value,
        piped: Option<Value>,
        at: usize,
    ) -> Result<Value, TemplateError> {
        if let Function::And | Function::Or = function {
            // What is decided already is not looked at further.
            let decides = |value: &Value| value.is_true() == (function == Function::Or);
            let mut last = None;
            for operand in operands {
                let value = self.operand(operand, dot, at)?;
                if decides(&value) {
                    return Ok(value);
                }
                last = Some(value);
            }
            let missing = || {
                self.fault(at, format!("wrong number of args for {}: want at least 1 got 0", function.name()))
            };
            return piped.or(last).ok_or_else(missing);
        }
        let mut arguments = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            arguments.push(self.operand(operand, dot, at)?);
        }
        arguments.extend(piped);
        let called = match function {
            Function::Query => self.query(&arguments),
            _ => functions::call(function, &arguments, self.data),
        };
        let value = called.map_err(|reason| self.fault(at, reason))?;
        if let Value::Text(text) = &value {
            self.made_bytes += text.len();
            if self.made_bytes > MAX_MADE_BYTES {
                return Err(
                    self.fault(at, format!("its texts together are longer than {MAX_MADE_BYTES} bytes"))
                );
            }
        }
        Ok(value)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value, at: usize) -> Result<Value, TemplateError> {
        let (value, path) = self.base(operand, dot, at)?;
        self.fields(value, path, at)
    }

    /// The value that an operand begins with, and the fields of it that are asked for.
    fn base<'o>(
        &mut self,
        operand: &'o Operand,
        dot: &Value,
        at: usize,
    ) -> Result<(Value, &'o [String]), TemplateError> {
        match operand {
            Operand::Dot => Ok((dot.clone(), &[])),
            Operand::Nil => Ok((Value::Absent, &[])),
            Operand::Literal(value) => Ok((value.clone(), &[])),
            Operand::Function(function) => Ok((self.call(*function, &[], dot, None, at)?, &[])),
            Operand::Field(path) => Ok((dot.clone(), path)),
            Operand::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map(|(_, value)| value.clone());
                Ok((value.ok_or_else(|| self.fault(at, format!("undefined variable {name:?}")))?, path))
            }
            Operand::Inner(pipeline, path) => Ok((self.pipeline(pipeline, dot)?, path)),
        }
    }

    fn fields(&self, value: Value, path: &[String], at: usize) -> Result<Value, TemplateError> {
        let mut value = value;
        for name in path {
            value = self.field(&value, name).ok_or_else(|| {
                self.fault(at, format!("can't evaluate field {name} in type {}", value.kind()))
            })?;
        }
        Ok(value)
    }

    fn field(&self, value: &Value, name: &str) -> Option<Value> {
        match value {
            Value::Root => match name {
                "Labels" => Some(Value::Labels(Arc::clone(&self.data.labels))),
                "ExternalLabels" => Some(Value::Labels(Arc::clone(&self.data.external.labels))),
                "ExternalURL" => Some(Value::text(self.data.external.url.as_str())),
                "Value" => Some(value_of(self.data)),
                _ => None,
            },
            Value::Histogram(histogram) => histogram_field(histogram, name),
            Value::Sample(sample) => match name {
                "Labels" => Some(Value::Labels(Arc::clone(&sample.labels))),
                "Value" => Some(Value::Float(sample.value)),
                _ => None,
            },
            Value::Labels(labels) => Some(Value::text(labels.get(name).map_or("", String::as_str))),
            Value::Map(map) => Some(map.get(name).cloned().unwrap_or(Value::Absent)),
            Value::Time(time) => functions::time_field(*time, name),
            Value::Absent
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Duration(_) => None,
        }
    }

    fn query(&mut self, arguments: &[Value]) -> Result<Value, String> {
        let [Value::Text(expression)] = arguments else {
            return Err("query takes one expression, in quotes".to_owned());
        };
        self.queries += 1;
        if self.queries > MAX_QUERIES {
            return Err(format!("error calling query: a template may ask {MAX_QUERIES} queries"));
        }
        let failed = |reason: String| format!("error calling query: {reason}");
        let found = self.data.querier.query(expression).map_err(failed)?;
        if found.len() > MAX_RESULTS {
            return Err(failed(format!("{} results, and a template may have {MAX_RESULTS}", found.len())));
        }
        let sample = |finding: crate::evaluate::Finding| {
            let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let labels = Arc::new(finding.labels.iter().map(text).collect());
            Value::Sample(Arc::new(SampleValue { labels, value: finding.value }))
        };
        Ok(Value::List(Arc::new(found.into_iter().map(sample).collect())))
    }

    fn printed(&self, value: &Value) -> String {
        match value {
            Value::Root => {
                let labels = [&self.data.labels, &self.data.external.labels];
                let [labels, external] = labels.map(|labels| Value::Labels(Arc::clone(labels)).printed());
                let value = value_of(self.data).printed();
                format!("{{{labels} {external} {} {value}}}", self.data.external.url)
            }
            _ => value.printed(),
        }
    }
}
