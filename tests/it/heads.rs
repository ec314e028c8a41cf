//! HEAD is served wherever GET is (RFC 9110), and `GET /` leads to the back office.

use serde_json::json;
use tillbook::domain::role::Role;
use tillbook::http::server::ServerOptions;
use tillbook::http::{endpoints, pages, payer_pages};

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::visitor;

/// The headers of an answer, without the date and a form's key, which differ in every answer.
fn lasting(reply: &Reply) -> Vec<(String, String)> {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| name != "date");
    for (name, value) in &mut headers {
        let key = value.find("?key=").filter(|_| name == "location");
        value.truncate(key.unwrap_or(value.len()));
    }
    headers.sort();
    headers
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let order = app.simple_order(&[1_000]);
    let draft = app.draft(json!({"currency": "NOK"}), json!({}));
    let draft = draft.rsplit('/').next().unwrap();
    let bearer = format!("Bearer {}", app.token);
    let mut accepted = 0;
    let (api, office, payers) = (endpoints(), pages(), payer_pages());
    let all = api.iter().chain(&office).chain(&payers);
    for route in all.filter(|route| route.method == "GET") {
        let path = route.path.replace("{aid}", ACCOUNT).replace("{order_id}", &order);
        let path = path.replace("{id}", draft).replace(['{', '}'], "");
        for headers in [&[][..], &[("authorization", &*bearer), ("cookie", &*cookie)]] {
            let get = app.send("GET", &path, headers, None);
            let head = app.send("HEAD", &path, headers, None);
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
            assert_eq!(lasting(&head), lasting(&get), "{path}");
            accepted += usize::from(get.status == 200);
        }
    }
    assert!(20 < accepted, "only {accepted} answers were a 200");
}

#[test]
fn the_root_leads_to_the_back_office() {
    let app = App::start();
    for method in ["GET", "HEAD"] {
        let reply = app.send(method, "/", &[], None).expect(303);
        assert_eq!(reply.header("location"), Some("/admin"));
    }
    app.send("POST", "/", &[], None).expect(405);
    let options = ServerOptions { path_prefix: "/shop".to_owned(), ..ServerOptions::default() };
    let app = App::start_with(options, "/shop");
    for path in ["/", "/shop", "/shop/"] {
        let reply = app.send("GET", path, &[], None).expect(303);
        assert_eq!(reply.header("location"), Some("/shop/admin"), "{path}");
    }
}
