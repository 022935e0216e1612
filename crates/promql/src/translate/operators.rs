//! Binary operators and aggregations.

use promql_parser::label::Labels as AstLabels;
use promql_parser::parser as ast;
use promql_parser::parser::token as tokens;
use promql_parser::parser::{LabelModifier, VectorMatchCardinality};

use super::{Translator, mismatch};
use crate::Error;
use crate::labelset::LabelFilter;
use crate::plan::{
    Aggregate, Aggregation, Arithmetic, Cardinality, Comparison, Expr, Join, Operator, RangeExpr, ScalarExpr,
    SetOperation, SetOperator, Side, VectorExpr, VectorScalar, WindowFunction,
};

/// What a binary operator's token stands for.
enum Kind {
    Arithmetic(Arithmetic),
    Comparison(Comparison),
    Set(SetOperator),
}

fn kind(token: ast::token::TokenType) -> Result<Kind, Error> {
    Ok(match token.id() {
        tokens::T_ADD => Kind::Arithmetic(Arithmetic::Add),
        tokens::T_SUB => Kind::Arithmetic(Arithmetic::Subtract),
        tokens::T_MUL => Kind::Arithmetic(Arithmetic::Multiply),
        tokens::T_DIV => Kind::Arithmetic(Arithmetic::Divide),
        tokens::T_MOD => Kind::Arithmetic(Arithmetic::Modulo),
        tokens::T_POW => Kind::Arithmetic(Arithmetic::Power),
        tokens::T_ATAN2 => Kind::Arithmetic(Arithmetic::Atan2),
        tokens::T_EQLC => Kind::Comparison(Comparison::Equal),
        tokens::T_NEQ => Kind::Comparison(Comparison::NotEqual),
        tokens::T_GTR => Kind::Comparison(Comparison::Greater),
        tokens::T_LSS => Kind::Comparison(Comparison::Less),
        tokens::T_GTE => Kind::Comparison(Comparison::GreaterOrEqual),
        tokens::T_LTE => Kind::Comparison(Comparison::LessOrEqual),
        tokens::T_LAND => Kind::Set(SetOperator::And),
        tokens::T_LOR => Kind::Set(SetOperator::Or),
        tokens::T_LUNLESS => Kind::Set(SetOperator::Unless),
        _ => return Err(Error::Unsupported(format!("the operator `{token}`"))),
    })
}

fn names(labels: AstLabels) -> Vec<String> {
    labels.labels
}

fn filter(modifier: Option<LabelModifier>, default: LabelFilter) -> LabelFilter {
    match modifier {
        None => default,
        Some(LabelModifier::Include(labels)) => LabelFilter::Only(names(labels)),
        Some(LabelModifier::Exclude(labels)) => LabelFilter::Without(names(labels)),
    }
}

impl Translator {
    pub(super) fn binary(&mut self, tree: ast::BinaryExpr) -> Result<Expr, Error> {
        let kind = kind(tree.op)?;
        let modifier = tree.modifier.unwrap_or_default();
        if modifier.fill_values != ast::VectorMatchFillValues::default() {
            return Err(Error::Unsupported("the modifier `fill`".to_owned()));
        }
        let (left, right) = (self.expr(*tree.lhs)?, self.expr(*tree.rhs)?);
        let operator = match kind {
            Kind::Set(operator) => {
                let matching = filter(modifier.matching, LabelFilter::Without(Vec::new()));
                return set_operation(operator, left, right, matching);
            }
            Kind::Arithmetic(arithmetic) => Operator::Arithmetic(arithmetic),
            Kind::Comparison(comparison) if modifier.return_bool => Operator::Test(comparison),
            Kind::Comparison(comparison) => Operator::Filter(comparison),
        };
        match (left, right) {
            (Expr::Scalar(left), Expr::Scalar(right)) => scalars(operator, left, right),
            (Expr::Vector(vector), Expr::Scalar(scalar)) => {
                Ok(vector_scalar(operator, vector, scalar, Side::Right))
            }
            (Expr::Scalar(scalar), Expr::Vector(vector)) => {
                Ok(vector_scalar(operator, vector, scalar, Side::Left))
            }
            (Expr::Vector(left), Expr::Vector(right)) => {
                let matching = filter(modifier.matching, LabelFilter::Without(Vec::new()));
                let cardinality = match modifier.card {
                    VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {
                        Cardinality::OneToOne
                    }
                    VectorMatchCardinality::ManyToOne(labels) => {
                        Cardinality::Many { side: Side::Left, include: names(labels) }
                    }
                    VectorMatchCardinality::OneToMany(labels) => {
                        Cardinality::Many { side: Side::Right, include: names(labels) }
                    }
                };
                let join = Join { operator, left, right, matching, cardinality };
                Ok(Expr::Vector(VectorExpr::Join(Box::new(join))))
            }
            (Expr::Scalar(_) | Expr::Vector(_), other) | (other, _) => {
                Err(mismatch("a scalar or an instant vector", &other))
            }
        }
    }

    pub(super) fn aggregate(&mut self, tree: ast::AggregateExpr) -> Result<Expr, Error> {
        let site = self.source.next_call(&tree.op.to_string());
        let operation = match (tree.op.id(), tree.param) {
            (tokens::T_SUM, None) => Aggregation::Sum,
            (tokens::T_AVG, None) => Aggregation::Average,
            (tokens::T_MIN, None) => Aggregation::Minimum,
            (tokens::T_MAX, None) => Aggregation::Maximum,
            (tokens::T_COUNT, None) => Aggregation::Count,
            (tokens::T_GROUP, None) => Aggregation::Group,
            (tokens::T_STDDEV, None) => Aggregation::StandardDeviation,
            (tokens::T_STDVAR, None) => Aggregation::Variance,
            (tokens::T_QUANTILE, Some(parameter)) => Aggregation::Quantile(self.scalar(*parameter)?),
            (tokens::T_TOPK, Some(parameter)) => Aggregation::Top(self.scalar(*parameter)?),
            (tokens::T_BOTTOMK, Some(parameter)) => Aggregation::Bottom(self.scalar(*parameter)?),
            (tokens::T_LIMITK, Some(parameter)) => Aggregation::LimitCount(self.scalar(*parameter)?),
            (tokens::T_LIMIT_RATIO, Some(parameter)) => Aggregation::LimitRatio(self.scalar(*parameter)?),
            (tokens::T_COUNT_VALUES, Some(parameter)) => {
                let label = self.text(*parameter)?;
                if label.is_empty() {
                    return Err(Error::BadData(
                        "count_values needs a label name that is not empty".to_owned(),
                    ));
                }
                Aggregation::CountValues(label)
            }
            _ => return Err(Error::Unsupported(format!("the aggregation `{}` in this form", tree.op))),
        };
        let aggregate = Aggregate {
            operation,
            grouping: filter(tree.modifier, LabelFilter::Only(Vec::new())),
            input: self.vector(*tree.expr)?,
            parameter_place: site.argument(0),
        };
        Ok(Expr::Vector(VectorExpr::Aggregate(Box::new(aggregate))))
    }
}

fn set_operation(
    operator: SetOperator,
    left: Expr,
    right: Expr,
    matching: LabelFilter,
) -> Result<Expr, Error> {
    match (left, right) {
        (Expr::Vector(left), Expr::Vector(right)) => {
            let operation = SetOperation { operator, left, right, matching };
            Ok(Expr::Vector(VectorExpr::Set(Box::new(operation))))
        }
        (Expr::Vector(_), other) | (other, _) => Err(mismatch("an instant vector", &other)),
    }
}

fn scalars(operator: Operator, left: ScalarExpr, right: ScalarExpr) -> Result<Expr, Error> {
    let (left, right) = (Box::new(left), Box::new(right));
    match operator {
        Operator::Arithmetic(arithmetic) => Ok(Expr::Scalar(ScalarExpr::Arithmetic(arithmetic, left, right))),
        Operator::Test(comparison) => Ok(Expr::Scalar(ScalarExpr::Compare(comparison, left, right))),
        Operator::Filter(_) => {
            Err(Error::BadData("comparisons between scalars must use the modifier `bool`".to_owned()))
        }
    }
}

fn vector_scalar(operator: Operator, mut vector: VectorExpr, scalar: ScalarExpr, scalar_side: Side) -> Expr {
    if let (Operator::Filter(comparison), Some(number)) = (operator, constant(&scalar)) {
        narrow(&mut vector, comparison, number, scalar_side);
    }
    Expr::Vector(VectorExpr::VectorScalar(Box::new(VectorScalar { operator, vector, scalar, scalar_side })))
}

fn constant(scalar: &ScalarExpr) -> Option<f64> {
    match scalar {
        ScalarExpr::Number(number) => Some(*number),
        ScalarExpr::Negate(scalar) => constant(scalar).map(|number| -number),
        _ => None,
    }
}

/// Tells the selector under a filter which values can come through, so that others need not be read.
fn narrow(vector: &mut VectorExpr, comparison: Comparison, number: f64, number_side: Side) {
    let (above, below) = (number..=f64::INFINITY, f64::NEG_INFINITY..=number);
    let is_left = number_side == Side::Left;
    let values = match comparison {
        Comparison::Equal => number..=number,
        Comparison::NotEqual => return,
        Comparison::Greater | Comparison::GreaterOrEqual => {
            if is_left {
                below
            } else {
                above
            }
        }
        Comparison::Less | Comparison::LessOrEqual => {
            if is_left {
                above
            } else {
                below
            }
        }
    };
    match vector {
        VectorExpr::Selector(selector) => selector.values = Some(values),
        // A greatest value that comes through is one of those that can.
        VectorExpr::OverTime(over_time) => {
            let can_tell = match over_time.function {
                WindowFunction::Maximum => *values.end() == f64::INFINITY,
                WindowFunction::Minimum => *values.start() == f64::NEG_INFINITY,
                _ => false,
            };
            if let (RangeExpr::Selector { selector, .. }, true) = (&mut over_time.range, can_tell) {
                selector.values = Some(values);
            }
        }
        _ => {}
    }
}
