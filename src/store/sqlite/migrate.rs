//! Bringing a file to the schema that this program knows, forward only.

use rusqlite::{Connection, Transaction, named_params};
use rusqlite_migration::{HookResult, M, Migrations};

use crate::sabotage::{self, Fault};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::idempotency::KeyHash;

/// The steps, oldest first. A released step is never edited.
fn steps() -> [M<'static>; STEPS] {
    [
        M::up(include_str!("../../../data/migrations/0001_book.sql")),
        M::up(include_str!("../../../data/migrations/0002_people.sql")),
        M::up(include_str!("../../../data/migrations/0003_order_book.sql")).foreign_key_check(),
        M::up(include_str!("../../../data/migrations/0004_sign_in_attempts.sql")),
        M::up(include_str!("../../../data/migrations/0005_search_by_letters.sql")),
        M::up_with_hook(
            include_str!("../../../data/migrations/0006_quick_captures.sql"),
            hash_keys,
        )
        .foreign_key_check(),
    ]
}

/// How many they are, which is the number of the schema that this program knows.
const STEPS: usize = 6;

/// Moves the idempotency keys of a file from before the sixth step to where hashes find them.
fn hash_keys(tx: &Transaction<'_>) -> HookResult {
    let sql = "select key_seq, account_id, client_id, key from idempotency_keys_before
        join accounts using (account_seq)";
    let mut keys = tx.prepare(sql)?;
    let mut rows = keys.query([])?;
    let mut insert = tx.prepare(
        "insert into idempotency_keys
            select key_seq, :key_hash, fingerprint, answer, created_at_ms
            from idempotency_keys_before where key_seq = :key_seq",
    )?;
    while let Some(row) = rows.next()? {
        let (client_id, key): (String, String) = (row.get(2)?, row.get(3)?);
        let hash = KeyHash::of(&row.get(1)?, &client_id, &key);
        let key_seq: i64 = row.get(0)?;
        insert.execute(named_params! {":key_hash": hash.as_bytes(), ":key_seq": key_seq})?;
    }
    tx.execute_batch("drop table idempotency_keys_before")?;
    Ok(())
}

/// Applies the steps that the file lacks. A file from a newer program is refused untouched.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    refuse_newer(conn)?;
    // A table that others refer to can only be made anew while nobody looks at references; a step
    // that does so checks them at its end, in its own transaction.
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

/// Each step is a transaction of its own, which a process that is killed leaves undone.
fn take_steps(conn: &mut Connection, version: usize) -> Result<(), StoreError> {
    let migrations = Migrations::new(steps().into());
    for step in version + 1..=STEPS {
        if 0 < version {
            tracing::info!(
                step,
                of = STEPS,
                "bringing the book up to date, minutes if it is large"
            );
        }
        migrations.to_version(conn, step).map_err(|error| match error {
            // Its own text repeats the whole step.
            rusqlite_migration::Error::RusqliteError { err, .. } => not_what_it_says(err),
            other => StoreError::other(other),
        })?;
    }
    Ok(())
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
    if file_version(conn)? == STEPS {
        return Ok(());
    }
    let text = "the file has an older schema; stop what serves it, and start `tillbook serve` of \
                this version on it, which brings it up to date";
    Err(StoreError::other(text))
}

/// An error when the file is from a newer program.
pub(super) fn refuse_newer(conn: &Connection) -> Result<(), StoreError> {
    let file = file_version(conn)?;
    if file <= STEPS {
        return Ok(());
    }
    let text = format!(
        "the file was written by a newer Tillbook (schema {file}, this one knows {STEPS}); \
         use that version"
    );
    Err(StoreError::other(text))
}

fn file_version(conn: &Connection) -> Result<usize, StoreError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::inconsistent("the schema version is negative"))
}

#[cfg(test)]
mod tests {
    use rusqlite::Row;

    use super::*;
    use crate::domain::ids::AccountId;

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
        documented.execute_batch(include_str!("../../../data/schema.sql")).unwrap();
        assert_eq!(schema(&migrated), schema(&documented));
    }

    /// Rows to put in after each step, so that every later step runs on rows.
    const ROWS: &[&str] = &[
        include_str!("../../../data/migrations/0001_book.rows.sql"),
        include_str!("../../../data/migrations/0002_people.rows.sql"),
        include_str!("../../../data/migrations/0003_order_book.rows.sql"),
        include_str!("../../../data/migrations/0004_sign_in_attempts.rows.sql"),
        include_str!("../../../data/migrations/0005_search_by_letters.rows.sql"),
        include_str!("../../../data/migrations/0006_quick_captures.rows.sql"),
    ];

    /// A book of an older program, or of this one, with the sample rows.
    fn book_of(version: usize) -> Connection {
        let mut conn = open();
        for (step, rows) in ROWS.iter().enumerate().take(version) {
            conn.pragma_update(None, "foreign_keys", false).unwrap();
            Migrations::new(steps().into()).to_version(&mut conn, step + 1).unwrap();
            conn.pragma_update(None, "foreign_keys", true).unwrap();
            conn.execute_batch(rows).unwrap();
        }
        conn
    }

    #[test]
    fn every_step_runs_on_the_rows_of_the_steps_before_it() {
        assert_eq!(STEPS, ROWS.len(), "a step comes with its sample rows");
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
    fn what_was_found_before_the_search_was_made_anew_is_found_after_it() {
        let mut conn = book_of(4);
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
    fn a_key_stands_for_its_answer_after_the_step_that_hashes_it() {
        let mut conn = book_of(5);
        let row = "select key_seq, fingerprint, answer, created_at_ms from idempotency_keys";
        type Kept = (i64, Vec<u8>, String, i64);
        let kept = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let before: Kept = conn.query_row(row, [], kept).unwrap();
        migrate(&mut conn).unwrap();
        let key = KeyHash::of(&AccountId::parse("T00000001").unwrap(), "c", "key");
        let found = format!("{row} where key_hash = ?1");
        assert_eq!(conn.query_row(&found, [key.as_bytes()], kept).unwrap(), before);
    }

    #[test]
    fn an_operation_stands_whole_in_its_event_after_the_step_that_moves_it() {
        let mut conn = book_of(5);
        let events = "select event_seq, order_seq, previous_seq, version, events.id, kind,
            created_at_ms, created_by";
        let operations = "operation_id, success, amount, authorization_id, document";
        let before = format!(
            "{events}, {} from events left join operations using (event_seq) order by event_seq",
            operations.replace("operation_id", "operations.id")
        );
        let before = rows(&conn, &before);
        migrate(&mut conn).unwrap();
        let after = format!("{events}, {operations} from events order by event_seq");
        assert_eq!(rows(&conn, &after), before);
        assert!(before.iter().any(|event| event.contains("39000")), "{before:?}");
        let named =
            "select ledgers.order_id, orders.order_id from ledgers join orders using (order_seq)";
        assert!(
            rows(&conn, named)
                .iter()
                .all(|names| names.split_once(" | ").is_some_and(|(a, b)| a == b))
        );
    }

    fn rows(conn: &Connection, sql: &str) -> Vec<String> {
        let mut statement = conn.prepare(sql).unwrap();
        let columns = statement.column_count();
        let text = |row: &Row<'_>| {
            let cells = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
            Ok(cells.collect::<Vec<_>>().join(" | "))
        };
        statement.query_map([], text).unwrap().map(Result::unwrap).collect()
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
