//! A client with large orders that does not read its answers: other accounts are answered, and the
//! server's memory stays bounded.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::http_client::{Reply, agent, send, try_send};
use super::process::{Served, make_book, make_client, path, run, until};
use super::trials::say;

pub const OTHER: &str = "T87654321";

/// Most resident memory of the server with 40 unread answers of 8 MB and 64 changes of the same
/// order. It was 1.7 GB before answers in flight were counted.
const RESIDENT_BYTES_MAX: u64 = 400 << 20;

/// A client of an account, with its token.
pub struct Caller<'a> {
    pub served: &'a Served,
    account: &'a str,
    bearer: String,
}

impl Caller<'_> {
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let path = format!("/v1/accounts/{}/shopping{path}", self.account);
        let headers = [("authorization", self.bearer.as_str())];
        let body = body.map(Value::to_string);
        send(&self.served.url, method, &path, &headers, body.as_deref())
    }

    /// The bytes of a request after which the server closes the connection.
    pub fn bytes(&self, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /v1/accounts/{}/shopping{path} HTTP/1.1\r\n\
             Host: localhost\r\nAuthorization: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.account,
            self.bearer,
            body.len()
        );
        request.into_bytes()
    }

    /// A comment under a key of its own.
    fn comment(&self, order: &str, number: usize) -> Reply {
        let path = format!("/v1/accounts/{}/shopping/orders/{order}/comments", self.account);
        let key = format!("comment {number}");
        let headers = [("authorization", self.bearer.as_str()), ("idempotency-key", &key)];
        let body = json!({"comment": "fifteen letters"}).to_string();
        try_send(&agent(), &self.served.url, "POST", &path, &headers, Some(&body)).unwrap()
    }

    /// Asks for an order with all its events and reads nothing of the answer.
    fn ask(&self, order: &str) -> TcpStream {
        self.ask_path(&format!("/orders/{order}?include_events=true"))
    }

    /// Asks for something below `/shopping` and reads nothing of the answer.
    fn ask_path(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.served.address()).unwrap();
        let request = format!(
            "GET /v1/accounts/{}/shopping{path} HTTP/1.1\r\n\
             Host: localhost\r\nAuthorization: {}\r\n\r\n",
            self.account, self.bearer
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    pub fn order(&self) -> String {
        let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 100_000}]});
        let draft = self.send("POST", "/draft_orders", Some(&json!({"order": order})));
        let draft = draft.expect(200).body["id"].as_str().unwrap().to_owned();
        let done = self.send("PUT", &format!("/draft_orders/{draft}/complete"), Some(&json!({})));
        done.expect(200).body["orders"][0]["order_id"].as_str().unwrap().to_owned()
    }
}

pub fn caller<'a>(served: &'a Served, account: &'a str, made: &Value) -> Caller<'a> {
    let client = super::http_client::Client {
        client_id: made["client_id"].as_str().unwrap().to_owned(),
        secret: made["client_secret"].as_str().unwrap().to_owned(),
    };
    let path = format!("/v1/accounts/{account}/auth/token");
    let basic = super::http_client::basic(&client);
    let reply = send(&served.url, "POST", &path, &[("authorization", &basic)], None).expect(200);
    let token = reply.body["access_token"].as_str().unwrap();
    Caller { served, account, bearer: format!("Bearer {token}") }
}

fn client_of(db: &Path, account: &str) -> Value {
    let args = ["client", "create", "--account", account, "--name", "c"];
    let grant = ["--grant", "admin:shopping", "--db", path(db), "--json"];
    run(&[&args[..], &grant].concat()).expect(0).json()
}

#[test]
fn large_orders_and_unread_answers_of_one_account_leave_room_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    drop(make_book(&db));
    drop(make_client(&db, "read:shopping"));
    run(&["account", "create", OTHER, "--name", "Other", "--db", path(&db)]).expect(0);
    let (greedy, writer, other) =
        (client_of(&db, "T12345678"), client_of(&db, "T12345678"), client_of(&db, OTHER));
    let served = Served::start(&db);
    let greedy = caller(&served, "T12345678", &greedy);
    let writer = caller(&served, "T12345678", &writer);
    let other = caller(&served, OTHER, &other);
    let (large, small) = (greedy.order(), other.order());
    let put = json!({"metadata": {"x": "x".repeat((1 << 20) - 200)}});
    for _ in 0..6 {
        greedy.send("PUT", &format!("/orders/{large}"), Some(&put)).expect(200);
    }
    let unread: Vec<TcpStream> = (0..40).map(|_| greedy.ask(&large)).collect();
    let is_done = AtomicBool::new(false);
    let (statuses, most) = std::thread::scope(|scope| {
        let comments: Vec<_> = (0..64)
            .map(|nth| (nth, &writer, &large))
            .map(|(nth, writer, large)| scope.spawn(move || writer.comment(large, nth).status))
            .collect();
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !is_done.load(Ordering::Relaxed) {
                let capture = json!({"items": [{"line_id": 1, "amount": 1}]});
                let path = format!("/orders/{small}/captures");
                other.send("POST", &path, Some(&capture)).expect(200);
                most = most.max(served.resident_bytes());
            }
            most
        });
        let statuses: Vec<u16> = comments.into_iter().map(|one| one.join().unwrap()).collect();
        is_done.store(true, Ordering::Relaxed);
        (statuses, watch.join().unwrap())
    });
    say(&format!("{} MiB at most", most >> 20));
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    assert!(most < RESIDENT_BYTES_MAX, "{} MiB", most >> 20);
    let refused = greedy.send("GET", &format!("/orders/{large}?include_events=true"), None);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(unread);
    until("the answers that nobody will read are forgotten", || {
        greedy.send("GET", &format!("/orders/{large}?include_events=true"), None).status == 200
    });
    let shown = greedy.send("GET", &format!("/orders/{large}"), None).expect(200).body;
    let recorded = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(shown["comments"].as_array().unwrap().len(), recorded);
    for (nth, status) in statuses.iter().enumerate() {
        let again = writer.comment(&large, nth).expect(200);
        let replayed = again.header("idempotency-replayed") == Some("true");
        assert_eq!(replayed, *status == 200, "comment {nth}");
    }
}

#[test]
fn keys_of_comments_on_a_large_order_take_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    drop(make_book(&db));
    let client = client_of(&db, "T12345678");
    let served = Served::start(&db);
    let client = caller(&served, "T12345678", &client);
    let order = client.order();
    let put = json!({"metadata": {"x": "x".repeat((1 << 20) - 200)}});
    client.send("PUT", &format!("/orders/{order}"), Some(&put)).expect(200);
    for nth in 0..40 {
        let first = client.comment(&order, nth).expect(200);
        let again = client.comment(&order, nth).expect(200);
        assert_eq!(first.text, again.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    drop(client);
    served.kill();
    let conn = super::audit::open(&db);
    let sql = "select sum(octet_length(answer)) from idempotency_keys";
    let bytes: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(bytes < 40 * 30, "{bytes} bytes of 40 answers");
}

/// A book with a client of two accounts each.
pub fn two_accounts() -> (tempfile::TempDir, Served, Value, Value) {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    drop(make_book(&db));
    run(&["account", "create", OTHER, "--name", "Other", "--db", path(&db)]).expect(0);
    let (greedy, other) = (client_of(&db, "T12345678"), client_of(&db, OTHER));
    let served = Served::start(&db);
    (dir, served, greedy, other)
}

#[test]
fn pages_of_large_orders_and_drafts_are_whole_and_take_little_memory() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let small = other.order();
    let put = json!({"metadata": {"x": "x".repeat((1 << 20) - 200)}});
    let mut orders: Vec<String> = (0..50).map(|_| greedy.order()).collect();
    orders.reverse();
    for order in &orders {
        // A document of 1 MiB, and two requests of 1 MiB each.
        greedy.send("PUT", &format!("/orders/{order}"), Some(&put)).expect(200);
        greedy.send("PUT", &format!("/orders/{order}"), Some(&put)).expect(200);
    }
    for _ in 0..20 {
        let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}],
            "metadata": put["metadata"]});
        greedy.send("POST", "/draft_orders", Some(&json!({"order": order}))).expect(200);
    }
    for (list, limit) in [
        ("orders?", 50),
        ("orders?include_events=true&", 50),
        ("orders?include_events=true&", 3),
        ("draft_orders?", 100),
    ] {
        let asked = format!("/{list}limit={limit}&total=true");
        let unread: Vec<TcpStream> = (0..64).map(|_| greedy.ask_path(&asked)).collect();
        let mut most = 0;
        for _ in 0..50 {
            let capture = json!({"items": [{"line_id": 1, "amount": 1}]});
            other.send("POST", &format!("/orders/{small}/captures"), Some(&capture)).expect(200);
            most = most.max(served.resident_bytes());
        }
        say(&format!("{asked}: {} MiB at most", most >> 20));
        assert!(most < RESIDENT_BYTES_MAX, "{asked}: {} MiB", most >> 20);
        let refused = greedy.send("GET", &asked, None);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{asked}");
        drop(unread);
        until("the pages that nobody will read are forgotten", || {
            greedy.send("GET", &asked, None).status == 200
        });
    }
    let listed = |path: &str| greedy.send("GET", path, None).expect(200);
    let whole = listed("/orders?limit=100&total=true&include_events=true");
    assert_eq!(whole.header("total-count"), Some("50"));
    let ids = |reply: &Reply| -> Vec<String> {
        let orders = reply.body["orders"].as_array().unwrap();
        orders.iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&whole), orders);
    let first = listed("/orders?limit=1&include_events=true");
    assert_eq!(first.body["orders"][0], whole.body["orders"][0]);
    let token = whole.body["orders"][9]["paging_token"].as_str().unwrap();
    let rest = listed(&format!("/orders?limit=100&starting_after={token}"));
    assert_eq!(ids(&rest), orders[10..]);
    let peak = served.peak_bytes() >> 20;
    say(&format!("{peak} MiB at most at any time"));
    assert!(peak < RESIDENT_BYTES_MAX >> 20, "{peak} MiB");
}
