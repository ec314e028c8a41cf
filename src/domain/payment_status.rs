//! The payment status, derived from the lines and never set (docs/contract.md, Decision 2).

use super::line::Line;

/// An order's payment status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    Pending,
    PartiallyPaid,
    Paid,
    PartiallyRefunded,
    Refunded,
}

impl PaymentStatus {
    pub const ALL: [PaymentStatus; 5] =
        [Self::Pending, Self::PartiallyPaid, Self::Paid, Self::PartiallyRefunded, Self::Refunded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(word: &str) -> Option<PaymentStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The status of an order with these lines: the first rule that holds in docs/contract.md,
    /// Decision 2.
    pub fn derive(lines: &[Line]) -> PaymentStatus {
        if lines.iter().all(|line| line.payable().minor_units() == 0) {
            return Self::Paid;
        }
        if lines.iter().all(|line| line.sums().captured == 0) {
            return Self::Pending;
        }
        let kept = signed_sum(lines, |line| line.boxes().kept);
        if kept <= 0 {
            return Self::Refunded;
        }
        if lines.iter().any(|line| 0 < line.sums().refunded) {
            return Self::PartiallyRefunded;
        }
        if signed_sum(lines, owed) <= kept {
            return Self::Paid;
        }
        Self::PartiallyPaid
    }
}

/// The magnitude still owed for a line: its payable amount less the released amount.
fn owed(line: &Line) -> u64 {
    line.payable().magnitude() - line.released()
}

fn signed_sum(lines: &[Line], magnitude: impl Fn(&Line) -> u64) -> i128 {
    lines.iter().map(|line| line.payable().sign_applied_to(magnitude(line))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::LineId;
    use crate::domain::line::Sums;
    use crate::domain::money::Amount;

    /// A line as `payable authorized captured direct cancelled refunded`; lines by `;`.
    #[track_caller]
    fn check(text: &str, expected: PaymentStatus) {
        let lines: Vec<Line> = text.split(';').map(line).collect();
        assert_eq!(PaymentStatus::derive(&lines), expected, "for {text}");
    }

    fn line(text: &str) -> Line {
        let n: Vec<i64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let part = |at: usize| u64::try_from(n[at]).unwrap();
        let sums = Sums {
            authorized: part(1),
            captured: part(2),
            direct: part(3),
            cancelled: part(4),
            refunded: part(5),
        };
        Line::restore(LineId::new(1).unwrap(), Amount::new(n[0]).unwrap(), sums, vec![], None)
            .unwrap()
    }

    #[test]
    fn the_first_rule_that_holds_gives_the_status() {
        use PaymentStatus::*;
        check("0 0 0 0 0 0", Paid);
        check("100 0 0 0 0 0", Pending);
        check("100 100 0 0 100 0", Pending);
        check("100 100 40 0 0 0", PartiallyPaid);
        check("100 100 99 0 0 0", PartiallyPaid);
        check("100 100 100 0 0 0", Paid);
        check("100 0 100 100 0 0", Paid);
        check("100 100 40 0 60 0", Paid);
        check("100 160 40 0 60 0", PartiallyPaid);
        check("100 100 100 0 0 1", PartiallyRefunded);
        check("100 100 40 0 0 10", PartiallyRefunded);
        check("100 100 100 0 0 100", Refunded);
        check("100 100 40 0 0 40", Refunded);
    }

    #[test]
    fn lines_count_together_with_their_signs() {
        use PaymentStatus::*;
        check("100 100 100 0 0 0; 50 0 0 0 0 0", PartiallyPaid);
        check("100 100 100 0 0 0; -100 100 100 0 0 0; 100 100 100 0 0 0", Paid);
        check("100 100 100 0 0 0; -100 100 100 0 0 0", Refunded);
        check("100 100 100 0 0 0; -40 0 0 0 0 0", Paid);
        check("-100 100 100 0 0 0", Refunded);
        check("0 0 0 0 0 0; 100 0 0 0 0 0", Pending);
    }

    #[test]
    fn words_and_statuses_are_one_to_one() {
        for status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(PaymentStatus::parse("Paid"), None);
    }
}
