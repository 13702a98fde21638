//! `rules.tsv`: how each rule of Istio's admission, and each hole in its checkers, is answered.
//!
//! | how | the rule |
//! |---|---|
//! | `literal` | cannot be broken by a value that its type accepts; the code is that of a bad value |
//! | `syntax` | cannot be broken by what the grammar and the keywords can say |
//! | `emitter` | is about something that is never written so |
//! | `check` | is checked, and reported by these codes |
//! | `absent` | is about fields that the language cannot say yet |
//! | `accepted` | is left alone, for the reason in the note |
//! | `open` | is not answered yet |

use meshc_language::Code;
use std::collections::BTreeSet;

struct Rule {
    id: String,
    how: String,
    codes: Vec<String>,
}

const WAYS: [&str; 7] = ["literal", "syntax", "emitter", "check", "absent", "accepted", "open"];

fn rules() -> Vec<Rule> {
    let text = std::fs::read_to_string(super::folder().join("rules.tsv")).unwrap();
    let rule = |line: &str| {
        let mut columns = line.split('\t');
        let mut column = || columns.next().unwrap_or_default().to_owned();
        let (id, how, codes, note) = (column(), column(), column(), column());
        assert!(!note.is_empty() || how == "check", "{id}: say how");
        Rule { id, how, codes: codes.split_whitespace().map(str::to_owned).collect() }
    };
    text.lines().skip(1).map(rule).collect()
}

/// The rules of the design, in its order.
fn ids() -> Vec<String> {
    let groups = [("C", 11), ("G", 16), ("V", 36), ("D", 13), ("S", 10), ("H", 32)];
    groups
        .iter()
        .flat_map(|(group, last)| (1..=*last).map(move |number| format!("{group}{number}")))
        .collect()
}

#[test]
fn every_rule_is_answered() {
    let rules = rules();
    let listed: Vec<&String> = rules.iter().map(|rule| &rule.id).collect();
    assert_eq!(listed, ids().iter().collect::<Vec<_>>());
    for rule in &rules {
        assert!(WAYS.contains(&rule.how.as_str()), "{}: `{}` is not a way", rule.id, rule.how);
        assert_eq!(
            rule.codes.is_empty(),
            !matches!(rule.how.as_str(), "check" | "literal"),
            "{}: codes",
            rule.id
        );
        for code in &rule.codes {
            assert!(Code::find(code).is_some(), "{}: there is no {code}", rule.id);
        }
    }
}

/// A rule stands in the name of a case that breaks it, for each of its codes, and of one that does not.
#[test]
fn rules_have_cases() {
    let mut broken: BTreeSet<(String, String)> = BTreeSet::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for case in super::all() {
        for id in case.name.split_whitespace().take_while(|word| ids().iter().any(|id| id == word)) {
            kept.extend(case.expected.is_empty().then(|| id.to_owned()));
            broken.extend(case.expected.iter().map(|expected| (id.to_owned(), expected.code.clone())));
        }
    }
    let mut missing = Vec::new();
    for Rule { id, how, codes } in rules() {
        let without = codes.iter().filter(|code| !broken.contains(&(id.clone(), (*code).clone())));
        missing.extend(without.map(|code| format!("{id}: no case gets {code}")));
        if matches!(how.as_str(), "check" | "literal") && !kept.contains(&id) {
            missing.push(format!("{id}: no clean case"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
