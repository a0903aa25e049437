//! The estate's key, and the one way from a secret to its name.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keymuster_api::SecretId;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The estate's key: 32 random bytes. Wiped when dropped, constant when shown.
#[derive(Clone)]
pub struct Seal {
    key: Zeroizing<[u8; 32]>,
}

impl Seal {
    /// Of a key that was read or made by the caller.
    pub fn new(key: [u8; 32]) -> Seal {
        Seal {
            key: Zeroizing::new(key),
        }
    }

    /// The key's public name: eight hexadecimal digits.
    pub fn key_id(&self) -> String {
        let digest = Sha256::new()
            .chain_update(b"keymuster key id v1\0")
            .chain_update(*self.key)
            .finalize();
        digest[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The keyed name of a secret, normalised first: surrounding white space does not count,
    /// nor does any white space or escaped line feed inside armoured keys.
    pub fn secret(&self, secret: &[u8]) -> SecretId {
        let mut mac = self.mac(b"keymuster secret v1\0");
        let secret = secret.trim_ascii();
        if secret.starts_with(b"-----BEGIN") {
            let mut rest = secret;
            while let [first, tail @ ..] = rest {
                match rest {
                    [b'\\', b'n' | b'r', tail @ ..] => rest = tail,
                    _ => {
                        if !first.is_ascii_whitespace() {
                            mac.update(&[*first]);
                        }
                        rest = tail;
                    }
                }
            }
        } else {
            mac.update(secret);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        SecretId(id)
    }

    /// The keyed hash of a text that is no secret, in a domain of its own; finding ids.
    pub fn subject(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = self.mac(b"keymuster subject v1\0");
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    fn mac(&self, domain: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.key).expect("HMAC takes a key of any length");
        mac.update(domain);
        mac
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn names_depend_on_key_and_normalised_secret() {
        let seal = Seal::new([7; 32]);
        assert_eq!(seal.secret(b"abc"), seal.secret(b" abc\n"));
        assert_ne!(seal.secret(b"abc"), seal.secret(b"abd"));
        assert_ne!(seal.secret(b"abc"), Seal::new([8; 32]).secret(b"abc"));
        let dashes = "-----";
        let wrapped = format!("{dashes}BEGIN X{dashes}\nAAAA\nBBBB\n{dashes}END X{dashes}");
        let escaped = wrapped.replace('\n', "\\n");
        assert_eq!(
            seal.secret(wrapped.as_bytes()),
            seal.secret(escaped.as_bytes())
        );
        assert_eq!(format!("{seal:?}"), "Seal(…)");
    }
}
