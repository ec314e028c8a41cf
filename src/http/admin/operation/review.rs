//! What an operation would do if it were recorded now: the domain's decision as sentences.

use super::subject::Subject;
use super::typed::Typed;
use super::words::{Words, refusal};
use crate::domain::ids::{EventSeq, LineId, ResourceId};
use crate::domain::ledger::{ExceededLine, Ledger, OperationRejected, decide};
use crate::domain::line::Line;
use crate::domain::operation::{OperationItem, OperationKind, OperationRequest};
use crate::domain::payment_status::PaymentStatus;
use crate::http::admin::words::{figure, held, money, over_captured, payment_status};

/// Lines that a review lists.
const LINES_MAX: usize = 20;

/// The effect of an operation before it is recorded.
pub struct Review {
    /// The label of the button, with the sum.
    pub button: String,
    /// The effect of the operation, and the amount left afterwards.
    pub sentences: Vec<String>,
    /// The amount of each line, as `2 Stol: 120.00`.
    pub lines: Vec<String>,
    /// Number of lines that `lines` leaves out.
    pub more: usize,
    /// The payment status afterwards, in the API's word.
    pub status: &'static str,
    pub status_words: &'static str,
}

/// Why the operation would be refused.
pub struct Refused {
    /// The reason, if it is about the whole order; empty when it is about lines.
    pub reason: &'static str,
    pub lines: Vec<(LineId, String)>,
}

/// Decides the request on the order as it is now, without recording it. `None` when the typed text
/// is not a valid request.
pub fn review(subject: &Subject<'_>, typed: &Typed) -> Option<Result<Review, Refused>> {
    let request = typed.request.as_ref()?;
    let ledger = &subject.order.ledger;
    // The event does not exist yet; the highest number sorts after all recorded ones.
    let decided = decide(ledger, request, &placeholder_id(), EventSeq(i64::MAX));
    Some(match decided {
        Ok(recording) => Ok(accepted(subject, (typed, request), &recording.ledger)),
        Err(rejected) => Err(refused(subject, &rejected)),
    })
}

/// A placeholder for the operation's id, which `decide` needs to name a new authorization. The real
/// id is drawn when the operation is recorded.
fn placeholder_id() -> ResourceId {
    ResourceId::parse("not-recorded").expect("twelve characters are an id")
}

fn accepted(
    subject: &Subject<'_>,
    (typed, request): (&Typed, &OperationRequest),
    after: &Ledger,
) -> Review {
    let currency = &subject.order.currency;
    let total = request.items.total().minor_units().into();
    let status = PaymentStatus::derive(&after.lines);
    let noun = Words::of(subject.kind).noun;
    let line = |item: &OperationItem| {
        let name = line_name(typed, item.line_id);
        format!("{name}: {}", figure(currency, item.amount.minor_units().into()))
    };
    Review {
        button: match (request.success, total) {
            (false, ..0) => format!("Record refused {noun}: {}", money(currency, total)),
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
    let words = Words::of(subject.kind);
    let money = |amount| money(&subject.order.currency, amount);
    let left_before = subject.left(&subject.order.ledger);
    let left_after = subject.left(after);
    let display = |amount: i128| subject.order.currency.display(amount);
    let mut sentences = vec![match (total, left_before) {
        (..0, ..0) => {
            format!("This {}: {} of {}.", words.noun, money(total), display(-left_before))
        }
        (..0, _) => format!("This {}: {}.", words.noun, money(total)),
        // Of lines of both signs, more may be left to give back.
        (_, ..0) => format!("This {} {}.", words.verb, money(total)),
        _ => format!("This {} {} of {}.", words.verb, money(total), money(left_before)),
    }];
    let is_all = after.lines.iter().all(|line| subject.available(line) == 0);
    sentences.push(match subject.kind {
        OperationKind::Capture if after.holds() => {
            format!("{} stays reserved.", held(&subject.order.currency, after))
        }
        _ if is_all => "Nothing is left after that.".to_owned(),
        _ => format!("{} {}.", money(left_after), words.rest),
    });
    let over = over_captured(&subject.order.currency, after);
    if subject.kind == OperationKind::Capture && !over.is_empty() {
        sentences.push(format!("With it, the captures come to {over}."));
    }
    sentences
}

fn refused(subject: &Subject<'_>, rejected: &OperationRejected) -> Refused {
    let OperationRejected::AmountsExceedRemaining(lines) = rejected else {
        return Refused { reason: refusal(rejected), lines: Vec::new() };
    };
    let line = |line: &ExceededLine| {
        let left = subject.order.currency.figure(line.remaining.abs());
        let message = match line.remaining {
            0 => "Nothing is left on this line.".to_owned(),
            _ => format!("Only {left} is left."),
        };
        (line.line_id, message)
    };
    Refused { reason: "", lines: lines.iter().map(line).collect() }
}

impl Subject<'_> {
    /// The signed sum that an operation of this kind may take from all lines of a ledger, which is
    /// that of the order before or after the operation.
    pub fn left(&self, ledger: &Ledger) -> i128 {
        let left = |line: &Line| line.payable().sign_applied_to(self.available(line));
        ledger.lines.iter().map(left).sum()
    }
}

/// A line's number and description, as `2 Stol`.
fn line_name(typed: &Typed, line_id: LineId) -> String {
    let line = typed.lines.iter().find(|line| line.line_id == line_id);
    let description = line.map(|line| line.item.description.as_str()).unwrap_or_default();
    format!("{} {description}", line_id.number()).trim_end().to_owned()
}
