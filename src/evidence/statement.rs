//! The signed statement over a bundle: in-toto Statement v1 with a test-result predicate
//! (github.com/in-toto/attestation, spec/v1 and spec/predicates/test-result.md) in a DSSE envelope
//! (github.com/secure-systems-lab/dsse), signed with Ed25519.
//!
//! Keys are PEM files as other tools write them: PKCS #8 for the private one
//! (`openssl genpkey -algorithm ed25519`), SubjectPublicKeyInfo for the public one
//! (`openssl pkey -pubout`).
//!
//! Everything in it follows from the bundle's files, so that a check can make it anew: there is
//! one way of writing it, and no byte that nobody looks at.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
        KeypairBytes, spki::der::pem::LineEnding,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Bundle, EvidenceError, RunRecord, canonical, hex,
    merkle::digest,
    results::{FINDINGS, POPULATION},
};

/// The file with the statement.
pub(super) const STATEMENT: &str = "statement.dsse.json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No private key.
    #[error(
        "is no Ed25519 private key (PKCS #8, PEM); make one with `keymuster key evidence`, or `openssl genpkey -algorithm ed25519`"
    )]
    Private,
    /// No public key.
    #[error(
        "is no Ed25519 public key (PEM); `keymuster key evidence` and `openssl pkey -pubout` write one"
    )]
    Public,
}

/// The key that signs evidence. Wiped when dropped, constant when shown.
pub struct Signer {
    key: SigningKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// Of 32 random bytes.
    pub fn new(seed: &[u8; 32]) -> Signer {
        Signer {
            key: SigningKey::from_bytes(seed),
        }
    }

    /// Of a PEM file.
    ///
    /// # Errors
    /// When the text is no such key.
    pub fn from_pem(text: &str) -> Result<Signer, KeyError> {
        let key = SigningKey::from_pkcs8_pem(text).map_err(|_| KeyError::Private)?;
        Ok(Signer { key })
    }

    /// The private key as a PEM file.
    pub fn private_pem(&self) -> Zeroizing<String> {
        // Without the public key in it, which OpenSSL would not read.
        let bytes = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        let pem = bytes.to_pkcs8_pem(LineEnding::LF);
        pem.expect("every Ed25519 key can be written")
    }

    /// The public key as a PEM file.
    pub fn public_pem(&self) -> String {
        let pem = self.key.verifying_key().to_public_key_pem(LineEnding::LF);
        pem.expect("every Ed25519 key can be written")
    }

    /// The public key.
    pub fn public(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// Adds the signed statement to a bundle.
    ///
    /// # Errors
    /// When a file of the bundle does not say what it should.
    pub fn sign(&self, bundle: &mut Bundle) -> Result<(), EvidenceError> {
        let payload = payload(bundle)?;
        let signature = self.key.sign(&authenticated(&payload));
        let envelope = envelope(&payload, &key_id(&self.key.verifying_key()), &signature);
        bundle.files.insert(STATEMENT.to_owned(), envelope);
        Ok(())
    }
}

/// Reads a public key.
///
/// # Errors
/// When the text is no such key.
pub fn public_key(pem: &str) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::Public)
}

/// The name of a public key: the first 16 hexadecimal digits of the digest of its bytes.
fn key_id(key: &VerifyingKey) -> String {
    hex(&digest(key.as_bytes())[..8])
}

/// What is signed (DSSE, "PAE").
fn authenticated(payload: &[u8]) -> Vec<u8> {
    let (kind, length) = (PAYLOAD_TYPE, payload.len());
    let mut out = format!("DSSEv1 {} {kind} {length} ", kind.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

fn envelope(payload: &[u8], key_id: &str, signature: &Signature) -> Vec<u8> {
    canonical::lines([json!({
        "payload": STANDARD.encode(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id, "sig": STANDARD.encode(signature.to_bytes())}],
    })])
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "the name is DSSE's")]
struct Envelope {
    payload: String,
    payloadType: String,
    signatures: Vec<Signed>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    keyid: String,
    sig: String,
}

/// Checks that the statement in these bytes is that of the bundle, signed with this key.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(bundle: &Bundle, bytes: &[u8], key: &VerifyingKey) -> Result<(), String> {
    let read: Envelope = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let [signed] = read.signatures.as_slice() else {
        return Err("it has not one signature".to_owned());
    };
    if signed.keyid != key_id(key) {
        return Err(format!(
            "it is signed with the key {}, and not with {}",
            signed.keyid,
            key_id(key)
        ));
    }
    let payload = payload(bundle).map_err(|error| error.to_string())?;
    let signature = STANDARD.decode(&signed.sig).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
    let signature = signature.ok_or("its signature is none")?;
    if envelope(&payload, &key_id(key), &signature) != bytes {
        return Err("it does not say what the files say".to_owned());
    }
    key.verify_strict(&authenticated(&payload), &signature)
        .map_err(|_| "its signature does not hold".to_owned())
}

/// The statement that a bundle's files make.
fn payload(bundle: &Bundle) -> Result<Vec<u8>, EvidenceError> {
    let record = bundle.record()?;
    let mut digests = bundle.digests();
    digests.remove(STATEMENT);
    let described =
        |name: &str, digest: &[u8; 32]| json!({"name": name, "digest": {"sha256": hex(digest)}});
    let mut subjects: Vec<Value> = digests
        .iter()
        .map(|(name, digest)| described(name, digest))
        .collect();
    subjects.push(json!({
        "name": format!("run/{}", record.id),
        "digest": {"keymusterMerkle": hex(&bundle.root())},
    }));
    let outcome = outcome(bundle, &record)?;
    let mut configuration: Vec<Value> = record
        .inputs
        .iter()
        .map(|file| json!({"name": file.name, "digest": {"sha256": file.sha256}}))
        .collect();
    for file in [&record.settings.policy, &record.settings.exceptions]
        .into_iter()
        .flatten()
    {
        configuration.push(described(&file.name, &digest(file.text.as_bytes())));
    }
    Ok(canonical::canonical(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": outcome.result,
            "configuration": configuration,
            "passedTests": outcome.passed,
            "warnedTests": outcome.warned,
            "failedTests": outcome.failed,
        },
    }))
    .into_bytes())
}

struct Outcome {
    result: &'static str,
    passed: Vec<String>,
    warned: Vec<String>,
    failed: Vec<String>,
}

/// `FAILED` where an open finding reaches the run's `fail-on`, `WARNED` where something could not
/// be seen; a check warns where its findings stay below `fail-on`, or subjects were not judged.
fn outcome(bundle: &Bundle, record: &RunRecord) -> Result<Outcome, EvidenceError> {
    let lines = |file: &str| -> Result<Vec<Value>, EvidenceError> {
        let bytes = bundle.file(file)?;
        let rows = serde_json::Deserializer::from_slice(bytes).into_iter();
        rows.collect::<Result<_, _>>()
            .map_err(|error| EvidenceError::Content {
                file: file.to_owned(),
                why: error.to_string(),
            })
    };
    let at_least: Option<keymuster_api::Severity> = record
        .facts
        .get("fail-on")
        .and_then(|word| word.parse().ok());
    // By check: 0 passed, 1 warned, 2 failed.
    let mut checks: BTreeMap<String, u8> = BTreeMap::new();
    let mut gaps = false;
    for line in lines(POPULATION)? {
        gaps |= line.get("gap").is_some();
        if let Some(check) = line.get("check") {
            let name = check["check"].as_str().unwrap_or_default().to_owned();
            let missing = check["not_evaluated"]
                .as_array()
                .is_some_and(|all| !all.is_empty());
            checks.insert(name, u8::from(missing));
        }
    }
    for finding in lines(FINDINGS)? {
        let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
        if !matches!(&*text("state"), "new" | "open" | "regressed") {
            continue;
        }
        let severity = text("severity").parse::<keymuster_api::Severity>().ok();
        let check = text("check");
        let fails = check != "COV-01" && at_least.is_some_and(|least| severity >= Some(least));
        let worst = checks.entry(check).or_default();
        *worst = (*worst).max(if fails { 2 } else { 1 });
    }
    let of = |grade: u8| {
        let all = checks.iter().filter(|(_, is)| **is == grade);
        all.map(|(check, _)| check.clone()).collect::<Vec<_>>()
    };
    let failed = of(2);
    Ok(Outcome {
        result: match (failed.is_empty(), gaps) {
            (false, _) => "FAILED",
            (true, true) => "WARNED",
            (true, false) => "PASSED",
        },
        passed: of(0),
        warned: of(1),
        failed,
    })
}
