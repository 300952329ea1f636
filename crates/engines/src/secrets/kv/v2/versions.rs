//! `delete`, `undelete` and `destroy`: what can be done to single versions. Versions that are not kept are passed over.

use super::record::{Config, Metadata, Version, delete_data};
use super::secret_to_write;
use super::wire::Versions;
use engine::{Cx, Fault, Reply, Timestamp};

/// `POST delete/{path}`.
pub(super) fn delete(cx: &mut Cx, Versions(numbers): Versions) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, "delete/")?;
    some(&numbers, "No version number provided")?;
    let now = cx.now;
    change(cx, &name, &numbers, |version| delete_version(version, now)).map(|_| Reply::empty())
}

/// Deletes the newest version of a secret, if there is one.
pub(super) fn delete_current(cx: &mut Cx, name: &str) -> Result<Reply, Fault> {
    let Some(mut metadata) = Metadata::load(cx, name)? else { return Ok(Reply::empty()) };
    let now = cx.now;
    let number = metadata.current;
    if metadata.version_mut(number).is_some_and(|version| delete_version(version, now)) {
        metadata.save(cx, name)?;
    }
    Ok(Reply::empty())
}

/// `POST undelete/{path}`. Where versions are deleted after a time, that time begins anew.
pub(super) fn undelete(cx: &mut Cx, Versions(numbers): Versions) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, "undelete/")?;
    some(&numbers, "No version number provided")?;
    let config = Config::load(cx)?;
    let Some(metadata) = Metadata::load(cx, &name)? else { return Ok(Reply::empty()) };
    let deletion = metadata.deletion(&config, cx.now);
    change(cx, &name, &numbers, |version| {
        let changes = !version.destroyed && version.deletion != deletion;
        if changes {
            version.deletion = deletion;
        }
        changes
    })
    .map(|_| Reply::empty())
}

/// `POST destroy/{path}`.
pub(super) fn destroy(cx: &mut Cx, Versions(numbers): Versions) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, "destroy/")?;
    some(&numbers, "no version number provided")?;
    let destroyed = change(cx, &name, &numbers, |version| !std::mem::replace(&mut version.destroyed, true))?;
    for number in destroyed {
        delete_data(cx, &name, number);
    }
    Ok(Reply::empty())
}

/// Deletes a version that is neither deleted nor destroyed yet.
fn delete_version(version: &mut Version, now: Timestamp) -> bool {
    let changes = version.is_readable(now);
    if changes {
        version.deletion = Some(now);
    }
    changes
}

/// Runs `change` on the versions of these numbers and saves the metadata if any of them changed; returns which did.
fn change(
    cx: &mut Cx,
    name: &str,
    numbers: &[i64],
    mut change: impl FnMut(&mut Version) -> bool,
) -> Result<Vec<u64>, Fault> {
    let Some(mut metadata) = Metadata::load(cx, name)? else { return Ok(Vec::new()) };
    let mut changed = Vec::new();
    for number in numbers.iter().filter_map(|number| u64::try_from(*number).ok()) {
        if metadata.version_mut(number).is_some_and(&mut change) {
            changed.push(number);
        }
    }
    if !changed.is_empty() {
        metadata.save(cx, name)?;
    }
    Ok(changed)
}

fn some(numbers: &[i64], otherwise: &str) -> Result<(), Fault> {
    if numbers.is_empty() { Err(Fault::invalid(otherwise)) } else { Ok(()) }
}
