//! Reads the flows that `compat` replays from `data/compat/`, and checks the answers.
//!
//! An exchange is a request and the claims about its answer. It lists the parts of the answer that
//! the public material gives (`same`), those that we added (`ours`), and those that differ from the
//! public material (`differs`, with the reason).

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::error::CliError;
use crate::domain::ids::AccountId;

/// Made from `flows.yaml`; a test keeps the two equal.
const FLOWS: &str = include_str!("../../data/compat/flows.json");

/// A request that was sent, with the checked claims about its answer.
pub struct Replayed {
    pub flow: String,
    /// Method and path as in the flows.
    pub request: String,
    pub what: String,
    pub claims: Vec<CheckedClaim>,
}

/// A claim about an answer, and whether it holds.
pub struct CheckedClaim {
    pub kind: ClaimKind,
    pub note: String,
    pub outcome: Outcome,
}

/// The kind of a claim about an answer; the file's head explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    Same,
    Ours,
    Differs,
}

pub enum Outcome {
    Holds,
    /// With the difference that was found.
    Failed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    flow: String,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// A description, for people.
    what: String,
    /// Method and path below the account.
    send: String,
    #[serde(default)]
    body: Option<Value>,
    /// The account, if it is not the client's.
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    auth: Auth,
    status: u16,
    /// JSON pointers into the answer, with the values that the public material gives. `<text>`,
    /// `<integer>`, `<time>`, `<list>` and `<object>` match any value of that kind, and `<absent>`
    /// a missing one.
    #[serde(default)]
    same: BTreeMap<String, Value>,
    #[serde(default)]
    ours: Option<Claim>,
    #[serde(default)]
    differs: Option<Claim>,
    /// Values that later requests need: a name, and a JSON pointer into the answer.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    note: String,
    #[serde(default)]
    has: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Auth {
    /// HTTP Basic with the client's id and secret.
    Basic,
    None,
    #[default]
    Token,
}

/// A server under test, with the values kept so far.
struct Session<'a> {
    agent: ureq::Agent,
    base: String,
    account: &'a AccountId,
    basic: String,
    /// Values that exchanges have kept, such as `token`.
    kept: BTreeMap<String, String>,
}

/// The requests that were sent, in order.
pub struct Replay {
    pub sent: Vec<Replayed>,
    /// Why the remaining requests were not sent; `None` if all were.
    pub stopped: Option<String>,
}

/// Sends the requests of every flow, in order. Stops if an answer lacks a value that later requests
/// need in their paths or bodies, since they would not be the requests of the flows without it.
pub fn replay(
    url: &str,
    account: &AccountId,
    client_id: &str,
    client_secret: &str,
) -> Result<Replay, CliError> {
    let flows: Vec<Flow> = serde_json::from_str(FLOWS).map_err(|error| {
        CliError::Refused(format!("the compiled-in flows cannot be read: {error}"))
    })?;
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut session = Session {
        agent: config.into(),
        base: format!("{url}/v1/accounts"),
        account,
        basic: BASE64_STANDARD.encode(format!("{client_id}:{client_secret}")),
        kept: BTreeMap::new(),
    };
    let mut sent = Vec::new();
    for flow in &flows {
        for exchange in &flow.exchanges {
            let (status, answer) = session.send(exchange)?;
            let lacking = session.keep(exchange, &answer);
            sent.push(Replayed {
                flow: flow.flow.clone(),
                request: exchange.send.clone(),
                what: exchange.what.clone(),
                claims: exchange.claims(status, &session, &answer),
            });
            if let Some(lacking) = lacking {
                return Ok(Replay {
                    sent,
                    stopped: Some(exchange.stopped(status, lacking, &answer)),
                });
            }
        }
    }
    Ok(Replay { sent, stopped: None })
}

impl Session<'_> {
    fn send(&self, exchange: &Exchange) -> Result<(u16, Value), CliError> {
        let (method, path) = exchange.send.split_once(' ').unwrap_or(("GET", &exchange.send));
        let account = exchange.account.as_deref().unwrap_or(self.account.as_str());
        let url = format!("{}/{account}{}", self.base, self.fill(path));
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        request = match exchange.auth {
            Auth::None => request,
            Auth::Basic => request.header("authorization", format!("Basic {}", self.basic)),
            Auth::Token => {
                request.header("authorization", format!("Bearer {}", self.text("token")))
            }
        };
        let body = exchange.body.as_ref().map(|body| self.fill(&body.to_string()));
        let request = request
            .header("content-type", "application/json")
            .body(body.unwrap_or_default())
            .map_err(|error| {
                CliError::Refused(format!("no request can be made to {url}: {error}"))
            })?;
        let answer = self.agent.run(request);
        let mut answer = answer.map_err(|error| {
            let message =
                format!("{url} does not answer: {error}. Check that a server is running there");
            CliError::Refused(message)
        })?;
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let document = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok((answer.status().as_u16(), document))
    }

    /// Keeps what later requests need. Returns the name of a value that the answer does not have.
    fn keep<'s>(&mut self, exchange: &'s Exchange, answer: &Value) -> Option<&'s str> {
        for (name, pointer) in &exchange.keep {
            let Some(found) = answer.pointer(pointer).and_then(Value::as_str) else {
                return Some(name);
            };
            self.kept.insert(name.clone(), found.to_owned());
        }
        None
    }

    fn text(&self, name: &str) -> &str {
        self.kept.get(name).map_or("", String::as_str)
    }

    /// The text with each `{name}` replaced by the value kept under it.
    fn fill(&self, text: &str) -> String {
        let account = text.replace("{account}", self.account.as_str());
        self.kept
            .iter()
            .fold(account, |text, (name, kept)| text.replace(&format!("{{{name}}}"), kept))
    }
}

impl Exchange {
    /// Why no request after this one was sent.
    fn stopped(&self, status: u16, lacking: &str, answer: &Value) -> String {
        let said = answer.pointer("/error/message").and_then(Value::as_str);
        let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
        let advice = match status {
            401 | 403 => {
                "Check --account, --client-id and --client-secret, and that the client has the \
                 grants admin:shopping, admin:hooks and admin:billing"
            }
            _ => "Check that --url is a Tillbook of this program's version",
        };
        format!(
            "`{}` was answered with {status}{said} and without the {lacking} that later requests \
             need, so they were not sent. {advice}",
            self.send
        )
    }

    /// Checks the claims about the answer: `same` unless the answer differs from the public
    /// material, then `ours` and `differs`, if there are any.
    fn claims(&self, status: u16, session: &Session<'_>, answer: &Value) -> Vec<CheckedClaim> {
        let wrong_status = (status != self.status)
            .then(|| format!("status {status} instead of {}: {}", self.status, shortened(answer)));
        let check = |kind, note: &str, has: &BTreeMap<String, Value>| {
            let wrong = wrong_status.clone().or_else(|| first_difference(has, session, answer));
            let outcome = wrong.map_or(Outcome::Holds, Outcome::Failed);
            CheckedClaim { kind, note: note.to_owned(), outcome }
        };
        let mut claims = Vec::new();
        if self.differs.is_none() {
            claims.push(check(ClaimKind::Same, "", &self.same));
        }
        let others = [(ClaimKind::Ours, &self.ours), (ClaimKind::Differs, &self.differs)];
        for (kind, claim) in others {
            claims.extend(claim.iter().map(|claim| check(kind, &claim.note, &claim.has)));
        }
        claims
    }
}

/// The first difference from the expected values.
fn first_difference(
    expected: &BTreeMap<String, Value>,
    session: &Session<'_>,
    answer: &Value,
) -> Option<String> {
    expected.iter().find_map(|(pointer, expected)| {
        let found = answer.pointer(pointer);
        let text = session.fill(&expected.to_string());
        let expected = serde_json::from_str(&text).unwrap_or(Value::Null);
        let fits = fits(found, &expected);
        (!fits).then(|| {
            let found = found.map_or_else(|| "nothing".to_owned(), shortened);
            format!("{pointer} is {found} instead of {text}")
        })
    })
}

fn fits(found: Option<&Value>, expected: &Value) -> bool {
    let Some(found) = found else { return expected == "<absent>" };
    match expected.as_str() {
        Some("<absent>") => false,
        Some("<text>") => found.as_str().is_some_and(|text| !text.is_empty()),
        Some("<time>") => found.as_str().and_then(crate::clock::parse_rfc3339).is_some(),
        Some("<integer>") => found.is_i64(),
        Some("<list>") => found.is_array(),
        Some("<object>") => found.is_object(),
        _ => found == expected,
    }
}

/// The first characters of a document, for a message.
fn shortened(value: &Value) -> String {
    const SHOWN_MAX: usize = 160;
    value.to_string().chars().take(SHOWN_MAX).collect()
}
