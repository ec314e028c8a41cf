//! Helpers for tests of the back office: sign in, read pages and send forms without a script.

use tillbook::app::{CreateUser, StartSession};
use tillbook::auth::password::{HashMemory, Password};
use tillbook::auth::session::Ticket;
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;
use tillbook::randomness::Randomness;
use tillbook::store::NewSession;

use super::harness::{ACCOUNT, App, email};
use super::http_client::Reply;

/// The content type of a form.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The form token of the signed-in users below.
pub const FORM_TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Signs in a new user with this role and returns the cookie.
pub fn visitor(app: &App, role: Role, account: &str) -> String {
    visitor_of(app, role, &[account])
}

/// Signs in a new user with this role in these accounts and returns the cookie.
pub fn visitor_of(app: &App, role: Role, accounts: &[&str]) -> String {
    signed_in(app, role, accounts, FORM_TOKEN)
}

/// Signs in a new user with this role and another form token and returns the cookie.
pub fn visitor_with_token(app: &App, role: Role, account: &str, form_token: &str) -> String {
    signed_in(app, role, &[account], form_token)
}

fn signed_in(app: &App, role: Role, accounts: &[&str], form_token: &str) -> String {
    let password_hash = Password::new("korrekt hest batteri").unwrap();
    let users = app.state.store.read_blocking(|reader| reader.list_users()).unwrap();
    let name = format!("{}-{}", role.as_str(), accounts.first().unwrap_or(&"none")).to_lowercase();
    let known = users.iter().filter(|user| user.email.as_str().starts_with(&name)).count();
    let number = if known == 0 { String::new() } else { known.to_string() };
    let command = CreateUser {
        email: email(&format!("{name}{number}@example.no")),
        role,
        accounts: accounts.iter().map(|account| AccountId::parse(account).unwrap()).collect(),
        password_hash: password_hash.hash(&Randomness::System, &mut HashMemory::default()).unwrap(),
    };
    let user = app.state.store.writer.write_blocking(command).unwrap();
    let ticket = Ticket::draw(&Randomness::System);
    let session = NewSession { token_sha256: ticket.sha256(), form_token: form_token.to_owned() };
    let started = StartSession { user, session, replaces: None, forgets: None };
    assert!(app.state.store.writer.write_blocking(started).unwrap());
    format!("tillbook={}", ticket.reveal())
}

/// Gets a page of the first account.
pub fn get(app: &App, cookie: &str, path: &str) -> Reply {
    app.send("GET", &format!("/admin/{ACCOUNT}{path}"), &[("cookie", cookie)], None)
}

/// Sends a form of the first account with these fields.
pub fn send_form(app: &App, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [FORM, ("cookie", cookie)];
    app.send("POST", &format!("/admin/{ACCOUNT}{path}"), &headers, Some(&body))
}

/// The fields of the form of an operation on a page, as a browser would send them.
pub fn form_fields(page: &Reply) -> Vec<(String, String)> {
    let (_, form) = page.text.split_once("data-live").expect("a form on the page");
    fields_in(form)
}

/// The fields of the form that a part of a page has first.
pub fn fields_in(part: &str) -> Vec<(String, String)> {
    let (form, _) = part.split_once("</form>").unwrap();
    let inputs = form.split("<input ").skip(1).filter_map(|rest| {
        let tag = &rest[..rest.find('>').unwrap()];
        let value = |name: &str| {
            let (_, rest) = tag.split_once(&format!("{name}=\""))?;
            Some(unescaped(rest.split('"').next().unwrap()))
        };
        let is_ticked = tag.ends_with(" checked");
        let unticked = ["checkbox", "radio"].iter().any(|kind| tag.contains(kind)) && !is_ticked;
        (!unticked).then(|| (value("name").unwrap(), value("value").unwrap_or_default()))
    });
    inputs.collect()
}

/// The text of a page without its markup, spaces folded.
pub fn words(reply: &Reply) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in reply.text.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            '\u{a0}' => text.push(' '),
            c if !inside => text.push(c),
            _ => {}
        }
    }
    unescaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Decodes the character references in a page.
fn unescaped(text: &str) -> String {
    let marks = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, plain)| text.replace(mark, plain))
}
