//! The ticker's work on the barrier's keys, on a whole shell.

use super::*;
use crate::config::Config;
use crate::seal;
use barrier::{Initialiser, ShareRequest};
use store::memory::MemoryLog;

async fn node() -> (Arc<Shell>, Arc<Unsealed>) {
    let shell = Arc::new(Shell::new(Arc::new(MemoryLog::new()), Config::development("127.0.0.1:0")));
    let how = Initialiser::Shamir(ShareRequest::new(1, 1, Vec::new()).unwrap());
    let made = seal::initialise(&shell, &how, None).await.unwrap();
    for share in made.issued.shares {
        seal::give_share(&shell, share).unwrap();
    }
    let unsealed = shell.unsealed().unwrap();
    (shell, unsealed)
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_key_that_is_used_up_is_replaced_and_old_records_come_under_the_new_one() {
    run(async {
        let (shell, unsealed) = node().await;
        let mut work = KeyWork::default();
        assert_eq!(work.go_on(&shell, &unsealed).await, SLEEP_MAX, "nothing is due");
        assert_eq!(unsealed.latest_barrier().key_status().term, 1);
        unsealed.latest_barrier().usage_recorded(barrier::OPERATIONS_MAX);

        let mut work = KeyWork::default();
        let mut steps = 1;
        while work.go_on(&shell, &unsealed).await != SLEEP_MAX {
            steps += 1;
            assert!(steps < 100, "the pass does not end");
        }
        let arrival = arrival(&shell, &unsealed).unwrap();
        assert_eq!(arrival.barrier.key_status().term, 2);
        let pass = key_jobs::begin(&arrival).unwrap();
        let again = key_jobs::reencrypt(arrival, &pass, 10_000).unwrap();
        assert!(again.commit.is_none() && again.next.is_none(), "a record of the old key is left");
    });
}

#[test]
fn encryptions_are_counted_in_the_store_before_many_of_them_can_be_lost() {
    run(async {
        let (shell, unsealed) = node().await;
        let barrier = unsealed.latest_barrier();
        for _ in 0..2_000 {
            store::Cipher::seal(barrier.as_ref(), &mut |bytes| bytes.fill(1), "root/x/y", "test/1", b"").unwrap();
        }
        KeyWork::default().go_on(&shell, &unsealed).await;
        let (left, _) = barrier.unrecorded_usage();
        assert!(left < 100, "{left}");
        assert!(barrier.key_status().encryptions >= 2_000);
    });
}
