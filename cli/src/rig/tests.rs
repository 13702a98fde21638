//! The rig without a proxy in between: what is sent is what is seen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(10);

fn start<'a>(echoes: &Echoes, name: &str, speaks: Speaks, security: Security<'a>) -> Echo {
    echoes.start(EchoOptions { name: name.to_owned(), speaks, security }).unwrap()
}

fn seen(response: &Response) -> Seen {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn a_request_is_seen_as_it_was_sent() {
    let echoes = Echoes::new().unwrap();
    let echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let mut connection = Connection::open(echo.port(), None, LIMIT).unwrap();
    let mut request = Request::get("a.com:80", "/a%2F../b?q=|\u{e9}").with("X-A", "1").with("x-a", "\u{ff}");
    request.method = "PURGE".to_owned();
    request.body = b"text".to_vec();
    for _ in 0..2 {
        let seen = seen(&connection.exchange(&request).unwrap());
        assert_eq!((seen.upstream.as_str(), seen.method.as_str(), seen.connection), ("v1", "PURGE", 1));
        assert_eq!(seen.target, request.target);
        let length = ("Content-Length".to_owned(), "4".to_owned());
        assert_eq!(seen.headers, [request.headers.clone(), vec![length]].concat());
        assert_eq!((seen.body.as_str(), seen.protocol.as_str(), seen.tls), ("text", "HTTP/1.1", false));
    }
    assert_eq!((echo.connections(), echo.requests(), echo.take_seen().len()), (1, 2, 2));
    assert!(echo.take_seen().is_empty());
}

#[test]
fn an_answer_without_a_body_tells_what_was_seen_in_its_head() {
    let echoes = Echoes::new().unwrap();
    let echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let mut request = Request::get("a.com", "/\u{e9}\"").with("x-a", "\u{ff}\u{80}");
    request.method = "HEAD".to_owned();
    let mut connection = Connection::open(echo.port(), None, LIMIT).unwrap();
    for answer in [connection.exchange(&request).unwrap(), connection.exchange(&request).unwrap()] {
        assert!(answer.body.is_empty());
        let seen = Seen::told(&answer).unwrap();
        assert_eq!((seen.target, seen.headers), (request.target.clone(), request.headers.clone()));
    }
    request.target = "/a".to_owned();
    let seen = Seen::told(&http2::exchange(echo.port(), &request, LIMIT).unwrap()).unwrap();
    assert_eq!((seen.protocol.as_str(), seen.header("x-a")), ("HTTP/2", Some("\u{ff}\u{80}")));
}

#[test]
fn an_upstream_does_as_it_is_told() {
    let echoes = Echoes::new().unwrap();
    let mut echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let status = |request: &Request, echo: &Echo| {
        Connection::open(echo.port(), None, LIMIT).and_then(|mut one| one.exchange(request))
    };
    let plain = Request::get("a", "/");
    echo.behave(Behaviour { status: Some(503), times: Some(1), ..Behaviour::default() });
    assert_eq!(status(&plain, &echo).unwrap().status, 503);
    assert_eq!(status(&plain, &echo).unwrap().status, 200);
    assert_eq!(status(&plain.clone().with("x-echo-status", "418"), &echo).unwrap().status, 418);
    let start = Instant::now();
    status(&plain.clone().with("x-echo-delay", "60"), &echo).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
    assert!(status(&plain.clone().with("x-echo-reset", "1"), &echo).is_err());
    let answer = status(&plain.clone().with("x-echo-headers", "x-a, x-b"), &echo).unwrap();
    assert_eq!((answer.header("x-a"), answer.header("X-B")), (Some("from-upstream"), Some("from-upstream")));
    echo.leave();
    assert!(status(&plain, &echo).is_err(), "it has left");
    echo.listen().unwrap();
    assert_eq!(status(&plain, &echo).unwrap().status, 200);
}

#[test]
fn a_client_waits_no_longer_than_its_limit() {
    let echoes = Echoes::new().unwrap();
    let echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let start = Instant::now();
    let mut connection = Connection::open(echo.port(), None, Duration::from_millis(100)).unwrap();
    let slow = Request::get("a", "/").with("x-echo-delay", "5000");
    assert_eq!(connection.exchange(&slow).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn tls_says_who_calls_whom() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca").unwrap();
    let names = ["*.a.com", "*", "spiffe://x/ns/y", "127.0.0.1", "not a name\u{e9}"].map(ToOwned::to_owned);
    let server = authority.issue("server", &names).unwrap();
    let caller = authority.issue("caller", &[]).unwrap();
    let echoes = Echoes::new().unwrap();
    let secured = start(&echoes, "v1", Speaks::Http, Security::Either(&authority, &server));
    let tls = |identity| Tls { server_name: Some("b.a.com"), identity, protocols: &["http/1.1"] };
    for (identity, client) in [(None, None), (Some(&caller), Some("caller"))] {
        let mut connection = Connection::open(secured.port(), Some(&tls(identity)), LIMIT).unwrap();
        let shown = connection.server_certificate().unwrap().clone();
        assert_eq!(authority.name_of(&shown), "server");
        let seen = seen(&connection.exchange(&Request::get("b.a.com", "/")).unwrap());
        assert_eq!(
            (seen.tls, seen.server_name.as_deref(), seen.client.as_deref()),
            (true, Some("b.a.com"), client)
        );
    }
    let mut plain = Connection::open(secured.port(), None, LIMIT).unwrap();
    let seen = seen(&plain.exchange(&Request::get("b.a.com", "/")).unwrap());
    assert_eq!((seen.tls, seen.server_name), (false, None));
    for file in [&authority.ca, &server.cert, &server.key] {
        assert!(std::fs::read_to_string(file).unwrap().starts_with("-----BEGIN"), "{}", file.display());
    }
}

#[test]
fn a_greeting_comes_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca").unwrap();
    let server = authority.issue("server", &[]).unwrap();
    let echoes = Echoes::new().unwrap();
    let plain = start(&echoes, "plain", Speaks::Greeting, Security::Plain);
    let secured = start(&echoes, "secured", Speaks::Greeting, Security::Tls(&authority, &server));
    let tls = Tls { server_name: Some("vault.com"), ..Tls::default() };
    for (echo, tls) in [(&plain, None), (&secured, Some(&tls))] {
        let mut connection = Connection::open(echo.port(), tls, LIMIT).unwrap();
        let seen: Seen = serde_json::from_slice(&connection.read_line().unwrap()).unwrap();
        assert_eq!((seen.upstream.as_str(), seen.tls), (echo.name(), tls.is_some()));
        assert_eq!(seen.server_name.is_some(), tls.is_some());
        connection.send(b"ping").unwrap();
        assert_eq!(connection.read(4).unwrap(), b"ping");
    }
}

#[test]
fn an_upgrade_sends_back_what_it_gets() {
    let echoes = Echoes::new().unwrap();
    let echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let mut connection = Connection::open(echo.port(), None, LIMIT).unwrap();
    let request = Request::get("a", "/").with("Connection", "Upgrade").with("Upgrade", "websocket");
    let answer = connection.exchange(&request).unwrap();
    assert_eq!((answer.status, answer.header("x-echo-upstream")), (101, Some("v1")));
    connection.send(b"\x81\x02hi").unwrap();
    assert_eq!(connection.read(4).unwrap(), b"\x81\x02hi");
}

#[test]
fn http2_is_spoken_to_those_who_start_with_it() {
    let echoes = Echoes::new().unwrap();
    let echo = start(&echoes, "v1", Speaks::Http, Security::Plain);
    let mut request = Request::get("a.com", "/x?y=1").with("X-A", "1");
    request.body = b"text".to_vec();
    let answer = http2::exchange(echo.port(), &request, LIMIT).unwrap();
    let as_seen = seen(&answer);
    assert_eq!((answer.status, as_seen.protocol.as_str(), as_seen.body.as_str()), (200, "HTTP/2", "text"));
    assert_eq!((as_seen.header("host"), as_seen.header("x-a")), (Some("a.com"), Some("1")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", echo.port())).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        for (kind, trailers) in [("text/plain", None), ("application/grpc", Some("14"))] {
            let request = http::Request::post("http://a.com/x?y=1").header("content-type", kind);
            let request = request.header("x-echo-grpc-status", "14").body(()).unwrap();
            let (answer, _) = client.send_request(request, true).unwrap();
            let mut body = answer.await.unwrap().into_body();
            let mut all = Vec::new();
            while let Some(chunk) = body.data().await {
                all.extend_from_slice(&chunk.unwrap());
            }
            let start = if trailers.is_some() { 5 } else { 0 };
            let seen: Seen = serde_json::from_slice(all.get(start..).unwrap()).unwrap();
            assert_eq!((seen.protocol.as_str(), seen.target.as_str()), ("HTTP/2", "/x?y=1"));
            assert_eq!(seen.header("host"), Some("a.com"));
            let ended = body.trailers().await.unwrap();
            let status =
                ended.as_ref().and_then(|all| all.get("grpc-status")).map(|one| one.to_str().unwrap());
            assert_eq!(status, trailers);
        }
        driver.abort();
    });
}

#[test]
fn a_program_ends_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free().unwrap();
    // One that does not listen to a polite request, and has a child.
    let script = "trap '' TERM; sleep 300 & echo $!; wait";
    let launch = Launch {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        folder: folder.path().into(),
        log: folder.path().join("log"),
    };
    let mut process = launch.start().unwrap();
    let limit = Duration::from_millis(300);
    let waited = process.wait_ready(&[port], None, limit, || false);
    assert!(matches!(waited, Err(NotReady::TimedOut)), "{waited:?}");
    assert!(matches!(process.wait_ready(&[port], None, LIMIT, || true), Err(NotReady::Stopped)));
    let child = process.output().trim().to_owned();
    assert!(is_running(&child));
    drop(process);
    let deadline = Instant::now() + LIMIT;
    while is_running(&child) {
        assert!(Instant::now() < deadline, "{child} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process is there and not just waiting to be collected.
fn is_running(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

#[test]
fn a_program_that_ends_at_once_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), "echo no such option >&2; exit 3".into()],
        folder: folder.path().into(),
        log: folder.path().join("log"),
    };
    let mut process = launch.start().unwrap();
    let waited = process.wait_ready(&[ports::free().unwrap()], None, LIMIT, || false);
    assert!(matches!(waited, Err(NotReady::Ended(status)) if status.code() == Some(3)), "{waited:?}");
    assert_eq!(process.output(), "no such option\n");
}
