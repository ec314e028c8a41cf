//! The program under `tests/shim/shim.c`: what it did to its files and which answers it gave, in
//! one order, and calls that fail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempPath;

/// A trace to be written, of one folder. Servers that are started one after the other with its
/// environment go on with it.
pub struct Shim {
    folder: PathBuf,
    trace: TempPath,
}

/// One entry of a trace.
pub struct Record {
    /// Where it stands in the trace: its time.
    pub at: u64,
    /// The file's name in the folder; empty is the folder itself.
    pub name: String,
    pub did: Did,
}

/// What was done.
pub enum Did {
    Create,
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        bytes: usize,
    },
    /// Everything done to the file before that time is on the disk.
    Sync {
        before: u64,
    },
    Unlink,
    /// A 200 began to be sent, with this in it.
    Answer(Value),
    /// A call failed because the trial wanted it to.
    Fault,
}

/// The signal that ends a traced program as `kill -9` does, at its next step.
pub const KILL: &str = "USR1";

impl Shim {
    pub fn new(folder: &Path) -> Shim {
        let trace = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        Shim { folder: folder.to_owned(), trace }
    }

    /// What a server needs in its environment to be traced. `fail` says which call fails, as
    /// `shim.c` explains; empty is none.
    pub fn environment<'a>(&'a self, fail: &'a str) -> [(&'a str, &'a str); 4] {
        let text = |path: &'a Path| path.to_str().unwrap();
        [
            ("LD_PRELOAD", text(&LIBRARY)),
            ("SHIM_FOLDER", text(&self.folder)),
            ("SHIM_TRACE", text(&self.trace)),
            ("SHIM_FAIL", fail),
        ]
    }

    /// What was traced so far.
    pub fn trace(&self) -> Vec<Record> {
        let bytes = std::fs::read(&self.trace).unwrap();
        let mut rest = bytes.as_slice();
        let mut records = Vec::new();
        while !rest.is_empty() {
            let at = u64::try_from(bytes.len() - rest.len()).unwrap();
            records.push(record(at, &mut rest));
        }
        records.retain(|record| is_traced(&record.name) || matches!(record.did, Did::Fault));
        records
    }

    /// Whether a call failed because the trial wanted it to.
    pub fn met_fault(&self) -> bool {
        self.trace().iter().any(|record| matches!(record.did, Did::Fault))
    }
}

/// Not what is mapped into memory and made anew at every start, nor what holds nothing.
pub fn is_traced(name: &str) -> bool {
    !name.ends_with("-shm") && !name.ends_with(".lock")
}

/// Takes one record off the front, as `struct record` of `shim.c` has it.
fn record(at: u64, rest: &mut &[u8]) -> Record {
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        *rest = left;
        taken
    };
    let [kind, name_bytes, _, _] = take(4).try_into().unwrap();
    let data_bytes = u32::from_le_bytes(take(4).try_into().unwrap());
    let number = u64::from_le_bytes(take(8).try_into().unwrap());
    let name = String::from_utf8(take(name_bytes.into()).to_vec()).unwrap();
    let data = take(data_bytes.try_into().unwrap());
    let size = || usize::try_from(number).unwrap();
    let did = match kind {
        b'O' => Did::Create,
        b'W' => Did::Write { offset: size(), bytes: data.to_vec() },
        b'T' => Did::Truncate { bytes: size() },
        b'S' => Did::Sync { before: number },
        b'U' => Did::Unlink,
        b'A' => Did::Answer(answer_body(data)),
        b'F' => Did::Fault,
        other => panic!("the shim wrote down {other}"),
    };
    Record { at, name, did }
}

/// The JSON of an answer, null if there is none.
fn answer_body(answer: &[u8]) -> Value {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let body = head.map(|end| &answer[end + 4..]).unwrap_or_default();
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// The compiled shim. Whoever compiles it at the same time puts the same in its place.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/shim.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shim.so");
    let made = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]);
    let compiled = cc.arg(made.path()).arg(source).status().unwrap();
    assert!(compiled.success(), "cc could not compile tests/shim/shim.c");
    made.persist(&library).unwrap();
    library
});
