//! The job that turns named keys when their time has come, and forgets public keys that verify nothing any more.

use super::signer::Signer;
use crate::Kx;
use crate::identity::keys;
use engine::{Fault, Page, Timestamp};

/// Keys turned in one activation: one of RSA costs some hundred milliseconds.
pub const KEYS_ROTATED_MAX: usize = 4;

/// Seconds that a key waits that holds as many public keys as it may.
const POSTPONED: i64 = 60;

/// Does what is due; how many keys, and when there is something to do next.
pub fn rotate_due(kx: &mut Kx) -> Result<(usize, Option<Timestamp>), Fault> {
    let page = Page { after: String::new(), limit: Some(KEYS_ROTATED_MAX + 1) };
    let entries = kx.tx.scan(keys::OIDC_DUE, &page)?;
    let mut done = 0;
    for entry in entries {
        let Some((at, namespace, name)) = parse(&entry) else {
            kx.tx.delete(&format!("{}{entry}", keys::OIDC_DUE));
            continue;
        };
        if at > kx.now || done >= KEYS_ROTATED_MAX {
            return Ok((done, Some(at.max(kx.now))));
        }
        // What is due of a key that is gone, or at another time, would come up for ever.
        kx.tx.delete(&format!("{}{entry}", keys::OIDC_DUE));
        turn(kx, namespace, name)?;
        done += 1;
    }
    Ok((done, None))
}

fn turn(kx: &mut Kx, namespace: &str, name: &str) -> Result<(), Fault> {
    if !kx.tx.exists(&keys::oidc_key(namespace, name))? {
        return Ok(());
    }
    let Some(mut signer) = Signer::load_in(&mut kx.cx.tx, namespace, name)? else { return Ok(()) };
    let now = kx.now;
    signer.key.drop_ended(now);
    if signer.key.rotates <= now && signer.key.is_full() {
        // Somebody turned it by hand that often; what it signed must stay verifiable, so it turns later.
        signer.key.rotates = now.plus_seconds(POSTPONED);
    } else if signer.key.rotates <= now {
        let ttl = signer.key.verification_ttl;
        signer.rotate(now, ttl, kx.cx.randomness.as_mut())?;
    }
    signer.save_in(&mut kx.cx.tx, namespace)
}

fn parse(entry: &str) -> Option<(Timestamp, &str, &str)> {
    let (at, rest) = entry.split_once('/')?;
    let (namespace, name) = rest.split_once('/')?;
    Some((Timestamp::from_nanoseconds(at.parse().ok()?), namespace, name))
}
