//! Webhooks: whether whoever receives events can know who sent them, and whoever sends them who
//! receives. A part of AUT-02.

use keymuster_api::{Setting, Severity};

use crate::audit::{CheckCx, EntryKind, Findings, Input, Subject};

/// Words in the names of parameters that carry a credential.
const WORDS: [&str; 8] = [
    "token", "key", "secret", "auth", "password", "passwd", "sig", "code",
];

/// Every webhook that a host lists.
pub(in crate::audit) fn webhooks(cx: &CheckCx<'_>, out: &mut Findings<'_>) {
    // Sorted by subject; only webhooks have this one.
    let all = &cx.estate.gathered.settings;
    let mut seen = "";
    for one in all.iter().filter(|one| one.name == "url-scheme") {
        let key = one.subject.0.as_str();
        if key != seen && key.contains("webhook:") {
            webhook(cx, key, one, out);
        }
        seen = key;
    }
}

fn webhook(cx: &CheckCx<'_>, key: &str, scheme: &Setting, out: &mut Findings<'_>) {
    let told = |name: &str| cx.estate.setting(key, name);
    if told("active") == Some("false") {
        return;
    }
    let subject = Subject::Entry(EntryKind::Webhook, key.to_owned());
    let is_plain = scheme.value == "http";
    let mut weak = Vec::new();
    if is_plain {
        weak.push("sends events over plain HTTP".to_owned());
    }
    if told("verifies-certificate") == Some("false") {
        weak.push("does not verify the receiver's certificate".to_owned());
    }
    if told("has-secret") == Some("false") {
        weak.push("has no secret, so the receiver cannot know who sent an event".to_owned());
    }
    let settings = cx.estate.settings(key);
    let parameters = settings.iter().filter(|one| one.name == "url-parameter");
    let secret: Vec<&str> = parameters
        .map(|one| one.value.as_str())
        .filter(|name| {
            let lower = name.to_lowercase();
            WORDS.iter().any(|word| lower.contains(word))
        })
        .collect();
    if !secret.is_empty() {
        weak.push(format!(
            "has a credential in its address ({})",
            secret.join(", ")
        ));
    }
    if weak.is_empty() {
        match told("verifies-certificate") {
            Some(_) => out.pass(&subject),
            None => out.not_evaluated(&subject, Input::Locations),
        }
        return;
    }
    let severity = match is_plain && !secret.is_empty() {
        true => Severity::High,
        false => Severity::Medium,
    };
    out.fail(subject, severity, |draft| {
        let place = told("scope").unwrap_or(key);
        let host = told("url-host").unwrap_or("an unknown host");
        draft.title(format!("A webhook of {place} to {host} {}", weak.join(", and ")));
        for what in &weak {
            draft.evidence("webhook", what.as_str(), scheme.source.locator.as_str());
        }
        draft.remedy(format!(
            "in the settings of {place}, Webhooks, {host}: an https address without a credential in it, a secret, and TLS verification; have the receiver check the signature"
        ));
    });
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use crate::audit::checks::testing::World;

    fn hook(settings: &[(&str, &str)]) -> World {
        let mut world = World::new();
        for (name, value) in settings {
            world.set("github:webhook:7", name, value);
        }
        world
    }

    const SOUND: [(&str, &str); 4] = [
        ("url-scheme", "https"),
        ("url-host", "ci.acme.test"),
        ("verifies-certificate", "true"),
        ("has-secret", "true"),
    ];

    #[test]
    fn true_without_a_secret_or_tls_or_with_a_credential_in_the_address() {
        for (name, value) in [
            ("verifies-certificate", "false"),
            ("has-secret", "false"),
            ("url-parameter", "access_token"),
        ] {
            let mut settings = SOUND.to_vec();
            settings.retain(|(known, _)| *known != name);
            settings.push((name, value));
            let finding = hook(&settings).finding("AUT-02");
            assert_eq!(finding.severity, Severity::Medium, "{name}");
            assert_eq!(finding.subject_key, "webhook:github:webhook:7");
        }
        let mut settings = SOUND.to_vec();
        settings[0].1 = "http";
        settings.push(("url-parameter", "key"));
        let finding = hook(&settings).finding("AUT-02");
        assert_eq!(
            (finding.severity, finding.evidence.len()),
            (Severity::High, 2)
        );
    }

    #[test]
    fn near_miss_sound_or_switched_off() {
        hook(&SOUND).assert_passes("AUT-02");
        let mut settings = SOUND.to_vec();
        settings.push(("url-parameter", "branch"));
        hook(&settings).assert_passes("AUT-02");
        settings.push(("active", "false"));
        settings[3].1 = "false";
        hook(&settings).assert_ignores("AUT-02");
        // GitLab does not tell whether there is a secret.
        hook(&SOUND[..3]).assert_passes("AUT-02");
    }

    #[test]
    fn missing_what_the_host_does_not_tell() {
        hook(&SOUND[..2]).assert_lacks("AUT-02", "locations");
    }
}
