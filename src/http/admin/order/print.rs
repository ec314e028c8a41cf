//! The packing slip of an order, which has no prices, and the head of every printed document.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::people::{Person, people};
use super::read::{self, OrderRead};
use crate::domain::item::Item;
use crate::domain::order::OrderStatus;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{large_html, order_href};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::extract::order_in_path;
use crate::http::state::state;
use crate::json::Tree;

/// The head of a printed document.
pub struct Head {
    pub shop: String,
    pub order_id: String,
    /// The address of the order's page; empty for readers who cannot open it.
    pub order_href: String,
    pub created: String,
    pub is_cancelled: bool,
    pub people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "order/print/packing_slip.html")]
struct PackingSlip {
    frame: Frame,
    head: Head,
    comment: String,
    lines: Vec<SlipLine>,
    /// A sentence on lines with negative amounts, which are left out; empty if every line is shown.
    left_out: String,
}

struct SlipLine {
    quantity: String,
    description: String,
    item_id: String,
    comment: String,
}

/// `GET /admin/{aid}/orders/{order_id}/packing-slip`
pub async fn packing_slip(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let _turn = state(&request)?.answers.page_turn(&staff.account_id).await?;
    let read = load(&staff, &request).await?;
    let order = &read.order;
    let (reversing, packed): (Vec<&Item>, Vec<&Item>) =
        order.items.iter().partition(|item| item.price.payable().minor_units() < 0);
    let document = words::parsed(&order.document);
    let href = order_href(state(&request)?, &staff.account_id, &order.order_id);
    let head = Head::of(&read, &document, href);
    let page = PackingSlip {
        frame: Frame { demo: read.demo, ..Frame::inside(state(&request)?, &staff) },
        head: Head { people: shipped_to(head.people), ..head },
        comment: text(&document, "comment"),
        lines: packed.into_iter().map(slip_line).collect(),
        left_out: match reversing.len() {
            0 => String::new(),
            1 => "1 line that gives money back is left out.".to_owned(),
            many => format!("{many} lines that give money back are left out."),
        },
    };
    large_html(state(&request)?, &staff, &page)
}

/// Reads the order that a page's path names.
pub async fn load(staff: &Staff, request: &HttpRequest) -> Result<OrderRead, PageError> {
    let state = state(request)?;
    let (account_id, name) = (staff.account_id.clone(), order_in_path(request)?);
    let read = state.store.read(move |reader| read::load(reader, &account_id, &name));
    read.await?.ok_or(PageError::NotFound)
}

impl Head {
    /// `document` is the order's, parsed.
    pub fn of(read: &OrderRead, document: &Tree, order_href: String) -> Head {
        let order = &read.order;
        Head {
            shop: read.shop_name.clone(),
            order_id: order.order_id.as_str().to_owned(),
            order_href,
            created: read.local(order.created_at),
            is_cancelled: order.ledger.status == OrderStatus::Cancelled,
            people: people(document),
        }
    }
}

/// The shipping address, or else the customer.
fn shipped_to(mut all: Vec<Person>) -> Vec<Person> {
    let wanted = ["Goes to", "Customer"];
    let found = wanted.iter().find_map(|title| all.iter().position(|p| p.title == *title));
    let shipped_to = found.map(|at| all.swap_remove(at));
    shipped_to.map(|person| Person { title: "Ship to", ..person }).into_iter().collect()
}

fn slip_line(item: &Item) -> SlipLine {
    let document = words::parsed(&item.document);
    SlipLine {
        quantity: words::quantity_in(&document).unwrap_or_default(),
        description: words::description_in(&document),
        item_id: text(&document, "id"),
        comment: text(&document, "comment"),
    }
}

fn text(tree: &Tree, key: &str) -> String {
    tree.member(key).and_then(Tree::as_text).unwrap_or_default().to_owned()
}
