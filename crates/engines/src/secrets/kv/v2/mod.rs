//! Version 2: versions of a value, with metadata.
//!
//! | path | operations |
//! |---|---|
//! | `config` | read, update |
//! | `data/{path}` | create, update, patch, read (`?version`), delete (of the current version) |
//! | `subkeys/{path}` | read (`?version`, `?depth`): the data with its values left out |
//! | `delete/{path}`, `undelete/{path}`, `destroy/{path}` | update (`versions`) |
//! | `metadata/{path}` | create, update, patch, read, delete (of everything), list, scan |
//! | `detailed-metadata/{path}` | list, scan: as `metadata`, with the metadata of each key |
//!
//! Storage, where `{path}` is the secret's path as requested:
//!
//! | key | record |
//! |---|---|
//! | `config` | [`record::Config`]; absent until it is written |
//! | `meta/{path}` | [`record::Metadata`]: settings, and for each version its times |
//! | `version/{path}/{number}` | the data of one version as JSON, numbers to their last digit; absent once destroyed |
//!
//! A read costs two storage reads (metadata, version). A write reads the configuration and the metadata and writes the
//! metadata and the version; versions over the limit are deleted unread, since the metadata knows their numbers.
//! A version whose deletion time has come is deleted by that alone: nothing has to run for it, and it can be undeleted.
//!
//! A path with a slash at its end is a folder and never the secret of the same name without it, since policies tell them
//! apart; upstream reads and deletes the secret there.

mod config;
mod data;
mod invalid;
mod metadata;
mod metadata_list;
mod patch;
mod record;
mod subkeys;
mod versions;
mod wire;

#[cfg(test)]
mod tests;

use engine::{Cx, Fault, Operation, Route, Table};

pub(super) use data::adopt;
pub(super) use record::METADATA_FOLDER;

/// The routes.
pub(super) fn table() -> Table<Cx> {
    let mut routes = vec![
        Route::at("config", "Settings that hold for every key of the mount.").read(config::read).write(config::write),
        Route::at("data/{path:path}", "Writes, patches, reads and deletes the data of a secret.")
            .read(data::read)
            .create_or_update(metadata::exists_for_data, data::write)
            .patch(patch::patch)
            .delete(data::delete),
        Route::at("subkeys/{path:path}", "The keys within a secret, without their values.").read(subkeys::read),
        Route::at("delete/{path:path}", "Deletes versions, such that they can be undeleted.").write(versions::delete),
        Route::at("undelete/{path:path}", "Takes back the deletion of versions.").write(versions::undelete),
        Route::at("destroy/{path:path}", "Removes versions for good.").write(versions::destroy),
        Route::at("metadata/{path:path}", "Settings and versions of a secret.")
            .read(metadata::read)
            .create_or_update(metadata::exists, metadata::write)
            .patch(metadata::patch)
            .delete(metadata::delete)
            .list(metadata_list::list)
            .on(Operation::Scan, metadata_list::scan),
        Route::at("detailed-metadata/{path:any}", "Lists secrets together with their metadata.")
            .list(metadata_list::list_detailed)
            .on(Operation::Scan, metadata_list::scan_detailed),
        Route::at("metadata", "Lists secrets.").list(metadata_list::list).on(Operation::Scan, metadata_list::scan),
    ];
    routes.push(invalid::route());
    Table::new(routes)
}

/// The name of the secret that a path below `prefix` means; `None` if it means a folder.
fn secret(cx: &Cx, prefix: &str) -> Option<String> {
    let name = cx.path.strip_prefix(prefix)?;
    (!name.is_empty() && !name.ends_with('/')).then(|| name.to_owned())
}

/// As [`secret`], for writes.
fn secret_to_write(cx: &Cx, prefix: &str) -> Result<String, Fault> {
    secret(cx, prefix).ok_or_else(|| Fault::invalid("cannot write to a path ending in '/'"))
}
