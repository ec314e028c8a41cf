//! Follows the citations in code and documents, and the names in ARCHITECTURE.md: each must lead to
//! something in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files with citations.
const PLACES: &[&str] =
    &["src", "tests", "benches", "fuzz/fuzz_targets", "data", "templates", "docs", "README.md"];
const MORE_PLACES: &[&str] = &["ARCHITECTURE.md", "STYLE.md", "CHANGELOG.md", "benches/README.md"];
const ENDINGS: &[&str] = &["rs", "sql", "md", "html", "toml", "yaml", "mjs", "py", "sh"];

const CONTRACT: &str = "docs/contract.md";

/// A file and its text without comment signs and line breaks, so that a citation may be broken over
/// two lines.
struct Text {
    name: String,
    text: String,
}

#[test]
fn every_citation_leads_to_a_heading_of_the_contract() {
    let headings = headings_of_the_contract();
    let mut wrong = Vec::new();
    let mut followed = 0;
    for Text { name, text } in texts() {
        for kind in ["Decision", "Facts"] {
            for (at, numbers) in citations(&text, kind) {
                followed += 1;
                let has_file = text[..at].ends_with(&format!("{CONTRACT}, "));
                if !has_file && name != CONTRACT && !name.ends_with("tidy_citations.rs") {
                    wrong.push(format!("{name}: write `{CONTRACT}, {kind} {}`", numbers[0]));
                }
                let unknown = numbers.iter().filter(|n| !headings.contains(&format!("{kind} {n}")));
                wrong.extend(unknown.map(|n| format!("{name}: there is no {kind} {n}")));
            }
        }
    }
    assert!(20 < followed, "only {followed} citations were found; the test misses some");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rfcs_are_cited_by_number_and_documents_exist() {
    let mut wrong = Vec::new();
    for Text { name, text } in texts() {
        for (at, _) in text.match_indices("RFC") {
            let rest = &text[at + 3..];
            let digits = rest.trim_start_matches(' ').bytes().take_while(u8::is_ascii_digit);
            let is_number = rest.starts_with(' ') && digits.count() == 4;
            if rest.trim_start_matches([' ', '-']).starts_with(|c: char| c.is_ascii_digit())
                && !is_number
            {
                wrong.push(format!("{name}: write `RFC NNNN`, not `RFC{:.6}`", rest));
            }
        }
        let paths = documents_named(&text);
        let gone = paths.iter().filter(|path| !root().join(path).exists());
        wrong.extend(gone.map(|path| format!("{name}: there is no {path}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_name_in_the_map_exists() {
    let code = texts().into_iter().filter(|text| text.name.starts_with("src/"));
    let code: String = code.map(|text| text.text + "\n").collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = code.split(|c| !is_word(c)).collect();
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let spans = map.split("```").step_by(2).flat_map(|part| part.split('`').skip(1).step_by(2));
    let mut followed = 0;
    let mut wrong = Vec::new();
    for span in spans {
        let is_name = !span.is_empty() && span.chars().all(|c| is_word(c) || "/.:*".contains(c));
        if !is_name || span.starts_with(['/', '*']) {
            continue;
        }
        followed += 1;
        let exists = if span.contains("::") {
            module_has(span)
        } else if span.contains('/') || span.ends_with(".rs") {
            ["", "src", "src/http", "src/http/admin"]
                .iter()
                .any(|place| root().join(place).join(span).exists())
        } else {
            let is_identifier = span.contains('_') || span.chars().any(char::is_uppercase);
            !is_identifier || span.contains('*') || span.split('.').all(|word| words.contains(word))
        };
        if !exists {
            wrong.push(span);
        }
    }
    assert!(50 < followed, "only {followed} names were found; the test misses some");
    assert!(wrong.is_empty(), "ARCHITECTURE.md names what does not exist: {wrong:#?}");
}

/// True if `a::b::Name` exists: the first words are modules as long as there are files of that
/// name, and the rest are names in the last module. A path that begins with a type is searched for
/// in all of `src`.
fn module_has(path: &str) -> bool {
    let mut place = root().join("src");
    let mut rest = path.split("::").peekable();
    while let Some(module) = rest.peek() {
        let folder = place.join(module);
        let file = folder.with_extension("rs");
        if !folder.is_dir() && !file.is_file() {
            break;
        }
        place = if folder.is_dir() { folder } else { file };
        rest.next();
    }
    let texts: Vec<String> =
        files(&place).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    rest.all(|name| texts.iter().any(|text| text.contains(name)))
}

/// The start and the numbers of each `Decision 3`, `Decisions 1, 2 and 3` or, for the kind "Facts",
/// `Facts 3`; the first letter may be small.
fn citations(text: &str, kind: &str) -> Vec<(usize, Vec<String>)> {
    let tail = &kind[1..];
    let starts = text.match_indices(tail).filter_map(|(at, _)| {
        let start = at.checked_sub(1)?;
        let first = &text.get(start..at)?;
        first.eq_ignore_ascii_case(&kind[..1]).then_some((start, at + tail.len()))
    });
    let found = starts.filter_map(|(start, end)| {
        let rest = text[end..].strip_prefix('s').unwrap_or(&text[end..]).strip_prefix(' ')?;
        let list_end =
            rest.find(|c: char| !(c.is_ascii_digit() || ", and".contains(c))).unwrap_or(rest.len());
        let words = rest[..list_end].split([' ', ',']).filter(|word| !word.is_empty());
        let numbers = words.take_while(|w| *w == "and" || w.bytes().all(|b| b.is_ascii_digit()));
        let numbers: Vec<String> = numbers.filter(|w| *w != "and").map(str::to_owned).collect();
        let is_cited = rest.starts_with(|c: char| c.is_ascii_digit());
        is_cited.then_some((start, numbers))
    });
    found.collect()
}

/// `Decision 1`, `Facts 1` and so on, from the headings `## Decision 1: title`.
fn headings_of_the_contract() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(CONTRACT)).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(": "));
    headings.map(|(heading, _)| heading.to_owned()).collect()
}

/// Paths of documents in a text, such as `docs/contract.md`.
fn documents_named(text: &str) -> Vec<&str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let named = text.match_indices("docs/").filter_map(|(at, _)| {
        let begins = !text[..at].ends_with(is_path);
        let end = text[at..].find(|c: char| !is_path(c)).map_or(text.len(), |length| at + length);
        let path = text[at..end].trim_end_matches('.');
        (begins && Path::new(path).extension().is_some_and(|e| e == "md")).then_some(path)
    });
    named.collect()
}

fn texts() -> Vec<Text> {
    let places = PLACES.iter().chain(MORE_PLACES);
    let files: BTreeSet<PathBuf> = places.flat_map(|place| files(&root().join(place))).collect();
    let read = |file: &PathBuf| Text {
        name: file.strip_prefix(root()).unwrap().display().to_string(),
        text: in_one_line(&fs::read_to_string(file).unwrap()),
    };
    files.iter().map(read).collect()
}

fn in_one_line(text: &str) -> String {
    let words = text.lines().flat_map(|line| {
        let line = line.trim_start();
        let signs = ["//!", "///", "//", "--", "# "];
        let sign = signs.iter().find(|sign| line.starts_with(**sign)).map_or(0, |sign| sign.len());
        line[sign..].split_whitespace()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The repository's own files, without installed packages and generated clients.
fn files(at: &Path) -> Vec<PathBuf> {
    if at.ends_with("node_modules") || at.ends_with("tests/client/made") {
        return Vec::new();
    }
    if at.is_file() {
        let ending = at.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        return if ENDINGS.contains(&ending) { vec![at.to_owned()] } else { Vec::new() };
    }
    let Ok(entries) = fs::read_dir(at) else { return Vec::new() };
    entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
