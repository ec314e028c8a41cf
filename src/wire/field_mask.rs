//! Selects parts of the objects in webhook bodies by the paths that a hook names
//! (docs/contract.md, Decision 10).

use crate::domain::KeptJson;
use crate::json::{Tree, parse};

/// Paths to keep and to leave out. A path leads through lists to each of their elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMask {
    /// `None` keeps everything.
    kept: Option<Vec<Vec<String>>>,
    left_out: Vec<Vec<String>>,
}

impl FieldMask {
    /// The mask of a hook's `fields` and `exclude_fields`; `None` if it has neither.
    pub fn of(fields: Option<&KeptJson>, exclude_fields: Option<&KeptJson>) -> Option<FieldMask> {
        let kept = fields.map(paths);
        let left_out = exclude_fields.map(paths).unwrap_or_default();
        (kept.is_some() || !left_out.is_empty()).then_some(FieldMask { kept, left_out })
    }

    /// The parts of an object of a body that are sent; `None` if nothing is left of it.
    pub fn kept(&self, name: &str, object: &str) -> Option<String> {
        let mut tree = match parse(object.as_bytes()) {
            Ok(tree) => tree,
            Err(_) => return Some(object.to_owned()),
        };
        if let Some(paths) = &self.kept {
            tree = keep(tree, &below(paths, name)?);
        }
        if let Some(left_out) = below(&self.left_out, name) {
            if left_out.iter().any(|path| path.is_empty()) {
                return None;
            }
            leave_out(&mut tree, &left_out);
        }
        Some(tree.script_text())
    }
}

type Paths<'p> = Vec<&'p [String]>;

fn paths(list: &KeptJson) -> Vec<Vec<String>> {
    let parsed = parse(list.0.as_bytes()).unwrap_or(Tree::Null);
    let texts = parsed.elements().iter().filter_map(Tree::as_text);
    texts.map(|path| path.split('.').map(str::to_owned).collect()).collect()
}

/// The rests of the paths that begin with a name; `None` if no path does.
fn below<'p, P: AsRef<[String]>>(paths: &'p [P], name: &str) -> Option<Paths<'p>> {
    let rests = paths.iter().filter_map(|path| match path.as_ref().split_first() {
        Some((first, rest)) if first == name => Some(rest),
        _ => None,
    });
    let rests: Paths<'p> = rests.collect();
    (!rests.is_empty()).then_some(rests)
}

fn keep(tree: Tree, paths: &Paths<'_>) -> Tree {
    if paths.iter().any(|path| path.is_empty()) {
        return tree;
    }
    match tree {
        Tree::Object(members) => {
            let kept = members.into_iter().filter_map(|(name, value)| {
                let rests = below(paths, &name)?;
                Some((name, keep(value, &rests)))
            });
            Tree::Object(kept.collect())
        }
        Tree::List(elements) => {
            Tree::List(elements.into_iter().map(|element| keep(element, paths)).collect())
        }
        leaf => leaf,
    }
}

fn leave_out(tree: &mut Tree, paths: &Paths<'_>) {
    match tree {
        Tree::Object(members) => members.retain_mut(|(name, value)| {
            let Some(rests) = below(paths, name) else { return true };
            if rests.iter().any(|path| path.is_empty()) {
                return false;
            }
            leave_out(value, &rests);
            true
        }),
        Tree::List(elements) => {
            elements.iter_mut().for_each(|element| leave_out(element, paths));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &str, exclude_fields: &str, expected: Option<&str>) {
        let list = |text: &str| (!text.is_empty()).then(|| KeptJson(text.to_owned()));
        let mask = FieldMask::of(list(fields).as_ref(), list(exclude_fields).as_ref()).unwrap();
        let order = r#"{"id":"o","items":[{"line_id":1,"m":{"a":1,"b":2}},{"line_id":2}]}"#;
        assert_eq!(mask.kept("order", order).as_deref(), expected);
    }

    #[test]
    fn paths_keep_and_leave_out_parts_of_objects_and_of_list_elements() {
        check(r#"["order.id"]"#, "", Some(r#"{"id":"o"}"#));
        check(r#"["order.items.line_id"]"#, "", Some(r#"{"items":[{"line_id":1},{"line_id":2}]}"#));
        check(
            r#"["order"]"#,
            r#"["order.items.m.a","order.id"]"#,
            Some(r#"{"items":[{"line_id":1,"m":{"b":2}},{"line_id":2}]}"#),
        );
        check(r#"["draft_order"]"#, "", None);
        check("", r#"["order"]"#, None);
        assert_eq!(FieldMask::of(None, None), None);
    }
}
