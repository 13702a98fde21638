//! Reports for machines.

use super::{CLEAN, ERROR, Folder};
use serde_json::Value;

/// Two files, so that a report has a second place in another one.
fn folder() -> Folder {
    Folder::new(&[("a b/one.mesh", ERROR), ("a b/two.mesh", "service web {\n  port http \"80\"\n}\n")])
}

#[test]
fn json_is_an_array_of_the_documented_fields() {
    let folder = folder();
    let run = folder.run_to(1, &["check", "--format", "json"]);
    assert_eq!(run.err, "");
    let records: Vec<Value> = serde_json::from_str(&run.out).unwrap();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let documented: Vec<String> =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md"))
            .unwrap()
            .lines()
            // What follows is about `meshc verify`.
            .take_while(|line| !line.starts_with("## `meshc verify`"))
            .filter_map(|line| line.strip_prefix("| `"))
            .flat_map(|line| {
                line.split(" | ")
                    .next()
                    .unwrap()
                    .split('`')
                    .step_by(2)
                    .map(ToOwned::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter(|name| name.chars().all(|char| char.is_ascii_lowercase()) && !name.is_empty())
            .collect();
    for record in &records {
        let mut fields = fields(record);
        let mut documented = documented.clone();
        fields.sort();
        documented.sort();
        assert_eq!(fields, documented);
    }
    let twice = records.iter().find(|record| record["code"] == "MESH0208").unwrap();
    assert_eq!(twice["file"], "a b/two.mesh");
    assert_eq!(twice["related"][0]["file"], "a b/one.mesh");
    assert_eq!(twice["start"], serde_json::json!({ "line": 1, "column": 9 }));
    let fixable = records.iter().find(|record| record["code"] == "MESH0302").unwrap();
    assert_eq!(fixable["fix"]["applicability"], "safe");
    assert_eq!(fixable["fix"]["edits"][0]["replacement"], "80");
    let dangling = records.iter().find(|record| record["code"] == "MESH0201").unwrap();
    assert_eq!(dangling["foreign"][0], "IST0101");
}

#[test]
fn json_is_sorted_and_empty_when_clean() {
    let folder = folder();
    let first = folder.run(&["check", "--format", "json"]).out;
    for _ in 0..3 {
        assert_eq!(folder.run(&["check", "--format", "json"]).out, first);
    }
    let clean = Folder::new(&[("a.mesh", CLEAN)]);
    assert_eq!(clean.run_to(0, &["check", "--format", "json"]).out, "[]\n");
}

#[test]
fn sarif_has_rules_results_and_fixes() {
    let folder = folder();
    let run = folder.run_to(1, &["check", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["tool"]["driver"]["name"], "meshc");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 3, "{results:?}");
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().starts_with("a%20b/"));
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
    let fixable = results.iter().find(|result| result["ruleId"] == "MESH0302").unwrap();
    assert_eq!(fixable["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "80");
    let twice = results.iter().find(|result| result["ruleId"] == "MESH0208").unwrap();
    assert!(twice["relatedLocations"][0]["message"]["text"].is_string());
    let clean = Folder::new(&[("a.mesh", CLEAN)]).run_to(0, &["check", "--format", "sarif"]);
    assert_eq!(
        serde_json::from_str::<Value>(&clean.out).unwrap()["runs"][0]["results"],
        serde_json::json!([])
    );
}

#[test]
fn github_commands_stand_on_one_line_each() {
    let folder = Folder::new(&[("a,b:c.mesh", ERROR), ("x.mesh", "const $unused = 5s\n")]);
    let run = folder.run_to(1, &["check", "--format", "github"]);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.out);
    let expected = "::error file=a%2Cb%3Ac.mesh,line=6,endLine=6,col=16,endColumn=19,title=MESH0201::";
    assert!(lines[0].starts_with(expected) && lines[0].contains("%0Ahelp: "), "{}", run.out);
    assert!(lines[1].starts_with("::warning file=x.mesh,line=1,"), "{}", run.out);
    assert!(run.err.ends_with("1 error, 1 warning in 2 files\n"), "{}", run.err);
}

#[test]
fn only_some_environments_are_named() {
    let routes = "service web { port http 80 }\nhost web { route all -> web }\nenv prod {}\nenv test {}\n";
    let folder =
        Folder::new(&[("a.mesh", &format!("{routes}in prod {{ host other {{ route all -> gone }} }}\n"))]);
    assert!(folder.run_to(1, &["check"]).err.contains("= only in: prod\n"));
    let records: Vec<Value> =
        serde_json::from_str(&folder.run_to(1, &["check", "--format", "json"]).out).unwrap();
    assert_eq!(records[0]["environments"], serde_json::json!(["prod"]));
}
