//! TLS that ends at a listener.

use super::stage::{LIMIT, Plane, Running, Stage, seen};
use meshc_cli::rig::{Connection, Identity, Request, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

on_every_plane! {
    a_name_gets_its_certificate_and_its_routes
    versions_out_of_range_are_refused
    without_a_range_tls_1_2_is_the_oldest
    mutual_wants_a_certificate_of_the_right_authority
    optional_mutual_takes_callers_without_a_certificate
    callers_are_known_by_name
    revoked_callers_are_refused
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

/// The version that a handshake for `a.com` ends with. The certificate is verified.
fn shake_hands(
    running: &Running,
    authority: &Path,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<ProtocolVersion> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("a.com").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", running.port))?;
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
    assert_eq!(shake_hands(&new, &ca, &[&TLS13]).unwrap(), ProtocolVersion::TLSv1_3);
    assert!(shake_hands(&new, &ca, &[&TLS12]).is_err());
    let old = stage.start(&one_server(
        r#"simple { cert file "<server.pem>"; key file "<server.key>"; max-version 1.2 }"#,
    ));
    assert_eq!(shake_hands(&old, &ca, &[&TLS12, &TLS13]).unwrap(), ProtocolVersion::TLSv1_2);
    assert!(shake_hands(&old, &ca, &[&TLS13]).is_err());
}

fn without_a_range_tls_1_2_is_the_oldest(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let _a = stage.echo("a");
    let ca = stage.authority.ca.clone();
    let running = stage.start(&one_server(r#"simple { cert file "<server.pem>"; key file "<server.key>" }"#));
    assert_eq!(shake_hands(&running, &ca, &[&TLS12]).unwrap(), ProtocolVersion::TLSv1_2);
    assert_eq!(shake_hands(&running, &ca, &[&TLS13]).unwrap(), ProtocolVersion::TLSv1_3);
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

fn callers_are_known_by_name(stage: &mut Stage) {
    stage.certificate("server", &["a.com"]);
    let right = stage.certificate("right", &["other.com", "spiffe://mesh/ns/prod/sa/caller"]);
    let wrong = stage.certificate("wrong", &["spiffe://mesh/ns/prod/sa/stranger"]);
    let a = stage.echo("a");
    let source = one_server(
        r#"mutual { cert file "<server.pem>"; key file "<server.key>"; ca file "<ca.pem>"
           names ["spiffe://mesh/ns/prod/sa/caller"] }"#,
    );
    if stage.plane == Plane::Nginx {
        return stage.assert_refused(&source, "names [");
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
