//! The fuzz targets. Each takes any bytes, panics if the program handles them wrongly, and returns
//! true if they were accepted.
//!
//! `cargo test` runs them through proptest, and the programs in `fuzz` through libFuzzer.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::HashSet;
use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use tillbook::auth::session::Ticket;
use tillbook::auth::token::{TokenKey, Tokens};
use tillbook::auth::verified_token::VerifiedToken;
use tillbook::domain::Timestamp;
use tillbook::domain::ids::{AccountId, OrderName};
use tillbook::domain::operation::OperationKind;
use tillbook::domain::scope::{Scope, Scopes};
use tillbook::json::{self, ParseErrorKind, Tree};
use tillbook::wire::{draft_request, list_query, operation_request};

use crate::schema::{assert_valid, named};

/// The time at which all tokens are verified.
const NOW: Timestamp = Timestamp(1_795_000_000_000);
const PUBLIC_URL: &str = "https://shop.example/till";
const SECRET: [u8; 32] = [7; 32];

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    Tokens::new(vec![TokenKey { key_id: "k1".to_owned(), secret: SECRET }], PUBLIC_URL, 100)
});

/// A valid token.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let token = VerifiedToken {
        client_id: "client".to_owned(),
        account_id: AccountId::parse("T12345678").unwrap(),
        scopes: Scopes::new(vec![Scope::ReadShopping]),
    };
    TOKENS.issue(&token, NOW, "j".to_owned()).unwrap()
});

/// Compares our strict parser with serde_json: both read the same value from all that ours accepts,
/// and ours refuses more only if a text is ambiguous.
pub fn json_text(bytes: &[u8]) -> bool {
    let other = serde_json::from_slice::<Value>(bytes);
    match json::parse(bytes) {
        Ok(tree) => {
            match other {
                Ok(value) => assert!(is_same(&tree, &value), "{tree} is not {value}"),
                // Our parser keeps numbers as text; serde_json refuses those that no float can
                // hold.
                Err(error) => assert!(error.to_string().contains("out of range"), "{error}"),
            }
            let printed = tree.to_string();
            assert_eq!(json::parse(printed.as_bytes()), Ok(tree), "{printed}");
            true
        }
        Err(error) => {
            let is_stricter = matches!(
                error.kind,
                ParseErrorKind::DuplicateKey(_) | ParseErrorKind::Nul | ParseErrorKind::TooDeep
            );
            assert!(other.is_err() || is_stricter, "{error}: {}", String::from_utf8_lossy(bytes));
            false
        }
    }
}

fn is_same(tree: &Tree, value: &Value) -> bool {
    match (tree, value) {
        (Tree::Null, Value::Null) => true,
        (Tree::Bool(ours), Value::Bool(other)) => ours == other,
        (Tree::Text(ours), Value::String(other)) => ours == other,
        (Tree::Number(ours), Value::Number(_)) => {
            serde_json::from_str(ours).ok().as_ref() == Some(value)
        }
        (Tree::List(ours), Value::Array(others)) => {
            ours.len() == others.len() && ours.iter().zip(others).all(|(a, b)| is_same(a, b))
        }
        (Tree::Object(ours), Value::Object(others)) => {
            let is_there = |(key, ours): &(String, Tree)| {
                others.get(key).is_some_and(|other| is_same(ours, other))
            };
            ours.len() == others.len() && ours.iter().all(is_there)
        }
        _ => false,
    }
}

/// A body, read by our parser and by serde_json for the document's validator; `None` when it is not
/// JSON, or has a number that no float can hold.
fn read(bytes: &[u8]) -> Option<(Tree, Value)> {
    Some((json::parse(bytes).ok()?, serde_json::from_slice(bytes).ok()?))
}

/// An accepted operation matches the document, names no line twice, and has the total that was
/// sent.
pub fn operation(bytes: &[u8]) -> bool {
    let Some((body, value)) = read(bytes) else { return false };
    let Ok(request) = operation_request::parse(OperationKind::Capture, body.clone()) else {
        return false;
    };
    assert_valid("an accepted operation", &named("OperationRequest"), &value);
    let sent = value["items"].as_array().unwrap();
    let lines: HashSet<i128> = sent.iter().map(|item| whole(&item["line_id"])).collect();
    assert_eq!(lines.len(), sent.len(), "a line is named twice: {value}");
    let total: i128 = sent.iter().map(|item| whole(&item["amount"])).sum();
    assert_eq!(i128::from(request.items.total().minor_units()), total, "{value}");
    assert_eq!(request.items.as_slice().len(), sent.len());
    assert_eq!(request.success, value["success"].as_bool().unwrap_or(true));
    assert!(json::parse(request.document.0.as_bytes()).is_ok(), "{}", request.document.0);
    true
}

/// The integer in a JSON number, which may be written as `10.0`.
fn whole(value: &Value) -> i128 {
    let text = value.to_string();
    let (digits, zeros) = text.split_once('.').unwrap_or((&text, "0"));
    assert_eq!(zeros.trim_matches('0'), "", "{value}");
    digits.parse().unwrap()
}

/// An accepted draft matches the document and has the items that were sent, and its documents are
/// stored as they were parsed.
pub fn draft(bytes: &[u8]) -> bool {
    let Some((body, value)) = read(bytes) else { return false };
    let Ok(parsed) = draft_request::parse(&body) else { return false };
    assert_valid("an accepted draft", &named("DraftRequest"), &value);
    let sent = value["order"]["items"].as_array().map_or(0, Vec::len);
    let draft = &parsed.draft;
    assert_eq!(draft.items.len(), sent, "{value}");
    let store = draft.store_document.as_ref();
    assert!(store.is_none_or(|store| json::parse(store.0.as_bytes()).is_ok()), "{value}");
    let items = draft.items.iter().map(|item| &item.document).zip(&parsed.item_documents);
    // A draft is indexed by its parsed documents, so they must equal the stored texts.
    for (kept, parsed) in items.chain([(&draft.document, &parsed.document)]) {
        assert_eq!(json::parse(kept.0.as_bytes()).as_ref(), Ok(parsed), "{}", kept.0);
    }
    true
}

/// Only the issued token is valid.
pub fn token(bytes: &[u8]) -> bool {
    let Ok(sent) = std::str::from_utf8(bytes) else { return false };
    let verified = TOKENS.verify(sent, NOW);
    assert_eq!(verified.is_ok(), sent == *TOKEN, "{sent}");
    verified.is_ok()
}

/// Correctly signed claims are valid only if each of them is right.
pub fn claims(bytes: &[u8]) -> bool {
    let Ok(claims) = serde_json::from_slice::<Value>(bytes) else { return false };
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some("k1".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let signed = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&SECRET));
    let Ok(verified) = TOKENS.verify(&signed.unwrap(), NOW) else { return false };
    assert_eq!(claims["iss"], PUBLIC_URL);
    assert_eq!(claims["aud"], format!("{PUBLIC_URL}/v1/accounts/{}", verified.account_id));
    assert_eq!(claims["sub"], verified.client_id);
    let now_s = NOW.0 / 1_000;
    assert!(now_s < claims["exp"].as_i64().unwrap().saturating_add(60), "{claims}");
    assert!(claims["nbf"].as_i64().unwrap().saturating_sub(60) <= now_s, "{claims}");
    assert!(claims["iat"].as_i64().unwrap().saturating_sub(60) <= now_s, "{claims}");
    true
}

/// A name is written into a path unchanged, and only a ticket's digest is stored.
pub fn words(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let ticket = Ticket::sent(text);
    assert_eq!(ticket.reveal(), text);
    assert_eq!(ticket.sha256(), Ticket::sent(text).sha256());
    let Some(name) = OrderName::parse(text) else { return false };
    assert_eq!(name.as_str(), text);
    assert!(text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    assert!(!matches!(text, "." | ".."), "{text} means another path");
    true
}

/// Every accepted list request has a limit.
pub fn query(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let uri = format!("/orders?{text}");
    if uri.parse::<actix_web::http::Uri>().is_err() {
        return false;
    }
    let orders = list_query::order_list(text).map(|list| list.query.limit);
    let drafts = list_query::draft_list(text).map(|list| list.query.limit);
    for limit in [&orders, &drafts].into_iter().flatten() {
        assert!((1..=100).contains(limit), "{text}: {limit}");
    }
    orders.is_ok()
}
