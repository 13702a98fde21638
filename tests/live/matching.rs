//! Conditions where engines and proxies could see different things.

use super::stage::{Plane, Stage, seen};
use meshc_cli::rig::Request;
use meshc_compiler::values::is_read_by_envoy;

on_every_plane! {
    an_expression_that_takes_too_long_lets_nobody_through
    an_absent_header_is_like_nothing
    headers_about_the_connection_are_gone_when_a_route_is_chosen
    methods_that_no_standard_has
}

/// In HTTP/1.1 Envoy reads the methods of a list, nginx all.
fn methods_that_no_standard_has(stage: &mut Stage) {
    let running = stage.start(
        "gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          route odd when method in [BREW, FOO, M-SEARCH] -> respond 201
          route all -> respond 202
        }",
    );
    let status = |method: &str| {
        let mut request = Request::get("a.com", "/");
        request.method = method.to_owned();
        running.ask(&request).status
    };
    let odd = match stage.plane {
        Plane::Envoy => 400,
        Plane::Nginx => 201,
    };
    for method in ["BREW", "FOO", "M-SEARCH"] {
        assert_eq!(status(method), odd, "{method}");
        assert!(!is_read_by_envoy(method));
    }
    let read = "ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY PROPFIND PROPPATCH PURGE \
                REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE PATCH DELETE OPTIONS";
    for method in read.split_whitespace() {
        assert_eq!(status(method), 202, "{method}");
        assert!(is_read_by_envoy(method));
    }
}

fn an_expression_that_takes_too_long_lets_nobody_through(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          route open when path is "/open" -> a
          route path when path matches r"/([a-z]+-?)+[.]php|/.*[.]bak" -> respond 403
          route header when header x-a matches r"(a+)+b|.*c" -> respond 403
          route query when query q matches r"(a+)+b|.*c" -> respond 403
          route all -> a
        }
        service a { port http 80 }
        bindings { address a endpoints [<a>] }"#,
    );
    let long = "a".repeat(60);
    let refused = match stage.plane {
        Plane::Envoy => 403,
        // Its engine gives up, and a rule that may hold is not passed by.
        Plane::Nginx => 500,
    };
    let get = |target: &str| Request::get("a.com", target);
    for request in [
        get(&format!("/{long}.bak")),
        get("/").with("x-a", &format!("{long}c")),
        get(&format!("/?q={long}c")),
        get(&format!("/?p=1&q={long}c")),
    ] {
        assert_eq!(running.ask(&request).status, refused, "{request:?}");
    }
    // What engines tell is as before.
    for request in [get("/a.bak"), get("/a-b.php"), get("/").with("x-a", "aab"), get("/?q=c")] {
        assert_eq!(running.ask(&request).status, 403, "{request:?}");
    }
    for request in [get("/a.txt"), get("/").with("x-a", "d"), get("/?q=d"), get("/?q="), get("/?q")] {
        assert_eq!(seen(&running.ask(&request)).upstream, "a");
    }
    // A rule in front of it holds, whatever is behind.
    assert_eq!(seen(&running.ask(&get("/open").with("x-a", &format!("{long}c")))).upstream, "a");
}

fn an_absent_header_is_like_nothing(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          route empty when path is "/empty" and header x-a is "" -> respond 418
          route any when path is "/any" and header x-a matches r".*" -> respond 418
          route not-any when path is "/not-any" and not header x-a matches r"a*" -> respond 418
          route not-some when path is "/not-some" and not header x-a matches r"a+" -> respond 418
          route all -> a
        }
        service a { port http 80 }
        bindings { address a endpoints [<a>] }"#,
    );
    let status = |path: &str, value: Option<&str>| {
        let request = Request::get("a.com", path);
        running.ask(&value.map_or(request.clone(), |value| request.with("x-a", value))).status
    };
    for (path, absent, a, b) in [
        ("/empty", 200, 200, 200),
        ("/any", 200, 418, 418),
        // Compared as empty where a condition asks for what it is not like.
        ("/not-any", 200, 200, 418),
        ("/not-some", 418, 200, 418),
    ] {
        assert_eq!(
            (status(path, None), status(path, Some("a")), status(path, Some("b"))),
            (absent, a, b),
            "{path}"
        );
    }
}

fn headers_about_the_connection_are_gone_when_a_route_is_chosen(stage: &mut Stage) {
    let never =
        ["connection is \"close\"", "upgrade is \"h2c\"", "keep-alive present", "proxy-connection present"];
    let routes = never.iter().enumerate().map(|(at, condition)| {
        format!("@allow(MESH0440, because: \"it is tried\")\nroute never-{at} when header {condition} -> respond 404\n")
    });
    let running = stage.start(
        &r#"gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge {
          ROUTES
          route grpc when header te is "trailers" -> respond 200 "grpc"
          route socket when header upgrade is "websocket" and header connection present -> respond 200 "socket"
          route rest -> respond 200 "rest"
        }"#
        .replace("ROUTES", &routes.collect::<String>()),
    );
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("Connection", "close")], "rest"),
        (&[("Connection", "Upgrade"), ("Upgrade", "h2c")], "rest"),
        (&[("Keep-Alive", "3")], "rest"),
        (&[("Proxy-Connection", "x")], "rest"),
        (&[("TE", "gzip")], "rest"),
        (&[("TE", "gzip, trailers")], "grpc"),
        (&[("Connection", "Upgrade"), ("Upgrade", "websocket")], "socket"),
    ];
    for (headers, expected) in cases {
        let request = headers
            .iter()
            .fold(Request::get("a.com", "/"), |request, (name, value)| request.with(name, value));
        let answer = running.ask(&request);
        assert_eq!(
            (answer.status, String::from_utf8_lossy(&answer.body).as_ref()),
            (200, expected),
            "{headers:?}"
        );
    }
}
