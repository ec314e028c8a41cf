//! Checks a history of one line for linearizability: its answers must be those of one call after
//! another, each done at some moment between its request and its answer. The search is Wing and
//! Gong's, with Lowe's cache of the calls done and the resulting sums.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::HashSet;

use crate::trials::model::reference::Kind;
use crate::trials::{Dice, say, seed};

/// The most calls of a history; the search keeps one bit for each.
const CALLS_MAX: usize = 64;

/// One call, on an order of one line.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it was sent, on a clock of all clients that never shows the same time twice.
    pub sent: u64,
    pub asked: Asked,
    /// The answer and its time; `None` when no answer came.
    pub told: Option<(Told, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Operation(Kind, i64),
    Sums,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Done,
    /// Refused; this much remained.
    Remaining(i64),
    /// Authorized, captured, cancelled, refunded, remaining.
    Sums([i64; 5]),
}

/// True if there is an order of the calls in which each answer is right. A call without an answer
/// may have been done at any time after it was sent, or never.
pub fn is_linearizable(payable: i64, history: &[Call]) -> bool {
    assert!(history.len() <= CALLS_MAX);
    search(history, 0, Line::fresh(payable), &mut HashSet::new())
}

/// Tries to do all calls that are not yet `done`, a set of bits.
fn search(history: &[Call], done: u64, line: Line, tried: &mut HashSet<(u64, Line)>) -> bool {
    let open = || (0..history.len()).filter(|nth| done >> nth & 1 == 0);
    let answered = open().filter_map(|nth| history[nth].told.map(|(_, at)| at));
    let Some(first_answer) = answered.min() else { return true };
    if !tried.insert((done, line)) {
        return false;
    }
    // The next call is one that was sent before any open call was answered.
    let next = open().filter(|nth| history[*nth].sent < first_answer);
    let fitting = next.filter_map(|nth| {
        let (told, after) = line.answer(history[nth].asked);
        // A call without an answer that changes nothing can be left out.
        let fits = history[nth].told.map_or(after != line, |(really, _)| really == told);
        fits.then_some((done | 1 << nth, after))
    });
    let fitting: Vec<(u64, Line)> = fitting.collect();
    // A call with the right answer that changes nothing can be done first.
    match fitting.iter().find(|(_, after)| *after == line) {
        Some((done, after)) => search(history, *done, *after, tried),
        None => fitting.into_iter().any(|(done, after)| search(history, done, after, tried)),
    }
}

/// A line's stored sums, written from docs/contract.md, Decision 1 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    payable: i64,
    authorized: i64,
    captured: i64,
    direct: i64,
    cancelled: i64,
    refunded: i64,
}

impl Line {
    pub fn fresh(payable: i64) -> Line {
        Line { payable, authorized: 0, captured: 0, direct: 0, cancelled: 0, refunded: 0 }
    }

    /// The right answer, and the line after the call.
    pub fn answer(self, asked: Asked) -> (Told, Line) {
        match asked {
            Asked::Sums => (Told::Sums(self.sums()), self),
            Asked::Operation(kind, amount) if self.available(kind) < amount => {
                (Told::Remaining(self.available(kind)), self)
            }
            Asked::Operation(kind, amount) => (Told::Done, self.after(kind, amount)),
        }
    }

    fn available(self, kind: Kind) -> i64 {
        let held = self.authorized - (self.captured - self.direct) - self.cancelled;
        let unreserved = self.payable - self.direct - (self.authorized - self.cancelled);
        match kind {
            Kind::Authorization => unreserved,
            Kind::Capture if self.authorized == 0 => unreserved,
            Kind::Capture | Kind::Cancellation => held,
            Kind::Refund => self.captured - self.refunded,
        }
    }

    fn after(mut self, kind: Kind, amount: i64) -> Line {
        match kind {
            Kind::Authorization => self.authorized += amount,
            Kind::Capture => {
                self.captured += amount;
                self.direct += if self.authorized == 0 { amount } else { 0 };
            }
            Kind::Cancellation => self.cancelled += amount,
            Kind::Refund => self.refunded += amount,
        }
        self
    }

    fn sums(self) -> [i64; 5] {
        let remaining = self.available(Kind::Capture);
        [self.authorized, self.captured, self.cancelled, self.refunded, remaining]
    }
}

/// A history of an order line of 100: one call per text line, as `sent..answered what -> answer`.
fn check(text: &str, expected: bool) {
    let history: Vec<Call> = text.lines().map(parse).collect();
    assert_eq!(is_linearizable(100, &history), expected, "\n{text}");
}

fn parse(line: &str) -> Call {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (sent, answered) = words[0].split_once("..").unwrap();
    let number = |word: &str| word.parse::<i64>().unwrap();
    let (asked, answer) = words[1..].split_at(words.iter().position(|w| *w == "->").unwrap() - 1);
    let asked = match asked[0] {
        "authorize" => Asked::Operation(Kind::Authorization, number(asked[1])),
        "capture" => Asked::Operation(Kind::Capture, number(asked[1])),
        "cancel" => Asked::Operation(Kind::Cancellation, number(asked[1])),
        "refund" => Asked::Operation(Kind::Refund, number(asked[1])),
        _ => Asked::Sums,
    };
    let told = match answer[1] {
        "nothing" => None,
        "done" => Some(Told::Done),
        "left" => Some(Told::Remaining(number(answer[2]))),
        _ => Some(Told::Sums([1, 2, 3, 4, 5].map(|at| number(answer[at])))),
    };
    let told = told.map(|told| (told, answered.parse().unwrap()));
    Call { sent: sent.parse().unwrap(), asked, told }
}

#[test]
fn calls_one_after_another_are_linearizable() {
    check(
        "0..1 get -> 0 0 0 0 100
         2..3 authorize 90 -> done
         4..5 capture 60 -> done
         6..7 capture 40 -> left 30
         8..9 cancel 30 -> done
         10..11 refund 61 -> left 60
         12..13 refund 20 -> done
         14..15 authorize 41 -> left 40
         16..17 get -> 90 60 30 20 0",
        true,
    );
    check("0..1 capture 60 -> done\n2..3 authorize 41 -> left 40", true);
}

#[test]
fn calls_at_the_same_time_may_come_in_any_order() {
    check("0..3 capture 60 -> done\n1..2 capture 60 -> left 40", true);
    check("0..3 capture 60 -> left 40\n1..2 capture 60 -> done", true);
    check("0..5 capture 60 -> done\n1..2 get -> 0 0 0 0 100\n3..4 get -> 0 60 0 0 40", true);
    check("0..3 capture 100 -> done\n1..2 refund 50 -> done", true);
}

#[test]
fn a_stale_read_is_not_linearizable() {
    check("0..1 capture 60 -> done\n2..3 get -> 0 0 0 0 100", false);
    // Nor is a read that shows an older state than an earlier read.
    check("0..5 capture 60 -> done\n1..2 get -> 0 60 0 0 40\n3..4 get -> 0 0 0 0 100", false);
    // Nor is a read that shows half of an operation, or a refused one.
    check("0..3 capture 60 -> done\n1..2 get -> 0 60 0 0 100", false);
    check("0..1 refund 1 -> left 0\n2..3 get -> 0 0 0 1 100", false);
}

#[test]
fn success_where_too_little_was_left_is_not_linearizable() {
    check("0..3 capture 60 -> done\n1..2 capture 60 -> done", false);
    check("0..1 authorize 100 -> done\n2..5 cancel 80 -> done\n3..4 capture 30 -> done", false);
    check("0..1 refund 1 -> done", false);
}

#[test]
fn an_update_that_is_lost_is_not_linearizable() {
    check("0..3 capture 60 -> done\n1..2 capture 30 -> done\n4..5 get -> 0 30 0 0 70", false);
    check("0..3 capture 60 -> done\n1..2 capture 30 -> done\n4..5 get -> 0 90 0 0 10", true);
}

#[test]
fn an_impossible_refusal_is_not_linearizable() {
    // The refund had been answered before, or was sent only afterwards.
    check("0..1 capture 60 -> left 40", false);
    check("0..1 capture 60 -> left 40\n2..3 capture 60 -> done", false);
    check("0..1 capture 60 -> done\n2..3 capture 50 -> left 100", false);
    check("0..1 capture 60 -> done\n2..3 capture 40 -> left 40", false);
    // The amount that it says was left was never left.
    check("0..5 capture 60 -> done\n1..4 capture 30 -> done\n2..3 capture 90 -> left 25", false);
}

#[test]
fn a_call_without_an_answer_is_done_later_or_never_and_at_most_once() {
    let unknown = "0.. capture 60 -> nothing\n";
    check(&format!("{unknown}1..2 get -> 0 0 0 0 100\n3..4 get -> 0 60 0 0 40"), true);
    check(&format!("{unknown}1..2 get -> 0 0 0 0 100\n3..4 get -> 0 0 0 0 100"), true);
    check(&format!("{unknown}1..2 get -> 0 60 0 0 40\n3..4 get -> 0 0 0 0 100"), false);
    check(&format!("{unknown}1..2 capture 60 -> left 40\n3..4 capture 40 -> done"), true);
    check("0..1 get -> 0 60 0 0 40\n2.. capture 60 -> nothing", false);
    check(&format!("{unknown}1..2 capture 40 -> done\n3..4 get -> 0 160 0 0 -60"), false);
    check("0.. capture 30 -> nothing\n1..2 get -> 0 60 0 0 40", false);
    // A call that was impossible when it was sent can be done later.
    check("0.. refund 10 -> nothing\n1..2 capture 60 -> done\n3..4 get -> 0 60 0 10 40", true);
}

#[test]
fn the_search_agrees_with_trying_every_order() {
    let dice = Dice::new(seed("small histories"));
    let mut found = [0, 0];
    for _ in 0..2_000 {
        let history = small_history(&dice);
        let expected = any_order_fits(&history, Line::fresh(100));
        assert_eq!(is_linearizable(100, &history), expected, "{history:#?}");
        found[usize::from(expected)] += 1;
    }
    say(&format!("{} impossible histories and {} possible ones", found[0], found[1]));
    assert!(200 < found[0] && 200 < found[1]);
}

/// Five calls at overlapping times, done one after another; some answers are then changed.
fn small_history(dice: &Dice) -> Vec<Call> {
    let mut line = Line::fresh(100);
    let mut call = |at: u64| {
        let asked = match dice.below(4) {
            0 => Asked::Sums,
            _ => Asked::Operation(*dice.pick(&Kind::ALL), dice.amount(60)),
        };
        let told = if dice.below(8) == 0 {
            Line::fresh(100).answer(asked).0
        } else {
            let (told, after) = line.answer(asked);
            line = after;
            told
        };
        // Calls are done at intervals of ten, and begin and end up to sixteen earlier and later; no
        // two times are equal.
        let (sent, answered) = (160 + 10 * at - dice.below(17), 160 + 10 * at + dice.below(17));
        let told = (dice.below(10) != 0).then_some((told, answered * 10 + 5 + at));
        Call { sent: sent * 10 + at, asked, told }
    };
    (0..5).map(&mut call).collect()
}

fn any_order_fits(open: &[Call], line: Line) -> bool {
    let unanswered = open.iter().all(|call| call.told.is_none());
    unanswered
        || (0..open.len()).any(|nth| {
            let mut others = open.to_vec();
            let call = others.remove(nth);
            let too_late =
                others.iter().any(|other| other.told.is_some_and(|(_, at)| at < call.sent));
            let (told, after) = line.answer(call.asked);
            let fits = call.told.is_none_or(|(really, _)| really == told);
            !too_late && fits && any_order_fits(&others, after)
        })
}
