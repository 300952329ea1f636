//! Which requests cost CPU by design (password hashing, making keys of RSA): asked before a request runs, so that the shell
//! can let it wait its turn.

use crate::mounts::{BuiltIn, MountTable};
use crate::namespaces::NamespaceTree;
use crate::{Kernel, Kx};
use barrier::Barrier;
use engine::{Engine, Fault, Flags, Lookup, Options, Request, Table, Tail, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Snapshot;

#[cfg(test)]
mod tests;

/// How the paths of all heavy routes end, wherever their engines are mounted. Engines whose options choose the table have
/// their heavy routes in the table without options too.
pub struct HeavyRoutes(Vec<(Tail, Flags)>);

impl HeavyRoutes {
    /// Those of these engines and tables.
    pub(crate) fn of(engines: &[Arc<dyn Engine>], tables: &BTreeMap<BuiltIn, Table<Kx>>) -> Self {
        let mut tails: Vec<(Tail, Flags)> = tables.values().flat_map(heavy_of).collect();
        let options = Options::new();
        tails.extend(engines.iter().flat_map(|engine| heavy_of(engine.table(&options))));
        Self(tails)
    }

    fn may_mean_one(&self, request: &Request) -> bool {
        let fits = |tail: &Tail| tail.fits(request.path.as_str(), request.operation);
        self.0.iter().any(|(tail, flags)| fits(tail) && flags.is_heavy(&request.input))
    }
}

fn heavy_of<C: 'static>(table: &Table<C>) -> Vec<(Tail, Flags)> {
    let heavy = table.routes().iter().filter(|route| route.flags.heavy || !route.flags.heavy_with.is_empty());
    heavy.map(|route| (Tail::of(route), route.flags)).collect()
}

/// Whether a request has to wait for its turn on the threads for heavy work. Most are told by their path and operation
/// alone; only what may mean a heavy route is looked up in the mount table, by `view`.
pub fn is_heavy(
    kernel: &Kernel,
    request: &Request,
    view: impl FnOnce() -> Result<(Arc<dyn Snapshot>, Arc<Barrier>), Fault>,
) -> bool {
    // Where nothing is found there is nothing to run.
    kernel.heavy.may_mean_one(request) && view().and_then(|view| looked_up(kernel, request, view)).unwrap_or(false)
}

fn looked_up(
    kernel: &Kernel,
    request: &Request,
    (snapshot, barrier): (Arc<dyn Snapshot>, Arc<Barrier>),
) -> Result<bool, Fault> {
    let mut tx = Tx::new(snapshot, barrier);
    let tree = NamespaceTree::load(&kernel.memo, &mut tx)?;
    let (namespace, path) = tree.resolve(request.namespace.as_deref(), request.path.as_str())?;
    let mounts = MountTable::load(&kernel.memo, &mut tx, &namespace.id)?;
    let Some((mount, rest)) = mounts.resolve(&path) else { return Ok(false) };
    Ok(match mount.built_in() {
        Some(built_in) => found_heavy(kernel.table(built_in), rest, request),
        None => {
            let engine = kernel.engine(mount.class, &mount.kind)?;
            found_heavy(engine.table(&mount.options), rest, request)
        }
    })
}

fn found_heavy<C: 'static>(table: &Table<C>, path: &str, request: &Request) -> bool {
    matches!(
        table.lookup(path, request.operation),
        Lookup::Found(found) if found.route.flags.is_heavy(&request.input)
    )
}
