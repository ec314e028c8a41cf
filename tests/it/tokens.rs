//! Tokens forged in every known way are refused, all with the same words.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tillbook::app::{CreateClient, DisableClient};
use tillbook::auth::client_secret::ClientSecret;
use tillbook::auth::scope::{Scope, Scopes};
use tillbook::clock::Randomness;
use tillbook::domain::ids::AccountId;

use super::harness::{ACCOUNT, App, Client, Reply, START, basic};

/// A server, and what is needed to make tokens that differ from a good one in a single thing.
struct Forge {
    app: App,
    key: Vec<u8>,
    key_id: String,
}

impl Forge {
    fn start() -> Forge {
        let app = App::start();
        let keys = app.state.store.read_blocking(|reader| reader.list_signing_keys()).unwrap();
        Forge { key: keys[0].secret.to_vec(), key_id: keys[0].key_id.clone(), app }
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "HS256", "kid": self.key_id})
    }

    fn claims(&self) -> Value {
        let now = START.0 / 1_000;
        json!({"iss": self.app.url, "sub": self.app.client.client_id,
            "aud": format!("{}/v1/accounts/{ACCOUNT}", self.app.url), "iat": now, "nbf": now,
            "exp": now + 600, "jti": "j", "scope": "admin:shopping"})
    }

    /// Signs whatever header and claims are given, with the server's own key.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(&self.key, header, claims)
    }

    fn sign_with(&self, key: &[u8], header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let key = EncodingKey::from_secret(key);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    fn with_header(&self, key: &str, value: Value) -> String {
        let mut header = self.header();
        header[key] = value;
        self.sign(&header, &self.claims())
    }

    fn with_claim(&self, key: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[key] = value;
        self.sign(&self.header(), &claims)
    }

    fn without_claim(&self, key: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(key);
        self.sign(&self.header(), &claims)
    }

    fn send(&self, authorization: &str) -> Reply {
        self.app.shopping("GET", "/orders", &[("authorization", authorization)], None)
    }

    #[track_caller]
    fn refused(&self, what: &str, token: &str) {
        let reply = self.send(&format!("Bearer {token}"));
        assert_eq!((reply.status, reply.code()), (401, "invalid_token"), "{what}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{what}");
        assert_eq!(reply.text, self.send("").text, "{what}: every 401 has the same words");
    }
}

#[test]
fn a_token_that_differs_in_one_thing_is_refused() {
    let forge = Forge::start();
    let good = forge.sign(&forge.header(), &forge.claims());
    forge.send(&format!("Bearer {good}")).expect(200);
    forge.send(&format!("bearer {good}")).expect(200);
    let now = START.0 / 1_000;
    for alg in ["none", "None", "nOnE", "HS512", "HS384", "RS256", "ES256", "EdDSA", ""] {
        forge.refused(alg, &forge.with_header("alg", json!(alg)));
    }
    for (key, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("refresh")),
        ("kid", json!("../../etc/passwd")),
        ("kid", json!("' or 1=1 --")),
        ("kid", json!("")),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/cert")),
        ("jwk", json!({"kty": "oct", "k": BASE64.encode("key")})),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
    ] {
        forge.refused(key, &forge.with_header(key, value));
    }
    for key in ["typ", "alg", "kid"] {
        let mut header = forge.header();
        header.as_object_mut().unwrap().remove(key);
        forge.refused(key, &forge.sign(&header, &forge.claims()));
    }
    for key in ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"] {
        forge.refused(key, &forge.without_claim(key));
        forge.refused(key, &forge.with_claim(key, Value::Null));
        forge.refused(key, &forge.with_claim(key, json!([now + 600])));
    }
    let audience = forge.claims()["aud"].clone();
    for (key, value) in [
        ("exp", json!(now - 61)),
        ("exp", json!((now + 600).to_string())),
        ("exp", serde_json::from_str(&format!("{}.5", now + 600)).unwrap()),
        ("exp", json!(-1)),
        ("exp", json!(1e20)),
        ("iat", json!(now + 3_600)),
        ("nbf", json!(now + 3_600)),
        ("nbf", json!(now.to_string())),
        ("iss", json!("http://127.0.0.1:1")),
        ("aud", json!([audience])),
        ("aud", json!(format!("https://api.example/v1/accounts/{ACCOUNT}"))),
        ("aud", json!(format!("{}/v1/accounts/{ACCOUNT}/x", forge.app.url))),
        ("sub", json!("nobody")),
    ] {
        forge.refused(&format!("{key} {value}"), &forge.with_claim(key, value));
    }
}

#[test]
fn a_token_whose_parts_were_tampered_with_is_refused() {
    let forge = Forge::start();
    let good = forge.sign(&forge.header(), &forge.claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let mut other = forge.claims();
    other["scope"] = json!("admin:shopping write:shopping");
    let other = BASE64.encode(other.to_string());
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for (what, token) in [
        ("nothing", String::new()),
        ("garbage", "garbage".to_owned()),
        ("other claims", format!("{header}.{other}.{signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.x")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("padded", format!("{good}=")),
        ("flipped", format!("{header}.{claims}.{flipped}{}", &signature[1..])),
        ("too long", format!("{good}{}", "A".repeat(8 << 10))),
        ("another key", forge.sign_with(&[9; 32], &forge.header(), &forge.claims())),
        ("an empty key", forge.sign_with(b"", &forge.header(), &forge.claims())),
        (
            "unsigned",
            jsonwebtoken::encode(&Header::default(), &json!({}), &EncodingKey::from_secret(b"x"))
                .unwrap(),
        ),
    ] {
        forge.refused(what, &token);
    }
    for authorization in [
        "Bearer",
        "Basic",
        good.as_str(),
        &format!("Token {good}"),
        &format!("Bearer  {good}"),
        &format!("Bearer {good}, Bearer {good}"),
        &basic(&forge.app.client),
    ] {
        assert_eq!(forge.send(authorization).status, 401, "{authorization}");
    }
    let bearer = format!("Bearer {good}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    forge.app.shopping("GET", "/orders", &twice, None).expect(401);
    let in_query = format!("/orders?access_token={good}");
    forge.app.shopping("GET", &in_query, &[("authorization", "")], None).expect(401);
}

#[test]
fn a_good_token_with_another_scope_or_account_is_forbidden() {
    let forge = Forge::start();
    for scope in [
        json!("write:shoppingX"),
        json!("admin:shopping:evil"),
        json!("read:shopping,admin:shopping"),
        json!(["admin:shopping"]),
        json!(""),
        json!(null),
        json!("ADMIN:SHOPPING"),
        // The client was granted admin:shopping alone.
        json!("read:shopping"),
    ] {
        let token = forge.with_claim("scope", scope.clone());
        let reply = forge.send(&format!("Bearer {token}"));
        assert_eq!((reply.status, reply.code()), (403, "insufficient_scope"), "{scope}");
    }
    let token = format!("Bearer {}", forge.sign(&forge.header(), &forge.claims()));
    let headers = [("authorization", token.as_str())];
    for account in ["T87654321", "P12345678", "t12345678", "T12345678%20", "x"] {
        let path = format!("/v1/accounts/{account}/shopping/orders");
        let reply = forge.app.send("GET", &path, &headers, None);
        assert_eq!((reply.status, reply.code()), (403, "wrong_account"), "{account}");
    }
}

fn ask(app: &App, account: &str, client: &Client, kind: &str, body: Option<&str>) -> Reply {
    let authorization = basic(client);
    let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
    app.send("POST", &format!("/v1/accounts/{account}/auth/token"), &headers, body)
}

#[test]
fn a_client_gets_a_token_however_its_library_asks() {
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
fn wrong_credentials_are_all_the_same() {
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
fn a_disabled_client_is_out_and_a_new_one_in_without_a_restart() {
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
