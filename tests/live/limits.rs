//! Endpoints that fail are left out for a while, and destinations take no more than they should.

use super::stage::{LIMIT, Plane, Running, Stage, seen, wait_for};
use meshc_cli::rig::{Behaviour, Connection, Echo, Request};
use std::time::{Duration, Instant};

on_every_plane! {
    an_endpoint_that_fails_is_left_out_and_comes_back
    an_endpoint_that_does_not_fail_in_a_row_stays
    a_part_of_a_second_is_taken
    what_is_beyond_the_connections_waits_or_is_refused
    what_would_wait_too_long_a_row_is_refused
}

fn two_endpoints(eject: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { retry 1 on [503] }
    }
    service a {
      port http 80
      lb round-robin
      eject EJECT
    }
    bindings { address a endpoints [<good>, <bad>] }";
    all.replace("EJECT", eject)
}

fn an_endpoint_that_fails_is_left_out_and_comes_back(stage: &mut Stage) {
    let (_good, bad) = (stage.echo("good"), stage.echo("bad"));
    let time = Duration::from_secs(4);
    let running = stage.start(&two_endpoints("after 3 consecutive errors every 500ms for 4s max 100%"));
    bad.behave(Behaviour { status: Some(503), ..Behaviour::default() });
    let ask = || assert_eq!(seen(&running.ask(&Request::get("a.com", "/"))).upstream, "good");
    let start = Instant::now();
    wait_for("three failures", || {
        ask();
        bad.requests() >= 3
    });
    let out = Instant::now();
    // Envoy counts in one thread and leaves out in another; a request or two may pass between.
    wait_for("the endpoint to be left out", || {
        let before = bad.requests();
        (0..4).for_each(|_| ask());
        bad.requests() == before
    });
    let failed = bad.requests();
    assert!(failed <= 5, "{failed} requests");
    for _ in 0..30 {
        ask();
    }
    assert!(bad.requests() == failed || start.elapsed() >= time, "{} requests", bad.requests());
    bad.behave(Behaviour::default());
    wait_for("the endpoint to come back", || {
        seen(&running.ask(&Request::get("a.com", "/"))).upstream == "bad"
    });
    assert!(out.elapsed() >= time - Duration::from_secs(1), "{:?}", out.elapsed());
}

fn an_endpoint_that_does_not_fail_in_a_row_stays(stage: &mut Stage) {
    let (_good, bad) = (stage.echo("good"), stage.echo("bad"));
    let source = two_endpoints("after 4 consecutive errors every 500ms for 60s max 100%");
    let running = stage.start(&source);
    // Three failures, then a success, again and again.
    let rounds = (0..3).take_while(|_| {
        let before = bad.requests();
        bad.behave(Behaviour { status: Some(503), times: Some(3), ..Behaviour::default() });
        (0..20).for_each(|_| assert_eq!(running.ask(&Request::get("a.com", "/")).status, 200));
        bad.requests() >= before + 4
    });
    match (stage.plane, rounds.count()) {
        (Plane::Envoy, rounds) => assert_eq!(rounds, 3),
        // It counts failures within the time, whatever is between them.
        (Plane::Nginx, rounds) => {
            stage.assert_caveat(&source, "eject after");
            assert_eq!(rounds, 1);
        }
    }
}

/// nginx knows some times in whole seconds only; it refuses others.
fn a_part_of_a_second_is_taken(stage: &mut Stage) {
    let _both = (stage.echo("good"), stage.echo("bad"));
    let pool = "pool { connect-timeout 1500ms; lifetime 2500ms; idle 3500ms; tcp-idle 4500ms }";
    let source = two_endpoints("after 3 consecutive errors every 300ms for 300ms max 50%");
    let source =
        source.replace("retry 1 on [503]", "retry 1 per-try 250ms on [503] backoff 15ms; timeout 1250ms");
    let running = stage.start(&source.replace("lb round-robin", &format!("lb round-robin; {pool}")));
    assert_eq!(running.ask(&Request::get("a.com", "/")).status, 200);
    if stage.plane == Plane::Nginx {
        let text: String = running.files().into_values().collect();
        assert!(text.contains("fail_timeout=1s"), "{text}");
    }
}

fn one_endpoint(pool: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge { route all -> a { retry off } }
    service a {
      port http 80
      pool { POOL }
    }
    bindings { address a endpoints [<a>] }";
    all.replace("POOL", pool)
}

/// The statuses of a slow request and of others that come while it is busy, sorted.
fn together(running: &Running, echo: &Echo, others: usize) -> Vec<u16> {
    let port = running.port;
    let before = echo.requests();
    let ask = move |delay: &str| {
        let request = Request::get("a.com", "/").with("x-echo-delay", delay);
        Connection::open(port, None, LIMIT).unwrap().exchange(&request).unwrap().status
    };
    let first = std::thread::spawn(move || ask("2000"));
    wait_for("the first request", || echo.requests() > before);
    let others: Vec<_> = (0..others).map(|_| std::thread::spawn(move || ask("0"))).collect();
    let mut all: Vec<u16> = others.into_iter().map(|other| other.join().unwrap()).collect();
    all.push(first.join().unwrap());
    all.sort_unstable();
    all
}

fn what_is_beyond_the_connections_waits_or_is_refused(stage: &mut Stage) {
    let a = stage.echo("a");
    let source = one_endpoint("connections 1");
    let running = stage.start(&source);
    match stage.plane {
        Plane::Envoy => assert_eq!(together(&running, &a, 2), [200, 200, 200]),
        Plane::Nginx => {
            stage.assert_caveat(&source, "pool {");
            assert_eq!(together(&running, &a, 2), [200, 502, 502]);
        }
    }
    assert_eq!(a.connections(), 1);
    // What was refused does no harm to those who come later.
    assert_eq!(running.ask(&Request::get("a.com", "/")).status, 200);
}

fn what_would_wait_too_long_a_row_is_refused(stage: &mut Stage) {
    let a = stage.echo("a");
    let source = one_endpoint("connections 1; pending 1");
    let running = stage.start(&source);
    match stage.plane {
        Plane::Envoy => {
            assert_eq!(together(&running, &a, 3), [200, 200, 503, 503]);
            assert_eq!(a.requests(), 2);
        }
        // Nothing waits.
        Plane::Nginx => {
            stage.assert_caveat(&source, "pool {");
            assert_eq!(together(&running, &a, 3), [200, 502, 502, 502]);
            assert_eq!(a.requests(), 1);
        }
    }
    assert_eq!(a.connections(), 1);
    let running = stage.start(&one_endpoint("requests 1"));
    let beyond = stage.plane.unavailable();
    assert_eq!(together(&running, &a, 2), [200, beyond, beyond]);
}
