//! Which policies teams and users get.

use super::record::{Mapped, Mapping};
use super::wire::{ListMaps, MapPath, WriteMap};
use engine::{Cx, Fault, Name, Reply};
use serde_json::{Value, json};

/// Longest list of policies, in bytes.
const VALUE_BYTES_MAX: usize = 16 << 10;

/// Maps a team.
pub(super) fn write_team(cx: &mut Cx, (path, sent): (MapPath, WriteMap)) -> Result<Reply, Fault> {
    write(cx, Mapped::Team, &path, sent)
}

/// Shows the mapping of a team.
pub(super) fn read_team(cx: &mut Cx, path: MapPath) -> Result<Reply, Fault> {
    read(cx, Mapped::Team, &path)
}

/// Forgets the mapping of a team.
pub(super) fn delete_team(cx: &mut Cx, path: MapPath) -> Result<Reply, Fault> {
    delete(cx, Mapped::Team, &path)
}

/// Lists the mapped teams.
pub(super) fn list_teams(cx: &mut Cx, _request: ListMaps) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(Mapped::Team.folder(), &cx.page)?))
}

/// Maps a user.
pub(super) fn write_user(cx: &mut Cx, (path, sent): (MapPath, WriteMap)) -> Result<Reply, Fault> {
    write(cx, Mapped::User, &path, sent)
}

/// Shows the mapping of a user.
pub(super) fn read_user(cx: &mut Cx, path: MapPath) -> Result<Reply, Fault> {
    read(cx, Mapped::User, &path)
}

/// Forgets the mapping of a user.
pub(super) fn delete_user(cx: &mut Cx, path: MapPath) -> Result<Reply, Fault> {
    delete(cx, Mapped::User, &path)
}

/// Lists the mapped users.
pub(super) fn list_users(cx: &mut Cx, _request: ListMaps) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(Mapped::User.folder(), &cx.page)?))
}

fn write(cx: &mut Cx, mapped: Mapped, path: &MapPath, sent: WriteMap) -> Result<Reply, Fault> {
    let name = Name::exact(&path.key)?;
    if sent.value.len() > VALUE_BYTES_MAX {
        return Err(Fault::invalid(format!("value is longer than {VALUE_BYTES_MAX} bytes")));
    }
    cx.tx.save(&mapped.key(&name), &Mapping { value: sent.value })?;
    Ok(Reply::empty())
}

fn read(cx: &mut Cx, mapped: Mapped, path: &MapPath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.key)?;
    // A mapping that is not there is answered with no data, not with 404, as clients know it.
    let shown = mapped.load(cx, &name)?.map(|mapping| json!({ "key": name.as_str(), "value": mapping.value }));
    Ok(Reply::data(shown.unwrap_or(Value::Null)).status(200))
}

fn delete(cx: &mut Cx, mapped: Mapped, path: &MapPath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.key)?;
    cx.tx.delete(&mapped.key(&name));
    Ok(Reply::empty())
}
