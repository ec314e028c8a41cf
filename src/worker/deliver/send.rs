//! One try of a delivery: the signed request, and what its answer means.

use super::DeliverOptions;
use crate::app::EndedTry;
use crate::clock::{Clock, parse_http_date};
use crate::domain::Timestamp;
use crate::domain::delivery::{JITTER_BOUND, TryEnd, judge_status, wait_ms};
use crate::domain::hook::SecretType;
use crate::outbound::{Answer, Message, Method, NotSent};
use crate::store::{DueDelivery, HookRecord, LastTry};
use crate::wire::hook_body::headers_text;
use crate::wire::hook_signature::{event_signature, webhook_signature};

/// Sends a delivery once.
pub(super) async fn try_once(
    options: &DeliverOptions,
    hook: &HookRecord,
    delivery: DueDelivery,
) -> EndedTry {
    let began = options.clock.now();
    let message = message(hook, &delivery, began);
    let result = options.outbound.send(message).await;
    let duration_ms = elapsed_ms(&options.clock, began);
    let ended_at = Timestamp(began.0 + duration_ms);
    let end = judge(&result, ended_at);
    let tries = delivery.tries + 1;
    let retry_after_ms = match end {
        TryEnd::Failure { retry_after_ms } => retry_after_ms,
        TryEnd::Success | TryEnd::Gone => None,
    };
    let drawn = options.randomness.below(JITTER_BOUND);
    EndedTry {
        hook_seq: hook.hook_seq,
        delivery_seq: delivery.delivery_seq,
        event: delivery.event,
        tries,
        end,
        wait_ms: wait_ms(tries, retry_after_ms, drawn),
        last_try: last_try(result, end, began, duration_ms),
    }
}

/// Milliseconds since `began`; 0 if the clock went back meanwhile.
fn elapsed_ms(clock: &Clock, began: Timestamp) -> i64 {
    clock.now().0.saturating_sub(began.0).max(0)
}

fn message(hook: &HookRecord, delivery: &DueDelivery, now: Timestamp) -> Message {
    let secret = &hook.settings.secret;
    let (id, body) = (&delivery.id, &delivery.body);
    let timestamp = now.0.div_euclid(1_000);
    let mut signatures = webhook_signature(&secret.value, id, timestamp, body);
    if let Some(previous) = hook.previous_secret.as_ref().filter(|previous| now < previous.until) {
        let older = webhook_signature(&previous.value, id, timestamp, body);
        signatures.push_str(&format!(" {older}"));
    }
    let mut headers = vec![
        ("content-type".into(), "application/json".to_owned()),
        ("event".into(), delivery.event.clone()),
        ("event-delivery".into(), id.clone()),
        ("event-signature".into(), event_signature(&secret.value, body)),
        ("webhook-id".into(), id.clone()),
        ("webhook-timestamp".into(), timestamp.to_string()),
        ("webhook-signature".into(), signatures),
    ];
    if secret.kind == SecretType::Authorization {
        headers.push(("authorization".into(), secret.value.clone()));
    }
    let (url, body) = (hook.settings.url.clone(), delivery.body.clone());
    Message { method: Method::POST, url, headers, body }
}

fn judge(result: &Result<Answer, NotSent>, now: Timestamp) -> TryEnd {
    match result {
        Ok(answer) => judge_status(answer.status, retry_after_s(answer, now)),
        Err(_) => TryEnd::Failure { retry_after_ms: None },
    }
}

/// The answer's Retry-After in seconds, which may be a date (RFC 9110).
fn retry_after_s(answer: &Answer, now: Timestamp) -> Option<i64> {
    let (_, value) = answer.headers.iter().find(|(name, _)| name == "retry-after")?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number can be too large for the type, since the RFC does not limit its digits.
        return Some(value.parse().unwrap_or(i64::MAX));
    }
    Some((parse_http_date(value)?.0 - now.0) / 1_000)
}

fn last_try(
    result: Result<Answer, NotSent>,
    end: TryEnd,
    at: Timestamp,
    duration_ms: i64,
) -> LastTry {
    let mut last = LastTry {
        at,
        duration_ms,
        status: None,
        error: None,
        response_headers: None,
        response: None,
    };
    match result {
        Ok(answer) => {
            last.error = match end {
                TryEnd::Success => None,
                TryEnd::Gone => Some("the receiver wants no more deliveries".to_owned()),
                TryEnd::Failure { .. } if (300..400).contains(&answer.status) => {
                    Some("the answer is a redirect, which is not followed".to_owned())
                }
                TryEnd::Failure { .. } => Some("the status is not 2xx".to_owned()),
            };
            last.status = Some(answer.status);
            last.response_headers = Some(headers_text(&answer.headers));
            last.response = Some(answer.body);
        }
        Err(why) => last.error = Some(why.0),
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_of_any_size_or_a_date() {
        let day_ms = 24 * 60 * 60 * 1_000;
        for (value, expected_ms) in [
            ("120", Some(120_000)),
            ("0", Some(0)),
            ("86401", Some(day_ms)),
            ("9223372036854775807", Some(day_ms)),
            ("9223372036854775808", Some(day_ms)),
            ("99999999999999999999", Some(day_ms)),
            (&"9".repeat(500), Some(day_ms)),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(60_000)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(day_ms)),
            ("-99999999999999999999", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            let answer = Answer { status: 503, headers, body: String::new() };
            let end = judge(&Ok(answer), Timestamp(0));
            assert_eq!(end, TryEnd::Failure { retry_after_ms: expected_ms }, "{value}");
        }
    }
}
