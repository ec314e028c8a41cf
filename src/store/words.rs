//! Cuts texts into the words of the search index, and folds them.
//!
//! This is the only place that decides what a word is, for the index and for what people type. The
//! index gets words in which its own tokenizer (FTS5's `ascii`) finds nothing to cut or to fold; a
//! test tries every character.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// The most digits of a number. Longer ones are treated as ordinary words.
const NUMBER_DIGITS_MAX: usize = 20;

/// A stored number with fewer digits, such as an order id, is not a phone number.
const PHONE_DIGITS_MIN: usize = 7;

/// Precede the two forms of a phone number in the index. No word begins with them, because they are
/// neither letters nor digits.
const INTERNATIONAL: char = '☎';
const NATIONAL: char = '☏';
/// Precedes the national form of a number that was stored without its country.
const COUNTRYLESS: char = '⌕';

/// The words of a text, folded: without case and without the diacritics of Latin, Greek and
/// Cyrillic letters, so that `Kåre`, `KÅRE` and `kare` are one word. Letters that Unicode does not
/// take apart, such as `ø`, are kept (docs/contract.md, Decision 7).
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|c| !is_of_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The words that a stored text is found by.
pub(super) fn indexed_words(text: &str) -> Vec<String> {
    let mut indexed = words(text);
    if let Some(number) = Number::read(text) {
        indexed.extend(number.indexed());
    }
    indexed
}

/// The words of a person's search. An order matches if, for each list, it has a word that begins
/// with one of the list. Empty if the search has no words.
pub(super) fn searched_words(typed: &str) -> Vec<Vec<String>> {
    if let Some(number) = Number::read(typed) {
        return vec![number.searched()];
    }
    let mut searched: Vec<String> = Vec::new();
    for word in words(typed) {
        // A beginning of another word says nothing more.
        if searched.iter().any(|other| other.starts_with(&word)) {
            continue;
        }
        searched.retain(|other| !word.starts_with(other.as_str()));
        searched.push(word);
    }
    searched.into_iter().map(|word| vec![word]).collect()
}

/// How many words a person's search has as it was typed; a number is one.
pub(super) fn count_typed_words(typed: &str) -> usize {
    if Number::read(typed).is_some() { 1 } else { words(typed).len() }
}

fn fold(text: &str) -> String {
    let lower: String = text.chars().flat_map(char::to_lowercase).collect();
    let parts = DecomposingNormalizerBorrowed::new_nfd().normalize(&lower);
    let plain: String = parts.chars().filter(|c| !is_diacritic(*c)).map(one_form).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&plain).into_owned()
}

/// Some letters have a second character for another form. Sigma's is used at the end of a word,
/// which a beginning of the word lacks.
fn one_form(c: char) -> char {
    match c {
        'ς' => 'σ',
        'ſ' => 's',
        'µ' => 'μ',
        'ϐ' => 'β',
        'ϑ' => 'θ',
        'ϕ' => 'φ',
        'ϖ' => 'π',
        'ϰ' => 'κ',
        'ϱ' => 'ρ',
        'ϵ' => 'ε',
        other => other,
    }
}

/// The diacritics of Latin, Greek and Cyrillic letters. The marks of other scripts are kept: there,
/// they are vowels.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Letters, marks, numbers, and characters for private use.
fn is_of_word(c: char) -> bool {
    use GeneralCategory as Is;
    matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        Is::UppercaseLetter
            | Is::LowercaseLetter
            | Is::TitlecaseLetter
            | Is::ModifierLetter
            | Is::OtherLetter
            | Is::NonspacingMark
            | Is::SpacingMark
            | Is::EnclosingMark
            | Is::DecimalNumber
            | Is::LetterNumber
            | Is::OtherNumber
            | Is::PrivateUse
    )
}

/// A text of only digits and what people put between them.
#[derive(Debug, PartialEq, Eq)]
struct Number {
    digits: String,
    form: Form,
}

/// How a number was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With `+` or `00` and the country.
    International,
    /// With a zero before the area, and so without the country.
    National,
    Plain,
}

impl Number {
    fn read(text: &str) -> Option<Number> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || is_spacing(c));
        let (plus, rest) = match text.strip_prefix(['+', '＋']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !rest.chars().all(|c| c.is_ascii_digit() || is_spacing(c)) {
            return None;
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        if !(1..=NUMBER_DIGITS_MAX).contains(&digits.len()) {
            return None;
        }
        let form = match digits.as_bytes() {
            _ if plus => Form::International,
            [b'0', b'0', ..] => Form::International,
            [b'0', ..] => Form::National,
            _ => Form::Plain,
        };
        Some(Number { digits, form })
    }

    /// Country and national number, if the number names its country.
    fn by_country(&self) -> Option<(&str, &str)> {
        if self.form != Form::International {
            return None;
        }
        let digits = self.digits.trim_start_matches('0');
        let (country, national) = digits.split_at_checked(country_digits(digits))?;
        // A zero in brackets is only dialled inside the country.
        Some((country, national.trim_start_matches('0')))
    }

    fn indexed(&self) -> Vec<String> {
        let plain = self.digits.trim_start_matches('0');
        let mut indexed = vec![self.digits.clone()];
        if self.digits.len() < PHONE_DIGITS_MIN {
            return indexed;
        }
        match self.by_country() {
            Some((country, national)) => {
                indexed.push(format!("{INTERNATIONAL}{country}{national}"));
                indexed.push(format!("{NATIONAL}{national}"));
            }
            None => {
                indexed.push(format!("{NATIONAL}{plain}"));
                indexed.push(format!("{COUNTRYLESS}{plain}"));
            }
        }
        indexed
    }

    fn searched(&self) -> Vec<String> {
        let plain = self.digits.trim_start_matches('0');
        let mut searched = vec![self.digits.clone()];
        match self.by_country() {
            Some((country, national)) => {
                searched.push(format!("{INTERNATIONAL}{country}{national}"));
                if !national.is_empty() {
                    searched.push(format!("{COUNTRYLESS}{national}"));
                }
            }
            None if plain.is_empty() => {}
            None => {
                searched.push(format!("{NATIONAL}{plain}"));
                if self.form == Form::Plain {
                    // The country without its plus.
                    searched.push(format!("{INTERNATIONAL}{plain}"));
                }
            }
        }
        searched
    }
}

/// What people and programs put between the digits of a number: spaces, dashes, brackets, dots,
/// slashes, and the invisible marks of the direction of writing.
fn is_spacing(c: char) -> bool {
    let is_mark =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}');
    c.is_whitespace() || is_mark || is_dash || matches!(c, '(' | ')' | '.' | '/')
}

/// How many digits the country code has at the beginning of an international number (ITU-T E.164,
/// list of assigned codes).
fn country_digits(digits: &str) -> usize {
    let two = match digits.as_bytes() {
        [b'1' | b'7', ..] => return 1,
        [b'2', second, ..] => matches!(second, b'0' | b'7'),
        [b'3', second, ..] => !matches!(second, b'5' | b'7' | b'8'),
        [b'4', second, ..] => *second != b'2',
        [b'5', second, ..] => !matches!(second, b'0' | b'9'),
        [b'6', second, ..] => !matches!(second, b'7' | b'8' | b'9'),
        [b'8', second, ..] => matches!(second, b'1' | b'2' | b'4' | b'6'),
        [b'9', second, ..] => !matches!(second, b'6' | b'7' | b'9'),
        _ => false,
    };
    if two { 2 } else { 3.min(digits.len()) }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
