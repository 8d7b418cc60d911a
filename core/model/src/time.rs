//! Instants and calendar dates. No clock is read here: `now` is always handed in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Vietnam keeps UTC+7 all year.
const VIETNAM_SECONDS: i32 = 7 * 3600;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// This instant moved by some minutes, which may be negative.
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes.saturating_mul(60_000)))
    }

    /// The calendar day in Vietnam.
    pub fn date(self) -> CalendarDate {
        let offset = FixedOffset::east_opt(VIETNAM_SECONDS);
        let utc = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        CalendarDate(
            offset.map_or_else(|| utc.date_naive(), |o| utc.with_timezone(&o).date_naive()),
        )
    }
}

#[cfg(feature = "uniffi")]
use std::time::{Duration, SystemTime};

#[cfg(feature = "uniffi")]
uniffi::custom_type!(Timestamp, SystemTime, {
    lower: |value| match u64::try_from(value.0) {
        Ok(ms) => SystemTime::UNIX_EPOCH + Duration::from_millis(ms),
        Err(_) => SystemTime::UNIX_EPOCH - Duration::from_millis(value.0.unsigned_abs()),
    },
    try_lift: |instant| {
        let (ms, negative) = match instant.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (after.as_millis(), false),
            Err(before) => (before.duration().as_millis(), true),
        };
        let ms = i64::try_from(ms)?;
        Ok(Timestamp(if negative { -ms } else { ms }))
    },
});

/// A day in the Gregorian calendar, without a time of day. Text form: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CalendarDate(NaiveDate);

impl CalendarDate {
    /// The day, if the calendar has it.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// Whole years from this day until `later`, as birthdays are counted.
    pub fn years_until(self, later: Self) -> u32 {
        later.0.years_since(self.0).unwrap_or(0)
    }

    /// Midnight at the beginning of this day in Vietnam.
    pub fn start(self) -> Timestamp {
        let midnight = self
            .0
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_millis();
        Timestamp(midnight - i64::from(VIETNAM_SECONDS) * 1000)
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }
}

impl fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }
}

/// A text that is no day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a calendar date")]
pub struct NotADate;

impl FromStr for CalendarDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        // A sign, a blank or a missing zero would be another spelling of the same day.
        let spelt_out = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !spelt_out {
            return Err(NotADate);
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(Self)
            .map_err(|_| NotADate)
    }
}

#[cfg(feature = "uniffi")]
uniffi::custom_type!(CalendarDate, String, {
    lower: |value| value.to_string(),
    try_lift: |text| Ok(text.parse::<CalendarDate>()?),
});

impl<Ctx> Encode<Ctx> for CalendarDate {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), encode::Error<W::Error>> {
        e.i32(self.0.num_days_from_ce())?.ok()
    }
}

impl<'b, Ctx> Decode<'b, Ctx> for CalendarDate {
    fn decode(d: &mut Decoder<'b>, _: &mut Ctx) -> Result<Self, decode::Error> {
        NaiveDate::from_num_days_from_ce_opt(d.i32()?)
            .map(Self)
            .ok_or_else(|| decode::Error::message("not a calendar date"))
    }
}

/// The instant a rule is applied at, and whether it may refuse by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Server time on the server; the phone's best guess on the phone.
    pub at: Timestamp,
    /// Only the server's clock refuses: a phone's may be years off, and nothing is dropped by a clock.
    pub authority: ClockAuthority,
}

/// Whose clock `now` came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockAuthority {
    /// May say "too late".
    Server,
    /// Never refuses by time.
    Phone,
}

impl Now {
    /// The server's instant.
    pub const fn server(at: Timestamp) -> Self {
        Self {
            at,
            authority: ClockAuthority::Server,
        }
    }

    /// A phone's guess.
    pub const fn phone(at: Timestamp) -> Self {
        Self {
            at,
            authority: ClockAuthority::Phone,
        }
    }

    /// Whether `limit` is over, as far as this clock may say so.
    pub fn is_past(self, limit: Timestamp) -> bool {
        matches!(self.authority, ClockAuthority::Server) && self.at > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_spelling() {
        let day = CalendarDate::new(2027, 1, 4).unwrap();
        assert_eq!("2027-01-04".parse(), Ok(day));
        assert_eq!(day.to_string(), "2027-01-04");
        for other in [
            "-7002-1-04",
            "2027-1-004",
            "+2027-1-04",
            " 2027-1-04",
            "2027-01-4 ",
            "2027-13-01",
        ] {
            assert_eq!(other.parse::<CalendarDate>(), Err(NotADate), "{other}");
        }
    }
}
