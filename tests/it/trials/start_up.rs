//! A start that is cut short at any of its steps: with a WAL to recover, without a file, and with
//! the schema of every earlier version. The file then has the complete schema of some version, and
//! the next start succeeds.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::disk::{Disk, Kept, read_files};
use super::load::{Load, Trial};
use super::rebuilt::Rebuilt;
use super::shim::Shim;
use super::stored::stored;
use super::{Dice, count, say, seed};
use crate::process::{Served, serve_command};

const WAYS: [Kept; 5] = [
    Kept::Everything,
    Kept::Nothing,
    Kept::Sectors { bytes: 512 },
    Kept::Sectors { bytes: 4096 },
    Kept::Torn,
];

#[test]
fn a_start_with_a_wal_to_recover_can_be_cut_short_at_every_step() {
    let dice = Dice::new(seed("start-up"));
    let mut trial = Trial::new().with_long_wal();
    let load = Load { cycle: 0, seed: dice.below(u64::MAX), answers: 20 };
    let server = trial.start();
    trial.work(&load, server, |server| {
        server.kill();
        None
    });
    let done = stored(&trial.db());
    cut_short("a WAL to recover", trial.folder(), &dice, |db| {
        let found = stored(db);
        if found == done { Vec::new() } else { vec![format!("{found:?} is not {done:?}")] }
    });
}

#[test]
fn a_migration_can_be_cut_short_at_every_step() {
    let dice = Dice::new(seed("migration"));
    let steps = migrations();
    let schemas: Vec<Vec<String>> = (0..=steps.len())
        .map(|version| {
            let dir = TempDir::new().unwrap();
            make(&dir.path().join("book.db"), &steps[..version]);
            schema(&dir.path().join("book.db"))
        })
        .collect();
    for version in 0..steps.len() {
        let dir = TempDir::new().unwrap();
        if 0 < version {
            make(&dir.path().join("book.db"), &steps[..version]);
        }
        let name = if version == 0 { "no file".to_owned() } else { format!("schema {version}") };
        let between = |db: &Path| {
            let found = schema(db);
            let known = schemas[version..].contains(&found);
            if known { Vec::new() } else { vec![format!("an incomplete schema: {found:#?}")] }
        };
        cut_short(&name, dir.path(), &dice, between);
    }
}

/// Starts and stops a server on this folder's book, and checks the files as they would be if it had
/// ended after each of its steps.
fn cut_short(name: &str, folder: &Path, dice: &Dice, differences: impl Fn(&Path) -> Vec<String>) {
    let before = read_files(folder);
    let shim = Shim::new(folder);
    let mut command = serve_command(&folder.join("book.db"));
    command.envs(shim.environment(""));
    let server = Served::try_start(command).ok().unwrap();
    server.signal("TERM");
    server.wait().expect(0);
    let trace = shim.trace();
    let mut disk = Disk::new(&before);
    let rebuilt = Rebuilt::new();
    let every = usize::try_from(count("TILLBOOK_START_EVERY", 4)).unwrap();
    let mut states = 0;
    for (nth, record) in trace.iter().enumerate() {
        for kept in WAYS.iter().skip(nth % every).step_by(every) {
            let files = disk.after_power_loss(*kept, dice);
            states += 1;
            let mut off = differences(&rebuilt.put(&files));
            let looked = rebuilt.look(&files, |_| Vec::new());
            off.extend(looked.err().map(|wrong| wrong.told));
            assert!(off.is_empty(), "{name}, {kept:?} before step {nth}: {off:#?}");
        }
        disk.follow(record);
    }
    say(&format!("{name}: {} steps, {states} states, all good", trace.len()));
}

/// The migrations, oldest first, each with its sample rows.
fn migrations() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/migrations");
    let files = read_files(&folder);
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let steps = files.keys().filter(|name| !name.ends_with(".rows.sql"));
    steps.map(|step| (text(step), text(&step.replace(".sql", ".rows.sql")))).collect()
}

/// Makes the book as a program with only these migrations would have left it.
fn make(db: &Path, steps: &[(String, String)]) {
    let conn = open(db);
    conn.pragma_update(None, "journal_mode", "wal").unwrap();
    // The program migrates with this setting too.
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    for (version, (step, rows)) in steps.iter().enumerate() {
        conn.execute_batch(step).unwrap();
        conn.execute_batch(rows).unwrap();
        conn.pragma_update(None, "user_version", i64::try_from(version).unwrap() + 1).unwrap();
    }
}

/// The schema in a file, its version first. Recovers the file.
fn schema(db: &Path) -> Vec<String> {
    let conn = open(db);
    let version: i64 = conn.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
    // Leaves out the planner's statistics, which any start may write.
    let sql = "select sql from sqlite_schema
        where sql is not null and name not like 'sqlite_stat%' order by type, name";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    std::iter::once(version.to_string()).chain(rows.map(Result::unwrap)).collect()
}

fn open(db: &Path) -> Connection {
    #[expect(clippy::disallowed_methods, reason = "opens the file as another program would")]
    let conn = Connection::open(db).unwrap();
    conn
}
