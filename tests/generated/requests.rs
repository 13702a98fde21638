//! Requests for a proxy: witnesses of its rules, near misses, and noise around them.

use super::random::Random;
use meshc_compiler::routing::Proxy;
use meshc_compiler::routing::matcher::Request;
use meshc_compiler::routing::witness::witnesses;

/// `count` requests, the same for the same proxy and seed: two of three show a rule, from everywhere in the plan if there are more of
/// those, and one is changed.
pub(crate) fn requests(proxy: &Proxy, seed: u64, count: usize) -> Vec<Request> {
    let mut random = Random::new(seed);
    let shown: Vec<Request> = witnesses(proxy).requests.into_iter().map(|one| one.request).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let unchanged = count.div_ceil(3) * 2;
    let one = |at: usize| {
        let number = at / 3 * 2 + at % 3;
        let number = if shown.len() > unchanged { number * shown.len() / unchanged } else { number };
        if at % 3 < 2 && number < shown.len() {
            return shown[number].clone();
        }
        let mut request = shown[random.below(shown.len())].clone();
        let other = &shown[random.below(shown.len())];
        for _ in 0..=random.below(3) {
            change(&mut request, other, &mut random);
        }
        request
    };
    (0..count).map(one).collect()
}

/// Changes one thing, into what callers also send.
fn change(request: &mut Request, other: &Request, random: &mut Random) {
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (request.target.clone(), None),
    };
    let with = |path: String, query: Option<String>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    match random.below(9) {
        0 => request.target = with(odd_path(&path, random), query),
        1 => request.target.clone_from(&other.target),
        2 => {
            request.method =
                random.pick(&["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]).to_owned()
        }
        3 => request.authority = odd_host(&request.authority, random),
        4 => request.headers.clone_from(&other.headers),
        5 => {
            let header = random.pick(&[
                ("x-a", "1"),
                ("x-a", "ab"),
                ("X-B", "2"),
                ("x-mixed-case", "a b"),
                ("x-unknown", "x"),
                ("cookie", "a=b; user=jason"),
                ("x_a", "1"),
            ]);
            let stands = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header.0));
            if !stands {
                request.headers.push((header.0.to_owned(), header.1.to_owned()));
            }
        }
        6 => drop(request.headers.pop()),
        7 => {
            let more = random.pick(&["q=1", "q=a", "page=2", "Q=1", "q", "x=%20&q=a+b", "q=2&q=1"]);
            let query = query.map_or(more.to_owned(), |query| format!("{query}&{more}"));
            request.target = with(path, Some(query));
        }
        _ => request.target = with(path, None),
    }
}

/// The same path written otherwise, or one beside it.
fn odd_path(path: &str, random: &mut Random) -> String {
    match random.below(15) {
        0 => path.replacen('/', "//", 1),
        1 => format!("/x/..{path}"),
        // Not behind an empty segment, and not above the root: proxies read those differently.
        2 => format!("{}/z/../y", path.trim_end_matches('/')),
        3 => format!("/.{path}"),
        4 => path.strip_suffix('/').filter(|bare| !bare.is_empty()).map_or(format!("{path}/"), str::to_owned),
        5 => format!("{path}%41"),
        6 => path.to_ascii_uppercase(),
        7 => path.to_ascii_lowercase(),
        8 => format!("{path}%20"),
        9 => format!("{path}/./c"),
        10 => format!("{path};v=1"),
        11 => format!("{path}%2fc"),
        12 => format!("{path}%3B%2B"),
        13 => format!("{}//y|z", path.trim_end_matches('/')),
        _ => path.replacen('a', "%61", 1),
    }
}

fn odd_host(host: &str, random: &mut Random) -> String {
    // One final dot says nothing; two are no host.
    let bare = host.split(':').next().unwrap_or(host).trim_end_matches('.');
    match random.below(5) {
        0 => format!("{bare}:81"),
        1 => bare.to_ascii_uppercase(),
        2 => format!("{bare}."),
        3 => format!("x.{bare}"),
        _ => "nobody.example.net".to_owned(),
    }
}
