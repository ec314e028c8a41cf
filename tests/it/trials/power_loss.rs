//! Power cuts: from every state of the disk, the book opens, its sums are right, and it has every
//! operation that was answered before the cut.
//!
//! The real program runs under `tests/shim/shim.c`. From its trace, the disk is rebuilt as it may
//! have been at random moments, and the real code opens the result.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use super::disk::{Disk, Files, Kept, read_files};
use super::hooks::make_hook;
use super::load::{Load, Trial};
use super::rebuilt::{Harm, Rebuilt};
use super::sent::Outcome;
use super::shim::{Did, KILL, Record, Shim};
use super::stored::{differences, stored};
use super::{Dice, count, say, seed};
use crate::process::Served;
use crate::receiver::Receiver;

const WAYS: [(&str, Kept); 5] = [
    ("nothing unsynced", Kept::Nothing),
    ("any 512-byte sectors", Kept::Sectors { bytes: 512 }),
    ("any 4096-byte sectors", Kept::Sectors { bytes: 4096 }),
    ("up to a torn write", Kept::Torn),
    ("everything, as kill -9", Kept::Everything),
];

/// One run of the program, recorded.
struct Run {
    trial: Trial,
    before: Files,
    trace: Vec<Record>,
    /// By operation id: when the answer with this id began to be sent.
    answers: BTreeMap<String, u64>,
    /// The newest event when the hook was made.
    before_hook: i64,
}

/// The results for one way to lose power.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    states: u32,
    lost: u32,
    corrupt: u32,
    unbalanced: u32,
}

#[test]
fn answered_operations_survive_a_power_cut_in_every_state_of_the_disk() {
    let seed = seed("power loss");
    let runs = count("TILLBOOK_POWER_RUNS", 1);
    let states = count("TILLBOOK_POWER_STATES", 1_000);
    let mut tallies = [Tally::default(); WAYS.len()];
    let mut examples = Vec::new();
    for nth in 0..runs {
        let dice = Dice::new(seed.wrapping_add(u64::from(nth)));
        let run = Run::make(&dice);
        run.explore(&dice, states, &mut tallies, &mut examples);
        let (looked_at, bad) = ((nth + 1) * states, examples.len());
        let run = run.describe();
        say(&format!("run {} of {runs}: {run}; {bad} of {looked_at} states bad", nth + 1));
    }
    for ((name, _), tally) in WAYS.iter().zip(tallies) {
        say(&format!("{name:24} {tally:?}"));
    }
    assert!(examples.is_empty(), "{:#?}", &examples[..examples.len().min(3)]);
}

impl Run {
    /// Sends load to a server, kills it, sends load to the next, and stops that one with a signal.
    fn make(dice: &Dice) -> Run {
        let mut trial = Trial::new().with_long_wal();
        let before = read_files(trial.folder());
        let shim = Shim::new(trial.folder());
        let receiver = Receiver::start();
        let allowed = [("TILLBOOK_WEBHOOK_ALLOW", "127.0.0.1")];
        let environment = [&shim.environment("")[..], &allowed].concat();
        let start = |trial: &Trial| trial.try_start(&environment).ok().unwrap();
        let load = |cycle| Load { cycle, seed: dice.below(u64::MAX), answers: 60 };
        let server = start(&trial);
        make_hook(&server, &trial, &receiver.url);
        let newest = "select max(event_seq) from events";
        let before_hook = crate::audit::open(&trial.db()).query_row(newest, [], |row| row.get(0));
        let end = |name: &'static str| {
            move |server: Served| {
                server.signal(name);
                Some(server)
            }
        };
        trial.work(&load(0), server, end(KILL)).unwrap().kill();
        let server = start(&trial);
        trial.work(&load(1), server, end("TERM")).unwrap().wait().expect(0);
        let (answers, trace) = (answers(&shim.trace()), shim.trace());
        let run = Run { answers, trace, before, trial, before_hook: before_hook.unwrap() };
        run.expect_whole(dice);
        run
    }

    /// Panics unless the trace has every change, every answer and a checkpoint. Without them the
    /// rebuilt disks would prove nothing.
    fn expect_whole(&self, dice: &Dice) {
        let mut disk = Disk::new(&self.before);
        self.trace.iter().for_each(|record| disk.follow(record));
        let rebuilt = disk.after_power_loss(Kept::Everything, dice);
        assert!(rebuilt == read_files(self.trial.folder()), "the shim did not see every change");
        for sent in self.trial.sent.values() {
            if let Outcome::Done(id) = &sent.outcome {
                assert!(self.answers.contains_key(id), "the shim did not see an answer: {sent:?}");
            }
        }
        let is_book = |record: &&Record| record.name == "book.db";
        let put_back = self.trace.iter().find(is_book).map(|record| record.at);
        let last_answer = self.answers.values().max();
        assert!(put_back.as_ref() < last_answer, "the WAL was not written back during the load");
    }

    fn describe(&self) -> String {
        let syncs = self.trace.iter().filter(|record| matches!(record.did, Did::Sync { .. }));
        let book = read_files(self.trial.folder());
        let kib = book.values().map(Vec::len).sum::<usize>() >> 10;
        let steps = self.trace.len();
        format!("{steps} steps, {} syncs, {} answers, {kib} KiB", syncs.count(), self.answers.len())
    }

    /// Checks this many states, each at a random moment.
    fn explore(
        &self,
        dice: &Dice,
        states: u32,
        tallies: &mut [Tally; WAYS.len()],
        examples: &mut Vec<String>,
    ) {
        let steps = u64::try_from(self.trace.len()).unwrap();
        let mut moments: Vec<(u64, usize)> = (0..states)
            .zip((0..WAYS.len()).cycle())
            .map(|(_, way)| (dice.below(steps), way))
            .collect();
        moments.sort_unstable();
        let mut disk = Disk::new(&self.before);
        let mut followed = 0;
        let rebuilt = Rebuilt::new();
        for (moment, way) in moments {
            let upto = usize::try_from(moment).unwrap();
            self.trace[followed..upto].iter().for_each(|record| disk.follow(record));
            followed = upto;
            let files = disk.after_power_loss(WAYS[way].1, dice);
            let tally = &mut tallies[way];
            tally.states += 1;
            let now = self.trace[upto].at;
            let looked = rebuilt.look(&files, |db| {
                let lost = differences(&self.trial.sent, &stored(db), |id| self.answers[id] < now);
                [lost, without_delivery(db, self.before_hook)].concat()
            });
            let Err(wrong) = looked else { continue };
            match wrong.harm {
                Harm::Lost => tally.lost += 1,
                Harm::Corrupt => tally.corrupt += 1,
                Harm::Unbalanced => tally.unbalanced += 1,
            }
            examples.push(format!("{} at step {moment}: {}", WAYS[way].0, wrong.told));
        }
    }
}

fn answers(trace: &[Record]) -> BTreeMap<String, u64> {
    let mut answers = BTreeMap::new();
    for record in trace {
        if let Did::Answer(body) = &record.did
            && let Some(id) = body["id"].as_str()
        {
            answers.entry(id.to_owned()).or_insert(record.at);
        }
    }
    answers
}

/// Operations after the hook was made and behind its cursor that have no delivery. Nothing is old
/// enough to be deleted.
fn without_delivery(db: &Path, before_hook: i64) -> Vec<String> {
    let sql = "select event_seq from events join hooks on event_seq <= through_seq
        where operation_id is not null and ?1 < event_seq
          and event_seq not in (select event_seq from deliveries where event_seq is not null)";
    let conn = crate::audit::open(db);
    let mut statement = conn.prepare(sql).unwrap();
    let seqs = statement.query_map([before_hook], |row| row.get::<_, i64>(0)).unwrap();
    seqs.map(|seq| format!("operation {} is never delivered", seq.unwrap())).collect()
}
