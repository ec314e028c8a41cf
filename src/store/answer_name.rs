//! The short texts that idempotency keys store in place of answers (docs/contract.md, Decision 4).

use std::fmt;

use rusqlite::types::{FromSql, FromSqlResult, ValueRef};

use super::error::StoreError;
use crate::domain::ids::{DraftSeq, EventSeq, OrderSeq, PayoutRuleSeq, SessionSeq};

/// The row that the answer under a key is rendered from. Which answer that is depends on the
/// route, which is part of the key's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerName {
    /// A payment operation or a service's event.
    Event(EventSeq),
    Draft(DraftSeq),
    Order(OrderSeq),
    /// An order session.
    Session(SessionSeq),
    PayoutRule(PayoutRuleSeq),
    /// The orders of a completed draft; only under keys of earlier versions.
    Orders(Vec<OrderSeq>),
    /// `{}` for a form about a hook, whose answer is not shown again. Under keys of earlier
    /// versions, the body of an answer or, for a form, the id of the operation or order.
    Text(String),
}

impl AnswerName {
    fn parse(stored: &str) -> AnswerName {
        let numbers = |word: &str| -> Option<Vec<i64>> {
            let listed = stored.strip_prefix(word)?.split(' ');
            listed.map(|number| number.parse().ok()).collect()
        };
        let one = |word: &str| match numbers(word)?[..] {
            [number] => Some(number),
            _ => None,
        };
        let event = one("event ").map(|number| AnswerName::Event(EventSeq(number)));
        let draft = || one("draft ").map(|number| AnswerName::Draft(DraftSeq(number)));
        let order = || one("orders ").map(|number| AnswerName::Order(OrderSeq(number)));
        let session = || one("session ").map(|number| AnswerName::Session(SessionSeq(number)));
        let rule = || one("payout_rule ").map(|it| AnswerName::PayoutRule(PayoutRuleSeq(it)));
        let orders = || {
            let numbers = numbers("orders ")?;
            Some(AnswerName::Orders(numbers.into_iter().map(OrderSeq).collect()))
        };
        let name =
            event.or_else(draft).or_else(order).or_else(session).or_else(rule).or_else(orders);
        name.unwrap_or_else(|| AnswerName::Text(stored.to_owned()))
    }

    /// The event that it names; an error if it names something else.
    pub fn event(&self) -> Result<EventSeq, StoreError> {
        match self {
            AnswerName::Event(seq) => Ok(*seq),
            other => Err(other.unexpected("an event")),
        }
    }

    /// The draft that it names; an error if it names something else.
    pub fn draft(&self) -> Result<DraftSeq, StoreError> {
        match self {
            AnswerName::Draft(seq) => Ok(*seq),
            other => Err(other.unexpected("a draft")),
        }
    }

    /// The order that it names; an error if it names something else.
    pub fn order(&self) -> Result<OrderSeq, StoreError> {
        match self {
            AnswerName::Order(seq) => Ok(*seq),
            other => Err(other.unexpected("an order")),
        }
    }

    /// The order session that it names; an error if it names something else.
    pub fn session(&self) -> Result<SessionSeq, StoreError> {
        match self {
            AnswerName::Session(seq) => Ok(*seq),
            other => Err(other.unexpected("a session")),
        }
    }

    /// The payout rule that it names; an error if it names something else.
    pub fn payout_rule(&self) -> Result<PayoutRuleSeq, StoreError> {
        match self {
            AnswerName::PayoutRule(seq) => Ok(*seq),
            other => Err(other.unexpected("a payout rule")),
        }
    }

    fn unexpected(&self, expected: &str) -> StoreError {
        StoreError::inconsistent(format!("a key names `{self}`, which is not {expected}"))
    }
}

impl fmt::Display for AnswerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerName::Event(seq) => write!(f, "event {}", seq.0),
            AnswerName::Draft(seq) => write!(f, "draft {}", seq.0),
            AnswerName::Order(seq) => write!(f, "orders {}", seq.0),
            AnswerName::Session(seq) => write!(f, "session {}", seq.0),
            AnswerName::PayoutRule(seq) => write!(f, "payout_rule {}", seq.0),
            AnswerName::Orders(seqs) => {
                f.write_str("orders")?;
                seqs.iter().try_for_each(|seq| write!(f, " {}", seq.0))
            }
            AnswerName::Text(text) => f.write_str(text),
        }
    }
}

impl FromSql for AnswerName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<AnswerName> {
        Ok(AnswerName::parse(value.as_str()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let order = |number| OrderSeq(number);
        for (name, stored) in [
            (AnswerName::Event(EventSeq(7)), "event 7"),
            (AnswerName::Draft(DraftSeq(8)), "draft 8"),
            (AnswerName::Order(order(9)), "orders 9"),
            (AnswerName::Session(SessionSeq(6)), "session 6"),
            (AnswerName::PayoutRule(PayoutRuleSeq(11)), "payout_rule 11"),
            (AnswerName::Orders(vec![order(9), order(10)]), "orders 9 10"),
        ] {
            assert_eq!(name.to_string(), stored);
            assert_eq!(AnswerName::parse(stored), name);
        }
        for text in ["{}", "event 7 8", "event ", "event x", "draft", "orders", "orders 1  2", ""] {
            assert_eq!(AnswerName::parse(text), AnswerName::Text(text.to_owned()));
        }
    }
}
