//! Words as registers write them: case, accents, punctuation and camel case taken away, so
//! that `Besitzer/Eigentümer`, `owner_name` and `OwnerName` can be compared.
//!
//! Not here: what the words mean ([`super::words`], [`super::field`]).

/// Lower case, without accents: `Eigentümer` is `eigentumer`, `Straße` is `strasse`.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => out.push('a'),
            'æ' => out.push_str("ae"),
            'ç' | 'ć' | 'č' => out.push('c'),
            'ď' | 'đ' | 'ð' => out.push('d'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => out.push('e'),
            'ğ' => out.push('g'),
            'ì'..='ï' | 'ī' | 'į' | 'ı' => out.push('i'),
            'ł' | 'ľ' => out.push('l'),
            'ñ' | 'ń' | 'ň' => out.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => out.push('o'),
            'œ' => out.push_str("oe"),
            'ř' => out.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => out.push('s'),
            'ß' => out.push_str("ss"),
            'ť' | 'ţ' | 'ț' => out.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ź' | 'ż' | 'ž' => out.push('z'),
            '\u{300}'..='\u{36f}' => {}
            c => out.push(c),
        }
    }
    out
}

/// The folded words of a text, split at punctuation, white space and camel case.
pub(crate) fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() && !('\u{300}'..='\u{36f}').contains(&c) {
            flush(&mut word, &mut words);
            continue;
        }
        if c.is_uppercase() && i > 0 {
            let before = chars[i - 1];
            let starts = before.is_lowercase()
                || (before.is_uppercase() && followed_by_word(&chars[i + 1..]));
            if starts {
                flush(&mut word, &mut words);
            }
        }
        word.push(c);
    }
    flush(&mut word, &mut words);
    words
}

/// Whether a capital begins a word of at least three letters: the `K` of `AWSKey`, not the
/// `I` of `APIs`.
fn followed_by_word(rest: &[char]) -> bool {
    rest.iter().take(2).filter(|c| c.is_lowercase()).count() == 2
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(fold(word));
        word.clear();
    }
}

/// The words without anything between them: equal for `Payments-API` and `payments api`.
pub(crate) fn squeezed(text: &str) -> String {
    if text.is_ascii() {
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        return kept.map(|b| char::from(b.to_ascii_lowercase())).collect();
    }
    let kept = |c: &char| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(c);
    fold(&text.chars().filter(kept).collect::<String>())
}

/// The candidate that resembles a word most, if any does.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = squeezed(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &squeezed(candidate)), candidate))
        .min()
        .filter(|&(distance, _)| distance <= 2.max(wanted.chars().count() / 3))
        .map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added or removed. Texts over 64 letters are only equal
/// or far apart.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len() > 64 || b.len() > 64 {
        return if a == b { 0 } else { a.len().max(b.len()) };
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A cell without what surrounds it: white space of any kind, invisible characters.
pub(crate) fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}' | '\0')
    })
}

/// A text of the file as a message may show it: one line, at most 40 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}

/// `3, 9, 12 and 40 more`.
pub(crate) fn rows_shown(rows: &[u64]) -> String {
    let first: Vec<String> = rows.iter().take(3).map(u64::to_string).collect();
    let more = rows.len().saturating_sub(3);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let word = if rows.len() == 1 { "row" } else { "rows" };
    format!("{word} {}{rest}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest, rows_shown, shown, squeezed, trimmed, words};

    #[test]
    fn words_are_split_and_folded() {
        let table: &[(&str, &[&str])] = &[
            ("OwnerName", &["owner", "name"]),
            ("owner_name", &["owner", "name"]),
            ("AWSKeyID", &["aws", "key", "id"]),
            ("Key IDs", &["key", "ids"]),
            ("APIs", &["apis"]),
            ("Verantwortliche/r", &["verantwortliche", "r"]),
            ("Größe", &["grosse"]),
            ("Proprie\u{301}taire", &["proprietaire"]),
            ("T0", &["t0"]),
            ("  ", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(words(text), *expected, "{text}");
        }
        assert_eq!(squeezed("Payments-API"), squeezed("payments api"));
    }

    #[test]
    fn squeezing_is_splitting_and_joining() {
        for text in [
            "Payments-API",
            "AWSKeyID",
            "Größe (m²)",
            "Verantwortliche/r",
            "e\u{301}x",
            "",
        ] {
            assert_eq!(squeezed(text), words(text).concat(), "{text}");
        }
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(distance("owner", "owmer"), 1);
        assert_eq!(nearest("onwer", ["owner", "approver"]), Some("owner"));
        assert_eq!(nearest("colour", ["owner", "approver"]), None);
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shown("a\nb\u{1b}[0m"), "a\\nb\\u{1b}[0m");
        assert_eq!(shown(&"x".repeat(50)).chars().count(), 41);
        assert_eq!(rows_shown(&[3, 9, 12, 13, 14]), "rows 3, 9, 12 and 2 more");
        assert_eq!(trimmed("\u{feff} a\u{a0}\u{200b}"), "a");
    }
}
