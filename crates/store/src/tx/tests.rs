//! What a limited list has to stay true of.

use super::*;
use crate::memory::MemoryLog;
use crate::{CipherError, CommitError, Log};
use std::sync::mpsc;

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

fn begin(log: &MemoryLog) -> Tx {
    Tx::new(log.snapshot(), Arc::new(Clear))
}

fn commit(log: &MemoryLog, tx: Tx) -> Result<Revision, CommitError> {
    let (send, receive) = mpsc::channel();
    log.submit(tx.into_commit(&mut |_| {}).unwrap(), Box::new(move |result| send.send(result).unwrap()));
    receive.recv().unwrap()
}

fn put(log: &MemoryLog, key: &str) {
    let mut tx = begin(log);
    tx.put("x/1", key, Vec::new());
    commit(log, tx).unwrap();
}

#[test]
fn a_list_that_its_limit_ended_conflicts_with_nothing_behind_its_end() {
    type Lister = fn(&mut Tx, &Page) -> Vec<String>;
    let listers: [Lister; 2] =
        [|tx, page| tx.scan("root/due/", page).unwrap(), |tx, page| tx.list("root/due/", page).unwrap()];
    for lister in listers {
        for (limit, added, conflicts) in [
            (Some(2), "root/due/5", false),
            (Some(2), "root/due/3", false),
            (Some(2), "root/due/15", true),
            (Some(2), "root/due/0", true),
            (Some(3), "root/due/5", true),
            (None, "root/due/5", true),
        ] {
            let log = MemoryLog::new();
            put(&log, "root/due/1");
            put(&log, "root/due/2");
            let mut tx = begin(&log);
            let found = lister(&mut tx, &Page { after: String::new(), limit });
            assert_eq!(found, ["1", "2"]);
            tx.put("x/1", "root/done/1", Vec::new());
            put(&log, added);
            let refused = matches!(commit(&log, tx), Err(CommitError::Conflict));
            assert_eq!(refused, conflicts, "{limit:?} {added}");
        }
    }
}

#[test]
fn a_fork_goes_on_from_where_it_was_made() {
    let log = MemoryLog::new();
    put(&log, "root/a/1");
    let fork = log.fork();
    put(&log, "root/a/2");
    put(&fork, "root/a/3");
    let keys = |log: &MemoryLog| begin(log).scan("root/a/", &Page::all()).unwrap();
    assert_eq!((keys(&log), keys(&fork)), (vec!["1".into(), "2".into()], vec!["1".into(), "3".into()]));
}
