//! Counts failed guesses of client secrets, of passwords and of links, in memory. How long a
//! guesser must wait is decided in `auth::attempts`. Sign-ins that have failed are also written to
//! the book, so that a restart does not forget them; nothing else here is written.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::RememberFailures;
use crate::auth::attempts::{
    AttemptTable, Attempts, NAMES_MAX, Name, NameHash, address_names, own_name,
};
use crate::auth::counted_address::CountedAddress;
use crate::domain::Timestamp;
use crate::store::{Reader, StoreError};

/// The most names that one command deletes from the book.
const DELETED_AT_ONCE_MAX: usize = 100;

/// The failures of clients, sign-ins and links. Each kind has its own table of limited size, so
/// that failures of one kind cannot push those of another out.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    clients: Mutex<AttemptTable>,
    sign_ins: Mutex<SignIns>,
    links: Mutex<AttemptTable>,
}

#[derive(Debug, Default)]
struct SignIns {
    table: AttemptTable,
    /// The names that are in the book.
    written: HashSet<NameHash>,
    /// Of those, the names that the table has forgotten and that should leave the book.
    forgotten: HashSet<NameHash>,
}

/// The names under which an attempt with a client's secret is counted.
#[derive(Debug, Clone)]
pub(crate) struct ClientAttempt {
    client: Name,
    address: Vec<Name>,
}

/// The names under which a sign-in is counted.
#[derive(Debug, Clone)]
pub(crate) struct SignInAttempt {
    user: Name,
    address: Vec<Name>,
    /// True if made on the server's own machine. Such attempts are counted separately and only
    /// delayed, so that others cannot lock the machine's owner out.
    is_local: bool,
}

/// The names under which the use of a link is counted.
#[derive(Debug, Clone)]
pub(crate) struct LinkAttempt {
    address: Vec<Name>,
    /// True if others may share the address. Such attempts are only delayed, so that strangers
    /// cannot keep the holder of a link out.
    is_shared: bool,
}

impl ClientAttempt {
    pub fn of(client_id: &str, address: Option<CountedAddress>) -> ClientAttempt {
        ClientAttempt { client: own_name("client", client_id), address: names_of(address) }
    }

    fn names(&self) -> Vec<Name> {
        std::iter::once(self.client).chain(self.address.iter().copied()).collect()
    }
}

impl SignInAttempt {
    /// A sign-in from another machine. `address` is `None` if it is not known.
    pub fn remote(user: &str, address: Option<CountedAddress>) -> SignInAttempt {
        let (user, address) = (own_name("e-mail", user), names_of(address));
        SignInAttempt { user, address, is_local: false }
    }

    /// A sign-in on the server's own machine.
    pub fn local(user: &str) -> SignInAttempt {
        let (user, address) = (own_name("e-mail here", user), own_name("address", "here"));
        SignInAttempt { user, address: vec![address], is_local: true }
    }

    fn names(&self) -> Vec<Name> {
        std::iter::once(self.user).chain(self.address.iter().copied()).collect()
    }
}

impl LinkAttempt {
    /// The use of a link. `address` is `None` if many people may share it.
    pub fn of(address: Option<CountedAddress>) -> LinkAttempt {
        match address.filter(|address| address.own.is_some()) {
            None => LinkAttempt { address: vec![own_name("address", "shared")], is_shared: true },
            address => LinkAttempt { address: names_of(address), is_shared: false },
        }
    }
}

impl Guesses {
    /// Reads the failed sign-ins in the book. Clients start without failures.
    pub fn load(reader: &Reader<'_>) -> Result<Guesses, StoreError> {
        let mut sign_ins = SignIns::default();
        for (name, failures, last_at) in reader.list_sign_in_attempts(NAMES_MAX)? {
            sign_ins.table.restore([(name, Attempts { failures, last_at })]);
            sign_ins.written.insert(name);
        }
        let sign_ins = Mutex::new(sign_ins);
        Ok(Guesses { sign_ins, ..Guesses::default() })
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
        lock(&self.clients).forget(&attempt.client.hash);
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
        for name in sign_ins.table.count(&names, now) {
            sign_ins.forget_later(name);
        }
        Ok(())
    }

    /// How long to delay the answer to a wrong password, and the command that records it.
    pub fn fail_sign_in(&self, attempt: &SignInAttempt) -> (Duration, RememberFailures) {
        let mut sign_ins = lock(&self.sign_ins);
        let names = attempt.names();
        let delay = Duration::from_millis(sign_ins.table.delay_ms(&names));
        let kept = names.into_iter().filter(|_| !attempt.is_local);
        let known = kept.filter_map(|name| Some((name.hash, sign_ins.table.find(&name.hash)?)));
        let known: Vec<(NameHash, Attempts)> = known.collect();
        let forgotten = sign_ins.forgotten.iter().copied().take(DELETED_AT_ONCE_MAX);
        let forgotten: Vec<NameHash> = forgotten.collect();
        for name in &forgotten {
            sign_ins.forgotten.remove(name);
            sign_ins.written.remove(name);
        }
        sign_ins.written.extend(known.iter().map(|(name, _)| *name));
        (delay, RememberFailures { known, forgotten })
    }

    /// Takes note that a command which [`fail_sign_in`](Self::fail_sign_in) made was not written.
    pub fn not_written(&self, failures: &RememberFailures) {
        let mut sign_ins = lock(&self.sign_ins);
        sign_ins.written.extend(&failures.forgotten);
        for name in &failures.forgotten {
            sign_ins.forget_later(*name);
        }
    }

    /// No longer counts an attempt whose password was not compared.
    pub fn withdraw_sign_in(&self, attempt: &SignInAttempt) {
        let mut sign_ins = lock(&self.sign_ins);
        for name in attempt.names() {
            sign_ins.take_back(&name.hash);
        }
    }

    /// After a right password, forgets its user's failures, and no longer counts this attempt for
    /// its address. Returns the user's name if the book has failures under it.
    pub fn succeed_sign_in(&self, attempt: &SignInAttempt) -> Option<NameHash> {
        let mut sign_ins = lock(&self.sign_ins);
        sign_ins.table.forget(&attempt.user.hash);
        for address in &attempt.address {
            sign_ins.take_back(&address.hash);
        }
        sign_ins.written.remove(&attempt.user.hash).then_some(attempt.user.hash)
    }

    /// Counts the use of a link as a failure until the link turns out to be valid. If it must not
    /// be looked up yet, it is not counted, and the error is the milliseconds to wait.
    pub fn begin_link(&self, attempt: &LinkAttempt, now: Timestamp) -> Result<(), i64> {
        let mut links = lock(&self.links);
        let wait_ms = links.wait_ms(&attempt.address, now);
        if 0 < wait_ms && !attempt.is_shared {
            return Err(wait_ms);
        }
        links.count(&attempt.address, now);
        Ok(())
    }

    /// How long to delay the answer to a link that is not valid.
    pub fn fail_link(&self, attempt: &LinkAttempt) -> Duration {
        Duration::from_millis(lock(&self.links).delay_ms(&attempt.address))
    }

    /// No longer counts the use of a link that is valid.
    pub fn succeed_link(&self, attempt: &LinkAttempt) {
        let mut links = lock(&self.links);
        for address in &attempt.address {
            links.take_back(&address.hash);
        }
    }
}

impl SignIns {
    fn take_back(&mut self, name: &NameHash) {
        if self.table.take_back(name) {
            self.forget_later(*name);
        }
    }

    /// Has the next command delete a name from the book, if it is there.
    fn forget_later(&mut self, name: NameHash) {
        if self.written.contains(&name) {
            self.forgotten.insert(name);
        }
    }
}

fn names_of(address: Option<CountedAddress>) -> Vec<Name> {
    address.into_iter().flat_map(address_names).collect()
}

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::auth::attempts::SHARED_BY;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);
    const HERE: &str = "127.0.0.1";

    fn address(text: &str) -> CountedAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    fn client_delay_ms(guesses: &Guesses, client_id: &str, from: Option<&str>) -> u128 {
        let attempt = ClientAttempt::of(client_id, from.map(address));
        guesses.fail_client(&attempt, NOW).as_millis()
    }

    fn sign_in_delay_ms(guesses: &Guesses, attempt: &SignInAttempt) -> u128 {
        guesses.begin_sign_in(attempt, NOW).unwrap();
        guesses.fail_sign_in(attempt).0.as_millis()
    }

    #[test]
    fn wrong_secrets_count_for_the_client_and_for_the_address() {
        let guesses = Guesses::default();
        client_delay_ms(&guesses, "known", Some(HERE));
        client_delay_ms(&guesses, "unknown", Some(HERE));
        assert_eq!(client_delay_ms(&guesses, "known", None), 200);
        assert_eq!(client_delay_ms(&guesses, "unknown", None), 200);
        assert_eq!(client_delay_ms(&guesses, "other", Some(HERE)), 400);
        // A success resets the delay of the client, but not that of the address.
        guesses.succeed_client(&ClientAttempt::of("known", Some(address(HERE))));
        assert_eq!(client_delay_ms(&guesses, "known", None), 100);
        assert_eq!(client_delay_ms(&guesses, "another", Some(HERE)), 800);
    }

    #[test]
    fn wrong_passwords_count_for_the_user_and_for_the_address() {
        let guesses = Guesses::default();
        let (kari, ola) = (SignInAttempt::local("kari"), SignInAttempt::local("ola"));
        let delays = [(); 4].map(|()| sign_in_delay_ms(&guesses, &kari));
        assert_eq!(delays, [100, 200, 400, 800]);
        assert_eq!(sign_in_delay_ms(&guesses, &ola), 1_600);
        // A success resets the delay of the user, but not that of the address.
        guesses.begin_sign_in(&kari, NOW).unwrap();
        guesses.succeed_sign_in(&kari);
        assert_eq!(sign_in_delay_ms(&guesses, &kari), 3_000);
        let remote = SignInAttempt::remote("kari", None);
        let delays = [(); 2].map(|()| sign_in_delay_ms(&guesses, &remote));
        assert_eq!(delays, [100, 200], "counted separately from those on this machine");
        guesses.begin_sign_in(&remote, NOW).unwrap();
        assert!(guesses.succeed_sign_in(&remote).is_some(), "the book may have failed attempts");
        assert_eq!(sign_in_delay_ms(&guesses, &remote), 100);
    }

    #[test]
    fn an_address_that_guesses_at_many_users_waits_at_the_next_one_too() {
        let guesses = Guesses::default();
        let begin = |user: &str, from: &str| {
            let attempt = SignInAttempt::remote(user, Some(address(from)));
            let begun = guesses.begin_sign_in(&attempt, NOW);
            (attempt, begun)
        };
        for nth in 0..4 {
            assert_eq!(begin(&format!("{nth}@example.no"), "203.0.113.7").1, Ok(()));
        }
        // A correct password removes only its own attempt.
        let (right, begun) = begin("kari@example.no", "203.0.113.7");
        assert_eq!(begun, Ok(()));
        assert_eq!(guesses.succeed_sign_in(&right), None, "the book has no failed attempts");
        assert_eq!(begin("ola@example.no", "203.0.113.7").1, Ok(()));
        assert_eq!(begin("per@example.no", "203.0.113.7").1, Err(1_000));
        assert_eq!(begin("per@example.no", "203.0.113.8").1, Ok(()));
    }

    #[test]
    fn sign_ins_that_were_given_up_leave_nothing_to_delete_from_the_book() {
        let guesses = Guesses::default();
        let begin = |nth: usize| {
            let attempt = SignInAttempt::remote(&format!("{nth}@example.no"), None);
            guesses.begin_sign_in(&attempt, NOW).unwrap();
            attempt
        };
        for nth in 0..3 * NAMES_MAX {
            begin(nth);
        }
        let (_, failures) = guesses.fail_sign_in(&begin(3 * NAMES_MAX));
        assert_eq!(failures.known.len(), 1);
        assert_eq!(failures.forgotten.len(), 0, "the book never had any of them");
    }

    #[test]
    fn callers_who_may_share_an_address_have_a_higher_limit_together() {
        let of_proxy = |_| CountedAddress::of_proxy(HERE.parse().unwrap());
        let of_network = |nth: u32| address(&format!("2001:db8:0:{nth:x}::1"));
        let kinds: [&dyn Fn(u32) -> CountedAddress; 2] = [&of_proxy, &of_network];
        for from in kinds {
            let guesses = Guesses::default();
            let begin = |nth: u32, from: CountedAddress| {
                let attempt = SignInAttempt::remote(&format!("{nth}@example.no"), Some(from));
                guesses.begin_sign_in(&attempt, NOW)
            };
            let limit = 5 * SHARED_BY;
            for nth in 0..limit {
                assert_eq!(begin(nth, from(nth)), Ok(()), "{nth}");
            }
            assert_eq!(begin(limit, from(limit)), Err(1_000));
            assert_eq!(begin(limit, address("2001:db8:1::1")), Ok(()), "of another network");
        }
    }
}
