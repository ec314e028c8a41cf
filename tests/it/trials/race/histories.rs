//! Mixed operations and reads of one line by several clients, recorded call by call: the answers
//! must be those of one call after another, each done while its caller waited.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use super::linearizable::{Asked, Call, Told, is_linearizable};
use super::{Racer, on_line_1, race, remaining, rounds, sum};
use crate::audit;
use crate::harness::{ACCOUNT, App};
use crate::http_client::Reply;
use crate::trials::model::reference::Kind;
use crate::trials::{Dice, say, seed};

const CLIENTS: usize = 8;
const CALLS_EACH: usize = 7;
const HISTORIES: u32 = 20;

/// The payable amount, so small that about half of all operations exceed it.
const PAYABLE: i64 = 100;

#[test]
fn the_answers_to_many_clients_are_those_of_one_call_after_another() {
    let seed = seed("histories");
    let dice = Dice::new(seed);
    let app = App::start();
    let (mut done, mut refused, mut unknown, mut recorded) = (0, 0, 0, 0);
    for _ in 0..HISTORIES * rounds() {
        let (history, operations) = record(&app, dice.below(u64::MAX));
        recorded += operations;
        let told = |call: &Call| call.told.map(|(told, _)| told);
        done += history.iter().filter(|call| told(call) == Some(Told::Done)).count();
        refused += history.iter().filter(|c| matches!(told(c), Some(Told::Remaining(_)))).count();
        unknown += history.iter().filter(|call| call.told.is_none()).count();
        assert!(is_linearizable(PAYABLE, &history), "impossible history: {history:#?}");
    }
    let landed = recorded - done;
    say(&format!("{done} done, {refused} refused, {unknown} unknown, {landed} of these done"));
    assert!(landed <= unknown, "more operations are recorded than were sent");
    let least = (done + refused) / 5;
    assert!(least <= done && least <= refused, "too few were done or refused");
    audit::expect_clean(&app.db);
}

/// Lets all clients work on a new order; their calls, and the number of operations on it in the
/// end.
fn record(app: &App, seed: u64) -> (Vec<Call>, usize) {
    let order = format!("/orders/{}", app.simple_order(&[PAYABLE]));
    let clock = AtomicU64::new(0);
    let now = || clock.fetch_add(1, Ordering::SeqCst);
    let calls = race(app, CLIENTS, seed, |_, racer| {
        let call = |_| {
            let asked = draw(&racer.dice);
            let sent = now();
            let told = ask(racer, &order, asked).map(|reply| (told(asked, &reply), now()));
            Call { sent, asked, told }
        };
        (0..CALLS_EACH).map(call).collect::<Vec<Call>>()
    });
    let mut history: Vec<Call> = calls.into_iter().flatten().collect();
    let sent = now();
    let shown = app.get(&order);
    let told = told(Asked::Sums, &shown);
    history.push(Call { sent, asked: Asked::Sums, told: Some((told, now())) });
    let operations = Kind::ALL.map(|kind| shown.body[kind.plural()].as_array().unwrap().len());
    (history, operations.iter().sum())
}

fn draw(dice: &Dice) -> Asked {
    match dice.below(4) {
        0 => Asked::Sums,
        _ => Asked::Operation(*dice.pick(&Kind::ALL), dice.amount(50)),
    }
}

/// Makes a call. `None` when the caller did not wait for an answer, as in every twelfth call.
fn ask(racer: &Racer<'_>, order: &str, asked: Asked) -> Option<Reply> {
    let Asked::Operation(kind, amount) = asked else { return Some(racer.get(order)) };
    let path = format!("{order}/{}", kind.plural());
    if racer.dice.below(12) != 0 {
        return Some(racer.post(&path, &on_line_1(amount)));
    }
    let body = on_line_1(amount).to_string();
    let request = format!(
        "POST /v1/accounts/{ACCOUNT}/shopping{path} HTTP/1.1\r\nHost: x\r\n\
         Authorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
        racer.bearer,
        body.len()
    );
    let mut stream = TcpStream::connect(racer.url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    None
}

fn told(asked: Asked, reply: &Reply) -> Told {
    match (asked, reply.status) {
        (Asked::Sums, 200) => Told::Sums(
            ["authorized", "captured", "cancelled", "refunded", "remaining"]
                .map(|of| sum(&reply.body, &format!("{of}_amount"))),
        ),
        (Asked::Operation(..), 200) => Told::Done,
        _ => {
            assert_eq!((reply.status, reply.code()), (409, "amount_exceeds_remaining"));
            Told::Remaining(remaining(reply))
        }
    }
}
