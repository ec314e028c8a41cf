//! Captures end to end against the release build, over an endpoint that only echoes.
//!
//! `cargo bench --bench load [-- --connections 64 --seconds 3 --repetitions 5]`. Closed loop: each
//! connection sends its next request when it has read the last answer. Echo and captures take
//! turns, so that the ratio holds when the machine's speed drifts. Every answer is checked, and at
//! the end the book is counted.
#![expect(clippy::float_arithmetic, clippy::print_stdout, reason = "a benchmark prints figures")]

#[path = "support/http.rs"]
mod http;
#[path = "support/process.rs"]
mod process;
#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use http::{Connection, request};
use indicatif::ProgressBar;
use process::{cpu_us, peak_kib};
use serde_json::Value;
use support::{figure, machine, median, option, work_folder};

const TILLBOOK: &str = env!("CARGO_BIN_EXE_tillbook");
const ACCOUNT: &str = "T00000001";
const ORDERS: usize = 1_000;
/// What one capture takes: two lines.
const CAPTURED: u64 = 150;

/// One run: requests a second, latencies, the server's CPU a request.
struct Run {
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us: f64,
}

fn main() {
    if std::env::args().any(|word| word == "--serve-echo") {
        return echo();
    }
    let folder = work_folder("load");
    let mut book = Server::start_book(&folder);
    let mut echo = Server::start_echo();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(measure(&mut book, &mut echo, &folder));
    echo.stop();
    book.stop();
}

async fn measure(book: &mut Server, echo: &mut Server, folder: &Path) {
    let connections = usize::try_from(option("--connections", 64)).unwrap_or(64);
    let seconds = Duration::from_secs(option("--seconds", 3));
    let repetitions = option("--repetitions", 5);
    let token = token(folder, &book.address).await;
    let orders = make_orders(&book.address, &token).await;
    let acknowledged = AtomicU64::new(0);
    let (mut echoes, mut captures) = (Vec::new(), Vec::new());
    let bar = ProgressBar::new(repetitions);
    for repetition in 1..=repetitions {
        let (idle, syncs) = machine(folder);
        let echoed = run(echo, connections, seconds, &|_, n| echo_request(n), &|answer| {
            assert_eq!(answer.status, 200);
        })
        .await;
        let next =
            |at: usize, n: u64| capture_request(&orders[(at + 7 * from(n)) % ORDERS], &token, n);
        let captured = run(book, connections, seconds, &next, &|answer| {
            let body: Value = serde_json::from_slice(&answer.body).expect("answers are JSON");
            assert_eq!((answer.status, &body["amount"]), (200, &CAPTURED.into()), "{body}");
            acknowledged.fetch_add(1, Ordering::Relaxed);
        })
        .await;
        bar.suspend(|| {
            println!(
                "{repetition}: idle {idle} %, {syncs} syncs/s | echo {:.0}/s | captures {:.0}/s, \
                 p50 {:.2} ms, p99 {:.2} ms, {:.0} us CPU | ratio {:.2}",
                echoed.per_second,
                captured.per_second,
                captured.p50_us / 1_000.0,
                captured.p99_us / 1_000.0,
                captured.cpu_us,
                captured.per_second / echoed.per_second
            );
        });
        bar.inc(1);
        echoes.push(echoed);
        captures.push(captured);
    }
    bar.finish_and_clear();
    report(connections, &echoes, &captures, book);
    check(folder, &book.address, &token, acknowledged.load(Ordering::Relaxed)).await;
}

fn report(connections: usize, echoes: &[Run], captures: &[Run], book: &Server) {
    let of = |runs: &[Run], part: fn(&Run) -> f64| median(runs.iter().map(part).collect());
    let ratios = captures.iter().zip(echoes).map(|(c, e)| c.per_second / e.per_second).collect();
    println!("\nmedians of {} repetitions, {connections} connections", captures.len());
    println!("echo              {:>10.0} /s", of(echoes, |run| run.per_second));
    println!("captures          {:>10.0} /s", of(captures, |run| run.per_second));
    println!("captures / echo   {:>10.2}", median(ratios));
    println!("p50               {:>10.2} ms", of(captures, |run| run.p50_us) / 1_000.0);
    println!("p99               {:>10.2} ms", of(captures, |run| run.p99_us) / 1_000.0);
    println!("CPU a capture     {:>10.0} us", of(captures, |run| run.cpu_us));
    println!("CPU an echo       {:>10.0} us", of(echoes, |run| run.cpu_us));
    println!("peak memory       {:>10.0} MiB", figure(peak_kib(book.child.id())) / 1_024.0);
}

/// Keeps every connection busy for a while; `next` makes a connection's n-th request.
async fn run(
    server: &Server,
    connections: usize,
    time: Duration,
    next: &impl Fn(usize, u64) -> Vec<u8>,
    check: &impl Fn(&http::Answer),
) -> Run {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(&server.address).await);
    }
    let cpu_before = cpu_us(server.child.id());
    let started = Instant::now();
    let one = |(at, mut connection): (usize, Connection)| async move {
        let mut latencies = Vec::new();
        while started.elapsed() < time {
            let request = next(at, serial());
            let sent = Instant::now();
            let answer = connection.send(&request).await;
            latencies.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
            check(&answer);
        }
        latencies
    };
    let all = futures_util::future::join_all(open.into_iter().enumerate().map(one)).await;
    let elapsed = started.elapsed().as_secs_f64();
    let mut latencies: Vec<u64> = all.into_iter().flatten().collect();
    latencies.sort_unstable();
    let at = |percent: usize| figure(latencies[(latencies.len() - 1) * percent / 100]);
    let count = figure(u64::try_from(latencies.len()).unwrap_or(u64::MAX));
    let cpu = figure(cpu_us(server.child.id()) - cpu_before);
    Run { per_second: count / elapsed, p50_us: at(50), p99_us: at(99), cpu_us: cpu / count }
}

/// A number that no request had before.
fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn from(n: u64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

fn capture_body(n: u64) -> String {
    format!(
        "{{\"items\":[{{\"line_id\":1,\"amount\":100}},{{\"line_id\":2,\"amount\":50}}],\
         \"processed_at\":\"2026-11-23T09:00:00Z\",\"processed_by\":\"checkout\",\
         \"payment_details\":{{\"psp\":\"Bambora\",\"payment_id\":\"PID_{n}\",\
         \"payment_product\":\"bambora\",\"payment_product_type\":\"bambora.creditcard\"}},\
         \"success\":true}}"
    )
}

fn capture_request(order: &str, token: &str, n: u64) -> Vec<u8> {
    let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{order}/captures");
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: bench-{n}\r\n");
    request("POST", &path, &headers, &capture_body(n))
}

fn echo_request(n: u64) -> Vec<u8> {
    request("POST", "/echo", "", &capture_body(n))
}

async fn token(folder: &Path, address: &str) -> String {
    let run = |arguments: &[&str]| {
        let out = Command::new(TILLBOOK).current_dir(folder).args(arguments).output();
        let out = out.expect("the binary runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    run(&["account", "create", ACCOUNT, "--name", "Bench"]);
    let made = run(&[
        "client",
        "create",
        "--account",
        ACCOUNT,
        "--name",
        "b",
        "--grant",
        "admin:shopping",
        "--json",
    ]);
    let made: Value = serde_json::from_slice(&made).expect("the output is JSON");
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    let pair = format!("{}:{}", text("client_id"), text("client_secret"));
    let basic = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pair);
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    let mut connection = Connection::open(address).await;
    let sent = request("POST", &path, &format!("Authorization: Basic {basic}\r\n"), "{}");
    let answer: Value =
        serde_json::from_slice(&connection.send(&sent).await.body).expect("answers are JSON");
    answer["access_token"].as_str().expect("a token was given").to_owned()
}

/// Orders of two lines, each worth enough to be captured from for the whole benchmark.
async fn make_orders(address: &str, token: &str) -> Vec<String> {
    let shopping = format!("/v1/accounts/{ACCOUNT}/shopping");
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let draft = "{\"order\":{\"currency\":\"NOK\",\"customer\":{\"email\":\"ola@example.no\",\
        \"first_name\":\"Ola\",\"last_name\":\"Nordmann\"},\"items\":[\
        {\"id\":\"a\",\"line_id\":1,\"gross_amount\":4000000000000},\
        {\"id\":\"b\",\"line_id\":2,\"gross_amount\":4000000000000}]}}";
    let mut connection = Connection::open(address).await;
    let mut orders = Vec::with_capacity(ORDERS);
    for _ in 0..ORDERS {
        let path = format!("{shopping}/draft_orders");
        let made = connection.send(&request("POST", &path, &authorization, draft)).await;
        let made: Value = serde_json::from_slice(&made.body).expect("answers are JSON");
        let id = made["id"].as_str().expect("a draft was made");
        let path = format!("{shopping}/draft_orders/{id}/complete");
        let done = connection.send(&request("PUT", &path, &authorization, "{}")).await;
        let done: Value = serde_json::from_slice(&done.body).expect("answers are JSON");
        orders.push(done["orders"][0]["id"].as_str().expect("an order was made").to_owned());
    }
    orders
}

/// Every acknowledged capture is in the book, none twice, and the book is right.
async fn check(folder: &Path, address: &str, token: &str, acknowledged: u64) {
    let mut connection = Connection::open(address).await;
    let (mut captured, mut after) = (0, String::new());
    loop {
        let path =
            format!("/v1/accounts/{ACCOUNT}/shopping/orders?limit=10&include_events=false{after}");
        let sent = request("GET", &path, &format!("Authorization: Bearer {token}\r\n"), "");
        let page = connection.send(&sent).await;
        let page: Value = serde_json::from_slice(&page.body).expect("answers are JSON");
        let orders = page["orders"].as_array().expect("a list of orders");
        captured += orders.iter().filter_map(|o| o["captured_amount"].as_u64()).sum::<u64>();
        let Some(last) = orders.last() else { break };
        after = format!("&starting_after={}", last["paging_token"].as_str().unwrap_or_default());
    }
    assert_eq!(captured, acknowledged * CAPTURED, "the book and the answers differ");
    let verify = Command::new(TILLBOOK).current_dir(folder).arg("verify").status();
    assert!(verify.expect("verify runs").success());
    println!("{acknowledged} captures acknowledged, {captured} minor units captured in the book");
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start_book(folder: &Path) -> Server {
        let mut command = Command::new(TILLBOOK);
        command.current_dir(folder).args(["serve", "--log", "warn"]);
        Server::start(command, "--listen")
    }

    fn start_echo() -> Server {
        let itself = std::env::current_exe().expect("a program knows where it is");
        let mut command = Command::new(itself);
        command.arg("--serve-echo");
        Server::start(command, "--listen")
    }

    fn start(mut command: Command, listen: &str) -> Server {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("a socket has an address").to_string();
        drop(free);
        let child = command.args([listen, &address]).stdout(Stdio::null()).spawn();
        let child = child.expect("the server starts");
        while std::net::TcpStream::connect(&address).is_err() {
            std::thread::yield_now();
        }
        Server { child, address }
    }

    fn stop(&mut self) {
        self.child.kill().expect("the server can be stopped");
        self.child.wait().expect("the server ends");
    }
}

/// The ceiling: the same HTTP library and as many workers, reading and answering the same JSON.
fn echo() {
    let address = std::env::args().next_back().expect("an address is given");
    let server = HttpServer::new(|| {
        App::new().route(
            "/echo",
            web::post().to(|body: web::Bytes| async move {
                let value: Value = serde_json::from_slice(&body).expect("bodies are JSON");
                HttpResponse::Ok().content_type("application/json").body(value.to_string())
            }),
        )
    });
    let bound = server.workers(2).bind(&address).expect("the port is free");
    actix_web::rt::System::new().block_on(bound.run()).expect("the echo serves");
}
