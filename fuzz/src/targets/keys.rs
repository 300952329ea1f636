//! What keys protect: tokens, records of the barrier, the store's files, shares of the unseal key.

use barrier::{Barrier, Initialiser, Moment, ShareRequest};
use crypto::{SeededRandomness, shamir};
use engine::Randomness;
use kernel::registry::Keys;
use kernel::{Kernel, Settings, tokens};
use std::sync::{Arc, OnceLock};
use store::memory::MemoryLog;
use store::{Cipher, Log};

struct Open {
    barrier: Arc<Barrier>,
    kernel: Kernel,
}

/// A barrier and a kernel, made once from fixed randomness.
fn open() -> &'static Open {
    static OPEN: OnceLock<Open> = OnceLock::new();
    OPEN.get_or_init(|| {
        let how = Initialiser::Shamir(ShareRequest::new(1, 1, Vec::new()).expect("one share"));
        let log = MemoryLog::new();
        let mut randomness = SeededRandomness::new(0);
        let made = barrier::initialise(log.snapshot(), &how, kernel::keys::ROOT, Moment(0), &mut randomness);
        let (_, made) = made.expect("an empty store can be initialised");
        let keys = Keys { token: made.barrier.derive("token"), batch: made.barrier.derive_data_key("batch token") };
        Open { barrier: made.barrier, kernel: Kernel::new(Vec::new(), Settings::default(), keys) }
    })
}

/// No text that we did not make is a batch token; texts that differ have different hashes; the namespace that a token
/// names is a part of it.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let kernel = &open().kernel;
    for prefix in ["", "hvb.", "b."] {
        assert!(tokens::batch::open(kernel, &format!("{prefix}{text}")).is_none(), "{text:?} opens as a batch token");
    }
    let namespace = tokens::namespace_of(text);
    assert!(namespace == kernel::keys::ROOT || text.ends_with(namespace), "{text:?} is of {namespace:?}");
    let hash = tokens::hash(kernel, text);
    assert!(hash.len() == 64 && hash == tokens::hash(kernel, text));
    assert_ne!(hash, tokens::hash(kernel, &format!("{text}x")));
}

const KIND: &str = "fuzz/1";

/// A record opens to what was sealed, and with any change, at any other place or as any other kind not at all. Bytes that
/// nobody sealed are no record.
pub fn record(bytes: &[u8]) {
    let Open { barrier, .. } = open();
    let mut randomness = SeededRandomness::new(1);
    let mut fill = |buffer: &mut [u8]| randomness.fill(buffer);
    let key = "root/fuzz/a";
    assert!(barrier.open(key, KIND, bytes).is_err(), "nobody sealed this");
    let sealed = barrier.seal(&mut fill, key, KIND, bytes).expect("a value can be sealed");
    assert_eq!(barrier.open(key, KIND, &sealed).map(|plain| plain.to_vec()).as_deref(), Ok(bytes));
    assert!(barrier.open("root/fuzz/b", KIND, &sealed).is_err(), "it opens at another place");
    assert!(barrier.open(key, "fuzz/2", &sealed).is_err(), "it opens as another kind");
    // The input itself says where to change the record, and how.
    for (at, change) in bytes.iter().enumerate().take(64) {
        let mut changed = sealed.clone();
        let place = (at * 7 + usize::from(*change)) % changed.len();
        changed[place] ^= if *change == 0 { 1 } else { *change };
        assert!(barrier.open(key, KIND, &changed).is_err(), "it opens with byte {place} changed");
    }
    for length in [0, 1, sealed.len() / 2, sealed.len() - 1] {
        assert!(barrier.open(key, KIND, &sealed[..length]).is_err(), "it opens cut off at {length}");
    }
    assert!(barrier.open(key, KIND, &[sealed, vec![0]].concat()).is_err(), "it opens with a byte more");
}

/// Shares give the secret back, in any number from the threshold on and in any order; a share with any change never does.
/// Any bytes taken for shares give bytes or an error.
pub fn share(bytes: &[u8]) {
    if let Some(length) = bytes.first().map(|byte| usize::from(*byte).max(1)) {
        let pieces: Vec<&[u8]> = bytes[1..].chunks(length).take(33).collect();
        if let Ok(secret) = shamir::combine(&pieces) {
            assert_eq!(secret.len() + 1, length);
        }
    }
    let [count, threshold, place, change, secret @ ..] = bytes else { return };
    // Larger ones show nothing new and take their time.
    let (count, threshold) = (count % 33, threshold % 33);
    let secret = &secret[..secret.len().min(33)];
    let Ok(shares) = shamir::split(secret, &mut SeededRandomness::new(2), count, threshold) else { return };
    let mut shares: Vec<Vec<u8>> = shares.into_iter().map(|share| share.to_vec()).collect();
    shares.rotate_left(usize::from(*place) % usize::from(count));
    let enough: Vec<&[u8]> = shares.iter().take(usize::from(threshold)).map(Vec::as_slice).collect();
    assert_eq!(shamir::combine(&enough).map(|found| found.to_vec()).as_deref(), Ok(secret));
    let values = shares[0].len() - 1;
    let at = usize::from(*place) % values;
    shares[0][at] ^= (*change).max(1);
    let enough: Vec<&[u8]> = shares.iter().take(usize::from(threshold)).map(Vec::as_slice).collect();
    assert_ne!(shamir::combine(&enough).map(|found| found.to_vec()).as_deref(), Ok(secret), "a changed share fits");
}

/// A journal is read the same each time, its revisions rise, and what is cut off its end is missed or is all that is
/// missing: nothing else appears.
pub fn journal(bytes: &[u8]) {
    let Ok(commits) = store::local::image::read_journal(bytes) else { return };
    let revisions = |commits: &[(store::Revision, store::WriteBatch)]| -> Vec<u64> {
        commits.iter().map(|(revision, _)| revision.0).collect()
    };
    let all = revisions(&commits);
    for length in [bytes.len() / 2, bytes.len().saturating_sub(1)] {
        if let Ok(fewer) = store::local::image::read_journal(&bytes[..length]) {
            assert!(all.starts_with(&revisions(&fewer)), "a shorter journal tells another story");
        }
    }
    if let Some(last) = bytes.len().checked_sub(1)
        && bytes[last] != 0
    {
        let mut changed = bytes.to_vec();
        changed[last] ^= 1;
        if let Ok(others) = store::local::image::read_journal(&changed) {
            assert!(all.starts_with(&revisions(&others)) && others.len() < all.len(), "a changed byte goes unnoticed");
        }
    }
}

/// A replica's file is read or refused; what is read is in order, and no entry is newer than the whole.
pub fn replica(bytes: &[u8]) {
    let Ok((revision, entries)) = store::local::image::read_replica(bytes) else { return };
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "keys are in order");
    assert!(entries.iter().all(|(_, stored)| stored.modified <= revision), "an entry is newer than the whole");
}
