//! The life of a request, on one screen: [`handle`] and [`serve`]. Everything it calls is a stage.

use crate::authenticate::authenticate;
use crate::authorize::{self, Authorized};
pub use crate::exchange::{Answer, Arrival, Facts, Leased, Outcome, Unwrapped};
use crate::mounts::{MountEntry, MountTable};
use crate::namespaces::{Namespace, NamespaceTree};
use crate::tokens::{self, Token};
use crate::{Effect, Kernel, Kx, help, issue, lockout, namespace_lock, wrapping};
use engine::{Cx, Fault, Found, Lookup, Mount, Page, Randomness, Reply, Route, Table, Tx};
use std::sync::Arc;
use store::Mark;
use wire::Operation;

/// Serves one request.
pub fn handle(kernel: &Arc<Kernel>, arrival: Arrival) -> Outcome {
    let mut kx = context(kernel, arrival);
    let mut facts = Facts::default();
    let result = resolved(&mut kx, &mut facts);
    if let Err(Fault::Outside(_)) = result {
        // The run is as if it had not been: the one that has the answer counts uses and failures, and commits.
        return Outcome { result, commit: None, effects: Vec::new(), facts };
    }
    let Kx { cx, effects, .. } = kx;
    let Cx { tx, mut randomness, .. } = cx;
    let commit =
        if tx.writes_nothing() { Ok(None) } else { tx.into_commit(&mut |bytes| randomness.fill(bytes)).map(Some) };
    match commit {
        Ok(commit) => Outcome { result, commit, effects, facts },
        Err(error) => Outcome { result: Err(error.into()), commit: None, effects: Vec::new(), facts },
    }
}

/// The context that requests and jobs begin with: root namespace, nobody asking.
pub(crate) fn context(kernel: &Arc<Kernel>, arrival: Arrival) -> Kx {
    let Arrival { snapshot, barrier, now, randomness, request, node, outside } = arrival;
    let tx = Tx::new(snapshot, barrier.clone()).recalling(kernel.memo.records.clone());
    let cx = Cx {
        tx,
        now,
        randomness,
        mount: Arc::new(Mount::default()),
        operation: request.operation,
        path: String::new(),
        page: Page::all(),
        caller: None,
        outside,
        request,
    };
    let namespace = Arc::new(Namespace::root());
    Kx {
        cx,
        namespace,
        session: None,
        kernel: kernel.clone(),
        barrier,
        node,
        effects: Vec::new(),
        renewed: None,
        unwrapped: None,
    }
}

/// Finds namespace, mount and table, and serves the request there.
fn resolved(kx: &mut Kx, facts: &mut Facts) -> Result<Answer, Fault> {
    let kernel = kx.kernel.clone();
    let request = kx.request.clone();
    facts.path = request.path.as_str().to_owned();
    let tree = NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let (namespace, path) = match tree.resolve(request.namespace.as_deref(), request.path.as_str()) {
        Ok(found) => found,
        Err(fault) => return Err(authenticated_fault(kx, facts, fault)),
    };
    kx.namespace = namespace.clone();
    facts.namespace = Some(namespace.clone());
    facts.path.clone_from(&path);
    kx.page = page(kx)?;
    namespace_lock::check(kx, &tree, &path)?;
    let mounts = MountTable::load(&kernel.memo, &mut kx.tx, &namespace.id)?;
    let Some((mount, rest)) = mounts.resolve(&path).filter(|(mount, _)| !mount.tainted) else {
        let fault = Fault::missing(format!("no handler for route {path:?}. route entry not found."));
        return Err(authorized_fault(kx, facts, &path, fault));
    };
    facts.mount = Some(mount.clone());
    kx.cx.path = rest.to_owned();
    kx.cx.mount = kernel.shared_view(mount);
    match mount.built_in() {
        Some(built_in) => serve(kx, facts, mount, kernel.table(built_in), &|kx| kx),
        None => {
            let engine = kernel.engine(mount.class, &mount.kind)?;
            let mark = kx.cx.tx.enter("");
            let answer = serve(kx, facts, mount, engine.table(&mount.options), &|kx| &mut kx.cx);
            kx.cx.tx.leave(mark);
            answer
        }
    }
}

/// Serves a request by a route table: who asks, may they, run it, and finish what the reply asks for.
fn serve<C: 'static>(
    kx: &mut Kx,
    facts: &mut Facts,
    mount: &Arc<MountEntry>,
    table: &Table<C>,
    context: &dyn Fn(&mut Kx) -> &mut C,
) -> Result<Answer, Fault> {
    let path = kx.cx.path.clone();
    let full = facts.path.clone();
    if kx.operation == Operation::Help {
        let session = authenticate(kx)?;
        facts.session = Some(session);
        return help::page(&kx.namespace, mount, table, &path).map(|reply| Answer { reply, ..Answer::default() });
    }
    let found = match table.lookup(&path, kx.operation) {
        Lookup::Found(found) => found,
        Lookup::UnsupportedOperation => return Err(authorized_fault(kx, facts, &full, Fault::UnsupportedOperation)),
        Lookup::UnsupportedPath => return Err(authorized_fault(kx, facts, &full, Fault::UnsupportedPath)),
    };
    let input = found.input(&kx.request.input);
    let flags = found.route.flags;
    facts.unauthenticated = flags.unauthenticated;
    let session = match authenticate(kx) {
        Ok(session) => Some(session),
        Err(Fault::Denied) if flags.unauthenticated || flags.ceremony.is_some() => None,
        Err(fault) => return Err(fault),
    };
    facts.session.clone_from(&session);
    kx.cx.caller = session.as_ref().map(|session| session.caller.clone());
    kx.session = session;
    kx.cx.operation = told_apart(kx, mount, &found, &input, context)?;
    facts.operation = Some(kx.cx.operation);
    let authorized = authorize::authorize(kx, &full, flags, &input)?;
    if flags.root_namespace_only && !kx.namespace.is_root() {
        return Err(Fault::UnsupportedPath);
    }
    // A route that needs no token spends none: looking at a wrapping token does not use it up.
    let spent = if flags.unauthenticated { None } else { spend_use(kx)? };
    let mark = kx.tx.mark();
    let mut reply = run(authorized, kx, mount, &found, &input, context);
    let refusal = reply.as_mut().ok().and_then(|reply| reply.refusal.take());
    let kept = refusal.is_some();
    let result = match refusal {
        Some(fault) => Err(*fault),
        None => reply.and_then(|reply| finish(kx, mount, &full, reply)),
    };
    if let Err(Fault::Outside(_)) = result {
        return result;
    }
    if result.is_err() && !kept {
        undo(kx, mark);
    }
    if flags.login {
        lockout::after_login(kx, mount, found.route.alias(&input), result.as_ref().err())?;
    }
    if let Some(at) = spent {
        tokens::revoke_tree(kx, &at)?;
    }
    result
}

/// Takes back what a handler that failed did.
fn undo(kx: &mut Kx, mark: Mark) {
    kx.tx.rollback(mark);
    // A key that the handler made goes with its writes.
    let cipher = kx.barrier.clone();
    kx.tx.replace_cipher(cipher);
    kx.effects.retain(Effect::outlives_fault);
}

/// The only place that runs a handler, and it takes the proof that it may (security decision D3).
fn run<C: 'static>(
    _authorized: Authorized,
    kx: &mut Kx,
    mount: &Arc<MountEntry>,
    found: &Found<'_, C>,
    input: &engine::Input,
    context: &dyn Fn(&mut Kx) -> &mut C,
) -> Result<Reply, Fault> {
    if found.route.flags.login {
        lockout::before_login(kx, mount, found.route.alias(input))?;
    }
    let reply = within(kx, mount, |kx| found.action.run(context(kx), input))?;
    tokens::note_cubbyhole(kx, mount)?;
    Ok(reply)
}

/// Narrows the transaction to an engine's storage for as long as it works; the kernel's own routes see everything.
fn within<T>(kx: &mut Kx, mount: &MountEntry, work: impl FnOnce(&mut Kx) -> T) -> T {
    if mount.built_in().is_some() {
        return work(kx);
    }
    let mark = kx.cx.tx.enter(&crate::keys::mount_data(&mount.namespace, &mount.uuid));
    let result = work(kx);
    kx.cx.tx.leave(mark);
    result
}

fn told_apart<C: 'static>(
    kx: &mut Kx,
    mount: &MountEntry,
    found: &Found<'_, C>,
    input: &engine::Input,
    context: &dyn Fn(&mut Kx) -> &mut C,
) -> Result<Operation, Fault> {
    if kx.operation != Operation::Update || !found.route.tells_create() {
        return Ok(kx.operation);
    }
    // Whether an object exists is asked before the caller's rights are known, so a fault of the question itself must
    // not show to somebody who may not ask it: the handler will meet it again.
    let route: &Route<C> = found.route;
    Ok(within(kx, mount, |kx| route.create_or_update_now(context(kx), input)).unwrap_or(Operation::Update))
}

/// Makes what the reply asks for: a token, a lease, a wrapping.
fn finish(kx: &mut Kx, mount: &Arc<MountEntry>, full: &str, mut reply: Reply) -> Result<Answer, Fault> {
    let mut answer = Answer::default();
    if let Some(login) = reply.login.take() {
        answer.auth = Some(issue::token(kx, mount, full, *login, &mut reply.warnings)?);
    }
    if let Some(lease) = reply.lease.take() {
        answer.lease = Some(issue::lease(kx, mount, full, lease)?);
    }
    if let Some(auth) = reply.auth.take() {
        answer.auth = Some(*auth);
    }
    if let Some(lease) = kx.renewed.take() {
        answer.lease = Some(lease);
    }
    if let Some(unwrapped) = kx.unwrapped.take() {
        answer.lease = unwrapped.lease;
        answer.wrap_info = unwrapped.wrap_info;
    }
    answer.reply = reply;
    wrapping::wrap_if_asked(kx, full, answer)
}

/// Counts a use of a limited token; returns the token if this was its last.
fn spend_use(kx: &mut Kx) -> Result<Option<tokens::TokenRef>, Fault> {
    let Some(session) = kx.session.clone() else { return Ok(None) };
    let Some(at) = session.at.clone().filter(|_| session.token.num_uses > 0) else { return Ok(None) };
    if session.token.num_uses == 1 {
        return Ok(Some(at));
    }
    let left = Token { num_uses: session.token.num_uses - 1, ..Token::clone(&session.token) };
    tokens::save(&mut kx.tx, &at, &left)?;
    // Handlers that show or renew their caller's token must not go on from the count before.
    kx.session = Some(Arc::new(session.with_token(left)));
    Ok(None)
}

/// A fault that only somebody with a token may see.
fn authenticated_fault(kx: &mut Kx, facts: &mut Facts, fault: Fault) -> Fault {
    match authenticate(kx) {
        Ok(session) => {
            facts.session = Some(session);
            fault
        }
        Err(denied) => denied,
    }
}

/// A fault that only somebody who may use the path may see: everyone else learns nothing of what exists (S22).
fn authorized_fault(kx: &mut Kx, facts: &mut Facts, path: &str, fault: Fault) -> Fault {
    let session = match authenticate(kx) {
        Ok(session) => session,
        Err(denied) => return denied,
    };
    facts.session = Some(session.clone());
    kx.session = Some(session);
    match authorize::authorize(kx, path, engine::Flags::default(), &engine::Input::default()) {
        Ok(_) => fault,
        Err(denied) => denied,
    }
}

fn page(kx: &Kx) -> Result<Page, Fault> {
    let input = &kx.request.input;
    let after = input.field("after").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let limit = match input.field("limit") {
        Some(limit) if matches!(kx.operation, Operation::List | Operation::Scan) => {
            let limit = wire::scalar::integer(limit).map_err(|error| {
                Fault::invalid(format!("Field validation failed: error converting input for field \"limit\": {error}"))
            })?;
            usize::try_from(limit).ok().filter(|limit| *limit > 0)
        }
        _ => None,
    };
    Ok(Page { after, limit })
}
