//! Tells the build its commit, which `tillbook --version` prints.
//!
//! The commit is read from the files of `.git`, so a build needs neither git nor the network, and
//! this script runs again only when HEAD moves. A build without `.git`, as from a tarball, takes
//! the commit from the environment variable `TILLBOOK_COMMIT`, which also replaces that of `.git`.
//! With neither, the version names no commit.

use std::path::{Path, PathBuf};

/// Characters of the commit's hash that are kept. A fixed number, so that every clone builds the
/// same program.
const COMMIT_CHARS: usize = 10;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=TILLBOOK_COMMIT");
    let named = std::env::var("TILLBOOK_COMMIT").unwrap_or_default();
    let commit = if named.is_empty() { head_commit().unwrap_or_default() } else { named };
    let short: String =
        commit.chars().filter(char::is_ascii_alphanumeric).take(COMMIT_CHARS).collect();
    println!("cargo:rustc-env=TILLBOOK_BUILD_COMMIT={short}");
}

/// The hash of HEAD's commit, if this folder is a git repository or a worktree of one.
fn head_commit() -> Option<String> {
    let folder = git_folder()?;
    // A worktree has a HEAD of its own; branches are in the repository that it belongs to.
    let shared = match read(&folder.join("commondir")) {
        Some(path) => folder.join(path),
        None => folder.clone(),
    };
    let head = read_watched(&folder.join("HEAD"))?;
    let Some(branch) = head.strip_prefix("ref: ") else { return Some(head) };
    if let Some(commit) = read_watched(&shared.join(branch)) {
        return Some(commit);
    }
    // A packed branch gets a file of its own when it moves. That file is not there to be watched,
    // but HEAD's log is.
    let _log = read_watched(&folder.join("logs/HEAD"));
    let packed = read_watched(&shared.join("packed-refs"))?;
    let mut refs = packed.lines().filter_map(|line| line.split_once(' '));
    refs.find(|(_, name)| *name == branch).map(|(commit, _)| commit.to_owned())
}

/// The folder `.git`, or the one that the file `.git` of a worktree names.
fn git_folder() -> Option<PathBuf> {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join(".git");
    if at.is_dir() {
        return Some(at);
    }
    let folder = read(&at)?.strip_prefix("gitdir: ").map(PathBuf::from)?;
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

/// The text of a file, after which a change of the file makes cargo run this script again.
fn read_watched(file: &Path) -> Option<String> {
    let text = read(file)?;
    println!("cargo:rerun-if-changed={}", file.display());
    Some(text)
}

fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}
