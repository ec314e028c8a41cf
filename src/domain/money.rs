//! Money: whole minor units, never a float.

/// The largest amount, in minor units: 2^53 - 1, up to which every client reads JSON numbers
/// exactly (docs/contract.md, Decision 1).
pub const AMOUNT_MAX: i64 = 9_007_199_254_740_991;

/// An amount in minor units of its order's currency, between -[`AMOUNT_MAX`] and [`AMOUNT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i64);

impl Amount {
    pub const ZERO: Amount = Amount(0);

    /// `None` if it is out of range.
    pub fn new(minor_units: i64) -> Option<Amount> {
        (-AMOUNT_MAX..=AMOUNT_MAX).contains(&minor_units).then_some(Amount(minor_units))
    }

    /// Minor units, with their sign.
    pub fn minor_units(self) -> i64 {
        self.0
    }

    /// Minor units without their sign.
    pub fn magnitude(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// Whether this may be an amount on a line of `whole`: 0, or of its sign.
    pub fn has_sign_of(self, whole: Amount) -> bool {
        self.0 == 0 || self.0.signum() == whole.0.signum()
    }

    /// `None` if the sum is out of range.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).and_then(Amount::new)
    }

    /// `None` if the difference is out of range.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).and_then(Amount::new)
    }

    /// The sum of all; `None` if it or a partial sum is out of range.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Amount>) -> Option<Amount> {
        amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add)
    }

    /// `magnitude` with this amount's sign: answers show a line's sums with the sign of its price.
    pub fn sign_applied_to(self, magnitude: u64) -> i128 {
        i128::from(self.0.signum()) * i128::from(magnitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_end_where_json_numbers_stop_being_exact() {
        let most = Amount::new(AMOUNT_MAX).unwrap();
        assert_eq!(Amount::new(AMOUNT_MAX + 1), None);
        assert_eq!(Amount::new(-AMOUNT_MAX - 1), None);
        assert_eq!(Amount::new(i64::MIN), None);
        assert_eq!(most.checked_add(Amount::new(1).unwrap()), None);
        assert_eq!(most.checked_sub(Amount::new(-1).unwrap()), None);
        assert_eq!(most.checked_sub(most), Some(Amount::ZERO));
    }

    #[test]
    fn zero_has_every_sign_and_a_free_line_takes_nothing_else() {
        let minus = Amount::new(-5).unwrap();
        let plus = Amount::new(5).unwrap();
        assert!(Amount::ZERO.has_sign_of(minus) && minus.has_sign_of(minus));
        assert!(!plus.has_sign_of(minus) && !plus.has_sign_of(Amount::ZERO));
    }
}
