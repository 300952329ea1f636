//! Time stamps: the one form in which time passes between our parts and over the wire.

use serde::{Deserialize, Serialize};

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z. Domain code gets it as a parameter and never asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct TimestampError;

const NANOSECONDS: i64 = 1_000_000_000;

impl Timestamp {
    /// The epoch, which upstream prints as its zero time where one is asked for.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// From nanoseconds since the epoch.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// From whole seconds since the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOSECONDS))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOSECONDS)
    }

    /// This moment plus so many seconds; saturates.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(NANOSECONDS)))
    }

    /// Whole seconds from `self` until `later`, rounded up, never negative: the time to live that a client is told.
    pub const fn seconds_until(self, later: Timestamp) -> i64 {
        let left = later.0.saturating_sub(self.0);
        if left <= 0 { 0 } else { (left - 1) / NANOSECONDS + 1 }
    }

    /// RFC 3339 in UTC with the trailing zeros of the nanoseconds cut, as Go prints it.
    pub fn to_rfc3339(self) -> String {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => moment.to_string(),
            Err(_) => "0001-01-01T00:00:00Z".to_owned(),
        }
    }

    /// Reads RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        i64::try_from(moment.as_nanosecond()).map(Self).map_err(|_| TimestampError)
    }

    /// Twenty digits that sort as time does: the form that stands in index keys.
    pub fn sort_key(self) -> String {
        format!("{:020}", self.0.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        let moment = Timestamp::parse_rfc3339("2026-11-24T13:27:48.120Z").unwrap();
        assert_eq!(moment.to_rfc3339(), "2026-11-24T13:27:48.12Z");
        assert_eq!(Timestamp::from_seconds(0).to_rfc3339(), "1970-01-01T00:00:00Z");
        assert!(Timestamp::from_seconds(9).sort_key() < Timestamp::from_seconds(10).sort_key());
    }

    #[test]
    fn time_left_is_rounded_up_and_never_negative() {
        let now = Timestamp::from_seconds(100);
        assert_eq!(now.seconds_until(Timestamp::from_nanoseconds(100 * NANOSECONDS + 1)), 1);
        assert_eq!(now.seconds_until(Timestamp::from_seconds(99)), 0);
    }
}
