//! What no single feature says, and nginx still cannot carry: each is refused at its line, with nothing written.

use crate::capabilities::built;
use meshc_language::{Code, Severity};

/// A statement of a route, and what is said of it.
const ROUTES: &[(&str, &str)] = &[
    ("route x when header :path prefix \"/admin\" -> web", "a condition on `:path`"),
    ("route x when not header :path is \"/admin\" -> web", "a condition on `:path`"),
    ("route x when header x-forwarded-proto is \"http\" -> web", "a condition on `x-forwarded-proto`"),
    ("route x when not header x-request-id present -> web", "a condition on `x-request-id`"),
    ("route x when method in [GET, TRACE] -> web", "a condition on the method TRACE"),
    (
        "route x when path prefix \"/x\" -> respond 200 \"a\" { response-headers { add content-type \"text/x\" } }",
        "this operation on `content-type`",
    ),
    ("route x when header x_a is \"1\" -> web", "a condition on `x_a`"),
    ("route x when path matches r\"/a/[^/]\" -> web", "a pattern that matches an escape but not"),
    ("route x when path is \"/%ff\" -> web", "a path whose escapes are not UTF-8"),
    (
        "route x when path prefix \"/x\" -> web { rewrite matches r\"/(a)(b)(c)(d)(e)(f)(g)\" to r\"/\\7\" }",
        "a regular expression rewrite with 7 groups",
    ),
    ("route x when path prefix \"/x\" -> respond 302 \"away\"", "a response body with status 302"),
    (
        "route x when path prefix \"/x\" -> web { request-headers { add x_a \"1\" } }",
        "a value added to `x_a`",
    ),
    (
        "route x when path prefix \"/x\" -> web { response-headers { set connection \"close\" } }",
        "an operation on `connection`",
    ),
    ("route x when path prefix \"/x\" -> named", "a certificate name other than the server name"),
    ("route x when path prefix \"/x\" -> hashed", "a hash of `x_a`"),
    ("route x when path prefix \"/x\" -> abstract", "an abstract Unix socket"),
];

/// Services, each for the routes that name it.
const SERVICES: &[(&str, &str, &str)] = &[
    ("web", "port http 80", "127.0.0.1:9"),
    (
        "named",
        "port http 80; tls simple { ca file \"/ca.pem\"; sni a.internal; names b.internal }",
        "127.0.0.1:9",
    ),
    ("hashed", "port http 80; lb hash header x_a", "127.0.0.1:9"),
    ("abstract", "port http 80", "\"unix://@a\""),
];

fn mesh(route: &str) -> String {
    let mut text = format!(
        "gateway edge {{ controller nginx; workload any; listen http 80 {{ hosts a.com }} }}\n\
         host a.com via edge {{\n{route}\nroute rest -> respond 404\n}}\n"
    );
    for (name, body, address) in SERVICES.iter().filter(|(name, ..)| route.contains(&format!("-> {name}"))) {
        text.push_str(&format!(
            "service {name} {{ {body} }}\nbindings {{ address {name} endpoints [{address}] }}\n"
        ));
    }
    text
}

#[test]
fn what_nginx_cannot_say_is_refused_at_its_line() {
    let mut faults = Vec::new();
    for (route, said) in ROUTES {
        let Some((reports, artifacts)) = built(&mesh(route), "nginx") else {
            faults.push(format!("{route}: the language refuses it"));
            continue;
        };
        let refused = reports.iter().any(|one| {
            one.code == Code::UNSUPPORTED
                && one.severity == Severity::Error
                && one.message.contains(said)
                && one.help.is_some()
        });
        if !refused || artifacts.is_some() {
            let messages: Vec<&str> = reports.iter().map(|one| one.message.as_str()).collect();
            faults.push(format!("{route}: written: {}; {messages:#?}", artifacts.is_some()));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_fault_that_refuses_everybody_is_not_given_up() {
    let mesh = |condition: &str, share: &str| {
        format!(
            "gateway edge {{ controller nginx; workload any; listen http 80 {{ hosts a.com }} }}\n\
             host a.com via edge {{\n\
             @degrade(nginx, drop, because: \"a try\")\n\
             route x when path prefix \"/x\"{condition} -> web {{ fault abort {share} }}\n\
             route rest -> web\n}}\n\
             service web {{ port http 80 }}\nbindings {{ address web endpoints [127.0.0.1:9] }}\n"
        )
    };
    for (condition, share, is_given_up) in [
        (" and source ns qa", "403 for 100%", false),
        (" and source ns qa", "403 for 99%", true),
        ("", "grpc PERMISSION_DENIED for 100%", false),
        ("", "grpc PERMISSION_DENIED for 1%", true),
    ] {
        let (_, artifacts) = built(&mesh(condition, share), "nginx").unwrap();
        assert_eq!(artifacts.is_some(), is_given_up, "{condition} {share}");
    }
}

/// Listeners of one port, and whether nginx cannot open them together: its modules for requests and for connections each have
/// sockets of their own.
const TOGETHER: &[([&str; 2], bool)] = &[
    (["listen tcp 85 { hosts *; bind 127.0.0.1 }", "listen http 85 { hosts b.com }"], true),
    (["listen tcp 85 { hosts *; bind \"::1\" }", "listen http 85 { hosts b.com; bind \"::\" }"], true),
    (
        [
            "listen tls 85 { hosts *; tls passthrough; bind 127.0.0.1 }",
            "listen http 85 { hosts b.com; bind 0.0.0.0 }",
        ],
        true,
    ),
    (["listen tcp 85 { hosts *; bind 127.0.0.1 }", "listen http 85 { hosts b.com; bind 127.0.0.2 }"], false),
    (["listen tcp 85 { hosts *; bind 127.0.0.1 }", "listen http 85 { hosts b.com; bind \"::\" }"], false),
    (["listen tcp 85 { hosts *; bind 127.0.0.1 }", "listen http 86 { hosts b.com }"], false),
    (["listen http 85 { hosts a.com; bind 127.0.0.1 }", "listen http 85 { hosts b.com }"], false),
    (["listen tcp 85 { hosts *; bind 127.0.0.1 }", "listen tcp 85 { hosts * }"], false),
];

#[test]
fn listeners_whose_sockets_would_meet_are_refused() {
    for ([first, second], refused) in TOGETHER {
        let mut text = format!(
            "gateway edge {{ workload any; {first}; {second} }}
            service web {{ port http 80 }}
            bindings {{ address web endpoints [127.0.0.1:9] }}\n"
        );
        for (protocol, block) in [
            ("http", "host a.com, b.com via edge { route all -> web }\n"),
            ("tcp", "host * via edge { tcp route all -> db }\n"),
            ("tls", "host * via edge { tls route all when sni * -> db }\n"),
        ] {
            if text.contains(&format!("listen {protocol} ")) {
                text.push_str(block);
            }
        }
        if text.contains("-> db") {
            text.push_str("service db { port tcp 5432 }\nbindings { address db endpoints [127.0.0.1:10] }\n");
        }
        let made = built(&text, "nginx");
        assert!(made.is_some(), "the language refuses {text}");
        let (reports, artifacts) = made.unwrap();
        let said =
            reports.iter().filter(|one| one.severity == Severity::Error).map(|one| one.message.as_str());
        let said: Vec<&str> = said.collect();
        let wanted =
            "nginx does not support HTTP and passed-on connections on different addresses of port 85";
        assert_eq!(said, if *refused { vec![wanted] } else { vec![] }, "{text}");
        assert_eq!(artifacts.is_none(), *refused, "{text}");
        let (_, by_envoy) = built(&text, "envoy").unwrap();
        assert!(by_envoy.is_some(), "{text}");
    }
}

#[test]
fn a_header_whose_value_is_given_up_does_not_come_from_the_caller() {
    let text = "gateway edge { workload any; listen http 80 { hosts a.com } }
        host a.com via edge {
          @degrade(nginx, drop, because: \"a try\")
          route variable when path is \"/variable\" -> web { request-headers { set x-who \"%DOWNSTREAM_PEER_SUBJECT%\" } }
          @degrade(nginx, drop, because: \"a try\")
          route empty when path is \"/empty\" -> web { response-headers { set x-frame \"\" } }
          @degrade(nginx, drop, because: \"a try\")
          route destination -> 100% web { request-headers { set x-auth \"\" } }
        }
        service web { port http 80 }
        bindings { address web endpoints [127.0.0.1:9] }";
    let (reports, artifacts) = built(text, "nginx").unwrap();
    assert!(artifacts.is_some(), "{reports:?}");
    let made: String = artifacts.unwrap().into_iter().map(|file| file.text).collect();
    for line in
        ["proxy_set_header x-who \"\";", "proxy_hide_header x-frame;", "proxy_set_header x-auth \"\";"]
    {
        assert!(made.contains(line), "{line}: {made}");
    }
}
