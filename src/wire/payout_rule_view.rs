//! Renders a payout rule (docs/contract.md, Decision 12).

use crate::clock::rfc3339;
use crate::json::ObjectText;
use crate::store::PayoutRuleRecord;

/// The rule's JSON text.
pub fn render(record: &PayoutRuleRecord) -> String {
    let key = &record.rule.key;
    let mut object = ObjectText::default();
    object
        .text("id", &record.id)
        .text("rule_type", key.rule_type.as_str())
        .text("rule_id", key.rule_id.as_str());
    if let Some(currency) = &key.currency {
        object.text("currency", currency.code());
    }
    object
        .members_of(&record.rule.document.0)
        .text("created_at", &rfc3339(record.created_at))
        .text("created_by", &record.created_by.0)
        .text("updated_at", &rfc3339(record.updated_at));
    if let Some((at, by)) = &record.deleted {
        object.text("deleted_at", &rfc3339(*at)).text("deleted_by", &by.0);
    }
    object.text("paging_token", &record.id).end()
}
