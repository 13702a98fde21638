//! Sources and surroundings that mean harm, or just happen.

use super::{CLEAN, ERROR, Folder};
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Each ends with findings, quickly, in all formats, and no control character of it gets out.
fn harmless(text: impl AsRef<[u8]>, code: &str) {
    let folder = Folder::new(&[]);
    folder.write("a.mesh", text);
    for format in ["human", "json", "sarif", "github"] {
        let start = Instant::now();
        let run = folder.run_to(1, &["check", "--format", format]);
        assert!(start.elapsed() < Duration::from_secs(50), "{format} took {:?}", start.elapsed());
        assert!(format!("{}{}", run.out, run.err).contains(code), "{format} has no {code}");
        for char in run.out.chars().chain(run.err.chars()) {
            assert!(char == '\n' || !char.is_control(), "{format}: {char:?}");
        }
        if format == "human" {
            assert!(run.err.len() < 200_000, "{} bytes of report", run.err.len());
        }
    }
    // Nothing else may make it stumble either.
    assert!(matches!(folder.run(&["fmt", "--check"]).code, Some(0 | 1)));
    assert!(matches!(folder.run(&["fix", "--unsafe"]).code, Some(0 | 1)));
    assert_eq!(folder.names(), ["a.mesh"]);
}

#[test]
fn a_file_that_is_not_utf_8() {
    harmless(b"service web { port http 80 }\n\xc3\x28 \xff\n", "MESH0101");
    let folder = Folder::new(&[("b.mesh", CLEAN)]);
    folder.write("a.mesh", b"\xff");
    let run = folder.run_to(1, &["check"]);
    assert!(run.err.ends_with("1 error in 2 files\n"), "one cause, one report: {}", run.err);
}

#[test]
fn an_empty_file() {
    let folder = Folder::new(&[("a.mesh", "")]);
    folder.run_to(0, &["check"]);
    folder.run_to(0, &["build"]);
    folder.run_to(0, &["fmt", "--check"]);
    assert_eq!(folder.names(), ["a.mesh"]);
}

#[test]
fn one_line_of_a_megabyte() {
    harmless("service x { port http 80 };".repeat(1 << 20 >> 5), "MESH0208");
    harmless(format!("service {} {{}}", "x".repeat(1 << 20)), "MESH0301");
    harmless("ü".repeat(1 << 19), "MESH0108");
}

#[test]
fn ten_thousand_open_braces() {
    harmless(format!("service x {}", "{".repeat(10_000)), "MESH0103");
    harmless(format!("service x {}", "{\n".repeat(10_000)), "MESH0103");
    harmless(format!("host x {{ route a when {}", "(".repeat(10_000)), "MESH0103");
}

#[test]
fn commands_for_the_terminal() {
    harmless(
        "service \"\u{1b}[2J\u{1b}]0;title\u{7}\" { \u{202e} port http 80 }\r\u{85}\u{9b}31m\n",
        "MESH0105",
    );
    let folder = Folder::new(&[("\u{1b}[31mred.mesh", ERROR)]);
    let run = folder.run_to(1, &["check"]);
    assert!(!run.err.contains('\u{1b}') && run.err.contains("?[31mred.mesh"), "{}", run.err);
    for arguments in [["check", "\u{1b}[2J"], ["explain", "\u{1b}[2J"], ["fmt", "\u{1b}[2J"]] {
        let run = folder.run_to(2, &arguments);
        assert!(!run.err.contains('\u{1b}'), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn a_missing_module() {
    harmless(format!("use nothing.here (x)\n{CLEAN}"), "MESH0205");
}

#[test]
fn modules_that_import_each_other() {
    let folder = Folder::new(&[
        ("mesh.toml", ""),
        ("a.mesh", "use b (y)\npub policy x { timeout 5s }\n"),
        ("b.mesh", "use a (x)\npub policy y { timeout 5s }\n"),
    ]);
    let run = folder.run_to(1, &["check"]);
    assert_eq!(run.err.matches("MESH0207").count(), 1, "{}", run.err);
}

#[test]
fn a_template_without_end() {
    harmless("template t($a: word) { apply t($a) }\napply t(x)\n", "MESH0213");
    let doubling: String =
        (1..40).map(|n| format!("template t{n}() {{ apply t{}(); apply t{}() }}\n", n - 1, n - 1)).collect();
    harmless(
        format!("template t0() {{ service x {{ port http 80 }} }}\n{doubling}apply t39()\n"),
        "MESH0214",
    );
}

#[test]
fn a_pipe_in_the_place_of_a_source_is_not_waited_for() {
    let folder = Folder::new(&[("b.mesh", CLEAN)]);
    let made = std::process::Command::new("mkfifo").arg(folder.path("a.mesh")).status();
    if !made.is_ok_and(|status| status.success()) {
        drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: mkfifo is absent\n"));
        return;
    }
    folder.run_to(0, &["check"]);
    folder.run_to(2, &["check", "a.mesh"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new(&[]);
    let services: String =
        (0..5000).map(|n| format!("service s{n} {{ port http 80; lb random }}\n")).collect();
    folder.write("a.mesh", format!("namespace shop\n{services}"));
    for arguments in [&["build", "--out", "-"][..], &["explain", "--list"], &["reference"]] {
        let mut child =
            folder.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let folder = Folder::new(&[("a.mesh", CLEAN)]);
    let mut command = folder.command(&["build", "--out", "-"]);
    let ended = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("cannot write to standard output"));
}
