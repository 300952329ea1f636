//! Keeps the open audit devices in step with the stored ones.

use crate::audit::{Device, DeviceError};
use crate::shell::Shell;
use engine::{Fault, Tx};
use kernel::audit::{self, AuditDevice, AuditHeaders};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Shell {
    /// Whether devices or headers changed since they were last opened.
    pub fn audit_changed(&self) -> bool {
        let now = self.log.snapshot().area_revision("root/audit").0;
        self.audit_revision.load(Ordering::Relaxed) != now
    }

    /// Opens what was enabled and closes what was disabled. A device that cannot be opened is logged and counts as
    /// broken: it is left out, and if it was the only one, requests fail until it opens.
    pub fn refresh_audit(&self) {
        let Some(open) = self.unsealed() else { return };
        let snapshot = self.log.snapshot();
        let revision = snapshot.area_revision("root/audit").0;
        let Ok(barrier) = open.barrier(snapshot.as_ref()) else { return };
        let mut tx = Tx::new(snapshot, barrier.clone());
        let (Ok(records), Ok(AuditHeaders(headers))) = (audit::devices(&mut tx), audit::headers(&mut tx)) else {
            tracing::error!("audit devices could not be read");
            return;
        };
        let records: Vec<AuditDevice> = self.declared_devices().chain(records).collect();
        let known = self.audit.devices();
        let mut devices = Vec::with_capacity(records.len());
        for record in &records {
            let same = known.iter().find(|device| device.uuid == record.uuid && device.options.headers == headers);
            match same.cloned().map_or_else(|| self.open_device(record, headers.clone(), &barrier), Ok) {
                Ok(device) => devices.push(device),
                Err(error) => {
                    tracing::error!(device = %record.path, error = %error, "audit device could not be opened");
                    devices.push(Arc::new(Device::broken(&record.path, &record.uuid)));
                }
            }
        }
        self.audit.replace(devices);
        self.audit_revision.store(revision, Ordering::Relaxed);
    }

    /// The devices of the configuration, which no request can disable.
    pub(crate) fn declared_devices(&self) -> impl Iterator<Item = AuditDevice> {
        self.config.audit.iter().map(|block| AuditDevice {
            path: block.path.clone(),
            kind: block.kind.clone(),
            description: block.description.clone(),
            options: block.options.clone(),
            local: false,
            uuid: format!("declared {}", block.path),
        })
    }

    /// Opens a device once, to see that its options are good.
    pub fn try_device(&self, kind: &str, options: &BTreeMap<String, String>) -> Result<(), Fault> {
        let key = engine::crypto::MacKey::new(&[0; 32]);
        let opened = Device::open("", "", kind, options, BTreeMap::new(), key, self.clock.clone());
        opened.map(drop).map_err(|error| Fault::invalid(error.to_string()))
    }

    fn open_device(
        &self,
        record: &AuditDevice,
        headers: BTreeMap<String, bool>,
        barrier: &barrier::Barrier,
    ) -> Result<Arc<Device>, DeviceError> {
        let key = barrier.derive(&format!("audit {}", record.uuid));
        Device::open(&record.path, &record.uuid, &record.kind, &record.options, headers, key, self.clock.clone())
            .map(Arc::new)
    }
}
