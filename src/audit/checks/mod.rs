//! The checks, one file each; a file's header is the check's page.

use keymuster_api::Status;

use super::Check;

mod agent;
mod authentication;
mod cloud;
mod coverage;
mod exposure;
mod governance;
mod inventory;
mod isolation;
mod life;
mod owner;
pub(super) mod places;
mod privilege;
#[cfg(test)]
pub(crate) mod testing;
mod third_party;

/// Every check, by id.
pub const CHECKS: &[&'static dyn Check] = &[
    &agent::agent_credential::AgentCredential,
    &authentication::static_secret::StaticSecret,
    &authentication::weak_auth::WeakAuth,
    &authentication::local_auth::LocalAuth,
    &cloud::broad_trust::BroadTrust,
    &coverage::coverage_gap::CoverageGap,
    &exposure::secret_in_source::SecretInSource,
    &exposure::weakly_held::WeaklyHeld,
    &exposure::exposed_and_valid::ExposedAndValid,
    &exposure::hard_coded::HardCoded,
    &exposure::outside_vault::OutsideVault,
    &governance::exception_outlived::ExceptionOutlived,
    &governance::outside_review::OutsideReview,
    &governance::policy_unversioned::PolicyUnversioned,
    &governance::evidence_missing::EvidenceMissing,
    &governance::not_attributable::NotAttributable,
    &inventory::unregistered::Unregistered,
    &inventory::ghost_record::GhostRecord,
    &inventory::revoked_on_paper::RevokedOnPaper,
    &inventory::duplicate_records::DuplicateRecords,
    &inventory::record_differs::RecordDiffers,
    &inventory::incomplete_record::IncompleteRecord,
    &inventory::no_api_map::NoApiMap,
    &isolation::reused::Reused,
    &isolation::crosses_environments::CrossesEnvironments,
    &isolation::shared_account::SharedAccount,
    &life::past_expiry::PastExpiry,
    &life::no_expiry::NoExpiry,
    &life::rotation_overdue::RotationOverdue,
    &life::rotation_unproven::RotationUnproven,
    &life::lifetime_creep::LifetimeCreep,
    &life::dormant::Dormant,
    &life::recertification::Recertification,
    &life::no_revocation_path::NoRevocationPath,
    &life::lifecycle_event::LifecycleEvent,
    &life::expiring_soon::ExpiringSoon,
    &owner::no_owner::NoOwner,
    &owner::orphaned::Orphaned,
    &owner::split_owner::SplitOwner,
    &owner::approver::Approver,
    &owner::generic_owner::GenericOwner,
    &owner::changed_hands::ChangedHands,
    &privilege::beyond_approval::BeyondApproval,
    &privilege::admin_or_wildcard::AdminOrWildcard,
    &privilege::human_use::HumanUse,
    &privilege::many_audiences::ManyAudiences,
    &third_party::vendor_access::VendorAccess,
];

/// The word for a status in evidence.
fn status_word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Revoked => "revoked",
        Status::Unknown => "unknown",
    }
}

/// The check of this id or slug.
pub fn find(name: &str) -> Option<&'static dyn Check> {
    CHECKS.iter().copied().find(|check| {
        let about = check.about();
        about.id.eq_ignore_ascii_case(name) || about.slug == name
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{CHECKS, find};
    use crate::audit::controls;

    /// Every file of a family folder, as `family/slug`.
    fn files() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit/checks");
        let mut files = Vec::new();
        for family in fs::read_dir(&root).expect("checks").flatten() {
            if !family.path().is_dir() {
                continue;
            }
            for file in fs::read_dir(family.path()).expect("family").flatten() {
                let stem = file
                    .path()
                    .file_stem()
                    .map(|s| s.to_string_lossy().into_owned());
                files.extend(stem.filter(|stem| stem != "mod" && stem != "touched"));
            }
        }
        files.sort();
        files
    }

    #[test]
    fn every_file_is_listed_and_named_by_its_slug() {
        let mut slugs: Vec<String> = CHECKS
            .iter()
            .map(|check| check.about().slug.replace('-', "_"))
            .collect();
        slugs.sort();
        assert_eq!(slugs, files());
    }

    #[test]
    fn ids_are_sorted_unique_and_mapped_to_controls() {
        let ids: Vec<&str> = CHECKS.iter().map(|check| check.about().id).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        for check in CHECKS {
            let about = check.about();
            assert!(!controls::of(about.id).is_empty(), "{}", about.id);
            assert!(!about.needs.is_empty(), "{}", about.id);
            for words in [about.title, about.why, about.decided, about.remedy] {
                assert!(words.len() > 6, "{}", about.id);
            }
        }
    }

    #[test]
    fn every_check_has_a_page_and_its_three_cases() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit/checks");
        for check in CHECKS {
            let about = check.about();
            let family = fs::read_dir(&root)
                .expect("checks")
                .flatten()
                .map(|family| family.path().join(about.slug.replace('-', "_") + ".rs"))
                .find(|path| path.exists())
                .expect("its file");
            let text = fs::read_to_string(family).expect("readable");
            for part in [
                &format!("//! {}: ", about.id),
                "//! # Why",
                "//! # How it is decided",
                "//! # Remedy",
                "fn true_",
                "fn near_miss_",
                "fn missing_",
            ] {
                assert!(text.contains(part), "{} lacks {part}", about.slug);
            }
        }
    }

    #[test]
    fn checks_are_found_by_id_and_slug() {
        assert_eq!(find("lif-06").map(|c| c.about().slug), Some("dormant"));
        assert_eq!(find("dormant").map(|c| c.about().id), Some("LIF-06"));
        assert!(find("nothing").is_none());
    }
}
