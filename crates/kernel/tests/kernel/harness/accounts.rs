//! An engine that makes accounts in a system of its own and removes them when their lease ends, as a database engine does.
//! The system can be down, or so far away that it has to be asked from outside.

use engine::outside::{HttpCall, Method};
use engine::{Class, Cx, Engine, Fault, Lease, LeaseRecord, Options, Reply, Route, Table};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The system.
#[derive(Default)]
pub struct Accounts {
    live: Mutex<BTreeSet<String>>,
    down: AtomicBool,
    far: AtomicBool,
}

impl Accounts {
    /// Takes it down, or up again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// Takes it out of reach of the engine, which then has to ask, or back.
    pub fn set_far(&self, far: bool) {
        self.far.store(far, Ordering::Relaxed);
    }

    /// Accounts that exist.
    pub fn live(&self) -> usize {
        self.live.lock().unwrap().len()
    }
}

pub struct AccountsEngine {
    system: Arc<Accounts>,
    table: Table<Cx>,
}

impl AccountsEngine {
    pub fn new(system: Arc<Accounts>) -> Self {
        let made = system.clone();
        let create = move |cx: &mut Cx, (): ()| {
            let name = cx.randomness.uuid();
            made.live.lock().unwrap().insert(name.clone());
            let lease = Lease { ttl: 600, renewable: true, internal: json!({ "name": name }), ..Lease::default() };
            Ok(Reply::data(json!({ "name": name })).leased(lease))
        };
        Self { system, table: Table::new(vec![Route::at("creds", "An account.").read(create)]) }
    }
}

impl Engine for AccountsEngine {
    fn kind(&self) -> &'static str {
        "accounts"
    }
    fn class(&self) -> Class {
        Class::Secret
    }
    fn summary(&self) -> &'static str {
        "Accounts of a system."
    }
    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }
    fn renew(&self, _cx: &mut Cx, lease: &LeaseRecord) -> Result<Lease, Fault> {
        Ok(Lease { ttl: 600, renewable: true, internal: lease.internal.clone(), ..Lease::default() })
    }
    fn revoke(&self, cx: &mut Cx, lease: &LeaseRecord) -> Result<(), Fault> {
        if self.system.far.load(Ordering::Relaxed) {
            let call = HttpCall::new(Method::Post, "https://accounts.example/remove");
            cx.outside.http(call)?.map_err(|failure| Fault::internal(failure.to_string()))?;
        }
        if self.system.down.load(Ordering::Relaxed) {
            return Err(Fault::internal("system is down"));
        }
        self.system.live.lock().unwrap().remove(lease.internal["name"].as_str().unwrap());
        Ok(())
    }
}
