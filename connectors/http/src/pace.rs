//! How long one waits: for limits, and between attempts.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use crate::Response;

/// How much is borne before something counts as unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a call that failed is tried in all.
    pub attempts: u32,
    /// How often one call waits for a limit.
    pub pauses: u32,
    /// The wait after the first failure; it doubles.
    pub first: Duration,
    /// The longest wait for a limit. GitHub's primary limit is reset every hour.
    pub longest: Duration,
    /// The most pages of one list.
    pub pages: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            attempts: 5,
            pauses: 12,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(70 * 60),
            pages: 20_000,
        }
    }
}

impl Patience {
    /// The wait after the `n`th failure: half fixed, half drawn by lot, so that those who
    /// failed together do not come back together.
    pub(crate) fn after(&self, failures: u32) -> Duration {
        let full = self.first * 2u32.pow(failures.saturating_sub(1).min(8));
        let lot = RandomState::new().hash_one(failures) % 1000;
        full / 2 + full.mul_f64(lot as f64 / 2000.0)
    }
}

/// What an answer says of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Nothing.
    None,
    /// This call was refused; wait so long.
    Refused(Duration),
    /// This call was the last for so long.
    Spent(Duration),
}

/// Reads the limits of an answer: `Retry-After` (RFC 9110), GitHub's `x-ratelimit-*`,
/// GitLab's `ratelimit-*`.
///
/// A reset is a point of the host's clock, so it is held against the host's `Date`: ours may
/// be wrong by hours.
pub(crate) fn limit(answer: &Response, is_refusal_text: bool) -> Limit {
    let number = |name: &str| answer.header(name)?.trim().parse::<i64>().ok();
    let remaining = number("x-ratelimit-remaining").or_else(|| number("ratelimit-remaining"));
    let after = number("retry-after").map(|seconds| wait(seconds, 1));
    let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"));
    let until = reset.zip(host_now(answer)).map(|(at, now)| {
        // One more second: the host's clock has no finer steps.
        wait(at.saturating_sub(now), 0) + Duration::from_millis(if at > now { 1000 } else { 0 })
    });
    let is_refused = match answer.status {
        429 => true,
        403 => after.is_some() || remaining == Some(0) || is_refusal_text,
        503 => after.is_some(),
        _ => false,
    };
    if is_refused {
        let spent = until.filter(|_| remaining == Some(0));
        // Without a word on how long: a minute (GitHub's advice for secondary limits).
        Limit::Refused(after.or(spent).unwrap_or(Duration::from_secs(60)))
    } else if remaining == Some(0) && answer.status < 400 {
        until.map_or(Limit::None, Limit::Spent)
    } else {
        Limit::None
    }
}

fn wait(seconds: i64, unit: u64) -> Duration {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    // `Retry-After: 0` means at once; some jitter is added by the gate.
    Duration::from_secs(seconds.min(86_400 * unit.max(1)))
}

fn host_now(answer: &Response) -> Option<i64> {
    let date = answer.header("date")?;
    let at = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .ok()?;
    Some(at.as_second())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, Patience, limit};
    use crate::Response;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Response::default()
        }
    }

    #[test]
    fn limits_are_told_in_five_ways() {
        let seconds = Duration::from_secs;
        let date = ("date", "Fri, 27 Nov 2026 00:00:00 GMT");
        // That second, and ten later; our own clock is not asked.
        let (now, later) = ("1795737600", "1795737610");
        let spent = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", later),
            date,
        ];
        let cases = [
            (answer(200, &[]), false, Limit::None),
            (answer(200, &spent), false, Limit::Spent(seconds(11))),
            (answer(403, &spent), false, Limit::Refused(seconds(11))),
            (
                answer(403, &[("retry-after", "7")]),
                false,
                Limit::Refused(seconds(7)),
            ),
            (answer(403, &[]), true, Limit::Refused(seconds(60))),
            (answer(403, &[]), false, Limit::None),
            (
                answer(429, &[("retry-after", "-3")]),
                false,
                Limit::Refused(seconds(0)),
            ),
            (
                answer(429, &[("retry-after", "soon")]),
                false,
                Limit::Refused(seconds(60)),
            ),
            (
                answer(
                    200,
                    &[("ratelimit-remaining", "0"), ("ratelimit-reset", now), date],
                ),
                false,
                Limit::Spent(seconds(0)),
            ),
        ];
        for (answer, text, expected) in cases {
            assert_eq!(limit(&answer, text), expected, "{answer:?}");
        }
    }

    #[test]
    fn waits_double_and_differ() {
        let patience = Patience::default();
        for failures in 1..6 {
            let full = patience.first * 2u32.pow(failures - 1);
            let wait = patience.after(failures);
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?}");
        }
    }
}
