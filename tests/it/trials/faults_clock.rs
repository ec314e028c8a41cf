//! A machine whose clock jumps: nothing panics, times in the book fall only where a jump is
//! recorded, tokens are verified at the new time, and no idempotency key is forgotten.

use serde_json::{Value, json};
use tillbook::app::ForgetAnswers;
use tillbook::domain::Timestamp;

use super::{Dice, count, seed};
use crate::audit;
use crate::harness::{ACCOUNT, App, START};
use crate::http_client::{Reply, basic};

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// A clock that goes back by no more than this is waited for.
const CORRECTION_MS_MAX: i64 = 5 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

fn capture(app: &App, order: &str, key: &str) -> Reply {
    let path = format!("/orders/{order}/captures");
    app.post_once(key, &path, json!({"items": [{"line_id": 1, "amount": 1}]}))
}

/// Gets a new token for the usual client.
fn sign_in(app: &mut App) {
    app.token = app.token_of(&app.client);
}

#[test]
fn a_clock_that_jumps_breaks_nothing() {
    let dice = Dice::new(seed("clock"));
    let mut app = App::start();
    let order = app.simple_order(&[1_000_000]);
    let first = capture(&app, &order, "first").expect(200);
    let corrected = 10 * YEAR_MS - CORRECTION_MS_MAX;
    let mut times: Vec<i64> =
        [-HOUR_MS, 0, 30 * DAY_MS + HOUR_MS, -10 * YEAR_MS, 10 * YEAR_MS, corrected, HOUR_MS]
            .map(|jump| START.0 + jump)
            .to_vec();
    let random = count("TILLBOOK_CLOCK_JUMPS", 10);
    times.extend((0..random).map(|_| i64::try_from(dice.below(4_000_000_000_000)).unwrap()));
    for (nth, time) in times.iter().enumerate() {
        app.clock.set(Timestamp(*time));
        sign_in(&mut app);
        let key = format!("after {nth}");
        let done = capture(&app, &order, &key).expect(200);
        // The background job also runs at the new time.
        app.state.store.writer.write_blocking(ForgetAnswers).unwrap();
        assert_eq!(capture(&app, &order, &key).expect(200).text, done.text);
        let again = capture(&app, &order, "first").expect(200);
        assert_eq!(again.text, first.text, "done twice at {time}");
        app.restart();
        assert_eq!(capture(&app, &order, "first").expect(200).text, first.text);
    }
    app.clock.set(START);
    sign_in(&mut app);
    let shown = app.get(&format!("/orders/{order}?include_events=true")).expect(200).body;
    let captures = shown["captures"].as_array().unwrap();
    assert_eq!(captures.len(), 1 + times.len());
    let made_at = captures.iter().map(|made| made["created_at"].as_str().unwrap());
    let made_at: Vec<i64> =
        made_at.map(|text| tillbook::clock::parse_rfc3339(text).unwrap().0).collect();
    // Every capture has the time of the clock, or the last time while a correction is waited for.
    let mut last = START.0;
    let expected = times.iter().map(|time| {
        let is_correction = *time < last && last - time <= CORRECTION_MS_MAX;
        last = if is_correction { last } else { *time };
        last
    });
    let expected: Vec<i64> = std::iter::once(START.0).chain(expected).collect();
    assert_eq!(made_at, expected);
    let versions: Vec<&Value> =
        shown["events"].as_array().unwrap().iter().map(|e| &e["version"]).collect();
    let strict: Vec<Value> = (1..=versions.len()).map(|nth| json!(nth)).collect();
    assert!(versions.into_iter().eq(strict.iter()), "{shown}");
    audit::expect_clean(&app.db);
}

#[test]
fn a_token_is_verified_at_the_clock_s_current_time() {
    let app = App::start();
    let life_ms = app.state.tokens.life_s() * 1_000;
    for (at, status) in [
        (START.0, 200),
        // A minute of difference is allowed, either way.
        (START.0 - 60_000, 200),
        (START.0 - 62_000, 401),
        (START.0 - HOUR_MS, 401),
        (START.0 - 10 * YEAR_MS, 401),
        (START.0 + life_ms + 59_000, 200),
        (START.0 + life_ms + 61_000, 401),
        (START.0 + 30 * DAY_MS, 401),
        (START.0 + 10 * YEAR_MS, 401),
        (START.0, 200),
    ] {
        app.clock.set(Timestamp(at));
        assert_eq!(app.get("/orders").status, status, "{} ms on", at - START.0);
        let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
        let asked = app.send("POST", &path, &[("authorization", &basic(&app.client))], None);
        asked.expect(200);
    }
}
