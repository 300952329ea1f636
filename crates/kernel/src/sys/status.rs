//! `sys/` reads about the node itself, and what stops it.

use crate::{Effect, HealthCodes, Kx, Report};
use engine::{Fault, Input, Reply, Route};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let report = |path, summary, report| {
        Route::at(path, summary).read(move |kx: &mut Kx, (): ()| kx.node.report(report)).root_namespace_only()
    };
    vec![
        Route::at("health", "Health of the node.")
            .read(|kx: &mut Kx, input: Input| kx.node.report(Report::Health(HealthCodes::of(&input)?)))
            .unauthenticated()
            .root_namespace_only(),
        report("seal-status", "Whether the node is sealed.", Report::SealStatus).unauthenticated(),
        report("leader", "Which node leads.", Report::Leader).unauthenticated(),
        report("ha-status", "The nodes of the cluster.", Report::HaStatus),
        report("host-info", "Processor, memory and disks.", Report::HostInfo),
        report("in-flight-req", "Requests being served.", Report::InFlight),
        report("config/state/sanitized", "The configuration without secrets.", Report::SanitizedConfig),
        report("key-status", "Term of the barrier's key.", Report::KeyStatus),
        Route::at("version-history", "Versions this store has seen.")
            .list(|kx: &mut Kx, (): ()| kx.node.report(Report::VersionHistory))
            .root_namespace_only(),
        Route::at("init", "Whether the store is initialised.")
            .read(|_: &mut Kx, (): ()| Ok(Reply::raw_json(serde_json::json!({ "initialized": true }))))
            .write(|_: &mut Kx, (): ()| Err(Fault::invalid("Vault is already initialized")))
            .unauthenticated()
            .root_namespace_only(),
        Route::at("unseal", "Give a share of the unseal key.")
            .write(|kx: &mut Kx, (): ()| kx.node.report(Report::SealStatus))
            .unauthenticated()
            .root_namespace_only(),
        Route::at("seal", "Seal the node.").write(seal).sudo().root_namespace_only(),
        Route::at("step-down", "Give up leadership.").write(step_down).sudo().root_namespace_only(),
        Route::at("metrics", "Metrics in Prometheus' text format.").read(metrics).root_namespace_only(),
        Route::at("loggers", "Levels of all loggers.")
            .read(|kx: &mut Kx, (): ()| kx.node.report(Report::Loggers { name: "" }))
            .write(set_all_levels)
            .delete(|kx: &mut Kx, (): ()| reset_level(kx, String::new()))
            .root_namespace_only(),
        Route::at("loggers/{name}", "Level of a logger.")
            .read(|kx: &mut Kx, request: LoggerName| kx.node.report(Report::Loggers { name: &request.name }))
            .write(set_level)
            .delete(|kx: &mut Kx, request: LoggerName| reset_level(kx, request.name))
            .root_namespace_only(),
        Route::at("config/reload/{subsystem:path}", "Read a part of the configuration again.")
            .write(reload)
            .root_namespace_only(),
    ]
}

engine::request! {
    /// Asks for metrics.
    pub struct Metrics {
        /// `prometheus` for its text format.
        format: String,
    }
}

engine::request! {
    /// Names a logger.
    pub struct LoggerName {
        /// Name.
        name: String,
    }
}

engine::request! {
    /// Sets a level.
    pub struct Level {
        /// Logger; all if absent.
        name: String,
        /// `trace`, `debug`, `info`, `warn` or `error`.
        level: String,
    }
}

engine::request! {
    /// Names a part of the configuration.
    pub struct Subsystem {
        /// `tls` or `audit`.
        subsystem: String,
    }
}

const LEVELS: [&str; 8] = ["trace", "debug", "notice", "info", "warn", "warning", "err", "error"];

fn seal(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    kx.effects.push(Effect::Seal);
    Ok(Reply::empty())
}

fn step_down(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    kx.effects.push(Effect::StepDown);
    Ok(Reply::empty())
}

fn metrics(kx: &mut Kx, request: Metrics) -> Result<Reply, Fault> {
    kx.node.report(Report::Metrics { format: &request.format })
}

fn set_all_levels(kx: &mut Kx, request: Level) -> Result<Reply, Fault> {
    set_level(kx, Level { name: String::new(), ..request })
}

fn set_level(kx: &mut Kx, request: Level) -> Result<Reply, Fault> {
    match request.level.as_str() {
        "" => Err(Fault::invalid("level is required")),
        level if !LEVELS.contains(&level) => {
            Err(Fault::invalid(format!("invalid level provided: unknown log level: {level}")))
        }
        _ => {
            // An unknown logger is a fault before it is an effect.
            known_logger(kx, &request.name)?;
            kx.effects.push(Effect::LogLevel { name: request.name, level: Some(request.level) });
            Ok(Reply::empty())
        }
    }
}

fn reset_level(kx: &mut Kx, name: String) -> Result<Reply, Fault> {
    known_logger(kx, &name)?;
    kx.effects.push(Effect::LogLevel { name, level: None });
    Ok(Reply::empty())
}

/// A change of a logger that is not there is a bad request, while looking at it finds nothing.
fn known_logger(kx: &Kx, name: &str) -> Result<(), Fault> {
    match kx.node.report(Report::Loggers { name }) {
        Err(Fault::MissingBecause(text)) => Err(Fault::Invalid(vec![text])),
        other => other.map(drop),
    }
}

fn reload(kx: &mut Kx, request: Subsystem) -> Result<Reply, Fault> {
    match request.subsystem.as_str() {
        "tls" | "audit" => {
            kx.effects.push(Effect::Reload { subsystem: request.subsystem });
            Ok(Reply::empty())
        }
        _ => Err(Fault::UnsupportedPath),
    }
}
