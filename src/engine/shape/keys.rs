//! Structured keys: PEM, OpenSSH, OpenPGP, PuTTY, service account files. The numbers in them
//! are random and so belong to no key.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{Random, uuid};

/// The placeholders made here.
pub(super) const NAMES: &[&str] = &[
    "gcp-service-account",
    "openssh",
    "openssh-encrypted",
    "pem",
    "pem-encrypted",
    "pgp",
    "putty",
];

/// What the placeholder stands for; `None` if it is none of ours, or takes no such argument.
pub(super) fn make(name: &str, argument: &str, random: &mut Random) -> Option<String> {
    Some(match (name, argument) {
        ("pem", "RSA") => pem("RSA ", "", &rsa(random)),
        ("pem", "EC") => pem("EC ", "", &ec(random)),
        ("pem", "DSA") => pem("DSA ", "", &dsa(random)),
        ("pem", "PKCS8") => pem("", "", &pkcs8(&RSA_ALGORITHM, &rsa(random))),
        ("pem", "ED25519") => {
            let scalar = der(0x04, &random.bytes(32));
            pem("", "", &pkcs8(&[0x06, 3, 0x2b, 0x65, 0x70], &scalar))
        }
        ("pem-encrypted", "") => {
            let scheme = der(
                0x30,
                &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13],
            );
            let ciphertext = der(0x04, &random.bytes(1232));
            pem("ENCRYPTED ", "", &der(0x30, &[scheme, ciphertext].concat()))
        }
        ("pem-encrypted", "RSA") => {
            let salt = data_encoding::HEXUPPER.encode(&random.bytes(16));
            let head = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{salt}\n\n");
            pem("RSA ", &head, &random.bytes(1200))
        }
        ("openssh", "") => openssh(random, false),
        ("openssh-encrypted", "") => openssh(random, true),
        ("pgp", "") => pgp(random),
        ("putty", "") => putty(random),
        ("gcp-service-account", "") => service_account(random),
        _ => return None,
    })
}

const RSA_ALGORITHM: [u8; 13] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut out = match len {
        0..=0x7f => vec![tag, len as u8],
        0x80..=0xff => vec![tag, 0x81, len as u8],
        _ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
    };
    out.extend(content);
    out
}

/// A positive integer with the top bit of its `len` bytes set.
fn integer(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(random.bytes(len));
    bytes[1] |= 0x80;
    der(0x02, &bytes)
}

fn rsa(random: &mut Random) -> Vec<u8> {
    let mut content = der(0x02, &[0]);
    content.extend(integer(random, 256));
    content.extend(der(0x02, &[1, 0, 1]));
    content.extend(integer(random, 256));
    for _ in 0..5 {
        content.extend(integer(random, 128));
    }
    der(0x30, &content)
}

fn dsa(random: &mut Random) -> Vec<u8> {
    let mut content = der(0x02, &[0]);
    for len in [128, 20, 128, 128, 20] {
        content.extend(integer(random, len));
    }
    der(0x30, &content)
}

fn ec(random: &mut Random) -> Vec<u8> {
    let curve = der(0xa0, &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
    let point = der(0x03, &[&[0, 4][..], &random.bytes(64)].concat());
    let scalar = der(0x04, &random.bytes(32));
    der(
        0x30,
        &[der(0x02, &[1]), scalar, curve, der(0xa1, &point)].concat(),
    )
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    der(
        0x30,
        &[der(0x02, &[0]), der(0x30, algorithm), der(0x04, key)].concat(),
    )
}

/// Armor around base64 in lines of 64.
fn pem(label: &str, head: &str, bytes: &[u8]) -> String {
    let lines = lines(&BASE64_STANDARD.encode(bytes), 64);
    // Split, so that this file holds no armor itself.
    let label = format!("{label}PRIVATE {}", "KEY");
    format!("-----BEGIN {label}-----\n{head}{lines}-----END {label}-----\n")
}

fn lines(text: &str, width: usize) -> String {
    text.as_bytes()
        .chunks(width)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect()
}

/// Strings of the SSH protocol, one after the other.
fn strings(list: &[&[u8]]) -> Vec<u8> {
    list.iter()
        .flat_map(|text| [&(text.len() as u32).to_be_bytes()[..], text].concat())
        .collect()
}

fn openssh(random: &mut Random, encrypted: bool) -> String {
    let public = random.bytes(32);
    let blob = strings(&[b"ssh-ed25519", &public]);
    let (cipher, kdf, options, private) = if encrypted {
        let mut options = strings(&[&random.bytes(16)]);
        options.extend(16_u32.to_be_bytes());
        (
            &b"aes256-ctr"[..],
            &b"bcrypt"[..],
            options,
            random.bytes(144),
        )
    } else {
        let check = random.bytes(4);
        let secret = [random.bytes(32), public.clone()].concat();
        let mut private = [&check[..], &check].concat();
        private.extend(strings(&[b"ssh-ed25519", &public, &secret, b"deploy@acme"]));
        private.extend((1..).take((8 - private.len() % 8) % 8));
        (&b"none"[..], &b"none"[..], Vec::new(), private)
    };
    let mut bytes = b"openssh-key-v1\0".to_vec();
    bytes.extend(strings(&[cipher, kdf, &options]));
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(strings(&[&blob, &private]));
    let lines = lines(&BASE64_STANDARD.encode(bytes), 70);
    let label = format!("OPENSSH PRIVATE {}", "KEY");
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

/// A version 4 EdDSA secret key packet and a user id.
fn pgp(random: &mut Random) -> String {
    let mut packet = vec![4];
    packet.extend((1_700_000_000 + random.below(50_000_000) as u32).to_be_bytes());
    packet.extend([22, 9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1, 1, 7, 0x40]);
    packet.extend(random.bytes(32));
    packet.extend([0, 1, 0]);
    packet.extend(random.bytes(34));
    let mut bytes = vec![0x94, packet.len() as u8];
    bytes.extend(packet);
    let user = b"Release <release@acme.example>";
    bytes.extend([0xb4, user.len() as u8]);
    bytes.extend(user);
    let label = format!("PGP PRIVATE KEY {}", "BLOCK");
    let sum = BASE64_STANDARD.encode(&crc24(&bytes).to_be_bytes()[1..]);
    let lines = lines(&BASE64_STANDARD.encode(bytes), 64);
    format!("-----BEGIN {label}-----\nVersion: GnuPG v2\n\n{lines}={sum}\n-----END {label}-----\n")
}

fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 16, |sum, _| {
            let next = sum << 1;
            if next >> 24 == 1 {
                next ^ 0x0186_4cfb
            } else {
                next
            }
        })
    })
}

fn putty(random: &mut Random) -> String {
    let blob = strings(&[b"ssh-ed25519", &random.bytes(32)]);
    let public = lines(&BASE64_STANDARD.encode(blob), 64);
    let private = BASE64_STANDARD.encode(random.bytes(36));
    let mac = data_encoding::HEXLOWER.encode(&random.bytes(32));
    format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: deploy@acme\n\
         Public-Lines: {}\n{public}Private-Lines: 1\n{private}\nPrivate-MAC: {mac}\n",
        public.lines().count(),
    )
}

/// The file that Google Cloud hands out.
fn service_account(random: &mut Random) -> String {
    let key = pem("", "", &pkcs8(&RSA_ALGORITHM, &rsa(random))).replace('\n', "\\n");
    let id = data_encoding::HEXLOWER.encode(&random.bytes(20));
    let name = &uuid(random)[..6];
    format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"acme-prod\",\n  \
         \"private_key_id\": \"{id}\",\n  \"private_key\": \"{key}\",\n  \
         \"client_email\": \"deploy-{name}@acme-prod.iam.gserviceaccount.com\",\n  \
         \"client_id\": \"1{:020}\"\n}}\n",
        random.below(1_000_000_000),
    )
}
