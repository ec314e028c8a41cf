//! Invalid bodies of every known kind get a 400 and record nothing.

use serde_json::{Value, json};

use super::harness::App;

/// A capture's body, and `path code` of every error in it.
const BROKEN: &[(&str, &str)] = &[
    // Invalid or ambiguous JSON.
    ("{", " invalid_json"),
    ("nonsense", " invalid_json"),
    ("{\"items\":[]} {}", " invalid_json"),
    ("\u{feff}{}", "/items required"),
    ("{\"items\":[{\"line_id\":1,\"amount\":01}]}", " invalid_json"),
    ("{\"items\":[{\"line_id\":1,\"amount\":+1}]}", " invalid_json"),
    ("{\"items\":[{\"line_id\":1,\"amount\":NaN}]}", " invalid_json"),
    ("{\"items\":[{\"line_id\":1,\"amount\":1,}]}", " invalid_json"),
    ("{\"metadata\":{\"a\":\"\\ud800\"}}", " invalid_json"),
    ("{\"metadata\":{\"a\":\"\\u0000\"}}", " nul_character"),
    ("{\"metadata\":{\"\\u0000\":1}}", " nul_character"),
    ("{\"metadata\":{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}}", " duplicate_key"),
    ("{\"items\":[],\"items\":[]}", " duplicate_key"),
    // Values of the wrong type.
    ("[]", "/items required"),
    ("null", "/items required"),
    ("5", " wrong_type"),
    ("{}", "/items required"),
    ("{\"items\":null}", "/items required"),
    ("{\"items\":{}}", "/items wrong_type"),
    ("{\"items\":[]}", "/items empty"),
    ("{\"items\":[[100,1]]}", "/items/0 wrong_type"),
    ("{\"items\":[null]}", "/items/0 wrong_type"),
    ("{\"items\":[{}]}", "/items/0/line_id required\n/items/0/amount required"),
    ("{\"items\":[{\"line_id\":\"1\",\"amount\":1}]}", "/items/0/line_id wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":\"1\"}]}", "/items/0/amount wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":true}]}", "/items/0/amount wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":1.5}]}", "/items/0/amount wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":1e2}]}", "/items/0/amount wrong_type"),
    ("{\"items\":[{\"line_id\":-1,\"amount\":1}]}", "/items/0/line_id bad_value"),
    // Invalid amounts.
    (
        "{\"items\":[{\"line_id\":1,\"amount\":9007199254740992}]}",
        "/items/0/amount amount_out_of_range",
    ),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":9223372036854775808}]}",
        "/items/0/amount amount_out_of_range",
    ),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":9007199254740991},{\"line_id\":2,\"amount\":1}]}",
        "/items amount_out_of_range",
    ),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":9223372036854775808.0}]}",
        "/items/0/amount amount_out_of_range",
    ),
    ("{\"items\":[{\"line_id\":9223372036854775808,\"amount\":1}]}", "/items/0/line_id bad_value"),
    // Lines that the order does not have, or that are named twice.
    (
        "{\"items\":[{\"line_id\":1,\"amount\":1},{\"line_id\":1,\"amount\":1}]}",
        "/items/1/line_id duplicate_line",
    ),
    (
        "{\"items\":[{\"line_id\":9,\"amount\":1},{\"line_id\":1,\"amount\":-1}]}",
        "/items/0/line_id unknown_line\n/items/1/amount wrong_sign",
    ),
    // Other fields of an operation.
    ("{\"items\":[{\"line_id\":1,\"amount\":1}],\"success\":\"yes\"}", "/success wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":1}],\"metadata\":[1]}", "/metadata wrong_type"),
    ("{\"items\":[{\"line_id\":1,\"amount\":1}],\"processed_by\":5}", "/processed_by wrong_type"),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":1}],\"payment_details\":{\"card\":{\"masked_pan\":\
         \"4242 4242 4242 4242\"},\"psp\":1}}",
        "/payment_details/card/masked_pan unmasked_card_number\n/payment_details/psp wrong_type",
    ),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":1,\"quantity\":\"2\"}]}",
        "/items/0/quantity wrong_type",
    ),
    (
        "{\"items\":[{\"line_id\":1,\"amount\":1}],\"authorization_id\":\
         \"12345678901234567890123456789012345678901\"}",
        "/authorization_id bad_value",
    ),
];

const BAD_DATE_TIMES: &[&str] = &[
    "",
    "today",
    "2026-11-23",
    "2026-11-23T09:00:00",
    "2026-11-23 09:00:00Z",
    "2026-02-29T09:00:00Z",
    "2026-11-23T24:00:01Z",
    "2026-13-01T09:00:00Z",
    "2026-11-23T09:00Z",
    "2026-11-23T09:00:00+0100",
    "1795000000",
    "2026-11-23T09:00:00Z[UTC]",
];

#[test]
fn a_broken_capture_gets_its_400_and_changes_nothing() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000, 1_000]));
    let before = app.snapshot();
    for (body, problems) in BROKEN {
        let reply = app.shopping("POST", &path, &[], Some(body)).expect(400);
        assert_eq!(
            (reply.code(), reply.problems().as_str()),
            ("invalid_request", *problems),
            "{body}"
        );
    }
    for at in BAD_DATE_TIMES {
        let body = json!({"items": [{"line_id": 1, "amount": 1}], "processed_at": at});
        let reply = app.post(&path, body).expect(400);
        assert_eq!(reply.problems(), "/processed_at bad_date_time", "{at}");
    }
    assert_eq!(app.snapshot(), before);
}

/// A card can be anywhere: its whole number is refused wherever something is named as a card.
#[test]
fn a_whole_card_number_is_refused_wherever_a_card_can_be() {
    let app = App::start();
    let order = app.simple_order(&[1_000]);
    let number = "4242 4242 4242 4242";
    let operation = |more: Value| {
        let mut body = json!({"items": [{"line_id": 1, "amount": 1}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let before = app.snapshot();
    for (more, at) in [
        (json!({"card": {"masked_pan": number}}), "/card/masked_pan"),
        (json!({"card": {"number": 4_242_424_242_424_242_u64}}), "/card/number"),
        (json!({"card": number}), "/card"),
        (json!({"Card-Number": number}), "/Card-Number"),
        (json!({"cards": [{"card": [{"a/b~c": number}]}]}), "/cards/0/card/0/a~1b~0c"),
        (json!({"payment_details": {"masked_pan": number}}), "/payment_details/masked_pan"),
        (json!({"payment_details": {"card": {"pan": number}}}), "/payment_details/card/pan"),
        (json!({"payment_details": {"card": {"brand": number}}}), "/payment_details/card/brand"),
        (
            json!({"payment_details": {"card": {"metadata": {"first": [number]}}}}),
            "/payment_details/card/metadata/first/0",
        ),
        (json!({"payment_details": {"card": {"x": {"y": number}}}}), "/payment_details/card/x/y"),
        (json!({"metadata": {"card": {"value": number}}}), "/metadata/card/value"),
        (json!({"metadata": {"deep": {"creditCard": number}}}), "/metadata/deep/creditCard"),
        (
            json!({"items": [{"line_id": 1, "amount": 1, "card": {"pan": number}}]}),
            "/items/0/card/pan",
        ),
    ] {
        for kind in ["authorizations", "captures", "cancellations", "refunds"] {
            let path = format!("/orders/{order}/{kind}");
            let refused = app.post(&path, operation(more.clone())).expect(400);
            assert_eq!(refused.problems(), format!("{at} unmasked_card_number"), "{kind}");
        }
    }
    let draft = json!({"order": {"currency": "NOK", "payment_details": {"pan": number},
        "items": [{"id": "a", "gross_amount": 1}], "metadata": {"card": number}}});
    let refused = app.post("/draft_orders", draft).expect(400);
    assert_eq!(
        refused.problems(),
        "/order/metadata/card unmasked_card_number\n\
         /order/payment_details/pan unmasked_card_number"
    );
    let event = json!({"service": "s", "service_status": "t", "metadata": {"card": number}});
    let refused = app.post(&format!("/orders/{order}/events"), event).expect(400);
    assert_eq!(refused.problems(), "/metadata/card unmasked_card_number");
    assert_eq!(app.snapshot(), before);
    // Masked numbers, times in milliseconds, and numbers of other things are kept.
    let kept = operation(json!({
        "card": {"masked_pan": "4242 **** **** 4242", "made": 1_795_000_000_009_u64},
        "metadata": {"parcel": number, "card": {"last": "4242"}}}));
    let made = app.post(&format!("/orders/{order}/captures"), kept.clone()).expect(200).body;
    assert_eq!((&made["card"], &made["metadata"]), (&kept["card"], &kept["metadata"]));
}

#[test]
fn a_card_number_is_refused_in_pieces_and_in_digits_of_any_script() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let before = app.snapshot();
    let sixteen = [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    for pan in [
        json!(["4111", "1111", "1111", "1111"]),
        json!([4111, 1111, 1111, 1111]),
        json!([4_111_111_111_u64, 111_111]),
        json!([["4111", 1111], [["1111"], null, "1111"]]),
        json!(sixteen),
        json!(["41", "11", "11", "11", "11", "11", "11", "11"]),
        json!(["3782", "822463", "10005"]),
        json!(["PAN", "4111", "1111", "1111", "1111"]),
        json!({"0": "4111", "1": "1111", "2": "1111", "3": "1111"}),
        json!(["４１１１", "１１１１", "１１１１", "１１１１"]),
        json!("４１１１ １１１１ １１１１ １１１１"),
        json!("４１１１－１１１１－１１１１－１１１１"),
        json!("٤١١١١١١١١١١١١١١١"),
        json!(["٤١١١", "١١١١", "١١١١", "١١١١"]),
        json!("४१११११११११११११११"),
    ] {
        for (more, at) in [
            (json!({"pan": pan}), "/pan"),
            (json!({"ｐａｎ": pan}), "/ｐａｎ"),
            (json!({"payment_details": {"pan": pan}}), "/payment_details/pan"),
            (json!({"payment_details": {"card": {"n": pan}}}), "/payment_details/card/n"),
            (json!({"metadata": {"a": [{"card_number": pan}]}}), "/metadata/a/0/card_number"),
        ] {
            let mut body = json!({"items": [{"line_id": 1, "amount": 1}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let refused = app.post(&path, body).expect(400);
            assert_eq!(refused.problems(), format!("{at} unmasked_card_number"), "{more}");
        }
    }
    assert_eq!(app.snapshot(), before);
    for kept in [
        json!([2026, 11, 23, 9, 0, 7, 123_000]),
        json!(["4111 **** **** 1111", "4242 **** **** 4242"]),
        json!({"bin": "411111", "last4": "1111", "until": [2029, 11]}),
        json!(["4111", "x", "1111", "1111", "1111"]),
        json!([]),
    ] {
        let body = json!({"items": [{"line_id": 1, "amount": 1}], "card": {"x": kept}});
        assert_eq!(app.post(&path, body).expect(200).body["card"]["x"], kept);
    }
}

#[test]
fn depth_and_length_have_limits_in_unknown_fields_too() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let nested = |levels: usize| {
        let lists = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!("{{\"items\":[{{\"line_id\":1,\"amount\":1}}],\"x\":{lists}}}")
    };
    let send = |body: &str| app.shopping("POST", &path, &[], Some(body));
    assert_eq!(send(&nested(32)).expect(400).problems(), " too_deep");
    send(&nested(31)).expect(200);
    let items: Vec<_> = (0..1_001).map(|n| json!({"line_id": n, "amount": 0})).collect();
    let many = json!({"items": items}).to_string();
    assert_eq!(send(&many).expect(400).problems(), "/items too_many_items");
    let padded = |bytes: usize| {
        let body = "{\"items\":[{\"line_id\":1,\"amount\":1}],\"x\":\"\"}";
        body.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - body.len())))
    };
    assert_eq!(send(&padded(128 << 10)).status, 200);
    assert_eq!(send(&padded((128 << 10) + 1)).code(), "body_too_large");
}

#[test]
fn differences_without_a_meaning_are_accepted() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let body = "{\"items\":[{\"line_id\":1.0,\"amount\":100.00}],\"success\":null,\
                \"metadata\":null,\"processed_at\":\"2026-11-23T09:00:00.123456+05:30\",\
                \"id\":\"mine\",\"amount\":7}";
    let made = app.shopping("POST", &path, &[], Some(body)).expect(200).body;
    assert_eq!((&made["amount"], &made["success"]), (&json!(100), &json!(true)));
    assert_eq!(made["processed_at"], "2026-11-23T09:00:00.123456+05:30");
    assert!(made.get("metadata").is_none() && made["id"] != "mine");
    let zero = json!({"items": [{"line_id": 1, "amount": 0}]});
    app.post(&path, zero).expect(200);
}

/// JSON that is valid but refused is not called invalid, and each message names the body once.
#[test]
fn messages_about_a_whole_body_are_sentences() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let levels = "[".repeat(33) + &"]".repeat(33);
    for (body, message) in [
        ("{", "The body is not valid JSON: the text ends too early at byte 1."),
        (
            "{}x",
            "The body is not valid JSON: there is more text after the end of the value at byte 2.",
        ),
        (
            "{\"a\":1,\"a\":2}",
            "The body cannot be accepted: the key \"a\" appears twice in one object at byte 7.",
        ),
        ("\"\\u0000\"", "The body cannot be accepted: a NUL character is not allowed at byte 1."),
        (&levels, "The body cannot be accepted: more than 32 levels of nesting at byte 32."),
        ("[1]", "Expected the body to be an object, found an array."),
    ] {
        let reply = app.shopping("POST", &path, &[], Some(body)).expect(400);
        assert_eq!(reply.body["error"]["message"], message, "{body}");
    }
}
