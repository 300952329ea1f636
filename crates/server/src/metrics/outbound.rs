//! Calls to the outside: how they ended and how long they took.

use super::exposition::{Exposition, Family, Kind};
use super::histogram::Histogram;
use super::{LATENCIES, locked};
use engine::outside::CallFailure;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// Times of calls by outcome; the number of outcomes is fixed.
#[derive(Default)]
pub struct OutboundCalls(Mutex<BTreeMap<&'static str, Histogram>>);

impl OutboundCalls {
    /// Counts a call.
    pub fn add(&self, failure: Option<&CallFailure>, took: Duration) {
        let outcome = match failure {
            None => "answered",
            Some(CallFailure::Malformed) => "malformed",
            Some(CallFailure::Forbidden) => "forbidden",
            Some(CallFailure::Unreachable) => "unreachable",
            Some(CallFailure::Untrusted) => "untrusted",
            Some(CallFailure::TimedOut) => "timed-out",
            Some(CallFailure::TooLarge) => "too-large",
            Some(CallFailure::Busy) => "busy",
        };
        locked(&self.0).entry(outcome).or_insert_with(|| Histogram::new(LATENCIES)).add(took.as_secs_f64());
    }

    pub(super) fn show(&self, out: &mut Exposition) {
        let help = "Time of calls to other servers, by outcome.";
        let mut durations = Family::new("coffer_outbound_duration_seconds", Kind::Histogram, help);
        for (outcome, histogram) in locked(&self.0).iter() {
            durations.histogram(vec![("outcome", (*outcome).to_owned())], histogram.clone());
        }
        out.add(durations);
    }
}
