//! The language reference page: what the compiler declares of each keyword and value, put in order.

use crate::exit::Failure;
use crate::template;
use meshc_compiler::model::CONDITION_SYNTAX;
use meshc_compiler::policy::{SharedRouteOptions, TrafficPolicy};
use meshc_compiler::project::{ParameterType, STANDARD_LIBRARY};
use meshc_compiler::reading::{Entry, Repeat, Section, TypeDoc};
use meshc_compiler::reference::{ITEMS, LATER, SHAPING};
use meshc_compiler::values::Literal;
use meshc_language::code::{self as registry, KINDS, Kind, REGISTRY};
use serde::Serialize;

/// Longest form of a statement, in bytes, that stands in a table if it also stands at its own heading.
const LONGEST_FORM: usize = 80;

/// The page, in Markdown.
pub(crate) fn page() -> Result<String, Failure> {
    template::render("reference", include_str!("../templates/reference.md"), &Page::collect())
}

#[derive(Serialize)]
struct Page {
    shaping: Vec<Form>,
    chapters: Vec<Chapter>,
    conditions: Vec<Form>,
    parameters: Vec<Word>,
    values: Vec<Value>,
    library: Vec<Module>,
    kinds: Vec<KindOfReport>,
    reports: Vec<Report>,
    later: Vec<&'static str>,
}

/// How something is written, and what it means.
#[derive(Serialize)]
struct Form {
    form: String,
    meaning: String,
}

#[derive(Serialize)]
struct Chapter {
    title: &'static str,
    anchor: String,
    intro: &'static str,
    blocks: Vec<Block>,
}

impl Chapter {
    fn new(title: &'static str, intro: &'static str, blocks: Vec<Block>) -> Self {
        Self { title, anchor: anchor(title), intro, blocks }
    }
}

/// The statements of a block, or of a group of statements that several blocks share.
#[derive(Serialize)]
struct Block {
    title: String,
    anchor: String,
    form: String,
    meaning: String,
    source: String,
    used_in: Vec<String>,
    statements: Vec<Statement>,
}

#[derive(Serialize)]
struct Statement {
    /// As it is written; a link if its block is described elsewhere.
    form: String,
    times: &'static str,
    meaning: String,
    source: String,
}

#[derive(Serialize)]
struct Word {
    word: &'static str,
    meaning: String,
}

#[derive(Serialize)]
struct Value {
    name: &'static str,
    meaning: String,
    words: Vec<Word>,
}

/// A module of the standard library.
#[derive(Serialize)]
struct Module {
    name: &'static str,
    /// The comment at its beginning.
    intro: String,
    definitions: Vec<Definition>,
}

/// A public definition of a module.
#[derive(Default, Serialize)]
struct Definition {
    /// Its keyword and name.
    title: String,
    meaning: String,
    /// The comment in front of it, in paragraphs.
    notes: String,
    /// As it stands in the module.
    source: String,
}

/// A kind of report.
#[derive(Serialize)]
struct KindOfReport {
    name: &'static str,
    meaning: &'static str,
    accepted: &'static str,
}

/// A code of the registry.
#[derive(Serialize)]
struct Report {
    code: String,
    level: &'static str,
    kind: &'static str,
    title: &'static str,
}

fn kinds() -> Vec<KindOfReport> {
    let of = |kind: Kind| KindOfReport {
        name: kind.name(),
        meaning: kind.meaning(),
        accepted: match kind {
            Kind::NotMeant | Kind::Harmless => "accepts errors too",
            Kind::Refused | Kind::Untranslatable | Kind::OurLimit | Kind::Policy => {
                "accepts warnings and notes only"
            }
        },
    };
    KINDS.into_iter().map(of).collect()
}

fn reports() -> Vec<Report> {
    let of = |entry: &registry::Entry| Report {
        code: entry.code.to_string(),
        level: entry.severity.name(),
        kind: entry.kind.name(),
        title: entry.title,
    };
    REGISTRY.iter().map(of).collect()
}

/// Statements that many blocks share; a block that takes all of them refers to them.
struct Group {
    title: &'static str,
    meaning: &'static str,
    owner: &'static str,
    entries: Vec<Entry>,
}

impl Group {
    fn of<S: Section>(title: &'static str, owner: &'static str, meaning: &'static str) -> Self {
        let mut entries = Vec::new();
        S::entries(&mut entries);
        // `policy` stands in more blocks than the rest, and means another side in each.
        entries.retain(|entry| entry.key != "policy");
        Self { title, meaning, owner, entries }
    }

    fn holds(&self, entry: &Entry) -> bool {
        self.entries.iter().any(|known| Identity::of(known) == Identity::of(entry))
    }

    fn is_in(&self, block: &[Entry]) -> bool {
        self.entries.iter().all(|entry| block.iter().any(|other| Identity::of(entry) == Identity::of(other)))
    }
}

/// What makes two statements the same: how they are written and what their blocks hold.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    key: &'static str,
    signature: String,
    block: Option<Vec<&'static str>>,
}

impl Identity {
    fn of(entry: &Entry) -> Self {
        let spec = (entry.spec)();
        let block = spec.block.map(|entries| entries.iter().map(|entry| entry.key).collect());
        Self { key: entry.key, signature: spec.signature, block }
    }
}

/// A statement with a block, and where it stands.
struct Known {
    entry: Entry,
    identity: Identity,
    owners: Vec<&'static str>,
}

struct Collector {
    groups: Vec<Group>,
    known: Vec<Known>,
    types: Vec<TypeDoc>,
}

impl Page {
    fn collect() -> Self {
        let mut collector = Collector { groups: groups(), known: Vec::new(), types: Vec::new() };
        for group in groups() {
            collector.visit(&group.entries, group.owner);
        }
        for item in ITEMS {
            let spec = (item.spec)();
            collector.note_types(&spec.types);
            collector.visit(&spec.block.unwrap_or_default(), item.key);
        }
        Self {
            shaping: SHAPING.iter().map(|(_, form, meaning)| form_of(form, meaning)).collect(),
            chapters: collector.chapters(),
            conditions: CONDITION_SYNTAX.iter().map(|(form, meaning)| form_of(form, meaning)).collect(),
            parameters: words(ParameterType::WORDS),
            values: collector.values(),
            library: STANDARD_LIBRARY.iter().map(|(name, text)| module(name, text)).collect(),
            kinds: kinds(),
            reports: reports(),
            later: LATER.to_vec(),
        }
    }
}

fn groups() -> Vec<Group> {
    vec![
        Group::of::<SharedRouteOptions>(
            "Statements of routing",
            "a route",
            "What is done to a request. They are allowed in the block of a `route` and in a `policy`.",
        ),
        Group::of::<TrafficPolicy>(
            "Statements of calling",
            "a destination",
            "How a destination is called once it is chosen. They are allowed in the block of a `service`, \
             `external`, `subset` or `port`, and in a `policy`. The most specific one wins: a subset before a port before its service.",
        ),
    ]
}

impl Collector {
    fn visit(&mut self, entries: &[Entry], owner: &'static str) {
        for entry in entries {
            let spec = (entry.spec)();
            self.note_types(&spec.types);
            let Some(inner) = spec.block else { continue };
            let group = self.groups.iter().find(|group| group.owner != owner && group.holds(entry));
            if group.is_some() {
                continue;
            }
            let identity = Identity::of(entry);
            if let Some(known) = self.known.iter_mut().find(|known| known.identity == identity) {
                if !known.owners.contains(&owner) {
                    known.owners.push(owner);
                }
                continue;
            }
            self.known.push(Known { entry: *entry, identity, owners: vec![owner] });
            self.visit(&inner, entry.key);
        }
    }

    fn chapters(&self) -> Vec<Chapter> {
        let items = ITEMS.iter().map(|item| self.block(item, format!("`{}`", item.key), Vec::new()));
        let groups = self.groups.iter().map(|group| self.group(group));
        let blocks =
            self.known.iter().map(|known| self.block(&known.entry, self.title(known), quoted(&known.owners)));
        vec![
            Chapter::new(
                "Items",
                "What is at the top of a file and becomes a resource, or a bundle to be named. A statement is allowed once in its block unless the table says otherwise.",
                items.collect(),
            ),
            Chapter::new("Shared statements", "Statements that several blocks take.", groups.collect()),
            Chapter::new("Blocks", "The statements with a block of their own.", blocks.collect()),
        ]
    }

    fn note_types(&mut self, types: &[TypeDoc]) {
        for kind in types {
            if !self.types.contains(kind) {
                self.types.push(*kind);
            }
        }
    }

    /// The heading of a block: its keyword, and where it stands if there are several of that name.
    fn title(&self, known: &Known) -> String {
        let same = self.known.iter().filter(|other| other.entry.key == known.entry.key).count();
        let key = known.entry.key;
        if same == 1 && !ITEMS.iter().any(|item| item.key == key) {
            format!("`{key}`")
        } else {
            format!("`{key}` of {}", quoted(&known.owners).join(", "))
        }
    }

    fn block(&self, entry: &Entry, title: String, used_in: Vec<String>) -> Block {
        let spec = (entry.spec)();
        let entries = spec.block.unwrap_or_default();
        let (meaning, source) = meaning(entry.docs);
        let block = if entries.is_empty() { "" } else { " { ... }" };
        Block {
            anchor: anchor(&title),
            title,
            form: format!("{} {}{block}", entry.key, spec.signature).replace("  ", " "),
            meaning,
            source,
            used_in,
            statements: self.statements(&entries),
        }
    }

    fn group(&self, group: &Group) -> Block {
        Block {
            title: group.title.to_owned(),
            anchor: anchor(group.title),
            form: String::new(),
            meaning: group.meaning.to_owned(),
            source: String::new(),
            used_in: Vec::new(),
            statements: group.entries.iter().map(|entry| self.statement(entry)).collect(),
        }
    }

    /// The statements of a block; a whole group becomes one line.
    fn statements(&self, entries: &[Entry]) -> Vec<Statement> {
        let whole: Vec<&Group> = self.groups.iter().filter(|group| group.is_in(entries)).collect();
        let own = entries.iter().filter(|entry| !whole.iter().any(|group| group.holds(entry)));
        let mut statements: Vec<Statement> = own.map(|entry| self.statement(entry)).collect();
        statements.extend(whole.iter().map(|group| Statement {
            form: link(group.title, group.title),
            times: "",
            meaning:
                group.entries.iter().map(|entry| format!("`{}`", entry.key)).collect::<Vec<_>>().join(", "),
            source: String::new(),
        }));
        statements
    }

    fn statement(&self, entry: &Entry) -> Statement {
        let spec = (entry.spec)();
        let (meaning, source) = meaning(entry.docs);
        let identity = Identity::of(entry);
        let block = self.known.iter().find(|known| known.identity == identity).map(|known| self.title(known));
        let form = format!("{} {}", entry.key, spec.signature);
        let form = form.trim_end();
        Statement {
            form: cell(&match block {
                Some(title) if form.len() > LONGEST_FORM => {
                    link(&format!("`{} ... {{ ... }}`", entry.key), &title)
                }
                Some(title) => link(&format!("`{form} {{ ... }}`"), &title),
                None => format!("`{form}`"),
            }),
            times: match entry.repeat {
                Repeat::Once => "",
                Repeat::Needed => "needed",
                Repeat::Many => "any number",
            },
            meaning: cell(&meaning),
            source: cell(&source),
        }
    }

    fn values(&self) -> Vec<Value> {
        let mut values: Vec<Value> = self.types.iter().map(value).collect();
        values.sort_by_key(|value| value.name.to_lowercase());
        values
    }
}

/// A value; one that is a word needs no list of them beside its table.
fn value(kind: &TypeDoc) -> Value {
    let meaning = kind.doc.trim();
    let listed = !kind.words.is_empty() && meaning.starts_with("one of ");
    Value {
        name: kind.name,
        meaning: if listed { String::new() } else { cell(meaning) },
        words: words(kind.words),
    }
}

fn quoted(owners: &[&'static str]) -> Vec<String> {
    let article = |owner: &str| owner.starts_with("a ");
    owners
        .iter()
        .map(|owner| if article(owner) { (*owner).to_owned() } else { format!("`{owner}`") })
        .collect()
}

fn form_of(form: &str, meaning: &str) -> Form {
    Form { form: cell(form), meaning: cell(meaning) }
}

fn words(words: &[(&'static str, &'static str)]) -> Vec<Word> {
    words.iter().map(|(word, meaning)| Word { word, meaning: cell(meaning.trim()) }).collect()
}

/// The lines of a documentation as a text, and the field of Istio that it names at its end.
fn meaning(docs: &[&str]) -> (String, String) {
    let text = docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    match text.rsplit_once("Istio: ") {
        Some((meaning, source)) => (meaning.trim().to_owned(), source.trim_end_matches('.').to_owned()),
        None => (text, String::new()),
    }
}

/// The anchor that GitHub and others give to a heading.
fn anchor(heading: &str) -> String {
    let text = heading.to_lowercase();
    let kept = text.chars().filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-'));
    kept.map(|char| if char == ' ' { '-' } else { char }).collect()
}

fn link(text: &str, heading: &str) -> String {
    format!("[{text}](#{})", anchor(heading))
}

/// A text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A module of the standard library, by its comments: `#` at its beginning and in front of a definition, `##` for what it is.
fn module(name: &'static str, text: &str) -> Module {
    let (intro, rest) = text.split_once("\n\n").unwrap_or(("", text));
    let mut definitions = Vec::new();
    for item in rest.split("\n\n").filter(|item| item.contains("\npub ")) {
        let mut definition = Definition::default();
        let (comments, code): (Vec<&str>, Vec<&str>) = item.lines().partition(|line| line.starts_with('#'));
        let (docs, notes): (Vec<&str>, Vec<&str>) = comments.iter().partition(|line| line.starts_with("##"));
        definition.meaning = uncommented(&docs);
        definition.notes = uncommented(&notes);
        definition.source = code.join("\n");
        let words: Vec<&str> = definition.source.split([' ', '(']).skip(1).take(2).collect();
        definition.title = words.join(" ");
        definitions.push(definition);
    }
    Module { name, intro: uncommented(&intro.lines().collect::<Vec<_>>()), definitions }
}

/// The text of lines of comments. What else stands among them, such as `use`, is left out.
fn uncommented(lines: &[&str]) -> String {
    let comments = lines.iter().filter(|line| line.starts_with('#'));
    comments.map(|line| line.trim_start_matches('#').trim()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_in_the_repository_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
        let page = page().unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == page, "docs/reference.md is out of date; UPDATE=1 cargo test -p meshc-cli writes it");
    }

    #[test]
    fn every_link_leads_to_a_heading() {
        let page = page().unwrap();
        let anchors: Vec<String> = page
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect();
        let targets: Vec<&str> =
            page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(targets.len() > 20, "{}", targets.len());
        for target in &targets {
            assert!(anchors.iter().any(|anchor| anchor == target), "{target} is no heading of {anchors:?}");
        }
        let mut unique = anchors.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), anchors.len(), "two headings have one name");
    }

    #[test]
    fn every_statement_is_described() {
        let page = Page::collect();
        for block in page.chapters.iter().flat_map(|chapter| &chapter.blocks) {
            assert!(!block.meaning.is_empty(), "{}", block.title);
            for statement in &block.statements {
                assert!(!statement.meaning.is_empty(), "{} of {}", statement.form, block.title);
            }
        }
        assert!(page.values.iter().all(|value| !value.meaning.is_empty() || !value.words.is_empty()));
        assert!(page.library.iter().all(|module| !module.definitions.is_empty()));
    }
}
