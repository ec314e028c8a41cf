//! The domain's decision, tested without a file or a server.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeMap;

use tillbook::domain::KeptJson;
use tillbook::domain::ids::{EventSeq, LineId, ResourceId};
use tillbook::domain::ledger::{ExceededLine, Ledger, OperationRejected, ReferenceProblem, decide};
use tillbook::domain::line::Line;
use tillbook::domain::money::Amount;
use tillbook::domain::operation::{
    DistinctItems, OperationItem, OperationItems, OperationKind, OperationRequest,
};
use tillbook::domain::order::{
    OrderStatus, StatusChange, StatusChangeRejected, decide_status_change,
};
use tillbook::domain::payment_status::PaymentStatus;
use tillbook::domain::payout_rule::{Destination, LineRule, RuleId, RuleType, Share, Shares};

use super::reference::{Answer, Change, Kind, Named, Problem, Request, body_problems};
use super::reference_payouts::{Rule, STORE, told};
use super::shop::{List, Page, Plan};
use super::steps::{Ended, Form};
use super::{Call, Outcome, Shown, Tried};

/// An order in memory.
pub struct PureOrder {
    ledger: Ledger,
    operations: usize,
    authorizations: usize,
    payouts: BTreeMap<String, Vec<String>>,
}

impl PureOrder {
    pub fn new(plan: &Plan) -> PureOrder {
        let line = |&(line, payable): &(i64, i64)| {
            Line::fresh(LineId::new(line).unwrap(), Amount::new(payable).unwrap())
        };
        let rules: BTreeMap<i64, Rule> = plan.rules().into_iter().collect();
        let pay_out = |line: Line| match rules.get(&line.line_id().number()) {
            Some(rule) => line.paid_out_by(line_rule(rule)),
            None => line,
        };
        let mut lines: Vec<Line> = plan.payable.iter().map(line).map(pay_out).collect();
        lines.sort_by_key(Line::line_id);
        let ledger = Ledger {
            status: OrderStatus::Open,
            multiple_authorizations: plan.multiple,
            authorizations: Vec::new(),
            lines,
        };
        PureOrder { ledger, operations: 0, authorizations: 0, payouts: BTreeMap::new() }
    }

    fn operate(&mut self, request: &Request) -> Answer {
        let Some(asked) = operation_request(request) else {
            // Only the parser of request bodies reports the exact problem; here it is enough that
            // both sides find one.
            return Err((400, "invalid_request".to_owned(), body_problems(request)));
        };
        let id = authorization_id(self.authorizations);
        let seq = EventSeq(i64::try_from(self.operations).unwrap());
        let recording =
            decide(&self.ledger, &asked, &id, seq).map_err(|rejected| explain(&rejected))?;
        let payouts = recording.payouts.iter().map(|(at, payout)| {
            let parts = payout.destinations.iter();
            let parts = parts.map(|(name, amount)| (name.as_str(), amount.minor_units()));
            told(request.items[*at].0, parts)
        });
        let payouts = payouts.collect::<Vec<_>>().join("; ");
        let kind = request.kind.plural().to_owned();
        self.payouts.entry(kind).or_default().push(payouts);
        self.ledger = recording.ledger;
        self.operations += 1;
        self.authorizations += usize::from(request.kind == Kind::Authorization);
        let named = request.kind != Kind::Authorization && self.ledger.multiple_authorizations;
        assert_eq!(recording.authorization_id.is_some(), named);
        Ok(())
    }

    fn change(&mut self, change: Change) -> Answer {
        let change = match change {
            Change::Open => StatusChange::Open,
            Change::Close => StatusChange::Close,
            Change::Cancel => StatusChange::Cancel(None),
        };
        let decided = decide_status_change(self.ledger.status, &self.ledger.lines, change);
        self.ledger.status = decided.map_err(|rejected| {
            let code = match rejected {
                StatusChangeRejected::OrderCancelled => "order_cancelled",
                StatusChangeRejected::OrderNotOpen => "order_not_open",
                StatusChangeRejected::OrderNotClosed => "order_not_closed",
                StatusChangeRejected::OrderHasCaptures => "order_has_captures",
            };
            (409, code.to_owned(), Vec::new())
        })?;
        Ok(())
    }

    fn signed(&self, line: &Line) -> [i64; 5] {
        let signed = |sum| line.payable().sign_applied_to(sum);
        let sums = line.sums();
        [
            signed(sums.authorized),
            signed(sums.captured),
            signed(sums.cancelled),
            signed(sums.refunded),
            self.ledger.remaining(line),
        ]
        .map(|sum| i64::try_from(sum).unwrap())
    }
}

impl Tried for PureOrder {
    fn call(&mut self, call: &Call, _form: Form, _key: usize) -> Outcome {
        Outcome::Answered(match call {
            Call::Operate(_, request) => self.operate(request),
            Call::Change(_, change) => self.change(*change),
            Call::Nowhere(_) | Call::Draft(_) | Call::Complete(_) => only_a_server(),
        })
    }

    fn shown(&self, _order: usize) -> Shown {
        let lines = self.ledger.lines.iter();
        Shown {
            status: self.ledger.status.as_str().to_owned(),
            payment_status: PaymentStatus::derive(&self.ledger.lines).as_str().to_owned(),
            sums: lines.map(|line| (line.line_id().number(), self.signed(line))).collect(),
            payouts: self.payouts.clone(),
        }
    }

    fn list(&self, _list: &List) -> Page {
        only_a_server()
    }

    fn expect_list_refused(&self) {
        only_a_server()
    }

    fn restart(&mut self, _ended: Ended) {
        only_a_server()
    }

    fn checkpoint(&self) {
        only_a_server()
    }
}

fn line_rule(rule: Rule) -> LineRule {
    let share = |(name, share): &(&str, i128)| Share {
        destination: Destination::parse(name).unwrap(),
        weight: u64::try_from(*share).unwrap() * 1_000_000,
    };
    LineRule {
        rule_type: RuleType::StoreId,
        rule_id: RuleId::parse(STORE).unwrap(),
        shares: Shares::restore(rule.iter().map(share).collect()).unwrap(),
    }
}

fn only_a_server<T>() -> T {
    unreachable!("these steps are drawn for a server alone")
}

/// `None` when a value of the request is out of range.
fn operation_request(request: &Request) -> Option<OperationRequest> {
    let item = |&(line, amount): &(i64, i64)| {
        Some(OperationItem { line_id: LineId::new(line)?, amount: Amount::new(amount)? })
    };
    let items = request.items.iter().map(item).collect::<Option<Vec<_>>>()?;
    Some(OperationRequest {
        kind: match request.kind {
            Kind::Authorization => OperationKind::Authorization,
            Kind::Capture => OperationKind::Capture,
            Kind::Refund => OperationKind::Refund,
            Kind::Cancellation => OperationKind::Cancellation,
        },
        success: request.success,
        authorization_id: request.authorization.map(|named| match named {
            Named::Nth(nth) => authorization_id(nth),
            Named::Stranger => ResourceId::parse("stranger").unwrap(),
        }),
        items: OperationItems::new(DistinctItems::new(items)?).ok()?,
        session_id: None,
        document: KeptJson::default(),
    })
}

fn authorization_id(nth: usize) -> ResourceId {
    ResourceId::parse(&format!("authorization {nth}")).unwrap()
}

fn explain(rejected: &OperationRejected) -> (u16, String, Vec<Problem>) {
    let (status, code, problems) = match rejected {
        OperationRejected::References(problems) => {
            (400, "invalid_request", problems.iter().map(reference_problem).collect())
        }
        OperationRejected::SumOutOfRange => {
            (400, "invalid_request", vec![Problem::new("/items", "amount_out_of_range")])
        }
        OperationRejected::OrderCancelled => (409, "order_cancelled", Vec::new()),
        OperationRejected::OrderNotOpen => (409, "order_not_open", Vec::new()),
        OperationRejected::AmountsExceedRemaining(lines) => {
            (409, "amount_exceeds_remaining", lines.iter().map(exceeded_problem).collect())
        }
    };
    (status, code.to_owned(), problems)
}

fn reference_problem(problem: &ReferenceProblem) -> Problem {
    match problem {
        ReferenceProblem::AuthorizationMissing => Problem::new("/authorization_id", "required"),
        ReferenceProblem::AuthorizationUnknown => {
            Problem::new("/authorization_id", "unknown_authorization")
        }
        ReferenceProblem::LineUnknown { item, .. } => {
            Problem::new(format!("/items/{item}/line_id"), "unknown_line")
        }
        ReferenceProblem::WrongSign { item, .. } => {
            Problem::new(format!("/items/{item}/amount"), "wrong_sign")
        }
    }
}

fn exceeded_problem(line: &ExceededLine) -> Problem {
    let last = line.last_moved_by.map(|seq| usize::try_from(seq.0).unwrap());
    let problem = Problem::new(format!("/items/{}/amount", line.item), "amount_exceeds_remaining");
    Problem { remaining: Some((i64::try_from(line.remaining).unwrap(), last)), ..problem }
}
