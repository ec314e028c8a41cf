//! The rules of STYLE.md and ARCHITECTURE.md that a machine can check: which room may name which,
//! the length of files, functions and lines, banned words, templates and migrations.

use std::fs;
use std::path::{Path, PathBuf};

use super::rust_paths;

/// The most lines in a file before its tests, in a file of tests and in a function, and the most
/// characters in a line.
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 100;

/// The layers of the code: each folder or file, the other folders and files that it may name, and
/// the crates and names that it must not use. See ARCHITECTURE.md.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("src/sabotage.rs", &[], &[]),
    ("src/digest.rs", &[], &[]),
    ("src/randomness.rs", &[], &[]),
    ("src/priority.rs", &[], &[]),
    ("src/json", &["json"], &["serde"]),
    ("src/outbound", &["outbound"], &["serde", "rusqlite", "actix"]),
    (
        "src/domain",
        &["domain", "sabotage"],
        &["serde", "rusqlite", "actix", "tokio", "std::time", "std::fs", "std::net", "jiff"],
    ),
    ("src/clock.rs", &["domain"], &[]),
    (
        "src/auth",
        &["auth", "domain", "clock", "digest", "priority", "randomness"],
        &["rusqlite", "actix"],
    ),
    (
        "src/store",
        &["store", "domain", "clock", "digest", "json", "priority", "randomness", "sabotage"],
        &["actix"],
    ),
    (
        "src/app",
        &["app", "store", "domain", "auth", "json", "clock", "digest", "randomness", "sabotage"],
        &["rusqlite", "actix", "async ", "tokio"],
    ),
    (
        "src/wire",
        &["wire", "app", "store", "domain", "json", "clock", "digest", "sabotage"],
        &["actix", "rusqlite", "askama", "tokio"],
    ),
    (
        "src/http",
        &[
            "http",
            "wire",
            "app",
            "store",
            "domain",
            "auth",
            "outbound",
            "priority",
            "json",
            "clock",
            "digest",
            "randomness",
            "sabotage",
        ],
        &["rusqlite", "r2d2", "jsonwebtoken"],
    ),
    (
        "src/worker",
        &[
            "worker",
            "wire",
            "app",
            "store",
            "domain",
            "auth",
            "outbound",
            "json",
            "clock",
            "digest",
            "randomness",
            "sabotage",
        ],
        &["actix", "rusqlite", "askama"],
    ),
    (
        "src/demo",
        &[
            "demo",
            "wire",
            "app",
            "store",
            "domain",
            "auth",
            "json",
            "clock",
            "digest",
            "randomness",
        ],
        &["actix", "rusqlite", "askama"],
    ),
    (
        "src/cli",
        &[
            "cli",
            "demo",
            "worker",
            "http",
            "wire",
            "app",
            "store",
            "domain",
            "auth",
            "outbound",
            "json",
            "clock",
            "digest",
            "randomness",
            "sabotage",
        ],
        &["rusqlite", "r2d2", "jsonwebtoken"],
    ),
];

/// Words that do not merge, and what to write instead.
const BANNED: &[(&str, &str)] = &[
    ("FIXME", "mend it"),
    ("dbg!(", "remove it"),
    ("todo!(", "write it"),
    ("unimplemented!(", "write it"),
    ("#[allow(", "#[expect(…, reason = \"…\")]"),
    ("#[ignore", "a test that runs"),
];

/// Odd or archaic phrases, in lower case, and what to write instead. STYLE.md, Words.
const ODD_PHRASES: &[(&str, &str)] = &[
    ("how-manieth", "position, from 1"),
    ("is none of", "invalid, not one of"),
    ("it is none", "it is invalid"),
    ("what is none", "anything else"),
    ("this is no ", "not a valid"),
    ("stands in the book", "is in the book"),
    ("whoever", "the caller, the user"),
    ("whomever", "the caller, the user"),
    (" lest ", "so that … not"),
];

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file with this ending below a folder, or the file itself.
pub fn files(at: &Path, ending: &str) -> Vec<PathBuf> {
    if at.is_file() {
        return vec![at.to_owned()];
    }
    let Ok(entries) = fs::read_dir(at) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flat_map(|entry| files(&entry.unwrap().path(), ending)).collect();
    found.retain(|file| file.extension().is_some_and(|extension| extension == ending));
    found.sort();
    found
}

fn rust_files() -> Vec<PathBuf> {
    ["src", "tests", "benches"].iter().flat_map(|at| files(&root().join(at), "rs")).collect()
}

/// A file's text without the tests at its end.
pub fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn show(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn every_room_names_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (place, _, _) in ROOMS {
        assert!(root().join(place).exists(), "{place} is gone; the table is stale");
    }
    for file in files(&root().join("src"), "rs") {
        let name = show(&file);
        if ["src/lib.rs", "src/main.rs"].contains(&&*name) || name.ends_with("_tests.rs") {
            continue;
        }
        let room = ROOMS.iter().find(|(place, _, _)| Path::new(&name).starts_with(place));
        let (_, may_name, must_not_name) = room.unwrap_or_else(|| panic!("{name} has no room"));
        let text = fs::read_to_string(&file).unwrap();
        let code = without_tests(&text);
        for path in named_of_ours(code) {
            if !may_name.contains(&path[1].as_str()) {
                wrong.push(format!("{name} names {}", path.join("::")));
            }
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let named = must_not_name.iter().filter(|word| line.contains(**word));
            wrong.extend(named.map(|word| format!("{name} names {word}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every path that begins with `crate`, imported or written out.
fn named_of_ours(code: &str) -> Vec<Vec<String>> {
    let named = rust_paths::read(code);
    let imports = named.imports.into_iter().map(|import| import.path);
    let paths = imports.chain(named.paths);
    paths.filter(|path| path[0] == "crate" && 1 < path.len()).collect()
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut wrong = Vec::new();
    for file in rust_files() {
        let text = fs::read_to_string(&file).unwrap();
        let count = without_tests(&text).lines().count();
        let is_test = file.starts_with(root().join("tests"));
        let lines_max = if is_test { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        if lines_max < count {
            wrong.push(format!("{} has {count} lines", show(&file)));
        }
        for (at, line) in text.lines().enumerate() {
            if LINE_CHARS_MAX < line.chars().count() && !line.contains("r#\"") {
                wrong.push(format!("{}:{} is too long", show(&file), at + 1));
            }
        }
        wrong.extend(long_functions(&text).map(|name| format!("{}: {name}", show(&file))));
        let head = text.trim_start_matches(|c| c != '/' && c != '\n');
        if !head.starts_with("//!") {
            wrong.push(format!("{} has no `//!` line that says what it is about", show(&file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Functions that are too long, as rustfmt lays them out: from `fn` to the brace of its indent.
fn long_functions(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let code = line.trim_start();
        // A method that a trait only names has no body.
        !code.ends_with(';')
            && ["fn ", "pub fn ", "pub(super) fn ", "async fn ", "pub async fn ", "const fn "]
                .iter()
                .any(|start| code.starts_with(start))
    });
    let long = starts.filter_map(|(at, line)| {
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| *line == end)? + 1;
        (FUNCTION_LINES_MAX < length).then(|| format!("{} has {length} lines", line.trim()))
    });
    long.collect::<Vec<_>>().into_iter()
}

#[test]
fn banned_words_are_gone() {
    let mut wrong = Vec::new();
    for file in rust_files().into_iter().filter(|file| !file.ends_with("tidy.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        for (word, instead) in BANNED.iter().filter(|(word, _)| text.contains(word)) {
            wrong.push(format!("{} has {word}: {instead}", show(&file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn sql_is_only_in_the_store() {
    let starts = ["select ", "insert into ", "update ", "delete from ", "pragma "];
    let mut wrong = Vec::new();
    for file in files(&root().join("src"), "rs") {
        if show(&file).starts_with("src/store") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let is_sql = |line: &&str| starts.iter().any(|start| line.contains(&format!("\"{start}")));
        wrong.extend(text.lines().filter(is_sql).map(|line| format!("{}: {line}", show(&file))));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn there_is_one_sqlite_and_no_library_below_its_safe_version() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let versions = |name: &str| -> Vec<String> {
        let head = format!("name = \"{name}\"\nversion = \"");
        let found = lock.split(&head).skip(1);
        found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(versions("libsqlite3-sys").len(), 1);
    assert_eq!(versions("rsa"), Vec::<String>::new());
    let major = |name: &str| versions(name)[0].split('.').next().unwrap().parse::<u32>().unwrap();
    assert!(11 <= major("jsonwebtoken"));
}

#[test]
fn odd_phrases_do_not_come_back() {
    let places = [
        ("src", "rs"),
        ("templates", "html"),
        ("docs", "md"),
        ("data/openapi.yaml", "yaml"),
        ("README.md", "md"),
        ("ARCHITECTURE.md", "md"),
    ];
    let mut wrong = Vec::new();
    for (place, ending) in places {
        let found = files(&root().join(place), ending);
        assert!(!found.is_empty(), "{place} is gone; the list is stale");
        for file in found {
            let text = fs::read_to_string(&file).unwrap().to_lowercase();
            for (phrase, instead) in ODD_PHRASES.iter().filter(|(phrase, _)| text.contains(phrase))
            {
                wrong.push(format!("{} has {phrase:?}: {instead}", show(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_template_is_used_and_every_migration_has_sample_rows() {
    let templates = root().join("templates");
    let places = [files(&root().join("src"), "rs"), files(&templates, "html")].concat();
    let users: Vec<String> = places.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for template in files(&templates, "html") {
        let name = template.strip_prefix(&templates).unwrap().display().to_string();
        let quoted = format!("\"{name}\"");
        assert!(users.iter().any(|text| text.contains(&quoted)), "templates/{name} is not used");
    }
    let migrations = files(&root().join("data/migrations"), "sql");
    assert!(!migrations.is_empty());
    for step in migrations.iter().filter(|file| !show(file).ends_with(".rows.sql")) {
        assert!(step.with_extension("rows.sql").exists(), "{} has no sample rows", show(step));
    }
}
