//! The page with the list of orders: tabs with counts, search, filters, sorting, paging.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::controls::{Control, main_controls, more_controls};
use super::filters::{Asked, Sort};
use super::tab_bar::{Tab, load_tabs};
use super::tabs::TO_CAPTURE;
use crate::clock::{local, rfc3339};
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, OrderName, OrderSeq};
use crate::domain::order::OrderStatus;
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{escaped_segment, html, orders_href};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::state::state;
use crate::store::{OrderQuery, OrderSummary, Reader, StoreError};

const PAGE_ROWS: usize = 50;

/// Currencies and stores in a select element. With more stores than this, the store is typed.
const CURRENCIES_MAX: u32 = 200;
const STORES_MAX: u32 = 100;

/// Characters of a customer's name in a row, and on hover, so that a page stays below 100 kB.
const NAME_CHARS_MAX: usize = 60;
const WHOLE_NAME_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "list/page.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    tab: &'static str,
    tab_name: &'static str,
    search: String,
    search_problem: &'static str,
    controls: Vec<Control>,
    more: Vec<Control>,
    more_open: bool,
    /// True if a filter is invalid, so that no orders are shown.
    is_wrong: bool,
    is_filtered: bool,
    clear_href: String,
    sort_name: &'static str,
    created: SortHeader,
    total: SortHeader,
    rows: Vec<Row>,
    first_href: String,
    next_href: String,
    empty_title: &'static str,
    empty_text: &'static str,
    empty_command: String,
}

/// The head of a column that the list can be sorted by.
struct SortHeader {
    /// The list sorted by this column, reversed if it already is; empty when it cannot be.
    href: String,
    /// The `aria-sort` of the column; empty when the list is sorted by another.
    direction: &'static str,
}

struct Row {
    href: String,
    order_id: String,
    created: String,
    created_at: String,
    customer: String,
    /// The name at more length, for the hover text; empty when `customer` is not cut.
    customer_whole: String,
    status: &'static str,
    status_words: &'static str,
    payment_status: &'static str,
    payment_words: &'static str,
    total: String,
    captured: String,
    remaining: String,
    /// The order's capture form; empty outside the tab To capture, or without the right to capture.
    capture_href: String,
}

/// The customer's name in a row.
struct Customer {
    name: String,
    /// At more length; empty when `name` is not cut.
    whole: String,
}

/// Everything the page shows, read in one transaction.
struct Loaded {
    asked: Asked,
    /// The filters without those of the tab; `None` when a filter is invalid.
    query: Option<OrderQuery>,
    sort: Sort,
    orders: Vec<OrderSummary<Customer>>,
    has_next: bool,
    tabs: Vec<Tab>,
    currencies: Vec<String>,
    /// `None` when there are too many to choose from.
    stores: Option<Vec<String>>,
    time_zone: String,
    demo: bool,
}

/// Where a page of the list begins.
enum PageStart {
    First,
    After(OrderSeq),
    UnknownOrder,
}

/// `GET /admin/{aid}/orders`
pub async fn list(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let asked = Asked::read(&request).ok_or(PageError::NotFound)?;
    let base = orders_href(state, &staff.account_id);
    let (account_id, base_href) = (staff.account_id.clone(), base.clone());
    let loaded = state
        .store
        .read(move |reader| Loaded::load(reader, &account_id, asked, &base_href))
        .await?
        .ok_or(PageError::NotFound)?;
    let here = if loaded.asked.tab.word == TO_CAPTURE { TO_CAPTURE } else { "orders" };
    let frame = Frame { demo: loaded.demo, here, ..Frame::inside(state, &staff) };
    let may_capture = staff.visitor.role.may(Right::Capture);
    html(&page(loaded, frame, &base, may_capture))
}

impl Customer {
    fn of(document: &KeptJson) -> Customer {
        let whole = words::customer(document);
        let name = words::cut(&whole, NAME_CHARS_MAX);
        let whole = match name == whole {
            true => String::new(),
            false => words::cut(&whole, WHOLE_NAME_CHARS_MAX),
        };
        Customer { name, whole }
    }
}

impl Loaded {
    /// `None` when the order in `asked.after` does not exist.
    fn load(
        reader: &Reader<'_>,
        account_id: &AccountId,
        mut asked: Asked,
        base: &str,
    ) -> Result<Option<Loaded>, StoreError> {
        let accounts = reader.list_accounts()?;
        let account = accounts.into_iter().find(|account| account.account_id == *account_id);
        let time_zone = account.map(|account| account.time_zone).unwrap_or_default();
        let stores = reader.list_order_stores(account_id, STORES_MAX + 1)?;
        let are_all = u32::try_from(stores.len()).is_ok_and(|count| count <= STORES_MAX);
        let stores = Some(stores).filter(|_| are_all);
        // Dates are days of the shop, so they need its time zone.
        let filters = asked.check(&time_zone, stores.as_deref());
        let tabs = load_tabs(reader, account_id, &asked, base, filters.as_ref())?;
        let query = filters.as_ref().and_then(|filters| asked.tab.narrow(filters));
        let sort = asked.choose_sort(query.as_ref());
        let starting_after = match find_start(reader, account_id, &asked.after)? {
            PageStart::First => None,
            PageStart::After(order_seq) => Some(order_seq),
            PageStart::UnknownOrder => return Ok(None),
        };
        let mut orders = match &query {
            None => Vec::new(),
            Some(query) => {
                // One more than the page shows tells whether there is a next page.
                let limit = u32::try_from(PAGE_ROWS + 1).unwrap_or(u32::MAX);
                let (sort, query) = (sort.list_sort(), query.clone());
                let page = OrderQuery { sort, limit, starting_after, ..query };
                reader.list_order_summaries(account_id, &page, Customer::of)?
            }
        };
        let has_next = PAGE_ROWS < orders.len();
        orders.truncate(PAGE_ROWS);
        Ok(Some(Loaded {
            asked,
            query: filters,
            sort,
            orders,
            has_next,
            tabs,
            currencies: reader.list_order_currencies(account_id, CURRENCIES_MAX)?,
            stores,
            time_zone,
            demo: reader.load_demo_seed()?.is_some(),
        }))
    }
}

fn find_start(
    reader: &Reader<'_>,
    account_id: &AccountId,
    after: &str,
) -> Result<PageStart, StoreError> {
    if after.is_empty() {
        return Ok(PageStart::First);
    }
    let Some(name) = OrderName::parse(after) else { return Ok(PageStart::UnknownOrder) };
    let found = reader.find_order_seq(account_id, &name)?;
    Ok(found.map_or(PageStart::UnknownOrder, PageStart::After))
}

fn page(loaded: Loaded, frame: Frame, base: &str, may_capture: bool) -> ListPage {
    let Loaded { asked, query, sort, .. } = &loaded;
    let tab = asked.tab;
    let has_capture = may_capture && tab.word == TO_CAPTURE;
    let narrowed = query.as_ref().and_then(|query| tab.narrow(query));
    let is_sortable_by_total = narrowed.is_some_and(|query| query.is_sortable_by_total());
    let last = loaded.orders.last().filter(|_| loaded.has_next);
    let is_first = asked.after.is_empty();
    ListPage {
        tab: tab.word,
        tab_name: tab.name,
        search: asked.search.value.clone(),
        search_problem: asked.search.problem,
        controls: main_controls(asked, *sort, is_sortable_by_total),
        more: more_controls(asked, &loaded.currencies, loaded.stores.as_deref()),
        more_open: asked.has_more(),
        is_wrong: query.is_none(),
        is_filtered: asked.is_filtered(),
        clear_href: format!("{base}?tab={}", tab.word),
        sort_name: sort.name(tab),
        created: created_header(asked, *sort, base),
        total: total_header(asked, *sort, base, is_sortable_by_total),
        first_href: match is_first {
            true => String::new(),
            false => asked.href(base, tab.word, *sort),
        },
        next_href: last
            .map(|last| asked.href_after(base, tab.word, *sort, last.id.as_str()))
            .unwrap_or_default(),
        empty_title: tab.empty_title,
        empty_text: tab.empty_text,
        empty_command: format!(
            "tillbook client create --account {} --name \"My website\" --grant admin:shopping",
            frame.account
        ),
        rows: loaded
            .orders
            .iter()
            .map(|order| row(order, base, &loaded.time_zone, has_capture))
            .collect(),
        tabs: loaded.tabs,
        frame,
    }
}

fn created_header(asked: &Asked, sort: Sort, base: &str) -> SortHeader {
    let (direction, other) = match sort {
        Sort::Newest => ("descending", Sort::Oldest),
        Sort::Oldest => ("ascending", Sort::Newest),
        Sort::HighestTotal | Sort::LowestTotal => ("", Sort::Newest),
    };
    SortHeader { href: asked.href(base, asked.tab.word, other), direction }
}

fn total_header(asked: &Asked, sort: Sort, base: &str, by_total: bool) -> SortHeader {
    let (direction, other) = match sort {
        Sort::HighestTotal => ("descending", Sort::LowestTotal),
        Sort::LowestTotal => ("ascending", Sort::HighestTotal),
        Sort::Newest | Sort::Oldest => ("", Sort::HighestTotal),
    };
    let href = match by_total {
        true => asked.href(base, asked.tab.word, other),
        false => String::new(),
    };
    SortHeader { href, direction }
}

fn row(order: &OrderSummary<Customer>, base: &str, time_zone: &str, has_capture: bool) -> Row {
    let sums = order.ledger.sums();
    let money = |minor_units: i128| words::money(&order.currency, minor_units);
    let href = format!("{base}/{}", escaped_segment(order.order_id.as_str()));
    let is_to_release = order.ledger.status == OrderStatus::Cancelled && order.ledger.holds();
    Row {
        capture_href: match has_capture && !is_to_release {
            true => format!("{href}/captures"),
            false => String::new(),
        },
        href,
        order_id: order.order_id.as_str().to_owned(),
        created: local(order.created_at, time_zone),
        created_at: rfc3339(order.created_at),
        customer: order.read.name.clone(),
        customer_whole: order.read.whole.clone(),
        status: order.ledger.status.as_str(),
        status_words: words::status_with_release(&order.ledger),
        payment_status: order.payment_status.as_str(),
        payment_words: words::payment_status(&order.ledger, order.payment_status),
        total: money(sums.payable),
        captured: money(sums.captured),
        remaining: match is_to_release {
            true => format!("{} to release", words::held(&order.currency, &order.ledger)),
            false => words::remaining(&order.currency, &order.ledger),
        },
    }
}
