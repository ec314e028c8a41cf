//! The ledger as tables. A script has one statement a line:
//!
//! ```text
//! order open | closed | cancelled [multiple]      lines 1=1000 2=-500
//! status closed                                    the order changes its status
//! KIND [!] [@AUTHORIZATION] LINE:AMOUNT …  ->  ANSWER
//! boxes 1 = unreserved held kept refunded
//! ```
//! `!` is `success: false`; the first operation is `o1`, the next `o2`, and an authorization is
//! named by the operation that made it. ANSWER is `ok` or the refusal in words.

use super::*;
use crate::domain::KeptJson;
use crate::domain::operation::{DistinctItems, OperationItems};

struct Table {
    ledger: Ledger,
    operations: i64,
}

#[track_caller]
fn check(script: &str) {
    let mut table = Table { ledger: ledger(OrderStatus::Open, false, vec![]), operations: 0 };
    for row in script.lines().map(str::trim).filter(|row| !row.is_empty()) {
        table.step(row);
    }
}

impl Table {
    #[track_caller]
    fn step(&mut self, row: &str) {
        let (word, rest) = row.split_once(' ').unwrap();
        match word {
            "order" => self.ledger = parse_order(rest),
            "status" => self.ledger.status = OrderStatus::parse(rest).unwrap(),
            "boxes" => {
                let (line, expected) = rest.split_once(" = ").unwrap();
                let at = self.ledger.find(line_id(line)).unwrap();
                let boxes = self.ledger.lines[at].boxes();
                let shown = format!(
                    "{} {} {} {}",
                    boxes.unreserved, boxes.held, boxes.kept, boxes.refunded
                );
                assert_eq!(shown, expected, "at `{row}`");
            }
            kind => self.operate(OperationKind::parse(kind).unwrap(), rest, row),
        }
    }

    #[track_caller]
    fn operate(&mut self, kind: OperationKind, rest: &str, row: &str) {
        let (sent, expected) = rest.split_once(" -> ").unwrap();
        self.operations += 1;
        let id = ResourceId::parse(&format!("o{}", self.operations)).unwrap();
        let before = self.ledger.clone();
        let answer = match decide(&before, &request(kind, sent), &id, EventSeq(self.operations)) {
            Ok(recording) => {
                self.ledger = recording.ledger;
                "ok".to_owned()
            }
            Err(rejected) => words(&rejected),
        };
        assert_eq!(answer, expected.trim(), "at `{row}`");
        if sent.contains('!') {
            assert_eq!(self.ledger.lines, before.lines, "a failed operation moved something");
        }
    }
}

fn ledger(status: OrderStatus, multiple_authorizations: bool, lines: Vec<Line>) -> Ledger {
    Ledger { status, multiple_authorizations, authorizations: vec![], lines }
}

fn parse_order(text: &str) -> Ledger {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut lines: Vec<Line> =
        words.iter().filter_map(|word| word.split_once('=')).map(fresh).collect();
    lines.sort_by_key(Line::line_id);
    ledger(OrderStatus::parse(words[0]).unwrap(), words.contains(&"multiple"), lines)
}

fn fresh((line, payable): (&str, &str)) -> Line {
    Line::fresh(line_id(line), Amount::new(payable.parse().unwrap()).unwrap())
}

fn line_id(text: &str) -> LineId {
    LineId::new(text.parse().unwrap()).unwrap()
}

fn request(kind: OperationKind, sent: &str) -> OperationRequest {
    let mut items = Vec::new();
    let mut success = true;
    let mut authorization_id = None;
    for word in sent.split_whitespace() {
        match (word, word.strip_prefix('@'), word.split_once(':')) {
            ("!", ..) => success = false,
            (_, Some(id), _) => authorization_id = ResourceId::parse(id),
            (.., Some((line, amount))) => items.push(OperationItem {
                line_id: line_id(line),
                amount: Amount::new(amount.parse().unwrap()).unwrap(),
            }),
            _ => panic!("`{word}` says nothing"),
        }
    }
    let items = OperationItems::new(DistinctItems::new(items).unwrap()).unwrap();
    let document = KeptJson::default();
    OperationRequest { kind, success, authorization_id, items, session_id: None, document }
}

fn words(rejected: &OperationRejected) -> String {
    match rejected {
        OperationRejected::References(problems) => {
            problems.iter().map(reference_words).collect::<Vec<_>>().join(", ")
        }
        OperationRejected::OrderCancelled => "cancelled".into(),
        OperationRejected::OrderNotOpen => "not open".into(),
        OperationRejected::SumOutOfRange => "sum out of range".into(),
        OperationRejected::AmountsExceedRemaining(lines) => {
            let line = |line: &ExceededLine| {
                let last = line.last_moved_by.map_or("never".into(), |seq| format!("o{}", seq.0));
                format!("line {} has {} since {last}", line.line_id.number(), line.remaining)
            };
            lines.iter().map(line).collect::<Vec<_>>().join(", ")
        }
    }
}

fn reference_words(problem: &ReferenceProblem) -> String {
    match problem {
        ReferenceProblem::AuthorizationMissing => "no authorization_id".into(),
        ReferenceProblem::AuthorizationUnknown => "unknown authorization_id".into(),
        ReferenceProblem::LineUnknown { line_id, .. } => format!("no line {}", line_id.number()),
        ReferenceProblem::WrongSign { line_id, .. } => {
            format!("wrong sign on {}", line_id.number())
        }
    }
}

#[test]
fn a_line_is_authorized_captured_released_and_refunded_to_the_last_unit() {
    check(
        "
        order open 1=1000
        boxes 1 = 1000 0 0 0
        authorization 1:1001 -> line 1 has 1000 since never
        authorization 1:600 -> ok
        boxes 1 = 400 600 0 0
        capture 1:601 -> line 1 has 600 since o2
        capture 1:250 -> ok
        boxes 1 = 400 350 250 0
        cancellation 1:351 -> line 1 has 350 since o4
        cancellation 1:50 -> ok
        boxes 1 = 450 300 250 0
        authorization 1:451 -> line 1 has 450 since o6
        authorization 1:450 -> ok
        capture 1:750 -> ok
        boxes 1 = 0 0 1000 0
        refund 1:1001 -> line 1 has 1000 since o9
        refund 1:400 -> ok
        refund 1:600 -> ok
        boxes 1 = 0 0 0 1000
        refund 1:1 -> line 1 has 0 since o12
        authorization 1:1 -> line 1 has 0 since o12
        capture 1:1 -> line 1 has 0 since o12
        ",
    );
}

#[test]
fn a_line_without_authorization_is_captured_directly_until_it_has_one() {
    check(
        "
        order open 1=1000
        cancellation 1:1 -> line 1 has 0 since never
        refund 1:1 -> line 1 has 0 since never
        capture 1:300 -> ok
        boxes 1 = 700 0 300 0
        authorization 1:0 -> ok
        capture 1:100 -> ok
        authorization ! 1:600 -> ok
        capture 1:100 -> ok
        boxes 1 = 500 0 500 0
        authorization 1:200 -> ok
        capture 1:201 -> line 1 has 200 since o8
        capture 1:200 -> ok
        boxes 1 = 300 0 700 0
        capture 1:1 -> line 1 has 0 since o10
        refund 1:700 -> ok
        boxes 1 = 300 0 0 700
        ",
    );
}

#[test]
fn negative_lines_take_negative_amounts_and_free_lines_take_zero() {
    check(
        "
        order open 1=-1000 2=0 3=500
        capture 1:5 2:5 3:-5 -> wrong sign on 1, wrong sign on 2, wrong sign on 3
        authorization 1:-1001 -> line 1 has -1000 since never
        authorization 1:-1000 2:0 3:500 -> ok
        capture 1:-400 2:0 3:500 -> ok
        boxes 1 = 0 600 400 0
        refund 1:-401 -> line 1 has -400 since o4
        refund 1:-400 3:1 -> ok
        ",
    );
}

#[test]
fn all_problems_of_a_phase_are_reported_at_once_and_nothing_changes() {
    check(
        "
        order open 1=100 2=100 3=100
        capture 9:1 2:-1 8:1 -> no line 9, wrong sign on 2, no line 8
        capture 1:101 2:100 3:102 -> line 1 has 100 since never, line 3 has 100 since never
        boxes 2 = 100 0 0 0
        ",
    );
}

#[test]
fn the_status_stops_new_money_but_never_releases_and_refunds() {
    check(
        "
        order open 1=1000
        authorization 1:800 -> ok
        capture 1:300 -> ok
        status closed
        authorization 1:100 -> not open
        capture 1:100 -> ok
        status cancelled
        authorization 1:100 -> cancelled
        capture 1:100 -> cancelled
        capture 9:100 -> no line 9
        authorization ! 1:99999 -> ok
        cancellation 1:400 -> ok
        refund 1:400 -> ok
        boxes 1 = 600 0 0 400
        ",
    );
}

#[test]
fn authorizations_are_never_pooled_with_the_option() {
    check(
        "
        order open multiple 1=1000 2=1000
        capture 1:1 -> no authorization_id
        capture @o9 1:1 7:1 -> unknown authorization_id, no line 7
        authorization 1:600 -> ok
        authorization 1:400 2:1000 -> ok
        authorization 1:1 -> line 1 has 0 since o4
        capture @o3 1:601 -> line 1 has 600 since o4
        capture @o3 2:1 -> line 2 has 0 since o4
        capture @o3 1:600 -> ok
        cancellation @o3 1:1 -> line 1 has 0 since o8
        refund @o4 1:1 -> line 1 has 0 since o8
        cancellation @o4 1:400 -> ok
        boxes 1 = 400 0 600 0
        refund @o3 1:600 -> ok
        boxes 1 = 400 0 0 600
        authorization ! 1:400 -> ok
        capture @o13 1:1 -> line 1 has 0 since o12
        capture ! @o13 1:400 -> ok
        capture @o4 2:0 -> ok
        ",
    );
}

#[test]
fn without_the_option_an_authorization_id_is_ignored() {
    check(
        "
        order open 1=1000
        authorization @zzz 1:1000 -> ok
        capture @zzz 1:1000 -> ok
        boxes 1 = 0 0 1000 0
        ",
    );
}

#[test]
fn sums_that_only_grow_stop_before_they_lose_a_unit() {
    check(
        "
        order open 1=9007199254740991
        authorization 1:9007199254740991 -> ok
        cancellation 1:9007199254740991 -> ok
        authorization 1:1 -> sum out of range
        boxes 1 = 9007199254740991 0 0 0
        ",
    );
}

#[test]
fn the_remaining_amount_follows_authorizations_and_is_0_on_a_cancelled_order() {
    let mut ledger = parse_order("open 1=1000");
    assert_eq!(ledger.remaining(&ledger.lines[0]), 1000);
    ledger.multiple_authorizations = true;
    assert_eq!(ledger.remaining(&ledger.lines[0]), 0);
    ledger = parse_order("cancelled 1=-1000");
    assert_eq!(ledger.remaining(&ledger.lines[0]), 0);
    ledger.status = OrderStatus::Closed;
    assert_eq!(ledger.remaining(&ledger.lines[0]), -1000);
}
