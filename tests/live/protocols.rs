//! What differs by protocol: kept connections, half-closed ones, statuses of gRPC, addresses of both families.

use super::project::Project;
use super::stage::{LIMIT, Plane, Stage, seen};
use meshc_cli::rig::{Connection, Request, ports};
use meshc_targets::envoy::Layout;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

on_every_plane! {
    protocols_at_one_address_share_no_connections
    a_connection_that_is_closed_on_one_side_still_brings_the_answer
    a_grpc_destination_that_is_away_is_unavailable
    a_grpc_call_that_takes_too_long_is_unavailable
    what_a_route_says_of_answers_holds_for_calls_that_fail
    a_wildcard_stands_for_a_character_at_least
    a_listener_without_an_address_is_heard_by_both_families
    all_addresses_said_in_two_ways_are_one_listener
    an_address_of_ipv4_in_the_form_of_ipv6_is_the_same_place
    the_limits_of_a_gateway_spare_what_is_meant_to_last
}

fn protocols_at_one_address_share_no_connections(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          route one when path is "/one" -> one
          route two when path is "/two" -> two
        }
        service one { port http 80 }
        service two { port http2 81 }
        bindings { address one endpoints [<a>]; address two endpoints [<a>] }"#,
    );
    for _ in 0..20 {
        for (path, protocol) in [("/one", "HTTP/1.1"), ("/two", "HTTP/2")] {
            assert_eq!(seen(&running.ask(&Request::get("a.com", path))).protocol, protocol);
        }
    }
}

/// An upstream that answers what it is sent once all of it is there.
fn answers_at_the_end() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut all = String::new();
            if stream.read_to_string(&mut all).is_ok() {
                std::thread::sleep(Duration::from_millis(200));
                let _ = stream.write_all(format!("answer to {all}").as_bytes());
            }
        }
    });
    port
}

fn a_connection_that_is_closed_on_one_side_still_brings_the_answer(stage: &mut Stage) {
    let port = answers_at_the_end();
    stage.name_address("a", port);
    let running = stage.start(
        "gateway edge { workload any; listen tcp <port> { hosts * } }
        host * via edge { tcp route all -> a }
        service a { port tcp 80 }
        bindings { address a endpoints [<a>] }",
    );
    let mut stream = TcpStream::connect(("127.0.0.1", running.port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer to question");
}

/// A gateway with a route to gRPC, on which something is said.
fn grpc(options: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { OPTIONS }
    }
    service a { port grpc 80 }
    bindings { address a endpoints [<a>] }";
    all.replace("OPTIONS", options)
}

fn call() -> Request {
    let request = Request::get("a.com", "/shop.Cart/Add").with("content-type", "application/grpc");
    Request { method: "POST".to_owned(), ..request }
}

fn a_grpc_destination_that_is_away_is_unavailable(stage: &mut Stage) {
    stage.name_address("a", ports::free().unwrap());
    let answer = stage.start(&grpc("retry off")).ask(&call());
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("14")), "{answer:?}");
}

fn a_grpc_call_that_takes_too_long_is_unavailable(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&grpc("timeout 300ms; retry off"));
    let answer = running.ask(&call().with("x-echo-delay", "10000"));
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("14")), "{answer:?}");
    let late = Request::get("a.com", "/").with("x-echo-delay", "10000");
    let answer = running.ask(&late);
    assert_eq!((answer.status, answer.header("grpc-status")), (504, None), "{answer:?}");
}

fn what_a_route_says_of_answers_holds_for_calls_that_fail(stage: &mut Stage) {
    stage.name_address("a", ports::free().unwrap());
    let said = "retry off; response-headers { set x-own \"1\" }; cors { origin is \"https://b.com\"; expose [x-own, grpc-status] }";
    let running = stage.start(&grpc(said));
    for request in [call(), Request::get("a.com", "/")] {
        let answer = running.ask(&request.with("origin", "https://b.com"));
        assert_eq!(answer.header("x-own"), Some("1"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://b.com"), "{answer:?}");
    }
}

fn a_wildcard_stands_for_a_character_at_least(stage: &mut Stage) {
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts * } }
        host *a.com via edge { route all -> respond 200 "partial" }
        host *.b.com via edge { route all -> respond 200 "whole" }
        host * via edge { route all -> respond 200 "any" }
        service a { port http 80 }
        bindings { address a endpoints [127.0.0.1:1] }"#,
    );
    for (host, wanted) in [
        ("xa.com", "partial"),
        ("x.a.com", "partial"),
        ("a.com", "any"),
        ("x.b.com", "whole"),
        ("b.com", "any"),
        (".b.com", "any"),
    ] {
        let answer = running.ask(&Request::get(host, "/"));
        assert_eq!(String::from_utf8_lossy(&answer.body), wanted, "{host}");
    }
}

/// All that is made of the gateway of a source.
fn text(stage: &Stage, source: &str) -> String {
    let files = stage.artifacts(source).into_iter().filter(|file| file.path.starts_with("edge"));
    files.map(|file| file.text).collect()
}

fn a_listener_without_an_address_is_heard_by_both_families(stage: &mut Stage) {
    let source = |bind: &str| {
        format!(
            "gateway edge {{ workload any; listen http 8080 {{ hosts *; {bind} }}; listen tcp 8081 {{ hosts * }} }}
            host * via edge {{ route all -> a; tcp route connections -> b }}
            service a {{ port http 80 }}
            service b {{ port tcp 81 }}
            bindings {{ address a endpoints [127.0.0.1:1]; address b endpoints [127.0.0.1:1] }}"
        )
    };
    let everywhere = match stage.plane {
        Plane::Envoy => "ipv4_compat: true",
        Plane::Nginx => "listen [::]:8080",
    };
    assert!(text(stage, &source("")).contains(everywhere));
    let bound = text(stage, &source("bind \"127.0.0.1\""));
    assert!(!bound.contains("[::]:8080") && !bound.contains("name: \"::_8080\""), "{bound}");
}

fn all_addresses_said_in_two_ways_are_one_listener(stage: &mut Stage) {
    let listening = |binds: [&str; 2]| {
        let [first, second] = binds;
        let source = format!(
            "gateway edge {{ workload any; listen http 8080 {{ hosts a.com; {first} }}; listen http 8080 {{ hosts b.com; {second} }} }}
            host a.com, b.com via edge {{ route all -> a }}
            service a {{ port http 80 }}
            bindings {{ address a endpoints [127.0.0.1:1] }}"
        );
        let text = text(stage, &source);
        let said = match stage.plane {
            Plane::Envoy => ["address: 0.0.0.0", "address: \"::\"", "ipv4_compat: true"],
            Plane::Nginx => {
                ["listen 0.0.0.0:8080 default_server", "listen [::]:8080 default_server", "ipv4_compat"]
            }
        };
        said.map(|said| text.matches(said).count())
    };
    let both = match stage.plane {
        Plane::Envoy => [0, 1, 1],
        Plane::Nginx => [1, 1, 0],
    };
    for binds in [["", "bind \"::\""], ["bind \"::\"", "bind 0.0.0.0"], ["bind 0.0.0.0", ""]] {
        assert_eq!(listening(binds), both, "{binds:?}");
    }
    for (one, wanted) in [("bind 0.0.0.0", [1, 0, 0]), ("bind \"::\"", [0, 1, 0])] {
        assert_eq!(listening([one, one]), wanted, "{one}");
    }
}

fn an_address_of_ipv4_in_the_form_of_ipv6_is_the_same_place(stage: &mut Stage) {
    let _a = stage.echo("a");
    let source = |port: u16| {
        format!(
            "gateway edge {{ workload any
              listen http {port} {{ hosts a.com; bind \"::ffff:127.0.0.1\" }}
              listen http {port} {{ hosts b.com; bind 127.0.0.1 }}
            }}
            host a.com, b.com via edge {{ route all -> a }}
            service a {{ port http 80 }}
            bindings {{ address a endpoints [<a>] }}"
        )
    };
    let project = Project::start(stage, Layout::Static, &source);
    for host in ["a.com", "b.com"] {
        let tcp = project.open().unwrap();
        let mut connection = Connection::over(tcp, None, Duration::from_secs(10)).unwrap();
        assert_eq!(connection.exchange(&Request::get(host, "/")).unwrap().status, 200, "{host}");
    }
}

fn the_limits_of_a_gateway_spare_what_is_meant_to_last(stage: &mut Stage) {
    stage.name_address("a", 1);
    let (usual, spared) = (text(stage, &grpc("").replace("grpc", "http")), text(stage, &grpc("")));
    let off = text(stage, &grpc("timeout off").replace("port grpc", "port http"));
    match stage.plane {
        Plane::Envoy => {
            for limit in [
                "stream_idle_timeout: 300s",
                "request_headers_timeout: 60s",
                "idle_timeout: 3600s",
                "max_concurrent_streams: 100",
                "per_connection_buffer_limit_bytes: 32768",
                "max_active_downstream_connections: 50000",
                "max_heap_size_bytes: 2147483648",
            ] {
                assert!(usual.contains(limit), "{limit}: {usual}");
            }
            assert!(usual.contains("request_timeout: 300s"));
            for text in [spared, off] {
                assert!(
                    !text.contains("request_timeout: 300s") && text.contains("idle_timeout: 0s"),
                    "{text}"
                );
            }
        }
        Plane::Nginx => {
            for limit in [
                "client_body_timeout 300s",
                "client_header_timeout 60s",
                "keepalive_timeout 3600s",
                "worker_connections 16384",
            ] {
                assert!(usual.contains(limit), "{limit}: {usual}");
            }
            assert!(!usual.contains("client_body_timeout 365d;"));
            for text in [spared, off] {
                assert!(
                    text.contains("client_body_timeout 365d;") && text.contains("_read_timeout 365d;"),
                    "{text}"
                );
            }
        }
    }
}
