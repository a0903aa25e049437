//! Small answers that say little by themselves: when a key was last used, a report in base64.

use base64::Engine as _;
use keymuster_api::GapKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    controls,
    json::{Walk, text},
    report,
};
use crate::{
    parts::At,
    wire::{LastUsed, LastUsedDetail},
};

/// Whether a key of a map is an access key id.
pub(super) fn is_access_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// The access key id in a file's name: `last-used-AKIA….json`.
pub(super) fn id_in_name(shown: &str) -> Option<String> {
    let name = shown.rsplit(['/', '\\']).next().unwrap_or(shown);
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| is_access_key_id(word))
        .map(str::to_owned)
}

/// `{"AKIA…": {answer}}`, the answer whole or only its inner part.
pub(super) fn mapped_last_used(walk: &mut Walk<'_, '_, '_>, id: String, raw: &RawValue) {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        #[serde(default)]
        user_name: Option<String>,
        #[serde(default)]
        access_key_last_used: Option<Box<RawValue>>,
    }
    let line = walk.line(raw);
    match serde_json::from_str::<Answer>(raw.get()) {
        Ok(Answer {
            user_name,
            access_key_last_used: Some(inner),
        }) => {
            push_last_used(walk, Some(id), user_name, &inner, line);
        }
        Ok(Answer { user_name, .. }) => push_last_used(walk, Some(id), user_name, raw, line),
        Err(_) => {
            let reason =
                format!("the entry at line {line} is no answer of get-access-key-last-used");
            walk.reader.gap_at(GapKind::Corrupt, reason, Some(line));
        }
    }
}

pub(super) fn push_last_used(
    walk: &mut Walk<'_, '_, '_>,
    access_key_id: Option<String>,
    user_name: Option<String>,
    raw: &RawValue,
    line: u32,
) {
    walk.known = true;
    match serde_json::from_str::<LastUsedDetail>(raw.get()) {
        Ok(detail) => walk.reader.parts.last_used.push(At {
            value: LastUsed {
                access_key_id,
                user_name,
                detail,
            },
            file: walk.reader.index,
            line,
        }),
        Err(_) => {
            let reason =
                format!("AccessKeyLastUsed at line {line} has another shape; it was left out");
            walk.reader.gap_at(GapKind::Corrupt, reason, Some(line));
        }
    }
}

/// `Content` of `get-credential-report` (base64, or plain), or of a control policy.
pub(super) fn encoded_report(
    walk: &mut Walk<'_, '_, '_>,
    raw: &RawValue,
    control: &mut controls::Parts,
) {
    let line = walk.line(raw);
    let Some(content) = text(raw) else {
        return control.take("Content", raw);
    };
    if report::is_report(&content) {
        walk.known = true;
        return report::read(walk.reader, &content, Some(line));
    }
    if content.trim_start().starts_with('{') {
        return control.take("Content", raw);
    }
    let packed: String = content.split_whitespace().collect();
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(packed.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(csv) if report::is_report(&csv) => {
            walk.known = true;
            report::read(walk.reader, &csv, Some(line));
        }
        _ => {
            walk.known = true;
            let reason = format!(
                "Content at line {line} is no base64 of a credential report; export it again"
            );
            walk.reader.gap_at(GapKind::Corrupt, reason, Some(line));
        }
    }
}
