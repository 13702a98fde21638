//! HTTP/1.1 as an upstream speaks it.

use super::Seen;
use super::connection::{Peer, send_back};
use super::reply::{Reply, reply};
use crate::rig::wire::{self, Framing, RequestHead, bytes, header, latin1};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Serves requests until the caller ends, an upgrade takes the connection over, or a request is to be hung up on.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut buffer: Vec<u8>,
    peer: Peer,
) -> io::Result<()> {
    loop {
        let Some(head) = read_head(&mut stream, &mut buffer).await? else { return stream.shutdown().await };
        if header(&head.headers, "expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let framing = Framing::of(&head.headers, Framing::Length(0))?;
        let body = read_body(&mut stream, &mut buffer, framing).await?;
        let keeps = keeps(&head);
        let upgrade = header(&head.headers, "upgrade").map(ToOwned::to_owned);
        let seen = seen(&peer, head, &body);
        let told = peer.shared.note(&seen);
        let Some(reply) = reply(&seen, told).await else { return Ok(()) };
        if let Some(protocol) = upgrade.filter(|_| reply.status == 200) {
            stream.write_all(&upgraded(&protocol, &reply, &seen)).await?;
            stream.write_all(&buffer).await?;
            stream.flush().await?;
            return send_back(stream).await;
        }
        stream.write_all(&written(&reply, &seen, keeps)).await?;
        stream.flush().await?;
        if !keeps {
            return stream.shutdown().await;
        }
    }
}

async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<RequestHead>> {
    loop {
        if let Some(head) = wire::take_request(buffer)? {
            return Ok(Some(head));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn read_body<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    framing: Framing,
) -> io::Result<Vec<u8>> {
    loop {
        if let Some(body) = framing.take(buffer, false)? {
            return Ok(body);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn keeps(head: &RequestHead) -> bool {
    let connection = header(&head.headers, "connection").unwrap_or_default();
    head.keeps && !connection.eq_ignore_ascii_case("close")
}

fn seen(peer: &Peer, head: RequestHead, body: &[u8]) -> Seen {
    Seen {
        protocol: if head.keeps { "HTTP/1.1" } else { "HTTP/1.0" }.to_owned(),
        method: head.method,
        target: head.target,
        headers: head.headers,
        body: latin1(body),
        ..peer.template.clone()
    }
}

/// The head of an upgrade. The key of a websocket is not signed: no one on the loopback looks at it.
fn upgraded(protocol: &str, reply: &Reply, seen: &Seen) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nx-echo-upstream: {}\r\n",
        seen.upstream
    );
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes(&(text + "\r\n"))
}

fn written(reply: &Reply, seen: &Seen, keeps: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Echo\r\n", reply.status);
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !keeps {
        text.push_str("Connection: close\r\n");
    }
    let bodiless = matches!(reply.status, 204 | 304);
    if !bodiless {
        let (kind, length) = (seen.content_type(), reply.body.len());
        text.push_str(&format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n"));
    }
    let mut all = bytes(&(text + "\r\n"));
    if !bodiless && seen.method != "HEAD" {
        all.extend_from_slice(&reply.body);
    }
    all
}
