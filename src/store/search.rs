//! Searching by words: order id, e-mail, name, phone (docs/contract.md, Decision 7).
//!
//! An order matches a search if each word of the search begins one of the order's words. `words`
//! decides what a word is.
//!
//! Each indexed word has its account's id in front, and the index has a list of rows for every
//! prefix length. So a search reads one list for each word or spelling of a number from its newest
//! row, however many rows there are.

use rusqlite::{Connection, named_params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use super::words::{count_typed_words, indexed_words, searched_words};
use crate::domain::ids::{AccountId, DraftSeq, OrderSeq};
use crate::json::{self, Tree};

/// The members of an order document that describe people, and the fields of each that are
/// searchable.
const PEOPLE: [&str; 3] = ["customer", "shipping_address", "billing_address"];
const TEXTS: [&str; 4] = ["email", "first_name", "last_name", "phone_number"];

/// The most characters per text and words per order that are indexed.
const TEXT_CHARS_MAX: usize = 200;
const ORDER_WORDS_MAX: usize = 200;

/// How many characters of a word are indexed; the index has a prefix list for each length.
const WORD_CHARS_MAX: usize = 20;

/// A text to search for, of at most [`SearchText::CHARS_MAX`] characters and
/// [`SearchText::WORDS_MAX`] words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

/// Why a text cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchTextProblem {
    TooLong,
    TooManyWords,
}

impl SearchText {
    pub const CHARS_MAX: usize = 200;
    pub const WORDS_MAX: usize = 8;

    pub fn parse(typed: &str) -> Result<SearchText, SearchTextProblem> {
        if SearchText::CHARS_MAX < typed.chars().count() {
            return Err(SearchTextProblem::TooLong);
        }
        if SearchText::WORDS_MAX < count_typed_words(typed) {
            return Err(SearchTextProblem::TooManyWords);
        }
        Ok(SearchText(typed.to_owned()))
    }
}

const INSERT_ORDER: &str = "insert into order_search (rowid, words) values (:row, :words)";
const INSERT_DRAFT: &str = "insert into draft_search (rowid, words) values (:row, :words)";

/// The searchable texts of an order document: e-mail addresses, names and phone numbers. The caller
/// adds the order id.
pub fn people_texts(order: &Tree) -> Vec<String> {
    let people = PEOPLE.iter().filter_map(|key| order.member(key));
    let text_of =
        |person: &Tree, key: &str| person.member(key).and_then(Tree::as_text).map(str::to_owned);
    people.flat_map(|person| TEXTS.iter().filter_map(move |key| text_of(person, key))).collect()
}

/// True if an index has the words of rows that were deleted. FTS5 only marks those rows, on pages
/// whose numbers begin at 2^53 (`FTS5_TOMBSTONE_ROWID`), until it writes the words' pages anew.
const HAS_DELETED_WORDS: &str = "select
    exists (select 1 from order_search_data where 9007199254740992 <= id),
    exists (select 1 from draft_search_data where 9007199254740992 <= id)";

const MERGE: [&str; 2] = [
    "insert into order_search (order_search, rank) values ('merge', -:pages)",
    "insert into draft_search (draft_search, rank) values ('merge', -:pages)",
];

impl Reader<'_> {
    /// True if the words of a deleted or replaced row are still in the file.
    pub fn has_deleted_words(&self) -> Result<bool, StoreError> {
        Ok(self.find_deleted_words()?.contains(&true))
    }

    /// The same for the index of orders and that of drafts.
    fn find_deleted_words(&self) -> Result<[bool; 2], StoreError> {
        let found = self.find(HAS_DELETED_WORDS, [], |row| Ok([row.get(0)?, row.get(1)?]))?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx<'_> {
    /// Rewrites about that many pages of each index that has deleted words, and leaves those out.
    pub fn erase_deleted_words(&self, pages: i64) -> Result<(), StoreError> {
        for (sql, has_deleted) in MERGE.into_iter().zip(self.find_deleted_words()?) {
            if has_deleted {
                self.execute(sql, named_params! {":pages": pages})?;
            }
        }
        Ok(())
    }

    /// Replaces the texts that an order is found by.
    pub fn replace_order_words<'a>(
        &self,
        account_id: &AccountId,
        order_seq: OrderSeq,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let sql = "delete from order_search where rowid = :row";
        self.execute(sql, named_params! {":row": order_seq})?;
        let words = joined_words(account_id, texts);
        self.execute(INSERT_ORDER, named_params! {":row": order_seq, ":words": words})?;
        Ok(())
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
        let words = joined_words(account_id, texts);
        self.execute(INSERT_DRAFT, named_params! {":row": draft_seq, ":words": words})?;
        Ok(())
    }
}

/// Fills both indexes, which must be empty, from the documents of all orders and drafts.
pub(super) fn index_again(conn: &Connection) -> rusqlite::Result<()> {
    let orders = "select order_seq, account_id, order_id, document from orders
        join accounts using (account_seq) join order_documents using (order_seq)";
    let drafts = "select draft_seq, account_id, order_name, document from drafts
        join accounts using (account_seq)";
    for (select, insert) in [(orders, INSERT_ORDER), (drafts, INSERT_DRAFT)] {
        let mut statement = conn.prepare(select)?;
        let mut insert = conn.prepare(insert)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (account_id, name): (AccountId, Option<String>) = (row.get(1)?, row.get(2)?);
            let document: String = row.get(3)?;
            // A damaged document has no texts; `verify` reports it.
            let texts = json::parse(document.as_bytes()).map(|order| people_texts(&order));
            let texts = texts.unwrap_or_default();
            let texts = texts.iter().map(String::as_str).chain(name.as_deref());
            let words = joined_words(&account_id, texts);
            let row: i64 = row.get(0)?;
            insert.execute(named_params! {":row": row, ":words": words})?;
        }
    }
    Ok(())
}

fn joined_words<'a>(account_id: &AccountId, texts: impl IntoIterator<Item = &'a str>) -> String {
    let words = texts.into_iter().flat_map(|text| indexed_words(first(TEXT_CHARS_MAX, text)));
    let words = words.take(ORDER_WORDS_MAX).map(|word| of_account(account_id, &word));
    words.collect::<Vec<_>>().join(" ")
}

/// The full-text query for a person's search; `None` if the search has no word.
pub(super) fn search_expression(account_id: &AccountId, typed: &SearchText) -> Option<String> {
    let searched = searched_words(&typed.0);
    let beginnings = |spellings: &Vec<String>| {
        let any = spellings.iter().map(|word| format!("\"{}\"*", of_account(account_id, word)));
        let any: Vec<String> = any.collect();
        if any.len() == 1 { any.join("") } else { format!("({})", any.join(" OR ")) }
    };
    let all: Vec<String> = searched.iter().map(beginnings).collect();
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// A word as it is indexed, with its account in front.
fn of_account(account_id: &AccountId, word: &str) -> String {
    format!("{account_id}{}", first(WORD_CHARS_MAX, word))
}

fn first(chars_max: usize, text: &str) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_never_a_query_of_its_own() {
        let account = AccountId::parse("T00000001").unwrap();
        let expression = |typed| search_expression(&account, &SearchText::parse(typed).unwrap());
        assert_eq!(
            expression("Kåre \"x\" OR *").unwrap(),
            "\"T00000001kare\"* AND \"T00000001x\"* AND \"T00000001or\"*"
        );
        assert_eq!(
            expression("+47 912 34 567").unwrap(),
            "(\"T000000014791234567\"* OR \"T00000001☎4791234567\"* OR \"T00000001⌕91234567\"*)"
        );
        assert_eq!(expression(" -- "), None);
        assert_eq!(expression("Ⓐ"), None);
    }

    #[test]
    fn a_search_has_at_most_eight_words_as_they_were_typed() {
        let words = |typed: &str| SearchText::parse(typed).map(drop);
        assert_eq!(words("a b c d e f g h"), Ok(()));
        for typed in ["a b c d e f g h i", "a a a a a a a a a", "a.b@c-d/e,f;g:h!i"] {
            assert_eq!(words(typed), Err(SearchTextProblem::TooManyWords), "{typed}");
        }
        assert_eq!(words("- - - - - - - - -"), Ok(()), "no words");
        assert_eq!(words("+4 7 0 1 2 3 4 5 6 7"), Ok(()), "one number");
        assert_eq!(words(&"ø".repeat(200)), Ok(()));
        assert_eq!(words(&"ø".repeat(201)), Err(SearchTextProblem::TooLong));
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
}
