//! Faults, copies and upgrades: what happens to a share of requests, and what takes time.

use super::stage::{Plane, Stage, seen, wait_for};
use super::trickle;
use meshc_cli::rig::{Behaviour, Request};
use std::time::{Duration, Instant};

on_every_plane! {
    a_share_of_requests_is_delayed
    a_share_of_requests_is_aborted
    a_share_of_requests_is_copied
    what_is_not_copied_goes_on_before_all_of_it_is_there
    each_destination_of_copies_has_a_share_of_its_own
    a_slow_copy_delays_no_answer
    a_copy_has_the_headers_of_the_requests_own_destination
    a_websocket_passes_both_ways
}

/// A gateway with one route, on which something is said, and somewhere for copies.
fn one_route(options: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route all -> a { OPTIONS }
    }
    service a { port http 80 }
    service shadow { port http 81 }
    bindings { address a endpoints [<a>]; address shadow endpoints [<shadow>] }";
    all.replace("OPTIONS", options)
}

fn a_share_of_requests_is_delayed(stage: &mut Stage) {
    let _upstreams = (stage.echo("a"), stage.echo("shadow"));
    let delay = Duration::from_millis(300);
    let source = one_route("fault delay 300ms for 50%");
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source, "fault delay");
    }
    let (some, all) = (stage.start(&source), stage.start(&one_route("fault delay 300ms for 100%")));
    let taken = |running: &super::stage::Running| {
        let mut connection = running.connect();
        let start = Instant::now();
        assert_eq!(connection.exchange(&Request::get("a.com", "/")).unwrap().status, 200);
        start.elapsed()
    };
    assert!((0..3).map(|_| taken(&all)).all(|taken| taken >= delay - Duration::from_millis(10)));
    // A busy machine makes requests slower, never faster: of 40 at least one is not delayed, and at least one is.
    let mut times: Vec<Duration> = (0..40).map(|_| taken(&some)).collect();
    times.sort_unstable();
    assert!(times[4] < delay - Duration::from_millis(10), "{times:?}");
    assert!(times[35] >= delay - Duration::from_millis(10), "{times:?}");
}

fn a_share_of_requests_is_aborted(stage: &mut Stage) {
    let (a, _shadow) = (stage.echo("a"), stage.echo("shadow"));
    let running = stage.start(&one_route("fault abort 418 for 30%"));
    let mut connection = running.connect();
    let mut aborted = 0;
    for _ in 0..1000 {
        if !connection.is_open() {
            connection = running.connect();
        }
        match connection.exchange(&Request::get("a.com", "/")).unwrap().status {
            200 => {}
            418 => aborted += 1,
            other => panic!("{other}"),
        }
    }
    // Six standard deviations around 300.
    assert!((213..=387).contains(&aborted), "{aborted}");
    assert_eq!(a.requests(), 1000 - aborted);
    let whole = stage.start(&one_route("fault abort 503 for 100%"));
    assert!((0..20).all(|_| whole.ask(&Request::get("a.com", "/")).status == 503));
}

fn a_share_of_requests_is_copied(stage: &mut Stage) {
    let (a, shadow) = (stage.echo("a"), stage.echo("shadow"));
    let running = stage.start(&one_route("mirror 25% to shadow"));
    let mut connection = running.connect();
    let mut request = Request { method: "POST".to_owned(), ..Request::get("a.com", "/x?y=1") };
    request.body = b"a body".to_vec();
    // What becomes of copies is nobody's business.
    shadow.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    for _ in 0..400 {
        assert_eq!(seen(&connection.exchange(&request).unwrap()).upstream, "a");
    }
    assert_eq!(a.requests(), 400);
    // Six standard deviations around 100.
    wait_for("copies", || shadow.requests() >= 48);
    std::thread::sleep(Duration::from_millis(200));
    assert!((48..=152).contains(&shadow.requests()), "{}", shadow.requests());
    for copy in shadow.take_seen() {
        assert_eq!(
            (copy.method.as_str(), copy.target.as_str(), copy.body.as_str()),
            ("POST", "/x?y=1", "a body")
        );
        assert_eq!(copy.header("host"), Some("a.com"));
    }
    let all = stage.start(&one_route("mirror to shadow"));
    let before = shadow.requests();
    assert!((0..10).all(|_| all.ask(&request).status == 200));
    wait_for("ten copies", || shadow.requests() == before + 10);
}

fn what_is_not_copied_goes_on_before_all_of_it_is_there(stage: &mut Stage) {
    // It answers as soon as it has seen the head of a request.
    stage.name_address("a", trickle::start(Duration::from_millis(1)));
    let _shadow = stage.echo("shadow");
    for options in ["mirror 1% to shadow", "mirror 1% to shadow; mirror 2% to a"] {
        let running = stage.start(&one_route(options));
        let is_answered = || {
            let mut connection = running.connect();
            connection.set_limit(Duration::from_secs(2));
            connection.send(b"POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 10\r\n\r\n").unwrap();
            connection.answer("POST").is_ok()
        };
        let answered = (0..20).filter(|_| is_answered()).count();
        assert!(answered >= 15, "{options}: {answered} of 20");
    }
}

fn each_destination_of_copies_has_a_share_of_its_own(stage: &mut Stage) {
    let (a, shadow, other) = (stage.echo("a"), stage.echo("shadow"), stage.echo("other"));
    let source = one_route("mirror 20% to shadow; mirror 60% to other")
        .replace("service shadow", "service other { port http 82 }\n    service shadow")
        .replace("address shadow", "address other endpoints [<other>]; address shadow");
    let running = stage.start(&source);
    let mut connection = running.connect();
    for _ in 0..400 {
        if !connection.is_open() {
            connection = running.connect();
        }
        assert_eq!(seen(&connection.exchange(&Request::get("a.com", "/x")).unwrap()).upstream, "a");
    }
    wait_for("copies", || shadow.requests() >= 32 && other.requests() >= 181);
    std::thread::sleep(Duration::from_millis(200));
    // Six standard deviations around 80 and 240.
    assert!((32..=128).contains(&shadow.requests()), "{}", shadow.requests());
    assert!((181..=299).contains(&other.requests()), "{}", other.requests());
    assert_eq!(a.requests(), 400);
}

fn a_copy_has_the_headers_of_the_requests_own_destination(stage: &mut Stage) {
    let (_a, shadow) = (stage.echo("a"), stage.echo("shadow"));
    let set = |value: &str| format!("a@{value} {{ request-headers {{ set x-d \"{value}\" }} }}");
    let weighted = format!("25% {}, 25% {}, rest a", set("v1"), set("v2"));
    for (destination, values) in [(set("v1"), &["v1"][..]), (weighted, &["v1", "v2", "none"])] {
        let running = stage.start(
            &r#"gateway edge { workload any; listen http <port> { hosts * } }
            host * via edge { route all -> DESTINATION { mirror to shadow } }
            service a { port http 80; subset v1 { labels version=v1 }; subset v2 { labels version=v2 } }
            service shadow { port http 80 }
            bindings {
              address a endpoints [<a>]; address a@v1 endpoints [<a>]; address a@v2 endpoints [<a>]
              address shadow endpoints [<shadow>]
            }"#
            .replace("DESTINATION", &destination),
        );
        let before = shadow.requests();
        let mut expected: Vec<String> = (0..40)
            .map(|_| {
                let seen = seen(&running.ask(&Request::get("a.com", "/")));
                seen.header("x-d").unwrap_or("none").to_owned()
            })
            .collect();
        wait_for("a copy of each", || shadow.requests() == before + 40);
        let copies = shadow.take_seen();
        let mut copied: Vec<String> =
            copies.iter().map(|copy| copy.header("x-d").unwrap_or("none").to_owned()).collect();
        expected.sort_unstable();
        copied.sort_unstable();
        assert_eq!(copied, expected);
        assert!(values.iter().all(|value| copied.iter().any(|one| one == value)), "{copied:?}");
    }
}

fn a_slow_copy_delays_no_answer(stage: &mut Stage) {
    let (_a, shadow) = (stage.echo("a"), stage.echo("shadow"));
    let source = one_route("mirror to shadow");
    let running = stage.start(&source);
    shadow.behave(Behaviour { delay: Duration::from_secs(4), ..Behaviour::default() });
    let start = Instant::now();
    let (mut one, mut other) = (running.connect(), running.connect());
    for connection in [&mut one, &mut other] {
        assert_eq!(seen(&connection.exchange(&Request::get("a.com", "/")).unwrap()).upstream, "a");
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(seen(&one.exchange(&Request::get("a.com", "/")).unwrap()).upstream, "a");
    let taken = start.elapsed();
    match stage.plane {
        Plane::Envoy => assert!(taken < Duration::from_secs(3), "{taken:?}"),
        // The next request of a connection waits for the copy of the last one.
        Plane::Nginx => {
            stage.assert_caveat(&source, "mirror to");
            assert!(taken >= Duration::from_secs(3), "{taken:?}");
        }
    }
}

fn a_websocket_passes_both_ways(stage: &mut Stage) {
    let (a, _shadow) = (stage.echo("a"), stage.echo("shadow"));
    let request = Request::get("a.com", "/socket")
        .with("Connection", "Upgrade")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .with("Sec-WebSocket-Version", "13");
    // A copy of it ends as it may.
    for options in ["", "mirror to shadow"] {
        let running = stage.start(&one_route(options));
        let mut connection = running.connect();
        let answer = connection.exchange(&request).unwrap();
        assert_eq!((answer.status, answer.header("x-echo-upstream")), (101, Some("a")), "{options}");
        for frame in [b"\x81\x02hi".as_slice(), b"\x82\x05hello"] {
            connection.send(frame).unwrap();
            assert_eq!(connection.read(frame.len()).unwrap(), frame);
        }
        let seen = a.take_seen().pop().unwrap();
        assert!(seen.header("upgrade").unwrap().eq_ignore_ascii_case("websocket"));
        assert_eq!(seen.header("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    }
}
