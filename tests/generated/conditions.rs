//! Conditions over few words, so that those of one host overlap.

use super::random::Random;

/// What the path of an alternative is compared by: `rewrite prefix` and `redirect prefix` depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByPath {
    Nothing,
    Exact,
    Prefix,
    Under,
    Pattern,
}

/// A condition as it is written, without `when`; empty for none.
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) by_path: Vec<ByPath>,
}

/// Where a condition stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// What every path has to begin with; empty at all but delegates.
    pub(super) below: &'a str,
    /// Ports that the host is served on.
    pub(super) ports: &'a [u16],
    /// A host that is one of the block's.
    pub(super) host: &'a str,
    /// What stands before the names of services: nothing, or another namespace and `/`.
    pub(super) services: &'a str,
}

const PATHS: [&str; 12] = [
    "/a",
    "/a/",
    "/a/b",
    "/a/b/c",
    "/b",
    "/items",
    "/items/",
    "/items/7",
    "/Mixed",
    "/v1/users",
    "/a%20b",
    "/~user",
];
const PREFIXES: [&str; 7] = ["/", "/a", "/a/", "/a/b", "/items/", "/v1", "/Mi"];
const FOLDERS: [&str; 6] = ["/a", "/a/b", "/items", "/v1", "/Mixed", "/b"];
const PATTERNS: [&str; 10] = [
    "/items/[0-9]{1,3}",
    "/[a-c]+/[0-9]+",
    "/a/.*",
    ".*\\.png",
    "/(?i)mixed(/.*)?",
    "/v[0-9]/(users|groups)/[^/]*",
    "/(a|a/b)",
    "/[^/]*",
    "/a/b(/c)?",
    "/(items|it)/[0-9]+|/b",
];
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
const HEADERS: [&str; 4] = ["x-a", "x-b", "x-Mixed-Case", "accept-language"];
const VALUES: [&str; 11] = ["1", "2", "ab", "abc", "A", "a b", "a$b;c", "50%", "{q}'\\\\\\\"x", "", "\u{e9}"];
const VALUE_PATTERNS: [&str; 9] =
    ["[a-z]+", "(1|2)", "a.*", "v[0-9]{2,}(-rc)?", ".*b", "\\w+ \\w+", "a*", "(1|2)?", "(\u{e9})+"];
const PARAMETERS: [&str; 3] = ["q", "page", "Q"];
const PARAMETER_VALUES: [&str; 6] = ["1", "2", "a", "a+b", "%20x", "A"];

/// A condition of one to three alternatives.
pub(super) fn condition(random: &mut Random, place: Place<'_>) -> Condition {
    let alternatives = 1 + usize::from(random.one_in(4)) + usize::from(random.one_in(8));
    let mut parts = Vec::new();
    let mut by_path = Vec::new();
    for _ in 0..alternatives {
        let (text, path) = alternative(random, place);
        parts.push(text);
        by_path.push(path);
    }
    Condition { text: parts.join(" or "), by_path }
}

fn alternative(random: &mut Random, place: Place<'_>) -> (String, ByPath) {
    let mut tests = Vec::new();
    let mut by_path = ByPath::Nothing;
    if !random.one_in(3) || !place.below.is_empty() {
        let (text, kind) = path(random, place.below);
        tests.push(text);
        by_path = kind;
    }
    let wanted = random.below(3) + usize::from(tests.is_empty());
    for side in random.some(&[0, 1, 2, 3, 4, 5, 6, 7, 8], wanted) {
        tests.push(test(random, side, place));
    }
    // Alone it would hold for everything that comes in there.
    if random.one_in(8) {
        tests.push(format!("port {}", random.pick(place.ports)));
    }
    (tests.join(" and "), by_path)
}

fn test(random: &mut Random, side: usize, place: Place<'_>) -> String {
    match side {
        0 if random.one_in(2) => format!("method is {}", random.pick(&METHODS)),
        0 => format!("method in [{}]", random.some(&METHODS, 2).join(", ")),
        // Each side has a header of its own: one header is not compared twice in an alternative.
        1 => header(random, HEADERS[0]),
        2 => header(random, HEADERS[1]),
        3 => header(random, HEADERS[2]),
        4 => header(random, HEADERS[3]),
        5 => query(random, PARAMETERS[0]),
        6 => {
            let name = random.pick(&[PARAMETERS[1], PARAMETERS[2]]);
            query(random, name)
        }
        7 => format!("cookie user is \"{}\"", random.pick(&["jason", "a.b"])),
        _ => authority(random, place.host),
    }
}

fn path(random: &mut Random, below: &str) -> (String, ByPath) {
    let ignoring = if random.one_in(6) && below.is_empty() { " ignoring-case" } else { "" };
    let (text, kind) = match random.below(if below.is_empty() { 6 } else { 4 }) {
        0 => (format!("is \"{below}{}\"", random.pick(&PATHS)), ByPath::Exact),
        1 => {
            let paths = random.some(&PATHS, 2).into_iter().map(|path| format!("\"{below}{path}\""));
            (format!("in [{}]", paths.collect::<Vec<_>>().join(", ")), ByPath::Exact)
        }
        2 => (format!("prefix \"{below}{}\"", random.pick(&PREFIXES)), ByPath::Prefix),
        3 => (format!("under \"{below}{}\"", random.pick(&FOLDERS)), ByPath::Under),
        _ => return (format!("path matches r\"{}\"", random.pick(&PATTERNS)), ByPath::Pattern),
    };
    (format!("path {text}{ignoring}"), kind)
}

fn header(random: &mut Random, name: &str) -> String {
    match random.below(7) {
        0 => format!("header {name} present"),
        1 => format!("header {name} absent"),
        2 if random.one_in(3) => format!("not header {name} matches r\"{}\"", random.pick(&VALUE_PATTERNS)),
        2 => format!("not header {name} is \"{}\"", random.pick(&VALUES)),
        3 => format!("header {name} prefix \"{}\"", random.pick(&["a", "1", "v"])),
        4 => format!("header {name} matches r\"{}\"", random.pick(&VALUE_PATTERNS)),
        5 => format!("header {name} in [\"{}\"]", random.some(&VALUES, 2).join("\", \"")),
        _ => format!("header {name} is \"{}\"", random.pick(&VALUES)),
    }
}

fn query(random: &mut Random, name: &str) -> String {
    match random.below(4) {
        0 => format!("query {name} present"),
        1 => format!("query {name} prefix \"{}\"", random.pick(&["a", "1"])),
        2 => format!("query {name} matches r\"{}\"", random.pick(&["[0-9]+", "[a-z]*", "a.*"])),
        _ => format!("query {name} is \"{}\"", random.pick(&PARAMETER_VALUES)),
    }
}

fn authority(random: &mut Random, host: &str) -> String {
    match random.below(4) {
        0 => format!("authority is \"{host}\""),
        1 => format!("authority is \"{}\"", host.to_ascii_uppercase()),
        2 => format!("authority prefix \"{host}:\""),
        _ => "authority matches r\"[a-z0-9.-]+(:81)?\"".to_owned(),
    }
}
