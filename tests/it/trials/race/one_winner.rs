//! Races that only one client can win.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use serde_json::json;
use tillbook::app::MakeSignInLink;
use tillbook::auth::session::Ticket;
use tillbook::randomness::Randomness;

use super::{on_line_1, race, remaining, rounds, sum};
use crate::audit;
use crate::harness::App;
use crate::http_client::Reply;
use crate::office::FORM;

#[test]
fn one_of_sixty_four_full_captures_wins() {
    let app = App::start();
    for round in 0..2 * rounds() {
        let order = app.simple_order(&[39_800, 500]);
        if round % 2 == 0 {
            let path = format!("/orders/{order}/authorizations");
            app.post(&path, on_line_1(39_800)).expect(200);
        }
        let path = format!("/orders/{order}/captures");
        let replies = race(&app, 64, 0, |_, racer| racer.post(&path, &on_line_1(39_800)));
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1);
        for lost in lost {
            assert_eq!((lost.status, lost.code()), (409, "amount_exceeds_remaining"));
            assert_eq!(remaining(lost), 0);
            let last = &lost.body["error"]["errors"][0]["last_operation"];
            assert_eq!(last["id"], won[0].body["id"]);
        }
        let shown = app.get(&format!("/orders/{order}")).expect(200).body;
        assert_eq!(shown["captures"], json!([won[0].body]));
        assert_eq!(sum(&shown, "captured_amount"), 39_800);
    }
    audit::expect_clean(&app.db);
}

/// There are two links, as after two starts of a server.
#[test]
fn one_of_twenty_becomes_the_first_owner() {
    for _ in 0..rounds() {
        let app = App::start();
        let tickets = [make_link(&app), make_link(&app)];
        let replies: Vec<Reply> = race(&app, 20, 0, |nth, _| {
            let body = format!(
                "ticket={}&email=eier{nth}%40example.no&password=lang+nok+er+det",
                tickets[nth % 2]
            );
            app.send("POST", "/admin/setup", &[FORM], Some(&body))
        });
        let won = |reply: &&Reply| reply.status == 303;
        assert_eq!(replies.iter().filter(won).count(), 1);
        assert!(replies.iter().all(|reply| matches!(reply.status, 303 | 400)));
        let users = app.state.store.read_blocking(|reader| reader.list_users()).unwrap();
        let winner = replies.iter().position(|reply| won(&reply)).unwrap();
        let emails: Vec<String> = users.into_iter().map(|user| user.email.to_string()).collect();
        assert_eq!(emails, [format!("eier{winner}@example.no")]);
    }
}

fn make_link(app: &App) -> String {
    let ticket = Ticket::draw(&Randomness::System);
    let command = MakeSignInLink { token_sha256: ticket.sha256(), email: None, life_ms: 3_600_000 };
    app.state.store.writer.write_blocking(command).unwrap();
    ticket.reveal().to_owned()
}
