//! The order page's curl commands: one shows the order, the others capture the remaining amounts.

use super::sections::{More, Section, Whole};
use crate::domain::ids::ResourceId;
use crate::domain::line::Line;
use crate::domain::operation::OperationKind;
use crate::domain::order::OrderStatus;
use crate::json::Tree;
use crate::store::OrderRecord;
use crate::wire::curl::Curl;
use crate::wire::links::Links;

/// A curl command with its title.
pub struct Command {
    pub title: String,
    pub text: String,
    /// A link to the whole command, when it has too many lines; `text` is then empty.
    pub more: Option<More>,
}

/// One command that reads the order, and one for each capture of remaining amounts.
pub fn commands(
    order: &OrderRecord,
    links: &Links,
    whole: &Whole,
    self_href: &str,
) -> Vec<Command> {
    let url = links.order(&order.account_id, &order.order_id);
    let show = Curl::get(&url).token_of_variable().lines();
    let mut commands = vec![Command { title: "Show the order".to_owned(), text: show, more: None }];
    for authorization_id in authorizations_to_capture(order) {
        let items = items(order, authorization_id);
        if items.is_empty() {
            continue;
        }
        let title = match authorization_id {
            Some(id) => format!("Capture what reservation {} still holds", id.as_str()),
            None => "Capture all that is left".to_owned(),
        };
        let more = whole.more(Section::Commands, items.len(), self_href);
        let text = match &more {
            Some(_) => String::new(),
            None => capture(order, &url, items, authorization_id),
        };
        commands.push(Command { title, text, more });
    }
    commands
}

/// The authorizations to capture from: each of them on an order with several, else `None`, since a
/// capture then needs no authorization.
fn authorizations_to_capture(order: &OrderRecord) -> Vec<Option<&ResourceId>> {
    let ledger = &order.ledger;
    if ledger.multiple_authorizations {
        ledger.authorizations.iter().map(Some).collect()
    } else {
        vec![None]
    }
}

/// Everything that can be captured now, one item per line.
fn items(order: &OrderRecord, authorization_id: Option<&ResourceId>) -> Vec<Tree> {
    if order.ledger.status == OrderStatus::Cancelled {
        return Vec::new();
    }
    let item = |line: &Line| {
        let left = line.available(OperationKind::Capture, authorization_id);
        let amount = line.payable().sign_applied_to(left);
        (left != 0).then(|| {
            Tree::object([
                ("line_id", Tree::integer(line.line_id().number())),
                ("amount", Tree::integer(amount)),
            ])
        })
    };
    order.ledger.lines.iter().filter_map(item).collect()
}

fn capture(
    order: &OrderRecord,
    url: &str,
    items: Vec<Tree>,
    authorization_id: Option<&ResourceId>,
) -> String {
    let mut body = vec![("items".to_owned(), Tree::List(items))];
    body.extend(
        authorization_id.map(|id| ("authorization_id".to_owned(), Tree::text(id.as_str()))),
    );
    // The key names the order's present state, so that the command records one capture when it is
    // pasted twice.
    let mut key = format!("capture-{}-{}", order.id.as_str(), order.events.len());
    key.extend(authorization_id.map(|id| format!("-{}", id.as_str())));
    Curl::post(&format!("{url}/captures"))
        .token_of_variable()
        .header("Idempotency-Key", &key)
        .body(&Tree::Object(body))
        .lines()
}
