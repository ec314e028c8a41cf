//! Keeps a form that was sent after its session had ended, until its sender has signed in again.

use actix_web::HttpResponse;
use askama::Template;

use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::html;
use crate::http::state::AppState;

/// The field with the token of the session that has ended.
const FORM_TOKEN: &str = "form_token";

/// The field with the name of the pressed button. A kept form with one is only reviewed again, so
/// that it records nothing by itself.
const BUTTON: &str = "button";

#[derive(Template)]
#[template(path = "session/kept.html")]
struct KeptPage {
    frame: Frame,
    action: String,
    form_token: String,
    fields: Vec<(String, String)>,
}

/// The fields of a form as one text, without the token of its session.
pub fn fields(form: &Form) -> String {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(form.fields().iter().filter(|(name, _)| name != FORM_TOKEN));
    kept.finish()
}

/// A page with one button, which sends the form again. Nothing is sent without it, since the form
/// may have been filled in by another person.
pub fn page(
    state: &AppState,
    action: &str,
    form_token: &str,
    kept: &str,
) -> Result<HttpResponse, PageError> {
    let fields = form_urlencoded::parse(kept.as_bytes()).into_owned();
    let field = |(name, value): (String, String)| match name.as_str() {
        BUTTON => (name, "review".to_owned()),
        _ => (name, value),
    };
    html(&KeptPage {
        frame: Frame::outside(state),
        action: action.to_owned(),
        form_token: form_token.to_owned(),
        fields: fields.filter(|(name, _)| name != FORM_TOKEN).map(field).collect(),
    })
}
