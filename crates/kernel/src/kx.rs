//! The context of a kernel route: an engine's context plus what only the kernel may use.

use crate::authenticate::Session;
use crate::exchange::{Leased, Unwrapped};
use crate::mounts::MountEntry;
use crate::namespaces::Namespace;
use crate::{Effect, Kernel, Node, keys};
use barrier::Barrier;
use engine::{Class, Cx, Engine, Fault};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What a kernel handler may see and touch. Its transaction spans the whole key space; keys come from [`crate::keys`].
pub struct Kx {
    /// The part an engine has too.
    pub cx: Cx,
    /// Namespace of the request.
    pub namespace: Arc<Namespace>,
    /// Who asks; `None` on routes that need no token.
    pub session: Option<Arc<Session>>,
    /// Engines, settings, memory of derived values.
    pub kernel: Arc<Kernel>,
    /// The barrier that the transaction seals with.
    pub barrier: Arc<Barrier>,
    /// Facts and services of the shell.
    pub node: Arc<dyn Node>,
    /// What the shell does once the transaction has committed.
    pub effects: Vec<Effect>,
    /// Lease of a reply that a kernel route renewed.
    pub renewed: Option<Leased>,
    /// What stood beside the data of a reply that was unwrapped.
    pub unwrapped: Option<Unwrapped>,
}

impl Kx {
    /// Lets an engine work in its mount: narrows the transaction to the mount's storage for as long.
    pub fn on_mount<T>(
        &mut self,
        entry: &MountEntry,
        work: impl FnOnce(&dyn Engine, &mut Cx) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let engine = self.kernel.engine(entry.class, &entry.kind)?;
        let view = Arc::new(self.kernel.view(entry));
        let outer = std::mem::replace(&mut self.cx.mount, view);
        let mark = self.cx.tx.enter(&keys::mount_data(&entry.namespace, &entry.uuid));
        let result = work(engine.as_ref(), &mut self.cx);
        self.cx.tx.leave(mark);
        self.cx.mount = outer;
        result
    }

    /// The session of a route that needs a token.
    pub fn session(&self) -> Result<&Arc<Session>, Fault> {
        self.session.as_ref().ok_or(Fault::Denied)
    }

    /// Id of the request's namespace, owned, since it is used beside `&mut self`.
    pub fn namespace_id(&self) -> String {
        self.namespace.id.clone()
    }

    /// Whether a class of mount is a login method.
    pub fn is_auth(entry: &MountEntry) -> bool {
        entry.class == Class::Auth
    }
}

impl Deref for Kx {
    type Target = Cx;
    fn deref(&self) -> &Cx {
        &self.cx
    }
}

impl DerefMut for Kx {
    fn deref_mut(&mut self) -> &mut Cx {
        &mut self.cx
    }
}
