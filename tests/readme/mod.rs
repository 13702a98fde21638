//! What the README says is so: its commands run, its codes exist, its matrix is that of the program, its links lead
//! somewhere. `UPDATE=1` writes the matrix anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod picture;

use crate::oracle;
use meshc_language::Code;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const BEGIN: &str = "<!-- targets: begin -->\n";
const END: &str = "<!-- targets: end -->";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// Runs the program in the root of the repository; returns what it prints.
fn run(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_meshc")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "meshc {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commands_run() {
    let text = readme();
    let shell = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let joined: Vec<String> = shell.map(|block| block.replace("\\\n", " ")).collect();
    let commands: Vec<&str> =
        joined.iter().flat_map(|block| block.lines()).filter(|line| line.starts_with("meshc ")).collect();
    assert!(commands.len() >= 4, "the README shows no commands");
    let program = Path::new(env!("CARGO_BIN_EXE_meshc")).parent().unwrap();
    let tools = root().join(".venv/bin");
    let path = format!("{}:{}:{}", program.display(), tools.display(), std::env::var("PATH").unwrap());
    for command in commands {
        if command.starts_with("meshc verify") && oracle::programs::envoy().is_none() {
            continue;
        }
        // A new project is made somewhere else.
        let elsewhere = tempfile::tempdir().unwrap();
        let folder = if command.starts_with("meshc init") { elsewhere.path().to_owned() } else { root() };
        let output =
            Command::new("sh").args(["-c", command]).env("PATH", &path).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
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
    for file in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let words = text.split(|char: char| !char.is_ascii_alphanumeric());
        for code in words.filter(|word| word.starts_with("MESH0")) {
            assert!(Code::find(code).is_some(), "{file}: there is no {code}");
        }
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for link in links {
            assert!(root().join(link).exists(), "{file}: {link} leads nowhere");
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

/// The examples of the page of each code that the README names are run elsewhere; its own snippet is run here.
#[test]
fn the_snippet_compiles() {
    let text = readme();
    let snippet = text.split("```mesh\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file: &Path = &folder.path().join("snippet.mesh");
    fs::write(file, snippet).unwrap();
    run(&["check", "--deny", "warnings", file.to_str().unwrap()]);
    run(&["fmt", "--check", file.to_str().unwrap()]);
}
