//! Every known property of an order, an item, a customer and an address (docs/contract.md,
//! Facts 4), as tables. Other properties are kept too, but never read.

use super::payout_rule_request::MANUAL_PAYOUT;
use super::shape::{Field, Shape, optional, required};
use crate::domain::item::ITEMS_MAX;

/// The most elements of a list inside an order, except for its items.
const LIST_MAX: usize = 1_000;

const ADDRESS: Shape = Shape::Object(&[
    optional("first_name", Shape::Text),
    optional("last_name", Shape::Text),
    optional("address_line", Shape::Text),
    optional("address_line_2", Shape::Text),
    optional("postal_code", Shape::Text),
    optional("postal_place", Shape::Text),
    optional("country", Shape::Text),
    optional("latitude", Shape::Number),
    optional("longitude", Shape::Number),
    optional("comment", Shape::Text),
    optional("type", Shape::Text),
    optional("custom_type", Shape::Text),
    optional("id", Shape::Text),
    optional("name", Shape::Text),
    optional("external_ids", Shape::Any),
]);

const CONSENT: Shape =
    Shape::Object(&[optional("consent", Shape::Flag), optional("updated_at", Shape::DateTime)]);

const CUSTOMER: Shape = Shape::Object(&[
    optional("id", Shape::Text),
    optional("first_name", Shape::Text),
    optional("last_name", Shape::Text),
    optional("email", Shape::Text),
    optional("phone_number", Shape::Text),
    optional("gender", Shape::Text),
    optional("date_of_birth", Shape::Text),
    optional("type", Shape::Text),
    optional("status", Shape::Text),
    optional("pays_tax", Shape::Flag),
    optional("favorite_store", Shape::Text),
    optional("addresses", Shape::List(&ADDRESS, LIST_MAX)),
    optional("company", COMPANY),
    optional(
        "enrolled_by",
        Shape::Object(&[optional("value", Shape::Text), optional("type", Shape::Text)]),
    ),
    optional(
        "marketing_consent",
        Shape::Object(&[optional("sms", CONSENT), optional("email", CONSENT)]),
    ),
    optional("term", Shape::Object(&[optional("id", Shape::Text)])),
    optional("metadata", Shape::FreeObject),
]);

const COMPANY: Shape = Shape::Object(&[
    // The published schema has this misspelling.
    optional("bussiness_name", Shape::Text),
    optional("organization_number", Shape::Text),
    optional("department", Shape::Text),
    optional("industry", Shape::Text),
    optional("website", Shape::Text),
    optional("number_of_employees", Shape::Integer),
]);

/// A place of sale.
pub const STORE: Shape = Shape::Object(&[
    required("id", Shape::Text),
    optional("name", Shape::Text),
    optional("business_name", Shape::Text),
    optional("organization_number", Shape::Text),
    optional("chain", Shape::Text),
    optional("address", ADDRESS),
    optional("email", Shape::Text),
    optional("phone_number", Shape::Text),
    optional("gln", Shape::Text),
    optional("mcc", Shape::Text),
    optional("bax", Shape::Text),
    optional("terminal_id", Shape::Text),
]);

/// How a payment was made.
pub const PAYMENT_DETAILS: &[Field] = &[
    optional("psp", Shape::Text),
    optional("payment_id", Shape::Text),
    optional("payment_product", Shape::Text),
    optional("payment_product_type", Shape::Text),
    optional(
        "card",
        Shape::Object(&[
            optional("masked_pan", Shape::TextWithoutCardNumber),
            optional("type", Shape::TextWithoutCardNumber),
            optional("brand", Shape::TextWithoutCardNumber),
            optional("metadata", Shape::FreeObject),
        ]),
    ),
];

const TAX_LINE: Shape = Shape::Object(&[
    required("amount", Shape::Amount),
    required("percentage", Shape::Number),
    optional("amount_dwh", Shape::Text),
    optional("tax_basis", Shape::Number),
    optional("tax_basis_dwh", Shape::Text),
    optional("tax_code", Shape::Text),
    optional("tax_group", Shape::Text),
    optional("exempt", Shape::Flag),
    optional("included_in_price", Shape::Flag),
]);

/// A discount on an item.
pub const DISCOUNT_LINE: Shape = Shape::Object(&[
    required("amount", Shape::Amount),
    optional("percentage", Shape::Number),
    optional("discount_type", Shape::Text),
    optional("discount_subtype", Shape::Text),
    optional("discount_id", Shape::Text),
    optional("description", Shape::Text),
    optional("line_id", Shape::Integer),
]);

const ADDITION: Shape =
    Shape::Object(&[optional("quantity", Shape::Number), optional("gross_amount", Shape::Amount)]);

const GROUP: Shape = Shape::Object(&[optional("id", Shape::Text), optional("name", Shape::Text)]);

/// An item of an order.
pub const ITEM: Shape = Shape::Object(&[
    required("id", Shape::Text),
    required("gross_amount", Shape::Amount),
    optional("line_id", Shape::LineId),
    optional("description", Shape::Text),
    optional("description_alias", Shape::Text),
    optional("quantity", Shape::Number),
    optional("unit", Shape::Text),
    optional("unit_gross_price", Shape::Number),
    optional("net_amount", Shape::Amount),
    optional("tax_percent", Shape::Number),
    optional("cost_price", Shape::Number),
    optional("tax_lines", Shape::List(&TAX_LINE, LIST_MAX)),
    optional("discount_lines", Shape::List(&DISCOUNT_LINE, LIST_MAX)),
    optional("additions", Shape::List(&ADDITION, LIST_MAX)),
    optional("eligible_for_discount", Shape::Flag),
    optional("is_changed", Shape::Flag),
    optional("barcode", Shape::Text),
    optional("serial_id", Shape::Text),
    optional("external_id", Shape::Text),
    optional("groups", Shape::List(&GROUP, LIST_MAX)),
    optional("dimension", Shape::FreeObject),
    optional("status", Shape::Text),
    optional(
        "related_item",
        Shape::Object(&[optional("line_id", Shape::Integer), optional("type", Shape::Text)]),
    ),
    optional("reversed_reason", Shape::Text),
    optional("comment", Shape::Text),
    optional("salesperson_id", Shape::Text),
    optional("salesperson_name", Shape::Text),
    optional("store", STORE),
    optional("manual_payout", MANUAL_PAYOUT),
    optional("attachment", Shape::Any),
    optional("metadata", Shape::FreeObject),
    optional("original_currency", Shape::Text),
    optional("original_gross_amount", Shape::Amount),
    optional("conversion_rate_ppm", Shape::Integer),
    optional("conversion_rate_timestamp", Shape::DateTime),
    optional("conversion_rate_source", Shape::Text),
    optional("version", Shape::ReadOnly),
    optional("authorized_amount", Shape::ReadOnly),
    optional("captured_amount", Shape::ReadOnly),
    optional("cancelled_amount", Shape::ReadOnly),
    optional("refunded_amount", Shape::ReadOnly),
    optional("remaining_amount", Shape::ReadOnly),
]);

const LEG: Shape = Shape::Object(&[
    optional("id", Shape::Text),
    optional("line_ids", Shape::List(&Shape::Integer, LIST_MAX)),
    optional("operator", Shape::Text),
    optional("travel_mode", Shape::Text),
    optional("route_id", Shape::Text),
    optional("vehicle_id", Shape::Text),
    optional("departure_address", ADDRESS),
    optional("arrival_address", ADDRESS),
]);

/// The order in a draft.
pub const ORDER: Shape = Shape::Object(&[
    required("currency", Shape::Currency),
    optional("order_id", Shape::OrderName),
    optional("items", Shape::List(&ITEM, ITEMS_MAX)),
    optional("customer", CUSTOMER),
    optional("shipping_address", ADDRESS),
    optional("billing_address", ADDRESS),
    optional("store", STORE),
    optional("comment", Shape::Text),
    optional("salesperson_id", Shape::Text),
    optional("salesperson_name", Shape::Text),
    optional("delivery_at", Shape::DateTime),
    optional("pickup_at", Shape::DateTime),
    optional("courier_id", Shape::Text),
    optional("delivery_id", Shape::Text),
    optional("pre_order", Shape::Any),
    optional("type", Shape::Any),
    optional("discounts", Shape::List(&Shape::Any, LIST_MAX)),
    optional("external_ids", Shape::Any),
    optional("external_links", Shape::Any),
    optional("itinerary", Shape::List(&LEG, LIST_MAX)),
    optional("attachments", Shape::Any),
    optional("attachment", Shape::Any),
    optional("payment_details", Shape::Object(PAYMENT_DETAILS)),
    optional("metadata", Shape::FreeObject),
    optional("id", Shape::ReadOnly),
    optional("status", Shape::ReadOnly),
    optional("payment_status", Shape::ReadOnly),
    optional("state", Shape::ReadOnly),
    optional("events", Shape::ReadOnly),
    optional("comments", Shape::ReadOnly),
    optional("options", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("updated_at", Shape::ReadOnly),
    optional("deleted_at", Shape::ReadOnly),
    optional("deleted_by", Shape::ReadOnly),
    optional("closed_at", Shape::ReadOnly),
    optional("closed_by", Shape::ReadOnly),
    optional("cancelled_at", Shape::ReadOnly),
    optional("cancelled_by", Shape::ReadOnly),
    optional("cancelled_reason", Shape::ReadOnly),
    optional("gross_amount", Shape::ReadOnly),
    optional("total_discount", Shape::ReadOnly),
    optional("total_manual_discount_amount", Shape::ReadOnly),
    optional("net_amount", Shape::ReadOnly),
    optional("payable_amount", Shape::ReadOnly),
    optional("authorized_amount", Shape::ReadOnly),
    optional("captured_amount", Shape::ReadOnly),
    optional("cancelled_amount", Shape::ReadOnly),
    optional("refunded_amount", Shape::ReadOnly),
    optional("remaining_amount", Shape::ReadOnly),
    optional("authorizations", Shape::ReadOnly),
    optional("captures", Shape::ReadOnly),
    optional("refunds", Shape::ReadOnly),
    optional("cancellations", Shape::ReadOnly),
    optional("paging_token", Shape::ReadOnly),
    optional("_links", Shape::ReadOnly),
]);

/// The options of a draft.
pub const OPTIONS: Shape = Shape::Object(&[
    optional(
        "generate_order_id",
        Shape::OneOf(&["UUID", "ALPHANUMERIC_9", "ALPHANUMERIC_9_RESERVE"]),
    ),
    optional("split_draft", Shape::Flag),
    optional("multiple_authorizations", Shape::Flag),
    optional("order_time_to_live", Shape::TimeToLive),
    optional("serial_order_number_suffix", Shape::Any),
    optional("payout", Shape::Any),
    optional("order_id", Shape::OrderName),
    optional("replace", Shape::OneOf(&["order"])),
]);
