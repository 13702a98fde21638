//! A client that sends one request after the other on a connection that is kept.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// A request as it is sent, and the body of its answer.
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    pub(super) answer: Vec<u8>,
}

pub(super) struct Client {
    port: u16,
    stream: TcpStream,
}

/// nginx closes a connection after as many requests.
const PER_CONNECTION: usize = 1_000;

const PATIENCE: Duration = Duration::from_secs(10);

impl Client {
    /// Waits for the server to listen.
    pub(super) fn connect(port: u16) -> io::Result<Self> {
        let start = Instant::now();
        loop {
            match connect(port) {
                Ok(stream) => return Ok(Self { port, stream }),
                Err(error) if start.elapsed() > PATIENCE => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Sends `count` requests, in turn, and compares each answer.
    pub(super) fn send(&mut self, requests: &[Request], count: usize) -> io::Result<()> {
        for (at, request) in requests.iter().cycle().take(count).enumerate() {
            if at % PER_CONNECTION == 0 {
                self.stream = connect(self.port)?;
            }
            self.stream.write_all(&request.bytes)?;
            self.expect(&request.answer)?;
        }
        Ok(())
    }

    /// Reads an answer, whose body must be `expected`.
    fn expect(&mut self, expected: &[u8]) -> io::Result<()> {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = self.stream.read(&mut buffer)?;
            answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
            let body = answer.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
            let body = body.and_then(|at| answer.get(at..));
            if body == Some(expected) {
                return Ok(());
            }
            let wrong = body.is_some_and(|body| !expected.starts_with(body));
            if read == 0 || wrong {
                let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(&answer));
                return Err(io::Error::other(format!("the answer is not {expected:?} but\n{found}")));
            }
        }
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
