//! Validates values against the schemas of our OpenAPI document.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// Our OpenAPI document. It equals `openapi.yaml`, which is written by hand.
pub static OPENAPI: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/openapi.json")).unwrap());

/// A schema of the document, by name.
pub fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Panics unless a value is valid under a schema.
#[track_caller]
pub fn assert_valid(at: &str, schema: &Value, value: &Value) {
    let errors: Vec<String> = validator(schema)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{at} is invalid under the document: {errors:#?}\n{value:#}");
}

/// True if a value fits a schema.
pub fn is_valid(schema: &Value, value: &Value) -> bool {
    validator(schema).is_valid(value)
}

fn validator(schema: &Value) -> &'static Validator {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> =
        LazyLock::new(Mutex::default);
    let key = schema.to_string();
    let known = VALIDATORS.lock().unwrap().get(&key).copied();
    known.unwrap_or_else(|| {
        let root = json!({"allOf": [schema], "components": OPENAPI["components"]});
        let compiled: &'static Validator = Box::leak(Box::new(compile(Draft::Draft202012, &root)));
        VALIDATORS.lock().unwrap().insert(key, compiled);
        compiled
    })
}

/// A validator for a schema of this draft of JSON Schema, which checks formats too.
pub fn compile(draft: Draft, root: &Value) -> Validator {
    let options = jsonschema::options().with_draft(draft);
    options.should_validate_formats(true).build(root).unwrap()
}
