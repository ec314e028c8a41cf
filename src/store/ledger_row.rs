//! A ledger as its row has it: JSON texts of its authorizations and its lines.

use std::collections::HashMap;

use super::error::StoreError;
use crate::domain::ids::{EventSeq, LineId, ResourceId};
use crate::domain::ledger::Ledger;
use crate::domain::line::{AuthorizationSums, Line, Sums};
use crate::domain::money::Amount;
use crate::domain::order::OrderStatus;

/// A line in `ledgers.lines`. The schema explains its columns.
type LineRow = (i64, i64, u64, u64, u64, u64, u64, Option<i64>, Vec<PartRow>);
/// The position of the authorization, then the amounts authorized, captured, cancelled and
/// refunded.
type PartRow = (usize, u64, u64, u64, u64);

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
    (
        line.line_id().number(),
        line.payable().minor_units(),
        sums.authorized,
        sums.captured,
        sums.direct,
        sums.cancelled,
        sums.refunded,
        line.last_moved_by().map(|seq| seq.0),
        parts.collect(),
    )
}

fn read_line(row: &LineRow, authorizations: &[ResourceId]) -> Option<Line> {
    let (line_id, payable, authorized, captured, direct, cancelled, refunded, moved_by, parts) =
        row.clone();
    let sums = Sums { authorized, captured, direct, cancelled, refunded };
    let parts: Option<Vec<AuthorizationSums>> =
        parts.iter().map(|part| read_part(part, authorizations)).collect();
    Line::restore(
        LineId::new(line_id)?,
        Amount::new(payable)?,
        sums,
        parts?,
        moved_by.map(EventSeq),
    )
}

fn read_part(row: &PartRow, authorizations: &[ResourceId]) -> Option<AuthorizationSums> {
    let &(at, authorized, captured, cancelled, refunded) = row;
    let sums = Sums { authorized, captured, direct: 0, cancelled, refunded };
    Some(AuthorizationSums { authorization_id: authorizations.get(at)?.clone(), sums })
}
