//! What a caller says of itself and of those before it.

use super::stage::{Plane, Running, Stage, seen};
use meshc_cli::rig::{Behaviour, Request};

on_every_plane! {
    headers_by_which_proxies_know_each_other_are_dropped_at_an_edge
    a_route_may_set_what_callers_may_not
    a_header_that_several_lines_have_keeps_its_first_value
    a_date_that_a_route_removes_comes_back
    a_destination_tells_clients_what_it_likes_and_the_proxy_nothing
}

/// Headers that are dropped, whatever a caller says in them.
const DROPPED: [&str; 24] = [
    "x-forwarded-client-cert",
    "x-envoy-internal",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-original-path",
    "x-envoy-original-host",
    "x-envoy-original-url",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-stream-duration-ms",
    "te",
    "keep-alive",
    "proxy-connection",
];
/// Those that the proxy says itself.
const OWN: [&str; 4] =
    ["x-envoy-external-address", "x-envoy-expected-rq-timeout-ms", "x-request-id", "x-forwarded-proto"];
const FORGED: &str = "forged";

/// A gateway with one route, on which something is said.
fn one_route(port: &str, options: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { OPTIONS }
    }
    service a { port PORT 80 }
    bindings { address a endpoints [<a>] }";
    all.replace("OPTIONS", options).replace("PORT", port)
}

fn forging() -> Request {
    let all = DROPPED.iter().chain(&OWN);
    all.fold(Request::get("a.com", "/"), |request, name| request.with(name, FORGED))
}

fn assert_dropped(running: &Running) {
    let headers = seen(&running.ask(&forging())).headers;
    let forged: Vec<_> = headers.iter().filter(|(_, value)| value.contains(FORGED)).collect();
    assert!(forged.is_empty(), "{forged:?}");
    for name in ["x-envoy-external-address", "x-request-id"] {
        assert!(headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name)), "no {name}: {headers:?}");
    }
}

fn headers_by_which_proxies_know_each_other_are_dropped_at_an_edge(stage: &mut Stage) {
    let _a = stage.echo("a");
    for port in ["http", "http2"] {
        // A route that changes other headers drops the same.
        for options in ["", "request-headers { set x-a \"1\" }", "rewrite host b.com"] {
            assert_dropped(&stage.start(&one_route(port, options)));
        }
    }
}

fn a_route_may_set_what_callers_may_not(stage: &mut Stage) {
    let _a = stage.echo("a");
    let set =
        "request-headers { set x-envoy-decorator-operation \"own\"; add x-forwarded-client-cert \"own\" }";
    let running = stage.start(&one_route("http", set));
    let headers = seen(&running.ask(&forging())).headers;
    for name in ["x-envoy-decorator-operation", "x-forwarded-client-cert"] {
        let values: Vec<&str> = headers
            .iter()
            .filter(|(one, _)| one.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(values, ["own"], "{name}");
    }
    let forged: Vec<_> = headers.iter().filter(|(_, value)| value.contains(FORGED)).collect();
    assert!(forged.is_empty(), "{forged:?}");
}

fn a_header_that_several_lines_have_keeps_its_first_value(stage: &mut Stage) {
    let _a = stage.echo("a");
    let source = one_route("http", "request-headers { add x-b \"2\" }");
    let running = stage.start(&source);
    let request = Request::get("a.com", "/").with("X-B", "1").with("X-B", "7");
    let headers = seen(&running.ask(&request)).headers;
    let values: Vec<&str> = headers
        .iter()
        .filter(|(one, _)| one.eq_ignore_ascii_case("x-b"))
        .map(|(_, value)| value.as_str())
        .collect();
    match stage.plane {
        Plane::Envoy => assert_eq!(values.join(",").replace(' ', ""), "1,7,2"),
        // What is lost is announced.
        Plane::Nginx => {
            assert!(values == ["1, 2"] || values == ["1, 7, 2"], "{values:?}");
            stage.assert_caveat(&source, "add x-b");
        }
    }
}

/// Only a response without a date gets one: what a route sets stays.
fn a_date_that_a_route_removes_comes_back(stage: &mut Stage) {
    let _a = stage.echo("a");
    let source = |operation: &str| one_route("http", &format!("response-headers {{ {operation} }}"));
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source("remove date"), "response-headers");
    }
    let date = |operation: &str| {
        let answer = stage.start(&source(operation)).ask(&Request::get("a.com", "/"));
        answer
            .headers
            .iter()
            .filter(|(name, _)| name == "date")
            .map(|(_, value)| value.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(date("set date \"then\""), ["then"]);
    let back = date("remove date");
    assert!(back.len() == 1 && back[0].ends_with("GMT"), "{back:?}");
}

fn a_destination_tells_clients_what_it_likes_and_the_proxy_nothing(stage: &mut Stage) {
    let a = stage.echo("a");
    let told = [
        ("x-accel-redirect", "/other"),
        ("x-accel-expires", "60"),
        ("x-accel-limit-rate", "1"),
        ("x-accel-buffering", "yes"),
        ("x-accel-charset", "koi8-r"),
        ("x-pad", "avoid browser bug"),
        ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ];
    let headers = told.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    a.behave(Behaviour { headers, ..Behaviour::default() });
    for port in ["http", "http2", "grpc"] {
        let running = stage.start(&one_route(port, ""));
        let before = a.requests();
        let answer = running.ask(&Request::get("a.com", "/asked"));
        for (name, value) in told {
            assert_eq!(answer.header(name), Some(value), "{port}: {answer:?}");
        }
        assert_eq!((seen(&answer).target.as_str(), a.requests()), ("/asked", before + 1), "{port}");
    }
}
