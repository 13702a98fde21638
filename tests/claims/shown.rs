//! Texts that speak of a data plane name what shows that it is so, or say that it is only thought so.
//!
//! ```text
//! Shown by: claims::unknown-subset, live::retries::off_is_off.       tests
//! We think so: no browser runs here.                                 what no test shows, and why; `We think the rest:` beside tests
//! ```
//!
//! In a page of `explain` they are the last paragraphs before the first example. A document has them in comments behind what they are
//! of, the standard library in a comment in front of each definition. `claims::NAME` is a claim of `tests/claims`, `refused::CODE` a file of
//! `tests/refused`, and everything else a test of this program, without the name of the data plane.

use super::cases;
use meshc_compiler::project::STANDARD_LIBRARY;
use meshc_language::code::REGISTRY;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Words by which a text is known to speak of a data plane, in lower case.
const PLANES: [&str; 12] = [
    "istio",
    "envoy",
    "nginx",
    "proxy",
    "proxies",
    "sidecar",
    "waypoint",
    "ztunnel",
    "kubectl",
    "api server",
    "admission",
    "browser",
];

/// What a text says of its own truth.
#[derive(Default)]
struct Evidence {
    tests: Vec<String>,
    thought: bool,
}

/// Splits a text into what it says and what it says of that.
fn taken_apart(paragraphs: &str) -> (String, Evidence) {
    let mut said = String::new();
    let mut evidence = Evidence::default();
    for paragraph in paragraphs.split("\n\n") {
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(tests) = words.strip_prefix("Shown by: ") {
            evidence.tests.extend(tests.trim_end_matches('.').split(", ").map(str::to_owned));
        } else if words.starts_with("We think so: ") || words.starts_with("We think the rest: ") {
            evidence.thought = true;
        } else {
            said.push_str(&words);
            said.push('\n');
        }
    }
    (said, evidence)
}

/// Whether a text says what a data plane does. What stands between backquotes is a word of the language, or of a configuration.
fn speaks_of_planes(text: &str) -> bool {
    let lower: String = text.split('`').step_by(2).collect::<String>().to_lowercase();
    let is_status =
        |word: &str| word.len() == 3 && word.starts_with(['4', '5']) && word.parse::<u16>().is_ok();
    PLANES.iter().any(|plane| lower.contains(plane))
        || lower.split(|char: char| !char.is_ascii_alphanumeric()).any(is_status)
}

/// Names that can be given for what shows something.
struct Known(BTreeSet<String>);

impl Known {
    fn new() -> Self {
        let listed = Command::new(std::env::current_exe().unwrap())
            .args(["--list", "--format", "terse"])
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let tests = listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(|name| name.replace("::envoy::", "::").replace("::nginx::", "::"));
        let claims = cases().into_iter().map(|case| format!("claims::{}", case.name));
        let refused = std::fs::read_dir(root().join("tests/refused")).unwrap().map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            format!("refused::{}", name.trim_end_matches(".yaml"))
        });
        Self(tests.chain(claims).chain(refused).collect())
    }

    /// The names that are none.
    fn unknown(&self, place: &str, evidence: &Evidence) -> Vec<String> {
        let unknown = evidence.tests.iter().filter(|name| !self.0.contains(*name));
        unknown.map(|name| format!("{place}: nothing is called `{name}`")).collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What stands outside of blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if !code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Everything that names what shows it: where it stands, and what it says.
fn evidence() -> Vec<(String, String, Evidence)> {
    let mut all = Vec::new();
    for entry in REGISTRY {
        let page = prose(entry.page);
        let (said, evidence) = taken_apart(page.split_once('\n').unwrap().1);
        all.push((entry.code.to_string(), said, evidence));
    }
    all.extend(of_the_targets());
    for (module, text) in STANDARD_LIBRARY {
        for item in text.split("\n\n").filter(|item| item.contains("\npub ")) {
            let name = item.lines().find(|line| line.starts_with("pub ")).unwrap();
            let comment = item.lines().filter_map(|line| line.strip_prefix('#').map(str::trim));
            let (_, evidence) = taken_apart(&comment.collect::<Vec<_>>().join("\n").replace("\n#", "\n\n"));
            // What it does is done by a data plane, whatever words are used.
            all.push((format!("{module}: {name}"), "a proxy".to_owned(), evidence));
        }
    }
    all
}

/// The parts of `docs/targets.md`, each with the comments behind it.
fn of_the_targets() -> Vec<(String, String, Evidence)> {
    let text = std::fs::read_to_string(root().join("docs/targets.md")).unwrap();
    let mut all: Vec<(String, String, Evidence)> = Vec::new();
    for part in text.split("\n\n").map(|part| part.trim_start_matches("<!-- targets: begin -->").trim()) {
        match part.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix("-->")) {
            Some(comment) if !all.is_empty() => {
                let (_, evidence) = taken_apart(comment);
                let last = all.len() - 1;
                all[last].2.tests.extend(evidence.tests);
                all[last].2.thought |= evidence.thought;
            }
            _ if part.starts_with('#') => {}
            _ => {
                let place = format!("docs/targets.md: {}", part.chars().take(40).collect::<String>());
                all.push((place, part.to_owned(), Evidence::default()));
            }
        }
    }
    all
}

/// What README says that others let pass is shown for every code that it names.
#[test]
fn rows_of_the_readme_are_shown() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.split("## What it catches").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows =
        table.lines().filter_map(|row| row.trim_end_matches(" |").rsplit("| ").next()?.strip_prefix("MESH"));
    let mut checked = 0;
    for code in rows {
        let of = |(place, ..): &&(String, String, Evidence)| place.ends_with(code);
        let all = evidence();
        let (_, _, evidence) = all.iter().find(of).unwrap();
        assert!(!evidence.tests.is_empty(), "{code}");
        checked += 1;
    }
    assert!(checked > 5, "{checked}");
}

#[test]
fn what_is_said_of_data_planes_is_shown_or_called_a_thought() {
    let known = Known::new();
    let mut faults = Vec::new();
    let mut shown = 0;
    for (place, said, evidence) in evidence() {
        faults.extend(known.unknown(&place, &evidence));
        shown += usize::from(!evidence.tests.is_empty());
        let is_backed = evidence.thought || !evidence.tests.is_empty();
        if speaks_of_planes(&said) && !is_backed {
            faults.push(format!("{place}: it speaks of a data plane, and names nothing that shows it"));
        }
    }
    let _ = writeln!(std::io::stderr(), "claims: {shown} texts name a test");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_claim_is_named_by_a_text() {
    let named: BTreeSet<String> =
        evidence().into_iter().flat_map(|(_, _, evidence)| evidence.tests).collect();
    let unnamed: Vec<String> = cases()
        .into_iter()
        .map(|case| format!("claims::{}", case.name))
        .filter(|name| !named.contains(name))
        .collect();
    assert!(unnamed.is_empty(), "no text names {}", unnamed.join(", "));
}

#[test]
fn words_of_data_planes_are_found() {
    assert!(speaks_of_planes("callers see 503."));
    assert!(speaks_of_planes("Envoy's"));
    assert!(!speaks_of_planes("a file of 5030 lines"));
    let (said, evidence) =
        taken_apart("it is so\n\nShown by: claims::a,\nlive::b.\n\nWe think the rest: no test.");
    assert_eq!(
        (said.as_str(), evidence.tests, evidence.thought),
        ("it is so\n", vec!["claims::a".to_owned(), "live::b".to_owned()], true)
    );
}
