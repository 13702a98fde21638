//! The installer of a release, with a program that needs no compilation.

use super::{output, root, said};
use crate::cli::Folder;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A release for this machine whose program is a script.
struct Release(TempDir);

impl Release {
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("meshc-9.8.7-{}-unknown-linux-musl", std::env::consts::ARCH);
        let place = folder.path().join(&name);
        for (file, text) in [("bin/meshc", program), ("share/man/man1/meshc.1", ".TH meshc 1\n")] {
            fs::create_dir_all(place.join(file).parent().unwrap()).unwrap();
            fs::write(place.join(file), text).unwrap();
        }
        fs::set_permissions(place.join("bin/meshc"), fs::Permissions::from_mode(0o755)).unwrap();
        let release = Self(folder);
        let archive = format!("{name}.tar.gz");
        release.succeed(&["tar", "-czf", &archive, &name]);
        let sums = release.succeed(&["sha256sum", &archive]);
        fs::write(release.0.path().join("SHA256SUMS"), sums).unwrap();
        release
    }

    fn succeed(&self, command: &[&str]) -> String {
        let done = output(Command::new(command[0]).args(&command[1..]).current_dir(self.0.path()));
        assert!(done.status.success(), "{command:?}: {}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs the installer into `to`, with these programs before all others.
    fn install(&self, to: &Path, programs: &[(&str, &str)]) -> Output {
        let tools = tempfile::tempdir().unwrap();
        for (name, text) in programs {
            let path = tools.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.arg(root().join("scripts/install.sh")).arg("--from").arg(self.0.path());
        output(command.arg("--to").arg(to).env("PATH", path))
    }
}

const PROGRAM: &str = "#!/bin/sh\necho meshc 9.8.7\n";

/// It has to be refused with these words, and leave nothing.
fn refused(done: &Output, to: &Path, wanted: &str) {
    told(done, wanted);
    assert!(!to.join("bin/meshc").exists() && !to.join("share").exists(), "something was installed");
}

/// It has to be refused with these words and what to do.
fn told(done: &Output, wanted: &str) {
    assert_eq!(done.status.code(), Some(2), "{}", said(done));
    let text = said(done);
    assert!(text.contains(wanted) && text.contains("  = help: "), "{wanted}: {text}");
}

#[test]
fn a_release_is_installed_below_a_prefix() {
    let (release, to) = (Release::new(PROGRAM), tempfile::tempdir().unwrap());
    let done = release.install(to.path(), &[]);
    assert!(done.status.success() && said(&done).contains("installed meshc 9.8.7 to "), "{}", said(&done));
    assert!(to.path().join("share/man/man1/meshc.1").is_file());
    assert_eq!(said(&output(&mut Command::new(to.path().join("bin/meshc")))), "meshc 9.8.7\n");
    // Once more, over what is there.
    assert!(release.install(to.path(), &[]).status.success());
}

#[test]
fn a_wrong_checksum_installs_nothing() {
    let (release, to) = (Release::new(PROGRAM), tempfile::tempdir().unwrap());
    let sums = release.0.path().join("SHA256SUMS");
    let text = fs::read_to_string(&sums).unwrap();
    let other = if text.starts_with('0') { "1" } else { "0" };
    fs::write(&sums, format!("{other}{}", text.get(1..).unwrap())).unwrap();
    refused(&release.install(to.path(), &[]), to.path(), "is not what SHA256SUMS says");
}

#[test]
fn another_platform_is_named() {
    let (release, to) = (Release::new(PROGRAM), tempfile::tempdir().unwrap());
    let other = "#!/bin/sh\ncase $1 in -s) echo Plan9 ;; -m) echo riscv64 ;; esac\n";
    let done = release.install(to.path(), &[("uname", other)]);
    refused(&done, to.path(), "the release has no program for Plan9-riscv64");
}

#[test]
fn a_program_that_does_not_run_is_not_installed() {
    let (release, to) =
        (Release::new("#!/bin/sh\necho 'no such loader' >&2\nexit 127\n"), tempfile::tempdir().unwrap());
    refused(&release.install(to.path(), &[]), to.path(), "the program does not run here: no such loader");
}

#[test]
fn without_a_network_the_folder_is_the_way() {
    let to = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    // Nobody listens there.
    command
        .arg(root().join("scripts/install.sh"))
        .args(["--from", "http://127.0.0.1:1/meshc", "--to"])
        .arg(to.path());
    refused(&output(&mut command), to.path(), "cannot get http://127.0.0.1:1/meshc/SHA256SUMS");
    let empty = Release(tempfile::tempdir().unwrap());
    refused(&empty.install(to.path(), &[]), to.path(), "there is no SHA256SUMS in ");
}

/// Not even root can make a file in `/proc`.
const READ_ONLY: &str = "/proc";

#[test]
fn a_prefix_that_cannot_be_written_is_named() {
    let release = Release::new(PROGRAM);
    told(&release.install(Path::new(READ_ONLY), &[]), "/proc cannot be written");
    let mut command = Command::new("sh");
    command.arg(root().join("scripts/install.sh")).arg("--from").arg(release.0.path());
    told(&output(command.env("HOME", READ_ONLY)), "/proc/.local cannot be written");
}

#[test]
fn what_cannot_be_put_in_place_leaves_what_was_there() {
    let to = tempfile::tempdir().unwrap();
    assert!(Release::new(PROGRAM).install(to.path(), &[]).status.success());
    let program = fs::read(to.path().join("bin/meshc")).unwrap();
    // A file where the new release needs a folder.
    fs::remove_dir_all(to.path().join("share/man")).unwrap();
    fs::write(to.path().join("share/man"), "").unwrap();
    let newer = Release::new("#!/bin/sh\necho meshc 9.8.8\n");
    told(&newer.install(to.path(), &[]), "share/man cannot be written");
    assert_eq!(fs::read(to.path().join("bin/meshc")).unwrap(), program);
    let mut left: Vec<_> = fs::read_dir(to.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["bin", "share"]);
}

#[test]
fn a_home_that_cannot_be_written_is_none_of_its_business() {
    let folder = Folder::new(&[]);
    for arguments in
        [&["init", "mesh"][..], &["check", "mesh"], &["build", "mesh"], &["build", "--locked", "mesh"]]
    {
        let mut command = folder.command(arguments);
        let homes = ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
        let done = output(command.envs(homes.map(|name| (name, READ_ONLY))));
        assert!(done.status.success(), "{arguments:?}: {}", said(&done));
    }
}

#[test]
fn the_package_of_npm_names_a_platform_that_it_has_not() {
    let script = root().join("scripts/npm/meshc.js");
    let fake = "Object.defineProperty(process, 'platform', { value: 'plan9' }); require(process.argv[1])";
    let Ok(done) = Command::new("node").args(["-e", fake]).arg(&script).output() else {
        crate::oracle::note("skipped: the package of npm on another platform: node is absent");
        return;
    };
    let text = said(&done);
    assert_eq!(done.status.code(), Some(2), "{text}");
    assert!(text.contains("no meshc for plan9-") && text.contains("  = help: "), "{text}");
}
