//! Which endpoint gets a request.

use super::stage::{LIMIT, Running, Stage, seen};
use meshc_cli::rig::{Connection, Echo, Request, Seen};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::Ipv4Addr;

on_every_plane! {
    one_header_value_always_meets_the_same_endpoint
    a_caller_is_given_a_cookie_and_comes_back_with_it
    one_caller_address_always_meets_the_same_endpoint
    endpoints_take_turns
    endpoints_have_weights
}

fn three_endpoints(stage: &mut Stage, calling: &str) -> ([Echo; 3], Running) {
    let echoes = ["one", "two", "three"].map(|name| stage.echo(name));
    let all = "gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge { route all -> a }
    service a { port http 80; lb LB }
    bindings { address a endpoints [<one>, <two>, <three>] }";
    let running = stage.start(&all.replace("LB", calling));
    (echoes, running)
}

fn one_header_value_always_meets_the_same_endpoint(stage: &mut Stage) {
    let (_echoes, running) = three_endpoints(stage, "hash header x-user");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for round in 0..90 {
        let user = format!("user-{}", round % 30);
        let answer = running.ask(&Request::get("a.com", &format!("/{round}")).with("x-user", &user));
        used.entry(user).or_default().insert(seen(&answer).upstream);
    }
    assert!(used.values().all(|endpoints| endpoints.len() == 1), "{used:?}");
    assert_eq!(used.values().flatten().collect::<BTreeSet<_>>().len(), 3);
}

fn a_caller_is_given_a_cookie_and_comes_back_with_it(stage: &mut Stage) {
    let (_echoes, running) = three_endpoints(stage, r#"hash cookie "visit" ttl 90s path "/shop""#);
    let mut used = BTreeSet::new();
    for _ in 0..15 {
        let answer = running.ask(&Request::get("a.com", "/shop"));
        let first = seen(&answer).upstream;
        let cookie = answer.header("set-cookie").unwrap();
        let mut parts = cookie.split(';').map(str::trim);
        let value = parts.next().unwrap();
        assert!(value.starts_with("visit="), "{cookie}");
        let rest: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        assert!(
            rest.contains(&"max-age=90".to_owned()) && rest.contains(&"path=/shop".to_owned()),
            "{cookie}"
        );
        for others in ["", "a=1; ", "visitor=2; "] {
            let request = Request::get("a.com", "/").with("Cookie", &format!("{others}{value}"));
            let answer = running.ask(&request);
            assert_eq!(seen(&answer).upstream, first, "{value}");
            assert_eq!(answer.header("set-cookie"), None);
        }
        used.insert(first);
    }
    assert!(used.len() > 1, "{used:?}");
}

/// Who answers a caller at this address of the loopback.
fn asked_from(runtime: &tokio::runtime::Runtime, address: Ipv4Addr, port: u16) -> String {
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap().into_std().unwrap()
    });
    let mut stream = connected;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    let seen: Seen = serde_json::from_str(answer.get(from..=to).unwrap()).unwrap();
    seen.upstream
}

fn one_caller_address_always_meets_the_same_endpoint(stage: &mut Stage) {
    let (_echoes, running) = three_endpoints(stage, "hash source-ip");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut used: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for round in 0..60 {
        let caller = round % 20 + 1;
        let answered = asked_from(&runtime, Ipv4Addr::new(127, 0, 0, caller), running.port);
        used.entry(caller).or_default().insert(answered);
    }
    assert!(used.values().all(|endpoints| endpoints.len() == 1), "{used:?}");
    assert_eq!(used.values().flatten().collect::<BTreeSet<_>>().len(), 3, "{used:?}");
}

fn endpoints_take_turns(stage: &mut Stage) {
    let (echoes, running) = three_endpoints(stage, "round-robin");
    let mut connection: Connection = running.connect();
    for _ in 0..30 {
        assert_eq!(connection.exchange(&Request::get("a.com", "/")).unwrap().status, 200);
    }
    assert_eq!(echoes.each_ref().map(Echo::requests), [10; 3]);
}

fn endpoints_have_weights(stage: &mut Stage) {
    for calling in ["random", "round-robin", "least-request"] {
        let echoes = ["one", "two"].map(|name| stage.echo(&format!("{name}-{calling}")));
        let all = "gateway edge { workload any; listen http <port> { hosts * } }
        host * via edge { route all -> a }
        service a { port http 80; lb LB }
        bindings { address a endpoints [<one-LB>, <two-LB> weight 3] }";
        let running = stage.start(&all.replace("LB", calling));
        let mut connection = running.connect();
        for _ in 0..400 {
            assert_eq!(connection.exchange(&Request::get("a.com", "/")).unwrap().status, 200);
        }
        let counts = echoes.each_ref().map(Echo::requests);
        // Six standard deviations around 300.
        assert!((248..=352).contains(&counts[1]), "{calling}: {counts:?}");
    }
}
