//! What the standard library says of its routes, rollouts and TLS.

use super::stage::{LIMIT, Plane, Running, Stage, seen, wait_for};
use meshc_cli::rig::{Behaviour, Connection, Echo, Request, Speaks, Tls};
use std::time::{Duration, Instant};

on_every_plane! {
    what_cannot_have_arrived_is_sent_again_whatever_the_method
    reads_are_repeated_after_every_bad_answer
    reads_are_repeated_after_a_slow_try
    a_policy_ends_a_request_in_its_time
    what_is_beyond_the_pool_fails_at_once
    a_canary_gets_its_share_and_those_who_ask_for_it
    a_split_stands_among_other_routes
    the_idle_version_is_reached_by_those_who_ask_for_it
    a_shadow_gets_copies
    a_server_of_an_unknown_authority_is_not_believed
    browsers_are_told_to_use_https
    partners_have_to_show_a_certificate
    plaintext_is_plaintext
}

/// A gateway with a route per policy, at the path of its name, to endpoints that take turns.
fn routes(policies: &[&str], endpoints: &[&str]) -> String {
    let route = |policy: &&str| {
        format!(
            r#"route {policy} when path is "/{policy}" and method in [GET, POST] -> a {{ policy {policy} }}"#
        )
    };
    let routes: Vec<String> = policies.iter().map(route).collect();
    format!(
        "use std.http ({})
        use std.service (bounded)
        gateway edge {{ workload any; listen http <port> {{ hosts * }} }}
        host * via edge {{
          {}
        }}
        service a {{ port http 80; lb round-robin; policy bounded }}
        bindings {{ address a endpoints [{}] }}",
        policies.join(", "),
        routes.join("\n"),
        endpoints.join(", ")
    )
}

fn request(policy: &str, method: &str) -> Request {
    Request { method: method.to_owned(), ..Request::get("a.com", &format!("/{policy}")) }
}

const ANY: [&str; 3] = ["fast", "standard", "slow"];
const READS: [&str; 3] = ["read-fast", "read-standard", "read-slow"];

fn what_cannot_have_arrived_is_sent_again_whatever_the_method(stage: &mut Stage) {
    let (good, mut gone) = (stage.echo("good"), stage.echo("gone"));
    let running = stage.start(&routes(&ANY, &["<good>", "<gone>"]));
    gone.leave();
    for policy in ANY {
        for method in ["GET", "POST"] {
            let statuses: Vec<u16> = (0..6).map(|_| running.ask(&request(policy, method)).status).collect();
            assert_eq!(statuses, [200; 6], "{policy} {method}");
        }
        // What was answered is not asked again, and what may have been done is not done again.
        for (header, value, status) in
            [("x-echo-status", "503", 503), ("x-echo-reset", "1", stage.plane.unavailable())]
        {
            let before = good.requests();
            assert_eq!(
                running.ask(&request(policy, "POST").with(header, value)).status,
                status,
                "{policy} {header}"
            );
            assert_eq!(good.requests() - before, 1, "{policy} {header}");
        }
    }
}

fn reads_are_repeated_after_every_bad_answer(stage: &mut Stage) {
    let (_good, bad) = (stage.echo("good"), stage.echo("bad"));
    let running = stage.start(&routes(&READS, &["<good>", "<bad>"]));
    let reset = Behaviour { reset: true, ..Behaviour::default() };
    let status = |status| Behaviour { status: Some(status), ..Behaviour::default() };
    for behaviour in [status(502), status(503), status(504), reset] {
        bad.behave(behaviour.clone());
        for policy in READS {
            let statuses: Vec<u16> = (0..4).map(|_| running.ask(&request(policy, "GET")).status).collect();
            assert_eq!(statuses, [200; 4], "{policy} {behaviour:?}");
        }
    }
    // An error of the service itself is its answer.
    bad.behave(status(500));
    let statuses: Vec<u16> = (0..4).map(|_| running.ask(&request("read-fast", "GET")).status).collect();
    assert!(statuses.contains(&500), "{statuses:?}");
}

fn reads_are_repeated_after_a_slow_try(stage: &mut Stage) {
    let (_good, bad) = (stage.echo("good"), stage.echo("bad"));
    let running = stage.start(&routes(&READS, &["<good>", "<bad>"]));
    bad.behave(Behaviour { delay: Duration::from_secs(30), ..Behaviour::default() });
    for (policy, most) in [("read-fast", 1), ("read-standard", 3)] {
        for _ in 0..4 {
            let start = Instant::now();
            assert_eq!(seen(&running.ask(&request(policy, "GET"))).upstream, "good", "{policy}");
            assert!(start.elapsed() < Duration::from_secs(most), "{policy}: {:?}", start.elapsed());
        }
    }
}

fn a_policy_ends_a_request_in_its_time(stage: &mut Stage) {
    let _a = stage.echo("a");
    let policies = ["fast", "read-fast", "standard", "read-standard", "slow", "streaming"];
    let running = stage.start(&routes(&policies, &["<a>"]));
    let ask = |policy: &str| {
        let start = Instant::now();
        let status = running.ask(&request(policy, "GET").with("x-echo-delay", "6000")).status;
        (status, start.elapsed())
    };
    let asked = std::thread::scope(|scope| {
        let threads: Vec<_> = policies.iter().map(|policy| scope.spawn(|| ask(policy))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    // Three tries of 300ms and of 1s end before the timeout does. nginx tries each endpoint once, and there is one.
    let tries = if stage.plane == Plane::Nginx { 1 } else { 3 };
    let reads = |each: u128| (504, tries * each..tries * each + 1500);
    let rest = (200, 6000..12000);
    let expected = [(504, 1000..2500), reads(300), (504, 5000..7500), reads(1000), rest.clone(), rest];
    for ((policy, (status, taken)), (wanted, times)) in policies.iter().zip(asked).zip(expected) {
        assert_eq!(status, wanted, "{policy} after {taken:?}");
        let taken = taken.as_millis() + 20;
        assert!(taken >= times.start && taken < times.end + 20, "{policy}: {taken}ms, not in {times:?}");
    }
}

fn what_is_beyond_the_pool_fails_at_once(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&routes(&["slow"], &["<a>"]));
    a.behave(Behaviour { delay: Duration::from_secs(8), ..Behaviour::default() });
    let send = |count: usize| -> Vec<Connection> {
        let mut all: Vec<Connection> = (0..count).map(|_| running.connect()).collect();
        all.iter_mut().for_each(|one| one.send(b"GET /slow HTTP/1.1\r\nHost: a.com\r\n\r\n").unwrap());
        all
    };
    // One whose connection is still being opened counts among those that wait.
    let mut under_way = Vec::new();
    while under_way.len() < 256 {
        under_way.extend(send(32));
        wait_for("requests to be under way", || a.requests() as usize == under_way.len());
    }
    let mut others = send(344);
    std::thread::sleep(Duration::from_secs(1));
    let at_once = |one: &mut Connection| {
        one.set_limit(Duration::from_millis(1));
        let answered = one.answer("GET").ok().map(|answer| answer.status);
        one.set_limit(LIMIT);
        answered
    };
    let refused: Vec<u16> = others.iter_mut().filter_map(at_once).collect();
    match stage.plane {
        Plane::Envoy => assert_eq!(refused, [503; 88]),
        // It has no place to wait.
        Plane::Nginx => assert_eq!(refused, [502; 344]),
    }
    assert!(under_way.iter_mut().all(|one| one.answer("GET").unwrap().status == 200));
}

/// A service of two versions, called through the outbound proxy, or through a gateway where `host` is said.
fn versions(stage: &mut Stage, rest: &str) -> (Echo, Echo, String) {
    let source = format!(
        "{rest}
        service cart {{ port http PORT; subset v1 {{ labels version=v1 }}; subset v2 {{ labels version=v2 }} }}
        bindings {{ address cart@v1 endpoints [<v1>]; address cart@v2 endpoints [<v2>] }}"
    );
    (stage.echo("v1"), stage.echo("v2"), source)
}

/// Who answers requests that ask for a version, or for none.
fn answering(running: &Running, asks: Option<&str>, times: usize) -> (usize, usize) {
    let host = format!("cart:{}", running.port);
    let mut connection = running.connect();
    let mut by = |_| {
        let plain = Request::get(&host, "/");
        let request = asks.map_or(plain.clone(), |version| plain.with("x-rollout", version));
        if !connection.is_open() {
            connection = running.connect();
        }
        seen(&connection.exchange(&request).unwrap()).upstream
    };
    let upstreams: Vec<String> = (0..times).map(&mut by).collect();
    let of = |name: &str| upstreams.iter().filter(|upstream| *upstream == name).count();
    (of("v1"), of("v2"))
}

fn a_canary_gets_its_share_and_those_who_ask_for_it(stage: &mut Stage) {
    let applied = "use std.rollout (canary)\napply canary(cart, v1, v2, 20%, 2s)";
    let (_v1, _v2, source) = versions(stage, applied);
    let running = stage.start(&source.replace("PORT", "<port>"));
    assert_eq!(answering(&running, Some("new"), 10), (0, 10));
    assert_eq!(answering(&running, Some("old"), 10), (10, 0));
    let (_, new) = answering(&running, None, 500);
    // Six standard deviations around 100.
    assert!((47..=153).contains(&new), "{new}");
}

fn a_split_stands_among_other_routes(stage: &mut Stage) {
    let applied = r#"use std.rollout (split)
        gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          route own when path is "/own" -> respond 418
          apply split(cart, v1, v2, 20%, 2s)
        }"#;
    let (_v1, _v2, source) = versions(stage, applied);
    let running = stage.start(&source.replace("PORT", "80"));
    assert_eq!(running.ask(&Request::get("a.com", "/own")).status, 418);
    assert_eq!(answering(&running, Some("new"), 10), (0, 10));
    assert_eq!(answering(&running, Some("old"), 10), (10, 0));
    let (_, new) = answering(&running, None, 500);
    assert!((47..=153).contains(&new), "{new}");
}

fn the_idle_version_is_reached_by_those_who_ask_for_it(stage: &mut Stage) {
    let applied = "use std.rollout (blue-green)\napply blue-green(cart, v1, v2, 2s)";
    let (_v1, _v2, source) = versions(stage, applied);
    let running = stage.start(&source.replace("PORT", "<port>"));
    assert_eq!(answering(&running, None, 20), (20, 0));
    assert_eq!(answering(&running, Some("idle"), 20), (0, 20));
}

fn a_shadow_gets_copies(stage: &mut Stage) {
    let applied = "use std.rollout (shadow)\napply shadow(cart, v1, v2, 100%, 2s)";
    let (_v1, v2, source) = versions(stage, applied);
    let running = stage.start(&source.replace("PORT", "<port>"));
    v2.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    assert_eq!(answering(&running, None, 20), (20, 0));
    wait_for("copies", || v2.requests() == 20);
}

fn a_server_of_an_unknown_authority_is_not_believed(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    let vault = stage.private("vault", Speaks::Http, &server);
    let running = stage.start(
        "use std.tls (public-server)
        gateway edge { workload any; listen http <port> { hosts vault.com } }
        host vault.com via edge { route all -> vault { retry off } }
        external vault { hosts vault.com; port http 80; resolve dns; policy public-server }
        bindings { address vault endpoints [<vault>] }",
    );
    assert_eq!(running.ask(&Request::get("vault.com", "/")).status, stage.plane.unavailable());
    assert_eq!(vault.requests(), 0);
}

fn browsers_are_told_to_use_https(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(
        "use std.tls (strict-transport)
        gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge { route all -> a { policy strict-transport } }
        service a { port http 80 }
        bindings { address a endpoints [<a>] }",
    );
    let answer = running.ask(&Request::get("a.com", "/"));
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

fn partners_have_to_show_a_certificate(stage: &mut Stage) {
    let client = stage.certificate("partner", &["partner.com"]);
    stage.certificate("server", &["a.com"]);
    let _a = stage.echo("a");
    let running = stage.start(
        r#"use std.tls (partner-site)
        gateway edge { workload any; apply partner-site([a.com], partners, <port>) }
        host a.com via edge { route all -> a }
        service a { port http 80 }
        bindings {
          address a endpoints [<a>]
          secret partners { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" }
        }"#,
    );
    let ask = |identity| {
        let tls = Tls { server_name: Some("a.com"), identity, protocols: &["http/1.1"] };
        running.ask_privately(&tls, &Request::get("a.com", "/"))
    };
    assert_eq!(ask(Some(&client)).unwrap().status, 200);
    // nginx shakes hands first, and says so in its answer.
    assert!(ask(None).is_err() || ask(None).unwrap().status == 400);
}

fn plaintext_is_plaintext(stage: &mut Stage) {
    let server = stage.certificate("server", &["a.com"]);
    let _a = stage.either("a", &server);
    let source = |policy: &str| {
        format!(
            "use std.tls ({policy})
            gateway edge {{ workload any; listen http <port> {{ hosts * }} }}
            host * via edge {{ route all -> a }}
            service a {{
              port http 80
              policy {policy}
            }}
            bindings {{ address a endpoints [<a>] }}"
        )
    };
    let running = stage.start(&source("plaintext"));
    assert!(!seen(&running.ask(&Request::get("a.com", "/"))).tls);
    // The certificates of the mesh are Istio's.
    let connection = Connection::open(running.port, None, LIMIT);
    assert!(connection.is_ok());
}
