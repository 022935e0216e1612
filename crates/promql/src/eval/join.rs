//! Operators between two vectors: one to one, many to one, one to many.
//!
//! The side that has one series for each match is kept; the other streams past it. A side that is filled has, for
//! this operation, a series wherever the other one lacks a partner.

use std::collections::HashMap;

use model::Labels;

use super::kind::Kind;
use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::{LabelFilter, describe, filtered, is_metadata};
use crate::plan::{Cardinality, Join, Operator, Side};
use crate::steps::{StepMask, StepSeries, Steps, is_present};

/// The series of the side that has one for each match, by what matches.
struct OneSide {
    matches: HashMap<Vec<u8>, Vec<Member>>,
    /// The steps at which two series match the same.
    conflicts: StepMask,
    /// The first such pair.
    conflict: Option<String>,
}

/// One of them.
struct Member {
    kind: Kind,
    series: StepSeries,
}

impl OneSide {
    fn add(&mut self, key: &[u8], series: StepSeries, side: Side, matching: &LabelFilter) {
        let kind = Kind::of(&series, matching);
        let Some(members) = self.matches.get_mut(key) else {
            self.matches.insert(key.to_vec(), vec![Member { kind, series }]);
            return;
        };
        for member in members.iter().filter(|member| member.kind.fits(&kind)) {
            for (step, _) in series.present().filter(|(step, _)| is_present(member.series.values[*step])) {
                self.conflicts.insert(step);
                self.conflict.get_or_insert_with(|| {
                    let mut pair = [describe(&member.series.labels), describe(&series.labels)];
                    pair.sort();
                    format!(
                        "found duplicate series for the match group {} on the {} hand-side of the operation: \
                         [{}];many-to-many matching not allowed: matching labels must be unique on one side",
                        describe(&matching.apply(series.labels.as_ref())),
                        side.name(),
                        pair.join(", "),
                    )
                });
            }
        }
        members.push(Member { kind, series });
    }
}

/// Where the many side has samples, by what matches.
type Partners = HashMap<Vec<u8>, StepMask>;

impl Evaluation<'_> {
    pub(super) fn join(&self, join: &Join, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        let many_side = match &join.cardinality {
            Cardinality::OneToOne => Side::Left,
            Cardinality::Many { side, .. } => *side,
        };
        let (many, one, one_name) = match many_side {
            Side::Left => (&join.left, &join.right, Side::Right),
            Side::Right => (&join.right, &join.left, Side::Left),
        };
        let mut one_side =
            OneSide { matches: HashMap::new(), conflicts: StepMask::new(steps), conflict: None };
        let mut key = Vec::new();
        self.vector(one, steps, &mut |series| {
            self.hold_series(&series.labels, series.size_in_values())?;
            join.matching.write_key(series.labels.as_ref(), &mut key);
            if !one_side.matches.contains_key(&key) {
                self.hold_key(&key, 0)?;
            }
            one_side.add(&key, series.take(), one_name, &join.matching);
            Ok(())
        })?;
        // As in Prometheus, which turns `group_right` around and the fills not: the left one is of the many side.
        let (fill_one, fill_many) = (join.fill.right, join.fill.left);
        if let (Some(conflict), true) = (&one_side.conflict, fill_many.is_some()) {
            return Err(Error::Execution(conflict.clone()));
        }
        // What was matched at which steps: a second match there is an error.
        let mut matched: HashMap<Vec<u8>, StepMask> = HashMap::new();
        let mut partners = Partners::new();
        self.vector(many, steps, &mut |series| {
            if let Some(conflict) = &one_side.conflict
                && series.present().any(|(step, _)| one_side.conflicts.contains(step))
            {
                return Err(Error::Execution(conflict.clone()));
            }
            join.matching.write_key(series.labels.as_ref(), &mut key);
            let kind = Kind::of(series, &join.matching);
            let members = one_side.matches.get(&key).map_or(&[][..], Vec::as_slice);
            let fitting = || {
                let fitting = members.iter().enumerate().filter(|(_, member)| member.kind.fits(&kind));
                fitting.map(|(place, member)| (place, &member.series))
            };
            if fill_many.is_some() && fitting().next().is_some() {
                self.note_partner(&mut partners, &key, series, steps)?;
            }
            let filled = fill_one.map(|value| without_partner(join, series, fitting, value, steps));
            for (place, member) in fitting().chain(filled.iter().map(|filled| (members.len(), filled))) {
                let mut result = self.matched(join, many_side, series, member, steps);
                let mut once = key.clone();
                if join.cardinality == Cardinality::OneToOne {
                    once.extend_from_slice(&place.to_le_bytes());
                } else {
                    once.extend_from_slice(result.labels.as_ref().as_bytes());
                }
                if !matched.contains_key(&once) {
                    self.hold_key(&once, StepMask::size_in_values(steps))?;
                }
                let seen = matched.entry(once).or_insert_with(|| StepMask::new(steps));
                for (step, _) in series.present().filter(|(step, _)| is_present(member.values[*step])) {
                    if !seen.insert(step) {
                        return Err(second_match(&join.cardinality));
                    }
                }
                if !result.is_empty() {
                    sink(&mut result)?;
                }
            }
            Ok(())
        })?;
        let Some(value) = fill_many else { return Ok(()) };
        let mut rest: Vec<_> = one_side.matches.into_iter().collect();
        rest.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (key, members) in rest {
            let has_partner = |step: usize| partners.get(&key).is_some_and(|steps| steps.contains(step));
            for one in members.into_iter().map(|member| member.series) {
                let alone = |step: usize| is_present(one.values[step]) && !has_partner(step);
                let many = filled(join, &one.labels, value, steps, alone);
                let mut result = self.matched(join, many_side, &many, &one, steps);
                if !result.is_empty() {
                    sink(&mut result)?;
                }
            }
        }
        Ok(())
    }

    /// Takes note of where a series of the many side has samples.
    fn note_partner(
        &self,
        partners: &mut Partners,
        key: &[u8],
        series: &StepSeries,
        steps: Steps,
    ) -> Result<(), Error> {
        if !partners.contains_key(key) {
            self.hold_key(key, StepMask::size_in_values(steps))?;
            partners.insert(key.to_vec(), StepMask::new(steps));
        }
        if let Some(mask) = partners.get_mut(key) {
            series.present().for_each(|(step, _)| _ = mask.insert(step));
        }
        Ok(())
    }

    /// One series of the many side combined with one of the other.
    fn matched(
        &self,
        join: &Join,
        many_side: Side,
        many: &StepSeries,
        one: &StepSeries,
        steps: Steps,
    ) -> StepSeries {
        let mut result = StepSeries::new(result_labels(join, &many.labels, &one.labels), steps);
        result.drop_name = many.drop_name || join.operator.drops_name();
        if many.has_histograms() || one.has_histograms() || matches!(join.operator, Operator::Trim(_)) {
            for step in 0..steps.count {
                let (Some(many), Some(one)) = (many.point(step), one.point(step)) else { continue };
                let (left, right) = if many_side == Side::Left { (many, one) } else { (one, many) };
                if let Some(point) = self.combine(join.operator, &left, &right, &left, join.place) {
                    result.set(step, point);
                }
            }
            return result;
        }
        for (step, value) in many.present() {
            let other = one.values[step];
            if is_present(other) {
                let (left, right) = if many_side == Side::Left { (value, other) } else { (other, value) };
                result.values[step] = join.operator.apply(left, right, left);
            }
        }
        result
    }
}

/// What stands in for the partners that a series of the many side does not have.
fn without_partner<'m, I: Iterator<Item = (usize, &'m StepSeries)>>(
    join: &Join,
    many: &StepSeries,
    members: impl Fn() -> I,
    value: f64,
    steps: Steps,
) -> StepSeries {
    let alone = |step: usize| {
        is_present(many.values[step]) && !members().any(|(_, member)| is_present(member.values[step]))
    };
    filled(join, &many.labels, value, steps, alone)
}

/// A value at some steps, with the labels that match those of a partner.
fn filled(join: &Join, partner: &Labels, value: f64, steps: Steps, at: impl Fn(usize) -> bool) -> StepSeries {
    let mut series = StepSeries::new(join.matching.apply(partner.as_ref()), steps);
    for (_, filled) in series.values.iter_mut().enumerate().filter(|(step, _)| at(*step)) {
        *filled = value;
    }
    series
}

fn second_match(cardinality: &Cardinality) -> Error {
    Error::Execution(
        match cardinality {
            Cardinality::OneToOne => {
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            }
            Cardinality::Many { .. } => {
                "multiple matches for labels: grouping labels must ensure unique matches"
            }
        }
        .to_owned(),
    )
}

fn result_labels(join: &Join, many: &Labels, one: &Labels) -> Labels {
    let keeps_name = !matches!(join.operator, Operator::Arithmetic(_));
    match &join.cardinality {
        Cardinality::OneToOne => filtered(many.as_ref(), |name| match (&join.matching, name) {
            (LabelFilter::Without(_), name) if is_metadata(name) => keeps_name,
            (LabelFilter::Only(_), name) if is_metadata(name) => keeps_name && join.matching.keeps(name),
            _ => join.matching.keeps(name),
        }),
        Cardinality::Many { include, .. } => {
            let kept = filtered(many.as_ref(), |name| !is_metadata(name) || keeps_name);
            if include.is_empty() {
                return kept;
            }
            let mut builder = kept.to_builder();
            for name in include {
                builder.set(name, one.get(name).unwrap_or(""));
            }
            builder.build()
        }
    }
}
