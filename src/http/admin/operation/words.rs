//! The texts of the four operations' forms.

use crate::domain::ledger::OperationRejected;
use crate::domain::operation::OperationKind;
use crate::domain::role::Right;

/// The texts of one kind of operation.
pub struct Words {
    pub noun: &'static str,
    /// The label of the button and the heading.
    pub action: &'static str,
    pub verb: &'static str,
    pub verb_past: &'static str,
    /// The heading of the column of amounts done so far.
    pub so_far: &'static str,
    /// The heading of the column of amounts left to do.
    pub left: &'static str,
    pub nothing_left: &'static str,
    /// Follows an amount: what happens to the money that the operation leaves.
    pub rest: &'static str,
    /// Asks for the reason; empty for operations without a reason.
    pub why: &'static str,
    /// What to do at the payment provider before recording.
    pub first: &'static str,
}

impl Words {
    pub fn of(kind: OperationKind) -> &'static Words {
        match kind {
            OperationKind::Authorization => &AUTHORIZATION,
            OperationKind::Capture => &CAPTURE,
            OperationKind::Refund => &REFUND,
            OperationKind::Cancellation => &CANCELLATION,
        }
    }
}

/// The right that is needed to record this kind of operation.
pub fn right(kind: OperationKind) -> Right {
    match kind {
        OperationKind::Capture => Right::Capture,
        OperationKind::Authorization | OperationKind::Refund | OperationKind::Cancellation => {
            Right::ManagePayments
        }
    }
}

/// A refusal as a sentence.
pub fn refusal(rejected: &OperationRejected) -> &'static str {
    match rejected {
        OperationRejected::OrderCancelled => "The order is cancelled.",
        OperationRejected::OrderNotOpen => "The order is closed. Open it again first.",
        OperationRejected::References(_) => "The order has changed. Reload the page.",
        OperationRejected::AmountsExceedRemaining(_) => "That is more than is left.",
        OperationRejected::SumOutOfRange => {
            "The sum of everything ever reserved on this order would be too large."
        }
    }
}

const AUTHORIZATION: Words = Words {
    noun: "reservation",
    action: "Reserve",
    verb: "reserves",
    verb_past: "reserved",
    so_far: "Reserved",
    left: "Not reserved",
    nothing_left: "Everything has been reserved or captured.",
    rest: "is left to reserve",
    why: "",
    first: "Reserve it at your payment provider first; Tillbook only records it.",
};

const CAPTURE: Words = Words {
    noun: "capture",
    action: "Capture",
    verb: "captures",
    verb_past: "captured",
    so_far: "Captured",
    left: "Left to capture",
    nothing_left: "Nothing is left to capture.",
    rest: "is left to capture",
    why: "",
    first: "Charge it at your payment provider first; Tillbook only records it.",
};

const REFUND: Words = Words {
    noun: "refund",
    action: "Refund",
    verb: "refunds",
    verb_past: "refunded",
    so_far: "Refunded",
    left: "Left to refund",
    nothing_left: "No captured money is left to refund.",
    rest: "stays captured",
    why: "Why is it refunded?",
    first: "Refund it at your payment provider first; Tillbook only records it.",
};

const CANCELLATION: Words = Words {
    noun: "release",
    action: "Release reservation",
    verb: "releases",
    verb_past: "released",
    so_far: "Released",
    left: "Still reserved",
    nothing_left: "Nothing is reserved.",
    rest: "stays reserved",
    why: "Why is it released?",
    first: "Release it at your payment provider first; Tillbook only records it. Released money \
            can only be captured after it is reserved again.",
};

#[cfg(test)]
mod tests {
    use super::*;

    /// On a phone the style writes the columns' names, since 1,000 rows would repeat them.
    #[test]
    fn the_style_names_the_columns_of_each_form_as_its_head_does() {
        let style = include_str!("../../../../static/app.css");
        for kind in OperationKind::ALL {
            let words = Words::of(kind);
            let now = format!("{} now", words.action);
            for (column, name) in [(4, words.so_far), (5, words.left), (6, now.as_str())] {
                let of = format!(".typed.{} td:nth-child({column})::before", words.noun);
                assert!(style.contains(&format!("{of} {{ content: \"{name}\"; }}")), "{of} {name}");
            }
        }
    }
}
