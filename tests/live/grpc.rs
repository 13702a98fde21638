//! Deadlines of gRPC: the timeout of a route ends calls that bring none, and is the most that a call can ask for.

use super::stage::{LIMIT, Plane, Running, Stage};
use meshc_cli::rig::{Request, Response, http2};
use std::time::{Duration, Instant};

on_every_plane! {
    a_call_without_a_deadline_ends_with_the_timeout
    a_deadline_holds_up_to_the_timeout
    without_a_timeout_a_call_may_take_its_time
}

/// Long enough to be told from what ends a call.
const SLOW: &str = "6000";

fn one_route(options: &str, port: &str) -> String {
    let all = "gateway edge { workload any; listen http2 <port> { hosts * } }
    host * via edge { route all -> a { OPTIONS; retry off } }
    service a { port PORT 80 }
    bindings { address a endpoints [<a>] }";
    all.replace("OPTIONS", options).replace("PORT", port)
}

/// A call that is answered late, with this deadline, and how long it took to end.
fn call(running: &Running, deadline: Option<&str>) -> (Response, Duration) {
    let mut request = Request::get("a.com", "/shop.Cart/List")
        .with("content-type", "application/grpc")
        .with("te", "trailers")
        .with("x-echo-delay", SLOW);
    request.method = "POST".to_owned();
    request.body = vec![0; 5];
    if let Some(deadline) = deadline {
        request = request.with("grpc-timeout", deadline);
    }
    let start = Instant::now();
    let answer = http2::exchange(running.port, &request, LIMIT).unwrap();
    (answer, start.elapsed())
}

fn within(taken: Duration, least: u64, most: u64) -> bool {
    taken >= Duration::from_millis(least) && taken < Duration::from_millis(most)
}

fn grpc_status(answer: &Response) -> Option<&str> {
    answer.headers.iter().find(|(name, _)| name == "grpc-status").map(|(_, value)| value.as_str())
}

fn a_call_without_a_deadline_ends_with_the_timeout(stage: &mut Stage) {
    let _a = stage.echo("a");
    for port in ["grpc", "http2"] {
        let running = stage.start(&one_route("timeout 700ms", port));
        let (answer, taken) = call(&running, None);
        assert!(within(taken, 680, 4000), "{port}: {taken:?}");
        // UNAVAILABLE, as what Envoy makes of 504; Istio's proxies are Envoys. nginx knows what `port grpc` is for.
        if stage.plane == Plane::Envoy || port == "grpc" {
            assert_eq!((answer.status, grpc_status(&answer)), (200, Some("14")), "{port}");
        }
    }
}

fn a_deadline_holds_up_to_the_timeout(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&one_route("timeout 1500ms", "grpc"));
    let (_, taken) = call(&running, Some("20S"));
    assert!(within(taken, 1480, 5000), "{taken:?}");
    if stage.plane == Plane::Envoy {
        let (_, taken) = call(&running, Some("300m"));
        assert!(within(taken, 280, 1300), "{taken:?}");
    }
}

fn without_a_timeout_a_call_may_take_its_time(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&one_route("timeout off", "grpc"));
    let (answer, taken) = call(&running, None);
    assert_eq!(answer.status, 200);
    assert!(within(taken, 5900, 15_000), "{taken:?}");
    if stage.plane == Plane::Envoy {
        let (_, taken) = call(&running, Some("500m"));
        assert!(within(taken, 480, 4000), "{taken:?}");
    }
}
