//! TLS passthrough, by the name that callers ask for.

use super::stage::{LIMIT, Running, Stage, seen};
use meshc_cli::rig::{Connection, Echo, Identity, Request, Seen, Speaks, Tls};

on_every_plane! {
    bytes_reach_the_tls_of_the_destination
    the_first_route_is_taken_though_a_later_one_is_more_specific
    tls_that_ends_stands_beside_tls_that_passes
    connections_are_split_by_weight
}

/// What an upstream says of a connection for a name, and whose certificate it shows.
fn greeted(stage: &Stage, running: &Running, name: &str) -> Option<(Seen, String)> {
    let tls = Tls { server_name: Some(name), ..Tls::default() };
    let mut connection = Connection::open(running.port, Some(&tls), LIMIT).ok()?;
    let shown = stage.authority.name_of(connection.server_certificate().unwrap());
    let seen = serde_json::from_slice(&connection.read_line().unwrap()).unwrap();
    connection.send(b"ping").unwrap();
    assert_eq!(connection.read(4).unwrap(), b"ping");
    Some((seen, shown))
}

fn private(stage: &mut Stage, names: &[&str]) -> Vec<(Echo, Identity)> {
    let mut one = |name: &&str| {
        let identity = stage.certificate(&format!("of-{name}"), &[&format!("{name}.com")]);
        (stage.private(name, Speaks::Greeting, &identity), identity)
    };
    names.iter().map(&mut one).collect()
}

fn bytes_reach_the_tls_of_the_destination(stage: &mut Stage) {
    let _upstreams = private(stage, &["vault", "eu", "kms"]);
    let running = stage.start(
        "gateway edge {
          workload any
          listen tls <port> { hosts vault.com, *.kms.com; tls passthrough }
        }
        host vault.com via edge { tls route vault when sni vault.com -> vault }
        host *.kms.com via edge {
          tls route eu when sni eu.kms.com -> eu
          tls route elsewhere when sni *.kms.com -> kms
        }
        service vault { port tls 443 }
        service eu { port tls 443 }
        service kms { port tls 443 }
        bindings { address vault endpoints [<vault>]; address eu endpoints [<eu>]; address kms endpoints [<kms>] }",
    );
    for (name, upstream) in
        [("vault.com", "vault"), ("eu.kms.com", "eu"), ("us.kms.com", "kms"), ("a.b.kms.com", "kms")]
    {
        let (seen, shown) = greeted(stage, &running, name).unwrap();
        assert_eq!((seen.upstream.as_str(), seen.server_name.as_deref()), (upstream, Some(name)));
        assert_eq!(shown, format!("of-{upstream}"));
    }
    for unknown in ["kms.com", "x.vault.com", "other.com"] {
        assert!(greeted(stage, &running, unknown).is_none(), "{unknown}");
    }
}

fn the_first_route_is_taken_though_a_later_one_is_more_specific(stage: &mut Stage) {
    let _upstreams = private(stage, &["wide", "narrow"]);
    let running = stage.start(
        "gateway edge {
          workload any
          listen tls <port> { hosts *.kms.com, vault.com; tls passthrough }
        }
        host *.kms.com, vault.com via edge {
          tls route wide when sni *.kms.com -> wide
          tls route narrow when sni in [eu.kms.com, vault.com] -> narrow
        }
        service wide { port tls 443 }
        service narrow { port tls 443 }
        bindings { address wide endpoints [<wide>]; address narrow endpoints [<narrow>] }",
    );
    for (name, upstream) in [("eu.kms.com", "wide"), ("us.kms.com", "wide"), ("vault.com", "narrow")] {
        assert_eq!(greeted(stage, &running, name).unwrap().0.upstream, upstream, "{name}");
    }
}

fn tls_that_ends_stands_beside_tls_that_passes(stage: &mut Stage) {
    let _upstreams = private(stage, &["vault"]);
    let edge = stage.certificate("edge", &["page.com"]);
    let page = stage.echo("page");
    let running = stage.start(
        r#"gateway edge {
          workload any
          listen tls <port> { hosts vault.com; tls passthrough }
          listen https <port> {
            hosts page.com; port-name page
            tls simple { cert file "<edge.pem>"; key file "<edge.key>" }
          }
        }
        host vault.com via edge { tls route vault when sni vault.com -> vault }
        host page.com via edge { route all -> page }
        service vault { port tls 443 }
        service page { port http 80 }
        bindings { address vault endpoints [<vault>]; address page endpoints [<page>] }"#,
    );
    let (seen_by_vault, shown) = greeted(stage, &running, "vault.com").unwrap();
    assert_eq!((seen_by_vault.upstream.as_str(), shown.as_str()), ("vault", "of-vault"));
    let tls = Tls { server_name: Some("page.com"), protocols: &["http/1.1"], ..Tls::default() };
    let mut connection = Connection::open(running.port, Some(&tls), LIMIT).unwrap();
    assert_eq!(stage.authority.name_of(connection.server_certificate().unwrap()), edge.name);
    let answer = seen(&connection.exchange(&Request::get("page.com", "/x")).unwrap());
    assert_eq!((answer.upstream.as_str(), answer.tls), ("page", false));
    let before = page.requests();
    assert!(
        running
            .ask_privately(&Tls { server_name: Some("other.com"), ..tls }, &Request::get("page.com", "/"))
            .is_err()
    );
    assert_eq!(page.requests(), before);
}

fn connections_are_split_by_weight(stage: &mut Stage) {
    let _upstreams = (stage.greeter("many"), stage.greeter("few"));
    let running = stage.start(
        "gateway edge { workload any; listen tcp <port> { hosts * } }
        host * via edge { tcp route all -> 80% many, rest few }
        service many { port tcp 443 }
        service few { port tcp 444 }
        bindings { address many endpoints [<many>]; address few endpoints [<few>] }",
    );
    let count = 400;
    let to_few = |_: &usize| {
        let seen: Seen = serde_json::from_slice(&running.connect().read_line().unwrap()).unwrap();
        assert!(["many", "few"].contains(&seen.upstream.as_str()));
        seen.upstream == "few"
    };
    let share = (0..count).filter(to_few).count();
    // Six standard deviations around 80: a fair split falls out once in 500 million times.
    assert!((32..=128).contains(&share), "{share} of {count}");
}
