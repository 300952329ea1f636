//! The harness of engine tests: one mount on an in-memory store, a clock that tests move, no server.

use crate::outside::{Call, CallAnswer, CallFailure, Outside};
use crate::{Caller, Cx, Engine, Fault, Input, LoginRecord, Lookup, Mount, Options, Peer, Reply, Request, TokenParams};
use crypto::SeededRandomness;
use serde_json::Value;
use std::sync::{Arc, mpsc};
use store::memory::MemoryLog;
use store::{Cipher, CipherError, CommitError, Log, Page, Plain, Snapshot, Tx};
use wire::{Operation, RequestPath, Timestamp};

/// A mounted engine to talk to.
pub struct Bench {
    engine: Arc<dyn Engine>,
    log: MemoryLog,
    mount: Arc<Mount>,
    /// The moment of the next call; tests move it.
    pub now: Timestamp,
    /// Who makes the next call.
    pub caller: Option<Arc<Caller>>,
    /// Address the next call comes from.
    pub peer: Peer,
    calls: u64,
    /// The outside world, as a test has it.
    world: Option<World>,
    /// What calls read instead of the newest revision.
    stale: Option<Arc<dyn Snapshot>>,
}

/// What answers the calls of handlers.
pub type World = Box<dyn FnMut(&Call) -> Result<CallAnswer, CallFailure>>;

/// Keeps records readable, so that a test may look at the stored bytes.
struct Clear;

impl Cipher for Clear {
    fn seal(
        &self,
        _: &mut dyn FnMut(&mut [u8]),
        _: &str,
        kind: &'static str,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        let mut record = kind.as_bytes().to_vec();
        record.push(0);
        record.extend_from_slice(plain);
        Ok(record)
    }

    fn open(&self, _: &str, kind: &'static str, record: &[u8]) -> Result<Plain, CipherError> {
        let plain = record.strip_prefix(kind.as_bytes()).and_then(|rest| rest.strip_prefix(&[0]));
        plain.map(|plain| Plain::new(plain.to_vec())).ok_or(CipherError)
    }
}

impl Bench {
    /// Mounts an engine with these options at `test/` (`auth/test/` for a login method).
    pub fn new(engine: impl Engine + 'static, options: &[(&str, &str)]) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let options: Options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let path = if engine.class() == crate::Class::Auth { "auth/test/" } else { "test/" };
        let mount = Mount {
            path: path.into(),
            accessor: format!("{}_bench", engine.kind()),
            uuid: "bench".into(),
            kind: engine.kind().into(),
            options,
            default_lease_ttl: 2_764_800,
            max_lease_ttl: 2_764_800,
            namespace: "root".into(),
        };
        let mut bench = Self {
            engine,
            log: MemoryLog::new(),
            mount: Arc::new(mount),
            now: Timestamp::from_seconds(1_800_000_000),
            caller: None,
            peer: Peer::default(),
            calls: 0,
            world: None,
            stale: None,
        };
        let engine = bench.engine.clone();
        bench.with(Operation::Update, "", Input::default(), |cx, _| engine.mounted(cx)).expect("the engine mounts");
        bench
    }

    /// Makes a request as the table dispatches it; commits when it succeeds.
    pub fn call(&mut self, operation: Operation, path: &str, body: Value) -> Result<Reply, Fault> {
        let mut input = Input::default();
        if let Value::Object(members) = body {
            input.body.clone_from(&members);
            input.fields = members;
        }
        let engine = self.engine.clone();
        let options = self.mount.options.clone();
        let table = engine.table(&options);
        let found = match table.lookup(path, operation) {
            Lookup::Found(found) => found,
            Lookup::UnsupportedOperation => return Err(Fault::UnsupportedOperation),
            Lookup::UnsupportedPath => return Err(Fault::UnsupportedPath),
        };
        let input = found.input(&input);
        let mut reply = self.asking(operation, path, &input, |cx, input| {
            if operation == Operation::Update {
                cx.operation = found.route.create_or_update_now(cx, input)?;
            }
            found.action.run(cx, input)
        })?;
        match reply.refusal.take() {
            Some(fault) => Err(*fault),
            None => Ok(reply),
        }
    }

    /// `GET`.
    pub fn read(&mut self, path: &str) -> Result<Reply, Fault> {
        self.call(Operation::Read, path, Value::Null)
    }

    /// `POST`.
    pub fn write(&mut self, path: &str, body: Value) -> Result<Reply, Fault> {
        self.call(Operation::Update, path, body)
    }

    /// `DELETE`.
    pub fn delete(&mut self, path: &str) -> Result<Reply, Fault> {
        self.call(Operation::Delete, path, Value::Null)
    }

    /// `LIST`: the keys.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, Fault> {
        let reply = self.call(Operation::List, path, Value::Null)?;
        let keys = reply.value().and_then(|data| data.get("keys")).and_then(Value::as_array).cloned();
        Ok(keys.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// The data of a `GET`, `Null` where there is none.
    pub fn data(&mut self, path: &str) -> Result<Value, Fault> {
        Ok(self.read(path)?.value().cloned().unwrap_or(Value::Null))
    }

    /// Makes a request twice at once: both read the store as it is now, and one commits after the other. What may be
    /// used once must not succeed twice here.
    pub fn race(&mut self, operation: Operation, path: &str, body: Value) -> [Result<Reply, Fault>; 2] {
        let now = self.log.snapshot();
        let first = self.call(operation, path, body.clone());
        self.stale = Some(now);
        let second = self.call(operation, path, body);
        self.stale = None;
        [first, second]
    }

    /// Lets a closure play the outside world from now on. Without one, nothing out there can be reached.
    pub fn outside(&mut self, world: impl FnMut(&Call) -> Result<CallAnswer, CallFailure> + 'static) {
        self.world = Some(Box::new(world));
    }

    /// Asks the engine whether a login may be renewed, as the kernel does.
    pub fn renew_login(&mut self, login: &LoginRecord) -> Result<TokenParams, Fault> {
        let engine = self.engine.clone();
        self.asking(Operation::Update, "", &Input::default(), |cx, _| engine.renew_login(cx, login))
    }

    /// Runs anything once in a context of this mount, with nothing known of the outside; commits when it succeeds.
    pub fn with<T>(
        &mut self,
        operation: Operation,
        path: &str,
        input: Input,
        run: impl FnOnce(&mut Cx, &Input) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.once(operation, path, &input, Outside::default(), run)
    }

    /// Runs something, again with the answer as often as it asks outside.
    fn asking<T>(
        &mut self,
        operation: Operation,
        path: &str,
        input: &Input,
        run: impl Fn(&mut Cx, &Input) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut outside = Outside::default();
        loop {
            let call = match self.once(operation, path, input, outside.clone(), &run) {
                Err(Fault::Outside(call)) => *call,
                done => return done,
            };
            let outcome = self.world.as_mut().map_or(Err(CallFailure::Unreachable), |world| world(&call));
            if !outside.answered(call, outcome) {
                return Err(Fault::internal("more calls than a request may make"));
            }
        }
    }

    fn once<T>(
        &mut self,
        operation: Operation,
        path: &str,
        input: &Input,
        outside: Outside,
        run: impl FnOnce(&mut Cx, &Input) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.calls += 1;
        let snapshot = self.stale.clone().unwrap_or_else(|| self.log.snapshot());
        let mut tx = Tx::new(snapshot, Arc::new(Clear));
        tx.enter("root/data/bench/");
        let page = page_of(input);
        let mut cx = Cx {
            tx,
            now: self.now,
            randomness: Box::new(SeededRandomness::new(self.calls)),
            mount: self.mount.clone(),
            request: Arc::new(Request {
                id: format!("request-{}", self.calls),
                operation,
                path: RequestPath::new(format!("{}{path}", self.mount.path))
                    .map_err(|error| Fault::invalid(error.to_string()))?,
                namespace: None,
                token: None,
                input: input.clone(),
                wrap_ttl: None,
                headers: Default::default(),
                peer: self.peer.clone(),
                head: false,
            }),
            operation,
            path: path.to_owned(),
            page,
            caller: self.caller.clone(),
            outside,
        };
        let result = run(&mut cx, input)?;
        self.commit(cx)?;
        Ok(result)
    }

    /// Everything stored, keys relative to the mount, values as the engine wrote them.
    pub fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let mut stored = Vec::new();
        let from = "root/data/bench/";
        let visited = self.log.snapshot().visit(from, &store::prefix_end(from), &mut |key, value, _| {
            stored.push((key.strip_prefix(from).unwrap_or(key).to_owned(), value.to_vec()));
            std::ops::ControlFlow::Continue(())
        });
        visited.expect("the in-memory store answers");
        stored
    }

    fn commit(&self, cx: Cx) -> Result<(), Fault> {
        let mut randomness = cx.randomness;
        let commit = cx.tx.into_commit(&mut |bytes| randomness.fill(bytes))?;
        let (send, receive) = mpsc::channel();
        self.log.submit(commit, Box::new(move |result| drop(send.send(result))));
        match receive.recv() {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(CommitError::Conflict)) => Err(Fault::internal("conflict")),
            other => Err(Fault::internal(format!("commit failed: {other:?}"))),
        }
    }
}

fn page_of(input: &Input) -> Page {
    Page {
        after: input.field("after").and_then(Value::as_str).unwrap_or_default().to_owned(),
        limit: input
            .field("limit")
            .and_then(|limit| wire::scalar::integer(limit).ok())
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0),
    }
}
