//! The audit trail: every request and every reply goes to every device before it has an effect, and a reply leaves only
//! for a [`Receipt`]. A device that blocks is declared broken after a deadline and stops nobody else; if no device can
//! store an entry, the request fails.

mod chain;
mod device;
mod entry;
mod file;
mod filter;
mod queue;
mod sinks;
#[cfg(test)]
mod tests;
pub mod verify;

pub use device::{Device, DeviceError, Options, check_options, file_path};
pub use entry::{Phase, Shared, hashed};

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

    /// Whether there are devices and all of them are broken, so that requests fail.
    pub fn is_broken(&self) -> bool {
        let devices = self.devices.load();
        !devices.is_empty() && devices.iter().all(|device| device.is_broken())
    }

    /// Stores an entry on every device that takes it; one success is enough. Devices are written to at once. One that is
    /// known to be broken is not waited for, unless no other stores the entry.
    pub async fn record(&self, request: &Request, facts: &Facts, phase: Phase<'_>) -> Result<Receipt, Unaudited> {
        self.record_next(request, facts, phase, &mut Shared::default()).await
    }

    /// The same for one of several entries of a request, all with the same facts.
    pub async fn record_next(
        &self,
        request: &Request,
        facts: &Facts,
        phase: Phase<'_>,
        shared: &mut Shared,
    ) -> Result<Receipt, Unaudited> {
        let devices = self.devices.load_full();
        let wanting = || devices.iter().filter(|device| device.wants(request, facts));
        let mut lines = |device: &Arc<Device>| entry::lines(device, request, facts, &phase, shared);
        let (mut stored, mut wanted) = (false, false);
        let mut under_way = Vec::new();
        let mut broken = Vec::new();
        for device in wanting() {
            wanted = true;
            if device.is_broken() { broken.push(device) } else { under_way.push((device, device.begin(lines(device)))) }
        }
        // Files first: they are not to wait for what may block.
        let (files, others): (Vec<_>, Vec<_>) = under_way.into_iter().partition(|(_, pending)| pending.is_of_file());
        for (device, pending) in files.into_iter().chain(others) {
            stored |= device.end(pending).await;
        }
        if stored {
            broken.into_iter().for_each(|device| device.probe(lines(device)));
        } else {
            let under_way: Vec<_> = broken.into_iter().map(|device| (device, device.begin(lines(device)))).collect();
            for (device, pending) in under_way {
                stored |= device.end(pending).await;
            }
        }
        if !wanted {
            return Ok(Receipt(()));
        }
        let counter = if stored { &self.stored } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        if stored { Ok(Receipt(())) } else { Err(Unaudited) }
    }
}
