//! Changes the fields of an order.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::{name_written, render_written};
use crate::app::{ChangeProblem, ORDER_TIME_TO_LIVE, UpdateOrder, UpdateOrderRefused};
use crate::domain::time_to_live::TimeToLive;
use crate::http::edge::body::ORDER_BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Sent, ShoppingWriter, on_behalf_of, order_in_path};
use crate::http::order_size::order_too_large;
use crate::http::reply::write_and_read;
use crate::http::state::state;
use crate::json::Tree;
use crate::store::StoreError;
use crate::wire::order_request::time_to_live_passed;
use crate::wire::problem::Problem;
use crate::wire::{list_query, order_request};

/// `PUT /orders/{order_id}`: changes the fields that are sent; answers with the order.
pub async fn update(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<ORDER_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let include = list_query::include_events(request.query_string())?;
    let (sent, change) = sent.parse(order_request::parse).await?;
    let options = sent.body.member("options");
    let command = UpdateOrder {
        on_behalf_of: on_behalf_of(&actor),
        order: order_in_path(&request)?,
        change,
        time_to_live: options
            .and_then(|options| options.member(ORDER_TIME_TO_LIVE))
            .map(|sent| sent.as_integer().and_then(TimeToLive::new)),
        multiple_authorizations: options
            .and_then(|options| options.member("multiple_authorizations"))
            .and_then(Tree::as_bool),
        event: sent.event(),
        made: None,
    };
    // Before the order is read, as for every long answer.
    state.answers.expect_room(&actor.client_id)?;
    let command = state.store.read(move |reader| command.make(reader)).await;
    let command = command.map_err(|error: StoreError| ApiError::from(error))?;
    let render = render_written(state.links.clone(), actor.account_id.clone(), include);
    write_and_read(state, &actor, sent.once(&actor, command, name_written), refused, render).await
}

fn refused(why: UpdateOrderRefused) -> ApiError {
    match why {
        UpdateOrderRefused::OrderNotFound => ApiError::not_found("order"),
        UpdateOrderRefused::Problems(problems) => {
            ApiError::invalid(problems.iter().map(change_problem).collect())
        }
        UpdateOrderRefused::HasPaymentOperations => ApiError::new(
            Code::HasPaymentOperations,
            "The order has payment operations; leave options.multiple_authorizations out.",
        ),
        UpdateOrderRefused::TimeToLivePassed => ApiError::invalid(vec![time_to_live_passed()]),
        UpdateOrderRefused::TooLarge(why) => order_too_large(why),
    }
}

fn change_problem(problem: &ChangeProblem) -> Problem {
    match problem {
        ChangeProblem::NotChangeable { path } => {
            let message = "This field cannot be changed; leave it out or repeat its value. To \
                           change what is sold, complete a draft with options.order_id.";
            Problem::new(path, "not_changeable", message)
        }
        ChangeProblem::UnknownLine { path, line_id } => {
            let message =
                format!("The order has no line {}; name one that it has.", line_id.number());
            Problem::new(path, "unknown_line", message)
        }
    }
}
