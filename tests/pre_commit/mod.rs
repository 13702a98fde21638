//! The hooks of `.pre-commit-hooks.yaml`, installed by pre-commit itself from a clone of the commit that is checked out,
//! as in any repository that uses them: what is committed there is checked, formatted, and compared with its output.
//!
//! pre-commit builds the program with `cargo install`. What it hands down to it from here keeps that cheap: the profile of
//! development in place of that of releases, set as that of the tests is, so that it finds what was compiled for these; and no look
//! at the registry: `cargo install` does not read `Cargo.lock`, and what was downloaded for this build is enough.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const MANIFEST: &str = "out = \"deploy/{target}\"\n";

const SOURCE: &str = "namespace shop

host cart {
  route all -> cart@v1 { timeout 2s }
}

service cart {
  port http 8080
  subset v1 { labels version=v1 }
}
";

#[test]
fn hooks_guard_a_repository() {
    let Some(runner) = runner() else { return };
    let repository = Repository::new(runner);
    repository.write("shop.mesh", SOURCE);
    repository.build();
    let clean = repository.commit();
    assert!(clean.passed, "{}", clean.text);
    assert_eq!(clean.failed_hooks(), Vec::<&str>::new());

    // A fault stops the commit, and is named.
    repository.write("shop.mesh", &SOURCE.replace("cart@v1", "cart@v2"));
    let broken = repository.commit();
    assert!(!broken.passed && broken.text.contains("MESH0202"), "{}", broken.text);
    assert!(broken.failed_hooks().contains(&"meshc check"), "{}", broken.text);

    // What is not canonical is put right, and can be committed then.
    repository.write("shop.mesh", &SOURCE.replace("  port http", "    port   http"));
    let untidy = repository.commit();
    assert_eq!(untidy.failed_hooks(), ["meshc fmt"], "{}", untidy.text);
    assert_eq!(repository.read("shop.mesh"), SOURCE);

    // A source without its output, and an output without its source.
    repository.write("shop.mesh", &SOURCE.replace("timeout 2s", "timeout 3s"));
    let forgotten = repository.commit();
    assert_eq!(forgotten.failed_hooks(), ["meshc build --locked"], "{}", forgotten.text);
    repository.build();
    let rebuilt = repository.commit();
    assert!(rebuilt.passed, "{}", rebuilt.text);
    let output = repository.read("deploy/istio/shop.yaml");
    repository.write("deploy/istio/shop.yaml", &output.replace("timeout: 3s", "timeout: 30s"));
    let edited = repository.commit();
    assert_eq!(edited.failed_hooks(), ["meshc build --locked"], "{}", edited.text);
}

/// What pre-commit wants of a description of hooks (its `MANIFEST_SCHEMA`); needs no pre-commit.
#[test]
fn hooks_are_described_as_pre_commit_wants() {
    const NEEDED: [&str; 4] = ["id", "name", "entry", "language"];
    const KNOWN: [&str; 4] = ["description", "files", "pass_filenames", "require_serial"];
    let text = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Vec<BTreeMap<String, serde_yaml::Value>> = serde_yaml::from_str(&text).unwrap();
    let mut ids = Vec::new();
    for hook in &hooks {
        for key in NEEDED {
            let value = hook.get(key).and_then(serde_yaml::Value::as_str);
            assert!(value.is_some_and(|value| !value.is_empty()), "{hook:?} has no {key}");
        }
        for (key, value) in hook {
            assert!(NEEDED.contains(&key.as_str()) || KNOWN.contains(&key.as_str()), "unknown key {key}");
            let is_switch = matches!(key.as_str(), "pass_filenames" | "require_serial");
            assert!(if is_switch { value.is_bool() } else { value.is_string() }, "{key}: {value:?}");
        }
        regex::Regex::new(hook["files"].as_str().unwrap()).unwrap();
        // What is run exists.
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        assert_eq!(words[0], "meshc");
        let help =
            command(env!("CARGO_BIN_EXE_meshc"), &root()).arg(words[1]).arg("--help").output().unwrap();
        assert!(help.status.success(), "{}", text_of(&help));
        for option in &words[2..] {
            assert!(String::from_utf8_lossy(&help.stdout).contains(option), "{option}");
        }
        ids.push(hook["id"].as_str().unwrap());
    }
    assert_eq!(ids, ["meshc-check", "meshc-fmt", "meshc-build-locked"]);
}

/// pre-commit; `None`, with the reason printed, where it is absent.
fn runner() -> Option<PathBuf> {
    let runner = root().join(".venv/bin/pre-commit");
    let reason = if !runner.is_file() {
        "pre-commit is absent: `tests/run` installs it"
    } else if !root().join(".git").exists() {
        "this is no checkout that could be cloned"
    } else {
        return Some(runner);
    };
    let everything = std::env::var_os("MESHC_TEST_ALL").is_some_and(|value| value == "1");
    assert!(!everything, "MESHC_TEST_ALL=1, but the hooks cannot be tested: {reason}");
    let _ = writeln!(std::io::stderr(), "skipped: the hooks of pre-commit: {reason}");
    None
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A repository that uses the hooks.
struct Repository {
    folder: tempfile::TempDir,
    runner: PathBuf,
}

/// How a commit went.
struct Commit {
    passed: bool,
    text: String,
}

impl Commit {
    /// The names of the hooks that failed.
    fn failed_hooks(&self) -> Vec<&str> {
        let failed = self.text.lines().filter(|line| line.ends_with("Failed"));
        failed.map(|line| line.split("...").next().unwrap_or(line)).collect()
    }
}

impl Repository {
    fn new(runner: PathBuf) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap(), runner };
        let (hooks, commit) = hooks_repository();
        let config = format!(
            "repos:\n- repo: {}\n  rev: {commit}\n  hooks:\n  - id: meshc-check\n  - id: meshc-fmt\n  - id: meshc-build-locked\n",
            hooks.display()
        );
        repository.write(".pre-commit-config.yaml", &config);
        repository.write("mesh.toml", MANIFEST);
        repository.succeed(Path::new("git"), ["init", "--quiet"]);
        repository.succeed(Path::new("git"), ["config", "user.name", "Tester"]);
        repository.succeed(Path::new("git"), ["config", "user.email", "tester@example.com"]);
        repository.succeed(&repository.runner, ["install", "--install-hooks"]);
        repository
    }

    fn build(&self) {
        self.succeed(Path::new(env!("CARGO_BIN_EXE_meshc")), ["build"]);
    }

    /// Commits everything that is there.
    fn commit(&self) -> Commit {
        self.succeed(Path::new("git"), ["add", "--all"]);
        let output = self.run(Path::new("git"), ["commit", "--quiet", "--message", "change"]);
        Commit { passed: output.status.success(), text: text_of(&output) }
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.path().join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    fn succeed<const N: usize>(&self, program: &Path, arguments: [&str; N]) {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{} {arguments:?}: {}", program.display(), text_of(&output));
    }

    fn run<const N: usize>(&self, program: &Path, arguments: [&str; N]) -> Output {
        command(program, self.folder.path()).args(arguments).output().unwrap()
    }
}

/// A clone of the commit that is checked out, and its name.
fn hooks_repository() -> (PathBuf, String) {
    let head = command("git", &root()).args(["rev-parse", "HEAD"]).output().unwrap();
    let commit = String::from_utf8(head.stdout).unwrap().trim().to_owned();
    let clone = kept().join("meshc");
    let there = command("git", &kept()).args(["-C", "meshc", "rev-parse", "HEAD"]).output().unwrap();
    if String::from_utf8_lossy(&there.stdout).trim() == commit {
        return (clone, commit);
    }
    // pre-commit keeps what it has built for each commit; only the last one is of use here.
    for old in [&clone, &kept().join("cache")] {
        if old.exists() {
            fs::remove_dir_all(old).unwrap();
        }
    }
    let cloned = command("git", &kept()).args(["clone", "--quiet"]).arg(root()).arg(&clone).output().unwrap();
    assert!(cloned.status.success(), "{}", text_of(&cloned));
    (clone, commit)
}

/// What one run leaves for the next.
fn kept() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pre-commit");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where cargo puts what it compiles, and a `cargo` that installs a debug build.
struct Build {
    target: PathBuf,
    tools: PathBuf,
}

impl Build {
    fn get() -> &'static Self {
        static BUILD: OnceLock<Build> = OnceLock::new();
        BUILD.get_or_init(|| {
            let build = Self { target: kept().join("shared-target"), tools: kept().join("tools") };
            build.share();
            build.settings();
            build
        })
    }

    /// The target folder is that of the tests, but that programs are put into it alone.
    fn share(&self) {
        let tests = Path::new(env!("CARGO_BIN_EXE_meshc")).parent().unwrap();
        let own = self.target.join("debug");
        fs::create_dir_all(&own).unwrap();
        for part in [".cargo-lock", ".fingerprint", "build", "deps"] {
            if tests.join(part).exists() && !own.join(part).is_symlink() {
                std::os::unix::fs::symlink(tests.join(part), own.join(part)).unwrap();
            }
        }
    }

    /// `profile.test` as the profile of debug builds, in a file that cargo finds above the clone; and the program.
    fn settings(&self) {
        let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
        let profile = toml::Table::from_iter([("dev".to_owned(), manifest["profile"]["test"].clone())]);
        let settings = toml::Table::from_iter([("profile".to_owned(), profile.into())]);
        fs::create_dir_all(kept().join(".cargo")).unwrap();
        fs::write(kept().join(".cargo/config.toml"), settings.to_string()).unwrap();
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let script = format!(
            "#!/bin/sh\n[ \"$1\" != install ] || {{ shift; set -- install --debug \"$@\"; }}\nexec '{cargo}' \"$@\"\n"
        );
        fs::create_dir_all(&self.tools).unwrap();
        fs::write(self.tools.join("cargo"), script).unwrap();
        fs::set_permissions(self.tools.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    // A run inside of a hook, or of git itself, must not be taken for one in this folder.
    for name in
        ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "SKIP"]
    {
        command.env_remove(name);
    }
    let build = Build::get();
    let path = format!("{}:{}", build.tools.display(), std::env::var("PATH").unwrap());
    command
        .env("PATH", path)
        .env("PRE_COMMIT_HOME", kept().join("cache"))
        .env("PRE_COMMIT_COLOR", "never")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", &build.target)
        .env("CARGO_NET_OFFLINE", "true");
    command
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
