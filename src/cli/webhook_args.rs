//! The options of servers about webhooks, and the start of their delivery.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::error::CliError;
use crate::http::AppState;
use crate::outbound::{Allowed, ClientOptions, Guard, NotSent, Outbound, SystemLookup};
use crate::worker::{DeliverOptions, Deliverer};

/// How long one try of a webhook may take in all (docs/contract.md, Decision 10).
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(20);

/// Where webhooks may be sent to.
#[derive(Args, Clone)]
pub struct WebhookArgs {
    /// A private host or network that webhooks may be sent to, also without TLS: HOST, HOST:PORT or
    /// NETWORK, such as 192.168.1.0/24; can be repeated
    #[arg(
        long = "webhook-allow",
        env = "TILLBOOK_WEBHOOK_ALLOW",
        value_name = "HOST",
        value_delimiter = ',',
        value_parser = parse_allowed
    )]
    webhook_allow: Vec<Allowed>,
    /// A PEM file with certificate authorities that webhooks' receivers may also use
    #[arg(long = "webhook-ca", env = "TILLBOOK_WEBHOOK_CA", value_name = "FILE")]
    webhook_ca: Option<PathBuf>,
    /// Allows this machine; only the demo does, and no option.
    #[arg(skip)]
    pub allow_loopback: bool,
}

impl WebhookArgs {
    /// Judges the addresses of webhooks by these options.
    pub fn guard(&self) -> Guard {
        let guard = Guard::new(self.webhook_allow.clone());
        if self.allow_loopback { guard.with_loopback() } else { guard }
    }

    /// Starts sending webhooks.
    pub fn start(&self, state: &AppState) -> Result<Deliverer, CliError> {
        let refused = |why: NotSent| CliError::Refused(format!("webhooks cannot be sent: {why}"));
        let roots =
            self.webhook_ca.as_deref().map(Outbound::read_roots).transpose().map_err(refused)?;
        let outbound = Outbound::new(ClientOptions {
            guard: state.webhook_guard.clone(),
            lookup: Arc::new(SystemLookup::default()),
            timeout: WEBHOOK_TIMEOUT,
            roots: roots.unwrap_or_default(),
            user_agent: format!("Tillbook-Hook/{}", env!("CARGO_PKG_VERSION")),
        });
        let options = DeliverOptions {
            links: state.links.clone(),
            outbound: outbound.map_err(refused)?,
            clock: state.clock.clone(),
            randomness: state.randomness.clone(),
        };
        Ok(Deliverer::start(&state.store, options)?)
    }
}

fn parse_allowed(text: &str) -> Result<Allowed, String> {
    Allowed::parse(text).ok_or_else(|| {
        "expected a host, a host and a port, or a network, such as 192.168.1.0/24".to_owned()
    })
}
