//! What a statement must be before it is planned, and its plan before it is run.
//!
//! Plans are trees that DataFusion walks by recursion, again and again, and names of common tables are replaced by
//! what they stand for. So there are bounds on how long a statement is, how much it nests, and how large it becomes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, ObjectName, Query, Visit, Visitor, visit_relations};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use store::{Position, StatementError};

use super::place::{self, Tokens};

/// The most bytes of a statement.
const MAX_BYTES: usize = 16 << 10;
/// The most operators, parentheses and words that nest, together.
const MAX_NESTING: usize = 1_000;
/// The most tables that a statement may read, each as often as it is read.
const MAX_RELATIONS: usize = 64;
/// The most columns of a part of a plan.
const MAX_COLUMNS: usize = 512;
/// The most centroids of an approximate percentile: memory is taken for all of them at once.
const MAX_CENTROIDS: u64 = 10_000;

/// The parts of a statement with their places.
pub(super) fn tokens(statement: &str) -> Result<Vec<TokenWithSpan>, StatementError> {
    if statement.len() > MAX_BYTES {
        return Err(StatementError::new(format!(
            "the statement has more than {} KiB: put less into it",
            MAX_BYTES >> 10
        )));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, statement).tokenize_with_location();
    let tokens = tokens.map_err(|error| StatementError {
        position: Some(place::position(error.location)),
        ..StatementError::new(format!("the statement cannot be read: {}", error.message))
    })?;
    check_single(&tokens)?;
    if tokens.iter().filter(|token| nests(&token.token)).count() > MAX_NESTING {
        return Err(StatementError::new(format!(
            "the statement has more than {MAX_NESTING} operators and parentheses: split it, or compare with a list (IN)"
        )));
    }
    Ok(tokens)
}

fn check_single(tokens: &[TokenWithSpan]) -> Result<(), StatementError> {
    let is_empty = |token: &Token| matches!(token, Token::Whitespace(_) | Token::SemiColon | Token::EOF);
    let mut said = tokens.iter().skip_while(|token| is_empty(&token.token));
    if said.next().is_none() {
        return Err(StatementError::new("there is no statement"));
    }
    let behind =
        said.skip_while(|token| token.token != Token::SemiColon).find(|token| !is_empty(&token.token));
    match behind.map(|token| token.span.start) {
        Some(start) => Err(StatementError {
            position: Some(place::position(start)),
            ..StatementError::new("there are several statements: give one at a time")
        }),
        None => Ok(()),
    }
}

/// Whether a tree can become deeper by it.
fn nests(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::CASE
                | Keyword::WHEN
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::IS
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::BETWEEN
                | Keyword::DIV
                | Keyword::AT
                | Keyword::SELECT
                | Keyword::INTERVAL
        ),
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Comma
        | Token::RParen
        | Token::RBracket
        | Token::Period
        | Token::EOF
        | Token::SemiColon => false,
        _ => true,
    }
}

/// What is said of everything that does not only read.
pub(super) fn only_reads() -> StatementError {
    StatementError {
        position: Some(Position { line: 1, column: 1 }),
        ..StatementError::new(
            "only statements that read are answered: SELECT, WITH, VALUES, EXPLAIN, SHOW and DESCRIBE",
        )
    }
}

/// Lets through what reads, and does not become too large.
pub(super) fn check(statement: &Statement) -> Result<(), StatementError> {
    match statement {
        Statement::Explain(explained) => check(&explained.statement),
        Statement::Statement(statement) => {
            if !reads(statement) {
                return Err(only_reads());
            }
            check_size(statement)
        }
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => Err(only_reads()),
    }
}

fn reads(statement: &ast::Statement) -> bool {
    use ast::Statement as S;
    match statement {
        S::Explain { statement, .. } => reads(statement),
        statement => matches!(
            statement,
            S::Query(_)
                | S::ExplainTable { .. }
                | S::ShowTables { .. }
                | S::ShowColumns { .. }
                | S::ShowFunctions { .. }
                | S::ShowVariable { .. }
        ),
    }
}

/// The relations of a statement, and of each of its common tables.
#[derive(Default)]
struct Relations {
    all: Vec<String>,
    /// Whether there are pipes: their steps have nothing between them that tells their columns apart (`named`).
    has_pipes: bool,
    common: HashMap<String, Vec<Vec<String>>>,
}

fn name_of(relation: &ObjectName) -> String {
    relation.to_string().to_lowercase()
}

impl Visitor for Relations {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.has_pipes |= !query.pipe_operators.is_empty();
        for common in query.with.iter().flat_map(|with| &with.cte_tables) {
            let mut relations = Vec::new();
            _ = visit_relations(&common.query, |relation| {
                relations.push(name_of(relation));
                ControlFlow::<()>::Continue(())
            });
            self.common.entry(common.alias.name.value.to_lowercase()).or_default().push(relations);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.all.push(name_of(relation));
        ControlFlow::Continue(())
    }
}

impl Relations {
    /// How many tables a name stands for, once all names are replaced by what they stand for.
    fn weight(&self, name: &str, known: &mut HashMap<String, usize>) -> usize {
        if let Some(weight) = known.get(name) {
            return *weight;
        }
        let Some(definitions) = self.common.get(name) else { return 1 };
        // A common table that has the name of a table that it reads.
        known.insert(name.to_owned(), 1);
        let of = |relations: &Vec<String>, known: &mut HashMap<String, usize>| {
            relations.iter().map(|relation| self.weight(relation, known)).fold(0, usize::saturating_add)
        };
        let weight = definitions.iter().map(|relations| of(relations, known)).max().unwrap_or(0).max(1);
        known.insert(name.to_owned(), weight);
        weight
    }
}

fn check_size(statement: &ast::Statement) -> Result<(), StatementError> {
    let mut relations = Relations::default();
    _ = statement.visit(&mut relations);
    if relations.has_pipes {
        return Err(StatementError::new("`|>` is not taken: write a statement in parentheses and ask that"));
    }
    let mut known = HashMap::new();
    let all = relations.all.iter().map(|relation| relations.weight(relation, &mut known));
    let all = all.fold(0, usize::saturating_add);
    if all > MAX_RELATIONS {
        return Err(StatementError::new(format!(
            "the statement reads more than {MAX_RELATIONS} tables, with what its common tables stand for: split it"
        )));
    }
    Ok(())
}

/// Lets through plans whose patterns are constant, whose parts do not have too many columns, and whose aggregates take
/// no memory that a number says.
pub(super) fn check_plan(plan: &LogicalPlan, tokens: &Tokens) -> Result<(), StatementError> {
    let mut fault = None;
    let walked = plan.apply_with_subqueries(|part| {
        if part.schema().fields().len() > MAX_COLUMNS {
            fault = Some(StatementError::new(format!(
                "a part of the statement has more than {MAX_COLUMNS} columns: name fewer"
            )));
            return Ok(TreeNodeRecursion::Stop);
        }
        part.apply_expressions(|expr| {
            expr.apply(|expr| {
                fault = refused(expr, tokens);
                Ok(if fault.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    });
    match (fault, walked) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(StatementError::new(error.strip_backtrace())),
        (None, Ok(_)) => Ok(()),
    }
}

/// What is wrong with an expression, not with what it is made of.
fn refused(expr: &Expr, tokens: &Tokens) -> Option<StatementError> {
    if has_varying_pattern(expr) {
        return Some(StatementError {
            position: tokens.matching(),
            ..StatementError::new(format!("patterns must be constant, and that of `{expr}` is not"))
        });
    }
    has_many_centroids(expr).then(|| StatementError {
        position: tokens.only_call("approx_percentile_cont"),
        ..StatementError::new(format!(
            "the number of centroids must be a constant from 1 to {MAX_CENTROIDS}, and that of `{expr}` is not"
        ))
    })
}

/// Whether an approximate percentile would have more centroids than it may, or nobody knows how many.
fn has_many_centroids(expr: &Expr) -> bool {
    let (name, args) = match expr {
        Expr::AggregateFunction(call) => (call.func.name(), &call.params.args),
        Expr::WindowFunction(call) => (call.fun.name(), &call.params.args),
        _ => return false,
    };
    let centroids = if name == "approx_percentile_cont" { args.get(2) } else { None };
    let is_fine = |centroids: &Expr| match centroids {
        Expr::Literal(number, _) => {
            matches!(number.cast_to(&DataType::UInt64), Ok(ScalarValue::UInt64(Some(1..=MAX_CENTROIDS))))
        }
        _ => false,
    };
    centroids.is_some_and(|centroids| !is_fine(centroids))
}

/// Whether there is a pattern that is another in each row: compiling them can take hours.
fn has_varying_pattern(expr: &Expr) -> bool {
    let pattern = match expr {
        Expr::Like(like) | Expr::SimilarTo(like) => &like.pattern,
        Expr::BinaryExpr(BinaryExpr {
            op:
                Operator::RegexMatch
                | Operator::RegexIMatch
                | Operator::RegexNotMatch
                | Operator::RegexNotIMatch
                | Operator::LikeMatch
                | Operator::ILikeMatch
                | Operator::NotLikeMatch
                | Operator::NotILikeMatch,
            right,
            ..
        }) => right,
        _ => return false,
    };
    !matches!(&**pattern, Expr::Literal(..))
}
