//! Slows guessing: the one rule for client secrets, passwords and links, and the bounded table of
//! recent wrong guesses.
//!
//! The answer to a wrong guess is delayed, longer with each failure. Passwords are chosen by people
//! and easier to guess, so from the fifth failure on a guess also has to wait until it is compared
//! at all. A right guess that is compared is answered without delay.

use std::collections::{BTreeSet, HashMap};

use super::counted_address::CountedAddress;
use crate::digest::sha256;
use crate::domain::Timestamp;

/// Wrong passwords in a row that are compared without a pause.
const COMPARED_AT_ONCE_MAX: u32 = 4;
/// How long after the fifth failure no password is compared; doubled by each further failure.
const FIRST_WAIT_MS: i64 = 1_000;
const WAIT_MS_MAX: i64 = 15 * 60 * 1_000;

/// How long the answer to the first failure is held back; doubled by each further failure.
const FIRST_DELAY_MS: u64 = 100;
const DELAY_MS_MAX: u64 = 3_000;

/// After this long without another failure, earlier failures no longer count.
pub const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;

/// The most names that are remembered, in memory and in the book.
pub const NAMES_MAX: usize = 10_000;

/// SHA-256 of a name that guesses are counted under, such as an e-mail or an address. Hashed
/// because a guesser may choose names of any length, and because the book stores it.
pub type NameHash = [u8; 32];

/// Callers that may have one shared address. Its failures are divided by this many, so that it is
/// slowed much later than an address of one caller.
pub const SHARED_BY: u32 = 16;

/// A name that an attempt is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    pub hash: NameHash,
    /// Whether its failures may be those of many callers.
    pub is_shared: bool,
}

impl Name {
    /// The part of the failures under this name that counts against one caller.
    fn share(&self, attempts: Attempts) -> Attempts {
        let divisor = if self.is_shared { SHARED_BY } else { 1 };
        Attempts { failures: attempts.failures / divisor, ..attempts }
    }
}

/// Failures in a row under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u32,
    /// By the machine's clock: the book's own may be ahead of it, and would not move.
    pub last_at: Timestamp,
}

/// Failures by name; at most [`NAMES_MAX`] names.
#[derive(Debug, Default)]
pub struct AttemptTable {
    names: HashMap<NameHash, Attempts>,
    /// The same names by number of failures, fewest first, and then by age, so that the one to
    /// forget is found without looking at all of them.
    by_failures: BTreeSet<(u32, Timestamp, NameHash)>,
}

/// A name that only one caller has.
pub fn own_name(kind: &str, text: &str) -> Name {
    Name { hash: name_hash(kind, text), is_shared: false }
}

/// The names that failures from an address are counted under.
pub fn address_names(address: CountedAddress) -> impl Iterator<Item = Name> {
    let own = address.own.map(|own| own_name("address", &own.to_string()));
    let shared = address.shared.map(|shared| Name {
        hash: name_hash("shared address", &shared.to_string()),
        is_shared: true,
    });
    own.into_iter().chain(shared)
}

/// The hash of a name of some kind; equal texts of two kinds are two names.
fn name_hash(kind: &str, text: &str) -> NameHash {
    sha256(format!("{kind} {text}").as_bytes())
}

impl Attempts {
    /// How long from `now` until a password is compared again; 0 if it is compared at once. Doubles
    /// with each failure.
    pub fn wait_ms(&self, now: Timestamp) -> i64 {
        if self.failures <= COMPARED_AT_ONCE_MAX {
            return 0;
        }
        let doublings = (self.failures - COMPARED_AT_ONCE_MAX - 1).min(16);
        let wait_ms = (FIRST_WAIT_MS << doublings).min(WAIT_MS_MAX);
        match now.0 - self.last_at.0 {
            // The clock was put back; do not wait until it reaches that time again.
            passed_ms if passed_ms < 0 => 0,
            passed_ms => (wait_ms - passed_ms).max(0),
        }
    }

    /// How long the answer to the last failure is held back. Doubles with each failure.
    pub fn delay_ms(&self) -> u64 {
        if self.failures == 0 {
            return 0;
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        (FIRST_DELAY_MS << doublings).min(DELAY_MS_MAX)
    }

    fn plus_one(self, now: Timestamp) -> Attempts {
        let is_forgotten = REMEMBERED_MS <= now.0 - self.last_at.0;
        let before = if is_forgotten { 0 } else { self.failures };
        Attempts { failures: before.saturating_add(1), last_at: now }
    }
}

impl AttemptTable {
    /// The failures under a name.
    pub fn find(&self, name: &NameHash) -> Option<Attempts> {
        self.names.get(name).copied()
    }

    /// Puts back the failures that were known before a restart.
    pub fn restore(&mut self, known: impl IntoIterator<Item = (NameHash, Attempts)>) {
        for (name, attempts) in known.into_iter().take(NAMES_MAX) {
            self.put(name, attempts);
        }
    }

    /// How long until a password for any of these names is compared again.
    pub fn wait_ms(&self, names: &[Name], now: Timestamp) -> i64 {
        let known = names.iter().filter_map(|name| Some(name.share(self.find(&name.hash)?)));
        known.map(|attempts| attempts.wait_ms(now)).max().unwrap_or(0)
    }

    /// Counts a failure under each of these names. Returns the names that were forgotten to make
    /// room.
    pub fn count(&mut self, names: &[Name], now: Timestamp) -> Vec<NameHash> {
        let mut forgotten = Vec::new();
        for name in names.iter().map(|name| &name.hash) {
            if !self.names.contains_key(name) && NAMES_MAX <= self.names.len() {
                forgotten.extend(self.forget_weakest());
            }
            let known = self.find(name).unwrap_or(Attempts { failures: 0, last_at: now });
            self.put(*name, known.plus_one(now));
        }
        forgotten
    }

    /// How long the answer to the last failure under these names is held back.
    pub fn delay_ms(&self, names: &[Name]) -> u64 {
        let known = names.iter().filter_map(|name| Some(name.share(self.find(&name.hash)?)));
        known.map(|attempts| attempts.delay_ms()).max().unwrap_or(0)
    }

    /// Forgets all failures under a name.
    pub fn forget(&mut self, name: &NameHash) {
        if let Some(known) = self.names.remove(name) {
            self.by_failures.remove(&(known.failures, known.last_at, *name));
        }
    }

    /// Takes back one failure under a name. True if it was the last, so that the name is forgotten.
    pub fn take_back(&mut self, name: &NameHash) -> bool {
        let Some(attempts) = self.find(name) else { return true };
        match attempts.failures.saturating_sub(1) {
            0 => self.forget(name),
            failures => self.put(*name, Attempts { failures, ..attempts }),
        }
        self.find(name).is_none()
    }

    fn put(&mut self, name: NameHash, attempts: Attempts) {
        self.forget(&name);
        self.by_failures.insert((attempts.failures, attempts.last_at, name));
        self.names.insert(name, attempts);
    }

    /// Of the names with the fewest failures, forgets the oldest. Not simply the oldest of all:
    /// then a guesser could erase a long record by failing once under each of many new names.
    fn forget_weakest(&mut self) -> Option<NameHash> {
        let (_, _, weakest) = *self.by_failures.first()?;
        self.forget(&weakest);
        Some(weakest)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const AT: Timestamp = Timestamp(1_000_000);

    #[test]
    fn from_the_fifth_failure_on_each_doubles_the_wait_up_to_15_minutes() {
        let wait = |failures| Attempts { failures, last_at: AT }.wait_ms(AT);
        assert_eq!([1, 4, 5, 6, 7].map(wait), [0, 0, 1_000, 2_000, 4_000]);
        assert_eq!([14, 15, 100, u32::MAX].map(wait), [512_000, 900_000, 900_000, 900_000]);
        let six = Attempts { failures: 6, last_at: AT };
        let later = |ms| six.wait_ms(Timestamp(AT.0 + ms));
        assert_eq!([500, 1_999, 2_000, i64::MAX / 2, -1].map(later), [1_500, 1, 0, 0, 0]);
        assert_eq!(six.plus_one(Timestamp(AT.0 + REMEMBERED_MS - 1)).failures, 7);
        assert_eq!(six.plus_one(Timestamp(AT.0 + REMEMBERED_MS)).failures, 1);
    }

    #[test]
    fn each_failure_in_a_row_is_answered_later() {
        let mut table = AttemptTable::default();
        let (a, b) = (own_name("client", "a"), own_name("client", "b"));
        let mut fail = |names: &[Name]| {
            table.count(names, AT);
            table.delay_ms(names)
        };
        assert_eq!([fail(&[a]), fail(&[a]), fail(&[a]), fail(&[b])], [100, 200, 400, 100]);
        assert_eq!(fail(&[a, b]), 800, "the longest of its names");
        assert_eq!((0..100).map(|_| fail(&[a])).max(), Some(3_000));
        table.take_back(&b.hash);
        assert_eq!(table.delay_ms(&[b]), 100);
        table.take_back(&b.hash);
        assert_eq!(table.find(&b.hash), None);
        table.forget(&a.hash);
        assert_eq!(table.delay_ms(&[a]), 0);
    }

    #[test]
    fn an_address_that_many_may_have_is_slowed_after_many_more_failures() {
        let mut table = AttemptTable::default();
        // One caller who takes another /64 of its /48 for every guess.
        let guess = |nth: u32| -> Vec<Name> {
            let address: IpAddr = format!("2001:db8:1:{nth:x}::1").parse().unwrap();
            address_names(address.into()).collect()
        };
        let mut waits = (0..).map(|nth| {
            table.count(&guess(nth), AT);
            table.wait_ms(&guess(nth + 1), AT)
        });
        assert_eq!(waits.position(|wait_ms| 0 < wait_ms), Some(79), "after 80 guesses");
        let elsewhere: IpAddr = "2001:db8:2::1".parse().unwrap();
        let elsewhere: Vec<Name> = address_names(elsewhere.into()).collect();
        drop(waits);
        assert_eq!(table.wait_ms(&elsewhere, AT), 0);
    }

    #[test]
    fn the_table_has_a_fixed_size_and_keeps_the_names_with_most_failures() {
        let mut table = AttemptTable::default();
        let known = own_name("e-mail", "kari@example.no");
        for _ in 0..5 {
            table.count(&[known], AT);
        }
        let mut forgotten = 0;
        for nth in 0..NAMES_MAX + 100 {
            let now = Timestamp(AT.0 + 1);
            forgotten += table.count(&[own_name("client", &nth.to_string())], now).len();
            assert!(table.names.len() <= NAMES_MAX);
            assert_eq!(table.names.len(), table.by_failures.len());
        }
        assert_eq!(forgotten, 101);
        assert_eq!(table.find(&known.hash).unwrap().failures, 5);
    }
}
