//! How many requests a client sends in a second.

use std::time::{Duration, Instant};

/// A rate with a burst: so many requests at once, then so many in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests in a second, more than 0.
    pub per_second: f64,
    /// Requests that may come at once, 1 or more.
    pub burst: u32,
}

impl Rate {
    /// From `RATE` or `RATE:BURST`; nothing for what is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (rate, burst) = text.split_once(':').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let per_second: f64 = rate.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0)?;
        let burst = match burst {
            Some(burst) => burst.parse().ok().filter(|burst| *burst > 0)?,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
            None => per_second.ceil() as u32,
        };
        Some(Self { per_second, burst })
    }

    /// Time between two requests.
    fn interval(self) -> Duration {
        Duration::try_from_secs_f64(1.0 / self.per_second).unwrap_or(Duration::MAX)
    }
}

/// When the next requests may be sent.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Rate,
    /// When the bucket of requests will be full again.
    full: Instant,
}

impl Pace {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full: Instant::now() }
    }

    /// Takes a request's turn; how long to wait for it.
    pub(crate) fn turn(&mut self, now: Instant) -> Duration {
        let interval = self.rate.interval();
        let full = self.full.max(now).checked_add(interval).unwrap_or(now);
        self.full = full;
        full.saturating_duration_since(now).saturating_sub(interval.saturating_mul(self.rate.burst))
    }
}
