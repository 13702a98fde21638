//! Definitions of pipelines: held to their schemas, and their scripts run as a server would.

use super::{judge, output, program_folder, root, said};
use crate::cli::Folder;
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::process::{Command, Output};

fn definition(path: &str) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

#[test]
fn definitions_are_those_of_their_schemas() {
    for (schema, path) in [("github-action", "action.yml"), ("gitlab-ci", "integrations/gitlab/meshc.yml")] {
        if let Some(faults) = judge(schema, &root().join(path)) {
            assert_eq!(faults, "", "{path}");
        }
    }
}

/// A project that is built, with what a runner gives to a step.
struct Runner {
    folder: Folder,
    path: String,
}

impl Runner {
    fn new() -> Self {
        let folder = Folder::new(&[]);
        folder.run_to(0, &["init", "mesh"]);
        folder.run_to(0, &["build", "mesh"]);
        let path = format!("{}:{}", program_folder().display(), std::env::var("PATH").unwrap());
        Self { folder, path }
    }

    fn shell(&self, script: &str, variables: &[(String, String)]) -> Output {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.current_dir(self.folder.path(".")).env("PATH", &self.path);
        command.env("GITHUB_STEP_SUMMARY", self.folder.path("summary.md"));
        output(command.envs(variables.iter().map(|(name, value)| (name, value))))
    }

    fn break_sources(&self) {
        let text = std::fs::read_to_string(self.folder.path("mesh/mesh.mesh")).unwrap();
        self.folder.write("mesh/mesh.mesh", text.replace("-> api {", "-> gone {"));
    }
}

/// A value of the action with its expressions filled in, as a runner does.
fn filled(text: &str, inputs: &BTreeMap<&str, &str>) -> String {
    let mut text = text.to_owned();
    for (name, value) in inputs {
        text = text.replace(&format!("${{{{ inputs.{name} }}}}"), value);
    }
    assert!(!text.contains("${{ inputs"), "an input is not declared: {text}");
    text
}

/// Runs the steps of the action after the installation until one fails.
fn action(runner: &Runner, given: &[(&str, &str)]) -> (bool, String) {
    let action = definition("action.yml");
    let declared = action["inputs"].as_mapping().unwrap();
    let mut inputs: BTreeMap<&str, &str> = declared
        .iter()
        .map(|(name, input)| (name.as_str().unwrap(), input["default"].as_str().unwrap()))
        .collect();
    inputs.extend(given.iter().copied());
    let mut text = String::new();
    for step in action["runs"]["steps"].as_sequence().unwrap().iter().skip(1) {
        if step.get("if").is_some() && inputs["locked"] != "true" {
            continue;
        }
        let variables = step["env"].as_mapping().unwrap().iter().map(|(name, value)| {
            (name.as_str().unwrap().to_owned(), filled(value.as_str().unwrap(), &inputs))
        });
        let done = runner.shell(step["run"].as_str().unwrap(), &variables.collect::<Vec<_>>());
        text.push_str(&said(&done));
        if !done.status.success() {
            return (false, text);
        }
    }
    (true, text)
}

#[test]
fn the_action_passes_what_is_right_and_annotates_what_is_wrong() {
    let runner = Runner::new();
    let (passed, text) = action(&runner, &[("path", "mesh"), ("sarif", "meshc.sarif")]);
    assert!(passed, "{text}");
    assert!(runner.folder.path("meshc.sarif").is_file());
    let summary = std::fs::read_to_string(runner.folder.path("summary.md")).unwrap();
    assert_eq!(summary, "**meshc**: no findings\n");
    // An edit of the output by hand.
    let built = "mesh/out/prod/istio/mesh.yaml";
    let output = std::fs::read_to_string(runner.folder.path(built)).unwrap();
    runner.folder.write(built, output.replace("timeout: 5s", "timeout: 50s"));
    let (passed, text) = action(&runner, &[("path", "mesh")]);
    assert!(!passed && text.contains("::error file=mesh/out/prod/istio/mesh.yaml"), "{text}");
    let (passed, text) = action(&runner, &[("path", "mesh"), ("locked", "false")]);
    assert!(passed, "{text}");
    runner.break_sources();
    let (passed, text) = action(&runner, &[("path", "mesh"), ("sarif", "meshc.sarif")]);
    assert!(!passed && text.contains("title=MESH0201::"), "{text}");
}

#[test]
fn the_job_of_gitlab_writes_its_reports_and_fails_for_findings() {
    let job = &definition("integrations/gitlab/meshc.yml")["meshc"];
    let defaults = job["variables"].as_mapping().unwrap();
    let mut variables: Vec<(String, String)> = defaults
        .iter()
        .map(|(name, value)| (name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned()))
        .collect();
    variables.push(("MESHC_PATH".to_owned(), "mesh".to_owned()));
    let lines = job["script"].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap());
    let script = lines.collect::<Vec<_>>().join("\n");
    let runner = Runner::new();
    let done = runner.shell(&script, &variables);
    assert!(done.status.success(), "{}", said(&done));
    runner.break_sources();
    let done = runner.shell(&script, &variables);
    assert!(!done.status.success() && said(&done).contains("MESH0201"), "{}", said(&done));
    for report in job["artifacts"]["reports"].as_mapping().unwrap().values() {
        let text = std::fs::read_to_string(runner.folder.path(report.as_str().unwrap())).unwrap();
        assert!(text.contains("MESH0201"), "{report:?}: {text}");
    }
}

#[test]
fn the_plugin_of_argo_cd_generates_one_environment() {
    let plugin = definition("integrations/argo-cd/plugin.yaml");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let generate = &plugin["spec"]["generate"];
    let command: Vec<String> = generate["command"].as_sequence().unwrap().iter().map(text).collect();
    let arguments: Vec<String> = generate["args"].as_sequence().unwrap().iter().map(text).collect();
    let runner = Runner::new();
    let run = |environment: Option<&str>| {
        let mut run = Command::new(&command[0]);
        run.args(&command[1..])
            .args(&arguments)
            .current_dir(runner.folder.path("mesh"))
            .env("PATH", &runner.path);
        output(run.envs(environment.map(|name| ("ARGOCD_ENV_MESH_ENV", name))))
    };
    let prod = run(Some("prod"));
    assert!(prod.status.success() && prod.stderr.is_empty(), "{}", said(&prod));
    assert!(said(&prod).contains("kind: VirtualService") && said(&prod).contains("- shop.example.com"));
    // The project's own default.
    assert!(said(&run(None)).contains("- shop.staging.example.com"));
    assert_eq!(run(Some("gone")).status.code(), Some(2));
}
