//! TLS termination.

use super::stage::{LIMIT, Plane, Running, Stage, seen};
use meshc_cli::rig::{Connection, Identity, Request, Seen, Tls};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

on_every_plane! {
    a_name_gets_its_certificate_and_its_routes
    versions_out_of_range_are_refused
    without_a_range_tls_1_2_is_the_oldest
    mutual_wants_a_certificate_of_the_right_authority
    mutual_unverified_still_wants_a_certificate
    optional_mutual_takes_callers_without_a_certificate
    destinations_are_told_whose_certificate_a_client_has
    callers_are_known_by_name
    a_host_behind_mutual_tls_in_the_tls_of_a_wider_name
    revoked_callers_are_refused
    what_one_server_wants_to_see_cannot_be_shown_to_another
    connections_in_mutual_tls_are_passed_on
}

fn named<'i>(server_name: &'i str, identity: Option<&'i Identity>) -> Tls<'i> {
    Tls { server_name: Some(server_name), identity, protocols: &["http/1.1"] }
}

fn a_name_gets_its_certificate_and_its_routes(stage: &mut Stage) {
    let (of_a, of_b) = (stage.certificate("of-a", &["a.com"]), stage.certificate("of-b", &["*.b.com"]));
    let (_a, b) = (stage.echo("a"), stage.echo("b"));
    let running = stage.start(
        r#"gateway edge {
          workload any
          listen https <port> { hosts a.com; tls simple { cert file "<of-a.pem>"; key file "<of-a.key>" } }
          listen https <port> { hosts *.b.com; port-name other; tls simple { cert file "<of-b.pem>"; key file "<of-b.key>" } }
        }
        host a.com via edge { route all -> a }
        host *.b.com via edge { route all -> b }
        service a { port http 80 }
        service b { port http 80 }
        bindings { address a endpoints [<a>]; address b endpoints [<b>] }"#,
    );
    for (name, identity, upstream) in [("a.com", &of_a, "a"), ("x.b.com", &of_b, "b")] {
        let mut connection = Connection::open(running.port, Some(&named(name, None)), LIMIT).unwrap();
        let shown = connection.server_certificate().unwrap();
        assert_eq!(stage.authority.name_of(shown), identity.name);
        assert_eq!(seen(&connection.exchange(&Request::get(name, "/")).unwrap()).upstream, upstream);
    }
    for unknown in ["b.com", "c.com"] {
        assert!(
            running.ask_privately(&named(unknown, None), &Request::get("a.com", "/")).is_err(),
            "{unknown}"
        );
    }
    let nameless = Tls { protocols: &["http/1.1"], ..Tls::default() };
    assert!(running.ask_privately(&nameless, &Request::get("a.com", "/")).is_err());
    // Plaintext is not served on a port of TLS.
    let answer = Connection::open(running.port, None, LIMIT).unwrap().exchange(&Request::get("a.com", "/"));
    assert!(answer.is_err() || answer.unwrap().status == 400);
    // Who has shaken hands for one name does not get at the routes of another.
    let before = b.requests();
    let crossed = running.ask_privately(&named("a.com", None), &Request::get("x.b.com", "/")).unwrap();
    assert!(matches!(crossed.status, 404 | 421), "{}", crossed.status);
    assert_eq!(b.requests(), before);
}

/// The version that a handshake for a name ends with. The certificate is verified.
pub(super) fn shake_hands(
    (port, name): (u16, &'static str),
    authority: &Path,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<ProtocolVersion> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(connection.protocol_version().unwrap())
}

/// A gateway for `a.com` on whose TLS something is said, and one upstream.
fn one_server(tls: &str) -> String {
    let all = r#"gateway edge {
      workload any
      listen https <port> { hosts a.com; tls TLS }
    }
    host a.com via edge { route all -> a }
    service a { port http 80 }
    bindings { address a endpoints [<a>] }"#;
    all.replace("TLS", tls)
}

fn versions_out_of_range_are_refused(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let _a = stage.echo("a");
    let ca = stage.authority.ca.clone();
    let new = stage.start(&one_server(
        r#"simple { cert file "<server.pem>"; key file "<server.key>"; min-version 1.3 }"#,
    ));
    assert_eq!(shake_hands((new.port, "a.com"), &ca, &[&TLS13]).unwrap(), ProtocolVersion::TLSv1_3);
    assert!(shake_hands((new.port, "a.com"), &ca, &[&TLS12]).is_err());
    let old = stage.start(&one_server(
        r#"simple { cert file "<server.pem>"; key file "<server.key>"; max-version 1.2 }"#,
    ));
    assert_eq!(shake_hands((old.port, "a.com"), &ca, &[&TLS12, &TLS13]).unwrap(), ProtocolVersion::TLSv1_2);
    assert!(shake_hands((old.port, "a.com"), &ca, &[&TLS13]).is_err());
}

fn without_a_range_tls_1_2_is_the_oldest(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let _a = stage.echo("a");
    let ca = stage.authority.ca.clone();
    let running = stage.start(&one_server(r#"simple { cert file "<server.pem>"; key file "<server.key>" }"#));
    assert_eq!(shake_hands((running.port, "a.com"), &ca, &[&TLS12]).unwrap(), ProtocolVersion::TLSv1_2);
    assert_eq!(shake_hands((running.port, "a.com"), &ca, &[&TLS13]).unwrap(), ProtocolVersion::TLSv1_3);
    assert!(offers_tls_1_1_only(running.port).is_err());
}

/// A greeting of TLS 1.1, which no library here speaks any more: an answer that goes on with the handshake, or an error.
fn offers_tls_1_1_only(port: u16) -> io::Result<()> {
    let name = b"\x00\x00\x00\x0a\x00\x08\x00\x00\x05a.com";
    let groups = b"\x00\x0a\x00\x04\x00\x02\x00\x17\x00\x0b\x00\x02\x01\x00";
    let extensions = [name.as_slice(), groups].concat();
    // ECDHE-ECDSA-AES128-SHA, no compression.
    let mut hello = [&[3, 2][..], &[7; 32], &[0, 0, 2, 0xc0, 0x09, 1, 0]].concat();
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend(length.to_be_bytes());
    record.extend(hello);
    let mut connection = Connection::open(port, None, LIMIT)?;
    connection.send(&record)?;
    match connection.read(1)?.first() {
        Some(22) => Ok(()),
        _ => Err(io::ErrorKind::ConnectionRefused.into()),
    }
}

/// Whether a caller gets through; what nginx thinks of certificates it says after the handshake.
fn is_let_in(stage: &Stage, running: &Running, identity: Option<&Identity>) -> bool {
    match running.ask_privately(&named("a.com", identity), &Request::get("a.com", "/")) {
        Ok(answer) if answer.status == 400 && stage.plane == Plane::Nginx => false,
        Ok(answer) => {
            assert_eq!(answer.status, 200);
            true
        }
        Err(_) => false,
    }
}

fn mutual_wants_a_certificate_of_the_right_authority(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let caller = stage.certificate("caller", &["caller.com"]);
    let stranger = stage.other_authority("strangers").issue("stranger", &["caller.com".to_owned()]).unwrap();
    let a = stage.echo("a");
    let running = stage.start(&one_server(
        r#"mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" }"#,
    ));
    assert!(!is_let_in(stage, &running, None));
    assert!(!is_let_in(stage, &running, Some(&stranger)));
    assert_eq!(a.requests(), 0);
    assert!(is_let_in(stage, &running, Some(&caller)));
}

fn mutual_unverified_still_wants_a_certificate(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let stranger = stage.other_authority("strangers").issue("stranger", &["caller.com".to_owned()]).unwrap();
    let a = stage.echo("a");
    let running = stage.start(&one_server(
        r#"mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>"; skip-verify on }"#,
    ));
    assert!(!is_let_in(stage, &running, None));
    assert_eq!(a.requests(), 0);
    assert!(is_let_in(stage, &running, Some(&stranger)));
}

fn optional_mutual_takes_callers_without_a_certificate(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let caller = stage.certificate("caller", &["caller.com"]);
    let stranger = stage.other_authority("strangers").issue("stranger", &["caller.com".to_owned()]).unwrap();
    let a = stage.echo("a");
    let running = stage.start(&one_server(
        r#"optional-mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" }"#,
    ));
    assert!(!is_let_in(stage, &running, Some(&stranger)));
    assert_eq!(a.requests(), 0);
    assert!(is_let_in(stage, &running, None));
    assert!(is_let_in(stage, &running, Some(&caller)));
}

fn destinations_are_told_whose_certificate_a_client_has(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let caller = stage.certificate("caller", &["caller.com", "spiffe://mesh/ns/prod/sa/caller"]);
    let _a = stage.echo("a");
    // A route that changes other headers says the same.
    for operations in ["", "request-headers { set x-a \"1\" }"] {
        let source = one_server(
            r#"optional-mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" }"#,
        );
        let running = stage.start(&source.replace("all -> a", &format!("all -> a {{ {operations} }}")));
        let told = |identity| {
            let forging = Request::get("a.com", "/").with("x-forwarded-client-cert", "Subject=\"CN=forged\"");
            let answer = running.ask_privately(&named("a.com", identity), &forging).unwrap();
            seen(&answer).header("x-forwarded-client-cert").map(str::to_owned)
        };
        let text = told(Some(&caller)).unwrap();
        assert!(text.contains("Cert=\"-----BEGIN%20CERTIFICATE-----%0A"), "{text}");
        assert!(text.contains("Subject=\"") && text.contains("CN=caller"), "{text}");
        assert!(!text.contains("forged"), "{text}");
        match stage.plane {
            Plane::Envoy => {
                for part in ["Hash=", "URI=spiffe://mesh/ns/prod/sa/caller", "DNS=caller.com"] {
                    assert!(text.contains(part), "{part}: {text}");
                }
            }
            Plane::Nginx => stage.assert_caveat(&source, "optional-mutual"),
        }
        // Who has none is nobody.
        assert_eq!(told(None), None);
    }
}

fn callers_are_known_by_name(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let right = stage.certificate("right", &["other.com", "spiffe://mesh/ns/prod/sa/caller"]);
    let wrong = stage.certificate("wrong", &["spiffe://mesh/ns/prod/sa/stranger"]);
    let a = stage.echo("a");
    let source = one_server(
        r#"mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>"
           names "spiffe://mesh/ns/prod/sa/caller" }"#,
    );
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source, "names ");
    }
    let running = stage.start(&source);
    assert!(!is_let_in(stage, &running, None));
    assert!(!is_let_in(stage, &running, Some(&wrong)));
    assert_eq!(a.requests(), 0);
    assert!(is_let_in(stage, &running, Some(&right)));
}

fn revoked_callers_are_refused(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let (good, gone) = (stage.certificate("good", &["good.com"]), stage.certificate("gone", &["gone.com"]));
    stage.revoke("gone", &gone);
    let a = stage.echo("a");
    let running = stage.start(&one_server(
        r#"mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>"; crl file "<gone.crl>" }"#,
    ));
    assert!(!is_let_in(stage, &running, Some(&gone)));
    assert_eq!(a.requests(), 0);
    assert!(is_let_in(stage, &running, Some(&good)));
}

/// A host behind mutual TLS is behind a wider name without as well. Envoy chooses routes by the host of a request alone, of which
/// `check` warns; nginx looks at both, also where the listeners speak other versions.
fn a_host_behind_mutual_tls_in_the_tls_of_a_wider_name(stage: &mut Stage) {
    stage.certificate("server", &["*.a.com"]);
    let (x, _y) = (stage.echo("x"), stage.echo("y"));
    for versions in ["", "; min-version 1.3"] {
        let running = stage.start(
            &r#"gateway edge {
              workload any
              listen https <port> { hosts *.a.com; tls simple { cert file "<server.pem>"; key file "<server.key>" } }
              listen https <port> {
                hosts x.a.com; port-name other
                tls mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" VERSIONS }
              }
            }
            host x.a.com via edge { route all -> x }
            host *.a.com via edge { route all -> y }
            service x { port http 80 }
            service y { port http 81 }
            bindings { address x endpoints [<x>]; address y endpoints [<y>] }"#
                .replace("VERSIONS", versions),
        );
        let asked = named("y.a.com", None);
        assert_eq!(running.ask_privately(&asked, &Request::get("y.a.com", "/")).unwrap().status, 200);
        let crossed = running.ask_privately(&asked, &Request::get("x.a.com", "/")).unwrap().status;
        let expected = if stage.plane == Plane::Nginx { 421 } else { 200 };
        assert_eq!(crossed, expected, "{versions}");
    }
    assert_eq!(x.requests(), if stage.plane == Plane::Nginx { 0 } else { 2 });
}

/// Two servers of one port, each with an authority of its own for callers.
const TWO_AUTHORITIES: &str = r#"gateway edge {
      workload any
      listen https <port> {
        hosts a.com
        tls mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<strangers.pem>" }
      }
      listen https <port> {
        hosts b.com; port-name other
        tls mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" }
      }
    }
    host a.com via edge { route all -> a }
    host b.com via edge { route all -> b }
    service a { port http 80 }
    service b { port http 81 }
    bindings { address a endpoints [<a>]; address b endpoints [<b>] }"#;

/// Remembers sessions without their names: what was agreed on with one server is offered to every other.
#[derive(Debug, Default)]
struct AnyName(Mutex<Vec<Tls13ClientSessionValue>>, Mutex<Option<Tls12ClientSessionValue>>);

impl ClientSessionStore for AnyName {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        *self.1.lock().unwrap() = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.1.lock().unwrap().clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.lock().unwrap().push(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.lock().unwrap().pop()
    }
}

/// The status of an answer to a request for a host in TLS for a name; 0 if there is none.
fn status_of(config: &Arc<ClientConfig>, port: u16, name: &'static str, host: &str) -> u16 {
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from(name).unwrap()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    // Whatever goes wrong, what counts is what was answered.
    _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    let words = String::from_utf8_lossy(&answer);
    words.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn what_one_server_wants_to_see_cannot_be_shown_to_another(stage: &mut Stage) {
    stage.certificate("server", &["a.com", "b.com"]);
    let caller = stage.certificate("caller", &["caller.com"]);
    stage.other_authority("strangers");
    let (a, _b) = (stage.echo("a"), stage.echo("b"));
    let running = stage.start(TWO_AUTHORITIES);
    for version in [&TLS12, &TLS13] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&stage.authority.ca).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let chain = vec![CertificateDer::from_pem_file(&caller.cert).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&caller.key).unwrap();
        let mut config = config.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();
        config.resumption = Resumption::store(Arc::new(AnyName::default()));
        let config = Arc::new(config);
        assert_eq!(status_of(&config, running.port, "b.com", "b.com"), 200, "{version:?}");
        // By the host of the request, in the TLS of the other one.
        assert!(matches!(status_of(&config, running.port, "b.com", "a.com"), 404 | 421), "{version:?}");
        // By a session with the other one.
        for _ in 0..3 {
            assert_eq!(status_of(&config, running.port, "b.com", "b.com"), 200, "{version:?}");
            assert_ne!(status_of(&config, running.port, "a.com", "a.com"), 200, "{version:?}");
        }
    }
    assert_eq!(a.requests(), 0);
}

fn connections_in_mutual_tls_are_passed_on(stage: &mut Stage) {
    stage.certificate("server", &["db.com"]);
    let caller = stage.certificate("caller", &["caller.com"]);
    let stranger = stage.other_authority("strangers").issue("stranger", &["caller.com".to_owned()]).unwrap();
    let _db = stage.greeter("db");
    for unseen in ["", "; skip-verify on"] {
        let running = stage.start(
            &r#"gateway edge {
              workload any
              listen tls <port> {
                hosts db.com
                tls mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>" UNSEEN }
              }
            }
            host db.com via edge { tcp route all -> db }
            service db { port tcp 5432 }
            bindings { address db endpoints [<db>] }"#
                .replace("UNSEEN", unseen),
        );
        let greeting = |name: &str, identity: Option<&Identity>| {
            let tls = Tls { server_name: Some(name), identity, protocols: &[] };
            Connection::open(running.port, Some(&tls), LIMIT)
                .and_then(|mut connection| connection.read_line())
        };
        // Envoy may have connected to the destination before it knows; nothing passes.
        assert!(greeting("db.com", None).is_err(), "{unseen}");
        assert_eq!(greeting("db.com", Some(&stranger)).is_err(), unseen.is_empty());
        assert!(greeting("other.com", Some(&caller)).is_err());
        let seen: Seen = serde_json::from_slice(&greeting("db.com", Some(&caller)).unwrap()).unwrap();
        assert_eq!((seen.upstream.as_str(), seen.tls), ("db", false));
    }
}
