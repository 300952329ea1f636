//! The PROXY protocol, versions 1 and 2 (HAProxy's specification of 2020): a proxy tells the client's address before the
//! first byte of the connection.

use crate::config::{Others, ProxyProtocol};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What a header of version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// What a header of version 1 begins with.
const WORD: &[u8; 6] = b"PROXY ";
/// Bytes of a header of version 1.
const LINE_BYTES_MAX: usize = 107;
/// Bytes that a header of version 2 may have after its first sixteen.
const REST_BYTES_MAX: usize = 2_048;

/// A connection whose first bytes were looked at.
pub(super) struct Looked<S> {
    /// What was read and is no header.
    ahead: Vec<u8>,
    stream: S,
}

/// Reads the header if there is one, and tells whom the connection comes from. An error closes this connection and no
/// other (S44).
pub(super) async fn accept<S: AsyncRead + Unpin>(
    rule: &ProxyProtocol,
    peer: SocketAddr,
    mut stream: S,
) -> io::Result<(SocketAddr, Looked<S>)> {
    let believed = rule.others == Others::Believed || rule.authorized.admit(Some(peer.ip()));
    if !believed && rule.others == Others::Denied {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut ahead = Vec::new();
    let told = match kind(&mut stream, &mut ahead).await? {
        Kind::None => None,
        Kind::Line => line(&mut stream, &mut ahead).await?,
        Kind::Binary => binary(&mut stream, &mut ahead).await?,
    };
    let address = told.filter(|_| believed).unwrap_or(peer);
    Ok((address, Looked { ahead, stream }))
}

enum Kind {
    None,
    Line,
    Binary,
}

/// Reads byte by byte only as far as it may still be a header.
async fn kind<S: AsyncRead + Unpin>(stream: &mut S, ahead: &mut Vec<u8>) -> io::Result<Kind> {
    loop {
        if ahead.as_slice() == WORD {
            return Ok(Kind::Line);
        }
        if ahead.as_slice() == SIGNATURE {
            return Ok(Kind::Binary);
        }
        if !WORD.starts_with(ahead) && !SIGNATURE.starts_with(ahead) {
            return Ok(Kind::None);
        }
        match stream.read_u8().await {
            Ok(byte) => ahead.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Kind::None),
            Err(error) => return Err(error),
        }
    }
}

async fn line<S: AsyncRead + Unpin>(stream: &mut S, ahead: &mut Vec<u8>) -> io::Result<Option<SocketAddr>> {
    while !ahead.ends_with(b"\r\n") {
        if ahead.len() >= LINE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        ahead.push(stream.read_u8().await?);
    }
    let told = parse_line(ahead).ok_or(io::ErrorKind::InvalidData)?;
    ahead.clear();
    Ok(told)
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`, or `PROXY UNKNOWN …`, which tells nothing.
fn parse_line(line: &[u8]) -> Option<Option<SocketAddr>> {
    let text = str::from_utf8(line).ok()?.strip_prefix("PROXY ")?.strip_suffix("\r\n")?;
    let mut words = text.split(' ');
    match words.next()? {
        "UNKNOWN" => Some(None),
        family @ ("TCP4" | "TCP6") => {
            let source: IpAddr = words.next()?.parse().ok()?;
            let _destination: IpAddr = words.next()?.parse().ok()?;
            let port: u16 = words.next()?.parse().ok()?;
            let _destination_port: u16 = words.next()?.parse().ok()?;
            let fits = words.next().is_none() && source.is_ipv4() == (family == "TCP4");
            fits.then(|| Some(SocketAddr::new(source, port)))
        }
        _ => None,
    }
}

async fn binary<S: AsyncRead + Unpin>(stream: &mut S, ahead: &mut Vec<u8>) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version_command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version_command >> 4 != 2 || length > REST_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    ahead.clear();
    match version_command & 0x0f {
        // The proxy speaks for itself, as for a health check.
        0 => Ok(None),
        1 => parse_addresses(family, &rest).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn parse_addresses(family: u8, rest: &[u8]) -> Option<Option<SocketAddr>> {
    match family {
        0x11 => {
            let [a, b, c, d, _, _, _, _, high, low, ..] = *rest.first_chunk::<12>()?;
            Some(Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low]))))
        }
        0x21 => {
            let address = Ipv6Addr::from(*rest.first_chunk::<16>()?);
            let port = u16::from_be_bytes(*rest.get(32..)?.first_chunk::<2>()?);
            Some(Some(SocketAddr::new(address.into(), port)))
        }
        // Unspecified, datagrams, unix sockets: no address that means anything here.
        _ => Some(None),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Looked<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = buffer.remaining().min(self.ahead.len());
        let taken: Vec<u8> = self.ahead.drain(..count).collect();
        buffer.put_slice(&taken);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Looked<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{accept, io};
    use crate::config::{Others, ProxyProtocol};
    use engine::BoundCidrs;
    use std::net::SocketAddr;
    use tokio::io::AsyncReadExt as _;

    async fn told(others: Others, bytes: &[u8]) -> io::Result<(String, Vec<u8>)> {
        let authorized = BoundCidrs::parse(&["10.0.0.0/8".to_owned()]).unwrap();
        let peer: SocketAddr = if bytes.is_empty() { "10.0.0.1:1" } else { "192.0.2.9:9" }.parse().unwrap();
        let (address, mut stream) = accept(&ProxyProtocol { authorized, others }, peer, bytes).await?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await?;
        Ok((address.to_string(), rest))
    }

    fn v2(family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = super::SIGNATURE.to_vec();
        bytes.extend([0x21, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes.extend(b"GET /");
        bytes
    }

    #[tokio::test]
    async fn both_versions_tell_the_client() {
        let line = b"PROXY TCP4 203.0.113.7 192.0.2.2 56324 443\r\nGET /";
        assert_eq!(told(Others::Believed, line).await.unwrap(), ("203.0.113.7:56324".into(), b"GET /".to_vec()));
        let line = b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\nGET /";
        assert_eq!(told(Others::Believed, line).await.unwrap().0, "[2001:db8::7]:56324");
        let binary = v2(0x11, &[203, 0, 113, 7, 192, 0, 2, 2, 0xdc, 4, 1, 0xbb]);
        assert_eq!(told(Others::Believed, &binary).await.unwrap(), ("203.0.113.7:56324".into(), b"GET /".to_vec()));
        let unknown = b"PROXY UNKNOWN\r\nGET /";
        assert_eq!(told(Others::Believed, unknown).await.unwrap(), ("192.0.2.9:9".into(), b"GET /".to_vec()));
    }

    #[tokio::test]
    async fn without_a_header_nothing_is_lost() {
        for bytes in [&b"GET /v1/sys/health"[..], b"PROXI ", b"\r\n\r\nGET", b"PUT /", b"P"] {
            assert_eq!(told(Others::Believed, bytes).await.unwrap(), ("192.0.2.9:9".into(), bytes.to_vec()));
        }
    }

    #[tokio::test]
    async fn only_proxies_that_are_authorized_are_believed() {
        let line = b"PROXY TCP4 203.0.113.7 192.0.2.2 56324 443\r\nGET /";
        assert_eq!(told(Others::Ignored, line).await.unwrap(), ("192.0.2.9:9".into(), b"GET /".to_vec()));
        assert!(told(Others::Denied, line).await.is_err());
        assert_eq!(told(Others::Denied, b"").await.unwrap().0, "10.0.0.1:1");
    }

    #[tokio::test]
    async fn s44_malformed_headers_are_an_error_of_their_connection() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        let mut huge = v2(0x11, &[]);
        huge[14..16].copy_from_slice(&[0xff, 0xff]);
        for bytes in [
            &b"PROXY TCP4 203.0.113.7\r\n"[..],
            b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
            b"PROXY TCP4 203.0.113.7 192.0.2.2 99999 443\r\n",
            b"PROXY nonsense\r\n",
            b"PROXY TCP4 203.0.113.7 192.0.2.2",
            &long,
            &v2(0x11, &[1, 2, 3]),
            &huge,
            &v2(0x21, &[0; 20]),
        ] {
            assert!(told(Others::Believed, bytes).await.is_err(), "{bytes:?}");
        }
    }
}
