//! SHA-256, for fingerprints of requests and for stored digests of secrets, and HMACs of webhooks.

use aws_lc_rs::{digest, hmac};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// HMAC-SHA256 of some bytes.
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut tag = [0; 32];
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    tag.copy_from_slice(hmac::sign(&key, bytes).as_ref());
    tag
}

/// HMAC-SHA1 of some bytes: the published API signs webhooks with it (docs/contract.md, Facts 7).
pub fn hmac_sha1(key: &[u8], bytes: &[u8]) -> [u8; 20] {
    let mut tag = [0; 20];
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    tag.copy_from_slice(hmac::sign(&key, bytes).as_ref());
    tag
}
