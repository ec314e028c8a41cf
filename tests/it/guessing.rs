//! Guessing secrets is slowed, per guessed account and per address; other callers are not.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tillbook::app::CreateUser;
use tillbook::auth::password::{HashMemory, Password};
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;
use tillbook::http::{ClientAttempt, SignInAttempt};
use tillbook::randomness::Randomness;

use super::harness::{ACCOUNT, App, START, email};
use super::http_client::{Client, Reply, basic};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const PASSWORD: &str = "korrekt hest batteri";

/// How long another wrong secret of this client waits when it comes from a new address.
fn next_client_delay_ms(app: &App, client_id: &str) -> u128 {
    let attempt = ClientAttempt::of(client_id, None);
    app.state.guesses.fail_client(&attempt, START).as_millis()
}

/// How long another wrong secret from this machine waits when it is for a new client.
fn next_delay_ms_from_here(app: &App) -> u128 {
    static OTHERS: AtomicUsize = AtomicUsize::new(0);
    let client_id = format!("other {}", OTHERS.fetch_add(1, Ordering::SeqCst));
    let attempt = ClientAttempt::of(&client_id, Some(IpAddr::from(HERE).into()));
    app.state.guesses.fail_client(&attempt, START).as_millis()
}

/// How long another wrong password for this user waits when it is typed on the server's machine.
fn next_sign_in_delay_ms(app: &App, name: &str) -> u128 {
    let attempt = SignInAttempt::local(name);
    app.state.guesses.begin_sign_in(&attempt, START).unwrap();
    app.state.guesses.fail_sign_in(&attempt).0.as_millis()
}

fn ask(app: &App, client_id: &str, secret: &str) -> Reply {
    let client = Client { client_id: client_id.to_owned(), secret: secret.to_owned() };
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    app.send("POST", &path, &[("authorization", &basic(&client))], None)
}

fn sign_in(app: &App, email: &str, password: &str) -> Reply {
    let fields = [("email", email), ("password", password)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    app.send("POST", "/admin/sign-in", &form, Some(&body))
}

#[test]
fn wrong_secrets_count_for_the_client_and_for_the_address() {
    let app = App::start();
    let known = app.client.client_id.clone();
    ask(&app, &known, "wrong").expect(401);
    ask(&app, "nobody", "wrong").expect(401);
    assert_eq!(next_client_delay_ms(&app, &known), 200);
    assert_eq!(next_client_delay_ms(&app, "nobody"), 200);
    assert_eq!(next_delay_ms_from_here(&app), 400);
    // A success resets the delay of the client, but not that of the address.
    ask(&app, &known, &app.client.secret).expect(200);
    assert_eq!(next_client_delay_ms(&app, &known), 100);
    assert_eq!(next_delay_ms_from_here(&app), 800);
}

#[test]
fn wrong_passwords_count_for_the_user_however_spelled_and_for_the_address() {
    let app = App::start();
    make_kari(&app);
    for email in ["kari@example.no", "KARI@example.no", " Kari@Example.NO "] {
        sign_in(&app, email, "wrong").expect(200);
    }
    assert_eq!(next_sign_in_delay_ms(&app, "kari@example.no"), 800);
    assert_eq!(next_sign_in_delay_ms(&app, "ola@example.no"), 1_600);
    // A success resets the delay of the user, but not that of the address.
    sign_in(&app, "Kari@example.no", PASSWORD).expect(303);
    assert_eq!(next_sign_in_delay_ms(&app, "kari@example.no"), 3_000);
    let from_afar = SignInAttempt::from_afar("kari@example.no", None);
    let next_delay_ms = || {
        app.state.guesses.begin_sign_in(&from_afar, START).unwrap();
        app.state.guesses.fail_sign_in(&from_afar).0.as_millis()
    };
    assert_eq!(
        [next_delay_ms(), next_delay_ms()],
        [100, 200],
        "counted separately from those on this machine"
    );
    app.state.guesses.begin_sign_in(&from_afar, START).unwrap();
    assert!(
        app.state.guesses.succeed_sign_in(&from_afar).is_some(),
        "the book may have failed attempts"
    );
    assert_eq!(next_delay_ms(), 100);
}

/// Signs in from behind a proxy on another machine.
fn sign_in_from_afar(app: &App, password: &str) -> Reply {
    let fields = [("email", "kari@example.no"), ("password", password)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("x-forwarded-for", "203.0.113.7")];
    app.send("POST", "/admin/sign-in", &headers, Some(&body))
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
        sign_in_from_afar(&app, "wrong").expect(200);
    }
    app.restart();
    let waits = sign_in_from_afar(&app, PASSWORD).expect(429);
    assert_eq!(waits.header("retry-after"), Some("1"));
    assert!(waits.text.contains("Too many wrong passwords"), "{}", waits.text);
    sign_in(&app, "kari@example.no", PASSWORD).expect(303);
    app.pass(999);
    sign_in_from_afar(&app, PASSWORD).expect(429);
    app.pass(1);
    sign_in_from_afar(&app, "wrong").expect(200);
    let waits = sign_in_from_afar(&app, PASSWORD).expect(429);
    assert_eq!(waits.header("retry-after"), Some("2"));
    app.pass(2_000);
    sign_in_from_afar(&app, PASSWORD).expect(303);
    // That resets all delays.
    for _ in 0..5 {
        sign_in_from_afar(&app, "wrong").expect(200);
    }
    sign_in_from_afar(&app, PASSWORD).expect(429);
    // When the clock is set back, no delay grows by that time.
    app.pass(-365 * 24 * 60 * 60 * 1_000);
    sign_in_from_afar(&app, PASSWORD).expect(303);
}

#[test]
fn twenty_guesses_at_once_count_as_twenty() {
    let app = App::start();
    make_kari(&app);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guessing: Vec<_> =
            (0..20).map(|_| scope.spawn(|| sign_in_from_afar(&app, "wrong").status)).collect();
        guessing.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5, "{statuses:?}");
    sign_in_from_afar(&app, PASSWORD).expect(429);
}

#[test]
fn an_address_that_guesses_at_many_clients_waits_at_the_next_one_too() {
    let app = App::start();
    let begin = |email: &str, address: &str| {
        let address: IpAddr = address.parse().unwrap();
        let attempt = SignInAttempt::from_afar(email, Some(address.into()));
        let begun = app.state.guesses.begin_sign_in(&attempt, START);
        (attempt, begun)
    };
    for nth in 0..4 {
        assert_eq!(begin(&format!("{nth}@example.no"), "203.0.113.7").1, Ok(()));
    }
    // A correct password removes only its own attempt.
    let (right, begun) = begin("kari@example.no", "203.0.113.7");
    assert_eq!(begun, Ok(()));
    assert_eq!(app.state.guesses.succeed_sign_in(&right), None, "the book has no failed attempts");
    assert_eq!(begin("ola@example.no", "203.0.113.7").1, Ok(()));
    assert_eq!(begin("per@example.no", "203.0.113.7").1, Err(1_000));
    assert_eq!(begin("per@example.no", "203.0.113.8").1, Ok(()));
}

#[test]
fn a_flood_of_wrong_secrets_delays_no_other_caller() {
    let app = App::start();
    for _ in 0..10 {
        next_delay_ms_from_here(&app);
    }
    // Each of these requests waits for the longest delay.
    let client = Client { client_id: "nobody".to_owned(), secret: "wrong".to_owned() };
    let request = format!(
        "POST /v1/accounts/{ACCOUNT}/auth/token HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\r\n",
        basic(&client)
    );
    let mut flood: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    app.send("GET", "/health", &[], None).expect(200);
    ask(&app, &app.client.client_id, &app.client.secret).expect(200);
    app.simple_order(&[100]);
    // The requests of the flood are still unanswered: a worker that slept would have answered them
    // first.
    for stream in &flood {
        stream.set_nonblocking(true).unwrap();
        let answered = stream.peek(&mut [0]).map_err(|error| error.kind());
        assert_eq!(answered, Err(ErrorKind::WouldBlock));
    }
    for stream in &mut flood {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 401");
    }
}
