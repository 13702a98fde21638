//! Judges nginx configurations: nginx itself (`nginx -t`), crossplane in its strict mode, which knows every directive
//! with its place and arguments, and gixy-ng, which looks for what is dangerous.

use super::{ask, folder, programs, skip, works};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use regex::{Captures, Regex};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// What the judges say against the configurations in `files`, each its path below the folder of all of them, and its
/// text. Each `nginx.conf` is the main file of a configuration, together with what stands below its folder. One fault
/// per entry, which starts with the path; empty when all are taken. `None`, with the reason printed, when a judge is
/// missing.
pub(crate) fn check(files: &[(&str, &str)]) -> Option<Vec<String>> {
    let (nginx, python) = (programs::nginx()?, programs::python()?);
    static READERS: OnceLock<bool> = OnceLock::new();
    if !READERS.get_or_init(|| works(Command::new(&python).args(["-c", "import crossplane, gixy"]))) {
        return skip("crossplane and gixy-ng", "python cannot import them: run `tests/run`");
    }
    let world = World::with(files);
    let mut faults = Vec::new();
    for main in &world.mains {
        faults.extend(test(&nginx, main));
    }
    let mains: Vec<&str> = world.mains.iter().map(|main| main.to_str().unwrap()).collect();
    let read = ask(Command::new(python).arg(folder().join("nginx/readers.py")), &mains.clone().into());
    let read: Vec<(usize, String)> = serde_json::from_value(read).unwrap();
    faults.extend(read.into_iter().map(|(index, fault)| format!("{}: {fault}", mains.get(index).unwrap())));
    let place = format!("{}/", world.folder.path().display());
    Some(faults.into_iter().map(|fault| fault.replace(&place, "")).collect())
}

/// What `nginx -t` says, a warning too.
fn test(nginx: &Path, main: &Path) -> Option<String> {
    let mut command = Command::new(nginx);
    command.args(["-t", "-q", "-e", "stderr", "-p"]).arg(main.parent().unwrap()).arg("-c").arg(main);
    // A container has it built in; for an nginx that has not, `modules` may say where it is.
    let module = programs::nginx_stream_module().filter(|_| !main.with_file_name("modules").exists());
    if let Some(module) = module {
        command.arg("-g").arg(format!("load_module {};", module.display()));
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    (!output.status.success() || !words.is_empty())
        .then(|| format!("{}: nginx {}: {}", main.display(), output.status, words.trim()))
}

/// The configurations in a folder of their own, with files of this machine in place of those that they name.
struct World {
    folder: TempDir,
    mains: Vec<PathBuf>,
}

impl World {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        fs::write(folder.path().join("resolver.conf"), "resolver 127.0.0.1;\n").unwrap();
        let mut mains = Vec::new();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, of_this_machine(text, folder.path())).unwrap();
            if path.ends_with("nginx.conf") {
                mains.push(path);
            }
        }
        assert!(!mains.is_empty(), "no file is called nginx.conf");
        Self { folder, mains }
    }
}

/// nginx reads certificates and what a container finds out when it starts, and opens its logs and its process file, when
/// it tests, so that these are named anew; no certificate here is revoked by anybody.
fn of_this_machine(text: &str, folder: &Path) -> String {
    let named = Regex::new(
        r"(?m)^(?<directive>\s*(?:(?:proxy_|grpc_)?ssl_(?<kind>certificate_key|certificate|client_certificate|trusted_certificate|crl)|(?<log>access_log|error_log)|(?<pid>pid)|(?<include>include)) +)(?<path>[^$;\s]+)(?<rest>[^;]*;)",
    )
    .unwrap();
    let renamed = |found: &Captures<'_>| {
        let name = |name: &str| found.name(name).map(|part| part.as_str());
        let file = match (name("kind"), name("log"), name("pid")) {
            (Some("crl"), _, _) => return String::new(),
            (Some("certificate_key"), _, _) => "key.pem",
            (Some(_), _, _) => "cert.pem",
            (_, _, Some(_)) => "nginx.pid",
            _ => match (name("path"), name("include")) {
                (Some(path), Some(_)) if path.ends_with("/resolver.conf") => "resolver.conf",
                (Some(path), None) if path.starts_with('/') => "log",
                _ => return found.get(0).unwrap().as_str().to_owned(),
            },
        };
        format!("{}{}{}", &found["directive"], folder.join(file).display(), &found["rest"])
    };
    named.replace_all(text, renamed).into_owned()
}

/// A configuration without a fault, but that `LINES` may be given in its server.
const GOOD: &str = r#"
pid /run/nginx-of-nobody.pid;
worker_processes 1;
worker_rlimit_nofile 4096;
events { worker_connections 1024; }
http {
  server_tokens off;
  access_log /var/log/nowhere/access.log;
  map $http_x_user $p1 { "~^(?:jason)\z" 1; default 0; }
  split_clients "1$request_id" $split { 10.00% a; * b; }
  geo $dollar { default "$"; }
  upstream pool { server 127.0.0.1:9080 max_fails=0; keepalive 32; }
  server {
    listen 127.0.0.1:18443 ssl default_server;
    server_name shop.example.com;
    ssl_certificate /etc/mesh/secrets/edge/tls.crt;
    ssl_certificate_key /etc/mesh/secrets/edge/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;
    LINES
    location / { proxy_http_version 1.1; proxy_set_header Host $host; proxy_pass http://pool; }
  }
}
"#;

#[test]
fn a_good_configuration_is_taken() {
    let text = GOOD.replace("LINES", "include endpoints/*.conf;");
    let Some(faults) = check(&[("edge/nginx.conf", &text), ("edge/endpoints/one.conf", "# Empty.\n")]) else {
        return;
    };
    assert_eq!(faults, Vec::<String>::new());
}

/// The line, who refuses it, and a part of what is said.
#[test]
fn each_judge_refuses_what_is_wrong() {
    let table = [
        ("proxy_pas http://pool;", "nginx", "unknown directive \"proxy_pas\""),
        (
            "location /a { proxy_pass http://$no_such_variable; }",
            "nginx",
            "unknown \"no_such_variable\" variable",
        ),
        ("location /a { return 200; } location /a { return 200; }", "nginx", "duplicate location \"/a\""),
        ("ssl_stapling on;", "nginx", "\"ssl_stapling\" ignored"),
        ("proxy_pas http://pool;", "crossplane", "unknown directive \"proxy_pas\""),
        (
            "upstream other { server 127.0.0.1:1; }",
            "crossplane",
            "\"upstream\" directive is not allowed here",
        ),
        ("location ~ /v1/(.*) { return 302 http://a.example$1; }", "gixy http_splitting", ""),
        (
            "location /a { proxy_pass http://pool; proxy_set_header Host $http_host; }",
            "gixy host_spoofing",
            "",
        ),
    ];
    let texts: Vec<String> = table.iter().map(|(line, _, _)| GOOD.replace("LINES", line)).collect();
    let paths: Vec<String> = (0..table.len()).map(|at| format!("{at}/nginx.conf")).collect();
    let files: Vec<(&str, &str)> =
        paths.iter().zip(&texts).map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let Some(faults) = check(&files) else { return };
    for ((line, judge, words), path) in table.iter().zip(&paths) {
        let start = format!("{path}: {judge}");
        let said = faults.iter().any(|fault| fault.starts_with(&start) && fault.contains(words));
        assert!(said, "{judge} does not say {words:?} of {line:?}: {faults:#?}");
    }
}
