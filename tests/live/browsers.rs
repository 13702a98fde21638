//! What browsers are told: one way on every data plane, that of Envoy's filter.

use super::stage::{Running, Stage};
use meshc_cli::rig::{Behaviour, Request, Response};

on_every_plane! {
    every_origin_is_allowed_by_an_asterisk
    a_pattern_that_takes_an_asterisk_allows_no_other_origin
    what_the_destination_says_stands_beside_nothing
    preflight_requests_are_answered_with_what_they_ask_for
    what_is_aborted_has_nothing_for_browsers
    redirects_have_the_query_that_is_said
    a_listener_redirects_with_the_status_that_is_said
    a_pattern_without_letter_case_says_so_itself
    replacements_make_the_path
}

fn mesh(routes: &str) -> String {
    format!(
        "gateway edge {{ workload any; listen http <port> {{ hosts * }} }}
         host * via edge {{
           {routes}
         }}
         service a {{ port http 80 }}
         bindings {{ address a endpoints [<a>] }}"
    )
}

fn preflight(target: &str, origin: &str) -> Request {
    let asking = Request::get("a.com", target).with("origin", origin);
    let asking = asking.with("access-control-request-method", "PUT");
    let asking = asking.with("access-control-request-headers", "x-one,x-two");
    Request { method: "OPTIONS".to_owned(), ..asking }
}

fn from(running: &Running, target: &str, origin: &str) -> Response {
    running.ask(&Request::get("a.com", target).with("origin", origin))
}

/// All values of a header.
fn all<'r>(response: &'r Response, name: &str) -> Vec<&'r str> {
    let own = response.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    own.map(|(_, value)| value.as_str()).collect()
}

const ORIGIN: &str = "access-control-allow-origin";

fn every_origin_is_allowed_by_an_asterisk(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route open when path is \"/open\" -> a { cors { origin is \"*\"; credentials on } }
         route one when path is \"/one\" -> a { cors { origin is \"https://a.com\" } }",
    ));
    for origin in ["https://any.test", "null", "http://b.test:8080"] {
        let response = from(&running, "/open", origin);
        assert_eq!(all(&response, ORIGIN), [origin]);
        assert_eq!(all(&response, "access-control-allow-credentials"), ["true"]);
        assert_eq!(running.ask(&preflight("/open", origin)).status, 200);
        assert_eq!(all(&from(&running, "/one", origin), ORIGIN), [""; 0]);
    }
    assert_eq!(all(&running.ask(&Request::get("a.com", "/open")), ORIGIN), [""; 0]);
    assert_eq!(all(&from(&running, "/one", "https://a.com"), ORIGIN), ["https://a.com"]);
}

fn a_pattern_that_takes_an_asterisk_allows_no_other_origin(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh("route all -> a { cors { origin matches r\"[^.]+\" } }"));
    assert_eq!(all(&from(&running, "/", "https://host"), ORIGIN), ["https://host"]);
    assert_eq!(all(&from(&running, "/", "https://evil.test"), ORIGIN), [""; 0]);
}

fn what_the_destination_says_stands_beside_nothing(stage: &mut Stage) {
    let a = stage.echo("a");
    let own = [
        (ORIGIN, "https://own"),
        ("access-control-expose-headers", "x-own"),
        ("access-control-allow-credentials", "false"),
    ];
    let headers = own.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    a.behave(Behaviour { headers, ..Behaviour::default() });
    let running = stage
        .start(&mesh("route all -> a { cors { origin is \"https://a.com\"; expose x-e; credentials on } }"));
    let response = from(&running, "/", "https://a.com");
    assert_eq!(all(&response, ORIGIN), ["https://a.com"]);
    assert_eq!(all(&response, "access-control-expose-headers"), ["x-e"]);
    assert_eq!(all(&response, "access-control-allow-credentials"), ["true"]);
    // To others it says what it likes.
    for response in [from(&running, "/", "https://other"), running.ask(&Request::get("a.com", "/"))] {
        for (name, value) in own {
            assert_eq!(all(&response, name), [value]);
        }
    }
}

fn preflight_requests_are_answered_with_what_they_ask_for(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route any when path is \"/any\" -> a { cors { origin is \"*\"; methods *; headers *; expose x-e } }
         route some when path is \"/some\" -> a { cors { origin is \"*\"; methods GET, PUT; headers x-one; max-age 5s } }",
    ));
    let response = running.ask(&preflight("/any", "https://a.com"));
    assert_eq!(all(&response, "access-control-allow-methods"), ["PUT"]);
    assert_eq!(all(&response, "access-control-allow-headers"), ["x-one,x-two"]);
    assert_eq!(all(&response, "access-control-expose-headers"), ["x-e"]);
    let response = running.ask(&preflight("/some", "https://a.com"));
    assert_eq!(all(&response, "access-control-allow-methods"), ["GET,PUT"]);
    assert_eq!(all(&response, "access-control-allow-headers"), ["x-one"]);
    assert_eq!(all(&response, "access-control-max-age"), ["5"]);
}

fn what_is_aborted_has_nothing_for_browsers(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route all -> a { cors { origin is \"*\" }; fault abort 503 for 100%; response-headers { set x-r \"1\" } }",
    ));
    for response in [from(&running, "/", "https://a.com"), running.ask(&preflight("/", "https://a.com"))] {
        assert_eq!((response.status, all(&response, ORIGIN)), (503, Vec::new()));
        assert_eq!(all(&response, "x-r"), ["1"]);
    }
}

fn redirects_have_the_query_that_is_said(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route kept when path is \"/kept\" -> redirect path \"/x\" query keep
         route dropped when path is \"/dropped\" -> redirect path \"/x\" query drop
         route bare when path is \"/bare\" -> redirect host b.com query drop
         route new when path is \"/new\" -> redirect path \"/x\" query \"a=$b&c=%20\"
         route usual when path is \"/usual\" -> redirect host b.com",
    ));
    for (path, location) in [
        ("/kept?k=v", "http://a.com/x?k=v"),
        ("/dropped?k=v", "http://a.com/x"),
        ("/dropped", "http://a.com/x"),
        ("/bare?k=v", "http://b.com/bare"),
        ("/new?k=v", "http://a.com/x?a=$b&c=%20"),
        ("/new", "http://a.com/x?a=$b&c=%20"),
        ("/usual?k=v", "http://b.com/usual?k=v"),
    ] {
        assert_eq!(all(&running.ask(&Request::get("a.com", path)), "location"), [location], "{path}");
    }
}

fn a_listener_redirects_with_the_status_that_is_said(stage: &mut Stage) {
    for (code, status) in [("", 301), (" 308", 308), (" 302", 302)] {
        let running = stage.start(&format!(
            "gateway edge {{ workload any; listen http <port> {{ hosts a.com, b.com; redirect https{code} }} }}
             host a.com via edge {{ route all -> respond 200 }}"
        ));
        for host in ["a.com", "b.com"] {
            let response = running.ask(&Request::get(host, "/x?k=v"));
            assert_eq!(response.status, status);
            assert_eq!(all(&response, "location"), [format!("https://{host}/x?k=v")]);
        }
    }
}

fn a_pattern_without_letter_case_says_so_itself(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route any when path matches r\"/v2|/w\" ignoring-case -> respond 418
         route exact when path matches r\"/v3\" -> respond 418",
    ));
    let status = |path: &str| running.ask(&Request::get("a.com", path)).status;
    for (path, expected) in [("/v2", 418), ("/V2", 418), ("/W", 418), ("/v3", 418), ("/V3", 404)] {
        assert_eq!(status(path), expected, "{path}");
    }
}

fn replacements_make_the_path(stage: &mut Stage) {
    let _a = stage.echo("a");
    let running = stage.start(&mesh(
        "route two when path prefix \"/two\" -> a { rewrite matches r\"^/two/([^/]*)/(.*)\" to r\"/\\2/\\1\" }
         route whole when path prefix \"/whole\" -> a { rewrite matches r\"^/whole\" to r\"/new\\0\" }",
    ));
    let target = |path: &str| super::stage::seen(&running.ask(&Request::get("a.com", path))).target;
    assert_eq!(target("/two/a/b?c=d"), "/b/a?c=d");
    assert_eq!(target("/whole/y"), "/new/whole/y");
}
