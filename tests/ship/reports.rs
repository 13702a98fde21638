//! Reports for servers, held to their schemas.

use super::hold;
use crate::cli::Folder;
use serde_json::Value;

/// A project with an error that has a fix, one that has a second place, a warning, and a name that every format must escape.
fn faulty() -> Folder {
    Folder::new(&[
        ("a b/<one>&.mesh", "service web {\n  port http 80\n}\n\nhost web {\n  route all -> wbe\n}\n"),
        ("two.mesh", "service web {\n  port http \"80\"\n}\nconst $unused = 5s\n"),
    ])
}

fn clean() -> Folder {
    Folder::new(&[("a.mesh", "service web {\n  port http 80\n}\n")])
}

fn report(folder: &Folder, code: i32, format: &str) -> String {
    let run = folder.run_to(code, &["check", "--format", format]);
    assert_eq!(run.err, "", "{format}");
    run.out
}

#[test]
fn sarif_is_that_of_its_schema() {
    for (folder, code) in [(faulty(), 1), (clean(), 0)] {
        hold("sarif", &report(&folder, code, "sarif"), "json");
    }
}

/// The schema's own judge must be able to refuse.
#[test]
fn a_schema_refuses_what_is_wrong() {
    let text = report(&faulty(), 1, "sarif").replace("\"artifactChanges\"", "\"changes\"");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.json");
    std::fs::write(&file, text).unwrap();
    if let Some(faults) = super::judge("sarif", &file) {
        assert!(faults.contains("artifactChanges"), "{faults}");
    }
}

#[test]
fn junit_is_that_of_the_schema_of_jenkins() {
    for (folder, code) in [(faulty(), 1), (clean(), 0)] {
        hold("junit", &report(&folder, code, "junit"), "xml");
    }
    let text = report(&faulty(), 1, "junit");
    assert_eq!(text.matches("<failure ").count(), 3, "{text}");
    assert!(text.contains("<testcase name=\"MESH0201 at 6:16\""), "{text}");
}

#[test]
fn gitlab_gets_the_fields_that_it_reads() {
    for (folder, code) in [(faulty(), 1), (clean(), 0)] {
        hold("gitlab-code-quality", &report(&folder, code, "gitlab"), "json");
    }
    let issues: Vec<Value> = serde_json::from_str(&report(&faulty(), 1, "gitlab")).unwrap();
    let prints: std::collections::BTreeSet<&str> =
        issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), issues.len(), "{issues:?}");
}

/// A merge request shows what is new: a fault that has only moved is not.
#[test]
fn a_fault_that_moves_keeps_its_fingerprint() {
    let folder = faulty();
    let prints = |folder: &Folder| {
        let issues: Vec<Value> = serde_json::from_str(&report(folder, 1, "gitlab")).unwrap();
        issues.iter().map(|issue| issue["fingerprint"].clone()).collect::<Vec<_>>()
    };
    let before = prints(&folder);
    folder.write("two.mesh", "# moved\n\nservice web {\n  port http \"80\"\n}\nconst $unused = 5s\n");
    assert_eq!(prints(&folder), before);
}

#[test]
fn markdown_shows_the_line_and_what_to_do() {
    let text = report(&faulty(), 1, "markdown");
    assert!(text.starts_with("**meshc**: 3 errors, 1 warning\n"), "{text}");
    assert!(text.contains("```mesh\n  route all -> wbe\n```"), "{text}");
    assert!(text.contains("\n- help: "), "{text}");
    assert_eq!(report(&clean(), 0, "markdown"), "**meshc**: no findings\n");
}
