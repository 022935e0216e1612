//! Bounds of exponential buckets: powers of 2^(2^-schema), to the last bit those of Prometheus, so that queries that
//! compare or print them answer alike.

use std::array;
use std::sync::LazyLock;

/// The finest schema that there is.
const FINEST: i32 = 8;
/// Its buckets from a power of two to the next.
const IN_A_DOUBLING: usize = 1 << FINEST;

/// Where the buckets of the finest schema begin that lie from 1 to 2.
static FROM_ONE_TO_TWO: LazyLock<[f64; IN_A_DOUBLING]> =
    LazyLock::new(|| array::from_fn(between_one_and_two));

/// The upper bound of the bucket at an index.
pub(super) fn exponential(schema: i8, index: i64) -> f64 {
    // What is kept is never finer: `check` sees to that.
    let schema = i32::from(schema).min(FINEST);
    let (part, exponent) = match u32::try_from(schema) {
        Ok(finer) => {
            let within = index & ((1 << finer) - 1);
            (FROM_ONE_TO_TWO[(within << (FINEST - schema)) as usize], index >> finer)
        }
        Err(_) => (1.0, index << -schema),
    };
    // The last bucket before infinity ends with the last number.
    if part == 1.0 && exponent == 1024 { f64::MAX } else { scaled(part, exponent) }
}

/// 2^(place/256), of square roots alone: they are the same on every machine, and Prometheus' table has the same errors
/// in its last digits.
fn between_one_and_two(place: usize) -> f64 {
    let mut root = 2f64.sqrt();
    let mut bit = IN_A_DOUBLING / 2;
    let mut bound = if place & bit == 0 { 1.0 } else { 2.0 / root };
    while bit > 1 {
        bit /= 2;
        root = root.sqrt();
        if place & bit != 0 {
            bound *= root;
        }
    }
    bound
}

/// `part` × 2^`exponent`, rounded once: the first of two factors leaves a number that is neither too large nor too
/// small to be exact.
fn scaled(part: f64, exponent: i64) -> f64 {
    let exponent = exponent.clamp(-2000, 2000) as i32;
    let half = exponent / 2;
    part * 2f64.powi(half) * 2f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_prometheus_table_to_the_last_digit() {
        // Prometheus has them from a half to one.
        let cases = [
            (0, 0, 0.5),
            (1, 1, 0.707_106_781_186_547_5),
            (2, 1, 0.594_603_557_501_360_5),
            (3, 3, 0.648_419_777_325_504_8),
            (4, 6, 0.648_419_777_325_504_8),
            (5, 3, 0.533_570_200_338_411_7),
            (6, 19, 0.614_240_268_053_434_9),
            (7, 65, 0.710_946_301_084_582_7),
            (7, 127, 0.994_599_423_483_632_8),
            (8, 1, 0.501_355_637_525_101_3),
            (8, 129, 0.709_023_942_160_207_6),
            (8, 255, 0.997_296_056_085_469_8),
        ];
        for (schema, index, of_one) in cases {
            assert_eq!(exponential(schema, index), 2.0 * of_one, "schema {schema}, {index}");
            assert_eq!(
                exponential(schema, index - (1 << schema)),
                of_one,
                "schema {schema}, one doubling below"
            );
        }
    }

    #[test]
    fn coarse_schemas_have_whole_powers_of_two() {
        assert_eq!(exponential(-1, 3), 64.0);
        assert_eq!(exponential(-4, -1), 2f64.powi(-16));
    }

    #[test]
    fn the_last_buckets_end_with_the_last_number_and_with_infinity() {
        for schema in -4..=8 {
            let last = if schema < 0 { 1024 >> -schema } else { 1024 << schema };
            assert_eq!(exponential(schema, last), f64::MAX, "schema {schema}");
            assert_eq!(exponential(schema, last + 1), f64::INFINITY, "schema {schema}");
            assert_eq!(exponential(schema, i64::from(i32::MAX)), f64::INFINITY, "schema {schema}");
            assert_eq!(exponential(schema, i64::from(i32::MIN)), 0.0, "schema {schema}");
        }
    }

    #[test]
    fn the_smallest_numbers_are_rounded_once() {
        assert_eq!(exponential(0, -1074), f64::from_bits(1));
        assert_eq!(exponential(1, -2146), f64::from_bits(2));
        assert_eq!(exponential(1, -2145), f64::from_bits(3));
    }
}
