//! May they: from a [`crate::authenticate::Session`] and a path to an [`Authorized`], which running a handler takes and
//! nobody else can make.

use crate::authenticate::Session;
use crate::namespaces::NamespaceTree;
use crate::policies::ParsedPolicy;
use crate::policy::{Acl, Attached, Check, TemplateContext};
use crate::{Kernel, Kx, keys, policies};
use engine::{Ceremony, Fault, Flags, Input, Operation, Timestamp, Tx};
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
    for path in spellings(&full, kx.operation) {
        let decision = session.acl.check(&Check {
            path,
            operation: kx.operation,
            parameters: Some(&input.body),
            wrap_ttl: kx.request.wrap_ttl.and_then(|seconds| u64::try_from(seconds).ok()),
        });
        if !decision.allowed || (flags.sudo && !decision.sudo) {
            return Err(Fault::Forbidden);
        }
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
    kx.namespace.is_root() && (kx.session.is_none() || kx.request.peer.open.contains(ceremony))
}

/// The paths that must all be allowed. Routes ignore a trailing slash, so a rule about the name without it counts too
/// (S02); a list is looked at as its folder by the policy itself (S03).
fn spellings(path: &str, operation: Operation) -> impl Iterator<Item = &str> {
    let listing = matches!(operation, Operation::List | Operation::Scan);
    let bare = path.strip_suffix('/').filter(|_| !listing);
    std::iter::once(path).chain(bare)
}

/// Whether the session may use a path with `sudo`, for handlers that ask in the middle.
pub fn has_sudo(kx: &Kx, path: &str) -> bool {
    let full = format!("{}{path}", kx.namespace.path);
    kx.session.as_ref().is_some_and(|session| {
        session.acl.check(&Check { path: &full, operation: kx.operation, parameters: None, wrap_ttl: None }).sudo
    })
}

/// Whether the session may do the request's operation on another path of the namespace, with the request's parameters.
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

/// Whether the session may do the request's operation on a resource of `sys/` whose path the caller ended in another
/// spelling of its name. The rights were checked for the path as spelled; here they are for the name that is meant (S02).
pub fn check_spelling(kx: &Kx, spelled: &str, name: &str, flags: Flags) -> Result<(), Fault> {
    if spelled == name {
        return Ok(());
    }
    let bare = kx.path.strip_suffix('/').unwrap_or(&kx.path);
    let folder = bare.strip_suffix(spelled).ok_or(Fault::Forbidden)?;
    let meant = format!("sys/{folder}{name}");
    let allowed = may(kx, &meant) && (!flags.sudo || has_sudo(kx, &meant));
    if allowed { Ok(()) } else { Err(Fault::Forbidden) }
}

/// The compiled whole of a set of policies, remembered by everything that went into it: which policies, the revisions of
/// the namespaces' policy areas, and the identity that fills templates.
pub fn compiled(
    kernel: &Kernel,
    tx: &mut Tx,
    tree: &NamespaceTree,
    attached: &[(String, String)],
    template: Option<(&TemplateContext, String)>,
    now: Timestamp,
) -> Result<Arc<Acl>, Fault> {
    use std::fmt::Write as _;
    // Each part carries its length or has an alphabet of its own: a policy's name can spell no other set (S06).
    let mut name = String::new();
    let mut namespace = "";
    let mut whole = true;
    for (id, policy) in attached {
        if id != namespace {
            namespace = id;
            match tx.area_modified(&keys::policies(id)) {
                Some(revision) => drop(write!(name, "n{id}@{};", revision.0)),
                None => whole = false,
            }
        }
        let _ = write!(name, "p{}:{policy}", policy.len());
    }
    let (template, fingerprint) = template.unzip();
    if let Some(fingerprint) = fingerprint {
        let _ = write!(name, "t{fingerprint}");
    }
    let compile = |tx: &mut Tx| compile(kernel, tx, tree, attached, template, now);
    if !whole {
        return compile(tx).map(Arc::new).map_err(Fault::from);
    }
    // What ends by itself, without a write, is compiled anew once it has ended.
    kernel.memo.acls.fitting(&name, |acl| acl.holds_at(now), || compile(tx)).map_err(Fault::from)
}

fn compile(
    kernel: &Kernel,
    tx: &mut Tx,
    tree: &NamespaceTree,
    attached: &[(String, String)],
    template: Option<&TemplateContext>,
    now: Timestamp,
) -> Result<Acl, store::StoreError> {
    let mut loaded: Vec<(String, String, Arc<ParsedPolicy>)> = Vec::with_capacity(attached.len());
    for (id, name) in attached {
        let Some(namespace) = tree.by_id(id) else { continue };
        if let Some(policy) = policies::parsed(kernel, tx, id, name)?.filter(|policy| policy.in_force(now)) {
            loaded.push((name.clone(), namespace.path.clone(), policy));
        }
    }
    let attached: Vec<Attached<'_>> =
        loaded.iter().map(|(name, prefix, parsed)| Attached { name, prefix, policy: &parsed.policy }).collect();
    let first_end = loaded.iter().filter_map(|(_, _, policy)| policy.expiration).min();
    Ok(Acl::compile_at(&attached, template, now).valid_at_most_until(first_end))
}
