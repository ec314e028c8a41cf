//! Searching by words: order id, e-mail, name, phone (docs/contract.md, Decision 7).
//!
//! A search is split into words of letters and digits. An order matches if each of them begins one
//! of the order's words. Text of only digits and separators counts as one number, so that a phone
//! number is found however it is spaced.
//!
//! Each indexed word has its account's id in front, and the index has a list of rows for every
//! prefix length. So a search reads one list from its newest row, however many rows there are.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::Tx;
use crate::domain::ids::{AccountId, DraftSeq, OrderSeq};

/// How many leading digits of a phone number may be the country code, which people leave out.
const COUNTRY_DIGITS_MAX: usize = 3;

/// The most digits of a number. Longer ones are treated as ordinary words.
const NUMBER_DIGITS_MAX: usize = 20;

/// The most characters per text and words per order that are indexed.
const TEXT_CHARS_MAX: usize = 200;
const ORDER_WORDS_MAX: usize = 200;

/// How many letters of a word are indexed; the index has a prefix list for each length.
const WORD_CHARS_MAX: usize = 20;

/// The most words of a search; the rest is ignored.
const SEARCH_WORDS_MAX: usize = 8;

impl Tx<'_> {
    /// Replaces the texts that an order is found by.
    pub fn replace_order_words<'a>(
        &self,
        account_id: &AccountId,
        order_seq: OrderSeq,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let sql = "delete from order_search where rowid = :row";
        self.execute(sql, named_params! {":row": order_seq})?;
        let sql = "insert into order_search (rowid, words) values (:row, :words)";
        self.insert_words(sql, account_id, order_seq.0, texts)
    }

    /// Replaces the texts that a draft is found by.
    pub fn replace_draft_words<'a>(
        &self,
        account_id: &AccountId,
        draft_seq: DraftSeq,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let sql = "delete from draft_search where rowid = :row";
        self.execute(sql, named_params! {":row": draft_seq})?;
        let sql = "insert into draft_search (rowid, words) values (:row, :words)";
        self.insert_words(sql, account_id, draft_seq.0, texts)
    }

    fn insert_words<'a>(
        &self,
        sql: &'static str,
        account_id: &AccountId,
        row: i64,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let words = texts.into_iter().flat_map(|text| indexed_words(first(TEXT_CHARS_MAX, text)));
        let words = words.take(ORDER_WORDS_MAX).map(|word| of_account(account_id, &word));
        let words = words.collect::<Vec<_>>().join(" ");
        self.execute(sql, named_params! {":row": row, ":words": words})?;
        Ok(())
    }
}

/// The full-text query for a person's search; `None` if the search has no word.
pub(super) fn search_expression(account_id: &AccountId, typed: &str) -> Option<String> {
    let words = match as_number(typed) {
        Some(number) => vec![number],
        None => split_words(typed),
    };
    if words.is_empty() {
        return None;
    }
    let words = words.iter().take(SEARCH_WORDS_MAX).map(|word| of_account(account_id, word));
    let beginnings: Vec<String> = words.map(|word| format!("\"{word}\"*")).collect();
    Some(beginnings.join(" AND "))
}

/// A word as it is indexed, with its account in front.
fn of_account(account_id: &AccountId, word: &str) -> String {
    format!("{account_id}{}", first(WORD_CHARS_MAX, word))
}

fn first(chars_max: usize, text: &str) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}

fn indexed_words(text: &str) -> Vec<String> {
    let mut indexed = split_words(text);
    if let Some(number) = as_number(text) {
        let starts = 0..=COUNTRY_DIGITS_MAX.min(number.len().saturating_sub(1));
        indexed.extend(starts.map(|start| number[start..].to_owned()));
    }
    indexed
}

fn split_words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The digits of a text that has only digits and the characters that space numbers.
fn as_number(text: &str) -> Option<String> {
    let spacing = |c: char| matches!(c, ' ' | '+' | '-' | '(' | ')' | '.' | '/');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let only = text.chars().all(|c| c.is_ascii_digit() || spacing(c));
    (only && (1..=NUMBER_DIGITS_MAX).contains(&digits.len())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_never_a_query_of_its_own() {
        let account = AccountId::parse("T00000001").unwrap();
        let expression = |typed| search_expression(&account, typed);
        assert_eq!(
            expression("Kåre \"x\" OR *").unwrap(),
            "\"T00000001Kåre\"* AND \"T00000001x\"* AND \"T00000001OR\"*"
        );
        assert_eq!(expression("+47 912 34 567").unwrap(), "\"T000000014791234567\"*");
        assert_eq!(expression(" -- "), None);
    }

    #[test]
    fn there_is_an_index_for_every_beginning_of_a_word() {
        let account = AccountId::parse("T00000001").unwrap();
        let one_letter = of_account(&account, "a").chars().count();
        let longest = of_account(&account, &"a".repeat(200)).chars().count();
        let lengths: Vec<String> = (one_letter..=longest).map(|n| n.to_string()).collect();
        let told = format!("prefix = '{}'", lengths.join(" "));
        let schema = include_str!("../../data/schema.sql");
        assert_eq!(schema.matches(&told).count(), 2, "of orders and of drafts: {told}");
        assert_eq!(schema.matches("using fts5").count(), 2);
    }

    #[test]
    fn a_phone_number_is_found_with_and_without_its_country() {
        let words = indexed_words("+47 912 34 567");
        assert!(words.contains(&"4791234567".to_owned()) && words.contains(&"91234567".to_owned()));
        assert_eq!(indexed_words("5"), ["5", "5"]);
    }
}
