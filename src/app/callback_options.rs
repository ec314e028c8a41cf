//! The settings in the query of a session's `callback_url` (docs/contract.md, Decision 11, and
//! docs/contract.md, Facts 7).

use url::Url;

use crate::domain::callback::DELAY_S_MAX;
use crate::json::{self, Tree};
use crate::store::OrderSessionRecord;

/// The parameter that has the session's id, unless the merchant names another.
const SID: &str = "session_id";

/// The most characters of that parameter's name.
const SID_CHARS_MAX: usize = 64;

/// A session's `callback_url` and the settings in its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackOptions {
    pub url: Url,
    /// True if a POST is asked for instead of a GET.
    pub is_post: bool,
    /// True if sessions that end without a payment are reported too.
    pub reports_errors: bool,
    /// How long the first try waits after the end of the session.
    pub delay_ms: i64,
    /// The name of the parameter that has the session's id.
    pub session_parameter: String,
}

impl CallbackOptions {
    /// The options of a session; `None` if it has no `callback_url`.
    pub fn of(session: &OrderSessionRecord) -> Option<CallbackOptions> {
        let document = json::parse(session.document.0.as_bytes()).ok()?;
        let sent = document.member("urls")?.member("callback_url").and_then(Tree::as_text)?;
        Some(CallbackOptions::parse(Url::parse(sent).ok()?))
    }

    /// The settings in the URL's query that have invalid values, each with what was expected.
    pub fn invalid_settings(url: &Url) -> Vec<(&'static str, &'static str)> {
        let pairs = url.query_pairs();
        let invalid = pairs.filter_map(|(key, value)| match key.as_ref() {
            "method" if !is_method(&value) => Some(("method", "GET or POST")),
            "delay_callback" if parse_delay(&value).is_none() => {
                Some(("delay_callback", "a whole number of seconds"))
            }
            "sid_parameter_name" if !is_name(&value) => {
                Some(("sid_parameter_name", "1 to 64 letters, digits, _ and -"))
            }
            _ => None,
        });
        invalid.collect()
    }

    fn parse(url: Url) -> CallbackOptions {
        let asked = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        let is_post = asked("method").is_some_and(|method| method.eq_ignore_ascii_case("POST"));
        let reports_errors = asked("report_error").is_some_and(|word| word == "true");
        let delay_s = asked("delay_callback").and_then(|text| parse_delay(&text)).unwrap_or(0);
        let delay_ms = delay_s * 1_000;
        let session_parameter =
            asked("sid_parameter_name").filter(|name| is_name(name)).unwrap_or(SID.to_owned());
        CallbackOptions { url, is_post, reports_errors, delay_ms, session_parameter }
    }
}

fn is_method(text: &str) -> bool {
    text.eq_ignore_ascii_case("GET") || text.eq_ignore_ascii_case("POST")
}

/// Whole seconds, at most [`DELAY_S_MAX`]; `None` if the text is not a number of digits only.
fn parse_delay(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that does not fit the type is also more than the longest delay.
    is_number.then(|| text.parse().unwrap_or(DELAY_S_MAX).min(DELAY_S_MAX))
}

/// True for a name that cannot be mistaken for another parameter's.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=SID_CHARS_MAX).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_how_to_call() {
        let of = |query: &str| {
            let url = Url::parse(&format!("https://shop.example/cb{query}")).unwrap();
            let options = CallbackOptions::parse(url);
            let CallbackOptions { is_post, reports_errors, delay_ms, session_parameter, .. } =
                options;
            (is_post, reports_errors, delay_ms, session_parameter)
        };
        let usual = || (false, false, 0, "session_id".to_owned());
        assert_eq!(of(""), usual());
        let all = "?method=post&report_error=true&delay_callback=30&sid_parameter_name=sid#x";
        assert_eq!(of(all), (true, true, 30_000, "sid".to_owned()));
        for (delay, expected) in [
            ("60", 60_000),
            ("120", 60_000),
            ("99999999999999999999", 60_000),
            ("-1", 0),
            ("1.5", 0),
        ] {
            assert_eq!(of(&format!("?delay_callback={delay}")).2, expected, "{delay}");
        }
        for other in
            ["?method=PUT", "?report_error=1", "?sid_parameter_name=", "?sid_parameter_name=a%26b"]
        {
            assert_eq!(of(other), usual(), "{other}");
        }
    }
}
