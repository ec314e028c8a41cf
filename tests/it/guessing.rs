//! Whoever guesses secrets is slowed, by whom they guess and by where from; nobody else is.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tillbook::app::CreateUser;
use tillbook::auth::password::Password;
use tillbook::auth::role::Role;
use tillbook::clock::Randomness;
use tillbook::domain::ids::AccountId;

use super::harness::{ACCOUNT, App, Client, Reply, START, basic};

const HERE: &str = "127.0.0.1";
const PASSWORD: &str = "korrekt hest batteri";

/// How long another failure of that name would wait; it counts as one.
fn next_delay_ms(app: &App, name: &str) -> u128 {
    app.state.failure_delays.fail(name, START).as_millis()
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
    assert_eq!(next_delay_ms(&app, &known), 200);
    assert_eq!(next_delay_ms(&app, "nobody"), 200);
    assert_eq!(next_delay_ms(&app, HERE), 400);
    // A success forgets what others tried with this client, and nothing of the address.
    ask(&app, &known, &app.client.secret).expect(200);
    assert_eq!(next_delay_ms(&app, &known), 100);
    assert_eq!(next_delay_ms(&app, HERE), 800);
}

#[test]
fn wrong_passwords_count_for_the_user_however_spelled_and_for_the_address() {
    let app = App::start();
    let command = CreateUser {
        email: "kari@example.no".to_owned(),
        role: Role::Owner,
        accounts: vec![AccountId::parse(ACCOUNT).unwrap()],
        password_hash: Password::new(PASSWORD).unwrap().hash(&Randomness::System).unwrap(),
    };
    app.state.store.writer.write_blocking(command).unwrap();
    for email in ["kari@example.no", "KARI@example.no", " Kari@Example.NO "] {
        sign_in(&app, email, "wrong").expect(200);
    }
    assert_eq!(next_delay_ms(&app, "kari@example.no"), 800);
    assert_eq!(next_delay_ms(&app, HERE), 800);
    sign_in(&app, "Kari@example.no", PASSWORD).expect(303);
    assert_eq!(next_delay_ms(&app, "kari@example.no"), 100);
}

#[test]
fn a_flood_of_wrong_secrets_keeps_nobody_else_waiting() {
    let app = App::start();
    for _ in 0..10 {
        next_delay_ms(&app, HERE);
    }
    // Each of these waits for the longest delay there is.
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
    // Nobody of the flood was answered before: a worker that slept would have answered them first.
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
