//! Paths, from what a caller writes to what a destination sees.

use super::stage::{Plane, Running, Stage, seen, wait_for};
use meshc_cli::rig::{Behaviour, Request};
use std::io::{Read, Write};
use std::net::TcpListener;

on_every_plane! {
    a_path_is_passed_on_as_it_was_written
    paths_that_no_client_writes_are_refused
    a_prefix_is_replaced_in_the_path_as_it_was_written
    an_expression_sees_the_path_as_it_was_written
    what_differs_is_what_the_table_says
    responses_that_differ_are_what_the_table_says
    a_path_for_http2_keeps_its_escapes_or_is_refused
    requests_older_than_http_1_1_are_refused
    a_path_without_its_final_slash_is_another
    a_copy_goes_where_copies_go_however_its_path_is_written
    a_long_query_is_looked_at_to_its_end
}

/// A gateway with these routes, which may lead to `a`.
fn gateway(routes: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      ROUTES
    }
    service a { port http 80 }
    bindings { address a endpoints [<a>] }";
    all.replace("ROUTES", routes)
}

fn path_seen(running: &Running, target: &str) -> String {
    seen(&running.ask(&Request::get("a.com", target))).target
}

fn a_path_without_its_final_slash_is_another(stage: &mut Stage) {
    let _a = stage.echo("a");
    let routes = "route exact when path is \"/c/\" -> a
      route begin when path prefix \"/d/\" -> a
      route rest -> respond 404 \"rest\"";
    let running = stage.start(&gateway(routes));
    let status = |path: &str| running.ask(&Request::get("a.com", path)).status;
    for (path, wanted) in [("/c", 404), ("/c/", 200), ("/c/x", 404), ("/d", 404), ("/d/", 200), ("/d/x", 200)]
    {
        assert_eq!(status(path), wanted, "{path}");
    }
}

fn a_copy_goes_where_copies_go_however_its_path_is_written(stage: &mut Stage) {
    let (a, shadow) = (stage.echo("a"), stage.echo("shadow"));
    let source = gateway("route all -> a { mirror to shadow }")
        .replace(
            "service a { port http 80 }",
            "service a { port http 80 }\n    service shadow { port http 80 }",
        )
        .replace(
            "address a endpoints [<a>]",
            "address a endpoints [<a>]; address shadow endpoints [<shadow>]",
        );
    let running = stage.start(&source);
    let paths = ["/plain", "/John%20Smith", "/x//y", "/a|b", "/./x", "/.hidden", "/%c3%a9"];
    for (number, path) in (1..).zip(paths) {
        let path_seen = path_seen(&running, path);
        wait_for("the copy", || shadow.requests() == number);
        assert_eq!(a.requests(), number, "{path}");
        assert_eq!(shadow.take_seen().last().unwrap().target, path_seen, "{path}");
    }
}

/// A regular expression that gives up says nothing of what it looked at.
fn a_long_query_is_looked_at_to_its_end(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running =
        stage.start(&gateway("route no when query debug present -> respond 403\n      route all -> a"));
    for number in [1, 1_000, 5_000, 20_000] {
        let target = format!("/?{}debug=1", "a&".repeat(number));
        assert_eq!(running.ask(&Request::get("a.com", &target)).status, 403, "{number}");
    }
}

/// What Envoy and nginx alike make of a path.
const WRITTEN: [(&str, &str); 18] = [
    ("/a%2Bb", "/a%2Bb"),
    ("/a%2bb", "/a%2bb"),
    ("/a%3Bb", "/a%3Bb"),
    ("/a;b", "/a;b"),
    ("/%c3%a9", "/%c3%a9"),
    ("/%C3%A9", "/%C3%A9"),
    ("/a%20b", "/a%20b"),
    ("/%41%7e", "/A~"),
    ("/a|b", "/a%7Cb"),
    ("/a%7cb", "/a%7cb"),
    ("/q%3fx?y=%2B", "/q%3fx?y=%2B"),
    ("/a%25b", "/a%25b"),
    ("/%5B%5D%21", "/%5B%5D%21"),
    ("/x//a%2bb", "/x/a%2bb"),
    ("/a/./b%2Cc", "/a/b%2Cc"),
    ("/a/../b%2Cc", "/b%2Cc"),
    ("/a/%2e%2E/b%2Bc", "/b%2Bc"),
    ("/a/b/c/../../..//d/.//e%2Cf", "/d/e%2Cf"),
];

fn a_path_is_passed_on_as_it_was_written(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway("route all -> a"));
    for (written, wanted) in WRITTEN {
        assert_eq!(path_seen(&running, written), wanted, "{written}");
    }
}

fn paths_that_no_client_writes_are_refused(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway("route all -> a"));
    for written in ["/a#b", "/a?x#b", "/a%2fb", "/a%5Cb", "/a%00b"] {
        assert_eq!(running.ask(&Request::get("a.com", written)).status, 400, "{written}");
    }
    if stage.plane == Plane::Nginx {
        // More double slashes beside escapes than it takes out.
        let many = format!("{}%2B", "//a".repeat(20));
        assert_eq!(running.ask(&Request::get("a.com", &many)).status, 400);
    }
}

fn a_prefix_is_replaced_in_the_path_as_it_was_written(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway(
        r#"route v1 when path under "/v1" -> a { rewrite prefix "/new%2B" }
        route v2 when path prefix "/v2/" -> a { rewrite prefix "/" }
        route signs when path under "/a+b" -> a { rewrite prefix "/c" }
        route case when path under "/v3" ignoring-case -> a { rewrite prefix "/x" }
        route whole when path under "/w" -> a { rewrite path "/w%2Bw" }"#,
    ));
    for (written, wanted) in [
        ("/v1/a%2Bb", "/new%2B/a%2Bb"),
        ("/v1", "/new%2B"),
        ("/%761/x?y=%2B", "/new%2B/x?y=%2B"),
        ("/%761/a%2Bb", "/new%2B/a%2Bb"),
        ("//v1/.//a%3Bb", "/new%2B/a%3Bb"),
        ("/v2/%c3%a9", "/%c3%a9"),
        ("/V3/a%2Cb", "/x/a%2Cb"),
        ("/a+b/c%2C", "/c/c%2C"),
        ("/w/a%2Bb?q", "/w%2Bw?q"),
    ] {
        assert_eq!(path_seen(&running, written), wanted, "{written}");
    }
}

fn an_expression_sees_the_path_as_it_was_written(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway(
        r#"route text when path under "/text" -> a { rewrite matches r"text" to "x%2B%20" }
        route group when path under "/group" -> a { rewrite matches r"/group/([^/]+)/" to r"/\1%2B/" }
        route escape when path under "/escape" -> a { rewrite matches r"%20" to "+" }"#,
    ));
    for (written, wanted) in [
        ("/text/a%2Bb", "/x%2B%20/a%2Bb"),
        ("/group/a%3Bb/c", "/a%3Bb%2B/c"),
        ("/group", "/group"),
        ("/escape/a%20b", "/escape/a+b"),
    ] {
        assert_eq!(path_seen(&running, written), wanted, "{written}");
    }
}

/// Requests that data planes read differently: the method, the target, and what the destination is asked for or the status, of
/// Envoy and of nginx.
const DIFFERENT: [(&str, &str, &str, &str); 11] = [
    ("GET", "/a\\b", "GET /a/b", "400"),
    ("GET", "/a%0Ab", "GET /a%0Ab", "400"),
    ("GET", "/a%0db", "GET /a%0db", "400"),
    ("GET", "/a%zz", "GET /a%zz", "400"),
    ("GET", "/a%", "GET /a%", "400"),
    ("GET", "/x?", "GET /x?", "GET /x?"),
    ("GET", "/x//y?", "GET /x/y?", "GET /x/y"),
    ("GET", "/new/y?", "GET /w/y?", "GET /w/y"),
    ("TRACE", "/x", "TRACE /x", "405"),
    ("BREW", "/x", "400", "BREW /x"),
    ("GET", "/part/x", "GET x", "500"),
];

fn what_differs_is_what_the_table_says(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway(
        r#"route new when path prefix "/new/" -> a { rewrite prefix "/w/" }
        route part when path prefix "/part/" -> a { rewrite matches r"[/]?part/(.*)" to r"\1" }
        route all -> a"#,
    ));
    for (method, target, envoy, nginx) in DIFFERENT {
        let request = Request { method: method.to_owned(), ..Request::get("a.com", target) };
        let answer = running.ask(&request);
        let outcome = match answer.status {
            200 => {
                let seen = seen(&answer);
                format!("{} {}", seen.method, seen.target)
            }
            status => status.to_string(),
        };
        let wanted = if stage.plane == Plane::Envoy { envoy } else { nginx };
        assert_eq!(outcome, wanted, "{method} {target}");
    }
    let named = Request::get("a.com", "/").with("connection", "x-hop").with("x-hop", "1");
    let passed = seen(&running.ask(&named)).header("x-hop").is_some();
    assert_eq!(passed, stage.plane == Plane::Nginx);
}

fn responses_that_differ_are_what_the_table_says(stage: &mut Stage) {
    let a = stage.echo("a");
    let running = stage.start(&gateway("route all -> a"));
    let headers = (0..150).map(|at| (format!("x-{at}"), "1".to_owned())).collect();
    a.behave(Behaviour { headers, ..Behaviour::default() });
    let wanted = if stage.plane == Plane::Envoy { 502 } else { 200 };
    assert_eq!(running.ask(&Request::get("a.com", "/")).status, wanted);
    let early = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    stage.name_address("a", early.local_addr().unwrap().port());
    let running = stage.start(&gateway("route all -> a"));
    std::thread::spawn(move || {
        for stream in early.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
            let _ =
                stream.write_all(format!("{hints}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
    });
    let mut connection = running.connect();
    connection.send(b"GET / HTTP/1.1\r\nHost: a.com\r\n\r\n").unwrap();
    let first = connection.read_line().unwrap();
    let wanted = if stage.plane == Plane::Envoy { "HTTP/1.1 200" } else { "HTTP/1.1 103" };
    assert!(first.starts_with(wanted.as_bytes()), "{}", String::from_utf8_lossy(&first));
}

fn a_path_for_http2_keeps_its_escapes_or_is_refused(stage: &mut Stage) {
    let _a = stage.echo("a");
    let source = gateway("route all -> a").replace("port http 80", "port http2 80");
    let running = stage.start(&source);
    for path in ["/a%20b", "/a%2Bb", "/%c3%a9"] {
        assert_eq!(path_seen(&running, path), path);
    }
    // Its double slash has to go: nginx writes the path anew then.
    let answer = running.ask(&Request::get("a.com", "/x//a%2Bb"));
    match stage.plane {
        Plane::Envoy => assert_eq!(seen(&answer).target, "/x/a%2Bb"),
        Plane::Nginx => {
            assert_eq!(answer.status, 400);
            stage.assert_caveat(&source, "-> a");
        }
    }
}

fn requests_older_than_http_1_1_are_refused(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&gateway("route all -> a"));
    let mut connection = running.connect();
    connection.send(b"GET / HTTP/1.0\r\nhost: a.com\r\n\r\n").unwrap();
    assert_eq!(connection.answer("GET").unwrap().status, 426);
}
