//! `tillbook compat`: every flow passes, and docs/compat.md is its output.

use super::harness::ACCOUNT;
use super::process::{Served, make_book, run_with};

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
    let told = run_with(&["compat", "--markdown"], &environment).expect(0).out;
    let document = include_str!("../../docs/compat.md");
    assert!(
        document.ends_with(&told),
        "docs/compat.md is not what compat --markdown prints:\n{told}"
    );
    let lines = run_with(&["compat"], &environment).expect(0).out;
    assert!(lines.contains("  differs  ") && !lines.contains("FAILED"), "{lines}");
    let wrong = [&environment[..3], &[("TILLBOOK_CLIENT_SECRET", "wrong")]].concat();
    assert!(run_with(&["compat"], &wrong).expect(1).out.contains("FAILED"));
}
