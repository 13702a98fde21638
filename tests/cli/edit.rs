//! `meshc fmt` and `meshc fix`: the commands that write sources.

use super::{CLEAN, Folder};
use std::os::unix::fs::symlink;

const UGLY: &str = "service   web {port http 80}\n\n\n\nhost web {  route all -> web { timeout 5s } }\n";

/// One fix that is safe, one that is a guess, and an edit that the first uncovers nothing of.
const FIXABLE: &str = "\
service web { port http 80 }
host web {
  route all -> web { timout 5s; retry 2 per-try \"1s\" on [5xx] }
}
";

#[test]
fn formatting_is_written_once() {
    let folder = Folder::new(&[("a.mesh", UGLY), ("b/c.mesh", CLEAN)]);
    let run = folder.run_to(0, &["fmt"]);
    assert_eq!(run.err, "formatted 1 of 2 files\n");
    let formatted = folder.read("a.mesh");
    assert_ne!(formatted, UGLY);
    assert_eq!(folder.run_to(0, &["fmt"]).err, "2 files in canonical form\n");
    assert_eq!(folder.read("a.mesh"), formatted);
    assert_eq!(folder.read("b/c.mesh"), CLEAN);
}

#[test]
fn only_what_is_given_is_formatted() {
    let folder = Folder::new(&[
        ("mesh.toml", ""),
        ("a.mesh", UGLY),
        ("b.mesh", UGLY),
        ("c/mesh.toml", ""),
        ("c/d.mesh", UGLY),
    ]);
    folder.run_to(0, &["fmt", "a.mesh", "c"]);
    assert_ne!(folder.read("a.mesh"), UGLY);
    assert_ne!(folder.read("c/d.mesh"), UGLY);
    assert_eq!(folder.read("b.mesh"), UGLY);
}

#[test]
fn checking_the_form_writes_nothing() {
    let folder = Folder::new(&[("a.mesh", UGLY), ("b.mesh", CLEAN)]);
    let run = folder.run_to(1, &["fmt", "--check"]);
    assert!(
        run.err.contains("not in canonical form: a.mesh\n")
            && run.err.contains("-service   web {port http 80}\n"),
        "{}",
        run.err
    );
    assert!(run.err.ends_with("1 of 2 files not in canonical form\n"), "{}", run.err);
    let json = folder.run_to(1, &["fmt", "--check", "--format", "json"]);
    let records: Vec<serde_json::Value> = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (records.len(), records[0]["code"].as_str(), records[0]["file"].as_str()),
        (1, Some("FORMAT"), Some("a.mesh"))
    );
    assert_eq!(folder.read("a.mesh"), UGLY);
}

#[test]
fn a_file_with_a_syntax_error_stays_as_it_is() {
    let broken = "service   web {port http 80\n";
    let folder = Folder::new(&[("a.mesh", UGLY), ("b.mesh", broken)]);
    folder.write("c.mesh", b"\xff service   x");
    let run = folder.run_to(1, &["fmt"]);
    assert!(run.err.contains("b.mesh:1:15") && run.err.contains("MESH0101"), "{}", run.err);
    assert_eq!(folder.read("b.mesh"), broken);
    assert_eq!(std::fs::read(folder.path("c.mesh")).unwrap(), b"\xff service   x");
    assert_ne!(folder.read("a.mesh"), UGLY);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let folder = Folder::new(&[("a.mesh", UGLY)]);
    let run = folder.run_with(&["fmt", "-"], UGLY.as_bytes());
    folder.run_to(0, &["fmt"]);
    assert_eq!((run.code, run.out), (Some(0), folder.read("a.mesh")));
    let run = folder.run_with(&["fmt", "-", "--check"], UGLY.as_bytes());
    assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
    let run = folder.run_with(&["fmt", "-"], b"service {");
    assert_eq!((run.code, run.out.as_str()), (Some(1), "service {"));
    assert!(run.err.contains("<stdin>:1:9"), "{}", run.err);
    assert_eq!(folder.run(&["fmt", "-", "a.mesh"]).code, Some(2));
}

#[test]
fn a_byte_order_mark_is_removed() {
    let folder = Folder::new(&[("a.mesh", &format!("\u{feff}{CLEAN}"))]);
    folder.run_to(1, &["fmt", "--check"]);
    folder.run_to(0, &["fmt"]);
    assert_eq!(folder.read("a.mesh"), CLEAN);
}

#[test]
fn a_link_that_is_given_stays_a_link() {
    let folder = Folder::new(&[("real/a.mesh", UGLY)]);
    symlink("real/a.mesh", folder.path("link.mesh")).unwrap();
    folder.run_to(0, &["fmt", "link.mesh"]);
    assert!(std::fs::symlink_metadata(folder.path("link.mesh")).unwrap().is_symlink());
    assert_ne!(folder.read("real/a.mesh"), UGLY);
}

#[test]
fn safe_edits_are_applied_and_guesses_on_demand() {
    let folder = Folder::new(&[("a.mesh", FIXABLE)]);
    let run = folder.run_to(1, &["fix"]);
    assert!(run.err.starts_with("fixed a.mesh: 1 edit (MESH0302)\n"), "{}", run.err);
    assert_eq!(folder.read("a.mesh"), FIXABLE.replace("\"1s\"", "1s"));
    let run = folder.run_to(0, &["fix", "--unsafe"]);
    assert!(run.err.starts_with("fixed a.mesh: 1 edit (MESH0108)\n"), "{}", run.err);
    let fixed = FIXABLE.replace("\"1s\"", "1s").replace("timout", "timeout");
    assert_eq!(folder.read("a.mesh"), fixed);
    let run = folder.run_to(0, &["fix", "--unsafe"]);
    assert!(run.err.starts_with("nothing to fix\n"), "{}", run.err);
    assert_eq!(folder.read("a.mesh"), fixed);
}

#[test]
fn edits_go_on_until_none_is_left() {
    // A wrong bracket hides what stands behind it until it is mended.
    let folder = Folder::new(&[(
        "a.mesh",
        "service web { port http 80 \n\nhost web {\n  route all -> web { timeout \"5s\" }\n}\n",
    )]);
    let run = folder.run(&["fix", "--unsafe"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(folder.read("a.mesh").contains("timeout 5s"), "{}", folder.read("a.mesh"));
    folder.run_to(0, &["check", "--deny", "warnings"]);
}

#[test]
fn values_for_one_run_are_those_of_the_fix() {
    let source = "param $t: text\n\nservice web {\n  port http 80\n}\n\nhost web {\n  route all -> web {\n    timeout \"1s\"\n    \
                  request-headers { set x-t $t }\n  }\n}\n";
    let folder = Folder::new(&[("a.mesh", source)]);
    let run = folder.run_to(1, &["fix"]);
    assert!(run.err.contains("MESH0212"), "{}", run.err);
    let folder = Folder::new(&[("a.mesh", source)]);
    let run = folder.run_to(0, &["fix", "--set", "$t=\"x\""]);
    assert!(run.err.starts_with("fixed a.mesh: 1 edit (MESH0302)\n"), "{}", run.err);
    let run = folder.run(&["fix", "--set", "$u=\"x\""]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("MESH0209"), "{}", run.err);
}

#[test]
fn only_what_is_given_is_fixed() {
    let folder = Folder::new(&[
        ("mesh.toml", ""),
        ("a.mesh", FIXABLE),
        ("b.mesh", "host x {\n  route all -> web { timeout \"5s\" }\n}\n"),
    ]);
    let before = folder.read("a.mesh");
    folder.run_to(1, &["fix", "b.mesh"]);
    assert!(folder.read("b.mesh").contains("timeout 5s"));
    assert_eq!(folder.read("a.mesh"), before);
}

#[test]
fn nothing_is_left_beside_the_sources() {
    let folder = Folder::new(&[("a.mesh", FIXABLE), ("b.mesh", UGLY.replace("web", "other").as_str())]);
    folder.run(&["fix", "--unsafe"]);
    folder.run_to(0, &["fmt"]);
    assert_eq!(folder.names(), ["a.mesh", "b.mesh"]);
}
