//! How many records of a kind are stored, counted anew only where something changed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::{Snapshot, StoreError, prefix_end};

/// A count that took longer than this is kept for [`SLOW_COUNT_AGE`], however much changes.
const SLOW_COUNT: Duration = Duration::from_millis(20);
/// How old the count of a large area may be.
const SLOW_COUNT_AGE: Duration = Duration::from_secs(60);

/// Counts by area of the store (`namespace/area`).
#[derive(Default)]
pub struct StoredCounts(Mutex<BTreeMap<String, Counted>>);

#[derive(Clone, Copy)]
struct Counted {
    revision: u64,
    count: u64,
    took: Duration,
    at: Instant,
}

impl StoredCounts {
    /// Records of an area in all namespaces.
    pub fn total(&self, snapshot: &dyn Snapshot, area: &str) -> Result<u64, StoreError> {
        let mut total = self.of_area(snapshot, &format!("{}/{area}", kernel::keys::ROOT))?;
        for namespace in namespaces(snapshot)? {
            total += self.of_area(snapshot, &format!("{namespace}/{area}"))?;
        }
        Ok(total)
    }

    fn of_area(&self, snapshot: &dyn Snapshot, area: &str) -> Result<u64, StoreError> {
        let revision = snapshot.area_revision(area).0;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(area).copied();
        if let Some(known) = known
            && (known.revision == revision || (known.took > SLOW_COUNT && known.at.elapsed() < SLOW_COUNT_AGE))
        {
            return Ok(known.count);
        }
        let begun = Instant::now();
        let folder = format!("{area}/");
        let mut count = 0;
        snapshot.visit(&folder, &prefix_end(&folder), &mut |_, _, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        let counted = Counted { revision, count, took: begun.elapsed(), at: Instant::now() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(area.to_owned(), counted);
        Ok(count)
    }
}

fn namespaces(snapshot: &dyn Snapshot) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::new();
    let folder = kernel::keys::NAMESPACES;
    snapshot.visit(folder, &prefix_end(folder), &mut |key, _, _| {
        ids.extend(key.strip_prefix(folder).filter(|id| *id != kernel::keys::ROOT).map(str::to_owned));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}
