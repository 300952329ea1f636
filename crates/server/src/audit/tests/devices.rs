//! The devices: what they refuse, what becomes of a line when one is full, blocked, removed or cut off.

use crate::audit::verify::verify;
use crate::audit::{Device, Phase, Shared, Trail};
use engine::crypto::MacKey;
use engine::{Fault, Headers, Input, Operation, Peer, Request, RequestPath};
use kernel::audit::AuditDevice;
use kernel::pipeline::Facts;
use std::collections::BTreeMap;
use std::io::{BufRead as _, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn device(kind: &str, options: &[(&str, &str)]) -> Arc<Device> {
    let record = AuditDevice {
        path: format!("{kind}/"),
        kind: kind.to_owned(),
        description: String::new(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        local: false,
        uuid: format!("{options:?}"),
    };
    Arc::new(Device::new(&record, MacKey::new(&[0; 32]), Arc::default()))
}

fn file(path: &Path) -> Arc<Device> {
    device("file", &[("file_path", path.to_str().unwrap())])
}

fn request(fields: serde_json::Value) -> Request {
    Request {
        id: "id".to_owned(),
        operation: Operation::Update,
        path: RequestPath::new("secret/data/x").unwrap(),
        namespace: None,
        token: None,
        input: Input { fields: fields.as_object().cloned().unwrap_or_default(), ..Input::default() },
        wrap_ttl: None,
        headers: Headers::default(),
        peer: Peer::default(),
        head: false,
    }
}

/// Stores an entry that a refused request leaves, which is two lines.
async fn record(trail: &Trail) -> bool {
    record_with(trail, serde_json::json!({ "password": "s3cr3t" })).await
}

async fn record_with(trail: &Trail, fields: serde_json::Value) -> bool {
    trail.record(&request(fields), &Facts::default(), Phase::Refusal(&Fault::Denied)).await.is_ok()
}

fn trail(devices: &[&Arc<Device>]) -> Trail {
    let trail = Trail::default();
    // What cannot be opened now is tried again with every entry.
    devices.iter().for_each(|device| drop(device.open()));
    trail.replace(devices.iter().copied().cloned().collect());
    trail
}

fn count(path: &Path) -> u64 {
    verify(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap().lines
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Waits for what another thread does, at most five seconds.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(5), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn s33_s34_options_that_turn_a_log_into_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let path = file.to_str().unwrap();
    assert!(device("file", &[("file_path", path)]).open().is_ok());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let link = link.to_str().unwrap();
    for bad in [
        vec![("file_path", path), ("prefix", "#!/bin/sh\n")],
        vec![("file_path", path), ("mode", "0755")],
        vec![("file_path", path), ("path", path)],
        vec![("file_path", path), ("filter", "password == x")],
        vec![("file_path", "/proc/self/mem")],
        vec![("path", "/proc/self/mem")],
        vec![("file_path", link)],
        vec![("path", link)],
        vec![],
    ] {
        assert!(device("file", &bad).open().is_err(), "{bad:?}");
    }
    assert!(device("nothing", &[]).open().is_err());
}

#[test]
fn a_file_gets_the_permissions_it_should_have() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let path = file.to_str().unwrap();
    let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    device("file", &[("file_path", path)]).open().unwrap();
    assert_eq!(mode(), 0o600);
    device("file", &[("file_path", path), ("mode", "0640")]).open().unwrap();
    assert_eq!(mode(), 0o640);
    device("file", &[("file_path", path), ("mode", "0000")]).open().unwrap();
    assert_eq!(mode(), 0o640);
    device("file", &[("file_path", path)]).open().unwrap();
    assert_eq!(mode(), 0o600);
}

#[tokio::test]
async fn a_device_with_wrong_options_stores_nothing_rather_than_letting_requests_through() {
    let wrong = device("file", &[("file_path", "discard"), ("mode", "0777")]);
    assert!(!record(&trail(&[&wrong])).await);
}

#[tokio::test]
async fn f08_a_full_device_fails_the_request_unless_another_takes_the_entry() {
    let full = device("file", &[("file_path", "/dev/full")]);
    let alone = trail(&[&full]);
    assert!(!record(&alone).await);
    assert!(alone.is_broken());
    assert_eq!((alone.counts(), full.counts()), ((0, 1), (0, 1)));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let both = trail(&[&full, &file(&log)]);
    assert!(record(&both).await);
    assert!(!both.is_broken() && full.is_broken());
    assert_eq!(count(&log), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn f09_a_pipe_without_a_reader_is_broken_until_it_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let piped = file(&pipe);
    let alone = trail(&[&piped]);
    assert!(!record(&alone).await);
    let mut reader =
        rustix::fs::open(&pipe, rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK, rustix::fs::Mode::empty())
            .map(std::fs::File::from)
            .unwrap();
    assert!(record(&alone).await, "it heals without a restart");
    let mut bytes = [0; 65_536];
    let read = reader.read(&mut bytes).unwrap();
    assert_eq!(verify(&bytes[..read]).unwrap().lines, 2);
    // Nobody reads any more: the pipe fills, and then the entry misses its deadline.
    let big = serde_json::json!({ "list": vec!["x"; 200] });
    let mut attempts = 0;
    let start = Instant::now();
    while record_with(&alone, big.clone()).await {
        attempts += 1;
        assert!(attempts < 100, "a pipe takes 64 KiB");
    }
    assert!(start.elapsed() < Duration::from_secs(4), "it missed a deadline of two seconds: {:?}", start.elapsed());
    assert!(piped.is_broken());
}

#[tokio::test(flavor = "multi_thread")]
async fn f09_a_peer_that_has_stopped_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let stuck = device("socket", &[("address", socket.to_str().unwrap()), ("socket_type", "unix")]);
    let log = folder.path().join("audit.log");
    let both = trail(&[&stuck, &file(&log)]);
    let big = serde_json::json!({ "list": vec!["x"; 500] });
    let (mut stored, mut slow) = (0, 0);
    for _ in 0..200 {
        let start = Instant::now();
        assert!(record_with(&both, big.clone()).await);
        stored += 2;
        slow += u32::from(start.elapsed() > Duration::from_millis(1_500));
    }
    assert!(stuck.is_broken());
    assert_eq!((count(&log), slow), (stored, 1), "one request waited for the deadline, the others for nothing");
    let (peer, _) = listener.accept().unwrap();
    let reading = std::thread::spawn(move || {
        let mut lines = std::io::BufReader::new(peer).lines();
        while lines.next().is_some_and(|line| line.is_ok()) {}
    });
    eventually("it heals when the peer reads again", || {
        futures_now(record(&both));
        !stuck.is_broken()
    });
    drop((both, stuck, listener));
    reading.join().unwrap();
}

/// Runs a future on a worker of the test's runtime.
fn futures_now(record: impl Future<Output = bool>) {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(record));
}

#[tokio::test]
async fn entries_of_requests_that_are_ready_together_go_into_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let one = Arc::new(trail(&[&file(&log)]));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn({
                let one = one.clone();
                async move { record(&one).await }
            })
        })
        .collect();
    // All of them have come as far as they can before the first comes back.
    assert_eq!(text(&log), "");
    tokio::task::yield_now().await;
    assert_eq!(text(&log), "", "none is written before the others had their chance");
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(count(&log), 200);
    assert_eq!(one.counts(), (100, 0));
}

#[tokio::test]
async fn an_entry_whose_request_was_given_up_is_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let one = trail(&[&file(&log)]);
    let mut given_up = Box::pin(record(&one));
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(given_up.as_mut().poll(context))).await;
    assert!(first.is_pending());
    assert_eq!(text(&log), "");
    drop(given_up);
    assert_eq!(count(&log), 2);
}

#[tokio::test]
async fn a_failed_write_fails_every_entry_of_its_group_and_leaves_the_chain_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let device = file(&log);
    let one = Arc::new(trail(&[&device]));
    assert!(record(&one).await);
    // A file that was removed is made anew; without its folder, it cannot be.
    let away = tempfile::tempdir().unwrap();
    std::fs::remove_file(&log).unwrap();
    std::fs::rename(folder.path(), away.path().join("elsewhere")).unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            tokio::spawn({
                let one = one.clone();
                async move { record(&one).await }
            })
        })
        .collect();
    for task in tasks {
        assert!(!task.await.unwrap());
    }
    assert!(one.is_broken());
    assert_eq!(one.counts(), (1, 10));
    std::fs::rename(away.path().join("elsewhere"), folder.path()).unwrap();
    assert!(record(&one).await);
    assert!(text(&log).contains("\"seq\":3,"), "what was not stored has no number");
}

#[tokio::test]
async fn f10_a_file_that_was_removed_is_made_anew_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let one = trail(&[&file(&log)]);
    assert!(record(&one).await);
    std::fs::remove_file(&log).unwrap();
    let start = Instant::now();
    while !log.exists() {
        assert!(record(&one).await);
        assert!(start.elapsed() < Duration::from_secs(1), "unlink was not noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = verify(text(&log).as_bytes()).unwrap().first;
    assert!(first > 2, "the chain went on at {first}");
}

#[tokio::test]
async fn f10_rotation_loses_no_line_and_the_chain_goes_on_in_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let one = trail(&[&file(&log)]);
    let mut whole = String::new();
    for round in 0..10 {
        assert!(record(&one).await);
        let moved = folder.path().join(format!("audit.log.{round}"));
        std::fs::rename(&log, &moved).unwrap();
        assert!(record(&one).await, "until it is told to reopen, it writes to the moved file");
        one.reopen();
        whole += &text(&moved);
    }
    let summary = verify(whole.as_bytes()).unwrap();
    assert_eq!((summary.lines, summary.first), (40, 1));
}

#[tokio::test]
async fn the_chain_goes_on_after_a_restart_also_when_the_last_line_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    assert!(record(&trail(&[&file(&log)])).await);
    assert!(record(&trail(&[&file(&log)])).await);
    assert_eq!(count(&log), 4);
    let whole = text(&log);
    std::fs::write(&log, whole.trim_end().get(..whole.len() - 30).unwrap()).unwrap();
    assert!(record(&trail(&[&file(&log)])).await);
    let lines = text(&log);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(count(&log), 6, "three whole ones, one that tells of the cut, two new ones");
    let recovery: serde_json::Value = serde_json::from_str(lines[3]).unwrap();
    assert_eq!(recovery["type"], "recovery");
    assert_eq!(
        recovery["cut_off"].as_str().unwrap(),
        &whole.lines().last().unwrap()[..whole.lines().last().unwrap().len() - 29]
    );
}

#[tokio::test]
async fn s35_a_raw_device_does_not_make_others_raw() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, hashed) = (folder.path().join("raw.log"), folder.path().join("hashed.log"));
    let raw_device = device("file", &[("file_path", raw.to_str().unwrap()), ("log_raw", "true")]);
    assert!(record(&trail(&[&raw_device, &file(&hashed)])).await);
    assert!(text(&raw).contains("s3cr3t"));
    assert!(!text(&hashed).contains("s3cr3t"));
    assert!(text(&hashed).contains("hmac-sha256:"));
}

#[tokio::test]
async fn a_filter_keeps_entries_from_its_device_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (all, some) = (folder.path().join("all.log"), folder.path().join("some.log"));
    let filtered = device("file", &[("file_path", some.to_str().unwrap()), ("filter", "operation == read")]);
    assert!(record(&trail(&[&filtered, &file(&all)])).await);
    assert_eq!((count(&all), text(&some).lines().count()), (2, 0));
}

#[tokio::test]
async fn headers_are_shown_as_configured_and_a_change_keeps_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let device = file(&log);
    let one = trail(&[&device]);
    let with_headers = Request {
        headers: [("x-team", "blue"), ("x-key", "k3y")].into_iter().collect(),
        ..request(serde_json::json!({}))
    };
    let store = async || one.record(&with_headers, &Facts::default(), Phase::Request).await.is_ok();
    assert!(store().await);
    device.show_headers(Arc::new(BTreeMap::from([("x-team".to_owned(), false), ("x-key".to_owned(), true)])));
    assert!(store().await);
    let text = text(&log);
    let lines: Vec<&str> = text.lines().collect();
    assert!(!lines[0].contains("headers"));
    let shown: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(shown["request"]["headers"]["x-team"][0], "blue");
    assert!(shown["request"]["headers"]["x-key"][0].as_str().unwrap().starts_with("hmac-sha256:"));
    assert_eq!(count(&log), 2);
}

#[tokio::test]
async fn both_entries_of_a_request_show_it_alike_on_each_device() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, hashed) = (folder.path().join("raw.log"), folder.path().join("hashed.log"));
    let raw_device = device("file", &[("file_path", raw.to_str().unwrap()), ("log_raw", "true")]);
    let trail = trail(&[&raw_device, &file(&hashed)]);
    let request = request(serde_json::json!({ "password": "s3cr3t" }));
    let mut shared = Shared::default();
    for phase in [Phase::Request, Phase::Failure(&Fault::Denied)] {
        assert!(trail.record_next(&request, &Facts::default(), phase, &mut shared).await.is_ok());
    }
    for (path, shown) in [(&raw, "s3cr3t"), (&hashed, "hmac-sha256:")] {
        let text = text(path);
        let parsed = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let [asked, answered]: [serde_json::Value; 2] = parsed.collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(asked["request"], answered["request"]);
        assert!(asked["request"]["data"]["password"].as_str().unwrap().starts_with(shown));
        assert_eq!((asked["type"].as_str(), answered["type"].as_str()), (Some("request"), Some("response")));
    }
}

#[tokio::test]
async fn a_file_is_whole_while_the_system_writes_it_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let trail = trail(&[&file(&log)]);
    let long = "x".repeat(1 << 20);
    for number in 0..10 {
        let facts = Facts { path: format!("secret/data/{number}/{long}"), ..Facts::default() };
        let request = request(serde_json::json!({}));
        assert!(trail.record(&request, &facts, Phase::Refusal(&Fault::Denied)).await.is_ok());
    }
    assert_eq!(count(&log), 20);
}
