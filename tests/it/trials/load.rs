//! A shop under load from outside: captures on one large order, each under a key of its own, and
//! what is known of each of them.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::audit;
use crate::harness::{ACCOUNT, Client, Reply, agent, send, try_send};
use crate::process::{Served, make_book};

/// So much on the line that no capture is ever refused.
const PAYABLE: i64 = 1_000_000_000;

const CLIENTS: usize = 4;

/// A book with one large order, and every capture of it that was answered with 200.
pub struct Shop {
    pub db: PathBuf,
    pub client: Client,
    pub order: String,
    /// Ids of the operations by their keys.
    pub answered: BTreeMap<String, String>,
}

impl Shop {
    /// Makes the book in that folder.
    pub fn make(dir: &Path) -> Shop {
        let db = dir.join("book.db");
        let client = make_book(&db);
        let served = Served::start(&db);
        let token = served.token(&client);
        let items = json!([{"id": "p", "line_id": 1, "gross_amount": PAYABLE}]);
        let draft = json!({"order": {"currency": "NOK", "items": items}});
        let draft = served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
        let complete = format!("/draft_orders/{}/complete", draft.body["id"].as_str().unwrap());
        let done = served.shopping(&token, "PUT", &complete, Some(&json!({}))).expect(200);
        let order = done.body["orders"][0]["order_id"].as_str().unwrap().to_owned();
        served.signal("TERM");
        served.wait().expect(0);
        Shop { db, client, order, answered: BTreeMap::new() }
    }

    /// The path of its captures.
    pub fn captures(&self) -> String {
        format!("/v1/accounts/{ACCOUNT}/shopping/orders/{}/captures", self.order)
    }

    /// Sends one capture a key, several at once, and gives every answer that came. The 200s among
    /// them are remembered.
    pub fn capture(&mut self, url: &str, token: &str, keys: &[String]) -> Vec<(String, Reply)> {
        let (path, waiting, answers) = (self.captures(), Mutex::new(keys.iter()), Mutex::default());
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let agent = agent();
                    let bearer = format!("Bearer {token}");
                    let next = || waiting.lock().unwrap().next();
                    while let Some(key) = next() {
                        let headers =
                            [("authorization", bearer.as_str()), ("idempotency-key", key)];
                        let body = capture_under(key).to_string();
                        let reply = try_send(&agent, url, "POST", &path, &headers, Some(&body));
                        let Ok(reply) = reply else { continue };
                        let answers: &Mutex<Vec<(String, Reply)>> = &answers;
                        answers.lock().unwrap().push((key.clone(), reply));
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap();
        for (key, reply) in answers.iter().filter(|(_, reply)| reply.status == 200) {
            let id = reply.body["id"].as_str().unwrap().to_owned();
            let before = self.answered.insert(key.clone(), id.clone());
            assert!(before.is_none_or(|before| before == id), "{key} was done twice");
        }
        answers
    }

    /// Panics unless the file holds what was answered, nothing else but what got no answer, and
    /// adds up.
    #[track_caller]
    pub fn expect_stored(&self, unanswered_max: usize) {
        let stored = stored(&self.db);
        for (key, id) in &self.answered {
            assert_eq!(stored.get(key), Some(id), "{key} was answered, and lost or changed");
        }
        let others = stored.len() - self.answered.len();
        assert!(others <= unanswered_max, "{others} captures that got no 200 are in the file");
        audit::expect_clean(&self.db);
    }
}

/// Keys that no other call with another word gives.
pub fn keys(word: &str, count: u32) -> Vec<String> {
    (0..count).map(|nth| format!("{word} {nth}")).collect()
}

/// What `/health` says.
pub fn health(url: &str) -> Reply {
    send(url, "GET", "/health", &[], None)
}

/// The body of the capture under a key.
pub fn capture_under(key: &str) -> Value {
    json!({"items": [{"line_id": 1, "amount": 1}], "processed_by": key})
}

/// The captures in the file: their ids by their keys.
fn stored(db: &Path) -> BTreeMap<String, String> {
    let conn = audit::open(db);
    let sql = "select json_extract(document, '$.processed_by'), operation_id from events
        where operation_id is not null";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(String, String)> = rows.map(Result::unwrap).collect();
    let count = rows.len();
    let stored: BTreeMap<String, String> = rows.into_iter().collect();
    assert_eq!(stored.len(), count, "a key was done twice");
    stored
}
