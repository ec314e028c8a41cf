//! One line about a received delivery: what it is about, and whether its signatures are right.

use crate::domain::Timestamp;
use crate::json::{Tree, parse};
use crate::wire::hook_signature::{event_signature, webhook_signature};

/// The most seconds between the time of a delivery and ours.
const CLOCKS_DIFFER_S_MAX: i64 = 300;

/// The most characters that are printed of a text.
const SHOWN_CHARS_MAX: usize = 80;

/// A received request.
pub(super) struct Sent {
    /// Names in lower case, and values, in the order of their arrival.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sent {
    /// A header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// The event, what it is about, its number, and whether it is signed.
pub(super) fn line_of(sent: &Sent, secret: &str, now: Timestamp) -> String {
    let body = parse(sent.body.as_bytes()).unwrap_or(Tree::Null);
    let seq = body.member("seq").and_then(Tree::as_integer);
    let seq = seq.map(|seq| format!("  seq {seq}")).unwrap_or_default();
    let problems = problems(sent, &body, secret, now);
    let verdict = if problems.is_empty() { "signature ok".to_owned() } else { problems.join("; ") };
    format!("{:<24}  {}{seq}  {verdict}", shown(sent.header("event")), subject(&body))
}

/// Names the object that changed, with its state or the amount.
fn subject(body: &Tree) -> String {
    let order_id = |order: &Tree| {
        let id = text_of(order, "order_id");
        if id.is_empty() { text_of(order, "id") } else { id }
    };
    let order = body.member("order");
    if let Some(event) = body.member("order_event") {
        let metadata = event.member("metadata").unwrap_or(&Tree::Null);
        let amount = metadata.member("amount").and_then(Tree::as_integer);
        let amount = amount.map(|amount| format!(" {amount} {}", text_of(metadata, "currency")));
        let order = order.map(order_id).unwrap_or_default();
        let state = text_of(event, "state");
        return format!("order {order}  {} {state}{}", step(event), amount.unwrap_or_default());
    }
    if let Some(order) = order {
        let status = text_of(order, "status");
        let states = format!("  {status} {}", text_of(order, "payment_status"));
        return format!("order {}{}", order_id(order), states.trim_end());
    }
    let Some(draft) = body.member("draft_order") else {
        return format!("webhook {}", text_of(body, "id"));
    };
    let orders = body.member("orders").map(Tree::elements).unwrap_or_default();
    let orders: Vec<String> = orders.iter().map(order_id).collect();
    let orders =
        if orders.is_empty() { String::new() } else { format!("  order {}", orders.join(", ")) };
    format!("draft {}  {}{orders}", text_of(draft, "id"), text_of(draft, "status"))
}

/// What a service did: its name and the step. Payment operations are known by the step.
fn step(event: &Tree) -> String {
    let (service, step) = (text_of(event, "service"), text_of(event, "service_status"));
    if service.is_empty() || service == "payment" { step } else { format!("{service} {step}") }
}

/// What is wrong with a delivery; empty if a receiver may trust it.
fn problems(sent: &Sent, body: &Tree, secret: &str, now: Timestamp) -> Vec<String> {
    let mut problems = Vec::new();
    let id = sent.header("webhook-id");
    if sent.header("event-signature") != event_signature(secret, &sent.body) {
        problems.push("event-signature is wrong".to_owned());
    }
    match sent.header("webhook-timestamp").parse::<i64>() {
        Err(_) => problems.push("webhook-timestamp is missing".to_owned()),
        Ok(timestamp) => {
            let signature = webhook_signature(secret, id, timestamp, &sent.body);
            let mut given = sent.header("webhook-signature").split(' ');
            if !given.any(|one| one == signature) {
                problems.push("webhook-signature is wrong".to_owned());
            }
            let differ_s = now.0.div_euclid(1_000).saturating_sub(timestamp).saturating_abs();
            if CLOCKS_DIFFER_S_MAX < differ_s {
                problems.push(format!("webhook-timestamp is {differ_s} seconds off"));
            }
        }
    }
    let names = [("event-delivery", "event_delivery"), ("event", "event")];
    for (header, member) in names {
        let told = text_of(body, member);
        if !told.is_empty() && told != sent.header(header) {
            problems.push(format!("{header} is not that of the body"));
        }
    }
    if id != sent.header("event-delivery") {
        problems.push("webhook-id is not event-delivery".to_owned());
    }
    problems
}

fn text_of(object: &Tree, key: &str) -> String {
    object.member(key).and_then(Tree::as_text).map(shown).unwrap_or_default()
}

/// A text without characters that could change the terminal.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(SHOWN_CHARS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_bmV3";
    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn sent(body: &str) -> Sent {
        let event = parse(body.as_bytes()).map(|tree| text_of(&tree, "event")).unwrap_or_default();
        let headers = [
            ("event", event),
            ("event-delivery", "d1".to_owned()),
            ("event-signature", event_signature(SECRET, body)),
            ("webhook-id", "d1".to_owned()),
            ("webhook-timestamp", "1700000000".to_owned()),
            ("webhook-signature", webhook_signature(SECRET, "d1", 1_700_000_000, body)),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Sent { headers, body: body.to_owned() }
    }

    #[test]
    fn each_event_is_one_line() {
        let cases = [
            (
                r#"{"event":"shopping_order_event_add","event_delivery":"d1","seq":12,
                "order_event":{"service":"payment","service_status":"capture","state":"success",
                "metadata":{"amount":39800,"currency":"NOK"}},"order":{"id":"x","order_id":"A1"}}"#,
                "shopping_order_event_add  order A1  capture success 39800 NOK  seq 12",
            ),
            (
                r#"{"event":"shopping_order_event_add","event_delivery":"d1","seq":12,
                "order_event":{"service":"session","service_status":"created","state":"pending",
                "metadata":{"amount":39800,"currency":"NOK"}},"order":{"order_id":"A1"}}"#,
                "shopping_order_event_add  order A1  session created pending 39800 NOK  seq 12",
            ),
            (
                r#"{"event":"shopping_order_delete","event_delivery":"d1","seq":13,
                "order":{"id":"x","order_id":"A1"}}"#,
                "shopping_order_delete     order A1  seq 13",
            ),
            (
                r#"{"event":"shopping_order_update","event_delivery":"d1","seq":12,
                "order":{"order_id":"A1","status":"open","payment_status":"paid"}}"#,
                "shopping_order_update     order A1  open paid  seq 12",
            ),
            (
                r#"{"event":"shopping_draft_complete","event_delivery":"d1","seq":3,
                "draft_order":{"id":"D","status":"completed"},
                "orders":[{"order_id":"A1"},{"id":"B2"}]}"#,
                "shopping_draft_complete   draft D  completed  order A1, B2  seq 3",
            ),
            (
                "{\"event\":\"shopping_order_event_add\",\"seq\":1,\"order_event\":\
                 {\"service_status\":\"a\\u001b[2J\\nb\",\"state\":\"success\"},\"order\":{}}",
                "shopping_order_event_add  order   a\u{fffd}[2J\u{fffd}b success  seq 1",
            ),
        ];
        for (body, expected) in cases {
            let line = line_of(&sent(body), SECRET, NOW);
            assert_eq!(line, format!("{expected}  signature ok"));
        }
    }

    /// What is changed, the listener's secret and time, and what it says.
    type Case<'a> = (&'a dyn Fn(&mut Sent), &'a str, Timestamp, &'a str);

    #[test]
    fn a_wrong_delivery_says_what_is_wrong() {
        let body = r#"{"event":"shopping_order_update","event_delivery":"d1","seq":1,"order":{}}"#;
        let told = |change: &dyn Fn(&mut Sent), secret: &str, now: Timestamp| {
            let mut sent = sent(body);
            change(&mut sent);
            line_of(&sent, secret, now).rsplit_once("seq 1  ").map(|(_, why)| why.to_owned())
        };
        let set = |name: &'static str, value: &'static str| {
            move |sent: &mut Sent| {
                let found = sent.headers.iter_mut().find(|(key, _)| key == name);
                found.unwrap().1 = value.to_owned();
            }
        };
        let late = Timestamp(NOW.0 + 301_000);
        let both = "event-signature is wrong; webhook-signature is wrong";
        let cases: [Case<'_>; 8] = [
            (&|_| {}, SECRET, NOW, "signature ok"),
            (&|_| {}, "whsec_b2xk", NOW, both),
            (&|_| {}, SECRET, late, "webhook-timestamp is 301 seconds off"),
            (&set("event-signature", "00"), SECRET, NOW, "event-signature is wrong"),
            (&set("webhook-signature", "v1,AA"), SECRET, NOW, "webhook-signature is wrong"),
            (&set("webhook-timestamp", ""), SECRET, NOW, "webhook-timestamp is missing"),
            (&set("event", "ping"), SECRET, NOW, "event is not that of the body"),
            (
                &set("event-delivery", "d2"),
                SECRET,
                NOW,
                "event-delivery is not that of the body; webhook-id is not event-delivery",
            ),
        ];
        for (change, secret, now, expected) in cases {
            assert_eq!(told(change, secret, now).as_deref(), Some(expected));
        }
    }
}
