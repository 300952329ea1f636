//! The audit trail: every request and every reply goes to every device before it has an effect, and a reply leaves only
//! for a [`Receipt`]. A device that blocks is declared broken after a deadline and stops nobody else; if no device can
//! store an entry, the request fails.

mod chain;
mod device;
mod entry;
mod file;
mod queue;
mod sinks;
#[cfg(test)]
mod tests;
pub mod verify;

pub use device::{Device, DeviceError, Options};
pub use entry::{Phase, hashed};

use arc_swap::ArcSwap;
use engine::Request;
use kernel::pipeline::Facts;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Proof that the entry of a reply is stored. Made here only.
pub struct Receipt(());

/// No device could store an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no audit device could store the entry")]
pub struct Unaudited;

/// All devices.
#[derive(Default)]
pub struct Trail {
    devices: ArcSwap<Vec<Arc<Device>>>,
    stored: AtomicU64,
    failed: AtomicU64,
}

impl Trail {
    /// Replaces the devices. Those that stay keep their files and their place in the chain.
    pub fn replace(&self, devices: Vec<Arc<Device>>) {
        self.devices.store(Arc::new(devices));
    }

    /// The devices.
    pub fn devices(&self) -> Arc<Vec<Arc<Device>>> {
        self.devices.load_full()
    }

    /// Opens all files again, after they were moved away.
    pub fn reopen(&self) {
        for device in self.devices.load().iter() {
            if let Err(error) = device.reopen() {
                tracing::error!(device = %device.path, error = %error, "audit device could not be reopened");
            }
        }
    }

    /// Entries stored, and entries that no device could store.
    pub fn counts(&self) -> (u64, u64) {
        (self.stored.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Stores an entry on every device that takes it; one success is enough.
    pub async fn record(&self, request: &Request, facts: &Facts, phase: Phase<'_>) -> Result<Receipt, Unaudited> {
        let devices = self.devices.load_full();
        if devices.is_empty() {
            return Ok(Receipt(()));
        }
        let mut stored = false;
        let mut wanted = false;
        for device in devices.iter().filter(|device| device.wants(request, facts)) {
            wanted = true;
            match device.write(entry::lines(device, request, facts, &phase)).await {
                Ok(()) => stored = true,
                Err(error) => device.report(&error),
            }
        }
        let counter = if stored || !wanted { &self.stored } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        if stored || !wanted { Ok(Receipt(())) } else { Err(Unaudited) }
    }
}
