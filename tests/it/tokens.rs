//! How a client gets and loses a token. Tests of what a token allows are in `access`.

use serde_json::json;
use tillbook::app::{CreateClient, DisableClient};
use tillbook::auth::client_secret::ClientSecret;
use tillbook::domain::ids::AccountId;
use tillbook::domain::scope::{Scope, Scopes};
use tillbook::randomness::Randomness;

use super::harness::{ACCOUNT, App};
use super::http_client::{Client, Reply, basic};

fn ask(app: &App, account: &str, client: &Client, kind: &str, body: Option<&str>) -> Reply {
    let authorization = basic(client);
    let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
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
    ask(&app, ACCOUNT, &app.client, form, Some("grant_type=password")).expect(400);
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
