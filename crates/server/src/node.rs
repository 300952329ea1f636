//! The node as the kernel sees it: facts about the process.

use crate::metrics;
use crate::seal;
use crate::shell::{Shell, lock};
use engine::{Body, Fault, Raw, Reply};
use kernel::{Ceremonies, HealthCodes, Node, Report};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

impl Node for Shell {
    fn report(&self, report: Report<'_>) -> Result<Reply, Fault> {
        match report {
            Report::Health(codes) => self.health(codes),
            Report::SealStatus => self.seal_status().map(Reply::raw_json),
            Report::Leader => Ok(Reply::raw_json(self.leader())),
            Report::HaStatus => Ok(Reply::legacy(json!({ "nodes": [self.node_status()] }))),
            Report::HostInfo => Ok(Reply::data(metrics::host_info(self.clock.now()))),
            Report::Metrics { format } => Ok(self.metrics_reply(format)),
            Report::InFlight => Ok(Reply::raw_json(self.metrics.in_flight())),
            Report::Loggers { name } => self.loggers(name),
            Report::SanitizedConfig => Ok(Reply::data(self.config.sanitized())),
            Report::KeyStatus => self.key_status(),
            Report::VersionHistory => Ok(self.version_history()),
        }
    }

    fn api_address(&self) -> String {
        self.config.api_addr.clone()
    }

    fn check_audit_device(&self, kind: &str, options: &BTreeMap<String, String>) -> Result<(), Fault> {
        self.try_device(kind, options)
    }

    fn declared_audit_devices(&self) -> Vec<kernel::audit::AuditDevice> {
        self.declared_devices().collect()
    }

    fn audit_hash(&self, device: &str, value: &str) -> Option<String> {
        let devices = self.audit.devices();
        let device = devices.iter().find(|known| known.path == device)?;
        Some(crate::audit::hashed(&device.key, value))
    }

    fn ceremonies(&self) -> &Mutex<Ceremonies> {
        &self.ceremonies
    }
}

impl Shell {
    /// `sys/seal-status`.
    pub fn seal_status(&self) -> Result<Value, Fault> {
        let sealed = seal::sealed(self)?;
        let open = self.unsealed();
        let mut status = Map::new();
        let mut put = |name: &str, value: Value| drop(status.insert(name.to_owned(), value));
        let info = sealed.as_ref().map(barrier::Sealed::info);
        let (n, t) = info.as_ref().map_or((0, 0), barrier::SealInfo::counts);
        let (progress, nonce) = {
            let unsealing = lock(&self.unsealing);
            (unsealing.progress(), unsealing.nonce().to_owned())
        };
        let kind = info
            .as_ref()
            .map_or(if self.config.static_key().is_some() { "static" } else { "shamir" }, |info| info.seal_type.name());
        put("type", kind.into());
        put("initialized", sealed.is_some().into());
        put("sealed", open.is_none().into());
        put("t", t.into());
        put("n", n.into());
        put("progress", progress.into());
        put("nonce", nonce.into());
        put("version", self.config.version.clone().into());
        // Vault's name for it, and OpenBao's.
        put("build_date", crate::config::BUILD_DATE.into());
        put("commit_date", crate::config::BUILD_DATE.into());
        put("migration", false.into());
        put("recovery_seal", (kind == "static").into());
        put("storage_type", self.config.storage_type().into());
        if let Some(open) = open {
            put("cluster_name", self.config.cluster_name(open.latest_barrier().cluster_id()).into());
            put("cluster_id", open.latest_barrier().cluster_id().into());
        }
        Ok(Value::Object(status))
    }

    fn health(&self, codes: HealthCodes) -> Result<Reply, Fault> {
        let initialised = seal::sealed(self)?.is_some();
        let open = self.unsealed();
        let mut health = json!({
            "initialized": initialised,
            "sealed": open.is_none(),
            "standby": open.is_none(),
            "performance_standby": false,
            "replication_performance_mode": if open.is_some() { "disabled" } else { "unknown" },
            "replication_dr_mode": if open.is_some() { "disabled" } else { "unknown" },
            "server_time_utc": self.clock.now().seconds(),
            "version": self.config.version,
        });
        if let (Some(open), Some(members)) = (&open, health.as_object_mut()) {
            let id = open.latest_barrier().cluster_id().to_owned();
            members.insert("cluster_name".into(), self.config.cluster_name(&id).into());
            members.insert("cluster_id".into(), id.into());
        }
        let status = if !initialised {
            codes.uninitialised
        } else if open.is_none() {
            codes.sealed
        } else {
            codes.active
        };
        Ok(Reply::raw_json(health).status(status))
    }

    fn leader(&self) -> Value {
        json!({
            "ha_enabled": false,
            "is_self": false,
            "active_time": "0001-01-01T00:00:00Z",
            "leader_address": "",
            "leader_cluster_address": "",
            "performance_standby": false,
            "performance_standby_last_remote_wal": 0,
        })
    }

    fn node_status(&self) -> Value {
        json!({
            "hostname": metrics::hostname(),
            "api_address": self.config.api_addr,
            "cluster_address": "",
            "active_node": self.unsealed().is_some(),
            "last_echo": null,
            "version": self.config.version,
        })
    }

    fn key_status(&self) -> Result<Reply, Fault> {
        let open = self.unsealed().ok_or_else(|| Fault::Status(503, vec!["Vault is sealed".to_owned()]))?;
        let status = open.latest_barrier().key_status();
        Ok(Reply::legacy(json!({
            "term": status.term,
            "install_time": engine::Timestamp::from_nanoseconds(status.installed.0).to_rfc3339(),
            "encryptions": status.encryptions,
        })))
    }

    fn metrics_reply(&self, format: &str) -> Reply {
        let (content_type, bytes) = self.metrics_as(format);
        Reply { body: Body::Raw(Raw { content_type, bytes }), ..Reply::default() }
    }

    fn loggers(&self, name: &str) -> Result<Reply, Fault> {
        let levels = self.log_levels();
        if name.is_empty() {
            let all = levels.into_iter().map(|(logger, level)| (logger.to_owned(), level.into()));
            return Ok(Reply::data(all.collect::<Map<String, Value>>()));
        }
        match levels.get(name) {
            Some(level) => Ok(Reply::data(json!({ name: level }))),
            None => Err(Fault::missing(format!("logger {name:?} not found"))),
        }
    }

    fn version_history(&self) -> Reply {
        let date = crate::config::BUILD_DATE;
        let info = json!({
            "build_date": date, "commit_date": date, "previous_version": null, "timestamp_installed": date,
        });
        let mut infos = Map::new();
        infos.insert(self.config.version.clone(), info);
        Reply::keys_with_info(vec![self.config.version.clone()], infos)
    }
}
