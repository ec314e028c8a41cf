//! Makes, shows, lists, changes and deletes payout rules.

use actix_web::{HttpRequest, HttpResponse};

use crate::app::{
    ChangePayoutRule, ChangePayoutRuleRefused, CreatePayoutRule, CreatePayoutRuleRefused,
    PayoutRuleChange,
};
use crate::auth::access::Actor;
use crate::domain::ids::{AccountId, PayoutRuleSeq};
use crate::domain::payout_rule::RULES_MAX;
use crate::http::edge::body::PAYOUT_RULE_BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{BillingReader, BillingWriter, Sent, on_behalf_of, path_segment};
use crate::http::list_answer::{self, ListPage};
use crate::http::reply::{read, write_and_read};
use crate::http::state::state;
use crate::store::{AnswerName, Reader};
use crate::wire::list_query::unknown_paging_token;
use crate::wire::payout_rule_query::{PayoutRuleListQuery, payout_rule_list};
use crate::wire::{payout_rule_request, payout_rule_view};

/// `POST /billing/payout-rules`: makes a rule.
pub async fn create(
    BillingWriter(actor): BillingWriter,
    request: HttpRequest,
    sent: Sent<PAYOUT_RULE_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let rule = payout_rule_request::parse(&sent.body)?;
    let command = CreatePayoutRule { on_behalf_of: on_behalf_of(&actor), rule };
    let command = sent.once(&actor, command, name_rule);
    write_and_read(state, &actor, command, create_refused, render_rule).await
}

/// `GET /billing/payout-rules`: a page of rules, newest first.
pub async fn list(
    BillingReader(actor): BillingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = payout_rule_list(request.query_string())?;
    let account_id = actor.account_id.clone();
    list_answer::answer(state, &actor, RuleList { account_id, asked }).await
}

/// A page of rules.
struct RuleList {
    account_id: AccountId,
    asked: PayoutRuleListQuery,
}

impl ListPage for RuleList {
    type Row = PayoutRuleSeq;

    const NAME: &'static str = "payout_rules";

    fn find(&self, reader: &Reader<'_>) -> Result<(Vec<PayoutRuleSeq>, Option<i64>), ApiError> {
        let mut query = self.asked.query.clone();
        if let Some(token) = &self.asked.starting_after {
            let found = reader.find_payout_rule(&self.account_id, token)?;
            query.starting_after = Some(found.ok_or_else(unknown_paging_token)?.rule_seq);
        }
        Ok(reader.list_payout_rule_seqs(&self.account_id, &query)?)
    }

    fn render(&self, reader: &Reader<'_>, row: &PayoutRuleSeq) -> Result<String, ApiError> {
        Ok(payout_rule_view::render(&reader.load_payout_rule(*row)?))
    }
}

/// `GET /billing/payout-rules/{payout_rule_id}`: one rule, also a deleted one.
pub async fn show(
    BillingReader(actor): BillingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (account_id, id) = (actor.account_id.clone(), rule_in_path(&request)?);
    read(state, &actor, move |reader| {
        let found = reader.find_payout_rule(&account_id, &id)?;
        Ok(payout_rule_view::render(&found.ok_or_else(not_found)?))
    })
    .await
}

/// `PUT /billing/payout-rules/{payout_rule_id}`: replaces a rule.
pub async fn update(
    BillingWriter(actor): BillingWriter,
    request: HttpRequest,
    sent: Sent<PAYOUT_RULE_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let rule = payout_rule_request::parse(&sent.body)?;
    change(&actor, &request, &sent, PayoutRuleChange::Replace(rule)).await
}

/// `DELETE /billing/payout-rules/{payout_rule_id}`: marks a rule as deleted.
pub async fn delete(
    BillingWriter(actor): BillingWriter,
    request: HttpRequest,
    sent: Sent<PAYOUT_RULE_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, &sent, PayoutRuleChange::Delete).await
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<PAYOUT_RULE_BODY_BYTES_MAX>,
    change: PayoutRuleChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let id = rule_in_path(request)?;
    let command = ChangePayoutRule { on_behalf_of: on_behalf_of(actor), id, change };
    let command = sent.once(actor, command, name_rule);
    write_and_read(state, actor, command, change_refused, render_rule).await
}

/// Names the answer of a form or request that made or changed a rule.
pub fn name_rule(rule_seq: &PayoutRuleSeq) -> AnswerName {
    AnswerName::PayoutRule(*rule_seq)
}

/// Renders the rule that the answer of a change names.
fn render_rule(reader: &Reader<'_>, name: &AnswerName) -> Result<String, ApiError> {
    Ok(payout_rule_view::render(&reader.load_payout_rule(name.payout_rule()?)?))
}

/// The id of the rule in the path.
pub fn rule_in_path(request: &HttpRequest) -> Result<String, ApiError> {
    path_segment(request, "payout_rule_id").ok_or_else(not_found)
}

/// The answer to the id of an unknown rule.
pub fn not_found() -> ApiError {
    ApiError::not_found("payout rule")
}

/// Explains why a rule was not made.
pub fn create_refused(why: CreatePayoutRuleRefused) -> ApiError {
    match why {
        CreatePayoutRuleRefused::Taken => taken(),
        CreatePayoutRuleRefused::TooMany => {
            let message = format!("The account has {RULES_MAX} payout rules; delete one first.");
            ApiError::new(Code::TooManyPayoutRules, message)
        }
    }
}

/// Explains why a rule was not changed.
pub fn change_refused(why: ChangePayoutRuleRefused) -> ApiError {
    match why {
        ChangePayoutRuleRefused::NotFound => not_found(),
        ChangePayoutRuleRefused::Taken => taken(),
        ChangePayoutRuleRefused::Deleted => {
            ApiError::new(Code::PayoutRuleDeleted, "The payout rule was deleted; make a new one.")
        }
    }
}

fn taken() -> ApiError {
    ApiError::new(
        Code::PayoutRuleTaken,
        "Another payout rule has this rule_type, rule_id and currency; change that one.",
    )
}
