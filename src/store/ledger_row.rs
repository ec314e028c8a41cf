//! Ledgers as rows: JSON texts of the authorizations and the lines.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::StoreError;
use crate::domain::ids::{EventSeq, LineId, ResourceId};
use crate::domain::ledger::Ledger;
use crate::domain::line::{AuthorizationSums, Line, Sums};
use crate::domain::line_payout::{DestinationBoxes, LinePayout, PayoutPart};
use crate::domain::money::Amount;
use crate::domain::order::OrderStatus;
use crate::domain::payout_rule::{Destination, LineRule, RuleId, RuleType, Share, Shares};

/// A line in `ledgers.lines` without its payout. The schema explains its columns.
type PlainRow = (i64, i64, u64, u64, u64, u64, u64, Option<i64>, Vec<PartRow>);
/// The position of the authorization, then the amounts authorized, captured, cancelled and
/// refunded.
type PartRow = (usize, u64, u64, u64, u64);
/// The rule's type and id, the destinations with their weights, and what each has in the line's
/// boxes under each authorization.
type PayoutRow = (String, String, Vec<(String, u64)>, Vec<PayoutPartRow>);
/// The position of the authorization, then the amounts held, kept and refunded.
type PayoutPartRow = (Option<usize>, Vec<(u64, u64, u64)>);

/// A line in `ledgers.lines`: an array that only has an element for the payout if the line has one.
struct LineRow {
    plain: PlainRow,
    payout: Option<PayoutRow>,
}

impl Serialize for LineRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(payout) = &self.payout else {
            return self.plain.serialize(serializer);
        };
        let (a, b, c, d, e, f, g, h, i) = &self.plain;
        (a, b, c, d, e, f, g, h, i, payout).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LineRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LineRow, D::Error> {
        deserializer.deserialize_seq(ReadLineRow)
    }
}

struct ReadLineRow;

impl<'de> Visitor<'de> for ReadLineRow {
    type Value = LineRow;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a line of a ledger")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<LineRow, A::Error> {
        let plain = (
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
            next(&mut seq)?,
        );
        Ok(LineRow { plain, payout: seq.next_element()? })
    }
}

fn next<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| A::Error::custom("a line of a ledger is too short"))
}

/// The JSON texts of a ledger: its authorizations and its lines.
pub(super) fn write_ledger(ledger: &Ledger) -> Result<(String, String), StoreError> {
    let ids: Vec<&str> = ledger.authorizations.iter().map(ResourceId::as_str).collect();
    let positions = ledger.authorizations.iter().enumerate().map(|(at, id)| (id, at)).collect();
    let lines: Vec<LineRow> = ledger.lines.iter().map(|line| line_row(&positions, line)).collect();
    let authorizations = serde_json::to_string(&ids).map_err(StoreError::other)?;
    Ok((authorizations, serde_json::to_string(&lines).map_err(StoreError::other)?))
}

/// Reads a ledger from its columns. An error if the boxes of a line do not balance.
pub(super) fn read_ledger(
    status: OrderStatus,
    multiple_authorizations: bool,
    authorizations: &str,
    lines: &str,
) -> Result<Ledger, StoreError> {
    let ids: Vec<String> = serde_json::from_str(authorizations).map_err(unreadable)?;
    let rows: Vec<LineRow> = serde_json::from_str(lines).map_err(unreadable)?;
    let authorizations: Option<Vec<ResourceId>> =
        ids.iter().map(|id| ResourceId::parse(id)).collect();
    let authorizations = authorizations
        .ok_or_else(|| StoreError::inconsistent("a ledger has an invalid authorization id"))?;
    let lines: Option<Vec<Line>> = rows.iter().map(|row| read_line(row, &authorizations)).collect();
    let lines =
        lines.ok_or_else(|| StoreError::inconsistent("the boxes of a line do not balance"))?;
    if !lines.is_sorted_by_key(Line::line_id) {
        return Err(StoreError::inconsistent("the lines of a ledger are not sorted"));
    }
    Ok(Ledger { status, multiple_authorizations, authorizations, lines })
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::inconsistent(format!("a ledger is unreadable: {error}"))
}

fn line_row(positions: &HashMap<&ResourceId, usize>, line: &Line) -> LineRow {
    let sums = line.sums();
    let parts = line.by_authorization().iter().filter_map(|part| {
        let at = *positions.get(&part.authorization_id)?;
        let Sums { authorized, captured, cancelled, refunded, direct: _ } = part.sums;
        Some((at, authorized, captured, cancelled, refunded))
    });
    let plain = (
        line.line_id().number(),
        line.payable().minor_units(),
        sums.authorized,
        sums.captured,
        sums.direct,
        sums.cancelled,
        sums.refunded,
        line.last_moved_by().map(|seq| seq.0),
        parts.collect(),
    );
    LineRow { plain, payout: line.payout().map(|payout| payout_row(positions, payout)) }
}

fn payout_row(positions: &HashMap<&ResourceId, usize>, payout: &LinePayout) -> PayoutRow {
    let rule = payout.rule();
    let share = |share: &Share| (share.destination.as_str().to_owned(), share.weight);
    let part = |part: &PayoutPart| {
        let at = part.authorization_id.as_ref().and_then(|id| positions.get(id).copied());
        (at, part.boxes.iter().map(|it| (it.held, it.kept, it.refunded)).collect())
    };
    (
        rule.rule_type.as_str().to_owned(),
        rule.rule_id.as_str().to_owned(),
        rule.shares.as_slice().iter().map(share).collect(),
        payout.parts().iter().map(part).collect(),
    )
}

fn read_line(row: &LineRow, authorizations: &[ResourceId]) -> Option<Line> {
    let (line_id, payable, authorized, captured, direct, cancelled, refunded, moved_by, parts) =
        row.plain.clone();
    let payout = match &row.payout {
        None => None,
        Some(row) => Some(read_payout(row, authorizations)?),
    };
    let sums = Sums { authorized, captured, direct, cancelled, refunded };
    let parts: Option<Vec<AuthorizationSums>> =
        parts.iter().map(|part| read_part(part, authorizations)).collect();
    Line::restore(
        LineId::new(line_id)?,
        Amount::new(payable)?,
        sums,
        parts?,
        moved_by.map(EventSeq),
    )?
    .with_payout(payout)
}

fn read_payout(row: &PayoutRow, authorizations: &[ResourceId]) -> Option<LinePayout> {
    let (rule_type, rule_id, shares, parts) = row;
    let share = |(destination, weight): &(String, u64)| {
        Some(Share { destination: Destination::parse(destination)?, weight: *weight })
    };
    let shares = shares.iter().map(share).collect::<Option<Vec<Share>>>()?;
    let rule = LineRule {
        rule_type: RuleType::parse(rule_type)?,
        rule_id: RuleId::parse(rule_id)?,
        shares: Shares::restore(shares)?,
    };
    let boxes =
        |&(held, kept, refunded): &(u64, u64, u64)| DestinationBoxes { held, kept, refunded };
    let part = |(at, of_part): &PayoutPartRow| {
        let authorization_id = match at {
            None => None,
            Some(at) => Some(authorizations.get(*at)?.clone()),
        };
        Some(PayoutPart { authorization_id, boxes: of_part.iter().map(boxes).collect() })
    };
    LinePayout::restore(rule, parts.iter().map(part).collect::<Option<_>>()?)
}

fn read_part(row: &PartRow, authorizations: &[ResourceId]) -> Option<AuthorizationSums> {
    let &(at, authorized, captured, cancelled, refunded) = row;
    let sums = Sums { authorized, captured, direct: 0, cancelled, refunded };
    Some(AuthorizationSums { authorization_id: authorizations.get(at)?.clone(), sums })
}
