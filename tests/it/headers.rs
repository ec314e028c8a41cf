//! Security headers on every answer: of every route and page, and of everything that is none.

use std::collections::BTreeSet;

use tillbook::http::{endpoints, pages};

use super::audit::tamper;
use super::harness::{ACCOUNT, App, Reply, send};

/// Whether an answer has them all, each once.
#[track_caller]
pub fn assert_headers(at: &str, reply: &Reply) {
    for (name, begins) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("content-security-policy", "default-src 'none'; script-src 'self'; style-src 'self';"),
        ("permissions-policy", "camera=()"),
    ] {
        let value = reply.header(name).unwrap_or_else(|| panic!("{at}: no {name}"));
        assert!(value.starts_with(begins), "{at}: {name}: {value}");
        let times = reply.headers.iter().filter(|(key, _)| key == name).count();
        assert_eq!(times, 1, "{at}: {name}");
    }
    let is_asset = at.contains("/static/") && reply.status == 200;
    let kept = reply.header("cache-control") == Some("no-store");
    assert!(kept || is_asset, "{at}: {:?}", reply.header("cache-control"));
    assert_eq!(reply.header("server"), None, "{at}");
}

#[test]
fn every_answer_has_the_headers_that_keep_browsers_safe() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let large = "x".repeat((1 << 20) + 1);
    let bearer = format!("Bearer {}", app.token);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut statuses = BTreeSet::new();
    let mut check = |method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>| {
        let reply = send(&app.url, method, path, headers, body);
        assert_headers(&format!("{method} {path}: {}", reply.status), &reply);
        statuses.insert(reply.status);
    };
    for endpoint in endpoints().into_iter().chain(pages()) {
        let path = endpoint.path.replace("{aid}", ACCOUNT).replace("{order_id}", &order);
        let path = path.replace(['{', '}'], "");
        let method = endpoint.method.as_str();
        let body = (method != "GET").then_some("{}");
        check(method, &path, &[], body);
        check(method, &path, &[("authorization", &bearer)], body);
        check(method, &path, &[form], body.map(|_| "a=b"));
        check(method, &path, &[form, ("authorization", &bearer)], body.map(|_| "a=b"));
        check("DELETE", &path, &[], None);
        if body.is_some() {
            check(method, &path, &[], Some(&large));
        }
    }
    let sign_in = send(&app.url, "GET", "/admin/sign-in", &[], None).text;
    let asset = sign_in.split("href=\"").find(|rest| rest.starts_with("/static/")).unwrap();
    check("GET", asset.split('"').next().unwrap(), &[], None);
    check("GET", "/nowhere", &[], None);
    check("GET", "/admin/nowhere", &[], None);
    // Whatever is asked of a book without its tables fails.
    tamper(&app.db, "pragma foreign_keys = off; drop table ledgers").unwrap();
    let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{order}");
    check("GET", &path, &[("authorization", &bearer)], None);
    let expected = BTreeSet::from([200, 303, 400, 401, 403, 404, 405, 413, 415, 500]);
    let missing: Vec<_> = expected.difference(&statuses).collect();
    assert!(missing.is_empty(), "{missing:?} never came; {statuses:?} did");
}
