//! The outputs that may block: pipes, standard output, sockets, syslog and HTTP.

use super::DeviceError;
use super::queue::{DEADLINE, Output, QueueSink};
use rustix::event::{PollFd, PollFlags};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Instant;

type Settings = BTreeMap<String, String>;

/// Lines to standard output.
pub(super) fn stdout() -> Result<QueueSink, DeviceError> {
    QueueSink::start(Stdout)
}

struct Stdout;

impl Output for Stdout {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(lines)?;
        out.flush()
    }
}

/// Lines to a pipe or character device.
pub(super) fn pipe(path: &Path) -> Result<QueueSink, DeviceError> {
    QueueSink::start(Pipe { path: path.to_owned(), file: None, cut_off: false })
}

struct Pipe {
    path: PathBuf,
    file: Option<File>,
    /// Whether the reader has half a line, which has to end before the next begins.
    cut_off: bool,
}

impl Output for Pipe {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + DEADLINE;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                // Without a reader the open fails at once instead of hanging the thread for ever.
                let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
                self.cut_off = false;
                OpenOptions::new().write(true).custom_flags(nonblocking).open(&self.path)?
            }
        };
        if self.cut_off {
            write_until(&mut file, b"\n", deadline)?;
        }
        let result = write_until(&mut file, lines, deadline);
        self.cut_off = matches!(&result, Err(error) if error.kind() == io::ErrorKind::TimedOut);
        // A reader that went away may come back: the pipe is opened anew then.
        if result.is_ok() || self.cut_off {
            self.file = Some(file);
        }
        result
    }
}

/// Writes all bytes to a file that does not block, waiting for room until the deadline.
fn write_until(file: &mut File, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let time = rustix::event::Timespec::try_from(left).map_err(io::Error::other)?;
                let mut waited = [PollFd::new(&*file, PollFlags::OUT)];
                rustix::event::poll(&mut waited, Some(&time))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Lines to a TCP, UDP or unix socket.
pub(super) fn socket(settings: &Settings) -> Result<QueueSink, DeviceError> {
    let address = required(settings, "address")?;
    let target = match settings.get("socket_type").map_or("tcp", String::as_str) {
        "tcp" => Target::Tcp(address, None),
        "udp" => Target::Udp(address),
        "unix" => Target::Unix(PathBuf::from(address), None),
        _ => return Err(DeviceError::Options("socket_type must be tcp, udp or unix".into())),
    };
    QueueSink::start(target)
}

enum Target {
    Tcp(String, Option<Open<TcpStream>>),
    Udp(String),
    Unix(PathBuf, Option<Open<UnixStream>>),
}

impl Output for Target {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Target::Tcp(address, stream) => with_stream(stream, || connect(address), lines),
            Target::Unix(path, stream) => with_stream(
                stream,
                || {
                    let stream = UnixStream::connect(&*path)?;
                    stream.set_write_timeout(Some(DEADLINE))?;
                    Ok(stream)
                },
                lines,
            ),
            Target::Udp(address) => {
                let socket = UdpSocket::bind("0.0.0.0:0")?;
                socket.send_to(lines, address.as_str()).map(drop)
            }
        }
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

/// A stream to a peer.
struct Open<S> {
    stream: S,
    /// Whether the peer has half a line, which has to end before the next begins.
    cut_off: bool,
}

/// Writes on the open stream, or on a new one if the peer has closed it: an idle peer may have done so long ago. A peer
/// that takes nothing keeps its stream, since a second one would only hide that it has stopped.
fn with_stream<S: Write>(
    slot: &mut Option<Open<S>>,
    connect: impl Fn() -> io::Result<S>,
    lines: &[u8],
) -> io::Result<()> {
    if let Some(mut open) = slot.take() {
        let ended = if open.cut_off { open.stream.write_all(b"\n") } else { Ok(()) };
        let result = ended.and_then(|()| open.stream.write_all(lines));
        let stopped = |kind| matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        open.cut_off = result.as_ref().is_err_and(|error| stopped(error.kind()));
        if result.is_ok() || open.cut_off {
            *slot = Some(open);
            return result;
        }
    }
    let mut stream = connect()?;
    stream.write_all(lines)?;
    *slot = Some(Open { stream, cut_off: false });
    Ok(())
}

/// Lines to the local syslog socket (RFC 3164 framing as `/dev/log` takes it).
pub(super) fn syslog(settings: &Settings) -> Result<QueueSink, DeviceError> {
    let facility = settings.get("facility").map_or("AUTH", String::as_str).to_ascii_uppercase();
    let code = FACILITIES.iter().position(|name| *name == facility);
    let code = code.ok_or_else(|| DeviceError::Options("unknown syslog facility".into()))?;
    // Severity 6 is "informational".
    let priority = code * 8 + 6;
    let tag = settings.get("tag").map_or("coffer", String::as_str).to_owned();
    let path = settings.get("socket").map_or("/dev/log", String::as_str);
    QueueSink::start(Syslog { path: PathBuf::from(path), head: format!("<{priority}>{tag}: ") })
}

const FACILITIES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP", "NTP",
    "AUDIT", "ALERT", "CLOCK", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
];

struct Syslog {
    path: PathBuf,
    head: String,
}

impl Output for Syslog {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(DEADLINE))?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut message = self.head.clone().into_bytes();
            message.extend_from_slice(line);
            socket.send_to(&message, &self.path)?;
        }
        Ok(())
    }
}

/// Lines as the body of a POST.
pub(super) fn http(settings: &Settings) -> Result<QueueSink, DeviceError> {
    let uri = required(settings, "uri")?;
    let uri: reqwest::Url = uri.parse().map_err(|_| DeviceError::Options("uri is not valid".into()))?;
    if !matches!(uri.scheme(), "http" | "https") {
        return Err(DeviceError::Options("uri must be http or https".into()));
    }
    let mut headers = reqwest::header::HeaderMap::new();
    if let Some(text) = settings.get("headers") {
        let bad = || DeviceError::Options("headers must be a JSON object of strings".into());
        let pairs: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| bad())?;
        for (name, value) in pairs {
            let name: reqwest::header::HeaderName = name.parse().map_err(|_| bad())?;
            headers.insert(name, value.parse().map_err(|_| bad())?);
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::builder()
        .timeout(DEADLINE)
        .redirect(reqwest::redirect::Policy::none())
        .default_headers(headers)
        .build()
        .map_err(|_| DeviceError::Options("http client cannot be set up".into()))?;
    QueueSink::start(Http { runtime, client, uri })
}

struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    uri: reqwest::Url,
}

impl Output for Http {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let request =
            self.client.post(self.uri.clone()).header("content-type", "application/json").body(lines.to_vec());
        // The request is made within the runtime, since its timer belongs to one.
        let reply = self.runtime.block_on(async { request.send().await });
        let reply = reply.map_err(|error| io::Error::other(error.without_url()))?;
        if reply.status().is_success() { Ok(()) } else { Err(io::Error::other(format!("status {}", reply.status()))) }
    }
}

fn required(settings: &Settings, name: &str) -> Result<String, DeviceError> {
    settings
        .get(name)
        .filter(|value| !value.is_empty())
        .cloned()
        .ok_or_else(|| DeviceError::Options(format!("{name} is required")))
}
