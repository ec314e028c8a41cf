//! The notices about webhooks that were paused because they failed, which every page shows to the
//! people who can mend them.

use crate::domain::hook::PausedBecause;
use crate::domain::ids::AccountId;
use crate::http::admin::words::cut;
use crate::store::{Reader, StoreError};

/// The most events that are read to count what one hook has missed, so that a page never costs
/// more than a little.
const EVENTS_MAX: usize = 1_000;

/// Characters of a hook's URL in a notice.
const URL_CHARS_MAX: usize = 100;

/// A notice, and the page that helps.
#[derive(Debug, Clone)]
pub struct HookNotice {
    pub text: String,
    pub href: String,
}

/// The notices about an account's hooks; `base` is the path of the public URL.
pub fn load_notices(
    reader: &Reader<'_>,
    account_id: &AccountId,
    base: &str,
) -> Result<Vec<HookNotice>, StoreError> {
    let mut notices = Vec::new();
    for hook in reader.list_stopped_hooks(account_id)? {
        let missed = reader.count_missed(&hook, EVENTS_MAX)?;
        let why = match hook.paused {
            Some((_, PausedBecause::Gone)) => "its receiver answered 410 Gone",
            _ => "nothing was delivered for 75 hours",
        };
        let missed = match (missed.is_all, missed.count) {
            (true, 0) => "It has missed nothing yet.".to_owned(),
            (true, 1) => "It has missed 1 delivery.".to_owned(),
            (true, count) => format!("It has missed {count} deliveries."),
            (false, 0) => "It may have missed a lot.".to_owned(),
            (false, count) => format!("It has missed over {count} deliveries."),
        };
        let url = cut(&hook.settings.url, URL_CHARS_MAX);
        notices.push(HookNotice {
            text: format!("The webhook {url} is paused, because {why}. {missed}"),
            href: format!("{base}/admin/{account_id}/hooks/{}", hook.id),
        });
    }
    Ok(notices)
}
