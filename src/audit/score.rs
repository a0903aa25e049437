//! The score: orders findings, never sets a severity. Integer and reproducible; each term is
//! listed.

use keymuster_api::{Severity, Status};

use super::ScoreTerm;
use crate::inventory::Tier;

/// What the score is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    /// The check's own severity, before the general modifiers.
    pub(super) base: Severity,
    pub(super) privilege: Privilege,
    pub(super) exposure: Exposed,
    pub(super) tier: Option<Tier>,
    /// `None` where the subject is no credential.
    pub(super) validity: Option<Status>,
    /// The credential itself says that it has ended.
    pub(super) spent: bool,
    /// Nobody answers for it.
    pub(super) ownerless: bool,
    /// Value and limit, for checks that hold an age against a limit.
    pub(super) over: Option<(i64, i64)>,
}

/// What the holder can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privilege {
    Admin,
    Wildcard,
    Conditional,
    Ordinary,
}

/// Where the secret can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposed {
    Tip,
    History,
    Doubtful,
    No,
}

/// The score from 0 to 100, and its terms that are not zero.
pub(super) fn score(weighed: &Weighed) -> (u8, Vec<ScoreTerm>) {
    let validity = match weighed.validity {
        _ if weighed.spent => -20,
        Some(Status::Active) => 5,
        Some(Status::Disabled) => -10,
        Some(Status::Revoked) => -20,
        Some(Status::Unknown) | None => 0,
    };
    let points = [
        ("base", [20, 30, 40, 55, 70][weighed.base as usize]),
        (
            "privilege",
            match weighed.privilege {
                Privilege::Admin => 15,
                Privilege::Wildcard => 10,
                Privilege::Conditional => 8,
                Privilege::Ordinary => 0,
            },
        ),
        (
            "exposure",
            match weighed.exposure {
                Exposed::Tip => 15,
                Exposed::History => 10,
                Exposed::Doubtful => 3,
                Exposed::No => 0,
            },
        ),
        (
            "tier",
            match weighed.tier {
                Some(Tier::T0) => 10,
                Some(Tier::T1) => 5,
                Some(Tier::T3) => -10,
                Some(Tier::T2) | None => 0,
            },
        ),
        ("validity", validity),
        ("ownerless", if weighed.ownerless { 5 } else { 0 }),
        ("age", weighed.over.map_or(0, age_points)),
    ];
    let terms: Vec<ScoreTerm> = points
        .into_iter()
        .filter(|(_, points)| *points != 0)
        .map(|(name, points)| ScoreTerm { name, points })
        .collect();
    let sum: i32 = terms.iter().map(|term| term.points).sum();
    (u8::try_from(sum.clamp(0, 100)).unwrap_or(100), terms)
}

/// One point for being over the limit, and one for each further half of it, at most five.
fn age_points((value, limit): (i64, i64)) -> i32 {
    let over = value.saturating_sub(limit);
    if over <= 0 {
        return 0;
    }
    let halves = over.saturating_mul(2) / limit.max(1);
    i32::try_from(halves.min(4)).unwrap_or(4) + 1
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Severity, Status};

    use super::{Exposed, Privilege, Weighed, age_points, score};
    use crate::inventory::Tier;

    #[test]
    fn terms_add_up_and_stay_in_range() {
        let worst = Weighed {
            base: Severity::Critical,
            privilege: Privilege::Admin,
            exposure: Exposed::Tip,
            tier: Some(Tier::T0),
            validity: Some(Status::Active),
            spent: false,
            ownerless: true,
            over: Some((1000, 90)),
        };
        assert_eq!(score(&worst).0, 100);
        let mild = Weighed {
            base: Severity::Info,
            privilege: Privilege::Ordinary,
            exposure: Exposed::No,
            tier: Some(Tier::T3),
            validity: Some(Status::Revoked),
            spent: false,
            ownerless: false,
            over: None,
        };
        let (points, terms) = score(&mild);
        assert_eq!(points, 0);
        assert_eq!(
            terms.iter().map(|t| t.name).collect::<Vec<_>>(),
            ["base", "tier", "validity"]
        );
    }

    #[test]
    fn age_counts_from_the_limit() {
        assert_eq!(age_points((90, 90)), 0);
        assert_eq!(age_points((91, 90)), 1);
        assert_eq!(age_points((180, 90)), 3);
        assert_eq!(age_points((9000, 90)), 5);
    }
}
