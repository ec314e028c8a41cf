//! What each destination of payouts got in a period.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown::{rules_href, sums_href};
use crate::clock::{day_start, local_date};
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::operation::OperationKind;
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{large_html, query_value};
use crate::http::admin::visitor::Staff;
use crate::http::state::state;
use crate::store::{PayoutSum, Reader, SumLimits};

/// Beyond these, the page asks for a shorter period. A million events take seconds to sum.
const LIMITS: SumLimits = SumLimits { events_max: 300_000, destinations_max: 20_000 };

/// The most destinations of one currency that are listed.
const ROWS_MAX: usize = 300;

/// Characters of a date as a date field sends it.
const DATE_CHARS: usize = 10;

const NO_DATE: &str = "Not a valid date. Write it as 2026-11-23.";

#[derive(Template)]
#[template(path = "payout/sums.html")]
struct SumsPage {
    frame: Frame,
    self_href: String,
    rules_href: String,
    from: String,
    from_problem: &'static str,
    to: String,
    to_problem: &'static str,
    /// True if the period has too many events to sum.
    is_too_much: bool,
    tables: Vec<Table>,
}

/// The sums of one currency.
struct Table {
    currency: String,
    rows: Vec<Row>,
    /// How many destinations are not listed; 0 if all are.
    left: usize,
    total: Row,
}

struct Row {
    destination: String,
    reserved: String,
    released: String,
    captured: String,
    refunded: String,
    moved: String,
}

/// The amounts of a destination, by kind of operation.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    reserved: i128,
    released: i128,
    captured: i128,
    refunded: i128,
}

/// `GET /admin/{aid}/payouts`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManagePayouts)?;
    let state = state(&request)?;
    state.answers.expect_room(&staff.visitor.user_id)?;
    let _turn = state.answers.page_turn(&staff.account_id).await?;
    let zone = staff.time_zone();
    let today = local_date(state.clock.now(), zone);
    let typed = |name: &str, otherwise: String| {
        let typed = query_value(&request, name).trim().to_owned();
        if typed.is_empty() { otherwise } else { typed }
    };
    // By default this month: `2026-11-01` until today.
    let first_of_month = format!("{}01", today.get(..8).unwrap_or_default());
    let (from, to) = (typed("from", first_of_month), typed("to", today));
    let day = |date: &str, days_on| {
        day_start(date, days_on, zone).filter(|_| date.chars().count() == DATE_CHARS)
    };
    let (start, end) = (day(&from, 0), day(&to, 1));
    let is_backwards = matches!((start, end), (Some(start), Some(end)) if end <= start);
    let period = start.zip(end).filter(|_| !is_backwards);
    let sums = load(&staff, &request, period).await?;
    let page = SumsPage {
        frame: Frame { here: "payouts", ..Frame::inside(state, &staff) },
        self_href: sums_href(state, &staff.account_id),
        rules_href: rules_href(state, &staff.account_id),
        from_problem: if start.is_none() { NO_DATE } else { "" },
        to_problem: match end {
            None => NO_DATE,
            Some(_) if is_backwards => "The last day is before the first.",
            Some(_) => "",
        },
        from,
        to,
        is_too_much: period.is_some() && sums.is_none(),
        tables: tables(sums.unwrap_or_default()),
    };
    large_html(state, &staff, &page)
}

/// The sums of a period, if there is one and it is not too long.
async fn load(
    staff: &Staff,
    request: &HttpRequest,
    period: Option<(Timestamp, Timestamp)>,
) -> Result<Option<Vec<PayoutSum>>, PageError> {
    let account_id = staff.account_id.clone();
    let Some(period) = period else { return Ok(None) };
    let read = move |reader: &Reader<'_>| reader.sum_payouts(&account_id, period, LIMITS);
    Ok(state(request)?.store.read(read).await?)
}

/// One table per currency.
fn tables(sums: Vec<PayoutSum>) -> Vec<Table> {
    let mut tables = Vec::new();
    for of_currency in sums.chunk_by(|one, next| one.currency == next.currency) {
        let amounts = |sum: &PayoutSum| {
            let mut amounts = Amounts::default();
            sum.amounts.iter().for_each(|(kind, amount)| *amounts.of(*kind) += amount);
            (sum.destination.clone(), amounts)
        };
        let rows = of_currency.iter().map(amounts).collect::<Vec<_>>();
        tables.extend(of_currency.first().map(|first| table(&first.currency, &rows)));
    }
    tables
}

fn table(currency: &Currency, amounts: &[(String, Amounts)]) -> Table {
    let mut total = Amounts::default();
    for (_, mut one) in amounts.iter().cloned() {
        for kind in OperationKind::ALL {
            *total.of(kind) += *one.of(kind);
        }
    }
    let rows = amounts.iter().take(ROWS_MAX);
    Table {
        currency: currency.code().to_owned(),
        rows: rows.map(|(name, amounts)| amounts.row(name, currency)).collect(),
        left: amounts.len().saturating_sub(ROWS_MAX),
        total: total.row("All", currency),
    }
}

impl Amounts {
    fn of(&mut self, kind: OperationKind) -> &mut i128 {
        match kind {
            OperationKind::Authorization => &mut self.reserved,
            OperationKind::Cancellation => &mut self.released,
            OperationKind::Capture => &mut self.captured,
            OperationKind::Refund => &mut self.refunded,
        }
    }

    fn row(&self, destination: &str, currency: &Currency) -> Row {
        let signed = |amount: i128| match amount {
            ..0 => format!("−{}", currency.figure(-amount)),
            _ => currency.figure(amount),
        };
        Row {
            destination: destination.to_owned(),
            reserved: signed(self.reserved),
            released: signed(-self.released),
            captured: signed(self.captured),
            refunded: signed(-self.refunded),
            moved: signed(self.captured - self.refunded),
        }
    }
}
