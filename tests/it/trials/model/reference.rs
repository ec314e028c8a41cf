//! A second ledger, written only from docs/contract.md, Decisions 1, 2, 3 and 6. It shares no code
//! with the program, so an error is missed only if both have the same one.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeMap;

use super::reference_payouts::{Payouts, Place, Rule, UNRESERVED, told};

/// The largest integer that JSON numbers carry exactly.
pub const MOST: i64 = 9_007_199_254_740_991;

/// The discount of every item whose price is not 0.
pub const DISCOUNT: i64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Authorization,
    Capture,
    Refund,
    Cancellation,
}

impl Kind {
    pub const ALL: [Kind; 4] =
        [Kind::Authorization, Kind::Capture, Kind::Refund, Kind::Cancellation];

    /// The plural of a kind, as in paths and answers.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Authorization => "authorizations",
            Kind::Capture => "captures",
            Kind::Refund => "refunds",
            Kind::Cancellation => "cancellations",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Open,
    Close,
    Cancel,
}

/// Which authorization a request names: the order's n-th, or one that it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Nth(usize),
    Stranger,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub kind: Kind,
    pub success: bool,
    pub authorization: Option<Named>,
    /// Line and amount.
    pub items: Vec<(i64, i64)>,
}

/// One problem of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub path: String,
    pub code: String,
    /// For an amount conflict: the remaining amount, and the operation that last changed it.
    pub remaining: Option<(i64, Option<usize>)>,
}

/// Status, code and problems of an answer; `Ok` for a 200.
pub type Answer = Result<(), (u16, String, Vec<Problem>)>;

/// The amount other than 0 that a successful operation moved on one line.
#[derive(Debug, Clone)]
struct Move {
    operation: usize,
    kind: Kind,
    line: i64,
    amount: i64,
}

const EXCEEDS: &str = "amount_exceeds_remaining";
const OUT_OF_RANGE: &str = "amount_out_of_range";
const HELD: usize = 1;
const KEPT: usize = 2;
const REFUNDED: usize = 3;

#[derive(Debug, Clone)]
pub struct Order {
    pub status: &'static str,
    pub multiple: bool,
    pub payable: BTreeMap<i64, i64>,
    /// The number of recorded operations of any kind, successful or not.
    pub operations: usize,
    /// The number of authorizations among them.
    pub authorizations: usize,
    boxes: BTreeMap<(i64, Option<usize>), [i64; 4]>,
    moves: Vec<Move>,
    pub payouts: Payouts,
}

impl Problem {
    pub fn new(path: impl Into<String>, code: &str) -> Problem {
        Problem { path: path.into(), code: code.to_owned(), remaining: None }
    }
}

impl Order {
    pub fn new(payable: &[(i64, i64)], multiple: bool) -> Order {
        let full = |&(line, p): &(i64, i64)| ((line, None), [p.abs(), 0, 0, 0]);
        Order {
            status: "open",
            multiple,
            payable: payable.iter().copied().collect(),
            operations: 0,
            authorizations: 0,
            boxes: payable.iter().map(full).collect(),
            moves: Vec::new(),
            payouts: Payouts::default(),
        }
    }

    /// Gives lines their payout rules.
    pub fn with_rules(mut self, rules: impl IntoIterator<Item = (i64, Rule)>) -> Order {
        self.payouts.rules.extend(rules);
        self
    }

    /// Adds the lines of a draft that is completed for this order.
    pub fn amend(&mut self, payable: &[(i64, i64)]) -> Answer {
        match self.status {
            "cancelled" => return conflict("order_cancelled"),
            "closed" => return conflict("order_not_open"),
            _ => {}
        }
        if payable.iter().any(|(line, _)| self.payable.contains_key(line)) {
            return conflict("line_in_use");
        }
        let gross = |p: i64| i128::from(p.abs() + DISCOUNT * p.signum().abs());
        let all = self.payable.values().chain(payable.iter().map(|(_, p)| p));
        let too_much = i128::from(MOST) < all.map(|p| gross(*p)).sum();
        invalid(too_much.then(|| Problem::new("/order/items", OUT_OF_RANGE)))?;
        self.payable.extend(payable.iter().copied());
        let full = |&(line, p): &(i64, i64)| ((line, None), [p.abs(), 0, 0, 0]);
        self.boxes.extend(payable.iter().map(full));
        Ok(())
    }

    /// Answers a request and records it unless it is refused.
    pub fn operate(&mut self, request: &Request) -> Answer {
        invalid(body_problems(request))?;
        invalid(self.reference_problems(request))?;
        if request.success {
            self.refuse_status(request.kind)?;
            self.refuse_amounts(request)?;
        }
        let operation = self.operations;
        self.operations += 1;
        self.pay_out(request);
        for &(line, amount) in request.items.iter().filter(|item| request.success && item.1 != 0) {
            let (from, to) = self.places(request, line);
            self.boxes.get_mut(&from.0).unwrap()[from.1] -= amount.abs();
            self.boxes.entry(to.0).or_default()[to.1] += amount.abs();
            self.moves.push(Move { operation, kind: request.kind, line, amount });
        }
        self.authorizations += usize::from(request.kind == Kind::Authorization);
        Ok(())
    }

    /// Notes how an operation is split, before its money is moved.
    fn pay_out(&mut self, request: &Request) {
        let mut lines = Vec::new();
        for &(line, amount) in &request.items {
            let places = self.places(request, line);
            let moves = request.success && amount != 0;
            let parts = self.payouts.pay_out(line, amount, places, moves);
            lines.extend(parts.map(|parts| told(line, parts)));
        }
        let kind = request.kind.plural().to_owned();
        self.payouts.told.entry(kind).or_default().push(lines.join("; "));
    }

    pub fn change(&mut self, change: Change) -> Answer {
        let captured = self.moves.iter().any(|m| m.kind == Kind::Capture);
        self.status = match (change, self.status) {
            (_, "cancelled") => return conflict("order_cancelled"),
            (Change::Open, "open") => return conflict("order_not_closed"),
            (Change::Close, "closed") => return conflict("order_not_open"),
            (Change::Cancel, _) if captured => return conflict("order_has_captures"),
            (Change::Open, _) => "open",
            (Change::Close, _) => "closed",
            (Change::Cancel, _) => "cancelled",
        };
        Ok(())
    }

    /// The most that an operation of this kind can move, with the line's sign.
    pub fn available(&self, request: &Request, line: i64) -> i64 {
        let (from, _) = self.places(request, line);
        self.sign(line) * self.boxes.get(&from.0).map_or(0, |boxes| boxes[from.1])
    }

    /// Authorized, captured, cancelled, refunded and remaining, with the line's sign.
    pub fn sums(&self, line: i64) -> [i64; 5] {
        let ever = |kind| -> i64 {
            self.moves.iter().filter(|m| m.line == line && m.kind == kind).map(|m| m.amount).sum()
        };
        let held = self.sign(line) * self.total(line, HELD);
        let remaining = match (self.status, self.multiple || self.is_authorized(line)) {
            ("cancelled", _) => 0,
            (_, true) => held,
            (_, false) => self.sign(line) * self.total(line, UNRESERVED),
        };
        [
            ever(Kind::Authorization),
            ever(Kind::Capture),
            ever(Kind::Cancellation),
            ever(Kind::Refund),
            remaining,
        ]
    }

    /// The number of the last operation that moved money on the line.
    fn last_moved(&self, line: i64) -> Option<usize> {
        self.moves.iter().rev().find(|m| m.line == line).map(|m| m.operation)
    }

    pub fn payment_status(&self) -> &'static str {
        let any = |kind| self.moves.iter().any(|m| m.kind == kind);
        let lines = || self.payable.keys().copied();
        let kept: i64 = lines().map(|line| self.sign(line) * self.total(line, KEPT)).sum();
        let owed: i64 = lines().map(|line| self.sign(line) * self.owed(line)).sum();
        match () {
            () if self.payable.values().all(|p| *p == 0) => "paid",
            () if !any(Kind::Capture) => "pending",
            () if kept <= 0 => "refunded",
            () if any(Kind::Refund) => "partially_refunded",
            () if owed <= kept => "paid",
            () => "partially_paid",
        }
    }

    fn owed(&self, line: i64) -> i64 {
        self.payable[&line].abs() - self.sums(line)[2].abs().min(self.total(line, UNRESERVED))
    }

    fn sign(&self, line: i64) -> i64 {
        self.payable.get(&line).map_or(1, |p| p.signum())
    }

    /// The sum of one of a line's boxes over all authorizations.
    fn total(&self, line: i64, of: usize) -> i64 {
        self.boxes.iter().filter(|(key, _)| key.0 == line).map(|(_, boxes)| boxes[of]).sum()
    }

    fn is_authorized(&self, line: i64) -> bool {
        self.moves.iter().any(|m| m.line == line && m.kind == Kind::Authorization)
    }

    /// The box that an operation takes from, and the box that it adds to.
    fn places(&self, request: &Request, line: i64) -> (Place, Place) {
        let own = (line, None);
        let named = match (self.multiple, request.kind, request.authorization) {
            (false, _, _) => own,
            (true, Kind::Authorization, _) => (line, Some(self.authorizations)),
            (true, _, Some(Named::Nth(nth))) => (line, Some(nth)),
            (true, _, _) => (line, Some(usize::MAX)),
        };
        match request.kind {
            Kind::Authorization => ((own, UNRESERVED), (named, HELD)),
            Kind::Capture if !self.multiple && !self.is_authorized(line) => {
                ((own, UNRESERVED), (own, KEPT))
            }
            Kind::Capture => ((named, HELD), (named, KEPT)),
            Kind::Refund => ((named, KEPT), (named, REFUNDED)),
            Kind::Cancellation => ((named, HELD), (own, UNRESERVED)),
        }
    }

    fn reference_problems(&self, request: &Request) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |path: String, code: &str| problems.push(Problem::new(path, code));
        if self.multiple && request.kind != Kind::Authorization {
            let path = "/authorization_id".to_owned();
            match request.authorization {
                None => problem(path, "required"),
                Some(Named::Nth(nth)) if nth < self.authorizations => {}
                Some(_) => problem(path, "unknown_authorization"),
            }
        }
        for (at, (line, amount)) in request.items.iter().enumerate() {
            match self.payable.get(line) {
                None => problem(format!("/items/{at}/line_id"), "unknown_line"),
                Some(p) if *amount == 0 || amount.signum() == p.signum() => {}
                Some(_) => problem(format!("/items/{at}/amount"), "wrong_sign"),
            }
        }
        problems
    }

    fn refuse_status(&self, kind: Kind) -> Answer {
        match (kind, self.status) {
            (Kind::Authorization | Kind::Capture, "cancelled") => conflict("order_cancelled"),
            (Kind::Authorization, "closed") => conflict("order_not_open"),
            _ => Ok(()),
        }
    }

    fn refuse_amounts(&self, request: &Request) -> Answer {
        let exceeded = |(at, &(line, amount)): (usize, &(i64, i64))| {
            let holds = self.available(request, line);
            let remaining = Some((holds, self.last_moved(line)));
            let problem = Problem::new(format!("/items/{at}/amount"), EXCEEDS);
            (holds.abs() < amount.abs()).then_some(Problem { remaining, ..problem })
        };
        let problems: Vec<Problem> =
            request.items.iter().enumerate().filter_map(exceeded).collect();
        if !problems.is_empty() {
            return Err((409, EXCEEDS.to_owned(), problems));
        }
        // The sums stay exact although a line can be authorized and released again and again.
        let asked: i128 = request.items.iter().map(|item| i128::from(item.1.abs())).sum();
        let moved = self.moves.iter().filter(|m| m.kind == request.kind);
        let ever: i128 = moved.map(|m| i128::from(m.amount.abs())).sum();
        let out_of_range = i128::from(MOST) < ever + asked;
        invalid(out_of_range.then(|| Problem::new("/items", OUT_OF_RANGE)))
    }
}

/// Errors of a request that do not depend on the order.
pub fn body_problems(request: &Request) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    if request.items.is_empty() {
        problems.push(Problem::new("/items", "empty"));
    }
    let mut total: i128 = 0;
    let mut total_out_of_range = false;
    for (at, (line, amount)) in request.items.iter().enumerate() {
        if !(-MOST..=MOST).contains(amount) {
            problems.push(Problem::new(format!("/items/{at}/amount"), OUT_OF_RANGE));
        }
        if request.items[..at].iter().any(|earlier| earlier.0 == *line) {
            problems.push(Problem::new(format!("/items/{at}/line_id"), "duplicate_line"));
        }
        // Every addition is checked, so intermediate sums must be in range too.
        total += i128::from(*amount);
        total_out_of_range |= i128::from(MOST) < total.abs();
    }
    if problems.is_empty() && total_out_of_range {
        problems.push(Problem::new("/items", OUT_OF_RANGE));
    }
    problems
}

pub fn invalid(problems: impl IntoIterator<Item = Problem>) -> Answer {
    let problems: Vec<Problem> = problems.into_iter().collect();
    if problems.is_empty() { Ok(()) } else { Err((400, "invalid_request".into(), problems)) }
}

pub fn conflict(code: &str) -> Answer {
    Err((409, code.to_owned(), Vec::new()))
}
