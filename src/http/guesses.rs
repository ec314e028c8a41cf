//! Who guessed secrets wrong lately: in memory, for client secrets and passwords alike. The rule is
//! `auth::attempts`. Failed sign-ins are also written to the book, once they are known to have
//! failed, so that a restart does not forget them; nothing else of this is written.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::RememberFailures;
use crate::auth::attempts::{AttemptTable, Attempts, NAMES_MAX, NameHash, name_hash};
use crate::domain::Timestamp;
use crate::store::{Reader, StoreError};

/// The failures that this server knows of. Clients and sign-ins have a table each, so that wrong
/// client secrets cannot push failed sign-ins out.
#[derive(Debug, Default)]
pub struct Guesses {
    clients: Mutex<AttemptTable>,
    sign_ins: Mutex<SignIns>,
}

#[derive(Debug, Default)]
struct SignIns {
    table: AttemptTable,
    /// Names that had to make room and are still in the book.
    forgotten: Vec<NameHash>,
}

/// The names that an attempt with a client's secret is counted under.
#[derive(Debug, Clone)]
pub struct ClientAttempt {
    client: NameHash,
    address: Option<NameHash>,
}

/// The names that a sign-in is counted under.
#[derive(Debug, Clone)]
pub struct SignInAttempt {
    user: NameHash,
    address: Option<NameHash>,
    /// Made on the server's own machine. It is counted apart and only delayed, so that a stranger
    /// cannot lock the machine's owner out.
    is_local: bool,
}

impl ClientAttempt {
    pub fn of(client_id: &str, address: Option<IpAddr>) -> ClientAttempt {
        let address = address.map(|address| name_hash("address", &address.to_string()));
        ClientAttempt { client: name_hash("client", client_id), address }
    }

    fn names(&self) -> Vec<NameHash> {
        std::iter::once(self.client).chain(self.address).collect()
    }
}

impl SignInAttempt {
    /// `address` is `None` where many people may share it.
    pub fn from_afar(user: &str, address: Option<IpAddr>) -> SignInAttempt {
        let address = address.map(|address| name_hash("address", &address.to_string()));
        SignInAttempt { user: name_hash("e-mail", user), address, is_local: false }
    }

    /// One made on the server's own machine.
    pub fn local(user: &str) -> SignInAttempt {
        let (user, address) = (name_hash("e-mail here", user), name_hash("address", "here"));
        SignInAttempt { user, address: Some(address), is_local: true }
    }

    fn names(&self) -> Vec<NameHash> {
        std::iter::once(self.user).chain(self.address).collect()
    }
}

impl Guesses {
    /// What the book remembers of failed sign-ins, and of clients nothing.
    pub fn load(reader: &Reader<'_>) -> Result<Guesses, StoreError> {
        let mut table = AttemptTable::default();
        let known = reader.list_sign_in_attempts(NAMES_MAX)?.into_iter();
        table
            .restore(known.map(|(name, failures, last_at)| (name, Attempts { failures, last_at })));
        let sign_ins = Mutex::new(SignIns { table, forgotten: Vec::new() });
        Ok(Guesses { clients: Mutex::default(), sign_ins })
    }

    /// Counts a wrong client secret; how long its answer is held back.
    pub fn fail_client(&self, attempt: &ClientAttempt, now: Timestamp) -> Duration {
        let mut table = lock(&self.clients);
        let names = attempt.names();
        table.count(&names, now);
        Duration::from_millis(table.delay_ms(&names))
    }

    /// Forgets the failures at a client that has now sent its secret, but not those of the address,
    /// from which others may be guessing.
    pub fn succeed_client(&self, attempt: &ClientAttempt) {
        lock(&self.clients).forget(&attempt.client);
    }

    /// Counts a sign-in as a failure until it is known to be right, so that guesses sent at once
    /// count as many as they are. An error if its password must not be compared yet: the
    /// milliseconds to wait. Then it is not counted.
    pub fn begin_sign_in(&self, attempt: &SignInAttempt, now: Timestamp) -> Result<(), i64> {
        let mut sign_ins = lock(&self.sign_ins);
        let names = attempt.names();
        let wait_ms = sign_ins.table.wait_ms(&names, now);
        if 0 < wait_ms && !attempt.is_local {
            return Err(wait_ms);
        }
        let forgotten = sign_ins.table.count(&names, now);
        sign_ins.forgotten.extend(forgotten);
        Ok(())
    }

    /// How long the answer to a wrong password is held back, and what the book is to remember.
    pub fn fail_sign_in(&self, attempt: &SignInAttempt) -> (Duration, RememberFailures) {
        let mut sign_ins = lock(&self.sign_ins);
        let names = attempt.names();
        let delay = Duration::from_millis(sign_ins.table.delay_ms(&names));
        let kept = names.into_iter().filter(|_| !attempt.is_local);
        let known = kept.filter_map(|name| Some((name, sign_ins.table.find(&name)?))).collect();
        let forgotten = std::mem::take(&mut sign_ins.forgotten);
        (delay, RememberFailures { known, forgotten })
    }

    /// A password was right: its user's failures are forgotten, and this attempt is taken back from
    /// its address. Returns the name under which the book may still have failures.
    pub fn succeed_sign_in(&self, attempt: &SignInAttempt) -> Option<NameHash> {
        let mut sign_ins = lock(&self.sign_ins);
        let known = sign_ins.table.find(&attempt.user);
        sign_ins.table.forget(&attempt.user);
        if let Some(address) = &attempt.address {
            sign_ins.table.take_back(address);
        }
        let had_failed = known.is_some_and(|attempts| 1 < attempts.failures);
        (had_failed && !attempt.is_local).then_some(attempt.user)
    }
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
