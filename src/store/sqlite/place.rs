//! Finds the database file by its path, and refuses a file that SQLite cannot use safely.
//!
//! SQLite finds the files beside the database (`-wal`, `-shm`) by the path, not by the file. If one
//! file has two paths, each has its own WAL: records written through one path are missing through
//! the other, and two servers can write to one book (sqlite.org, "How To Corrupt An SQLite Database
//! File").

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// Returns the path with the symbolic links of its folder resolved. Refuses a folder, and a file
/// that is itself a symbolic link, that has hard links, or that is mounted as a single file. A
/// missing file is fine.
pub(super) fn locate(path: &Path) -> Result<PathBuf, StoreError> {
    if path.is_dir() {
        return Err(StoreError::other(folder_message(path)));
    }
    let Some((folder, name)) = resolved_folder(path).zip(path.file_name()) else {
        // Opening the file will report the problem with its folder.
        return Ok(path.to_owned());
    };
    let located = folder.join(name);
    let Ok(metadata) = std::fs::symlink_metadata(&located) else {
        return Ok(located);
    };
    if metadata.is_symlink() {
        return Err(StoreError::other(symbolic_link_message(&located)));
    }
    if metadata.is_file() && 1 < metadata.nlink() {
        return Err(StoreError::other(hard_links_message(&located, &metadata)));
    }
    if metadata.is_file() && is_mount_point(&located) {
        return Err(StoreError::other(mount_message(&located)));
    }
    Ok(located)
}

/// The error of a file that could not be made because its folder is missing; `None` if the cause is
/// another.
pub(super) fn missing_folder(path: &Path, error: &std::io::Error) -> Option<StoreError> {
    let folder = path.parent().filter(|_| error.kind() == std::io::ErrorKind::NotFound)?;
    let text = format!("there is no folder {}; make it first", folder.display());
    Some(StoreError::other(text))
}

fn resolved_folder(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::canonicalize(folder).ok()
}

fn folder_message(path: &Path) -> String {
    let file = path.join("tillbook.db");
    format!(
        "{} is a folder, and a book is a file. Name a file in it: --db {}",
        path.display(),
        file.display()
    )
}

fn symbolic_link_message(path: &Path) -> String {
    // The target may be missing; then the link's own text is the best that can be named.
    let target = std::fs::canonicalize(path).or_else(|_| std::fs::read_link(path));
    let target = target.unwrap_or_default();
    format!(
        "{} is a symbolic link to {}. The files beside a book must lie beside the file itself, so \
         name that file: --db {}. A link in the path of its folder is fine.",
        path.display(),
        target.display(),
        target.display()
    )
}

fn hard_links_message(path: &Path, metadata: &std::fs::Metadata) -> String {
    format!(
        "{} has {} names (hard links). The -wal file with the newest records lies beside one name \
         only. A program that opens another name would not see them, and two servers could write \
         to the book. Nothing was changed. Stop everything that uses the book, keep the name that \
         has a -wal file beside it, and remove the others; this lists them: find / -xdev -inum {}",
        path.display(),
        metadata.nlink(),
        metadata.ino()
    )
}

fn mount_message(path: &Path) -> String {
    let name = Path::new(path.file_name().unwrap_or_default()).display();
    let folder = path.parent().unwrap_or(path).display();
    format!(
        "{} is mounted as a single file. The -wal file with the newest records would lie beside \
         the mount and not beside the file, and would be lost with the container. Nothing was \
         changed. Instead, mount its folder: for example `docker run -v /srv/tillbook:{folder} …` \
         with the book at /srv/tillbook/{name}, and --db {}",
        path.display(),
        path.display()
    )
}

/// True if something is mounted at exactly this path. Device numbers do not tell: a bind mount on
/// the same disk has the same one, and on an overlay a file may differ from its folder.
fn is_mount_point(path: &Path) -> bool {
    // Where the system has no such list, single files are not mounted either.
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .any(|at| unescaped(at) == path.as_os_str().as_bytes())
}

/// The kernel writes a space, a tab, a line break and a backslash of a path as three octal digits
/// after a backslash.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *byte == b'\\');
        let escaped = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_read_as_the_kernel_writes_it() {
        assert_eq!(unescaped(br"/data/book.db"), b"/data/book.db");
        assert_eq!(unescaped(br"/my\040data/a\134b\011c"), b"/my data/a\\b\tc");
        assert_eq!(unescaped(br"/end\04"), br"/end\04");
        assert!(is_mount_point(Path::new("/proc")) && !is_mount_point(Path::new("/proc/self")));
    }
}
