//! A client that sends exactly what it is told: HTTP/1.1 byte by byte, or anything else, in TLS or not.

use super::certificates::{self, Identity};
use super::wire::{self, Framing, Headers, bytes, header, invalid};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a client makes a connection private.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tls<'i> {
    /// The server name that it asks for, if it does.
    pub server_name: Option<&'i str>,
    /// The certificate that it shows when it is asked.
    pub identity: Option<&'i Identity>,
    /// The protocols that it offers, such as `http/1.1`.
    pub protocols: &'i [&'i str],
}

/// A request as it stands on the wire. Texts are Latin-1, see [`wire::latin1`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, or whatever is to stand in their place.
    pub target: String,
    /// The header fields in order, `Host` among them. A length is added when there is a body and no length.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header fields in order.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A connection to a port of the loopback. Nothing on it takes longer than its limit.
pub struct Connection {
    stream: Stream,
    limit: Duration,
    buffer: Vec<u8>,
    /// The other side sends no more.
    closed: bool,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Request {
    /// `GET` of a path of a host.
    #[must_use]
    pub fn get(host: &str, target: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = bytes(&format!("{} {} HTTP/1.1\r\n", self.method, self.target));
        for (name, value) in &self.headers {
            all.extend(bytes(&format!("{name}: {value}\r\n")));
        }
        let framed = |name| header(&self.headers, name).is_some();
        if !self.body.is_empty() && !framed("content-length") && !framed("transfer-encoding") {
            all.extend(bytes(&format!("Content-Length: {}\r\n", self.body.len())));
        }
        all.extend_from_slice(b"\r\n");
        all.extend_from_slice(&self.body);
        all
    }
}

impl Response {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether the connection can serve another request.
    fn keeps(&self) -> bool {
        self.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"))
    }
}

impl Connection {
    /// Connects, and shakes hands if TLS is asked for.
    pub fn open(port: u16, tls: Option<&Tls<'_>>, limit: Duration) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::over(TcpStream::connect_timeout(&address, limit)?, tls, limit)
    }

    /// The same on a connection that is there already, on which nothing has been said.
    pub fn over(tcp: TcpStream, tls: Option<&Tls<'_>>, limit: Duration) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(limit))?;
        tcp.set_write_timeout(Some(limit))?;
        let stream = match tls {
            None => Stream::Plain(tcp),
            Some(tls) => Stream::Tls(Box::new(shake_hands(tcp, tls)?)),
        };
        Ok(Self { stream, limit, buffer: Vec::new(), closed: false })
    }

    /// The certificate that the server shows, DER; `None` without TLS.
    #[must_use]
    pub fn server_certificate(&self) -> Option<&rustls::pki_types::CertificateDer<'static>> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.conn.peer_certificates().and_then(<[_]>::first),
        }
    }

    /// How long whatever follows may take.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Whether another request can be sent on it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.closed
    }

    /// Sends a request and reads its answer. An answer before the last, such as 100, is passed over; 101 ends the HTTP of a
    /// connection, and what follows is read with [`Self::read`].
    pub fn exchange(&mut self, request: &Request) -> io::Result<Response> {
        self.send(&request.bytes())?;
        self.answer(&request.method)
    }

    /// Reads the answer to a request of this method that was sent before.
    pub fn answer(&mut self, method: &str) -> io::Result<Response> {
        let deadline = Instant::now() + self.limit;
        let head = loop {
            match wire::take_response(&mut self.buffer)? {
                Some(head) if head.status < 200 && head.status != 101 => {}
                Some(head) => break head,
                None if self.closed => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => self.fill(deadline)?,
            }
        };
        let bodiless = method == "HEAD" || matches!(head.status, 101 | 204 | 304);
        let framing = match bodiless {
            true => Framing::Length(0),
            false => Framing::of(&head.headers, Framing::UntilClose)?,
        };
        let body = loop {
            match framing.take(&mut self.buffer, self.closed)? {
                Some(body) => break body,
                None if self.closed => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => self.fill(deadline)?,
            }
        };
        let response = Response { status: head.status, headers: head.headers, body };
        self.closed |= !response.keeps();
        Ok(response)
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// Says that nothing more will be sent: closes its half of the connection.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }

    /// Reads until the text has this many bytes; fewer if the other side sends no more.
    pub fn read(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + self.limit;
        while self.buffer.len() < length && !self.closed {
            self.fill(deadline)?;
        }
        Ok(self.buffer.drain(..length.min(self.buffer.len())).collect())
    }

    /// Reads a line, without its end.
    pub fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + self.limit;
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=at).collect();
                line.pop();
                return Ok(line);
            }
            if self.closed {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.buffer.len() > wire::LONGEST_HEAD {
                return Err(invalid("the line is too long"));
            }
            self.fill(deadline)?;
        }
    }

    /// Waits for more bytes.
    fn fill(&mut self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut chunk = [0; 16_384];
        let read = match &mut self.stream {
            Stream::Plain(stream) => {
                stream.set_read_timeout(Some(left))?;
                stream.read(&mut chunk)
            }
            Stream::Tls(stream) => {
                stream.sock.set_read_timeout(Some(left))?;
                stream.read(&mut chunk)
            }
        };
        match read {
            Ok(0) => self.closed = true,
            Ok(count) => self.buffer.extend(chunk.iter().take(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // TLS that ends without a farewell is an end too; bodies say their own length.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.closed = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn shake_hands(mut tcp: TcpStream, tls: &Tls<'_>) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut config = certificates::client(tls.identity)?;
    config.alpn_protocols = tls.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    // An address is never asked for by name.
    let nameless = || ServerName::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST));
    let name = match tls.server_name {
        Some(name) => ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
        None => nameless(),
    };
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(connection, tcp))
}
