//! What an operation would do if it were recorded now: the capture's own decision, in words.

use super::typed::{Subject, Typed, description};
use super::words::{refusal, words};
use crate::domain::ids::{EventSeq, LineId, ResourceId};
use crate::domain::ledger::{ExceededLine, Ledger, OperationRejected, decide};
use crate::domain::line::Line;
use crate::domain::operation::{OperationItem, OperationKind, OperationRequest};
use crate::domain::payment_status::PaymentStatus;
use crate::http::admin::words::{figure, money, payment_status};

/// Lines that a review names.
const LINES_MAX: usize = 20;

/// An operation before it is recorded.
pub struct Review {
    /// What the button says: what is recorded, with its sum.
    pub button: String,
    /// What it does and what is after it.
    pub sentences: Vec<String>,
    /// What it takes from each line, as `2 Stol: 120.00`.
    pub lines: Vec<String>,
    /// How many more lines than those.
    pub more: usize,
    /// The payment status after it, in the API's word.
    pub status: &'static str,
    pub status_words: &'static str,
}

/// Why it would not be recorded.
pub struct Refused {
    /// What holds for the whole order; empty for none.
    pub reason: &'static str,
    pub lines: Vec<(LineId, String)>,
}

/// Asks the rules what the request would do to the order as it is now.
pub fn review(subject: &Subject<'_>, typed: &Typed) -> Option<Result<Review, Refused>> {
    let request = typed.request.as_ref()?;
    let ledger = &subject.order.ledger;
    let decided = decide(ledger, request, &not_yet(), EventSeq(i64::MAX));
    Some(match decided {
        Ok(recording) => Ok(told(subject, request, &recording.ledger)),
        Err(rejected) => Err(refused(subject, &rejected)),
    })
}

/// An operation that is only looked at has no id; the rules need one to name a new authorization.
fn not_yet() -> ResourceId {
    ResourceId::parse("not-recorded").expect("twelve characters are an id")
}

fn told(subject: &Subject<'_>, request: &OperationRequest, after: &Ledger) -> Review {
    let currency = &subject.order.currency;
    let total = request.items.total().minor_units().into();
    let status = PaymentStatus::derive(&after.lines);
    let noun = words(subject.kind).noun;
    let line = |item: &OperationItem| {
        let name = subject.line_name(item.line_id);
        format!("{name}: {}", figure(currency, item.amount.minor_units().into()))
    };
    Review {
        button: match (request.success, total) {
            (false, _) => format!("Record refused {noun} {}", money(currency, total)),
            (true, ..0) => format!("Record {noun}: {}", money(currency, total)),
            (true, _) => format!("Record {noun} {}", money(currency, total)),
        },
        sentences: if request.success {
            effects(subject, total, after)
        } else {
            vec![
                "The gateway refused it. The order's history shows that, and no money moves."
                    .to_owned(),
            ]
        },
        lines: request.items.as_slice().iter().take(LINES_MAX).map(line).collect(),
        more: request.items.as_slice().len().saturating_sub(LINES_MAX),
        status: status.as_str(),
        status_words: payment_status(after, status),
    }
}

fn effects(subject: &Subject<'_>, total: i128, after: &Ledger) -> Vec<String> {
    let words = words(subject.kind);
    let money = |amount| money(&subject.order.currency, amount);
    let left_before = subject.left(&subject.order.ledger);
    let left_after = subject.left(after);
    let mut sentences =
        vec![format!("This {} {} of {}.", words.verb, money(total), money(left_before))];
    let is_all = after.lines.iter().all(|line| subject.available(line) == 0);
    sentences.push(match subject.kind {
        OperationKind::Capture if after.holds() => {
            format!("{} stays reserved.", money(after.sums().held))
        }
        _ if is_all => "Nothing is left after that.".to_owned(),
        _ => format!("{} {}.", money(left_after), words.rest),
    });
    sentences
}

fn refused(subject: &Subject<'_>, rejected: &OperationRejected) -> Refused {
    let OperationRejected::AmountsExceedRemaining(lines) = rejected else {
        return Refused { reason: refusal(rejected), lines: Vec::new() };
    };
    let line = |line: &ExceededLine| {
        let left = figure(&subject.order.currency, line.remaining);
        let message = match line.remaining {
            0 => "Nothing is left on this line.".to_owned(),
            _ => format!("Only {left} is left."),
        };
        (line.line_id, message)
    };
    Refused { reason: "", lines: lines.iter().map(line).collect() }
}

impl Subject<'_> {
    /// What an operation of this kind may take from all lines of a ledger of the order.
    pub fn left(&self, ledger: &Ledger) -> i128 {
        let left = |line: &Line| line.payable().sign_applied_to(self.available(line));
        ledger.lines.iter().map(left).sum()
    }

    /// A line as people know it: its number and what is on it.
    pub fn line_name(&self, line_id: LineId) -> String {
        let item = self.order.items.iter().find(|item| item.line_id == line_id);
        let description = item.map(description).unwrap_or_default();
        format!("{} {description}", line_id.number()).trim_end().to_owned()
    }
}
