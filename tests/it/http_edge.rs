//! Answers that no handler makes have the API's shape and headers too.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use serde_json::json;
use tillbook::http::endpoints;
use tillbook::http::server::ServerOptions;
use tillbook::store::{Failed, Tx, WriteCommand, WriteError};

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;

#[track_caller]
fn assert_shape(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
    assert!(reply.body["error"]["message"].as_str().unwrap().ends_with('.'), "{}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(reply.header("content-security-policy").is_some());
}

#[test]
fn every_path_tells_its_methods_and_other_paths_are_not_found() {
    let app = App::start();
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for endpoint in endpoints() {
        let path = endpoint.path.replace("{aid}", ACCOUNT).replace(['{', '}'], "");
        let methods = endpoint.methods().into_iter().map(str::to_owned);
        paths.entry(path).or_default().extend(methods);
    }
    for (path, methods) in &paths {
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "BREW"]
        {
            if methods.iter().any(|known| known == method) {
                continue;
            }
            let reply = app.send(method, path, &[], None);
            if method == "HEAD" {
                assert_eq!((reply.status, reply.text.as_str()), (405, ""), "{path}");
            } else {
                assert_shape(&reply, 405, "method_not_allowed");
            }
            let mut allowed: Vec<&str> = reply.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            let mut known: Vec<&str> = methods.iter().map(String::as_str).collect();
            known.sort_unstable();
            assert_eq!(allowed, known, "{method} {path}");
        }
    }
    for path in ["/v1", "/v1/accounts", "/v2/x", "/%00", "/v1/accounts/T12345678/shopping"] {
        assert_shape(&app.send("GET", path, &[], None), 404, "not_found");
    }
}

#[test]
fn a_body_of_a_wrong_type_or_size_is_refused() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let body = json!({"items": [{"line_id": 1, "amount": 1}]}).to_string();
    for kind in ["text/plain", "application/xml", "application/jsonx", "multipart/form-data"] {
        let reply = app.shopping("POST", &path, &[("content-type", kind)], Some(&body));
        assert_shape(&reply, 415, "unsupported_media_type");
    }
    let gzip = [("content-encoding", "gzip")];
    assert_shape(&app.shopping("POST", &path, &gzip, Some(&body)), 415, "unsupported_media_type");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let basic = super::http_client::basic(&app.client);
    let token = format!("/v1/accounts/{ACCOUNT}/auth/token");
    for headers in [vec![form], vec![]] {
        let headers = [&headers[..], &[gzip[0], ("authorization", &basic)]].concat();
        let reply = app.send("POST", &token, &headers, Some("x"));
        assert_shape(&reply, 415, "unsupported_media_type");
    }
    app.send("POST", "/admin/sign-in", &[form, gzip[0]], Some("email=x")).expect(415);
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        app.shopping("POST", &path, &[("content-type", kind)], Some(&body)).expect(200);
    }
    let large = "x".repeat((128 << 10) + 1);
    let nobody = [("authorization", "")];
    let refused = app.shopping("POST", &path, &nobody, Some(&large));
    assert_shape(&refused, 413, "body_too_large");
    let larger = "x".repeat((1 << 20) + 1);
    assert_shape(&app.shopping("POST", "/draft_orders", &[], Some(&larger)), 413, "body_too_large");
    let document = format!("{{\"x\":\"{large}\"}}");
    assert_eq!(app.shopping("POST", "/draft_orders", &[], Some(&document)).status, 400);
}

#[test]
fn a_path_prefix_is_served_beside_the_root_and_links_carry_it() {
    let options = ServerOptions { path_prefix: "/shop".to_owned(), ..ServerOptions::default() };
    let app = App::start_with(options, "/shop");
    let order = app.simple_order(&[1_000]);
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let link = shown["_links"][0]["href"].as_str().unwrap();
    let expected = format!("{}/shop/v1/accounts/{ACCOUNT}/shopping/orders/{order}", app.url);
    assert_eq!(link, expected);
    let bearer = format!("Bearer {}", app.token);
    let path = link.trim_start_matches(&app.url);
    let reply = app.send("GET", path, &[("authorization", &bearer)], None).expect(200);
    assert_eq!(reply.body, shown);
    assert_shape(&app.send("DELETE", path, &[], None), 405, "method_not_allowed");
}

#[test]
fn only_named_origins_may_call_the_api_from_a_page() {
    let origin = ("origin", "https://shop.example");
    let orders = format!("/v1/accounts/{ACCOUNT}/shopping/orders");
    let preflight = |app: &App, path: &str| {
        let asks = [origin, ("access-control-request-method", "GET")];
        app.send("OPTIONS", path, &asks, None)
    };
    let closed = App::start();
    assert_eq!(preflight(&closed, &orders).header("access-control-allow-origin"), None);
    let cors_origins = vec!["https://shop.example".to_owned()];
    let app = App::start_with(ServerOptions { cors_origins, ..ServerOptions::default() }, "");
    let allowed = preflight(&app, &orders);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://shop.example"));
    let bearer = format!("Bearer {}", app.token);
    let reply = app.send("GET", &orders, &[origin, ("authorization", &bearer)], None).expect(200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://shop.example"));
    let evil = [("origin", "https://evil.example"), ("authorization", &bearer)];
    assert_eq!(app.send("GET", &orders, &evil, None).header("access-control-allow-origin"), None);
    let stranger = [("origin", "https://evil.example"), ("access-control-request-method", "GET")];
    assert_shape(&app.send("OPTIONS", &orders, &stranger, None), 400, "invalid_request");
    assert_eq!(preflight(&app, "/health").header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_allows_any_header_and_names_the_methods_of_its_path() {
    let cors_origins = vec!["https://shop.example".to_owned()];
    let path_prefix = "/till".to_owned();
    let options = ServerOptions { cors_origins, path_prefix, ..ServerOptions::default() };
    let app = App::start_with(options, "/till");
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.path.starts_with("/v1")) {
        let path = endpoint.path.replace("{aid}", ACCOUNT).replace(['{', '}'], "");
        let methods = endpoint.methods().into_iter().map(str::to_owned);
        paths.entry(path).or_default().extend(methods);
    }
    let names = "authorization,baggage,cache-control,content-type,idempotency-key,sentry-trace,\
                 traceparent,x-request-id,x-some-thing";
    for (path, methods) in &paths {
        for (prefix, method) in [("", "GET"), ("/till", "DELETE"), ("", "HEAD"), ("", "PUT")] {
            let asks = [
                ("origin", "https://shop.example"),
                ("access-control-request-method", method),
                ("access-control-request-headers", names),
            ];
            let at = format!("{method} {prefix}{path}");
            let allowed = app.send("OPTIONS", &format!("{prefix}{path}"), &asks, None).expect(200);
            assert_eq!(allowed.header("access-control-allow-methods"), Some(&*methods.join(", ")));
            let said = allowed.header("access-control-allow-headers").unwrap().to_lowercase();
            for name in names.split(',') {
                assert!(said.split(',').any(|known| known.trim() == name), "{at}: {said}");
            }
        }
    }
}

#[test]
fn a_full_queue_gets_a_503_with_retry_after_and_records_nothing() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    let before = app.snapshot();
    let (begun, is_held) = std::sync::mpsc::channel();
    let (release, held) = std::sync::mpsc::channel();
    let writer = &app.state.store.writer;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        // A command is queued when its future is first polled.
        let mut holding = Box::pin(writer.write(Hold { begun, held: Mutex::new(held) }));
        assert!(poll_once(&mut holding).is_pending());
        is_held.recv().unwrap();
        let mut others = Vec::new();
        let refused = loop {
            let mut other = Box::pin(writer.write(Nothing));
            match poll_once(&mut other) {
                Poll::Pending => others.push(other),
                Poll::Ready(answer) => break answer,
            }
        };
        assert!(matches!(refused, Err(WriteError::QueueFull)));
        let reply = app.post(&path, body.clone());
        assert_shape(&reply, 503, "unavailable");
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert!(reply.text.contains("Nothing was recorded"), "{}", reply.text);
        app.send("GET", "/health", &[], None).expect(200);
        app.get("/orders").expect(200);
        release.send(()).unwrap();
        holding.await.unwrap();
        for other in others {
            other.await.unwrap();
        }
    });
    assert_eq!(app.snapshot(), before);
    app.post(&path, body).expect(200);
}

/// Blocks the writer until it is released.
struct Hold {
    begun: std::sync::mpsc::Sender<()>,
    held: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl WriteCommand for Hold {
    const NAME: &'static str = "hold";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, _: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        self.begun.send(()).unwrap();
        self.held.lock().unwrap().recv().unwrap();
        Ok(())
    }
}

struct Nothing;

impl WriteCommand for Nothing {
    const NAME: &'static str = "nothing";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, _: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        Ok(())
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_service_describes_itself() {
    let app = App::start_with(ServerOptions::default(), "/till");
    let health = app.send("GET", "/health", &[], None).expect(200);
    assert_eq!(health.body["status"], "ok");
    let yaml = app.send("GET", "/openapi.yaml", &[], None).expect(200).text;
    assert!(yaml.contains(&format!("- url: {}/till", app.url)));
    let json = app.send("GET", "/openapi.json", &[], None).expect(200).body;
    let read: serde_json::Value = yaml_serde::from_str(&yaml).unwrap();
    assert_eq!(json, read);
}
