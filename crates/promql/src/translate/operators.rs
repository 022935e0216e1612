//! Binary operators and aggregations.

use model::histogram::Keep;

use super::{Translator, folded};
use crate::Error;
use crate::labelset::LabelFilter;
use crate::notes::Place;
use crate::plan::{
    Aggregate, Aggregation, Arithmetic, Cardinality, Comparison, Expr, Fill, Join, Operator, RangeExpr,
    ScalarExpr, SetOperation, SetOperator, Side, VectorExpr, VectorScalar, WindowFunction,
};
use crate::syntax::{self, Aggregator, Binary, BinaryOperator, Grouping, MatchLabels, Matching};

/// What a binary operator stands for.
enum Kind {
    Arithmetic(Arithmetic),
    Comparison(Comparison),
    Set(SetOperator),
    Trim(Keep),
}

fn kind(operator: BinaryOperator) -> Kind {
    use BinaryOperator as B;
    match operator {
        B::Add => Kind::Arithmetic(Arithmetic::Add),
        B::Subtract => Kind::Arithmetic(Arithmetic::Subtract),
        B::Multiply => Kind::Arithmetic(Arithmetic::Multiply),
        B::Divide => Kind::Arithmetic(Arithmetic::Divide),
        B::Modulo => Kind::Arithmetic(Arithmetic::Modulo),
        B::Power => Kind::Arithmetic(Arithmetic::Power),
        B::Atan2 => Kind::Arithmetic(Arithmetic::Atan2),
        B::Equal => Kind::Comparison(Comparison::Equal),
        B::NotEqual => Kind::Comparison(Comparison::NotEqual),
        B::Greater => Kind::Comparison(Comparison::Greater),
        B::Less => Kind::Comparison(Comparison::Less),
        B::GreaterOrEqual => Kind::Comparison(Comparison::GreaterOrEqual),
        B::LessOrEqual => Kind::Comparison(Comparison::LessOrEqual),
        B::And => Kind::Set(SetOperator::And),
        B::Or => Kind::Set(SetOperator::Or),
        B::Unless => Kind::Set(SetOperator::Unless),
        B::TrimUpper => Kind::Trim(Keep::Below),
        B::TrimLower => Kind::Trim(Keep::Above),
    }
}

/// The labels by which two vectors are matched.
fn matching(labels: Option<MatchLabels>) -> LabelFilter {
    match labels {
        None => LabelFilter::Without(Vec::new()),
        Some(MatchLabels::On(names)) => LabelFilter::Only(names),
        Some(MatchLabels::Ignoring(names)) => LabelFilter::Without(names),
    }
}

impl Translator<'_> {
    pub(super) fn binary(&mut self, start: usize, tree: Binary) -> Result<Expr, Error> {
        self.check_matching(start, tree.operator, &tree.matching)?;
        if tree.matching.fill != syntax::Fill::default() {
            self.note_experimental(start, "binop fill modifiers are experimental and not enabled");
        }
        let kind = kind(tree.operator);
        let (left, right) = (self.expr(tree.left)?, self.expr(tree.right)?);
        if [&left, &right].into_iter().any(|side| matches!(side, Expr::Range(_) | Expr::Text(_))) {
            let message = "binary expression must contain only scalar and instant vector types";
            return Err(self.error(start, message));
        }
        let are_vectors = matches!((&left, &right), (Expr::Vector(_), Expr::Vector(_)));
        let has_labels = match &tree.matching.labels {
            None => false,
            Some(MatchLabels::On(names) | MatchLabels::Ignoring(names)) => !names.is_empty(),
        };
        if has_labels && !are_vectors {
            return Err(self.error(start, "vector matching only allowed between instant vectors"));
        }
        if tree.matching.fill != syntax::Fill::default() && !are_vectors {
            return Err(self.error(start, "filling in missing series only allowed between instant vectors"));
        }
        let operator = match kind {
            Kind::Set(operator) => {
                let (Expr::Vector(left), Expr::Vector(right)) = (left, right) else {
                    let operator = tree.operator.text();
                    let message =
                        format!("set operator {operator:?} not allowed in binary scalar expression");
                    return Err(self.error(start, &message));
                };
                let matching = matching(tree.matching.labels);
                let operation = SetOperation { operator, left, right, matching };
                return Ok(Expr::Vector(VectorExpr::Set(Box::new(operation))));
            }
            Kind::Arithmetic(arithmetic) => Operator::Arithmetic(arithmetic),
            Kind::Trim(keep) => Operator::Trim(keep),
            Kind::Comparison(comparison) if tree.matching.returns_bool => Operator::Test(comparison),
            Kind::Comparison(comparison) => Operator::Filter(comparison),
        };
        match (left, right) {
            (Expr::Scalar(left), Expr::Scalar(right)) => self.scalars(tree.place, operator, left, right),
            (Expr::Vector(vector), Expr::Scalar(scalar)) => {
                Ok(vector_scalar(operator, vector, scalar, Side::Right, self.place(start)))
            }
            (Expr::Scalar(scalar), Expr::Vector(vector)) => {
                Ok(vector_scalar(operator, vector, scalar, Side::Left, self.place(start)))
            }
            (Expr::Vector(left), Expr::Vector(right)) => {
                let matching = matching(tree.matching.labels);
                let cardinality = match tree.matching.group {
                    None => Cardinality::OneToOne,
                    Some(group) => {
                        let side = if group.is_left { Side::Left } else { Side::Right };
                        Cardinality::Many { side, include: group.include }
                    }
                };
                let fill = Fill { left: tree.matching.fill.left, right: tree.matching.fill.right };
                let place = self.place(start);
                let join = Join { operator, left, right, matching, cardinality, fill, place };
                Ok(Expr::Vector(VectorExpr::Join(Box::new(join))))
            }
            (other, _) => Err(self.mismatch(start, "instant vector", "binary expression", &other)),
        }
    }

    fn check_matching(
        &self,
        start: usize,
        operator: BinaryOperator,
        matching: &Matching,
    ) -> Result<(), Error> {
        if matching.returns_bool && !operator.is_comparison() {
            return Err(self.error(start, "bool modifier can only be used on comparison operators"));
        }
        if operator.is_set() && matching.group.is_some() {
            return Err(
                self.error(start, &format!("no grouping allowed for {:?} operation", operator.text()))
            );
        }
        if operator.is_set() && matching.fill != syntax::Fill::default() {
            return Err(self.error(start, "filling in missing series not allowed for set operators"));
        }
        if let (Some(MatchLabels::On(names)), Some(group)) = (&matching.labels, &matching.group)
            && let Some(both) = group.include.iter().find(|name| names.contains(name))
        {
            let message = format!("label {both:?} must not occur in ON and GROUP clause at once");
            return Err(self.error(start, &message));
        }
        Ok(())
    }

    fn scalars(
        &self,
        place: usize,
        operator: Operator,
        left: ScalarExpr,
        right: ScalarExpr,
    ) -> Result<Expr, Error> {
        let (left, right) = (Box::new(left), Box::new(right));
        match operator {
            Operator::Arithmetic(arithmetic) => {
                Ok(Expr::Scalar(folded(ScalarExpr::Arithmetic(arithmetic, left, right))))
            }
            Operator::Test(comparison) => {
                Ok(Expr::Scalar(folded(ScalarExpr::Compare(comparison, left, right))))
            }
            Operator::Filter(_) => {
                Err(self.error(place, "comparisons between scalars must use BOOL modifier"))
            }
            Operator::Trim(_) => {
                let message = format!("operator {:?} not allowed for Scalar operations", operator.text());
                Err(self.error(place, &message))
            }
        }
    }

    pub(super) fn aggregate(&mut self, start: usize, tree: syntax::Aggregate) -> Result<Expr, Error> {
        if matches!(tree.aggregator, Aggregator::LimitCount | Aggregator::LimitRatio) {
            let message = format!("{}() is experimental and not enabled", tree.aggregator.name());
            self.note_experimental(start, &message);
        }
        let (wanted, given) = (1 + usize::from(tree.aggregator.has_parameter()), tree.arguments.len());
        if given == 0 {
            return Err(self.error(start, "no arguments for aggregate expression provided"));
        }
        if given != wanted {
            let message = format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {given}"
            );
            return Err(self.error(start, &message));
        }
        let mut arguments = tree.arguments;
        let input = arguments
            .pop()
            .ok_or_else(|| self.error(start, "no arguments for aggregate expression provided"))?;
        let input_place = self.place(input.start);
        let parameter_place = self.place(arguments.first().unwrap_or(&input).start);
        let operation = self.aggregation(tree.aggregator, arguments.pop())?;
        let grouping = match tree.grouping {
            None => LabelFilter::Only(Vec::new()),
            Some(Grouping::By(names)) => LabelFilter::Only(names),
            Some(Grouping::Without(names)) => LabelFilter::Without(names),
        };
        let input = self.vector(input, "aggregation expression")?;
        let aggregate = Aggregate { operation, grouping, input, parameter_place, input_place };
        Ok(Expr::Vector(VectorExpr::Aggregate(Box::new(aggregate))))
    }

    fn aggregation(
        &mut self,
        aggregator: Aggregator,
        parameter: Option<syntax::Tree>,
    ) -> Result<Aggregation, Error> {
        const CONTEXT: &str = "aggregation parameter";
        let Some(parameter) = parameter else {
            return Ok(match aggregator {
                Aggregator::Average => Aggregation::Average,
                Aggregator::Count => Aggregation::Count,
                Aggregator::Minimum => Aggregation::Minimum,
                Aggregator::Maximum => Aggregation::Maximum,
                Aggregator::Group => Aggregation::Group,
                Aggregator::StandardDeviation => Aggregation::StandardDeviation,
                Aggregator::Variance => Aggregation::Variance,
                _ => Aggregation::Sum,
            });
        };
        if aggregator == Aggregator::CountValues {
            let invalid = |name: &str| Err(Error::Execution(format!("invalid label name {name}")));
            if let syntax::Node::NotUtf8(literal) = &parameter.node {
                return invalid(literal);
            }
            let label = self.text(parameter, CONTEXT)?;
            return if label.is_empty() { invalid("\"\"") } else { Ok(Aggregation::CountValues(label)) };
        }
        let parameter = self.scalar(parameter, CONTEXT)?;
        Ok(match aggregator {
            Aggregator::Quantile => Aggregation::Quantile(parameter),
            Aggregator::Bottom => Aggregation::Bottom(parameter),
            Aggregator::LimitCount => Aggregation::LimitCount(parameter),
            Aggregator::LimitRatio => Aggregation::LimitRatio(parameter),
            _ => Aggregation::Top(parameter),
        })
    }
}

fn vector_scalar(
    operator: Operator,
    mut vector: VectorExpr,
    scalar: ScalarExpr,
    scalar_side: Side,
    place: Place,
) -> Expr {
    if let (Operator::Filter(comparison), Some(number)) = (operator, constant(&scalar)) {
        narrow(&mut vector, comparison, number, scalar_side);
    }
    let operation = VectorScalar { operator, vector, scalar, scalar_side, place };
    Expr::Vector(VectorExpr::VectorScalar(Box::new(operation)))
}

fn constant(scalar: &ScalarExpr) -> Option<f64> {
    match scalar {
        ScalarExpr::Number(number) => Some(*number),
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
        // What lies on a line between two samples is not told by those that come through.
        VectorExpr::Selector(selector) if selector.extension.is_none() => selector.values = Some(values),
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
        VectorExpr::Fixed(input) => narrow(input, comparison, number, number_side),
        VectorExpr::Watched(watched) => narrow(&mut watched.input, comparison, number, number_side),
        // What is shared is not for this filter alone.
        _ => {}
    }
}
