//! How fast the embedded log commits: `commits FOLDER CLIENTS SECONDS [WORK_US]`. Each client hands in a commit of three
//! records, waits until it is durable, and begins again; all clients share one thread, as connections share a worker, and
//! preparing a commit takes `WORK_US` microseconds of it.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use store::local::{LocalLog, LocalOptions};
use store::{Commit, Log, ReadSet, Snapshot, WriteBatch};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (clients, seconds, work) = (number(2, 32), number(3, 5), Duration::from_micros(number(4, 0)));
    let folder = arguments.get(1).map_or("target/commits", String::as_str);
    let log = LocalLog::open(Path::new(folder), LocalOptions::default()).expect("the store opens");
    let (send, finished) = channel();
    let start = Instant::now();
    let before = processor_seconds();
    let mut made = 0;
    let mut under_way = 0;
    while under_way < clients || start.elapsed().as_secs() < seconds {
        if under_way >= clients {
            let result: Result<_, store::CommitError> = finished.recv().expect("the log answers");
            result.expect("nothing conflicts");
            under_way -= 1;
        }
        let began = Instant::now();
        while began.elapsed() < work {}
        let send = send.clone();
        log.submit(commit(log.snapshot().as_ref(), made), Box::new(move |result| drop(send.send(result))));
        made += 1;
        under_way += 1;
    }
    let (took, used) = (start.elapsed().as_secs_f64(), processor_seconds() - before);
    println!(
        "{clients} clients: {:.0} commits/s, {:.1} us of processor time each",
        made as f64 / took,
        used / made as f64 * 1e6
    );
    log.close();
}

fn commit(snapshot: &dyn Snapshot, number: u64) -> Commit {
    let name = format!("root/data/8d8f3a52-6c7d-4c3c-9f5b-2d0c4f6a7b8c/write/{}", number % 1000);
    let changes = vec![
        (format!("{name}/metadata"), Some(vec![7; 500])),
        (format!("{name}/version/{:08}", number / 1000), Some(vec![9; 300])),
        (format!("{name}/version/{:08}", (number / 1000).wrapping_sub(10)), None),
    ];
    let reads = ReadSet {
        keys: vec![format!("{name}/metadata"), "root/token/abc".to_owned()],
        ranges: vec![("root/mounts/".to_owned(), store::prefix_end("root/mounts/"))],
    };
    Commit { read_at: snapshot.revision(), reads, batch: WriteBatch { changes } }
}

/// Seconds of processor time that this process has used.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
