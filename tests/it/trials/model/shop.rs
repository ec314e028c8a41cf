//! The reference's drafts, orders and lists, written from docs/contract.md, Decisions 5, 6 and 7.

use std::collections::BTreeSet;

use super::reference::{Answer, Order, Problem, conflict, invalid};
use super::reference_payouts::{OTHER_RULE, RULE, Rule};

/// A draft to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The line and its payable amount.
    pub payable: Vec<(i64, i64)>,
    pub multiple: bool,
    /// The number of the custom order id that it asks for; there are only a few, so that they
    /// repeat.
    pub name: Option<u8>,
    /// The existing order that it adds its items to, if any.
    pub amends: Option<usize>,
    pub flaw: PlanFlaw,
    /// Whether its options switch payouts on.
    pub payout: bool,
}

impl Plan {
    /// The payout rules of its lines.
    pub fn rules(&self) -> Vec<(i64, Rule)> {
        let rule = |nth: usize| match self.flaw {
            PlanFlaw::TwoStores if nth == 0 => OTHER_RULE,
            _ => RULE,
        };
        let lines = self.payable.iter().enumerate().filter(|_| self.payout);
        lines.map(|(nth, (line, _))| (*line, rule(nth))).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFlaw {
    None,
    /// Two items have the line id of the first.
    LineTwice,
    DiscountWithWrongSign,
    TotalOutOfRange,
    /// Completing it leaves no items to order.
    NoItems,
    /// The first item is of another store than the others.
    TwoStores,
}

/// A request for a page of a list.
#[derive(Debug, Clone)]
pub struct List {
    /// Empty means any.
    pub statuses: Vec<&'static str>,
    pub payment_statuses: Vec<&'static str>,
    pub limit: usize,
    /// The number of the last order of the page before.
    pub after: Option<usize>,
}

/// The numbers of the orders on a page, and how many orders the list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub orders: Vec<usize>,
    pub total: usize,
}

/// All drafts and orders, numbered in the order in which they were made.
pub struct Shop {
    pub orders: Vec<Order>,
    pub drafts: Vec<Draft>,
    names: BTreeSet<u8>,
}

pub struct Draft {
    pub plan: Plan,
    completed: bool,
}

impl Shop {
    /// A shop with one order.
    pub fn new(first: &Plan) -> Shop {
        let orders = vec![Order::new(&first.payable, first.multiple).with_rules(first.rules())];
        Shop { orders, drafts: Vec::new(), names: BTreeSet::new() }
    }

    pub fn draft(&mut self, plan: &Plan) -> Answer {
        invalid(plan_problems(plan))?;
        if plan.name.is_some_and(|name| self.names.contains(&name)) {
            return conflict("order_id_taken");
        }
        self.drafts.push(Draft { plan: plan.clone(), completed: false });
        Ok(())
    }

    /// Completes a draft; `None` is a draft that does not exist.
    pub fn complete(&mut self, nth: Option<usize>) -> Answer {
        let Some(draft) = nth.map(|nth| &mut self.drafts[nth]) else { return not_found() };
        let plan = &draft.plan;
        if draft.completed {
            return conflict("draft_completed");
        }
        invalid((plan.flaw == PlanFlaw::NoItems).then(|| Problem::new("/order/items", "empty")))?;
        if let Some(nth) = plan.amends {
            self.orders[nth].amend(&plan.payable)?;
            self.orders[nth].payouts.rules.extend(plan.rules());
            draft.completed = true;
            return Ok(());
        }
        if plan.name.is_some_and(|name| !self.names.insert(name)) {
            return conflict("order_id_taken");
        }
        draft.completed = true;
        // A draft with an order id of its own is never split.
        let is_split = plan.flaw == PlanFlaw::TwoStores && plan.name.is_none();
        let first = if is_split { 1.min(plan.payable.len()) } else { plan.payable.len() };
        let (first, others) = plan.payable.split_at(first);
        for payable in [first, others].into_iter().filter(|payable| !payable.is_empty()) {
            self.orders.push(Order::new(payable, plan.multiple).with_rules(plan.rules()));
        }
        Ok(())
    }

    /// Newest first.
    pub fn list(&self, list: &List) -> Page {
        let among = |words: &[&str], word| words.is_empty() || words.contains(&word);
        let matches = |nth: &usize| {
            let order = &self.orders[*nth];
            among(&list.statuses, order.status)
                && among(&list.payment_statuses, order.payment_status())
        };
        let matching: Vec<usize> = (0..self.orders.len()).rev().filter(matches).collect();
        let total = matching.len();
        let follows = |nth: &usize| list.after.is_none_or(|after| *nth < after);
        let orders = matching.into_iter().filter(follows).take(list.limit).collect();
        Page { orders, total }
    }
}

/// The error of a draft that does not depend on other drafts or orders.
pub fn plan_problems(plan: &Plan) -> Option<Problem> {
    let twice = format!("/order/items/{}/line_id", plan.payable.len());
    match plan.flaw {
        PlanFlaw::LineTwice => Some(Problem::new(twice, "duplicate_line")),
        PlanFlaw::DiscountWithWrongSign => {
            Some(Problem::new("/order/items/0/discount_lines/0/amount", "wrong_sign"))
        }
        PlanFlaw::TotalOutOfRange => Some(Problem::new("/order/items", "amount_out_of_range")),
        PlanFlaw::None | PlanFlaw::NoItems | PlanFlaw::TwoStores => None,
    }
}

pub fn not_found() -> Answer {
    Err((404, "not_found".to_owned(), Vec::new()))
}
