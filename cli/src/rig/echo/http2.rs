//! HTTP/2, and gRPC in it, as an upstream speaks them.

use super::Seen;
use super::connection::Peer;
use super::reply::{Reply, reply};
use crate::rig::wire::{bytes, latin1};
use ::bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

/// Serves streams until the caller ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, peer: Peer) -> io::Result<()> {
    let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    let peer = Arc::new(peer);
    // Streams end with their connection.
    let mut streams = JoinSet::new();
    while let Some(stream) = connection.accept().await {
        let (request, respond) = stream.map_err(io::Error::other)?;
        streams.spawn(answer(request, respond, Arc::clone(&peer)));
        while streams.try_join_next().is_some() {}
    }
    Ok(())
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, peer: Arc<Peer>) {
    let (head, body) = request.into_parts();
    let Ok(body) = read(body).await else { return };
    let seen = seen(&peer, &head, &body);
    let told = peer.shared.note(&seen);
    match reply(&seen, told).await {
        // A caller that has gone away needs no answer.
        Some(reply) => _ = send(&mut respond, &seen, reply),
        None => respond.send_reset(Reason::INTERNAL_ERROR),
    }
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        all.extend_from_slice(&chunk);
        body.flow_control().release_capacity(chunk.len())?;
    }
    Ok(all)
}

fn seen(peer: &Peer, head: &http::request::Parts, body: &[u8]) -> Seen {
    let authority = head.uri.authority().map(|authority| ("host".to_owned(), authority.to_string()));
    let fields = head.headers.iter().map(|(name, value)| (name.to_string(), latin1(value.as_bytes())));
    Seen {
        protocol: "HTTP/2".to_owned(),
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: authority.into_iter().chain(fields).collect(),
        body: latin1(body),
        ..peer.template.clone()
    }
}

fn send(respond: &mut SendResponse<Bytes>, seen: &Seen, reply: Reply) -> Result<(), h2::Error> {
    let kind = seen.content_type();
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(&bytes(value))) {
            response.headers_mut().append(name, value);
        }
    }
    if seen.method == "HEAD" {
        return respond.send_response(response, true).map(|_| ());
    }
    let mut stream = respond.send_response(response, false)?;
    if kind != "application/grpc" {
        return stream.send_data(reply.body.into(), true);
    }
    stream.send_data(message(&reply.body).into(), false)?;
    let mut trailers = HeaderMap::new();
    let status = HeaderValue::from_str(&reply.grpc_status).unwrap_or(HeaderValue::from_static("0"));
    trailers.insert("grpc-status", status);
    stream.send_trailers(trailers)
}

/// A message of gRPC: not compressed, its length, itself.
fn message(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut all = vec![0];
    all.extend_from_slice(&length.to_be_bytes());
    all.extend_from_slice(body);
    all
}
