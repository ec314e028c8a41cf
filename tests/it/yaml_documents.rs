//! The JSON documents that are compiled in equal the YAML documents that are written by hand.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The documents that are written in YAML and compiled in as JSON, because the program cannot read
/// YAML: their paths below `data/`, without the ending.
const MADE_OF_YAML: [&str; 2] = ["openapi", "compat/flows"];

#[test]
fn json_documents_equal_their_yaml() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for name in MADE_OF_YAML {
        let yaml = fs::read_to_string(data.join(format!("{name}.yaml"))).unwrap();
        let document: Value = yaml_serde::from_str(&yaml).unwrap();
        let made = format!("{document:#}\n");
        let json = data.join(format!("{name}.json"));
        if std::env::var_os("TILLBOOK_WRITE_JSON").is_some() {
            fs::write(&json, &made).unwrap();
        }
        assert!(
            fs::read_to_string(&json).unwrap() == made,
            "data/{name}.json does not equal data/{name}.yaml; write it anew with \
             TILLBOOK_WRITE_JSON=1 cargo test --test it json_documents"
        );
    }
}
