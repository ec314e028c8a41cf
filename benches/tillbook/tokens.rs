//! Access tokens checked per second, anew and from the cache.

use std::time::Instant;

use actix_web::{HttpRequest, web};
use tillbook::auth::token::{TokenKey, Tokens};
use tillbook::auth::verified_token::VerifiedToken;
use tillbook::clock::Clock;
use tillbook::domain::ids::AccountId;
use tillbook::domain::scope::{Scope, Scopes};

use crate::Bench;
use crate::figures::per_second;
use crate::orders::ACCOUNT;
use crate::shop::CLIENT;

/// Tokens that are checked between two readings of the clock.
const ROUND: usize = 256;
/// Tokens that are used in turn, more than the cache holds.
const MANY: usize = 16_384;

/// Measures both.
pub fn run(bench: &mut Bench) {
    // Used in turn, each has been evicted by a later one when its turn comes.
    let many: Vec<String> = (0..MANY).map(|number| issue(number.to_string())).collect();
    let time = bench.options.turn() / 6;
    for repetition in 1..=bench.options.repetitions() {
        let (anew, remembered) = bench.machine.repetition(&format!("tokens {repetition}"), || {
            let tokens = bench_tokens();
            let rate = |asked: &[String]| {
                let (began, mut checked) = (Instant::now(), 0);
                while began.elapsed() < time {
                    let mut round = asked.iter().cycle().skip(checked % asked.len()).take(ROUND);
                    let all = round.all(|token| tokens.verify(token, Clock::System.now()).is_ok());
                    assert!(all, "a valid token is refused");
                    checked += ROUND;
                }
                per_second(u64::try_from(checked).unwrap_or(0), began.elapsed())
            };
            (rate(&many), rate(&many[..1]))
        });
        bench.figures.add("tokens/anew", anew);
        bench.figures.add("tokens/remembered", remembered);
        bench.machine.say(&format!("  {anew:.0}/s anew, {remembered:.0}/s remembered"));
    }
}

/// The tokens of the servers that Tillbook is compared with.
pub fn bench_tokens() -> Tokens {
    let key = TokenKey { key_id: "bench".to_owned(), secret: [7; 32] };
    Tokens::new(vec![key], "http://bench", 14_400)
}

/// A token for them.
pub fn bench_token() -> String {
    issue("j".to_owned())
}

fn issue(jti: String) -> String {
    let token = VerifiedToken {
        client_id: CLIENT.to_owned(),
        account_id: AccountId::parse(ACCOUNT).expect("an account id"),
        scopes: Scopes::new(vec![Scope::AdminShopping]),
    };
    let issued = bench_tokens().issue(&token, Clock::System.now(), jti);
    issued.expect("there is a key")
}

/// True if a request to one of them has a valid token.
pub fn is_good(request: &HttpRequest) -> bool {
    let tokens = request.app_data::<web::Data<Tokens>>();
    let header = request.headers().get("authorization").and_then(|header| header.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    let verified = tokens.zip(token).map(|(all, token)| all.verify(token, Clock::System.now()));
    verified.is_some_and(|verified| verified.is_ok())
}
