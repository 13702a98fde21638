//! How a proxy ends that Kubernetes runs.

use super::project::Project;
use super::stage::{Stage, wait_for};
use meshc_cli::rig::{Connection, Request};
use meshc_targets::envoy::Layout;
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
