//! May they: from a [`crate::authenticate::Session`] and a path to an [`Authorized`], which running a handler takes and
//! nobody else can make.

use crate::authenticate::Session;
use crate::namespaces::NamespaceTree;
use crate::policy::{Acl, Attached, Check, Policy, TemplateContext};
use crate::{Kernel, Kx, keys, policies};
use engine::{Ceremony, Fault, Flags, Input, Tx};
use std::sync::Arc;

/// Proof that this request may do this operation on this path of this namespace. Made here only.
pub struct Authorized(());

/// Decides. Routes that need no token are open to everyone, and to nobody's harm: their handlers get no session they
/// could act for unless the token given was good.
pub fn authorize(kx: &mut Kx, path: &str, flags: Flags, input: &Input) -> Result<Authorized, Fault> {
    if flags.unauthenticated || flags.ceremony.is_some_and(|ceremony| is_open(kx, ceremony)) {
        return Ok(Authorized(()));
    }
    let session = kx.session.clone().ok_or(Fault::Denied)?;
    let full = format!("{}{path}", place(kx, &session, path)?);
    let decision = session.acl.check(&Check {
        path: &full,
        operation: kx.operation,
        parameters: Some(&input.body),
        wrap_ttl: kx.request.wrap_ttl.and_then(|seconds| u64::try_from(seconds).ok()),
    });
    if !decision.allowed || (flags.sudo && !decision.sudo) {
        return Err(Fault::Forbidden);
    }
    Ok(Authorized(()))
}

/// What a token does with itself.
const OF_ITSELF: [&str; 3] = ["auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self"];

/// The namespace whose rules a path is held against: the request's. What a token does with itself is the same from every
/// namespace that it serves, so there its own namespace decides: clients that work in a namespace below look their token
/// up there.
fn place(kx: &mut Kx, session: &Session, path: &str) -> Result<String, Fault> {
    let home = &session.token.namespace;
    if *home != kx.namespace.id && OF_ITSELF.contains(&path) {
        let kernel = kx.kernel.clone();
        let tree = NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
        return tree.by_id(home).map(|home| home.path.clone()).ok_or(Fault::Denied);
    }
    Ok(kx.namespace.path.clone())
}

/// Whether a step of a ceremony is open to whoever asks: to callers without a good token, from whom the handler wants a
/// share, and on listeners that open it to everybody.
fn is_open(kx: &Kx, ceremony: Ceremony) -> bool {
    kx.session.is_none() || kx.request.peer.open.contains(ceremony)
}

/// Whether the session may use a path with `sudo`, for handlers that ask in the middle.
pub fn has_sudo(kx: &Kx, path: &str) -> bool {
    let full = format!("{}{path}", kx.namespace.path);
    kx.session.as_ref().is_some_and(|session| {
        session.acl.check(&Check { path: &full, operation: kx.operation, parameters: None, wrap_ttl: None }).sudo
    })
}

/// Whether the session may do the request's operation on another path of the namespace.
pub fn may(kx: &Kx, path: &str) -> bool {
    let full = format!("{}{path}", kx.namespace.path);
    kx.session.as_ref().is_some_and(|session| {
        session
            .acl
            .check(&Check {
                path: &full,
                operation: kx.operation,
                parameters: Some(&kx.request.input.body),
                wrap_ttl: None,
            })
            .allowed
    })
}

/// The compiled whole of a set of policies, remembered by everything that went into it: which policies, the revisions of
/// the namespaces' policy areas, and the identity that fills templates.
pub fn compiled(
    kernel: &Kernel,
    tx: &mut Tx,
    tree: &NamespaceTree,
    attached: &[(String, String)],
    template: Option<(&TemplateContext, String)>,
) -> Result<Arc<Acl>, Fault> {
    use std::fmt::Write as _;
    let mut name = String::new();
    let mut namespace = "";
    let mut whole = true;
    for (id, policy) in attached {
        if id != namespace {
            namespace = id;
            match tx.area_modified(&keys::policies(id)) {
                Some(revision) => drop(write!(name, "{id}@{}:", revision.0)),
                None => whole = false,
            }
        }
        let _ = write!(name, "{policy}\0");
    }
    let (template, fingerprint) = template.unzip();
    name.push_str(&fingerprint.unwrap_or_default());
    let compile = |tx: &mut Tx| compile(kernel, tx, tree, attached, template);
    if !whole {
        return compile(tx).map(Arc::new).map_err(Fault::from);
    }
    let acl = kernel.memo.acls.at(store::Revision(0), &name, || compile(tx).map(Some))?;
    acl.ok_or_else(|| Fault::internal("policies do not compile"))
}

fn compile(
    kernel: &Kernel,
    tx: &mut Tx,
    tree: &NamespaceTree,
    attached: &[(String, String)],
    template: Option<&TemplateContext>,
) -> Result<Acl, store::StoreError> {
    let mut loaded: Vec<(String, String, Arc<Policy>)> = Vec::with_capacity(attached.len());
    for (id, name) in attached {
        let Some(namespace) = tree.by_id(id) else { continue };
        if let Some(policy) = policies::parsed(kernel, tx, id, name)? {
            loaded.push((name.clone(), namespace.path.clone(), policy));
        }
    }
    let attached: Vec<Attached<'_>> =
        loaded.iter().map(|(name, prefix, policy)| Attached { name, prefix, policy: policy.as_ref() }).collect();
    Ok(Acl::compile(&attached, template))
}
