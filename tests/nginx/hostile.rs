//! Texts that mean harm, in every place of the sources that takes a text: each stays what it is, or is refused at its line.

use super::faults;
use crate::capabilities::built;
use meshc_language::{Code, Severity};

/// Texts that would end a token, a directive or a block, stand for a variable or an escape, or be too long.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "\"",
        "'",
        "\\",
        "\\\\",
        "\\\"",
        "$",
        "$uri",
        "${uri}",
        "$1",
        "%",
        "%%",
        ";",
        "{",
        "}",
        "; } evil {",
        "#",
        "\n",
        "\t",
        "a b",
        " ",
        "é",
        "\u{1f980}",
        "~^x",
        "~*.*",
        "default",
        "hostnames",
        "include",
        "volatile",
        "*",
        "=",
        "(",
        ")",
        "[",
        "]",
        "^$",
        "\\z",
        "\\E",
        "a\\nb",
        "'; return 200 \"x",
        "\" ; load_module x; #",
        "`",
        "|",
        "&&",
        "<!--",
        "\\",
        "a\\",
        "a\\\\",
        "mesh:rest",
        "0",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    texts
        .extend(["a", "\"", "$", "\\", "é"].iter().flat_map(|text| [text.repeat(1_000), text.repeat(4_096)]));
    texts
}

/// A text as the sources write it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' | '$' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Places that take a text. `TEXT` stands for it, `PATH` for it behind a slash, `PATTERN` for a pattern that it is.
const PLACES: [&str; 22] = [
    "route x when header x-a is TEXT -> web",
    "route x when header x-a prefix TEXT -> web",
    "route x when header x-a matches PATTERN -> web",
    "route x when not header x-a is TEXT -> web",
    "route x when query TEXT is \"1\" -> web",
    "route x when query a is TEXT -> web",
    "route x when query a prefix TEXT -> web",
    "route x when query a matches PATTERN -> web",
    "route x when cookie c is TEXT -> web",
    "route x when authority is TEXT -> web",
    "route x when path is PATH -> web",
    "route x when path prefix PATH -> web",
    "route x when path under PATH -> web",
    "route x when path prefix PATH ignoring-case -> web { rewrite prefix \"/x\" }",
    "route x when path matches PATTERN -> web { rewrite matches PATTERN to TEXT }",
    "route x when path prefix \"/x\" -> web { rewrite prefix PATH }",
    "route x -> web { rewrite path PATH }",
    "route x -> redirect 302 path PATH",
    "route x -> respond 200 TEXT",
    "route x -> web { request-headers { set x-a TEXT; add x-b TEXT }; response-headers { set x-a TEXT; add x-b TEXT } }",
    "route x -> web { cors { origin is TEXT; origin prefix TEXT } }",
    "route x when path prefix PATH -> redirect prefix PATH",
];

/// A statement of a place with a text.
fn route(place: &str, text: &str) -> String {
    let escape = |char: char| char.is_ascii_punctuation().then_some('\\').into_iter().chain([char]);
    let pattern: String = text.chars().flat_map(escape).collect();
    place
        .replace("TEXT", &quoted(text))
        .replace("PATH", &quoted(&format!("/{text}")))
        .replace("PATTERN", &quoted(&pattern))
}

/// A mesh in which each of these statements stands in a host of its own.
fn mesh(routes: &[String]) -> String {
    let hosts: Vec<String> = (0..routes.len()).map(|at| format!("h{at}.a.com")).collect();
    let mut text = format!(
        "gateway edge {{ controller nginx; workload any; listen http 80 {{ hosts {} }} }}\n\
         service web {{ port http 80; host web.internal }}\n\
         bindings {{ address web endpoints [127.0.0.1:9] }}\n",
        hosts.join(", ")
    );
    for (host, route) in hosts.iter().zip(routes) {
        text.push_str(&format!("host {host} via edge {{\n  {route}\n  route rest -> respond 404\n}}\n"));
    }
    text
}

#[test]
fn whatever_a_text_says_it_stays_in_its_place() {
    let mut made = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    for (number, text) in texts().iter().enumerate() {
        let mut routes = Vec::new();
        for place in PLACES {
            let route = route(place, text);
            // What the language itself refuses never gets to nginx.
            match built(&mesh(std::slice::from_ref(&route)), "nginx") {
                None => {}
                Some((_, Some(_))) => routes.push(route),
                Some((reports, None)) => {
                    let at_a_line = |code, severity| code == Code::UNSUPPORTED && severity == Severity::Error;
                    assert!(reports.iter().any(|one| at_a_line(one.code, one.severity)), "{place} {text:?}");
                    refused += 1;
                }
            }
        }
        taken += routes.len();
        if !routes.is_empty() {
            let (_, artifacts) = built(&mesh(&routes), "nginx").unwrap();
            made.push((number.to_string(), artifacts.unwrap()));
        }
    }
    assert!(taken > 400 && refused > 5, "{taken} taken, {refused} refused");
    let Some(faults) = faults(&made) else { return };
    // Texts that mean harm look harmful, also where they stay texts.
    let shown: Vec<String> = faults.into_iter().filter(|fault| !fault.contains(": gixy ")).take(20).collect();
    assert!(shown.is_empty(), "\n{}", shown.join("\n"));
}
