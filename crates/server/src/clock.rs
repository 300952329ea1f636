//! The one place that reads the clock.

use engine::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time that never runs backwards within a process, so that what ended stays ended when the clock is set
/// back (security decision D15).
#[derive(Default)]
pub struct Clock {
    latest: AtomicI64,
}

impl Clock {
    /// The present moment, or the latest one seen if the wall clock went back behind it.
    pub fn now(&self) -> Timestamp {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
        let before = self.latest.fetch_max(wall, Ordering::Relaxed);
        Timestamp::from_nanoseconds(wall.max(before))
    }
}
