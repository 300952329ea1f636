//! Rotation: a new version by request, or by itself when the latest is older than the key's period. Keys that rotate by
//! themselves have an entry at `rotation/<time>/<name>`, so that the job looks only at what is due.

use super::keys;
use super::record::Key;
use engine::{Cx, Fault, Page, Timestamp};

const DUE: &str = "rotation/";

/// Adds a version.
pub(super) fn rotate(cx: &mut Cx, name: &str, key: &mut Key) -> Result<(), Fault> {
    keys::add_version(cx, name, key)?;
    // From now on it is one of ours.
    key.imported = false;
    let period = key.auto_rotate_period;
    schedule(cx, name, key, period)?;
    key.save(cx, name)
}

/// Sets the period, counted from now; 0 is never.
pub(super) fn schedule(cx: &mut Cx, name: &str, key: &mut Key, period: i64) -> Result<(), Fault> {
    forget(cx, name, key);
    key.auto_rotate_period = period;
    key.rotation_due = (period > 0).then(|| cx.now.plus_seconds(period));
    if let Some(due) = key.rotation_due {
        cx.tx.put("transit-rotation/1", &place(due, name), Vec::new());
    }
    Ok(())
}

/// Forgets when it would rotate.
pub(super) fn forget(cx: &mut Cx, name: &str, key: &Key) {
    if let Some(due) = key.rotation_due {
        cx.tx.delete(&place(due, name));
    }
}

/// Rotates what is due, at most `limit` keys; returns how many.
pub(super) fn rotate_due(cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
    let page = Page { after: String::new(), limit: Some(limit.min(ROTATED_MAX)) };
    let mut done = 0;
    for entry in cx.tx.scan(DUE, &page)? {
        let Some((time, name)) = entry.split_once('/') else { continue };
        if time > cx.now.sort_key().as_str() {
            break;
        }
        done += 1;
        match Key::load(cx, name)? {
            Some(known) if !known.soft_deleted && (!known.imported || known.allow_imported_key_rotation) => {
                rotate(cx, name, &mut (*known).clone())?;
            }
            Some(known) => {
                // In the bin, or not ours to rotate: asked again after another period.
                let mut key = (*known).clone();
                let period = key.auto_rotate_period;
                schedule(cx, name, &mut key, period)?;
                key.save(cx, name)?;
            }
            None => cx.tx.delete(&format!("{DUE}{entry}")),
        }
    }
    Ok(done)
}

/// Most keys that rotate in one transaction: a key pair of RSA costs up to seconds.
const ROTATED_MAX: usize = 4;

fn place(due: Timestamp, name: &str) -> String {
    format!("{DUE}{}/{name}", due.sort_key())
}
