#![no_main]

#[path = "../../tests/it/trials/fuzz/decisions.rs"]
mod decisions;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    decisions::decisions(bytes);
});
