//! Records an operation by hand: the form is shown, reviewed, and recorded once.
//!
//! The form carries an idempotency key, so that reloading it, going back to it or pressing its
//! button twice shows the first operation instead of recording a second. Only what the page showed
//! is recorded: if the amounts or the order have changed since the review, the form is shown again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::line_fields::LINE_FIELDS;
use super::page::{Before, Place, authorizations_left, operation_page, reviewed};
use super::review::review;
use super::subject::Subject;
use super::typed::operation_fields;
use super::words::right;
use crate::app::{Idempotent, IdempotentRefused, Once, RecordOperation, RecordOperationRefused};
use crate::digest::sha256;
use crate::domain::ids::{OrderName, ResourceId};
use crate::domain::operation::{OperationKind, OperationRequest};
use crate::http::admin::form::{Form, is_key};
use crate::http::admin::frame::Frame;
use crate::http::admin::order::read::{OrderRead, load};
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{form_href, html, order_href, query_value, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::api::operations::name_recorded;
use crate::http::error::ApiError;
use crate::http::extract::order_in_path;
use crate::http::order_size::order_too_large_for_operation;
use crate::http::state::{AppState, state};
use crate::store::{AnswerName, KeyHash, KeyUse, StoreError, StoredAnswer, WriteError};

const LOOK_AGAIN: &str = "This is what would be recorded now. Nothing has been recorded yet.";
const CHANGED: &str = "The order changed while this form was open. Nothing was recorded.";
const KEY_USED: &str = "This form has already been recorded, with something else in it. Nothing \
    was recorded now. Look at the order's payment operations before you record what is below: the \
    same amounts may be recorded already.";
const UNCLEAR: &str = "The server could not finish, and it is not known whether this was recorded.";
const PRESS_AGAIN: &str = "You can press the button again: the form is recorded only once.";

/// A form with its order and the user that sent it.
struct Sent<'a> {
    kind: OperationKind,
    staff: &'a Staff,
    state: &'a AppState,
    loaded: OrderRead,
    /// The authorization to book under; `None` for an order that does not have several, or while it
    /// has to be chosen.
    chosen: Option<ResourceId>,
    form: Form,
}

/// `GET /admin/{aid}/orders/{order_id}/{kind}s?key=…`: the form. `fill=all` fills in everything
/// that is left, for any kind of operation. The key is in the address so that going back to a
/// recorded form shows the operation that it recorded.
pub async fn show(
    kind: OperationKind,
    staff: Staff,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.expect_right(right(kind))?;
    let state = state(&request)?;
    let key = query_value(&request, "key");
    let authorization_id = query_value(&request, "authorization_id");
    if !is_key(&key) {
        let href = order_href(state, &staff.account_id, &order_in_path(&request)?);
        let href = format!("{href}/{}", kind.plural());
        let mut href = form_href(&href, &state.randomness.uuid(), &authorization_id);
        if query_value(&request, "fill") == "all" {
            href.push_str("&fill=all");
        }
        return Ok(see_other(&href));
    }
    let (stored, loaded) = load_with_stored(state, &staff, &request, staff.key_hash(&key)).await?;
    if let Some(stored) = stored {
        return see_recorded(state, &staff, &loaded.order.order_id, stored.name).await;
    }
    let chosen = choose(&loaded, kind, &authorization_id);
    let mut sent = Sent { kind, staff: &staff, state, loaded, chosen, form: Form::new(Vec::new()) };
    let subject = sent.subject();
    let is_all = query_value(&request, "fill") == "all";
    sent.form = Form::new(if is_all { subject.filled() } else { subject.opened() });
    sent.page(StatusCode::OK, Before { notice: "", key, seen: None })
}

/// `POST /admin/{aid}/orders/{order_id}/{kind}s`: fills, clears, reviews or records the form.
pub async fn create(
    kind: OperationKind,
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(right(kind))?;
    let state = state(&request)?;
    let key = key_use(&staff, &request, &form);
    let (stored, loaded) = load_with_stored(state, &staff, &request, key.hash).await?;
    // The same form sent again leads to its operation. The same key with other fields is a form
    // that was recorded, gone back to and changed.
    let has_recorded = stored.is_some();
    if let Some(stored) = stored.filter(|stored| stored.fingerprint == key.fingerprint) {
        return see_recorded(state, &staff, &loaded.order.order_id, stored.name).await;
    }
    let chosen = choose(&loaded, kind, form.text("authorization_id"));
    let sent = Sent { kind, staff: &staff, state, loaded, chosen, form };
    if has_recorded {
        sent.page_with_new_key(StatusCode::CONFLICT, KEY_USED)
    } else {
        sent.press(key).await
    }
}

impl Sent<'_> {
    /// Does what the pressed button asks for.
    async fn press(self, key: KeyUse) -> Result<HttpResponse, PageError> {
        if !is_key(self.form.text("key")) {
            return self.page_with_new_key(StatusCode::BAD_REQUEST, LOOK_AGAIN);
        }
        match self.form.text("button") {
            "all" => self.refilled(|subject| subject.filled()),
            "clear" => self.refilled(|_| Vec::new()),
            "record" => self.record(key).await,
            _ if self.is_as_opened_for_another() => self.refilled(|subject| subject.opened()),
            _ => self
                .page_with_same_key(StatusCode::OK, if self.has_changed() { CHANGED } else { "" }),
        }
    }

    /// True if another authorization was chosen than the page showed, and nothing was typed for
    /// the shown one. Then the form opens for the chosen one; otherwise the typed texts are kept.
    fn is_as_opened_for_another(&self) -> bool {
        let authorizations = &self.loaded.order.ledger.authorizations;
        let shown = authorizations.iter().find(|id| id.as_str() == self.form.text("shown"));
        if shown == self.chosen.as_ref() {
            return false;
        }
        let mut opened = Subject { authorization_id: shown, ..self.subject() }.opened();
        let is_typed = |name: &str, value: &str| !value.is_empty() && is_of_line(name);
        let typed = self.form.fields().iter().filter(|(name, value)| is_typed(name, value));
        let mut typed: Vec<(String, String)> = typed.cloned().collect();
        typed.sort_unstable();
        opened.sort_unstable();
        typed == opened
    }

    /// Records the operation if it is the one that was reviewed; otherwise shows the form again.
    async fn record(self, key: KeyUse) -> Result<HttpResponse, PageError> {
        let subject = self.subject();
        let typed = subject.read(&self.form);
        let is_as_shown = self.form.text("reviewed") == reviewed(&subject, &typed);
        let is_allowed = matches!(review(&subject, &typed), Some(Ok(_)));
        match typed.request {
            Some(request) if is_as_shown && is_allowed => self.write(key, request).await,
            _ if self.has_changed() => self.page_with_new_key(StatusCode::CONFLICT, CHANGED),
            Some(_) if is_allowed => self.page_with_same_key(StatusCode::OK, LOOK_AGAIN),
            Some(_) => self.page_with_new_key(StatusCode::CONFLICT, ""),
            None => self.page_with_same_key(StatusCode::BAD_REQUEST, ""),
        }
    }

    async fn write(
        mut self,
        key: KeyUse,
        request: OperationRequest,
    ) -> Result<HttpResponse, PageError> {
        let order = self.loaded.order.order_id.clone();
        let command = RecordOperation {
            on_behalf_of: self.staff.on_behalf_of(),
            order: order.clone(),
            request,
        };
        let command = Idempotent { command, key: Some(key), name: name_recorded };
        let error = match self.state.store.writer.write(command).await {
            Ok(Once::Now(done)) => {
                return Ok(see_notice(self.state, self.staff, &order, done.operation.id.as_str()));
            }
            Ok(Once::Before(name)) => {
                return see_recorded(self.state, self.staff, &order, name).await;
            }
            Err(error) => error,
        };
        match error {
            WriteError::Refused(IdempotentRefused::KeyReused) => {
                self.page_with_new_key(StatusCode::CONFLICT, KEY_USED)
            }
            WriteError::Refused(IdempotentRefused::Command(
                RecordOperationRefused::References(_)
                | RecordOperationRefused::OrderCancelled
                | RecordOperationRefused::OrderNotOpen
                | RecordOperationRefused::SumOutOfRange
                | RecordOperationRefused::AmountsExceedRemaining(_),
            )) => {
                // Another write came between the read and this one, so the review is of an older
                // order.
                let account_id = self.staff.account_id.clone();
                let read = self.state.store.read(move |reader| load(reader, &account_id, &order));
                self.loaded = read.await?.ok_or(PageError::NotFound)?;
                self.page_with_new_key(StatusCode::CONFLICT, CHANGED)
            }
            WriteError::Refused(IdempotentRefused::Command(RecordOperationRefused::TooLarge(
                why,
            ))) => {
                let message = order_too_large_for_operation(why).message;
                self.page_with_new_key(StatusCode::CONFLICT, &message)
            }
            // The form keeps its key, so that pressing the button again cannot record twice.
            WriteError::Refused(IdempotentRefused::Command(
                RecordOperationRefused::OrderNotFound,
            ))
            | WriteError::Store(_)
            | WriteError::QueueFull
            | WriteError::Unavailable(_)
            | WriteError::Crashed
            | WriteError::WritesOff => {
                let is_unclear = matches!(error, WriteError::WritesOff | WriteError::Crashed);
                let error = ApiError::from_write(error, |_| ApiError::not_found("order"));
                let notice = if is_unclear { UNCLEAR } else { &error.message };
                self.page_with_same_key(error.status_code(), &format!("{notice} {PRESS_AGAIN}"))
            }
        }
    }

    /// The page with new values of the lines' fields and every other field as it was.
    fn refilled(
        mut self,
        line_fields: impl Fn(&Subject<'_>) -> Vec<(String, String)>,
    ) -> Result<HttpResponse, PageError> {
        let line_fields = line_fields(&self.subject());
        let rest = self.form.fields().iter().filter(|(name, _)| !is_of_line(name)).cloned();
        self.form = Form::new(rest.chain(line_fields).collect());
        self.page_with_same_key(StatusCode::OK, "")
    }

    /// The page again with a new key, because the old one is invalid, used up, or for an older
    /// state of the order.
    fn page_with_new_key(
        &self,
        status: StatusCode,
        notice: &str,
    ) -> Result<HttpResponse, PageError> {
        let before = Before { notice, key: self.new_key(), seen: self.seen() };
        self.page(status, before)
    }

    /// The page again with the same key.
    fn page_with_same_key(
        &self,
        status: StatusCode,
        notice: &str,
    ) -> Result<HttpResponse, PageError> {
        let key = self.form.text("key").to_owned();
        self.page(status, Before { notice, key, seen: self.seen() })
    }

    fn page(&self, status: StatusCode, before: Before<'_>) -> Result<HttpResponse, PageError> {
        let subject = self.subject();
        let order = &self.loaded.order;
        let place = Place {
            frame: Frame { demo: self.loaded.demo, ..Frame::inside(self.state, self.staff) },
            order_href: order_href(self.state, &self.staff.account_id, &order.order_id),
            api_href: self.state.links.order(&order.account_id, &order.order_id),
            before,
        };
        let typed = subject.read(&self.form);
        let mut response =
            html(&operation_page(&subject, &self.loaded, &self.form, &typed, place))?;
        *response.status_mut() = status;
        Ok(response)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            kind: self.kind,
            loaded: &self.loaded,
            order: &self.loaded.order,
            time_zone: &self.loaded.time_zone,
            authorization_id: self.chosen.as_ref(),
        }
    }

    /// The number of events that the order had when the form was first shown.
    fn seen(&self) -> Option<usize> {
        self.form.text("seen").parse().ok()
    }

    fn has_changed(&self) -> bool {
        self.seen().is_some_and(|seen| seen < self.loaded.order.events.len())
    }

    fn new_key(&self) -> String {
        self.state.randomness.uuid()
    }
}

/// True for the name of a field that is typed for a line.
fn is_of_line(name: &str) -> bool {
    LINE_FIELDS.iter().any(|prefix| name.starts_with(prefix))
}

/// The form's key, with a fingerprint of the order and of the fields that say what to record.
fn key_use(staff: &Staff, request: &HttpRequest, form: &Form) -> KeyUse {
    let mut typed = form_urlencoded::Serializer::new(String::new());
    let typed = typed.extend_pairs(operation_fields(form)).finish();
    KeyUse {
        hash: staff.key_hash(form.text("key")),
        fingerprint: sha256(format!("{}\n{typed}", request.path()).as_bytes()),
    }
}

/// The answer stored under the form's key, and the order. Both are read in one transaction:
/// otherwise this form could be recorded in between, and its change would look like another user's.
async fn load_with_stored(
    state: &AppState,
    staff: &Staff,
    request: &HttpRequest,
    hash: KeyHash,
) -> Result<(Option<StoredAnswer>, OrderRead), PageError> {
    let (account_id, name) = (staff.account_id.clone(), order_in_path(request)?);
    let read = state.store.read(move |reader| {
        let stored = reader.find_answer(&hash)?;
        Ok::<_, StoreError>((stored, load(reader, &account_id, &name)?))
    });
    let (stored, loaded) = read.await?;
    Ok((stored, loaded.ok_or(PageError::NotFound)?))
}

/// The authorization that was asked for, or the only one with anything left. `None` on an order
/// that does not have several, or when the user has to choose.
fn choose(loaded: &OrderRead, kind: OperationKind, wanted: &str) -> Option<ResourceId> {
    let ledger = &loaded.order.ledger;
    if !ledger.multiple_authorizations || kind == OperationKind::Authorization {
        return None;
    }
    let asked = ledger.authorizations.iter().find(|id| id.as_str() == wanted);
    let left = authorizations_left(&loaded.order, kind);
    let only = left.first().copied().filter(|_| left.len() == 1);
    asked.or(only).cloned()
}

/// A redirect to the operation that the form has recorded before.
async fn see_recorded(
    state: &AppState,
    staff: &Staff,
    order: &OrderName,
    name: AnswerName,
) -> Result<HttpResponse, PageError> {
    let id = match name {
        AnswerName::Text(id) => id,
        name => {
            let read = state.store.read(move |reader| reader.load_operation(name.event()?));
            read.await?.id.as_str().to_owned()
        }
    };
    Ok(see_notice(state, staff, order, &id))
}

/// A redirect to the order's page, with a notice of the recorded operation.
fn see_notice(state: &AppState, staff: &Staff, order: &OrderName, id: &str) -> HttpResponse {
    see_other(&format!("{}?recorded={id}", order_href(state, &staff.account_id, order)))
}
