//! A Tillbook server for one test, with its own port and file.

use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use serde_json::{Value, json};
use tempfile::TempDir;
use tillbook::app::{CreateAccount, CreateClient};
use tillbook::auth::client_secret::ClientSecret;
use tillbook::clock::Clock;
use tillbook::domain::Timestamp;
use tillbook::domain::currency::Currency;
use tillbook::domain::email::Email;
use tillbook::domain::ids::AccountId;
use tillbook::domain::scope::{Scope, Scopes};
use tillbook::http::server::{self, ServerOptions};
use tillbook::http::{AppState, StateOptions};
use tillbook::outbound::{ClientOptions, Guard, Outbound, SystemLookup};
use tillbook::randomness::Randomness;
use tillbook::store::{Store, WriterThread};
use tillbook::worker::{DeliverOptions, Deliverer, Workers};

use super::contract;
use super::http_client::{Client, Reply, basic, send};

/// The account that every test starts with.
pub const ACCOUNT: &str = "T12345678";

/// When every test starts: 2026-11-18T11:06:40Z.
pub const START: Timestamp = Timestamp(1_795_000_000_000);

/// A running server, and a client with every scope.
pub struct App {
    pub url: String,
    pub db: PathBuf,
    /// Stays at one time unless a test moves it.
    pub clock: Clock,
    pub state: AppState,
    pub client: Client,
    pub token: String,
    server: ServerHandle,
    running: Option<JoinHandle<()>>,
    writer_thread: Option<WriterThread>,
    workers: Option<Workers>,
    deliverer: Option<Deliverer>,
    _dir: TempDir,
}

/// A second account, with a client with every scope.
pub struct OtherAccount<'a> {
    app: &'a App,
    account: String,
    bearer: String,
}

impl OtherAccount<'_> {
    /// Any request below this account's `/shopping`, as its own client.
    pub fn shopping(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut all = headers.to_vec();
        all.push(("authorization", &self.bearer));
        let path = format!("/v1/accounts/{}/shopping{path}", self.account);
        self.app.send(method, &path, &all, body)
    }

    /// Any request below this account's `/hooks/subscriptions`.
    pub fn hooks(&self, method: &str, path: &str, body: Option<&str>) -> Reply {
        let path = format!("/v1/accounts/{}/hooks/subscriptions{path}", self.account);
        self.app.send(method, &path, &[("authorization", &self.bearer)], body)
    }
}

impl App {
    /// Starts a server with one account and one client.
    pub fn start() -> App {
        App::start_with(ServerOptions::default(), "")
    }

    /// Starts a server with these options and this path at the end of its public URL.
    pub fn start_with(options: ServerOptions, public_path: &str) -> App {
        App::start_known_as(options, |url| format!("{url}{public_path}"))
    }

    /// Starts a server with these options and a public URL made from its own URL.
    pub fn start_known_as(options: ServerOptions, name: impl Fn(&str) -> String) -> App {
        App::start_behind(&[], options, name)
    }

    /// The same, trusting these proxies.
    pub fn start_behind(
        trusted_proxies: &[IpAddr],
        options: ServerOptions,
        name: impl Fn(&str) -> String,
    ) -> App {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("book.db");
        let clock = Clock::manual(START);
        let opened = Store::open(&db, clock.clone(), Randomness::System).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let account_id = AccountId::parse(ACCOUNT).unwrap();
        make_account(&opened.store, &account_id);
        let client = make_client(
            &opened.store,
            &account_id,
            &[Scope::AdminShopping, Scope::AdminHooks, Scope::AdminBilling],
        );
        let public_url = name(&url);
        let state = open_state(&opened.store, &clock, &public_url, trusted_proxies);
        let workers = Workers::start(&opened.store, &state.access).unwrap();
        let (server, running) = run(listener, state.clone(), options);
        let mut app = App {
            url,
            db,
            clock,
            state,
            client,
            token: String::new(),
            server,
            running: Some(running),
            writer_thread: Some(opened.writer_thread),
            workers: Some(workers),
            deliverer: None,
            _dir: dir,
        };
        app.token = app.token_of(&app.client);
        app
    }

    /// Stops the server and starts another on the same file. Its port changes, but its public URL
    /// stays, and tokens stay valid.
    pub fn restart(&mut self) {
        let public_url = self.state.links.public_url().to_owned();
        self.restart_as(&public_url);
    }

    /// The same, with the test page for accounts of real money too.
    pub fn restart_with_test_gateway(&mut self) {
        let public_url = self.state.links.public_url().to_owned();
        self.restart_as(&public_url);
        self.stop_server();
        self.state.test_gateway = true;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        let (server, running) = run(listener, self.state.clone(), ServerOptions::default());
        (self.server, self.running) = (server, Some(running));
    }

    /// The same with another public URL.
    pub fn restart_as(&mut self, public_url: &str) {
        self.stop();
        let opened = Store::open(&self.db, self.clock.clone(), Randomness::System).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        self.state = open_state(&opened.store, &self.clock, public_url, &[]);
        self.workers = Some(Workers::start(&opened.store, &self.state.access).unwrap());
        let (server, running) = run(listener, self.state.clone(), ServerOptions::default());
        (self.server, self.running) = (server, Some(running));
        self.writer_thread = Some(opened.writer_thread);
    }

    /// Starts sending webhooks. By default the harness does not send them.
    pub fn deliver(&mut self) {
        let outbound = Outbound::new(ClientOptions {
            guard: self.state.webhook_guard.clone(),
            lookup: Arc::new(SystemLookup::default()),
            timeout: Duration::from_secs(60),
            roots: Vec::new(),
            user_agent: "Tillbook-Hook/test".to_owned(),
        });
        let options = DeliverOptions {
            links: self.state.links.clone(),
            outbound: outbound.unwrap(),
            clock: self.clock.clone(),
            randomness: Randomness::System,
        };
        self.deliverer = Some(Deliverer::start(&self.state.store, options).unwrap());
    }

    /// Any request below `/hooks/subscriptions`, as the first client.
    pub fn hooks(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/v1/accounts/{ACCOUNT}/hooks/subscriptions{path}");
        let body = body.map(|body| body.to_string());
        self.send(method, &path, &[("authorization", &bearer)], body.as_deref())
    }

    /// Makes another account.
    pub fn make_account(&self, account: &str) {
        make_account(&self.state.store, &AccountId::parse(account).unwrap());
    }

    /// Makes another account and a client of it.
    pub fn other_account(&self, account: &str) -> OtherAccount<'_> {
        self.make_account(account);
        let client = self
            .make_client(account, &[Scope::AdminShopping, Scope::AdminHooks, Scope::AdminBilling]);
        let path = format!("/v1/accounts/{account}/auth/token");
        let reply = self.send("POST", &path, &[("authorization", &basic(&client))], None);
        let bearer = format!("Bearer {}", reply.expect(200).body["access_token"].as_str().unwrap());
        OtherAccount { app: self, account: account.to_owned(), bearer }
    }

    /// Makes another client. The server accepts it at once.
    pub fn make_client(&self, account: &str, scopes: &[Scope]) -> Client {
        let client = make_client(&self.state.store, &AccountId::parse(account).unwrap(), scopes);
        self.state.store.read_blocking(|reader| self.state.access.reload(reader)).unwrap();
        client
    }

    /// Gets a token over HTTP for a client of the first account.
    pub fn token_of(&self, client: &Client) -> String {
        self.token_in(ACCOUNT, client)
    }

    /// Gets a token over HTTP for a client of this account.
    pub fn token_in(&self, account: &str, client: &Client) -> String {
        let path = format!("/v1/accounts/{account}/auth/token");
        let reply = self.send("POST", &path, &[("authorization", &basic(client))], None);
        reply.expect(200).body["access_token"].as_str().unwrap().to_owned()
    }

    /// Moves the clock on.
    pub fn pass(&self, ms: i64) {
        self.clock.set(Timestamp(self.clock.now().0 + ms));
    }

    /// GET below `/shopping`, as the first client.
    pub fn get(&self, path: &str) -> Reply {
        self.shopping("GET", path, &[], None)
    }

    /// POST JSON below `/shopping`, as the first client.
    pub fn post(&self, path: &str, body: Value) -> Reply {
        self.shopping("POST", path, &[], Some(&body.to_string()))
    }

    /// POST JSON below `/shopping` under an idempotency key.
    pub fn post_once(&self, key: &str, path: &str, body: Value) -> Reply {
        self.shopping("POST", path, &[("idempotency-key", key)], Some(&body.to_string()))
    }

    /// PUT JSON below `/shopping`, as the first client.
    pub fn put(&self, path: &str, body: Value) -> Reply {
        self.shopping("PUT", path, &[], Some(&body.to_string()))
    }

    /// Any request below `/shopping`, as the first client unless `headers` say otherwise.
    pub fn shopping(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            all.push(("authorization", &bearer));
        }
        self.send(method, &format!("/v1/accounts/{ACCOUNT}/shopping{path}"), &all, body)
    }

    /// Any request, with exactly these headers; checked against the contract both ways.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let reply = send(&self.url, method, path, headers, body);
        contract::check(method, path, body, &reply);
        reply
    }

    /// Follows a link of an answer.
    pub fn follow(&self, answer: &Value, rel: &str) -> Reply {
        let links = answer["_links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == rel).unwrap();
        let path = link["href"].as_str().unwrap().strip_prefix(&self.url).unwrap();
        let bearer = format!("Bearer {}", self.token);
        self.send("GET", path, &[("authorization", &bearer)], None)
    }

    /// Makes a draft and returns its path below `/shopping`.
    pub fn draft(&self, order: Value, options: Value) -> String {
        let draft = self.post("/draft_orders", json!({"order": order, "options": options}));
        format!("/draft_orders/{}", draft.expect(200).body["id"].as_str().unwrap())
    }

    /// Makes an order from a draft and returns its `order_id`.
    pub fn order(&self, order: Value, options: Value) -> String {
        let draft = self.draft(order, options);
        let done = self.put(&format!("{draft}/complete"), json!({})).expect(200);
        done.body["orders"][0]["order_id"].as_str().unwrap().to_owned()
    }

    /// Makes an order in NOK with these gross amounts on lines 1, 2, …
    pub fn simple_order(&self, gross_amounts: &[i64]) -> String {
        let item =
            |(at, gross): (usize, &i64)| json!({"id": format!("p{at}"), "gross_amount": gross});
        let items: Vec<Value> = gross_amounts.iter().enumerate().map(item).collect();
        self.order(json!({"currency": "NOK", "items": items}), json!({}))
    }

    /// Every row of every table that a request may touch, as text.
    pub fn snapshot(&self) -> String {
        snapshot(&self.db)
    }

    /// Stops only the writer: the server goes on without writing.
    pub fn stop_writing(&mut self) {
        self.writer_thread.take().unwrap().stop();
    }

    /// Stops the server, as SIGTERM does.
    pub fn stop(&mut self) {
        self.stop_server();
        self.workers = None;
        self.deliverer = None;
        if let Some(thread) = self.writer_thread.take() {
            thread.stop();
        }
    }
}

impl App {
    /// Stops serving; the writer and the workers go on.
    fn stop_server(&mut self) {
        if let Some(running) = self.running.take() {
            actix_web::rt::System::new().block_on(self.server.stop(true));
            running.join().unwrap();
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Parses an e-mail address.
pub fn email(typed: &str) -> Email {
    tillbook::auth::email::parse(typed).unwrap()
}

/// Every row of every table in a file, without the search index's tables.
pub fn snapshot(db: &std::path::Path) -> String {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    #[expect(clippy::disallowed_methods, reason = "the harness looks into the file from outside")]
    let conn = rusqlite::Connection::open_with_flags(db, flags).unwrap();
    let tables = "select name from sqlite_schema
        where type = 'table' and name not like 'order_search%' order by name";
    let mut statement = conn.prepare(tables).unwrap();
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names.iter().map(|name| table_text(&conn, name)).collect()
}

fn table_text(conn: &rusqlite::Connection, table: &str) -> String {
    let mut statement = conn.prepare(&format!("select * from {table}")).unwrap();
    let columns = statement.column_count();
    let mut text = format!("# {table}\n");
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..columns).map(|at| match row.get_ref(at).unwrap() {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(" | "));
        text.push('\n');
    }
    text
}

fn run(
    listener: TcpListener,
    state: AppState,
    options: ServerOptions,
) -> (ServerHandle, JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let running = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = server::start(listener, state, options).unwrap();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    (told.recv().unwrap(), running)
}

fn open_state(store: &Store, clock: &Clock, public_url: &str, trusted: &[IpAddr]) -> AppState {
    let options = StateOptions {
        public_url: public_url.to_owned(),
        clock: clock.clone(),
        token_life_s: 14_400,
        trusted_proxies: trusted.to_vec(),
        hosts: Vec::new(),
        insecure_http: false,
        webhook_guard: Guard::default().with_loopback(),
        test_gateway: false,
    };
    AppState::open(store, options).unwrap()
}

fn make_account(store: &Store, account_id: &AccountId) {
    let command = CreateAccount {
        account_id: account_id.clone(),
        name: "Butikken på hjørnet".to_owned(),
        currency: Currency::parse("NOK").unwrap(),
        time_zone: "Europe/Oslo".to_owned(),
    };
    store.writer.write_blocking(command).unwrap();
}

fn make_client(store: &Store, account_id: &AccountId, scopes: &[Scope]) -> Client {
    let secret = ClientSecret::draw(&Randomness::System);
    let command = CreateClient {
        account_id: account_id.clone(),
        name: "test".to_owned(),
        grants: Scopes::new(scopes.to_vec()),
        secret: secret.clone(),
    };
    let made = store.writer.write_blocking(command).unwrap();
    Client { client_id: made.client_id, secret: secret.reveal().to_owned() }
}
