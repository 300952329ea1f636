//! `sys/capabilities*`: what a token may do on paths.

use crate::authenticate::{Session, session};
use crate::namespaces::NamespaceTree;
use crate::tokens;
use crate::{Kx, Memo};
use engine::{CommaList, Fault, Reply, Route, SecretText};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Paths asked about at once.
const PATHS_MAX: usize = 1_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("capabilities-self", "What the caller may do on paths.").write(own),
        Route::at("capabilities", "What a token may do on paths.").write(of_token),
        Route::at("capabilities-accessor", "What the token of an accessor may do on paths.").write(of_accessor),
    ]
}

engine::request! {
    /// Names paths, and perhaps a token.
    pub struct Ask {
        /// The token.
        token: SecretText,
        /// Accessor of the token.
        accessor: String,
        /// Paths.
        paths: CommaList,
        /// Older name of `paths`.
        path: CommaList,
    }
}

fn own(kx: &mut Kx, ask: Ask) -> Result<Reply, Fault> {
    let session = kx.session()?.clone();
    reply(kx, &session, ask)
}

fn of_token(kx: &mut Kx, ask: Ask) -> Result<Reply, Fault> {
    if ask.token.0.expose().is_empty() {
        return Err(invalid("no token found"));
    }
    let kernel = kx.kernel.clone();
    let text = ask.token.0.expose().clone();
    let known = match tokens::find(&kernel, &mut kx.tx, &text)? {
        Some((at, token)) => Some((Some(at), token)),
        None => {
            let now = kx.now;
            tokens::batch::find(&kernel, &mut kx.tx, now, &text)?.map(|token| (None, token))
        }
    };
    let (at, token) = known.filter(|(_, token)| !token.ended(kx.now)).ok_or_else(|| invalid("invalid token"))?;
    of(kx, at, token, ask)
}

fn invalid(why: &str) -> Fault {
    Fault::invalid(wire::join_errors(&[why]))
}

fn of_accessor(kx: &mut Kx, ask: Ask) -> Result<Reply, Fault> {
    if ask.accessor.is_empty() {
        return Err(Fault::invalid("accessor is required"));
    }
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    let found = tokens::find_by_accessor(&kernel, &mut kx.tx, &namespace, &ask.accessor)?;
    let (at, token) = found.filter(|(_, token)| !token.ended(kx.now)).ok_or_else(|| invalid("invalid accessor"))?;
    of(kx, Some(at), token, ask)
}

fn of(kx: &mut Kx, at: Option<tokens::TokenRef>, token: Arc<tokens::Token>, ask: Ask) -> Result<Reply, Fault> {
    let kernel = kx.kernel.clone();
    let memo: &Memo = &kernel.memo;
    let tree = NamespaceTree::load(memo, &mut kx.tx)?;
    let home = tree.by_id(&token.namespace).cloned().ok_or_else(|| invalid("invalid token"))?;
    let session = session(kx, &tree, &home, at, token)?;
    reply(kx, &session, ask)
}

fn reply(kx: &Kx, session: &Session, ask: Ask) -> Result<Reply, Fault> {
    let paths = if ask.paths.0.is_empty() { ask.path.0 } else { ask.paths.0 };
    if paths.is_empty() {
        return Err(Fault::invalid("paths must be supplied"));
    }
    if paths.len() > PATHS_MAX {
        return Err(Fault::invalid("too many paths"));
    }
    let mut data = Map::new();
    for path in &paths {
        let capabilities = session.acl.capabilities(&format!("{}{}", kx.namespace.path, path.trim_start_matches('/')));
        data.insert(path.clone(), capabilities.into());
    }
    if let [path] = paths.as_slice() {
        let same = data.get(path).cloned().unwrap_or(Value::Null);
        data.insert("capabilities".to_owned(), same);
    }
    Ok(Reply::legacy(data))
}
