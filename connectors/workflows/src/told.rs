//! What leaves the connector. Names are told as they are written; where somebody wrote a secret
//! in place of a name (an id, a URL, a job), it is taken out first.

use keymuster_api::{Consumer, Cx, Gap, GapKind, Item, Login, Sink, Slot, SlotUse, Source};

use crate::file::Found;

/// Shorter texts hold no secret that has a form.
const SHORTEST: usize = 12;
/// What stands in place of a secret.
const INSTEAD: &str = "(secret)";

/// Tells all that was found, sorted.
pub(crate) fn tell(cx: &Cx<'_>, mut found: Found, out: &mut dyn Sink) {
    let told = Told { cx };
    found.uses.iter_mut().for_each(|one| told.usage(one));
    found
        .consumers
        .iter_mut()
        .for_each(|one| told.consumer(one));
    found.slots.iter_mut().for_each(|one| told.slot(one));
    found.uses.sort();
    found.uses.dedup();
    found.consumers.sort();
    found.consumers.dedup_by(|a, b| a.key == b.key);
    found
        .consumers
        .into_iter()
        .map(Item::Consumer)
        .for_each(|item| out.emit(item));
    found
        .uses
        .into_iter()
        .map(Item::Use)
        .for_each(|item| out.emit(item));
    found
        .slots
        .into_iter()
        .map(Item::Slot)
        .for_each(|item| out.emit(item));
    for mut claim in found.claims {
        told.text(&mut claim.subject.0);
        told.text(&mut claim.party);
        out.emit(Item::Claim(claim));
    }
    for (kind, source, mut reason) in found.gaps {
        told.text(&mut reason);
        out.gap(gap(cx, kind, source, reason));
    }
}

fn gap(cx: &Cx<'_>, kind: GapKind, source: Source, reason: String) -> Gap {
    Gap {
        kind,
        subject: source.locator,
        reason,
        source: cx.source("workflows"),
    }
}

struct Told<'a> {
    cx: &'a Cx<'a>,
}

impl Told<'_> {
    /// Takes secrets out of a text, and characters that drive a terminal. The same text always
    /// comes out the same, so that keys still meet.
    fn text(&self, text: &mut String) {
        if text.len() >= SHORTEST {
            let mut found = self.cx.redactor.redact(text);
            found.sort_by_key(|one| one.span.start);
            for one in found.iter().rev() {
                if text.get(one.span.clone()).is_some() {
                    text.replace_range(one.span.clone(), INSTEAD);
                }
            }
        }
        if text.contains(char::is_control) {
            *text = text.replace(char::is_control, " ");
        }
    }

    fn usage(&self, one: &mut SlotUse) {
        self.text(&mut one.by.0);
        self.text(&mut one.how);
        one.name.iter_mut().for_each(|name| self.text(name));
        one.scopes.iter_mut().for_each(|scope| self.text(scope));
    }

    fn slot(&self, one: &mut Slot) {
        self.text(&mut one.key.0);
        self.text(&mut one.name);
    }

    fn consumer(&self, one: &mut Consumer) {
        self.text(&mut one.key.0);
        self.text(&mut one.name);
        one.environment.iter_mut().for_each(|text| self.text(text));
        one.via.iter_mut().for_each(|text| self.text(text));
        one.triggers.iter_mut().for_each(|text| self.text(text));
        for (name, value) in one.permissions.iter_mut().chain(&mut one.properties) {
            self.text(name);
            self.text(value);
        }
        one.logins.iter_mut().for_each(|login| self.login(login));
    }

    fn login(&self, one: &mut Login) {
        self.text(&mut one.by);
        one.target.iter_mut().for_each(|text| self.text(text));
        one.slots.iter_mut().for_each(|text| self.text(text));
    }
}
