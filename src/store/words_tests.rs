//! Tries the words of every character against the tokenizers of SQLite.

use rusqlite::Connection;

use super::*;

/// The tokens that an FTS5 table with this tokenizer makes of texts, each text in a row of its own.
fn tokens(tokenizer: &str, texts: &[String]) -> Vec<Vec<String>> {
    #[expect(clippy::disallowed_methods, reason = "a tokenizer needs no settings")]
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(&format!(
        "create virtual table t using fts5 (w, tokenize = \"{tokenizer}\");
         create virtual table v using fts5vocab (t, instance)"
    ))
    .unwrap();
    let tx = conn.unchecked_transaction().unwrap();
    let mut insert = tx.prepare("insert into t (rowid, w) values (?1, ?2)").unwrap();
    for (row, text) in texts.iter().enumerate() {
        insert.execute((i64::try_from(row).unwrap(), text)).unwrap();
    }
    drop(insert);
    let mut found = vec![Vec::new(); texts.len()];
    let mut rows = tx.prepare("select doc, offset, term from v").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    for row in rows {
        let (doc, offset, term): (i64, i64, Option<String>) = row.unwrap();
        // A diacritic without a letter is an empty token.
        let term = term.filter(|term| !term.is_empty());
        found[usize::try_from(doc).unwrap()].extend(term.map(|term| (offset, term)));
    }
    found.iter_mut().for_each(|terms| terms.sort());
    found.into_iter().map(|terms| terms.into_iter().map(|(_, term)| term).collect()).collect()
}

/// Every character, in blocks.
fn every_block() -> Vec<Vec<char>> {
    let all: Vec<char> = ('\u{1}'..=char::MAX).collect();
    all.chunks(64).map(<[char]>::to_vec).collect()
}

fn spaced(characters: &[char]) -> String {
    characters.iter().flat_map(|c| [*c, ' ']).collect()
}

/// The tokenizer of the index.
const INDEX: &str = "ascii";

#[test]
fn the_index_cuts_and_folds_no_word_of_any_character() {
    let within = |c: &char| ['a', *c, 'b', ' ', *c, ' '];
    let texts = every_block().into_iter().map(|block| block.iter().flat_map(within).collect());
    let ours: Vec<Vec<String>> = texts.map(|text: String| words(&text)).collect();
    let joined: Vec<String> = ours.iter().map(|words| words.join(" ")).collect();
    for ((ours, joined), theirs) in ours.iter().zip(&joined).zip(tokens(INDEX, &joined)) {
        assert_eq!(*ours, theirs);
        assert_eq!(*ours, words(joined), "a word is folded again");
    }
    let marked = [INTERNATIONAL, NATIONAL, COUNTRYLESS].map(|mark| format!("{mark}4670"));
    for (marked, theirs) in marked.iter().zip(tokens(INDEX, &marked)) {
        assert_eq!([marked.as_str()], *theirs);
        assert_eq!(words(marked), ["4670"], "a word may not look like a number's mark");
    }
}

/// FTS5's `unicode61` with `remove_diacritics 2` knows an older Unicode and not all composed
/// letters; where it folds a character, our words must fold it to the same letters.
#[test]
fn what_the_tokenizer_of_unicode_folds_is_folded() {
    const UNICODE: &str = "unicode61 remove_diacritics 2 categories 'L* M* N* Co'";
    let folded = |theirs: &[String]| theirs.iter().flat_map(|term| words(term)).collect();
    let blocks = every_block();
    let texts: Vec<String> = blocks.iter().map(|block| spaced(block)).collect();
    let theirs = tokens(UNICODE, &texts);
    let differ = blocks.iter().zip(&texts).zip(&theirs).filter(|((_, text), theirs)| {
        let folded: Vec<String> = folded(theirs);
        folded != words(text)
    });
    let differ: Vec<char> = differ.flat_map(|((block, _), _)| block.iter().copied()).collect();
    let texts: Vec<String> = differ.iter().map(char::to_string).collect();
    let mut off = Vec::new();
    for (c, theirs) in differ.into_iter().zip(tokens(UNICODE, &texts)) {
        let folded: Vec<String> = folded(&theirs);
        // The iota below a Greek vowel is a diacritic for us.
        if c != '\u{345}' && !theirs.is_empty() && words(&c.to_string()) != folded {
            off.push((c, folded));
        }
    }
    assert!(off.is_empty(), "{} are folded otherwise: {off:?}", off.len());
}

#[test]
fn words_are_folded_and_symbols_are_no_words() {
    assert_eq!(words("Kåre \"x\" OR *"), ["kare", "x", "or"]);
    assert_eq!(words("Bjo\u{308}rk BJÖRK"), ["bjork", "bjork"]);
    assert_eq!(words("ΟΔΥΣΣΕΥΣ Οδυσσεύς"), ["οδυσσευσ", "οδυσσευσ"]);
    assert_eq!(words("हिन्दी"), ["हिन्दी"]);
    assert_eq!(words("SØR ŁÓDŹ Weiß Æsop ıĐ"), ["sør", "łodz", "weiß", "æsop", "ıđ"]);
    for none in ["Ⓐ", " -- ", "🙂", "\u{308}", "☎", ""] {
        assert!(searched_words(none).is_empty(), "{none}");
    }
    assert_eq!(searched_words("ka kari ka"), [["kari"]]);
}

/// True if a search for this finds a text.
fn finds(typed: &str, stored: &str) -> bool {
    let indexed = indexed_words(stored);
    let searched = searched_words(typed);
    !searched.is_empty()
        && searched
            .iter()
            .all(|any| any.iter().any(|word| indexed.iter().any(|stored| stored.starts_with(word))))
}

#[test]
fn a_phone_number_is_found_however_it_is_spelled() {
    let spellings = [
        "+46701234567",
        "+46 70-123 45 67",
        "+46 (0)70 123 45 67",
        "0046701234567",
        "00 46 70 123 45 67",
        "0701234567",
        "070-123 45 67",
        "070\u{a0}123\u{2009}45\u{2011}67",
        "(070) 123.45.67",
        "\u{202a}+46 70 123 45 67\u{202c}",
    ];
    for stored in spellings {
        for typed in spellings {
            assert!(finds(typed, stored), "{typed} for {stored}");
        }
        for typed in ["701234567", "70123", "070 12"] {
            assert!(finds(typed, stored), "{typed} for {stored}");
        }
        for typed in ["1234567", "0801234567", "+4671", "6701234567", "467012345678"] {
            assert!(!finds(typed, stored), "{typed} for {stored}");
        }
        // A number stored without its country may be of any.
        let has_country = !stored.trim_start_matches('(').starts_with("07");
        assert_eq!(finds("+47701234567", stored), !has_country, "{stored}");
    }
    for typed in ["46701234567", "4670", "+467"] {
        assert!(finds(typed, "+46 70-123 45 67"), "{typed}");
    }
    for typed in ["+47 912 34 567", "91234567", "912 34", "4791", "0047912"] {
        assert!(finds(typed, "+47 912 34 567") && finds(typed, "004791234567"), "{typed}");
    }
    assert!(finds("+4791234567", "91234567") && !finds("1234567", "91234567"));
    // A number of another kind, such as an order id, is found by its own digits.
    assert!(finds("0001", "000123") && finds("000123", "000123") && !finds("23", "000123"));
    assert!(finds("5", "5") && finds("0", "0") && finds("00", "00") && finds("+1", "+1 212 555"));
}

#[test]
fn a_country_code_has_one_to_three_digits() {
    for (number, digits) in [
        ("12125550100", 1),
        ("4670", 2),
        ("358401", 3),
        ("4930", 2),
        ("420601", 3),
        ("35", 2),
        ("8", 1),
    ] {
        assert_eq!(country_digits(number), digits, "{number}");
    }
}
