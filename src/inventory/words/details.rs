//! Words of the fields that most registers leave out.

use std::{collections::HashMap, sync::LazyLock};

use super::{by_name, by_word};
use crate::inventory::{EvidenceKind, ReviewDecision, text::squeezed};

/// Which way calls go.
pub(crate) fn direction(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "inbound",
            "in incoming ingress provider eingehend entrant entrante entrada ingresso inkomend",
        ),
        (
            "outbound",
            "out outgoing egress consumer ausgehend sortant saliente salida uscente saida uitgaand",
        ),
        ("internal", "intern interne interno interna eastwest"),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_name(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// How it proves who it is.
pub(crate) fn auth_method(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "static_secret",
            "secret apikey key token accesskey sharedsecret clientsecret password pat",
        ),
        (
            "signed_token",
            "jwt privatekeyjwt hmac signature signedjwt assertion",
        ),
        ("mtls", "mutualtls clientcertificate certificate tls x509"),
        (
            "oidc_federation",
            "oidc federation workloadidentity workloadidentityfederation federated",
        ),
        (
            "managed_identity",
            "systemassigned userassigned instanceprofile irsa iamrole",
        ),
        ("basic", "basicauth usernamepassword httpbasic"),
        ("other", "sonstige andere autre otro altro outro overig"),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_name(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// For how long it was granted.
pub(crate) fn grant_type(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "standing",
            "permanent persistent always dauerhaft permanente",
        ),
        (
            "emergency",
            "breakglass firefighter notfall urgence emergencia emergenza nood",
        ),
        (
            "temporary",
            "temp jit justintime timebound befristet temporaire temporal temporaneo temporario tijdelijk",
        ),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_name(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// How far its holder is trusted.
pub(crate) fn trust_tier(cell: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        (
            "internal_workload",
            "internal workload service intern interne interno machine",
        ),
        (
            "internal_human_tool",
            "humantool employeetool usertool tool",
        ),
        ("partner", "b2b partenaire socio parceiro"),
        (
            "third_party",
            "vendor supplier external extern externe externo saas dienstleister lieferant drittanbieter prestataire proveedor fornitore fornecedor leverancier",
        ),
        ("external_developer", "developer publicdeveloper"),
    ];
    static MEANT: LazyLock<HashMap<String, &str>> = LazyLock::new(|| by_name(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// What a reviewer decided.
pub(crate) fn review_decision(cell: &str) -> Option<ReviewDecision> {
    const WORDS: &[(ReviewDecision, &str)] = &[
        (
            ReviewDecision::Keep,
            "keep kept approve approved certify certified recertified confirm confirmed retain ok yes \
             behalten bestatigt beibehalten garder conserver approuve mantener aprobado mantenere \
             approvato manter aprovado behouden",
        ),
        (
            ReviewDecision::Reduce,
            "reduce reduced modify modified change limit restrict reduzieren einschranken reduire \
             modifier reducir modificar ridurre modificare reduzir beperken",
        ),
        (
            ReviewDecision::Revoke,
            "revoke revoked remove removed delete deny denied reject rejected no entziehen widerrufen \
             loschen ablehnen revoquer supprimer revocar eliminar revocare revogar remover intrekken",
        ),
    ];
    static MEANT: LazyLock<HashMap<String, ReviewDecision>> = LazyLock::new(|| by_word(WORDS));
    MEANT.get(&squeezed(cell)).copied()
}

/// What a piece of evidence proves.
pub(crate) fn evidence_kind(cell: &str) -> Option<EvidenceKind> {
    match squeezed(cell).as_str() {
        "issuance" | "issue" | "issued" | "approval" | "request" => Some(EvidenceKind::Issuance),
        "review" | "recertification" | "attestation" => Some(EvidenceKind::Review),
        "rotation" | "rotated" => Some(EvidenceKind::Rotation),
        "revocation" | "revoked" => Some(EvidenceKind::Revocation),
        "incident" => Some(EvidenceKind::Incident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{auth_method, direction, evidence_kind, grant_type, review_decision, trust_tier};
    use crate::inventory::{EvidenceKind, ReviewDecision};

    #[test]
    fn words_of_the_rare_fields_are_understood() {
        assert_eq!(direction("Outbound"), Some("outbound"));
        assert_eq!(direction("eingehend"), Some("inbound"));
        assert_eq!(direction("sideways"), None);
        assert_eq!(auth_method("Mutual TLS"), Some("mtls"));
        assert_eq!(auth_method("static_secret"), Some("static_secret"));
        assert_eq!(grant_type("break glass"), Some("emergency"));
        assert_eq!(trust_tier("third party"), Some("third_party"));
        assert_eq!(trust_tier("Martian"), None);
        assert_eq!(review_decision("Certified"), Some(ReviewDecision::Keep));
        assert_eq!(review_decision("entziehen"), Some(ReviewDecision::Revoke));
        assert_eq!(review_decision("perhaps"), None);
        assert_eq!(evidence_kind("Rotation"), Some(EvidenceKind::Rotation));
    }
}
