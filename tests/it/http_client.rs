//! An HTTP client for the tests: requests, answers and the credentials of an API client.

use std::time::Duration;

use serde_json::Value;

/// An API client's credentials.
#[derive(Debug, Clone)]
pub struct Client {
    pub client_id: String,
    pub secret: String,
}

/// An answer of the server.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// Null when the text is not JSON.
    pub body: Value,
}

impl Reply {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `error.code`, or an empty text.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The problems of an error as `path code`, one per line.
    pub fn problems(&self) -> String {
        let none = Vec::new();
        let problems = self.body["error"]["errors"].as_array().unwrap_or(&none);
        let text =
            |p: &Value| format!("{} {}", p["path"].as_str().unwrap(), p["code"].as_str().unwrap());
        problems.iter().map(text).collect::<Vec<_>>().join("\n")
    }

    /// Panics unless the reply has that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// `Authorization: Basic …` of a client.
pub fn basic(client: &Client) -> String {
    use base64::Engine;
    let pair = format!("{}:{}", client.client_id, client.secret);
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

/// Sends one request on its own connection.
pub fn send(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Reply {
    try_send(&agent(), url, method, path, headers, body).unwrap()
}

/// How long a client waits for an answer: much longer than any answer takes.
const ANSWER_S: u64 = 60;

/// The most bytes of an answer that a client reads. An order with all its events can be large.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A client that keeps its connections alive.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(ANSWER_S)))
        .build()
        .into()
}

/// Sends one request; an error when no complete answer came.
#[expect(clippy::too_many_arguments, reason = "these are the parts of a request")]
pub fn try_send(
    agent: &ureq::Agent,
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Reply, ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => {
            let typed = headers.iter().any(|(name, _)| *name == "content-type");
            if !typed {
                request = request.header("content-type", "application/json");
            }
            agent.run(request.body(body.to_owned()).unwrap())?
        }
        None => agent.run(request.body(()).unwrap())?,
    };
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Reply { status: response.status().as_u16(), headers, text, body })
}

/// The answer of `/health`.
pub fn health(url: &str) -> Reply {
    send(url, "GET", "/health", &[], None)
}
