//! The architecture as tests: what the compiler cannot enforce by itself.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod words;

use meshc_language::code::REGISTRY;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust sources of a folder, with their text, without test modules in files of their own.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "tests" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && !name.starts_with("test") && !name.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

/// The text before the first test module of a file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn crates_depend_in_one_direction() {
    let order = ["language", "compiler", "targets", "cli"];
    for (at, krate) in order.iter().enumerate() {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        for later in &order[at..] {
            let name = format!("meshc-{later}.workspace");
            assert!(!manifest.contains(&name), "{krate} must not depend on {later}");
        }
    }
}

/// The folders of the compiler, and its files at the top, in the order in which one stands on another.
const STAGES: &[&str] = &[
    "values",
    "fingerprint",
    "project",
    "reading",
    "policy",
    "declared",
    "reference",
    "model",
    "resolve",
    "graph",
    "routing",
    "checks",
    "causes",
    "fixes",
    "compile",
];

/// Imports against that order that are still there: whoever removes one takes it out of this list.
const KNOTS: &[(&str, &str, &str)] = &[
    ("project", "reading", "values of constants are read as statements are"),
    ("project", "policy", "bodies of policies and retries are kept with their names"),
];

#[test]
#[expect(clippy::print_stdout, reason = "the arrows are the drawing of the compiler")]
fn stages_of_the_compiler_stand_on_those_before_them() {
    let mut arrows: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, text) in sources("compiler/src") {
        let inside = path.strip_prefix(root().join("compiler/src")).unwrap();
        let own = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        if own == "lib" {
            continue;
        }
        let code = without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for name in code.flat_map(|line| line.split("crate::").skip(1)) {
            let name = name.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').next().unwrap();
            arrows.extend((name != own && !name.is_empty()).then(|| (own.clone(), name.to_owned())));
        }
    }
    let place = |name: &str| STAGES.iter().position(|stage| *stage == name);
    let mut knots = Vec::new();
    for (from, to) in &arrows {
        // Names that the crate exports at its top are not stages.
        let (Some(at), Some(on)) = (place(from), place(to)) else {
            assert!(place(from).is_some(), "`{from}` has no place in STAGES");
            continue;
        };
        println!("{from} -> {to}{}", if on > at { "  (against the order)" } else { "" });
        knots.extend((on > at).then_some((from.as_str(), to.as_str())));
    }
    let known: Vec<(&str, &str)> = KNOTS.iter().map(|(from, to, _)| (*from, *to)).collect();
    let new: Vec<_> = knots.iter().filter(|knot| !known.contains(knot)).collect();
    let gone: Vec<_> = known.iter().filter(|knot| !knots.contains(knot)).collect();
    assert!(new.is_empty(), "against the order of the stages: {new:?}");
    assert!(gone.is_empty(), "no longer there, take it out of KNOTS: {gone:?}");
}

#[test]
fn the_three_inner_crates_are_pure() {
    let impure = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net::Tcp",
        "std::time",
        "std::io",
        "SystemTime",
        "Instant::",
    ];
    for folder in ["language/src", "compiler/src", "targets/src"] {
        for (path, text) in sources(folder) {
            for word in impure {
                let code = without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
                let found = code.filter(|line| line.contains(word)).count();
                assert_eq!(found, 0, "{} uses {word}", path.display());
            }
        }
    }
}

/// A `..` in a pattern of an emitter, or of the plan that raw proxies are written from, would drop a new field without a word.
#[test]
fn emitters_and_the_plan_take_the_model_apart_without_a_rest() {
    // `target.rs` and `yaml` know nothing of the model; the matcher and its witnesses read the plan, request by request.
    let skipped = ["api", "yaml", "matcher", "witness", "tests"];
    for (path, text) in sources("targets/src").into_iter().chain(sources("compiler/src/routing")) {
        if path.components().any(|part| skipped.iter().any(|name| part.as_os_str() == *name)) {
            continue;
        }
        for (at, line) in without_tests(&text).lines().enumerate() {
            // A variant that is not taken apart at all hides no field of one that is.
            let line = if line.trim_start().starts_with("//") { "" } else { line }.replace("{ .. }", "");
            let rest = line.contains(".. }") || line.contains("..}") || line.trim() == "..";
            assert!(!rest, "{}:{} has a pattern with a rest", path.display(), at + 1);
        }
    }
}

/// Two statements that say the same are equal, wherever they are written: what holds a place is compared by `wherever_written!`.
#[test]
fn places_do_not_count_in_comparisons() {
    let is_place = |line: &str| {
        ["Span,", "Option<Span>,", "Vec<Span>,"].iter().any(|place| line.ends_with(&format!(": {place}")))
    };
    for folder in ["compiler/src/model", "compiler/src/policy", "compiler/src/reading"] {
        for (path, text) in sources(folder) {
            for (derived, declared) in
                text.split("#[derive(").skip(1).filter_map(|part| part.split_once(")]\n"))
            {
                let mut fields = declared.lines().skip(1).take_while(|line| line.starts_with([' ', '/']));
                let name = declared.lines().next().unwrap();
                let compares = derived.split(", ").any(|one| one == "PartialEq");
                assert!(!(compares && fields.any(is_place)), "{}: {name} compares a place", path.display());
            }
        }
    }
}

/// What is read by its field alone says nothing of the fields beside it.
#[test]
fn the_plan_reads_statements_of_items_where_it_takes_them_apart() {
    for (path, text) in sources("compiler/src/routing") {
        let inside = |name: &str| path.components().any(|part| part.as_os_str() == name);
        // `workload.rs` is about pods of Istio, which no raw proxy has.
        if ["matcher", "witness", "tests", "parts.rs", "workload.rs"].into_iter().any(inside) {
            continue;
        }
        for (at, line) in without_tests(&text).lines().enumerate() {
            // Limits of a pool are taken apart where they are left out.
            let line = line.replace("pool.body", "");
            let read =
                [".body", ".options.shared", ".options.mirrors"].iter().any(|field| line.contains(field));
            let is_code = !line.trim_start().starts_with("//");
            assert!(!(read && is_code), "{}:{} belongs into parts.rs", path.display(), at + 1);
        }
    }
}

#[test]
fn every_code_is_reported_somewhere() {
    let registry = fs::read_to_string(root().join("language/src/code.rs")).unwrap();
    let mut all = String::new();
    for folder in ["language/src", "compiler/src", "targets/src", "cli/src"] {
        for (path, text) in sources(folder) {
            if !path.ends_with("code.rs") {
                all.push_str(without_tests(&text));
            }
        }
    }
    for entry in REGISTRY {
        let number = entry.code.to_string().trim_start_matches("MESH0").to_owned();
        let line =
            registry.lines().find(|line| line.trim_start().starts_with(&format!("{number} "))).unwrap();
        let name = line.split_whitespace().nth(1).unwrap();
        let used = all.contains(&format!("Code::{name}"));
        assert!(used, "{} ({name}) is never reported", entry.code);
    }
}

/// A sense of proportion: beyond this a file has usually become two things. Tables that read well are named here.
#[test]
fn files_stay_short() {
    const LONG: &[(&str, &str)] = &[];
    for folder in ["language/src", "compiler/src", "targets/src", "cli/src"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            let known = LONG.iter().any(|(file, _)| path.ends_with(file));
            assert!(lines <= 600 || known, "{} has {lines} lines", path.display());
        }
    }
}

/// The project speaks of itself alone.
#[test]
fn sources_name_no_place_of_one_machine() {
    for folder in ["language", "compiler", "targets", "cli", "tests", "stdlib", "examples"] {
        let mut folders = vec![root().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if !path.ends_with("node_modules") && !path.ends_with("target") {
                        folders.push(path);
                    }
                    continue;
                }
                let Ok(text) = fs::read_to_string(&path) else { continue };
                for word in [
                    concat!("/wo", "rk/"),
                    concat!("/ro", "ot/"),
                    concat!("crates", ".io/"),
                    concat!("npmjs", ".org"),
                    concat!("pypi", ".org"),
                ] {
                    assert!(!text.contains(word), "{} names {word}", path.display());
                }
            }
        }
    }
}
