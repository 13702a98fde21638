//! Routes: a condition, what is done, and what is done on the way.

use super::conditions::{ByPath, Condition, Place, condition};
use super::random::Random;

/// Destinations that routes may name: every service, and subsets of some.
const DESTINATIONS: [&str; 6] = ["one", "two", "three@v1", "three@v2", "three", "four@blue"];
/// Texts that quoting has to carry through.
const BODIES: [&str; 4] = ["fine", "a $b {c}; d", "quote \\\" and \\\\ and %", "# <html>"];
const NEW_PATHS: [&str; 4] = ["/new", "/new/", "/", "/n%20ew"];

/// The routes of a host block, a line or block each; the last one takes what is left, unless `open`.
pub(super) fn routes(random: &mut Random, place: Place<'_>, count: usize, open: bool) -> Vec<Route> {
    let mut all: Vec<Route> = (0..count).map(|at| route(random, place, at)).collect();
    if random.one_in(4) {
        // Nothing else decides about it, and the path without the slash is another's.
        let path = random.pick(&["is", "prefix"]);
        let head = format!("when path {path} \"{}/folder/\" -> {}one", place.below, place.services);
        all.insert(0, Route { keyword: "route", name: "folder".to_owned(), head, options: Vec::new() });
    }
    if !open {
        let options = options(random, &[]);
        all.push(Route {
            keyword: "route",
            name: "rest".to_owned(),
            head: forward(random, place.services),
            options,
        });
    }
    all
}

/// A route as it is written.
pub(super) struct Route {
    /// `route`, `tls route` or `tcp route`.
    pub(super) keyword: &'static str,
    pub(super) name: String,
    /// What stands behind the name, up to the block.
    pub(super) head: String,
    pub(super) options: Vec<String>,
}

impl Route {
    pub(super) fn text(&self) -> String {
        let block = if self.options.is_empty() {
            // Else the block of the last destination could be the route's.
            if self.head.ends_with(" }") { " {}".to_owned() } else { String::new() }
        } else {
            format!(" {{\n    {}\n  }}", self.options.join("\n    "))
        };
        format!("  {} {} {}{block}\n", self.keyword, self.name, self.head)
    }
}

fn route(random: &mut Random, place: Place<'_>, at: usize) -> Route {
    let Condition { text, by_path } = condition(random, place);
    let (action, options) = match random.below(10) {
        0 => (redirect(random, &by_path), response_headers(random)),
        1 => (respond(random), response_headers(random)),
        _ => {
            let mut options = options(random, &by_path);
            options.extend(mirror(random, place.services));
            (forward(random, place.services), options)
        }
    };
    Route { keyword: "route", name: format!("r{at}"), head: format!("when {text} {action}"), options }
}

/// `services` stands before each destination.
fn forward(random: &mut Random, services: &str) -> String {
    match random.below(4) {
        0 => {
            let to = random.some(&DESTINATIONS, 2);
            let share = random.pick(&["1%", "12.5%", "50%", "99.9%"]);
            let [one, other] = of_destinations(random);
            format!("-> {share} {services}{}{one}, rest {services}{}{other}", to[0], to[1])
        }
        1 => {
            let to = random.some(&DESTINATIONS, 3);
            let [one, other] = of_destinations(random);
            format!(
                "-> 20% {services}{}, 30% {services}{}{one}, rest {services}{}{other}",
                to[0], to[1], to[2]
            )
        }
        _ => format!("-> {services}{}", random.pick(&DESTINATIONS)),
    }
}

/// Blocks of two destinations, with operations on the headers that routes change too. An empty one says that the next block is the
/// route's.
fn of_destinations(random: &mut Random) -> [&'static str; 2] {
    const BLOCKS: [&str; 7] = [
        " { request-headers { set x-set \"mine\" } }",
        " { request-headers { remove x-set } }",
        " { request-headers { add x-add \"2\" } }",
        " { request-headers { set x-gone \"back\"; set x-own \"1\" } }",
        " { response-headers { set x-back \"mine\" } }",
        " { response-headers { remove x-back; set x-hidden \"shown\" } }",
        " {}",
    ];
    match random.one_in(2) {
        true => [random.pick(&BLOCKS), random.pick(&BLOCKS)],
        false => [""; 2],
    }
}

/// Options of a route that delegates, which those that it delegates to take over.
pub(super) fn inherited(random: &mut Random) -> Vec<String> {
    let mut all = Vec::new();
    if random.one_in(3) {
        all.push(format!("rewrite prefix \"{}\"", random.pick(&NEW_PATHS)));
    }
    if random.one_in(4) {
        all.push("rewrite host outer.example.org".to_owned());
    }
    if random.one_in(3) {
        let operation = random.pick(&["set x-set \"outer\"", "add x-outer \"9\"", "remove x-own"]);
        all.push(format!("request-headers {{ {operation} }}"));
    }
    if random.one_in(8) {
        all.push("fault delay 1ms for 100%".to_owned());
    }
    all
}

fn redirect(random: &mut Random, by_path: &[ByPath]) -> String {
    let code = random.pick(&["301", "302", "303", "307", "308"]);
    let all_prefix = by_path.iter().all(|by| *by == ByPath::Prefix);
    let change = match random.below(6) {
        _ if all_prefix && random.one_in(2) => "prefix \"/moved/\"",
        0 | 1 => "path \"/moved\"",
        2 => "host other.example.org",
        3 => "port 8443",
        4 => "scheme https",
        _ => "scheme https host other.example.org path \"/moved\" port 8443",
    };
    format!("-> redirect {code} {change}")
}

fn respond(random: &mut Random) -> String {
    let status = random.pick(&["200", "403", "404", "418", "503"]);
    if random.one_in(4) {
        return format!("-> respond {status}");
    }
    format!("-> respond {status} \"{}\"", random.pick(&BODIES))
}

fn options(random: &mut Random, by_path: &[ByPath]) -> Vec<String> {
    let mut all = Vec::new();
    if random.one_in(12) {
        all.push(format!("fault abort {} for 100%", random.pick(&["418", "503", "404"])));
    }
    if random.one_in(3) {
        all.extend(rewrite(random, by_path));
    }
    if random.one_in(6) {
        all.push("rewrite host inner.example.org".to_owned());
    }
    if random.one_in(6) {
        all.push("timeout 5s".to_owned());
    }
    if random.one_in(3) {
        let set = random.pick(&["\"v\"", "\"a $b; {c}\"", "\"50%%\"", "\"q\\\"\\\\\""]);
        all.push(format!(
            "request-headers {{\n      set x-set {set}\n      add x-add \"1\"\n      remove x-gone\n    }}"
        ));
    }
    all.extend(response_headers(random));
    all
}

/// Copies of all requests, or of half of them.
fn mirror(random: &mut Random, services: &str) -> Option<String> {
    if !random.one_in(5) {
        return None;
    }
    let share = random.pick(&["", "", "50% "]);
    Some(format!("mirror {share}to {services}{}", random.pick(&DESTINATIONS)))
}

fn rewrite(random: &mut Random, by_path: &[ByPath]) -> Option<String> {
    let whole = |kinds: &[ByPath]| by_path.iter().all(|by| kinds.contains(by)) && !by_path.is_empty();
    match random.below(3) {
        0 if whole(&[ByPath::Exact, ByPath::Prefix]) || whole(&[ByPath::Under]) => {
            Some(format!("rewrite prefix \"{}\"", random.pick(&NEW_PATHS)))
        }
        1 => {
            let (pattern, with) = random.pick(&[
                ("^/([^/]*)/([^/]*)", "/\\\\2/\\\\1"),
                ("[0-9]+", "N"),
                ("^(.*)$", "/all\\\\1"),
            ]);
            Some(format!("rewrite matches r\"{pattern}\" to \"{with}\""))
        }
        _ => Some(format!("rewrite path \"{}\"", random.pick(&NEW_PATHS))),
    }
}

fn response_headers(random: &mut Random) -> Vec<String> {
    if !random.one_in(5) {
        return Vec::new();
    }
    vec!["response-headers {\n      set x-back \"1\"\n      remove x-hidden\n    }".to_owned()]
}
