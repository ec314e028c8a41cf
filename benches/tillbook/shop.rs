//! The books of the measurements: built once with the program's own commands, kept in the build
//! folder, and copied for every use.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tillbook::app::{CreateAccount, CreateClient, OnBehalfOf, PrepareBook};
use tillbook::auth::client_secret::ClientSecret;
use tillbook::clock::Clock;
use tillbook::domain::Timestamp;
use tillbook::domain::currency::Currency;
use tillbook::domain::ids::{AccountId, CreatedBy};
use tillbook::domain::scope::{Scope, Scopes};
use tillbook::randomness::Randomness;
use tillbook::store::Store;

use crate::client::{BlockingConnection, request};
use crate::machine::Machine;
use crate::orders::{ACCOUNT, EDITION, MakeOrders};
use crate::server::run_tillbook;

/// The client id that the baselines record. No book has this client, and no baseline looks for it.
pub const CLIENT: &str = "00000000-0000-4000-8000-00000000c11e";

/// The number of orders that one transaction makes.
const ORDERS_PER_TRANSACTION: usize = 5_000;
/// When the first order of each book was made: 2026-01-01. Those of each later
/// transaction are a minute later.
const FIRST_ORDER_AT_MS: i64 = 1_767_225_600_000;

/// The books, by how many orders they have.
pub struct Shops {
    folder: PathBuf,
    built: RefCell<BTreeMap<usize, Shop>>,
}

/// A book, or a copy of one.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The folder of its file, which has the program's default name.
    pub folder: PathBuf,
    /// `id:secret` of its one client.
    credentials: String,
}

impl Shops {
    /// Books below a folder.
    pub fn new(folder: &Path) -> Shops {
        Shops { folder: folder.join("books"), built: RefCell::default() }
    }

    /// A copy of the book with so many orders, in an empty folder of that name. It is built first
    /// if it was not, or was by a program with another schema or other orders.
    pub fn copy(&self, machine: &Machine, orders: usize, name: &str) -> Shop {
        let original = self.find(machine, orders);
        let folder = machine.work_folder(name);
        fs::copy(original.file(), folder.join("tillbook.db")).expect("a book can be copied");
        Shop { folder, ..original }
    }

    fn find(&self, machine: &Machine, orders: usize) -> Shop {
        let mut built = self.built.borrow_mut();
        built.entry(orders).or_insert_with(|| find_or_build(&self.folder, machine, orders)).clone()
    }
}

impl Shop {
    /// The book's file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("tillbook.db")
    }

    /// A token of the book's client, from its server.
    pub fn token(&self, address: &str) -> String {
        let basic = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &self.credentials);
        let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
        let sent = request("POST", &path, &format!("Authorization: Basic {basic}\r\n"), "{}");
        let mut connection = BlockingConnection::open(address);
        let answer = connection.send(&sent);
        let answer: Value = serde_json::from_slice(answer.body).expect("answers are JSON");
        answer["access_token"].as_str().expect("a token was given").to_owned()
    }

    /// The ids of the orders whose amounts are so large that captures never exhaust them.
    pub fn capturable(&self) -> Vec<String> {
        let sql = "select id from orders join ledgers using (order_seq)
            where status = 'open' and payment_status in ('pending', 'partially_paid')";
        let conn = self.open();
        let mut statement = conn.prepare(sql).expect("the schema has these columns");
        let rows = statement.query_map([], |row| row.get(0)).expect("the book can be read");
        rows.collect::<Result<_, _>>().expect("the book can be read")
    }

    /// The sum of all lines' captured amounts, in minor units.
    pub fn captured(&self) -> u64 {
        let sql = "select coalesce(sum(json_extract(line.value, '$[3]')), 0)
            from ledgers, json_each(ledgers.lines) as line";
        let sum: i64 = self.open().query_row(sql, [], |row| row.get(0)).expect("sums of lines");
        u64::try_from(sum).expect("a captured sum is not negative")
    }

    /// Verifies the whole book with the program's own command, which must find no errors.
    pub fn verify(&self) {
        run_tillbook(&self.folder, &["verify"]);
    }

    fn open(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        #[expect(clippy::disallowed_methods, reason = "a look from outside needs no settings")]
        Connection::open_with_flags(self.file(), flags).expect("the book can be read")
    }
}

/// Identifies the schema and the edition of the orders that a kept book must have been built with.
fn built_from() -> String {
    format!("{}\n{EDITION}\n", include_str!("../../data/schema.sql"))
}

fn find_or_build(books: &Path, machine: &Machine, orders: usize) -> Shop {
    let folder = books.join(format!("{orders}"));
    let (mark, credentials) = (folder.join("built-from"), folder.join("credentials"));
    if fs::read_to_string(&mark).is_ok_and(|text| text == built_from()) {
        let credentials = fs::read_to_string(credentials).expect("a kept book has its client");
        return Shop { folder, credentials };
    }
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("the build folder can be written");
    let began = std::time::Instant::now();
    let shop = build(folder, machine, orders);
    fs::write(credentials, &shop.credentials).expect("the build folder can be written");
    shop.verify();
    fs::write(mark, built_from()).expect("the build folder can be written");
    machine.say(&format!("a book of {orders} orders, made in {:.0?}", began.elapsed()));
    shop
}

fn build(folder: PathBuf, machine: &Machine, orders: usize) -> Shop {
    let clock = Clock::manual(Timestamp(FIRST_ORDER_AT_MS));
    let file = folder.join("tillbook.db");
    let opened = Store::open(&file, clock.clone(), Randomness::System).expect("a new file opens");
    let writer = &opened.store.writer;
    let (on_behalf_of, secret) = begin(&opened.store);
    let credentials = format!("{}:{}", on_behalf_of.created_by.0, secret.reveal());
    for first in (0..orders).step_by(ORDERS_PER_TRANSACTION) {
        let minutes = i64::try_from(first / ORDERS_PER_TRANSACTION).unwrap_or(0);
        clock.set(Timestamp(FIRST_ORDER_AT_MS + minutes * 60_000));
        let count = ORDERS_PER_TRANSACTION.min(orders - first);
        let command = MakeOrders { on_behalf_of: on_behalf_of.clone(), first, count };
        writer.write_blocking(command).expect("orders are made");
        if first % 100_000 == 0 && 0 < first {
            machine.say(&format!("making a book: {first} of {orders} orders"));
        }
    }
    // The readers are closed first, so that the writer is the last to close and writes the WAL
    // back.
    drop(opened.store);
    opened.writer_thread.stop();
    Shop { folder, credentials }
}

/// A signing key, an account and its client.
fn begin(store: &Store) -> (OnBehalfOf, ClientSecret) {
    store.writer.write_blocking(PrepareBook { now: Timestamp(0) }).expect("a signing key is made");
    let account_id = AccountId::parse(ACCOUNT).expect("an account id");
    let account = CreateAccount {
        account_id: account_id.clone(),
        name: "Bench".to_owned(),
        currency: Currency::parse("NOK").expect("a currency"),
        time_zone: "Europe/Oslo".to_owned(),
    };
    store.writer.write_blocking(account).expect("an account is made");
    let secret = ClientSecret::draw(&Randomness::System);
    let client = CreateClient {
        account_id: account_id.clone(),
        name: "Bench".to_owned(),
        grants: Scopes::new(vec![Scope::AdminShopping, Scope::AdminHooks]),
        secret: secret.clone(),
    };
    let client = store.writer.write_blocking(client).expect("a client is made");
    (OnBehalfOf { account_id, created_by: CreatedBy(client.client_id) }, secret)
}
