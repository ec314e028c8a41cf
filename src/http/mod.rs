//! The HTTP server: every route in one list, and what all of them share.

mod admin;
mod api;
mod api_document;
mod assets;
mod docs;
mod edge;
mod error;
mod extract;
mod guesses;
mod in_flight;
mod known_hosts;
mod list_answer;
mod long_body;
mod operation_routes;
mod order_size;
mod pay;
mod reply;
pub mod server;
mod state;
mod turns;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{Resource, Route, guard, web};

pub use known_hosts::without_dot;
pub use state::{AppState, StateOptions};

use crate::domain::operation::OperationKind;
use crate::domain::order::StatusChange;
use admin::hook::{self as hook_pages, changes::Button};
use admin::session::{link, setup, sign_in};
use admin::unknown_host::refuse_unknown_host;
use admin::{list, operation, order, payout};
use api::orders::View;
use api::{
    comments, deliveries, drafts, events, hooks, operations, order_sessions, order_status,
    order_update, orders, payout_rules, receipt, service, token,
};
use edge::cors::PathMethods;
use error::ApiError;

/// A route: its method, its path and its handler.
pub struct Endpoint {
    pub method: Method,
    pub path: String,
    route: Route,
}

impl Endpoint {
    /// The methods that it serves: HEAD wherever GET is (RFC 9110).
    pub fn methods(&self) -> Vec<&str> {
        if self.method == Method::GET { vec!["GET", "HEAD"] } else { vec![self.method.as_str()] }
    }
}

/// Every route that is not part of the back office.
pub fn endpoints() -> Vec<Endpoint> {
    const ACCOUNT: &str = "/v1/accounts/{aid}";
    const SHOPPING: &str = "/v1/accounts/{aid}/shopping";
    const DRAFTS: &str = "/v1/accounts/{aid}/shopping/draft_orders";
    const ORDERS: &str = "/v1/accounts/{aid}/shopping/orders";
    const ORDER: &str = "/v1/accounts/{aid}/shopping/orders/{order_id}";
    // The router tries the paths in this order, so the busiest come first.
    let mut endpoints = Vec::new();
    for kind in OperationKind::ALL {
        let all = format!("{ORDER}/{}", kind.plural());
        endpoints.extend([
            post(&all, web::to(move |w, r, s| operations::create(kind, w, r, s))),
            get(&all, web::to(move |caller, r| operations::list(kind, caller, r))),
            get(
                format!("{all}/{{operation_id}}"),
                web::to(move |caller, r| operations::show(kind, caller, r)),
            ),
        ]);
    }
    endpoints.extend([
        get("/health", web::to(service::health)),
        get("/openapi.yaml", web::to(service::openapi_yaml)),
        get("/openapi.json", web::to(service::openapi_json)),
        post(format!("{ACCOUNT}/auth/token"), web::to(token::create)),
        post(DRAFTS, web::to(drafts::create)),
        get(format!("{DRAFTS}/{{id}}"), web::to(drafts::show)),
        put(format!("{DRAFTS}/{{id}}"), web::to(drafts::update)),
        delete(format!("{DRAFTS}/{{id}}"), web::to(drafts::delete)),
        post(format!("{DRAFTS}/{{id}}/items"), web::to(drafts::add_item)),
        put(format!("{DRAFTS}/{{id}}/items/{{line_id}}"), web::to(drafts::replace_item)),
        delete(format!("{DRAFTS}/{{id}}/items/{{line_id}}"), web::to(drafts::remove_item)),
        put(format!("{DRAFTS}/{{id}}/complete"), web::to(drafts::complete)),
        get(DRAFTS, web::to(drafts::list)),
        get(ORDERS, web::to(orders::list)),
        get(ORDER, web::to(orders::show)),
        put(ORDER, web::to(order_update::update)),
        post(format!("{ORDER}/open"), web::to(order_status::open)),
        post(format!("{ORDER}/close"), web::to(order_status::close)),
        post(format!("{ORDER}/cancel"), web::to(order_status::cancel)),
        post(format!("{ORDER}/comments"), web::to(comments::create)),
        delete(format!("{ORDER}/comments/{{comment_id}}"), web::to(comments::delete)),
        get(format!("{ORDER}/events"), web::to(events::list)),
        post(format!("{ORDER}/events"), web::to(events::create)),
        get(format!("{ORDER}/receipt"), web::to(receipt::show)),
        post(format!("{ORDER}/sessions"), web::to(order_sessions::create)),
        get(format!("{ORDER}/sessions"), web::to(order_sessions::list)),
        get(format!("{ORDER}/sessions/{{session_id}}"), web::to(order_sessions::show)),
        post(format!("{ORDER}/sessions/{{session_id}}/cancel"), web::to(order_sessions::cancel)),
        post("/pay/{token}/outcome", web::to(pay::script::answer)),
    ]);
    endpoints.extend(hook_endpoints());
    for (view, path) in [
        (View::Customer, format!("{SHOPPING}/customers/{{customer_id}}/orders")),
        (View::Store, format!("{SHOPPING}/stores/{{store_id}}/orders")),
    ] {
        endpoints.extend([
            get(&path, web::to(move |caller, r| orders::list_viewed(view, caller, r))),
            get(
                format!("{path}/{{order_id}}"),
                web::to(move |caller, r| orders::show_viewed(view, caller, r)),
            ),
        ]);
    }
    endpoints.extend(payout_rule_endpoints());
    endpoints
}

/// The routes of webhooks.
fn hook_endpoints() -> Vec<Endpoint> {
    const HOOKS: &str = "/v1/accounts/{aid}/hooks/subscriptions";
    const HOOK: &str = "/v1/accounts/{aid}/hooks/subscriptions/{hid}";
    const DELIVERY: &str = "/v1/accounts/{aid}/hooks/subscriptions/{hid}/deliveries/{did}";
    vec![
        post(HOOKS, web::to(hooks::create)),
        get(HOOKS, web::to(hooks::list)),
        get(HOOK, web::to(hooks::show)),
        put(HOOK, web::to(hooks::update)),
        delete(HOOK, web::to(hooks::delete)),
        post(format!("{HOOK}/ping"), web::to(hooks::ping)),
        post(format!("{HOOK}/pause"), web::to(hooks::pause)),
        post(format!("{HOOK}/resume"), web::to(hooks::resume)),
        post(format!("{HOOK}/rotate"), web::to(hooks::rotate)),
        post(format!("{HOOK}/replay"), web::to(deliveries::replay_range)),
        get(format!("{HOOK}/deliveries"), web::to(deliveries::list)),
        get(DELIVERY, web::to(deliveries::show)),
        post(format!("{DELIVERY}/replay"), web::to(deliveries::replay)),
    ]
}

fn payout_rule_endpoints() -> [Endpoint; 5] {
    const RULES: &str = "/v1/accounts/{aid}/billing/payout-rules";
    const RULE: &str = "/v1/accounts/{aid}/billing/payout-rules/{payout_rule_id}";
    [
        post(RULES, web::to(payout_rules::create)),
        get(RULES, web::to(payout_rules::list)),
        get(RULE, web::to(payout_rules::show)),
        put(RULE, web::to(payout_rules::update)),
        delete(RULE, web::to(payout_rules::delete)),
    ]
}

/// Every route of the back office, and the API's reference for people.
pub fn pages() -> Vec<Endpoint> {
    let mut pages = vec![
        get("/", web::to(admin::accounts::lead_in)),
        get("/docs", web::to(docs::show)),
        get("/static/{file}", web::to(assets::show)),
        get("/admin", web::to(admin::accounts::show)),
        get("/admin/sign-in", web::to(sign_in::show)),
        post("/admin/sign-in", web::to(sign_in::create)),
        post("/admin/sign-out", web::to(sign_in::delete)),
        get("/admin/link", web::to(link::show)),
        post("/admin/link", web::to(link::use_link)),
        get("/admin/setup", web::to(setup::show)),
        post("/admin/setup", web::to(setup::create)),
        get("/admin/{aid}/orders", web::to(list::page::list)),
        get("/admin/{aid}/orders/{order_id}", web::to(order::page::show)),
        get("/admin/{aid}/orders/{order_id}/packing-slip", web::to(order::print::packing_slip)),
        get("/admin/{aid}/orders/{order_id}/receipt", web::to(order::receipt::show)),
    ];
    pages.extend([
        post("/admin/{aid}/orders/{order_id}/comments", web::to(order::comments::create)),
        post(
            "/admin/{aid}/orders/{order_id}/comments/{comment_id}/delete",
            web::to(order::comments::delete),
        ),
        post(
            "/admin/{aid}/orders/{order_id}/sessions/{session_id}/cancel",
            web::to(order::cancel_session::cancel),
        ),
    ]);
    let changes = [
        ("open", StatusChange::Open),
        ("close", StatusChange::Close),
        ("cancel", StatusChange::Cancel(None)),
    ];
    for (word, change) in changes {
        pages.push(post(
            format!("/admin/{{aid}}/orders/{{order_id}}/{word}"),
            web::to(move |staff, form, r| order::status::change(change, staff, form, r)),
        ));
    }
    pages.extend(pages_of_hooks());
    pages.extend(pages_of_payouts());
    for kind in OperationKind::ALL {
        let path = format!("/admin/{{aid}}/orders/{{order_id}}/{}", kind.plural());
        pages.extend([
            get(&path, web::to(move |staff, r| operation::form::show(kind, staff, r))),
            post(&path, web::to(move |s, form, r| operation::form::create(kind, s, form, r))),
        ]);
    }
    pages
}

fn pages_of_hooks() -> Vec<Endpoint> {
    const HOOKS: &str = "/admin/{aid}/hooks";
    const HOOK: &str = "/admin/{aid}/hooks/{hid}";
    const DELIVERY: &str = "/admin/{aid}/hooks/{hid}/deliveries/{did}";
    let mut pages = vec![
        get(HOOKS, web::to(hook_pages::list::show)),
        post(HOOKS, web::to(hook_pages::form::create)),
        get(format!("{HOOKS}/new"), web::to(hook_pages::form::show_new)),
        get(HOOK, web::to(hook_pages::page::show)),
        get(format!("{HOOK}/edit"), web::to(hook_pages::form::show_edit)),
        post(format!("{HOOK}/edit"), web::to(hook_pages::form::update)),
        post(format!("{HOOK}/ping"), web::to(hook_pages::changes::ping)),
        post(format!("{HOOK}/rotate"), web::to(hook_pages::changes::rotate)),
        get(DELIVERY, web::to(hook_pages::delivery::show)),
        post(format!("{DELIVERY}/replay"), web::to(hook_pages::delivery::replay)),
    ];
    for (word, button) in
        [("pause", Button::Pause), ("resume", Button::Resume), ("delete", Button::Delete)]
    {
        pages.push(post(
            format!("{HOOK}/{word}"),
            web::to(move |s, form, r| hook_pages::changes::press(button, s, form, r)),
        ));
    }
    pages
}

fn pages_of_payouts() -> [Endpoint; 7] {
    const RULES: &str = "/admin/{aid}/payout-rules";
    const RULE: &str = "/admin/{aid}/payout-rules/{payout_rule_id}";
    [
        get("/admin/{aid}/payouts", web::to(payout::sums::show)),
        get(RULES, web::to(payout::rules::show)),
        post(RULES, web::to(payout::rule_form::create)),
        get(format!("{RULES}/new"), web::to(payout::rule_form::show_new)),
        get(RULE, web::to(payout::rule_form::show)),
        post(RULE, web::to(payout::rule_form::update)),
        post(format!("{RULE}/delete"), web::to(payout::rule_form::delete)),
    ]
}

/// The pages of payers, who have no account: their permission is the secret in the address.
pub fn payer_pages() -> Vec<Endpoint> {
    vec![
        get("/pay/{token}", web::to(pay::page::show)),
        post("/pay/{token}", web::to(pay::page::answer)),
        get("/demo/return", web::to(pay::demo_return::show)),
    ]
}

/// Adds every route, those of the back office for known hosts only. A path answers other methods
/// with a 405 that names its own, and every other path is a 404.
fn configure(config: &mut ServiceConfig) {
    let mut waiting = endpoints();
    waiting.extend(pages());
    waiting.extend(payer_pages());
    while !waiting.is_empty() {
        let path = waiting[0].path.clone();
        let (same, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|e| e.path == path);
        if path.starts_with("/admin") {
            config.service(resource(&path, same).wrap(from_fn(refuse_unknown_host)));
        } else {
            config.service(resource(&path, same));
        }
        waiting = others;
    }
    config.default_service(web::to(no_such_path));
}

/// Adds every route below a path prefix, whose root has no slash at its end.
pub fn configure_prefix(config: &mut ServiceConfig) {
    config.service(resource("", vec![get("", web::to(admin::accounts::lead_in))]));
    configure(config);
}

/// The methods of each path of the API.
fn path_methods(prefix: &str) -> PathMethods {
    let endpoints = endpoints();
    let mut paths: Vec<(&str, Vec<&Endpoint>)> = Vec::new();
    for endpoint in &endpoints {
        match paths.iter_mut().find(|(path, _)| *path == endpoint.path) {
            Some((_, same)) => same.push(endpoint),
            None => paths.push((&endpoint.path, vec![endpoint])),
        }
    }
    PathMethods::new(prefix, paths.into_iter().map(|(path, same)| (path, methods_of(same))))
}

/// Methods as the header `Allow` has them.
fn methods_of<'e>(endpoints: impl IntoIterator<Item = &'e Endpoint>) -> String {
    endpoints.into_iter().flat_map(Endpoint::methods).collect::<Vec<_>>().join(", ")
}

fn resource(path: &str, endpoints: Vec<Endpoint>) -> Resource {
    let allow = methods_of(&endpoints);
    let refuse = move || std::future::ready(method_not_allowed(&allow));
    let resource = web::resource(path).default_service(web::to(refuse));
    endpoints.into_iter().fold(resource, |resource, endpoint| resource.route(endpoint.route))
}

fn method_not_allowed(allow: &str) -> Result<actix_web::HttpResponse, ApiError> {
    Err(ApiError::method_not_allowed(allow.to_owned()))
}

async fn no_such_path() -> Result<actix_web::HttpResponse, ApiError> {
    Err(ApiError::no_such_path())
}

/// A route for GET and HEAD. actix-web leaves out the body of the answer to a HEAD.
fn get(path: impl Into<String>, route: Route) -> Endpoint {
    let route = route.guard(guard::Any(guard::Get()).or(guard::Head()));
    Endpoint { method: Method::GET, path: path.into(), route }
}

fn post(path: impl Into<String>, route: Route) -> Endpoint {
    Endpoint { method: Method::POST, path: path.into(), route: route.method(Method::POST) }
}

fn put(path: impl Into<String>, route: Route) -> Endpoint {
    Endpoint { method: Method::PUT, path: path.into(), route: route.method(Method::PUT) }
}

fn delete(path: impl Into<String>, route: Route) -> Endpoint {
    Endpoint { method: Method::DELETE, path: path.into(), route: route.method(Method::DELETE) }
}
