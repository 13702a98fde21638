//! What an upstream answers: what it was told for all requests, and what a request asks of it.

use super::{Behaviour, SEEN, Seen};
use crate::rig::wire::Headers;
use std::time::Duration;

/// An answer before it is written.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    pub(super) grpc_status: String,
}

/// Waits as long as it is told, and says what to answer; `None` to hang up.
pub(super) async fn reply(seen: &Seen, told: Behaviour) -> Option<Reply> {
    let asked = |name: &str| seen.header(name).map(str::trim);
    let delay = asked("x-echo-delay").and_then(|delay| delay.parse().ok()).map(Duration::from_millis);
    tokio::time::sleep(delay.unwrap_or(told.delay)).await;
    if told.reset || asked("x-echo-reset").is_some() {
        return None;
    }
    let status = asked("x-echo-status").and_then(|status| status.parse().ok());
    let names = asked("x-echo-headers").unwrap_or_default().split(',').map(str::trim);
    let mut headers = told.headers;
    headers.extend(
        names.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), "from-upstream".to_owned())),
    );
    let body = serde_json::to_string(seen).ok()?;
    if seen.method == "HEAD" {
        headers.push((SEEN.to_owned(), in_ascii(&body)));
    }
    Some(Reply {
        status: status.or(told.status).unwrap_or(200),
        headers,
        body: body.into_bytes(),
        grpc_status: asked("x-echo-grpc-status").unwrap_or("0").to_owned(),
    })
}

/// The same JSON in characters that every header may have. Others stand in its strings only, and have escapes there.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if char == ' ' || char.is_ascii_graphic() {
            text.push(char);
        } else {
            let units = char
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&units);
        }
    }
    text
}
