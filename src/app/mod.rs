//! Every write that a caller can ask for, one command per file.
//!
//! A command reads and decides in the transaction that it writes in. It is synchronous and is given
//! only a [`Tx`](crate::store::Tx), so it can call nothing outside the database.

mod access;
mod add_service_event;
mod amend_order;
mod answer_checkout;
mod callback_options;
mod cancel_order_session;
mod change_draft;
mod change_hook;
mod change_order_status;
mod change_payout_rule;
mod change_user;
mod choose_payout_rules;
mod comment_order;
mod complete_draft;
mod create_account;
mod create_client;
mod create_draft;
mod create_hook;
mod create_order_session;
mod create_payout_rule;
mod create_user;
mod disable_client;
mod documents;
mod draft_names;
mod draft_options;
mod edit_account;
mod erase_deleted_words;
mod expire_due;
mod expire_order_sessions;
mod findable;
mod forget_answers;
mod forget_deliveries;
mod idempotent;
mod make_deliveries;
mod operation_payouts;
mod order_change;
mod prepare_book;
mod record_operation;
mod replay_deliveries;
mod session_steps;
mod sessions;
mod settle_callbacks;
mod settle_deliveries;
mod sign_in_attempts;
mod tell_server;
mod update_order;

pub use access::Access;
pub use add_service_event::{AddServiceEvent, AddServiceEventRefused};
pub use answer_checkout::{AnswerCheckout, AnswerCheckoutRefused, Answered};
pub use callback_options::CallbackOptions;
pub use cancel_order_session::{CancelOrderSession, CancelOrderSessionRefused};
pub use change_draft::{ChangeDraft, ChangeDraftRefused, DraftChange, DraftProblem, DraftUpdate};
pub use change_hook::{ChangeHook, ChangeHookRefused, HookChange, HookUpdate};
pub use change_order_status::{ChangeOrderStatus, ChangeOrderStatusRefused};
pub use change_payout_rule::{ChangePayoutRule, ChangePayoutRuleRefused, PayoutRuleChange};
pub use change_user::{ChangeUser, ChangeUserRefused, UserChange};
pub use comment_order::{CommentChange, CommentOrder, CommentOrderRefused};
pub use complete_draft::{CompleteDraft, CompleteDraftRefused, CompletedDraft};
pub use create_account::{CreateAccount, CreateAccountRefused};
pub use create_client::{CreateClient, CreateClientRefused};
pub use create_draft::{CreateDraft, CreateDraftRefused};
pub use create_hook::{CreateHook, CreateHookRefused};
pub use create_order_session::{
    CreateOrderSession, CreateOrderSessionRefused, SESSION_ID_PLACE, SessionRequest,
};
pub use create_payout_rule::{CreatePayoutRule, CreatePayoutRuleRefused};
pub use create_user::{CreateUser, CreateUserRefused};
pub use disable_client::{DisableClient, DisableClientRefused};
pub use documents::{ParsedDraft, ParsedItem};
pub use draft_options::{ORDER_TIME_TO_LIVE, acting_options};
pub use edit_account::{EditAccount, EditAccountRefused};
pub use erase_deleted_words::EraseDeletedWords;
pub use expire_due::{ConfirmClock, ExpireDue, FollowClock};
pub use expire_order_sessions::ExpireOrderSessions;
pub use forget_answers::ForgetAnswers;
pub use forget_deliveries::ForgetDeliveries;
pub use idempotent::{Idempotent, IdempotentRefused, Once};
pub use make_deliveries::{HookStep, MakeDeliveries, MakeLateDeliveries};
pub use order_change::{ChangeProblem, ItemChange, OrderChange, PartChange};
pub use prepare_book::{MarkAsDemo, PrepareBook};
pub use record_operation::{
    ExceededAmount, RecordOperation, RecordOperationRefused, RecordedOperation,
};

pub use replay_deliveries::{
    PING, PingHook, PingRefused, ReplayDeliveries, ReplayDelivery, ReplayRefused,
};
pub use sessions::{
    EndSession, LinkUse, LinkUserNotFound, MakeSignInLink, SESSION_LIFE_MS, SetUp, StartSession,
    TouchSession, UseLinkRefused, UseSignInLink, find_usable_link,
};
pub use settle_callbacks::{ForgetCallbacks, SettleCallbacks};
pub use settle_deliveries::{EndedTry, SettleDeliveries};
pub use tell_server::TellServer;
pub use update_order::{MadeUpdate, UpdateOrder, UpdateOrderRefused};

pub use sign_in_attempts::RememberFailures;

use crate::domain::ids::{AccountId, CreatedBy, DraftSeq, OrderName, OrderSeq};

/// An order that a command has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOrder {
    pub order_seq: OrderSeq,
    /// The order's name in links.
    pub order_id: OrderName,
}

/// A draft that a command has made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenDraft {
    pub draft_seq: DraftSeq,
    pub id: String,
}

/// The account that a command may touch, and the client or user recorded as its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnBehalfOf {
    pub account_id: AccountId,
    pub created_by: CreatedBy,
}
