//! How long an answer may take.

use super::stage::{Plane, Stage, seen};
use super::trickle;
use meshc_cli::rig::{Behaviour, Request};
use std::time::{Duration, Instant};

on_every_plane! {
    an_answer_that_does_not_begin_is_given_up
    an_answer_that_goes_on_too_long_is_cut_off
    an_answer_may_take_its_time_if_nothing_is_said
    each_try_has_a_time_of_its_own
}

/// A gateway with one route, on which something is said.
fn one_route(options: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { OPTIONS }
    }
    service a { port http 80 }
    bindings { address a endpoints [<a>] }";
    all.replace("OPTIONS", options)
}

fn an_answer_that_does_not_begin_is_given_up(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&one_route("timeout 400ms; retry off"));
    assert_eq!(running.ask(&Request::get("a.com", "/")).status, 200);
    let start = Instant::now();
    let answer = running.ask(&Request::get("a.com", "/").with("x-echo-delay", "10000"));
    let taken = start.elapsed();
    assert_eq!(answer.status, 504);
    assert!(taken >= Duration::from_millis(390) && taken < Duration::from_secs(8), "{taken:?}");
    assert_eq!(a.requests(), 2);
}

fn an_answer_that_goes_on_too_long_is_cut_off(stage: &mut Stage) {
    let port = trickle::start(Duration::from_millis(150));
    stage.name_address("a", port);
    let source = one_route("timeout 700ms; retry off");
    let running = stage.start(&source);
    let answer = running.connect().exchange(&Request::get("a.com", "/"));
    match stage.plane {
        Plane::Envoy => assert!(answer.is_err(), "{answer:?}"),
        // It looks at the time between two reads only.
        Plane::Nginx => {
            stage.assert_caveat(&source, "timeout 700ms");
            assert_eq!(answer.unwrap().body.len(), trickle::LENGTH);
            stage.name_address("b", trickle::start(Duration::from_secs(3)));
            let running = stage.start(&source.replace("<a>", "<b>"));
            assert!(running.connect().exchange(&Request::get("a.com", "/")).is_err());
        }
    }
}

fn an_answer_may_take_its_time_if_nothing_is_said(stage: &mut Stage) {
    let _a = stage.echo("a");
    // Longer than what a gateway waits for one side to be heard is too long for a test; the value is looked up.
    let running = stage.start(&one_route(""));
    let answer = running.ask(&Request::get("a.com", "/").with("x-echo-delay", "1500"));
    assert_eq!(seen(&answer).upstream, "a");
    let text: String = running.files().into_values().collect();
    match stage.plane {
        Plane::Envoy => assert!(text.contains("timeout: 0s"), "{text}"),
        Plane::Nginx => assert!(text.contains("proxy_read_timeout 300s"), "{text}"),
    }
}

fn each_try_has_a_time_of_its_own(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&one_route("timeout 15s; retry 1 per-try 400ms on [gateway-error]"));
    a.behave(Behaviour { delay: Duration::from_secs(10), times: Some(1), ..Behaviour::default() });
    let start = Instant::now();
    let answer = running.ask(&Request::get("a.com", "/"));
    let taken = start.elapsed();
    assert_eq!(seen(&answer).upstream, "a");
    assert!(taken >= Duration::from_millis(390) && taken < Duration::from_secs(8), "{taken:?}");
    assert_eq!(a.requests(), 2);
    // Both tries too slow.
    a.behave(Behaviour { delay: Duration::from_secs(10), times: Some(2), ..Behaviour::default() });
    assert_eq!(running.ask(&Request::get("a.com", "/")).status, 504);
    assert_eq!(a.requests(), 4);
}
