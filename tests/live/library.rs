//! What the standard library says of its policies, with endpoints that are bad in every way.

use super::silent::{self, Dropping};
use super::stage::{Plane, Stage};
use meshc_cli::rig::{Behaviour, Echo, Request};
use std::time::{Duration, Instant};

on_every_plane! {
    one_bad_endpoint_is_left_out_of_two_or_more
    by_default_none_of_three_is_left_out
    an_endpoint_that_cannot_be_reached_is_left_out_and_answers_do_not_count
    an_endpoint_that_drops_connections_costs_no_request
    without_a_shorter_connect_timeout_it_costs_every_other
    a_connection_that_was_closed_meanwhile_costs_what_is_said
}

/// A gateway with one route to endpoints that take turns.
fn one_route(options: &str, policies: &str, endpoints: &[String]) -> String {
    let all = "use std.http (fast, read-fast, standard)
    use std.service (bounded, eject-failing, eject-unreachable, guarded)
    gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge { route all when method in [GET, POST] -> a { OPTIONS } }
    service a { port http 80; lb round-robin; POLICIES }
    bindings { address a endpoints [ENDPOINTS] }";
    let policies = all.replace("OPTIONS", options).replace("POLICIES", policies);
    policies.replace("ENDPOINTS", &endpoints.join(", "))
}

/// Upstreams of which the first is bad, and how sources name them.
fn echoes(stage: &mut Stage, count: usize) -> (Vec<Echo>, Vec<String>) {
    let names: Vec<String> = (0..count).map(|at| format!("e{count}-{at}")).collect();
    let echoes = names.iter().map(|name| stage.echo(name)).collect();
    (echoes, names.iter().map(|name| format!("<{name}>")).collect())
}

/// Where a policy of the library says when an endpoint is left out.
fn line_of_ejection(policy: &str) -> usize {
    let library = include_str!("../../stdlib/service.mesh");
    let start = format!("pub policy {policy} {{");
    let mut lines = library.lines().enumerate().skip_while(|(_, line)| *line != start);
    lines.find(|(_, line)| line.trim().starts_with("eject after ")).unwrap().0 + 1
}

/// How often each endpoint would be asked if none were left out.
const TURNS: usize = 40;

fn one_bad_endpoint_is_left_out_of_two_or_more(stage: &mut Stage) {
    for policy in ["eject-failing", "guarded"] {
        for count in [1, 2, 3, 4, 10] {
            let (echoes, endpoints) = echoes(stage, count);
            let source = one_route("retry off", &format!("policy {policy}"), &endpoints);
            if stage.plane == Plane::Nginx {
                // Answers count only where routes retry on them.
                stage.assert_caveat_at(&source, line_of_ejection(policy));
                continue;
            }
            let running = stage.start(&source);
            echoes[0].behave(Behaviour { status: Some(503), ..Behaviour::default() });
            let statuses: Vec<u16> =
                (0..TURNS * count).map(|_| running.ask(&Request::get("a.com", "/")).status).collect();
            let failed = statuses.iter().filter(|status| **status == 503).count();
            // It counts in one thread and leaves out in another; on a busy machine some requests pass between.
            let expected = if count == 1 { TURNS..=TURNS } else { 5..=TURNS / 2 };
            assert!(expected.contains(&failed), "{policy}, {count} endpoints: {failed} of {TURNS}");
        }
    }
}

fn by_default_none_of_three_is_left_out(stage: &mut Stage) {
    let (echoes, endpoints) = echoes(stage, 3);
    let eject =
        "\n@allow(MESH0718, because: \"it is tried\")\neject after 5 consecutive errors every 10s for 30s\n";
    let running = stage.start(&one_route("retry 1 on [503]", eject, &endpoints));
    echoes[0].behave(Behaviour { status: Some(503), ..Behaviour::default() });
    assert!((0..60).all(|_| running.ask(&Request::get("a.com", "/")).status == 200));
    match stage.plane {
        // Of three endpoints one is a third, which is more than 10 %.
        Plane::Envoy => assert!(echoes[0].requests() >= 20, "{}", echoes[0].requests()),
        // It leaves out every endpoint that fails while another is left.
        Plane::Nginx => assert!((1..20).contains(&echoes[0].requests()), "{}", echoes[0].requests()),
    }
}

fn an_endpoint_that_cannot_be_reached_is_left_out_and_answers_do_not_count(stage: &mut Stage) {
    let (mut echoes, endpoints) = echoes(stage, 2);
    let running = stage.start(&one_route("retry off", "policy eject-unreachable", &endpoints));
    // However often it fails, it is there.
    echoes[0].behave(Behaviour { status: Some(500), ..Behaviour::default() });
    let statuses: Vec<u16> = (0..40).map(|_| running.ask(&Request::get("a.com", "/")).status).collect();
    assert!(statuses.iter().filter(|status| **status == 500).count() >= 15, "{statuses:?}");
    echoes[0].leave();
    let unavailable = stage.plane.unavailable();
    let statuses: Vec<u16> = (0..60).map(|_| running.ask(&Request::get("a.com", "/")).status).collect();
    let failed = statuses.iter().filter(|status| **status == unavailable).count();
    assert!((1..=9).contains(&failed), "{failed} of 60");
}

fn an_endpoint_that_drops_connections_costs_no_request(stage: &mut Stage) {
    let dropping = Dropping::start();
    stage.name_address("gone", dropping.port());
    let _good = stage.echo("good");
    let endpoints = ["<gone>".to_owned(), "<good>".to_owned()];
    for (route, service) in [
        ("policy fast", "policy bounded"),
        ("policy standard", "policy guarded"),
        ("policy read-fast", "policy guarded"),
    ] {
        let running = stage.start(&one_route(route, service, &endpoints));
        for _ in 0..8 {
            let start = Instant::now();
            assert_eq!(running.ask(&Request::get("a.com", "/")).status, 200, "{route}, {service}");
            assert!(start.elapsed() < Duration::from_secs(3), "{route}, {service}: {:?}", start.elapsed());
        }
    }
}

fn without_a_shorter_connect_timeout_it_costs_every_other(stage: &mut Stage) {
    let dropping = Dropping::start();
    stage.name_address("gone", dropping.port());
    let _good = stage.echo("good");
    let endpoints = ["<gone>".to_owned(), "<good>".to_owned()];
    let running = stage.start(&one_route("policy fast", "", &endpoints));
    let statuses: Vec<u16> = (0..6).map(|_| running.ask(&Request::get("a.com", "/")).status).collect();
    let late = statuses.iter().filter(|status| **status == 504).count();
    // Workers of nginx take turns each by itself.
    assert!((2..=4).contains(&late), "{statuses:?}");
}

fn a_connection_that_was_closed_meanwhile_costs_what_is_said(stage: &mut Stage) {
    stage.name_address("closing", silent::closing());
    let failed = |stage: &Stage, options: &str, method: &str| {
        let running = stage.start(&one_route(options, "", &["<closing>".to_owned()]));
        let mut request = Request::get("a.com", "/");
        request.method = method.to_owned();
        let statuses: Vec<u16> = (0..20).map(|_| running.ask(&request).status).collect();
        assert!(
            statuses.iter().all(|status| [200, stage.plane.unavailable()].contains(status)),
            "{statuses:?}"
        );
        statuses.iter().filter(|status| **status != 200).count()
    };
    // What nginx may send twice, it does, and nothing else.
    match stage.plane {
        Plane::Envoy => assert!(failed(stage, "", "GET") >= 5),
        Plane::Nginx => assert_eq!(failed(stage, "", "GET"), 0),
    }
    assert!(failed(stage, "", "POST") >= 5);
    assert!(failed(stage, "retry off", "GET") >= 5);
    // With a condition for it, Envoy does so for every method.
    assert_eq!(failed(stage, "retry 1 on [reset]", "GET"), 0);
}
