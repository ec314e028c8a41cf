#![no_main]

#[path = "../../tests/it/trials/fuzz/bodies.rs"]
mod bodies;
#[path = "../../tests/it/schema.rs"]
mod schema;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bodies::words(bytes);
});
