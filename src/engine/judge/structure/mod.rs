//! The reader of structure: from a word that says "secret" to the value that belongs to it.
//!
//! A rule's anchor is part of a name. The reader takes the whole name, what joins it with a value
//! (`=`, `:`, a call, an element, an attribute pair, a flag …) and the value, in quotes or bare.
//! It knows forms, not languages: a dozen forms cover JSON, YAML, TOML, INI, properties, XML,
//! `.env`, HCL, shell, SQL, Dockerfiles, URLs and the common programming languages. It looks at
//! the bytes it is given and nothing else, so a verdict stays a function of the rule's window.
//! What the value is worth is decided in [`value`].

mod cursor;
mod join;
mod name;
mod reader;
mod value;

use keymuster_api::PathClasses;
use std::ops::Range;

pub(in crate::engine) use reader::Reading;

/// Bytes after an anchor that the reader may look at.
pub(in crate::engine) const REACH: usize = 640;

/// The value that belongs to the name around `key`, and the path classes in which it counts.
/// Nothing before `floor` or more than 128 bytes before `key` is looked at.
pub(in crate::engine) fn judge(
    bytes: &[u8],
    floor: usize,
    key: Range<usize>,
) -> Result<(Reading, PathClasses), &'static str> {
    // Most names are joined to no value: that is the cheaper question.
    let span = name::span(bytes, floor, key);
    let reading = reader::read(bytes, floor, &span)?;
    let name = name::read(&bytes[span.clone()])?;
    reader::belongs(bytes, &span, &name, &reading)?;
    let classes = value::classes(bytes, &span, &name, &reading)?;
    Ok((reading, classes))
}

#[cfg(test)]
mod tests {
    use keymuster_api::PathClass;

    use super::judge;

    /// What is read from the first `anchor` of a text, and whether it counts in code.
    fn read(text: &str, anchor: &str) -> Result<(String, bool), &'static str> {
        let at = text.to_ascii_lowercase().find(anchor).expect("anchor");
        let (reading, classes) = judge(text.as_bytes(), 0, at..at + anchor.len())?;
        let value = reading.joined(text.as_bytes()).map_or_else(
            || text[reading.span.clone()].to_owned(),
            |joined| String::from_utf8_lossy(&joined).into_owned(),
        );
        Ok((value, classes.contains(PathClass::Plain)))
    }

    const VALUE: &str = "Tr0ub4dor!3xq";
    const TOKEN: &str = "zK8vQp2LmX9sWc4RtY7b";

    #[test]
    fn every_form_leads_to_its_value() {
        for form in [
            "db_password = \"@\"",
            "\"password\": \"@\",",
            "\\\"password\\\":\\\"@\\\"",
            "config['password'] = '@'",
            "password => '@',",
            "password: @\n",
            "- DB_PASSWORD=@\n",
            "# password: @ # a comment\n",
            "export DB_PASSWORD=@\n",
            "var password string = \"@\"",
            "let password: String = \"@\".into();",
            "password = Some(\"@\")",
            "password: aws.String(\"@\")",
            "if password == \"@\" {",
            "define('DB_PASSWORD', '@');",
            "<password>@</password>",
            "<password>\n  @\n</password>",
            "<add key=\"password\" value=\"@\" />",
            "<key>password</key>\n<string>@</string>",
            "- name: PASSWORD\n  value: '@'\n",
            "mysqldump --password \"@\"",
            "machine db.acme.io login app password @\n",
            "const password =\n    '@';",
        ] {
            let text = form.replace('@', VALUE);
            assert_eq!(read(&text, "pass"), Ok((VALUE.to_owned(), true)), "{form}");
        }
        for form in ["create user app identified by '@'", "secret: '@'"] {
            let anchor = if form.contains("by") {
                "identified by"
            } else {
                "secret"
            };
            assert_eq!(
                read(&form.replace('@', TOKEN), anchor),
                Ok((TOKEN.to_owned(), true)),
                "{form}"
            );
        }
    }

    #[test]
    fn the_last_value_of_an_object_in_a_text_is_the_secret() {
        let text =
            format!("\"Apitoken\": \"{{\\\"id\\\":\\\"lpzx\\\",\\\"key\\\":\\\"{TOKEN}\\\"}}\"");
        assert_eq!(read(&text, "token"), Ok((TOKEN.to_owned(), true)));
    }

    #[test]
    fn pieces_are_joined() {
        let text = "secret = \"zK8vQp2LmX\" +\n    \"9sWc4RtY7b\";";
        assert_eq!(read(text, "secret"), Ok((TOKEN.to_owned(), true)));
    }

    #[test]
    fn what_is_no_secret_is_told_why() {
        for (text, anchor, why) in [
            (
                "password = config.password",
                "pass",
                "the value is a dotted name",
            ),
            (
                "password = get(\"Tr0ub4dor&3\")",
                "pass",
                "the value is looked up elsewhere",
            ),
            (
                "password = \"salt\" + user",
                "pass",
                "the value is put together at run time",
            ),
            (
                "passenger = \"Tr0ub4dor&3\"",
                "pass",
                "the name says that its value is something else",
            ),
            (
                "compass = \"Tr0ub4dor&3xq\"",
                "pass",
                "the name says that its value is something else",
            ),
            (
                "password_hint = \"Tr0ub4dor&3\"",
                "pass",
                "the name says that its value is about a secret",
            ),
            ("password = \"correct horse\"", "pass", "the value is prose"),
            ("\"PASSWORD\": \"Kennwort\"", "pass", "the value is a word"),
            (
                "password = \"${DB_PASSWORD}\"",
                "pass",
                "the value is a template",
            ),
            (
                "token = \"the_name_of_a_token\"",
                "token",
                "the value is made of words",
            ),
            ("token = \"\"", "token", "the value is empty"),
            (
                "TOPIC_KEY = \"topic_2_topic_2_topic\"",
                "_key",
                "the value is made of words",
            ),
            (
                "KAFKA_TOPIC_KEY = \"kafka_topic\"",
                "_key",
                "the value repeats the name",
            ),
            (
                "signing_key = \"A1B2C3D4E5F60718\"",
                "_key",
                "the value is a fingerprint",
            ),
            (
                "map.containsKey(\"zK8vQp2LmX9sWc4RtY7b\")",
                "key",
                "the text names what is looked up",
            ),
            (
                "error_per_key = 100000.0/first_set_max_id\n",
                "_key",
                "the value is an expression",
            ),
            (
                "-pass-through=-lgcc -Wl3x9!",
                "pass",
                "the name says that its value is about a secret",
            ),
            (
                "we then pass \"-std=gnu99\" to it",
                "pass",
                "the name is a word of prose",
            ),
            ("token", "token", "no value is joined to the name"),
            (
                "Path to Secret: \"zK8vQp2LmX9sWc4RtY7b\"",
                "secret",
                "the name ends a sentence",
            ),
        ] {
            assert_eq!(read(text, anchor), Err(why), "{text}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let pieces: [&[u8]; 14] = [
            b"password",
            b"=",
            b"\"",
            b"'",
            b"\\",
            b"\n",
            b":",
            b"(",
            b"<",
            b">",
            b" + ",
            b"\xff",
            b"value",
            b",",
        ];
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut text = b"password".to_vec();
            for _ in 0..12 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
            }
            let seen = judge(&text, 0, 0..8);
            assert_eq!(seen.is_ok(), judge(&text, 0, 0..8).is_ok());
        }
    }
}
