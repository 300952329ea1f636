//! How a handler, which is pure, learns something from the outside world.
//!
//! A handler asks [`Outside`], which holds the answers that this request has got so far. If the answer to exactly this
//! call is among them, it is returned. If not, asking fails with [`Fault::Outside`], which the handler passes on by `?`:
//! the kernel drops all that the run did, the shell makes the call, adds the answer, and runs the request again from a
//! fresh snapshot. So a handler reads as if it called, nothing is held while the call is under way, and uses, lockouts
//! and audit entries are counted by the one run that commits.
//!
//! What a handler has to keep to:
//! - a call must be the same when the handler runs again: no [`crate::Cx::now`] and no [`crate::Cx::randomness`] in it;
//! - a call is made before the commit, so it must change nothing outside that a lost commit would leave behind;
//! - whoever asks without a token is a stranger: check all that needs no call first;
//! - at most [`CALLS_MAX`] calls serve one request;
//! - the question whether an object exists ([`crate::Route::create_or_update`]) may not ask, for it comes before the
//!   check of rights.
//!
//! The outcome of a call that was made and failed is an answer too: [`CallFailure`], for which the handler has the words.

use crate::Fault;
use crypto::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Calls that one request may make, failed ones included.
pub const CALLS_MAX: usize = 16;
/// Longest time that a call may ask for.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(30);
/// Most bytes of an answer that a call may ask for.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Something to ask the outside world. Its `Debug` shows the kind of call alone.
#[derive(PartialEq, Eq)]
pub enum Call {
    /// An HTTP request.
    Http(HttpCall),
    /// A file that Kubernetes gives to each of its workloads.
    ServiceAccount(ServiceAccountFile),
}

/// An HTTP request (RFC 9110). It is sent once, without following redirects, by way of no proxy.
pub struct HttpCall {
    /// Its method.
    pub method: Method,
    /// Absolute address, `https` or `http`. What is secret goes into a header or the body, never in here.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, Secret<String>)>,
    /// What is sent.
    pub body: Option<Secret<Vec<u8>>>,
    /// Who may answer.
    pub trust: Trust,
    /// How long the whole may take; [`CALL_TIME_MAX`] bounds it.
    pub timeout: Duration,
    /// Most bytes that the answer's body may have; [`ANSWER_BYTES_MAX`] bounds it.
    pub answer_bytes_max: usize,
}

/// Method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// Which servers are believed. A certificate is always verified: chain, name and dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Trust {
    /// Certificates of authorities in PEM, which replace the system's; empty takes the system's.
    pub authorities: String,
}

/// A file below `/var/run/secrets/kubernetes.io/serviceaccount/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceAccountFile {
    /// The token of this workload.
    Token,
    /// Certificates of the authority of the cluster's API, in PEM.
    Authority,
}

/// What came back of a call.
pub enum CallAnswer {
    /// Of [`Call::Http`].
    Http(Arc<HttpAnswer>),
    /// Of [`Call::ServiceAccount`]: the file's content.
    File(Secret<String>),
}

/// An HTTP answer, whatever its status.
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// The value of the `Link` header (RFC 8288), by which lists are paged; empty if there is none.
    pub link: String,
    /// Seconds that `Cache-Control: max-age` gives it, if it says so.
    pub max_age: Option<u64>,
    /// Its body.
    pub body: Secret<Vec<u8>>,
}

/// Why a call brought no answer. The texts may be shown to clients: they name no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The call itself is no call: address, header or certificates of its authorities cannot be read.
    #[error("the address or the certificates configured for it are not valid")]
    Malformed,
    /// The address is one that is never called.
    #[error("its address may not be called")]
    Forbidden,
    /// No connection, or it broke.
    #[error("it could not be reached")]
    Unreachable,
    /// The server's certificate did not hold.
    #[error("its certificate could not be verified")]
    Untrusted,
    /// No answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// The answer is longer than asked for.
    #[error("its answer is too large")]
    TooLarge,
    /// So many calls to this server are under way that it gets no more.
    #[error("too many calls to it are under way")]
    Busy,
}

/// What a request has learned from outside so far.
#[derive(Clone, Default)]
pub struct Outside {
    answers: Vec<Arc<Asked>>,
}

struct Asked {
    call: Call,
    outcome: Result<CallAnswer, CallFailure>,
}

impl Outside {
    /// Makes an HTTP request. The outer error is passed on by `?`; the inner one is the outcome of the call.
    pub fn http(&self, call: HttpCall) -> Result<Result<Arc<HttpAnswer>, CallFailure>, Fault> {
        let asked = self.asked(Call::Http(call))?;
        match &asked.outcome {
            Ok(CallAnswer::Http(answer)) => Ok(Ok(answer.clone())),
            Ok(CallAnswer::File(_)) => Err(Fault::internal("a file answers an HTTP request")),
            Err(failure) => Ok(Err(*failure)),
        }
    }

    /// Asks a server about a token that a client logs in with. What the server does not take is not told apart from what it
    /// denies; an answer that decides nothing is [`undecided`].
    pub fn about_token(&self, call: HttpCall, server: &str) -> Result<Arc<HttpAnswer>, Fault> {
        match self.http(call)? {
            Ok(answer) if answer.succeeded() => Ok(answer),
            Ok(answer) if matches!(answer.status, 401 | 403 | 404) => Err(Fault::Denied),
            Ok(answer) => Err(undecided(server, &format!("it answered with status {}", answer.status))),
            Err(failure) => Err(undecided(server, &failure.to_string())),
        }
    }

    /// Reads a file of the service account. The outer error is passed on by `?`; `None` if there is none to read.
    pub fn service_account(&self, file: ServiceAccountFile) -> Result<Option<Secret<String>>, Fault> {
        let asked = self.asked(Call::ServiceAccount(file))?;
        match &asked.outcome {
            Ok(CallAnswer::File(content)) => Ok(Some(Secret::text(content.as_str()))),
            Ok(CallAnswer::Http(_)) => Err(Fault::internal("an HTTP answer for a file")),
            Err(_) => Ok(None),
        }
    }

    /// For the shell: adds what came of a call. `false` if the request has made all the calls it may.
    #[must_use]
    pub fn answered(&mut self, call: Call, outcome: Result<CallAnswer, CallFailure>) -> bool {
        if self.answers.len() >= CALLS_MAX {
            return false;
        }
        self.answers.push(Arc::new(Asked { call, outcome }));
        true
    }

    fn asked(&self, call: Call) -> Result<Arc<Asked>, Fault> {
        match self.answers.iter().find(|asked| asked.call == call) {
            Some(asked) => Ok(asked.clone()),
            None => Err(Fault::Outside(Box::new(call))),
        }
    }
}

/// A server gave no answer that decides about a token: not the client's fault, and worth another try.
pub fn undecided(server: &str, why: &str) -> Fault {
    Fault::Status(503, vec![format!("{server} was asked about the token, but {why}")])
}

impl HttpCall {
    /// A request without headers or body, with ten seconds and a megabyte for the answer.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            trust: Trust::default(),
            timeout: Duration::from_secs(10),
            answer_bytes_max: 1 << 20,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Secret::new(value.into())));
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Some(Secret::new(body.to_string().into_bytes()));
        self.header("content-type", "application/json")
    }

    /// Believes these servers.
    #[must_use]
    pub fn trusting(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }
}

/// Secrets are compared in constant time, although both sides come from one client's own request.
impl PartialEq for HttpCall {
    fn eq(&self, other: &Self) -> bool {
        let headers = self.headers.iter().zip(&other.headers);
        let same_body = match (&self.body, &other.body) {
            (Some(mine), Some(theirs)) => mine.same_as(theirs.as_slice()),
            (None, None) => true,
            _ => false,
        };
        self.method == other.method
            && self.url == other.url
            && self.trust == other.trust
            && (self.timeout, self.answer_bytes_max) == (other.timeout, other.answer_bytes_max)
            && same_body
            && self.headers.len() == other.headers.len()
            && headers.fold(true, |same, (mine, theirs)| {
                same & (mine.0 == theirs.0 && mine.1.same_as(theirs.1.as_str().as_bytes()))
            })
    }
}

impl Eq for HttpCall {}

impl HttpAnswer {
    /// The body read as JSON; `None` if it is none, or not of this shape.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body.as_slice()).ok()
    }

    /// Whether the status says success.
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(call) => f.debug_struct("Http").field("method", &call.method).finish_non_exhaustive(),
            Self::ServiceAccount(file) => f.debug_tuple("ServiceAccount").field(file).finish(),
        }
    }
}
