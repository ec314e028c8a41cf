//! Signatures of webhook deliveries: of the published API (docs/contract.md, Facts 7) and of the
//! Standard Webhooks specification.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

use crate::digest::{hmac_sha1, hmac_sha256};

/// The beginning of a secret whose rest is base64.
const ENCODED_PREFIX: &str = "whsec_";

/// A new secret from random bytes.
pub fn new_secret(bytes: &[u8; 32]) -> String {
    format!("{ENCODED_PREFIX}{}", BASE64_STANDARD.encode(bytes))
}

/// The key of `webhook-signature`: the bytes that the base64 after `whsec_` encodes, or those of
/// any other secret. `None` if the text after `whsec_` is not valid base64.
pub fn signing_key(secret: &str) -> Option<Vec<u8>> {
    let Some(encoded) = secret.strip_prefix(ENCODED_PREFIX) else {
        return Some(secret.as_bytes().to_vec());
    };
    let unpadded = encoded.trim_end_matches('=');
    BASE64_STANDARD_NO_PAD.decode(unpadded).ok().filter(|key| !key.is_empty())
}

/// `event-signature`: the HMAC-SHA1 of the body in hexadecimal.
pub fn event_signature(secret: &str, body: &str) -> String {
    let mut text = String::with_capacity(40);
    for byte in hmac_sha1(secret.as_bytes(), body.as_bytes()) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// One value of `webhook-signature`. `timestamp` is in seconds since 1970.
pub fn webhook_signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let key = signing_key(secret).unwrap_or_else(|| secret.as_bytes().to_vec());
    let signed = format!("{id}.{timestamp}.{body}");
    format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(&key, signed.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_specifications() {
        // The example of the Standard Webhooks specification's reference libraries.
        let signature = webhook_signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // RFC 2202, section 3, test case 2.
        let signature = event_signature("Jefe", "what do ya want for nothing?");
        assert_eq!(signature, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn a_key_is_the_decoded_secret_or_its_bytes() {
        assert_eq!(signing_key("plain"), Some(b"plain".to_vec()));
        assert_eq!(signing_key("whsec_bmV3"), Some(b"new".to_vec()));
        assert_eq!(signing_key("whsec_bmV3ZXI="), Some(b"newer".to_vec()));
        assert_eq!(signing_key("whsec_bmV3ZXI"), Some(b"newer".to_vec()));
        assert_eq!(signing_key("whsec_"), None);
        assert_eq!(signing_key("whsec_!"), None);
        assert_eq!(signing_key(&new_secret(&[7; 32])), Some(vec![7; 32]));
    }
}
