//! The one form of a path, byte by byte. The right column was measured with Envoy 1.40 but where it says so.

use super::{compiled, proxy};
use crate::routing::matcher::{Answer, Entrance, Fault, Matcher, Outcome, Request, Security, Source};
use crate::routing::proxies;

/// What the destination sees of a target.
fn normalised(targets: &[&str]) -> Vec<Result<String, Fault>> {
    let checked = compiled("host any.example.com { route all -> shop }\nservice shop { port http 80 }\n");
    let all = proxies(checked.model(), &[]);
    let matcher = Matcher::new(proxy(&all, "outbound"));
    let answer = |target: &&str| {
        let request = Request {
            entrance: Entrance { port: 80, address: None, security: Security::Plain },
            method: "GET".to_owned(),
            authority: "any.example.com".to_owned(),
            target: (*target).to_owned(),
            headers: Vec::new(),
            source: Source::default(),
        };
        let outcome = matcher.answer(&request);
        if let Outcome::Rejected(fault) = outcome {
            return Err(fault);
        }
        match outcome.taken().map(|taken| &taken.answer) {
            Some(Answer::Forwarded { target, .. }) => Ok(target.clone()),
            Some(Answer::Redirected { .. } | Answer::Responded { .. }) | None => panic!("{outcome:?}"),
        }
    };
    targets.iter().map(answer).collect()
}

#[test]
fn dot_segments_are_resolved_and_slashes_merged() {
    let rows = [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/../a", "/a"),
        ("/.a", "/.a"),
        ("/a.", "/a."),
        ("/a/...", "/a/..."),
        // Envoy leaves two slashes where nothing else is left.
        ("//", "/"),
        ("/a/..//", "/"),
        ("///a//b//", "/a/b/"),
        // An empty segment is one that `..` takes away (nginx merges first, and takes `a` away).
        ("/a//../b", "/a/b"),
        ("/a/.//b", "/a/b"),
        ("/a/b/../../..//c", "/c"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/a/%2E/b", "/a/b"),
        // As servers for Java read them.
        ("/a/..;x=1/b", "/b"),
        ("/a/.;/b", "/a/b"),
        ("/a/..;", "/"),
        ("/a/...;/b", "/a/...;/b"),
        ("/a;/../b", "/b"),
        ("/a;x/b", "/a;x/b"),
        ("/a/%2e%2e;/b", "/a/..;/b"),
    ];
    let (targets, wanted): (Vec<&str>, Vec<&str>) = rows.into_iter().unzip();
    let wanted: Vec<_> = wanted.into_iter().map(|path| Ok(path.to_owned())).collect();
    assert_eq!(normalised(&targets), wanted);
}

#[test]
fn only_what_needs_it_is_percent_encoded() {
    let rows = [
        ("/%41%7e%2D%5f", "/A~-_"),
        ("/a%20b%3f%3F", "/a%20b%3f%3F"),
        ("/%c3%a9", "/%c3%a9"),
        ("/%25%2525", "/%25%2525"),
        ("/%zz%", "/%zz%"),
        ("/%2", "/%2"),
        ("/%2%41/%%34%31", "/%252A/%2541"),
        ("/%%41/%%%41%41", "/%A/%%25AA"),
        ("/a\"<>^`{|}", "/a%22%3C%3E%5E%60%7B%7C%7D"),
        ("/a'b!$&()*+,;=:@[]", "/a'b!$&()*+,;=:@[]"),
        ("/%01%7f", "/%01%7f"),
    ];
    let (targets, wanted): (Vec<&str>, Vec<&str>) = rows.into_iter().unzip();
    let wanted: Vec<_> = wanted.into_iter().map(|path| Ok(path.to_owned())).collect();
    assert_eq!(normalised(&targets), wanted);
}

#[test]
fn the_query_stays_as_it_was_written() {
    let rows = ["/?", "/a?x=//../%2f\\%00", "/a?b?c", "/a?%41"];
    let wanted: Vec<_> = rows.iter().map(|target| Ok((*target).to_owned())).collect();
    assert_eq!(normalised(&rows), wanted);
}

#[test]
fn what_proxies_read_differently_is_rejected() {
    let rows = [
        ("/a%2fb", Fault::EscapedSlash),
        ("/a%2F", Fault::EscapedSlash),
        ("/a%5cb", Fault::EscapedSlash),
        // Envoy takes it for a slash.
        ("/a\\b", Fault::EscapedSlash),
        ("/a%00b", Fault::EscapedNull),
        ("/a b", Fault::Character),
        ("/a\tb", Fault::Character),
        ("/a\x7f", Fault::Character),
        ("/caf\u{e9}", Fault::Character),
        ("/a#b", Fault::Character),
        ("/a?b#c", Fault::Character),
        ("*", Fault::NotOriginForm),
        ("", Fault::NotOriginForm),
        ("a", Fault::NotOriginForm),
    ];
    let (targets, wanted): (Vec<&str>, Vec<Fault>) = rows.into_iter().unzip();
    assert_eq!(normalised(&targets), wanted.into_iter().map(Err).collect::<Vec<_>>());
}
