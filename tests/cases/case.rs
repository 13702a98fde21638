//! One case: its files, its options, what it expects.

use meshc_compiler::Input;
use meshc_compiler::model::Controller;
use meshc_compiler::values::{Date, Literal};
use meshc_language::{Edit, SourceFile};
use meshc_targets::istio::{Ambient, Releases};
use std::collections::{BTreeMap, BTreeSet};

/// A case.
#[derive(Clone)]
pub(super) struct Case {
    /// The file that it stands in.
    pub(super) file: String,
    /// What stands behind `===`.
    pub(super) name: String,
    /// Its files: name and text. Lines keep the numbers that they have in the file of the case.
    pub(super) files: Vec<(String, String)>,
    pub(super) environment: Option<String>,
    /// What the project builds; everything if nothing is said.
    pub(super) targets: Vec<Controller>,
    /// The targets that judge it, each with the gateways that are its own.
    pub(super) judges: Vec<Controller>,
    /// What the clusters run.
    pub(super) releases: Releases,
    pub(super) ambient: Ambient,
    /// Values of the command line: name and value.
    pub(super) set: Vec<(String, String)>,
    pub(super) today: Option<Date>,
    pub(super) expected: Vec<Expected>,
    line: usize,
}

/// A report that must come.
#[derive(Clone)]
pub(super) struct Expected {
    /// The line that it points at, from 1.
    pub(super) line: usize,
    pub(super) code: String,
    /// A part of its message.
    pub(super) text: String,
}

/// Where a case stands, for messages.
pub(super) type Place = String;

/// The cases of one file.
pub(super) fn read(file: &str, text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("# === ")).collect();
    let first = starts.first().copied().unwrap_or(lines.len());
    let mut cases = Vec::new();
    if lines[..first].iter().any(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        cases.push(one(file, "", &lines, 0, first));
    }
    for (at, start) in starts.iter().enumerate() {
        let end = starts.get(at + 1).copied().unwrap_or(lines.len());
        let name = lines[*start].trim_start_matches("# === ").trim();
        cases.push(one(file, name, &lines, *start, end));
    }
    cases
}

fn one(file: &str, name: &str, lines: &[&str], start: usize, end: usize) -> Case {
    let mut case = Case {
        file: file.to_owned(),
        name: name.to_owned(),
        files: Vec::new(),
        environment: None,
        targets: Controller::ALL.to_vec(),
        judges: vec![Controller::Istio],
        releases: Releases::default(),
        ambient: Ambient::default(),
        set: Vec::new(),
        today: None,
        expected: Vec::new(),
        line: start + 1,
    };
    let mut current = ("case.mesh".to_owned(), "\n".repeat(start));
    for (at, line) in lines.iter().enumerate().take(end).skip(start) {
        if let Some(name) = line.strip_prefix("# --- ") {
            let next = (name.trim().to_owned(), "\n".repeat(at));
            case.files.push(std::mem::replace(&mut current, next));
        }
        if let Some(name) = line.strip_prefix("# environment: ") {
            case.environment = Some(name.trim().to_owned());
        }
        if let Some(names) = line.strip_prefix("# targets: ") {
            case.targets = controllers(names);
        }
        if let Some(names) = line.strip_prefix("# judges: ") {
            case.judges = controllers(names);
        }
        if let Some(releases) = line.strip_prefix("# istio: ") {
            case.releases = Releases::parse(releases.trim()).unwrap();
        }
        if let Some(namespaces) = line.strip_prefix("# ambient: ") {
            case.ambient = match namespaces.trim() {
                "all" => Ambient::Everywhere,
                some => Ambient::In(some.split(", ").map(ToOwned::to_owned).collect()),
            };
        }
        if let Some((name, value)) = line.strip_prefix("# set: ").and_then(|set| set.split_once('=')) {
            case.set.push((name.to_owned(), value.to_owned()));
        }
        if let Some(day) = line.strip_prefix("# today: ") {
            case.today = Some(Date::parse(day.trim()).unwrap());
        }
        case.expected.extend(expectations(at + 1, line));
        current.1.push_str(line);
        current.1.push('\n');
    }
    case.files.push(current);
    // What stands before the first `---` may be nothing but the name.
    let says_something =
        |text: &str| text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'));
    case.files.retain(|(_, text)| says_something(text));
    case
}

fn controllers(names: &str) -> Vec<Controller> {
    names.split(", ").map(|name| Controller::parse(name.trim()).unwrap()).collect()
}

const MARK: &str = "# ~";

/// The expectations behind a line.
fn expectations(line: usize, text: &str) -> Vec<Expected> {
    let Some((_, marked)) = text.split_once(MARK) else { return Vec::new() };
    let expectation = |part: &str| {
        let above = part.bytes().take_while(|byte| *byte == b'^').count();
        let part = part.trim_start_matches('^').trim();
        let (code, text) = part.split_once(' ').unwrap_or((part, ""));
        Expected { line: line - above, code: code.to_owned(), text: text.trim().to_owned() }
    };
    marked.split(MARK).map(expectation).collect()
}

/// The file with what was reported in place of what was expected.
pub(super) fn rewritten(text: &str, reported: &BTreeMap<usize, Vec<String>>) -> String {
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        let kept = line.split_once(MARK).map_or(line, |(kept, _)| kept.trim_end());
        if kept.is_empty() && line.contains(MARK) {
            continue;
        }
        out.push_str(kept);
        let reports = reported.get(&(at + 1)).map_or(&[][..], |reports| reports);
        for (behind, report) in reports.iter().enumerate() {
            out.push_str(if behind == 0 { " " } else { "\n" });
            out.push_str(&format!("{MARK}{} {report}", "^".repeat(behind)));
        }
        out.push('\n');
    }
    out
}

impl Case {
    /// Its files as the compiler takes them, in the order of their names.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let input = |(name, text): &(String, String)| Input {
            module: name.strip_suffix(".mesh").unwrap_or(name).replace('/', "."),
            file: SourceFile { name: name.clone(), text: text.clone() },
        };
        let mut inputs: Vec<Input> = self.files.iter().map(input).collect();
        inputs.sort_by(|left, right| left.module.cmp(&right.module));
        inputs
    }

    /// The case without the comments that say what is expected.
    pub(super) fn without_expectations(&self) -> Self {
        let mut case = self.clone();
        for (_, text) in &mut case.files {
            let lines: Vec<&str> = text
                .lines()
                .map(|line| line.split_once(MARK).map_or(line, |(kept, _)| kept.trim_end()))
                .collect();
            *text = lines.join("\n") + "\n";
        }
        case
    }

    /// The case with edits made, and the lines that are changed by them.
    pub(super) fn edited(mut self, mut edits: Vec<Edit>) -> (Self, BTreeSet<usize>) {
        // In this order the files are read, which numbers them.
        self.files.sort_by(|(left, _), (right, _)| left.cmp(right));
        edits.sort_by_key(|edit| edit.span);
        let mut changed = BTreeSet::new();
        for edit in edits.iter().rev() {
            let text = &mut self.files[edit.span.file.0 as usize].1;
            let first = text.get(..edit.span.start as usize).unwrap().matches('\n').count() + 1;
            let added = edit.replacement.matches('\n').count();
            let removed = text.get(edit.span.range()).unwrap().matches('\n').count();
            changed = changed.into_iter().map(|line: usize| line + added - removed).collect();
            changed.extend(first..=first + added);
            text.replace_range(edit.span.range(), &edit.replacement);
        }
        (self, changed)
    }

    /// A line of one of its files.
    pub(super) fn line(&self, line: usize) -> Option<&str> {
        self.files.iter().filter_map(|(_, text)| text.lines().nth(line - 1)).next_back()
    }

    /// Where it stands, and its name.
    pub(super) fn title(&self) -> String {
        format!("{}: {}", self.place(), self.name)
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        format!("tests/cases/{}:{}", self.file, self.line)
    }
}
