//! Brings a file to the schema of this program, forward only.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::sabotage::{self, Fault};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::search;

/// The migrations, oldest first. One that has landed is never edited: a test has their hashes.
fn steps() -> [M<'static>; STEPS] {
    [
        M::up(include_str!("../../../data/migrations/0001_book.sql")),
        M::up_with_hook(
            include_str!("../../../data/migrations/0002_clock_jumps_and_words.sql"),
            |tx: &rusqlite::Transaction<'_>| Ok(search::index_again(tx)?),
        ),
        M::up(include_str!("../../../data/migrations/0003_hooks.sql")),
        M::up(include_str!("../../../data/migrations/0004_order_sessions.sql")),
        M::up(include_str!("../../../data/migrations/0005_payouts.sql")),
        M::up(include_str!("../../../data/migrations/0006_callbacks.sql")),
        M::up(include_str!("../../../data/migrations/0007_expiries.sql")),
    ]
}

/// The number of migrations, which is also the number of this program's schema. A file has the
/// number of its schema in `user_version`; 0 is a file without a schema.
const STEPS: usize = 7;

/// Applies the migrations that the file lacks. A file from a newer version is refused unchanged.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    refuse_newer(conn)?;
    // A migration can only rebuild a table that others refer to while foreign keys are off. One
    // that does so checks them at its end, in its own transaction (`M::foreign_key_check`).
    conn.pragma_update(None, "foreign_keys", false)?;
    if sabotage::is_on(Fault::MigrateWithoutJournal) {
        conn.pragma_update(None, "journal_mode", "memory")?;
    }
    let migrated = file_version(conn).and_then(|version| take_steps(conn, version));
    conn.pragma_update(None, "foreign_keys", true)?;
    if sabotage::is_on(Fault::MigrateWithoutJournal) {
        conn.pragma_update(None, "journal_mode", "wal")?;
    }
    migrated
}

/// Each migration is a transaction of its own, so a process that is killed leaves a whole schema.
fn take_steps(conn: &mut Connection, version: usize) -> Result<(), StoreError> {
    let migrations = Migrations::new(steps().into());
    for step in version + 1..=STEPS {
        if 0 < version {
            tracing::info!(
                step,
                of = STEPS,
                "bringing the book up to date, which takes minutes if it is large"
            );
        }
        migrations.to_version(conn, step).map_err(|error| match error {
            // The other variants' text repeats the whole migration.
            rusqlite_migration::Error::RusqliteError { err, .. } => inapplicable(err),
            other => StoreError::other(other),
        })?;
    }
    Ok(())
}

/// SQLite refuses a statement of a migration only if the file's tables are not those of the schema
/// number that the file has, so the file is reported as damaged.
fn inapplicable(error: rusqlite::Error) -> StoreError {
    let told = match &error {
        // Its own text repeats the whole migration.
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let error = StoreError::from(error);
    if !matches!(error.kind, StoreErrorKind::Constraint | StoreErrorKind::Inconsistent) {
        return error;
    }
    let text = format!("its tables are not those of its schema number: {told}");
    StoreError { kind: StoreErrorKind::Corrupt, source: text.into() }
}

/// Fails unless the file has exactly the schema of this program.
pub(super) fn expect_current(conn: &Connection) -> Result<(), StoreError> {
    refuse_newer(conn)?;
    if file_version(conn)? == STEPS {
        return Ok(());
    }
    let text = "the file has an older schema; stop the server that uses it, and start \
                `tillbook serve` of this version on it, which brings it up to date";
    Err(StoreError::other(text))
}

/// Fails if the file is from a newer version.
pub(super) fn refuse_newer(conn: &Connection) -> Result<(), StoreError> {
    let file = file_version(conn)?;
    if file <= STEPS {
        return Ok(());
    }
    let release = conn.query_row("select release from book", [], |row| row.get::<_, String>(0));
    // A file whose `book` cannot be read is refused all the same, without the name of a version.
    // Two builds of one version may differ while it is not released.
    let release = release.ok().filter(|release| release != env!("CARGO_PKG_VERSION"));
    let version = release.map_or("that version".to_owned(), |release| format!("version {release}"));
    let text = format!(
        "the file was written by a newer Tillbook (its schema is {file}, this version has \
         {STEPS}); use {version}"
    );
    Err(StoreError::other(text))
}

fn file_version(conn: &Connection) -> Result<usize, StoreError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::inconsistent("the schema version is negative"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::digest::sha256;

    /// Every migration that has landed, with the SHA-256 of its file.
    const LANDED: &[(&str, &str)] = &[
        ("0001_book.sql", "2c113bc256bde720923c68a238e3184d0f8330b76fa3e4b5e115b86dbbb92add"),
        (
            "0002_clock_jumps_and_words.sql",
            "7b931f8572f69ccdcf93b72f6c2bb27e20b3aadc5e795970a83ffbcde87e494b",
        ),
        ("0003_hooks.sql", "9779f19a1642013932d8ba9d82055af036323ba830754811d1c012e2a5112f45"),
        (
            "0004_order_sessions.sql",
            "3cf9709a90b13d36368ca4b5445bf0692a76d03d10f4fa921a18ed12411c6f97",
        ),
        ("0005_payouts.sql", "8ee6a89ec6f77e276846cb9fa21c6f96e07a53f29785efe4b8d9af4cc67a4abe"),
        ("0006_callbacks.sql", "38aa4a0d6c3a4b2ddcecde2424b5a50a4b7e947ff4f23d434dc09c535c99cfc0"),
        ("0007_expiries.sql", "6f476202c684a5f592dc2ee4cf5d4098b87dbd213a2bef705f83f2f40cde705c"),
    ];

    /// Every statement of a schema, without comments and white space.
    fn schema(conn: &Connection) -> Vec<String> {
        let mut statement = conn
            .prepare("select sql from sqlite_schema where sql is not null order by type, name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|sql| plain(&sql.unwrap())).collect()
    }

    fn plain(sql: &str) -> String {
        let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
        // SQLite quotes the name of a renamed table, and puts a space before an added column.
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ").replace('"', "").replace(" ,", ",")
    }

    fn open() -> Connection {
        #[expect(clippy::disallowed_methods, reason = "a schema needs no settings")]
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn the_migrations_together_make_the_documented_schema() {
        let mut migrated = open();
        migrate(&mut migrated).unwrap();
        let documented = open();
        documented.execute_batch(include_str!("../../../data/schema.sql")).unwrap();
        assert_eq!(schema(&migrated), schema(&documented));
    }

    #[test]
    fn a_landed_migration_is_never_edited() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/migrations");
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".rows.sql"));
        names.sort();
        let hash = |name: &str| {
            let content = std::fs::read(folder.join(name)).unwrap();
            sha256(&content).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let found: Vec<(String, String)> =
            names.into_iter().map(|name| (name.clone(), hash(&name))).collect();
        let landed: Vec<(String, String)> =
            LANDED.iter().map(|(name, hash)| (name.to_string(), hash.to_string())).collect();
        assert_eq!(
            found, landed,
            "data/migrations (left) differs from the table LANDED (right). A new migration gets a \
             new line in the table. A migration that is in the table must not change, because \
             books exist that were made with it: undo the edit and write a new migration."
        );
        assert_eq!(STEPS, LANDED.len());
    }

    /// Sample rows to insert after each migration, so that every later one runs on rows.
    const ROWS: &[&str] = &[
        include_str!("../../../data/migrations/0001_book.rows.sql"),
        include_str!("../../../data/migrations/0002_clock_jumps_and_words.rows.sql"),
        include_str!("../../../data/migrations/0003_hooks.rows.sql"),
        include_str!("../../../data/migrations/0004_order_sessions.rows.sql"),
        include_str!("../../../data/migrations/0005_payouts.rows.sql"),
        include_str!("../../../data/migrations/0006_callbacks.rows.sql"),
        include_str!("../../../data/migrations/0007_expiries.rows.sql"),
    ];

    /// A book with the schema of that number and all sample rows up to it.
    fn book_of(version: usize) -> Connection {
        let mut conn = open();
        for (step, rows) in ROWS.iter().enumerate().take(version) {
            conn.pragma_update(None, "foreign_keys", false).unwrap();
            Migrations::new(steps().into()).to_version(&mut conn, step + 1).unwrap();
            conn.pragma_update(None, "foreign_keys", true).unwrap();
            // The sample rows refer to each other in both directions.
            conn.execute_batch(&format!("begin; pragma defer_foreign_keys = on; {rows}; commit"))
                .unwrap();
        }
        conn
    }

    #[test]
    fn every_migration_runs_on_the_rows_of_the_ones_before_it() {
        assert_eq!(STEPS, ROWS.len(), "a migration comes with its sample rows");
        for version in 0..=STEPS {
            let mut conn = book_of(version);
            migrate(&mut conn).unwrap();
            assert_eq!(file_version(&conn).unwrap(), STEPS);
        }
        let conn = book_of(STEPS);
        let tables = "select name from sqlite_schema
            where type = 'table' and name not like '%_search_%'";
        let mut statement = conn.prepare(tables).unwrap();
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for name in names {
            let any = format!("select exists (select 1 from {name})");
            let any: bool = conn.query_row(&any, [], |row| row.get(0)).unwrap();
            assert!(any, "{name} has no sample row");
        }
    }

    #[test]
    fn tables_that_do_not_fit_the_schema_number_are_reported_as_damage() {
        let mut conn = open();
        conn.execute_batch("create table orders (x)").unwrap();
        let refused = migrate(&mut conn).unwrap_err();
        assert_eq!(refused.kind, StoreErrorKind::Corrupt, "{refused}");
        assert!(refused.to_string().ends_with("table orders already exists"), "{refused}");
        assert_eq!(schema(&conn), ["CREATE TABLE orders (x)"], "the migration was not undone");
    }

    #[test]
    fn a_newer_file_is_refused_unchanged() {
        let mut conn = open();
        conn.pragma_update(None, "user_version", 999).unwrap();
        let refused = migrate(&mut conn).unwrap_err();
        assert!(refused.source.to_string().contains("newer Tillbook"), "{refused}");
        assert!(schema(&conn).is_empty());
    }

    #[test]
    fn a_newer_file_names_the_version_to_use() {
        let mut conn = open();
        migrate(&mut conn).unwrap();
        conn.execute_batch("update book set release = '7.8.9'; pragma user_version = 999").unwrap();
        let refused = migrate(&mut conn).unwrap_err();
        assert!(refused.to_string().ends_with("use version 7.8.9"), "{refused}");
    }

    #[test]
    fn a_file_never_names_a_version_after_the_program() {
        let mut conn = open();
        migrate(&mut conn).unwrap();
        let release: String =
            conn.query_row("select release from book", [], |row| row.get(0)).unwrap();
        let parts = |version: &str| -> Vec<u32> {
            version.split('.').map(|part| part.parse().unwrap()).collect()
        };
        assert!(parts(&release) <= parts(env!("CARGO_PKG_VERSION")), "{release}");
    }
}
