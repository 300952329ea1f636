//! An engine whose secrets are leased, as those of a database are. Its accounts are records of its own, so that a lease
//! without an account, or an account without a lease, shows in the store.

use engine::{Class, Cx, Engine, Fault, Lease, LeaseRecord, Options, Reply, Route, Table};
use serde_json::{Value, json};

/// Seconds that an account lives without renewal.
pub(crate) const TTL: i64 = 60;
/// Kind of an account's record.
pub(crate) const KIND: &str = "sim-account/1";

pub(crate) struct Accounts {
    table: Table<Cx>,
}

impl Accounts {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(vec![Route::at("creds", "An account.").read(create)]) }
    }
}

fn create(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let name = cx.randomness.uuid();
    cx.tx.put(KIND, &format!("account/{name}"), Vec::new());
    let lease = Lease { ttl: TTL, renewable: true, internal: json!({ "name": name }), ..Lease::default() };
    Ok(Reply::data(json!({ "name": name })).leased(lease))
}

impl Engine for Accounts {
    fn kind(&self) -> &'static str {
        "accounts"
    }
    fn class(&self) -> Class {
        Class::Secret
    }
    fn summary(&self) -> &'static str {
        "Accounts of a system"
    }
    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }
    fn renew(&self, _cx: &mut Cx, lease: &LeaseRecord) -> Result<Lease, Fault> {
        Ok(Lease { ttl: TTL, renewable: true, internal: lease.internal.clone(), ..Lease::default() })
    }
    fn revoke(&self, cx: &mut Cx, lease: &LeaseRecord) -> Result<(), Fault> {
        let name = lease.internal.get("name").and_then(Value::as_str).unwrap_or_default();
        cx.tx.delete(&format!("account/{name}"));
        Ok(())
    }
}
