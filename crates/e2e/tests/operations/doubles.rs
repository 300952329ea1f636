//! What stands at the other end of what the server sends: an HTTP sink that can be told to refuse.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Decides by the body of a request whether it is taken.
type Decide = dyn Fn(&str) -> bool + Send + Sync;

/// An HTTP server that keeps the bodies it took.
pub struct HttpSink {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    bodies: Mutex<Vec<(String, Vec<u8>)>>,
    decide: Mutex<Box<Decide>>,
    stop: AtomicBool,
}

impl HttpSink {
    /// One that takes everything.
    pub fn start() -> HttpSink {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let decide: Box<Decide> = Box::new(|_| true);
        let state =
            Arc::new(State { bodies: Mutex::default(), decide: Mutex::new(decide), stop: AtomicBool::new(false) });
        let shared = state.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (stream, shared) = (stream.unwrap(), shared.clone());
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        HttpSink { address, state, thread: Some(thread) }
    }

    /// Takes from now on only what `decide` says yes to; everything else is answered by 503.
    pub fn take_if(&self, decide: impl Fn(&str) -> bool + Send + Sync + 'static) {
        *self.state.decide.lock().unwrap() = Box::new(decide);
    }

    /// Paths and bodies so far.
    pub fn taken(&self) -> Vec<(String, Vec<u8>)> {
        self.state.bodies.lock().unwrap().clone()
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        let _woken = TcpStream::connect(self.address);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(stream: TcpStream, state: &State) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader) {
        let taken = (state.decide.lock().unwrap())(&String::from_utf8_lossy(&body));
        if taken {
            state.bodies.lock().unwrap().push((path, body));
        }
        let status = if taken { "200 OK" } else { "503 Service Unavailable" };
        let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        if state.stop.load(Ordering::Relaxed) || reader.get_mut().write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// The path and body of the next request on a connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}
