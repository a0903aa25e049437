//! Runs that are a text in base64, base64url or hexadecimal digits, also of compressed or
//! UTF-16 text.

use std::io::Read as _;

use zeroize::Zeroizing;

use super::{HEAD, LONGEST, Piece, is_text};
use crate::engine::rule::is_word_byte;

/// Bytes that a compressed piece may become.
const INFLATED: usize = 512 << 10;
/// Letters in a line of wrapped base64, at least: RFC 2045 allows 76, PEM has 64.
const WRAPPED: usize = 56;

/// Whether an encoded text begins here: 16 letters of one of the alphabets behind a byte that
/// is no letter, and the bytes they stand for are text. Random identifiers hardly ever are.
#[inline]
pub(in crate::engine) fn sees(bytes: &[u8], at: usize) -> bool {
    // Most names end here: the first letter of the code of an ASCII letter is a capital, a small
    // letter before `g`, or a digit.
    MAY_BEGIN[usize::from(bytes[at])] && is_encoded(bytes, at)
}

/// Which bytes begin the code of a byte of text, of gzip or of a letter in UTF-16.
const MAY_BEGIN: [bool; 256] = {
    let mut may = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        may[byte] = digit(byte as u8) < 32 || (byte as u8).is_ascii_hexdigit();
        byte += 1;
    }
    may
};

fn is_encoded(bytes: &[u8], at: usize) -> bool {
    if at > 0 && is_word_byte(bytes[at - 1]) {
        return false;
    }
    bytes
        .get(at..at + HEAD)
        .is_some_and(|head| is_base64_head(head) || is_hex_head(head))
}

fn is_base64_head(head: &[u8]) -> bool {
    // The cheapest first: an ASCII letter's highest bit is clear.
    if digit(head[0]) >= 32 {
        return false;
    }
    let mut decoded = [0; HEAD / 4 * 3];
    for (four, three) in head.chunks_exact(4).zip(decoded.chunks_exact_mut(3)) {
        let mut bits = 0u32;
        for &byte in four {
            let digit = DIGITS[usize::from(byte)];
            if digit > 63 {
                return false;
            }
            bits = bits << 6 | u32::from(digit);
        }
        three.copy_from_slice(&bits.to_be_bytes()[1..]);
    }
    decoded.iter().all(|&byte| is_text(byte))
        || decoded.starts_with(&[0x1f, 0x8b, 8])
        || is_utf16(&decoded)
}

/// Latin letters in UTF-16, low byte first: what `powershell -EncodedCommand` takes.
fn is_utf16(bytes: &[u8]) -> bool {
    bytes
        .chunks_exact(2)
        .all(|pair| is_text(pair[0]) && pair[1] == 0)
}

fn is_hex_head(head: &[u8]) -> bool {
    head.chunks_exact(2)
        .all(|pair| hex(pair[0], pair[1]).is_some_and(is_text))
}

/// The value of a letter of base64 or base64url; above 63 for others.
const fn digit(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => 64,
    }
}

/// [`digit`] of every byte.
const DIGITS: [u8; 256] = {
    let mut digits = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = digit(byte as u8);
        byte += 1;
    }
    digits
};

fn hex(high: u8, low: u8) -> Option<u8> {
    let value = |byte: u8| (byte as char).to_digit(16);
    Some((value(high)? << 4 | value(low)?) as u8)
}

/// The text that begins at a place that [`sees`] accepts.
pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Piece> {
    if is_continued(bytes, at) {
        return None;
    }
    let end = (at + LONGEST).min(bytes.len());
    let piece = if is_hex_head(&bytes[at..at + HEAD]) {
        decode_hex(bytes, at, end)
    } else {
        decode_base64(bytes, at, end)
    };
    let piece = unfold(piece)?;
    // What turns to noise was no text.
    let noise = piece
        .text
        .iter()
        .filter(|&&byte| byte < b' ' && !is_text(byte));
    (noise.count() * 10 <= piece.text.len()).then_some(piece)
}

/// Whether the line before ends in a full line of the same run: then this is not its start.
fn is_continued(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(WRAPPED + 40)..at];
    let line = before.trim_ascii_end();
    let gap = &before[line.len()..];
    gap.iter().filter(|&&byte| byte == b'\n').count() == 1
        && line.len() >= WRAPPED
        && line[line.len() - WRAPPED..]
            .iter()
            .all(|&byte| digit(byte) < 64)
}

fn decode_hex(bytes: &[u8], at: usize, end: usize) -> Piece {
    let mut text = Zeroizing::new(Vec::with_capacity((end - at).min(4096) / 2));
    let mut offsets = Vec::new();
    let mut stop = at;
    for pair in bytes[at..end].chunks_exact(2) {
        let Some(byte) = hex(pair[0], pair[1]) else {
            break;
        };
        text.push(byte);
        offsets.push(stop as u32);
        stop += 2;
    }
    Piece {
        span: at..stop,
        text,
        offsets,
        names: vec!["hex"],
    }
}

fn decode_base64(bytes: &[u8], at: usize, end: usize) -> Piece {
    let mut text = Zeroizing::new(Vec::with_capacity((end - at).min(4096) / 4 * 3));
    let mut offsets = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    let mut line = 0;
    let mut here = at;
    let mut stop = at;
    let mut first = at;
    while here < end {
        let digit = digit(bytes[here]);
        if digit > 63 {
            // A full line goes on behind one line break and the next line's indentation; in
            // strings the break may be written `\n`.
            match next_line(bytes, here, end) {
                Some(next) if line >= WRAPPED => {
                    here = next;
                    line = 0;
                    continue;
                }
                _ => break,
            }
        }
        if held == 0 {
            first = here;
        }
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            text.push((bits >> held) as u8);
            offsets.push(first as u32);
            first = here;
            bits &= (1 << held) - 1;
        }
        line += 1;
        here += 1;
        stop = here;
    }
    while stop < end && bytes[stop] == b'=' && stop < here + 2 {
        stop += 1;
    }
    Piece {
        span: at..stop,
        text,
        offsets,
        names: vec!["base64"],
    }
}

fn next_line(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let rest = &bytes[at..end.min(at + 40)];
    let feed = [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"]
        .into_iter()
        .find(|feed| rest.starts_with(feed))?;
    let blanks = rest[feed.len()..]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let next = at + feed.len() + blanks;
    (next < end && digit(bytes[next]) < 64).then_some(next)
}

/// Peels compression and UTF-16 off what was decoded.
fn unfold(mut piece: Piece) -> Option<Piece> {
    if piece.text.starts_with(&[0x1f, 0x8b, 8]) {
        let mut text = Zeroizing::new(Vec::new());
        // What is cut or damaged still says what it says before that.
        let _ = flate2::read::GzDecoder::new(&piece.text[..])
            .take(INFLATED as u64)
            .read_to_end(&mut text);
        if text.is_empty() {
            return None;
        }
        // No byte stands for another: positions are told in proportion, so that two secrets
        // have two places.
        let (start, len) = (piece.span.start as u64, piece.span.len() as u64);
        let total = text.len() as u64;
        piece.offsets = (0..total)
            .map(|at| (start + at * len / total) as u32)
            .collect();
        piece.text = text;
        piece.names.push("gzip");
    } else if piece.text.len() >= HEAD / 4 * 3 && is_utf16(&piece.text[..HEAD / 4 * 3]) {
        let text: Vec<u8> = piece
            .text
            .chunks_exact(2)
            .map(|pair| if pair[1] == 0 { pair[0] } else { b'?' })
            .collect();
        piece.offsets = piece.offsets.iter().step_by(2).copied().collect();
        piece.offsets.truncate(text.len());
        piece.text = Zeroizing::new(text);
        piece.names.push("utf-16");
    }
    Some(piece)
}
