//! TLS to destinations.

use super::silent::Dropping;
use super::stage::{LIMIT, Plane, Running, Stage, seen};
use meshc_cli::rig::{Connection, Request, Seen, Speaks};
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

on_every_plane! {
    the_name_in_the_destinations_certificate_is_checked
    another_name_may_be_checked_than_is_asked_for
    the_names_of_an_external_are_checked
    the_authority_of_the_destinations_certificate_is_checked
    the_name_that_is_asked_for_is_that_of_the_request_by_default
    connections_ask_for_the_name_of_their_destination
    one_of_several_names_is_enough
    mutual_shows_the_certificate_of_the_proxy
    what_is_not_verified_is_taken_unseen
    no_connection_is_shared_by_two_identities
    plaintext_and_tls_to_one_endpoint_stay_apart
    the_protocol_of_the_caller_is_kept_in_tls
    connections_in_tls_have_the_time_limits_of_their_destination
}

/// A gateway whose host `a.com` leads to `vault`, which is called as `tls` says.
fn one_destination(tls: &str) -> String {
    let all = "gateway edge { workload any; listen http <port> { hosts a.com } }
    host a.com via edge { route all -> vault { retry off } }
    service vault {
      port https 443
      tls TLS
    }
    bindings { address vault endpoints [<vault>] }";
    all.replace("TLS", tls)
}

fn ask(running: &Running) -> (u16, Option<Seen>) {
    let answer = running.ask(&Request::get("a.com", "/"));
    (answer.status, (answer.status == 200).then(|| seen(&answer)))
}

fn the_name_in_the_destinations_certificate_is_checked(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com", "*.wild.com"]);
    let echo = stage.private("vault", Speaks::Http, &server);
    for good in ["vault.com", "x.wild.com"] {
        let right = stage.start(&one_destination(&format!(
            r#"simple {{ ca file "<ca.pem>"; sni {good}; names "{good}" }}"#
        )));
        let (status, seen) = ask(&right);
        assert_eq!(status, 200, "{good}");
        assert_eq!(seen.unwrap().server_name.as_deref(), Some(good));
    }
    let before = echo.requests();
    for bad in ["other.com", "wild.com", "x.y.wild.com", "ault.com"] {
        // What is asked for is checked, if nothing else is said.
        for names in ["", &format!(r#"; names "{bad}""#)] {
            let wrong = stage
                .start(&one_destination(&format!(r#"simple {{ ca file "<ca.pem>"; sni {bad}{names} }}"#)));
            assert_eq!(ask(&wrong), (stage.plane.unavailable(), None), "{bad}{names}");
        }
    }
    assert_eq!(echo.requests(), before);
}

fn another_name_may_be_checked_than_is_asked_for(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    let echo = stage.private("vault", Speaks::Http, &server);
    let source = |name: &str| {
        one_destination(&format!(r#"simple {{ ca file "<ca.pem>"; sni asked.com; names "{name}" }}"#))
    };
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source("vault.com"), "names ");
    }
    let (status, seen) = ask(&stage.start(&source("vault.com")));
    assert_eq!((status, seen.unwrap().server_name.as_deref()), (200, Some("asked.com")));
    assert_eq!(ask(&stage.start(&source("asked.com"))), (stage.plane.unavailable(), None));
    assert_eq!(echo.requests(), 1);
}

fn the_names_of_an_external_are_checked(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com", "b.com"]);
    let echo = stage.private("vault", Speaks::Http, &server);
    let source = |asked: &str, name: &str| {
        let all = r#"gateway edge { workload any; listen http <port> { hosts a.com } }
        host a.com via edge { route all -> vault { retry off } }
        external vault {
          hosts vault.com
          port http 80
          resolve dns
          names "NAME"
          tls simple { ca file "<ca.pem>"; sni ASKED }
        }
        bindings { address vault endpoints [<vault>] }"#;
        all.replace("NAME", name).replace("ASKED", asked)
    };
    let (status, seen) = ask(&stage.start(&source("vault.com", "vault.com")));
    assert_eq!((status, seen.unwrap().server_name.as_deref()), (200, Some("vault.com")));
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source("vault.com", "b.com"), "names ");
    }
    let (status, seen) = ask(&stage.start(&source("vault.com", "b.com")));
    assert_eq!((status, seen.unwrap().server_name.as_deref()), (200, Some("vault.com")));
    assert_eq!(ask(&stage.start(&source("vault.com", "other.com"))), (stage.plane.unavailable(), None));
    assert_eq!(echo.requests(), 2);
}

fn the_authority_of_the_destinations_certificate_is_checked(stage: &mut Stage) {
    stage.other_authority("strangers");
    let server = stage.certificate("server", &["vault.com"]);
    let echo = stage.private("vault", Speaks::Http, &server);
    for ca in [r#"ca file "<strangers.pem>""#, ""] {
        let running = stage.start(&one_destination(&format!("simple {{ {ca}; sni vault.com }}")));
        assert_eq!(ask(&running), (stage.plane.unavailable(), None), "{ca}");
    }
    assert_eq!(echo.requests(), 0);
    let running = stage.start(&one_destination(r#"simple { ca file "<ca.pem>"; sni vault.com }"#));
    assert_eq!(ask(&running).0, 200);
}

fn the_name_that_is_asked_for_is_that_of_the_request_by_default(stage: &mut Stage) {
    let server = stage.certificate("server", &["a.com"]);
    let _echo = stage.private("vault", Speaks::Http, &server);
    let running = stage.start(&one_destination(r#"simple { ca file "<ca.pem>" }"#));
    let (status, seen) = ask(&running);
    assert_eq!(status, 200);
    assert_eq!(seen.unwrap().server_name.as_deref(), Some("a.com"));
    // It is checked as well.
    let other = stage.certificate("other", &["b.com"]);
    let echo = stage.private("other-vault", Speaks::Http, &other);
    let source = one_destination(r#"simple { ca file "<ca.pem>" }"#).replace("<vault>", "<other-vault>");
    assert_eq!(ask(&stage.start(&source)), (stage.plane.unavailable(), None));
    assert_eq!(echo.requests(), 0);
}

fn connections_ask_for_the_name_of_their_destination(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.prod.svc.cluster.local"]);
    let other = stage.certificate("other", &["vault.other.svc.cluster.local"]);
    let _right = stage.private("right", Speaks::Greeting, &server);
    let _wrong = stage.private("wrong", Speaks::Greeting, &other);
    let source = r#"namespace prod
    gateway edge { workload any; listen tcp <port> { hosts * } }
    host * via edge { tcp route all -> vault }
    service vault {
      port tcp 443
      tls simple { ca file "<ca.pem>" }
    }
    bindings { address vault endpoints [<vault>] }"#;
    let running = stage.start(&source.replace("<vault>", "<right>"));
    let seen: Seen = serde_json::from_slice(&running.connect().read_line().unwrap()).unwrap();
    assert_eq!((seen.tls, seen.server_name.as_deref()), (true, Some("vault.prod.svc.cluster.local")));
    let running = stage.start(&source.replace("<vault>", "<wrong>"));
    // nginx looks at the certificate when the handshake is over, so the other side may have greeted; nobody hears it.
    assert!(running.connect().read_line().is_err());
}

fn one_of_several_names_is_enough(stage: &mut Stage) {
    let server = stage.certificate("server", &["spiffe://mesh/ns/prod/sa/vault"]);
    let echo = stage.private("vault", Speaks::Http, &server);
    let source = one_destination(
        r#"simple { ca file "<ca.pem>"; names "vault.com", "spiffe://mesh/ns/prod/sa/vault" }"#,
    );
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source, "names ");
    }
    assert_eq!(ask(&stage.start(&source)).0, 200);
    let wrong = stage.start(&source.replace("sa/vault", "sa/other"));
    assert_eq!(ask(&wrong), (stage.plane.unavailable(), None));
    assert_eq!(echo.requests(), 1);
}

fn mutual_shows_the_certificate_of_the_proxy(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    stage.certificate("proxy", &["proxy.com"]);
    let _echo = stage.private("vault", Speaks::Http, &server);
    let files = r#"cert file "<proxy.pem>"; key file "<proxy.key>"; ca file "<ca.pem>""#;
    let running = stage.start(&one_destination(&format!("mutual {{ {files}; sni vault.com }}")));
    assert_eq!(ask(&running).1.unwrap().client.as_deref(), Some("proxy"));
    // The same by the name of a secret.
    let source = one_destination("mutual { credential proxy-tls; sni vault.com }")
        .replace("bindings {", &format!("bindings {{ secret proxy-tls {{ {files} }};"));
    assert_eq!(ask(&stage.start(&source)).1.unwrap().client.as_deref(), Some("proxy"));
    // Who should not show one does not.
    let running = stage.start(&one_destination(r#"simple { ca file "<ca.pem>"; sni vault.com }"#));
    assert_eq!(ask(&running).1.unwrap().client, None);
}

fn what_is_not_verified_is_taken_unseen(stage: &mut Stage) {
    let server = stage.certificate("server", &["other.com"]);
    let _echo = stage.private("vault", Speaks::Http, &server);
    let running = stage.start(&one_destination("simple { skip-verify on }"));
    let (status, seen) = ask(&running);
    assert_eq!((status, seen.unwrap().tls), (200, true));
}

fn no_connection_is_shared_by_two_identities(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    for name in ["one", "two"] {
        stage.certificate(name, &["proxy.com"]);
    }
    let echo = stage.private("vault", Speaks::Http, &server);
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts a.com } }
        host a.com via edge {
          route one when path is "/one" -> vault@one
          route two when path is "/two" -> vault@two
          route none -> vault@none
        }
        service vault {
          port https 443
          subset one {
            labels id=one
            tls mutual { cert file "<one.pem>"; key file "<one.key>"; ca file "<ca.pem>"; sni vault.com }
          }
          subset two {
            labels id=two
            tls mutual { cert file "<two.pem>"; key file "<two.key>"; ca file "<ca.pem>"; sni vault.com }
          }
          subset none {
            labels id=none
            tls simple { ca file "<ca.pem>"; sni vault.com }
          }
        }
        bindings {
          address vault@one endpoints [<vault>]
          address vault@two endpoints [<vault>]
          address vault@none endpoints [<vault>]
        }"#,
    );
    let cases = [("/one", Some("one")), ("/two", Some("two")), ("/none", None)];
    let mut callers: Vec<Connection> = (0..4).map(|_| running.connect()).collect();
    for round in 0..100 {
        let caller = round % callers.len();
        // Every order of the three, on callers that keep their connections.
        let (path, identity) = cases[(round + round / 4 + round / 12) % 3];
        let answer = callers[caller].exchange(&Request::get("a.com", path)).unwrap();
        assert_eq!(seen(&answer).client.as_deref(), identity, "{path}, request {round}");
    }
    let all = echo.take_seen();
    assert_eq!(all.len(), 100);
    for left in &all {
        let other = all.iter().find(|one| one.connection == left.connection && one.client != left.client);
        assert!(other.is_none(), "connection {} was used for {left:?} and {other:?}", left.connection);
    }
    // Connections were kept, else nothing is shown.
    assert!(echo.connections() < 50, "{}", echo.connections());
}

fn plaintext_and_tls_to_one_endpoint_stay_apart(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    let echo = stage.either("vault", &server);
    let running = stage.start(
        r#"gateway edge { workload any; listen http <port> { hosts a.com } }
        host a.com via edge {
          route private when path is "/private" -> vault@private
          route plain -> vault@plain
        }
        service vault {
          port http 80
          subset private { labels id=private; tls simple { ca file "<ca.pem>"; sni vault.com } }
          subset plain { labels id=plain }
        }
        bindings { address vault@private endpoints [<vault>]; address vault@plain endpoints [<vault>] }"#,
    );
    let mut caller = Connection::open(running.port, None, LIMIT).unwrap();
    for round in 0..40 {
        let (path, tls) = [("/private", true), ("/plain", false)][(round + round / 3) % 2];
        let answer = caller.exchange(&Request::get("a.com", path)).unwrap();
        assert_eq!(seen(&answer).tls, tls, "{path}, request {round}");
    }
    assert!(echo.connections() < 20, "{}", echo.connections());
}

/// The server would take HTTP/2 if it were offered.
fn the_protocol_of_the_caller_is_kept_in_tls(stage: &mut Stage) {
    let server = stage.certificate("server", &["vault.com"]);
    let _echo = stage.private("vault", Speaks::Http, &server);
    let source = one_destination(r#"simple { ca file "<ca.pem>"; sni vault.com }"#);
    let running = stage.start(&source.replace("tls simple", "pool { client-protocol on }; tls simple"));
    let (status, seen) = ask(&running);
    assert_eq!((status, seen.map(|seen| seen.protocol)), (200, Some("HTTP/1.1".to_owned())));
}

/// The destination takes no connection. What connects to it gives up after the destination's `connect-timeout`, and the caller is
/// hung up on.
fn connections_in_tls_have_the_time_limits_of_their_destination(stage: &mut Stage) {
    let dropping = Dropping::start();
    stage.name_address("vault", dropping.port());
    let source = r#"gateway edge { workload any; listen tcp <port> { hosts * } }
        host * via edge { tcp route all -> vault }
        service vault {
          port tcp 5432
          tls simple { ca file "<ca.pem>"; sni vault.com }
          pool { tcp-idle 0s; connect-timeout 300ms; keepalive time 10s }
        }
        bindings { address vault endpoints [<vault>] }"#;
    let running = stage.start(source);
    let mut caller = TcpStream::connect(("127.0.0.1", running.port)).unwrap();
    caller.set_read_timeout(Some(LIMIT)).unwrap();
    let start = Instant::now();
    // Closed or reset: either way it is over.
    let end = caller.read(&mut [0]);
    assert!(matches!(&end, Ok(0)) || end.as_ref().is_err_and(is_reset), "{end:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    if stage.plane == Plane::Nginx {
        let text: String = running.files().into_values().collect();
        let hop = text.split("server {").find(|server| server.contains("proxy_ssl on")).unwrap();
        for line in ["proxy_timeout 31536000s;", "proxy_connect_timeout 300ms;", "proxy_socket_keepalive on;"]
        {
            assert!(hop.contains(line), "{line}\n{hop}");
        }
    }
}

fn is_reset(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionReset
}
