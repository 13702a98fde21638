//! An explain page, taken apart: its sections and their examples.
//!
//! A page is `# CODE: title`, prose, `## Failing`, `## Fixed` and, if there is more to say, `## Ways out`. An example is a
//! fenced block whose info string starts with `mesh`; all of a section's blocks together are one project. Behind `mesh`:
//!
//! - `platform/defaults.mesh`: the path of the file; `main.mesh` if none is given;
//! - `escaped`: `\xNN` stands for a byte;
//! - `padded=N`: the file is padded to N bytes with zeros;
//! - `target=NAME`: the project is also fitted to this target; `istio` if none is given;
//! - `istio=1.28`, `istio=1.24..1.28`: the releases that the clusters run;
//! - `ambient`: all namespaces are ambient;
//! - `with=MESHNNNN`: this code is reported too, because it cannot be avoided.

use meshc_targets::istio::{Ambient, Releases};
use std::ops::Range;

/// The headings of the sections in their order; the last one may be left out.
pub(crate) const SECTIONS: [&str; 3] = ["## Failing", "## Fixed", "## Ways out"];

/// The files of one section.
#[derive(Default)]
pub(crate) struct Example {
    pub(crate) files: Vec<File>,
    pub(crate) targets: Vec<String>,
    /// Whether it says what the project builds.
    pub(crate) says_targets: bool,
    /// What the clusters run.
    pub(crate) releases: Releases,
    pub(crate) ambient: Ambient,
    /// Codes that are reported beside the page's.
    pub(crate) with: Vec<String>,
}

/// One file of an example.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The module of the file: `platform/defaults.mesh` is `platform.defaults`.
    pub(crate) fn module(&self) -> String {
        self.path.strip_suffix(".mesh").unwrap_or(&self.path).replace('/', ".")
    }
}

/// Whether a paragraph that begins like this says what shows that a page is right.
fn is_evidence(line: &str) -> bool {
    line.starts_with("Shown by: ") || line.starts_with("We think ")
}

/// The text of a page by section, and what is wrong with its form.
pub(crate) struct Page<'t> {
    lines: Vec<&'t str>,
    /// Lines of each of [`SECTIONS`]; empty for one that is not there.
    sections: [Range<usize>; 3],
    pub(crate) faults: Vec<String>,
}

impl<'t> Page<'t> {
    pub(crate) fn read(text: &'t str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let mut faults = Vec::new();
        let headings: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("## ")).collect();
        let found: Vec<&str> = headings.iter().map(|at| lines[*at]).collect();
        if found != SECTIONS && found != SECTIONS[..2] {
            faults.push(format!("its sections are {found:?}, not {SECTIONS:?}"));
        }
        let section = |heading: &str| {
            let Some(nth) = found.iter().position(|one| *one == heading) else { return 0..0 };
            headings[nth] + 1..headings.get(nth + 1).copied().unwrap_or(lines.len())
        };
        let sections = SECTIONS.map(section);
        faults.extend(
            lines
                .iter()
                .enumerate()
                .filter(|(_, line)| line.chars().count() > 120)
                .map(|(at, _)| format!("line {} is longer than 120 columns", at + 1)),
        );
        // What shows that a page is right is not what it says.
        let shown = |paragraph: &&[&str]| paragraph.first().is_some_and(|line| is_evidence(line));
        let evidence: usize =
            lines.split(|line| line.is_empty()).filter(shown).map(|paragraph| paragraph.len() + 1).sum();
        if lines.len() - evidence > 60 {
            faults.push(format!("{} lines are more than fit on a screen", lines.len() - evidence));
        }
        if !text.ends_with('\n') || text.ends_with("\n\n") {
            faults.push("it does not end with one line break".to_owned());
        }
        Self { lines, sections, faults }
    }

    /// The examples of [`SECTIONS`], in order; no files for a section without any.
    pub(crate) fn examples(&mut self) -> [Example; 3] {
        self.sections.clone().map(|section| {
            let mut example = Example::default();
            let mut lines = self.lines[section].iter();
            while let Some(fence) = lines.next() {
                let Some(info) = fence.strip_prefix("```") else { continue };
                let body: String = lines
                    .by_ref()
                    .take_while(|line| **line != "```")
                    .map(|line| format!("{line}\n"))
                    .collect();
                match info.strip_prefix("mesh") {
                    Some(info) => read_block(info, &body, &mut example, &mut self.faults),
                    None => self.faults.push(format!("a block is `{info}`, not `mesh`")),
                }
            }
            if example.targets.is_empty() {
                example.targets.push("istio".to_owned());
            }
            example
        })
    }
}

fn read_block(info: &str, body: &str, example: &mut Example, faults: &mut Vec<String>) {
    let mut file = File { path: "main.mesh".to_owned(), bytes: body.as_bytes().to_vec() };
    let mut length = 0;
    for word in info.split_whitespace() {
        match word.split_once('=') {
            None if word == "ambient" => example.ambient = Ambient::Everywhere,
            None if word == "escaped" => file.bytes = unescape(body),
            None if word.ends_with(".mesh") => file.path = word.to_owned(),
            Some(("padded", size)) => length = size.parse().unwrap_or_default(),
            Some(("target", name)) => {
                example.says_targets = true;
                example.targets.push(name.to_owned());
            }
            Some(("istio", releases)) => match Releases::parse(releases) {
                Ok(releases) => example.releases = releases,
                Err(error) => faults.push(format!("`{word}`: {error}")),
            },
            Some(("with", code)) => example.with.push(code.to_owned()),
            _ => faults.push(format!("`{word}` means nothing in the info string of an example")),
        }
    }
    if length > file.bytes.len() {
        // Zeros straight from the system: the pages behind the text are never written.
        let mut padded = vec![0; length];
        padded[..file.bytes.len()].copy_from_slice(&file.bytes);
        file.bytes = padded;
    }
    example.files.push(file);
}

/// The bytes of a text in which `\xNN` stands for a byte.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = behind.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
