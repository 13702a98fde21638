//! How a proxy lives and ends that Kubernetes runs.

use super::project::{Project, build, container, texts};
use super::server_tls::shake_hands;
use super::stage::{LIMIT, Plane, Stage, on, wait_for};
use meshc_cli::rig::{Connection, Identity, Launch, Request, ports};
use meshc_targets::envoy::Layout;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

on_every_plane! {
    what_is_under_way_ends_before_the_proxy
}

fn source(port: u16) -> String {
    format!(
        "gateway edge {{ workload any; listen http {port} {{ hosts *; bind 127.0.0.1 }} }}
        host * via edge {{ route all -> a }}
        service a {{ port http 80 }}
        bindings {{ deploy kubernetes; address a endpoints [<a>] }}"
    )
}

fn what_is_under_way_ends_before_the_proxy(stage: &mut Stage) {
    let a = stage.echo("a");
    let mut project = Project::start(stage, Layout::Static, &source);
    let limit = Duration::from_secs(10);
    let ask = |request: Request| {
        let tcp = project.open().unwrap();
        Connection::over(tcp, None, limit).unwrap().exchange(&request)
    };
    let tcp = project.open().unwrap();
    let slow = std::thread::spawn(move || {
        let request = Request::get("a.com", "/").with("x-echo-delay", "2500");
        Connection::over(tcp, None, limit).unwrap().exchange(&request)
    });
    wait_for("the slow request", || a.requests() == 1);
    // What Kubernetes does, in less time, and to this process.
    let hook: Vec<String> = project.before_the_end();
    let shorter = |text: &String| {
        let own = format!("-QUIT {};", project.process.id());
        text.replace("sleep 20", "sleep 3").replace("sleep 5", "sleep 1").replace("-QUIT 1;", &own)
    };
    let hook: Vec<String> = hook.iter().map(shorter).collect();
    let mut hook = Command::new(&hook[0]).args(&hook[1..]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    // Who still has the address is served.
    assert_eq!(ask(Request::get("a.com", "/")).unwrap().status, 200);
    assert!(hook.wait().unwrap().success());
    // nginx has ended by then.
    project.process.stop().unwrap();
    assert_eq!(slow.join().unwrap().unwrap().status, 200);
}

/// Envoy watches the folders of its secrets by itself; beside nginx runs a loop.
#[test]
fn nginx_shows_a_certificate_that_is_renewed() {
    on(Plane::Nginx, |stage| {
        let old = stage.certificate("old", &["old.com"]);
        let new = stage.certificate("new", &["new.com"]);
        let _a = stage.echo("a");
        let port = ports::free().unwrap();
        let folder = stage.folder.path().join("deployed");
        let source = "gateway edge {
          workload any
          listen https <port> { hosts *; bind 127.0.0.1; tls simple { credential \"shop\" } }
        }
        host * via edge { route all -> a }
        service a { port http 80 }
        bindings { deploy kubernetes; secret shop kubernetes; address a endpoints [<a>] }";
        fs::create_dir_all(folder.join("run")).unwrap();
        fs::write(folder.join("mesh.toml"), "targets = [\"nginx\"]\n").unwrap();
        build(stage, &folder, source, port);
        let container = container(&folder.join("out")).unwrap();
        let program = texts(&container["command"]).pop().unwrap();
        let arguments = texts(&container["args"]);
        move_here(&folder.join("out/nginx/edge"), &folder);
        mount(&folder, "shop", &old);
        let launch = Launch {
            program: program.into(),
            arguments: arguments.iter().map(|text| here(text, &folder).into()).collect(),
            folder: folder.clone(),
            log: folder.join("log"),
        };
        let mut process = launch.start().unwrap();
        process
            .wait_ready(&[port], None, LIMIT, || false)
            .unwrap_or_else(|error| panic!("{error:?} {}", process.output()));
        let authority = stage.folder.path().join("ca.pem");
        let is_shown = |name| shake_hands((port, name), &authority, rustls::ALL_VERSIONS).is_ok();
        assert!(is_shown("old.com") && !is_shown("new.com"), "{}", process.output());
        mount(&folder, "shop", &new);
        wait_for("the certificate that is new", || is_shown("new.com"));
        assert!(!is_shown("old.com"));
        process.stop().unwrap();
    });
}

/// What is written for a pod, as it holds below a folder, and with a loop that is quicker.
fn here(text: &str, folder: &Path) -> String {
    let folder = folder.display().to_string();
    text.replace("/etc/nginx/mesh", &format!("{folder}/out/nginx"))
        .replace("/run/nginx", &format!("{folder}/run"))
        .replace("/etc/mesh/secrets", &format!("{folder}/secrets"))
        .replace("sleep 10", "sleep 1")
}

/// Lets all files below a folder hold here.
fn move_here(below: &Path, folder: &Path) {
    for path in fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            move_here(&path, folder);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, here(&text, folder)).unwrap();
        }
    }
}

/// Puts a certificate where the platform mounts its Secret.
fn mount(folder: &Path, secret: &str, identity: &Identity) {
    let folder = folder.join("secrets").join(secret);
    fs::create_dir_all(&folder).unwrap();
    fs::copy(&identity.cert, folder.join("tls.crt")).unwrap();
    fs::copy(&identity.key, folder.join("tls.key")).unwrap();
}
