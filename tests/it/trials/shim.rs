//! Runs the program under `tests/shim/shim.c`, which traces its file operations and answers in one
//! sequence and can make calls fail.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempPath;

/// A trace of one folder. Servers that are started one after another with its environment append to
/// the same trace.
pub struct Shim {
    folder: PathBuf,
    trace: TempPath,
}

/// One entry of a trace.
pub struct Record {
    /// Its offset in the trace, which serves as its time.
    pub at: u64,
    /// The file's name in the folder; empty for the folder itself.
    pub name: String,
    pub did: Did,
}

/// A traced action.
pub enum Did {
    Create,
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        bytes: usize,
    },
    /// Everything done to the file before this time is on the disk.
    Sync {
        before: u64,
    },
    Unlink,
    /// A 200 with this body began to be sent.
    Answer(Value),
    /// A call failed on the trial's request.
    Fault,
}

/// The signal that ends a traced program as `kill -9` does, at its next step.
pub const KILL: &str = "USR1";

impl Shim {
    pub fn new(folder: &Path) -> Shim {
        let trace = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        Shim { folder: folder.to_owned(), trace }
    }

    /// The environment variables of a traced server. `fail` names the call that fails, in the form
    /// that `shim.c` explains; if it is empty, no call fails.
    pub fn environment<'a>(&'a self, fail: &'a str) -> [(&'a str, &'a str); 4] {
        let text = |path: &'a Path| path.to_str().unwrap();
        [
            ("LD_PRELOAD", text(&LIBRARY)),
            ("SHIM_FOLDER", text(&self.folder)),
            ("SHIM_TRACE", text(&self.trace)),
            ("SHIM_FAIL", fail),
        ]
    }

    /// The trace so far.
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

    /// True if a call failed on the trial's request.
    pub fn met_fault(&self) -> bool {
        self.trace().iter().any(|record| matches!(record.did, Did::Fault))
    }
}

/// False for the file that is mapped into memory and made again at every start, and for the lock
/// file, which is empty.
pub fn is_traced(name: &str) -> bool {
    !name.ends_with("-shm") && !name.ends_with(".lock")
}

/// Reads one record from the front, in the form of `struct record` of `shim.c`.
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
        other => panic!("the shim traced an unknown action {other}"),
    };
    Record { at, name, did }
}

/// The JSON body of an answer, null if it has no JSON.
fn answer_body(answer: &[u8]) -> Value {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let body = head.map(|end| &answer[end + 4..]).unwrap_or_default();
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// The compiled shim. Processes that compile it at the same time replace it with the same file.
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
