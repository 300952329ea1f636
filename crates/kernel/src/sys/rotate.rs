//! `sys/rotate`: a new term of the keyring, when one is made by itself, and a new root key.

use crate::Kx;
use barrier::{BarrierError, Moment, RotationConfig};
use engine::{Fault, Reply, Route, Seconds};
use serde_json::{Value, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let rotate = |path| Route::at(path, "Install a new key of the barrier.").write(rotate_keyring).sudo();
    let config = |path| {
        Route::at(path, "When a new key of the barrier is installed by itself.").read(read_config).write(write_config)
    };
    let routes = [
        rotate("rotate"),
        rotate("rotate/keyring"),
        config("rotate/config"),
        config("rotate/keyring/config"),
        Route::at("rotate/root", "Replace the root key; the shares stay.").write(rotate_root).sudo(),
    ];
    routes.into_iter().map(Route::root_namespace_only).collect()
}

engine::request! {
    /// Configures automatic rotation; what is absent stays as it is.
    pub struct WriteConfig {
        /// Whether there is any.
        enabled: Option<bool>,
        /// Encryptions after which a new key is installed.
        max_operations: Option<i64>,
        /// Time after which a new key is installed; 0 for never.
        interval: Option<Seconds>,
    }
}

fn rotate_keyring(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let (barrier, now) = (kx.barrier.clone(), Moment(kx.now.nanoseconds()));
    barrier.rotate(&mut kx.cx.tx, now, kx.cx.randomness.as_mut()).map_err(fault)?;
    Ok(Reply::empty())
}

fn rotate_root(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let barrier = kx.barrier.clone();
    barrier.rotate_root_key(&mut kx.cx.tx, kx.cx.randomness.as_mut()).map_err(fault)?;
    Ok(Reply::empty())
}

fn read_config(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let barrier = kx.barrier.clone();
    let config = barrier.rotation_config(&mut kx.cx.tx).map_err(fault)?;
    let interval = match config.interval_seconds {
        0 => Value::from(0),
        seconds => format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60).into(),
    };
    Ok(Reply::data(json!({
        "enabled": config.enabled,
        "interval": interval,
        "max_operations": config.max_operations,
    })))
}

fn write_config(kx: &mut Kx, request: WriteConfig) -> Result<Reply, Fault> {
    let barrier = kx.barrier.clone();
    let before = barrier.rotation_config(&mut kx.cx.tx).map_err(fault)?;
    // A negative number is out of the allowed range, whatever it is.
    let number = |given: i64| u64::try_from(given).unwrap_or_default();
    let config = RotationConfig {
        enabled: request.enabled.unwrap_or(before.enabled),
        max_operations: request.max_operations.map_or(before.max_operations, number),
        interval_seconds: request
            .interval
            .map_or(before.interval_seconds, |Seconds(seconds)| if seconds < 0 { 1 } else { number(seconds) }),
    };
    config.check().map_err(|error| Fault::invalid(error.to_string()))?;
    barrier.set_rotation_config(&mut kx.cx.tx, &config).map_err(fault)?;
    Ok(Reply::empty())
}

fn fault(error: BarrierError) -> Fault {
    Fault::internal(error.to_string())
}
