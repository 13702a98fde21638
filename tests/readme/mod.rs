//! What the README and the pages of `docs` say is so: their code is run or read, their codes exist, the matrix is that of the
//! program, links lead somewhere. `UPDATE=1` writes the matrix anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blocks;
mod picture;

use meshc_language::Code;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const BEGIN: &str = "<!-- targets: begin -->\n";
const END: &str = "<!-- targets: end -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The README, and all pages that it leads to.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages.extend(["README.md", "CONTRIBUTING.md", "examples/README.md"].map(|page| root().join(page)));
    pages
}

/// The anchors of the headings of a page, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|char| char.is_alphanumeric() || "-_".contains(*char)).collect()
    };
    headings.map(anchor).collect()
}

/// Runs the program in the root of the repository; returns what it prints.
fn run(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_meshc")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "meshc {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_matrix_is_that_of_the_program() {
    keep_current("README.md", &["targets", "--format", "markdown", "--brief"]);
    keep_current("docs/targets.md", &["targets", "--format", "markdown"]);
}

/// What stands between the marks of a page is what the program prints.
fn keep_current(page: &str, arguments: &[&str]) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (matrix, behind) = rest.split_once(END).unwrap();
    let printed = run(arguments);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(root().join(page), format!("{before}{BEGIN}{printed}{END}{behind}")).unwrap();
        return;
    }
    assert_eq!(matrix, printed, "{page}: `UPDATE=1 cargo test --test main readme` writes it anew");
}

#[test]
fn codes_exist_and_links_lead_somewhere() {
    for page in pages() {
        let file = page.strip_prefix(root()).unwrap().display();
        let text = fs::read_to_string(&page).unwrap();
        let words = text.split(|char: char| !char.is_ascii_alphanumeric());
        for code in words.filter(|word| word.starts_with("MESH0")) {
            assert!(Code::find(code).is_some(), "{file}: there is no {code}");
        }
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() { page.clone() } else { page.parent().unwrap().join(target) };
            assert!(target.exists(), "{file}: {link} leads nowhere");
            let has_anchor = || anchors(&fs::read_to_string(&target).unwrap()).contains(&anchor.to_owned());
            assert!(anchor.is_empty() || has_anchor(), "{file}: {link} leads to no heading");
        }
    }
}

#[test]
fn the_readme_is_short() {
    let text = readme();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let lines = before.lines().count() + rest.split_once(END).unwrap().1.lines().count();
    assert!(lines < 100, "the README has {lines} lines beside its matrix");
}
