//! The `transit` engine: encrypts, signs and authenticates what clients send, with keys that they never see.
//!
//! Paths: `keys/<name>` and what is below it (`keys`, `import`), `encrypt`, `decrypt`, `rewrap`, `datakey`
//! (`encrypt`), `sign`, `verify` (`sign`), `hmac` (`mac`), `hash`, `random` (`hashes`), `export`, `byok-export` (`export`),
//! `backup`, `restore` (`backup`), `wrapping_key` (`import`), `config/keys`, `cache-config`
//! (`config`). Storage keys: `key/<name>`, `version/<name>/<number>` (`record`), `rotation/<time>/<name>` (`rotation`),
//! `wrapping-key`, `config/keys`, `config/cache`. Names of keys keep their capitals, as upstream's do, and have one spelling
//! each.
//!
//! Limits: `batch::BATCH_ITEMS_MAX`, `batch::BATCH_SIGNATURES_MAX`, `record::NAME_BYTES_MAX`, `hashes::RANDOM_BYTES_MAX`,
//! `backup::BACKUP_VERSIONS_MAX`.

mod answers;
mod backup;
mod backup_form;
mod base64;
mod batch;
mod config;
mod crypt;
mod decimal;
mod encrypt;
mod export;
mod hashes;
mod import;
mod keys;
mod kind;
mod mac;
mod record;
mod rotation;
mod sign;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, Options, Route, Table};

/// The engine.
pub fn engine() -> impl Engine {
    Transit { table: Table::new(routes()) }
}

/// What makes an operation as heavy as a thousand.
const BATCH: &[&str] = &["batch_input"];
/// The same where a key that is not there is made: one of RSA takes a second.
const BATCH_OR_NEW_KEY: &[&str] = &["batch_input", "type"];

struct Transit {
    table: Table<Cx>,
}

impl Engine for Transit {
    fn kind(&self) -> &'static str {
        "transit"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "encrypts, signs and authenticates data with keys that never leave"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn tidy(&self, cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        rotation::rotate_due(cx, limit)
    }
}

fn routes() -> Vec<Route<Cx>> {
    let mut routes = key_routes();
    routes.extend(data_routes());
    routes
}

fn key_routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("keys", "List the keys.").list(keys::list),
        // Making a key pair costs up to seconds, looking at one does not.
        Route::at("keys/{name}", "Manage a named key.").heavy().write(keys::create),
        Route::at("keys/{name}", "Manage a named key.").read(keys::read).delete(keys::delete),
        Route::at("keys/{name}/config", "Configure a named key.").write(keys::configure),
        Route::at("keys/{name}/rotate", "Add a version to a named key.").heavy().write(keys::rotate),
        Route::at("keys/{name}/trim", "Delete old versions of a named key.").write(keys::trim),
        Route::at("keys/{name}/soft-delete", "Put a named key into the bin.").delete(keys::soft_delete),
        Route::at("keys/{name}/soft-delete-restore", "Take a named key out of the bin.")
            .write(keys::soft_delete_restore),
        Route::at("keys/{name}/import", "Import a key.").heavy().write(import::import),
        Route::at("keys/{name}/import_version", "Import a version of a key.").heavy().write(import::import_version),
        // It is made when it is first looked at.
        Route::at("wrapping_key", "The public key that keys to import are wrapped with.")
            .heavy()
            .read(import::wrapping_key),
        Route::at("export/{type}/{name}", "Show key material of an exportable key.").read(export::export),
        Route::at("export/{type}/{name}/{version}", "Show a version of an exportable key.").read(export::export),
        Route::at("byok-export/{destination}/{source}", "Wrap an exportable key with another key.")
            .read(export::byok_export),
        Route::at("byok-export/{destination}/{source}/{version}", "Wrap a version of an exportable key.")
            .read(export::byok_export),
        Route::at("backup/{name}", "Back a key up in plaintext.").read(backup::backup),
        Route::at("restore", "Restore a key from its backup.").heavy().write(backup::restore),
        Route::at("restore/{name}", "Restore a key from a backup under a name.").heavy().write(backup::restore),
        Route::at("config/keys", "Configure all keys of this mount.")
            .read(config::read_keys)
            .write(config::write_keys),
        Route::at("cache-config", "The size of the cache of keys.")
            .read(config::read_cache)
            .write(config::write_cache),
    ]
}

fn data_routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("encrypt/{name}", "Encrypt a plaintext, or a batch of them.").heavy_with(BATCH_OR_NEW_KEY)
            .create_or_update(encrypt::exists, encrypt::encrypt),
        Route::at("decrypt/{name}", "Decrypt a ciphertext, or a batch of them.").heavy_with(BATCH).write(encrypt::decrypt),
        Route::at("rewrap/{name}", "Encrypt a ciphertext again with the latest version.").heavy_with(BATCH).write(encrypt::rewrap),
        Route::at("datakey/{plaintext}/{name}", "Make a data key.").write(encrypt::data_key),
        Route::at("hmac/{name}", "Authenticate a message, or a batch of them.").heavy_with(BATCH).write(mac::hmac),
        Route::at("hmac/{name}/{urlalgorithm}", "Authenticate a message with an algorithm.").heavy_with(BATCH).write(mac::hmac),
        Route::at("sign/{name}", "Sign a message, or a batch of them.").heavy_with(BATCH).write(sign::sign),
        Route::at("sign/{name}/{urlalgorithm}", "Sign a message with an algorithm.").heavy_with(BATCH).write(sign::sign),
        Route::at("verify/{name}", "Check a signature or MAC, or a batch of them.").heavy_with(BATCH).write(sign::verify),
        Route::at("verify/{name}/{urlalgorithm}", "Check a signature or MAC with an algorithm.").heavy_with(BATCH).write(sign::verify),
        Route::at("hash", "Hash a message.").write(hashes::hash),
        Route::at("hash/{urlalgorithm}", "Hash a message with an algorithm.").write(hashes::hash),
        Route::at("random", "Random bytes.").write(hashes::random),
        Route::at("random/{source}", "Random bytes of a source, or so many of them.").write(hashes::random),
        Route::at("random/{source}/{urlbytes}", "So many random bytes of a source.").write(hashes::random),
    ]
}
