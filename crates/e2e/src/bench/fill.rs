//! Fills a running server with an exact number of live tokens, over many connections at the rate that it allows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::http::Request;
use crate::server::Server;

/// Connections that create tokens at a time; each waits for its answer.
const CONNECTIONS: u64 = 64;
/// The longest that filling one server may take: a peer that syncs each group of tokens makes a few hundred a second.
const FILL_MAX: Duration = Duration::from_secs(1500);
/// How often progress is printed.
const PROGRESS_EVERY: Duration = Duration::from_secs(20);
/// How often it is looked whether all connections are done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Creates `wanted` service tokens that live for a day, and shows of a sample that they do.
///
/// # Errors
/// If a token is refused, one of the sample is not live, or it takes too long.
pub(super) fn tokens(name: &str, server: &Server, wanted: u64) -> Outcome<()> {
    let start = Instant::now();
    let made = AtomicU64::new(0);
    let stopped = AtomicBool::new(false);
    let samples: Outcome<Vec<String>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let share = wanted / CONNECTIONS + u64::from(number < wanted % CONNECTIONS);
                let (made, stopped) = (&made, &stopped);
                scope.spawn(move || connection(server, share, made, stopped))
            })
            .collect();
        let mut printed = Instant::now();
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(LOOK_EVERY);
            if printed.elapsed() > PROGRESS_EVERY {
                printed = Instant::now();
                progress(name, made.load(Ordering::Relaxed), wanted, start);
            }
            if start.elapsed() > FILL_MAX {
                stopped.store(true, Ordering::Relaxed);
            }
        }
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(Failure::new("panicked"))));
        joined.filter_map(Outcome::transpose).collect()
    });
    let samples = samples?;
    progress(name, made.load(Ordering::Relaxed), wanted, start);
    if made.load(Ordering::Relaxed) != wanted {
        return Err(Failure::new(format!("{name}: fewer than {wanted} tokens were made in {FILL_MAX:?}")));
    }
    for token in samples {
        let answer = server.client.send(&Request::api("GET", "auth/token/lookup-self", &token))?;
        if answer.status != 200 {
            return Err(Failure::new(format!("{name}: a new token gives {}", answer.status)));
        }
    }
    Ok(())
}

/// Creates `share` tokens one after the other; gives the first.
fn connection(server: &Server, share: u64, made: &AtomicU64, stopped: &AtomicBool) -> Outcome<Option<String>> {
    let body = json!({"policies": ["default"], "ttl": "24h", "no_parent": true});
    let request = Request::api("POST", "auth/token/create", &server.root_token).with_json(&body);
    let mut connection = server.client.connect()?;
    let mut first = None;
    for _ in 0..share {
        if stopped.load(Ordering::Relaxed) {
            break;
        }
        let answer = connection.send(&request, true)?;
        if answer.status != 200 {
            return Err(Failure::new(format!("creating a token gives {}", answer.status)));
        }
        if first.is_none() {
            first = Some(answer.text_at("/auth/client_token")?);
        }
        made.fetch_add(1, Ordering::Relaxed);
    }
    Ok(first)
}

fn progress(name: &str, made: u64, wanted: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("  {name}: {made} of {wanted} tokens after {seconds:.0} s, {:.0} per second", made as f64 / seconds);
}
