//! How a client gets and loses a token. Tests of what a token allows are in `access`.

use serde_json::json;
use tillbook::app::{CreateClient, DisableClient};
use tillbook::auth::client_secret::ClientSecret;
use tillbook::domain::ids::AccountId;
use tillbook::domain::scope::{Scope, Scopes};
use tillbook::randomness::Randomness;

use super::harness::{ACCOUNT, App};
use super::http_client::{Client, Reply, basic};

fn ask(app: &App, account: &str, client: &Client, content_type: &str, body: Option<&str>) -> Reply {
    let authorization = basic(client);
    let headers = [("authorization", authorization.as_str()), ("content-type", content_type)];
    app.send("POST", &format!("/v1/accounts/{account}/auth/token"), &headers, body)
}

#[test]
fn a_client_gets_a_token_in_every_way_that_libraries_ask_for_it() {
    let app = App::start();
    let json = "application/json";
    for audience in [
        format!("https://api.dintero.com/v1/accounts/{ACCOUNT}"),
        format!("https://{ACCOUNT}@test.dintero.com/v1/accounts/{ACCOUNT}"),
        format!("http://127.0.0.1/v1/accounts/{ACCOUNT}/"),
        format!("https://{ACCOUNT}@api.example:8443/v1/accounts/{ACCOUNT}"),
        format!("https://api.example/some/where/accounts/{ACCOUNT}/?x=/y#z"),
        format!("/v1/accounts/{ACCOUNT}"),
    ] {
        let body = json!({"grant_type": "client_credentials", "audience": audience}).to_string();
        let reply = ask(&app, ACCOUNT, &app.client, json, Some(&body)).expect(200);
        assert_eq!(
            (&reply.body["token_type"], &reply.body["expires_in"]),
            (&json!("Bearer"), &json!(14_400))
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    ask(&app, ACCOUNT, &app.client, json, None).expect(200);
    ask(&app, ACCOUNT, &app.client, json, Some("{}")).expect(200);
    let form = "application/x-www-form-urlencoded";
    ask(&app, ACCOUNT, &app.client, form, Some("grant_type=client_credentials")).expect(200);
    let wrong = "{\"grant_type\":\"password\",\"audience\":\"https://x/v1/accounts/T87654321\"}";
    let reply = ask(&app, ACCOUNT, &app.client, json, Some(wrong)).expect(400);
    assert_eq!(reply.problems(), "/grant_type bad_value\n/audience bad_value");
    ask(&app, ACCOUNT, &app.client, form, Some("grant_type=&audience=")).expect(200);
    ask(&app, ACCOUNT, &app.client, form, Some("grant_type=password")).expect(400);
    for audience in [
        format!("https://api.example/?/v1/accounts/{ACCOUNT}"),
        format!("https://api.example/#/v1/accounts/{ACCOUNT}"),
        format!("https://{ACCOUNT}@api.example"),
        format!("https://api.example/v1/accounts/{ACCOUNT}/shopping"),
        format!("https://api.example/v1/xaccounts/{ACCOUNT}"),
        "https://api.example".to_owned(),
        String::new(),
    ] {
        let body = json!({"audience": audience}).to_string();
        let reply = ask(&app, ACCOUNT, &app.client, json, Some(&body)).expect(400);
        assert_eq!(reply.problems(), "/audience bad_value", "{audience}");
    }
}

/// Every character percent-encoded, as some libraries encode `-` and `_` in HTTP Basic.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn credentials_are_taken_from_wherever_a_library_puts_them() {
    let app = App::start();
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    let send =
        |headers: &[(&str, &str)], body: String| app.send("POST", &path, headers, Some(&body));
    let Client { client_id: id, secret } = app.client.clone();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let json_type = ("content-type", "application/json");
    let grant = "grant_type=client_credentials";
    send(&[form], format!("{grant}&client_id={id}&client_secret={secret}")).expect(200);
    send(&[form], format!("client_secret={}&client_id={}", encoded(&secret), encoded(&id)))
        .expect(200);
    let in_json = json!({"client_id": id, "client_secret": secret}).to_string();
    send(&[json_type], in_json.clone()).expect(200);
    send(&[], in_json.clone()).expect(200);
    let coded = Client { client_id: encoded(&id), secret: encoded(&secret) };
    for client in [&coded, &app.client] {
        ask(&app, ACCOUNT, client, form.1, Some(grant)).expect(200);
        ask(&app, ACCOUNT, client, form.1, Some(&format!("{grant}&client_id={id}"))).expect(200);
    }

    for body in [
        format!("{grant}&client_id={id}&client_secret=wrong"),
        format!("{grant}&client_id=nobody&client_secret={secret}"),
        format!("{grant}&client_id={id}"),
        format!("{grant}&client_secret={secret}"),
        format!("{grant}&client_id={id}&client_secret="),
        format!("{grant}&client_id={}&client_secret={secret}", "x".repeat(101)),
        grant.to_owned(),
    ] {
        let reply = send(&[form], body.clone()).expect(401);
        assert_eq!(reply.code(), "invalid_client", "{body}");
        assert!(reply.header("www-authenticate").unwrap().starts_with("Basic"), "{body}");
    }
    send(&[json_type], json!({"client_id": id, "client_secret": "wrong"}).to_string()).expect(401);
    // Wrong credentials in the header are not made good by right ones in the body.
    for wrong in ["Basic !!!", "Basic bm9ib2R5Ong=", "Bearer x", ""] {
        send(&[json_type, ("authorization", wrong)], in_json.clone()).expect(401);
    }
    let credentials = format!("client_id={id}&client_secret={secret}");
    let reply = send(&[form], format!("{credentials}&audience=&audience=")).expect(400);
    assert_eq!(reply.problems(), "/audience duplicate_key");
    let wrong_type = json!({"client_id": id, "client_secret": secret, "audience": 7});
    let reply = send(&[json_type], wrong_type.to_string()).expect(400);
    assert_eq!(reply.problems(), "/audience wrong_type");
    // Bodies without credentials that can be read.
    send(&[form], format!("client_id=x&{credentials}")).expect(401);
    for body in ["", "{", "[1]", r#"{"client_id":7,"client_secret":[]}"#, &credentials] {
        send(&[json_type], body.to_owned()).expect(401);
        send(&[], body.to_owned()).expect(401);
    }
    send(&[("content-type", "text/plain")], credentials).expect(401);
}

#[test]
fn wrong_credentials_all_get_the_same_answer() {
    let app = App::start();
    app.make_account("T87654321");
    let known = app.client.clone();
    let wrong = |client_id: &str, secret: &str| Client {
        client_id: client_id.to_owned(),
        secret: secret.to_owned(),
    };
    let mut texts = Vec::new();
    for (account, client) in [
        (ACCOUNT, wrong(&known.client_id, "wrong")),
        (ACCOUNT, wrong("nobody", &known.secret)),
        (ACCOUNT, wrong("", "")),
        ("T87654321", known.clone()),
        ("X", known.clone()),
    ] {
        let reply = ask(&app, account, &client, "application/json", None).expect(401);
        assert_eq!(reply.code(), "invalid_client");
        assert!(reply.header("www-authenticate").unwrap().starts_with("Basic"));
        texts.push(reply.text);
    }
    assert!(texts.iter().all(|text| *text == texts[0]));
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    for authorization in ["", "Basic", "Basic !!!", "Bearer x", "Basic bm9jb2xvbg=="] {
        app.send("POST", &path, &[("authorization", authorization)], None).expect(401);
    }
}

#[test]
fn clients_are_disabled_and_added_without_a_restart() {
    let app = App::start();
    let secret = ClientSecret::draw(&Randomness::System);
    let command = CreateClient {
        account_id: AccountId::parse(ACCOUNT).unwrap(),
        name: "from the command line".to_owned(),
        grants: Scopes::new(vec![Scope::ReadShopping]),
        secret: secret.clone(),
    };
    let made = tillbook::store::write_once(&app.db, &command).unwrap();
    let client = Client { client_id: made.client_id.clone(), secret: secret.reveal().to_owned() };
    let bearer = format!("Bearer {}", app.token_of(&client));
    let headers = [("authorization", bearer.as_str())];
    app.shopping("GET", "/orders", &headers, None).expect(200);
    let command = DisableClient { client_id: made.client_id };
    tillbook::store::write_once(&app.db, &command).unwrap();
    app.state.store.read_blocking(|reader| app.state.access.reload(reader)).unwrap();
    app.shopping("GET", "/orders", &headers, None).expect(401);
    ask(&app, ACCOUNT, &client, "application/json", None).expect(401);
}
