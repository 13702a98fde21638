//! What is tried again, and how often.

use super::stage::{Plane, Running, Stage, seen, wait_for};
use meshc_cli::rig::{Behaviour, Echo, Request};
use std::time::Instant;

on_every_plane! {
    attempts_come_on_top_of_the_first_try
    only_what_is_listed_is_tried_again
    an_endpoint_that_hangs_up_is_tried_again
    some_statuses_only_envoy_tries_again
    another_endpoint_is_tried_when_one_is_away
    with_more_tries_than_endpoints_the_one_that_is_there_is_found
    without_a_word_a_failure_to_connect_is_tried_again
    without_conditions_an_answer_is_not_asked_for_again
    off_is_off
    a_slow_try_is_not_repeated_where_the_timeout_is_not_longer
    a_body_is_sent_again
    what_may_have_been_done_is_not_done_again
    an_upload_that_waits_for_its_answer_is_not_held_up
    the_wait_before_a_retry_is_drawn_anew
}

/// A gateway with one route, on which something is said, to these endpoints, which take turns.
fn one_route(options: &str, endpoints: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { OPTIONS }
    }
    service a { port http 80; lb round-robin }
    bindings { address a endpoints [ENDPOINTS] }";
    all.replace("OPTIONS", options).replace("ENDPOINTS", endpoints)
}

fn failing(status: &str) -> Request {
    Request::get("a.com", "/").with("x-echo-status", status)
}

/// How often an upstream is asked for one request, and what the answer is.
fn tries(running: &Running, echo: &Echo, request: &Request) -> (u64, u16) {
    let before = echo.requests();
    let status = running.ask(request).status;
    (echo.requests() - before, status)
}

fn attempts_come_on_top_of_the_first_try(stage: &mut Stage) {
    let a = stage.echo("a");
    for attempts in [1, 4] {
        let running = stage.start(&one_route(&format!("retry {attempts} on [5xx]"), "<a>"));
        assert_eq!(tries(&running, &a, &failing("503")), (attempts + 1, 503), "{attempts}");
        assert_eq!(tries(&running, &a, &failing("200")), (1, 200));
    }
    // The answer is that of the first try that goes well.
    let running = stage.start(&one_route("retry 3 on [5xx]", "<a>"));
    a.behave(Behaviour { status: Some(500), times: Some(2), ..Behaviour::default() });
    assert_eq!(tries(&running, &a, &Request::get("a.com", "/")), (3, 200));
}

fn without_conditions_an_answer_is_not_asked_for_again(stage: &mut Stage) {
    // A connection that fails is made again.
    assert!(with_one_away(stage, "retry 3").iter().all(|status| *status == 200));
    let a = stage.echo("a");
    let running = stage.start(&one_route("retry 3", "<a>"));
    for status in ["500", "503"] {
        assert_eq!(tries(&running, &a, &failing(status)).0, 1, "{status}");
    }
}

fn only_what_is_listed_is_tried_again(stage: &mut Stage) {
    let a = stage.echo("a");
    let cases = [
        ("503", "503", 3),
        ("503", "500", 1),
        ("503", "404", 1),
        ("404, 429", "404", 3),
        ("404, 429", "429", 3),
        ("404, 429", "503", 1),
        ("gateway-error", "502", 3),
        ("gateway-error", "504", 3),
        ("gateway-error", "500", 1),
        ("5xx", "500", 3),
        ("5xx", "404", 1),
        ("connect-failure", "503", 1),
    ];
    let routes = cases.iter().enumerate().map(|(at, (listed, ..))| {
        format!(r#"route r{at} when path is "/{at}" -> a {{ retry 2 on [{listed}] }}"#)
    });
    let source = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      ROUTES
    }
    service a { port http 80 }
    bindings { address a endpoints [<a>] }";
    let running = stage.start(&source.replace("ROUTES", &routes.collect::<Vec<_>>().join("\n")));
    for (at, (listed, status, expected)) in cases.into_iter().enumerate() {
        let request = Request { target: format!("/{at}"), ..failing(status) };
        let wanted = (expected, status.parse().unwrap());
        assert_eq!(tries(&running, &a, &request), wanted, "{status} with [{listed}]");
    }
}

fn an_endpoint_that_hangs_up_is_tried_again(stage: &mut Stage) {
    let a = stage.echo("a");
    let hangs_up = Request::get("a.com", "/").with("x-echo-reset", "1");
    let running = stage.start(&one_route("retry 2 on [reset]", "<a>"));
    assert_eq!(tries(&running, &a, &hangs_up), (3, stage.plane.unavailable()));
    let running = stage.start(&one_route("retry 2 on [503]", "<a>"));
    // A status that the data plane makes up is none of the endpoint's.
    assert_eq!(tries(&running, &a, &hangs_up), (1, stage.plane.unavailable()));
}

fn some_statuses_only_envoy_tries_again(stage: &mut Stage) {
    let a = stage.echo("a");
    let source = one_route("retry 2 on [418, 501]", "<a>");
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source, "retry 2");
    }
    let running = stage.start(&source);
    assert_eq!(tries(&running, &a, &failing("418")), (3, 418));
    assert_eq!(tries(&running, &a, &failing("501")), (3, 501));
    assert_eq!(tries(&running, &a, &failing("503")), (1, 503));
}

/// The statuses of 20 requests of which every other one meets an endpoint first that is away.
fn with_one_away(stage: &mut Stage, options: &str) -> Vec<u16> {
    let (_a, mut gone) = (stage.echo("a"), stage.echo("gone"));
    let running = stage.start(&one_route(options, "<a>, <gone>"));
    gone.leave();
    (0..20).map(|_| running.ask(&Request::get("a.com", "/")).status).collect()
}

fn another_endpoint_is_tried_when_one_is_away(stage: &mut Stage) {
    assert_eq!(with_one_away(stage, "retry 1 on [connect-failure]"), [200; 20]);
}

fn with_more_tries_than_endpoints_the_one_that_is_there_is_found(stage: &mut Stage) {
    let mut gone = ["b", "c"].map(|name| stage.echo(name));
    let _a = stage.echo("a");
    gone.iter_mut().for_each(Echo::leave);
    for attempts in [2, 3, 6] {
        let running =
            stage.start(&one_route(&format!("retry {attempts} on [connect-failure, 5xx]"), "<b>, <c>, <a>"));
        let statuses: Vec<u16> = (0..30).map(|_| running.ask(&Request::get("a.com", "/")).status).collect();
        assert_eq!(statuses, [200; 30], "{attempts}");
    }
}

fn without_a_word_a_failure_to_connect_is_tried_again(stage: &mut Stage) {
    let statuses = with_one_away(stage, "");
    let failed = statuses.iter().filter(|status| **status == stage.plane.unavailable()).count();
    match stage.plane {
        Plane::Envoy => assert_eq!(failed, 0),
        // Its workers take turns each by itself.
        Plane::Nginx => assert!((9..=11).contains(&failed), "{failed}"),
    }
}

fn off_is_off(stage: &mut Stage) {
    let statuses = with_one_away(stage, "retry off");
    let failed = statuses.iter().filter(|status| **status == stage.plane.unavailable()).count();
    assert!((9..=11).contains(&failed), "{failed}");
}

fn a_slow_try_is_not_repeated_where_the_timeout_is_not_longer(stage: &mut Stage) {
    let a = stage.echo("a");
    let source = one_route("timeout 500ms; retry 3 per-try 500ms on [gateway-error]", "<a>");
    let accepted = source.replace("route all", "@allow(MESH0408, because: \"it is tried\")\n      route all");
    let running = stage.start(&accepted);
    let slow = Request::get("a.com", "/").with("x-echo-delay", "3000");
    assert_eq!(tries(&running, &a, &slow), (1, 504));
    // What fails sooner is repeated.
    assert_eq!(tries(&running, &a, &failing("503")), (4, 503));
}

fn a_body_is_sent_again(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&one_route("retry 2 on [503]", "<a>"));
    for length in [100, 40_000] {
        a.behave(Behaviour { status: Some(503), times: Some(2), ..Behaviour::default() });
        let mut request = Request { method: "POST".to_owned(), ..Request::get("a.com", "/x") };
        request.body = b"a body of some length".repeat(length);
        assert_eq!(seen(&running.ask(&request)).method, "POST");
        let all = a.take_seen();
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|one| one.body.as_bytes() == request.body));
    }
}

/// How often an endpoint that reads a request and hangs up is sent one.
fn deliveries(stage: &Stage, a: &Echo, on: &str, method: &str, body: &[u8]) -> u64 {
    let running = stage.start(&one_route(&format!("retry 2{on}"), "<a>"));
    let mut request = Request::get("a.com", "/").with("x-echo-reset", "1");
    request.method = method.to_owned();
    request.body = body.to_vec();
    tries(&running, a, &request).0
}

fn what_may_have_been_done_is_not_done_again(stage: &mut Stage) {
    let a = stage.echo("a");
    for on in [
        " on [connect-failure]",
        " on [connect-failure, refused-stream]",
        " on [reset-before-request]",
        " on [connect-failure, 503]",
        "",
    ] {
        for body in [&b""[..], b"a body"] {
            assert_eq!(deliveries(stage, &a, on, "POST", body), 1, "POST{on}");
            assert_eq!(deliveries(stage, &a, on, "PATCH", body), 1, "PATCH{on}");
        }
    }
    for on in [" on [connect-failure]", " on [reset-before-request]"] {
        // A connection that breaks after the request was sent is to nginx one that could not be made.
        let times = if stage.plane == Plane::Nginx { 3 } else { 1 };
        assert_eq!(deliveries(stage, &a, on, "GET", b""), times, "GET{on}");
        assert_eq!(deliveries(stage, &a, on, "PUT", b"a body"), times, "PUT{on}");
    }
    // Where it is asked for, everything is sent again.
    for on in [" on [reset]", " on [5xx]", " on [connect-failure, reset]"] {
        assert_eq!(deliveries(stage, &a, on, "POST", b"a body"), 3, "POST{on}");
    }
    if stage.plane == Plane::Nginx {
        stage.assert_caveat(&one_route("retry 2 on [connect-failure]", "<a>"), "retry 2");
    }
}

fn an_upload_that_waits_for_its_answer_is_not_held_up(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&one_route("retry 2 on [connect-failure]", "<a>"));
    let mut connection = running.connect();
    connection.send(b"POST / HTTP/1.1\r\nhost: a.com\r\ncontent-length: 10\r\n\r\nhalf ").unwrap();
    wait_for("the beginning of the request to reach the endpoint", || a.connections() > 0);
    connection.send(b"more!").unwrap();
    assert_eq!(connection.answer("POST").unwrap().status, 200);
}

fn the_wait_before_a_retry_is_drawn_anew(stage: &mut Stage) {
    let _a = stage.echo("a");
    let source = one_route("retry 1 on [5xx] backoff 400ms", "<a>");
    if stage.plane == Plane::Nginx {
        stage.assert_caveat(&source, "route all");
        return;
    }
    let running = stage.start(&source);
    let waited = || {
        let begun = Instant::now();
        assert_eq!(running.ask(&failing("503")).status, 503);
        begun.elapsed().as_millis()
    };
    // Of twelve, one is in the lower half, but for one run of 4,096.
    let waits: Vec<u128> = (0..12).map(|_| waited()).collect();
    assert!(waits.iter().any(|wait| *wait < 200), "{waits:?}");
    assert!(waits.iter().min().unwrap() + 50 < *waits.iter().max().unwrap(), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait < 400 + 300), "{waits:?}");
}
