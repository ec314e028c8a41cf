//! Parses the event that a service reports about an order.

use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::event::EventState;
use crate::json::Tree;
use crate::store::NewServiceEvent;

/// The body of a service's event (docs/contract.md, Facts 5).
const STEP: Shape = Shape::Object(&[
    optional("state", Shape::OneOf(&["error", "failure", "success", "pending"])),
    required("service", Shape::Text),
    required("service_status", Shape::Text),
    optional("description", Shape::Text),
    optional("metadata", Shape::FreeObject),
    optional("id", Shape::ReadOnly),
    optional("event_type", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("version", Shape::ReadOnly),
    optional("request", Shape::ReadOnly),
    optional("draft_id", Shape::ReadOnly),
    optional("_links", Shape::ReadOnly),
]);

/// Parses an event, or reports everything that is wrong with the body.
pub fn parse(body: &Tree) -> Result<NewServiceEvent, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), STEP, "", &mut problems);
    let text = |key: &str| kept.member(key).and_then(Tree::as_text).unwrap_or_default();
    for key in ["service", "service_status"] {
        if problems.is_empty() && text(key).is_empty() {
            let message = "Expected at least one character.";
            problems.push(Problem::new(format!("/{key}"), "bad_value", message));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let rest = kept.without(&["state", "service", "service_status"]).to_string();
    Ok(NewServiceEvent {
        state: EventState::parse(text("state")).unwrap_or(EventState::Success),
        service: text("service").to_owned(),
        service_status: text("service_status").to_owned(),
        body_sha256: sha256(rest.as_bytes()),
        body: KeptJson(rest),
    })
}
