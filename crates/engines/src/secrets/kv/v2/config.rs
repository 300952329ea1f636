//! `config`: settings that hold for every key of the mount.

use super::record::Config;
use super::wire::{Settings, config_reply};
use engine::{Cx, Fault, Reply};

/// `GET config`.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Config::load(cx).map(|config| Reply::data(config_reply(&config)))
}

/// `POST config`; what is not sent stays.
pub(super) fn write(cx: &mut Cx, settings: Settings) -> Result<Reply, Fault> {
    let mut config = Config::load(cx)?;
    settings.apply_to_config(&mut config);
    config.save(cx)?;
    Ok(Reply::empty())
}
