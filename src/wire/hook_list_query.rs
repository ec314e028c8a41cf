//! Parses the query strings of the lists of hooks and deliveries (docs/contract.md, Decision 10).

use super::list_query::{LIMIT_DEFAULT, flag, limit, pairs};
use super::problem::Problem;

/// A request for a page of hooks or of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookListQuery {
    pub include_deleted: bool,
    pub limit: u32,
    /// The paging token, an id, after which the page starts.
    pub starting_after: Option<String>,
    pub total: bool,
}

/// Parses the query string of the list of hooks, or reports every invalid parameter.
pub fn hook_list(query_string: &str) -> Result<HookListQuery, Vec<Problem>> {
    read(query_string, &["include_deleted", "limit", "starting_after", "total"])
}

/// Parses the query string of a list of deliveries.
pub fn delivery_list(query_string: &str) -> Result<HookListQuery, Vec<Problem>> {
    read(query_string, &["limit", "starting_after", "total"])
}

fn read(query_string: &str, words: &[&str]) -> Result<HookListQuery, Vec<Problem>> {
    let mut query = HookListQuery {
        include_deleted: false,
        limit: LIMIT_DEFAULT,
        starting_after: None,
        total: false,
    };
    let mut problems = Vec::new();
    for (name, value) in pairs(query_string) {
        let set = match name.as_str() {
            name if !words.contains(&name) => {
                let message = format!("There is no such filter; use one of: {}.", words.join(", "));
                problems.push(Problem::new(name, "unknown_filter", message));
                continue;
            }
            "limit" => limit(&value).map(|limit| query.limit = limit),
            "total" => flag(&value).map(|total| query.total = total),
            "include_deleted" => flag(&value).map(|included| query.include_deleted = included),
            _ => {
                query.starting_after = Some(value);
                Ok(())
            }
        };
        problems.extend(set.err().map(|message| Problem::new(name, "bad_value", message)));
    }
    if problems.is_empty() { Ok(query) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_takes_its_own_parameters_only() {
        let asked = hook_list("include_deleted=true&limit=7&starting_after=x&total=true");
        let expected = HookListQuery {
            include_deleted: true,
            limit: 7,
            starting_after: Some("x".to_owned()),
            total: true,
        };
        assert_eq!(asked, Ok(expected));
        for wrong in ["limit=0", "limit=101", "total=1", "include_deleted=true", "status=x"] {
            assert!(delivery_list(wrong).is_err(), "{wrong}");
        }
    }
}
