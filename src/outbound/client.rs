//! Sends one request and reads the beginning of its answer, within limits of time and size.

use std::borrow::Cow;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::guard::{Guard, Permit};
use super::resolver::{GuardedResolver, Lookup};

/// The most bytes of an answer's body that are read, and how many of them are kept.
const READ_BYTES_MAX: usize = 64 << 10;
const KEPT_BYTES_MAX: usize = 4 << 10;

/// The most bytes of an answer's headers that are kept.
const KEPT_HEADER_BYTES_MAX: usize = 2 << 10;

/// Idle connections that are kept to each host, and for how long.
const IDLE_PER_HOST_MAX: usize = 4;
const IDLE_MAX: Duration = Duration::from_secs(10);

/// The most characters of an error's text.
const ERROR_CHARS_MAX: usize = 300;

/// The settings of the client.
#[derive(Clone)]
pub struct ClientOptions {
    pub guard: Guard,
    pub lookup: Arc<dyn Lookup>,
    /// How long one request may take in all, the answer included.
    pub timeout: Duration,
    /// Certificates that are trusted in addition to those of the public authorities.
    pub roots: Vec<CertificateDer<'static>>,
    pub user_agent: String,
}

/// Sends requests to other servers; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    timeout: Duration,
    clients: Clients,
}

/// A client per permit, because a client's resolver knows only the name of a host.
#[derive(Clone)]
struct Clients {
    any: Client,
    public_or_allowed: Client,
    allowed: Client,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Message {
    pub method: Method,
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: String,
}

/// The beginning of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// The first headers, with values that are text.
    pub headers: Vec<(String, String)>,
    /// The first bytes of the body; invalid UTF-8 is replaced.
    pub body: String,
}

/// Why a request got no answer. The text contains neither the URL nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotSent(pub String);

impl Outbound {
    pub fn new(options: ClientOptions) -> Result<Outbound, NotSent> {
        let client = |permit| client(&options, permit);
        Ok(Outbound {
            guard: options.guard.clone(),
            timeout: options.timeout,
            clients: Clients {
                any: client(Permit::Any)?,
                public_or_allowed: client(Permit::PublicOrAllowed)?,
                allowed: client(Permit::Allowed)?,
            },
        })
    }

    /// The certificates in a PEM file.
    pub fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, NotSent> {
        let unreadable = |why: &dyn Error| {
            NotSent(format!("{} has no certificates in PEM form: {why}", file.display()))
        };
        let found = CertificateDer::pem_file_iter(file).map_err(|why| unreadable(&why))?;
        let roots: Result<Vec<_>, _> = found.collect();
        let roots = roots.map_err(|why| unreadable(&why))?;
        if roots.is_empty() {
            return Err(NotSent(format!("{} has no certificates in PEM form", file.display())));
        }
        Ok(roots)
    }

    /// Sends a request. A redirect is an answer like any other and is not followed.
    pub async fn send(&self, message: Message) -> Result<Answer, NotSent> {
        let url = Url::parse(&message.url).map_err(|_| NotSent("the URL is invalid".to_owned()))?;
        let permit = self.guard.permit(&url).map_err(|why| NotSent(why.to_string()))?;
        let client = match permit {
            Permit::Any => &self.clients.any,
            Permit::PublicOrAllowed => &self.clients.public_or_allowed,
            Permit::Allowed => &self.clients.allowed,
        };
        let headers = header_map(&message.headers)?;
        let request = client.request(message.method, url).headers(headers);
        // An empty body would have a Content-Length, which a GET does not need.
        let has_body = !message.body.is_empty();
        let request = if has_body { request.body(message.body) } else { request }.send();
        let limit = tokio::time::sleep(self.timeout);
        tokio::pin!(limit);
        let response = tokio::select! {
            response = request => response.map_err(|error| describe(&error.without_url()))?,
            () = &mut limit => return Err(self.too_slow()),
        };
        let (status, headers) = (response.status().as_u16(), kept_headers(&response));
        // The status is the outcome. A body that comes too slowly only ends early.
        let body = tokio::select! {
            body = read_body(response) => body,
            () = &mut limit => Vec::new(),
        };
        Ok(Answer { status, headers, body: kept_text(&body) })
    }

    fn too_slow(&self) -> NotSent {
        NotSent(format!("there was no answer within {} seconds", self.timeout.as_secs()))
    }
}

fn client(options: &ClientOptions, permit: Permit) -> Result<Client, NotSent> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    roots.add_parsable_certificates(options.roots.iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NotSent(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let resolver =
        GuardedResolver { lookup: options.lookup.clone(), guard: options.guard.clone(), permit };
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .user_agent(&options.user_agent)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .build();
    client.map_err(|error| describe(&error))
}

fn header_map(headers: &[(Cow<'static, str>, String)]) -> Result<HeaderMap, NotSent> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let wrong = || NotSent(format!("the header {name} is not text"));
        let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        map.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(map)
}

/// The first bytes of a body, until the limit, its end or an error.
async fn read_body(mut response: Response) -> Vec<u8> {
    let (mut read, mut kept) = (0, Vec::new());
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        let room = KEPT_BYTES_MAX - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if READ_BYTES_MAX <= read {
            break;
        }
    }
    kept
}

fn kept_headers(response: &Response) -> Vec<(String, String)> {
    let (mut bytes, mut kept) = (0, Vec::new());
    for (name, value) in response.headers() {
        let Ok(value) = value.to_str() else { continue };
        bytes += name.as_str().len() + value.len();
        if KEPT_HEADER_BYTES_MAX < bytes {
            break;
        }
        kept.push((name.to_string(), value.to_owned()));
    }
    kept
}

/// At most as many characters as bytes are kept, without NUL, which the book does not store.
fn kept_text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}")
}

/// An error with its causes, without the URL, which may contain a secret.
fn describe(error: &reqwest::Error) -> NotSent {
    let mut texts: Vec<String> = Vec::new();
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|earlier| earlier.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    if texts.is_empty() {
        texts.push(error.to_string());
    }
    NotSent(texts.join(": ").chars().take(ERROR_CHARS_MAX).collect())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
