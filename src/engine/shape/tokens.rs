//! Structured tokens: those with a checksum or with something encoded in them.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

use super::{DIGIT, LOWER, Random, UPPER, password, uuid};

/// The placeholders made here.
pub(super) const NAMES: &[&str] = &[
    "age-key",
    "atlassian-token",
    "aws-id",
    "basic",
    "confluent-secret",
    "container-token",
    "docker-auth",
    "github-fine-grained",
    "github-token",
    "gitlab-routable",
    "grafana-token",
    "jwt",
    "npm-token",
    "pypi",
    "vercel-token",
    "zuplo-key",
];

/// What the placeholder stands for; `None` if it is none of ours, or takes no such argument.
pub(super) fn make(name: &str, argument: &str, random: &mut Random) -> Option<String> {
    Some(match (name, argument) {
        ("github-token", prefix) if prefix.starts_with("gh") => {
            let random_part = base62(random, if prefix == "ghr_" { 70 } else { 30 });
            format!("{prefix}{}", summed(&random_part))
        }
        ("github-fine-grained", "") => {
            format!(
                "github_pat_11{}_{}",
                base62(random, 20),
                summed(&base62(random, 53))
            )
        }
        ("npm-token", "") => format!("npm_{}", summed(&base62(random, 30))),
        ("gitlab-routable", prefix) if prefix.ends_with('-') => gitlab(prefix, random),
        ("atlassian-token", "") => {
            let head = format!("ATATT3xFfGF0{}=", url_safe(random, 171));
            format!("{head}{:08X}", crc32fast::hash(head.as_bytes()))
        }
        ("container-token", "") => {
            let head = format!("ATCTT3xFfGN0{}=", url_safe(random, 171));
            format!("{head}{:08X}", crc32fast::hash(head.as_bytes()))
        }
        ("age-key", readable) if !readable.is_empty() => age_key(readable, random),
        ("confluent-secret", "") => {
            let body = BASE64_STANDARD.encode(random.bytes(42))[..54].to_owned();
            let sum = BASE64_STANDARD.encode(crc32fast::hash(body.as_bytes()).to_le_bytes());
            format!("cflt{body}{}", &sum[..6])
        }
        ("grafana-token", "") => {
            let head = format!("glsa_{}", base62(random, 32));
            format!(
                "{head}_{:08x}",
                crc32fast::hash(head.as_bytes()).swap_bytes()
            )
        }
        ("vercel-token", prefix) if prefix.starts_with("vc") => {
            format!("{prefix}{}", summed(&base62(random, 50)))
        }
        ("zuplo-key", "") => {
            let body: String = (0..32)
                .map(|_| random.of(b"0123456789abcdef") as char)
                .collect();
            format!("zpka_{body}_{:08x}", crc32fast::hash(body.as_bytes()))
        }
        ("jwt", "") => jwt(random),
        ("aws-id", "") => aws_id(random),
        ("basic", user) if !user.is_empty() => {
            BASE64_STANDARD.encode(format!("{user}:{}", password(random)))
        }
        ("docker-auth", "") => BASE64_STANDARD.encode(format!("ci-pusher:{}", password(random))),
        ("pypi", "") => pypi(random),
        _ => return None,
    })
}

fn base62(random: &mut Random, count: usize) -> String {
    let alphabet = format!("{DIGIT}{UPPER}{LOWER}");
    (0..count)
        .map(|_| random.of(alphabet.as_bytes()) as char)
        .collect()
}

fn url_safe(random: &mut Random, count: usize) -> String {
    let mut text = BASE64_URL_SAFE_NO_PAD.encode(random.bytes(count));
    text.truncate(count);
    text
}

/// 32 bytes as age writes keys, in the case of the readable part.
fn age_key(readable: &str, random: &mut Random) -> String {
    const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = readable.to_ascii_lowercase();
    // 52 characters of five bits, of which the last four bits are padding.
    let mut data: Vec<u8> = (0..51).map(|_| random.below(32) as u8).collect();
    data.push(16 * random.below(2) as u8);
    let mut values: Vec<u8> = lower.bytes().map(|byte| byte >> 5).collect();
    values.push(0);
    values.extend(lower.bytes().map(|byte| byte & 31));
    values.extend(&data);
    values.extend([0; 6]);
    let sum = 1 ^ values.iter().fold(1, |sum, &value| bech32_step(sum, value));
    data.extend((0..6).map(|place| (sum >> (25 - 5 * place) & 31) as u8));
    let text: String = data
        .iter()
        .map(|&value| char::from(CHARSET[usize::from(value)]))
        .collect();
    let key = format!("{lower}1{text}");
    match lower == readable {
        true => key,
        false => key.to_ascii_uppercase(),
    }
}

/// BIP-173's polynomial, a value further.
fn bech32_step(sum: u32, value: u8) -> u32 {
    const TERMS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    (0..5)
        .filter(|bit| sum >> 25 >> bit & 1 == 1)
        .fold(next, |next, bit| next ^ TERMS[bit])
}

/// The text and its CRC-32 as six digits of base 62.
fn summed(text: &str) -> String {
    let alphabet = format!("{DIGIT}{UPPER}{LOWER}").into_bytes();
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[rest % 62];
        rest /= 62;
    }
    format!(
        "{text}{}",
        digits.map(char::from).iter().collect::<String>()
    )
}

fn base36(mut number: u64, width: usize) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.len() < width {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize] as char);
        number /= 36;
    }
    digits.iter().rev().collect()
}

fn gitlab(prefix: &str, random: &mut Random) -> String {
    let mut payload = format!("o:1\nu:{}", base36(random.below(9_000_000) + 1_000, 1)).into_bytes();
    payload.extend(random.bytes(16));
    payload.push(16);
    let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
    let head = format!("{prefix}{payload}.01.{}", base36(payload.len() as u64, 2));
    format!(
        "{head}{}",
        base36(u64::from(crc32fast::hash(head.as_bytes())), 7)
    )
}

fn jwt(random: &mut Random) -> String {
    let header = r#"{"alg":"RS256","typ":"JWT","kid":"2024-03"}"#;
    let issued = 1_780_000_000 + random.below(10_000_000);
    let payload = format!(
        r#"{{"iss":"https://id.acme.example","sub":"svc-{}","aud":"orders","iat":{issued},"exp":{},"jti":"{}"}}"#,
        random.below(1_000),
        issued + 3_600,
        uuid(random),
    );
    let signature = BASE64_URL_SAFE_NO_PAD.encode(random.bytes(64));
    format!(
        "{}.{}.{signature}",
        BASE64_URL_SAFE_NO_PAD.encode(header),
        BASE64_URL_SAFE_NO_PAD.encode(payload)
    )
}

/// An id of the newer layout: a set bit, then the account's number, then noise.
fn aws_id(random: &mut Random) -> String {
    let account = random.below(999_999_999_999);
    let number = 1 << 47 | account << 7 | random.below(128);
    let mut bytes = number.to_be_bytes()[2..].to_vec();
    bytes.extend(random.bytes(4));
    format!("AKIA{}", data_encoding::BASE32_NOPAD.encode(&bytes))
}

/// A macaroon, version 2, with one caveat.
fn pypi(random: &mut Random) -> String {
    let mut bytes = vec![2];
    packet(&mut bytes, 1, b"pypi.org");
    packet(&mut bytes, 2, uuid(random).as_bytes());
    bytes.push(0);
    packet(
        &mut bytes,
        2,
        format!("[3, \"{}\"]", uuid(random)).as_bytes(),
    );
    bytes.extend([0, 0]);
    packet(&mut bytes, 6, &random.bytes(32));
    format!("pypi-{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn packet(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    // All our data is shorter than 128 bytes, which a one-byte varint holds.
    out.extend([kind, data.len() as u8]);
    out.extend(data);
}
