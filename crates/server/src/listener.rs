//! Listeners: TCP and unix sockets, plain and TLS, HTTP/1.1 and HTTP/2.

mod forwarded;
mod proxy;
mod unix;

use crate::config::{Address, HeaderRule, ListenerConfig, Statuses};
use crate::http::{self, Limits, Parts, Response};
use crate::limiter::Verdict;
use crate::shell::Shell;
use crate::{drive, sealed, tls};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use arc_swap::ArcSwap;
use engine::{Peer, Randomness, SystemRandomness};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// How long a client may take to send the head of a request or to finish a handshake.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Connections on one listener.
const CONNECTIONS_MAX: usize = 16_384;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Streams that one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 128;

/// A bound listener.
pub struct Listener {
    /// Where clients reach it.
    pub url: String,
    socket: Socket,
    tls: Option<Arc<ArcSwap<rustls::ServerConfig>>>,
    config: ListenerConfig,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Binds a listener.
    pub async fn bind(config: ListenerConfig) -> std::io::Result<Self> {
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?.map(|tls| Arc::new(ArcSwap::new(tls)));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (socket, url) = match &config.address {
            Address::Tcp(address) => {
                let socket = TcpListener::bind(address.as_str()).await?;
                let url = format!("{scheme}://{}", socket.local_addr()?);
                (Socket::Tcp(socket), url)
            }
            Address::Unix(socket) => (Socket::Unix(unix::bind(socket)?), format!("unix://{}", socket.path.display())),
        };
        Ok(Self { url, socket, tls, config })
    }

    /// Reads the certificate again; the old one stays if the new one is not good.
    pub fn reload(&self) {
        let (Some(slot), Some(config)) = (&self.tls, &self.config.tls) else { return };
        match tls::server_config(config) {
            Ok(fresh) => slot.store(fresh),
            Err(error) => {
                tracing::error!(listener = %self.url, error = %error, "certificate could not be reloaded; the old one stays")
            }
        }
    }

    /// Accepts connections until `stop`, then lets the requests under way finish.
    pub async fn serve(self: Arc<Self>, shell: Arc<Shell>, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
        tokio::pin!(stop);
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { break };
            let watcher = graceful.watcher();
            tokio::select! {
                accepted = self.accept() => match accepted {
                    Ok((stream, address)) => {
                        let (listener, shell) = (self.clone(), shell.clone());
                        tokio::spawn(async move {
                            listener.connection(shell, stream, address, watcher).await;
                            drop(slot);
                        });
                    }
                    Err(error) => {
                        // Out of file descriptors and the like: waiting a moment is all there is to do.
                        tracing::error!(listener = %self.url, error = %error, "connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                () = &mut stop => break,
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(5), graceful.shutdown()).await;
    }

    async fn accept(&self) -> std::io::Result<(Stream, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(address)))
            }
            Socket::Unix(socket) => Ok((Box::new(socket.accept().await?.0), None)),
        }
    }

    async fn connection(
        self: Arc<Self>,
        shell: Arc<Shell>,
        stream: Stream,
        address: Option<SocketAddr>,
        watcher: Watcher,
    ) {
        let (stream, address): (Stream, _) = match (&self.config.proxy, address) {
            (Some(rule), Some(peer)) => {
                let looked = tokio::time::timeout(HEAD_TIME_MAX, proxy::accept(rule, peer, stream)).await;
                let Ok(Ok((address, stream))) = looked else { return };
                (Box::new(stream), Some(address))
            }
            _ => (stream, address),
        };
        let peer = Peer { address, open: self.config.open, ..Peer::default() };
        let Some(tls) = &self.tls else { return self.http(shell, stream, peer, watcher).await };
        let acceptor = tokio_rustls::TlsAcceptor::from(tls.load_full());
        let Ok(Ok(stream)) = tokio::time::timeout(HEAD_TIME_MAX, acceptor.accept(stream)).await else { return };
        let certificates = tls::presented(stream.get_ref().1.peer_certificates());
        self.http(shell, Box::new(stream), Peer { certificates, ..peer }, watcher).await;
    }

    async fn http(self: Arc<Self>, shell: Arc<Shell>, stream: Stream, peer: Peer, watcher: Watcher) {
        let service = service_fn(move |request| {
            let (shell, listener, peer) = (shell.clone(), self.clone(), peer.clone());
            async move { Ok::<Response, Infallible>(answer(&shell, &listener.config, peer, request).await) }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            // Head and body of a reply are small: one piece is sent for less than two.
            .writev(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX as u32);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        // What a client does to its own connection is its own affair.
        let _ = watcher.watch(connection).await;
    }
}

/// Any transport.
type Stream = Box<dyn Transport>;

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

async fn answer(
    shell: &Arc<Shell>,
    listener: &ListenerConfig,
    mut peer: Peer,
    request: hyper::Request<Incoming>,
) -> Response {
    let head = request.method() == hyper::Method::HEAD;
    let from = match &listener.forwarded {
        Some(rule) => forwarded::client(rule, peer.address, request.headers()),
        None => Ok(peer.address),
    };
    let rendered = match (from, open_report(shell, listener, &request)) {
        (Err(refused), _) => http::error(400, &[refused]),
        (Ok(_), Some(report)) => report,
        (Ok(address), None) => {
            peer.address = address;
            let limits = &listener.limits;
            match tokio::time::timeout(limits.request_time_max, served(shell, limits, peer, request)).await {
                Ok(rendered) => rendered,
                Err(_) => http::error(503, &["request took too long"]),
            }
        }
    };
    shell.metrics.reply(rendered.status);
    let status = rendered.status;
    let mut response = rendered.into_response(head);
    add_headers(&listener.headers, status, response.headers_mut());
    if shell.config.response_hostname
        && let Ok(name) = HeaderValue::from_str(&crate::metrics::hostname())
    {
        response.headers_mut().insert("x-vault-hostname", name);
    }
    response
}

/// Reports that this listener shows without a token. They hold no secret, so they are not audited.
fn open_report(shell: &Shell, listener: &ListenerConfig, request: &hyper::Request<Incoming>) -> Option<http::Rendered> {
    if !(listener.open_metrics || listener.open_in_flight) || request.method() != hyper::Method::GET {
        return None;
    }
    let (content_type, bytes) = match request.uri().path() {
        "/v1/sys/metrics" if listener.open_metrics => {
            let query = request.uri().query().unwrap_or_default();
            let prometheus = query.split('&').any(|pair| pair == "format=prometheus");
            shell.metrics_as(if prometheus { "prometheus" } else { "" })
        }
        "/v1/sys/in-flight-req" if listener.open_in_flight => {
            ("application/json", shell.metrics.in_flight().to_string().into_bytes())
        }
        _ => return None,
    };
    Some(http::Rendered { status: 200, content_type, bytes, headers: Vec::new() })
}

/// Adds the headers of the rules for a status. They go from wide to narrow, so that a narrower one replaces.
fn add_headers(rules: &[HeaderRule], status: u16, headers: &mut HeaderMap) {
    let applies = |rule: &&HeaderRule| match rule.statuses {
        Statuses::All => true,
        Statuses::Class(class) => status / 100 == class,
        Statuses::One(one) => status == one,
    };
    for (name, value) in rules.iter().filter(applies).flat_map(|rule| &rule.headers) {
        // Both were checked when the configuration was read.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}

async fn served(shell: &Arc<Shell>, limits: &Limits, peer: Peer, request: hyper::Request<Incoming>) -> http::Rendered {
    let (head, body) = request.into_parts();
    if !head.uri.path().starts_with("/v1/") {
        return http::error::<&str>(404, &[]);
    }
    let origin = match shell.cross_origin(&head) {
        Ok(headers) => headers,
        Err(answered) => return answered,
    };
    let mut rendered = admitted(shell, limits, peer, &head, body).await;
    rendered.headers.extend(origin);
    rendered
}

/// Serves a request whose origin may call, within its rate.
async fn admitted(
    shell: &Arc<Shell>,
    limits: &Limits,
    peer: Peer,
    head: &hyper::http::request::Parts,
    body: Incoming,
) -> http::Rendered {
    if limits.require_request_header && head.headers.get("x-vault-request").is_none_or(|value| value != "true") {
        return http::error(412, &["missing required header: X-Vault-Request"]);
    }
    let told = match shell.limit(head, &peer).await {
        Ok(told) => told,
        Err(refused) => return refused,
    };
    let mut rendered = read_and_served(shell, limits, peer, head, body).await;
    rendered.headers.extend(told.iter().flat_map(Verdict::headers));
    rendered
}

async fn read_and_served(
    shell: &Arc<Shell>,
    limits: &Limits,
    peer: Peer,
    head: &hyper::http::request::Parts,
    body: Incoming,
) -> http::Rendered {
    let body = match http::read_body(body, limits.body_bytes_max, &shell.bodies).await {
        Ok(body) => body,
        Err(error @ http::BodyError::TooLarge) => return http::error(413, &[error.to_string()]),
        Err(error @ http::BodyError::Busy) => return http::error(503, &[error.to_string()]),
        Err(error) => return http::error(400, &[error.to_string()]),
    };
    let parts = Parts { method: &head.method, uri: &head.uri, headers: &head.headers, body: &body.bytes, peer };
    let request = match http::parse(SystemRandomness.uuid(), parts) {
        Ok(request) => Arc::new(request),
        Err(fault) => return http::fault(&fault),
    };
    let _flight = shell.metrics.begin(&head.method, &request, shell.clock.now());
    match shell.unsealed() {
        Some(unsealed) => drive::drive(shell, &unsealed, request).await,
        None => sealed::serve(shell, &request).await,
    }
}
