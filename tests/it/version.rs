//! The program prints its version, and all documents name the same version.

use std::path::Path;
use std::process::Command;

use super::process::run;
use super::schema::OPENAPI;

#[test]
fn the_version_names_the_commit_and_sqlite() {
    let printed = run(&["--version"]).expect(0).out;
    let lines: Vec<&str> = printed.lines().collect();
    let [tillbook, sqlite] = lines[..] else { panic!("{printed}") };
    let version = env!("CARGO_PKG_VERSION");
    let expected = match env!("TILLBOOK_BUILD_COMMIT") {
        "" => format!("tillbook {version}"),
        commit => format!("tillbook {version} ({commit})"),
    };
    assert_eq!(tillbook, expected);
    assert_eq!(run(&["-V"]).expect(0).out.trim_end(), expected);
    let number = sqlite.strip_prefix("SQLite ").unwrap();
    assert!(number.split('.').count() == 3 && number.starts_with(char::is_numeric), "{printed}");
    // The program was built from the checked-out commit, unless TILLBOOK_COMMIT named another.
    let head =
        Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"]).output();
    let head = head.map(|ended| String::from_utf8(ended.stdout).unwrap()).unwrap_or_default();
    let is_clone = Path::new(env!("CARGO_MANIFEST_DIR")).join(".git").exists();
    if is_clone && !head.is_empty() && std::env::var_os("TILLBOOK_COMMIT").is_none() {
        assert_eq!(env!("TILLBOOK_BUILD_COMMIT"), &head[..10]);
    }
}

#[test]
fn the_version_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(OPENAPI["info"]["version"], version);
    let changelog = include_str!("../../CHANGELOG.md");
    let newest = changelog.lines().find(|line| line.starts_with("## [")).unwrap();
    assert!(newest.starts_with(&format!("## [{version}]")), "{newest}");
}
