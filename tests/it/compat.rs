//! `tillbook compat`: every flow passes, and docs/compat.md is its output.

use super::harness::ACCOUNT;
use super::process::{Served, make_book, make_client, run_with};

#[test]
fn every_flow_holds_and_the_document_is_its_output() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let served = Served::start(&db);
    let environment = [
        ("TILLBOOK_URL", served.url.as_str()),
        ("TILLBOOK_ACCOUNT", ACCOUNT),
        ("TILLBOOK_CLIENT_ID", &client.client_id),
        ("TILLBOOK_CLIENT_SECRET", &client.secret),
    ];
    let printed = run_with(&["compat", "--markdown"], &environment).expect(0).out;
    let document = include_str!("../../docs/compat.md");
    assert!(
        document.ends_with(&printed),
        "docs/compat.md is not what compat --markdown prints:\n{printed}"
    );
    let lines = run_with(&["compat"], &environment).expect(0).out;
    assert!(lines.contains("  differs  ") && !lines.contains("FAILED"), "{lines}");
    let wrong = [&environment[..3], &[("TILLBOOK_CLIENT_SECRET", "wrong")]].concat();
    let stopped = run_with(&["compat"], &wrong).expect(1);
    assert!(stopped.out.contains("FAILED"), "{}", stopped.out);
}

/// Without a token or an order, the paths of all later requests would be wrong.
#[test]
fn a_client_that_cannot_do_the_flows_stops_them_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let reader = make_client(&db, "read:shopping");
    let served = Served::start(&db);
    let another = "T87654321";
    for (account, id, secret, request, lacking) in [
        (ACCOUNT, &client.client_id, "wrong", "POST /auth/token", "token"),
        (ACCOUNT, &reader.client_id, &client.secret, "POST /auth/token", "token"),
        (another, &client.client_id, &client.secret, "POST /auth/token", "token"),
        (ACCOUNT, &reader.client_id, &reader.secret, "POST /shopping/draft_orders", "draft"),
    ] {
        let environment = [
            ("TILLBOOK_URL", served.url.as_str()),
            ("TILLBOOK_ACCOUNT", account),
            ("TILLBOOK_CLIENT_ID", id),
            ("TILLBOOK_CLIENT_SECRET", secret),
        ];
        let stopped = run_with(&["compat"], &environment).expect(1);
        let sentence = format!("`{request}` was answered with ");
        assert!(stopped.err.contains(&sentence), "{}", stopped.err);
        assert!(stopped.err.contains(&format!("without the {lacking} that")), "{}", stopped.err);
        assert!(stopped.err.contains("Check --account, --client-id and"), "{}", stopped.err);
        let last = stopped.out.lines().rfind(|line| line.contains("  POST /")).unwrap();
        assert!(last.contains(&format!("FAILED   {request} ")), "{}", stopped.out);
    }
}
