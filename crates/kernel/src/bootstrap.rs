//! What a new store holds before its first request: the root namespace's mounts and policies, and the root token.

use crate::tokens::{self, NewToken};
use crate::{Kernel, keys, mounts, policies};
use engine::{Class, Cx, Fault, Mount, Randomness, Request, Secret, Timestamp, TokenKind, Tx};
use std::sync::Arc;

/// Writes it all and returns the root token; `id` chooses its text (development only).
pub fn bootstrap(
    kernel: &Kernel,
    tx: &mut Tx,
    now: Timestamp,
    randomness: &mut dyn Randomness,
    id: Option<String>,
) -> Result<Secret<String>, Fault> {
    mounts::create_built_in(tx, keys::ROOT, randomness)?;
    policies::create_built_in(tx, keys::ROOT, now)?;
    root_token(kernel, tx, now, randomness, id)
}

/// Makes a root token, for initialisation and the generate-root ceremony alone.
pub fn root_token(
    kernel: &Kernel,
    tx: &mut Tx,
    now: Timestamp,
    randomness: &mut dyn Randomness,
    id: Option<String>,
) -> Result<Secret<String>, Fault> {
    let new = NewToken {
        namespace: keys::ROOT.to_owned(),
        id,
        policies: vec!["root".to_owned()],
        path: "auth/token/root".to_owned(),
        display_name: "root".to_owned(),
        kind: TokenKind::Service,
        ..NewToken::default()
    };
    Ok(tokens::create(kernel, tx, now, randomness, new)?.text)
}

/// Mounts an engine in the root namespace outside any request, as development servers and declarative configuration do.
pub fn mount(
    kernel: &Kernel,
    mut tx: Tx,
    now: Timestamp,
    mut randomness: Box<dyn Randomness + Send>,
    (path, class, kind): (&str, Class, &str),
    options: engine::Options,
    request: Arc<Request>,
) -> Result<Tx, Fault> {
    let mut entry = mounts::MountEntry::new(keys::ROOT, path, class, kind, randomness.as_mut());
    entry.options = options;
    entry.save(&mut tx)?;
    let engine = kernel.engine(class, kind)?;
    let mark = tx.enter(&keys::mount_data(keys::ROOT, &entry.uuid));
    let mut cx = Cx {
        tx,
        now,
        randomness,
        mount: Arc::new(Mount { ..kernel.view(&entry) }),
        operation: request.operation,
        path: String::new(),
        page: engine::Page::all(),
        caller: None,
        outside: engine::Outside::default(),
        request,
    };
    engine.mounted(&mut cx)?;
    cx.tx.leave(mark);
    Ok(cx.tx)
}
