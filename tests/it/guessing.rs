//! Guessing secrets is slowed, per guessed account and per address; other callers are not.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

use tillbook::app::CreateUser;
use tillbook::auth::password::{HashMemory, Password};
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;
use tillbook::http::server::ServerOptions;
use tillbook::randomness::Randomness;

use super::harness::{ACCOUNT, App, email};
use super::http_client::{Client, Reply, basic};

const PASSWORD: &str = "korrekt hest batteri";

/// Starts a server that trusts the addresses which a proxy on this machine forwards.
fn start_behind_proxy() -> App {
    let proxy = IpAddr::from(Ipv4Addr::LOCALHOST);
    App::start_behind(&[proxy], ServerOptions::default(), str::to_owned)
}

/// Sends a wrong secret of this client through a proxy, and does not wait for the answer.
fn guess(app: &App, client_id: &str, address: &str) -> TcpStream {
    let client = Client { client_id: client_id.to_owned(), secret: "wrong".to_owned() };
    let request = format!(
        "POST /v1/accounts/{ACCOUNT}/auth/token HTTP/1.1\r\nHost: x\r\n\
         X-Forwarded-For: {address}\r\nAuthorization: {}\r\n\r\n",
        basic(&client)
    );
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[track_caller]
fn expect_unanswered(stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let answered = stream.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(answered, Err(ErrorKind::WouldBlock));
    stream.set_nonblocking(false).unwrap();
}

/// Waits for the answer to a wrong secret.
#[track_caller]
fn expect_refused(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}

/// Asks for a token through a proxy.
fn ask(app: &App, client_id: &str, secret: &str, address: &str) -> Reply {
    let client = Client { client_id: client_id.to_owned(), secret: secret.to_owned() };
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    let headers = [("authorization", &*basic(&client)), ("x-forwarded-for", address)];
    app.send("POST", &path, &headers, None)
}

/// Signs in on the server's own machine.
fn sign_in(app: &App, email: &str, password: &str) -> Reply {
    send_sign_in(app, &[], email, password)
}

/// Signs in through a proxy.
fn sign_in_from(app: &App, address: &str, email: &str, password: &str) -> Reply {
    send_sign_in(app, &[("x-forwarded-for", address)], email, password)
}

fn send_sign_in(app: &App, headers: &[(&str, &str)], email: &str, password: &str) -> Reply {
    let fields = [("email", email), ("password", password)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let form = ("content-type", "application/x-www-form-urlencoded");
    app.send("POST", "/admin/sign-in", &[headers, &[form]].concat(), Some(&body))
}

#[test]
fn wrong_secrets_count_for_the_client_and_for_the_address() {
    let app = start_behind_proxy();
    let known = app.client.client_id.as_str();
    let many = "203.0.113.7";
    // After seven failures, the delay is the longest: 3 seconds.
    let mut guesses: Vec<TcpStream> = (0..7)
        .flat_map(|nth| {
            let one_client = guess(&app, known, &format!("203.0.113.{}", 20 + nth));
            [one_client, guess(&app, &format!("client {nth}"), many)]
        })
        .collect();
    guesses.iter_mut().for_each(expect_refused);
    let of_client = guess(&app, known, "203.0.113.30");
    let of_address = guess(&app, "another", many);
    expect_refused(&mut guess(&app, "not guessed before", "203.0.113.31"));
    expect_unanswered(&of_client);
    expect_unanswered(&of_address);
    // A success resets the delay of the client, but not that of the address.
    ask(&app, known, &app.client.secret, many).expect(200);
    let of_address = guess(&app, "one more", many);
    expect_refused(&mut guess(&app, known, "203.0.113.32"));
    expect_unanswered(&of_address);
}

#[test]
fn wrong_passwords_count_for_the_user_however_spelled_and_for_the_address() {
    let app = start_behind_proxy();
    make_kari(&app);
    let spellings = ["kari@example.no", "KARI@example.no", " Kari@Example.NO "];
    for (nth, email) in spellings.into_iter().cycle().take(5).enumerate() {
        sign_in_from(&app, &format!("203.0.113.{}", 20 + nth), email, "wrong").expect(200);
    }
    sign_in_from(&app, "203.0.113.30", "kari@example.no", PASSWORD).expect(429);
    sign_in_from(&app, "203.0.113.31", "ola@example.no", "wrong").expect(200);
    // A success resets the delay of the user, but not that of the address.
    app.pass(1_000);
    let many = "203.0.113.7";
    for nth in 0..4 {
        sign_in_from(&app, many, &format!("{nth}@example.no"), "wrong").expect(200);
    }
    sign_in_from(&app, many, "kari@example.no", PASSWORD).expect(303);
    sign_in_from(&app, many, "KARI@example.no", "wrong").expect(200);
    let waits = sign_in_from(&app, many, "per@example.no", "wrong").expect(429);
    assert_eq!(waits.header("retry-after"), Some("1"));
    sign_in_from(&app, "203.0.113.8", "per@example.no", "wrong").expect(200);
}

#[test]
fn wrong_passwords_on_the_server_s_machine_make_no_other_caller_wait() {
    let app = App::start();
    make_kari(&app);
    for _ in 0..5 {
        sign_in(&app, "kari@example.no", "wrong").expect(200);
    }
    sign_in_remotely(&app, "wrong").expect(200);
    sign_in_remotely(&app, PASSWORD).expect(303);
}

/// Signs in as Kari from behind a proxy, at an address on another machine.
fn sign_in_remotely(app: &App, password: &str) -> Reply {
    sign_in_from(app, "203.0.113.7", "kari@example.no", password)
}

fn make_kari(app: &App) {
    let command = CreateUser {
        email: email("kari@example.no"),
        role: Role::Owner,
        accounts: vec![AccountId::parse(ACCOUNT).unwrap()],
        password_hash: Password::new(PASSWORD)
            .unwrap()
            .hash(&Randomness::System, &mut HashMemory::default())
            .unwrap(),
    };
    app.state.store.writer.write_blocking(command).unwrap();
}

#[test]
fn five_wrong_passwords_make_the_next_wait_through_a_restart_but_not_on_the_server_itself() {
    let mut app = App::start();
    make_kari(&app);
    for _ in 0..5 {
        sign_in_remotely(&app, "wrong").expect(200);
    }
    app.restart();
    let waits = sign_in_remotely(&app, PASSWORD).expect(429);
    assert_eq!(waits.header("retry-after"), Some("1"));
    assert!(waits.text.contains("Too many wrong passwords"), "{}", waits.text);
    sign_in(&app, "kari@example.no", PASSWORD).expect(303);
    app.pass(999);
    sign_in_remotely(&app, PASSWORD).expect(429);
    app.pass(1);
    sign_in_remotely(&app, "wrong").expect(200);
    let waits = sign_in_remotely(&app, PASSWORD).expect(429);
    assert_eq!(waits.header("retry-after"), Some("2"));
    app.pass(2_000);
    sign_in_remotely(&app, PASSWORD).expect(303);
    // That resets all delays.
    for _ in 0..5 {
        sign_in_remotely(&app, "wrong").expect(200);
    }
    sign_in_remotely(&app, PASSWORD).expect(429);
    // When the clock is set back, no delay grows by that time.
    app.pass(-365 * 24 * 60 * 60 * 1_000);
    sign_in_remotely(&app, PASSWORD).expect(303);
}

#[test]
fn twenty_guesses_at_once_count_as_twenty() {
    let app = App::start();
    make_kari(&app);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guessing: Vec<_> =
            (0..20).map(|_| scope.spawn(|| sign_in_remotely(&app, "wrong").status)).collect();
        guessing.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5, "{statuses:?}");
    sign_in_remotely(&app, PASSWORD).expect(429);
}

#[test]
fn a_flood_of_wrong_secrets_delays_no_other_caller() {
    let app = start_behind_proxy();
    let address = "203.0.113.7";
    let mut first: Vec<TcpStream> =
        (0..10).map(|nth| guess(&app, &format!("client {nth}"), address)).collect();
    first.iter_mut().for_each(expect_refused);
    // Each of these requests waits for the longest delay.
    let mut flood: Vec<TcpStream> = (0..200).map(|_| guess(&app, "nobody", address)).collect();
    app.send("GET", "/health", &[], None).expect(200);
    ask(&app, &app.client.client_id, &app.client.secret, address).expect(200);
    app.simple_order(&[100]);
    // The requests of the flood are still unanswered: a worker that slept would have answered them
    // first.
    flood.iter().for_each(expect_unanswered);
    flood.iter_mut().for_each(expect_refused);
}
