//! Signing in to the back office, staying signed in, and everything that ends a session.

use tillbook::app::{ChangeUser, CreateUser, LinkUserNotFound, MakeSignInLink, UserChange};
use tillbook::auth::password::{HashMemory, Password};
use tillbook::auth::session::Ticket;
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;
use tillbook::randomness::Randomness;
use tillbook::store::{USER_SESSIONS_MAX, WriteError};

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::words;

const EMAIL: &str = "kari@example.no";
const PASSWORD: &str = "korrekt hest batteri";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const MINUTE_MS: i64 = 60_000;

fn app_with_user() -> App {
    let app = App::start();
    make_user(&app, EMAIL);
    app
}

fn make_user(app: &App, email: &str) {
    let hash = Password::new(PASSWORD)
        .unwrap()
        .hash(&Randomness::System, &mut HashMemory::default())
        .unwrap();
    let command = CreateUser {
        email: super::harness::email(email),
        role: Role::Owner,
        accounts: vec![AccountId::parse(ACCOUNT).unwrap()],
        password_hash: hash,
    };
    app.state.store.writer.write_blocking(command).unwrap();
}

fn sign_in(app: &App, email: &str, password: &str, headers: &[(&str, &str)]) -> Reply {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", email)
        .append_pair("password", password)
        .finish();
    let mut all = vec![FORM];
    all.extend(headers);
    app.send("POST", "/admin/sign-in", &all, Some(&body))
}

/// The cookie of a reply, as the next request sends it.
fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie was set");
    set.split(';').next().unwrap().to_owned()
}

fn orders(app: &App, cookie: &str) -> u16 {
    app.send("GET", &format!("/admin/{ACCOUNT}/orders"), &[("cookie", cookie)], None).status
}

fn signed_in(app: &App) -> String {
    cookie(&sign_in(app, EMAIL, PASSWORD, &[]).expect(303))
}

fn form_token(app: &App, cookie: &str) -> String {
    let page = app.send("GET", &format!("/admin/{ACCOUNT}/orders"), &[("cookie", cookie)], None);
    let (_, rest) = page.text.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn the_right_password_opens_the_pages_and_signing_out_closes_them() {
    let app = app_with_user();
    let reply = sign_in(&app, "KARI@example.no", PASSWORD, &[]).expect(303);
    let set = reply.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "plain http on loopback");
    assert_eq!(reply.header("location"), Some("/admin"));
    let cookie = cookie(&reply);
    assert_eq!(orders(&app, &cookie), 200);
    let token = form_token(&app, &cookie);
    let sign_out = |body: &str| {
        app.send("POST", "/admin/sign-out", &[FORM, ("cookie", &cookie)], Some(body)).status
    };
    assert_eq!(sign_out("form_token=wrong"), 403);
    assert_eq!(orders(&app, &cookie), 200);
    assert_eq!(sign_out(&format!("form_token={token}")), 303);
    assert_eq!(orders(&app, &cookie), 303);
}

#[test]
fn a_user_is_found_however_the_e_mail_is_typed() {
    let app = App::start();
    make_user(&app, "åse@example.no");
    make_user(&app, "post@åsen.no");
    for typed in ["åse@example.no", "Åse@example.no", " ÅSE@Example.NO "] {
        sign_in(&app, typed, PASSWORD, &[]).expect(303);
    }
    for typed in ["post@åsen.no", "Post@Åsen.no", "post@xn--sen-tla.no", "POST@XN--SEN-TLA.NO"] {
        sign_in(&app, typed, PASSWORD, &[]).expect(303);
    }
    for typed in ["ase@example.no", "post@asen.no", "post@xn--nonsense-.no", "post", ""] {
        sign_in(&app, typed, PASSWORD, &[]).expect(200);
    }
}

#[test]
fn an_owner_made_by_the_set_up_page_signs_in_however_the_e_mail_is_typed() {
    let app = App::start();
    let ticket = Ticket::draw(&Randomness::System);
    let command = MakeSignInLink { token_sha256: ticket.sha256(), email: None, life_ms: MINUTE_MS };
    app.state.store.writer.write_blocking(command).unwrap();
    let body = |email: &str| {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("ticket", ticket.reveal())
            .append_pair("email", email)
            .append_pair("password", PASSWORD)
            .finish()
    };
    for wrong in ["åse", "åse@", "@åsen.no", "å@se@åsen.no", "å se@åsen.no", "åse@-åsen.no"]
    {
        let page = app.send("POST", "/admin/setup", &[FORM], Some(&body(wrong))).expect(200);
        assert!(page.text.contains("Enter your e-mail address."), "{wrong}: {}", page.text);
    }
    app.send("POST", "/admin/setup", &[FORM], Some(&body(" Åse@Åsen.no"))).expect(303);
    for typed in ["åse@åsen.no", "Åse@xn--sen-tla.no"] {
        sign_in(&app, typed, PASSWORD, &[]).expect(303);
    }
}

#[test]
fn no_answer_reveals_whether_an_e_mail_is_known() {
    let app = app_with_user();
    let wrong = sign_in(&app, EMAIL, "wrong password", &[]).expect(200);
    let unknown = sign_in(&app, "ola@example.no", "wrong password", &[]).expect(200);
    assert!(wrong.header("set-cookie").is_none());
    assert!(wrong.text.contains("No user has this e-mail and password."));
    assert_eq!(wrong.text.replace(EMAIL, "ola@example.no"), unknown.text);
}

#[test]
fn a_page_redirects_to_the_sign_in_page_and_back() {
    let app = app_with_user();
    let path = format!("/admin/{ACCOUNT}/orders");
    let reply = app.send("GET", &path, &[], None).expect(303);
    let to = reply.header("location").unwrap().to_owned();
    assert_eq!(to, format!("/admin/sign-in?next=%2Fadmin%2F{ACCOUNT}%2Forders"));
    for (next, expected) in [
        (path.as_str(), path.as_str()),
        ("//evil.example", "/admin"),
        ("/admin//evil.example", "/admin"),
        ("https://evil.example/admin/", "/admin"),
        ("/admin/\\evil", "/admin"),
        ("/admin/x%0d%0aset-cookie: a=b", "/admin"),
    ] {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("email", EMAIL)
            .append_pair("password", PASSWORD)
            .append_pair("next", next)
            .finish();
        let reply = app.send("POST", "/admin/sign-in", &[FORM], Some(&body)).expect(303);
        assert_eq!(reply.header("location"), Some(expected), "for {next}");
    }
}

#[test]
fn a_form_of_another_site_is_refused() {
    let app = app_with_user();
    for header in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
        assert_eq!(sign_in(&app, EMAIL, PASSWORD, &[header]).status, 403, "{header:?}");
    }
    for origin in ["null", "https://evil.example", "http://localhost:1"] {
        assert_eq!(sign_in(&app, EMAIL, PASSWORD, &[("origin", origin)]).status, 403, "{origin}");
    }
    let own = app.url.clone();
    assert_eq!(sign_in(&app, EMAIL, PASSWORD, &[("origin", &own)]).status, 303);
    assert_eq!(sign_in(&app, EMAIL, PASSWORD, &[("sec-fetch-site", "same-origin")]).status, 303);
    let json = app.send("POST", "/admin/sign-in", &[], Some("{}"));
    assert_eq!(json.status, 403, "only forms are accepted");
}

#[test]
fn a_session_ends_when_it_is_not_used_and_after_twelve_hours() {
    let app = app_with_user();
    let cookie = signed_in(&app);
    app.pass(29 * MINUTE_MS);
    assert_eq!(orders(&app, &cookie), 200);
    app.pass(29 * MINUTE_MS);
    assert_eq!(orders(&app, &cookie), 200, "it was used in between");
    app.pass(31 * MINUTE_MS);
    assert_eq!(orders(&app, &cookie), 303);
    let cookie = signed_in(&app);
    for _ in 0..35 {
        app.pass(20 * MINUTE_MS);
        assert_eq!(orders(&app, &cookie), 200);
    }
    app.pass(21 * MINUTE_MS);
    assert_eq!(orders(&app, &cookie), 303, "twelve hours are over");
}

/// Every change of a user that there is. A new one does not compile until it is listed here.
fn every_change() -> Vec<UserChange> {
    let password_hash = Password::new("en helt annen setning").unwrap();
    let password_hash =
        password_hash.hash(&Randomness::System, &mut HashMemory::default()).unwrap();
    let all = vec![UserChange::Password { password_hash }, UserChange::Disable];
    for change in &all {
        match change {
            UserChange::Password { .. } | UserChange::Disable => {}
        }
    }
    all
}

#[test]
fn every_change_of_a_user_ends_all_sessions_and_links_of_that_user_and_no_others() {
    for change in every_change() {
        let app = app_with_user();
        make_user(&app, "ola@example.no");
        let cookies = [signed_in(&app), signed_in(&app)];
        let other_cookie = cookie(&sign_in(&app, "ola@example.no", PASSWORD, &[]).expect(303));
        let links = [make_link(&app, Some(EMAIL)), make_link(&app, Some(EMAIL))];
        let other_link = make_link(&app, Some("ola@example.no"));
        let is_disabled = matches!(change, UserChange::Disable);
        let command = ChangeUser { email: super::harness::email(EMAIL), change };
        app.state.store.writer.write_blocking(command).unwrap();
        for cookie in &cookies {
            assert_eq!(orders(&app, cookie), 303);
        }
        for ticket in &links {
            follow(&app, ticket).expect(400);
        }
        sign_in(&app, EMAIL, PASSWORD, &[]).expect(200);
        assert_eq!(orders(&app, &other_cookie), 200);
        follow(&app, &other_link).expect(303);
        assert_eq!(try_make_link(&app, Some(EMAIL)).is_err(), is_disabled);
    }
}

/// The ticket of a new link that works for an hour; without an e-mail, of a link that makes the
/// first owner.
fn make_link(app: &App, email: Option<&str>) -> String {
    try_make_link(app, email).unwrap()
}

fn try_make_link(app: &App, email: Option<&str>) -> Result<String, WriteError<LinkUserNotFound>> {
    let ticket = Ticket::draw(&Randomness::System);
    let command = MakeSignInLink {
        token_sha256: ticket.sha256(),
        email: email.map(super::harness::email),
        life_ms: 60 * MINUTE_MS,
    };
    app.state.store.writer.write_blocking(command)?;
    Ok(ticket.reveal().to_owned())
}

/// Presses the button of a link's page.
fn follow(app: &App, ticket: &str) -> Reply {
    app.send("POST", "/admin/link", &[FORM], Some(&format!("ticket={ticket}")))
}

/// The rows of a table.
fn count_rows(app: &App, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    super::audit::open(&app.db).query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_user_s_session_that_was_not_used_for_longest_ends_when_there_are_too_many() {
    let app = app_with_user();
    make_user(&app, "ola@example.no");
    let other = cookie(&follow(&app, &make_link(&app, Some("ola@example.no"))).expect(303));
    let mut cookies = Vec::new();
    for _ in 0..USER_SESSIONS_MAX {
        cookies.push(cookie(&follow(&app, &make_link(&app, Some(EMAIL))).expect(303)));
    }
    assert_eq!(count_rows(&app, "sessions"), USER_SESSIONS_MAX + 1);
    app.pass(2 * MINUTE_MS);
    assert_eq!(orders(&app, &cookies[0]), 200, "so it is not the one that ends");
    let newest = cookie(&sign_in(&app, EMAIL, PASSWORD, &[]).expect(303));
    assert_eq!(count_rows(&app, "sessions"), USER_SESSIONS_MAX + 1);
    let alive = cookies.iter().filter(|cookie| orders(&app, cookie) == 200).count();
    assert_eq!(i64::try_from(alive).unwrap(), USER_SESSIONS_MAX - 1);
    for cookie in [&cookies[0], &newest, &other] {
        assert_eq!(orders(&app, cookie), 200);
    }
    // Rows of sessions that have ended go with the next sign-in, also with one by a link.
    app.pass(12 * 60 * MINUTE_MS + 1);
    let link = make_link(&app, Some("ola@example.no"));
    assert_eq!(count_rows(&app, "sign_in_links"), 1);
    follow(&app, &link).expect(303);
    assert_eq!((count_rows(&app, "sessions"), count_rows(&app, "sign_in_links")), (1, 0));
}

#[test]
fn a_planted_cookie_never_becomes_a_session() {
    let app = app_with_user();
    let planted = "tillbook=planted";
    let reply = sign_in(&app, EMAIL, PASSWORD, &[("cookie", planted)]).expect(303);
    assert_ne!(cookie(&reply), planted);
    assert_eq!(orders(&app, planted), 303);
    let before = cookie(&reply);
    let again = sign_in(&app, EMAIL, PASSWORD, &[("cookie", &before)]).expect(303);
    assert_eq!(orders(&app, &before), 303, "a new sign-in ends the browser's old session");
    assert_eq!(orders(&app, &cookie(&again)), 200);
}

#[test]
fn a_cookie_is_not_a_token_and_a_token_not_a_cookie() {
    let app = app_with_user();
    let cookie = signed_in(&app);
    let value = cookie.split_once('=').unwrap().1;
    let bearer = format!("Bearer {value}");
    app.shopping("GET", "/orders", &[("authorization", &bearer)], None).expect(401);
    app.shopping("GET", "/orders", &[("authorization", ""), ("cookie", &cookie)], None).expect(401);
    assert_eq!(orders(&app, &format!("tillbook={}", app.token)), 303);
}

#[test]
fn pages_of_another_account_are_not_found() {
    let app = app_with_user();
    app.make_account("T00000002");
    let cookie = signed_in(&app);
    let page = app.send("GET", "/admin/T00000002/orders", &[("cookie", &cookie)], None);
    assert_eq!(page.status, 404);
    assert!(page.text.contains("<h1>Not found</h1>"));
}

#[test]
fn a_link_works_once_and_for_an_hour() {
    let app = app_with_user();
    let ticket = make_link(&app, Some(EMAIL));
    let page = app.send("GET", &format!("/admin/link?ticket={ticket}"), &[], None).expect(200);
    assert!(page.text.contains(&ticket), "a GET changes nothing");
    let reply = follow(&app, &ticket).expect(303);
    assert_eq!(orders(&app, &cookie(&reply)), 200);
    let used = follow(&app, &ticket).expect(400);
    let told = "it was used already or has expired. Sign in with your e-mail and password instead.";
    assert!(words(&used).contains(told), "{}", words(&used));
    let old = make_link(&app, Some(EMAIL));
    app.pass(60 * MINUTE_MS);
    assert_eq!(follow(&app, &old).status, 400, "run out");
    let made = try_make_link(&app, Some("ola@example.no"));
    assert!(matches!(made, Err(WriteError::Refused(LinkUserNotFound))), "{made:?}");
    let set_up = "shop=x&account=P00000001&email=a%40b.no&password=lang+nok+er+det";
    let body = format!("ticket={}&{set_up}", make_link(&app, None));
    let refused = app.send("POST", "/admin/setup", &[FORM], Some(&body));
    assert_eq!(refused.status, 400, "there are users already");
    let told = "If somebody has set up this book with it, sign in. Otherwise restart the server";
    assert!(words(&refused).contains(told), "{}", words(&refused));
}
