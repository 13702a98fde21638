//! `meshc krm`, fed and read as kustomize does; with kustomize itself where `MESHC_KUSTOMIZE` names it.

use super::{output, program_folder, root, said};
use crate::cli::{Folder, finish};
use serde_yaml::Value;
use std::path::PathBuf;
use std::process::Command;

const SPEC: &str = "sources:
      shop.mesh: |
        namespace shop
        param $canary: percent = 5%
        host web { route all -> $canary web@v2, rest web@v1 }
        service web {
          port http 80
          subset v1 { labels version=v1 }
          subset v2 { labels version=v2 }
        }
";

/// A ResourceList with this functionConfig.
fn list(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {{ name: other }}
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {{ name: web, namespace: shop }}
functionConfig:
  apiVersion: meshc/v1
  kind: {kind}
  metadata:
    name: mesh
    annotations: {{ config.kubernetes.io/local-config: 'true' }}
  spec:
    {spec}"
    )
}

fn run(folder: &Folder, input: &str) -> crate::cli::Run {
    finish(folder.command(&["krm"]), input.as_bytes())
}

fn kinds(out: &str) -> Vec<String> {
    let list: Value = serde_yaml::from_str(out).unwrap();
    assert_eq!(list["kind"], "ResourceList");
    let items = list["items"].as_sequence().unwrap();
    items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_mesh_makes_is_added_and_takes_the_place_of_its_own() {
    let folder = Folder::new(&[]);
    let done = run(&folder, &list("MeshBuild", SPEC));
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(kinds(&done.out), ["ConfigMap", "DestinationRule", "VirtualService"]);
    let again = run(&folder, &done.out);
    assert_eq!((again.code, &again.out), (Some(0), &done.out));
}

#[test]
fn a_project_is_built_for_one_environment_with_values() {
    let folder = Folder::new(&[]);
    folder.run_to(0, &["init", "mesh"]);
    let done = run(&folder, &list("MeshBuild", "{ path: mesh, env: prod, set: { canary: 7% } }\n"));
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("weight: 7\n"), "{}", done.out);
    // Nothing is written beside standard output.
    assert!(folder.names().iter().all(|name| !name.contains("out/")), "{:?}", folder.names());
}

#[test]
fn findings_are_results_and_nothing_is_made() {
    let folder = Folder::new(&[("a.mesh", "host web { route all -> gone }\n")]);
    let done = run(&folder, &list("MeshBuild", "{ path: . }\n"));
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.err.contains("MESH0201"), "{}", done.err);
    assert_eq!(kinds(&done.out), ["ConfigMap", "VirtualService"]);
    let list: Value = serde_yaml::from_str(&done.out).unwrap();
    let result = &list["results"][0];
    assert_eq!(
        (result["severity"].as_str(), result["file"]["path"].as_str()),
        (Some("error"), Some("a.mesh"))
    );
    assert_eq!(result["tags"]["code"], "MESH0201");
}

#[test]
fn what_is_no_mesh_build_is_refused_with_words() {
    let folder = Folder::new(&[]);
    for (input, wanted) in [
        ("", "it has no `kind`"),
        ("kind: ConfigMap\n", "is a `ConfigMap`"),
        ("kind: ResourceList\n", "no `functionConfig`"),
        (&list("StarlarkRun", "{ path: . }\n"), "is `StarlarkRun` of `meshc/v1`"),
        (&list("MeshBuild", "{ path: ., color: red }\n"), "unknown field `color`"),
        (&list("MeshBuild", "{ env: prod }\n"), "either `path` or `sources`"),
        (&list("MeshBuild", "{ path: gone }\n"), "cannot read `gone`"),
        (&list("MeshBuild", "{ path: ., target: traefik }\n"), "no target `traefik`"),
        (&list("MeshBuild", "{ sources: { a.txt: x } }\n"), "not a `.mesh` source"),
        (&list("MeshBuild", "{ sources: {} }\n"), "`sources` holds nothing"),
        (&list("MeshBuild", "{ path: ., set: { canary: [1] } }\n"), "no single value"),
    ] {
        let done = run(&folder, input);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{input}: {}", done.err);
        let says_what_to_do = done.err.contains("  = help: ") || wanted.starts_with("cannot read");
        assert!(done.err.contains(wanted) && says_what_to_do, "{wanted}: {}", done.err);
    }
}

#[test]
fn kustomize_generates_with_it() {
    let Some(kustomize) = std::env::var_os("MESHC_KUSTOMIZE").map(PathBuf::from) else {
        crate::oracle::note("skipped: kustomize: MESHC_KUSTOMIZE names none");
        return;
    };
    let folder = Folder::new(&[]);
    for name in ["kustomization.yaml", "mesh.yaml"] {
        folder.write(name, std::fs::read(root().join("integrations/kustomize").join(name)).unwrap());
    }
    folder.run_to(0, &["init", "mesh"]);
    let path = format!("{}:{}", program_folder().display(), std::env::var("PATH").unwrap());
    let build = |folder: &Folder| {
        let mut command = Command::new(&kustomize);
        command.args(["build", "--enable-alpha-plugins", "--enable-exec", "."]);
        output(command.current_dir(folder.path(".")).env("PATH", &path))
    };
    let built = build(&folder);
    assert!(built.status.success(), "{}", said(&built));
    let text = String::from_utf8(built.stdout).unwrap();
    for kind in ["Gateway", "VirtualService", "DestinationRule"] {
        assert!(text.contains(&format!("\nkind: {kind}\n")), "{kind}: {text}");
    }
    folder.write("mesh/mesh.mesh", "host web { route all -> gone }\nenv prod {}\nenv staging {}\n");
    let refused = build(&folder);
    assert!(!refused.status.success() && said(&refused).contains("MESH0201"), "{}", said(&refused));
}
