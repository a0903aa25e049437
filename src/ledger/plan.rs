//! What the next files for a tracker must do: pure, from how findings stand and which tickets
//! there are.

use std::collections::BTreeMap;

use super::{Standing, Ticket};
use crate::audit::State;

/// What is to be done with one finding's ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// There is none, and there should be one.
    Create,
    /// It is there, and says something that no longer holds.
    Update,
    /// The finding is settled, the ticket is open.
    Close,
    /// The ticket is closed, the finding is open.
    Reopen,
    /// A file was written, and nobody has told the key yet.
    Wait,
    /// Nothing.
    None,
}

impl Act {
    /// Every act, in the order they are told in.
    pub const ALL: [Act; 6] = [
        Act::Create,
        Act::Update,
        Act::Close,
        Act::Reopen,
        Act::Wait,
        Act::None,
    ];

    /// The word used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::Create => "create",
            Act::Update => "update",
            Act::Close => "close",
            Act::Reopen => "reopen",
            Act::Wait => "wait",
            Act::None => "none",
        }
    }
}

/// One finding's step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub act: Act,
    /// The finding's published id.
    pub finding: String,
    /// The ticket, where its key is known.
    pub key: Option<String>,
    /// Why.
    pub why: String,
}

/// Plans one tracker, in the order of the findings. `content` is what a file would say, as a
/// hash; `again` creates once more what was written into a file that was never imported.
///
/// A finding that could not be judged changes nothing: an outage closes no ticket.
pub fn plan(
    standing: &[Standing],
    tickets: &BTreeMap<String, Ticket>,
    content: &dyn Fn(&Standing) -> String,
    again: bool,
) -> Vec<Step> {
    let steps = standing.iter().filter_map(|one| {
        let ticket = tickets.get(&one.finding.id);
        let (act, why) = step(one, ticket, content, again)?;
        Some(Step {
            act,
            finding: one.finding.id.clone(),
            key: ticket.and_then(|ticket| ticket.key.clone()),
            why,
        })
    });
    steps.collect()
}

fn step(
    one: &Standing,
    ticket: Option<&Ticket>,
    content: &dyn Fn(&Standing) -> String,
    again: bool,
) -> Option<(Act, String)> {
    let state = one.finding.state;
    let say = |act, why: &str| Some((act, why.to_owned()));
    let Some(ticket) = ticket else {
        // What was settled before anybody made a ticket needs none.
        return state.is_open().then(|| {
            (
                Act::Create,
                format!("open since {}", one.finding.first_seen),
            )
        });
    };
    if ticket.key.is_none() {
        return match (state.is_open(), again) {
            (true, true) => say(Act::Create, "was exported before, and is asked for again"),
            (true, false) => Some((
                Act::Wait,
                format!(
                    "was exported at {}, and its key is not known yet; import that file, then read the tracker's export with `keymuster tickets learn`",
                    ticket.at
                ),
            )),
            (false, _) => say(
                Act::Wait,
                "is settled, and its key is not known yet; if its ticket was made, read the tracker's export with `keymuster tickets learn`",
            ),
        };
    }
    match state {
        State::NotEvaluated => say(Act::None, "could not be judged, so nothing is known"),
        State::New | State::Open | State::Regressed if !ticket.open => Some((
            Act::Reopen,
            match one.reopened_at {
                Some(at) => format!("is open again; it came back at {at}"),
                None => "is still open, and its ticket is closed".to_owned(),
            },
        )),
        State::New | State::Open | State::Regressed if again || ticket.content != content(one) => {
            say(
                Act::Update,
                "severity, owner, places, due date or state changed",
            )
        }
        State::Fixed if ticket.open => Some((Act::Close, format!("is fixed: {}", one.reason))),
        State::Accepted | State::Suppressed if ticket.open => {
            say(Act::Close, "is excepted for a while")
        }
        State::Superseded if ticket.open => Some((
            Act::Close,
            match &one.merged_into {
                Some(id) => format!("is the same as {id}"),
                None => "was merged into another".to_owned(),
            },
        )),
        _ => say(Act::None, "its ticket says what holds"),
    }
}
