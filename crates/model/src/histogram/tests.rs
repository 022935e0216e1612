//! What histograms are together, and what they say of observations.

use proptest::prelude::*;

use super::*;

fn side(offset: i32, counts: &[f64]) -> Buckets {
    let span = Span { offset, length: counts.len() as u32 };
    Buckets { spans: if counts.is_empty() { Vec::new() } else { vec![span] }, counts: counts.to_vec() }
}

fn exponential(schema: i8, offset: i32, counts: &[f64]) -> Histogram {
    let count = counts.iter().sum();
    Histogram { schema, count, sum: count, positive: side(offset, counts), ..Histogram::default() }
}

fn custom(bounds: &[f64], counts: &[f64]) -> Histogram {
    Histogram { custom_bounds: bounds.to_vec(), ..exponential(CUSTOM_SCHEMA, 0, counts) }
}

fn with_zero(threshold: f64, count: f64, histogram: Histogram) -> Histogram {
    let all = histogram.count + count;
    Histogram { zero_threshold: threshold, zero_count: count, count: all, ..histogram }
}

fn sum(mut a: Histogram, b: &Histogram) -> Histogram {
    a.add(b).expect("both are of one kind");
    a.compacted()
}

#[test]
fn a_histogram_is_a_text_with_its_buckets_in_ascending_order_and_no_empty_ones() {
    let mut histogram = with_zero(0.5, 2.0, exponential(0, 0, &[1.0, 0.0, 3.0]));
    histogram.negative = side(2, &[1.5]);
    histogram.sum = 2_500_000.0;
    assert_eq!(
        histogram.to_string(),
        "{count:6, sum:2.5e+06, [-4,-2):1.5, [-0.5,0.5]:2, (0.5,1]:1, (2,4]:3}"
    );
    assert_eq!(custom(&[5.0], &[1.0, 1.0]).to_string(), "{count:2, sum:2, [-Inf,5]:1, (5,+Inf]:1}");
    assert_eq!(exponential(-4, 64, &[1.0]).bound(64), f64::MAX, "the last bucket ends with the last number");
}

#[test]
fn of_two_resolutions_the_lower_one_is_that_of_the_sum() {
    let fine = exponential(1, 1, &[1.0, 2.0, 4.0, 8.0]);
    let coarse = exponential(0, 2, &[10.0]);
    for both in [sum(fine.clone(), &coarse), sum(coarse, &fine)] {
        assert_eq!((both.schema, &both.positive), (0, &side(1, &[3.0, 22.0])));
    }
}

#[test]
fn zero_buckets_grow_to_the_end_of_a_bucket_that_has_something_in_it() {
    let wide = with_zero(1.5, 1.0, exponential(0, 2, &[5.0]));
    let narrow = with_zero(0.25, 2.0, exponential(0, 0, &[3.0, 4.0, 6.0]));
    let both = sum(wide, &narrow);
    assert_eq!((both.zero_threshold, both.zero_count), (2.0, 10.0));
    assert_eq!(both.positive, side(2, &[11.0]));
    let of_nothing = with_zero(1.5, 1.0, exponential(0, 1, &[0.0, 5.0]));
    assert_eq!(sum(of_nothing, &Histogram::default()).zero_threshold, 1.5, "nothing is in the way");
}

#[test]
fn bounds_of_their_own_are_kept_where_both_have_them() {
    let mut both = custom(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
    let combined =
        both.add(&custom(&[2.0, 3.0], &[10.0, 20.0, 30.0])).expect("both have bounds of their own");
    assert!(combined.bounds_reconciled);
    assert_eq!((both.custom_bounds, both.positive), (vec![2.0], side(0, &[13.0, 57.0])));
    let mut same = custom(&[1.0], &[1.0]);
    assert!(!same.add(&custom(&[1.0], &[1.0])).expect("they are the same").bounds_reconciled);
    assert_eq!(same.add(&exponential(0, 0, &[1.0])), Err(Incompatible));
}

#[test]
fn what_is_known_of_resets_is_joined_and_contradictions_are_told() {
    use ResetHint::{Gauge, NotReset, Reset, Unknown};
    let cases = [
        (NotReset, NotReset, NotReset, false),
        (NotReset, Unknown, Unknown, false),
        (Reset, Gauge, Gauge, false),
        (Unknown, Gauge, Gauge, false),
        (Reset, NotReset, Unknown, true),
    ];
    for (a, b, joined, collide) in cases {
        for (a, b) in [(a, b), (b, a)] {
            let mut sum = Histogram { reset: a, ..Histogram::default() };
            let combined = sum.add(&Histogram { reset: b, ..Histogram::default() }).expect("of one kind");
            assert_eq!((sum.reset, combined.resets_collide), (joined, collide), "{a:?} and {b:?}");
        }
    }
}

#[test]
fn a_reset_is_seen_in_any_bucket_and_where_buckets_became_narrower() {
    let before = with_zero(0.5, 2.0, exponential(0, 1, &[2.0, 3.0]));
    let told = |reset| Histogram { reset, ..before.clone() };
    let cases = [
        ("nothing changed", before.clone(), false),
        ("it grew", with_zero(0.5, 3.0, exponential(0, 1, &[2.0, 3.0, 1.0])), false),
        ("a bucket has less", with_zero(0.5, 2.0, exponential(0, 1, &[5.0, 2.0])), true),
        ("a bucket is gone", with_zero(0.5, 2.0, exponential(0, 1, &[5.0])), true),
        ("the zero bucket has less", with_zero(0.5, 1.0, exponential(0, 1, &[3.0, 3.0])), true),
        ("all have less", with_zero(0.5, 0.0, exponential(0, 1, &[1.0])), true),
        ("it is finer", with_zero(0.5, 2.0, exponential(1, 1, &[2.0, 2.0, 3.0, 3.0])), true),
        ("it is coarser", with_zero(0.5, 2.0, exponential(-1, 1, &[5.0])), false),
        ("the zero bucket swallowed one", with_zero(2.0, 4.0, exponential(0, 2, &[3.0])), false),
        ("the zero bucket ends within one", with_zero(1.5, 9.0, exponential(0, 2, &[3.0])), true),
        ("the zero bucket is smaller", with_zero(0.25, 2.0, exponential(0, 1, &[2.0, 3.0])), true),
        ("it has bounds of its own", custom(&[1.0], &[9.0]), true),
        ("it is told so", told(ResetHint::Reset), true),
    ];
    for (what, now, is_reset) in cases {
        assert_eq!(now.is_reset_since(&before), is_reset, "{what}");
    }
    let less = Histogram { reset: ResetHint::NotReset, ..Histogram::default() };
    assert!(!less.is_reset_since(&before), "what is known is not found out again");
    let bounds = custom(&[1.0, 2.0], &[1.0, 2.0, 3.0]);
    assert!(!custom(&[2.0], &[3.0, 3.0]).is_reset_since(&bounds));
    assert!(custom(&[1.0, 2.0, 3.0], &[0.0, 5.0, 1.0, 2.0]).is_reset_since(&bounds));
}

#[test]
fn a_sum_keeps_what_large_terms_would_swallow() {
    let of = |value: f64| Histogram { sum: value, ..exponential(0, 0, &[value]) };
    let mut all = HistogramSum::from(of(1.0));
    for value in [1e100, 1.0, -1e100] {
        all.add(&of(value)).expect("of one kind");
    }
    let total = all.total();
    assert_eq!((total.sum, total.count, total.positive), (2.0, 2.0, side(0, &[2.0])));
}

#[test]
fn a_sum_of_many_layouts_is_the_one_that_plain_addition_gives() {
    let all = [
        exponential(1, 1, &[1.0, 2.0, 4.0]),
        with_zero(1.0, 3.0, exponential(2, 3, &[1.0, 1.0])),
        exponential(0, -3, &[7.0]),
        exponential(1, 9, &[1.0]),
    ];
    let mut compensated = HistogramSum::from(all[0].clone());
    let mut plain = all[0].clone();
    for one in &all[1..] {
        compensated.add(one).expect("of one kind");
        plain.add(one).expect("of one kind");
    }
    assert!(compensated.total().compacted().is_same(&plain.compacted()));
}

#[test]
fn a_mean_survives_a_sum_that_overflows() {
    let large = Histogram { sum: f64::MAX, ..exponential(0, 0, &[f64::MAX]) };
    let mut mean = HistogramMean::from(large.clone());
    for _ in 0..3 {
        mean.add(&large).expect("of one kind");
    }
    let mean = mean.mean();
    assert!(
        (mean.sum / f64::MAX - 1.0).abs() < 1e-15 && (mean.positive.counts[0] / f64::MAX - 1.0).abs() < 1e-15
    );
    let mut mean = HistogramMean::from(exponential(0, 0, &[1.0]));
    mean.add(&exponential(0, 1, &[3.0])).expect("of one kind");
    assert_eq!(mean.mean().positive, side(0, &[0.5, 1.5]));
}

#[test]
fn quantiles_lie_within_buckets_on_a_logarithmic_scale_and_in_the_zero_bucket_on_a_linear_one() {
    let histogram = with_zero(0.5, 4.0, exponential(0, 2, &[4.0]));
    let of = |histogram: &Histogram, phi| histogram.quantile(phi).0;
    assert_eq!(of(&histogram, 0.25), 0.25, "there is nothing below zero");
    assert!((of(&histogram, 0.75) - 8f64.sqrt()).abs() < 1e-12);
    assert_eq!((of(&histogram, -0.1), of(&histogram, 1.1)), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(of(&Histogram::default(), 0.5).is_nan());
    let bounds = custom(&[5.0, 10.0], &[2.0, 2.0, 1.0]);
    assert_eq!([0.2, 0.6, 1.0].map(|phi| of(&bounds, phi)), [2.5, 7.5, 10.0]);
    let negative = Histogram { count: 2.0, sum: -2.0, negative: side(0, &[2.0]), ..Histogram::default() };
    assert!((of(&negative, 0.5) + 0.5f64.sqrt()).abs() < 1e-12);
}

#[test]
fn observations_that_are_nan_are_told_of() {
    let histogram = Histogram { count: 5.0, sum: f64::NAN, ..exponential(0, 0, &[4.0]) };
    assert_eq!(histogram.quantile(0.8), (1.0, NanObservations::Counted));
    let (answer, nans) = histogram.quantile(0.9);
    assert!(answer.is_nan() && nans == NanObservations::Answer);
    assert_eq!(histogram.fraction(f64::NEG_INFINITY, f64::INFINITY), (0.8, NanObservations::Counted));
}

#[test]
fn what_is_cut_off_takes_its_part_of_the_count_and_of_the_sum() {
    let histogram = with_zero(0.5, 2.0, exponential(0, 1, &[4.0, 2.0]));
    assert!(histogram.trimmed(100.0, Keep::Below).is_same(&histogram), "nothing is cut off");
    let below = histogram.trimmed(2.0, Keep::Below);
    assert_eq!((below.count, below.zero_count, &below.positive), (6.0, 2.0, &side(1, &[4.0])));
    assert_eq!(
        below.sum,
        2.0 * 0.25 + 4.0 * 2f64.sqrt(),
        "observations are taken for the middle of their bucket"
    );
    let above = histogram.trimmed(2.0, Keep::Above);
    assert_eq!((above.count, above.zero_count, &above.positive), (2.0, 0.0, &side(2, &[2.0])));
    let bounds = custom(&[5.0, 10.0], &[2.0, 4.0, 6.0]);
    assert_eq!(bounds.trimmed(7.5, Keep::Below).positive, side(0, &[2.0, 2.0]));
    assert_eq!(bounds.trimmed(2.5, Keep::Below).positive, side(0, &[1.0]), "the first bucket begins at zero");
    assert_eq!(
        bounds.trimmed(20.0, Keep::Below).positive,
        side(0, &[2.0, 4.0]),
        "who knows how far the last reaches"
    );
    assert_eq!(bounds.trimmed(20.0, Keep::Above).positive, side(2, &[6.0]));
}

fn any_exponential() -> impl Strategy<Value = Histogram> {
    let counts = || prop::collection::vec((0u32..20).prop_map(f64::from), 0..6);
    (-2i8..4, (-10i32..10, counts()), (-10i32..10, counts()), 0u32..5, 0i32..6).prop_map(
        |(schema, (at, positive), (negative_at, negative), zero_count, threshold)| {
            let (zero_count, zero_threshold) = (f64::from(zero_count), f64::from(threshold) / 4.0);
            let count = zero_count + positive.iter().chain(&negative).sum::<f64>();
            let (positive, negative) = (side(at, &positive), side(negative_at, &negative));
            Histogram {
                schema,
                zero_threshold,
                zero_count,
                count,
                sum: count,
                positive,
                negative,
                ..Histogram::default()
            }
        },
    )
}

fn in_buckets(histogram: &Histogram) -> f64 {
    histogram.buckets().iter().map(|bucket| bucket.count).sum()
}

proptest! {
    #[test]
    fn no_observation_gets_lost_or_is_made_up_by_addition(a in any_exponential(), b in any_exponential()) {
        let both = sum(a.clone(), &b);
        prop_assert_eq!(in_buckets(&both), both.count);
        let mut back = both.clone();
        back.subtract(&b).expect("of one kind");
        prop_assert_eq!(in_buckets(&back), a.count);
        prop_assert!(sum(b.clone(), &a).is_same(&both), "the order is no matter");
        prop_assert!(!Histogram { reset: ResetHint::Unknown, ..both }.is_reset_since(&a), "it only grew");
    }

    #[test]
    fn a_quantile_has_its_fraction_below_it(histogram in any_exponential(), phi in 0.001f64..0.999) {
        prop_assume!(histogram.count > 0.0);
        let value = histogram.quantile(phi).0;
        let fraction = histogram.fraction(f64::NEG_INFINITY, value).0;
        // Where buckets overlap with the zero bucket, or are empty, more than one value has the same fraction below it.
        let is_plain = histogram.zero_threshold == 0.0 && histogram.zero_count == 0.0;
        prop_assert!(value.is_finite());
        prop_assert!(!is_plain || (fraction - phi).abs() < 1e-6, "{} of {} is {}", phi, histogram, value);
    }

    #[test]
    fn what_is_cut_in_two_is_whole(histogram in any_exponential(), at in -20f64..20.0) {
        let histogram =
            Histogram { count: histogram.count - histogram.zero_count, zero_count: 0.0, ..histogram };
        let [below, above] = [Keep::Below, Keep::Above].map(|keep| histogram.trimmed(at, keep));
        prop_assert!((below.count + above.count - histogram.count).abs() < 1e-9);
        prop_assert!((in_buckets(&below) + in_buckets(&above) - histogram.count).abs() < 1e-9);
    }
}
