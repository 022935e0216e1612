//! Parts of a time given in seconds since the epoch, in UTC, without leap seconds.

/// A civil date in the proleptic Gregorian calendar.
struct Date {
    year: i64,
    /// From 1.
    month: i64,
    /// From 1.
    day: i64,
}

const SECONDS_A_DAY: i64 = 86_400;

/// Days since the epoch; times beyond what the calendar can hold are cut.
fn day_number(seconds: f64) -> i64 {
    (seconds.clamp(-9e18, 9e18) as i64).div_euclid(SECONDS_A_DAY)
}

fn second_of_day(seconds: f64) -> i64 {
    (seconds.clamp(-9e18, 9e18) as i64).rem_euclid(SECONDS_A_DAY)
}

/// Counts in years that begin in March, so that a leap day is the last of its year.
fn date(day_number: i64) -> Date {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let from_march = day_number + 719_468;
    let (cycle, day) = (from_march.div_euclid(DAYS_IN_400_YEARS), from_march.rem_euclid(DAYS_IN_400_YEARS));
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Date {
        year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn of_date(seconds: f64, part: impl Fn(Date) -> i64) -> f64 {
    if seconds.is_nan() { f64::NAN } else { part(date(day_number(seconds))) as f64 }
}

pub(crate) fn year(seconds: f64) -> f64 {
    of_date(seconds, |date| date.year)
}

pub(crate) fn month(seconds: f64) -> f64 {
    of_date(seconds, |date| date.month)
}

pub(crate) fn day_of_month(seconds: f64) -> f64 {
    of_date(seconds, |date| date.day)
}

pub(crate) fn days_in_month(seconds: f64) -> f64 {
    of_date(seconds, |date| month_length(date.year, date.month))
}

pub(crate) fn day_of_year(seconds: f64) -> f64 {
    of_date(seconds, |date| {
        (1..date.month).map(|month| month_length(date.year, month)).sum::<i64>() + date.day
    })
}

/// 0 is Sunday. The epoch was a Thursday.
pub(crate) fn day_of_week(seconds: f64) -> f64 {
    if seconds.is_nan() { f64::NAN } else { (day_number(seconds) + 4).rem_euclid(7) as f64 }
}

pub(crate) fn hour(seconds: f64) -> f64 {
    if seconds.is_nan() { f64::NAN } else { (second_of_day(seconds) / 3_600) as f64 }
}

pub(crate) fn minute(seconds: f64) -> f64 {
    if seconds.is_nan() { f64::NAN } else { (second_of_day(seconds) / 60 % 60) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_far_and_near_are_right() {
        let cases = [
            (0.0, (1970, 1, 1, 4)),
            (951_782_400.0, (2000, 2, 29, 2)),
            (4_107_542_399.0, (2100, 2, 28, 0)),
            (4_107_542_400.0, (2100, 3, 1, 1)),
            (-86_400.0, (1969, 12, 31, 3)),
        ];
        for (seconds, expected) in cases {
            let found = (year(seconds), month(seconds), day_of_month(seconds), day_of_week(seconds));
            let (y, m, d, w) = expected;
            assert_eq!(found, (f64::from(y), f64::from(m), f64::from(d), f64::from(w)), "{seconds}");
        }
        assert!(year(f64::NAN).is_nan() && hour(f64::NAN).is_nan());
        assert!(year(f64::INFINITY).is_finite());
    }
}
