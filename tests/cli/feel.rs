//! How much is told, the version, the watch.

use super::{CLEAN, Folder, WARNING, finish};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[test]
fn the_version_says_what_it_is_made_of() {
    let folder = Folder::new(&[]);
    let short = format!("meshc {}\n", env!("CARGO_PKG_VERSION"));
    for arguments in [&["--version"][..], &["-V"], &["-qV"]] {
        assert_eq!(folder.run_to(0, arguments).out, short);
    }
    let long = folder.run_to(0, &["--version", "--verbose"]).out;
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], short.trim_end());
    assert!(lines[1].starts_with("commit: ") && lines[2].starts_with("target: "), "{long}");
    assert!(lines[2].contains(std::env::consts::ARCH) && lines.len() == 3, "{long}");
    let run = folder.run_to(2, &["--color", "never"]);
    assert!(run.err.contains("no command is given"), "{}", run.err);
}

/// A project of which nginx approximates ten things.
fn approximated() -> Folder {
    let folder = Folder::new(&[]);
    folder.run_to(0, &["init", "--from-example", "bookinfo"]);
    folder
}

#[test]
fn approximations_are_one_line_unless_somebody_asks() {
    let folder = approximated();
    let build = ["build", "--target", "nginx", "--env", "prod"];
    let told = folder.run_to(0, &build).err;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    let (notes, rest) = lines[0].split_once(" notes in 2 files (nginx approximates ").unwrap();
    let (features, rest) = rest.split_once(" features)").unwrap();
    assert_eq!(rest, "; `-v` shows the notes");
    let (notes, features): (usize, usize) = (notes.parse().unwrap(), features.parse().unwrap());
    assert!(features >= 10 && notes >= features, "{told}");

    let full = folder.run_to(0, &[&build[..], &["-v"]].concat()).err;
    assert_eq!(full.matches("note[MESH0505]").count(), features, "{full}");
    assert_eq!(full.matches("note[").count(), notes, "{full}");
    assert!(!full.contains("`-v`"), "{full}");
    // Formats for programs have everything.
    let json = folder.run_to(0, &["check", "--format", "json"]).out;
    assert!(!json.contains("MESH0505"), "istio approximates nothing: {json}");
}

#[test]
fn quiet_leaves_findings_alone() {
    let folder = Folder::new(&[("a.mesh", CLEAN)]);
    for arguments in
        [&["check", "-q"][..], &["build", "--quiet"], &["-q", "build", "--locked"], &["fmt", "-q"]]
    {
        let run = folder.run_to(0, arguments);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""), "{arguments:?}");
    }
    let folder = Folder::new(&[("a.mesh", WARNING)]);
    let run = folder.run_to(1, &["check", "-q", "--deny", "warnings"]);
    assert!(run.err.starts_with("warning[") && !run.err.contains("1 warning"), "{}", run.err);
    let run = folder.run_to(2, &["check", "-q", "-v"]);
    assert!(run.err.contains("cannot be used with"), "{}", run.err);
}

#[test]
fn an_example_builds_where_it_is_put() {
    let examples = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let paths = examples.map(|entry| entry.unwrap().path()).filter(|path| path.join("mesh.toml").is_file());
    let mut names = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let folder = Folder::new(&[]);
        folder.run_to(0, &["init", "here", "--from-example", &name]);
        for (file, text) in folder.files() {
            let original = std::fs::read_to_string(path.join(file.strip_prefix("here/").unwrap())).unwrap();
            let original =
                if file.ends_with("mesh.toml") { original.replace("expected/", "out/") } else { original };
            assert_eq!(text, original, "{name}/{file}");
        }
        let all = count(&path);
        assert_eq!(folder.names().len(), all, "{name}: the list in cli/src/examples.rs");
        folder.run_to(0, &["build", "here", "-q"]);
        folder.run_to(0, &["build", "here", "-q", "--locked"]);
        names.push(name);
    }
    let run = Folder::new(&[]).run_to(2, &["init", "--from-example", "gone"]);
    for name in names {
        assert!(run.err.contains(&name), "{name} is not in cli/src/examples.rs: {}", run.err);
    }
}

/// Files of an example that are not its expected output.
fn count(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let counts = entries.map(|path| match path.is_dir() {
        true if path.ends_with("expected") => 0,
        true => count(&path),
        false => 1,
    });
    counts.sum()
}

#[test]
fn what_is_next_names_the_folder() {
    let folder = Folder::new(&[]);
    let told = folder.run_to(0, &["init", "my shop"]).err;
    for command in ["check", "build", "watch"] {
        assert!(told.contains(&format!("\n  meshc {command} 'my shop'   # ")), "{told}");
    }
    let here = Folder::new(&[]).run_to(0, &["init"]).err;
    assert!(here.contains("\n  meshc check   # "), "{here}");
}

#[test]
fn a_watch_builds_again_at_each_change() {
    let folder = Folder::new(&[("shop.mesh", CLEAN)]);
    let mut command = folder.command(&["watch"]);
    let mut child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let (send, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || stderr.lines().try_for_each(|line| send.send(line.unwrap())));
    // What is seen in place of what is waited for; nothing if it comes.
    let wait = |wanted: &str| {
        let start = Instant::now();
        let mut seen = format!("no `{wanted}`: ");
        while start.elapsed() < Duration::from_secs(30) {
            let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) else { break };
            if line.contains(wanted) {
                return String::new();
            }
            seen.push_str(&line);
        }
        seen
    };
    let mut steps = vec![wait("watching 1 file")];
    folder.write("shop.mesh", CLEAN.replace("5s", "6s"));
    steps.extend([wait("changed: shop.mesh"), wait("wrote 1 file"), wait("watching")]);
    let built = std::fs::read_to_string(folder.path("out/istio/shop.yaml"));
    // A fault is told, and the watch goes on.
    folder.write("more.mesh", "host other { route all -> gone }\n");
    steps.extend([wait("changed: more.mesh"), wait("MESH0201"), wait("watching 2 files")]);
    std::fs::remove_file(folder.path("more.mesh")).unwrap();
    steps.push(wait("changed: more.mesh"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(steps.iter().all(String::is_empty), "{steps:?}");
    assert!(built.unwrap().contains("timeout: 6s"));
}

#[test]
fn a_watch_of_nothing_ends_with_words() {
    let run = finish(Folder::new(&[]).command(&["watch", "gone"]), b"");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains("cannot read `gone`"), "{}", run.err);
}

/// What the program prints on a terminal; none, with the reason printed, where nothing makes one.
fn on_terminal(folder: &Folder, variables: &[(&str, &str)], arguments: &str) -> Option<String> {
    let mut command = std::process::Command::new("script");
    let program = env!("CARGO_BIN_EXE_meshc");
    command.args(["--quiet", "--return", "--command", &format!("'{program}' {arguments}"), "/dev/null"]);
    command.current_dir(folder.path(".")).stdin(Stdio::null());
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color").envs(variables.iter().copied());
    let Ok(output) = command.output() else {
        crate::oracle::note("skipped: reports on a terminal: `script` of util-linux is absent");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_terminal_gets_colours_and_links_to_files() {
    let folder = Folder::new(&[("a b.mesh", super::ERROR)]);
    let Some(linked) = on_terminal(&folder, &[("FORCE_HYPERLINK", "1")], "check") else { return };
    let target =
        format!("\u{1b}]8;;file://{}/a%20b.mesh\u{1b}\\a b.mesh\u{1b}]8;;\u{1b}\\:6:16", real(&folder));
    assert!(linked.contains(&target), "{linked:?}");
    assert!(linked.contains("\u{1b}[1m"), "{linked:?}");
    let plain = on_terminal(&folder, &[("FORCE_HYPERLINK", "0"), ("NO_COLOR", "1")], "check").unwrap();
    assert!(!plain.contains('\u{1b}') && plain.contains("a b.mesh:6:16"), "{plain:?}");
}

fn real(folder: &Folder) -> String {
    std::fs::canonicalize(folder.path(".")).unwrap().to_str().unwrap().to_owned()
}
