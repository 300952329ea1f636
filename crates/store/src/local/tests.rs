//! The embedded log: what was acknowledged is there after any end, and damage is named.

use super::*;
use crate::{ReadSet, Revision, WriteBatch};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::mpsc;

/// Files that are quickly made.
fn small() -> LocalOptions {
    LocalOptions { segment_bytes: 64 << 10, ..LocalOptions::default() }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn open(&self) -> Result<LocalLog, OpenError> {
        LocalLog::open(self.0.path(), small())
    }

    fn journal(&self) -> std::path::PathBuf {
        let names = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut journals: Vec<_> =
            names.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("journal-")).collect();
        journals.sort();
        journals.pop().unwrap()
    }

    /// A copy of the folder as a kill would leave it.
    fn copy(&self) -> Folder {
        let copy = Folder::new();
        for entry in std::fs::read_dir(self.0.path()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, copy.0.path().join(path.file_name().unwrap())).unwrap();
        }
        copy
    }
}

fn commit_of(read_at: Revision, keys: &[&str], changes: &[(&str, Option<&str>)]) -> Commit {
    Commit {
        read_at,
        reads: ReadSet { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ranges: Vec::new() },
        batch: WriteBatch {
            changes: changes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.map(|value| value.as_bytes().to_vec())))
                .collect(),
        },
    }
}

fn submit(log: &dyn Log, commit: Commit) -> Result<Revision, CommitError> {
    let (send, receive) = mpsc::channel();
    log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
    receive.recv().unwrap()
}

fn put(log: &dyn Log, key: &str, value: &str) -> Revision {
    submit(log, commit_of(log.snapshot().revision(), &[], &[(key, Some(value))])).unwrap()
}

fn value(log: &dyn Log, key: &str) -> Option<String> {
    log.snapshot().get(key).unwrap().map(|stored| String::from_utf8(stored.value.to_vec()).unwrap())
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_after_a_close() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    for number in 0..100 {
        put(&log, &format!("a/b/{number:03}"), &format!("v{number}"));
    }
    submit(&log, commit_of(log.snapshot().revision(), &[], &[("a/b/007", None)])).unwrap();
    let killed = folder.copy();
    drop(log);
    for folder in [killed, folder] {
        let log = folder.open().unwrap();
        assert_eq!(log.snapshot().revision(), Revision(101));
        assert_eq!(value(&log, "a/b/042").as_deref(), Some("v42"));
        assert_eq!(value(&log, "a/b/007"), None);
        let mut seen = 0;
        log.snapshot()
            .visit("a/b/", "a/b0", &mut |_, _, _| {
                seen += 1;
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen, 99);
        assert_eq!(put(&log, "a/b/new", "x"), Revision(102));
    }
}

#[test]
fn conflicts_are_refused_also_within_one_group() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    let start = log.snapshot().revision();
    assert!(submit(&log, commit_of(start, &["k"], &[("k", Some("1"))])).is_ok());
    assert!(matches!(submit(&log, commit_of(start, &["k"], &[("k", Some("2"))])), Err(CommitError::Conflict)));
    assert_eq!(value(&log, "k").as_deref(), Some("1"));
}

#[test]
fn every_flipped_byte_of_an_acknowledged_commit_is_reported() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/1", "one");
    put(&log, "a/b/2", "two");
    let copy = folder.copy();
    let journal = copy.journal();
    let bytes = std::fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for (at, byte) in bytes.iter().enumerate().take(used) {
        let damaged = folder.copy();
        let file = std::fs::OpenOptions::new().write(true).open(damaged.journal()).unwrap();
        file.write_all_at(&[byte ^ 0x40], at as u64).unwrap();
        assert!(matches!(damaged.open(), Err(OpenError::Store(StoreError::Damaged(_)))), "byte {at}");
    }
}

/// A sector that reads as zeros looks like a place where nothing was ever written, but for what stands behind it.
#[test]
fn a_commit_that_became_zeros_is_reported() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/1", "one");
    let first = std::fs::read(folder.journal()).unwrap();
    let start = first.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    put(&log, "a/b/2", &"two".repeat(100));
    put(&log, "a/b/3", "three");
    let damaged = folder.copy();
    let file = std::fs::OpenOptions::new().write(true).open(damaged.journal()).unwrap();
    file.write_all_at(&[0; 200], start as u64).unwrap();
    assert!(image::read_journal(&std::fs::read(damaged.journal()).unwrap()).is_err());
    assert!(matches!(damaged.open(), Err(OpenError::Store(StoreError::Damaged(_)))));
}

#[test]
fn a_torn_write_that_was_never_acknowledged_is_cut_off() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/1", "one");
    let before = folder.copy();
    put(&log, "a/b/2", "two");
    let bytes = std::fs::read(folder.copy().journal()).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let whole = std::fs::read(before.journal()).unwrap();
    let first = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for end in first..used {
        let torn = before.copy();
        let file = std::fs::OpenOptions::new().write(true).open(torn.journal()).unwrap();
        file.write_all_at(&bytes[first..end], first as u64).unwrap();
        let log = torn.open().unwrap();
        assert_eq!(log.snapshot().revision(), Revision(1), "cut at {end}");
        assert_eq!(put(&log, "a/b/3", "three"), Revision(2));
        drop(log);
        assert_eq!(value(&torn.open().unwrap(), "a/b/3").as_deref(), Some("three"));
    }
}

#[test]
fn a_lost_tail_or_mark_is_reported() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/1", "one");
    let early = std::fs::read(folder.copy().journal()).unwrap();
    put(&log, "a/b/2", "two");
    let rolled_back = folder.copy();
    std::fs::write(rolled_back.journal(), early).unwrap();
    assert!(matches!(rolled_back.open(), Err(OpenError::Store(StoreError::Damaged(_)))));
    let unmarked = folder.copy();
    std::fs::remove_file(unmarked.0.path().join("high-water")).unwrap();
    assert!(unmarked.open().is_err());
}

struct Sum(u8);

impl ChainMac for Sum {
    fn mac(&self, previous: &[u8; 32], batch: &[u8]) -> [u8; 32] {
        let mut mac = *previous;
        for (at, byte) in batch.iter().enumerate() {
            mac[at % 32] = mac[at % 32].wrapping_mul(31).wrapping_add(*byte).wrapping_add(self.0);
        }
        mac
    }
}

#[test]
fn the_chain_is_verified_when_the_key_is_known() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/0", "unkeyed");
    log.arm(Arc::new(Sum(1))).unwrap();
    put(&log, "a/b/1", "one");
    put(&log, "a/b/2", "two");
    let killed = folder.copy();
    assert!(killed.copy().open().unwrap().arm(Arc::new(Sum(1))).is_ok());
    assert!(killed.open().unwrap().arm(Arc::new(Sum(2))).is_err());
    drop(log);
    let log = folder.open().unwrap();
    log.arm(Arc::new(Sum(1))).unwrap();
    put(&log, "a/b/3", "three");
    assert!(folder.copy().open().unwrap().arm(Arc::new(Sum(1))).is_ok());
}

#[test]
fn a_commit_without_the_key_is_noticed_after_one_with_it() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    log.arm(Arc::new(Sum(1))).unwrap();
    put(&log, "a/b/1", "one");
    let forged = folder.copy();
    let unarmed = forged.open().unwrap();
    put(&unarmed, "a/b/1", "forged");
    assert!(forged.copy().open().unwrap().arm(Arc::new(Sum(1))).is_err());
}

#[test]
fn checkpoints_change_nothing_that_is_seen() {
    let folder = Folder::new();
    let options = LocalOptions { checkpoint_bytes: 4_000, ..small() };
    let log = LocalLog::open(folder.0.path(), options).unwrap();
    for number in 0..600 {
        put(&log, &format!("a/b/{:03}", number % 100), &format!("v{number}"));
    }
    for number in 0..100 {
        assert_eq!(value(&log, &format!("a/b/{number:03}")), Some(format!("v{}", 500 + number)));
    }
    let killed = folder.copy();
    let reopened = killed.open().unwrap();
    assert_eq!(reopened.snapshot().revision(), Revision(600));
    assert_eq!(value(&reopened, "a/b/099").as_deref(), Some("v599"));
}

#[test]
fn s96_a_folder_that_others_can_read_is_refused() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    for entry in std::fs::read_dir(folder.0.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }
    std::fs::set_permissions(folder.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(folder.open(), Err(OpenError::Permissions(_))));
    let fresh = Folder::new();
    std::fs::create_dir(fresh.0.path().join("lost+found")).unwrap();
    std::fs::set_permissions(fresh.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let _log = fresh.open().unwrap();
    assert_eq!(fresh.0.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn one_folder_is_open_once() {
    let folder = Folder::new();
    let _log = folder.open().unwrap();
    assert!(matches!(folder.open(), Err(OpenError::InUse(_))));
}

#[test]
fn files_are_read_from_their_bytes() {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    put(&log, "a/b/1", "one");
    put(&log, "a/b/2", "two");
    let journal = std::fs::read(folder.journal()).unwrap();
    let commits = image::read_journal(&journal).unwrap();
    assert_eq!(commits.iter().map(|(revision, _)| revision.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(commits[1].1.changes, [("a/b/2".to_owned(), Some(b"two".to_vec()))]);
    assert!(image::read_journal(&journal[..60]).is_err());
    drop(log);
    let replica = std::fs::read(folder.0.path().join("replica.redb")).unwrap();
    let (revision, entries) = image::read_replica(&replica).unwrap();
    assert_eq!((revision, entries.len(), entries[0].0.as_str()), (Revision(2), 2, "a/b/1"));
    assert!(image::read_replica(b"not a replica").is_err());
}

/// A store that was closed, with some entries.
fn closed_store() -> (Folder, Vec<String>) {
    let folder = Folder::new();
    let log = folder.open().unwrap();
    let keys: Vec<String> = (0..300).map(|number| format!("a/policy/{number:03}")).collect();
    for key in &keys {
        put(&log, key, &"v".repeat(300));
    }
    drop(log);
    (folder, keys)
}

/// All keys, or what the store says of its damage.
fn read_all(folder: &Folder) -> Result<Vec<String>, String> {
    let log = folder.open().map_err(|error| error.to_string())?;
    let mut keys = Vec::new();
    let mut visit = |key: &str, _: &[u8], _| {
        keys.push(key.to_owned());
        std::ops::ControlFlow::Continue(())
    };
    log.snapshot().visit("a/", "a0", &mut visit).map_err(|error| error.to_string())?;
    Ok(keys)
}

#[test]
fn flipped_bytes_of_the_replica_are_reported_wherever_they_are() {
    let (folder, keys) = closed_store();
    let file = |folder: &Folder| folder.0.path().join("replica.redb");
    let bytes = std::fs::read(file(&folder)).unwrap();
    let mut reported = 0;
    for at in (0..bytes.len()).step_by(3067) {
        let damaged = folder.copy();
        let replica = std::fs::OpenOptions::new().write(true).open(file(&damaged)).unwrap();
        replica.write_all_at(&[bytes[at] ^ 0x10], at as u64).unwrap();
        match read_all(&damaged) {
            Ok(found) => assert_eq!(found, keys, "byte {at}: unused, or there twice"),
            Err(_) => reported += 1,
        }
    }
    assert!(reported > 10, "{reported}");
    // A key that is changed is not found where it was: without checksums nobody would miss it.
    let needle = b"a/policy/123";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    let damaged = folder.copy();
    let replica = std::fs::OpenOptions::new().write(true).open(file(&damaged)).unwrap();
    replica.write_all_at(b"x", (at + 2) as u64).unwrap();
    assert!(read_all(&damaged).unwrap_err().contains("damaged"));
}

#[test]
fn f05_a_full_disk_refuses_commits_and_stops_nothing() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    // No file system has room for a file of this size, so the journal cannot grow beyond what it has.
    let log = LocalLog::open(folder.0.path(), LocalOptions { segment_bytes: 1 << 62, ..small() }).unwrap();
    put(&log, "a/b/1", "one");
    let large = "x".repeat(100 << 10);
    let refused = submit(&log, commit_of(log.snapshot().revision(), &[], &[("a/b/2", Some(&large))]));
    assert!(matches!(refused, Err(CommitError::Full)), "{refused:?}");
    assert_eq!((value(&log, "a/b/1").as_deref(), value(&log, "a/b/2")), (Some("one"), None));
    assert_eq!(put(&log, "a/b/3", "three"), Revision(2), "a small one still fits");
    drop(log);
    assert_eq!(value(&folder.open().unwrap(), "a/b/3").as_deref(), Some("three"));
}
