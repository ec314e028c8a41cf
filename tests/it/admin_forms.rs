//! Cross-site request forgery: every form of the back office is refused, and changes nothing, when
//! another site's page sends it or when it lacks the session's form token.

use serde_json::json;
use tillbook::app::MakeSignInLink;
use tillbook::auth::session::Ticket;
use tillbook::domain::role::Role;
use tillbook::http::pages;
use tillbook::http::server::ServerOptions;
use tillbook::randomness::Randomness;

use super::access_objects::{Shop, filled};
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{
    FORM, FORM_TOKEN, fields_in, form_fields, get, visitor, visitor_with_token, words,
};

/// The forms that work without a session.
const WITHOUT_SESSION: [&str; 3] = ["/admin/sign-in", "/admin/link", "/admin/setup"];

/// The form token of another valid session.
const OTHER_TOKEN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

const EMAIL: &str = "owner-t12345678@example.no";
const PASSWORD: &str = "korrekt hest batteri";

/// The headers with which a browser says where a form comes from.
pub type Said<'a> = Vec<(&'static str, &'a str)>;

/// A form that is accepted when sent unchanged.
pub struct Ready {
    path: String,
    fields: Vec<(String, String)>,
    /// The session's cookie; empty for forms that need no session.
    cookie: String,
}

impl Ready {
    /// The form of a route, filled in as on its own page.
    #[track_caller]
    pub fn of(app: &App, route: &str) -> Ready {
        let fields: Vec<(String, String)> = match route {
            "/admin/sign-in" => {
                visitor(app, Role::Owner, ACCOUNT);
                own(&[("email", EMAIL), ("password", PASSWORD)])
            }
            "/admin/link" => {
                visitor(app, Role::Owner, ACCOUNT);
                own(&[("ticket", &ticket(app, Some(EMAIL)))])
            }
            "/admin/setup" => {
                let ticket = ticket(app, None);
                own(&[("ticket", &ticket), ("email", EMAIL), ("password", PASSWORD)])
            }
            _ if ["{hid}", "{session_id}", "{payout_rule_id}"]
                .iter()
                .any(|id| route.contains(id)) =>
            {
                return Ready::of_shop(app, route);
            }
            _ => return Ready::signed_in(app, route),
        };
        Ready { path: route.to_owned(), fields, cookie: String::new() }
    }

    /// A form about a hook, a session or a payout rule.
    #[track_caller]
    fn of_shop(app: &App, route: &str) -> Ready {
        let cookie = visitor(app, Role::Owner, ACCOUNT);
        let path = filled(route, &Shop::first(app).ids(route));
        let mut fields = own(&[("form_token", FORM_TOKEN)]);
        let (_, word) = route.rsplit_once('/').unwrap();
        fields.extend(match word {
            "edit" => own(&[("url", "https://shop.example/b"), ("events", "shopping_draft_add")]),
            "resume" => own(&[("from", "now")]),
            "rotate" => own(&[("secret", "s3cret")]),
            "{payout_rule_id}" => own(&[("store", "bua"), ("destinations", "a 100%")]),
            _ => Vec::new(),
        });
        Ready { path, fields, cookie }
    }

    #[track_caller]
    fn signed_in(app: &App, route: &str) -> Ready {
        let cookie = visitor(app, Role::Owner, ACCOUNT);
        let order = order(app);
        let (_, word) = route.rsplit_once('/').unwrap();
        let at = format!("/orders/{order}");
        let mut path = route.replace("{aid}", ACCOUNT).replace("{order_id}", &order);
        let mut fields = own(&[("form_token", FORM_TOKEN)]);
        match word {
            "sign-out" | "close" => {}
            "open" => drop(app.post(&format!("{at}/close"), json!({})).expect(200)),
            "cancel" => {
                // Only an order without operations can be cancelled.
                let fresh = app.simple_order(&[100]);
                path = route.replace("{aid}", ACCOUNT).replace("{order_id}", &fresh);
                fields.extend(own(&[("cancelled_reason", "other")]));
            }
            "hooks" => fields.extend(own(&[
                ("url", "https://shop.example/b"),
                ("events", "shopping_draft_add"),
                ("secret", "s3cret"),
            ])),
            "payout-rules" => {
                fields.extend(own(&[("store", "bua"), ("destinations", "a 100%")]));
            }
            "comments" => fields.extend(own(&[("comment", "Ring twice")])),
            "delete" => {
                let said = app.post(&format!("{at}/comments"), json!({"comment": "c"})).expect(200);
                let id = said.body["comments"][0]["id"].as_str().unwrap();
                path = path.replace("{comment_id}", id);
            }
            "authorizations" | "captures" | "refunds" | "cancellations" => {
                let to_key = get(app, &cookie, &format!("{at}/{word}?fill=all")).expect(303);
                let to_key = to_key.header("location").unwrap();
                let page = app.send("GET", to_key, &[("cookie", &cookie)], None).expect(200);
                fields = form_fields(&page);
                fields.extend(own(&[("button", "record")]));
            }
            _ => panic!("add a case for the form of {route} here"),
        }
        Ready { path, fields, cookie }
    }

    /// Sends the form with these headers and its own cookie.
    pub fn send(&self, app: &App, said: &Said<'_>) -> Reply {
        self.send_as(app, FORM, &self.cookie, said)
    }

    fn send_as(
        &self,
        app: &App,
        form: (&'static str, &str),
        cookie: &str,
        said: &Said<'_>,
    ) -> Reply {
        let mut headers = vec![form];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie));
        }
        headers.extend(said);
        app.send("POST", &self.path, &headers, Some(&self.body()))
    }

    fn body(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish()
    }

    /// The same form with another token, or without one.
    fn with_token(&self, token: Option<&str>) -> Ready {
        let mut fields = self.fields.clone();
        fields.retain(|(name, _)| name != "form_token");
        fields.extend(token.map(|token| ("form_token".to_owned(), token.to_owned())));
        Ready { path: self.path.clone(), fields, cookie: self.cookie.clone() }
    }
}

fn own(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The ticket of a one-time link: for this user, or to make the first user.
fn ticket(app: &App, email: Option<&str>) -> String {
    let ticket = Ticket::draw(&Randomness::System);
    let email = email.map(super::harness::email);
    let command = MakeSignInLink { token_sha256: ticket.sha256(), email, life_ms: 60_000 };
    app.state.store.writer.write_blocking(command).unwrap();
    ticket.reveal().to_owned()
}

/// An order on which every kind of operation is still possible.
fn order(app: &App) -> String {
    let order = app.simple_order(&[100]);
    for (kind, amount) in [("authorizations", 60), ("captures", 20)] {
        let body = json!({"items": [{"line_id": 1, "amount": amount}]});
        app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
    }
    order
}

/// The routes of all forms, from the router.
pub fn forms() -> Vec<String> {
    let posts = pages().into_iter().filter(|page| page.method == "POST");
    posts.map(|page| page.path).collect()
}

/// Checks that a form is refused and leaves the book unchanged.
struct Refused<'a> {
    app: &'a App,
    route: &'a str,
    before: String,
}

impl Refused<'_> {
    #[track_caller]
    fn expect(&self, status: u16, what: &str, reply: &Reply) {
        assert_eq!(reply.status, status, "{} {what}: {}", self.route, reply.text);
        assert!(reply.header("set-cookie").is_none(), "{} {what} signed in or out", self.route);
        assert_eq!(self.app.snapshot(), self.before, "{} {what} changed something", self.route);
    }
}

#[test]
fn no_form_is_accepted_from_a_page_of_another_site() {
    for route in forms() {
        let app = App::start();
        let ready = Ready::of(&app, &route);
        let refused = Refused { app: &app, route: &route, before: app.snapshot() };
        let own = app.url.clone();
        // Another port, another name of this machine, and names that begin or end like ours.
        let localhost = own.replace("127.0.0.1", "localhost");
        let longer = format!("{own}.evil.example");
        let user = own.replace("http://", "http://evil.example@");
        let mut others: Vec<Said<'_>> = ["null", "", "https://evil.example", "http://127.0.0.1:1"]
            .map(|origin| vec![("origin", origin)])
            .to_vec();
        others.extend([&localhost, &longer, &user].map(|origin| vec![("origin", origin.as_str())]));
        for site in ["cross-site", "same-site", "", "SAME-ORIGIN", "same-origin, cross-site"] {
            others.push(vec![("sec-fetch-site", site)]);
            // With our own origin too: either header is enough to refuse.
            others.push(vec![("sec-fetch-site", site), ("origin", own.as_str())]);
        }
        for said in others {
            refused.expect(403, &format!("{said:?}"), &ready.send(&app, &said));
        }
        // Other sites' pages can send these types without a CORS preflight.
        for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json", ""] {
            let reply = ready.send_as(&app, ("content-type", kind), &ready.cookie, &Vec::new());
            refused.expect(403, &format!("as {kind:?}"), &reply);
        }
        // Images and links send GET.
        let path = format!("{}?{}", ready.path, ready.body());
        let reply = app.send("GET", &path, &[("cookie", &ready.cookie)], None);
        assert_eq!(app.snapshot(), refused.before, "GET {path}: {}", reply.status);
        assert!(reply.header("set-cookie").is_none(), "GET {path}");
    }
}

#[test]
fn a_plain_http_page_of_an_https_host_sends_no_form() {
    let options = ServerOptions::default();
    let app = App::start_known_as(options, |_| "https://shop.example".to_owned());
    let sent = |host: &str, origin: &str| {
        let said = [FORM, ("host", host), ("origin", origin)];
        app.send("POST", "/admin/sign-in", &said, Some("email=x&password=y")).status
    };
    let direct = app.url.trim_start_matches("http://");
    for (host, origin, is_taken) in [
        ("shop.example", "https://shop.example", true),
        ("shop.example", "http://shop.example", false),
        ("shop.example", "HTTP://shop.example", false),
        ("shop.example", "ftp://shop.example", false),
        ("shop.example", "shop.example", false),
        ("SHOP.example:443", "http://SHOP.example:443", false),
        // The server itself, without the proxy in front of it.
        (direct, &app.url, true),
    ] {
        let status = sent(host, origin);
        assert_eq!(status != 403, is_taken, "{origin} for {host}: {status}");
    }
}

#[test]
fn a_form_may_be_as_long_as_its_limit_however_it_is_sent() {
    let options = ServerOptions { path_prefix: "/shop".to_owned(), ..ServerOptions::default() };
    let app = App::start_with(options, "/shop");
    let field = "email=x&password=y&z=";
    for route in ["/admin/sign-in", "/admin/sign-in/", "/shop/admin/sign-in"] {
        for (bytes, is_taken) in
            [((128 << 10) + 1, true), (300_000, true), (512 << 10, true), ((512 << 10) + 1, false)]
        {
            let body = format!("{field}{}", "x".repeat(bytes - field.len()));
            let reply = app.send("POST", route, &[FORM], Some(&body));
            assert_eq!(
                reply.status != 413,
                is_taken,
                "{route} with {bytes} bytes: {}",
                reply.status
            );
            if !is_taken {
                let page = words(&reply);
                assert!(page.contains("Too long The form is too long"), "{route}: {page}");
                assert!(page.contains("Back to the orders"), "{route}: {page}");
            }
        }
    }
    // A path of the API keeps its smaller limit, even if it contains `admin`.
    let body = "x".repeat((128 << 10) + 1);
    let api = format!("/v1/accounts/{ACCOUNT}/shopping/orders/admin/captures");
    app.send("POST", &api, &[], Some(&body)).expect(413);
}

#[test]
fn no_form_is_accepted_without_the_token_of_its_own_session() {
    for route in forms().iter().filter(|route| !WITHOUT_SESSION.contains(&route.as_str())) {
        let app = App::start();
        let ready = Ready::of(&app, route);
        let other_cookie = visitor_with_token(&app, Role::Owner, ACCOUNT, OTHER_TOKEN);
        let refused = Refused { app: &app, route, before: app.snapshot() };
        let said = vec![("sec-fetch-site", "same-origin")];
        for token in [None, Some(""), Some(OTHER_TOKEN), Some(&FORM_TOKEN[1..])] {
            let reply = ready.with_token(token).send(&app, &said);
            refused.expect(403, &format!("with {token:?}"), &reply);
        }
        // The form of one session, sent with the cookie of another.
        let reply = ready.send_as(&app, FORM, &other_cookie, &said);
        refused.expect(403, "by another session", &reply);
        // The token in the query string, where a log or a `Referer` header could reveal it.
        let mut in_address = ready.with_token(None);
        in_address.path = format!("{}?form_token={FORM_TOKEN}", ready.path);
        refused.expect(403, "with its token in the address", &in_address.send(&app, &said));
        for cookie in ["", "tillbook=", "tillbook=planted"] {
            let reply = ready.send_as(&app, FORM, cookie, &said);
            // The sign-in page gets the form too, and keeps it.
            let status = if route.ends_with("/sign-out") { 303 } else { 307 };
            refused.expect(status, &format!("by {cookie:?}"), &reply);
            assert!(reply.header("location").unwrap().starts_with("/admin/sign-in"), "{route}");
        }
    }
}

#[test]
fn every_form_that_our_own_page_sends_is_accepted() {
    for route in forms() {
        for site in [Some("same-origin"), Some("none"), None] {
            let app = App::start();
            let ready = Ready::of(&app, &route);
            let before = app.snapshot();
            let own = app.url.clone();
            let mut said = vec![("origin", own.as_str())];
            said.extend(site.map(|site| ("sec-fetch-site", site)));
            let reply = ready.send(&app, &said);
            assert_eq!(reply.status, 303, "{route} {said:?}: {}", reply.text);
            assert_ne!(app.snapshot(), before, "{route} {said:?} did nothing");
            let signs = ["/admin/sign-in", "/admin/link", "/admin/setup", "/admin/sign-out"];
            let sets_cookie = reply.header("set-cookie").is_some();
            assert_eq!(sets_cookie, signs.contains(&route.as_str()), "{route}");
        }
    }
}

/// A session that ended while a form was filled in must not lose the typed text.
#[test]
fn a_form_that_was_sent_signed_out_comes_back_after_signing_in() {
    let routes = forms().into_iter();
    let needs_session = |route: &String| {
        !WITHOUT_SESSION.contains(&route.as_str()) && !route.ends_with("/sign-out")
    };
    for route in routes.filter(needs_session) {
        let app = App::start();
        let ready = Ready::of(&app, &route);
        let before = app.snapshot();
        let sent = ready.send_as(&app, FORM, "", &Vec::new()).expect(307);
        let sign_in = sent.header("location").unwrap().to_owned();
        // A browser sends the same body there.
        let page = app.send("POST", &sign_in, &[FORM], Some(&ready.body())).expect(200);
        assert!(words(&page).contains("You were signed out before you sent the form"), "{route}");
        let sign = |page: &Reply, password: &str| {
            let mut fields = fields_in(&page.text);
            fields.retain(|(name, _)| name != "email" && name != "password");
            fields.extend(own(&[("email", EMAIL), ("password", password)]));
            app.send("POST", "/admin/sign-in", &[FORM], Some(&encoded(&fields)))
        };
        let wrong = sign(&page, "wrong").expect(200);
        assert!(words(&wrong).contains("No user has this e-mail and password."), "{route}");
        let back = sign(&wrong, PASSWORD).expect(200);
        let cookie = back.header("set-cookie").unwrap().split(';').next().unwrap();
        let fields = fields_in(&back.text);
        for (name, value) in &ready.fields {
            let kept = fields.iter().find(|(known, _)| known == name);
            let kept = kept.map(|(_, value)| value.as_str());
            match name.as_str() {
                "form_token" => assert_ne!(kept, Some(value.as_str()), "{route}"),
                "button" => assert_eq!(kept, Some("review"), "{route}"),
                _ => assert_eq!(kept, Some(value.as_str()), "{name} of {route}"),
            }
        }
        let path = back.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(path, ready.path);
        let went_on = app.send("POST", path, &[FORM, ("cookie", cookie)], Some(&encoded(&fields)));
        if ready.fields.iter().any(|(name, _)| name == "button") {
            let mut shown = form_fields(&went_on.expect(200));
            let unchanged = app.snapshot();
            assert_eq!(
                unchanged.matches(" | capture | ").count(),
                before.matches(" | capture | ").count()
            );
            shown.extend(own(&[("button", "record")]));
            app.send("POST", path, &[FORM, ("cookie", cookie)], Some(&encoded(&shown))).expect(303);
        } else {
            went_on.expect(303);
        }
        assert_ne!(app.snapshot(), before, "{route} did nothing");
    }
}

fn encoded(fields: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
