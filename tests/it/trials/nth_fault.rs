//! The n-th write, sync, truncate, open or lock of the book's files fails, for one n after another:
//! the server goes on or ends with a reason, and loses no answered operation.

use std::sync::Mutex;

use super::load::Trial;
use super::shim::Shim;
use super::stored::{differences, stored};
use super::{Dice, count, say, seed};
use crate::audit;

/// The faults, as `tests/shim/shim.c` reads them.
const FAULTS: [(&str, &str); 7] = [
    ("a write: input/output error", "pwrite:5"),
    ("a write: disk full", "pwrite:28"),
    ("a write: half of it done", "pwrite:0"),
    ("a sync: input/output error", "fsync:5"),
    ("a truncation: input/output error", "ftruncate:5"),
    ("an open: too many files", "open:24"),
    ("a lock: held by another", "lock:11"),
];

/// The runs with one fault, each with another n.
struct Series {
    name: String,
    fault: &'static str,
    /// True if every later call fails too.
    sticks: bool,
    seed: u64,
}

/// The results of a series.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    runs: u32,
    /// The first n that no run reached.
    calls: u64,
    not_started: u32,
    stopped: u32,
    went_on: u32,
}

#[test]
fn no_failing_call_loses_an_answered_request_or_hangs() {
    let seed = seed("the n-th fault");
    let dice = Dice::new(seed);
    let book = Trial::new().with_long_wal();
    let series = FAULTS.into_iter().flat_map(|(name, fault)| {
        [(false, ", once"), (true, ", from then on")].map(|(sticks, how)| Series {
            name: format!("{name}{how}"),
            fault,
            sticks,
            seed: dice.below(u64::MAX),
        })
    });
    let waiting = Mutex::new(series.collect::<Vec<_>>());
    // A run spends most of its time waiting.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(series) = { waiting.lock().map_or(None, |mut left| left.pop()) } {
                    series.try_all(&book);
                }
            });
        }
    });
}

#[test]
fn a_signal_after_a_failure_does_not_hide_the_failure() {
    let mut trial = Trial::new();
    let shim = Shim::new(trial.folder());
    // The 50th write comes after the start, and early enough for the requests to reach it.
    let server = trial.try_start(&shim.environment("pwrite:5:50:sticky")).ok().unwrap();
    let half = trial.send_half(&server);
    trial.send_some(&server, 0, 8);
    server.wait_until_connections_are_refused();
    server.signal("TERM");
    drop(half);
    let ended = server.wait().expect(70);
    assert!(ended.err.contains("the database failed while writing"), "{}", ended.err);
}

impl Series {
    /// Fails one call after another, until a run does not reach the call. Skips many calls unless
    /// TILLBOOK_NTH_STEP is 1.
    fn try_all(&self, book: &Trial) {
        let dice = Dice::new(self.seed);
        let step = i64::from(count("TILLBOOK_NTH_STEP", 40));
        let mut tally = Tally { calls: 1, ..Tally::default() };
        while self.try_one(book, &mut tally) {
            tally.calls += u64::try_from(dice.amount(2 * step - 1)).unwrap_or_default();
        }
        say(&format!("{:45} {tally:?}", self.name));
        assert!(1 < tally.runs, "{}: no run reached such a call", self.name);
    }

    /// One run with one fault; false when the run never reached the call that should fail.
    fn try_one(&self, book: &Trial, tally: &mut Tally) -> bool {
        let sticky = if self.sticks { ":sticky" } else { "" };
        let fail = format!("{}:{}{sticky}", self.fault, tally.calls);
        let mut trial = book.copy();
        let shim = Shim::new(trial.folder());
        tally.runs += 1;
        let ended = match trial.try_start(&shim.environment(&fail)) {
            Ok(server) => {
                trial.send_some(&server, self.seed, self.requests());
                server.signal("TERM");
                let ended = server.wait();
                match ended.code {
                    0 => tally.went_on += 1,
                    70 => tally.stopped += 1,
                    _ => panic!("{fail}: {ended:?}"),
                }
                ended
            }
            Err(ended) => {
                tally.not_started += 1;
                assert!(matches!(ended.code, 1 | 70), "{fail}: {ended:?}");
                ended
            }
        };
        let has_reason = ended.code == 0 || ended.err.contains("tillbook: ");
        assert!(has_reason && !ended.err.contains("panicked"), "{fail}: {ended:?}");
        let server = trial.start();
        let off = differences(&trial.sent, &stored(&trial.db()), |_| true);
        assert!(off.is_empty(), "{fail}: {off:#?}");
        trial.settle(&server);
        audit::expect_clean(&trial.db());
        shim.met_fault()
    }

    /// The number of requests: enough for a checkpoint, but few where each waits five seconds for
    /// the lock.
    fn requests(&self) -> u32 {
        if self.sticks && self.fault.starts_with("lock") { 2 } else { 8 }
    }
}
