//! A client for HTTP/2 without TLS, for ports where nothing else is understood.

use super::client::{Request, Response};
use super::wire::{bytes, latin1};
use h2::RecvStream;
use http::{HeaderName, HeaderValue};
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// Headers that HTTP/2 has no place for, or another one.
const OF_CONNECTIONS: &[&str] = &["host", "connection", "keep-alive", "upgrade", "transfer-encoding"];

/// Sends a request on a connection of its own, which starts with HTTP/2, and reads the answer. `Host` becomes the authority.
pub fn exchange(port: u16, request: &Request, limit: Duration) -> io::Result<Response> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { timeout(limit, ask(port, request)).await });
    answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn ask(port: u16, request: &Request) -> io::Result<Response> {
    let head = head(request)?;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
    // It ends with the runtime.
    tokio::spawn(connection);
    let mut client = client.ready().await.map_err(io::Error::other)?;
    let ends = request.body.is_empty();
    let (answer, mut body) = client.send_request(head, ends).map_err(io::Error::other)?;
    if !ends {
        body.send_data(request.body.clone().into(), true).map_err(io::Error::other)?;
    }
    let (head, body) = answer.await.map_err(io::Error::other)?.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), latin1(value.as_bytes())));
    Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body: read(body).await? })
}

fn head(request: &Request) -> io::Result<http::Request<()>> {
    let authority = super::wire::header(&request.headers, "host").unwrap_or_default();
    let mut head = http::Request::builder()
        .method(request.method.as_str())
        .uri(format!("http://{authority}{}", request.target));
    for (name, value) in &request.headers {
        if OF_CONNECTIONS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        let name: HeaderName = name.to_ascii_lowercase().parse().map_err(io::Error::other)?;
        head = head.header(name, HeaderValue::from_bytes(&bytes(value)).map_err(io::Error::other)?);
    }
    head.body(()).map_err(io::Error::other)
}

async fn read(mut body: RecvStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(io::Error::other)?;
        all.extend_from_slice(&chunk);
        body.flow_control().release_capacity(chunk.len()).map_err(io::Error::other)?;
    }
    Ok(all)
}
