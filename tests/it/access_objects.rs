//! Orders, drafts, operations and comments of an account do not exist for other accounts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tillbook::domain::role::Role;
use tillbook::domain::scope::Scope;
use tillbook::http::{endpoints, pages};
use tillbook::randomness::Randomness;

use super::forge::OTHER_ACCOUNT;
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{FORM, FORM_TOKEN, visitor};

/// An id that does not exist.
const UNKNOWN_ID: &str = "11111111-2222-4333-8444-555555555555";

/// The parameters of a path, by name.
pub type Ids = BTreeMap<&'static str, String>;

/// An account, and a client of it with every scope.
pub struct Shop<'a> {
    app: &'a App,
    account: &'static str,
    token: String,
    customer: &'static str,
    store: &'static str,
}

impl<'a> Shop<'a> {
    /// The account that the harness makes.
    pub fn first(app: &'a App) -> Shop<'a> {
        let token = app.token.clone();
        Shop { app, account: ACCOUNT, token, customer: "kari", store: "torget" }
    }

    /// Makes another account.
    fn other(app: &'a App) -> Shop<'a> {
        app.make_account(OTHER_ACCOUNT);
        let client = app.make_client(
            OTHER_ACCOUNT,
            &[Scope::AdminShopping, Scope::AdminHooks, Scope::AdminBilling],
        );
        let token = app.token_in(OTHER_ACCOUNT, &client);
        Shop { app, account: OTHER_ACCOUNT, token, customer: "ola", store: "bua" }
    }

    /// A request below this account's `/shopping`.
    fn send(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let path = format!("/v1/accounts/{}/shopping{path}", self.account);
        let bearer = format!("Bearer {}", self.token);
        let body = body.map(|body| body.to_string());
        self.app.send(method, &path, &[("authorization", &bearer)], body.as_deref())
    }

    #[track_caller]
    fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, Some(body)).expect(200)
    }

    /// Makes what a route needs, such as an order, and returns the parameters of its path.
    #[track_caller]
    pub fn ids(&self, template: &str) -> Ids {
        let mut ids = Ids::from([
            ("aid", self.account.to_owned()),
            ("customer_id", self.customer.to_owned()),
            ("store_id", self.store.to_owned()),
        ]);
        if template.contains("{id}") {
            ids.insert("id", id_of(&self.post("/draft_orders", draft_body())));
            ids.insert("line_id", "1".to_owned());
        }
        if template.contains("{order_id}") {
            let order = self.order(json!({}));
            if template.ends_with("/open") {
                self.post(&format!("/orders/{order}/close"), json!({}));
            }
            if template.ends_with("/receipt") {
                let capture = json!({"items": [{"line_id": 1, "amount": 1}]});
                self.post(&format!("/orders/{order}/captures"), capture);
            }
            if template.contains("{comment_id}") {
                let said = self.post(&format!("/orders/{order}/comments"), comment_body()).body;
                ids.insert("comment_id", said["comments"][0]["id"].as_str().unwrap().to_owned());
            }
            if template.contains("{session_id}") {
                let made = self.post(&format!("/orders/{order}/sessions"), session_body());
                ids.insert("session_id", id_of(&made));
            }
            if let Some(list) = template.strip_suffix("/{operation_id}") {
                let (_, kind) = list.rsplit_once('/').unwrap();
                let made = self.post(&format!("/orders/{order}/{kind}"), operation_body());
                ids.insert("operation_id", id_of(&made));
            }
            ids.insert("order_id", order);
        }
        if template.contains("{hid}") {
            let (hook, delivery) = self.hook();
            ids.extend([("hid", hook), ("did", delivery)]);
        }
        if template.contains("{token}") {
            let order = self.order(json!({}));
            let made = self.post(&format!("/orders/{order}/sessions"), session_body());
            let (_, token) = made.body["url"].as_str().unwrap().rsplit_once('/').unwrap();
            ids.insert("token", token.to_owned());
        }
        if template.contains("{payout_rule_id}") {
            ids.insert("payout_rule_id", id_of(&self.post_rule()));
        }
        for name in parameters(template) {
            assert!(ids.contains_key(name), "add a case for {{{name}}} of {template} here");
        }
        ids
    }

    fn post_rule(&self) -> Reply {
        let path = format!("/v1/accounts/{}/billing/payout-rules", self.account);
        let bearer = format!("Bearer {}", self.token);
        let body = rule_body(&uuid()).to_string();
        self.app.send("POST", &path, &[("authorization", &bearer)], Some(&body)).expect(200)
    }

    /// The account's only hook, made anew, and its delivery: a ping that nothing sends.
    fn hook(&self) -> (String, String) {
        let hooks = format!("/v1/accounts/{}/hooks/subscriptions", self.account);
        let bearer = format!("Bearer {}", self.token);
        let send = |method: &str, path: &str, body: Option<Value>| {
            let (path, body) = (format!("{hooks}{path}"), body.map(|body| body.to_string()));
            let headers = [("authorization", bearer.as_str())];
            self.app.send(method, &path, &headers, body.as_deref()).expect(200)
        };
        for hook in send("GET", "?limit=100", None).body.as_array().unwrap() {
            send("DELETE", &format!("/{}", hook["id"].as_str().unwrap()), None);
        }
        let hook = id_of(&send("POST", "", Some(hook_body())));
        let deliveries = send("GET", &format!("/{hook}/deliveries"), None).body;
        (hook, deliveries[0]["id"].as_str().unwrap().to_owned())
    }

    fn order(&self, options: Value) -> String {
        let items = json!([{"id": "a", "gross_amount": 100}]);
        let order = json!({"currency": "NOK", "items": items, "customer": {"id": self.customer},
            "store": {"id": self.store}});
        let draft = id_of(&self.post("/draft_orders", json!({"order": order, "options": options})));
        let done = self.send("PUT", &format!("/draft_orders/{draft}/complete"), None).expect(200);
        done.body["orders"][0]["id"].as_str().unwrap().to_owned()
    }

    fn authorize(&self, order: &str) -> String {
        let body = json!({"items": [{"line_id": 1, "amount": 10}]});
        id_of(&self.post(&format!("/orders/{order}/authorizations"), body))
    }
}

/// Fills the parameters into a route's path.
pub fn filled(template: &str, ids: &Ids) -> String {
    ids.iter()
        .fold(template.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
}

/// The names of a path's parameters.
fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap())
}

/// Every way to put ids of another account into a path: one id at a time, and all of them together.
/// Leaves out line ids, which are numbers within a draft, the account id, which the access matrix
/// covers, and the secret of a payment page, which is the only permission that the page needs.
fn mixtures(template: &str, ours: &Ids, theirs: &Ids) -> Vec<(Ids, Ids)> {
    let names: Vec<&str> =
        parameters(template).filter(|name| !["aid", "line_id", "token"].contains(name)).collect();
    let mixture = |chosen: usize| {
        let (mut mixed, mut absent) = (ours.clone(), ours.clone());
        for (at, name) in names.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0) {
            let (name, theirs) = theirs.get_key_value(*name).unwrap();
            assert_ne!(ours[name], *theirs, "{template}: {name} {at} is the same in both accounts");
            mixed.insert(name, theirs.clone());
            absent.insert(name, UNKNOWN_ID.to_owned());
        }
        (mixed, absent)
    };
    (1..1 << names.len()).map(mixture).collect()
}

#[test]
fn no_route_finds_anything_of_another_account() {
    let app = App::start();
    let (us, them) = (Shop::first(&app), Shop::other(&app));
    let mut tried = BTreeSet::new();
    for endpoint in endpoints() {
        let (method, template) = (endpoint.method.as_str(), endpoint.path.as_str());
        let (ours, theirs) = (us.ids(template), them.ids(template));
        let before = app.snapshot();
        let send = |ids: &Ids| {
            let path = filled(template, ids);
            let bearer = format!("Bearer {}", us.token);
            let body = body_of(method, template).map(|body| body.to_string());
            app.send(method, &path, &[("authorization", &bearer)], body.as_deref())
        };
        for (mixed, absent) in mixtures(template, &ours, &theirs) {
            let at = format!("{method} {}", filled(template, &mixed));
            let (reply, of_nobody) = (send(&mixed), send(&absent));
            // The list of an account without orders is empty.
            let is_list = template.ends_with("_id}/orders");
            assert_eq!(reply.status, if is_list { 200 } else { 404 }, "{at}: {}", reply.text);
            assert!(!is_list || reply.body["orders"] == json!([]), "{at}: {}", reply.text);
            // The answer is the same as for an id that does not exist, so it reveals no ids of
            // other accounts.
            let unnamed = |reply: &Reply, ids: &Ids| {
                ids.values().fold(reply.text.clone(), |text, id| text.replace(id, ""))
            };
            assert_eq!(unnamed(&reply, &mixed), unnamed(&of_nobody, &absent), "{at}");
            assert_eq!(app.snapshot(), before, "{at} changed something");
            tried.insert(at);
        }
        if parameters(template).any(|name| name != "aid") {
            let reply = send(&ours);
            let expected = if template.ends_with("/ping") { 204 } else { 200 };
            assert_eq!(reply.status, expected, "{method} {template}: {}", reply.text);
        }
    }
    assert!(40 < tried.len(), "only {} were tried", tried.len());
}

#[test]
fn no_page_finds_anything_of_another_account() {
    let app = App::start();
    let (us, them) = (Shop::first(&app), Shop::other(&app));
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let mut tried = BTreeSet::new();
    for page in pages().iter().filter(|page| page.path.starts_with("/admin/{aid}/")) {
        let (method, template) = (page.method.as_str(), page.path.as_str());
        let (ours, theirs) = (us.ids(template), them.ids(template));
        let before = app.snapshot();
        let send = |ids: &Ids| {
            // Without a key, the page of a form redirects to itself with one.
            let path = format!("{}?key={UNKNOWN_ID}", filled(template, ids));
            let body = format!(
                "form_token={FORM_TOKEN}&comment=c&cancelled_reason=other&from=now\
                 &url=https%3A%2F%2Fshop.example&events=shopping_draft_add&secret=s3cret\
                 &store=s&destinations=d+100"
            );
            let body = (method == "POST").then_some(body.as_str());
            app.send(method, &path, &[FORM, ("cookie", &cookie)], body)
        };
        for (mixed, absent) in mixtures(template, &ours, &theirs) {
            let at = format!("{method} {}", filled(template, &mixed));
            let (reply, of_nobody) = (send(&mixed), send(&absent));
            assert_eq!(reply.status, 404, "{at}: {}", reply.text);
            assert_eq!(reply.text, of_nobody.text, "{at}");
            assert_eq!(app.snapshot(), before, "{at} changed something");
            tried.insert(at);
        }
        let reply = send(&ours);
        assert!(![403, 404].contains(&reply.status), "{method} {template}: {}", reply.text);
    }
    assert!(15 < tried.len(), "only {} were tried", tried.len());
}

#[test]
fn another_account_s_id_in_a_body_or_a_query_is_unknown() {
    let app = App::start();
    let (us, them) = (Shop::first(&app), Shop::other(&app));
    let several = || json!({"multiple_authorizations": true});
    let (ours, another, theirs) = (us.order(several()), us.order(several()), them.order(several()));
    let (of_another, their_authorization) = (us.authorize(&another), them.authorize(&theirs));
    us.authorize(&ours);
    let before = app.snapshot();
    for id in [their_authorization.as_str(), &of_another, UNKNOWN_ID] {
        for kind in ["captures", "refunds", "cancellations"] {
            for success in [true, false] {
                let items = json!([{"line_id": 1, "amount": 1}]);
                let body = json!({"items": items, "authorization_id": id, "success": success});
                let reply = app.post(&format!("/orders/{ours}/{kind}"), body).expect(400);
                assert_eq!(reply.problems(), "/authorization_id unknown_authorization");
            }
        }
    }
    let page = format!("/orders?starting_after={theirs}");
    assert_eq!(app.get(&page).expect(400).problems(), "starting_after bad_value");
    assert_eq!(app.get("/orders?total=true").header("total-count"), Some("2"));
    assert_eq!(app.snapshot(), before);
}

fn id_of(reply: &Reply) -> String {
    reply.body["id"].as_str().unwrap().to_owned()
}

fn hook_body() -> Value {
    json!({"config": {"url": "https://shop.example/hook"}, "events": ["shopping_order_update"]})
}

fn draft_body() -> Value {
    json!({"order": {"currency": "NOK", "items": [{"id": "p", "gross_amount": 100}]}})
}

fn operation_body() -> Value {
    json!({"items": [{"line_id": 1, "amount": 1}], "success": false})
}

/// A rule for a store that no other rule is for.
fn rule_body(store: &str) -> Value {
    let entry = json!({"type": "percentage", "value": 100, "destination": "d"});
    json!({"rule_type": "order.items.store.id", "rule_id": store, "destinations": [entry]})
}

fn uuid() -> String {
    Randomness::System.uuid()
}

fn comment_body() -> Value {
    json!({"comment": "Ring twice"})
}

fn session_body() -> Value {
    let url = json!({"return_url": "https://shop.example/thanks"});
    json!({"items": [{"line_id": "1"}], "profile_id": "p", "url": url})
}

/// The body that a route accepts.
pub fn body_of(method: &str, template: &str) -> Option<Value> {
    let takes_operation = ["/authorizations", "/captures", "/refunds", "/cancellations"];
    match method {
        "GET" => None,
        _ if template.contains("/payout-rules") => Some(rule_body(&uuid())),
        _ if template.ends_with("/draft_orders") => Some(draft_body()),
        _ if template.contains("/items") => Some(json!({"id": "b", "gross_amount": 5})),
        _ if template.ends_with("/events") => {
            Some(json!({"service": "kitchen", "service_status": "prepared"}))
        }
        _ if template.ends_with("/subscriptions") => Some(hook_body()),
        _ if template.ends_with("{hid}/replay") => Some(json!({"since": "2026-01-01T00:00:00Z"})),
        _ if template.ends_with("/comments") => Some(comment_body()),
        _ if template.ends_with("/sessions") => Some(session_body()),
        _ if template.ends_with("/outcome") => Some(json!({"outcome": "approve"})),
        _ if takes_operation.iter().any(|kind| template.ends_with(kind)) => Some(operation_body()),
        _ => Some(json!({})),
    }
}
