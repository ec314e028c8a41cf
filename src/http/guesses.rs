//! Counts failed guesses of client secrets and passwords, in memory. How long a guesser must wait
//! is decided in `auth::attempts`. Sign-ins that have failed are also written to the book, so that
//! a restart does not forget them; nothing else here is written.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::RememberFailures;
use crate::auth::attempts::{AttemptTable, Attempts, NAMES_MAX, NameHash, name_hash};
use crate::domain::Timestamp;
use crate::store::{Reader, StoreError};

/// The failures of clients and of sign-ins. Each kind has its own table of limited size, so that
/// wrong client secrets cannot push failed sign-ins out.
#[derive(Debug, Default)]
pub struct Guesses {
    clients: Mutex<AttemptTable>,
    sign_ins: Mutex<SignIns>,
}

#[derive(Debug, Default)]
struct SignIns {
    table: AttemptTable,
    /// Names that were pushed out of the table, but are still in the book.
    forgotten: Vec<NameHash>,
}

/// The names under which an attempt with a client's secret is counted.
#[derive(Debug, Clone)]
pub struct ClientAttempt {
    client: NameHash,
    address: Option<NameHash>,
}

/// The names under which a sign-in is counted.
#[derive(Debug, Clone)]
pub struct SignInAttempt {
    user: NameHash,
    address: Option<NameHash>,
    /// True if made on the server's own machine. Such attempts are counted separately and only
    /// delayed, so that others cannot lock the machine's owner out.
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
    /// A sign-in from another machine. `address` is `None` if many people may share it.
    pub fn from_afar(user: &str, address: Option<IpAddr>) -> SignInAttempt {
        let address = address.map(|address| name_hash("address", &address.to_string()));
        SignInAttempt { user: name_hash("e-mail", user), address, is_local: false }
    }

    /// A sign-in on the server's own machine.
    pub fn local(user: &str) -> SignInAttempt {
        let (user, address) = (name_hash("e-mail here", user), name_hash("address", "here"));
        SignInAttempt { user, address: Some(address), is_local: true }
    }

    fn names(&self) -> Vec<NameHash> {
        std::iter::once(self.user).chain(self.address).collect()
    }
}

impl Guesses {
    /// Reads the failed sign-ins in the book. Clients start without failures.
    pub fn load(reader: &Reader<'_>) -> Result<Guesses, StoreError> {
        let mut table = AttemptTable::default();
        let known = reader.list_sign_in_attempts(NAMES_MAX)?.into_iter();
        table
            .restore(known.map(|(name, failures, last_at)| (name, Attempts { failures, last_at })));
        let sign_ins = Mutex::new(SignIns { table, forgotten: Vec::new() });
        Ok(Guesses { clients: Mutex::default(), sign_ins })
    }

    /// Counts a wrong client secret, and returns how long to delay its answer.
    pub fn fail_client(&self, attempt: &ClientAttempt, now: Timestamp) -> Duration {
        let mut table = lock(&self.clients);
        let names = attempt.names();
        table.count(&names, now);
        Duration::from_millis(table.delay_ms(&names))
    }

    /// Forgets the failures of a client that has now sent the right secret, but not those of its
    /// address, from which another caller may be guessing.
    pub fn succeed_client(&self, attempt: &ClientAttempt) {
        lock(&self.clients).forget(&attempt.client);
    }

    /// Counts a sign-in as a failure until its password turns out to be right, so that each of many
    /// guesses sent at once counts. If its password must not be compared yet, it is not counted,
    /// and the error is the milliseconds to wait.
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

    /// How long to delay the answer to a wrong password, and the command that records it.
    pub fn fail_sign_in(&self, attempt: &SignInAttempt) -> (Duration, RememberFailures) {
        let mut sign_ins = lock(&self.sign_ins);
        let names = attempt.names();
        let delay = Duration::from_millis(sign_ins.table.delay_ms(&names));
        let kept = names.into_iter().filter(|_| !attempt.is_local);
        let known = kept.filter_map(|name| Some((name, sign_ins.table.find(&name)?))).collect();
        let forgotten = std::mem::take(&mut sign_ins.forgotten);
        (delay, RememberFailures { known, forgotten })
    }

    /// After a right password, forgets its user's failures, and no longer counts this attempt for
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
