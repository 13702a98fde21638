//! The examples, compiled as the program compiles them, and what must hold of every one of them: the committed output
//! byte for byte, judges that take it, a canonical form, the same bytes however often and on however many threads.
//!
//! `UPDATE=1` writes the expected output anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod example;
mod istio;
mod library;
mod proxies;
mod seed;

use crate::istio::Mesh;
use crate::oracle;
use example::{Build, Example};
use meshc_compiler::Options;
use meshc_language::{FileId, format};
use meshc_targets::istio::ApiVersion;
use meshc_targets::{Split, TARGETS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The meshes of the examples and of the library's use, in each environment, with what is made of them for Istio.
pub(crate) fn meshes_for_istio() -> Vec<Mesh> {
    Example::all().iter().chain([&library::example()]).flat_map(Example::meshes_for_istio).collect()
}

/// The sources of the examples: their names, their modules and texts.
pub(crate) fn sources() -> Vec<(String, Vec<(String, String)>)> {
    let module = |name: &String| name.strip_suffix(".mesh").unwrap().replace('/', ".");
    let texts =
        |example: &Example| example.sources.iter().map(|(name, text)| (module(name), text.clone())).collect();
    Example::all().iter().map(|example| (example.name.clone(), texts(example))).collect()
}

#[test]
fn examples_are_clean_and_make_the_expected_output() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut faults = Vec::new();
    for example in Example::all() {
        let mut made: BTreeMap<PathBuf, String> = BTreeMap::new();
        for target in TARGETS {
            let (builds, reports) = example.build_for(*target, Split::default(), ApiVersion::default());
            let named = |report| format!("{} for {}: {report}", example.name, target.name());
            faults.extend(reports.into_iter().map(named));
            made.extend(builds.iter().flat_map(|build| build.files(&example)));
        }
        if update {
            rewrite(&example.folder.join("expected"), &made);
        }
        faults.extend(differences(&example.folder.join("expected"), &made));
    }
    assert!(faults.is_empty(), "{}\n\n`UPDATE=1` writes the expected output anew", faults.join("\n"));
}

/// Comments name items and routes, and the hash of what a pod reads at its start is of no comment.
#[test]
fn a_comment_in_front_of_a_source_changes_no_output() {
    for example in Example::all() {
        let commented = example.map(|text| format!("# A line more.\n\n{text}"));
        for target in TARGETS {
            let built =
                |example: &Example| example.build_for(*target, Split::default(), ApiVersion::default()).0;
            assert_eq!(built(&example), built(&commented), "{} for {}", example.name, target.name());
        }
    }
}

#[test]
fn nginx_and_its_readers_take_every_example() {
    let nginx = meshc_targets::target("nginx").unwrap();
    let mut files: Vec<(String, String)> = Vec::new();
    for example in Example::all() {
        let (builds, _) = example.build_for(nginx, Split::default(), ApiVersion::default());
        for (path, text) in builds.iter().flat_map(|build| build.files(&example)) {
            if path.extension().is_some_and(|end| end == "conf") {
                let path = path.strip_prefix(example::root()).unwrap();
                files.push((path.to_str().unwrap().to_owned(), text));
            }
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let Some(faults) = oracle::nginx::check(&files) else { return };
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// How the files below `folder` differ from what was made.
fn differences(folder: &Path, made: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let there = example::all_files(folder);
    let gone = there.iter().filter(|path| !made.contains_key(*path));
    let mut faults: Vec<String> = gone.map(|path| format!("nothing makes {}", path.display())).collect();
    for (path, text) in made {
        match fs::read_to_string(path) {
            Ok(expected) if expected == *text => {}
            Ok(expected) => faults.push(format!("{}: {}", path.display(), first_difference(&expected, text))),
            Err(error) => faults.push(format!("{}: {error}", path.display())),
        }
    }
    faults
}

fn first_difference(expected: &str, made: &str) -> String {
    let mut lines = expected.lines().zip(made.lines()).enumerate();
    match lines.find(|(_, (expected, made))| expected != made) {
        Some((at, (expected, made))) => format!("line {}: expected `{expected}`, made `{made}`", at + 1),
        None => format!("expected {} lines, made {}", expected.lines().count(), made.lines().count()),
    }
}

fn rewrite(folder: &Path, made: &BTreeMap<PathBuf, String>) {
    for stale in example::all_files(folder) {
        if !made.contains_key(&stale) {
            fs::remove_file(stale).unwrap();
        }
    }
    for (path, text) in made {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Every document of every example and of the standard library, in every version of the API.
#[test]
fn judges_take_every_document() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for example in Example::all().into_iter().chain([library::example()]) {
        for (word, version) in ApiVersion::WORDS {
            for build in example.build(Split::default(), version).0 {
                let name = |path: &str| format!("{} {word} {path}", example.name);
                texts.extend(build.artifacts.into_iter().map(|file| (name(&file.path), file.text)));
            }
        }
    }
    assert_eq!(faults_of_documents(&texts), Vec::<String>::new());
}

fn faults_of_documents(texts: &[(String, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut documents = Vec::new();
    for (name, text) in texts {
        let read = example::documents(text);
        documents.extend(read.into_iter().map(|document| (name, document)));
    }
    assert!(!documents.is_empty(), "no example makes a document");
    if let Some(schemas) = oracle::crd::Schemas::load() {
        for (name, document) in &documents {
            faults.extend(schemas.check(document).into_iter().map(|fault| format!("{name}: CRD: {fault}")));
        }
    }
    let json: Vec<serde_json::Value> =
        documents.iter().map(|(_, document)| serde_json::to_value(document).unwrap()).collect();
    for (at, fault) in oracle::models::check(&json).unwrap_or_default() {
        let name = documents.get(at).map_or("", |(name, _)| name);
        faults.push(format!("{name}: models: {fault}"));
    }
    let plain: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    for (at, fault) in oracle::readers::check(&plain).unwrap_or_default() {
        let name = texts.get(at).map_or("", |(name, _)| name);
        faults.push(format!("{name}: readers: {fault}"));
    }
    faults
}

/// The sources are canonical; what is written otherwise becomes so without a change of meaning.
#[test]
fn sources_are_canonical() {
    for example in Example::all().into_iter().chain([library::example(), library::itself()]) {
        for (name, text) in &example.sources {
            let formatted = format(FileId(0), text);
            assert_eq!(&formatted.text, text, "{} {name}: run `meshc fmt`", example.name);
        }
        let careless = example.map(careless);
        let tidied = careless.map(|text| format(FileId(0), text).text);
        assert_eq!(tidied.sources, example.sources, "{}: not put right again", example.name);
        let (expected, found) = (outcome(&careless), outcome(&tidied));
        assert_eq!(expected, found, "{}: formatting changes what is reported or made", example.name);
    }
}

/// The same statements on the same lines, in the form that a hurried author leaves.
fn careless(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        let inside = in_block;
        in_block ^= line.matches("\"\"\"").count() % 2 == 1;
        let indent = line.len() - line.trim_start().len();
        lines.push(if inside { line.to_owned() } else { format!("{}{line}  ", " ".repeat(indent)) });
    }
    lines.join("\n")
}

/// Reports without their places, which formatting moves, and everything that is made.
fn outcome(example: &Example) -> (Vec<String>, Vec<Build>) {
    let (builds, _) = example.build(Split::default(), ApiVersion::default());
    let reports = example.check(&Options::default()).reports;
    (reports.iter().map(|report| format!("{} {}", report.code, report.message)).collect(), builds)
}

#[test]
fn output_does_not_depend_on_runs_or_threads() {
    let build = |example: &Example| example.build(Split::Resource, ApiVersion::default());
    for example in Example::all() {
        let first = build(&example);
        assert_eq!(first, build(&example), "{}: a second run differs", example.name);
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(first, pool.install(|| build(&example)), "{}: {threads} threads differ", example.name);
        }
    }
}

#[test]
fn versions_of_the_api_differ_in_nothing_but_their_name() {
    for example in Example::all() {
        let with_name_left_out = |version: ApiVersion| {
            let (mut builds, _) = example.build(Split::default(), version);
            for file in builds.iter_mut().flat_map(|build| &mut build.artifacts) {
                let named = format!("apiVersion: {}\n", version.group_version());
                assert!(file.text.contains(&named), "{}: {} has no `{named}`", example.name, file.path);
                file.text = file.text.replace(&named, "");
            }
            builds
        };
        let old = with_name_left_out(ApiVersion::V1Alpha3);
        assert_eq!(old, with_name_left_out(ApiVersion::V1Beta1), "{}", example.name);
        assert_eq!(old, with_name_left_out(ApiVersion::V1), "{}", example.name);
    }
}

#[test]
fn files_of_single_resources_hold_the_same_documents() {
    for example in Example::all() {
        let by_namespace = example.build(Split::Namespace, ApiVersion::default()).0;
        let by_resource = example.build(Split::Resource, ApiVersion::default()).0;
        assert_eq!(by_namespace.len(), by_resource.len());
        for (together, apart) in by_namespace.iter().zip(&by_resource) {
            assert_eq!(documents(together), documents(apart), "{}", example.name);
            for file in &apart.artifacts {
                assert_eq!(example::documents(&file.text).len(), 1, "{}: {}", example.name, file.path);
            }
        }
    }
}

/// The texts of the documents of a build, sorted; how they are spread over files is forgotten.
fn documents(build: &Build) -> BTreeSet<&str> {
    let texts: Vec<&str> = build.artifacts.iter().flat_map(|file| file.text.split("---\n").skip(1)).collect();
    let distinct: BTreeSet<&str> = texts.iter().copied().collect();
    assert_eq!(texts.len(), distinct.len(), "a document stands twice");
    distinct
}
