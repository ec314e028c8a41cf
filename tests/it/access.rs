//! The access matrix: the expected status of every route for every kind of caller.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tillbook::domain::scope::Scope;
use tillbook::http::endpoints;

use super::access_objects::{Shop, body_of, filled};
use super::forge::{Column, Kind, kinds};
use super::harness::{ACCOUNT, App};
use super::headers::assert_headers;
use super::http_client::Reply;
use super::schema::OPENAPI;

/// A new route gets a line here. The columns are callers: no valid token; tokens with one scope
/// (read:shopping, write:shopping, admin:shopping, read: and write:shopping:/orders/ANY/events); a
/// valid token of another account or without a scope; a token of a client that was disabled
/// afterwards; HTTP Basic with valid credentials; and tokens with one of read:hooks, write:hooks,
/// admin:hooks, read:billing, write:billing, admin:billing. An allowed request gets 200 (a ping:
/// 204), since there is an order, draft, hook or rule to work on.
const MATRIX: &str = "
                                        no  rd  wr  adm evr evw oth dis bas hrd hwr had brd bwr bad
GET /health                             200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
GET /openapi.yaml                       200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
GET /openapi.json                       200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
POST {a}/auth/token                     401 401 401 401 401 401 401 401 200 401 401 401 401 401 401
POST {a}/shopping/draft_orders          401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {a}/shopping/draft_orders           401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {d}                                 401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
PUT {d}                                 401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
DELETE {d}                              401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
POST {d}/items                          401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
PUT {d}/items/{line_id}                 401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
DELETE {d}/items/{line_id}              401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
PUT {d}/complete                        401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {a}/shopping/orders                 401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {c}/orders                          401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {c}/orders/{order_id}               401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {s}/orders                          401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {s}/orders/{order_id}               401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
PUT {o}                                 401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}                                 401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/open                           401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/close                          401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/cancel                         401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/comments                       401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
DELETE {o}/comments/{comment_id}        401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/events                          401 200 403 200 200 403 403 401 401 403 403 403 403 403 403
POST {o}/events                         401 403 200 200 403 200 403 401 401 403 403 403 403 403 403
GET {o}/receipt                         401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/sessions                       401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/sessions                        401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/sessions/{session_id}           401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/sessions/{session_id}/cancel   401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
POST /pay/{token}/outcome               200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
POST {o}/authorizations                 401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/authorizations                  401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/authorizations/{operation_id}   401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/captures                       401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/captures                        401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/captures/{operation_id}         401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/refunds                        401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/refunds                         401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/refunds/{operation_id}          401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {o}/cancellations                  401 403 200 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/cancellations                   401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
GET {o}/cancellations/{operation_id}    401 200 403 200 403 403 403 401 401 403 403 403 403 403 403
POST {a}/hooks/subscriptions            401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
GET {a}/hooks/subscriptions             401 403 403 403 403 403 403 401 401 200 403 200 403 403 403
GET {h}                                 401 403 403 403 403 403 403 401 401 200 403 200 403 403 403
PUT {h}                                 401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
DELETE {h}                              401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
POST {h}/ping                           401 403 403 403 403 403 403 401 401 403 204 204 403 403 403
POST {h}/pause                          401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
POST {h}/resume                         401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
POST {h}/rotate                         401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
POST {h}/replay                         401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
GET {h}/deliveries                      401 403 403 403 403 403 403 401 401 200 403 200 403 403 403
GET {h}/deliveries/{did}                401 403 403 403 403 403 403 401 401 200 403 200 403 403 403
POST {h}/deliveries/{did}/replay        401 403 403 403 403 403 403 401 401 403 200 200 403 403 403
POST {a}/billing/payout-rules           401 403 403 403 403 403 403 401 401 403 403 403 403 200 200
GET {a}/billing/payout-rules            401 403 403 403 403 403 403 401 401 403 403 403 200 403 200
GET {p}                                 401 403 403 403 403 403 403 401 401 403 403 403 200 403 200
PUT {p}                                 401 403 403 403 403 403 403 401 401 403 403 403 403 200 200
DELETE {p}                              401 403 403 403 403 403 403 401 401 403 403 403 403 200 200
";

struct Row {
    method: String,
    path: String,
    /// The expected status for each caller, in the order of the columns.
    statuses: Vec<u16>,
}

#[test]
fn every_route_has_a_row_and_is_documented_and_nothing_else_is() {
    let routed: BTreeSet<String> =
        endpoints().iter().map(|e| format!("{} {}", e.method, e.path)).collect();
    assert_eq!(routed.len(), endpoints().len(), "a route is listed twice");
    let in_matrix: BTreeSet<String> =
        rows().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(in_matrix, routed, "the matrix (left) and the routes differ");
    assert_eq!(documented(), routed, "data/openapi.yaml (left) and the routes differ");
}

#[test]
fn every_kind_of_caller_gets_what_the_matrix_says_and_a_refusal_changes_nothing() {
    let mut app = App::start();
    let kinds = kinds(&mut app);
    let app = app;
    let mut wrong = Vec::new();
    let mut bodies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows() {
        assert_eq!(row.statuses.len(), Column::ALL.len(), "{} {}", row.method, row.path);
        let mut path = prepare(&app, &row.path);
        let mut before = app.snapshot();
        for kind in &kinds {
            let at = format!("{} {} as {}", row.method, row.path, kind.name);
            let reply = send_as(&app, kind, &row, &path);
            if let Some(complaint) = complaint(kind, &row, &reply) {
                wrong.push(format!("{at}: {complaint}: {} {}", reply.status, reply.text));
            }
            assert_headers(&at, &reply);
            if row.method == "GET" || ![200, 204].contains(&reply.status) {
                assert_eq!(app.snapshot(), before, "{at} changed something");
            } else {
                path = prepare(&app, &row.path);
                before = app.snapshot();
            }
            if reply.status == 401 {
                bodies.entry(reply.code().to_owned()).or_default().insert(reply.text);
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    let classes: Vec<(&str, usize)> = bodies.iter().map(|(k, v)| (k.as_str(), v.len())).collect();
    assert_eq!(classes, [("invalid_client", 1), ("invalid_token", 1)], "{bodies:#?}");
}

#[test]
fn an_unauthorized_request_is_refused_before_its_body_is_read() {
    let app = App::start();
    let reader = app.token_of(&app.make_client(ACCOUNT, &[Scope::ReadShopping]));
    let order = app.simple_order(&[100]);
    let path = format!("/orders/{order}/captures");
    let send = |authorization: &str, body: &str| {
        let headers = [("authorization", authorization), ("content-type", "text/plain")];
        app.shopping("POST", &path, &headers, Some(body)).status
    };
    for body in ["{", "", "\u{0}", r#"{"items":[]}"#] {
        assert_eq!(send("Bearer nonsense", body), 401);
        assert_eq!(send(&format!("Bearer {reader}"), body), 403);
        // Content-Type is judged only when there is a body.
        let with_token = if body.is_empty() { 400 } else { 415 };
        assert_eq!(send(&format!("Bearer {}", app.token), body), with_token);
    }
}

#[test]
fn an_account_is_found_only_by_its_exact_id() {
    let app = App::start();
    let bearer = format!("Bearer {}", app.token);
    let status = |account: &str| {
        let path = format!("/v1/accounts/{account}/shopping/orders");
        app.send("GET", &path, &[("authorization", &bearer)], None).status
    };
    assert_eq!(status("T12345678"), 200);
    // The same id, percent-encoded.
    assert_eq!(status("%5412345678"), 200);
    for other in [
        "P12345678",
        "t12345678",
        "T12345678%20",
        "%20T12345678",
        "T1234567",
        "T123456789",
        "T87654321",
        "T12345678%00",
        "T12345678,T87654321",
        "*",
        "%C3%98",
        "T%31%32%33%34%35%36%37%39",
        "%2554%31%32345678",
    ] {
        assert_eq!(status(other), 403, "{other}");
    }
}

fn rows() -> Vec<Row> {
    let rows = MATRIX.lines().filter(|line| line.contains(['/', '{']));
    rows.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Row {
            method: words[0].to_owned(),
            path: words[1]
                .replace("{o}", "{a}/shopping/orders/{order_id}")
                .replace("{c}", "{a}/shopping/customers/{customer_id}")
                .replace("{s}", "{a}/shopping/stores/{store_id}")
                .replace("{d}", "{a}/shopping/draft_orders/{id}")
                .replace("{h}", "{a}/hooks/subscriptions/{hid}")
                .replace("{p}", "{a}/billing/payout-rules/{payout_rule_id}")
                .replace("{a}", "/v1/accounts/{aid}"),
            statuses: words[2..].iter().map(|word| word.parse().unwrap()).collect(),
        }
    })
    .collect()
}

fn documented() -> BTreeSet<String> {
    let paths = OPENAPI["paths"].as_object().unwrap();
    let is_method = |key: &&String| !matches!(key.as_str(), "parameters" | "summary");
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<String> =
            item.as_object().unwrap().keys().filter(is_method).cloned().collect();
        methods.into_iter().map(|m| format!("{} {path}", m.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Sends the request of a row as this kind of caller.
fn send_as(app: &App, kind: &Kind, row: &Row, path: &str) -> Reply {
    let path = format!("{}{}", path.replace(ACCOUNT, kind.account), kind.query);
    let headers: Vec<(&str, &str)> =
        kind.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = body_of(&row.method, &row.path).map(|body| body.to_string());
    app.send(&row.method, &path, &headers, body.as_deref())
}

/// The path of a route, filled with the ids of a new order, draft or operation.
fn prepare(app: &App, template: &str) -> String {
    filled(template, &Shop::first(app).ids(template))
}

/// Describes how an answer differs from the matrix, if it does. A refusal must have its code and,
/// for 401, the `WWW-Authenticate` header.
fn complaint(kind: &Kind, row: &Row, reply: &Reply) -> Option<String> {
    let column = Column::ALL.iter().position(|column| *column == kind.column).unwrap();
    let status = row.statuses[column];
    let of_account = kind.name == "of another account" || kind.account != ACCOUNT;
    let expected = match status {
        401 if row.path.ends_with("/auth/token") => {
            (401, "invalid_client", Some("Basic realm=\"tillbook\""))
        }
        401 => (401, "invalid_token", Some("Bearer")),
        403 if of_account => (403, "wrong_account", None),
        403 => (403, "insufficient_scope", None),
        _ => (status, "", None),
    };
    let got = (reply.status, reply.code(), reply.header("www-authenticate"));
    (got != expected).then(|| format!("got {got:?}, expected {expected:?}"))
}
