//! Access tokens: JWTs signed with this server's key (docs/contract.md, Decision 8).
//!
//! As RFC 8725 asks, the algorithm is fixed and not taken from the header, every claim is required
//! and has its type, issuer and audience are checked, and headers other than `typ`, `alg` and `kid`
//! are refused, so that no header can make the server fetch a key.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::token_memory::{Life, TokenMemory};
use super::verified_token::VerifiedToken;
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;
use crate::domain::scope::Scopes;

/// The `typ` of an access token (RFC 9068).
const TOKEN_TYPE: &str = "at+jwt";

/// Seconds by which the clocks of two machines may differ.
const LEEWAY_S: i64 = 60;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// A key that signs tokens or has signed some that may still be valid.
#[derive(Clone)]
pub struct TokenKey {
    pub key_id: String,
    pub secret: [u8; 32],
}

/// Signs and verifies tokens; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    keys: Arc<Vec<TokenKey>>,
    issuer: Arc<str>,
    life_s: i64,
    memory: Arc<TokenMemory>,
}

/// The token is malformed, expired, or signed by another server. Callers are not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRejected;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    /// A token whose scope is not text has no scopes; that leads to a 403, not a 401.
    #[serde(default)]
    scope: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    typ: String,
    alg: String,
    kid: String,
}

impl Tokens {
    /// The first key signs; all of them verify.
    pub fn new(keys: Vec<TokenKey>, public_url: &str, life_s: i64) -> Tokens {
        let (keys, issuer) = (Arc::new(keys), public_url.into());
        Tokens { keys, issuer, life_s, memory: Arc::default() }
    }

    /// How long a token is valid, in seconds.
    pub fn life_s(&self) -> i64 {
        self.life_s
    }

    /// Issues a token; `None` only if the book has no key.
    pub fn issue(&self, token: &VerifiedToken, now: Timestamp, jti: String) -> Option<String> {
        let key = self.keys.first()?;
        let now_s = now.0.div_euclid(1_000);
        let claims = Claims {
            iss: self.issuer.to_string(),
            sub: token.client_id.clone(),
            aud: self.audience(&token.account_id),
            iat: now_s,
            nbf: now_s,
            exp: now_s + self.life_s,
            jti,
            scope: token.scopes.to_string().into(),
        };
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(key.key_id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.secret)).ok()
    }

    /// Verifies a token. For one that was verified recently, only its lifetime is checked again.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, TokenRejected> {
        if TOKEN_BYTES_MAX < token.len() {
            return Err(TokenRejected);
        }
        if let Some(remembered) = self.memory.recall(token, now) {
            return Ok(remembered);
        }
        let (verified, life) = self.verify_signature(token)?;
        if !life.contains(now) {
            return Err(TokenRejected);
        }
        self.memory.keep(token, &verified, life);
        Ok(verified)
    }

    /// Checks the signature and every claim but the times, which it returns.
    fn verify_signature(&self, token: &str) -> Result<(VerifiedToken, Life), TokenRejected> {
        let key = self.key_of(token).ok_or(TokenRejected)?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key.secret), &rules())
                .map_err(|_| TokenRejected)?
                .claims;
        let account_id = self.account_of(&claims.aud).ok_or(TokenRejected)?;
        // A token that is valid for longer was made with a stolen key, or before the configured
        // life was shortened.
        let is_too_long = self.life_s < claims.exp.saturating_sub(claims.iat);
        if claims.iss != *self.issuer || is_too_long {
            return Err(TokenRejected);
        }
        let scopes = Scopes::parse(claims.scope.as_str().unwrap_or_default());
        let life = Life {
            from_s: claims.nbf.max(claims.iat).saturating_sub(LEEWAY_S),
            until_s: claims.exp.saturating_add(LEEWAY_S),
        };
        Ok((VerifiedToken { client_id: claims.sub, account_id, scopes }, life))
    }

    /// The audience of tokens for an account: the URL of its API.
    fn audience(&self, account_id: &AccountId) -> String {
        format!("{}/v1/accounts/{account_id}", self.issuer)
    }

    fn account_of(&self, audience: &str) -> Option<AccountId> {
        let rest = audience.strip_prefix(&*self.issuer)?;
        AccountId::parse(rest.strip_prefix("/v1/accounts/")?)
    }

    fn key_of(&self, token: &str) -> Option<&TokenKey> {
        let header = token.split('.').next()?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: StrictHeader = serde_json::from_slice(&bytes).ok()?;
        if header.typ != TOKEN_TYPE || header.alg != "HS256" {
            return None;
        }
        self.keys.iter().find(|key| key.key_id == header.kid)
    }
}

/// Checks the signature and that all claims are present. `verify` checks the times, against the
/// clock that it is given.
fn rules() -> Validation {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn tokens() -> Tokens {
        let key = TokenKey { key_id: "k1".into(), secret: [7; 32] };
        Tokens::new(vec![key], "https://shop.example/till", 100)
    }

    fn token() -> VerifiedToken {
        VerifiedToken {
            client_id: "client".into(),
            account_id: AccountId::parse("T12345678").unwrap(),
            scopes: Scopes::new(vec![Scope::ReadShopping]),
        }
    }

    #[test]
    fn a_token_is_valid_from_its_issue_to_its_expiry() {
        let text = tokens().issue(&token(), NOW, "j".into()).unwrap();
        let at = |seconds: i64| tokens().verify(&text, Timestamp(NOW.0 + seconds * 1_000));
        assert_eq!(at(0), Ok(token()));
        assert_eq!(at(99 + LEEWAY_S), Ok(token()));
        assert_eq!(at(100 + LEEWAY_S), Err(TokenRejected));
        assert_eq!(at(-LEEWAY_S), Ok(token()));
        assert_eq!(at(-LEEWAY_S - 1), Err(TokenRejected));
    }

    #[test]
    fn a_remembered_token_expires_like_any_other() {
        let tokens = tokens();
        let text = tokens.issue(&token(), NOW, "j".into()).unwrap();
        let at = |seconds: i64| tokens.verify(&text, Timestamp(NOW.0 + seconds * 1_000));
        assert_eq!(at(0), Ok(token()));
        assert!(tokens.memory.recall(&text, NOW).is_some());
        assert_eq!(at(100 + LEEWAY_S), Err(TokenRejected));
        assert_eq!(at(-LEEWAY_S - 1), Err(TokenRejected));
        assert_eq!(at(99 + LEEWAY_S), Ok(token()));
    }

    #[test]
    fn a_remembered_payload_with_another_signature_is_refused() {
        let tokens = tokens();
        let text = tokens.issue(&token(), NOW, "j".into()).unwrap();
        assert_eq!(tokens.verify(&text, NOW), Ok(token()));
        let (payload, signature) = text.rsplit_once('.').unwrap();
        let other = tokens.issue(&token(), NOW, "k".into()).unwrap();
        let (_, other) = other.rsplit_once('.').unwrap();
        assert_ne!(signature, other);
        assert_eq!(tokens.verify(&format!("{payload}.{other}"), NOW), Err(TokenRejected));
        assert_eq!(tokens.verify(payload, NOW), Err(TokenRejected));
        assert_eq!(tokens.verify(&text, NOW), Ok(token()));
    }

    #[test]
    fn a_token_that_is_valid_for_longer_than_configured_is_refused() {
        for (life_s, expected) in [(100, Ok(token())), (101, Err(TokenRejected))] {
            let issuer = Tokens { life_s, ..tokens() };
            let text = issuer.issue(&token(), NOW, "j".into()).unwrap();
            assert_eq!(tokens().verify(&text, NOW), expected, "{life_s} s");
        }
    }

    #[test]
    fn a_token_of_another_server_is_refused() {
        let key = TokenKey { key_id: "k1".into(), secret: [7; 32] };
        let other = Tokens::new(vec![key], "https://shop.example", 100);
        let text = other.issue(&token(), NOW, "j".into()).unwrap();
        assert_eq!(tokens().verify(&text, NOW), Err(TokenRejected));
    }
}
