//! The house's rules that a machine can judge: who may name whom, how long files, functions and
//! lines may be, words that may not stay.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file before its tests, of a file of tests, of a function, and characters of a line,
/// at most.
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 100;

/// What a folder must not name. Text of the module paths, as code writes them.
const MUST_NOT_NAME: &[(&str, &[&str])] = &[
    (
        "src/domain",
        &[
            "crate::store",
            "crate::app",
            "crate::http",
            "crate::auth",
            "crate::clock",
            "crate::json",
            "crate::cli",
            "crate::worker",
            "serde",
            "rusqlite",
            "actix",
            "tokio",
            "std::time",
            "std::fs",
            "std::net",
            "jiff",
        ],
    ),
    ("src/auth", &["crate::store", "crate::http", "crate::app", "crate::cli", "rusqlite", "actix"]),
    (
        "src/store",
        &["crate::app", "crate::http", "crate::auth", "crate::cli", "crate::worker", "actix"],
    ),
    (
        "src/app",
        &["crate::http", "crate::cli", "crate::worker", "rusqlite", "actix", "async ", "tokio"],
    ),
    ("src/http", &["rusqlite", "r2d2", "jsonwebtoken", "crate::cli", "crate::worker"]),
    ("src/worker", &["crate::http", "crate::cli", "actix", "rusqlite"]),
    ("src/cli", &["rusqlite", "r2d2", "jsonwebtoken"]),
    ("src/json", &["crate::", "serde"]),
    ("src/sabotage.rs", &["crate::"]),
    ("src/digest.rs", &["crate::"]),
    ("src/randomness.rs", &["crate::"]),
    ("src/clock.rs", &["crate::store", "crate::app", "crate::http", "crate::auth", "crate::json"]),
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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, or the file itself, with that ending.
fn files(at: &Path, ending: &str) -> Vec<PathBuf> {
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
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn show(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn no_room_names_what_it_must_not_know() {
    let mut wrong = Vec::new();
    for (place, words) in MUST_NOT_NAME {
        let found = files(&root().join(place), "rs");
        assert!(!found.is_empty(), "{place} is gone; the table is stale");
        for file in found {
            if file.to_string_lossy().ends_with("_tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let code =
                without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let named = words.iter().filter(|word| line.contains(**word));
                wrong.extend(named.map(|word| format!("{} names {word}: {line}", show(&file))));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_functions_and_lines_stay_within_a_reader_s_reach() {
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
            wrong.push(format!("{} does not say what it is about", show(&file)));
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
fn words_that_may_not_stay_are_gone() {
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
fn sql_stands_in_the_store_alone() {
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
