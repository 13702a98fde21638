//! Sources that hold every statement of the language, made from the declarations of the keywords.
//!
//! The declarations say which statements there are, how each is written and what its block takes. What they cannot say is
//! data, in `language.toml` beside this file: an example of each type of value, the forms of what is written in a way of its
//! own, and what has to stand around a statement for it to mean something. Where the declarations and the data part, the test
//! fails.

use crate::project::Sources;
use meshc_compiler::model::CONDITION_SYNTAX;
use meshc_compiler::reading::{Entry, Repeat, TypeDoc};
use meshc_compiler::reference::{ITEMS, SHAPING};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a statement stands in what is put around it.
const HOLE: &str = "HOLE";

/// The data beside this file.
pub(crate) struct Data {
    types: BTreeMap<String, Vec<String>>,
    /// By the keyword and the signature.
    forms: BTreeMap<(String, String), Vec<String>>,
    around: BTreeMap<String, String>,
    /// Target and path, with the reason why the statement does not show in what is made for it.
    pub(crate) silent: BTreeMap<(String, String), String>,
    /// Forms that have been used.
    used: std::cell::RefCell<std::collections::BTreeSet<String>>,
}

/// One statement in its place, in several ways of writing it.
pub(crate) struct Case {
    /// `host/route/timeout`.
    pub(crate) path: String,
    /// A source without the statement; the place of it is [`HOLE`].
    around: String,
    /// The statement, each time with other values.
    pub(crate) variants: Vec<String>,
}

impl Case {
    /// The source with this statement in its place; without any, if it is empty.
    pub(crate) fn with(&self, statement: &str) -> Sources {
        let mut sources = Sources::of_one(&self.path, self.around.replace(HOLE, statement));
        let start = self.around.find(HOLE).unwrap();
        sources.focus = Some(start..start + statement.len());
        sources
    }
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn expand(key: &str) -> Vec<String> {
    match key.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (choices, after))) => {
            choices.split(',').flat_map(|choice| expand(&format!("{before}{choice}{after}"))).collect()
        }
        None => vec![key.to_owned()],
    }
}

impl Data {
    pub(crate) fn load() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nothing_lost/language.toml");
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let list = |value: &toml::Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let types = table["types"].as_table().unwrap();
        let types = types.iter().map(|(name, values)| (name.clone(), list(values))).collect();
        let mut forms = BTreeMap::new();
        for form in table["forms"].as_array().unwrap() {
            let text = |key: &str| form[key].as_str().unwrap().to_owned();
            forms.insert((text("key"), text("signature")), list(&form["args"]));
        }
        let mut around = BTreeMap::new();
        for (key, text) in table["around"].as_table().unwrap() {
            around.extend(expand(key).into_iter().map(|key| (key, text.as_str().unwrap().to_owned())));
        }
        let mut silent = BTreeMap::new();
        for entry in table.get("silent").and_then(toml::Value::as_array).into_iter().flatten() {
            let text = |key: &str| entry[key].as_str().unwrap().to_owned();
            for target in list(&entry["targets"]) {
                for path in list(&entry["paths"]).iter().flat_map(|path| expand(path)) {
                    silent.insert((target.clone(), path), text("reason"));
                }
            }
        }
        Self { types, forms, around, silent, used: Default::default() }
    }

    /// Every statement of the language.
    ///
    /// # Panics
    ///
    /// Where the data lacks something, all of it.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        let mut faults = Vec::new();
        for item in ITEMS {
            self.walk(item, "", &mut cases, &mut faults);
        }
        let others = SHAPING.iter().map(|(key, form, _)| ("", *key, *form));
        let conditions = CONDITION_SYNTAX.iter().map(|(form, _)| ("when/", "", *form));
        for (owner, key, form) in others.chain(conditions) {
            let path = if key.is_empty() { format!("{owner}{form}") } else { format!("{owner}{key}") };
            self.used.borrow_mut().insert(format!("{key} {form}"));
            let variants = self.forms.get(&(key.to_owned(), form.to_owned()));
            let around =
                self.around.get(&path).or_else(|| self.around.get("when/*").filter(|_| key.is_empty()));
            match (variants, around) {
                (Some(variants), Some(around)) => {
                    cases.push(Case { path, around: around.clone(), variants: variants.clone() });
                }
                _ => faults.push(format!(
                    "`{key}`: `{form}` has no forms, or nothing is said of what stands around it"
                )),
            }
        }
        for (key, signature) in self.forms.keys() {
            if !self.used.borrow().contains(&format!("{key} {signature}")) {
                faults.push(format!("the language has no `{key}` that is written `{signature}`"));
            }
        }
        assert!(faults.is_empty(), "language.toml:\n{}", faults.join("\n"));
        cases
    }

    fn walk(&self, entry: &Entry, owner: &str, cases: &mut Vec<Case>, faults: &mut Vec<String>) {
        let path = format!("{owner}{}", entry.key);
        match (self.variants(entry, owner), self.around(&path)) {
            (Ok(variants), Some(around)) => cases.push(Case { path: path.clone(), around, variants }),
            (Err(fault), _) => faults.push(format!("{path}: {fault}")),
            (_, None) => faults.push(format!("{path}: nothing is said of what stands around it")),
        }
        for inner in (entry.spec)().block.unwrap_or_default() {
            self.walk(&inner, &format!("{path}/"), cases, faults);
        }
    }

    /// What stands around the statement of this path: said of itself, or of all that stands in its block, or made of what
    /// stands around the block.
    fn around(&self, path: &str) -> Option<String> {
        if let Some(around) = self.around.get(path) {
            return Some(around.clone());
        }
        let (owner, key) = path.rsplit_once('/')?;
        if let Some(around) = self.around.get(&format!("{owner}/*")) {
            return Some(around.clone());
        }
        let entry = find(owner)?;
        let block = (entry.spec)().block.unwrap_or_default();
        let others: Vec<String> = block
            .iter()
            .filter(|inner| inner.repeat == Repeat::Needed && inner.key != key)
            .map(|inner| Some(self.variants(inner, owner).ok()?.first()?.clone()))
            .collect::<Option<_>>()?;
        let above = owner.rsplit_once('/').map_or("", |(above, _)| above);
        let head = self.heads(&entry, above).ok()?.first()?.clone();
        let statement = format!("{head} {{\n{}\n{HOLE}\n}}", others.join("\n"));
        Some(self.around(owner)?.replace(HOLE, &statement))
    }

    /// The ways to write a statement of `owner`, its block included.
    fn variants(&self, entry: &Entry, owner: &str) -> Result<Vec<String>, String> {
        let spec = (entry.spec)();
        let heads = self.heads(entry, owner)?;
        let Some(block) = spec.block else { return Ok(heads) };
        if heads.iter().any(|head| head.contains('{')) {
            return Ok(heads);
        }
        let needed: Result<Vec<String>, String> = block
            .iter()
            .filter(|inner| inner.repeat == Repeat::Needed)
            .map(|inner| Ok(self.variants(inner, entry.key)?.swap_remove(0)))
            .collect();
        let needed = needed?.join("; ");
        let block = if needed.is_empty() { String::new() } else { format!(" {{ {needed} }}") };
        Ok(heads.into_iter().map(|head| format!("{head}{block}")).collect())
    }

    /// The ways to write a statement without its block, unless the data say that too.
    fn heads(&self, entry: &Entry, owner: &str) -> Result<Vec<String>, String> {
        let spec = (entry.spec)();
        let owner = owner.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        // What is said of the statement in this block, else of it in any.
        let keys = [format!("{owner}/{}", entry.key), entry.key.to_owned()];
        let known = keys.into_iter().find_map(|key| self.forms.get_key_value(&(key, spec.signature.clone())));
        let args = match known {
            Some((key, forms)) => {
                self.used.borrow_mut().insert(format!("{} {}", key.0, key.1));
                forms.clone()
            }
            None => self.derived(&spec.signature, &spec.types)?,
        };
        Ok(args.iter().map(|args| format!("{} {args}", entry.key).trim_end().to_owned()).collect())
    }

    /// The ways to write what a signature says, if that is words, values, lists and parts that may be left out.
    fn derived(&self, signature: &str, types: &[TypeDoc]) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for alternative in split(signature, " | ") {
            all.extend(self.sequence(alternative, types)?);
        }
        Ok(all)
    }

    /// One way for each value of each part, the other parts at their first.
    fn sequence(&self, signature: &str, types: &[TypeDoc]) -> Result<Vec<String>, String> {
        let mut parts: Vec<Vec<String>> = Vec::new();
        for part in split(signature, " ") {
            parts.push(self.part(part, types)?);
        }
        if parts.len() > 1 && parts.last().is_some_and(|last| last == &["..."]) {
            parts.pop();
            let last = parts.last_mut().unwrap();
            let values: Vec<String> =
                last.iter().map(|value| value.trim_end_matches(',').to_owned()).collect();
            *last = vec![values[0].clone(), values.join(", ")];
        }
        let first: Vec<&str> = parts.iter().map(|values| values[0].as_str()).collect();
        let mut all = vec![first.join(" ")];
        for (at, values) in parts.iter().enumerate() {
            for value in &values[1..] {
                let mut varied = first.clone();
                varied[at] = value;
                all.push(varied.join(" "));
            }
        }
        Ok(all.into_iter().map(|one| one.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }

    fn part(&self, part: &str, types: &[TypeDoc]) -> Result<Vec<String>, String> {
        if let Some(inner) = part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
            if let Some(element) = inner.strip_suffix(", ...") {
                let values = self.part(element, types)?;
                return Ok(vec![format!("[{}]", values[0]), format!("[{}]", values.join(", "))]);
            }
            let mut all = vec![String::new()];
            all.extend(self.derived(inner, types)?);
            return Ok(all);
        }
        let Some(name) = part.trim_end_matches(',').strip_prefix('<').and_then(|part| part.strip_suffix('>'))
        else {
            return if part.contains(['<', '(', '[']) {
                Err(format!("`{part}` is written in a way of its own: it needs forms"))
            } else {
                Ok(vec![part.to_owned()])
            };
        };
        if let Some(values) = self.types.get(name) {
            return Ok(values.clone());
        }
        match types.iter().find(|known| known.name == name) {
            Some(known) if !known.words.is_empty() => {
                Ok(known.words.iter().map(|(word, _)| (*word).to_owned()).collect())
            }
            _ => Err(format!("there is no example of `<{name}>`")),
        }
    }
}

/// The statement at a path.
fn find(path: &str) -> Option<Entry> {
    let mut parts = path.split('/');
    let first = parts.next()?;
    let mut found = *ITEMS.iter().find(|item| item.key == first)?;
    for part in parts {
        found = (found.spec)().block?.into_iter().find(|entry| entry.key == part)?;
    }
    Some(found)
}

/// The parts of a signature outside of its brackets.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        match char {
            '[' | '(' | '<' => depth += 1,
            ']' | ')' | '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 && text[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            at += separator.len();
            start = at;
        } else {
            at += char.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// One source for each statement, in the first way of writing it.
pub(crate) fn sources() -> Vec<Sources> {
    Data::load().cases().iter().map(|case| case.with(&case.variants[0])).collect()
}
