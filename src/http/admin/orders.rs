//! The list of orders: tabs with counts, search, dates, pages.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::extract::state;
use super::frame::Frame;
use super::page_error::PageError;
use super::sign_in::{html, query_value};
use super::visitor::Staff;
use super::words;
use crate::clock::{day_start, local, rfc3339};
use crate::domain::Timestamp;
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::store::{OrderPage, OrderQuery, OrderRecord, Reader, StoreError};

/// Orders on a page.
const PAGE_ROWS: u32 = 50;

/// A tab counts no further than this.
const COUNT_MAX: u32 = 1_000;

/// A tab: its word in the address, its name, and what it asks.
struct TabKind {
    word: &'static str,
    name: &'static str,
    statuses: &'static [OrderStatus],
    payment_statuses: &'static [PaymentStatus],
    holds: bool,
}

const TABS: [TabKind; 6] = [
    TabKind { word: "all", name: "All", statuses: &[], payment_statuses: &[], holds: false },
    TabKind {
        word: "to-capture",
        name: "To capture",
        statuses: &[OrderStatus::Open, OrderStatus::Closed],
        payment_statuses: &[],
        holds: true,
    },
    TabKind {
        word: "partly-captured",
        name: "Partly captured",
        statuses: &[],
        payment_statuses: &[PaymentStatus::PartiallyPaid],
        holds: false,
    },
    TabKind {
        word: "refunded",
        name: "Refunded",
        statuses: &[],
        payment_statuses: &[PaymentStatus::Refunded, PaymentStatus::PartiallyRefunded],
        holds: false,
    },
    TabKind {
        word: "closed",
        name: "Closed",
        statuses: &[OrderStatus::Closed],
        payment_statuses: &[],
        holds: false,
    },
    TabKind {
        word: "cancelled",
        name: "Cancelled",
        statuses: &[OrderStatus::Cancelled],
        payment_statuses: &[],
        holds: false,
    },
];

#[derive(Template)]
#[template(path = "orders/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    tab: &'static str,
    search: String,
    from: String,
    to: String,
    problem: &'static str,
    is_filtered: bool,
    clear_href: String,
    rows: Vec<Row>,
    next_href: String,
    empty_title: &'static str,
    empty_text: &'static str,
    empty_command: String,
}

struct Tab {
    name: &'static str,
    href: String,
    count: String,
    current: bool,
}

struct Row {
    href: String,
    order_id: String,
    created: String,
    created_at: String,
    customer: String,
    status: &'static str,
    status_words: &'static str,
    payment_status: &'static str,
    payment_words: &'static str,
    total: String,
    captured: String,
    remaining: String,
}

/// What the address asks for.
#[derive(Clone)]
struct Asked {
    tab: &'static TabKind,
    search: String,
    from: String,
    to: String,
    after: String,
}

/// `GET /admin/{aid}/orders`
pub async fn list(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let asked = asked(&request);
    let (account_id, wanted) = (staff.account_id.clone(), asked.clone());
    let read = state.store.read(move |reader| Loaded::load(reader, &account_id, &wanted)).await?;
    let frame = Frame { demo: read.demo, ..Frame::inside(state, &staff) };
    let base = format!("{}/admin/{}/orders", frame.base, staff.account_id);
    let rows: Vec<Row> =
        read.page.orders.iter().map(|order| row(order, &base, &read.time_zone)).collect();
    let (empty_title, empty_text) = empty_words(asked.tab.word);
    html(&ListPage {
        tabs: tabs(&asked, &base, &read.counts),
        tab: asked.tab.word,
        is_filtered: asked.is_filtered(),
        clear_href: format!("{base}?tab={}", asked.tab.word),
        next_href: next_href(&read.page, &asked, &base),
        problem: read.problem,
        empty_title,
        empty_text,
        empty_command: format!(
            "tillbook client create --account {} --name \"My website\" --grant admin:shopping",
            staff.account_id
        ),
        search: asked.search,
        from: asked.from,
        to: asked.to,
        rows,
        frame,
    })
}

/// All that the page shows, of one moment.
struct Loaded {
    page: OrderPage,
    counts: Vec<i64>,
    time_zone: String,
    demo: bool,
    problem: &'static str,
}

impl Loaded {
    fn load(
        reader: &Reader<'_>,
        account_id: &AccountId,
        asked: &Asked,
    ) -> Result<Loaded, StoreError> {
        let accounts = reader.list_accounts()?;
        let account = accounts.into_iter().find(|account| account.account_id == *account_id);
        let time_zone = account.map(|account| account.time_zone).unwrap_or_default();
        let after = OrderName::parse(&asked.after)
            .map(|name| reader.find_order_seq(account_id, &name))
            .transpose()?
            .flatten();
        let bounds = asked.bounds(&time_zone);
        let query = |tab| OrderQuery { starting_after: after, ..asked.query(tab, bounds) };
        let mut counts = Vec::new();
        for tab in &TABS {
            counts.push(reader.count_orders_to(account_id, &query(tab), COUNT_MAX)?);
        }
        let problem = match bounds {
            Some(_) => "",
            None => "One of the dates is none. Write them as 2026-11-23.",
        };
        let page = reader.list_orders(account_id, &query(asked.tab))?;
        let demo = reader.load_demo_seed()?.is_some();
        Ok(Loaded { page, counts, time_zone, demo, problem })
    }
}

type Bounds = (Option<Timestamp>, Option<Timestamp>);

impl Asked {
    fn is_filtered(&self) -> bool {
        [&self.search, &self.from, &self.to].iter().any(|text| !text.is_empty())
    }

    /// The moments that the dates mean in the shop's days; `None` when one of them is none.
    fn bounds(&self, time_zone: &str) -> Option<Bounds> {
        let moment = |date: &str, days_on| match date {
            "" => Some(None),
            date => day_start(date, days_on, time_zone).map(Some),
        };
        let to = moment(&self.to, 1)?.map(|end| Timestamp(end.0 - 1));
        Some((moment(&self.from, 0)?, to))
    }

    fn query(&self, tab: &TabKind, bounds: Option<Bounds>) -> OrderQuery {
        let (created_from, created_to) = bounds.unwrap_or_default();
        OrderQuery {
            statuses: tab.statuses.to_vec(),
            payment_statuses: tab.payment_statuses.to_vec(),
            holds: tab.holds,
            created_from,
            created_to,
            search: Some(self.search.clone()).filter(|search| !search.is_empty()),
            limit: PAGE_ROWS,
            ..OrderQuery::default()
        }
    }

    fn href(&self, base: &str, tab: &str, after: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("tab", tab);
        let rest =
            [("search", &*self.search), ("from", &self.from), ("to", &self.to), ("after", after)];
        for (name, value) in rest.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("{base}?{}", query.finish())
    }
}

fn asked(request: &HttpRequest) -> Asked {
    let word = query_value(request, "tab");
    let tab = TABS.iter().find(|tab| tab.word == word).unwrap_or(&TABS[0]);
    let text = |name: &str| query_value(request, name).trim().chars().take(200).collect();
    Asked { tab, search: text("search"), from: text("from"), to: text("to"), after: text("after") }
}

fn tabs(asked: &Asked, base: &str, counts: &[i64]) -> Vec<Tab> {
    let shown = |count: i64| match count {
        count if count < i64::from(COUNT_MAX) => count.to_string(),
        _ => format!("{}+", COUNT_MAX - 1),
    };
    let tab = |(tab, count): (&TabKind, &i64)| Tab {
        name: tab.name,
        href: asked.href(base, tab.word, ""),
        count: shown(*count),
        current: tab.word == asked.tab.word,
    };
    TABS.iter().zip(counts).map(tab).collect()
}

fn next_href(page: &OrderPage, asked: &Asked, base: &str) -> String {
    let full = u32::try_from(page.orders.len()).is_ok_and(|count| count == PAGE_ROWS);
    let last = page.orders.last().filter(|_| full);
    last.map(|order| asked.href(base, asked.tab.word, order.id.as_str())).unwrap_or_default()
}

fn row(order: &OrderRecord, base: &str, time_zone: &str) -> Row {
    let lines = &order.ledger.lines;
    let money = |minor_units: i128| order.currency.display(minor_units);
    let href = format!("{base}/{}", super::path_segment(order.order_id.as_str()));
    let captured = lines.iter().map(|l| l.payable().sign_applied_to(l.sums().captured)).sum();
    Row {
        href,
        order_id: order.order_id.as_str().to_owned(),
        created: local(order.created_at, time_zone),
        created_at: rfc3339(order.created_at),
        customer: words::customer(order),
        status: order.ledger.status.as_str(),
        status_words: words::order_status(order.ledger.status),
        payment_status: order.payment_status.as_str(),
        payment_words: words::payment_status(&order.ledger, order.payment_status),
        total: money(lines.iter().map(|l| i128::from(l.payable().minor_units())).sum()),
        captured: money(captured),
        remaining: money(lines.iter().map(|line| order.ledger.remaining(line)).sum()),
    }
}

fn empty_words(tab: &str) -> (&'static str, &'static str) {
    match tab {
        "to-capture" => ("Nothing to capture.", "Orders with a reservation wait here."),
        "partly-captured" => ("No order is captured in part.", "That is a good sign."),
        "refunded" => ("Nothing was refunded.", "Orders with a refund are kept here."),
        "closed" => ("No order is closed.", "Close an order when nothing more will happen to it."),
        "cancelled" => ("No order is cancelled.", "Orders that were called off are kept here."),
        _ => ("No orders yet.", "Orders come in through the API. Make a client for your website:"),
    }
}
