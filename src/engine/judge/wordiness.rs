//! How much letters look like words: costs of three letters in a row, from a table of our own.
//!
//! `trigrams.txt` is made by `trigrams.py` from the words of public source trees: 27 by 27 rows
//! (beginning of a word, `a` to `z`), 27 columns (end of a word, `a` to `z`), and in each place
//! one character whose distance from '0' is the cost in bits. Words and parts of words, in most
//! languages of Europe, cost less than five bits a letter; letters drawn by lot cost six to eight.

const TABLE: &[u8] = include_bytes!("trigrams.txt");
const ROW: usize = 28;
/// Bits a letter from which letters are no word.
const NO_WORD: f64 = 4.8;

/// What the runs of letters in a value are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Letters {
    /// Mean cost of all runs of three and more letters, in bits a letter.
    pub(super) cost: f64,
    /// Letters in such runs.
    pub(super) judged: usize,
    /// Letters in runs that look like words.
    pub(super) in_words: usize,
    /// The longest run that looks like a word.
    pub(super) longest_word: usize,
}

impl Letters {
    /// Whether the letters look drawn by lot.
    pub(super) fn are_random(&self) -> bool {
        self.judged >= 4 && self.cost >= NO_WORD
    }
}

/// Bits a letter of one word.
fn cost(word: &[u8]) -> f64 {
    let index = |byte: u8| usize::from(byte.to_ascii_lowercase() - b'a') + 1;
    let (mut before, mut last) = (0, 0);
    let mut bits = 0.0;
    for next in word.iter().map(|&byte| index(byte)).chain([0]) {
        bits += f64::from(TABLE[(before * 27 + last) * ROW + next] - b'0');
        (before, last) = (last, next);
    }
    bits / (word.len() + 1) as f64
}

/// Judges the letters of a value; capitals inside a run begin a new word.
pub(super) fn letters(value: &[u8]) -> Letters {
    let (mut bits, mut judged, mut in_words, mut longest_word) = (0.0, 0, 0, 0);
    for run in value.split(|byte| !byte.is_ascii_alphabetic()) {
        let mut start = 0;
        for at in 1..=run.len() {
            let is_end = at == run.len()
                || (run[at].is_ascii_uppercase() && run[at - 1].is_ascii_lowercase());
            if !is_end {
                continue;
            }
            let word = &run[start..at];
            start = at;
            if word.len() < 3 {
                // Two letters between others are no evidence, many of them are.
                bits += 5.0 * word.len() as f64;
                judged += word.len();
                continue;
            }
            let each = cost(word);
            bits += each * word.len() as f64;
            judged += word.len();
            if each < NO_WORD {
                longest_word = longest_word.max(word.len());
                in_words += word.len();
            }
        }
    }
    Letters {
        cost: if judged == 0 {
            0.0
        } else {
            bits / judged as f64
        },
        judged,
        in_words,
        longest_word,
    }
}

/// Whether a value is a name made of words, with few digits: `Release500Controller`.
pub(in crate::engine) fn is_name(value: &[u8]) -> bool {
    let letters = letters(value);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters.judged > 0 && letters.in_words * 10 >= letters.judged * 7 && digits * 4 < value.len()
}

#[cfg(test)]
mod tests {
    use super::{ROW, TABLE, letters};

    #[test]
    fn the_table_is_whole() {
        assert_eq!(TABLE.len(), 27 * 27 * ROW);
        assert!(TABLE.chunks(ROW).all(
            |row| row[27] == b'\n' && row[..27].iter().all(|byte| (b'0'..=b'D').contains(byte))
        ));
    }

    #[test]
    fn words_are_told_from_letters_drawn_by_lot() {
        for word in [
            "password",
            "swordfish",
            "contrasena",
            "passwort",
            "getUserName",
            "kennwort",
            "mysqlClient",
            "testpass",
        ] {
            assert!(!letters(word.as_bytes()).are_random(), "{word}");
        }
        for word in ["rgzpkx", "tqqdzepd", "wimdhfbt", "izfphy", "ianntovrpfz"] {
            assert!(letters(word.as_bytes()).are_random(), "{word}");
        }
    }
}
