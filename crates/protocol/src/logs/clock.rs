//! Times of day become points in time: by their own offset from UTC, or by the zone of the log.

use jiff::civil;
use jiff::tz::TimeZone;
use model::Timestamp;

const DAY_SECONDS: i64 = 86_400;
const HOUR_SECONDS: i64 = 3_600;

/// A date and a time of day, as a log writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// Seconds of the day.
    pub(super) second: i64,
    pub(super) nanos: i64,
    /// Seconds east of UTC, where the log says so.
    pub(super) offset: Option<i64>,
}

/// Makes points in time of what logs write.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    zone: TimeZone,
    /// The last hour that the zone was asked about, and its offset: asking for every line costs more than the rest.
    known: Option<(i64, i64)>,
    /// The present time: what has no year gets the one that fits it.
    now: Timestamp,
}

impl Clock {
    /// Takes times without an offset as times of `zone`.
    pub(super) fn new(zone: TimeZone, now: Timestamp) -> Self {
        Self { zone, known: None, now }
    }

    /// What time it is.
    pub(super) fn set(&mut self, now: Timestamp) {
        self.now = now;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The point in time, if there is such a one.
    pub(super) fn at(&mut self, civil: Civil) -> Option<Timestamp> {
        let length = days_of_month(civil.year, civil.month)?;
        if !(1..=length).contains(&civil.day) || !(0..=DAY_SECONDS).contains(&civil.second) {
            return None;
        }
        let days = days_from_epoch(civil.year, civil.month, civil.day);
        let local = days * DAY_SECONDS + civil.second;
        let offset = match civil.offset {
            Some(offset) => offset,
            None => self.offset_at(&civil, local),
        };
        let nanos = (local - offset).checked_mul(1_000_000_000)?.checked_add(civil.nanos)?;
        Some(Timestamp::from_nanos(nanos))
    }

    fn offset_at(&mut self, civil: &Civil, local: i64) -> i64 {
        // No zone has changed its offset within a quarter of an hour twice.
        let quarter = local.div_euclid(900);
        if let Some((known, offset)) = self.known
            && known == quarter
        {
            return offset;
        }
        let offset = self.ask(civil).unwrap_or(0);
        self.known = Some((quarter, offset));
        offset
    }

    fn ask(&self, civil: &Civil) -> Option<i64> {
        let narrow = |number: i64| i8::try_from(number).ok();
        let date =
            civil::Date::new(i16::try_from(civil.year).ok()?, narrow(civil.month)?, narrow(civil.day)?);
        let second = civil.second.min(DAY_SECONDS - 1);
        let time =
            civil::Time::new(narrow(second / 3600)?, narrow(second / 60 % 60)?, narrow(second % 60)?, 0);
        let local = civil::DateTime::from_parts(date.ok()?, time.ok()?);
        let instant = self.zone.to_timestamp(local).ok()?;
        Some(i64::from(self.zone.to_offset(instant).seconds()))
    }

    /// The day of a second of the day that comes without one: today, or yesterday where that would be an hour ahead.
    pub(super) fn day_of(&self, second: i64) -> (i64, i64, i64) {
        let now = self.now.as_nanos().div_euclid(1_000_000_000);
        let offset = jiff::Timestamp::from_second(now)
            .map_or(0, |instant| i64::from(self.zone.to_offset(instant).seconds()));
        let local = now + offset;
        let is_ahead = second > local.rem_euclid(DAY_SECONDS) + HOUR_SECONDS;
        civil_of(local.div_euclid(DAY_SECONDS) - i64::from(is_ahead))
    }

    /// The year of a date that has none: the one that brings it nearest to the present, as far as a day ahead.
    pub(super) fn year_of(&self, month: i64, day: i64) -> i64 {
        let today = self.now.as_nanos().div_euclid(1_000_000_000 * DAY_SECONDS);
        let (year, ..) = civil_of(today);
        let is_ahead = days_from_epoch(year, month, day) > today + 1;
        let is_of_next = days_from_epoch(year + 1, month, day) <= today + 1;
        if is_of_next {
            year + 1
        } else if is_ahead {
            year - 1
        } else {
            year
        }
    }
}

fn days_of_month(year: i64, month: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days since the first of January 1970 of a date of the Gregorian calendar, by counting years from March.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since the first of January 1970.
fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (date, days) in
            [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2025, 8, 1), 20_301), ((1969, 12, 31), -1)]
        {
            let (year, month, day) = date;
            assert_eq!(days_from_epoch(year, month, day), days);
            assert_eq!(civil_of(days), date);
        }
    }

    #[test]
    fn a_time_without_an_offset_is_one_of_the_zone() {
        let berlin = jiff::tz::db().get("Europe/Berlin");
        // Where no zones are installed there is nothing to ask.
        let Ok(zone) = berlin else { return };
        let mut clock = Clock::new(zone, Timestamp::default());
        let summer = Civil { year: 2025, month: 8, day: 1, second: 23 * 3600 + 1800, nanos: 0, offset: None };
        assert_eq!(clock.at(summer).map(Timestamp::as_millis), Some(1_754_083_800_000));
        let winter = Civil { month: 1, ..summer };
        assert_eq!(clock.at(winter).map(|time| time.to_string()), Some("2025-01-01T22:30:00Z".to_owned()));
        assert_eq!(clock.at(Civil { month: 2, day: 30, ..summer }), None);
    }

    #[test]
    fn a_date_without_a_year_is_the_one_that_is_nearest() {
        let at = |text: &str| Clock::new(TimeZone::UTC, Timestamp::parse_rfc3339(text).expect("a time"));
        assert_eq!(at("2026-01-02T00:00:00Z").year_of(12, 31), 2025);
        assert_eq!(at("2026-01-02T00:00:00Z").year_of(1, 2), 2026);
        assert_eq!(at("2025-12-31T23:59:00Z").year_of(1, 1), 2026);
        assert_eq!(at("2025-12-31T12:00:00Z").year_of(11, 30), 2025);
    }
}
