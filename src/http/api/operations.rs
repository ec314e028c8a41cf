//! Records and shows authorizations, captures, refunds and cancellations.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::find_order;
use crate::app::{
    ExceededAmount, Idempotent, Once, RecordOperation, RecordOperationRefused, RecordedOperation,
};
use crate::clock::rfc3339;
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::ledger::ReferenceProblem;
use crate::domain::operation::{Operation, OperationKind};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{
    Sent, ShoppingReader, ShoppingWriter, on_behalf_of, order_in_path, path_segment,
};
use crate::http::order_size::order_too_large_for_operation;
use crate::http::reply::{ok_json, read, read_again, run};
use crate::http::state::state;
use crate::json::{ObjectText, Tree};
use crate::store::{AnswerName, Bodies, Reader};
use crate::wire::links::Links;
use crate::wire::problem::Problem;
use crate::wire::{operation_request, operation_view};

/// `POST /orders/{order_id}/{kind}s`: records an operation.
pub async fn create(
    kind: OperationKind,
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let key = sent.key_use(&actor);
    let operation = operation_request::parse(kind, sent.body)?;
    let order = order_in_path(&request)?;
    let on_behalf_of = on_behalf_of(&actor);
    let command = RecordOperation { on_behalf_of, order: order.clone(), request: operation };
    let command = Idempotent { command, key, name: name_recorded };
    match run(state, command, |why| refused(kind, why)).await? {
        Once::Now(done) => {
            let (account_id, order_id) = (&done.account_id, &done.order_id);
            Ok(ok_json(operation_view::render(&state.links, account_id, order_id, &done.operation)))
        }
        Once::Before(name) => {
            let again = render_again(state.links.clone(), actor.account_id.clone(), order);
            read_again(state, &actor, name, again).await
        }
    }
}

/// The name of the answer to a recorded operation.
pub fn name_recorded(done: &RecordedOperation) -> AnswerName {
    AnswerName::Event(done.operation.seq)
}

/// Renders the operation that an earlier request has recorded for the order.
fn render_again(
    links: Links,
    account_id: AccountId,
    order: OrderName,
) -> impl FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static {
    move |reader, name| {
        let operation = reader.load_operation(name.event()?)?;
        let found = reader.find_ledger(&account_id, &order)?;
        let order = found.ok_or_else(|| ApiError::not_found("order"))?;
        Ok(operation_view::render(&links, &account_id, &order.order_id, &operation))
    }
}

/// `GET /orders/{order_id}/{kind}s`: all operations of the kind, oldest first.
pub async fn list(
    kind: OperationKind,
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (links, name) = (state.links.clone(), order_in_path(&request)?);
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let order = find_order(reader, &account_id, &name, Bodies::LeaveOut)?;
        let operations = order.operations_of(kind).map(|operation| {
            operation_view::render(&links, &account_id, &order.order_id, operation)
        });
        let operations: Vec<String> = operations.collect();
        Ok(ObjectText::default().list(kind.plural(), &operations).end())
    })
    .await
}

/// `GET /orders/{order_id}/{kind}s/{operation_id}`: one operation.
pub async fn show(
    kind: OperationKind,
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let id = path_segment(&request, "operation_id");
    let (links, name) = (state.links.clone(), order_in_path(&request)?);
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let order = find_order(reader, &account_id, &name, Bodies::LeaveOut)?;
        let found = order.operations_of(kind).find(|op| Some(op.id.as_str()) == id.as_deref());
        let operation = found.ok_or_else(|| ApiError::not_found(kind.singular()))?;
        Ok(operation_view::render(&links, &account_id, &order.order_id, operation))
    })
    .await
}

/// Explains why an operation was not recorded.
pub fn refused(kind: OperationKind, why: RecordOperationRefused) -> ApiError {
    match why {
        RecordOperationRefused::OrderNotFound => ApiError::not_found("order"),
        RecordOperationRefused::References(problems) => {
            ApiError::invalid(problems.iter().map(reference_problem).collect())
        }
        RecordOperationRefused::OrderCancelled => ApiError::new(
            Code::OrderCancelled,
            format!("The order is cancelled and accepts no {}; make a new order.", kind.singular()),
        ),
        RecordOperationRefused::OrderNotOpen => ApiError::new(
            Code::OrderNotOpen,
            "The order is closed; open it again to authorize more.",
        ),
        RecordOperationRefused::SumOutOfRange => ApiError::invalid(vec![Problem::new(
            "/items",
            "amount_out_of_range",
            "The order's sums would be more than an amount can hold; send smaller amounts.",
        )]),
        RecordOperationRefused::AmountsExceedRemaining(lines) => exceeded(kind, &lines),
        RecordOperationRefused::TooLarge(why) => order_too_large_for_operation(why),
    }
}

/// A reference of a request that the order does not have.
pub fn reference_problem(problem: &ReferenceProblem) -> Problem {
    match problem {
        ReferenceProblem::AuthorizationMissing => Problem::new(
            "/authorization_id",
            "required",
            "The order has several authorizations; name the one that this is for.",
        ),
        ReferenceProblem::AuthorizationUnknown => Problem::new(
            "/authorization_id",
            "unknown_authorization",
            "The order has no such authorization; name one that it has.",
        ),
        ReferenceProblem::LineUnknown { item, line_id } => Problem::new(
            format!("/items/{item}/line_id"),
            "unknown_line",
            format!("The order has no line {}; name one that it has.", line_id.number()),
        ),
        ReferenceProblem::WrongSign { item, line_id, payable } => Problem::new(
            format!("/items/{item}/amount"),
            "wrong_sign",
            format!(
                "Line {} has a payable amount of {}; send 0 or an amount of the same sign.",
                line_id.number(),
                payable.minor_units()
            ),
        ),
    }
}

/// The refusal of amounts that exceed the remaining ones.
pub fn exceeded(kind: OperationKind, lines: &[ExceededAmount]) -> ApiError {
    let problems: Vec<Problem> = lines.iter().map(|line| exceeded_problem(kind, line)).collect();
    let summary: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let message =
        format!("Nothing was recorded. Send at most the remaining amounts. {}", summary.join(" "));
    ApiError::new(Code::AmountExceedsRemaining, message).with_problems(problems)
}

fn exceeded_problem(kind: OperationKind, exceeded: &ExceededAmount) -> Problem {
    let line = &exceeded.line;
    let message = format!(
        "Line {} has {} left for this {}; {} was requested.",
        line.line_id.number(),
        line.remaining,
        kind.singular(),
        line.requested.minor_units()
    );
    let mut details = vec![
        ("line_id", Tree::integer(line.line_id.number())),
        ("requested", Tree::integer(line.requested.minor_units())),
        ("remaining", Tree::integer(line.remaining)),
    ];
    if let Some(last) = &exceeded.last_operation {
        details.push(("last_operation", last_operation(exceeded, last)));
    }
    let path = format!("/items/{}/amount", line.item);
    Problem { details, ..Problem::new(path, "amount_exceeds_remaining", message) }
}

/// The operation that last changed the line: `amount` is the whole operation's, `line_amount` its
/// part on the line.
fn last_operation(exceeded: &ExceededAmount, last: &Operation) -> Tree {
    let on_line = last.items.iter().find(|item| item.line_id == exceeded.line.line_id);
    let line_amount = on_line.map_or(0, |item| item.amount.minor_units());
    Tree::object([
        ("kind", Tree::text(last.kind.singular())),
        ("id", Tree::text(last.id.as_str())),
        ("amount", Tree::integer(last.amount.minor_units())),
        ("line_amount", Tree::integer(line_amount)),
        ("created_at", Tree::text(rfc3339(last.created_at))),
        ("created_by", Tree::text(&last.created_by.0)),
    ])
}
