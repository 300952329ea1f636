//! What the parts of the shell share: the log, the clock, the trail, and whether the node is unsealed.

use crate::audit::Trail;
use crate::clock::Clock;
use crate::config::Config;
use crate::cors::CorsRules;
use crate::http::BodyBudget;
use crate::limiter::Limiter;
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::traces::Traces;
use arc_swap::{ArcSwap, ArcSwapOption};
use barrier::Barrier;
use barrier::ceremony::Unsealing;
use engine::Fault;
use kernel::registry::Keys;
use kernel::{Ceremonies, Effect, Kernel};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::{Log, Snapshot};
use tokio::sync::{Notify, Semaphore};

/// The shell of one node.
pub struct Shell {
    /// Orders and keeps commits.
    pub log: Arc<dyn Log>,
    /// Time.
    pub clock: Arc<Clock>,
    /// Audit devices.
    pub audit: Trail,
    /// Counters.
    pub metrics: Metrics,
    /// Where traces go.
    pub traces: Traces,
    /// The way out.
    pub outbound: Outbound,
    /// Rate limits.
    pub limiter: Limiter,
    /// Origins that browsers may call from.
    pub cors: CorsRules,
    /// Memory for bodies of requests.
    pub bodies: BodyBudget,
    /// Turns for heavy requests.
    pub heavy: Semaphore,
    /// The configuration.
    pub config: Config,
    /// Shares given so far.
    pub unsealing: Mutex<Unsealing>,
    /// Ceremonies under way.
    pub ceremonies: Mutex<Ceremonies>,
    /// The turn of the one request that may change a ceremony.
    pub ceremony_turn: Arc<Semaphore>,
    /// Wakes the ticker: something may be due earlier than it thought.
    pub wake: Notify,
    /// Asks the process to stop.
    pub stop: Notify,
    /// Asks to read files again.
    pub reload: Notify,
    /// The revision of the audit area that the open devices fit.
    pub audit_revision: AtomicU64,
    unsealed: ArcSwapOption<Unsealed>,
}

/// What exists only while unsealed. Dropping it, when the last request is done, wipes the keys and all derived values.
pub struct Unsealed {
    /// Registry and memory.
    pub kernel: Arc<Kernel>,
    barrier: ArcSwap<Barrier>,
    /// The newest revision that the barrier was seen to fit, plus one; written after the barrier is.
    fitting: AtomicU64,
}

impl Shell {
    /// A sealed node.
    pub fn new(log: Arc<dyn Log>, config: Config) -> Self {
        Self {
            log,
            clock: Arc::default(),
            audit: Trail::default(),
            metrics: Metrics::default(),
            traces: Traces::default(),
            outbound: Outbound::default(),
            limiter: Limiter::default(),
            cors: CorsRules::default(),
            bodies: BodyBudget::default(),
            heavy: Semaphore::new(1),
            config,
            unsealing: Mutex::default(),
            ceremonies: Mutex::default(),
            ceremony_turn: Arc::new(Semaphore::new(1)),
            wake: Notify::new(),
            stop: Notify::new(),
            reload: Notify::new(),
            audit_revision: AtomicU64::new(0),
            unsealed: ArcSwapOption::empty(),
        }
    }

    /// What exists while unsealed.
    pub fn unsealed(&self) -> Option<Arc<Unsealed>> {
        self.unsealed.load_full()
    }

    /// Opens the node with a lifted barrier.
    pub fn unseal(&self, barrier: Arc<Barrier>) -> Result<(), Fault> {
        self.log.arm(barrier.chain_mac())?;
        let keys = Keys { token: barrier.derive("token"), batch: barrier.derive_data_key("batch token") };
        let kernel = Arc::new(Kernel::new(engines::all(), self.config.settings.clone(), keys));
        // A step that ended while the node was being sealed may have left its ceremony behind.
        *lock(&self.ceremonies) = Ceremonies::default();
        let unsealed = Unsealed { kernel, barrier: ArcSwap::new(barrier), fitting: AtomicU64::new(0) };
        self.unsealed.store(Some(Arc::new(unsealed)));
        self.refresh_audit();
        self.wake.notify_one();
        Ok(())
    }

    /// Seals the node: requests under way finish, later ones find it sealed.
    pub fn seal(&self) {
        self.unsealed.store(None);
        *lock(&self.unsealing) = Unsealing::default();
        *lock(&self.ceremonies) = Ceremonies::default();
        tracing::info!("node is sealed");
    }

    /// Carries out what a committed request asked of the node.
    pub async fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Seal => self.seal(),
                Effect::Ceremonies { next, .. } => *lock(&self.ceremonies) = *next,
                // The node holds no leadership: every node serves.
                Effect::StepDown => {}
                Effect::LogLevel { name, level } => self.set_log_level(&name, level.as_deref()),
                Effect::Reload { subsystem } => {
                    tracing::info!(%subsystem, "reload asked for");
                    self.reload.notify_one();
                }
            }
        }
    }
}

impl Unsealed {
    /// A snapshot and the barrier that fits it. The barrier is looked at first, so that it is never newer than the
    /// snapshot: one that has forgotten a namespace or a term since would not open what the snapshot still holds.
    pub fn view(&self, log: &dyn Log) -> Result<(Arc<dyn Snapshot>, Arc<Barrier>), Fault> {
        let (fits, known) = self.known();
        let snapshot = log.snapshot();
        let barrier = self.fitted(fits, known, snapshot.as_ref())?;
        Ok((snapshot, barrier))
    }

    /// The barrier that fits a snapshot. Fails when the unseal key was changed elsewhere, which only a new unseal mends.
    pub fn barrier(&self, snapshot: &dyn Snapshot) -> Result<Arc<Barrier>, Fault> {
        let (fits, known) = self.known();
        self.fitted(fits, known, snapshot)
    }

    /// The barrier last used, and one more than the revision that it is known to fit.
    fn known(&self) -> (u64, Arc<Barrier>) {
        // Read before the barrier: what was stored by the time this was written is what is found.
        let fits = self.fitting.load(Ordering::Acquire);
        (fits, self.barrier.load_full())
    }

    fn fitted(&self, fits: u64, known: Arc<Barrier>, snapshot: &dyn Snapshot) -> Result<Arc<Barrier>, Fault> {
        let this = snapshot.revision().0.saturating_add(1);
        if fits == this {
            return Ok(known);
        }
        let fitting = match known.refresh(snapshot) {
            Ok(None) => known,
            Ok(Some(fresh)) => {
                // Only over the one it was made from: a barrier that was prepared for a new unseal key meanwhile stays.
                let before = self.barrier.compare_and_swap(&known, fresh.clone());
                if !Arc::ptr_eq(&before, &known) {
                    return Ok(fresh);
                }
                fresh
            }
            Err(error) => return Err(Fault::internal(error.to_string())),
        };
        self.fitting.store(this, Ordering::Release);
        Ok(fitting)
    }

    /// Prepares for a commit that changes the unseal key: the barrier in use will follow into `next`.
    pub fn expect(&self, next: &Arc<Barrier>) {
        self.barrier.rcu(|known| known.expecting(next.clone()));
    }

    /// The barrier last used.
    pub fn latest_barrier(&self) -> Arc<Barrier> {
        self.barrier.load_full()
    }
}

/// Locks what no panic leaves half changed: every holder replaces the whole value.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
