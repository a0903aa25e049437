//! Reads accounts as they are now. Each answer is read by the same reader as an exported file of
//! the same call, so that live and exported input give the same facts.
//!
//! Calls for one account: who we are, the authorization details in pages of 1,000, the credential
//! report, and lists of what neither holds; one more for each user with an active access key, whose
//! id only its list tells. Modules: `calls` is the table of calls, `command` makes them.

pub(crate) mod calls;
pub(crate) mod command;

use std::{collections::BTreeSet, thread, time::Duration};

use keymuster_api::{Cx, Gap, GapKind};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{client, parts::Parts};
use calls::{
    ASSUME, Call, DETAILS, IDENTITY, KEYS, MAKE_REPORT, REPORT, SAML, SERVER_CERTIFICATES,
    SERVICE_CREDENTIALS, SIGNING, SUBJECTS,
};

/// So many users are asked for one by one where no report tells who has keys.
const MOST_USERS: usize = 200;
/// How often a report that is not ready is asked for, and how long is waited between.
const REPORT_TRIES: u32 = 60;
const REPORT_WAIT: Duration = Duration::from_secs(2);

/// How accounts are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The AWS command line: `aws`, or a path.
    pub command: String,
    /// The profile; `None` for the login that the command line finds by itself.
    pub profile: Option<String>,
    /// Roles to read as, each of its account. Without any the profile's own account is read.
    pub roles: Vec<String>,
    /// Regions in which certificates of Roles Anywhere are looked for.
    pub regions: Vec<String>,
}

/// Makes calls under one login.
pub(crate) trait Caller {
    /// What the call printed.
    fn call(&self, call: &Call, args: &[&str]) -> Result<Vec<u8>, Refusal>;
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// AWS's word for it: `AccessDenied`, `Throttling`.
    pub(crate) code: String,
    /// The whole of it, in one line.
    pub(crate) message: String,
}

impl Refusal {
    /// From what the command line says: `An error occurred (CODE) when calling …`.
    pub(crate) fn of(said: &str) -> Refusal {
        let code = said
            .split_once("An error occurred (")
            .and_then(|(_, rest)| rest.split_once(')'))
            .map_or("Failed", |(code, _)| code);
        let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let message = line.unwrap_or("it failed and said nothing");
        Refusal {
            code: code.to_owned(),
            message: message
                .chars()
                .filter(|c| !c.is_control())
                .take(300)
                .collect(),
        }
    }

    fn kind(&self) -> GapKind {
        let code = self.code.as_str();
        match code {
            "Cancelled" => GapKind::Cancelled,
            "TooLarge" => GapKind::Limit,
            _ if code.contains("Denied") || code.contains("Unauthorized") => GapKind::Denied,
            _ if code.contains("Throttl") || code.contains("LimitExceeded") => GapKind::Limit,
            _ => GapKind::Unreadable,
        }
    }
}

/// The account and the name of whoever a login is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Who {
    pub(crate) account: String,
    pub(crate) arn: String,
}

/// Who a login is.
pub(crate) fn who(caller: &dyn Caller) -> Result<Who, Refusal> {
    let answer = caller.call(&IDENTITY, &[])?;
    serde_json::from_slice(&answer).map_err(|_| Refusal {
        code: "Unreadable".to_owned(),
        message: "the answer of get-caller-identity has another shape".to_owned(),
    })
}

/// The login of a role, as the variables that the command line reads.
pub(crate) fn session(
    caller: &dyn Caller,
    role: &str,
) -> Result<Vec<(&'static str, Zeroizing<String>)>, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        credentials: Credentials,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Credentials {
        access_key_id: Zeroizing<String>,
        secret_access_key: Zeroizing<String>,
        session_token: Zeroizing<String>,
    }
    let args = ["--role-arn", role, "--role-session-name", "keymuster"];
    let answer = Zeroizing::new(caller.call(&ASSUME, &args)?);
    let answer: Answer = serde_json::from_slice(&answer).map_err(|_| Refusal {
        code: "Unreadable".to_owned(),
        message: "the answer of assume-role has another shape".to_owned(),
    })?;
    Ok(vec![
        ("AWS_ACCESS_KEY_ID", answer.credentials.access_key_id),
        (
            "AWS_SECRET_ACCESS_KEY",
            answer.credentials.secret_access_key,
        ),
        ("AWS_SESSION_TOKEN", answer.credentials.session_token),
    ])
}

/// Reads the account of a login into the parts; what is refused is a gap, and the rest goes on.
pub(crate) fn account(
    cx: &Cx<'_>,
    caller: &dyn Caller,
    regions: &[String],
    parts: &mut Parts,
) -> Result<(), Refusal> {
    let account = who(caller)?.account;
    let mut one = Account {
        cx,
        caller,
        account: &account,
        parts,
    };
    let details = one.page(&DETAILS, &["--page-size", "1000"], "");
    let reported = one.report();
    one.parts.unread |= !(details && reported);
    let (with_keys, with_certificates) = match reported {
        true => one.holders(),
        false => (one.few_users(), BTreeSet::new()),
    };
    for user in &with_keys {
        let listed = one.page(&KEYS, &["--user-name", user], user);
        one.parts.unread |= !listed;
    }
    for user in &with_certificates {
        one.page(&SIGNING, &["--user-name", user], user);
    }
    one.page(&SERVICE_CREDENTIALS, &["--all-users"], "");
    one.page(&SERVER_CERTIFICATES, &[], "");
    one.page(&SAML, &[], "");
    for region in regions {
        one.page(&SUBJECTS, &["--region", region], region);
    }
    Ok(())
}

struct Account<'x, 'a> {
    cx: &'x Cx<'a>,
    caller: &'x dyn Caller,
    account: &'x str,
    parts: &'x mut Parts,
}

impl Account<'_, '_> {
    /// One answer, read like a file of this name; whether there was one.
    fn page(&mut self, call: &Call, args: &[&str], of: &str) -> bool {
        if self.cx.cancel.is_cancelled() {
            self.refused(
                call,
                &Refusal {
                    code: "Cancelled".to_owned(),
                    message: "the run was stopped".to_owned(),
                },
            );
            return false;
        }
        match self.caller.call(call, args) {
            Ok(answer) => {
                let shown = file_name(self.account, call, of);
                client::read_bytes(self.cx, &shown, answer, self.parts);
                self.cx.progress.advance(0, 1);
                true
            }
            Err(refusal) => {
                self.refused(call, &refusal);
                false
            }
        }
    }

    fn refused(&mut self, call: &Call, refusal: &Refusal) {
        let next = match refusal.kind() {
            GapKind::Denied => format!("grant {}", call.permission),
            GapKind::Limit => "run it again later".to_owned(),
            _ => refusal.message.clone(),
        };
        let gap = Gap {
            kind: refusal.kind(),
            subject: format!("aws:{}", self.account),
            reason: format!(
                "{} of {} was refused ({}), so {} stay unseen; {next}",
                call.verb, call.service, refusal.code, call.unseen
            ),
            source: self.cx.source(file_name(self.account, call, "")),
        };
        // A call that is refused for every user is told once.
        if !self.parts.gaps.contains(&gap) {
            self.parts.gaps.push(gap);
        }
    }

    /// Has the credential report made, waits for it, reads it.
    fn report(&mut self) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            state: String,
        }
        for _ in 0..REPORT_TRIES {
            let state = match self.caller.call(&MAKE_REPORT, &[]) {
                Ok(answer) => serde_json::from_slice::<Answer>(&answer).map(|one| one.state),
                Err(refusal) => {
                    self.refused(&MAKE_REPORT, &refusal);
                    // There may be one that is not four hours old.
                    return self.page(&REPORT, &[], "");
                }
            };
            if state.is_ok_and(|state| state == "COMPLETE") {
                return self.page(&REPORT, &[], "");
            }
            if self.cx.cancel.is_cancelled() {
                break;
            }
            thread::sleep(REPORT_WAIT);
        }
        self.refused(
            &MAKE_REPORT,
            &Refusal {
                code: "ReportInProgress".to_owned(),
                message: "run it again later".to_owned(),
            },
        );
        false
    }

    /// Users with an active access key, and those with a signing certificate.
    fn holders(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let marker = format!(":{}:user/", self.account);
        let rows = self.parts.report.iter().map(|row| &row.value);
        let mut all = (BTreeSet::new(), BTreeSet::new());
        for row in rows.filter(|row| row.get("arn").contains(&marker)) {
            let holds = |what: &str| {
                (1..=2).any(|number| {
                    let cell = row.get(&format!("{what}_{number}_active"));
                    cell.eq_ignore_ascii_case("true")
                })
            };
            if holds("access_key") {
                all.0.insert(row.get("user").to_owned());
            }
            if holds("cert") {
                all.1.insert(row.get("user").to_owned());
            }
        }
        all
    }

    /// Every user, where they are few.
    fn few_users(&self) -> BTreeSet<String> {
        let marker = format!(":{}:user/", self.account);
        let users = self.parts.users.iter();
        let names: BTreeSet<String> = users
            .filter(|user| user.value.arn.contains(&marker))
            .map(|user| user.value.user_name.clone())
            .collect();
        if names.len() > MOST_USERS {
            return BTreeSet::new();
        }
        names
    }
}

/// What a file with this answer would be called: `aws/123456789012/list-access-keys-ann.json`.
fn file_name(account: &str, call: &Call, of: &str) -> String {
    let of = if of.is_empty() {
        String::new()
    } else {
        format!("-{of}")
    };
    format!("aws/{account}/{}{of}.json", call.verb)
}
