//! Every block of code on a page is tried as its kind is: mesh sources compile as they stand, commands run, TOML, YAML and JSON
//! can be read. What cannot be run here says why.

use super::{pages, root};
use crate::oracle;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that are shown and not run, by what they begin with, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo ", "compiles the program that these tests are compiled with"),
    ("tests/run", "runs these tests"),
    ("MESHC_TEST_ALL=1 tests/run", "runs these tests"),
    ("UPDATE=1 cargo test", "writes expectations"),
    ("pip install ", "installs a file of a release; `scripts/release` tries each"),
    ("kustomize ", "is no part of the tools of the tests; `ship::krm` tries the function"),
    ("scripts/release", "compiles the program several times; `ship` tries its parts"),
    ("docker ", "needs a daemon and images"),
    ("kubectl ", "needs a cluster"),
    ("envoy -c ", "serves until it is ended; `live` starts Envoy with such files"),
    ("nginx -p ", "serves until it is ended; `live` starts nginx with such files"),
];

/// A block of code.
struct Block {
    place: String,
    kind: String,
    text: String,
}

/// The blocks of a page.
fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (at, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(kind) if !is_open => {
                let place = format!("{}:{}", page.strip_prefix(root()).unwrap().display(), at + 1);
                blocks.push(Block { place, kind: kind.to_owned(), text: String::new() });
                is_open = true;
            }
            Some(_) => is_open = false,
            None if is_open => blocks.last_mut().unwrap().text.push_str(&format!("{line}\n")),
            None => {}
        }
    }
    blocks
}

/// A folder with all that commands of a page may name: the examples, and the sources of the page whose first line is their name.
fn place_of(blocks: &[Block]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-R").arg(root().join("examples")).arg(folder.path()).status().unwrap();
    assert!(copied.success());
    for block in blocks.iter().filter(|block| block.kind == "mesh") {
        let name = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
        if let Some(name) = name.filter(|name| Path::new(name).extension().is_some_and(|end| end == "mesh")) {
            fs::write(folder.path().join(name), &block.text).unwrap();
        }
    }
    folder
}

/// Where `meshc` and the proxies are; the proxies that are absent.
fn programs() -> (String, Vec<&'static str>) {
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_BIN_EXE_meshc")).parent().unwrap().to_owned()];
    let mut absent = Vec::new();
    for (name, program) in [("envoy", oracle::programs::envoy()), ("nginx", oracle::programs::nginx())] {
        match program.as_deref().and_then(Path::parent) {
            Some(folder) => folders.push(folder.to_owned()),
            None => absent.push(name),
        }
    }
    let joined: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    (format!("{}:{}", joined.join(":"), std::env::var("PATH").unwrap()), absent)
}

#[test]
fn commands_run() {
    let (path, absent) = programs();
    let (mut run, mut faults) = (0, Vec::new());
    for page in pages() {
        let blocks = blocks(&page);
        let folder = place_of(&blocks);
        for block in blocks.iter().filter(|block| block.kind == "sh") {
            for command in block.text.replace("\\\n", " ").lines().filter(|line| !line.is_empty()) {
                let is_tested = command.contains(" -t ");
                let is_shown = |(start, _): &&(&str, &str)| command.starts_with(*start) && !is_tested;
                let needs =
                    |name: &&str| command.starts_with(*name) || command.contains(&format!("--target {name}"));
                if NOT_RUN.iter().any(|shown| is_shown(&shown)) || absent.iter().any(needs) {
                    continue;
                }
                let mut shell = Command::new("sh");
                let output =
                    shell.args(["-c", command]).env("PATH", &path).current_dir(&folder).output().unwrap();
                run += 1;
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    faults.push(format!("{}: {command}: {said}", block.place));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(run >= 6, "only {run} commands were run");
}

#[test]
fn blocks_are_right_as_they_stand() {
    let mut faults = Vec::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let fault = match block.kind.as_str() {
            // Excerpts of the standard library, whose modules are compiled by `golden`.
            "mesh" if block.place.starts_with("docs/reference.md") => None,
            "mesh" => compiled(&block.text).err(),
            "toml" => block.text.parse::<toml::Table>().err().map(|error| error.to_string()),
            "yaml" => {
                serde_yaml::from_str::<serde_yaml::Value>(&block.text).err().map(|error| error.to_string())
            }
            "json" => {
                serde_json::from_str::<serde_json::Value>(&block.text).err().map(|error| error.to_string())
            }
            // `commands_run`.
            "sh" => None,
            // A drawing.
            "text" => None,
            // The forms of statements, which `meshc reference` makes.
            "" if block.place.starts_with("docs/reference.md") => None,
            kind => Some(format!("no test tries blocks of the kind `{kind}`")),
        };
        faults.extend(fault.map(|fault| format!("{}: {fault}", block.place)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A source compiles without a report, in the form that `meshc fmt` writes.
fn compiled(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("block.mesh");
    fs::write(&file, text).unwrap();
    for arguments in [&["check", "--deny", "warnings"][..], &["fmt", "--check"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_meshc")).args(arguments).arg(&file).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    Ok(())
}
