//! Resolves host names and judges every address, so that a connection goes only to an address that
//! was judged. A name is resolved once for each connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::guard::{Guard, Permit};

/// How many names are looked up at once. A look-up may keep a thread for half a minute.
const LOOKUPS_MAX: usize = 16;

/// The future of a look-up.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks up the addresses of a host name. Tests replace it by one that lies.
pub trait Lookup: Send + Sync {
    fn look_up(&self, name: &str) -> Found;
}

/// The resolver of the machine.
#[derive(Debug)]
pub struct SystemLookup {
    running: Arc<Semaphore>,
}

impl Default for SystemLookup {
    fn default() -> SystemLookup {
        SystemLookup { running: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Lookup for SystemLookup {
    fn look_up(&self, name: &str) -> Found {
        let (name, running) = (name.to_owned(), self.running.clone());
        Box::pin(async move {
            let permit = running.acquire_owned().await.map_err(io::Error::other)?;
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            drop(permit);
            Ok(found?.map(|address| address.ip()).collect())
        })
    }
}

/// Gives a client the addresses of a name, or an error if one of them is not permitted.
pub(super) struct GuardedResolver {
    pub lookup: Arc<dyn Lookup>,
    pub guard: Guard,
    pub permit: Permit,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.look_up(name.as_str());
        let (guard, permit) = (self.guard.clone(), self.permit);
        Box::pin(async move {
            let addresses = found.await?;
            for address in &addresses {
                guard.judge_address(*address, permit)?;
            }
            if addresses.is_empty() {
                return Err("the host has no address".into());
            }
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            let sockets: Addrs = Box::new(sockets);
            Ok(sockets)
        })
    }
}
