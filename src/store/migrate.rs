//! Bringing a file to the schema that this program knows, forward only.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::error::{StoreError, StoreErrorKind};
use crate::sabotage::{self, Fault};

/// The steps, oldest first. A released step is never edited.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../data/migrations/0001_book.sql")),
    M::up(include_str!("../../data/migrations/0002_people.sql")),
    M::up(include_str!("../../data/migrations/0003_order_book.sql")).foreign_key_check(),
    M::up(include_str!("../../data/migrations/0004_sign_in_attempts.sql")),
    M::up(include_str!("../../data/migrations/0005_search_by_letters.sql")),
];

/// Applies the steps that the file lacks. A file from a newer program is refused untouched.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    refuse_newer(conn)?;
    // A table that others refer to can only be made anew while nobody looks at references; a step
    // that does so checks them at its end, in its own transaction.
    conn.pragma_update(None, "foreign_keys", false)?;
    if sabotage::is_on(Fault::MigrateWithoutJournal) {
        conn.pragma_update(None, "journal_mode", "memory")?;
    }
    let migrated = Migrations::from_slice(STEPS).to_latest(conn).map_err(|error| match error {
        // Its own text repeats the whole step.
        rusqlite_migration::Error::RusqliteError { err, .. } => not_what_it_says(err),
        other => StoreError::other(other),
    });
    conn.pragma_update(None, "foreign_keys", true)?;
    if sabotage::is_on(Fault::MigrateWithoutJournal) {
        conn.pragma_update(None, "journal_mode", "wal")?;
    }
    migrated
}

/// A step that SQLite will not run is one that does not follow on what the file holds.
fn not_what_it_says(error: rusqlite::Error) -> StoreError {
    let error = StoreError::from(error);
    if error.kind != StoreErrorKind::Constraint {
        return error;
    }
    let text = format!("its tables are not those of the version that it names: {}", error.source);
    StoreError { kind: StoreErrorKind::Corrupt, source: text.into() }
}

/// An error unless the file has exactly the schema that this program knows.
pub(super) fn expect_current(conn: &Connection) -> Result<(), StoreError> {
    refuse_newer(conn)?;
    if file_version(conn)? == program_version() {
        return Ok(());
    }
    let text = "the file has an older schema; stop what serves it, and start `tillbook serve` of \
                this version on it, which brings it up to date";
    Err(StoreError::other(text))
}

/// An error when the file is from a newer program.
pub(super) fn refuse_newer(conn: &Connection) -> Result<(), StoreError> {
    let (file, program) = (file_version(conn)?, program_version());
    if file <= program {
        return Ok(());
    }
    let text = format!(
        "the file was written by a newer Tillbook (schema {file}, this one knows {program}); \
         use that version"
    );
    Err(StoreError::other(text))
}

fn file_version(conn: &Connection) -> Result<usize, StoreError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::inconsistent("the schema version is negative"))
}

fn program_version() -> usize {
    STEPS.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What makes up a schema: every statement, without comments and white space.
    fn schema(conn: &Connection) -> Vec<String> {
        let mut statement = conn
            .prepare("select sql from sqlite_schema where sql is not null order by type, name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|sql| plain(&sql.unwrap())).collect()
    }

    fn plain(sql: &str) -> String {
        let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
        // A renamed table is quoted, and an added column stands right behind the one before it.
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ").replace('"', "").replace(" ,", ",")
    }

    fn open() -> Connection {
        #[expect(clippy::disallowed_methods, reason = "a schema needs no settings")]
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn the_steps_together_are_the_schema_document() {
        let mut migrated = open();
        migrate(&mut migrated).unwrap();
        let documented = open();
        documented.execute_batch(include_str!("../../data/schema.sql")).unwrap();
        assert_eq!(schema(&migrated), schema(&documented));
    }

    /// Rows to put in after each step, so that every later step runs on rows.
    const ROWS: &[&str] = &[
        include_str!("../../data/migrations/0001_book.rows.sql"),
        include_str!("../../data/migrations/0002_people.rows.sql"),
        include_str!("../../data/migrations/0003_order_book.rows.sql"),
        include_str!("../../data/migrations/0004_sign_in_attempts.rows.sql"),
        include_str!("../../data/migrations/0005_search_by_letters.rows.sql"),
    ];

    #[test]
    fn every_step_runs_on_the_rows_of_the_steps_before_it() {
        assert_eq!(STEPS.len(), ROWS.len(), "a step comes with its sample rows");
        let mut conn = open();
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        for (step, rows) in ROWS.iter().enumerate() {
            conn.pragma_update(None, "foreign_keys", false).unwrap();
            Migrations::from_slice(STEPS).to_version(&mut conn, step + 1).unwrap();
            conn.pragma_update(None, "foreign_keys", true).unwrap();
            conn.execute_batch(rows).unwrap();
        }
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
    fn what_was_found_before_the_search_was_made_anew_is_found_after_it() {
        let mut conn = open();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        for (step, rows) in ROWS.iter().enumerate().take(4) {
            Migrations::from_slice(STEPS).to_version(&mut conn, step + 1).unwrap();
            conn.execute_batch(rows).unwrap();
        }
        let changed = "delete from order_search where rowid = 1;
            insert into order_search (rowid, account, words)
                values (1, 'T00000001', 'Kåre Wolfeschlegelsteinhausenbergerdorff no');";
        conn.execute_batch(changed).unwrap();
        migrate(&mut conn).unwrap();
        for (table, word, is_found) in [
            ("order_search", "kar", true),
            ("order_search", "n", true),
            ("order_search", "wolfeschlegelsteinha", true),
            ("order_search", "ola", false),
            ("draft_search", "ola", true),
        ] {
            let sql = format!("select count(*) from {table} where {table} match :words");
            let words = format!("\"T00000001{word}\"*");
            let found: i64 = conn.query_row(&sql, [words], |row| row.get(0)).unwrap();
            assert_eq!(found == 1, is_found, "{table}: {word}");
        }
    }

    #[test]
    fn a_newer_file_is_refused_untouched() {
        let mut conn = open();
        conn.pragma_update(None, "user_version", 999).unwrap();
        let refused = migrate(&mut conn).unwrap_err();
        assert!(refused.source.to_string().contains("newer Tillbook"), "{refused}");
        assert!(schema(&conn).is_empty());
    }
}
