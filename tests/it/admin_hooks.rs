//! The back office's pages and forms of webhooks.

use serde_json::{Value, json};
use tillbook::domain::role::Role;
use tillbook::wire::hook_signature::webhook_signature;

use super::audit::tamper;
use super::forge::OTHER_ACCOUNT;
use super::harness::{ACCOUNT, App};
use super::hooks::make_hook;
use super::http_client::Reply;
use super::office::{FORM_TOKEN, fields_in, get, send_form, visitor, visitor_of, words};
use super::receiver::{Answer, Receiver};

const EVENT: &str = "shopping_order_update";

fn send(app: &App, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let all = [&[("form_token", FORM_TOKEN)], fields].concat();
    send_form(app, cookie, path, &all)
}

/// The hook of that number, as the API shows it.
fn hooks(app: &App) -> Vec<Value> {
    app.hooks("GET", "?include_deleted=true", None).expect(200).body.as_array().unwrap().clone()
}

fn path_of(hook: &Value) -> String {
    format!("/hooks/{}", hook["id"].as_str().unwrap())
}

/// The secret that a page shows.
fn secret_on(page: &Reply) -> Option<String> {
    let (_, rest) = page.text.split_once("<pre data-copy><code>whsec_")?;
    Some(format!("whsec_{}", rest.split('<').next().unwrap()))
}

/// A change of the order, which every hook of these tests gets.
fn change(app: &App, order: &str) {
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
}

/// Waits until the hook's page has a text.
#[track_caller]
fn until_page(app: &App, cookie: &str, path: &str, text: &str) -> Reply {
    for _ in 0..5_000 {
        let page = get(app, cookie, path).expect(200);
        if words(&page).contains(text) {
            return page;
        }
    }
    panic!("{text} did not come: {}", words(&get(app, cookie, path)));
}

#[test]
fn a_hook_is_made_and_its_secret_is_shown_once() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let empty = get(&app, &cookie, "/hooks").expect(200);
    assert!(words(&empty).contains("This shop has no webhooks."));
    let form = get(&app, &cookie, "/hooks/new").expect(200);
    let (_, part) = form.text.split_once("<h1>").unwrap();
    let mut fields = fields_in(part);
    fields.retain(|(name, value)| name != "events" || value == EVENT);
    fields.iter_mut().filter(|(name, _)| name == "url").for_each(|f| f.1 = receiver.url.clone());
    fields.push(("fields".to_owned(), " order.id \r\n\r\norder.status".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let made = send_form(&app, &cookie, "/hooks", &fields).expect(200);
    let secret = secret_on(&made).expect("the secret is shown");
    let all = hooks(&app);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["config"]["url"], receiver.url);
    assert_eq!(all[0]["events"], json!([EVENT]));
    assert_eq!(all[0]["fields"], json!(["order.id", "order.status"]));
    let ping = receiver.next();
    assert_eq!(ping.header("event"), "ping");
    let (id, at) = (ping.header("webhook-id"), ping.header("webhook-timestamp"));
    let signed = webhook_signature(&secret, id, at.parse().unwrap(), &ping.text);
    assert_eq!(ping.header("webhook-signature"), signed);
    // Reloading the page sends the form again, which makes no second hook.
    let again = send_form(&app, &cookie, "/hooks", &fields).expect(303);
    assert_eq!(again.header("location"), Some(format!("/admin/{ACCOUNT}/hooks").as_str()));
    assert_eq!(hooks(&app).len(), 1);
    for page in ["/hooks", &path_of(&all[0])] {
        let page = get(&app, &cookie, page).expect(200);
        assert!(!page.text.contains(&secret[6..]), "the secret is shown again");
    }
}

#[test]
fn a_form_with_mistakes_says_what_is_wrong_and_keeps_what_was_typed() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let typed = [
        ("url", "ftp://u:p@\"><b>"),
        ("fields", "a/b"),
        ("exclude_fields", "</textarea><script>x</script>"),
        ("secret", "whsec_!!!"),
    ];
    let page = send(&app, &cookie, "/hooks", &typed).expect(400);
    let told = words(&page);
    for expected in [
        "Choose at least one event.",
        "Expected a path such as order.items.line_id",
        "Expected base64 after whsec_.",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    assert!(page.text.contains("id=\"problem-url\""));
    assert!(page.text.contains("ftp://u:p@&#34;&#62;&#60;b&#62;"));
    assert!(!page.text.contains("<script>x") && !page.text.contains("whsec_!!!"));
    for (url, problem) in [
        ("http://shop.example/x", "Https is required"),
        ("https://10.0.0.1/x", "--webhook-allow"),
        ("nothing", "URL"),
    ] {
        let page = send(&app, &cookie, "/hooks", &[("url", url), ("events", EVENT)]).expect(400);
        assert!(page.text.contains("id=\"problem-url\""), "{url}: {}", words(&page));
        assert!(words(&page).contains(problem), "{url}: {}", words(&page));
    }
    assert_eq!(hooks(&app).len(), 0);
    let at = |n: usize| format!("https://shop.example/{n}");
    for n in 0..20 {
        let fields = [("url", at(n)), ("events", EVENT.to_owned()), ("secret", "own".to_owned())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        send(&app, &cookie, "/hooks", &fields).expect(303);
    }
    let full = [("url", "https://shop.example/21"), ("events", EVENT)];
    let refused = send(&app, &cookie, "/hooks", &full).expect(409);
    assert!(words(&refused).contains("already has 20 hooks"));
    assert!(words(&get(&app, &cookie, "/hooks")).contains("A shop has at most 20 webhooks."));
}

#[test]
fn a_hook_is_edited_paused_resumed_rotated_and_deleted() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let hook = make_hook(&app, &receiver.url, &[EVENT]);
    let path = path_of(&hook);
    let form = get(&app, &cookie, &format!("{path}/edit")).expect(200);
    assert!(form.text.contains(&format!("value=\"{}\"", receiver.url)));
    let fields = [
        ("url", receiver.url.as_str()),
        ("events", EVENT),
        ("events", "shopping_draft_add"),
        ("exclude_fields", "order.customer"),
    ];
    send(&app, &cookie, &format!("{path}/edit"), &fields).expect(303);
    let edited = hooks(&app)[0].clone();
    assert_eq!(edited["events"], json!(["shopping_draft_add", EVENT]));
    assert_eq!(edited["exclude_fields"], json!(["order.customer"]));
    send(&app, &cookie, &format!("{path}/edit"), &[("url", "x")]).expect(400);
    assert_eq!(hooks(&app)[0], edited);

    until_page(&app, &cookie, &path, "ping Delivered");
    send(&app, &cookie, &format!("{path}/pause"), &[]).expect(303);
    let order = app.simple_order(&[100]);
    change(&app, &order);
    let page = words(&get(&app, &cookie, &path).expect(200));
    assert!(page.contains("because somebody paused it. It has missed 2 deliveries."), "{page}");
    let refused = send(&app, &cookie, &format!("{path}/ping"), &[]).expect(409);
    assert!(words(&refused).contains("This hook is paused"));
    send(&app, &cookie, &format!("{path}/resume"), &[]).expect(400);
    send(&app, &cookie, &format!("{path}/resume"), &[("from", "missed")]).expect(303);
    // Up to four deliveries are on their way at once.
    assert!(receiver.events(2).iter().any(|one| one.header("event") == EVENT));
    send(&app, &cookie, &format!("{path}/pause"), &[]).expect(303);
    change(&app, &order);
    send(&app, &cookie, &format!("{path}/resume"), &[("from", "now")]).expect(303);
    send(&app, &cookie, &format!("{path}/ping"), &[]).expect(303);
    assert_eq!(receiver.next().header("event"), "ping", "what was missed is skipped");

    let rotate = format!("{path}/rotate");
    let key = [("key", "11111111-2222-4333-8444-555555555555")];
    let rotated = send(&app, &cookie, &rotate, &key).expect(200);
    let secret = secret_on(&rotated).expect("the secret is shown");
    let before = app.snapshot();
    send(&app, &cookie, &rotate, &key).expect(303);
    assert_eq!(app.snapshot(), before, "sent again, the form rotated again");
    assert!(words(&rotated).contains("the secret before it also signs until 19 Nov 2026 12:06"));
    assert!(!get(&app, &cookie, &path).text.contains(&secret));
    let own = [("secret", "my own"), ("secret_type", "Authorization")];
    send(&app, &cookie, &rotate, &own).expect(303);
    let page = get(&app, &cookie, &path);
    assert!(words(&page).contains("Secret Authorization") && !page.text.contains("my own"));
    let wrong = send(&app, &cookie, &rotate, &[("secret", "whsec_!")]).expect(400);
    assert!(words(&wrong).contains("Expected base64 after whsec_."));

    send(&app, &cookie, &format!("{path}/delete"), &[]).expect(303);
    assert!(words(&get(&app, &cookie, "/hooks")).contains("This shop has no webhooks."));
    let page = get(&app, &cookie, &path).expect(200);
    assert!(words(&page).contains("Deleted") && !page.text.contains("action=\"/admin/T12345678/h"));
    for form in ["edit", "pause", "ping", "rotate", "resume"] {
        let fields = [("from", "now"), ("url", "https://shop.example"), ("events", EVENT)];
        send(&app, &cookie, &format!("{path}/{form}"), &fields).expect(404);
    }
}

#[test]
fn a_delivery_shows_its_request_and_the_answer_and_is_sent_again() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::answering(|_| {
        Answer::Status(500, "x-told: <script>alert(1)</script>\r\nx-got: s3cret\r\n")
    });
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let hook = make_hook(&app, &receiver.url, &[EVENT]);
    let path = path_of(&hook);
    let order = app.simple_order(&[100]);
    change(&app, &order);
    receiver.next_event();
    let page = until_page(&app, &cookie, &path, "shopping_order_update Waiting next try");
    assert!(words(&page).contains("1 500, "), "{}", words(&page));
    let link = page.text.split("href=\"").find(|rest| rest.contains("/deliveries/")).unwrap();
    let link = link.split('"').next().unwrap();
    let (_, delivery) = link.split_once(ACCOUNT).unwrap();
    let shown = get(&app, &cookie, delivery).expect(200);
    let told = words(&shown);
    for expected in [
        format!("POST {}", receiver.url),
        format!("event {EVENT}"),
        format!("\"order_id\":\"{order}\""),
        "x-told <script>alert(1)</script>".to_owned(),
        "x-got (secret)".to_owned(),
        "1 of at most 10 tries, next try 18 Nov 2026".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected} in {told}");
    }
    assert_eq!(shown.text.matches("<script").count(), 1);
    let id = delivery.rsplit('/').next().unwrap();
    let at = format!("/{}/deliveries/{id}", hook["id"].as_str().unwrap());
    let in_api = app.hooks("GET", &at, None).expect(200).body;
    assert_eq!(in_api["response"]["headers"]["x-got"], "(secret)");
    assert!(!shown.text.contains("s3cret") && !shown.text.contains("/replay\""), "it waits");
    receiver.answer(|_| Answer::Status(200, ""));
    app.pass(60_000);
    app.state.store.signal.wake();
    until_page(&app, &cookie, delivery, "Delivered made");
    receiver.next_event();
    send(&app, &cookie, &format!("{delivery}/replay"), &[]).expect(303);
    receiver.next_event();
    until_page(&app, &cookie, delivery, "Delivered made");
    tamper(&app.db, "delete from delivery_bodies").unwrap();
    let gone = send(&app, &cookie, &format!("{delivery}/replay"), &[]).expect(409);
    assert!(words(&gone).contains("Its body is no longer stored"), "{}", words(&gone));
}

#[test]
fn a_hook_that_was_paused_by_failures_is_reported_on_every_page() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::answering(|_| Answer::Status(410, ""));
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let hook = make_hook(&app, &receiver.url, &[EVENT]);
    let path = path_of(&hook);
    receiver.next();
    until_page(&app, &cookie, &path, "because its receiver answered 410 Gone");
    let order = app.simple_order(&[100]);
    change(&app, &order);
    let notice = format!(
        "The webhook {} is paused, because its receiver answered 410 Gone. \
         It has missed 1 delivery.",
        receiver.url
    );
    for (role, sees) in
        [(Role::Owner, true), (Role::Manager, true), (Role::Packer, false), (Role::Viewer, false)]
    {
        let cookie = visitor(&app, role, ACCOUNT);
        for page in ["/orders".to_owned(), format!("/orders/{order}")] {
            let page = words(&get(&app, &cookie, &page).expect(200));
            assert_eq!(page.contains(&notice), sees, "{role:?}: {page}");
        }
    }
    app.make_account(OTHER_ACCOUNT);
    let of_both = visitor_of(&app, Role::Owner, &[ACCOUNT, OTHER_ACCOUNT]);
    let choice = app.send("GET", "/admin", &[("cookie", &of_both)], None).expect(200);
    assert!(words(&choice).contains(&notice), "{}", words(&choice));
    let theirs = format!("/admin/{OTHER_ACCOUNT}/orders");
    let theirs = app.send("GET", &theirs, &[("cookie", &of_both)], None).expect(200);
    assert!(!words(&theirs).contains("is paused"), "{}", words(&theirs));
    receiver.answer(|_| Answer::Status(200, ""));
    send(&app, &cookie, &format!("{path}/resume"), &[("from", "missed")]).expect(303);
    assert!(!words(&get(&app, &cookie, "/orders")).contains("is paused"));
    assert_eq!(receiver.next().header("event"), EVENT);
    // A hook that a person has paused needs no notice.
    send(&app, &cookie, &format!("{path}/pause"), &[]).expect(303);
    assert!(!words(&get(&app, &cookie, "/orders")).contains("is paused"));
}

#[test]
fn a_long_list_of_deliveries_has_pages() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let hook = make_hook(&app, "https://shop.example/hook", &[EVENT]);
    let path = path_of(&hook);
    (1..60).for_each(|_| {
        send(&app, &cookie, &format!("{path}/ping"), &[]).expect(303);
    });
    let mut next = Some(path.clone());
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(at) = next {
        let page = get(&app, &cookie, &at).expect(200);
        assert!(page.text.len() < 100_000, "{} bytes", page.text.len());
        let links = page.text.split("/deliveries/").skip(1);
        seen.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
        pages += 1;
        let link = page.text.split("href=\"").find(|rest| rest.contains("rel=\"next\">Next"));
        next = link
            .filter(|rest| rest.find("rel=\"next\"").unwrap() < 200)
            .map(|rest| rest.split('"').next().unwrap().split_once(ACCOUNT).unwrap().1.to_owned());
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((pages, count, seen.len()), (3, 60, 60));
    get(&app, &cookie, &format!("{path}?after=x")).expect(404);
}

#[test]
fn what_a_hook_has_missed_is_counted_up_to_a_limit() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let hook = make_hook(&app, "https://shop.example/hook", &["shopping_order_event_add"]);
    app.simple_order(&[100]);
    tamper(&app.db, "update hooks set paused_at_ms = 1, paused_because = 'failing'").unwrap();
    let many = "insert into events with recursive n(i) as
        (select 1 union all select i + 1 from n where i < 20000)
        select (select max(event_seq) from events) + 100 + i, order_seq, null, 1000 + i, id,
            'service', created_at_ms, created_by, null, null, null, null, null
        from n, (select * from events limit 1)";
    tamper(&app.db, many).unwrap();
    let page = words(&get(&app, &cookie, "/orders").expect(200));
    let notice = "because nothing was delivered for 75 hours. It has missed over 99";
    assert!(page.contains(notice), "{page}");
    let page = words(&get(&app, &cookie, &path_of(&hook)).expect(200));
    assert!(page.contains("Resume and send what was missed (over 999"), "{page}");
    // A long address does not fill every page.
    tamper(&app.db, "update hooks set url = 'https://x/' || hex(zeroblob(900))").unwrap();
    let page = get(&app, &cookie, "/orders").expect(200).text;
    assert!(page.contains(&format!("https://x/{}… is paused", "0".repeat(90))), "{page}");
}

#[test]
fn the_pages_show_text_of_strangers_as_text() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    for payload in
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=x>"]
    {
        let query: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        let raw = payload.replace(['<', '>', '"', ' '], "");
        let url = format!("{}?{query}&raw={raw}", receiver.url);
        let hook = make_hook(&app, &url, &["shopping_draft_complete"]);
        let items = json!([{"id": payload, "description": payload, "gross_amount": 100}]);
        let metadata = json!({payload: payload});
        app.order(json!({"currency": "NOK", "items": items, "metadata": metadata}), json!({}));
        receiver.next_event();
        let page = until_page(&app, &cookie, &path_of(&hook), "200, ");
        let links = page.text.split("href=\"").filter(|rest| rest.contains("/deliveries/"));
        let path = |rest: &str| {
            let (_, path) = rest.split('"').next().unwrap().split_once(ACCOUNT).unwrap();
            path.to_owned()
        };
        let links: Vec<String> = links.map(path).collect();
        let edit = format!("{}/edit", path_of(&hook));
        for path in links.iter().chain([&"/hooks".to_owned(), &path_of(&hook), &edit]) {
            let page = get(&app, &cookie, path).expect(200);
            assert!(!page.text.contains(payload), "{payload} is markup on {path}");
            assert_eq!(page.text.matches("<script").count(), 1, "{path} with {payload}");
        }
    }
    app.make_account(OTHER_ACCOUNT);
    let other = visitor(&app, Role::Owner, OTHER_ACCOUNT);
    get(&app, &other, "/hooks").expect(404);
}
