//! Slowing down whoever guesses passwords: each attempt is counted as wrong before it is compared,
//! and taken back when it was right. So guesses sent at once count as many as they are.

use std::convert::Infallible;

use crate::auth::attempts::{Attempts, REMEMBERED_MS};
use crate::digest::sha256;
use crate::domain::Timestamp;
use crate::store::{Failed, Tx, WriteCommand};

/// Whose password is tried, and from where; kept as hashes only.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    email: [u8; 32],
    address: Option<[u8; 32]>,
}

impl Attempt {
    /// `address` is `None` where many people may share it.
    pub fn of(email: &str, address: Option<&str>) -> Attempt {
        let name = |kind: &str, text: &str| sha256(format!("{kind} {text}").as_bytes());
        let address = address.map(|address| name("address", address));
        Attempt { email: name("e-mail", email), address }
    }

    fn names(&self) -> impl Iterator<Item = &[u8; 32]> {
        std::iter::once(&self.email).chain(&self.address)
    }
}

/// Counts an attempt.
#[derive(Debug, Clone, Copy)]
pub struct BeginAttempt {
    pub attempt: Attempt,
    /// By the machine's clock: the book's own may be ahead of it, and would stand still.
    pub at: Timestamp,
}

impl WriteCommand for BeginAttempt {
    const NAME: &'static str = "begin_attempt";
    /// How long it must wait instead, in milliseconds; then it was not counted.
    type Done = Option<i64>;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<i64>, Failed<Infallible>> {
        let mut counted = Vec::new();
        for name in self.attempt.names() {
            let found = tx.find_sign_in_attempts(name)?;
            let known = found.map(|(failures, last_at)| Attempts { failures, last_at });
            let known = known.unwrap_or(Attempts { failures: 0, last_at: self.at });
            let wait_ms = known.wait_ms(self.at);
            if 0 < wait_ms {
                return Ok(Some(wait_ms));
            }
            counted.push((name, known.and_one(self.at)));
        }
        tx.delete_old_sign_in_attempts(Timestamp(self.at.0 - REMEMBERED_MS))?;
        for (name, attempts) in counted {
            tx.put_sign_in_attempts(name, attempts.failures, attempts.last_at)?;
        }
        Ok(None)
    }
}

/// Takes back an attempt whose password was right: all that were counted for that e-mail, and the
/// one of the address, from which others may be guessing.
#[derive(Debug, Clone, Copy)]
pub struct TakeBackAttempt(pub Attempt);

impl WriteCommand for TakeBackAttempt {
    const NAME: &'static str = "take_back_attempt";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        tx.put_sign_in_attempts(&self.0.email, 0, tx.now())?;
        let Some(address) = &self.0.address else { return Ok(()) };
        if let Some((failures, last_at)) = tx.find_sign_in_attempts(address)? {
            tx.put_sign_in_attempts(address, failures.saturating_sub(1), last_at)?;
        }
        Ok(())
    }
}
