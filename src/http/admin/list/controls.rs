//! The fields of the filter form above the list of orders, as the template needs them.

use super::filters::{Asked, Field, NO_DATE, Sort};
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::http::admin::words;

/// A field of the filter form.
pub struct Control {
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    /// Why the value is invalid; empty when it is valid.
    pub problem: &'static str,
    /// The `type` of the input element; empty for a select element with `choices`.
    pub input: &'static str,
    pub choices: Vec<Choice>,
}

/// An option of a select element.
pub struct Choice {
    pub word: String,
    pub name: String,
    pub chosen: bool,
}

/// The dates and the sort. Sorts by total are offered only if `by_total`.
pub fn main_controls(asked: &Asked, sort: Sort, by_total: bool) -> Vec<Control> {
    let offered = Sort::ALL.into_iter().filter(|sort| by_total || !sort.is_by_total());
    let sorts = offered.map(|offered| Choice {
        word: offered.word().to_owned(),
        name: offered.name(asked.tab).to_owned(),
        chosen: offered == sort,
    });
    vec![
        date("from", "From", &asked.from),
        date("to", "To", &asked.to),
        Control { choices: sorts.collect(), ..control("sort", "Sort", &asked.sort) },
    ]
}

/// The filters that are folded away. The currency is left out when there is only one to choose, and
/// the store when the account has no stores. `stores` is `None` when there are too many to list;
/// then the store is typed.
pub fn more_controls(
    asked: &Asked,
    currencies: &[String],
    stores: Option<&[String]>,
) -> Vec<Control> {
    let statuses: Vec<(&str, &str)> = OrderStatus::ALL
        .into_iter()
        .map(|status| (status.as_str(), words::order_status(status)))
        .collect();
    let payment_statuses: Vec<(&str, &str)> = PaymentStatus::ALL
        .into_iter()
        .map(|status| (status.as_str(), words::payment_status_choice(status)))
        .collect();
    let mut controls = vec![
        choice("status", "Status", &asked.status, &statuses),
        choice("payment_status", "Payment", &asked.payment_status, &payment_statuses),
    ];
    let same = |words: &[String]| -> Vec<(String, String)> {
        words.iter().map(|word| (word.clone(), word.clone())).collect()
    };
    if 1 < currencies.len() || !asked.currency.value.is_empty() {
        controls.push(choice("currency", "Currency", &asked.currency, &same(currencies)));
    }
    match stores {
        None => controls.push(Control { input: "text", ..control("store", "Store", &asked.store) }),
        Some([]) if asked.store.value.is_empty() => {}
        Some(stores) => controls.push(choice("store", "Store", &asked.store, &same(stores))),
    }
    controls
}

fn control(name: &'static str, label: &'static str, field: &Field) -> Control {
    Control {
        name,
        label,
        value: field.value.clone(),
        problem: field.problem,
        input: "",
        choices: Vec::new(),
    }
}

/// A date field. An invalid date is shown in a text field, since a date field would drop it.
fn date(name: &'static str, label: &'static str, field: &Field) -> Control {
    let input = if field.problem == NO_DATE { "text" } else { "date" };
    Control { input, ..control(name, label, field) }
}

/// A select element with "Any" and these words, and the value that was sent if it is not one of
/// them.
fn choice<W: AsRef<str>, N: AsRef<str>>(
    name: &'static str,
    label: &'static str,
    field: &Field,
    words: &[(W, N)],
) -> Control {
    let offered = |word: &str, name: &str| Choice {
        word: word.to_owned(),
        name: name.to_owned(),
        chosen: word == field.value,
    };
    let mut choices = vec![offered("", "Any")];
    choices.extend(words.iter().map(|(word, name)| offered(word.as_ref(), name.as_ref())));
    if !choices.iter().any(|choice| choice.chosen) {
        choices.push(offered(&field.value, &field.value));
    }
    Control { choices, ..control(name, label, field) }
}
