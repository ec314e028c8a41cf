//! Fuzzing with almost valid bytes, without a fuzzer, in every run of the tests.
//!
//! Each target first gets its seeds, whose outcome is known, and then the seeds with cuts and words
//! put in. The folder `fuzz` has the same targets for libFuzzer, which finds its own inputs.

mod bodies;
mod decisions;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{count, runner, say, seed};

/// A text, and whether it is accepted.
type Seed<'a> = (&'a str, bool);

/// Documents that other parsers read in more than one way.
const DOCUMENTS: &[Seed<'_>] = &[
    (r#"{"items":[[7,1]]}"#, true),
    (r#"{"metadata":{"a":1,"a":2}}"#, false),
    (r#"[10.0,1e3,-0,"10",9223372036854775808]"#, true),
    (r#"{"big":123456789012345678901234567890,"small":0.10000000000000000000001}"#, true),
    ("[1e400]", true),
    (r#""\u0000""#, false),
    (r#""\ud83d\ude00\u00e6""#, true),
    (r#""\ud800""#, false),
    (r#"{"a":{"b":[{"c":[[[[null,true,false]]]]}]}}"#, true),
    ("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false),
    ("\u{feff}{}", false),
];

const OPERATIONS: &[Seed<'_>] = &[
    (r#"{"items":[{"line_id":1,"amount":5}]}"#, true),
    (r#"{"items":[{"line_id":1,"amount":5},{"line_id":2,"amount":-5}],"success":false}"#, true),
    (r#"{"items":[{"line_id":1,"amount":10.0}],"metadata":{"a":0.10000000000000000001}}"#, true),
    (r#"{"items":[{"line_id":0,"amount":-0}],"unknown":{"a":[1,{"b":null}]}}"#, true),
    (
        r#"{"items":[{"line_id":1,"amount":1,"original_currency":"SEK",
        "original_gross_amount":9,"conversion_rate_ppm":1,"conversion_rate_source":"x",
        "conversion_rate_timestamp":"2026-11-18T11:06:40.5+01:00"}],"authorization_id":"a",
        "processed_at":"2026-11-18T11:06:40Z","processed_by":"x","payment_details":{}}"#,
        true,
    ),
    (r#"{"items":[{"line_id":1,"amount":9007199254740991}]}"#, true),
    (r#"{"items":[[7,1]]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":1},{"line_id":1,"amount":1}]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":1e3}]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":"10"}]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":9223372036854775808}]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":1,"amount":2}]}"#, false),
    (r#"{"items":[{"line_id":1,"amount":1}],"metadata":{"a":1,"a":2}}"#, false),
    (r#"{"items":[{"line_id":1,"amount":1}],"metadata":{"a":"\u0000"}}"#, false),
];

const DRAFTS: &[Seed<'_>] = &[
    (r#"{"order":{"currency":"NOK","items":[{"id":"a","gross_amount":500}]}}"#, true),
    (
        r#"{"order":{"currency":"NOK","order_id":"A1","items":[{"id":"a","line_id":3,
        "gross_amount":500,"quantity":2,"vat":25}]},"options":{"split_draft":false},
        "store":{"id":"s"}}"#,
        true,
    ),
    (r#"{"order":{"currency":"nok","items":[]}}"#, false),
    (r#"{"order":[["NOK"]]}"#, false),
];

const QUERIES: &[Seed<'_>] = &[
    ("limit=10&status=OPEN,CLOSED&search=a%20b&total=true", false),
    ("limit=100&created_at.gte=2026-11-18T11:06:40Z&currency=NOK&order_id=a,b", true),
    ("limit=101", false),
    ("limit=0&limit=1", false),
    ("%ff=%00&&=&limit", false),
    ("store_id=s,t&starting_after=x&itinerary_arrival_address=a,b", true),
    ("items_discount_lines_discount_type=,,&starting_after=x", false),
];

const NAMES: &[Seed<'_>] =
    &[("A1", true), ("...", true), (".", false), ("..", false), ("a b", false), ("æ", false)];

const CLAIMS: &[Seed<'_>] = &[
    (
        r#"{"iss":"https://shop.example/till","sub":"client","iat":1795000000,"nbf":1795000000,
        "aud":"https://shop.example/till/v1/accounts/T12345678","exp":1795000100,"jti":"j",
        "scope":"read:shopping"}"#,
        true,
    ),
    (
        r#"{"iss":"https://shop.example/till","sub":"client","iat":1795000000,"nbf":1795000000,
        "aud":"https://shop.example/till/v1/accounts/T12345678","exp":"1795000100","jti":"j"}"#,
        false,
    ),
    ("[]", false),
];

/// Words that are put into a text.
const WORDS: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "1e3",
    "1.0",
    ".",
    "9223372036854775808",
    "null",
    "true",
    "\"\"",
    "{}",
    "[]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "[",
    "]",
    "{",
    "}",
    "\"items\":",
    "\"line_id\":1",
    "\"amount\":1",
    "{\"line_id\":1,\"amount\":1},",
    " ",
    "\n",
    "\0",
    "\u{e6}",
    "%",
    "&",
    "=",
    "..",
    "limit=1",
    "=",
];

/// Runs a target on its seeds, then on many texts that differ from a seed in a few places.
fn fuzz(what: &str, body: fn(&[u8]) -> bool, seeds: &[Seed<'_>]) {
    for (text, is_taken) in seeds {
        assert_eq!(body(text.as_bytes()), *is_taken, "{what}: {text}");
    }
    let texts: Vec<Vec<u8>> = seeds.iter().map(|(text, _)| text.as_bytes().to_vec()).collect();
    run(what, body, &spoiled(texts));
}

fn run(what: &str, body: fn(&[u8]) -> bool, bytes: &impl Strategy<Value = Vec<u8>>) {
    let cases = count("TILLBOOK_FUZZ_CASES", 2_000);
    let taken = std::cell::Cell::new(0);
    let tried = runner(seed(what), cases).run(bytes, |bytes| {
        taken.set(taken.get() + u32::from(body(&bytes)));
        Ok(())
    });
    tried.unwrap_or_else(|why| panic!("{what}: {why}"));
    say(&format!("{what}: {} of {cases} taken", taken.get()));
    assert!(0 < taken.get(), "{what}: no text was accepted, so nothing was tested");
}

/// A seed with up to four cuts, each filled with a word or with any bytes.
fn spoiled(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let word = select(WORDS).prop_map(|word| word.as_bytes().to_vec());
    let filling = prop_oneof![3 => word, 1 => vec(any::<u8>(), 0..4)];
    let cut = (any::<Index>(), 0_usize..4, filling);
    (select(seeds), vec(cut, 0..5)).prop_map(|(mut text, cuts)| {
        for (at, length, filling) in cuts {
            let at = at.index(text.len() + 1);
            let end = text.len().min(at + length);
            text.splice(at..end, filling);
        }
        text
    })
}

#[test]
fn documents_are_read_as_another_parser_reads_them_or_refused() {
    fuzz("documents", bodies::json_text, DOCUMENTS);
}

#[test]
fn an_accepted_operation_matches_the_document() {
    fuzz("operations", bodies::operation, OPERATIONS);
}

#[test]
fn an_accepted_draft_matches_the_document() {
    fuzz("drafts", bodies::draft, DRAFTS);
}

#[test]
fn only_an_issued_token_is_valid() {
    fuzz("tokens", bodies::token, &[(bodies::TOKEN.as_str(), true), ("..", false), ("", false)]);
}

#[test]
fn only_the_expected_claims_are_valid_even_when_signed() {
    fuzz("claims", bodies::claims, CLAIMS);
}

#[test]
fn every_accepted_name_can_be_part_of_a_path() {
    fuzz("names", bodies::words, NAMES);
}

#[test]
fn every_accepted_query_has_a_limit() {
    fuzz("queries", bodies::query, QUERIES);
}

#[test]
fn boxes_balance_after_every_request() {
    run("decisions", decisions::decisions, &vec(any::<u8>(), 0..400));
}
