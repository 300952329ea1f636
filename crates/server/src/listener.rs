//! Listeners: TCP and unix sockets, plain and TLS, HTTP/1.1 and HTTP/2.

use crate::config::{Address, ListenerConfig};
use crate::http::{self, Limits, Parts, Response};
use crate::limiter::Verdict;
use crate::shell::Shell;
use crate::{drive, sealed, tls};
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
            Address::Unix(path) => {
                // A socket left by an earlier process is in the way; anything else is not ours to remove.
                if std::os::unix::net::UnixStream::connect(path)
                    .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
                {
                    std::fs::remove_file(path)?;
                }
                (Socket::Unix(UnixListener::bind(path)?), format!("unix://{}", path.display()))
            }
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
        let Some(tls) = &self.tls else {
            return self
                .http(shell, stream, Peer { address, open: self.config.open, ..Peer::default() }, watcher)
                .await;
        };
        let acceptor = tokio_rustls::TlsAcceptor::from(tls.load_full());
        let Ok(Ok(stream)) = tokio::time::timeout(HEAD_TIME_MAX, acceptor.accept(stream)).await else { return };
        let certificates = tls::presented(stream.get_ref().1.peer_certificates());
        self.http(shell, Box::new(stream), Peer { address, certificates, open: self.config.open }, watcher).await;
    }

    async fn http(&self, shell: Arc<Shell>, stream: Stream, peer: Peer, watcher: Watcher) {
        let limits = self.config.limits.clone();
        let service = service_fn(move |request| {
            let (shell, limits, peer) = (shell.clone(), limits.clone(), peer.clone());
            async move { Ok::<Response, Infallible>(answer(&shell, &limits, peer, request).await) }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_BYTES_MAX);
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

async fn answer(shell: &Arc<Shell>, limits: &Limits, peer: Peer, request: hyper::Request<Incoming>) -> Response {
    let head = request.method() == hyper::Method::HEAD;
    let rendered = match tokio::time::timeout(limits.request_time_max, served(shell, limits, peer, request)).await {
        Ok(rendered) => rendered,
        Err(_) => http::error(503, &["request took too long"]),
    };
    shell.metrics.reply(rendered.status);
    rendered.into_response(head)
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
    let body = match http::read_body(body, limits.body_bytes_max).await {
        Ok(body) => body,
        Err(error @ http::BodyError::TooLarge) => return http::error(413, &[error.to_string()]),
        Err(error) => return http::error(400, &[error.to_string()]),
    };
    let parts = Parts { method: &head.method, uri: &head.uri, headers: &head.headers, body: &body, peer };
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
