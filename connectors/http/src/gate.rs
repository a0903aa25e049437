//! One gate for all who use one token at one host: how many at once, how many a minute, and
//! until when nobody may go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use keymuster_api::Cancel;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls at once. GitHub allows 100.
const AT_ONCE: usize = 16;
/// Calls a minute to one endpoint: GitHub's points for reading.
const A_MINUTE: f64 = 900.0;
/// So many failures to connect in a row, and the host is taken for dead.
const DEAD_AFTER: u32 = 12;
/// How often a waiting call looks whether the run was stopped.
const LOOK: Duration = Duration::from_millis(100);

static GATES: Mutex<BTreeMap<(String, String), Weak<Gate>>> = Mutex::new(BTreeMap::new());

/// Why a call may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The run was stopped.
    Cancelled,
    /// The host is taken for dead.
    Dead,
}

/// A gate.
pub struct Gate {
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    not_before: Option<Instant>,
    failures: u32,
    /// Per endpoint: calls that may go at once, and when that was worked out.
    buckets: BTreeMap<&'static str, (f64, Instant)>,
}

impl Gate {
    /// The gate of this host and this identity (the keyed name of a token), shared by all of
    /// the process that use both.
    pub fn of(host: &str, identity: &str) -> Arc<Gate> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        gates.retain(|_, gate| gate.strong_count() > 0);
        let key = (host.to_owned(), identity.to_owned());
        if let Some(gate) = gates.get(&key).and_then(Weak::upgrade) {
            return gate;
        }
        let gate = Arc::new(Gate {
            places: Semaphore::new(AT_ONCE),
            state: Mutex::default(),
        });
        gates.insert(key, Arc::downgrade(&gate));
        gate
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a call to this endpoint may go.
    pub(crate) async fn enter(
        &self,
        endpoint: &'static str,
        cancel: &Cancel,
    ) -> Result<SemaphorePermit<'_>, Closed> {
        let place = self.places.acquire().await.map_err(|_| Closed::Dead)?;
        loop {
            if cancel.is_cancelled() {
                return Err(Closed::Cancelled);
            }
            match self.turn(endpoint)? {
                None => return Ok(place),
                Some(wait) => tokio::time::sleep(wait.min(LOOK)).await,
            }
        }
    }

    /// How long this call still has to wait; `None` if it may go now, which counts it.
    fn turn(&self, endpoint: &'static str) -> Result<Option<Duration>, Closed> {
        let now = Instant::now();
        let mut state = self.state();
        if state.failures >= DEAD_AFTER {
            return Err(Closed::Dead);
        }
        if let Some(until) = state.not_before {
            if until > now {
                return Ok(Some(until - now));
            }
            state.not_before = None;
        }
        let (left, at) = state.buckets.entry(endpoint).or_insert((A_MINUTE, now));
        let filled =
            (*left + now.duration_since(*at).as_secs_f64() * A_MINUTE / 60.0).min(A_MINUTE);
        (*left, *at) = (filled, now);
        if filled < 1.0 {
            return Ok(Some(Duration::from_secs_f64(
                (1.0 - filled) * 60.0 / A_MINUTE,
            )));
        }
        *left = filled - 1.0;
        Ok(None)
    }

    /// Nobody may go for so long.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        state.not_before = Some(state.not_before.map_or(until, |known| known.max(until)));
    }

    /// Somebody reached the host, or did not.
    pub(crate) fn connected(&self, did: bool) {
        let mut state = self.state();
        state.failures = if did {
            0
        } else {
            state.failures.saturating_add(1)
        };
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use keymuster_api::Cancel;

    use super::{A_MINUTE, Closed, DEAD_AFTER, Gate};

    #[test]
    fn one_gate_for_one_host_and_token() {
        let one = Gate::of("gate.test", "a");
        assert!(Arc::ptr_eq(&one, &Gate::of("gate.test", "a")));
        assert!(!Arc::ptr_eq(&one, &Gate::of("gate.test", "b")));
        assert!(!Arc::ptr_eq(&one, &Gate::of("other.test", "a")));
    }

    #[test]
    fn a_pause_holds_all_and_a_minute_has_so_many_calls() {
        let gate = Gate::of("pause.test", "a");
        gate.pause(Duration::from_secs(30));
        gate.pause(Duration::from_secs(3));
        let wait = gate.turn("/x").expect("open").expect("a wait");
        assert!(wait > Duration::from_secs(20), "the longer pause holds");
        let gate = Gate::of("minute.test", "a");
        for _ in 0..A_MINUTE as u32 {
            assert_eq!(gate.turn("/x"), Ok(None));
        }
        assert!(gate.turn("/x").expect("open").is_some());
        assert_eq!(gate.turn("/y"), Ok(None), "another endpoint has its own");
    }

    #[test]
    fn a_dead_host_and_a_stopped_run_close_it() {
        let gate = Gate::of("dead.test", "a");
        for _ in 0..DEAD_AFTER {
            assert_eq!(gate.turn("/x"), Ok(None));
            gate.connected(false);
        }
        assert_eq!(gate.turn("/x"), Err(Closed::Dead));
        gate.connected(true);
        assert_eq!(gate.turn("/x"), Ok(None));
        let cancel = Cancel::new();
        cancel.cancel();
        let outcome = crate::run(async { gate.enter("/x", &cancel).await.map(|_| ()) });
        assert_eq!(outcome.expect("runtime"), Err(Closed::Cancelled));
    }
}
