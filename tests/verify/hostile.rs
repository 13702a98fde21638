//! Programs that do not do their part, and people who lose their patience.

use super::{SHOP, assert_clean, command, processes, script, verify};
use crate::cli::Folder;
use crate::oracle::programs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

fn shop() -> Folder {
    Folder::new(&[("shop.mesh", SHOP)])
}

#[test]
fn a_program_that_is_not_installed() {
    let folder = shop();
    let mut command = command(&folder, &["--target", "envoy"]);
    let run = crate::cli::finish(
        {
            command.env("PATH", folder.path("tmp"));
            command
        },
        b"",
    );
    assert_eq!(run.code, Some(2), "{run:?}");
    let wanted = "error: `envoy` is not installed: it is in no folder of PATH\n  = help: install envoy, or say where it is with `--program PATH`\n";
    assert_eq!(run.err, wanted);
    let run = verify(&folder, 2, &["--target", "nginx", "--program", "nowhere"]);
    assert!(run.err.starts_with("error: there is no program `nowhere`\n"), "{}", run.err);
}

#[test]
fn a_target_that_is_no_proxy() {
    for target in ["istio", "apache"] {
        let run = verify(&shop(), 2, &["--target", target]);
        assert!(run.err.contains("[possible values: envoy, nginx]"), "{}", run.err);
    }
}

#[test]
fn requests_to_show_that_are_none() {
    let folder = shop();
    let program = script(&folder, "fake", "exit 1");
    for (request, lacks) in [
        ("shop.example.com/cart", "URL after a method"),
        ("GET shop.example.com/cart", "`http://` or `https://`"),
        ("GET http://shop.example.com:x/", "port that is a number"),
        ("GET http:///", "host"),
        ("GET http://shop.example.com/ x-kind: a", "single URL after its method"),
        ("GET http://shop.example.com/ -H x-kind", "name and value after `-H`"),
        ("GET http://shop.example.com/ -H x kind: a", "name and value after `-H`"),
    ] {
        let run = verify(&folder, 2, &["--target", "envoy", "--program", &program, "--show", request]);
        assert!(run.err.starts_with(&format!("error: `--show {request}` has no {lacks}\n")), "{}", run.err);
    }
    for (request, why) in [
        ("get http://a.com/", "has no method in capital letters"),
        ("G(T http://a.com/", "has no method in capital letters"),
        ("CONNECT http://a.com/", "cannot be shown: CONNECT and TRACE "),
        ("TRACE http://a.com/", "cannot be shown: CONNECT and TRACE "),
        ("GET http://a.com/b#c", "has a fragment in its URL"),
        ("GET http://me@a.com/", "has a user in its URL"),
        ("GET http://[::1/", "has no address of IPv6 between "),
        ("GET http://[a.com]/", "has no address of IPv6 between "),
        ("GET http://[::1]80/", "has no address of IPv6 between "),
        ("GET http://a.com/ -H Content-Length: 3", "has a connection header, which a request cannot set"),
        (
            "GET http://a.com/ -H transfer-encoding: chunked",
            "has a connection header, which a request cannot set",
        ),
        ("GET http://a.com/ -H connection: close", "has a connection header, which a request cannot set"),
        ("GET http://a.com/ -H Host: b.com", "has `host` after `-H`: the host is in the URL"),
    ] {
        let run = verify(&folder, 2, &["--target", "envoy", "--program", &program, "--show", request]);
        assert!(run.err.starts_with(&format!("error: `--show {request}` {why}")), "{}", run.err);
    }
    for request in
        ["GET http://a.com/b\nX: y", "GET http://a.com/\u{7f}", "GET http://a.com/ -H x: a\r\nb: c"]
    {
        let run = verify(&folder, 2, &["--target", "envoy", "--program", &program, "--show", request]);
        assert!(run.err.contains("has a control character") && run.err.lines().count() == 2, "{}", run.err);
    }
}

#[test]
fn no_sources_and_sources_with_errors() {
    let folder = Folder::new(&[("README", "")]);
    let program = script(&folder, "fake", "exit 0");
    let run = verify(&folder, 2, &["--target", "envoy", "--program", &program]);
    assert!(run.err.contains("there is no `.mesh` source"), "{}", run.err);
    folder.write("a.mesh", "host web {\n  route all -> wbe\n}\n");
    let run = verify(&folder, 1, &["--target", "envoy", "--program", &program, "--format", "json"]);
    assert!(run.err.contains("wbe") && run.out.is_empty(), "{run:?}");
}

#[test]
fn sources_without_a_proxy_say_so() {
    let folder = Folder::new(&[("a.mesh", "service web { port http 80 }\n")]);
    let program = script(&folder, "fake", "exit 0");
    let run = verify(&folder, 0, &["--target", "envoy", "--program", &program]);
    assert!(
        run.err.starts_with("note: there is no proxy to verify: ") && run.err.contains("0 proxies"),
        "{run:?}"
    );
}

#[test]
fn a_program_that_ends_at_once_has_its_last_words() {
    let folder = shop();
    let noise = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i + 1)); done";
    let long = "head -c 5000 /dev/zero | tr '\\0' x; echo";
    let text = format!("{noise}\n{long}\nprintf 'no \\033[31msuch\\007 option\\n' >&2\nexit 3");
    let program = script(&folder, "fake", &text);
    let run = verify(&folder, 2, &["--target", "nginx", "--program", &program]);
    assert!(run.err.contains("nginx exited for gateway `edge`, and printed:\n  line "), "{}", run.err);
    assert!(run.err.contains("no \\u{1b}[31msuch\\u{7} option"), "{}", run.err);
    assert!(run.err.len() < 2000 && !run.err.contains('\u{1b}'), "{}", run.err);
}

#[test]
fn a_program_that_cannot_be_started() {
    let folder = shop();
    folder.write("fake", "not a program");
    let program = folder.path("fake");
    let run = verify(&folder, 2, &["--target", "nginx", "--program", program.to_str().unwrap()]);
    assert!(run.err.starts_with("error: cannot start the program for gateway `edge`: "), "{}", run.err);
}

#[test]
fn a_program_that_never_serves() {
    let folder = shop();
    let program = script(&folder, "fake", "echo thinking\ntrap '' TERM\nsleep 300 &\nwait");
    let start = Instant::now();
    let run = verify(&folder, 2, &["--target", "envoy", "--program", &program, "--patience", "1"]);
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert!(
        run.err.contains("envoy did not serve gateway `edge` within 1 s, and printed:\n  thinking\n"),
        "{}",
        run.err
    );
}

#[test]
fn a_port_that_somebody_takes_is_replaced() {
    let folder = shop();
    let Some(nginx) = programs::nginx() else { return };
    let text = format!(
        "if [ ! -e {once} ]; then touch {once}; echo 'bind() to 127.0.0.1:80 failed (98: Address already in use)'; exit 1; fi\n\
         exec {} \"$@\"",
        nginx.display(),
        once = folder.path("once").display()
    );
    let program = script(&folder, "fake", &text);
    verify(&folder, 0, &["--target", "nginx", "--program", &program, "--requests", "200"]);
    assert!(folder.path("once").exists());
}

#[test]
fn a_folder_that_is_kept() {
    let folder = shop();
    let program = script(&folder, "fake", "exit 1");
    let arguments = ["--target", "envoy", "--program", &program, "--keep", "kept"];
    let run = verify(&folder, 2, &arguments);
    assert!(run.err.contains("help: see `"), "{}", run.err);
    for file in ["kept/ca.pem", "kept/server.key", "kept/proxy-1/envoy.log"] {
        assert!(folder.path(file).is_file(), "{file}");
    }
    let run = verify(&folder, 2, &arguments);
    assert!(run.err.starts_with("error: `kept` is not empty\n"), "{}", run.err);
}

/// Sends a signal while the program waits, or asks; nothing is left when it has ended.
fn interrupted(folder: &Folder, arguments: &[&str], signal: i32) {
    let mut command = command(folder, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(&mut child, || {
        processes(&folder.path("tmp")).iter().any(|line| !line.contains("verify --target"))
    });
    // Long enough for the first questions, or for nothing at all: both have to end well.
    std::thread::sleep(Duration::from_millis(500));
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let start = Instant::now();
    let status = child.wait().unwrap();
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert_eq!(status.signal(), Some(signal), "{status:?}");
    assert_clean(folder);
}

fn wait_until(child: &mut Child, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended too early");
        assert!(Instant::now() < deadline, "it takes too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_left_when_waiting_is_broken_off() {
    let folder = shop();
    let program = script(&folder, "fake", "sleep 300 &\nwait");
    for signal in [2, 15, 1] {
        interrupted(&folder, &["--target", "envoy", "--program", &program], signal);
    }
}

#[test]
fn nothing_is_left_when_asking_is_broken_off() {
    let folder = shop();
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let program = program.to_str().unwrap().to_owned();
        let arguments = ["--target", target, "--program", &program, "--requests", "1000000"];
        interrupted(&folder, &arguments, 2);
    }
}
