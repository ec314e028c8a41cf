//! The ceiling: the same HTTP library with as many workers, which checks the same remembered
//! token, parses the same JSON and sends it back. No rules, no database.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

use crate::tokens::{bench_tokens, is_good};

/// Serves the echo until the process is ended.
pub fn serve(address: &str) {
    let tokens = bench_tokens();
    let server = HttpServer::new(move || {
        App::new().app_data(web::Data::new(tokens.clone())).route("/echo", web::post().to(echo))
    });
    let bound = server.workers(2).bind(address).expect("the port is free");
    actix_web::rt::System::new().block_on(bound.run()).expect("the echo serves");
}

async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if !is_good(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let value: Value = serde_json::from_slice(&body).expect("bodies are JSON");
    HttpResponse::Ok().content_type("application/json").body(value.to_string())
}
