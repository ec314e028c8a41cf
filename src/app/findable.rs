//! Indexes drafts and orders: words for the search, values for list filters.

use std::collections::BTreeSet;

use super::documents::{ParsedDraft, ParsedOrder};
use crate::domain::ids::{AccountId, DraftSeq, OrderName, OrderSeq};
use crate::domain::item::Item;
use crate::json::Tree;
use crate::store::{ListValues, NewDraft, StoreError, Tx, ValueFilter, people_texts};

/// Indexes an order by its current contents. Every command that makes or changes one must call
/// this.
pub(super) fn index_order(
    tx: &Tx<'_>,
    account_id: &AccountId,
    order_seq: OrderSeq,
    order_id: &OrderName,
    order: &ParsedOrder<'_>,
) -> Result<(), StoreError> {
    let texts = people_texts(order.document);
    let texts = texts.iter().map(String::as_str).chain([order_id.as_str()]);
    tx.replace_order_words(account_id, order_seq, texts)?;
    tx.replace_order_values(account_id, order_seq, &list_values(order))
}

/// Indexes a draft by its current contents. Every command that makes or changes one must call this.
pub(super) fn index_draft(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft_seq: DraftSeq,
    ParsedDraft { draft, document, item_documents }: &ParsedDraft,
) -> Result<(), StoreError> {
    let texts = people_texts(document);
    let name = draft.order_name.as_ref().map(OrderName::as_str);
    tx.replace_draft_words(account_id, draft_seq, texts.iter().map(String::as_str).chain(name))?;
    let items = items_of_stores(draft);
    let items = items.iter().zip(item_documents).collect();
    let mut values = list_values(&ParsedOrder { document, items });
    values.extend(name.map(|name| (ValueFilter::OrderId, name.to_owned())));
    tx.replace_draft_values(account_id, draft_seq, &values)
}

/// The draft's items, each with a store: its own, or else the draft's.
pub(super) fn items_of_stores(draft: &NewDraft) -> Vec<Item> {
    let of_draft = |item: &Item| item.store_id.clone().or_else(|| draft.store_id.clone());
    draft.items.iter().map(|item| Item { store_id: of_draft(item), ..item.clone() }).collect()
}

/// The filter values in an order's documents and items.
fn list_values(order: &ParsedOrder<'_>) -> ListValues {
    let mut values = BTreeSet::new();
    let customer = order.document.member("customer").and_then(|customer| text_of(customer, "id"));
    values.extend(customer.map(|id| (ValueFilter::CustomerId, id)));
    for leg in order.document.member("itinerary").map(Tree::elements).unwrap_or_default() {
        values.extend(text_of(leg, "travel_mode").map(|mode| (ValueFilter::TravelMode, mode)));
        values.extend(address_values(leg, "arrival_address", ValueFilter::ArrivalAddress));
        values.extend(address_values(leg, "departure_address", ValueFilter::DepartureAddress));
    }
    for (item, document) in &order.items {
        values.extend(item.store_id.iter().map(|id| (ValueFilter::StoreId, id.clone())));
        let lines = document.member("discount_lines").map(Tree::elements).unwrap_or_default();
        let types = lines.iter().filter_map(|line| text_of(line, "discount_type"));
        values.extend(types.map(|word| (ValueFilter::DiscountType, word)));
    }
    values
}

fn address_values(
    leg: &Tree,
    key: &str,
    filter: ValueFilter,
) -> impl Iterator<Item = (ValueFilter, String)> {
    let address = leg.member(key);
    let part = move |part| address.and_then(|address| text_of(address, part));
    ["id", "name"].into_iter().filter_map(part).map(move |value| (filter, value))
}

fn text_of(tree: &Tree, key: &str) -> Option<String> {
    tree.member(key).and_then(Tree::as_text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::documents::parse_kept;
    use crate::domain::KeptJson;
    use crate::domain::ids::LineId;
    use crate::domain::item::Price;
    use crate::domain::money::Amount;

    #[test]
    fn an_order_is_found_by_its_people_its_stores_its_journey_and_its_discounts() {
        let document = KeptJson(
            r#"{"customer":{"id":"7","email":"k@x.no","first_name":"Kari"},"itinerary":[
                {"travel_mode":"CUSTOM","arrival_address":{"id":"OSL","name":"Oslo S"}},
                {"travel_mode":"CUSTOM","departure_address":{"name":"Oslo S"}}]}"#
                .to_owned(),
        );
        let item = Item {
            line_id: LineId::new(1).unwrap(),
            price: Price::new(Amount::ZERO, &[], &[]).unwrap(),
            store_id: Some("torget".to_owned()),
            version: 1,
            payout_rule: None,
            document: KeptJson(r#"{"discount_lines":[{"discount_type":"loyalty"}]}"#.to_owned()),
        };
        let (document, item_document) = (parse_kept(&document), parse_kept(&item.document));
        let order = ParsedOrder { document: &document, items: vec![(&item, &item_document)] };
        let values = list_values(&order);
        let told: Vec<String> =
            values.iter().map(|(filter, value)| format!("{}={value}", filter.as_str())).collect();
        assert_eq!(
            told,
            [
                "customer_id=7",
                "store_id=torget",
                "itinerary_travel_mode=CUSTOM",
                "itinerary_arrival_address=OSL",
                "itinerary_arrival_address=Oslo S",
                "itinerary_departure_address=Oslo S",
                "items_discount_lines_discount_type=loyalty",
            ]
        );
        assert_eq!(people_texts(&document), ["k@x.no", "Kari"]);
    }
}
