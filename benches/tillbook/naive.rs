//! The obvious design: a pool of connections, and one transaction per request on a free one. It has
//! the same statements, schema and durability as Tillbook.

use std::path::Path;
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use r2d2_sqlite::SqliteConnectionManager;
use serde_json::Value;

use crate::shop::CLIENT;
use crate::tokens::{bench_tokens, is_good};
use crate::writer::raw::{Capture, RAW_SETTINGS, run_capture};

type Pool = r2d2::Pool<SqliteConnectionManager>;

/// The number of connections, and of the threads that use them.
const CONNECTIONS: u32 = 16;

/// Serves until the process is ended.
pub fn serve(address: &str, book: &Path) {
    let manager = SqliteConnectionManager::file(book).with_init(|conn| {
        conn.busy_timeout(Duration::from_secs(30))?;
        conn.set_prepared_statement_cache_capacity(128);
        conn.execute_batch(RAW_SETTINGS)
    });
    let pool = Pool::builder().max_size(CONNECTIONS).test_on_check_out(false).build(manager);
    let pool = pool.expect("the book opens");
    let tokens = bench_tokens();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(tokens.clone()))
            .app_data(web::Data::new(pool.clone()))
            .route("/v1/accounts/{aid}/shopping/orders/{order_id}/captures", web::post().to(create))
    });
    let bound = server.workers(2).worker_max_blocking_threads(8).bind(address);
    let running = bound.expect("the port is free").run();
    actix_web::rt::System::new().block_on(running).expect("the naive server serves");
}

async fn create(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    pool: web::Data<Pool>,
    body: web::Bytes,
) -> HttpResponse {
    if !is_good(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let (_, order) = path.into_inner();
    let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.unwrap_or_default().to_owned();
    let written = web::block(move || record(&pool, &order, &key, &body)).await;
    match written {
        Ok(Ok(answer)) => HttpResponse::Ok().content_type("application/json").body(answer),
        failed => HttpResponse::ServiceUnavailable().body(format!("{failed:?}")),
    }
}

fn record(pool: &Pool, order: &str, key: &str, body: &[u8]) -> Result<String, String> {
    let document: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut conn = pool.get().map_err(|error| error.to_string())?;
    let document = document.to_string();
    let capture = Capture { client: CLIENT, order, key, document: &document };
    let written = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .and_then(|tx| run_capture(&tx, &capture).and_then(|()| tx.commit()));
    written.map_err(|error| error.to_string())?;
    Ok(document)
}
