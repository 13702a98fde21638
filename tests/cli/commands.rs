//! The other commands: `init`, `explain`, `targets`, `completions`, `man`, `reference`.

use super::Folder;
use serde_json::Value;

#[test]
fn a_new_project_is_right() {
    let folder = Folder::new(&[]);
    let run = folder.run_to(0, &["init", "shop"]);
    assert!(run.err.contains("wrote shop/mesh.toml\n"), "{}", run.err);
    assert_eq!(folder.names(), ["shop/.pre-commit-config.yaml", "shop/mesh.mesh", "shop/mesh.toml"]);
    folder.run_to(0, &["check", "shop", "--deny", "warnings"]);
    folder.run_to(0, &["fmt", "shop", "--check"]);
    folder.run_to(0, &["build", "shop", "--deny", "warnings"]);
    folder.run_to(0, &["build", "shop", "--env", "prod"]);
    folder.run_to(0, &["build", "shop", "--locked"]);
    let built = folder.read("shop/out/prod/istio/shop.yaml");
    for kind in ["Gateway", "VirtualService", "DestinationRule"] {
        assert!(built.contains(&format!("kind: {kind}\n")), "{kind}: {built}");
    }
    let hooks: Value = serde_yaml::from_str(&folder.read("shop/.pre-commit-config.yaml")).unwrap();
    assert_eq!(hooks["repos"][0]["hooks"].as_array().unwrap().len(), 3);
}

#[test]
fn a_new_project_overwrites_nothing() {
    let folder = Folder::new(&[("mesh.mesh", "# mine\n")]);
    let run = folder.run_to(2, &["init"]);
    assert!(run.err.contains("`mesh.mesh` is already there"), "{}", run.err);
    assert_eq!(folder.files(), [("mesh.mesh".to_owned(), "# mine\n".to_owned())]);
}

#[test]
fn every_code_is_explained() {
    let folder = Folder::new(&[]);
    let json = folder.run_to(0, &["explain", "--list", "--format", "json"]);
    let codes: Vec<Value> = serde_json::from_str(&json.out).unwrap();
    assert!(codes.len() > 50, "{}", codes.len());
    let first = codes[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(first.len(), 5, "{first:?}");
    let listed = folder.run_to(0, &["explain", "--list"]).out;
    for code in &codes {
        assert!(listed.contains(&format!("{}  ", code["code"].as_str().unwrap())), "{code}");
    }
    let page = folder.run_to(0, &["explain", "mesh0201"]);
    assert!(page.out.lines().count() > 3 && page.err.is_empty(), "{}", page.out);
    assert!(page.out.contains("error, untranslatable: "), "{}", page.out);
    let run = folder.run_to(2, &["explain", "MESH9201"]);
    assert!(run.err.contains("did you mean `MESH0201`?"), "{}", run.err);
    assert_eq!(folder.run_to(0, &["explain"]).out, listed);
    let page = folder.run_to(0, &["explain", "MESH0461"]).out;
    assert!(!page.contains("```") && !page.contains("Shown by"), "{page}");
    let help = folder.run_to(0, &["verify", "--help"]).out;
    assert!(help.contains("[possible values: envoy, nginx]"), "{help}");
    assert!(folder.run_to(0, &["--help"]).out.contains("reference "));
}

#[test]
fn the_matrix_has_every_target_in_every_format() {
    let folder = Folder::new(&[]);
    let json = folder.run_to(0, &["targets", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json.out).unwrap();
    let markdown = folder.run_to(0, &["targets", "--format", "markdown"]).out;
    let human = folder.run_to(0, &["targets"]).out;
    let (matrix, differences) = markdown.split_once("\n<!-- and -->\n").unwrap();
    assert_eq!(matrix.lines().count(), rows.len() + 2);
    for named in meshc_targets::Named::ALL {
        let what = named.account().what;
        assert!(differences.contains(&what.replace('|', "\\|")) && human.contains(what), "{what}");
    }
    for row in &rows {
        let feature = row["feature"].as_str().unwrap();
        assert!(row["targets"]["istio"]["support"].is_string(), "{feature}");
        assert!(markdown.contains(&format!("| {feature} | ")) && human.contains(feature), "{feature}");
    }
}

#[test]
fn shells_can_complete_every_command() {
    let folder = Folder::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run_to(0, &["completions", shell]).out;
        for command in ["check", "build", "verify", "fmt", "fix", "explain", "targets"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    folder.run_to(2, &["completions", "basic"]);
}

#[test]
fn there_is_a_page_for_every_command() {
    let folder = Folder::new(&[]);
    assert!(folder.run_to(0, &["man"]).out.contains(".TH meshc 1"));
    folder.run_to(0, &["man", "--out", "pages"]);
    let names = folder.names();
    let help = folder.run_to(0, &["--help"]).out;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let mut expected: Vec<String> = commands.map(|name| format!("pages/meshc-{name}.1")).collect();
    assert!(expected.len() >= 9, "{expected:?}");
    expected.push("pages/meshc.1".to_owned());
    expected.sort();
    assert_eq!(names, expected);
    let page = folder.read("pages/meshc-build.1");
    assert!(page.contains("locked") && page.contains(".TH meshc-build 1"), "{page}");
}

#[test]
fn the_reference_is_printed() {
    let folder = Folder::new(&[]);
    assert!(folder.run_to(0, &["reference"]).out.starts_with("# Language reference\n"));
    assert!(folder.run_to(0, &["--help"]).out.contains("reference"));
}
