//! The limit that a benchmark is held against: hyper answering every request with the same 300 bytes of JSON.
//!
//! `bare_hyper PORT`; one thread, HTTP/1.1 with keep-alive, no work at all.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const REPLY_BYTES: usize = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("bare_hyper PORT")?.parse()?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let filler = "x".repeat(REPLY_BYTES - r#"{"data":""}"#.len());
    let body = Bytes::from(format!(r#"{{"data":"{filler}"}}"#));
    loop {
        let (stream, _) = listener.accept().await?;
        let body = body.clone();
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(move |_: Request<Incoming>| {
                let body = body.clone();
                async move {
                    let reply = Response::builder().header("Content-Type", "application/json").body(Full::new(body));
                    Ok::<_, Infallible>(reply.unwrap_or_default())
                }
            });
            let _closed = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
