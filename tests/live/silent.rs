//! Endpoints that are silent in other ways than an HTTP server is: one that nobody can connect to, and one that closes the
//! connections that are kept to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A port of the loopback on which attempts to connect are dropped, neither taken nor refused: the queue of its listener is full.
pub(super) struct Dropping {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Dropping {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_millis(200);
        let queued = (0..8192).map_while(|_| TcpStream::connect_timeout(&address, patience).ok()).collect();
        let dropping = Self { address, _listener: listener, _queued: queued };
        assert!(TcpStream::connect_timeout(&address, patience).is_err(), "the queue takes more");
        dropping
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Starts an upstream that answers the first request of each connection with 200 and closes the connection at the second; its
/// port.
pub(super) fn closing() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            std::thread::spawn(move || answer_once(stream));
        }
    });
    port
}

fn answer_once(mut stream: TcpStream) -> Option<()> {
    let mut chunk = [0; 16_384];
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    stream.read(&mut chunk).ok().map(|_| ())
}
