//! Security headers on every answer, also to paths without a route.

use std::collections::BTreeSet;

use tillbook::http::server::ServerOptions;
use tillbook::http::{endpoints, pages, payer_pages};

use super::audit::tamper;
use super::harness::{ACCOUNT, App};
use super::http_client::{Reply, send};
use super::office::FORM;

/// True if an answer has every security header exactly once.
#[track_caller]
pub fn assert_headers(at: &str, reply: &Reply) {
    let is_payer_page = at.contains(" /pay/") && reply.header("x-robots-tag").is_some();
    let referrers = if is_payer_page { "no-referrer" } else { "same-origin" };
    let policy = if is_payer_page {
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' https: http:; \
         base-uri 'none'; frame-ancestors 'none'"
    } else {
        "default-src 'none'; script-src 'self'; style-src 'self';"
    };
    for (name, begins) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", referrers),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("content-security-policy", policy),
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
    let mut statuses = BTreeSet::new();
    walk(&app, &[], |at, reply| {
        assert_headers(at, reply);
        statuses.insert(reply.status);
    });
    let expected = BTreeSet::from([200, 303, 400, 401, 403, 404, 405, 413, 415, 500]);
    let missing: Vec<_> = expected.difference(&statuses).collect();
    assert!(missing.is_empty(), "{missing:?} never came; {statuses:?} did");
}

/// Sends valid and invalid requests to every route and page, and to paths without a route, and
/// passes each answer to `show`. All of them have the `extra` headers.
fn walk(app: &App, extra: &[(&str, &str)], mut show: impl FnMut(&str, &Reply)) {
    let order = app.simple_order(&[100]);
    let large = "x".repeat((1 << 20) + 1);
    let bearer = format!("Bearer {}", app.token);
    let mut ask = |method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>| {
        let reply = send(&app.url, method, path, &[extra, headers].concat(), body);
        show(&format!("{method} {path}: {}", reply.status), &reply);
    };
    for endpoint in endpoints().into_iter().chain(pages()).chain(payer_pages()) {
        let path = endpoint.path.replace("{aid}", ACCOUNT).replace("{order_id}", &order);
        let path = path.replace(['{', '}'], "");
        let method = endpoint.method.as_str();
        let body = (method != "GET").then_some("{}");
        ask(method, &path, &[], body);
        ask(method, &path, &[("authorization", &bearer)], body);
        ask(method, &path, &[FORM], body.map(|_| "a=b"));
        ask(method, &path, &[FORM, ("authorization", &bearer)], body.map(|_| "a=b"));
        ask("DELETE", &path, &[], None);
        if body.is_some() {
            ask(method, &path, &[], Some(&large));
        }
    }
    let sign_in = send(&app.url, "GET", "/admin/sign-in", &[], None).text;
    let asset = sign_in.split("href=\"").find(|rest| rest.starts_with("/static/")).unwrap();
    ask("GET", asset.split('"').next().unwrap(), &[], None);
    ask("GET", "/nowhere", &[], None);
    ask("GET", "/admin/nowhere", &[], None);
    // Without its tables, every request on the book fails.
    tamper(&app.db, "pragma foreign_keys = off; drop table ledgers").unwrap();
    let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{order}");
    ask("GET", &path, &[("authorization", &bearer)], None);
}

/// The answer's `Strict-Transport-Security`.
fn https_only(reply: &Reply) -> Vec<&str> {
    let sent = reply.headers.iter().filter(|(name, _)| name == "strict-transport-security");
    sent.map(|(_, value)| value.as_str()).collect()
}

/// Starts a server with this public URL, in which `HERE` is replaced with its own address.
fn known_as(public_url: &str) -> App {
    App::start_known_as(ServerOptions::default(), |url| public_url.replace("HERE", url))
}

#[test]
fn every_answer_that_came_over_https_keeps_browsers_to_it() {
    let app = known_as("https://shop.example");
    walk(&app, &[("host", "shop.example")], |at, reply| {
        assert_eq!(https_only(reply), ["max-age=31536000"], "{at}");
    });
}

#[test]
fn no_answer_over_plain_http_keeps_browsers_to_https() {
    let public = ("host", "shop.example");
    let https = "https://shop.example";
    for (public_url, headers, expected) in [
        (https, vec![public], true),
        (https, vec![("host", "SHOP.example.:443")], true),
        (https, vec![public, ("x-forwarded-proto", "https")], true),
        (https, vec![public, ("x-forwarded-proto", "http")], false),
        (https, vec![public, ("x-forwarded-proto", "https, HTTP")], false),
        ("HERE", vec![], false),
        ("http://shop.example", vec![public], false),
        // From this machine, bypassing the proxy.
        (https, vec![], false),
        (https, vec![("host", "localhost")], false),
        // The header would apply to every port of this machine.
        ("https://localhost:8443", vec![("host", "localhost:8443")], false),
        ("https://127.0.0.1", vec![], false),
        // By another host name, for which no scheme is configured.
        (https, vec![("host", "till.lan")], false),
    ] {
        let app = known_as(public_url);
        for path in ["/admin/sign-in", "/health", "/nowhere"] {
            let reply = send(&app.url, "GET", path, &headers, None);
            let is_kept = !https_only(&reply).is_empty();
            assert_eq!(is_kept, expected, "{path} of {public_url} by {headers:?}");
        }
    }
}
