//! What is public of things that hosts list: of a key its fingerprint, of an address its
//! outline; and points in time.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use keymuster_api::{Known, Timestamp};
use sha2::{Digest as _, Sha256};

/// A point in time as hosts write it: RFC 3339, or a day, which begins at midnight (UTC).
pub fn time(text: Option<&str>) -> Option<Timestamp> {
    let text = text?.trim();
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
    text.parse().ok().or_else(|| {
        let midnight = day(text)?.at(0, 0, 0, 0);
        jiff::tz::Offset::UTC.to_timestamp(midnight).ok()
    })
}

/// When something last happened or ends: a date, never, or a text that cannot be read.
pub fn time_or_never(text: Option<&str>) -> Known<Timestamp> {
    match (text, time(text)) {
        (_, Some(at)) => Known::Known(at),
        (None, None) => Known::Never,
        (Some(_), None) => Known::Unknown,
    }
}

/// The fingerprint of a public key (`ssh-ed25519 AAAA…`), or the one it is already.
pub fn fingerprint(key: &str) -> Option<String> {
    if key.starts_with("SHA256:") {
        return Some(key.to_owned());
    }
    let blob = STANDARD.decode(key.split_ascii_whitespace().nth(1)?).ok()?;
    Some(format!(
        "SHA256:{}",
        STANDARD_NO_PAD.encode(Sha256::digest(blob))
    ))
}

/// What of an address is no secret: scheme, host, and the names of its parameters.
pub fn outline(url: &str) -> String {
    // What was kept comes back as it is.
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    let query = rest[end..].split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let mut names: Vec<&str> = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default())
        .filter(|name| !name.is_empty() && name.len() <= 40)
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut outline = format!("{}://{}/", scheme.to_lowercase(), host.to_lowercase());
    for (index, name) in names.iter().enumerate() {
        outline.push(if index == 0 { '?' } else { '&' });
        outline.push_str(name);
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, outline, time};

    #[test]
    fn points_in_time_and_days_are_read() {
        let read = |text| time(Some(text)).map(|at| at.to_string());
        let day = Some("2026-11-27T00:00:00Z".to_owned());
        assert_eq!(read("2026-11-27"), day);
        assert_eq!(read(" 2026-11-27T01:00:00.000+01:00 "), day);
        assert_eq!(read("soon"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn of_an_address_only_the_outline_is_kept() {
        for (url, kept) in [
            (
                "https://ci.acme.test/hooks/s3cr3t?token=s3cr3t&a=b#s3cr3t",
                "https://ci.acme.test/?a&token",
            ),
            (
                "http://user:s3cr3t@CI.acme.test:8080",
                "http://ci.acme.test:8080/",
            ),
            ("ci.acme.test/s3cr3t", "://ci.acme.test/"),
            ("", ":///"),
        ] {
            assert_eq!(outline(url), kept);
            assert_eq!(outline(kept), kept, "kept twice");
        }
    }

    #[test]
    fn a_public_key_has_the_fingerprint_that_ssh_keygen_prints() {
        // GitHub's own host key; docs.github.com publishes the fingerprint.
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a comment";
        let print = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
        assert_eq!(fingerprint(key).as_deref(), Some(print));
        assert_eq!(fingerprint(print).as_deref(), Some(print));
        assert_eq!(fingerprint("ssh-ed25519"), None);
        assert_eq!(fingerprint("ssh-ed25519 ***"), None);
    }
}
