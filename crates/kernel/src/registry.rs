//! What stays the same while a node is unsealed: engines, settings, derived keys, and the memory of derived values.

use crate::heavy::HeavyRoutes;
use crate::mounts::{BuiltIn, KnownView, MountEntry};
use crate::{Kx, Memo};
use crypto::{DataKey, MacKey};
use engine::{Class, Engine, Fault, Mount, Table};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

/// Bounds and switches from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds a lease lives where nothing else says.
    pub default_lease_ttl: i64,
    /// Seconds a lease lives at most where nothing else says.
    pub max_lease_ttl: i64,
    /// Whether callers with `sudo` in the root namespace may enable audit devices over the API. Off unless
    /// the configuration says so: a file device writes wherever the process may (S33).
    pub allow_api_audit_creation: bool,
    /// Whether callers with `sudo` may look at the routing of all namespaces.
    pub introspection: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_lease_ttl: 2_764_800,
            max_lease_ttl: 2_764_800,
            allow_api_audit_creation: false,
            introspection: false,
        }
    }
}

/// Keys that are derived from the barrier's root for purposes other than records.
pub struct Keys {
    /// Finds tokens and secret-ids.
    pub token: MacKey,
    /// Seals batch tokens.
    pub batch: DataKey,
}

/// The registry. It holds no state of requests.
pub struct Kernel {
    engines: BTreeMap<(Class, &'static str), Arc<dyn Engine>>,
    tables: BTreeMap<BuiltIn, Table<Kx>>,
    pub(crate) heavy: HeavyRoutes,
    /// Bounds and switches.
    pub settings: Settings,
    /// Derived keys.
    pub keys: Keys,
    /// Derived values.
    pub memo: Memo,
}

impl Kernel {
    /// A kernel with these engines.
    pub fn new(engines: Vec<Arc<dyn Engine>>, settings: Settings, keys: Keys) -> Self {
        let tables = BuiltIn::tables();
        let heavy = HeavyRoutes::of(&engines, &tables);
        let engines = engines.into_iter().map(|engine| ((engine.class(), engine.kind()), engine)).collect();
        Self { engines, tables, heavy, settings, keys, memo: Memo::default() }
    }

    /// The engine of a type.
    pub fn engine(&self, class: Class, kind: &str) -> Result<Arc<dyn Engine>, Fault> {
        self.engines
            .iter()
            .find(|((of, name), _)| *of == class && *name == kind)
            .map(|(_, engine)| engine.clone())
            .ok_or_else(|| Fault::internal(format!("no engine of type {kind:?}")))
    }

    /// All engines.
    pub fn engines(&self) -> impl Iterator<Item = &Arc<dyn Engine>> {
        self.engines.values()
    }

    /// The routes of a built-in mount.
    pub fn table(&self, built_in: BuiltIn) -> &Table<Kx> {
        // `BuiltIn::tables` makes one for each variant.
        self.tables.get(&built_in).expect("every built-in mount has a table")
    }

    /// [`Kernel::view`], remembered for as long as the entry is the same.
    pub fn shared_view(&self, entry: &Arc<MountEntry>) -> Arc<Mount> {
        let fits = |known: &KnownView| Arc::ptr_eq(&known.entry, entry);
        let derive = || Ok::<_, Infallible>(KnownView { entry: entry.clone(), view: Arc::new(self.view(entry)) });
        let Ok(known) = self.memo.views.fitting(&entry.uuid, fits, derive);
        known.view.clone()
    }

    /// A mount as its engine sees it, with the system's bounds filled in.
    pub fn view(&self, entry: &MountEntry) -> Mount {
        let or = |tuned: i64, system: i64| if tuned > 0 { tuned } else { system };
        let max_lease_ttl = or(entry.config.max_lease_ttl, self.settings.max_lease_ttl);
        Mount {
            path: entry.path.clone(),
            accessor: entry.accessor.clone(),
            uuid: entry.uuid.clone(),
            kind: entry.kind.clone(),
            options: entry.options.clone(),
            default_lease_ttl: or(entry.config.default_lease_ttl, self.settings.default_lease_ttl).min(max_lease_ttl),
            max_lease_ttl,
            namespace: entry.namespace.clone(),
        }
    }
}
