//! A rebuilt book, opened by the real code, verified and audited.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tillbook::app::ForgetAnswers;
use tillbook::store::verify::verify;
use tillbook::store::write_once;

use super::disk::{Files, write_files};
use crate::audit::audit;

/// A folder for one rebuilt book after another.
pub struct Rebuilt {
    dir: TempDir,
}

/// A fault in a rebuilt book.
pub struct Wrong {
    pub harm: Harm,
    /// A description of the fault.
    pub told: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Its operations differ from those that were sent and answered.
    Lost,
    /// It cannot be opened or read.
    Corrupt,
    Unbalanced,
}

impl Rebuilt {
    /// Makes the folder in memory where possible, because the checks sync but need no durability.
    pub fn new() -> Rebuilt {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Rebuilt { dir: dir.unwrap() }
    }

    /// Replaces the folder's content with these files and returns the book's path.
    pub fn put(&self, files: &Files) -> PathBuf {
        write_files(self.dir.path(), files);
        self.dir.path().join("book.db")
    }

    /// Puts the book into the folder, opens and migrates it, writes as a server does at its start,
    /// and checks it. `differences` compares its content with the expected content.
    pub fn look(
        &self,
        files: &Files,
        differences: impl FnOnce(&Path) -> Vec<String>,
    ) -> Result<(), Wrong> {
        let db = self.put(files);
        write_once(&db, &ForgetAnswers).map_err(corrupt)?;
        count_again(&db, differences)
    }
}

fn count_again(db: &Path, differences: impl FnOnce(&Path) -> Vec<String>) -> Result<(), Wrong> {
    let report = verify(db, |_, _| {}).map_err(corrupt)?;
    // Both checks panic when a file cannot be read.
    let audited = catch_unwind(|| audit(db)).map_err(|_| corrupt("it cannot be audited"))?;
    let off = [report.findings, audited].concat();
    if !off.is_empty() {
        return Err(Wrong { harm: Harm::Unbalanced, told: off.join("; ") });
    }
    let lost = catch_unwind(AssertUnwindSafe(|| differences(db)))
        .map_err(|_| corrupt("its operations cannot be read"))?;
    if lost.is_empty() { Ok(()) } else { Err(Wrong { harm: Harm::Lost, told: lost.join("; ") }) }
}

fn corrupt(why: impl Display) -> Wrong {
    Wrong { harm: Harm::Corrupt, told: why.to_string() }
}
