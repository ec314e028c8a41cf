//! The only place that reads the clock, and the conversions of its times to and from text. Every
//! other place is given a `Clock`, so that tests and the demo shop can set the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// A source of the time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that only moves when it is set; milliseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `now` until it is [`set`](Clock::set).
    pub fn manual(now: Timestamp) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(now.0)))
    }

    /// The time now, UTC.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
            Clock::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Clock::Manual(now) => Timestamp(now.load(Ordering::SeqCst)),
        }
    }

    /// Sets a manual clock; does nothing to the system clock.
    pub fn set(&self, now: Timestamp) {
        if let Clock::Manual(held) = self {
            held.store(now.0, Ordering::SeqCst);
        }
    }
}

/// `at` as RFC 3339, UTC, with milliseconds: `2026-11-23T09:00:00.000Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{moment:.3}")
}

/// The date at `at` in a time zone: `2026-11-23`. An unknown zone is UTC.
pub fn local_date(at: Timestamp, time_zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    moment.to_zoned(zone).date().to_string()
}

/// The local time at `at` in a time zone, for people: `23 Nov 2026 10:00`. An unknown zone is UTC.
pub fn local(at: Timestamp, time_zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    moment.to_zoned(zone).strftime("%-d %b %Y %H:%M").to_string()
}

/// When the day `days_on` days after `date` (`2026-11-23`) begins in a time zone.
pub fn day_start(date: &str, days_on: i8, time_zone: &str) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let day: jiff::civil::Date = date.parse().ok()?;
    let day = day.checked_add(jiff::Span::new().days(days_on)).ok()?;
    let start = day.to_zoned(zone).ok()?;
    Some(Timestamp(start.timestamp().as_millisecond()))
}

/// The moment of a local date and time (`2026-11-23T10:00`) in a time zone; the earlier one where
/// clocks are put back.
pub fn local_moment(text: &str, time_zone: &str) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let moment: jiff::civil::DateTime = text.parse().ok()?;
    let moment = moment.to_zoned(zone).ok()?;
    Some(Timestamp(moment.timestamp().as_millisecond()))
}

/// Parses an RFC 3339 time with any offset.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let dated = bytes.get(10).is_some_and(|b| matches!(b, b'T' | b't'));
    let in_full = bytes.get(16) == Some(&b':');
    let offset = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let zoned = matches!(offset, "Z" | "z") || is_numeric_offset(offset);
    if !(dated && in_full && zoned) {
        return None;
    }
    match text.parse::<jiff::Timestamp>() {
        // The library reads a leap second as the second before it. It is only valid at the end of
        // a UTC day.
        Ok(moment)
            if text.get(17..19) == Some("60")
                && moment.as_second().rem_euclid(DAY_S) != DAY_S - 1 =>
        {
            None
        }
        Ok(moment) => Some(Timestamp(moment.as_millisecond())),
        // People write the last days of 9999 for "never"; the library's last moment is before.
        Err(_) if text.starts_with("9999-12-3") => {
            let whole: jiff::civil::DateTime = text.get(..19)?.parse().ok()?;
            let last = jiff::Timestamp::MAX.as_millisecond();
            (whole.year() == 9999).then_some(Timestamp(last))
        }
        Err(_) => None,
    }
}

/// Parses a date of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110).
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

const DAY_S: i64 = 24 * 60 * 60;

/// `+hh:mm` or `-hh:mm`, below 24 hours; the library would accept 25.
fn is_numeric_offset(text: &str) -> bool {
    let below = |range: std::ops::Range<usize>, bound: u8| {
        text.get(range).and_then(|digits| digits.parse::<u8>().ok()).is_some_and(|n| n < bound)
    };
    let signed = text.starts_with(['+', '-']) && text.get(3..4) == Some(":");
    text.len() == 6 && signed && below(1..3, 24) && below(4..6, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_both_directions() {
        assert_eq!(rfc3339(Timestamp(1_795_000_000_007)), "2026-11-18T11:06:40.007Z");
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        let at = Some(Timestamp(1_795_000_000_000));
        assert_eq!(parse_rfc3339("2026-11-18T11:06:40Z"), at);
        assert_eq!(parse_rfc3339("2026-11-18T12:06:40.000000+01:00"), at);
        assert!(parse_rfc3339("9999-12-31T23:59:59Z").is_some());
        let leap = Some(Timestamp(1_483_228_799_000));
        assert_eq!(parse_rfc3339("2017-01-01T00:59:60+01:00"), leap);
        for wrong in [
            "2026-11-18T11:06:40+24:00",
            "2026-11-18T11:06:40+01:60",
            "2026-11-18T11:06:60Z",
            "9999-12-32T23:59:59Z",
            "2026-11-18",
            "2026-11-18T11:06:40",
            "2026-11-18T11:06:40[Europe/Oslo]",
            "2026-11-18T11:06:40+01:00[Europe/Oslo]",
            "2026-02-30T11:06:40Z",
            "2026-11-18T11:06Z",
            "2026-11-18T11:06:40+0100",
            "20261118T110640Z",
            "yesterday",
            "",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_read_on_the_shop_s_clocks() {
        let read = |text| local_moment(text, "Europe/Oslo").map(rfc3339);
        assert_eq!(read("2026-11-23T10:00").as_deref(), Some("2026-11-23T09:00:00.000Z"));
        assert_eq!(read("2026-07-01T10:00:05").as_deref(), Some("2026-07-01T08:00:05.000Z"));
        assert_eq!(read("2026-10-25T02:30").as_deref(), Some("2026-10-25T00:30:00.000Z"));
        assert_eq!(read("yesterday"), None);
    }
}
