//! Who a request comes from when proxies pass it on, tried with sign-ins: after five wrong
//! passwords a sixth from the same address, or for the same person, is not compared.

use std::net::{IpAddr, Ipv4Addr};

use tillbook::http::server::ServerOptions;

use super::harness::App;
use super::http_client::{Reply, send};
use super::process::{Served, command, make_book, path};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server that is known by a name to the world, if `is_named`, and trusts a proxy here, if so.
fn serve(is_named: bool, is_trusting: bool) -> App {
    let trusted = if is_trusting { &[PROXY][..] } else { &[] };
    App::start_behind(trusted, ServerOptions::default(), |url| match is_named {
        true => "https://till.example".to_owned(),
        false => url.to_owned(),
    })
}

fn sign_in(url: &str, host: &str, user: &str, forwarded: &[&str]) -> Reply {
    let mut headers = vec![("host", host), ("content-type", "application/x-www-form-urlencoded")];
    headers.extend(forwarded.iter().map(|value| ("x-forwarded-for", *value)));
    let form = format!("email={user}%40example.no&password=wrong");
    send(url, "POST", "/admin/sign-in", &headers, Some(&form))
}

/// The values of a request's X-Forwarded-For headers.
type Values = &'static [&'static str];

/// Whether a guess from `second` waits after five from `first`, each for another person.
fn counts_as_one(app: &App, name: &str, first: &[Values], second: Values) -> bool {
    for nth in 0..5 {
        let forwarded = first[nth % first.len()];
        sign_in(&app.url, "till.example", &format!("{name}{nth}"), forwarded).expect(200);
    }
    sign_in(&app.url, "till.example", &format!("{name}-last"), second).status == 429
}

#[test]
fn an_address_is_one_in_every_spelling_of_a_proxy() {
    let app = &serve(true, true);
    let cases: [(&str, &[Values], Values, bool); 8] = [
        ("port", &[&["203.0.113.1:4711"], &["203.0.113.1:4712"]], &["203.0.113.1"], true),
        ("brackets", &[&["[2001:db8:1::1]"], &["[2001:db8:1::1]:80"]], &["2001:db8:1::1"], true),
        ("block", &[&["2001:db8:2::1"], &["2001:db8:2::2"]], &["2001:db8:2:0:9::"], true),
        ("mapped", &[&["::ffff:203.0.113.2"]], &["203.0.113.2"], true),
        ("spaces", &[&["  203.0.113.3  ,127.0.0.1 , "]], &["203.0.113.3"], true),
        (
            "several",
            &[&["6.6.6.6", "203.0.113.4"], &["7.7.7.7,203.0.113.4"]],
            &["203.0.113.4"],
            true,
        ),
        ("forged", &[&["203.0.113.5, 203.0.113.6"]], &["203.0.113.5"], false),
        ("other", &[&["2001:db8:3::1"]], &["2001:db8:3:1::1"], false),
    ];
    std::thread::scope(|scope| {
        for (name, first, second, expected) in cases {
            scope.spawn(move || {
                assert_eq!(counts_as_one(app, name, first, second), expected, "{name}");
            });
        }
    });
}

#[test]
fn behind_a_proxy_nobody_is_on_the_servers_own_machine() {
    for (is_named, is_trusting) in [(true, false), (false, true), (true, true)] {
        let app = serve(is_named, is_trusting);
        let host = if is_named { "till.example" } else { "localhost" };
        for _ in 0..5 {
            sign_in(&app.url, host, "kari", &[]).expect(200);
        }
        let at = format!("named: {is_named}, trusting: {is_trusting}");
        assert_eq!(sign_in(&app.url, host, "kari", &[]).status, 429, "{at}");
        assert_eq!(sign_in(&app.url, host, "ola", &[]).status, 200, "{at}: one of many callers");
    }
}

#[test]
fn a_proxy_that_names_nobody_is_warned_about_once() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "warn"];
    let known = ["--trusted-proxy", "127.0.0.1", "--insecure-http"];
    let served = Served::try_start(command(&[&args[..], &known].concat(), &[])).unwrap();
    for user in ["kari", "ola"] {
        sign_in(&served.url, "localhost", user, &[]).expect(200);
    }
    served.signal("TERM");
    let log = served.wait().expect(0).err;
    assert_eq!(log.matches("does not say from whom").count(), 1, "{log}");
}
