//! Trailers of a request of HTTP/2, frame by frame: no client of HTTP/1.1 sends any.

use super::stage::{LIMIT, Plane, Running, Stage};
use std::io::{Read, Write};
use std::net::TcpStream;

on_every_plane! {
    only_envoy_takes_a_request_with_trailers
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Kinds of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn only_envoy_takes_a_request_with_trailers(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(
        "gateway edge { workload any; listen http2 <port> { hosts * } }
        host * via edge { route all -> a }
        service a { port http 80 }
        bindings { address a endpoints [<a>] }",
    );
    // Both take one without.
    assert_eq!(answer(&running, false), Some(200));
    assert_eq!(a.requests(), 1);
    let expected = (stage.plane == Plane::Envoy).then_some(200);
    assert_eq!(answer(&running, true), expected);
}

/// The status of the answer to `POST /`; `None` if the stream or the connection is ended instead.
fn answer(running: &Running, with_trailers: bool) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", running.port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    // `:method POST`, `:scheme http`, `:path /` from the static table (RFC 7541, appendix A), and `:authority a.com`.
    let head = [&[0x83, 0x86, 0x84, 0x01, 5][..], b"a.com"].concat();
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &head)).unwrap();
    let end = if with_trailers { 0 } else { END_STREAM };
    stream.write_all(&frame(DATA, end, 1, b"body")).unwrap();
    if with_trailers {
        let trailers = [&[0x00, 3][..], b"x-t", &[1], b"1"].concat();
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers)).unwrap();
    }
    loop {
        let mut head = [0; 9];
        // Who ends the connection may do so without a word.
        stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).ok()?;
        match head[3] {
            // `:status 200` of the static table.
            HEADERS => return Some(if payload.contains(&0x88) { 200 } else { 0 }),
            RST_STREAM | GOAWAY => return None,
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
}
