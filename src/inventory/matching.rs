//! What holds between what exists and what is recorded.

/// Why a record and a credential are the same, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchKey {
    /// Somebody confirmed it.
    Confirmed,
    /// The provider's own immutable id.
    NativeId,
    /// The keyed name of the secret.
    Fingerprint,
    /// The principal: one record covers its keys.
    Principal,
    /// The place where it is stored.
    Locator,
    /// A hint decoded from the credential: account, issuer, subject, a masked id.
    Hint,
    /// Name, system and environment are equal.
    Name,
    /// Names resemble each other.
    Fuzzy,
}

/// One credential and one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Index of the credential in the estate.
    pub credential: u32,
    /// Index of the record in the inventory.
    pub record: u32,
    /// Why.
    pub key: MatchKey,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// What was equal: `access_key_id AKIA…`.
    pub because: String,
}

/// A record that is near a credential without matching it.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// Index of the record.
    pub record: u32,
    /// How near, 0 to 1.
    pub score: f64,
    /// Why.
    pub because: String,
}

/// The reconciliation of an estate with an inventory.
#[derive(Debug, Clone, Default)]
pub struct Matches {
    /// For each credential (by index) its best match at 0.80 or above.
    pub accepted: Vec<Option<Match>>,
    /// For each credential: further records that match it at 0.80 or above (duplicates).
    pub also: Vec<Vec<Match>>,
    /// For each credential without accepted match: candidates from 0.60 to below 0.80.
    pub to_confirm: Vec<Vec<Match>>,
    /// For each credential without accepted match: the three nearest records.
    pub nearest: Vec<Vec<Nearest>>,
    /// For each record (by index): the credentials it stands for, sorted. Those it was accepted
    /// for; of a record in force, also those it matches at 0.80 or above beside a better one (a
    /// duplicate, or the record of the principal), so that it is no ghost.
    pub of_record: Vec<Vec<u32>>,
}
