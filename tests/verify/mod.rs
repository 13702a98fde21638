//! `meshc verify`: the real proxies do as the sources say, a proxy that does otherwise is found out, and nothing is left behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod current;
mod examples;
mod hostile;
mod wrong;

use crate::cli::{Folder, Run, finish};
use std::path::Path;
use std::process::Command;

/// A mesh in which every kind of answer has a rule.
const SHOP: &str = r#"namespace shop

gateway edge {
  workload app=edge
  listen http 80 { hosts shop.example.com, *.shop.example.com }
}

host shop.example.com via edge {
  route old when path prefix "/old/" -> redirect 301 prefix "/new/"
  route health when path is "/health" -> respond 200 "fine"
  route fault when path is "/fault" -> cart { fault abort 418 for 30% }
  route cart when path prefix "/cart" and header x-kind is "a" -> cart {
    rewrite prefix "/basket"
    request-headers { set x-from "edge"; remove x-secret }
    response-headers { set x-shown "yes"; remove x-hidden }
  }
  route split -> 25% cart@v2, rest cart@v1 { mirror 50% to audit }
}

service cart {
  port http 8080
  subset v1 { labels version=v1 }
  subset v2 { labels version=v2 }
}

service audit { port http 8080 }
"#;

/// The program in a folder, with a folder for temporary files of its own.
fn command(folder: &Folder, arguments: &[&str]) -> Command {
    std::fs::create_dir_all(folder.path("tmp")).unwrap();
    let mut command = folder.command(&[&["verify"], arguments].concat());
    command.env("TMPDIR", folder.path("tmp"));
    command
}

/// Runs it; nothing of it may be left.
fn verify(folder: &Folder, code: i32, arguments: &[&str]) -> Run {
    let run = finish(command(folder, arguments), b"");
    assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
    assert_clean(folder);
    run
}

/// No temporary file and no process that knows of one is left.
fn assert_clean(folder: &Folder) {
    let left: Vec<_> = std::fs::read_dir(folder.path("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(processes(&folder.path("tmp")), Vec::<String>::new());
}

/// The command lines of running processes that name something in a folder.
fn processes(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        // A process may end while it is looked at.
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(folder.to_str().unwrap()) {
            found.push(line);
        }
    }
    found
}

/// Writes a program: a script of the shell.
fn script(folder: &Folder, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    folder.write(name, format!("#!/bin/sh\n{text}\n"));
    let path = folder.path(name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}
