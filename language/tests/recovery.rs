//! Broken edits of real files: how much of a file survives a slip of the hand, and what is reported.
//!
//! The edits are data, see `tests/recovery/edits.toml` beside the sources.

#![expect(clippy::unwrap_used, clippy::panic, clippy::string_slice, clippy::print_stdout, reason = "tests")]

use meshc_language::{Block, Code, FileId, Kind, Parsed, Span, Statement, format, parse};
use std::ops::Range;
use std::path::{Path, PathBuf};

const FILE: FileId = FileId(0);

/// At least so many of the statements that an edit does not touch are still there afterwards, over all edits.
const KEPT: f64 = 0.95;

struct Edit {
    what: String,
    file: String,
    before: String,
    after: String,
    /// What each change replaces, in places of `before`.
    touched: Vec<Range<usize>>,
    faults: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recovery")
}

fn text<'t>(table: &'t toml::Table, key: &str) -> &'t str {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("no `{key}` in {table:?}"))
}

fn edits() -> Vec<Edit> {
    let data = std::fs::read_to_string(folder().join("edits.toml")).unwrap();
    let data: toml::Table = data.parse().unwrap();
    data.get("edit")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| edit(entry.as_table().unwrap()))
        .collect()
}

fn edit(entry: &toml::Table) -> Edit {
    let file = text(entry, "file");
    let source = std::fs::read_to_string(folder().join("sources").join(file)).unwrap();
    let before = match entry.get("convert").map(|_| text(entry, "convert")) {
        None => source,
        Some("crlf") => source.replace('\n', "\r\n"),
        Some("tabs") => source.replace("  ", "\t"),
        Some(other) => panic!("`{other}` is no conversion"),
    };
    let mut changes = vec![change(&before, entry)];
    for more in entry.get("and").and_then(toml::Value::as_array).into_iter().flatten() {
        changes.push(change(&before, more.as_table().unwrap()));
    }
    changes.sort_by_key(|(range, _)| range.start);
    let mut after = before.clone();
    for (range, put) in changes.iter().rev() {
        after.replace_range(range.clone(), put);
    }
    let faults = entry.get("faults").and_then(toml::Value::as_array).unwrap();
    Edit {
        what: text(entry, "edit").to_owned(),
        file: file.to_owned(),
        before,
        after,
        touched: changes.into_iter().map(|(range, _)| range).collect(),
        faults: faults.iter().map(|line| line.as_str().unwrap().to_owned()).collect(),
    }
}

/// The smallest replacement that makes `put` out of `find`.
fn change(before: &str, table: &toml::Table) -> (Range<usize>, String) {
    let (find, put) = (text(table, "find"), text(table, "put"));
    let places: Vec<usize> = before.match_indices(find).map(|(at, _)| at).collect();
    let [at] = places[..] else { panic!("`{find}` occurs {} times", places.len()) };
    let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut find.bytes().zip(put.bytes()));
    let (find, put) = (&find[head..], &put[head..]);
    let tail = same(&mut find.bytes().rev().zip(put.bytes().rev()));
    (at + head..at + head + find.len() - tail, put[..put.len() - tail].to_owned())
}

/// A statement: the heads of the statements around it, its own, and where its head stands. A block is not a part of
/// the head, but what stands in it has the head above it.
struct Found {
    path: Vec<(String, Span)>,
}

fn statements(parsed: &Parsed, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for statement in parsed.tree.statements(text) {
        visit(statement, &mut Vec::new(), &mut found);
    }
    found
}

fn visit(statement: Statement<'_>, path: &mut Vec<(String, Span)>, found: &mut Vec<Found>) {
    let mut head = Vec::new();
    let mut span = statement.keyword().map_or(statement.span(), |keyword| keyword.span());
    for argument in statement.all_arguments().filter(|argument| argument.kind != Kind::Block) {
        let words: Vec<&str> = argument.written().split_whitespace().collect();
        head.push(words.join(" "));
        span = span.to(argument.span());
    }
    path.push((head.join(" "), span));
    found.push(Found { path: path.clone() });
    let inside = |block: Block<'_>, path: &mut Vec<_>, found: &mut Vec<_>| {
        for inner in block.statements() {
            visit(inner, path, found);
        }
    };
    for argument in statement.all_arguments() {
        if let Some(block) = argument.block() {
            inside(block, path, found);
        }
    }
    if let Some(block) = statement.block() {
        inside(block, path, found);
    }
    path.pop();
}

/// Whether an edit changes what stands at `span`.
fn touches(edit: &Edit, span: Span) -> bool {
    let (start, end) = (span.start as usize, span.end as usize);
    edit.touched.iter().any(|change| {
        if change.is_empty() {
            start < change.start && change.start < end
        } else {
            change.start < end && start < change.end
        }
    })
}

/// How many statements should be left of the unbroken file, and which of them are not.
fn lost(edit: &Edit, after: &Parsed) -> (usize, Vec<String>) {
    let mut left = statements(after, &edit.after);
    let mut expected = 0;
    let mut lost = Vec::new();
    for statement in statements(&parse(FILE, &edit.before), &edit.before) {
        if statement.path.last().is_some_and(|(_, span)| touches(edit, *span)) {
            continue;
        }
        expected += 1;
        let same = |other: &Found| {
            other.path.len() == statement.path.len()
                && std::iter::zip(&other.path, &statement.path)
                    .all(|((other, _), (head, span))| other == head || touches(edit, *span))
        };
        match left.iter().position(same) {
            Some(at) => _ = left.remove(at),
            None => lost
                .push(statement.path.iter().map(|(head, _)| head.as_str()).collect::<Vec<_>>().join(" > ")),
        }
    }
    (expected, lost)
}

/// A file of the sources, with the places of its strings and comments.
struct Source {
    file: String,
    text: String,
    strings: Vec<Span>,
    comments: Vec<Span>,
}

fn sources() -> Vec<Source> {
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let tree = parse(FILE, &text).tree;
        let places = |wanted: &dyn Fn(Kind) -> bool| {
            tree.nodes().filter(|(_, kind, _)| wanted(*kind)).map(|(_, _, span)| span).collect()
        };
        Source {
            file: path.file_name().unwrap().to_string_lossy().into_owned(),
            strings: places(&|kind| matches!(kind, Kind::Text | Kind::Raw | Kind::TextBlock)),
            comments: places(&|kind| kind.is_comment()),
            text,
        }
    };
    std::fs::read_dir(folder().join("sources")).unwrap().map(|file| source(file.unwrap().path())).collect()
}

impl Source {
    /// The edit that puts `put` at the place of the byte at `at`.
    fn slip(&self, at: usize, put: &str) -> Edit {
        let mut after = self.text.clone();
        after.replace_range(at..at + 1, put);
        let line = self.text[..at].matches('\n').count() + 1;
        Edit {
            what: format!("`{put}` for `{}` in line {line}", &self.text[at..at + 1]),
            file: self.file.clone(),
            before: self.text.clone(),
            after,
            touched: std::iter::once(at..at + 1).collect(),
            faults: vec![],
        }
    }

    fn brackets(&self) -> Vec<usize> {
        let bracket = |(at, char): (usize, char)| "{}[]()".contains(char).then_some(at);
        let hidden =
            |at: usize| self.strings.iter().chain(&self.comments).any(|span| span.range().contains(&at));
        let is_name = |at: usize| self.text[..at].ends_with("${");
        self.text.char_indices().filter_map(bracket).filter(|at| !hidden(*at) && !is_name(*at)).collect()
    }
}

/// Each slip is reported so often, and nearly all of the rest stays: with none of them go more than `most_lost`.
#[track_caller]
fn one_fault_each(slips: &[Edit], reports: std::ops::RangeInclusive<usize>, most_lost: usize) {
    let (mut all, mut kept) = (0, 0);
    for slip in slips {
        let after = parse(FILE, &slip.after);
        let found = &after.diagnostics;
        assert!(reports.contains(&found.len()), "{} of {}: {found:#?}", slip.what, slip.file);
        let (expected, lost) = lost(slip, &after);
        assert!(lost.len() <= most_lost, "{} of {}: {lost:#?}", slip.what, slip.file);
        all += expected;
        kept += expected - lost.len();
    }
    let share = f64::from(kept as u32) / f64::from(all as u32);
    println!(
        "{} slips, reported {reports:?} times each: {kept} of {all} statements kept, {:.2} %",
        slips.len(),
        share * 100.0
    );
    assert!(share >= 0.99);
}

#[test]
fn each_bracket_left_out_or_doubled_is_one_fault() {
    let mut slips = Vec::new();
    for source in sources() {
        for at in source.brackets() {
            slips.push(source.slip(at, ""));
            slips.push(source.slip(at, &source.text[at..at + 1].repeat(2)));
        }
    }
    // The block of a one-line item without its `{`.
    one_fault_each(&slips, 1..=1, 4);
}

#[test]
fn each_quote_left_out_is_one_fault() {
    let mut slips = Vec::new();
    for source in sources() {
        for string in source.strings.iter().filter(|string| !source.text[string.range()].contains('\n')) {
            slips.push(source.slip(string.end as usize - 1, ""));
            if source.text[string.range()].starts_with('"') {
                slips.push(source.slip(string.start as usize, ""));
            }
        }
    }
    one_fault_each(&slips, 1..=1, 4);
}

#[test]
fn each_line_left_out_is_at_most_one_fault() {
    let mut slips = Vec::new();
    for source in sources() {
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let range = start..start + line.len();
            let mut slip = source.slip(start, "");
            slip.after = source.text.clone();
            slip.after.replace_range(range.clone(), "");
            slip.what = format!("left out `{}`", line.trim_end());
            slip.touched = vec![range];
            slips.push(slip);
            start += line.len();
        }
    }
    // With the line that opens a block goes what stood in it.
    one_fault_each(&slips, 0..=1, 20);
}

fn line_of(text: &str, span: Span) -> &str {
    let start = text[..span.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].split(['\n', '\r']).next().unwrap_or_default()
}

#[test]
fn the_sources_are_sound_and_canonical() {
    for file in std::fs::read_dir(folder().join("sources")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let parsed = parse(FILE, &text);
        assert_eq!(parsed.diagnostics, []);
        assert!(statements(&parsed, &text).len() >= 60);
        assert_eq!(format(FILE, &text).text, text);
    }
}

/// The text with each report's edit applied.
fn mended(text: &str, parsed: &Parsed) -> String {
    let fixes = parsed.diagnostics.iter().filter_map(|report| report.fix.as_ref());
    let mut edits: Vec<_> = fixes.flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| edit.span);
    let mut text = text.to_owned();
    for edit in edits.into_iter().rev() {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    text
}

/// A piece with two faults has one report; with it gone, the next one shows.
const ROUNDS: usize = 3;

#[test]
fn the_offered_edits_mend_the_faults() {
    let (mut faulty, mut restored) = (0, 0);
    for edit in edits() {
        let mut text = edit.after.clone();
        let mut parsed = parse(FILE, &text);
        if parsed.diagnostics.is_empty() {
            continue;
        }
        faulty += 1;
        for _ in 0..ROUNDS {
            text = mended(&text, &parsed);
            parsed = parse(FILE, &text);
        }
        assert_eq!(parsed.diagnostics, [], "{}", edit.what);
        restored += usize::from(format(FILE, &text).text == format(FILE, &edit.before).text);
    }
    println!(
        "{faulty} faulty texts are mended by the edits that their reports offer, {restored} to what they were"
    );
}

#[test]
fn broken_edits_keep_the_rest() {
    let edits = edits();
    assert!(edits.len() >= 60);
    let (mut all, mut kept, mut wrong) = (0, 0, Vec::new());
    for edit in &edits {
        let after = parse(FILE, &edit.after);
        let (expected, lost) = lost(edit, &after);
        all += expected;
        kept += expected - lost.len();
        let syntax = after.diagnostics.iter().filter(|report| report.code != Code::INVISIBLE_CHARACTER);
        let mut reported: Vec<&str> = syntax.map(|report| line_of(&edit.after, report.span)).collect();
        let mut faults: Vec<&str> = edit.faults.iter().map(String::as_str).collect();
        reported.sort_unstable();
        faults.sort_unstable();
        if !lost.is_empty() {
            println!("{} ({}): {} of {expected} lost", edit.what, edit.file, lost.len());
            lost.iter().for_each(|statement| println!("    {statement}"));
        }
        if reported != faults {
            wrong.push(format!(
                "{} ({}): reported at {reported:#?}, not at {faults:#?}",
                edit.what, edit.file
            ));
        }
    }
    let share = f64::from(kept as u32) / f64::from(all as u32);
    println!("{} edits: {kept} of {all} statements kept, {:.2} %", edits.len(), share * 100.0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(share >= KEPT, "{:.2} %", share * 100.0);
}
