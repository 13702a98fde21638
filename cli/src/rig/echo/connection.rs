//! One connection to an upstream: TLS or not, and which protocol is in it.

use super::{Seen, Shared, Speaks, http1, http2};
use crate::rig::certificates::Names;
use std::io::{self, Cursor};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// What starts a handshake of TLS.
const HANDSHAKE: u8 = 0x16;
/// What starts HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What all connections of an upstream are treated by.
pub(super) struct Service {
    pub(super) shared: Arc<Shared>,
    pub(super) speaks: Speaks,
    pub(super) takes_plain: bool,
    /// Whether there is TLS in the TLS.
    pub(super) nested: bool,
    pub(super) tls: Option<(TlsAcceptor, Names)>,
}

/// A connection, for those who answer on it.
pub(super) struct Peer {
    pub(super) shared: Arc<Shared>,
    /// What is known of every request that comes on it.
    pub(super) template: Seen,
}

/// Serves a connection to its end. How it ends is the business of the caller alone.
pub(super) async fn serve(stream: TcpStream, service: Arc<Service>) {
    _ = secured(stream, &service).await;
}

async fn secured(stream: TcpStream, service: &Service) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut template = Seen {
        upstream: service.shared.name.clone(),
        connection: service.shared.new_connection(),
        ..Seen::default()
    };
    let private = match (&service.tls, service.takes_plain) {
        (Some(tls), false) => Some(tls),
        (Some(tls), true) if starts_tls(&stream).await? => Some(tls),
        (Some(_) | None, _) => None,
    };
    let Some((tls, names)) = private else {
        return speak(stream, service, template).await;
    };
    let stream = tls.accept(stream).await?;
    let (_, session) = stream.get_ref();
    template.tls = true;
    template.server_name = session.server_name().map(ToOwned::to_owned);
    let shown = session.peer_certificates().and_then(<[_]>::first);
    template.client = shown.map(|shown| names.name_of(shown));
    if !service.nested {
        return speak(stream, service, template).await;
    }
    let inner = tls.accept(stream).await?;
    template.inner_server_name = inner.get_ref().1.server_name().map(ToOwned::to_owned);
    speak(inner, service, template).await
}

async fn starts_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first == [HANDSHAKE])
}

async fn speak<S>(mut stream: S, service: &Service, template: Seen) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = Peer { shared: Arc::clone(&service.shared), template };
    if service.speaks == Speaks::Greeting {
        return greet(stream, &peer).await;
    }
    let mut start = Vec::new();
    while start.len() < PREFACE.len() && PREFACE.starts_with(&start) {
        if stream.read_buf(&mut start).await? == 0 {
            return Ok(());
        }
    }
    if !start.starts_with(PREFACE) {
        return http1::serve(stream, start, peer).await;
    }
    let (reader, writer) = tokio::io::split(stream);
    let whole = tokio::io::join(Cursor::new(start).chain(reader), writer);
    http2::serve(whole, peer).await
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, peer: &Peer) -> io::Result<()> {
    let behaviour = peer.shared.note(&peer.template);
    tokio::time::sleep(behaviour.delay).await;
    if behaviour.reset {
        return Ok(());
    }
    let mut line = serde_json::to_vec(&peer.template)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.flush().await?;
    send_back(stream).await
}

/// Sends back what it gets.
pub(super) async fn send_back<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    let mut chunk = [0; 8192];
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(chunk.get(..count).unwrap_or_default()).await?;
        stream.flush().await?;
    }
}
