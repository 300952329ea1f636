//! Who asks: from the token's text to a [`Session`], which later stages need and nobody else makes.

use crate::namespaces::{Namespace, NamespaceTree};
use crate::policy::Acl;
use crate::tokens::{self, Token, TokenRef, batch};
use crate::{Kernel, Kx, authorize, identity, keys};
use engine::{Caller, Fault, TokenKind, Tx};
use std::sync::{Arc, Weak};
use store::Revision;

/// A known token with everything that follows from it at this revision.
#[expect(clippy::manual_non_exhaustive, reason = "the private field is the proof that this module made it")]
pub struct Session {
    /// Its record.
    pub token: Arc<Token>,
    /// Where it is kept; `None` for batch tokens.
    pub at: Option<TokenRef>,
    /// What engines are told of it.
    pub caller: Arc<Caller>,
    /// What it may do.
    pub acl: Arc<Acl>,
    /// Policies that come through its identity, as `(namespace id, name)`.
    pub identity_policies: Vec<(String, String)>,
    _proof: (),
}

/// Finds out who asks. A missing, unknown, ended or misplaced token is [`Fault::Denied`], whatever the reason.
pub fn authenticate(kx: &mut Kx) -> Result<Arc<Session>, Fault> {
    let request = kx.request.clone();
    let text = request.token.as_ref().map(|token| token.expose().as_str()).filter(|text| !text.is_empty());
    let kernel = kx.kernel.clone();
    let (at, token) = known(&kernel, kx, text.ok_or(Fault::Denied)?)?;
    if token.ended(kx.now) || !token.bound_cidrs.admit(request.peer.ip()) {
        return Err(Fault::Denied);
    }
    let tree = NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let home = tree.by_id(&token.namespace).ok_or(Fault::Denied)?;
    if !home.holds(&kx.namespace) {
        return Err(Fault::Denied);
    }
    session(kx, &tree, home, at, token)
}

fn known(kernel: &Kernel, kx: &mut Kx, text: &str) -> Result<(Option<TokenRef>, Arc<Token>), Fault> {
    if let Some((at, token)) = tokens::find(kernel, &mut kx.tx, text)? {
        return Ok((Some(at), token));
    }
    let now = kx.now;
    batch::find(kernel, &mut kx.tx, now, text)?.map(|token| (None, token)).ok_or(Fault::Denied)
}

/// The session of a token: its own policies, those through its identity, and the compiled whole. Remembered for service
/// tokens together with all that it follows from.
pub fn session(
    kx: &mut Kx,
    tree: &Arc<NamespaceTree>,
    home: &Namespace,
    at: Option<TokenRef>,
    token: Arc<Token>,
) -> Result<Arc<Session>, Fault> {
    let kernel = kx.kernel.clone();
    let view = match token.entity_id.as_str() {
        "" => None,
        entity => identity::view(&kernel, &mut kx.tx, &token.namespace, entity)?,
    };
    let basis = Basis::of(&mut kx.tx, tree, home, &token, view.as_deref());
    let (Some(basis), Some(place)) = (basis, at.as_ref().map(|at| at.hash.clone())) else {
        return derived(kx, tree, home, at, token, view.as_deref()).map(Arc::new);
    };
    let now = kx.now;
    let known = kernel.memo.sessions.fitting(
        &place,
        |known| Arc::ptr_eq(&known.session.token, &token) && known.basis == basis && known.session.acl.holds_at(now),
        || {
            let session = derived(kx, tree, home, at, token.clone(), view.as_deref())?;
            Ok::<_, Fault>(KnownSession { basis: basis.clone(), session: Arc::new(session) })
        },
    )?;
    Ok(known.session.clone())
}

/// A session and what it follows from beside the token, whose record it holds.
pub struct KnownSession {
    basis: Basis,
    session: Arc<Session>,
}

/// Equal bases and the same record of a token give the same session.
#[derive(Clone)]
struct Basis {
    /// Only told apart from others, and kept from being freed and mistaken for a later one.
    tree: Weak<NamespaceTree>,
    /// When policies last changed in each namespace that some are taken from.
    policies: Vec<Revision>,
    identity_policies: Vec<(String, String)>,
    fingerprint: Option<String>,
}

impl Basis {
    /// `None` while this very transaction changes policies.
    fn of(
        tx: &mut Tx,
        tree: &Arc<NamespaceTree>,
        home: &Namespace,
        token: &Token,
        view: Option<&identity::View>,
    ) -> Option<Self> {
        let identity_policies = of_identity(token, view).to_vec();
        let mut policies = vec![tx.area_modified(&keys::policies(&home.id))?];
        for (namespace, _) in identity_policies.iter().filter(|(namespace, _)| *namespace != home.id) {
            policies.push(tx.area_modified(&keys::policies(namespace))?);
        }
        let fingerprint = view.map(|view| view.fingerprint.clone());
        Some(Self { tree: Arc::downgrade(tree), policies, identity_policies, fingerprint })
    }
}

impl PartialEq for Basis {
    fn eq(&self, other: &Self) -> bool {
        self.tree.ptr_eq(&other.tree)
            && self.policies == other.policies
            && self.identity_policies == other.identity_policies
            && self.fingerprint == other.fingerprint
    }
}

/// The policies that a token takes from its identity.
fn of_identity<'a>(token: &Token, view: Option<&'a identity::View>) -> &'a [(String, String)] {
    match view {
        Some(view) if !token.no_identity_policies => &view.policies,
        _ => &[],
    }
}

fn derived(
    kx: &mut Kx,
    tree: &NamespaceTree,
    home: &Namespace,
    at: Option<TokenRef>,
    token: Arc<Token>,
    view: Option<&identity::View>,
) -> Result<Session, Fault> {
    let kernel = kx.kernel.clone();
    let identity_policies = of_identity(&token, view).to_vec();
    let mut attached: Vec<(String, String)> = token
        .policies
        .iter()
        .map(|name| (home.id.clone(), name.clone()))
        .chain(identity_policies.iter().cloned())
        .collect();
    attached.sort();
    attached.dedup();
    let root = token.is_root();
    let acl = if root {
        Arc::new(Acl::root())
    } else {
        let now = kx.now;
        let template = view.map(|view| (&view.template, view.fingerprint.to_string()));
        authorize::compiled(&kernel, &mut kx.tx, tree, &attached, template, now)?
    };
    let mut policies: Vec<String> = attached.into_iter().map(|(_, name)| name).collect();
    policies.sort();
    policies.dedup();
    let caller = Caller {
        accessor: token.accessor.clone(),
        display_name: token.display_name.clone(),
        entity_id: token.entity_id.clone(),
        policies,
        metadata: token.metadata.clone(),
        cubbyhole: token.cubbyhole.clone(),
        root,
    };
    Ok(Session { token, at, caller: Arc::new(caller), acl, identity_policies, _proof: () })
}

impl Session {
    /// The same session after its token was changed.
    pub fn with_token(&self, token: Token) -> Self {
        Self {
            token: Arc::new(token),
            at: self.at.clone(),
            caller: self.caller.clone(),
            acl: self.acl.clone(),
            identity_policies: self.identity_policies.clone(),
            _proof: (),
        }
    }

    /// Whether it is a batch token, which has no storage of its own.
    pub fn is_batch(&self) -> bool {
        self.token.kind == TokenKind::Batch
    }
}
