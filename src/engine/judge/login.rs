//! The judge of logins: the password of a URL, a connection string, a Basic header.
//!
//! Documentation and tests are full of `user:password@host`. A word that stands for a password
//! is none; a weak one counts in code and configuration; one that nobody invents for an example
//! counts everywhere.

use keymuster_api::{PathClass, PathClasses};

use super::{entropy, wordiness};
use crate::engine::proof::basic_parts;

/// Words that stand for a password.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passw0rd",
    "p4ssw0rd",
    "pass",
    "pass1",
    "pass123",
    "password1",
    "password123",
    "mypassword",
    "mypass",
    "pwd",
    "secret",
    "secrets",
    "mysecret",
    "topsecret",
    "token",
    "key",
    "user",
    "username",
    "name",
    "login",
    "test",
    "test1",
    "test123",
    "testing",
    "tester",
    "testpass",
    "testpassword",
    "admin",
    "admin123",
    "administrator",
    "root",
    "toor",
    "guest",
    "foo",
    "bar",
    "baz",
    "qux",
    "quux",
    "foobar",
    "example",
    "sample",
    "demo",
    "dummy",
    "fake",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "changeme",
    "default",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "rabbitmq",
    "amqp",
    "kafka",
    "oracle",
    "sa",
    "xxx",
    "xxxx",
    "pw",
    "pswd",
    "wrong",
    "invalid",
    "correct",
    "letmein",
    "qwerty",
    "123",
    "1234",
    "12345",
    "123456",
    "12345678",
    "x-oauth-basic",
    "x-token-auth",
    "oauth2",
    "git",
    "hunter2",
    "hostname",
    "host",
    "port",
    "string",
    "value",
    "yourpassword",
    "userpassword",
    "userpass",
    "dbpassword",
    "alice",
    "bob",
];

/// Hosts of examples and of the machine at hand.
const LOCAL: &[&str] = &[
    "localhost",
    "127.",
    "0.0.0.0",
    "[::1]",
    "example",
    "host",
    "server",
    "hostname",
    "domain",
    "test",
    "dummy",
    "foo",
    "bar",
    "some",
    "my",
    "your",
    "proxy",
    "db",
    "mysql",
    "postgres",
    "redis",
    "rabbitmq",
    "mongo",
];

/// Whether a value is a word that stands for a password.
pub(in crate::engine) fn stands_for_one(value: &[u8]) -> bool {
    WORDS
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// The path classes in which this password counts.
pub(in crate::engine) fn classes(
    password: &[u8],
    user: Option<&[u8]>,
    host: Option<&[u8]>,
) -> PathClasses {
    let code = PathClasses::NONE
        .with(PathClass::Plain)
        .with(PathClass::Config);
    let is_word = stands_for_one(password)
        || user.is_some_and(|user| user.eq_ignore_ascii_case(password))
        || password.iter().all(u8::is_ascii_punctuation)
        || is_template(password);
    if is_word || password.len() < 4 {
        return PathClasses::NONE;
    }
    if let Some(decoded) = percent_decoded(password) {
        return classes(&decoded, user, host);
    }
    let letters = wordiness::letters(password);
    if letters.are_random() && letters.longest_word < 5 {
        return PathClasses::ALL.without(PathClass::Generated);
    }
    let is_example = host.is_some_and(is_example_host);
    match (is_strong(password), is_example) {
        (true, false) => PathClasses::ALL.without(PathClass::Generated),
        (true, true) => code,
        (false, false) => code,
        (false, true) => PathClasses::NONE,
    }
}

/// The path classes in which user and password in base64 count. Where the password is missing the
/// user is a token.
pub(in crate::engine) fn basic(base64: &[u8]) -> PathClasses {
    let Some(text) = basic_parts(base64) else {
        return PathClasses::NONE;
    };
    match text.split_once(':') {
        Some((token, "")) => classes(token.as_bytes(), None, None),
        Some((user, password)) => classes(password.as_bytes(), Some(user.as_bytes()), None),
        None => PathClasses::NONE,
    }
}

fn is_example_host(host: &[u8]) -> bool {
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let name = host
        .split(['.', ':', '-', '_', '/'])
        .next()
        .unwrap_or(&host);
    let is_reserved = host.split(':').next().is_some_and(|host| {
        [
            "example.com",
            "example.org",
            "example.net",
            ".example",
            ".test",
            ".invalid",
            ".localhost",
            "domain.com",
            "host.com",
            "server.com",
            "foo.com",
        ]
        .iter()
        .any(|end| host.ends_with(end))
    });
    let is_single_word = !host.contains('.') && LOCAL.iter().any(|word| name.starts_with(word));
    is_reserved
        || is_single_word
        || host.starts_with("127.")
        || host.starts_with("0.0.0.0")
        || name == "localhost"
        || name.len() == 1
}

/// A password without its percent escapes, whose digits are not its own; `None` if it has none.
fn percent_decoded(password: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let digit = |at: usize| {
        let digit = char::from(*password.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut decoded = zeroize::Zeroizing::new(Vec::with_capacity(password.len()));
    let mut at = 0;
    while at < password.len() {
        match (password[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    (decoded.len() < password.len()).then_some(decoded)
}

/// Variables and formats of many languages.
fn is_template(password: &[u8]) -> bool {
    let wraps =
        |open: u8, close: u8| password.first() == Some(&open) && password.last() == Some(&close);
    wraps(b'%', b'%')
        || wraps(b'_', b'_')
        || password.first() == Some(&b'$')
        || password
            .iter()
            .any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}'))
}

/// Nobody invents such a password for an example: letters and digits, and some length.
fn is_strong(password: &[u8]) -> bool {
    let digits = password.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = password.iter().filter(|b| b.is_ascii_alphabetic()).count();
    password.len() >= 10 && digits >= 2 && letters >= 3 && entropy(password) >= 3.0
}

#[cfg(test)]
mod tests {
    use keymuster_api::{PathClass, PathClasses};

    use super::classes;

    #[test]
    fn a_password_is_weighed_with_user_and_host() {
        let of = |password: &str, user: &str, host: &str| {
            classes(
                password.as_bytes(),
                Some(user.as_bytes()),
                Some(host.as_bytes()),
            )
        };
        for (password, user, host) in [
            ("password", "user", "db.acme.io"),
            ("etl", "etl", "db.acme.io"),
            ("summer", "app", "localhost"),
            ("%PASS%", "app", "db.acme.io"),
            ("winter", "app", "example.com"),
            ("pass%20word", "app", "example.com"),
        ] {
            assert_eq!(
                of(password, user, host),
                PathClasses::NONE,
                "{password}@{host}"
            );
        }
        let weak = of("sunflower", "app", "db.acme.io");
        assert!(weak.contains(PathClass::Plain) && !weak.contains(PathClass::Test));
        let strong = of("zK8vQp2LmX9s", "app", "db.acme.io");
        assert!(strong.contains(PathClass::Test) && !strong.contains(PathClass::Generated));
    }
}
