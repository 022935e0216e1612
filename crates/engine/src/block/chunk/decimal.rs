//! Values as integers over a power of ten.
//!
//! Most values that people measure are whole numbers or have a few decimals. Divided by their power of
//! ten they are integers whose differences are small, which pack better than floats and far faster.

/// The greatest power of ten that is tried.
const MAX_EXPONENT: u8 = 12;
/// Integers beyond this are not all exact as floats.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
/// One value in so many may be no number; more, and the chunk is packed otherwise.
const SPECIAL_SHARE: usize = 8;

/// Values as integers.
#[derive(Default)]
pub(super) struct Decimals {
    /// Values times ten to the power of `exponent`.
    pub(super) integers: Vec<i64>,
    pub(super) exponent: u8,
    /// Infinities and NaNs, staleness markers among them: their places and their bits. Among the integers
    /// the one before is repeated for them.
    pub(super) special: Vec<(usize, u64)>,
}

impl Decimals {
    /// Finds the least power of ten with which every value survives bit for bit; `None` when there is none.
    pub(super) fn of(all: &[f64]) -> Option<Self> {
        let special: Vec<(usize, u64)> = (0..)
            .zip(all)
            .filter(|(_, value)| !value.is_finite())
            .map(|(place, value)| (place, value.to_bits()))
            .collect();
        if special.len() > all.len() / SPECIAL_SHARE {
            return None;
        }
        let mut found = Self { integers: Vec::with_capacity(all.len()), exponent: 0, special };
        (0..=MAX_EXPONENT).any(|exponent| found.fits(all, exponent)).then_some(found)
    }

    fn fits(&mut self, all: &[f64], exponent: u8) -> bool {
        let scale = power(exponent);
        self.exponent = exponent;
        self.integers.clear();
        let mut previous = 0;
        for value in all {
            if value.is_finite() {
                let scaled = (value * scale).round();
                let integer = scaled as i64;
                if scaled.abs() > MAX_EXACT || restored(integer, scale).to_bits() != value.to_bits() {
                    return false;
                }
                previous = integer;
            }
            self.integers.push(previous);
        }
        true
    }
}

/// Ten to the power of `exponent`.
pub(super) fn power(exponent: u8) -> f64 {
    10f64.powi(i32::from(exponent))
}

/// The value that an integer stands for.
#[inline]
pub(super) fn restored(integer: i64, scale: f64) -> f64 {
    integer as f64 / scale
}

/// The bits that an integer, given as those of an `i64`, takes beside its sign.
#[inline]
pub(super) fn magnitude(integer: u64) -> u64 {
    integer ^ (integer as i64 >> 63) as u64
}

/// Adds the values that integers stand for, given as the bits of `i64`, and all their [magnitudes](magnitude) by OR.
pub(super) fn restore(integers: &[u64], magnitudes: u64, exponent: u8, into: &mut Vec<f64>) {
    /// The float whose mantissa counts in ones, with room for as many below it as above it: an integer that
    /// is added to its bits is added to its value.
    const MIDDLE: f64 = 6_755_399_441_055_744.0;
    let scale = power(exponent);
    if magnitudes >= 1 << 51 {
        into.extend(integers.iter().map(|integer| restored(*integer as i64, scale)));
        return;
    }
    // Processors convert one integer at a time, and add and divide several.
    let floats =
        integers.iter().map(|integer| f64::from_bits(integer.wrapping_add(MIDDLE.to_bits())) - MIDDLE);
    // Whole numbers are so many that they are spared the division.
    if exponent == 0 {
        into.extend(floats);
    } else {
        into.extend(floats.map(|float| float / scale));
    }
}

/// Whether an exponent is one that chunks have.
pub(super) fn is_exponent(exponent: u8) -> bool {
    exponent <= MAX_EXPONENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::STALE_NAN;

    #[test]
    fn the_least_power_of_ten_is_found_and_numbers_that_have_none_are_told() {
        let of = |all: &[f64]| Decimals::of(all).map(|found| (found.integers, found.exponent));
        assert_eq!(of(&[1.0, -3.0]), Some((vec![1, -3], 0)));
        assert_eq!(of(&[0.25, 7.0]), Some((vec![25, 700], 2)));
        assert_eq!(of(&[0.1 + 0.2]), None);
        assert_eq!(of(&[-0.0]), None);
        assert_eq!(of(&[1e300]), None);
        let mut all = vec![1.5; 16];
        all[9] = STALE_NAN;
        let found = Decimals::of(&all).expect("decimals");
        assert_eq!((found.integers, found.special), (vec![15; 16], vec![(9, STALE_NAN.to_bits())]));
        assert!(Decimals::of(&[STALE_NAN, 1.0]).is_none());
    }
}
