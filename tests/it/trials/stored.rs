//! The operations in a file, and their differences from those that were sent and answered.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use super::sent::{KINDS, Outcome, SET_UP, Sent};
use crate::audit;

/// An operation in the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    id: String,
    /// The collection, by its name in paths.
    kind: String,
    amount: i64,
}

/// The operations in a file, without those of the set-up, by the key that they were sent under.
pub fn stored(db: &Path) -> HashMap<String, Vec<Stored>> {
    let conn = audit::open(db);
    let sql =
        "select document, operation_id, kind, amount from events where operation_id is not null";
    let mut statement = conn.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut stored: HashMap<String, Vec<Stored>> = HashMap::new();
    while let Some(row) = rows.next().unwrap() {
        let document: String = row.get(0).unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let key = document["processed_by"].as_str().unwrap().to_owned();
        if key == SET_UP {
            continue;
        }
        let kind: String = row.get(2).unwrap();
        let collection = KINDS.into_iter().find(|collection| collection[..4] == kind[..4]);
        stored.entry(key).or_default().push(Stored {
            id: row.get(1).unwrap(),
            kind: collection.unwrap().to_owned(),
            amount: row.get(3).unwrap(),
        });
    }
    stored
}

/// Lists the operations that were answered but are not in the file as they were sent, and those in
/// the file that were never sent. `was_answered` tells which ids had been answered when the file
/// was in this state.
pub fn differences(
    sent: &BTreeMap<String, Sent>,
    rows: &HashMap<String, Vec<Stored>>,
    was_answered: impl Fn(&str) -> bool,
) -> Vec<String> {
    let no_rows = Vec::new();
    let mut off = Vec::new();
    for sent in sent.values() {
        let rows = rows.get(&sent.key).unwrap_or(&no_rows);
        let wrong = match &sent.outcome {
            Outcome::Done(id) if was_answered(id) || !rows.is_empty() => {
                let amount = sent.body["items"][0]["amount"].as_i64().unwrap();
                let kind = sent.path.rsplit('/').next().unwrap().to_owned();
                let expected = Stored { id: id.clone(), kind, amount };
                (*rows != [expected]).then_some("lost, changed or recorded twice")
            }
            Outcome::Done(_) => None,
            Outcome::Refused => (!rows.is_empty()).then_some("refused and recorded"),
            Outcome::Unknown => (1 < rows.len()).then_some("recorded twice"),
        };
        off.extend(wrong.map(|wrong| format!("{wrong}: {sent:?}, stored {rows:?}")));
    }
    let unsent = rows.keys().filter(|key| !sent.contains_key(*key));
    off.extend(unsent.map(|key| format!("recorded and never sent: {key}")));
    off
}
