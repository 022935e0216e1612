//! Which rows a scan wants: conditions joined by and, or and not.

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::{and, not, or, prep_null_mask_filter};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use model::TimeRange;
use store::{Condition, Predicate, QueryError};

use crate::events::lifted::Lifted;
use crate::events::{condition, ids, times_of};

/// What a scan wants, checked against the table's schema: parts that all must hold, those that are quickly looked at
/// first. In them, opposites are of single conditions only.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter {
    parts: Vec<Predicate>,
}

impl RowFilter {
    /// Takes predicates of which each condition names a column of the schema, of a type that it can be compared with.
    pub(crate) fn new<P: Into<Predicate>>(
        schema: &SchemaRef,
        predicates: impl IntoIterator<Item = P>,
    ) -> Result<Self, QueryError> {
        let all = Predicate::All(predicates.into_iter().map(Into::into).collect());
        check(schema, &all).map_err(QueryError::Invalid)?;
        Ok(Self::of(normal(all, false)))
    }

    fn of(predicate: Predicate) -> Self {
        match predicate {
            Predicate::All(parts) => Self { parts },
            part => Self { parts: vec![part] },
        }
    }

    /// The parts, all of which must hold, those that are quickly looked at first.
    pub(crate) fn parts(&self) -> &[Predicate] {
        &self.parts
    }

    /// Whether every row satisfies it.
    pub(crate) fn is_everything(&self) -> bool {
        self.parts.is_empty()
    }

    /// The same of some rows, with another predicate for each condition, which for these says no less: nothing where it
    /// is known that it holds for none of them. `None` when none of these rows can satisfy it.
    pub(crate) fn replaced<E>(
        &self,
        with: &mut dyn FnMut(&Condition) -> Result<Predicate, E>,
    ) -> Result<Option<Self>, E> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match replaced(part, with)? {
                nothing if is_nothing(&nothing) => return Ok(None),
                left => parts.push(left),
            }
        }
        let left = all(parts);
        Ok(if is_nothing(&left) { None } else { Some(Self::of(left)) })
    }

    /// Which rows lie in the range and satisfy every part. Rows may have more columns, or lack one, which then is null.
    pub(crate) fn mask(&self, rows: &RecordBatch, range: TimeRange) -> Result<BooleanArray, ArrowError> {
        let mut mask = within(rows, range)?;
        let nothing = Lifted::default();
        for part in &self.parts {
            if mask.true_count() == 0 {
                break;
            }
            mask = and(&mask, &mask_of(part, rows, &nothing)?)?;
        }
        Ok(mask)
    }
}

/// Which rows satisfy a predicate, and none of it is null. Rows are those of a file in which attributes are lifted, with
/// the columns in which the predicate looks.
pub(crate) fn mask_of(
    predicate: &Predicate,
    rows: &RecordBatch,
    lifted: &Lifted,
) -> Result<BooleanArray, ArrowError> {
    match predicate {
        Predicate::All(parts) => {
            let mut mask = BooleanArray::from(vec![true; rows.num_rows()]);
            for part in parts {
                if mask.true_count() == 0 {
                    break;
                }
                mask = and(&mask, &mask_of(part, rows, lifted)?)?;
            }
            Ok(mask)
        }
        Predicate::Any(parts) => {
            let mut mask = BooleanArray::from(vec![false; rows.num_rows()]);
            for part in parts {
                if mask.true_count() == rows.num_rows() {
                    break;
                }
                mask = or(&mask, &mask_of(part, rows, lifted)?)?;
            }
            Ok(mask)
        }
        Predicate::Not(part) => not(&mask_of(part, rows, lifted)?),
        Predicate::Is(condition) => condition::mask(condition, rows, lifted),
        Predicate::Own(test) => {
            let columns = test.0.columns();
            let rows = lifted.remade(rows.clone(), |map| columns.contains(&map))?;
            let mask = test.0.mask(&ids::rows_in_texts(&rows)?)?;
            Ok(if mask.null_count() > 0 { prep_null_mask_filter(&mask) } else { mask })
        }
    }
}

/// Which rows lie in the range.
pub(crate) fn within(rows: &RecordBatch, range: TimeRange) -> Result<BooleanArray, ArrowError> {
    let (start, end) = (range.start.as_nanos(), range.end.as_nanos());
    Ok(times_of(rows)?.values().iter().map(|time| Some(start <= *time && *time <= end)).collect())
}

fn check(schema: &SchemaRef, predicate: &Predicate) -> Result<(), String> {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => {
            parts.iter().try_for_each(|part| check(schema, part))
        }
        Predicate::Not(part) => check(schema, part),
        Predicate::Is(condition) => condition::check(schema, condition),
        Predicate::Own(test) => {
            let unknown = test.0.columns().into_iter().find(|column| schema.index_of(column).is_err());
            unknown.map_or(Ok(()), |column| Err(format!("there is no column `{column}`")))
        }
    }
}

/// The same, or its opposite, with opposites of single conditions only.
fn normal(predicate: Predicate, is_opposite: bool) -> Predicate {
    match predicate {
        Predicate::All(parts) => {
            let parts = parts.into_iter().map(|part| normal(part, is_opposite)).collect();
            if is_opposite { any(parts) } else { all(parts) }
        }
        Predicate::Any(parts) => {
            let parts = parts.into_iter().map(|part| normal(part, is_opposite)).collect();
            if is_opposite { all(parts) } else { any(parts) }
        }
        Predicate::Not(part) => normal(*part, !is_opposite),
        single if is_opposite => single.opposite(),
        single => single,
    }
}

fn is_everything(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::All(parts) if parts.is_empty())
}

fn is_nothing(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Any(parts) if parts.is_empty())
}

/// All parts, joined.
fn all(parts: Vec<Predicate>) -> Predicate {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Predicate::All(inner) => flat.extend(inner),
            nothing if is_nothing(&nothing) => return nothing,
            part => flat.push(part),
        }
    }
    joined(flat, Predicate::All)
}

/// Any of the parts, joined.
fn any(parts: Vec<Predicate>) -> Predicate {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Predicate::Any(inner) => flat.extend(inner),
            everything if is_everything(&everything) => return everything,
            part => flat.push(part),
        }
    }
    joined(flat, Predicate::Any)
}

fn joined(mut parts: Vec<Predicate>, join: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    parts.sort_by_cached_key(cost);
    join(parts)
}

/// How much work it is for each row, more or less.
fn cost(predicate: &Predicate) -> u32 {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().map(cost).fold(0, u32::saturating_add),
        Predicate::Not(part) => cost(part),
        Predicate::Is(condition) => condition::cost(condition),
        // It may be as slow as it likes.
        Predicate::Own(_) => 1 << 16,
    }
}

fn replaced<E>(
    predicate: &Predicate,
    with: &mut dyn FnMut(&Condition) -> Result<Predicate, E>,
) -> Result<Predicate, E> {
    Ok(match predicate {
        Predicate::All(parts) => {
            let mut left = Vec::with_capacity(parts.len());
            for part in parts {
                match replaced(part, with)? {
                    nothing if is_nothing(&nothing) => return Ok(nothing),
                    part => left.push(part),
                }
            }
            all(left)
        }
        Predicate::Any(parts) => {
            let mut left = Vec::with_capacity(parts.len());
            for part in parts {
                match replaced(part, with)? {
                    everything if is_everything(&everything) => return Ok(everything),
                    part => left.push(part),
                }
            }
            any(left)
        }
        Predicate::Not(part) => match replaced(part, with)? {
            nothing if is_nothing(&nothing) => Predicate::everything(),
            everything if is_everything(&everything) => Predicate::nothing(),
            left => left.opposite(),
        },
        Predicate::Is(condition) => with(condition)?,
        Predicate::Own(_) => predicate.clone(),
    })
}

#[cfg(test)]
mod tests;
