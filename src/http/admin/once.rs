//! Keys that keep a form from being carried out twice when it is sent twice.

use actix_web::HttpRequest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::form::{Form, is_key};
use super::visitor::Staff;
use crate::digest::sha256;
use crate::store::KeyUse;

/// The use of a form's field `key`, which its page drew. It includes all fields, so that going back
/// and writing something else is another request. `None` for a form without a valid key.
pub fn key_use(staff: &Staff, request: &HttpRequest, form: &Form) -> Option<KeyUse> {
    let key = form.text("key");
    let mut fields = form_urlencoded::Serializer::new(String::new());
    fields.extend_pairs(form.fields());
    let fields = BASE64_URL_SAFE_NO_PAD.encode(sha256(fields.finish().as_bytes()));
    is_key(key).then(|| KeyUse {
        hash: staff.key_hash(&format!("{key} {fields}")),
        fingerprint: sha256(request.path().as_bytes()),
    })
}
