//! What every log has to do, as one suite that each of them runs: the one in memory, the embedded one with checkpoints so
//! small that each test crosses several, and each behind the decorator.

use crate::faulty::FaultyLog;
use crate::local::{LocalLog, LocalOptions};
use crate::memory::MemoryLog;
use crate::{
    Cipher, CipherError, Commit, CommitError, Log, Page, Plain, ReadSet, Revision, Snapshot, Tx, WriteBatch, prefix_end,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};

/// A log under test, and what is removed after it.
struct Subject {
    name: &'static str,
    log: Arc<dyn Log>,
    _folder: Option<tempfile::TempDir>,
}

fn subjects() -> Vec<Subject> {
    let local = || {
        let folder = tempfile::tempdir().unwrap();
        let options = LocalOptions { checkpoint_bytes: 2_000, segment_bytes: 16 << 10, ..LocalOptions::default() };
        let log = LocalLog::open(&folder.path().join("store"), options).unwrap();
        (Arc::new(log), Some(folder))
    };
    let ((plain, plain_folder), (decorated, decorated_folder)) = (local(), local());
    vec![
        Subject { name: "memory", log: Arc::new(MemoryLog::new()), _folder: None },
        Subject { name: "local", log: plain, _folder: plain_folder },
        Subject { name: "decorated memory", log: Arc::new(FaultyLog::new(Arc::new(MemoryLog::new()))), _folder: None },
        Subject { name: "decorated local", log: Arc::new(FaultyLog::new(decorated)), _folder: decorated_folder },
    ]
}

/// Leaves records as they are.
struct Clear;

impl Cipher for Clear {
    fn seal(
        &self,
        _: &mut dyn FnMut(&mut [u8]),
        _: &str,
        _: &'static str,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        Ok(plain.to_vec())
    }
    fn open(&self, _: &str, _: &'static str, record: &[u8]) -> Result<Plain, CipherError> {
        Ok(Plain::new(record.to_vec()))
    }
}

/// Hands in a commit and waits for the answer.
pub(crate) fn submit(log: &dyn Log, commit: Commit) -> Result<Revision, CommitError> {
    let (send, receive) = mpsc::channel();
    log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
    receive.recv().unwrap()
}

/// A commit that reads nothing and changes one key.
pub(crate) fn change(log: &dyn Log, key: &str, value: Option<&str>) -> Commit {
    commit(log.snapshot().revision(), &[], &[], &[(key, value)])
}

/// The value at a key, as text.
pub(crate) fn value(log: &dyn Log, key: &str) -> Option<String> {
    shown(log.snapshot().as_ref(), key)
}

fn shown(snapshot: &dyn Snapshot, key: &str) -> Option<String> {
    snapshot.get(key).unwrap().map(|stored| String::from_utf8(stored.value.to_vec()).unwrap())
}

fn commit(read_at: Revision, keys: &[&str], ranges: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Commit {
    let owned = |text: &str| text.to_owned();
    Commit {
        read_at,
        reads: ReadSet {
            keys: keys.iter().map(|key| owned(key)).collect(),
            ranges: ranges.iter().map(|(from, to)| (owned(from), owned(to))).collect(),
        },
        batch: WriteBatch {
            changes: changes
                .iter()
                .map(|(key, value)| (owned(key), value.map(|value| value.as_bytes().to_vec())))
                .collect(),
        },
    }
}

fn put(log: &dyn Log, key: &str, value: &str) -> Revision {
    submit(log, change(log, key, Some(value))).unwrap()
}

fn made(log: &dyn Log, key: &str, value: &str) {
    put(log, key, value);
}

fn delete(log: &dyn Log, key: &str) {
    submit(log, change(log, key, None)).unwrap();
}

/// Changes elsewhere, enough of them that a small log writes checkpoints.
fn noise(log: &dyn Log) {
    for number in 0..30 {
        put(log, &format!("noise/x/{number}"), &"n".repeat(200));
    }
}

fn entries(snapshot: &dyn Snapshot, from: &str, to: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut last = String::new();
    snapshot
        .visit(from, to, &mut |key, value, _| {
            assert!(last.as_str() < key, "{key} after {last}");
            last = key.to_owned();
            entries.insert(key.to_owned(), String::from_utf8(value.to_vec()).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    entries
}

#[test]
fn what_is_committed_is_seen_from_its_revision_on() {
    for Subject { name, log, .. } in subjects() {
        assert_eq!(log.snapshot().revision(), Revision(0), "{name}");
        let first = put(&*log, "a/b/1", "one");
        let before = log.snapshot();
        let second = put(&*log, "a/b/1", "two");
        assert!(second > first, "{name}");
        assert_eq!((shown(&*before, "a/b/1").as_deref(), value(&*log, "a/b/1").as_deref()), (Some("one"), Some("two")));
        assert_eq!(log.snapshot().get("a/b/1").unwrap().unwrap().modified, second, "{name}");
        delete(&*log, "a/b/1");
        noise(&*log);
        assert_eq!((shown(&*before, "a/b/1").as_deref(), value(&*log, "a/b/1")), (Some("one"), None), "{name}");
        assert_eq!(entries(&*before, "a/", "a0").len(), 1, "{name}");
        assert!(entries(&*log.snapshot(), "a/", "a0").is_empty(), "{name}");
    }
}

#[test]
fn a_read_that_is_no_longer_true_is_a_conflict() {
    type Meanwhile = fn(&dyn Log);
    let cases: [(&str, &str, Meanwhile, bool); 8] = [
        ("changed", "a/b/1", |log| made(log, "a/b/1", "other"), true),
        ("deleted", "a/b/1", |log| delete(log, "a/b/1"), true),
        ("made", "a/b/9", |log| made(log, "a/b/9", "new"), true),
        ("deleted and made again", "a/b/1", |log| (delete(log, "a/b/1"), made(log, "a/b/1", "one")).1, true),
        ("made and deleted again", "a/b/9", |log| (made(log, "a/b/9", "x"), delete(log, "a/b/9")).1, true),
        ("another key", "a/b/1", |log| made(log, "a/b/2", "other"), false),
        ("a longer key", "a/b/1", |log| made(log, "a/b/10", "other"), false),
        ("nothing", "a/b/1", |_| (), false),
    ];
    for (what, read, meanwhile, conflicts) in cases {
        for Subject { name, log, .. } in subjects() {
            put(&*log, "a/b/1", "one");
            let read_at = log.snapshot().revision();
            meanwhile(&*log);
            let outcome = submit(&*log, commit(read_at, &[read], &[], &[("a/b/result", Some("x"))]));
            assert_eq!(matches!(outcome, Err(CommitError::Conflict)), conflicts, "{name}: {what}");
            assert_eq!(value(&*log, "a/b/result").is_none(), conflicts, "{name}: {what}");
        }
    }
}

#[test]
fn a_phantom_in_a_range_is_a_conflict() {
    type Meanwhile = fn(&dyn Log);
    let cases: [(&str, Meanwhile, bool); 8] = [
        ("an entry more", |log| made(log, "a/b/15", "new"), true),
        ("an entry less", |log| delete(log, "a/b/2"), true),
        ("another value", |log| made(log, "a/b/2", "other"), true),
        ("at the beginning", |log| made(log, "a/b/", "new"), true),
        ("before the beginning", |log| made(log, "a/b", "new"), false),
        ("at the end", |log| made(log, "a/b0", "new"), false),
        ("in another area", |log| made(log, "a/c/15", "new"), false),
        ("in another namespace", |log| made(log, "b/b/15", "new"), false),
    ];
    for (what, meanwhile, conflicts) in cases {
        for Subject { name, log, .. } in subjects() {
            put(&*log, "a/b/1", "one");
            put(&*log, "a/b/2", "two");
            let read_at = log.snapshot().revision();
            meanwhile(&*log);
            for to in ["a/b0", &prefix_end("a/b/")] {
                let outcome = submit(&*log, commit(read_at, &[], &[("a/b/", to)], &[("z/z/result", Some("x"))]));
                assert_eq!(matches!(outcome, Err(CommitError::Conflict)), conflicts, "{name}: {what}, to {to}");
            }
        }
    }
}

#[test]
fn writes_alone_never_conflict_and_reads_alone_are_checked() {
    for Subject { name, log, .. } in subjects() {
        let read_at = log.snapshot().revision();
        put(&*log, "a/b/1", "one");
        assert!(submit(&*log, commit(read_at, &[], &[], &[("a/b/1", Some("two"))])).is_ok(), "{name}");
        assert!(matches!(submit(&*log, commit(read_at, &["a/b/1"], &[], &[])), Err(CommitError::Conflict)), "{name}");
        let before = log.snapshot().revision();
        assert!(submit(&*log, commit(before, &["a/b/1"], &[], &[])).is_ok(), "{name}");
        assert_eq!(log.snapshot().revision(), before, "{name}: a commit of nothing is no revision");
    }
}

#[test]
fn a_scope_keeps_its_holder_inside() {
    for Subject { name, log, .. } in subjects() {
        put(&*log, "a/data/one/secret", "mine");
        put(&*log, "a/data/two/secret", "theirs");
        put(&*log, "a/data/onerous", "near");
        let mut tx = Tx::new(log.snapshot(), Arc::new(Clear));
        tx.scoped("a/data/one/", |tx| {
            assert_eq!(tx.get("k", "secret").unwrap().unwrap().as_slice(), b"mine", "{name}");
            for outside in ["../two/secret", "a/data/two/secret", "/a/data/two/secret", "two/secret"] {
                assert!(tx.get("k", outside).unwrap().is_none(), "{name}: {outside}");
            }
            assert_eq!(tx.scan("", &Page::all()).unwrap(), ["secret"], "{name}");
            assert_eq!(tx.list("", &Page::all()).unwrap(), ["secret"], "{name}");
            tx.put("k", "new", b"x".to_vec());
            assert_eq!(tx.delete_all("").unwrap(), 2, "{name}");
            tx.put("k", "kept", b"y".to_vec());
        });
        submit(&*log, tx.into_commit(&mut |_| ()).unwrap()).unwrap();
        let left = entries(&*log.snapshot(), "a/", "a0");
        assert_eq!(left.into_keys().collect::<Vec<_>>(), ["a/data/one/kept", "a/data/onerous", "a/data/two/secret"]);
    }
}

#[test]
fn what_may_be_taken_once_is_taken_once() {
    for Subject { name, log, .. } in subjects() {
        put(&*log, "a/once/1", "\"it\"");
        let taken: usize = std::thread::scope(|scope| {
            let take = || {
                let mut tx = Tx::new(log.snapshot(), Arc::new(Clear));
                let found = tx.get("k", "a/once/1").unwrap().is_some();
                tx.delete("a/once/1");
                usize::from(found && submit(&*log, tx.into_commit(&mut |_| ()).unwrap()).is_ok())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1, "{name}");
    }
}

#[test]
fn no_increment_is_lost_among_many_writers() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 50;
    for Subject { name, log, .. } in subjects() {
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| (0..EACH).for_each(|_| increment(&*log)));
            }
        });
        assert_eq!(value(&*log, "a/count/er"), Some((WRITERS * EACH).to_string()), "{name}");
    }
}

fn increment(log: &dyn Log) {
    loop {
        let snapshot = log.snapshot();
        let count: u64 = shown(&*snapshot, "a/count/er").map_or(0, |text| text.parse().unwrap());
        let next = (count + 1).to_string();
        let changes = [("a/count/er", Some(next.as_str()))];
        match submit(log, commit(snapshot.revision(), &["a/count/er"], &[], &changes)) {
            Ok(_) => return,
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_area_tells_of_its_last_change_at_every_revision() {
    for Subject { name, log, .. } in subjects() {
        put(&*log, "a/b/1", "one");
        let before = log.snapshot();
        let quiet = before.area_revision("a/b");
        noise(&*log);
        assert_eq!(log.snapshot().area_revision("a/b"), quiet, "{name}: nothing in it changed");
        delete(&*log, "a/b/1");
        let after = log.snapshot();
        assert!(after.area_revision("a/b") > quiet && after.area_revision("a/b") <= after.revision(), "{name}");
        assert_eq!(before.area_revision("a/b"), quiet, "{name}: an older snapshot does not know");
    }
}

/// A history of random transactions against a map, with readers that stay behind.
#[test]
fn a_random_history_is_that_of_a_map() {
    for Subject { name, log, .. } in subjects() {
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |bound: u64| {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (word >> 33) % bound
        };
        let mut model: BTreeMap<String, String> = BTreeMap::new();
        let mut held = Vec::new();
        for step in 0..400 {
            let mut changes = BTreeMap::new();
            for _ in 0..=below(4) {
                let value = (below(3) > 0).then(|| format!("v{step}"));
                changes.insert(format!("a/b/{:02}", below(40)), value);
            }
            let list: Vec<_> = changes.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
            submit(&*log, commit(log.snapshot().revision(), &[], &[], &list)).unwrap();
            for (key, value) in changes {
                match value {
                    Some(value) => drop(model.insert(key, value)),
                    None => drop(model.remove(&key)),
                }
            }
            if below(20) == 0 {
                held.push((log.snapshot(), model.clone()));
            }
            if below(30) == 0 && !held.is_empty() {
                held.remove(0);
            }
            assert_eq!(entries(&*log.snapshot(), "a/b/", "a/b0"), model, "{name}: step {step}");
        }
        for (snapshot, model) in held {
            assert_eq!(entries(&*snapshot, "a/b/", "a/b0"), model, "{name}");
            assert_eq!(
                entries(&*snapshot, "a/b/10", "a/b/20").len(),
                model.range("a/b/10".to_owned().."a/b/20".to_owned()).count()
            );
        }
    }
}

#[test]
fn a_closed_log_takes_nothing_more() {
    for Subject { name, log, .. } in subjects() {
        put(&*log, "a/b/1", "one");
        log.close();
        log.close();
        assert!(matches!(submit(&*log, change(&*log, "a/b/2", Some("x"))), Err(CommitError::Stopped(_))), "{name}");
    }
}
