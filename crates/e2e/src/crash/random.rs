//! Death at a random moment under load from several clients.

use std::thread;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::{Findings, prepared, workload};
use crate::failure::{Failure, Outcome};
use crate::http::Client;
use crate::random::Random;
use crate::server::Settings;

/// Clients that load the server at once.
const CLIENTS: u64 = 6;

/// The latest moment of death after the load begins.
const LIFE_MS_MAX: u64 = 120;

/// Kills the server `kills` times; the moments follow from `seed`.
///
/// # Errors
/// If the machinery fails or `bound` is exceeded; faults of the server are findings.
pub fn at_random(settings: &Settings, kills: usize, seed: u64, bound: Duration) -> Outcome<Findings> {
    let start = Instant::now();
    let mut findings = Findings::default();
    let mut random = Random::of_seed(seed);
    let (mut server, _) = prepared(settings)?;
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(|number| Ledger::of_client(format!("c{number}"))).collect();
    for kill in 0..kills {
        if start.elapsed() > bound {
            return Err(Failure::new(format!("not done after {bound:?}, at kill {kill}")));
        }
        let life = Duration::from_millis(5 + random.below(LIFE_MS_MAX));
        let seeds: Vec<u64> = ledgers.iter().map(|_| random.next_word()).collect();
        thread::scope(|scope| {
            for (ledger, seed) in ledgers.iter_mut().zip(seeds) {
                let (client, root) = (server.client, server.root_token.clone());
                scope.spawn(move || load(client, &root, ledger, seed));
            }
            thread::sleep(life);
            server.process.kill();
        });
        let death = format!("seed {seed}, kill {kill} after {life:?}");
        if findings.judge(&mut server, &mut ledgers, &death).is_err() {
            return Ok(findings);
        }
        for ledger in &mut ledgers {
            ledger.trim(8);
        }
    }
    Ok(findings)
}

fn load(client: Client, root: &str, ledger: &mut Ledger, seed: u64) {
    let mut random = Random::of_seed(seed);
    let Ok(mut connection) = client.connect() else { return };
    while workload::random_step(ledger, &mut connection, root, &mut random) {}
}
