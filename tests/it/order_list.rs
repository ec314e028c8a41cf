//! Lists of orders: pages, filters, search (docs/contract.md, Decision 7).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tillbook::domain::scope::Scope;

use super::harness::App;
use super::http_client::Reply;

fn ids(reply: &Reply) -> Vec<String> {
    let orders = reply.body["orders"].as_array().unwrap().iter();
    orders.map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

fn list(app: &App, query: &str) -> Vec<String> {
    ids(&app.get(&format!("/orders?{query}")).expect(200))
}

fn order_of(app: &App, customer: Value) -> String {
    let items = json!([{"id": "a", "gross_amount": 100}]);
    app.order(json!({"currency": "NOK", "items": items, "customer": customer}), json!({}))
}

#[test]
fn pages_have_no_gap_and_no_repeat_while_orders_arrive() {
    let app = App::start();
    let made: Vec<String> = (0..23).map(|_| app.simple_order(&[100])).collect();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = app.get(&format!("/orders?limit=7{after}")).expect(200);
        app.simple_order(&[100]);
        let Some(last) = page.body["orders"].as_array().unwrap().last() else { break };
        after = format!("&starting_after={}", last["paging_token"].as_str().unwrap());
        seen.extend(ids(&page));
    }
    let newest_first: Vec<String> = made.into_iter().rev().collect();
    assert_eq!(seen, newest_first);
    assert_eq!(list(&app, "").len(), 10, "ten orders is the default");
}

#[test]
fn a_listed_order_is_the_order() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let capture = json!({"items": [{"line_id": 1, "amount": 100}]});
    app.post(&format!("/orders/{order}/captures"), capture).expect(200);
    let listed = app.get("/orders/").expect(200).body["orders"][0].clone();
    assert_eq!(listed, app.get(&format!("/orders/{order}")).expect(200).body);
    let by_id = format!("/orders/{}", listed["id"].as_str().unwrap());
    assert_eq!(listed, app.get(&by_id).expect(200).body);
}

#[test]
fn statuses_are_repeated_or_separated_by_commas() {
    let app = App::start();
    let open = app.simple_order(&[100]);
    let (closed, cancelled) = (app.simple_order(&[100]), app.simple_order(&[100]));
    app.post(&format!("/orders/{closed}/close"), json!({})).expect(200);
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    let capture = json!({"items": [{"line_id": 1, "amount": 40}]});
    app.post(&format!("/orders/{open}/captures"), capture).expect(200);
    assert_eq!(list(&app, "status=closed"), [closed.as_str()]);
    let two = [cancelled.clone(), closed.clone()];
    assert_eq!(list(&app, "status=closed,cancelled"), two);
    assert_eq!(list(&app, "status=closed&status=cancelled"), two);
    assert_eq!(list(&app, "payment_status=partially_paid"), [open.as_str()]);
    assert_eq!(list(&app, "payment_status=pending&status=closed"), [closed]);
    assert_eq!(list(&app, "payment_status=paid"), [""; 0]);
    let counted = app.get("/orders?total=true&limit=1&payment_status=pending").expect(200);
    assert_eq!((ids(&counted).len(), counted.header("total-count")), (1, Some("2")));
    assert_eq!(app.get("/orders").header("total-count"), None);
}

#[test]
fn date_bounds_are_inclusive() {
    let app = App::start();
    let first = app.simple_order(&[100]);
    app.pass(1_000);
    let second = app.simple_order(&[100]);
    app.pass(1_000);
    let third = app.simple_order(&[100]);
    let at = |s: u32| format!("2026-11-18T11:06:{s}Z");
    let all = [third.clone(), second.clone(), first.clone()];
    assert_eq!(list(&app, &format!("created_at.gte={}", at(40))), all);
    assert_eq!(list(&app, &format!("created_at.gte={}", at(41))), all[..2]);
    assert_eq!(list(&app, &format!("created_at.lte={}", at(41))), all[1..]);
    assert_eq!(list(&app, "created_at.gte=2026-11-18T11:06:41.001Z"), all[..1]);
    let both = format!("created_at.gte={}&created_at.lte={}", at(41), at(41));
    assert_eq!(list(&app, &both), [second.as_str()]);
    assert_eq!(list(&app, "created_at.gte=2026-11-18T12:06:41%2B01:00").len(), 2);
    assert_eq!(list(&app, "created_at.gte=2026-11-18T12:06:41+01:00").len(), 2, "a plus as sent");
    assert_eq!(list(&app, "created_at.gte=2027-01-01T00:00:00Z"), [""; 0]);
    assert_eq!(list(&app, "created_at.lte=2020-01-01T00:00:00Z"), [""; 0]);
}

#[test]
fn a_search_finds_orders_by_the_beginnings_of_words() {
    let app = App::start();
    let kare = order_of(
        &app,
        json!({"first_name": "Kåre", "last_name": "Ødegård-Næss", "email": "kare.o@example.no",
               "phone_number": "+47 912 34 567"}),
    );
    let long = "wolfeschlegelsteinhausenbergerdorff";
    let hindi = order_of(&app, json!({"first_name": long, "last_name": "हिन्दी"}));
    let olsen = order_of(&app, json!({"first_name": "Ola", "last_name": "Olsen"}));
    let find = |typed: &str| {
        let query: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        list(&app, &format!("search={query}"))
    };
    for typed in [
        "kåre",
        "KÅRE",
        "ødeg",
        "næss",
        "Kåre Ødegård",
        "kare.o@example.no",
        "example.no",
        "91234567",
        "912 34",
        "+4791234567",
        "4791",
        "kare.o@exa",
    ] {
        assert_eq!(find(typed), [kare.as_str()], "{typed}");
    }
    assert_eq!(find(&olsen[..8]), [olsen.as_str()], "the order id");
    assert_eq!(find("ol"), [olsen.as_str()]);
    for letters in 1..=long.len() {
        assert_eq!(find(&long[..letters]), [hindi.as_str()], "{letters} letters");
    }
    assert_eq!(find("wolfeschlegelsteinhx"), [""; 0], "20 letters count");
    assert_eq!(find("हि"), [hindi.as_str()], "a letter with its vowel sign");
    assert_eq!(find("हो"), [""; 0], "another vowel sign");
    assert_eq!(find("ola ode"), [""; 0], "every word must be the beginning of one");
    for typed in ["", " ", "\"", "*", "a OR b", "NOT", "x\" OR words:\"k"] {
        assert!(find(typed).is_empty(), "{typed}");
    }
}

#[test]
fn a_search_finds_what_people_type_and_nothing_else() {
    let app = App::start();
    let customer = json!({"first_name": "Bjo\u{308}rk", "last_name": "Guðmundsdóttir",
        "email": "b@example.no", "phone_number": "+46 70-123 45 67"});
    let bjork = order_of(&app, customer);
    let other = json!({"first_name": "A", "last_name": "Ⓐ", "email": "a@example.no",
        "phone_number": "0802345678"});
    order_of(&app, other);
    for kind in ["orders", "draft_orders"] {
        let count = |typed: &str| {
            let query: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let list = app.get(&format!("/{kind}?search={query}")).expect(200).body;
            list[kind].as_array().map(Vec::len).unwrap_or_default()
        };
        for typed in [
            "björk",
            "bjo\u{308}rk",
            "BJÖRK",
            "bjork",
            "gudmunds dottir b",
            "0701234567",
            "070 123",
            "0046701234567",
            "+46 (0)70 123 45 67",
            "46701234567",
            "701234567",
            "+46\u{a0}70\u{2011}123",
        ] {
            let expected = usize::from(!typed.starts_with("gudmunds"));
            assert_eq!(count(typed), expected, "{kind}: {typed}");
        }
        for typed in ["Ⓐ", "🙂", "\u{308}", "☎", "Ⓐ Ⓑ", "+47701234567", "01234567"] {
            assert_eq!(count(typed), 0, "{kind}: {typed}");
        }
    }
    assert!(list(&app, "search=bj%C3%B6rk").contains(&bjork));
}

#[test]
fn an_unknown_filter_is_refused_and_never_widens_the_list() {
    let app = App::start();
    for (query, problem) in [
        ("limit=0", "limit bad_value"),
        ("limit=101", "limit bad_value"),
        ("limit=ten", "limit bad_value"),
        ("status=opened", "status bad_value"),
        ("status=", "status bad_value"),
        ("payment_status=Paid", "payment_status bad_value"),
        ("created_at.gte=yesterday", "created_at.gte bad_value"),
        ("total=yes", "total bad_value"),
        ("customer_id=", "customer_id bad_value"),
        (&["currency=NOK"; 21].join("&"), "currency bad_value"),
        ("store_id=torget&store_id=", "store_id bad_value"),
        ("itinerary_travel_mode=BUS,,TRAIN", "itinerary_travel_mode bad_value"),
        ("itinerary_travel_mode=", "itinerary_travel_mode bad_value"),
        ("itinerary_arrival_address=", "itinerary_arrival_address bad_value"),
        ("items_discount_lines_discount_type=", "items_discount_lines_discount_type bad_value"),
        ("include_events=all", "include_events bad_value"),
        ("search=a+b+c+d+e+f+g+h+i", "search bad_value"),
        ("search=a@b.c&search=d@e.f", "search bad_value"),
        (
            "created_at.gte=2026-11-23T09:00:00Z&created_at.gte=2026-11-24T09:00:00Z",
            "created_at.gte bad_value",
        ),
        (
            "created_at.lte=2026-11-23T09:00:00Z&created_at.lte=2026-11-24T09:00:00Z",
            "created_at.lte bad_value",
        ),
        ("starting_after=nothing", "starting_after bad_value"),
        ("stauts=open", "stauts unknown_filter"),
        ("limit=0&customer=1", "limit bad_value\ncustomer unknown_filter"),
    ] {
        let reply = app.get(&format!("/orders?{query}")).expect(400);
        assert_eq!(reply.problems(), problem, "{query}");
    }
    for query in ["search=a+b+c+d+e+f+g+h", "search=%2B4+7+0+1+2+3+4+5+6+7", "search=a&search=a"] {
        app.get(&format!("/orders?{query}")).expect(200);
        app.get(&format!("/draft_orders?{query}")).expect(200);
    }
    let drafts = app.get("/draft_orders?search=a+b+c+d+e+f+g+h+i").expect(400);
    assert_eq!(drafts.problems(), "search bad_value");
    for path in ["/customers/kari/orders", "/stores/torget/orders"] {
        let reply = app.get(&format!("{path}?search=a+b+c+d+e+f+g+h+i")).expect(400);
        assert_eq!(reply.problems(), "search bad_value");
    }
    let told = app.get("/orders?stauts=open").body;
    assert!(told["error"]["message"].as_str().unwrap().contains("payment_status"));
}

#[test]
fn no_list_has_orders_of_another_account() {
    let app = App::start();
    let mine = order_of(&app, json!({"email": "ola@example.no"}));
    app.make_account("T00000002");
    let client = app.make_client("T00000002", &[Scope::AdminShopping]);
    let token = app.token_in("T00000002", &client);
    let bearer = format!("Bearer {token}");
    for query in ["", "?search=ola", "?status=open", "?total=true"] {
        let path = format!("/v1/accounts/T00000002/shopping/orders{query}");
        let reply = app.send("GET", &path, &[("authorization", &bearer)], None).expect(200);
        assert_eq!(ids(&reply), [""; 0]);
    }
    let path = format!("/v1/accounts/T00000002/shopping/orders/{mine}");
    app.send("GET", &path, &[("authorization", &bearer)], None).expect(404);
}

/// Makes orders of two customers and three stores, each with a unique text to search for.
fn travellers(app: &App) -> [String; 3] {
    let leg = |mode: &str, from: &str, to: Value| {
        json!({"travel_mode": mode, "departure_address": {"name": from},
            "arrival_address": to})
    };
    let item = |store: &str, discount: &str| {
        json!({"id": "a", "gross_amount": 100, "store": {"id": store},
            "discount_lines": [{"amount": 10, "discount_type": discount}]})
    };
    let order = |currency: &str, customer: &str, items: Value, legs: Value| {
        let order = json!({"currency": currency, "items": items, "customer": {"id": customer},
            "itinerary": legs});
        app.order(order, json!({"split_draft": false}))
    };
    let oslo = json!({"id": "OSL", "name": "Oslo S, spor 3"});
    [
        order(
            "NOK",
            "kari",
            json!([item("torget", "loyalty"), item("havna", "manual")]),
            json!([leg("TRAIN", "Bergen", oslo.clone())]),
        ),
        order("SEK", "kari", json!([item("havna", "loyalty")]), json!([leg("BUS", "Oslo", oslo)])),
        order("NOK", "ola", json!([item("torget", "total")]), json!([])),
    ]
}

#[test]
fn every_filter_finds_orders_with_any_of_its_values() {
    let app = App::start();
    let [train, bus, none] = travellers(&app);
    let all = [none.clone(), bus.clone(), train.clone()];
    for (query, expected) in [
        ("customer_id=kari", &[&bus, &train][..]),
        ("customer.id=ola", &[&none]),
        ("customer_id=kari&customer_id=ola", &[&none, &bus, &train]),
        ("customer_id=ola&customer_id=ola&currency=NOK,NOK", &[&none]),
        ("customer_id=kari&customer_id=ola&limit=2", &[&none, &bus]),
        ("store_id=torget", &[&none, &train]),
        ("store_id=torget&store_id=havna", &[&none, &bus, &train]),
        ("store_id=torget&customer_id=kari", &[&train]),
        ("currency=SEK", &[&bus]),
        ("currency=SEK,NOK", &[&none, &bus, &train]),
        ("itinerary_travel_mode=BUS,TRAIN", &[&bus, &train]),
        ("itinerary_arrival_address=OSL", &[&bus, &train]),
        ("itinerary_arrival_address=Oslo%20S,%20spor%203", &[&bus, &train]),
        ("itinerary_departure_address=Bergen&itinerary_departure_address=x", &[&train]),
        ("items_discount_lines_discount_type=loyalty", &[&bus, &train]),
        ("items_discount_lines_discount_type=manual,total", &[&none, &train]),
        ("customer_id=nobody", &[]),
        ("store_id=torget&currency=NOK&status=open&payment_status=pending", &[&none, &train]),
    ] {
        let expected: Vec<&str> = expected.iter().map(|id| id.as_str()).collect();
        assert_eq!(list(&app, query), expected, "{query}");
        let counted = app.get(&format!("/orders?total=true&{query}&limit=100")).expect(200);
        let count = ids(&counted).len().to_string();
        assert_eq!(counted.header("total-count"), Some(count.as_str()), "{query}");
    }
    assert_eq!(list(&app, &format!("order_id={bus}&order_id={none}")), [none.as_str(), &bus]);
    let by_id = app.get(&format!("/orders/{bus}")).expect(200).body["id"].clone();
    let twice = format!("order_id={bus}&order_id={bus}&order_id={}", by_id.as_str().unwrap());
    assert_eq!(list(&app, &twice), [bus.as_str()], "an order with two of the names is listed once");
    assert_eq!(list(&app, ""), all);
}

#[test]
fn pages_of_several_values_have_each_order_once() {
    let app = App::start();
    let [train, bus, none] = travellers(&app);
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page =
            app.get(&format!("/orders?store_id=torget&store_id=havna&limit=1{after}")).expect(200);
        let Some(order) = page.body["orders"].as_array().unwrap().first() else { break };
        after = format!("&starting_after={}", order["paging_token"].as_str().unwrap());
        seen.extend(ids(&page));
    }
    assert_eq!(seen, [none, bus, train]);
}

#[test]
fn an_unknown_filter_is_refused_with_the_list_of_filters() {
    let app = App::start();
    for (query, path, code) in [
        ("colour=red", "colour", "unknown_filter"),
        ("currency=kroner", "currency", "bad_value"),
        ("order_id=a%20b", "order_id", "bad_value"),
        ("payment_status=held", "payment_status", "bad_value"),
    ] {
        let refused = app.get(&format!("/orders?{query}")).expect(400);
        assert_eq!(refused.problems(), format!("{path} {code}"));
    }
    let refused = app.get("/orders?colour=red").expect(400).text;
    assert!(refused.contains("itinerary_travel_mode") && refused.contains("payment_status"));
    let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    let refused = app.get(&format!("/orders?store_id={}", many.join("&store_id="))).expect(400);
    assert_eq!(refused.problems(), "store_id bad_value");
    let refused = app.get("/draft_orders?payment_status=paid").expect(400);
    assert_eq!(refused.problems(), "payment_status unknown_filter");
}

#[test]
fn lists_by_customer_and_store_have_their_orders_and_never_api_events() {
    let app = App::start();
    let [train, bus, none] = travellers(&app);
    let of = |path: &str| ids(&app.get(path).expect(200));
    assert_eq!(of("/customers/kari/orders"), [bus.as_str(), &train]);
    assert_eq!(of("/customers/kari/orders?store_id=torget"), [train.as_str()]);
    assert_eq!(of("/customers/kari/orders?customer_id=ola"), [""; 0]);
    assert_eq!(
        of("/customers/kari/orders?customer_id=ola&customer_id=kari&limit=1"),
        [bus.as_str()]
    );
    assert_eq!(of("/stores/torget/orders?currency=NOK"), [none.as_str(), &train]);
    assert_eq!(of("/stores/nowhere/orders"), [""; 0]);
    let refund = json!({"items": [{"line_id": 1, "amount": 5}]});
    app.post(&format!("/orders/{train}/captures"), refund).expect(200);
    let types = |path: &str| -> Vec<String> {
        let order = app.get(path).expect(200).body;
        let events = order["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    };
    for (include, expected) in [
        ("true", &["service-event"][..]),
        ("service-event", &["service-event"]),
        ("api-event", &[]),
        ("false", &[]),
    ] {
        for path in ["/customers/kari/orders", "/stores/torget/orders"] {
            assert_eq!(types(&format!("{path}/{train}?include_events={include}")), expected);
            let page = app.get(&format!("{path}?include_events={include}")).expect(200).text;
            assert!(!page.contains("api-event"), "{path} {include}");
        }
    }
    let plain = app.get(&format!("/orders/{train}")).expect(200).body;
    assert_eq!(app.get(&format!("/customers/kari/orders/{train}")).expect(200).body, plain);
    for (path, order) in [("/customers/ola/orders", &train), ("/stores/torget/orders", &bus)] {
        app.get(&format!("{path}/{order}")).expect(404);
    }
}

#[test]
fn drafts_are_listed_filtered_and_paged_like_orders() {
    let app = App::start();
    let draft = |currency: &str, customer: &str, options: Value| {
        let order = json!({"currency": currency, "customer": {"id": customer, "email": "k@x.no"},
            "items": [{"id": "a", "gross_amount": 100, "store": {"id": "torget"}}]});
        app.post("/draft_orders", json!({"order": order, "options": options})).expect(200).body
    };
    let kari = draft("NOK", "kari", json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"}));
    let ola = draft("SEK", "ola", json!({}));
    let done = format!("/draft_orders/{}/complete", ola["id"].as_str().unwrap());
    app.put(&done, json!({})).expect(200);
    let list = |query: &str| -> Vec<Value> {
        let page = app.get(&format!("/draft_orders?{query}")).expect(200);
        page.body["draft_orders"].as_array().unwrap().clone()
    };
    let ola = app.get(&format!("/draft_orders/{}", ola["id"].as_str().unwrap())).expect(200).body;
    assert_eq!(list(""), [ola.clone(), kari.clone()], "a listed draft is the draft");
    let reserved = kari["order"]["order_id"].as_str().unwrap();
    for (query, expected) in [
        ("status=open", &[&kari][..]),
        ("status=open,completed", &[&ola, &kari]),
        ("status=deleted", &[]),
        ("currency=SEK", &[&ola]),
        ("customer_id=kari", &[&kari]),
        ("store_id=torget", &[&ola, &kari]),
        (&format!("order_id={reserved}"), &[&kari]),
        ("search=k@x", &[&ola, &kari]),
        ("search=nobody", &[]),
        ("limit=1", &[&ola]),
        (&format!("starting_after={}", ola["paging_token"].as_str().unwrap()), &[&kari]),
        ("created_at.gte=2026-11-18T11:06:40Z", &[&ola, &kari]),
        ("created_at.lte=2026-11-18T11:06:39Z", &[]),
    ] {
        let expected: Vec<Value> = expected.iter().map(|draft| (*draft).clone()).collect();
        assert_eq!(list(query), expected, "{query}");
    }
    let counted = app.get("/draft_orders?total=true&limit=1").expect(200);
    assert_eq!(counted.header("total-count"), Some("2"));
}

#[test]
fn a_comma_belongs_to_the_value_of_a_filter_by_free_text() {
    let app = App::start();
    let (store, customer) = ("Oslo, Torget", "kari,ola");
    let leg = json!({"departure_address": {"name": "Oslo S, spor 3"},
        "arrival_address": {"id": "BGO,1"}});
    let order = json!({"currency": "NOK", "order_id": "A,1", "customer": {"id": customer},
        "store": {"id": store}, "items": [{"id": "a", "gross_amount": 100}], "itinerary": [leg]});
    let found = app.order(order, json!({"split_draft": false}));
    for name in ["Oslo", " Torget", "kari", "ola"] {
        let order = json!({"currency": "NOK", "customer": {"id": name}, "store": {"id": name},
            "items": [{"id": "a", "gross_amount": 100}]});
        app.order(order, json!({"split_draft": false}));
    }
    for query in [
        "store_id=Oslo,%20Torget",
        "store_id=Oslo%2C+Torget&store_id=nowhere",
        "customer_id=kari,ola",
        "customer.id=kari%2Cola",
        "order_id=A,1",
        "itinerary_departure_address=Oslo%20S,%20spor%203",
        "itinerary_arrival_address=BGO,1",
    ] {
        assert_eq!(list(&app, query), [found.as_str()], "{query}");
    }
    let path = "/stores/Oslo%2C%20Torget/orders";
    assert_eq!(ids(&app.get(path).expect(200)), [found.as_str()]);
    assert_eq!(list(&app, "store_id=Oslo&store_id=%20Torget").len(), 2);

    let draft = app.draft(
        json!({"currency": "NOK", "order_id": "B,2", "customer": {"id": customer},
            "store": {"id": store}, "items": [{"id": "a", "gross_amount": 100}]}),
        json!({"split_draft": false}),
    );
    for query in ["order_id=B,2", "store_id=Oslo,%20Torget", "customer_id=kari,ola"] {
        let page = app.get(&format!("/draft_orders?{query}&status=open")).expect(200);
        let drafts = page.body["draft_orders"].as_array().unwrap();
        assert_eq!(drafts.len(), 1, "{query}");
        assert!(draft.ends_with(drafts[0]["id"].as_str().unwrap()), "{query}");
    }
}

#[test]
fn include_events_takes_several_values_and_gives_the_union() {
    let app = App::start();
    let order = app.simple_order(&[1_000]);
    let capture = json!({"items": [{"line_id": 1, "amount": 5}]});
    app.post(&format!("/orders/{order}/captures"), capture).expect(200);
    app.put(&format!("/orders/{order}"), json!({"comment": "x"})).expect(200);
    let types = |order: &Value| -> Option<BTreeSet<String>> {
        let events = order["events"].as_array()?.iter();
        Some(events.map(|event| event["event_type"].as_str().unwrap().to_owned()).collect())
    };
    let (api, service) = ("api-event", "service-event");
    for (query, expected) in [
        ("include_events=api-event,service-event", Some(&[api, service][..])),
        ("include_events=api-event&include_events=service-event", Some(&[api, service])),
        ("include_events=service-event&include_events=api-event", Some(&[api, service])),
        ("include_events=api-event&include_events=api-event", Some(&[api])),
        ("include_events=false&include_events=service-event", Some(&[service])),
        ("include_events=service-event,false", Some(&[service])),
        ("include_events=true,api-event", Some(&[api, service])),
        ("include_events=api-event&include_events=true", Some(&[api, service])),
        ("include_events=false&include_events=false", None),
    ] {
        let expected = expected.map(|words| words.iter().map(|w| (*w).to_owned()).collect());
        let one = app.get(&format!("/orders/{order}?{query}")).expect(200).body;
        assert_eq!(types(&one), expected, "{query}");
        let page = app.get(&format!("/orders?{query}")).expect(200).body;
        assert_eq!(types(&page["orders"][0]), expected, "list, {query}");
        let changed = app.put(&format!("/orders/{order}?{query}"), json!({"comment": "x"}));
        assert_eq!(types(&changed.expect(200).body), expected, "change, {query}");
    }
    for query in [
        "include_events=api-event,",
        "include_events=true&include_events=some",
        "include_events=",
        "include_events=api-event;service-event",
    ] {
        for path in [format!("/orders/{order}"), "/orders".to_owned()] {
            let refused = app.get(&format!("{path}?{query}")).expect(400);
            assert_eq!(refused.problems(), "include_events bad_value", "{query}");
        }
    }
}
