//! Runs seeds and says which of them show something wrong.
//!
//! `simulate [--seeds N] [--from N]` runs a row of seeds on all processors; `simulate --seed N` runs one.

#![forbid(unsafe_code)]

use sim::{Passed, Prepared, Violation, simulate};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Seeds of one gate.
const SEEDS: u64 = 10_000;
/// Violations that are printed.
const PRINTED_MAX: usize = 10;

#[derive(Default)]
struct Sum {
    passed: u64,
    events: u64,
    conflicts: u64,
    crashes: u64,
    violations: Vec<Violation>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let named = words.iter().skip_while(|word| *word != name).nth(1);
        named.and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("--seed") {
        Some(seed) => seed..seed + 1,
        None => {
            let from = number("--from").unwrap_or(0);
            from..from + number("--seeds").unwrap_or(SEEDS)
        }
    };
    let started = Instant::now();
    let sum = match all(seeds) {
        Ok(sum) => sum,
        Err(violation) => {
            println!("simulate: cannot begin: {violation}");
            return ExitCode::FAILURE;
        }
    };
    if words.iter().any(|word| word == "--seed") {
        sum.violations.iter().flat_map(|violation| &violation.history).for_each(|event| println!("{event}"));
    }
    for violation in sum.violations.iter().take(PRINTED_MAX) {
        println!("simulate: {violation}\n  again: cargo xtask simulate --seed {}", violation.seed);
    }
    println!(
        "simulate: {} events, {} transactions run again, {} crashes, {:.1} s",
        sum.events,
        sum.conflicts,
        sum.crashes,
        started.elapsed().as_secs_f64()
    );
    println!("simulate: {} passed, {} failed", sum.passed, sum.violations.len());
    if sum.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the seeds on all processors.
fn all(seeds: std::ops::Range<u64>) -> Result<Sum, Violation> {
    let prepared = Prepared::new()?;
    let next = AtomicU64::new(seeds.start);
    let sum = Mutex::new(Sum::default());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let result = simulate(&prepared, seed, None);
                    sum.lock().unwrap_or_else(PoisonError::into_inner).add(result);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.violations.sort_by_key(|violation| violation.seed);
    Ok(sum)
}

impl Sum {
    fn add(&mut self, result: Result<Passed, Violation>) {
        match result {
            Ok(passed) => {
                self.passed += 1;
                self.events += passed.events;
                self.conflicts += passed.conflicts;
                self.crashes += passed.crashes;
            }
            Err(violation) => self.violations.push(violation),
        }
    }
}
