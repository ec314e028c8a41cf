//! Fuzzes the ledger's decisions: bytes determine the order and the requests.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use tillbook::domain::KeptJson;
use tillbook::domain::ids::{EventSeq, LineId, ResourceId};
use tillbook::domain::ledger::{Ledger, decide};
use tillbook::domain::line::Line;
use tillbook::domain::money::Amount;
use tillbook::domain::operation::{
    DistinctItems, OperationItem, OperationItems, OperationKind, OperationRequest,
};
use tillbook::domain::order::{OrderStatus, StatusChange, decide_status_change};

/// The largest amount.
const MOST: i64 = 9_007_199_254_740_991;

const AMOUNTS: [i64; 12] = [0, 1, 2, 3, 50, 99, 100, MOST / 2, MOST - 1, MOST, -1, -100];

/// Bytes as a source of random numbers; zeros follow the last.
struct Throws<'a>(&'a [u8]);

impl Throws<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.next() % among.len()]
    }
}

/// After every request, each line's boxes add up to its payable amount, and captured and refunded
/// amounts never decrease. Returns true if an operation was recorded.
pub fn decisions(bytes: &[u8]) -> bool {
    let mut throws = Throws(bytes);
    let mut ledger = fresh(&mut throws);
    let mut recorded = 0;
    while !throws.0.is_empty() {
        if throws.next().is_multiple_of(16) {
            change_status(&mut ledger, &mut throws);
            continue;
        }
        let Some(request) = request(&ledger, &mut throws) else { continue };
        let id = authorization_id(recorded);
        let seq = EventSeq(i64::try_from(recorded).unwrap());
        if let Ok(recording) = decide(&ledger, &request, &id, seq) {
            check(&ledger, &recording.ledger, &request);
            ledger = recording.ledger;
            recorded += 1;
        }
    }
    0 < recorded
}

fn fresh(throws: &mut Throws<'_>) -> Ledger {
    let count = 1 + throws.next() % 4;
    let lines = (0..count).map(|line| {
        let line_id = LineId::new(i64::try_from(line).unwrap()).unwrap();
        Line::fresh(line_id, Amount::new(throws.pick(&AMOUNTS)).unwrap())
    });
    let lines = lines.collect();
    Ledger {
        status: OrderStatus::Open,
        multiple_authorizations: throws.pick(&[false, true]),
        authorizations: Vec::new(),
        lines,
    }
}

fn change_status(ledger: &mut Ledger, throws: &mut Throws<'_>) {
    let change =
        throws.pick(&[StatusChange::Open, StatusChange::Close, StatusChange::Cancel(None)]);
    let captured = ledger.lines.iter().any(|line| 0 < line.sums().captured);
    if let Ok(status) = decide_status_change(ledger.status, &ledger.lines, change) {
        assert!(!(captured && status == OrderStatus::Cancelled), "cancelled after a capture");
        ledger.status = status;
    }
}

/// `None` when the request is impossible.
fn request(ledger: &Ledger, throws: &mut Throws<'_>) -> Option<OperationRequest> {
    let kind = throws.pick(&OperationKind::ALL);
    let success = !throws.next().is_multiple_of(8);
    let authorization_id = match throws.next() % 4 {
        0 => None,
        // This may be an authorization that does not exist.
        nth => Some(ledger.authorizations.get(nth - 1).cloned().unwrap_or(authorization_id(nth))),
    };
    let count = 1 + throws.next() % 3;
    let mut items = Vec::new();
    for _ in 0..count {
        let line_id = LineId::new(i64::try_from(throws.next() % 5).unwrap())?;
        let amount = Amount::new(throws.pick(&AMOUNTS))?;
        items.push(OperationItem { line_id, amount });
    }
    let items = OperationItems::new(DistinctItems::new(items)?).ok()?;
    let document = KeptJson::default();
    Some(OperationRequest { kind, success, authorization_id, items, session_id: None, document })
}

fn authorization_id(nth: usize) -> ResourceId {
    ResourceId::parse(&format!("authorization {nth}")).unwrap()
}

fn check(before: &Ledger, after: &Ledger, request: &OperationRequest) {
    assert_eq!(before.lines.len(), after.lines.len());
    for (old, new) in before.lines.iter().zip(&after.lines) {
        assert_eq!((old.line_id(), old.payable()), (new.line_id(), new.payable()));
        let boxes = new.boxes();
        let parts = [boxes.unreserved, boxes.held, boxes.kept, boxes.refunded];
        let together: u128 = parts.into_iter().map(u128::from).sum();
        assert_eq!(together, u128::from(new.payable().magnitude()), "{new:?}");
        let (had, has) = (old.sums(), new.sums());
        assert!(had.captured <= has.captured && had.refunded <= has.refunded, "{new:?}");
        assert!(had.authorized <= has.authorized && had.cancelled <= has.cancelled, "{new:?}");
        let moved = sum_of(new) - sum_of(old);
        let items = request.items.as_slice().iter().filter(|item| item.line_id == new.line_id());
        let asked: u128 = items.map(|item| u128::from(item.amount.magnitude())).sum();
        assert_eq!(moved, if request.success { asked } else { 0 }, "{new:?}");
    }
}

/// The sum of all amounts that ever moved on a line.
fn sum_of(line: &Line) -> u128 {
    let sums = line.sums();
    let all = [sums.authorized, sums.captured, sums.cancelled, sums.refunded];
    all.into_iter().map(u128::from).sum()
}
