//! Numbers that are written as decimals: whole multiples of a part of one, of which exactly the same texts are made.

use arrow::array::{Float64Array, Int64Array};
use serde::{Deserialize, Serialize};

/// The most digits behind the point.
const MAX_SCALE: u8 = 9;
/// Up to here whole numbers are floats, too, as which conditions have them.
const MAX_UNITS: u64 = 1 << 53;
/// The longest text of a number: twenty digits, a sign and a point.
pub(super) const MAX_BYTES: usize = 24;
/// Of all but one in so many texts numbers must be made, or the column has texts.
const FEW: usize = 16;

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decimal {
    /// How many digits may stand behind the point: one more in the last of them is a number more by one.
    scale: u8,
    /// How many stand there at least. Zeros beyond these are not written.
    least: u8,
}

impl Decimal {
    /// Whether it is one that this version makes.
    pub(super) fn is_known(self) -> bool {
        self.least <= self.scale && self.scale <= MAX_SCALE
    }

    /// The number of a text; `None` where the text that would be made of it is another.
    pub(super) fn parsed(self, text: &str) -> Option<i64> {
        let text = text.as_bytes();
        let (is_negative, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        if digits.len() > MAX_BYTES {
            return None;
        }
        let point = digits.iter().position(|byte| *byte == b'.');
        let (whole, behind) = match point {
            Some(point) => (&digits[..point], &digits[point + 1..]),
            None => (digits, &[][..]),
        };
        let shown = u8::try_from(behind.len()).ok()?;
        let is_shortest = match whole {
            [] => false,
            [b'0', rest @ ..] => rest.is_empty(),
            _ => true,
        };
        let has_zeros = shown > self.least && behind.ends_with(b"0");
        if !is_shortest
            || has_zeros
            || point.is_some() && shown == 0
            || !(self.least..=self.scale).contains(&shown)
        {
            return None;
        }
        let mut units: u64 = 0;
        for digit in whole.iter().chain(behind) {
            if !digit.is_ascii_digit() {
                return None;
            }
            units = units.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        }
        for _ in shown..self.scale {
            units = units.checked_mul(10)?;
        }
        if units > MAX_UNITS || units == 0 && is_negative {
            return None;
        }
        let units = i64::try_from(units).ok()?;
        Some(if is_negative { -units } else { units })
    }

    /// The text of a number, written to the end of `into`.
    pub(super) fn text(self, number: i64, into: &mut [u8; MAX_BYTES]) -> &str {
        let (mut left, mut start, mut shown) = (number.unsigned_abs(), MAX_BYTES, self.scale);
        while shown > self.least && left.is_multiple_of(10) {
            left /= 10;
            shown -= 1;
        }
        let mut put = |byte: u8| {
            start -= 1;
            into[start] = byte;
        };
        for _ in 0..shown {
            put(digit(left));
            left /= 10;
        }
        if shown > 0 {
            put(b'.');
        }
        loop {
            put(digit(left));
            left /= 10;
            if left == 0 {
                break;
            }
        }
        if number < 0 {
            put(b'-');
        }
        // They are digits, a point and a sign.
        std::str::from_utf8(&into[start..]).unwrap_or_default()
    }

    /// Whether no text has a point.
    pub(super) fn is_whole(self) -> bool {
        self.scale == 0
    }

    /// The floats that are read of the texts of numbers. A float that is a whole number, divided by a power of ten that is
    /// one, too, is the float that is nearest to the decimal, and that is what is read of a text. `None` when one of the
    /// numbers is no float, and so not made by [`Self::parsed`].
    pub(super) fn floats(self, numbers: &Int64Array) -> Option<Float64Array> {
        // Not until the end of what is too large: so it is done for many at a time.
        let are_floats =
            numbers.values().iter().fold(true, |all, number| all & (number.unsigned_abs() <= MAX_UNITS));
        let part = f64::from(10_u32.pow(u32::from(self.scale)));
        are_floats.then(|| numbers.unary(|number| number as f64 / part))
    }

    /// What both are, where there is such a thing.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        (self.least == other.least).then_some(Self { scale, least: self.least })
    }

    /// How texts are written, if nearly all of them are numbers.
    pub(super) fn of(texts: &[&str]) -> Option<Self> {
        let scale = texts.iter().filter_map(|text| shown(text)).max()?;
        // As few digits as there must be, always one behind the point, always as many.
        let candidates = [0, 1, scale].into_iter().filter(|least| *least <= scale);
        let numbers = |decimal: Self| texts.iter().filter(|text| decimal.parsed(text).is_some()).count();
        let mut best: Option<(usize, Self)> = None;
        for decimal in candidates.map(|least| Self { scale, least }) {
            let count = numbers(decimal);
            if best.is_none_or(|(most, _)| most < count) {
                best = Some((count, decimal));
            }
        }
        let (count, decimal) = best?;
        (texts.len() - count <= texts.len() / FEW).then_some(decimal)
    }
}

/// How many digits a text has behind its point, if it is a number.
fn shown(text: &str) -> Option<u8> {
    let behind = text.split_once('.').map_or(0, |(_, behind)| behind.len());
    let shown = u8::try_from(behind).ok().filter(|shown| *shown <= MAX_SCALE)?;
    Decimal { scale: shown, least: shown }.parsed(text).map(|_| shown)
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(decimal: Decimal, number: i64) -> String {
        decimal.text(number, &mut [0; MAX_BYTES]).to_owned()
    }

    #[test]
    fn numbers_come_back_as_they_were_written_and_all_else_is_none() {
        let shortest = Decimal { scale: 3, least: 0 };
        let numbers = [
            ("0", 0),
            ("12", 12_000),
            ("-7", -7_000),
            ("0.5", 500),
            ("-0.001", -1),
            ("120.25", 120_250),
            ("9007199254740.992", 1 << 53),
        ];
        for (written, number) in numbers {
            assert_eq!(shortest.parsed(written), Some(number), "{written}");
            assert_eq!(text(shortest, number), written);
        }
        let others = [
            "",
            "-",
            ".",
            "-0",
            "00",
            "01",
            "-01",
            "1.",
            ".5",
            "-.5",
            "0.50",
            "12.0",
            "0.0",
            "-0.0",
            "0.0001",
            "1e3",
            "+1",
            " 1",
            "1 ",
            "1,5",
            "NaN",
            "1.2.3",
            "--1",
            "9007199254740.993",
            "99999999999999999999",
            "١",
            "1.٢",
            "18446744073709551617",
            "0000000000000000000000000000000000001",
        ];
        for other in others {
            assert_eq!(shortest.parsed(other), None, "{other}");
        }
        let with_point = Decimal { scale: 3, least: 1 };
        for (written, number) in [("12.0", 12_000), ("0.0", 0), ("-1.5", -1_500), ("0.125", 125)] {
            assert_eq!(with_point.parsed(written), Some(number), "{written}");
            assert_eq!(text(with_point, number), written);
        }
        assert_eq!(["12", "12.00", "-0.0"].map(|other| with_point.parsed(other)), [None; 3]);
        let fixed = Decimal { scale: 2, least: 2 };
        for (written, number) in [("12.00", 1_200), ("0.50", 50), ("-0.01", -1)] {
            assert_eq!(fixed.parsed(written), Some(number), "{written}");
            assert_eq!(text(fixed, number), written);
        }
        assert_eq!(["12", "12.0", "12.000"].map(|other| fixed.parsed(other)), [None; 3]);
    }

    #[test]
    fn any_number_has_a_text() {
        for number in [i64::MIN, i64::MAX, -1, 0, 1] {
            for scale in 0..=MAX_SCALE {
                for least in 0..=scale {
                    let text = text(Decimal { scale, least }, number);
                    let read: f64 = text.parse().expect("a number");
                    let expected = number as f64 / 10f64.powi(scale.into());
                    assert!((read - expected).abs() <= expected.abs() * 1e-12, "{text} of {number}, {scale}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_no_floats_have_none() {
        let decimal = Decimal { scale: 1, least: 0 };
        let most = 1 << 53;
        let floats =
            decimal.floats(&Int64Array::from(vec![Some(-most), None, Some(0), Some(15), Some(most)]));
        let expected =
            vec![Some(-900_719_925_474_099.2), None, Some(0.0), Some(1.5), Some(900_719_925_474_099.2)];
        assert_eq!(floats, Some(Float64Array::from(expected)));
        for number in [most + 1, -most - 1, i64::MIN, i64::MAX] {
            assert_eq!(decimal.floats(&Int64Array::from(vec![1, number])), None, "{number}");
        }
    }

    #[test]
    fn how_texts_are_written_is_seen_where_nearly_all_are_numbers() {
        let of = |texts: &[&str]| Decimal::of(texts);
        assert_eq!(of(&["1", "2", "30"]), Some(Decimal { scale: 0, least: 0 }));
        assert_eq!(of(&["1", "2.5", "0.125"]), Some(Decimal { scale: 3, least: 0 }));
        assert_eq!(of(&["1.0", "2.5", "0.125"]), Some(Decimal { scale: 3, least: 1 }));
        assert_eq!(of(&["1.00", "2.50", "0.12"]), Some(Decimal { scale: 2, least: 2 }));
        assert_eq!(of(&["1", "a"]), None);
        assert_eq!(of(&["a"]), None);
        assert_eq!(of(&[]), None);
        let mut many: Vec<&str> = vec!["0.5"; 100];
        many.push("none");
        assert_eq!(of(&many), Some(Decimal { scale: 1, least: 0 }));
    }

    proptest! {
        #[test]
        fn a_number_of_a_text_makes_the_text(
            written in "-?[0-9]{0,18}(\\.[0-9]{0,10})?",
            scale in 0..=MAX_SCALE,
            least in 0..=MAX_SCALE,
        ) {
            let decimal = Decimal { scale, least: least.min(scale) };
            if let Some(number) = decimal.parsed(&written) {
                prop_assert_eq!(text(decimal, number), written);
            }
        }

        #[test]
        fn a_float_of_a_number_is_what_is_read_of_its_text(
            number in -(1i64 << 53)..=1i64 << 53,
            scale in 0..=MAX_SCALE,
            least in 0..=MAX_SCALE,
        ) {
            let decimal = Decimal { scale, least: least.min(scale) };
            let floats = decimal.floats(&Int64Array::from(vec![number])).expect("a float");
            let read: f64 = text(decimal, number).parse().expect("a number");
            prop_assert_eq!(floats.value(0).to_bits(), read.to_bits());
        }

        #[test]
        fn a_text_of_a_number_is_read_as_it(
            number in -(1i64 << 53)..=1i64 << 53,
            scale in 0..=MAX_SCALE,
            least in 0..=MAX_SCALE,
        ) {
            let decimal = Decimal { scale, least: least.min(scale) };
            prop_assert_eq!(decimal.parsed(&text(decimal, number)), Some(number));
        }
    }
}
