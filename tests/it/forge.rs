//! Every kind of caller: valid clients, and tokens that differ from a valid one in a single way.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tillbook::domain::role::Role;
use tillbook::domain::scope::Scope;

use super::audit::tamper;
use super::harness::{ACCOUNT, App, START};
use super::http_client::basic;
use super::office::visitor;
use super::process::{path, run, until};

pub const OTHER_ACCOUNT: &str = "T87654321";

/// The columns of the access matrix, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Nobody,
    Reader,
    Writer,
    Admin,
    EventReader,
    EventWriter,
    /// A valid token without access here: of another account, or without a scope.
    Powerless,
    Disabled,
    Basic,
    HooksReader,
    HooksWriter,
    HooksAdmin,
    BillingReader,
    BillingWriter,
    BillingAdmin,
}

impl Column {
    pub const ALL: [Column; 15] = [
        Self::Nobody,
        Self::Reader,
        Self::Writer,
        Self::Admin,
        Self::EventReader,
        Self::EventWriter,
        Self::Powerless,
        Self::Disabled,
        Self::Basic,
        Self::HooksReader,
        Self::HooksWriter,
        Self::HooksAdmin,
        Self::BillingReader,
        Self::BillingWriter,
        Self::BillingAdmin,
    ];
}

/// A kind of caller: the headers of its requests, and its column in the access matrix.
pub struct Kind {
    pub name: String,
    pub column: Column,
    /// The account as the path names it.
    pub account: &'static str,
    pub query: String,
    pub headers: Vec<(&'static str, String)>,
}

impl Kind {
    fn new(column: Column, name: impl Into<String>, authorization: &str) -> Kind {
        let headers = vec![("authorization", authorization.to_owned())];
        Kind { name: name.into(), column, account: ACCOUNT, query: String::new(), headers }
    }

    fn bearer(column: Column, name: impl Into<String>, token: &str) -> Kind {
        Kind::new(column, name, &format!("Bearer {token}"))
    }
}

/// All kinds of callers. Changes the server's keys twice.
pub fn kinds(app: &mut App) -> Vec<Kind> {
    let (rotated_out, of_older) = rotate_keys(app);
    app.make_account(OTHER_ACCOUNT);
    let forge = Forge::of(app);
    let mut kinds = forge.clients();
    kinds.extend([
        Kind::bearer(Column::Nobody, "of a key that was rotated out", &rotated_out),
        Kind::bearer(Column::Admin, "of an older key that is kept", &of_older),
    ]);
    kinds.extend(forge.without_token());
    kinds.extend(forge.wrong_parts());
    kinds.extend(forge.wrong_headers());
    kinds.extend(forge.wrong_claims());
    kinds.extend(forge.wrong_scopes());
    kinds.extend(forge.wrong_accounts());
    kinds
}

/// Replaces the server's key, and then adds a newer one. Returns a token of the removed key and a
/// token of the older key.
fn rotate_keys(app: &mut App) -> (String, String) {
    let mut change = |sql: &str| {
        let admin = app.make_client(ACCOUNT, &[Scope::AdminShopping]);
        let token = app.token_of(&admin);
        app.get("/orders").expect(200);
        app.stop();
        tamper(&app.db, sql).unwrap();
        app.restart();
        app.token = app.token_of(&app.client);
        token
    };
    let rotated_out = change(
        "delete from signing_keys;
         insert into signing_keys values ('older', randomblob(32), 1)",
    );
    let of_older = change("insert into signing_keys values ('newest', randomblob(32), 2)");
    (rotated_out, of_older)
}

/// Makes tokens with the server's own key.
struct Forge<'a> {
    app: &'a App,
    key: Vec<u8>,
    header: Value,
    claims: Value,
    /// A token with all scopes, as the server would make it.
    good: String,
}

impl<'a> Forge<'a> {
    fn of(app: &'a App) -> Forge<'a> {
        let keys = app.state.store.read_blocking(|reader| reader.list_signing_keys()).unwrap();
        let now = START.0 / 1_000;
        let url = app.state.links.public_url();
        let header = json!({"typ": "at+jwt", "alg": "HS256", "kid": keys[0].key_id});
        let claims = json!({"iss": url, "sub": app.client.client_id,
            "aud": format!("{url}/v1/accounts/{ACCOUNT}"), "iat": now, "nbf": now,
            "exp": now + 600, "jti": "j", "scope": "admin:shopping"});
        let key = keys[0].secret.to_vec();
        let good = sign(&key, Algorithm::HS256, &header, &claims);
        Forge { app, key, header, claims, good }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        sign(&self.key, Algorithm::HS256, header, claims)
    }

    fn with_header(&self, key: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[key] = value;
        self.sign(&header, &self.claims)
    }

    fn with_claim(&self, key: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[key] = value;
        self.sign(&self.header, &claims)
    }

    /// Clients with valid tokens, and one that another process disabled after it got its token.
    fn clients(&self) -> Vec<Kind> {
        let scopes = [
            (Column::Reader, Scope::ReadShopping),
            (Column::Writer, Scope::WriteShopping),
            (Column::Admin, Scope::AdminShopping),
            (Column::EventReader, Scope::ReadOrderEvents),
            (Column::EventWriter, Scope::WriteOrderEvents),
            (Column::HooksReader, Scope::ReadHooks),
            (Column::HooksWriter, Scope::WriteHooks),
            (Column::HooksAdmin, Scope::AdminHooks),
            (Column::BillingReader, Scope::ReadBilling),
            (Column::BillingWriter, Scope::WriteBilling),
            (Column::BillingAdmin, Scope::AdminBilling),
        ];
        let mut kinds: Vec<Kind> = scopes
            .into_iter()
            .map(|(column, scope)| {
                let client = self.app.make_client(ACCOUNT, &[scope]);
                Kind::bearer(column, scope.as_str(), &self.app.token_of(&client))
            })
            .collect();
        let disabled = self.app.make_client(ACCOUNT, &[Scope::AdminShopping]);
        let token = self.app.token_of(&disabled);
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let ask = || self.app.shopping("GET", "/orders", &headers, None);
        ask().expect(200);
        run(&["client", "disable", &disabled.client_id, "--db", path(&self.app.db)]).expect(0);
        until("a client that another process disabled is refused", || ask().status == 401);
        let lower_case = format!("bearer {}", self.good);
        kinds.extend([
            Kind::bearer(Column::Disabled, "disabled", &token),
            Kind::new(Column::Basic, "basic", &basic(&self.app.client)),
            Kind::bearer(Column::Admin, "forged well", &self.good),
            Kind::new(Column::Admin, "bearer in lower case", &lower_case),
        ]);
        kinds
    }

    /// No token, or a token in the wrong place.
    fn without_token(&self) -> Vec<Kind> {
        let good = &self.good;
        let cookie = visitor(self.app, Role::Owner, ACCOUNT);
        let anonymous =
            |name: &str, authorization: &str| Kind::new(Column::Nobody, name, authorization);
        let header = |name, value: &str| vec![(name, value.to_owned())];
        let twice = vec![("authorization", format!("Bearer {good}")); 2];
        let query = format!("?access_token={good}");
        let session = cookie.split_once('=').unwrap().1;
        vec![
            Kind { headers: Vec::new(), ..anonymous("nobody", "") },
            Kind { headers: Vec::new(), query, ..anonymous("token in the query", "") },
            Kind { headers: twice, ..anonymous("two headers", "") },
            Kind { headers: header("cookie", &cookie), ..anonymous("a session's cookie", "") },
            Kind {
                headers: header("cookie", &format!("tillbook={good}; access_token={good}")),
                ..anonymous("token as a cookie", "")
            },
            Kind {
                headers: header("proxy-authorization", &format!("Bearer {good}")),
                ..anonymous("token for a proxy", "")
            },
            anonymous("empty header", ""),
            anonymous("no token", "Bearer"),
            anonymous("no credentials", "Basic"),
            anonymous("no scheme", good),
            anonymous("another scheme", &format!("Token {good}")),
            anonymous("two spaces", &format!("Bearer  {good}")),
            anonymous("two in one", &format!("Bearer {good}, Bearer {good}")),
            anonymous("token as a password", &format!("Basic {good}")),
            anonymous("a session as a token", &format!("Bearer {session}")),
        ]
    }

    /// Parts cut off, added, altered, or signed with another key.
    fn wrong_parts(&self) -> Vec<Kind> {
        let good = &self.good;
        let parts: Vec<&str> = good.split('.').collect();
        let (header, claims, signature) = (parts[0], parts[1], parts[2]);
        let altered = |part: &Value, key: &str| {
            let mut part = part.clone();
            part[key] = json!("admin:shopping write:shopping");
            BASE64.encode(part.to_string())
        };
        let bytes = BASE64.decode(signature).unwrap();
        let plain = base64::prelude::BASE64_STANDARD.encode(&bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        // The last base64 character of 32 bytes has two unused bits.
        let last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = last.find(&signature[42..]).unwrap();
        let spare = format!("{}{}", &signature[..42], &last[at + 1..at + 2]);
        let by = |key: &[u8]| sign(key, Algorithm::HS256, &self.header, &self.claims);
        let tokens = [
            ("garbage", "garbage".to_owned()),
            ("dots", "..".to_owned()),
            ("two parts", format!("{header}.{claims}")),
            ("four parts", format!("{good}.x")),
            ("too long", format!("{good}{}", "A".repeat(8 << 10))),
            ("no signature", format!("{header}.{claims}.")),
            ("altered header", format!("{}.{claims}.{signature}", altered(&self.header, "typ"))),
            ("altered claims", format!("{header}.{}.{signature}", altered(&self.claims, "scope"))),
            ("cut signature", good[..good.len() - 1].to_owned()),
            ("half a signature", format!("{header}.{claims}.{}", &signature[..22])),
            ("flipped signature", format!("{header}.{claims}.{flipped}{}", &signature[1..])),
            ("spare bits", format!("{header}.{claims}.{spare}")),
            ("padded", format!("{good}=")),
            ("padded in plain base64", format!("{header}.{claims}.{plain}")),
            ("signature in hex", format!("{header}.{claims}.{hex}")),
            ("another key", by(&[9; 32])),
            ("an empty key", by(b"")),
            ("the key's name as the key", by(self.header["kid"].as_str().unwrap().as_bytes())),
        ];
        let kind = |(name, token): &(&str, String)| Kind::bearer(Column::Nobody, *name, token);
        tokens.iter().map(kind).collect()
    }

    /// Another algorithm, another key, another type, and header fields that could mislead a
    /// verifier.
    fn wrong_headers(&self) -> Vec<Kind> {
        let mut tokens: Vec<(String, String)> = Vec::new();
        for alg in ["none", "None", "nOnE", "HS512", "HS384", "RS256", "ES256", "EdDSA", ""] {
            let token = self.with_header("alg", json!(alg));
            let unsigned = token.rsplit_once('.').unwrap().0;
            tokens.push((format!("alg {alg:?} unsigned"), format!("{unsigned}.")));
            tokens.push((format!("alg {alg:?}"), token));
        }
        for (name, algorithm) in [("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
            let mut header = self.header.clone();
            header["alg"] = json!(name);
            let signed = sign(&self.key, algorithm, &header, &self.claims);
            tokens.push((format!("truly {name}"), signed));
            let signed = sign(&self.key, algorithm, &self.header, &self.claims);
            tokens.push((format!("{name} that says HS256"), signed));
        }
        for (key, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("refresh")),
            ("typ", json!("AT+JWT")),
            ("kid", json!("11111111-2222-4333-8444-555555555555")),
            ("kid", json!("../../x")),
            ("kid", json!("' or 1=1 --")),
            ("kid", json!("")),
            ("jku", json!("http://127.0.0.1:1/keys")),
            ("x5u", json!("http://127.0.0.1:1/cert")),
            ("jwk", json!({"kty": "oct", "k": BASE64.encode(&self.key)})),
            ("crit", json!(["exp"])),
            ("zip", json!("DEF")),
        ] {
            tokens.push((format!("{key} {value}"), self.with_header(key, value)));
        }
        for key in ["typ", "alg", "kid"] {
            let mut header = self.header.clone();
            header.as_object_mut().unwrap().remove(key);
            tokens.push((format!("no {key}"), self.sign(&header, &self.claims)));
        }
        let kind = |(name, token): (String, String)| Kind::bearer(Column::Nobody, name, &token);
        tokens.into_iter().map(kind).collect()
    }

    /// Claims missing, of another type, or of another time, issuer or audience.
    fn wrong_claims(&self) -> Vec<Kind> {
        let now = START.0 / 1_000;
        let aud = self.claims["aud"].as_str().unwrap();
        let mut tokens: Vec<(String, String)> = Vec::new();
        for key in ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"] {
            let mut claims = self.claims.clone();
            claims.as_object_mut().unwrap().remove(key);
            tokens.push((format!("no {key}"), self.sign(&self.header, &claims)));
            for value in [Value::Null, json!([now + 600]), json!({}), json!(true)] {
                tokens.push((format!("{key} {value}"), self.with_claim(key, value)));
            }
        }
        for (key, value) in [
            ("exp", json!(now - 60)),
            ("exp", json!((now + 600).to_string())),
            ("exp", serde_json::from_str(&format!("{}.5", now + 600)).unwrap()),
            ("exp", json!(-1)),
            ("exp", json!(1e20)),
            ("exp", json!(now + 14_401)),
            ("iat", json!(now + 600 - 14_401)),
            ("iat", json!(i64::MIN)),
            ("iat", json!(now + 61)),
            ("iat", json!(1i64 << 60)),
            ("nbf", json!(now + 61)),
            ("nbf", json!(now.to_string())),
            ("iss", json!("http://127.0.0.1:1")),
            ("iss", json!("")),
            ("aud", json!([aud])),
            ("aud", json!(["https://api.example"])),
            ("aud", json!("")),
            ("aud", json!(format!("https://api.example/v1/accounts/{ACCOUNT}"))),
            ("aud", json!(format!("{aud}/x"))),
            ("aud", json!(aud.replace(ACCOUNT, OTHER_ACCOUNT))),
            ("sub", json!("nobody")),
            ("sub", json!("")),
        ] {
            tokens.push((format!("{key} {value}"), self.with_claim(key, value)));
        }
        let kind = |(name, token): (String, String)| Kind::bearer(Column::Nobody, name, &token);
        tokens.into_iter().map(kind).collect()
    }

    /// Scopes that resemble valid ones, and one that the client was not granted.
    fn wrong_scopes(&self) -> Vec<Kind> {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove("scope");
        let none = self.sign(&self.header, &claims);
        let mut kinds = vec![Kind::bearer(Column::Powerless, "no scope", &none)];
        for scope in [
            json!("write:shoppingX"),
            json!("admin:shopping:evil"),
            json!("read:shopping,admin:shopping"),
            json!("admin:shopping\tadmin:shopping"),
            json!("ADMIN:SHOPPING"),
            json!("read:shopping write:shopping"),
            json!("*"),
            json!(""),
            json!(null),
            json!(["admin:shopping"]),
            json!({"admin:shopping": true}),
        ] {
            let token = self.with_claim("scope", scope.clone());
            kinds.push(Kind::bearer(Column::Powerless, format!("scope {scope}"), &token));
        }
        kinds
    }

    /// A token of another account, and a valid one with another account in the path.
    fn wrong_accounts(&self) -> Vec<Kind> {
        let theirs = self.app.make_client(OTHER_ACCOUNT, &[Scope::AdminShopping]);
        let theirs = self.app.token_in(OTHER_ACCOUNT, &theirs);
        let mut kinds = vec![Kind::bearer(Column::Powerless, "of another account", &theirs)];
        for account in [OTHER_ACCOUNT, "P12345678", "t12345678", "T12345678%20", "T12345678%00"] {
            let kind = Kind::bearer(Column::Powerless, format!("in {account:?}"), &self.good);
            kinds.push(Kind { account, ..kind });
        }
        kinds
    }
}

/// Signs any header and claims.
fn sign(key: &[u8], algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(key);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}
