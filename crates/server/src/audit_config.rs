//! Keeps the open audit devices in step with the stored ones.

use crate::audit::{Device, file_path};
use crate::config::Storage;
use crate::shell::Shell;
use engine::{Fault, Tx};
use kernel::audit::{self, AuditDevice, AuditHeaders};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Shell {
    /// Whether devices or headers changed since they were last opened.
    pub fn audit_changed(&self) -> bool {
        let now = self.log.snapshot().area_revision("root/audit").0;
        self.audit_revision.load(Ordering::Relaxed) != now
    }

    /// Opens what was enabled and closes what was disabled. A device that cannot be opened is logged and tried again with
    /// every entry: if it is the only one, requests fail until it opens.
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
        let headers = Arc::new(headers);
        let mut devices = Vec::with_capacity(records.len());
        for record in &records {
            // A device that stays keeps its file and its place in the chain, whatever else changed.
            let same = known.iter().find(|device| device.uuid == record.uuid).cloned();
            let device = same.unwrap_or_else(|| self.device(record, &barrier));
            device.show_headers(headers.clone());
            devices.push(device);
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

    /// Opens a device once, to see that its options are good and that its file is nobody else's.
    pub fn try_device(&self, kind: &str, options: &BTreeMap<String, String>) -> Result<(), Fault> {
        self.check_outside_storage(options)?;
        let key = engine::crypto::MacKey::new(&[0; 32]);
        let record = AuditDevice {
            path: String::new(),
            kind: kind.to_owned(),
            description: String::new(),
            options: options.clone(),
            local: false,
            uuid: String::new(),
        };
        let device = Device::new(&record, key, self.clock.clone());
        device.open().map_err(|error| Fault::invalid(error.to_string()))?;
        if kind == "file"
            && let Ok(path) = file_path(options)
            && let Some(other) = self.audit.devices().iter().find(|device| device.writes_to(Path::new(path)))
        {
            // Two chains in one file would break each other.
            return Err(Fault::invalid(format!("{path} is the file of audit device {:?} already", other.path)));
        }
        Ok(())
    }

    /// Refuses a file within the store's own folder, by whatever name it is given (S33, S34).
    fn check_outside_storage(&self, options: &BTreeMap<String, String>) -> Result<(), Fault> {
        let Storage::Local { path: store, .. } = &self.config.storage else { return Ok(()) };
        let Ok(store) = store.canonicalize() else { return Ok(()) };
        for path in ["file_path", "path"].iter().filter_map(|name| options.get(*name)) {
            let folder = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.unwrap_or(Path::new(".")).canonicalize().is_ok_and(|folder| folder.starts_with(&store)) {
                return Err(Fault::invalid("path must not be in the folder of the store"));
            }
        }
        Ok(())
    }

    fn device(&self, record: &AuditDevice, barrier: &barrier::Barrier) -> Arc<Device> {
        let key = barrier.derive(&format!("audit {}", record.uuid));
        let device = Device::new(record, key, self.clock.clone());
        if let Err(error) = device.open() {
            tracing::error!(device = %record.path, error = %error, "audit device could not be opened");
        }
        Arc::new(device)
    }
}
