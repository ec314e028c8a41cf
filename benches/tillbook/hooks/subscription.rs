//! A hook on a running server, and the requests that change it.

use serde_json::Value;

use crate::captures::bearer;
use crate::client::{BlockingConnection, request};
use crate::orders::ACCOUNT;
use crate::server::Server;
use crate::shop::Shop;

/// A hook for the events of operations. Each capture causes one of these.
pub struct Subscription {
    id: String,
}

impl Subscription {
    /// Makes a hook for a receiver's URL.
    pub fn make(server: &Server, shop: &Shop, url: &str) -> Subscription {
        let body = format!(
            "{{\"config\":{{\"url\":\"{url}\",\"secret\":\"s3cret\"}},\
             \"events\":[\"shopping_order_event_add\"]}}"
        );
        let made = post(server, shop, "", &body);
        Subscription { id: made["id"].as_str().expect("a hook has an id").to_owned() }
    }

    pub fn pause(&self, server: &Server, shop: &Shop) {
        post(server, shop, &format!("/{}/pause", self.id), "{}");
    }

    /// Resumes with the missed events, or without them.
    pub fn resume(&self, server: &Server, shop: &Shop, with_missed: bool) {
        let from = if with_missed { "missed" } else { "now" };
        let body = format!("{{\"from\":\"{from}\"}}");
        post(server, shop, &format!("/{}/resume", self.id), &body);
    }
}

fn post(server: &Server, shop: &Shop, path: &str, body: &str) -> Value {
    let path = format!("/v1/accounts/{ACCOUNT}/hooks/subscriptions{path}");
    let sent = request("POST", &path, &bearer(&shop.token(&server.address)), body);
    let mut connection = BlockingConnection::open(&server.address);
    let answer = connection.send(&sent);
    let text = String::from_utf8_lossy(answer.body);
    assert_eq!(answer.status, 200, "{path}: {text}");
    serde_json::from_str(&text).expect("answers are JSON")
}
